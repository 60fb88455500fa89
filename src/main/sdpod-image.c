/* SPDX-License-Identifier: Apache-2.0 */
/* The program that reads a stranger's bytes, see src/image/README.md and src/content/README.md for its command line. */
#include <malloc.h>
#include <string.h>

#include "content/command.h"
#include "image/command.h"
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

int main(int argc, char **argv) {
        const char *command = command_of(argc, argv);

        /* manifests and their like go back to the system when they are freed, however many came before (mallopt(3)) */
        (void) mallopt(M_MMAP_THRESHOLD, 256 * 1024);
        if (registry_command_is_known(command))
                return registry_command(argc, argv, command);
        return content_command_is(command) ? content_command(argc, argv) : image_command(argc, argv);
}
