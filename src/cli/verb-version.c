/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod version: the program's version and what it was built for. */
#include <sys/utsname.h>

#include "cli/verbs.h"
#include "config.h"

static int run(_unused_ Invocation *in, Error *reterr) {
        struct utsname name;

        if (uname(&name) < 0)
                return error_set_errno(reterr, -errno, "cannot ask for the system's name");
        printf("Client:       sdpod\n"
               "Version:      %s\n"
               "OS/Arch:      linux/%s\n",
               SDPOD_VERSION, name.machine);
        return 0;
}

const Verb verb_version = {
        .summary = "Print the version",
        .run = run,
};
