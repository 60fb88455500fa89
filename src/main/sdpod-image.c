/* SPDX-License-Identifier: Apache-2.0 */
/* The program that reads a stranger's bytes, see src/image/README.md and src/content/README.md for its command line. */
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "content/command.h"
#include "image/command.h"
#include "ns/pinned.h"
#include "ns/userns.h"
#include "registry/command.h"

/* The first word that is neither an option nor the value of one of those that stand before every command. */
static const char *command_of(int argc, char **argv) {
        static const char *const with_value[] = { "--root", "--runroot", "--log-level" };

        for (int i = 1; i < argc; i++) {
                if (argv[i][0] != '-')
                        return argv[i];
                for (size_t k = 0; k < sizeof(with_value) / sizeof(*with_value); k++)
                        if (strcmp(argv[i], with_value[k]) == 0) {
                                i++;
                                break;
                        }
        }
        return "";
}

/* What sdpod has from the monitor for it (cli/image-exec.c). */
static void take_userns(void) {
        const char *text = getenv("SDPOD_USERNS_FD");
        uint64_t fd;

        if (text && parse_u64(text, &fd) >= 0 && fd <= INT_MAX && userns_pin_check((int) fd, geteuid()) >= 0) {
                (void) fcntl((int) fd, F_SETFD, FD_CLOEXEC);
                userns_set_outer((int) fd);
        }
        (void) unsetenv("SDPOD_USERNS_FD");
}

int main(int argc, char **argv) {
        const char *command = command_of(argc, argv);

        /* manifests and their like go back to the system when they are freed, however many came before (mallopt(3)) */
        (void) mallopt(M_MMAP_THRESHOLD, 256 * 1024);
        take_userns();
        if (registry_command_is_known(command))
                return registry_command(argc, argv, command);
        return content_command_is(command) ? content_command(argc, argv) : image_command(argc, argv);
}
