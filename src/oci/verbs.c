/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs. */
#include "base/str.h"
#include "oci/verb.h"

const Verb *const verbs[] = {
        &verb_complete,
        &verb_checkpoint,
        &verb_create,
        &verb_delete,
        &verb_events,
        &verb_exec,
        &verb_features,
        &verb_kill,
        &verb_list,
        &verb_pause,
        &verb_ps,
        &verb_restore,
        &verb_resume,
        &verb_run,
        &verb_spec,
        &verb_start,
        &verb_state,
        &verb_update,
        NULL,
};

const Verb *verb_find(const char *name) {
        for (const Verb *const *verb = verbs; *verb; verb++)
                if (str_equal((*verb)->name, name))
                        return *verb;
        return NULL;
}
