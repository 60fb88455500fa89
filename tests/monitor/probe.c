/* SPDX-License-Identifier: Apache-2.0 */
/* What the monitor's tests are made with: starts processes as a container's would be, asks the monitor, reads logs. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "monitor/client.h"
#include "monitor/log-file.h"
#include "monitor/log-read.h"
#include "monitor/log-state.h"

static char *store_path(void) {
        const char *runtime = getenv("XDG_RUNTIME_DIR");

        return str_format("%s/sdpod", geteuid() == 0 ? "/run" : runtime ?: "/tmp");
}

static int open_store(void) {
        _cleanup_free_ char *path = store_path();

        return open(path, O_DIRECTORY | O_CLOEXEC);
}

static int open_container(const char *id) {
        _cleanup_free_ char *store = store_path(), *path = str_format("%s/containers/%s", store, id);

        return open(path, O_DIRECTORY | O_CLOEXEC);
}

static int failed(Error *error) {
        error_print(error);
        error_done(error);
        return 1;
}

static bool flag(char ***argv, const char *name) {
        if (!**argv || !str_equal(**argv, name))
                return false;
        ++*argv;
        return true;
}

static const char *option(char ***argv, const char *name) {
        return flag(argv, name) ? *(*argv)++ : NULL;
}

/* The child waits until it is watched, as a container does. */
static pid_t start_child(const int *fds, bool terminal, int gate, char **argv) {
        pid_t pid = fork();
        char go;

        if (pid != 0)
                return pid;
        (void) setsid();
        if (terminal)
                (void) ioctl(fds[0], TIOCSCTTY, 0);
        for (int i = 0; i < 3; i++)
                (void) dup2(fds[i], i);
        if (read(gate, &go, 1) != 1)
                _exit(125);
        (void) close_range(3, ~0U, 0);
        (void) signal(SIGPIPE, SIG_DFL);
        (void) execvp(argv[0], argv);
        _exit(127);
}

static int open_terminal(int *ret_master, int *ret_slave) {
        int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

        if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
                return -errno;
        *ret_master = master;
        *ret_slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        return *ret_slave < 0 ? -errno : 0;
}

/* start ID DRIVER PATH [--tty] [--stdin] [--no-pidfd] [--max-size N] [--unit U] [--wait] CMD... */
static int do_start(char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *store = store_path(), *name = str_format("box-%.4s", argv[0]),
                            *dir = str_format("%s/containers/%s", store, argv[0]), *image = strdup("localhost/box:latest");
        MonitorConfig config = { .name = name, .image = image, .runtime_dir = dir, .pidfd = true };
        int in[2], out[2], err[2], gate[2], fds[4], child[3], master = -EBADF;
        size_t n = 0;
        bool wait = false;

        config.id = *argv++;
        config.driver = *argv++;
        config.path = *argv++;
        for (char **before = NULL; before != argv;) {
                const char *value;

                before = argv;
                config.terminal |= flag(&argv, "--tty");
                config.open_stdin |= flag(&argv, "--stdin");
                config.pidfd &= !flag(&argv, "--no-pidfd");
                wait |= flag(&argv, "--wait");
                if ((value = option(&argv, "--unit")))
                        config.unit = (char *) value;
                if ((value = option(&argv, "--max-size")) && parse_u64(value, &config.max_size) < 0)
                        return 125;
        }
        if (path_mkdirs(config.runtime_dir, 0700) < 0 || pipe2(in, O_CLOEXEC) < 0 || pipe2(out, O_CLOEXEC) < 0 ||
            pipe2(err, O_CLOEXEC) < 0 || pipe2(gate, O_CLOEXEC) < 0)
                return 125;
        if (config.terminal) {
                if (open_terminal(&master, &child[0]) < 0)
                        return 125;
                child[1] = child[2] = child[0];
                fds[n++] = master;
        } else {
                child[0] = config.open_stdin ? in[0] : open("/dev/null", O_RDONLY | O_CLOEXEC);
                child[1] = out[1];
                child[2] = err[1];
                fds[n++] = out[0];
                fds[n++] = err[0];
                if (config.open_stdin)
                        fds[n++] = in[1];
        }
        pid_t pid = start_child(child, config.terminal, gate[0], argv);
        if (config.pidfd)
                fds[n++] = pidfd_open(pid, 0);
        _cleanup_fd_ int store_fd = open_store();
        if (monitor_client_watch(store_fd, &config, fds, n, &error) < 0)
                return failed(&error);
        (void) io_write_full(gate[1], "g", 1);
        if (wait) {
                siginfo_t info;
                (void) waitid(P_PID, (id_t) pid, &info, WEXITED);
        } else
                printf("%d\n", (int) pid);
        return 0;
}

