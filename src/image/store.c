/* SPDX-License-Identifier: Apache-2.0 */
/* From a person's word to an image that is here. */
#include "image/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "image/layout.h"
#include "image/list.h"
#include "spec/digest.h"
#include "spec/reference.h"

void image_info_done(ImageInfo *info) {
        free(info->name);
        strv_free(info->names);
        free(info->id);
        free(info->digest);
        strv_free(info->digests);
        strv_free(info->repo_digests);
        free(info->manifest_type);
        strv_free(info->annotations);
        strv_free(info->layers);
        image_config_done(&info->config);
        *info = (ImageInfo){};
}

void image_info_free_many(ImageInfo *infos, size_t n) {
        for (size_t i = 0; i < n; i++)
                image_info_done(infos + i);
        free(infos);
}

void image_layer_path(const char *diff_id, char ret[static IMAGE_LAYER_PATH_SIZE]) {
        (void) snprintf(ret, IMAGE_LAYER_PATH_SIZE, "layers/%s/diff", digest_hex(diff_id));
}

/* An entry of the index, and what entries are looked up by. */
typedef struct Entry {
        const char *digest;
        const json_t *json;
        size_t place;
} Entry;

/* All entries, by their digests, and those of one digest by their places: a list of many images would otherwise go through
 * all of them for each. */
typedef struct Entries {
        Entry *items;
        size_t n;
} Entries;

static void entries_done(Entries *entries) {
        free(entries->items);
        *entries = (Entries){};
}

static int by_digest(const void *a, const void *b) {
        const Entry *x = a, *y = b;
        int order = strcmp(x->digest, y->digest);

        return order != 0 ? order : x->place < y->place ? -1 : x->place > y->place;
}

/* Those with this digest; NULL: all. */
static int entries_load(const json_t *index, const char *digest, Entries *ret, Error *reterr) {
        const json_t *entry;
        size_t i;

        ret->items = calloc(json_array_size(layout_entries(index)) + 1, sizeof(Entry));
        if (!ret->items)
                return error_oom(reterr);
        json_array_foreach(layout_entries(index), i, entry) {
                const char *own = layout_entry_digest(entry);

                if (!digest || str_equal(own, digest))
                        ret->items[ret->n++] = (Entry){ own, entry, i };
        }
        if (!digest)
                qsort(ret->items, ret->n, sizeof(Entry), by_digest);
        return 0;
}

/* Those with this digest, borrowed. */
static Entries entries_of(const Entries *entries, const char *digest) {
        size_t from = 0, to = entries->n;

        while (from < to) {
                size_t middle = from + (to - from) / 2;

                if (strcmp(entries->items[middle].digest, digest) < 0)
                        from = middle + 1;
                else
                        to = middle;
        }
        while (to < entries->n && str_equal(entries->items[to].digest, digest))
                to++;
        return (Entries){ entries->items + from, to - from };
}

