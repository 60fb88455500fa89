/* SPDX-License-Identifier: Apache-2.0 */
/* Lays out --help. */
#include "oci/help.h"

#include "base/option-help.h"
#include "base/str.h"
#include "config.h"

bool verb_is_shown(const Verb *verb) {
        return verb != &verb_complete && !verb->ignores_options;
}

void help_print_main(FILE *f) {
        size_t column = 0;

        fputs("Run containers from OCI bundles, for container engines\n\n"
              "Usage:\n  sdpod-oci [options] COMMAND\n\nCommands:\n", f);
        for (const Verb *const *verb = verbs; *verb; verb++)
                column = MAX(column, strlen((*verb)->name) + 4);
        for (const Verb *const *verb = verbs; *verb; verb++) {
                if (!verb_is_shown(*verb))
                        continue;
                fprintf(f, "  %-*s", (int) column - 2, (*verb)->name);
                help_print_wrapped(f, (*verb)->summary, column);
        }
        help_print_options(f, "Options", global_options, NULL);
}

void help_print_version(FILE *f) {
        fprintf(f, "sdpod-oci version %s\nspec: 1.3.0\n+SYSTEMD +SELINUX +APPARMOR +CAP +SECCOMP +EBPF\n", SDPOD_VERSION);
}