static int do_logs(char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        const char *id = *argv++, *driver = *argv++, *path = *argv++, *text;
        LogReadOptions options = LOG_READ_ALL;
        LogOutput output;
        LogSink sink;
        uint64_t number;

        _cleanup_fd_ int dir_fd = open_container(id);
        options.runtime_fd = dir_fd;
        options.follow = flag(&argv, "--follow");
        if ((text = option(&argv, "--tail")) && parse_u64(text, &number) >= 0)
                options.tail = (int64_t) number;
        if ((text = option(&argv, "--since")))
                (void) log_parse_time(text, text + strlen(text), &options.since_nsec);
        if ((text = option(&argv, "--until")))
                (void) log_parse_time(text, text + strlen(text), &options.until_nsec);
        if (log_output_init(&output, 1, 2, flag(&argv, "--timestamps"), &sink) < 0)
                return 125;
        int r = str_equal(driver, "journald") ? log_read_journal(id, &options, &sink, &error)
                                              : log_read_file(path, &options, &sink, &error);
        log_output_done(&output);
        return r < 0 ? failed(&error) : 0;
}

static int copy_frames(int fd) {
        unsigned char header[MONITOR_FRAME_HEADER];
        static char buffer[65536];
        int stream;
        size_t size;

        while (io_read_full(fd, header, sizeof(header)) == sizeof(header)) {
                if (monitor_frame_parse(header, &stream, &size) < 0)
                        return 1;
                while (size > 0) {
                        ssize_t n = io_read_full(fd, buffer, MIN(size, sizeof(buffer)));
                        if (n <= 0)
                                return 1;
                        (void) io_write_full(stream, buffer, (size_t) n);
                        size -= (size_t) n;
                }
        }
        return 0;
}

static int copy_raw(int fd) {
        char buffer[65536];
        ssize_t n;

        while ((n = read(fd, buffer, sizeof(buffer))) > 0)
                (void) io_write_full(1, buffer, (size_t) n);
        return n < 0;
}

/* attach ID [--stdin] [--close-stdin] [--wait] [--logs] [--tty] [--say] [--keep]; our stdin is sent first, whole.
 * --say: tells on stderr that it is attached. --stuck: does not read at all. */
static int do_attach(char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        MonitorAttached attached;
        const char *id = *argv++;
        int flags = 0;

        flags |= flag(&argv, "--stdin") ? MONITOR_ATTACH_STDIN : 0;
        flags |= flag(&argv, "--close-stdin") ? MONITOR_ATTACH_CLOSE_STDIN : 0;
        flags |= flag(&argv, "--wait") ? MONITOR_ATTACH_WAIT : 0;
        flags |= flag(&argv, "--logs") ? MONITOR_ATTACH_LOGS : 0;
        bool tty = flag(&argv, "--tty"), stuck = flag(&argv, "--stuck");
        _cleanup_fd_ int store_fd = open_store();
        if (monitor_client_attach(store_fd, id, (MonitorAttachFlags) flags, &attached, &error) < 0)
                return failed(&error);
        (void) io_write_full(2, "attached\n", 9);
        if (flags & MONITOR_ATTACH_LOGS)
                printf("%llu\n", (unsigned long long) attached.log_offset), fflush(stdout);
        if (flags & MONITOR_ATTACH_STDIN) {
                char buffer[65536];
                ssize_t n;

                while ((n = read(0, buffer, sizeof(buffer))) > 0)
                        (void) io_write_full(attached.fd, buffer, (size_t) n);
                (void) shutdown(attached.fd, SHUT_WR);
        }
        while (stuck)
                pause();
        return (attached.waiting ? tty : attached.terminal) ? copy_raw(attached.fd) : copy_frames(attached.fd);
}

static int do_stat(char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_json_ json_t *answer = NULL;
        _cleanup_fd_ int store_fd = open_store();

        if (monitor_client_stat(store_fd, *argv, &answer, &error) < 0)
                return failed(&error);
        const json_t *value = argv[0] && argv[1] ? json_object_get(answer, argv[1]) : NULL;
        _cleanup_free_ char *text = json_dumps(value ?: answer, JSON_COMPACT | JSON_ENCODE_ANY);
        return puts(text ?: "") < 0;
}

static int do_resize(char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_fd_ int store_fd = open_store();
        uint32_t rows = 0, cols = 0;

        if (parse_u32(argv[1], &rows) < 0 || parse_u32(argv[2], &cols) < 0)
                return 125;
        return monitor_client_resize(store_fd, argv[0], rows, cols, &error) < 0 ? failed(&error) : 0;
}

