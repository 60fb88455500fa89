/* SPDX-License-Identifier: Apache-2.0 */
/* What a container wrote becomes a layer: one sandboxed process makes a tar stream of it, another unpacks that as any layer
 * is unpacked. So it has its record, and is stored, checked and saved as one that came from elsewhere. */
#include "content/commit.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "content/pack.h"
#include "image/change.h"
#include "image/commit.h"
#include "image/layer-dir.h"
#include "spec/manifest.h"
#include "spec/reference.h"
#include "storage/rootfs.h"

typedef struct Packing {
        Tree tree;
        bool whole;
} Packing;

static int pack_inside(void *data, int root_fd, int out_fd, Error *reterr) {
        const Packing *packing = data;
        const PackOptions options = { .layer = !packing->whole };
        _cleanup_union_ Union u = {};
        int r = 0;

        if (packing->whole)
                r = tree_open(&packing->tree, root_fd, &u, reterr);
        else if (packing->tree.upper) {
                u.flags = UNION_WHITEOUTS;
                r = union_add(&u, root_fd, packing->tree.upper, "upper", reterr);
        }
        return r < 0 ? r : pack_union(&u, &options, out_fd, reterr);
}

static int replace_words(char ***to, char *const *words) {
        char **copy = strv_copy(words);

        if (words && !copy)
                return -ENOMEM;
        strv_free(*to);
        *to = copy;
        return 0;
}

static int add_missing(char ***to, const char *word) {
        return strv_contains(*to, word) ? 0 : strv_append(to, word);
}

static int fill_ports(ImageConfig *config, const ContainerConfig *c) {
        int r = 0;

        for (char **port = c->expose; port && *port && r >= 0; port++)
                r = add_missing(&config->exposed_ports, *port);
        for (size_t i = 0; i < c->n_ports && r >= 0; i++) {
                _cleanup_free_ char *port = str_format("%u/%s", c->ports[i].container_port, c->ports[i].protocol ?: "tcp");

                r = port ? add_missing(&config->exposed_ports, port) : -ENOMEM;
        }
        return r;
}

/* What the container runs with is what the image's containers will run with. */
static int fill_config(ImageConfig *config, const ContainerConfig *c, const CommitOptions *options, Error *reterr) {
        int r = replace_words(&config->cmd, c->command);

        if (r >= 0 && c->entrypoint)
                r = replace_words(&config->entrypoint, c->entrypoint);
        for (char **env = c->env; env && *env && r >= 0; env++)
                r = strv_env_set(&config->env, *env);
        for (char **label = c->labels; label && *label && r >= 0; label++)
                r = strv_env_set(&config->labels, *label);
        if (r >= 0 && c->user)
                r = str_replace(&config->user, c->user);
        if (r >= 0)
                r = str_replace(&config->workdir, c->workdir ?: "/");
        if (r >= 0)
                r = fill_ports(config, c);
        for (size_t i = 0; i < c->n_mounts && r >= 0 && options->include_volumes; i++)
                if (str_equal(c->mounts[i].type, "volume") || str_equal(c->mounts[i].type, "bind"))
                        r = add_missing(&config->volumes, c->mounts[i].destination);
        if (r >= 0 && options->author)
                r = str_replace(&config->author, options->author);
        if (r < 0)
                return error_oom(reterr);
        for (char **change = options->changes; change && *change && r >= 0; change++)
                r = image_change(config, *change, reterr);
        return r;
}

