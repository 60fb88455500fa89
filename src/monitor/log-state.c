/* SPDX-License-Identifier: Apache-2.0 */
/* How far the recording of a container has come. */
#include "monitor/log-state.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"

enum { SLOT_SIZE = 256, N_SLOTS = 2 };

static const uint64_t slot_magic = 0x31676f6c646f7064; /* "dpodlog1" */

typedef struct Slot {
        uint64_t magic;
        LogState state;
        uint64_t checksum;
} Slot;

static_assert(sizeof(Slot) <= SLOT_SIZE, "a slot must not reach into the next");

/* FNV-1a by words: it is there to tell a whole slot from a torn one, not from a forged one. */
static uint64_t checksum(const Slot *slot) {
        uint64_t words[sizeof(LogState) / 8], sum = 0xcbf29ce484222325;

        memcpy(words, &slot->state, sizeof(words));
        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                sum = (sum ^ words[i]) * 0x100000001b3;
        return sum;
}

int log_state_open(int dir_fd, const char *name, bool create) {
        struct stat st;
        _cleanup_fd_ int fd =
                openat(dir_fd, name, (create ? O_RDWR | O_CREAT : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);

        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (create) {
                int r = posix_fallocate(fd, 0, SLOT_SIZE * N_SLOTS); /* a later save cannot run out of space */
                if (r != 0)
                        return -r;
        }
        return TAKE_FD(fd);
}

int log_state_load(int fd, LogState *ret) {
        bool found = false;

        for (int i = 0; i < N_SLOTS; i++) {
                Slot slot;

                if (pread(fd, &slot, sizeof(slot), i * SLOT_SIZE) != sizeof(slot) || slot.magic != slot_magic ||
                    slot.checksum != checksum(&slot) || slot.state.intent >= _LOG_INTENT_MAX ||
                    slot.state.intent_stream >= _LOG_STREAM_MAX)
                        continue;
                if (!found || slot.state.generation > ret->generation)
                        *ret = slot.state;
                found = true;
        }
        return found ? 0 : -ENODATA;
}

int log_state_save(int fd, LogState *state) {
        Slot slot = { .magic = slot_magic };

        state->generation++;
        slot.state = *state;
        slot.checksum = checksum(&slot);
        ssize_t n = pwrite(fd, &slot, sizeof(slot), (off_t) (state->generation % N_SLOTS) * SLOT_SIZE);
        return n < 0 ? -errno : n != sizeof(slot) ? -EIO : 0;
}

int log_state_read(int dir_fd, const char *name, LogState *ret) {
        _cleanup_fd_ int fd = log_state_open(dir_fd, name, /* create= */ false);

        return fd < 0 ? fd : log_state_load(fd, ret);
}
