/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci delete: removes all that there is of a container. */
#include "oci/choose.h"
#include "oci/create.h"

typedef struct DeleteOptions {
        bool force, regex;
} DeleteOptions;

static const Option rows[] = {
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(DeleteOptions, force), .help = "Kill it first where it runs" },
        { "regex", 'r', .kind = OPTION_BOOL, .offset = offsetof(DeleteOptions, regex),
          .help = "All containers whose ID matches: ID is a regular expression" },
        {},
};
static const Option *const options[] = { rows, NULL };

static int delete_one(OciContainer *c, const void *data, Error *reterr) {
        const DeleteOptions *o = data;
        OciStatus status = oci_container_status(c);

        if (!o->force && status != OCI_STOPPED && status != OCI_CREATED)
                return error_set(reterr, -EBUSY, ERROR_STATE, "cannot delete container '%s' that is not stopped: %s", c->id,
                                 oci_status_to_string(status));
        return oci_unmake(c, reterr);
}

static int run(Invocation *in, Error *reterr) {
        const DeleteOptions *o = in->options;
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;

        if (o->regex)
                return oci_each_matching(&in->global, in->arguments[0], delete_one, /* lock= */ true, o, reterr);
        int r = oci_container_find(&in->global, in->arguments[0], /* lock= */ true, &root, &c, reterr);
        if (r == -ENOENT && o->force)
                return 0;
        return r < 0 ? r : delete_one(&c, o, reterr);
}

const Verb verb_delete = {
        .name = "delete",
        .arguments = "ID",
        .summary = "Remove a container that has stopped or was never started",
        .options = options,
        .options_size = sizeof(DeleteOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .run = run,
};
