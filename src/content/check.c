/* SPDX-License-Identifier: Apache-2.0 */
/* Checking all of the store, and mending it. Blobs are what their names say, or damaged; layers are checked by layer-check.
 *
 * What is damaged cannot be made anew here: it goes, with the images that need it, so that they can be fetched again. What
 * only describes (layer.json, index.json, oci-layout) is written again. A layer that a container needs stays. */
#include "content/check.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "content/layer-check.h"
#include "image/layout.h"
#include "image/names-history.h"
#include "image/list.h"
#include "image/sha256.h"
#include "image/stage.h"
#include "spec/digest.h"
#include "state/container.h"

#define LAYOUT_TEXT "{\"imageLayoutVersion\":\"1.0.0\"}\n"
enum { BLOB_LIMIT = 64 * 1024 * 1024 };

/* A damaged thing: its key in `damaged` is "blob HEX", "layer HEX", "index", "oci-layout", "names", "container ID". */
typedef struct Check {
        const Store *store;
        const CheckOptions *o;
        UserMap map;
        json_t *damaged;         /* key to the reason */
        json_t *mendable;        /* layers whose description alone is wrong, to their size */
        json_t *needed_layers;   /* HEX to a list of words: who needs it */
        json_t *needed_blobs;
        json_t *old_layers;      /* needed by nobody, and too old */
        json_t *containers;      /* HEX to the IDs of containers */
        size_t unknown;
} Check;

static void check_done(Check *c) {
        json_decref(c->damaged);
        json_decref(c->mendable);
        json_decref(c->needed_layers);
        json_decref(c->needed_blobs);
        json_decref(c->old_layers);
        json_decref(c->containers);
        user_map_done(&c->map);
}

static int note(Check *c, const char *kind, const char *name, const char *reason, Error *reterr) {
        _cleanup_free_ char *key = str_format("%s%s%s", kind, *name ? " " : "", name);

        return !key || json_object_set_new(c->damaged, key, json_text(reason)) < 0 ? error_oom(reterr) : 0;
}

static bool is_damaged(const Check *c, const char *kind, const char *hex) {
        char key[DIGEST_HEX_LENGTH + 16];

        (void) snprintf(key, sizeof(key), "%s %.64s", kind, hex);
        return json_object_get(c->damaged, key);
}

static int add_need(json_t *needs, const char *hex, const char *who, Error *reterr) {
        json_t *list = json_object_get(needs, hex);

        if (!list && json_object_set_new(needs, hex, list = json_array()) < 0)
                return error_oom(reterr);
        return json_array_append_new(list, json_text(who)) < 0 ? error_oom(reterr) : 0;
}

