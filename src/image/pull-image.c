/* SPDX-License-Identifier: Apache-2.0 */
/* From a tag to a manifest and its config. */
#include "image/pull-image.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "image/limits.h"
#include "image/pull-lock.h"
#include "spec/image-config.h"

typedef struct Document {
        char *bytes, *media_type;
        size_t size;
        char digest[DIGEST_LENGTH + 1];
        json_t *json;
        bool is_index;
} Document;

static void document_done(Document *document) {
        free(document->bytes);
        free(document->media_type);
        json_decref(document->json);
        *document = (Document){};
}

/* What a refused image brought does not stay. Who else needs the config holds its lock until an image has it; a load does not,
 * it has images.lock from its blobs to its index. */
static void drop_config(const PullImage *image) {
        const char *hex = digest_hex(image->manifest.config.digest);
        _cleanup_free_ char *path = str_format("images/blobs/sha256/%s", hex);
        _cleanup_image_info_ ImageInfo info = {};

        if (!path || pull_lock_own(image->config_lock_fd) < 0)
                return;
        _cleanup_fd_ int lock = layout_lock(image->config_store, /* reterr= */ NULL);
        if (lock >= 0 && image_store_resolve(image->config_store, hex, &info, /* reterr= */ NULL) == -ENOENT)
                (void) unlinkat(image->config_store->data_fd, path, 0);
}

void pull_image_done(PullImage *image) {
        if (image->config_store && image->config_lock_fd >= 0)
                drop_config(image);
        if (image->config_lock_fd >= 0)
                pull_lock_release(image->locks_fd, digest_hex(image->manifest.config.digest), image->config_lock_fd);
        image->config_lock_fd = -EBADF;
        image->locks_fd = fd_close(image->locks_fd);
        manifest_done(&image->manifest);
        new_image_done(&image->image);
}

/* What the server calls it must not be another thing than what it is (CVE-2021-41190). A server of mere files may say less. */
static int check_type(const Document *document, Error *reterr) {
        static const struct {
                const char *type;
                bool is_index;
        } rows[] = {
                { MEDIA_TYPE_OCI_MANIFEST, false }, { MEDIA_TYPE_DOCKER_MANIFEST, false },
                { MEDIA_TYPE_OCI_INDEX, true },     { MEDIA_TYPE_DOCKER_INDEX, true },
        };
        static const char *const of_files[] = { "", "application/json", "application/octet-stream", "binary/octet-stream", "text/plain", NULL };
        _cleanup_free_ char *type = strndup(document->media_type, strcspn(document->media_type, "; "));

        if (!type)
                return error_oom(reterr);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strcasecmp(rows[i].type, type) == 0 && rows[i].is_index == document->is_index)
                        return 0;
        for (const char *const *of_file = of_files; *of_file; of_file++)
                if (strcasecmp(*of_file, type) == 0)
                        return 0;
        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the registry calls it '%.100s', which it is not", type);
}

/* `size` is what its descriptor says; -1: there is none. */
static int get_document(RegistryClient *client, const char *tag_or_digest, int64_t size, Document *ret, Error *reterr) {
        const char *what = digest_is_valid(tag_or_digest) ? tag_or_digest : "the manifest";
        _cleanup_(document_done) Document d = {};

        int r = registry_manifest_get(client, tag_or_digest, &d.bytes, &d.size, &d.media_type, d.digest, reterr);
        if (r < 0)
                return r;
        if (size >= 0 && d.size != (uint64_t) size)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s has %zu bytes, its index says %lld", what, d.size, (long long) size);
        if (strstr(d.media_type, "docker.distribution.manifest.v1+"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "%s is of Docker's schema 1, which is not supported", what);
        r = json_parse(d.bytes, d.size, what, &d.json, reterr);
        if (r >= 0)
                r = manifest_probe(d.json, what, &d.is_index, reterr);
        if (r >= 0)
                r = check_type(&d, reterr);
        if (r < 0)
                return r;
        *ret = d;
        d = (Document){};
        return 0;
}

static char *wish_text(const PlatformWish *wish) {
        return str_format("%s/%s%s%s", wish->os ?: "linux", wish->architecture ?: platform_host_architecture(), wish->variant ? "/" : "",
                          wish->variant ?: "");
}

/* Through indexes to a manifest. `index_digest` is of the first of them. */
static int get_manifest(RegistryClient *client, const char *tag_or_digest, const PlatformWish *wish, Document *ret, char **index_digest,
                        Error *reterr) {
        _cleanup_(document_done) Document d = {};
        int r = get_document(client, tag_or_digest, -1, &d, reterr);

        for (int depth = 0; r >= 0 && d.is_index; depth++) {
                _cleanup_index_ Index index = {};

                if (depth >= IMAGE_INDEX_DEPTH_LIMIT)
                        return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "an index in it is nested deeper than %d", IMAGE_INDEX_DEPTH_LIMIT);
                r = index_load(d.json, d.digest, &index, reterr);
                if (r < 0)
                        break;
                if (!*index_digest && !(*index_digest = strdup(d.digest)))
                        return error_oom(reterr);
                const Descriptor *chosen = platform_choose(&index, wish);
                if (!chosen) {
                        _cleanup_free_ char *wanted = wish_text(wish);

                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "no image in it is for %s", wanted ?: "this machine");
                }
                document_done(&d);
                r = get_document(client, chosen->digest, chosen->size, &d, reterr);
        }
        if (r < 0)
                return r;
        *ret = d;
        d = (Document){};
        return 0;
}

