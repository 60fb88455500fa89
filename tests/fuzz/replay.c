/* SPDX-License-Identifier: Apache-2.0 */
/* Gives every file of the directories on the command line to one fuzz target: the corpus is a test without an engine. With
 * --mutate=N also N variants of each file, the same ones in every run: a short walk around what is known. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"

#include "base/io.h"
#include "base/str.h"

enum { MUTANT_ROOM = 16384 };

/* xorshift64: numbers that are the same everywhere. */
static uint64_t next_number(uint64_t *state) {
        *state ^= *state << 13;
        *state ^= *state >> 7;
        *state ^= *state << 17;
        return *state;
}

/* Some bytes exchanged, doubled, cut out, or put in: those that mean something to a text format above all. */
static size_t mutate(uint8_t *data, size_t size, size_t room, uint64_t *state) {
        static const char marks[] = "\n\\\"'=[]#;%$@:/.-+ \t\r{},0";

        for (uint64_t n = 1 + next_number(state) % 4; n > 0; n--) {
                size_t at = size > 0 ? next_number(state) % size : 0, length = 1 + next_number(state) % 16;

                switch (next_number(state) % 5) {
                case 0:
                        if (size > 0)
                                data[at] = (uint8_t) next_number(state);
                        break;
                case 1:
                        if (size > 0)
                                data[at] = (uint8_t) marks[next_number(state) % sizeof(marks)];
                        break;
                case 2: /* out */
                        length = MIN(length, size - at);
                        memmove(data + at, data + at + length, size - at - length);
                        size -= length;
                        break;
                case 3: /* in */
                        if (size == room)
                                break;
                        memmove(data + at + 1, data + at, size - at);
                        data[at] = (uint8_t) marks[next_number(state) % sizeof(marks)];
                        size++;
                        break;
                default: /* twice */
                        length = MIN(length, MIN(size - at, room - size));
                        memmove(data + at + length, data + at, size - at);
                        size += length;
                }
        }
        return size;
}

static void replay_mutants(const char *data, size_t size, unsigned long n) {
        uint64_t state = UINT64_C(0x9e3779b97f4a7c15) + size;
        uint8_t mutant[MUTANT_ROOM];

        if (size > MUTANT_ROOM) /* a walk around such a file is the engine's */
                return;
        for (; n > 0; n--) {
                if (size > 0)
                        memcpy(mutant, data, size);
                size_t length = mutate(mutant, size, sizeof(mutant), &state);
                (void) LLVMFuzzerTestOneInput(mutant, length);
        }
}

static int replay(int dir_fd, const char *name, unsigned long mutants) {
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        _cleanup_free_ char *data = NULL;
        size_t size;

        if (fd < 0 || io_read_all(fd, 16 * 1024 * 1024, &data, &size) < 0) {
                fprintf(stderr, "cannot read '%s': %m\n", name);
                return 0;
        }
        fprintf(stderr, "%s\n", name);
        (void) LLVMFuzzerTestOneInput((const uint8_t *) data, size);
        replay_mutants(data, size, mutants);
        return 1;
}

int main(int argc, char **argv) {
        unsigned long mutants = 0;
        int n = 0;

        for (int i = 1; i < argc; i++) {
                const char *number = str_after(argv[i], "--mutate=");

                if (number) {
                        mutants = strtoul(number, NULL, 10);
                        continue;
                }
                DIR *dir = opendir(argv[i]);

                if (!dir) {
                        fprintf(stderr, "cannot open '%s': %m\n", argv[i]);
                        return 1;
                }
                for (struct dirent *entry; (entry = readdir(dir));)
                        if (entry->d_name[0] != '.')
                                n += replay(dirfd(dir), entry->d_name, mutants);
                closedir(dir);
        }
        fprintf(stderr, "%d inputs\n", n);
        return n > 0 ? 0 : 1;
}