/* When the image came here: for one whose config does not say when it was made. */
static int64_t arrival_usec(const Store *store, const char *digest) {
        char path[32 + DIGEST_HEX_LENGTH];
        struct stat st;

        (void) snprintf(path, sizeof(path), "images/blobs/sha256/%s", digest_hex(digest));
        return fstatat(store->data_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0 ? 0 : (int64_t) st.st_mtime * 1000000;
}

char *image_name_repository(const char *name) {
        const char *end = strchr(name, '@') ?: strrchr(name, ':'); /* stored names have one of them */

        return end ? strndup(name, (size_t) (end - name)) : strdup(name);
}

static int add_repo_digest(char ***digests, const char *repository, const char *digest) {
        _cleanup_free_ char *text = str_format("%s@%s", repository, digest);

        if (!text)
                return -ENOMEM;
        return strv_contains(*digests, text) ? 0 : strv_append(digests, text);
}

/* An index's digest holds in each repository of its image: the names of one image may have come in different ways. */
static int load_repo_digests(const Entries *entries, ImageInfo *info) {
        for (char **name = info->names; name && *name; name++) {
                _cleanup_free_ char *repository = image_name_repository(*name);

                if (!repository || add_repo_digest(&info->repo_digests, repository, info->digest) < 0)
                        return -ENOMEM;
                for (size_t i = 0; i < entries->n; i++) {
                        const char *from = layout_entry_index_digest(entries->items[i].json);

                        if (from && add_repo_digest(&info->repo_digests, repository, from) < 0)
                                return -ENOMEM;
                }
        }
        return 0;
}

/* Fills the info of the image with this manifest; `entries` are those that name it, and may be none. */
static int load_image(const Store *store, const char *digest, const Entries *entries, ImageInfo *ret, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = {};
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_json_ json_t *config = NULL;

        int r = layout_read_manifest(store, digest, &manifest, reterr);
        if (r >= 0)
                r = layout_read_blob(store, manifest.config.digest, &config, reterr);
        if (r >= 0)
                r = image_config_load(config, &info.config, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot read image '%s'", digest);

        for (size_t i = 0; i < entries->n; i++) {
                const char *name = layout_entry_name(entries->items[i].json);

                if (name && strv_append(&info.names, name) < 0)
                        return error_oom(reterr);
        }
        if (!info.config.created)
                info.config.created_usec = arrival_usec(store, digest);
        info.blobs_size = (uint64_t) manifest.config.size;
        if (entries->n > 0)
                info.blobs_size += (uint64_t) json_get_integer(entries->items[0].json, "size", 0);
        info.id = strdup(digest_hex(manifest.config.digest));
        info.digest = strdup(digest);
        info.layers = strv_copy(info.config.diff_ids);
        info.manifest_type = strdup(manifest.media_type ?: MEDIA_TYPE_OCI_MANIFEST);
        info.annotations = TAKE_PTR(manifest.annotations);
        if (!info.id || !info.digest || load_repo_digests(entries, &info) < 0 || !info.manifest_type || (info.config.diff_ids && !info.layers))
                return error_oom(reterr);
        *ret = info;
        info = (ImageInfo){};
        return 0;
}

/* The same from the index; of a list, its image for this machine. */
static int load_info(const Store *store, const json_t *index, const char *digest, ImageInfo *ret, Error *reterr) {
        _cleanup_(entries_done) Entries entries = {};
        _cleanup_json_ json_t *document = NULL;
        char chosen[DIGEST_LENGTH + 1];
        int r = 0;

        if (list_entry_is_list(list_find_digest(index, digest))) {
                r = list_read(store, digest, &document, reterr);
                if (r >= 0)
                        r = list_choose(store, document, chosen, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot read image '%s'", digest);
                digest = chosen;
        }
        r = entries_load(index, digest, &entries, reterr);
        return r < 0 ? r : load_image(store, digest, &entries, ret, reterr);
}

/* Whether `name` ("docker.io/library/busybox:1") ends in the wanted components ("busybox:1"). */
static bool ends_in(const char *name, const char *wanted) {
        size_t n = strlen(name), m = strlen(wanted);

        return n > m && name[n - m - 1] == '/' && str_equal(name + n - m, wanted);
}

/* Whether the repository of `name` is `repository` or, for a short name, one that it can stand for. */
static bool repository_matches(const char *name, const Reference *reference) {
        _cleanup_free_ char *repository = image_name_repository(name), *wanted = NULL;

        if (!repository)
                return false;
        if (!reference->domain)
                return ends_in(repository, reference->path);
        wanted = reference_repository(reference, /* domain= */ NULL);
        return str_equal(repository, wanted);
}

/* The image that was pulled by this digest; one whose manifest has it; one that came from an index that has it: several may have,
 * for other machines. */
static int find_by_digest(const json_t *index, const Reference *reference, const json_t **ret) {
        _cleanup_free_ char *repository = reference->domain ? reference_repository(reference, /* domain= */ NULL) : NULL;
        _cleanup_free_ char *name = repository ? str_format("%s@%s", repository, reference->digest) : NULL;
        const json_t *entry, *from_index = NULL;
        size_t i;

        *ret = name ? layout_find_name(index, name) : NULL;
        if (*ret)
                return 0;
        json_array_foreach(layout_entries(index), i, entry) {
                bool is_digest = str_equal(layout_entry_digest(entry), reference->digest);

                if ((!is_digest && !str_equal(layout_entry_index_digest(entry), reference->digest)) || !layout_entry_name(entry) ||
                    !repository_matches(layout_entry_name(entry), reference))
                        continue;
                if (is_digest) {
                        *ret = entry;
                        return 0;
                }
                from_index = from_index ?: entry;
        }
        *ret = from_index;
        return from_index ? 0 : -ENOENT;
}

/* Any stored image whose last components are the short name; two different ones are one too many. */
static int find_by_suffix(const json_t *index, const Reference *reference, const json_t **ret, Error *reterr) {
        _cleanup_free_ char *wanted = str_format("%s:%s", reference->path, reference->tag ?: "latest");
        const json_t *entry, *found = NULL;
        size_t i;

        if (!wanted)
                return error_oom(reterr);
        json_array_foreach(layout_entries(index), i, entry) {
                const char *name = layout_entry_name(entry);

                if (!name || !ends_in(name, wanted))
                        continue;
                if (found && !str_equal(layout_entry_digest(found), layout_entry_digest(entry)))
                        return error_set(reterr, -EINVAL, ERROR_INVALID,
                                         "cannot choose an image for '%s': both '%s' and '%s' are here", wanted,
                                         layout_entry_name(found), name);
                found = found ?: entry;
        }
        *ret = found;
        return found ? 0 : -ENOENT;
}

static int find_by_name(const json_t *index, const Reference *reference, const json_t **ret, Error *reterr) {
        static const char *const domains[] = { LOCAL_DOMAIN, DOCKER_DOMAIN };

        if (reference->digest)
                return find_by_digest(index, reference, ret);
        for (size_t i = 0; i < (reference->domain ? 1 : ELEMENTSOF(domains)); i++) {
                _cleanup_free_ char *full = reference_full(reference, domains[i]);

                if (!full)
                        return error_oom(reterr);
                *ret = layout_find_name(index, full);
                if (*ret)
                        return 0;
        }
        return reference->domain ? -ENOENT : find_by_suffix(index, reference, ret, reterr);
}

/* The ID of what the entry names, "sha256:..." of an image config or the hex digits of a list; owned, NULL: it is damaged. */
static char *entry_id(const Store *store, const json_t *entry) {
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_json_ json_t *document = NULL;

        if (!list_entry_is_list(entry))
                return layout_read_manifest(store, layout_entry_digest(entry), &manifest, /* reterr= */ NULL) < 0
                               ? NULL
                               : strdup(digest_hex(manifest.config.digest));
        return list_read(store, layout_entry_digest(entry), &document, /* reterr= */ NULL) < 0 ? NULL : strdup(list_id(document));
}

/* The image whose ID (or, in full, whose manifest digest) begins with `prefix`. */
static int find_by_id(const Store *store, const json_t *index, const char *prefix, const json_t **ret, Error *reterr) {
        _cleanup_free_ char *found = NULL;
        const json_t *entry;
        size_t i;

        json_array_foreach(layout_entries(index), i, entry) {
                const char *digest = layout_entry_digest(entry);

                if (str_equal(digest_hex(digest), prefix)) {
                        *ret = entry;
                        return 0;
                }
                if (found && str_equal(layout_entry_digest(*ret), digest))
                        continue;
                _cleanup_free_ char *id = entry_id(store, entry);
                if (!id || !str_after(id, prefix))
                        continue;
                if (found && !str_equal(found, id))
                        return error_set(reterr, -EINVAL, ERROR_INVALID,
                                         "cannot choose an image for '%s': more than one ID begins so", prefix);
                if (!found) {
                        *ret = entry;
                        found = TAKE_PTR(id);
                }
        }
        return found ? 0 : -ENOENT;
}

static bool is_id_prefix(const char *text) {
        size_t n = strlen(text);

        return n > 0 && n <= DIGEST_HEX_LENGTH && strspn(text, "0123456789abcdef") == n;
}

static int find(const Store *store, const json_t *index, const char *text, const json_t **ret, bool *ret_by_name, Error *reterr) {
        _cleanup_reference_ Reference reference = {};
        const char *id = digest_is_valid(text) ? digest_hex(text) : text;
        int r = -ENOENT;

        *ret_by_name = false;
        if (id == text && !digest_hex_is_valid(text)) {
                r = reference_parse(text, &reference, reterr);
                if (r < 0)
                        return r;
                r = find_by_name(index, &reference, ret, reterr);
                /* NAME@DIGEST is the image, unless the image has just that for a name */
                *ret_by_name = r >= 0 && (!reference.digest || str_equal(layout_entry_name(*ret), text));
        }
        if (r == -ENOENT && is_id_prefix(id))
                r = find_by_id(store, index, id, ret, reterr);
        if (r == -ENOENT)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find image '%s': no such image", text);
        return r;
}

int image_store_find(const Store *store, const json_t *index, const char *reference, const json_t **ret, bool *ret_by_name, Error *reterr) {
        return find(store, index, reference, ret, ret_by_name, reterr);
}

int image_store_is_list(const Store *store, const char *reference, Error *reterr) {
        _cleanup_json_ json_t *index = NULL;
        const json_t *entry;
        bool by_name;

        int r = layout_load(store, &index, reterr);
        if (r >= 0)
                r = find(store, index, reference, &entry, &by_name, reterr);
        return r < 0 ? r : list_entry_is_list(entry);
}

int image_store_load(const Store *store, const char *digest, ImageInfo *ret, Error *reterr) {
        _cleanup_json_ json_t *index = NULL;
        int r = layout_load(store, &index, reterr);

        return r < 0 ? r : load_info(store, index, digest, ret, reterr);
}

int image_store_resolve(const Store *store, const char *reference, ImageInfo *ret, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = {};
        _cleanup_json_ json_t *index = NULL;
        const json_t *entry;
        bool by_name;

        int r = layout_load(store, &index, reterr);
        if (r >= 0)
                r = find(store, index, reference, &entry, &by_name, reterr);
        if (r >= 0)
                r = load_info(store, index, layout_entry_digest(entry), &info, reterr);
        if (r < 0)
                return r;
        r = str_replace(&info.name, by_name && layout_entry_name(entry) ? layout_entry_name(entry) : info.names ? info.names[0] : NULL);
        if (r < 0)
                return error_oom(reterr);
        info.found_by_name = by_name;
        *ret = info;
        info = (ImageInfo){};
        return 0;
}

/* The names and digests of another manifest of the same image come over; one that has a name stands for it. */
static int join(ImageInfo *to, const ImageInfo *from) {
        bool first_name = !to->names && from->names;

        if ((!to->digests && strv_append(&to->digests, to->digest) < 0) || strv_append(&to->digests, from->digest) < 0 ||
            strv_extend(&to->names, from->names) < 0 || strv_extend(&to->repo_digests, from->repo_digests) < 0)
                return -ENOMEM;
        return first_name ? str_replace(&to->digest, from->digest) : 0;
}

int image_store_resolve_whole(const Store *store, const char *reference, ImageInfo *ret, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = {};
        _cleanup_json_ json_t *index = NULL;
        const json_t *entry;
        size_t i;

        int r = image_store_resolve(store, reference, &info, reterr);
        if (r >= 0)
                r = layout_load(store, &index, reterr);
        if (r < 0)
                return r;
        if (strv_append(&info.digests, info.digest) < 0)
                return error_oom(reterr);
        json_array_foreach(layout_entries(index), i, entry) {
                _cleanup_image_info_ ImageInfo other = {};
                _cleanup_manifest_ Manifest manifest = {};
                const char *digest = layout_entry_digest(entry);

                if (strv_contains(info.digests, digest) ||
                    layout_read_manifest(store, digest, &manifest, /* reterr= */ NULL) < 0 ||
                    !str_equal(digest_hex(manifest.config.digest), info.id))
                        continue;
                r = load_info(store, index, digest, &other, reterr);
                if (r < 0)
                        return r;
                if (join(&info, &other) < 0 || (!info.name && str_replace(&info.name, other.names ? other.names[0] : NULL) < 0))
                        return error_oom(reterr);
        }
        *ret = info;
        info = (ImageInfo){};
        return 0;
}

int image_layer_size(const Store *store, const char *diff_id, uint64_t *ret, Error *reterr) {
        _cleanup_json_ json_t *record = NULL;
        char path[32 + DIGEST_HEX_LENGTH];

        (void) snprintf(path, sizeof(path), "layers/%s/layer.json", digest_hex(diff_id));
        int r = json_read(store->data_fd, path, JSON_RECORD_LIMIT, &record, reterr);
        if (r == -ENOENT)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "the layer '%s' is missing", diff_id);
        if (r >= 0)
                *ret = (uint64_t) json_get_integer(record, "size", 0);
        return r;
}

int image_store_measure(const Store *store, ImageInfo *info, Error *reterr) {
        uint64_t size = info->blobs_size, one;

        for (char **layer = info->layers; layer && *layer; layer++) {
                int r = image_layer_size(store, *layer, &one, reterr);

                if (r < 0)
                        return error_prefix(reterr, r, "image '%s'", info->id);
                size += one;
        }
        info->size = size;
        return 0;
}

static int newest_first(const void *a, const void *b) {
        int64_t x = ((const ImageInfo *) a)->config.created_usec, y = ((const ImageInfo *) b)->config.created_usec;

        return x < y ? 1 : x > y ? -1 : strcmp(((const ImageInfo *) a)->id, ((const ImageInfo *) b)->id);
}

/* What is known of a manifest list. */
static int load_list_info(const Store *store, const char *digest, const Entries *entries, ImageInfo *ret, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = { .list = true };
        const json_t *entry = entries->items[0].json;
        _cleanup_json_ json_t *document = NULL;

        int r = list_read(store, digest, &document, reterr);
        if (r < 0)
                return r;
        info.id = strdup(list_id(document));
        info.digest = strdup(digest);
        info.manifest_type = strdup(json_get_string(entry, "mediaType"));
        info.blobs_size = (uint64_t) json_get_integer(entry, "size", 0);
        info.config.created_usec = arrival_usec(store, digest);
        for (size_t i = 0; i < entries->n; i++) {
                const char *name = layout_entry_name(entries->items[i].json);

                if (name && strv_append(&info.names, name) < 0)
                        return error_oom(reterr);
        }
        if (!info.id || !info.digest || !info.manifest_type)
                return error_oom(reterr);
        *ret = info;
        info = (ImageInfo){};
        return 0;
}

/* One more manifest for the list: of an image that is in it, or of a further one. A damaged one is left out with a warning. */
static int list_add(const Store *store, const char *digest, const Entries *entries, ImageInfo *infos, size_t *n, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = {};
        _cleanup_error_ Error error = ERROR_NULL;
        size_t k;

        int r = list_entry_is_list(entries->items[0].json) ? load_list_info(store, digest, entries, &info, &error)
                                                           : load_image(store, digest, entries, &info, &error);
        for (k = 0; r >= 0 && k < *n && !str_equal(infos[k].id, info.id); k++)
                ;
        if (r >= 0 && k < *n)
                return join(infos + k, &info) < 0 ? error_oom(reterr) : 0;
        if (r >= 0)
                r = image_store_measure(store, &info, &error);
        if (r == -ENOMEM)
                return error_move(reterr, &error);
        if (r < 0) {
                log_warning("%s, leaving it out", error.message);
                return 0;
        }
        infos[(*n)++] = info;
        info = (ImageInfo){};
        return 0;
}

int image_store_list(const Store *store, ImageInfo **ret, size_t *ret_n, Error *reterr) {
        _cleanup_(entries_done) Entries entries = {};
        _cleanup_json_ json_t *index = NULL;
        const json_t *entry;
        ImageInfo *infos;
        size_t i, n = 0;

        int r = layout_load(store, &index, reterr);
        if (r >= 0)
                r = entries_load(index, /* digest= */ NULL, &entries, reterr);
        if (r < 0)
                return r;
        infos = calloc(json_array_size(layout_entries(index)) + 1, sizeof(*infos));
        if (!infos)
                return error_oom(reterr);
        json_array_foreach(layout_entries(index), i, entry) {
                const char *digest = layout_entry_digest(entry);
                const Entries of_digest = entries_of(&entries, digest);

                if (of_digest.items[0].place != i)
                        continue; /* a further name of a manifest that is in the list */
                r = list_add(store, digest, &of_digest, infos, &n, reterr);
                if (r < 0)
                        break;
        }
        for (i = 0; i < n && r >= 0; i++)
                if ((infos[i].names && str_replace(&infos[i].name, infos[i].names[0]) < 0) ||
                    (!infos[i].digests && strv_append(&infos[i].digests, infos[i].digest) < 0))
                        r = error_oom(reterr);
        if (r < 0) {
                image_info_free_many(infos, n);
                return r;
        }
        qsort(infos, n, sizeof(*infos), newest_first);
        *ret = infos;
        *ret_n = n;
        return 0;
}