typedef struct MediaType {
        const char *type;
        const char *refused; /* NULL: taken */
} MediaType;

static const MediaType config_types[] = {
        { MEDIA_TYPE_OCI_CONFIG, NULL },
        { MEDIA_TYPE_DOCKER_CONFIG, NULL },
        {},
};

/* Compression is seen by the bytes; the digest is what counts. */
static const MediaType layer_types[] = {
        { MEDIA_TYPE_OCI_LAYER, NULL },
        { MEDIA_TYPE_OCI_LAYER "+gzip", NULL },
        { MEDIA_TYPE_OCI_LAYER "+zstd", NULL },
        { "application/vnd.docker.image.rootfs.diff.tar", NULL },
        { "application/vnd.docker.image.rootfs.diff.tar.gzip", NULL },
        { "application/vnd.docker.image.rootfs.diff.tar.zstd", NULL },
        { "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", "it is a foreign layer, which a registry does not have" },
        { "application/vnd.docker.image.rootfs.foreign.diff.tar", "it is a foreign layer, which a registry does not have" },
        { "application/vnd.oci.image.layer.nondistributable.v1.tar", "it is a foreign layer, which a registry does not have" },
        { "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "it is a foreign layer, which a registry does not have" },
        { "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", "it is a foreign layer, which a registry does not have" },
        { MEDIA_TYPE_OCI_LAYER "+encrypted", "it is encrypted, and decryption is not there yet" },
        { MEDIA_TYPE_OCI_LAYER "+gzip+encrypted", "it is encrypted, and decryption is not there yet" },
        { MEDIA_TYPE_OCI_LAYER "+zstd+encrypted", "it is encrypted, and decryption is not there yet" },
        {},
};

static int check_media_type(const MediaType *rows, const char *type, Error *reterr) {
        for (; rows->type; rows++)
                if (str_equal(rows->type, type))
                        return rows->refused ? error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "%s", rows->refused) : 0;
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "its media type '%.120s' is not one of a container image", type ?: "");
}

static int check_manifest(const Manifest *manifest, Error *reterr) {
        int r = check_media_type(config_types, manifest->config.media_type, reterr);

        if (r < 0)
                return error_prefix(reterr, r, "the image config");
        if (manifest->config.size > MANIFEST_SIZE_LIMIT)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "the image config is larger than %d bytes", MANIFEST_SIZE_LIMIT);
        for (size_t i = 0; i < manifest->n_layers && r >= 0; i++) {
                const Descriptor *d = manifest->layers + i;

                r = check_media_type(layer_types, d->media_type, reterr);
                if (r >= 0 && (uint64_t) d->size > IMAGE_LAYER_SIZE_LIMIT)
                        r = error_set(reterr, -EFBIG, ERROR_INVALID, "it is larger than the %llu bytes that are taken here",
                                      IMAGE_LAYER_SIZE_LIMIT);
                if (r < 0)
                        return error_prefix(reterr, r, "layer %zu %s", i + 1, d->digest);
        }
        return r;
}

/* The config from the store, if it is there and whole. */
static bool config_from_store(const Store *store, const Descriptor *d, NewImage *image) {
        _cleanup_free_ char *path = str_format("images/blobs/sha256/%s", digest_hex(d->digest)), *bytes = NULL;
        char digest[DIGEST_LENGTH + 1];
        size_t size;

        if (!path || file_read(store->data_fd, path, MANIFEST_SIZE_LIMIT, &bytes, &size) < 0 || size != (uint64_t) d->size ||
            sha256_buffer(bytes, size, digest) < 0 || !str_equal(digest, d->digest))
                return false;
        image->config = TAKE_PTR(bytes);
        image->config_size = size;
        return true;
}

