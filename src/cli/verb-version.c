/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod version: the program's version and what it was built for. */
#include "base/json.h"
#include "base/str.h"
#include "cli/format.h"
#include "cli/verbs.h"
#include "cli/version-json.h"
#include "config.h"
#include "spec/descriptor.h"

typedef struct VersionOptions {
        char *format;
} VersionOptions;

static const Option rows[] = {
        { "format", 'f', .kind = OPTION_STRING, .offset = offsetof(VersionOptions, format), .metavar = "TEMPLATE",
          .help = "Print by a Go template, or json" },
        {},
};
static const Option *const options[] = { rows, NULL };

json_t *version_to_json(void) {
        _cleanup_free_ char *platform = str_format("linux/%s", platform_host_architecture());

        return json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:s}", "APIVersion", SDPOD_VERSION, "Version",
                         SDPOD_VERSION, "GoVersion", "", "GitCommit", "", "BuiltTime", "", "Built", 0, "OsArch",
                         platform ?: "linux", "Os", "linux");
}

/* There is no server; scripts that ask for its version get that of the program, as from Podman. */
static const char *const aliases[] = { "Server", "Client", NULL };
static const TemplateTypes types = { .aliases = aliases };

static int run(Invocation *in, Error *reterr) {
        const char *format = ((VersionOptions *) in->options)->format;
        _cleanup_json_ json_t *object = json_pack("{s:o}", "Client", version_to_json());
        _cleanup_json_ json_t *array = json_pack("[O]", object);

        if (!array)
                return error_oom(reterr);
        if (format)
                return format_is_json(format) ? format_json(object, 2, stdout, reterr)
                                              : format_objects(format, &types, array, stdout, reterr);
        printf("Client:       sdpod\n"
               "Version:      %s\n"
               "OS/Arch:      linux/%s\n",
               SDPOD_VERSION, platform_host_architecture());
        return 0;
}

const Verb verb_version = {
        .summary = "Print the version",
        .options = options,
        .options_size = sizeof(VersionOptions),
        .run = run,
};
