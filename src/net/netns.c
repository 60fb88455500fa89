/* SPDX-License-Identifier: Apache-2.0 */
/* Brings the loopback interface up. */
#include "net/netns.h"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/io.h"

int netns_loopback_up(void) {
        _cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        struct ifreq request = { .ifr_name = "lo" };

        if (fd < 0)
                return -errno;
        if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return -errno;
        if (request.ifr_flags & IFF_UP)
                return 0;
        request.ifr_flags |= IFF_UP;
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}
