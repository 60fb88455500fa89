/* SPDX-License-Identifier: Apache-2.0 */
/* Giving images names, and taking them away. */
#include <string.h>

#include "base/str.h"
#include "image/list.h"
#include "spec/digest.h"
#include "spec/reference.h"
#include "state/events.h"

/* Tells of an image by its manifest: the ID is the config's. */
static void note_event(const Store *store, const char *status, const char *digest, const char *name) {
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_error_ Error ignored = ERROR_NULL;

        if (layout_read_manifest(store, digest, &manifest, &ignored) >= 0)
                event_named(store, "image", status, digest_hex(manifest.config.digest), name);
}

int image_store_tag(const Store *store, const char *reference, const char *name, Error *reterr) {
        _cleanup_layout_edit_ LayoutEdit edit = LAYOUT_EDIT_NULL;
        _cleanup_free_ char *full = NULL;
        const json_t *entry;
        bool by_name;

        int r = reference_normalise_local(name, &full, reterr);
        if (r >= 0)
                r = layout_edit_open(store, &edit, reterr);
        if (r >= 0)
                r = image_store_find(store, edit.index, reference, &entry, &by_name, reterr);
        if (r < 0)
                return r;

        _cleanup_free_ char *digest = strdup(layout_entry_digest(entry)),
                            *type = strdup(json_get_string(entry, "mediaType") ?: MEDIA_TYPE_OCI_MANIFEST);
        if (!digest || !type)
                return error_oom(reterr);
        r = layout_add(edit.index, digest, json_get_integer(entry, "size", 0), type, full, reterr);
        if (r >= 0)
                r = layout_edit_save(&edit, reterr);
        if (r >= 0)
                note_event(store, "tag", digest, full);
        return r;
}

int image_store_untag(const Store *store, const char *reference, char *const *names, Error *reterr) {
        _cleanup_layout_edit_ LayoutEdit edit = LAYOUT_EDIT_NULL;
        const json_t *entry;
        bool by_name;

        int r = layout_edit_open(store, &edit, reterr);
        if (r >= 0)
                r = image_store_find(store, edit.index, reference, &entry, &by_name, reterr);
        if (r < 0)
                return r;

        int64_t size = json_get_integer(entry, "size", 0);
        _cleanup_free_ char *digest = strdup(layout_entry_digest(entry)),
                            *type = strdup(json_get_string(entry, "mediaType") ?: MEDIA_TYPE_OCI_MANIFEST);
        if (!digest || !type)
                return error_oom(reterr);
        if (!names || !*names)
                (void) layout_remove(edit.index, digest, /* name= */ NULL);
        for (; names && *names; names++) {
                _cleanup_free_ char *full = NULL;

                r = reference_normalise_local(*names, &full, reterr);
                if (r < 0)
                        return r;
                entry = layout_find_name(edit.index, full);
                if (!entry || !str_equal(layout_entry_digest(entry), digest))
                        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot untag '%s': image '%s' has no such name", *names,
                                         reference);
                (void) layout_remove(edit.index, digest, full);
        }
        r = layout_add(edit.index, digest, size, type, /* name= */ NULL, reterr);
        if (r >= 0)
                r = layout_edit_save(&edit, reterr);
        if (r >= 0)
                note_event(store, "untag", digest, reference);
        return r;
}
