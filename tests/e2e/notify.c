/* SPDX-License-Identifier: Apache-2.0 */
/* Sends its words to the notify socket, each as a message (sd_notify(3)). */
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int main(int argc, char **argv) {
        struct sockaddr_un address = { .sun_family = AF_UNIX };
        const char *path = getenv("NOTIFY_SOCKET");
        int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

        if (!path || strlen(path) >= sizeof(address.sun_path) || fd < 0)
                return 1;
        strcpy(address.sun_path, path);
        socklen_t size = (socklen_t) (offsetof(struct sockaddr_un, sun_path) + strlen(path));
        if (*path == '@')
                address.sun_path[0] = 0;
        for (int i = 1; i < argc; i++)
                if (sendto(fd, argv[i], strlen(argv[i]), 0, (struct sockaddr *) &address, size) < 0)
                        return 2;
        (void) usleep(200000); /* the manager asks whose process it was */
        return 0;
}