static int do_detach(char **argv) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_fd_ int store_fd = open_store();

        return monitor_client_detach(store_fd, argv[0], &error) < 0 ? failed(&error) : 0;
}

/* raw FILE: sends the bytes of a file as one message, with our stdin as a descriptor; prints the answer. */
static int do_raw(char **argv) {
        _cleanup_free_ char *path = store_path(), *data = NULL, *reply = calloc(1, MONITOR_MESSAGE_MAX + 1);
        _cleanup_fd_ int dir_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC), file = open(argv[0], O_RDONLY | O_CLOEXEC);
        const int fds[] = { 0, 0, 0, 0, 0, 0, 0, 0 };
        size_t size = 0;
        uint32_t n_fds = 0;

        if (argv[1])
                (void) parse_u32(argv[1], &n_fds);
        _cleanup_fd_ int fd = io_unix_connect(dir_fd, MONITOR_SOCKET_NAME, SOCK_SEQPACKET);
        if (fd < 0 || !reply || io_read_all(file, 1 << 20, &data, &size) < 0)
                return 125;
        if (io_send_fds(fd, data, size, fds, n_fds) < 0)
                return 3;
        ssize_t n = recv(fd, reply, MONITOR_MESSAGE_MAX, 0);
        if (n <= 0)
                return 4;
        return puts(reply) < 0;
}

/* lines N [PAUSE_EVERY]: numbers on stdout and stderr, each line one write(2). */
static int do_lines(char **argv) {
        uint64_t n = 0, every = 0;
        char line[128];

        (void) parse_u64(argv[0], &n);
        if (argv[1])
                (void) parse_u64(argv[1], &every);
        for (uint64_t i = 0; i < n; i++) {
                for (int fd = 1; fd <= 2; fd++) {
                        int size = snprintf(line, sizeof(line), "%s %llu abcdefghijklmnopqrstuvwxyz%.*s\n",
                                            fd == 1 ? "out" : "err", (unsigned long long) i, (int) (i % 40),
                                            "0123456789012345678901234567890123456789");
                        if (io_write_full(fd, line, (size_t) size) < 0)
                                return 1;
                }
                if (every && i % every == 0) {
                        const struct timespec pause_time = { .tv_nsec = 1000000 };
                        (void) nanosleep(&pause_time, NULL);
                }
        }
        return 0;
}

/* check N PREFIX: stdin is exactly what `lines N` wrote there. */
static int do_check(char **argv) {
        uint64_t n = 0, i = 0;
        char line[256], wanted[256];

        (void) parse_u64(argv[0], &n);
        for (; fgets(line, sizeof(line), stdin); i++) {
                (void) snprintf(wanted, sizeof(wanted), "%s %llu abcdefghijklmnopqrstuvwxyz%.*s\n", argv[1],
                                (unsigned long long) i, (int) (i % 40), "0123456789012345678901234567890123456789");
                if (!str_equal(line, wanted)) {
                        printf("line %llu is: %s", (unsigned long long) i, line);
                        return 1;
                }
        }
        if (i != n)
                printf("%llu lines, not %llu\n", (unsigned long long) i, (unsigned long long) n);
        return i != n;
}

/* state ID: complete or running, and what was lost. */
static int do_state(char **argv) {
        _cleanup_fd_ int dir_fd = open_container(argv[0]);
        LogState state;
        int r = dir_fd < 0 ? -ENOENT : log_state_read(dir_fd, LOG_STATE_NAME, &state);

        if (r < 0)
                return puts("none") < 0;
        return printf("%s lost=%llu\n", state.flags & LOG_STATE_COMPLETE ? "complete" : "running",
                      (unsigned long long) state.lost) < 0;
}

int main(int argc, char **argv) {
        static const struct {
                const char *name;
                int (*run)(char **argv);
        } verbs[] = {
                { "attach", do_attach }, { "check", do_check }, { "detach", do_detach }, { "lines", do_lines },
                { "logs", do_logs },     { "raw", do_raw },     { "resize", do_resize }, { "start", do_start },
                { "stat", do_stat },     { "state", do_state },
        };

        log_set_program("probe");
        (void) signal(SIGPIPE, SIG_IGN);
        for (size_t i = 0; argc > 1 && i < ELEMENTSOF(verbs); i++)
                if (str_equal(verbs[i].name, argv[1]))
                        return verbs[i].run(argv + 2);
        return 125;
}
