/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod attach: joins the output and input of a container that runs in the background. */
#include "cli/container-choose.h"
#include "cli/detach-keys.h"
#include "cli/verbs.h"
#include "engine/attach.h"

typedef struct AttachVerbOptions {
        char *detach_keys;
        bool latest, no_stdin, sig_proxy;
} AttachVerbOptions;

static const AttachVerbOptions defaults = { .sig_proxy = true };

#define FIELD(member) offsetof(AttachVerbOptions, member)
static const Option rows[] = {
        { "detach-keys", .kind = OPTION_STRING, .offset = FIELD(detach_keys), .metavar = "KEYS",
          .help = "Type these to leave it running (default ctrl-p,ctrl-q)" },
        { "latest", 'l', .kind = OPTION_BOOL, .offset = FIELD(latest), .help = "Take the container made last" },
        { "no-stdin", .kind = OPTION_BOOL, .offset = FIELD(no_stdin), .help = "Do not pass our standard input" },
        { "sig-proxy", .kind = OPTION_BOOL, .offset = FIELD(sig_proxy), .help = "Pass signals on (default true)" },
        {},
};
static const Option *const tables[] = { rows, NULL };

static int run(Invocation *in, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        const AttachVerbOptions *o = in->options;
        char keys[DETACH_KEYS_MAX];
        const Store *store;
        int exit_code;

        int r = detach_keys_parse(o->detach_keys, keys, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_choose_one(store, in->n_arguments > 0 ? in->arguments[0] : NULL, o->latest, &container, reterr);
        if (r < 0)
                return r;
        const AttachOptions options = { .open_stdin = !o->no_stdin, .sig_proxy = o->sig_proxy, .detach_keys = keys };
        return engine_attach(store, &container, &options, &exit_code, reterr); /* 0 whatever the exit code is, as in Podman */
}

const Verb verb_attach = {
        .arguments = "CONTAINER",
        .summary = "Join the output and input of a running container",
        .options = tables,
        .options_size = sizeof(AttachVerbOptions),
        .options_default = &defaults,
        .arguments_max = 1,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};
