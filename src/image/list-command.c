/* SPDX-License-Identifier: Apache-2.0 */
/* Making and changing manifest lists; what they are made of comes from the store or from registries. */
#include "image/list-command.h"

#include <stdio.h>

#include "base/str.h"
#include "image/list-edit.h"
#include "image/list-source.h"

static int print_id(const ListEdit *edit, Error *reterr) {
        (void) puts(list_id(edit->document));
        return fflush(stdout) < 0 ? error_set_errno(reterr, -errno, "cannot write to the standard output") : 0;
}

static int set_string(json_t *object, const char *key, const char *value) {
        return value ? json_object_set_new(object, key, json_string(value)) : 0;
}

static int set_strings(json_t *object, const char *key, char *const *values) {
        return values ? json_object_set_new(object, key, json_from_strv(values)) : 0;
}

/* The entry as the options want it. */
static int apply_options(json_t *entry, const ListOptions *o, Error *reterr) {
        json_t *platform = json_object_get(entry, "platform"), *annotations = json_object_get(entry, "annotations");

        if (!platform && json_object_set_new(entry, "platform", platform = json_object()) < 0)
                return error_oom(reterr);
        if (set_string(platform, "architecture", o->architecture) < 0 || set_string(platform, "os", o->os) < 0 ||
            set_string(platform, "variant", o->variant) < 0 || set_string(platform, "os.version", o->os_version) < 0 ||
            set_strings(platform, "features", o->features) < 0 || set_strings(platform, "os.features", o->os_features) < 0)
                return error_oom(reterr);
        if (!o->annotations)
                return 0;
        if (!annotations && json_object_set_new(entry, "annotations", annotations = json_object()) < 0)
                return error_oom(reterr);
        for (char **a = o->annotations; *a; a++) {
                char *value = strchr(*a, '=');
                _cleanup_free_ char *key = strndup(*a, (size_t) (value - *a));

                if (!key || json_object_set_new(annotations, key, json_string(value + 1)) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

/* Asks for the images before the store is locked: a registry may take its time. */
static int collect(Stage *stage, char *const *images, const RegistryOptions *registry, const ListOptions *o, json_t *ret, Error *reterr) {
        json_t *entry;
        size_t i;
        int r = 0;

        for (; *images && r >= 0; images++)
                r = list_source_entries(stage, *images, registry, o->all, ret, reterr);
        if (r < 0)
                return r;
        json_array_foreach(ret, i, entry) {
                r = apply_options(entry, o, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int put_all(ListEdit *edit, const json_t *entries, Error *reterr) {
        json_t *entry;
        size_t i;

        json_array_foreach(entries, i, entry) {
                int r = list_edit_put(edit, json_incref(entry), reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

static int change(Stage *stage, const char *name, bool create, char *const *images, const RegistryOptions *registry,
                  const ListOptions *options, Error *reterr) {
        _cleanup_list_edit_ ListEdit edit = LIST_EDIT_NULL;
        _cleanup_json_ json_t *entries = json_array();

        int r = entries ? collect(stage, images, registry, options, entries, reterr) : error_oom(reterr);
        if (r >= 0)
                r = list_edit_open(stage->store, name, create, options->amend, &edit, reterr);
        if (r >= 0)
                r = put_all(&edit, entries, reterr);
        if (r >= 0)
                r = list_edit_save(&edit, reterr);
        return r < 0 ? r : print_id(&edit, reterr);
}

int list_create(Stage *stage, const char *name, char *const *images, const RegistryOptions *registry, const ListOptions *options,
                Error *reterr) {
        return change(stage, name, /* create= */ true, images, registry, options, reterr);
}

int list_add(Stage *stage, const char *name, char *const *images, const RegistryOptions *registry, const ListOptions *options,
             Error *reterr) {
        _cleanup_list_edit_ ListEdit edit = LIST_EDIT_NULL;
        /* that there is no such list is said before a registry is asked */
        int r = list_open(stage->store, name, &edit, reterr);

        return r < 0 ? r : change(stage, name, /* create= */ false, images, registry, options, reterr);
}

/* The entry that a person's digest means. */
static int find_entry(const ListEdit *edit, const char *name, const char *digest, json_t **ret, size_t *ret_position, Error *reterr) {
        if (!digest_is_valid(digest))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%.200s': it is not a sha256 digest", digest);
        *ret = list_edit_find(edit, digest, ret_position);
        return *ret ? 0 : error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find '%s' in manifest list '%s'", digest, name);
}

int list_annotate(Stage *stage, const char *name, const char *digest, const ListOptions *options, Error *reterr) {
        _cleanup_list_edit_ ListEdit edit = LIST_EDIT_NULL;
        json_t *entry;

        int r = list_edit_open(stage->store, name, /* create= */ false, /* amend= */ false, &edit, reterr);
        if (r >= 0)
                r = find_entry(&edit, name, digest, &entry, NULL, reterr);
        if (r >= 0)
                r = apply_options(entry, options, reterr);
        if (r >= 0)
                r = list_edit_save(&edit, reterr);
        return r < 0 ? r : print_id(&edit, reterr);
}

int list_take_out(Stage *stage, const char *name, const char *digest, Error *reterr) {
        _cleanup_list_edit_ ListEdit edit = LIST_EDIT_NULL;
        json_t *entry;
        size_t position = 0;

        int r = list_edit_open(stage->store, name, /* create= */ false, /* amend= */ false, &edit, reterr);
        if (r >= 0)
                r = find_entry(&edit, name, digest, &entry, &position, reterr);
        if (r < 0)
                return r;
        (void) json_array_remove(list_entries(edit.document), position);
        r = list_edit_save(&edit, reterr);
        return r < 0 ? r : print_id(&edit, reterr);
}

static int print_document(const json_t *document, Error *reterr) {
        return json_dumpf(document, stdout, JSON_INDENT(4)) < 0 || putchar('\n') < 0 || fflush(stdout) < 0
                       ? error_set_errno(reterr, -EIO, "cannot write to the standard output")
                       : 0;
}

int list_inspect(const Store *store, const char *name, const RegistryOptions *registry, Error *reterr) {
        _cleanup_list_edit_ ListEdit edit = LIST_EDIT_NULL;
        _cleanup_json_ json_t *document = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        int r = -ENOENT;

        if (!transport_is_given(name))
                r = image_store_is_list(store, name, &error);
        if (r > 0) {
                r = list_open(store, name, &edit, reterr);
                if (r >= 0)
                        r = list_export(edit.document, MANIFEST_AS_IS, &document, reterr);
                if (r >= 0 && json_array_size(list_entries(document)) == 0) /* as Go writes it */
                        (void) json_object_set_new(document, "manifests", json_null());
        } else if (r == 0 || r == -ENOENT)
                r = list_source_document(name, registry, &document, reterr);
        else
                return error_move(reterr, &error);
        return r < 0 ? r : print_document(document, reterr);
}

/* Puts the images of a list there; `document` then says what they are there. */
static int push_images(Stage *stage, json_t *document, PushTarget *target, const RegistryOptions *registry, Error *reterr) {
        size_t i, n = json_array_size(list_entries(document));
        json_t *entry;

        json_array_foreach(list_entries(document), i, entry) {
                const char *digest = layout_entry_digest(entry);
                _cleanup_image_info_ ImageInfo image = {};
                CopyResult result;
                int r;

                if (!target->copy.quiet)
                        (void) fprintf(stderr, "Copying image %s (%zu/%zu)\n", digest, i + 1, n);
                if (list_has_blob(stage->store, digest)) {
                        r = image_store_load(stage->store, digest, &image, reterr);
                        if (r >= 0)
                                r = copy_image(stage, &image, target->target, &target->copy, NULL, /* nested= */ true, &result, reterr);
                } else
                        r = list_source_copy(entry, registry, target, &result, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "image %s", digest);
                if (json_object_set_new(entry, "mediaType", json_string(result.media_type)) < 0 ||
                    json_object_set_new(entry, "size", json_integer((json_int_t) result.size)) < 0 ||
                    json_object_set_new(entry, "digest", json_string(result.digest)) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int push_document(const json_t *document, PushTarget *target, CopyResult *ret, Error *reterr) {
        _cleanup_json_ json_t *list = NULL;
        _cleanup_free_ char *text = NULL;
        TargetManifest m = { .names = target->names };

        int r = list_export(document, target->copy.type, &list, reterr);
        if (r < 0)
                return r;
        text = json_dumps(list, JSON_COMPACT);
        if (!text || sha256_buffer(text, strlen(text), m.digest) < 0)
                return error_oom(reterr);
        copy_say(&target->copy, "Writing manifest list to image destination", NULL);
        m.bytes = text;
        m.size = strlen(text);
        m.media_type = str_equal(json_get_string(list, "mediaType"), MEDIA_TYPE_DOCKER_INDEX) ? MEDIA_TYPE_DOCKER_INDEX : MEDIA_TYPE_OCI_INDEX;
        r = target->target->ops->manifest(target->target, &m, reterr);
        if (r >= 0)
                r = push_target_finish(target, reterr);
        if (r < 0)
                return r;
        *ret = (CopyResult){ .size = m.size, .media_type = m.media_type };
        (void) stpcpy(ret->digest, m.digest);
        return 0;
}

static int remove_list(Stage *stage, const char *name, Error *reterr) {
        _cleanup_list_edit_ ListEdit edit = LIST_EDIT_NULL;
        int r = list_edit_open(stage->store, name, /* create= */ false, /* amend= */ false, &edit, reterr);

        return r < 0 ? r : list_edit_remove(&edit, reterr);
}

int list_push(Stage *stage, const char *name, const char *destination, const PushOptions *push, const ListOptions *options,
              CopyResult *ret, Error *reterr) {
        _cleanup_push_target_ PushTarget target = PUSH_TARGET_NULL;
        _cleanup_list_edit_ ListEdit edit = LIST_EDIT_NULL;
        _cleanup_transport_ Transport transport = {};

        int r = list_open(stage->store, name, &edit, reterr);
        if (r < 0)
                return r;
        r = transport_parse(destination ?: name, &transport, reterr);
        if (r >= 0 && transport.kind == TRANSPORT_DOCKER_ARCHIVE)
                r = error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "a docker-archive holds no manifest lists");
        if (r >= 0)
                r = push_target_open(stage, &transport, /* name= */ NULL, push, &target, reterr);
        if (r >= 0 && options->all)
                r = push_images(stage, edit.document, &target, &push->registry, reterr);
        if (r >= 0)
                r = push_document(edit.document, &target, ret, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot push manifest list '%s'", name);
        return options->remove ? remove_list(stage, name, reterr) : 0;
}
