/* SPDX-License-Identifier: Apache-2.0 */
/* Finds out which wall there is. */
#include "net/bypass-wall.h"

#include <linux/filter.h>
#include <linux/landlock.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/io.h"

/* landlock(7), ABI 4 (Linux 6.7), which Debian 12's headers do not know yet */
#define ACCESS_NET_BIND_TCP (1ULL << 0)
#define ACCESS_NET_CONNECT_TCP (1ULL << 1)
enum { ABI_NET = 4 };

static int can_tie(void) {
        _cleanup_fd_ int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        struct sock_filter nothing = { .code = BPF_RET | BPF_K };
        struct sock_fprog program = { .len = 1, .filter = &nothing };

        return fd < 0 ? -errno : setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) >= 0;
}

int bypass_wall_choose(BypassWall *ret, Error *reterr) {
        int r = can_tie();

        if (r < 0)
                return error_set_errno(reterr, r, "cannot use bypass");
        if (r > 0) {
                *ret = BYPASS_WALL_TIE;
                return 0;
        }
        if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) >= ABI_NET) {
                *ret = BYPASS_WALL_LANDLOCK;
                return 0;
        }
        (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                         "cannot use bypass: nothing in this kernel would keep a socket of the host from going elsewhere");
        return error_with_hint(reterr, -EOPNOTSUPP, "Linux 6.7 and later have what it takes, with Landlock");
}

int bypass_wall_raise(void) {
        const struct {
                uint64_t fs, net;
        } handled = { .net = ACCESS_NET_BIND_TCP | ACCESS_NET_CONNECT_TCP }; /* and no rule that allows any of it */
        _cleanup_fd_ int fd = (int) syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled), 0);

        if (fd < 0)
                return -errno;
        return syscall(SYS_landlock_restrict_self, fd, 0) < 0 ? -errno : 0;
}
