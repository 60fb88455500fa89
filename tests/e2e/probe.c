/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the kernel from inside a container for what it should not give: one line a question, "NAME allowed" or "NAME ERRNO".
 * Arguments are such that a kernel without a filter allows the call or fails with another error than a filter's.
 * Linked statically and at a fixed address, so that `int $0x80` can reach its data from 64-bit code. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char text[256] = "/tmp";
static unsigned args[4];

static void say(const char *name, long r) {
        if (r < 0)
                printf("%s %s\n", name, strerrorname_np(errno));
        else
                printf("%s allowed\n", name);
}

#define ASK(name, ...) say(#name, syscall(SYS_##name, ##__VA_ARGS__))

/* In a child of its own: what is asked for would change the asker. A call that clones returns twice. */
#define ASK_APART(label, call)                             \
        do {                                               \
                fflush(stdout);                            \
                pid_t pid = fork();                        \
                if (pid == 0) {                            \
                        pid_t self = getpid();             \
                        long r = call;                     \
                        if (getpid() == self)      \
                                say(label, r);             \
                        fflush(stdout);                    \
                        _exit(0);                          \
                }                                          \
                waitpid(pid, NULL, 0);                     \
        } while (0)

#ifdef __x86_64__
static long call32(long number, long b, long c, long d) {
        long r;
        __asm__ volatile("int $0x80" : "=a"(r) : "a"(number), "b"(b), "c"(c), "d"(d), "S"(0), "D"(0) : "memory", "r8", "r9", "r10", "r11");
        r = (int) r;
        if (r < 0 && r > -4096) {
                errno = (int) -r;
                return -1;
        }
        return r;
}

static void ask_other_abis(void) {
        args[0] = AF_VSOCK, args[1] = SOCK_STREAM, args[2] = 0;
        say("i386-socketcall-vsock", call32(102, 1, (long) args, 0));
        args[0] = 38, args[1] = SOCK_SEQPACKET;
        say("i386-socketcall-alg", call32(102, 1, (long) args, 0));
        say("i386-socket-vsock", call32(359, AF_VSOCK, SOCK_STREAM, 0));
        say("i386-keyctl", call32(288, 0, -3, 1));
        ASK_APART("i386-unshare-user", call32(310, CLONE_NEWUSER, 0, 0));
        say("i386-mount", call32(21, (long) text, (long) text, (long) text));
        say("x32-keyctl", syscall(0x40000000 | SYS_keyctl, 0, -3, 1));
        ASK_APART("x32-unshare-user", syscall(0x40000000 | SYS_unshare, CLONE_NEWUSER));
}
#else
static void ask_other_abis(void) {
}
#endif

int main(void) {
        struct clone_args clone = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
        char letter = '\n', subcommand[2] = { 3, 0 };

        memset(text + 64, 0, 128);
        ASK(io_uring_setup, 1, text + 64);
        ASK(userfaultfd, 1);
        ASK(bpf, 0, text + 64, 64);
        ASK(perf_event_open, text + 64, 0, -1, -1, 0);
        ASK(kexec_load, 0, 0, NULL, 0);
        ASK(init_module, text, 4, "");
        ASK(finit_module, 0, "", 0);
        ASK(delete_module, "none", 0);
        ASK(open_by_handle_at, AT_FDCWD, text + 64, 0);
        ASK(mount, "tmpfs", "/tmp", "tmpfs", 0, NULL);
        ASK(umount2, "/proc", 0);
        ASK(pivot_root, "/", "/");
        ASK(fsopen, "tmpfs", 0);
        ASK(open_tree, AT_FDCWD, "/", 1);
        ASK(move_mount, AT_FDCWD, "/", AT_FDCWD, "/tmp", 0);
        ASK(mount_setattr, AT_FDCWD, "/", 0, text + 64, 32);
        ASK(setns, 0, 0);
        ASK(syslog, 3, text, 10);
        ASK(add_key, "user", "name", "x", 1, -3);
        ASK(request_key, "user", "name", NULL, 0);
        ASK(keyctl, 0, -3, 1);
        ASK(vmsplice, -1, text + 64, 0, 0);
        ASK(reboot, 0xfee1dead, 672274793, 0, NULL);
        ASK(swapon, "/tmp", 0);
        ASK(acct, "/tmp");
        ASK(quotactl, 0, "/", 0, text);
        ASK(settimeofday, NULL, NULL);
        ASK(sethostname, "x", 1);
#ifdef SYS_iopl
        ASK(iopl, 3);
        ASK(ioperm, 0, 1, 1);
#endif
        ASK(lookup_dcookie, 0, text, 4);
        ASK(fanotify_init, 0, 0);
        ASK(move_pages, 0, 0, NULL, NULL, NULL, 0);
        say("socket-packet", socket(AF_PACKET, SOCK_RAW, 0));
        say("socket-alg", socket(38, SOCK_SEQPACKET, 0));
        say("socket-vsock", socket(AF_VSOCK, SOCK_STREAM, 0));
        say("socket-raw", socket(AF_INET, SOCK_RAW, 1));
        ASK_APART("unshare-user", unshare(CLONE_NEWUSER));
        ASK_APART("unshare-mount", unshare(CLONE_NEWNS));
        ASK_APART("unshare-net", unshare(CLONE_NEWNET));
        ASK_APART("clone-user", syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
        ASK_APART("clone3-user", syscall(SYS_clone3, &clone, sizeof(clone)));
        say("mknod-device", mknod("/tmp/probe-node", S_IFBLK | 0600, makedev(8, 0)));
        say("tiocsti", ioctl(0, TIOCSTI, &letter));
        say("tioclinux", ioctl(0, TIOCLINUX, subcommand));
        ask_other_abis();
        say("control-getpid", getpid());
        say("control-socket", socket(AF_INET, SOCK_STREAM, 0));
        return 0;
}
