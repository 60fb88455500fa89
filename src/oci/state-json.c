/* SPDX-License-Identifier: Apache-2.0 */
/* A container as `state` and `list` show it: the members of runc, of which the runtime-spec's "State" is a part. */
#include <pwd.h>
#include <stdio.h>

#include "base/str.h"
#include "base/time.h"
#include "oci/state.h"

/* By /etc/passwd alone: libraries of the name service cost more than all the rest of `state`. Owned; NULL: out of memory. */
static char *user_name(uid_t uid) {
        if (uid == 0)
                return strdup("root");
        FILE *f = fopen("/etc/passwd", "re");
        char *name = NULL;

        for (struct passwd *entry; f && !name && (entry = fgetpwent(f));)
                if (entry->pw_uid == uid)
                        name = strdup(entry->pw_name);
        if (f)
                (void) fclose(f);
        return name ?: str_format("%u", uid);
}

json_t *oci_container_json(OciContainer *container) {
        const OciRecord *record = &container->record;
        OciStatus status = oci_container_status(container);
        _cleanup_free_ char *created = time_format_rfc3339(record->created_usec), *owner = user_name(container->owner);
        bool has_process = status != OCI_STOPPED && record->pid > 0;
        _cleanup_json_ json_t *json = NULL;

        if (!created || !owner)
                return NULL;
        json = json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "ociVersion", record->oci_version ?: "1.0.0", "id", container->id, "pid",
                         has_process ? record->pid : 0, "status", oci_status_to_string(status), "bundle", record->bundle ?: "",
                         "rootfs", record->rootfs ?: "", "created", created);
        if (json && record->annotations && json_object_set_new(json, "annotations", json_from_pairs(record->annotations)) < 0)
                return NULL;
        if (!json || json_object_set_new(json, "owner", json_text(owner)) < 0)
                return NULL;
        return TAKE_PTR(json);
}
