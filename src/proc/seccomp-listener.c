/* SPDX-License-Identifier: Apache-2.0 */
/* A filter with a listener, which must get away although the filter is in force already.
 *
 * Any call that sends it may be one that waits for the listener, and then both wait for ever. So a second thread, made before, sends it: a filter
 * holds for the thread that loads it. Until it has gone this thread makes no call at all, and looks at memory. A process
 * instead of a thread would be found by the container's program as a child that it never made. */
#include <linux/seccomp.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proc/seccomp.h"

enum { WAITING = -1, STACK_SIZE = 32 * 1024 };

typedef struct Sender {
        int socket;
        const char *message;
        int listener; /* WAITING; then the descriptor, or -errno: nothing is to be sent */
        int result;
        int id;       /* the kernel clears it when the thread is gone, and with it the use of its stack */
} Sender;

static int send_all(const Sender *sender) {
        struct iovec data = { .iov_base = (char *) sender->message, .iov_len = strlen(sender->message) };
        union {
                struct cmsghdr header;
                char space[CMSG_SPACE(sizeof(int))];
        } control = { .header = { .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int)) } };
        struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };

        memcpy(CMSG_DATA(&control.header), &sender->listener, sizeof(int));
        while (data.iov_len > 0) {
                ssize_t n = RETRY_EINTR(sendmsg(sender->socket, &message, MSG_NOSIGNAL));

                if (n < 0)
                        return -errno;
                data = (struct iovec){ .iov_base = (char *) data.iov_base + n, .iov_len = data.iov_len - (size_t) n };
                message.msg_control = NULL; /* the descriptor goes with the first part alone */
                message.msg_controllen = 0;
        }
        return 0;
}

static int sender_main(void *userdata) {
        Sender *sender = userdata;

        while (__atomic_load_n(&sender->listener, __ATOMIC_ACQUIRE) == WAITING)
                (void) sched_yield();
        if (sender->listener < 0)
                return 0;
        int r = send_all(sender);
        /* The agent reads to the end, which others who have the socket must not keep from coming; and it may end itself, which only tells those
         * who wait for it if nobody else has the listener. Both before this thread's process makes a call that is judged. */
        (void) shutdown(sender->socket, SHUT_RDWR);
        (void) close(sender->listener);
        __atomic_store_n(&sender->result, r, __ATOMIC_RELEASE);
        return 0;
}

int seccomp_filter_load_listener(const SeccompFilter *filter, int socket, const char *message) {
        struct sock_fprog program = { .len = (unsigned short) filter->n_code, .filter = (struct sock_filter *) filter->code };
        char stack[STACK_SIZE] __attribute__((aligned(16)));
        Sender sender = { .socket = socket, .message = message, .listener = WAITING, .id = 1 };
        int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM | CLONE_CHILD_CLEARTID;

        if (clone(sender_main, stack + sizeof(stack), flags, &sender, NULL, NULL, &sender.id) < 0)
                return -errno;
        long listener = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, filter->flags, &program);
        if (listener < 0)
                listener = -errno - 1; /* none of them is WAITING */
        __atomic_store_n(&sender.listener, (int) listener, __ATOMIC_RELEASE);
        while (__atomic_load_n(&sender.id, __ATOMIC_ACQUIRE) != 0)
                ; /* a few microseconds; to yield would be a call */
        return listener < 0 ? (int) listener + 1 : __atomic_load_n(&sender.result, __ATOMIC_ACQUIRE);
}
