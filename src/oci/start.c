/* SPDX-License-Identifier: Apache-2.0 */
/* Letting a created init go.
 *
 * Theory of operation. The init listens on a SOCK_SEQPACKET socket in the container's state directory, which it has from before it left
 * the host. A connection with one word means go; the end of that connection, whose other side closes on exec, means that the program
 * is executed; a message instead is a WireResult (base/wire.h) that says why not. A connection without a word asks whether somebody
 * waits: the socket is closed on exec, too, so that a refused one is the exact answer. */
#include "oci/start.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/wire.h"
#include "oci/process.h"

bool oci_is_waiting(int state_fd) {
        _cleanup_fd_ int fd = io_unix_connect(state_fd, OCI_START_SOCKET, SOCK_SEQPACKET);

        return fd >= 0;
}

int oci_start(int state_fd, Error *reterr) {
        _cleanup_fd_ int fd = io_unix_connect(state_fd, OCI_START_SOCKET, SOCK_SEQPACKET);
        const char word = OCI_START_WORD;
        char byte;

        if (fd == -ENOENT || fd == -ECONNREFUSED)
                return error_set(reterr, -ESRCH, ERROR_STATE, "cannot start a container that has stopped or is running: nobody waits");
        if (fd < 0)
                return error_set_errno(reterr, fd, "cannot start the container's process");
        if (send(fd, &word, 1, MSG_NOSIGNAL) != 1)
                return error_set_errno(reterr, -errno, "cannot start the container's process");
        ssize_t n = RETRY_EINTR(recv(fd, &byte, 1, MSG_PEEK));
        (void) unlinkat(state_fd, OCI_START_SOCKET, 0);
        if (n > 0)
                return wire_receive_result(fd, reterr);
        if (n < 0 && errno != ECONNRESET)
                return error_set_errno(reterr, -errno, "cannot start the container's process");
        return 0;
}