static int add_history(ImageConfig *config, const ContainerConfig *c, const CommitOptions *options, Error *reterr) {
        _cleanup_free_ char *created = image_time_format((int64_t) time(NULL) * 1000000), *command = strv_join(c->command, " ");
        ImageHistory *grown;

        if (options->squash) { /* one layer has one line */
                for (size_t i = 0; i < config->n_history; i++) {
                        free(config->history[i].created);
                        free(config->history[i].created_by);
                        free(config->history[i].author);
                        free(config->history[i].comment);
                }
                config->n_history = 0;
        }
        grown = reallocarray(config->history, config->n_history + 1, sizeof(*grown));
        if (!grown || !created)
                return error_oom(reterr);
        config->history = grown;
        grown[config->n_history++] = (ImageHistory){};
        ImageHistory *line = grown + config->n_history - 1;
        if (str_replace(&line->created, created) < 0 || str_replace(&line->created_by, str_empty(command) ? "sdpod commit" : command) < 0 ||
            str_replace(&line->author, options->author) < 0 || str_replace(&line->comment, options->message) < 0 ||
            str_replace(&config->created, created) < 0)
                return error_oom(reterr);
        return 0;
}

/* The config of the image that the container stands on; from its own record where that is gone. */
static int read_base(const Store *store, const ContainerConfig *c, ImageConfig *ret, Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *id = str_format("sha256:%s", c->image_id ?: "");

        if (!id)
                return error_oom(reterr);
        if (image_store_resolve(store, id, &image, &error) >= 0) {
                *ret = image.config;
                image.config = (ImageConfig){};
                return 0;
        }
        if (error.code == -ENOMEM)
                return error_move(reterr, &error);
        ret->architecture = strdup(platform_host_architecture());
        ret->os = strdup("linux");
        return !ret->architecture || !ret->os || replace_words(&ret->diff_ids, c->layers) < 0 ? error_oom(reterr) : 0;
}

static int write_config(NewImage *image, ImageConfig *config, const CommitOptions *options, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;
        _cleanup_strv_ char **diff_ids = NULL;

        for (size_t i = 0; i < image->n_layers; i++)
                if (strv_append(&diff_ids, image->layers[i].diff_id) < 0)
                        return error_oom(reterr);
        if (replace_words(&config->diff_ids, diff_ids) < 0)
                return error_oom(reterr);
        int r = image_config_check(config, reterr);
        if (r < 0)
                return r;
        json = image_config_save(config);
        /* Docker's config has the message a second time */
        if (json && options->docker && options->message && json_object_set_new(json, "comment", json_string(options->message)) < 0)
                return error_oom(reterr);
        image->config = json ? json_dumps(json, JSON_COMPACT) : NULL;
        if (!image->config)
                return error_oom(reterr);
        image->config_size = strlen(image->config);
        return sha256_buffer(image->config, image->config_size, image->config_digest) < 0 ? error_oom(reterr) : 0;
}

/* Docker's manifest; OCI's is made with the image. The layers are as they are in the store, uncompressed. */
static int write_docker_manifest(NewImage *image, const Stage *stage, Error *reterr) {
        _cleanup_fd_ int layers_fd = store_open_data(stage->store, "layers", reterr);
        _cleanup_json_ json_t *json = json_pack("{s:i, s:s, s:{s:s, s:I, s:s}, s:[]}", "schemaVersion", 2, "mediaType",
                                                MEDIA_TYPE_DOCKER_MANIFEST, "config", "mediaType", MEDIA_TYPE_DOCKER_CONFIG, "size",
                                                (json_int_t) image->config_size, "digest", image->config_digest, "layers");

        if (layers_fd < 0)
                return layers_fd;
        for (size_t i = 0; i < image->n_layers; i++) {
                const char *diff_id = image->layers[i].diff_id;
                uint64_t size;

                if (!layer_dir_is_in(stage->fd, diff_id, &size) && !layer_dir_is_in(layers_fd, diff_id, &size))
                        return -EAGAIN;
                if (json_array_append_new(json_object_get(json, "layers"),
                                          json_pack("{s:s, s:I, s:s}", "mediaType", "application/vnd.docker.image.rootfs.diff.tar", "size",
                                                    (json_int_t) size, "digest", diff_id)) < 0)
                        return error_oom(reterr);
        }
        image->manifest = json ? json_dumps(json, JSON_COMPACT) : NULL;
        image->manifest_type = strdup(MEDIA_TYPE_DOCKER_MANIFEST);
        if (!image->manifest || !image->manifest_type)
                return error_oom(reterr);
        image->manifest_size = strlen(image->manifest);
        return sha256_buffer(image->manifest, image->manifest_size, image->manifest_digest) < 0 ? error_oom(reterr) : 0;
}

