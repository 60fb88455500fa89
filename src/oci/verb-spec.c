/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci spec: a config.json to begin with. */
#include <fcntl.h>

#include "base/io.h"
#include "oci/spec-template.h"
#include "oci/verb.h"

typedef struct SpecOptions {
        char *bundle;
        bool rootless;
} SpecOptions;

static const Option rows[] = {
        { "bundle", 'b', .kind = OPTION_STRING, .offset = offsetof(SpecOptions, bundle), .metavar = "DIR",
          .help = "Directory of the bundle (default: the working directory)", .complete = COMPLETE_DIRECTORY },
        { "rootless", .kind = OPTION_BOOL, .offset = offsetof(SpecOptions, rootless), .help = "For a container of an ordinary user" },
        {},
};
static const Option *const options[] = { rows, NULL };

static int run(Invocation *in, Error *reterr) {
        const SpecOptions *o = in->options;
        const char *path = o->bundle ?: ".";
        _cleanup_fd_ int bundle = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (bundle < 0)
                return error_set_errno(reterr, -errno, "cannot open the bundle '%s'", path);
        return oci_spec_template_write(bundle, o->rootless, reterr);
}

const Verb verb_spec = {
        .name = "spec",
        .summary = "Write a config.json to begin with",
        .options = options,
        .options_size = sizeof(SpecOptions),
        .run = run,
};