/* For who waits for it; the image's commit writes it again, durably. */
static int config_to_store(const Store *store, const Descriptor *d, const NewImage *image, Error *reterr) {
        _cleanup_fd_ int lock = layout_lock(store, reterr), images = -EBADF, blobs = -EBADF;
        int r = lock;

        if (r >= 0)
                r = images = layout_open(store, reterr);
        if (r < 0)
                return r;
        blobs = openat(images, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = blobs < 0 ? -errno : file_write_atomic(blobs, digest_hex(d->digest), image->config, image->config_size, 0600, FILE_VOLATILE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write the blob '%s'", d->digest) : 0;
}

/* Waits until a lock may be taken; what it is then is seen by taking it. */
static int wait_for_lock(int dir_fd, const char *hex, PullLockState state, Error *reterr) {
        PullWait wait;
        int r = pull_wait_start(dir_fd, hex, state, &wait, reterr);

        if (r < 0)
                return r;
        struct pollfd fd = { .fd = wait.pipe_fd, .events = POLLIN };
        if (RETRY_EINTR(poll(&fd, 1, -1)) < 0)
                r = error_set_errno(reterr, -errno, "cannot wait for another pull");
        pull_wait_done(&wait);
        return r < 0 ? r : 0;
}

static int get_config(const Store *store, RegistryClient *client, PullImage *p, Error *reterr) {
        const Descriptor *d = &p->manifest.config;
        int r = p->locks_fd = pull_lock_open(store, reterr);

        while (r >= 0) {
                _cleanup_fd_ int fd = -EBADF;

                int state = pull_lock_try(p->locks_fd, digest_hex(d->digest), &fd, reterr);
                if (state < 0)
                        return state;
                if (state != PULL_LOCK_BUSY && config_from_store(store, d, &p->image)) {
                        p->config_lock_fd = TAKE_FD(fd);
                        break;
                }
                if (state == PULL_LOCK_OURS) {
                        r = registry_blob_get(client, d->digest, d->size, MANIFEST_SIZE_LIMIT, &p->image.config, &p->image.config_size,
                                              reterr);
                        if (r >= 0)
                                r = config_to_store(store, d, &p->image, reterr);
                        p->config_lock_fd = TAKE_FD(fd);
                        break;
                }
                fd = fd_close(fd);
                r = wait_for_lock(p->locks_fd, digest_hex(d->digest), state == PULL_LOCK_BUSY ? PULL_LOCK_SHARED : PULL_LOCK_OURS, reterr);
        }
        p->config_store = store;
        if (r >= 0)
                r = pull_lock_share(p->config_lock_fd);
        return r < 0 ? error_prefix(reterr, r, "the image config %s", d->digest) : 0;
}

static int read_config(const PullImage *p, const PlatformWish *wish, ImageConfig *ret, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;

        int r = json_parse(p->image.config, p->image.config_size, "the image config", &json, reterr);
        if (r >= 0)
                r = image_config_load(json, ret, reterr);
        if (r < 0)
                return r;
        if (!platform_fits(wish, ret->os, ret->architecture)) {
                _cleanup_free_ char *wanted = wish_text(wish);

                log_warning("the image is for %.40s/%.40s, not for %s", ret->os ?: "linux", ret->architecture ?: "", wanted ?: "");
        }
        if (ret->os && *ret->os && !str_equal(ret->os, "linux"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "the image is for '%.40s', not for linux", ret->os);
        return 0;
}

/* The diff IDs of the config and the digests of the manifest are of the same layers. */
static int join_layers(PullImage *p, const ImageConfig *config, Error *reterr) {
        if (strv_length(config->diff_ids) != p->manifest.n_layers)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the image config has %zu diff IDs for %zu layers",
                                 strv_length(config->diff_ids), p->manifest.n_layers);
        for (size_t i = 0; i < p->manifest.n_layers; i++) {
                NewLayer *layer = new_image_add_layer(&p->image);

                if (!layer || !(layer->digest = strdup(p->manifest.layers[i].digest)) || !(layer->diff_id = strdup(config->diff_ids[i])))
                        return error_oom(reterr);
        }
        return 0;
}

int pull_image_find(const Store *store, RegistryClient *client, const char *tag_or_digest, const PlatformWish *wish, PullImage *ret,
                    Error *reterr) {
        _cleanup_pull_image_ PullImage p = PULL_IMAGE_NULL;
        _cleanup_(document_done) Document d = {};
        _cleanup_image_config_ ImageConfig config = {};

        int r = get_manifest(client, tag_or_digest, wish, &d, &p.image.index_digest, reterr);
        if (r >= 0)
                r = manifest_load(d.json, d.digest, &p.manifest, reterr);
        /* they can be as large as the manifest, and processes are forked from here on that would have them, too */
        json_decref(TAKE_PTR(d.json));
        strv_free(TAKE_PTR(p.manifest.annotations));
        if (r >= 0)
                r = check_manifest(&p.manifest, reterr);
        if (r >= 0)
                r = get_config(store, client, &p, reterr);
        if (r >= 0)
                r = read_config(&p, wish, &config, reterr);
        if (r >= 0)
                r = join_layers(&p, &config, reterr);
        if (r < 0)
                return r;
        p.image.manifest = TAKE_PTR(d.bytes);
        p.image.manifest_size = d.size;
        (void) stpcpy(p.image.manifest_digest, d.digest);
        (void) stpcpy(p.image.config_digest, p.manifest.config.digest);
        p.image.manifest_type = strdup(p.manifest.media_type ?: MEDIA_TYPE_OCI_MANIFEST);
        if (!p.image.manifest_type)
                return error_oom(reterr);
        *ret = p;
        p = PULL_IMAGE_NULL;
        return 0;
}
