/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod pod create. */
#include <stdio.h>
#include <unistd.h>

#include "cli/pod-args.h"
#include "cli/pod-options.h"
#include "cli/quadlet.h"
#include "cli/verbs.h"
#include "engine/pod.h"

static int run(Invocation *in, Error *reterr) {
        PodOptions *o = in->options;
        const PodCreateOptions create = { .replace = o->replace, .storage_driver = in->global.storage_driver };
        _cleanup_pod_ Pod pod = POD_NULL;
        const Store *store;
        int r = pod_options_finish(o, in, environ, reterr);

        if (r >= 0 && o->print_quadlet)
                return quadlet_print_one(&(QuadletRequest){ .type = UNIT_POD, .tables = pod_option_tables, .parse = &in->parse, .environment = environ,
                                                            .arguments = in->arguments, .global = &in->global }, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0 && o->id_file && access(o->id_file, F_OK) == 0)
                return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot write --pod-id-file '%s': it is there already", o->id_file);
        if (r >= 0)
                r = engine_pod_create(store, &o->pod, o->want_infra ? &o->infra : NULL, &create, &pod, reterr);
        if (r >= 0 && o->id_file)
                r = pod_id_file_write(o->id_file, pod.config.id, reterr);
        if (r < 0)
                return r;
        puts(pod.config.id);
        return 0;
}

const Verb verb_pod_create = {
        .arguments = "[NAME]",
        .summary = "Create a pod",
        .options = pod_option_tables,
        .options_size = sizeof(PodOptions),
        .options_default = &pod_options_default,
        .options_done = pod_options_done,
        .arguments_max = 1,
        .run = run,
};