/* Each name of a directory. */
static int for_each(const Store *store, const char *path, int (*function)(Check *c, int dir_fd, const char *name, Error *reterr), Check *c,
                    Error *reterr) {
        _cleanup_fd_ int fd = openat(store->data_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        int r = 0;

        if (!dir)
                return errno == ENOENT ? 0 : error_set_errno(reterr, -errno, "cannot read the directory '%s'", path);
        (void) TAKE_FD(fd);
        for (struct dirent *e; r >= 0 && (e = readdir(dir));)
                if (digest_hex_is_valid(e->d_name))
                        r = function(c, dirfd(dir), e->d_name, reterr);
        (void) closedir(dir);
        return r;
}

static int check_blob(Check *c, int dir_fd, const char *name, Error *reterr) {
        _cleanup_free_ char *data = NULL;
        char digest[DIGEST_LENGTH + 1];
        size_t size;
        int r = file_read(dir_fd, name, BLOB_LIMIT, &data, &size);

        if (r == -ENOENT)
                return 0; /* removed meanwhile */
        if (r < 0)
                return note(c, "blob", name, strerror(-r), reterr);
        if (sha256_buffer(data, size, digest) < 0)
                return error_oom(reterr);
        return str_equal(digest_hex(digest), name) ? 0 : note(c, "blob", name, "its contents have changed", reterr);
}

static int check_layer(Check *c, _unused_ int dir_fd, const char *name, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        LayerState state;
        int r = layer_check(c->store, &c->map, name, c->o->quick ? LAYER_CHECK_QUICK : 0, &state, &error);

        c->unknown += state.unknown;
        if (r == -ENOENT)
                return 0;
        if (r < 0 && r != -EBADMSG)
                return error_move(reterr, &error);
        if (r < 0 && state.contents && json_object_set_new(c->mendable, name, json_integer((json_int_t) state.size)) < 0)
                return error_oom(reterr);
        return r < 0 ? note(c, "layer", name, error.message ?: "damaged", reterr) : 0;
}

/* index.json, oci-layout and names.json as bytes. */
static int check_index(Check *c, json_t **ret, Error *reterr) {
        _cleanup_free_ char *text = NULL, *again = NULL, *layout = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        size_t size;
        int r = file_read(c->store->data_fd, "images/oci-layout", 4096, &layout, &size);

        if (r != -ENOENT && (r < 0 || !str_equal(layout, LAYOUT_TEXT)) && note(c, "oci-layout", "", "it has changed", reterr) < 0)
                return -ENOMEM;
        r = names_history_check(c->store);
        if (r < 0 && note(c, "names", "", r == -EBADMSG ? "it has changed" : strerror(-r), reterr) < 0)
                return -ENOMEM;
        r = layout_load(c->store, ret, &error);
        if (r == -ENOMEM)
                return error_move(reterr, &error);
        if (r < 0)
                return note(c, "index", "", error.message ?: "it cannot be read", reterr);
        r = file_read(c->store->data_fd, "images/index.json", LAYOUT_INDEX_LIMIT, &text, &size);
        if (r == -ENOENT)
                return 0;
        again = json_dumps(*ret, JSON_COMPACT);
        if (!again)
                return error_oom(reterr);
        bool same = r >= 0 && strlen(again) + 1 == size && memcmp(again, text, size - 1) == 0 && text[size - 1] == '\n';
        if (!json_object_get(*ret, "checkSum")) /* written by an older version, or by another program */
                return 0;
        return same && json_seal_check(*ret) > 0 ? 0 : note(c, "index", "", "it has changed", reterr);
}

/* A blob that is not there, or that is, and is needed by an image. */
static int need_blob(Check *c, const char *digest, const char *who, Error *reterr) {
        char path[32 + DIGEST_HEX_LENGTH];

        (void) snprintf(path, sizeof(path), "images/blobs/sha256/%s", digest_hex(digest));
        if (faccessat(c->store->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && note(c, "blob", digest_hex(digest), "it is missing", reterr) < 0)
                return -ENOMEM;
        return add_need(c->needed_blobs, digest_hex(digest), who, reterr);
}

static int need_layer(Check *c, const char *diff_id, const char *who, Error *reterr) {
        char path[IMAGE_LAYER_PATH_SIZE];

        if (!digest_is_valid(diff_id))
                return 0;
        image_layer_path(diff_id, path);
        if (faccessat(c->store->data_fd, path, F_OK, AT_SYMLINK_NOFOLLOW) < 0 && !is_damaged(c, "layer", digest_hex(diff_id)) &&
            note(c, "layer", digest_hex(diff_id), "it is missing", reterr) < 0)
                return -ENOMEM;
        return add_need(c->needed_layers, digest_hex(diff_id), who, reterr);
}

static int need_image(Check *c, const json_t *entry, Error *reterr);

/* A manifest list needs those of its images that are here. */
static int need_list(Check *c, const char *digest, const char *who, Error *reterr) {
        _cleanup_json_ json_t *document = NULL;
        const json_t *entry;
        size_t i;

        int r = need_blob(c, digest, who, reterr);
        if (r < 0 || is_damaged(c, "blob", digest_hex(digest)))
                return r;
        if (list_read(c->store, digest, &document, /* reterr= */ NULL) < 0)
                return note(c, "blob", digest_hex(digest), "it is no manifest list", reterr);
        json_array_foreach(list_entries(document), i, entry) {
                r = list_has_blob(c->store, layout_entry_digest(entry)) ? need_image(c, entry, reterr) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What one image needs, as far as its manifest and config can be believed. */
static int need_image(Check *c, const json_t *entry, Error *reterr) {
        const char *digest = layout_entry_digest(entry), *index_digest = layout_entry_index_digest(entry);
        _cleanup_free_ char *who = str_format("image %.12s%s%s", digest_hex(digest), layout_entry_name(entry) ? " " : "",
                                              layout_entry_name(entry) ?: "");
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_json_ json_t *config = NULL;
        const json_t *diff_id;
        size_t i;

        if (!who)
                return error_oom(reterr);
        if (list_entry_is_list(entry))
                return need_list(c, digest, who, reterr);
        int r = need_blob(c, digest, who, reterr);
        if (r >= 0 && index_digest)
                r = need_blob(c, index_digest, who, reterr);
        if (r < 0 || is_damaged(c, "blob", digest_hex(digest)))
                return r;
        if (layout_read_manifest(c->store, digest, &manifest, /* reterr= */ NULL) < 0)
                return note(c, "blob", digest_hex(digest), "it is no manifest", reterr);
        r = need_blob(c, manifest.config.digest, who, reterr);
        if (r < 0 || is_damaged(c, "blob", digest_hex(manifest.config.digest)))
                return r;
        if (layout_read_blob(c->store, manifest.config.digest, &config, /* reterr= */ NULL) < 0)
                return note(c, "blob", digest_hex(manifest.config.digest), "it is no image config", reterr);
        json_array_foreach(json_object_get(json_object_get(config, "rootfs"), "diff_ids"), i, diff_id) {
                r = need_layer(c, json_string_value(diff_id), who, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int need_containers(Check *c, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int r = container_list(c->store, &ids, reterr);

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_ Container container = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                _cleanup_free_ char *who = NULL;

                r = container_load(c->store, *id, &container, &error);
                if (r == -ENOENT)
                        r = 0;
                else if (r < 0)
                        r = note(c, "container", *id, error.message ?: "its record cannot be read", reterr);
                else if (!(who = str_format("container %.12s %s", *id, container.config.name)))
                        r = error_oom(reterr);
                for (char **layer = who ? container.config.layers : NULL; r >= 0 && layer && *layer; layer++) {
                        r = need_layer(c, *layer, who, reterr);
                        if (r >= 0)
                                r = add_need(c->containers, digest_hex(*layer), *id, reterr);
                }
        }
        return r;
}

static int look_for_old(Check *c, int dir_fd, const char *name, Error *reterr) {
        int64_t limit = (int64_t) (c->o->max_usec / 1000000);
        struct stat st;

        if (json_object_get(c->needed_layers, name) || is_damaged(c, "layer", name) || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
            (int64_t) time(NULL) - (int64_t) st.st_mtim.tv_sec < limit)
                return 0;
        return json_object_set_new(c->old_layers, name, json_true()) < 0 ? error_oom(reterr) : 0;
}

static void print_needs(const json_t *list) {
        const json_t *who;
        size_t i;

        json_array_foreach(list, i, who)
                printf("\tneeded by %s\n", json_string_value(who));
}

static void print_damage(const Check *c) {
        const char *key;
        json_t *reason;

        json_object_foreach(c->damaged, key, reason) {
                const char *layer = str_after(key, "layer "), *blob = str_after(key, "blob ");

                printf("Damaged %s: %s\n", key, json_string_value(reason));
                print_needs(layer ? json_object_get(c->needed_layers, layer) : blob ? json_object_get(c->needed_blobs, blob) : NULL);
        }
        json_object_foreach(c->old_layers, key, reason)
                printf("Unused layer %s\n", key);
        if (c->unknown > 0)
                log_warning("%zu layers have no record, so their files could not be checked: save cannot write them, either", c->unknown);
}

/* ---- repair ---- */

static int mend_layer(const Check *c, const char *hex, uint64_t size, Error *reterr) {
        _cleanup_free_ char *path = str_format("layers/%s", hex), *diff_id = str_format("sha256:%s", hex);
        _cleanup_fd_ int fd = path ? openat(c->store->data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -EBADF;
        _cleanup_json_ json_t *record = json_pack("{s:i, s:s, s:I, s:s, s:I, s:I, s:b}", "version", 1, "diffID", diff_id ?: "", "size",
                                                  (json_int_t) size, "digest", diff_id ?: "", "compressedSize", (json_int_t) size, "created",
                                                  (json_int_t) time(NULL), "exact", 1);

        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open the layer '%s'", hex);
        if (!record || json_seal(record) < 0)
                return error_oom(reterr);
        return json_write(fd, "layer.json", record, 0600, FILE_DURABLE, reterr);
}

static int move_away(const Stage *stage, const char *directory, const char *hex, Error *reterr) {
        _cleanup_free_ char *path = str_format("%s/%s", directory, hex);

        if (!path)
                return error_oom(reterr);
        if (renameat(stage->store->data_fd, path, stage->fd, hex) < 0 && errno != ENOENT)
                return error_set_errno(reterr, -errno, "cannot remove '%s'", path);
        return 0;
}

/* Whether the image needs something that is damaged and cannot be mended. */
static bool image_is_lost(const Check *c, const json_t *entry) {
        _cleanup_json_ json_t *config = NULL, *document = NULL;
        _cleanup_manifest_ Manifest manifest = {};
        const json_t *diff_id;
        size_t i;

        /* of a manifest list whose images are damaged the others stay */
        if (list_entry_is_list(entry))
                return is_damaged(c, "blob", digest_hex(layout_entry_digest(entry))) ||
                       list_read(c->store, layout_entry_digest(entry), &document, /* reterr= */ NULL) < 0;
        if (is_damaged(c, "blob", digest_hex(layout_entry_digest(entry))) ||
            layout_read_manifest(c->store, layout_entry_digest(entry), &manifest, /* reterr= */ NULL) < 0 ||
            is_damaged(c, "blob", digest_hex(manifest.config.digest)) ||
            layout_read_blob(c->store, manifest.config.digest, &config, /* reterr= */ NULL) < 0)
                return true;
        json_array_foreach(json_object_get(json_object_get(config, "rootfs"), "diff_ids"), i, diff_id) {
                const char *text = json_string_value(diff_id);

                if (!digest_is_valid(text) || (is_damaged(c, "layer", digest_hex(text)) && !json_object_get(c->mendable, digest_hex(text))))
                        return true;
        }
        return false;
}

/* The list of images again from the manifests that are there, where it could not be read. Their names are lost. */
static int rebuild_index(const Check *c, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *index = json_pack("{s:i, s:s, s:[]}", "schemaVersion", 2, "mediaType", MEDIA_TYPE_OCI_INDEX, "manifests");
        _cleanup_fd_ int fd = openat(c->store->data_fd, "images/blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        int r = index ? 0 : error_oom(reterr);

        if (dir)
                (void) TAKE_FD(fd);
        for (struct dirent *e; dir && r >= 0 && (e = readdir(dir));) {
                _cleanup_manifest_ Manifest manifest = {};
                _cleanup_json_ json_t *document = NULL;
                char digest[DIGEST_LENGTH + 1];
                struct stat st;

                if (!digest_hex_is_valid(e->d_name) || is_damaged(c, "blob", e->d_name))
                        continue;
                (void) snprintf(digest, sizeof(digest), "sha256:%.64s", e->d_name);
                if (fstatat(dirfd(dir), e->d_name, &st, 0) < 0)
                        continue;
                if (list_read(c->store, digest, &document, /* reterr= */ NULL) >= 0)
                        r = layout_add(index, digest, st.st_size, MEDIA_TYPE_OCI_INDEX, /* name= */ NULL, reterr);
                else if (layout_read_manifest(c->store, digest, &manifest, /* reterr= */ NULL) >= 0)
                        r = layout_add(index, digest, st.st_size, manifest.media_type ?: MEDIA_TYPE_OCI_MANIFEST, /* name= */ NULL, reterr);
        }
        if (dir)
                (void) closedir(dir);
        if (r >= 0)
                *ret = TAKE_PTR(index);
        return r;
}

/* Takes the lost images out of the list, under the lock; what is damaged then follows, unless a container needs it. */
static int repair_images(const Check *c, const Stage *stage, Error *reterr) {
        _cleanup_json_ json_t *index = NULL;
        _cleanup_fd_ int lock = layout_lock(c->store, reterr), images = lock < 0 ? lock : layout_open(c->store, reterr);

        if (images < 0)
                return images;
        if (json_object_get(c->damaged, "oci-layout") &&
            file_write_atomic(images, "oci-layout", LAYOUT_TEXT, strlen(LAYOUT_TEXT), 0644, FILE_DURABLE) < 0)
                return error_set(reterr, -EIO, ERROR_INTERNAL, "cannot write 'oci-layout'");
        if (json_object_get(c->damaged, "names"))
                (void) unlinkat(images, "names.json", 0); /* it begins anew */
        int r = layout_load(c->store, &index, /* reterr= */ NULL);
        if (r < 0)
                r = rebuild_index(c, &index, reterr);
        if (r < 0)
                return r;
        for (size_t i = json_array_size(layout_entries(index)); i-- > 0;) {
                const json_t *entry = json_array_get(layout_entries(index), i);

                if (!image_is_lost(c, entry))
                        continue;
                printf("Removed image %.12s %s\n", digest_hex(layout_entry_digest(entry)), layout_entry_name(entry) ?: "<none>");
                (void) json_array_remove(layout_entries(index), i);
        }
        r = layout_save(images, index, reterr);
        if (r < 0)
                return r;
        const char *key;
        json_t *value;
        json_object_foreach(c->damaged, key, value) {
                const char *layer = str_after(key, "layer "), *blob = str_after(key, "blob ");
                json_t *size = layer ? json_object_get(c->mendable, layer) : NULL;

                if (size)
                        r = mend_layer(c, layer, (uint64_t) json_integer_value(size), reterr);
                else if (layer && !json_object_get(c->containers, layer))
                        r = move_away(stage, "layers", layer, reterr);
                else if (blob)
                        r = move_away(stage, "images/blobs/sha256", blob, reterr);
                if (r < 0)
                        return r;
        }
        json_object_foreach(c->old_layers, key, value) {
                r = move_away(stage, "layers", key, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* What no repair of images can mend: containers on damaged layers, and damaged records. */
static size_t count_left(const Check *c, FILE *users) {
        const char *key;
        size_t left = 0;
        json_t *value;

        json_object_foreach(c->damaged, key, value) {
                const char *layer = str_after(key, "layer ");
                json_t *list = layer && !json_object_get(c->mendable, layer) ? json_object_get(c->containers, layer) : NULL, *id;
                size_t i;

                left += list || str_after(key, "container ");
                json_array_foreach(list, i, id)
                        if (users)
                                (void) fprintf(users, "%s\n", json_string_value(id));
        }
        return left;
}

static int repair(Check *c, size_t *ret_left, Error *reterr) {
        _cleanup_stage_ Stage stage = STAGE_NULL;
        FILE *users = NULL;

        int r = stage_open(c->store, &stage, reterr); /* which collects what killed commands left */
        if (r >= 0 && (json_object_size(c->damaged) > 0 || json_object_size(c->old_layers) > 0))
                r = repair_images(c, &stage, reterr);
        if (r < 0)
                return r;
        if (c->o->users_file) {
                users = fopen(c->o->users_file, "we");
                if (!users)
                        return error_set_errno(reterr, -errno, "cannot write '%s'", c->o->users_file);
        }
        *ret_left = count_left(c, users);
        if (users && fclose(users) != 0)
                return error_set_errno(reterr, -errno, "cannot write '%s'", c->o->users_file);
        return 0;
}

static int look(Check *c, Error *reterr) {
        _cleanup_json_ json_t *index = NULL;
        const json_t *entry;
        size_t i;
        int r = check_index(c, &index, reterr);

        if (r >= 0)
                r = for_each(c->store, "images/blobs/sha256", check_blob, c, reterr);
        if (r >= 0)
                r = for_each(c->store, "layers", check_layer, c, reterr);
        json_array_foreach(layout_entries(index), i, entry)
                if (r >= 0)
                        r = need_image(c, entry, reterr);
        if (r >= 0)
                r = need_containers(c, reterr);
        return r < 0 ? r : for_each(c->store, "layers", look_for_old, c, reterr);
}

int check_run(const Store *store, const CheckOptions *options, size_t *ret_left, Error *reterr) {
        _cleanup_(check_done) Check c = { .store = store, .o = options, .damaged = json_object(), .mendable = json_object(),
                                          .needed_layers = json_object(), .needed_blobs = json_object(), .old_layers = json_object(),
                                          .containers = json_object() };

        if (!c.damaged || !c.mendable || !c.needed_layers || !c.needed_blobs || !c.old_layers || !c.containers)
                return error_oom(reterr);
        int r = user_map_default(&c.map, reterr);
        if (r >= 0)
                r = look(&c, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot check '%s'", store->data_path);
        print_damage(&c);
        *ret_left = json_object_size(c.damaged);
        return options->repair ? repair(&c, ret_left, reterr) : 0;
}