/* The container's layers, and the one that is to be made of what comes through the pipe. */
static int list_layers(NewImage *image, const Tree *tree, bool squash, int fd, Error *reterr) {
        NewLayer *layer;

        for (char **id = squash ? NULL : tree->layers; id && *id; id++) {
                layer = new_image_add_layer(image);
                if (!layer || !(layer->diff_id = strdup(*id)))
                        return error_oom(reterr);
        }
        layer = new_image_add_layer(image);
        if (!layer)
                return error_oom(reterr);
        layer->file = (SourceFile){ .fd = fd, .borrowed = true, .size = UINT64_MAX };
        return 0;
}

static int make_layer(Stage *stage, Packing *packing, NewImage *image, bool squash, Error *reterr) {
        _cleanup_worker_ Worker packer = WORKER_NULL;
        _cleanup_fd_ int reader = -EBADF, writer = -EBADF;
        _cleanup_error_ Error error = ERROR_NULL;
        UnpackResult result;
        int pipe_fds[2];

        if (pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        reader = pipe_fds[0];
        writer = pipe_fds[1];
        int r = tree_work(stage->store, &stage->map, packing->tree.directory, pack_inside, packing, writer, &packer, reterr);
        writer = fd_close(writer);
        if (r >= 0)
                r = list_layers(image, &packing->tree, squash, reader, reterr);
        if (r < 0)
                return r;
        r = new_image_unpack(image, stage, &error);
        reader = fd_close(reader);
        int packed = tree_check_kept(stage->store, &packing->tree, worker_finish(&packer, &result, reterr), reterr);
        if (packed < 0) /* nearer to the cause than an archive that ends too early */
                return packed;
        return r < 0 ? error_move(reterr, &error) : 0;
}

static int commit(Stage *stage, const Container *c, const CommitOptions *options, char **ret_id, Error *reterr) {
        _cleanup_image_config_ ImageConfig config = {};
        _cleanup_new_image_ NewImage image = {};
        Packing packing = { .whole = options->squash };
        char *name = NULL;

        int r = tree_of_container(c, &packing.tree, reterr);
        if (r >= 0 && options->name) {
                r = reference_normalise_local(options->name, &name, reterr);
                if (r >= 0 && strv_consume(&image.names, name) < 0)
                        r = error_oom(reterr);
        }
        if (r >= 0)
                r = read_base(stage->store, &c->config, &config, reterr);
        if (r >= 0)
                r = fill_config(&config, &c->config, options, reterr);
        if (r >= 0)
                r = add_history(&config, &c->config, options, reterr);
        if (r >= 0)
                r = make_layer(stage, &packing, &image, options->squash, reterr);
        tree_done(&packing.tree);
        if (r >= 0)
                r = write_config(&image, &config, options, reterr);
        if (r >= 0 && options->docker)
                r = write_docker_manifest(&image, stage, reterr);
        if (r >= 0)
                r = new_image_commit(&image, stage, reterr);
        if (r == -EAGAIN)
                return error_set(reterr, -EAGAIN, ERROR_STATE, "a layer of its image was removed meanwhile");
        if (r < 0)
                return r;
        *ret_id = strdup(digest_hex(image.config_digest));
        return *ret_id ? 0 : error_oom(reterr);
}

int commit_container(Stage *stage, const char *name, const CommitOptions *options, char **ret_id, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        int r = container_open(stage->store, name, &c, reterr);

        if (r < 0)
                return r;
        if (c.config.rootfs)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot commit container '%s': it was made from a directory, not an image",
                                 name);
        if (rootfs_is_vfs(&c) && !options->squash) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot commit container '%s': with the storage driver vfs it has no layer of its own",
                                 name);
                return error_with_hint(reterr, -EOPNOTSUPP, "use --squash");
        }
        r = commit(stage, &c, options, ret_id, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot commit container '%s'", name) : 0;
}
