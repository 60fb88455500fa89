/* SPDX-License-Identifier: Apache-2.0 */
/* Gives every file of the directories on the command line to one fuzz target: the corpus is a test without an engine. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "fuzz.h"

#include "base/io.h"

static int replay(int dir_fd, const char *name) {
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        _cleanup_free_ char *data = NULL;
        size_t size;

        if (fd < 0 || io_read_all(fd, 16 * 1024 * 1024, &data, &size) < 0) {
                fprintf(stderr, "cannot read '%s': %m\n", name);
                return 0;
        }
        fprintf(stderr, "%s\n", name);
        (void) LLVMFuzzerTestOneInput((const uint8_t *) data, size);
        return 1;
}

int main(int argc, char **argv) {
        int n = 0;

        for (int i = 1; i < argc; i++) {
                DIR *dir = opendir(argv[i]);

                if (!dir) {
                        fprintf(stderr, "cannot open '%s': %m\n", argv[i]);
                        return 1;
                }
                for (struct dirent *entry; (entry = readdir(dir));)
                        if (entry->d_name[0] != '.')
                                n += replay(dirfd(dir), entry->d_name);
                closedir(dir);
        }
        fprintf(stderr, "%d inputs\n", n);
        return n > 0 ? 0 : 1;
}
