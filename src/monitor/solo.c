/* SPDX-License-Identifier: Apache-2.0 */
/* The monitor alone with one container. */
#include "monitor/solo.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/monitor.h"
#include "monitor/notify-socket.h"
#include "monitor/restart-policy.h"
#include "state/container.h"

typedef enum SoloPhase {
        SOLO_STARTING,
        SOLO_RUNNING,
        SOLO_ENDING,
        SOLO_RECORDING,
        SOLO_WAITING,
} SoloPhase;

/* An orphan that was reaped while nobody had said yet which one the init is. */
typedef struct SoloOrphan {
        pid_t pid;
        int exit_code;
} SoloOrphan;

enum { ORPHANS_MAX = 64 };

typedef struct Solo {
        MonitorSolo *args;
        Store store;
        int dir_fd;                 /* the container's runtime directory */
        sd_event *event;
        Monitor monitor;
        NotifySocket notify;
        NotifyNews news;
        SoloPhase phase;
        pid_t starter, main, recorder; /* our children; 0: none */
        bool main_ended;
        int told_to_end;               /* the signal; 0: nobody has */
        int starter_status, exit_code;
        SoloOrphan orphans[ORPHANS_MAX];
        size_t n_orphans;
        uint64_t started_usec, delay_usec;
        uint32_t restarts;
        sd_event_source *restart_timer, *state_watch;
} Solo;

static int start(Solo *s);
static void go_on(Solo *s);

/* The one line for the caller; after it nobody listens, and the caller's terminal is let go. */
static void tell_caller(Solo *s, json_t *line) {
        _cleanup_json_ json_t *owned = line;
        _cleanup_free_ char *text = owned ? json_dumps(owned, JSON_COMPACT) : NULL;
        _cleanup_fd_ int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

        if (s->args->ready_fd < 0)
                return;
        (void) io_write_full(s->args->ready_fd, text ?: "", text ? strlen(text) : 0); /* the caller may be gone */
        (void) io_write_full(s->args->ready_fd, "\n", 1);
        s->args->ready_fd = fd_close(s->args->ready_fd);
        for (int fd = 0; fd <= 2 && null_fd >= 0; fd++)
                (void) dup2(null_fd, fd);
}

static void tell_error(Solo *s, int exit_code, int error, const char *text) {
        tell_caller(s, json_pack("{s:b, s:i, s:i, s:o}", "ok", 0, "exitCode", exit_code, "errno", error, "error",
                                 json_text(text)));
}

/* COMMAND with `__start ID` replaced by `__ended ID CODE`: the same program with the same global options. */
static char **ended_command(const Solo *s) {
        _cleanup_strv_ char **argv = NULL;
        char *const *word = s->args->command;

        do
                if (strv_append(&argv, *word++) < 0)
                        return NULL;
        while (*word && !str_equal(*word, "__start"));
        if (strv_append(&argv, "__ended") < 0 || strv_append(&argv, s->args->id) < 0 ||
            strv_consume(&argv, str_format("%d", s->exit_code)) < 0)
                return NULL;
        return TAKE_PTR(argv);
}

static void record_end(Solo *s) {
        _cleanup_strv_ char **argv = ended_command(s);
        const int fds[] = { -EBADF, -EBADF, -EBADF };

        s->phase = SOLO_RECORDING;
        int r = argv ? process_spawn(argv[0], argv, NULL, fds, ELEMENTSOF(fds), &s->recorder, NULL) : -ENOMEM;
        if (r < 0) {
                s->recorder = 0;
                log_warning("cannot record the end of container '%s': %s", s->args->id, strerror(-r));
                go_on(s);
        }
}

/* Whether the policy wants another run; reads what the user said meanwhile. */
static bool wants_restart(Solo *s) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        RestartPolicy policy;

        if (s->told_to_end || container_load(&s->store, s->args->id, &container, NULL) < 0)
                return false; /* removed: by --rm or by the user */
        return restart_policy_parse(container.config.restart_policy, container.config.restart_retries, &policy) >= 0 &&
               restart_policy_wants(&policy, s->exit_code, MAX(s->restarts, container.state.restart_count), container.state.stopped_by_user);
}

static int on_restart_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        Solo *s = userdata;

        (void) source;
        (void) usec;
        s->restart_timer = sd_event_source_disable_unref(s->restart_timer);
        s->state_watch = sd_event_source_disable_unref(s->state_watch);
        if (!wants_restart(s))
                return sd_event_exit(s->event, 0);
        s->restarts++;
        int r = start(s);
        return r < 0 ? sd_event_exit(s->event, r) : 0;
}

/* state.json has changed while we wait: perhaps the user has stopped it. */
static int on_state_change(sd_event_source *source, const struct inotify_event *event, void *userdata) {
        Solo *s = userdata;

        (void) source;
        (void) event;
        return wants_restart(s) ? 0 : sd_event_exit(s->event, 0);
}

/* After the end is on record: the next run, or our own end. */
static void go_on(Solo *s) {
        uint64_t now = monitor_now(&s->monitor);
        _cleanup_free_ char *dir = str_format("%s/containers/%s", s->store.data_path, s->args->id);

        if (!dir || !wants_restart(s)) {
                (void) sd_event_exit(s->event, 0);
                return;
        }
        s->phase = SOLO_WAITING;
        s->delay_usec = restart_policy_delay(s->delay_usec, now - s->started_usec);
        (void) sd_event_add_inotify(s->event, &s->state_watch, dir, IN_MOVED_TO | IN_DELETE_SELF, on_state_change, s);
        int r = sd_event_add_time(s->event, &s->restart_timer, CLOCK_MONOTONIC, now + s->delay_usec, 1000, on_restart_timer, s);
        if (r < 0)
                (void) sd_event_exit(s->event, r);
}

static void on_watch_end(const char *id, void *userdata) {
        Solo *s = userdata;

        if (s->phase == SOLO_ENDING && str_equal(id, s->args->id))
                record_end(s);
}

/* The init has ended: first its last words, then its exit code. */
static void end_run(Solo *s) {
        Watch *w = watch_find(&s->monitor, s->args->id);

        s->phase = SOLO_ENDING;
        s->main = 0;
        if (w)
                watch_process_ended(w); /* on_watch_end() follows */
        else
                record_end(s);
}

static void starter_failed(Solo *s) {
        _cleanup_free_ char *text = str_format("cannot start container '%s': %s", s->args->id,
                                               s->news.status ?: "the start has failed");

        s->exit_code = s->starter_status ?: 125;
        if (s->args->ready_fd >= 0) {
                tell_error(s, s->exit_code, s->news.error, text ?: "");
                (void) sd_event_exit(s->event, 0); /* the caller knows, and cleans up */
        } else
                go_on(s); /* a restart has failed: that is an exit, too; `__start` has put it on record */
}

static void pass_signal(const Solo *s) {
        if (!s->main_ended)
                (void) kill(s->main, s->told_to_end); /* our child and not reaped: the number is its own */
}

/* Looks at where we are after any news: a message, a child's end. */
static void look(Solo *s) {
        if (s->phase == SOLO_STARTING && s->starter == 0) {
                if (s->starter_status != 0 || s->main == 0) {
                        starter_failed(s);
                        return;
                }
                s->phase = SOLO_RUNNING;
                if (s->told_to_end)
                        pass_signal(s);
        }
        if (s->phase != SOLO_RUNNING)
                return;
        if (s->news.ready || s->main_ended)
                tell_caller(s, json_pack("{s:b, s:i}", "ok", 1, "pid", (int) s->main));
        if (s->main_ended)
                end_run(s);
}

static int take_news(Solo *s) {
        int r = notify_socket_read(&s->notify, &s->news);

        if (r < 0)
                log_warning("cannot read what the container's start says: %s", strerror(-r));
        if (s->main != 0 || s->phase != SOLO_STARTING)
                return 0;
        s->main = s->news.main_pid;
        for (size_t i = 0; s->main != 0 && i < s->n_orphans; i++)
                if (s->orphans[i].pid == s->main) {
                        s->main_ended = true;
                        s->exit_code = s->orphans[i].exit_code;
                }
        return 0;
}

static int on_notify(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Solo *s = userdata;

        (void) source;
        (void) fd;
        (void) revents;
        (void) take_news(s);
        look(s);
        return 0;
}

static int exit_code_of(const siginfo_t *info) {
        return info->si_code == CLD_EXITED ? info->si_status : 128 + info->si_status;
}

/* One child has ended and is reaped: ours, or an orphan of the container that we adopted. */
static void child_ended(Solo *s, const siginfo_t *info) {
        if (info->si_pid == s->starter) {
                s->starter = 0;
                s->starter_status = exit_code_of(info);
        } else if (info->si_pid == s->main) {
                s->main_ended = true;
                s->exit_code = exit_code_of(info);
        } else if (info->si_pid == s->recorder) {
                s->recorder = 0;
                if (exit_code_of(info) != 0)
                        log_warning("cannot record the end of container '%s'", s->args->id);
                go_on(s);
        } else if (s->phase == SOLO_STARTING && s->main == 0 && s->n_orphans < ORPHANS_MAX)
                s->orphans[s->n_orphans++] = (SoloOrphan){ info->si_pid, exit_code_of(info) };
}

static int on_child(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Solo *s = userdata;

        (void) source;
        (void) si;
        (void) take_news(s); /* said before it ended, so it counts before */
        for (;;) {
                siginfo_t info = {};

                if (RETRY_EINTR(waitid(P_ALL, 0, &info, WEXITED | WNOHANG)) < 0 || info.si_pid == 0)
                        break;
                child_ended(s, &info);
        }
        look(s);
        return 0;
}

/* Somebody ends the session: the container gets to know, and is not started again. */
static int on_terminate(sd_event_source *source, const struct signalfd_siginfo *si, void *userdata) {
        Solo *s = userdata;

        (void) source;
        s->told_to_end = (int) si->ssi_signo;
        if (s->phase == SOLO_RUNNING)
                pass_signal(s);
        return s->phase == SOLO_WAITING ? sd_event_exit(s->event, 0) : 0;
}

static char **start_environment(const Solo *s) {
        _cleanup_strv_ char **env = strv_copy(environ);
        _cleanup_free_ char *socket = str_format("NOTIFY_SOCKET=%s", s->notify.address);

        if (!env || !socket || strv_env_set(&env, socket) < 0)
                return NULL;
        return TAKE_PTR(env);
}

static int start(Solo *s) {
        const int fds[] = { -EBADF, -EBADF, s->args->ready_fd >= 0 ? 2 : -EBADF };
        _cleanup_strv_ char **env = start_environment(s);

        free(s->news.status);
        s->news = (NotifyNews){};
        s->phase = SOLO_STARTING;
        s->main = 0;
        s->main_ended = false;
        s->n_orphans = 0;
        s->started_usec = monitor_now(&s->monitor);
        if (!env)
                return -ENOMEM;
        return process_spawn(s->args->command[0], s->args->command, env, fds, ELEMENTSOF(fds), &s->starter, NULL);
}

static int add_sources(Solo *s) {
        static const struct {
                int signal;
                sd_event_signal_handler_t handler;
        } signals[] = { { SIGCHLD, on_child }, { SIGTERM, on_terminate }, { SIGINT, on_terminate } };
        sigset_t set;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) signal(SIGXFSZ, SIG_IGN);
        (void) signal(SIGHUP, SIG_IGN);
        (void) sigemptyset(&set);
        for (size_t i = 0; i < ELEMENTSOF(signals); i++)
                (void) sigaddset(&set, signals[i].signal);
        if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
                return -errno;
        int r = sd_event_add_io(s->event, NULL, s->notify.fd, EPOLLIN, on_notify, s);
        for (size_t i = 0; i < ELEMENTSOF(signals) && r >= 0; i++)
                r = sd_event_add_signal(s->event, NULL, signals[i].signal, signals[i].handler, s);
        return r;
}

static int open_sockets(Solo *s) {
        _cleanup_free_ char *dir = str_format("%s/containers/%s", s->store.runtime_path, s->args->id);

        if (!dir)
                return -ENOMEM;
        int r = notify_socket_open(&s->notify, s->dir_fd, dir);
        if (r < 0)
                return r;
        (void) unlinkat(s->dir_fd, MONITOR_SOCKET_NAME, 0);
        int fd = io_unix_listen(s->dir_fd, MONITOR_SOCKET_NAME, SOCK_SEQPACKET, 0600);
        if (fd < 0)
                return fd;
        r = monitor_listen(&s->monitor, fd);
        if (r < 0)
                (void) fd_close(fd);
        return r;
}

static int set_up(Solo *s, Error *reterr) {
        int r = store_open(s->args->data_path, s->args->runtime_path, &s->store, reterr);

        if (r < 0)
                return r;
        _cleanup_fd_ int parent = store_open_runtime(&s->store, "containers", reterr);
        if (parent < 0)
                return parent;
        s->dir_fd = path_open_or_make_dir(parent, s->args->id, 0700);
        if (s->dir_fd < 0)
                return error_set_errno(reterr, s->dir_fd, "cannot open the runtime directory of '%s'", s->args->id);
        (void) unsetenv("NOTIFY_SOCKET"); /* the caller's systemd has nothing to do with this container */
        (void) setsid();                  /* -EPERM: a leader already */
        if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || chdir("/") < 0)
                return error_set_errno(reterr, -errno, "cannot supervise '%s'", s->args->id);
        r = sd_event_new(&s->event);
        if (r >= 0)
                r = monitor_init(&s->monitor, s->event, reterr);
        s->monitor.on_watch_end = on_watch_end;
        s->monitor.userdata = s;
        if (r >= 0)
                r = open_sockets(s);
        if (r >= 0)
                r = add_sources(s);
        if (r >= 0)
                r = start(s);
        return r < 0 ? error_set_errno(reterr, r, "cannot supervise '%s'", s->args->id) : 0;
}

static void tear_down(Solo *s) {
        if (s->event)
                monitor_done(&s->monitor);
        notify_socket_done(&s->notify);
        if (s->dir_fd >= 0)
                (void) unlinkat(s->dir_fd, MONITOR_SOCKET_NAME, 0);
        (void) fd_close(s->dir_fd);
        (void) sd_event_source_disable_unref(s->restart_timer);
        (void) sd_event_source_disable_unref(s->state_watch);
        (void) sd_event_unref(s->event);
        free(s->news.status);
        store_done(&s->store);
}

int monitor_solo_run(MonitorSolo *args, Error *reterr) {
        Solo s = { .args = args, .store = STORE_NULL, .dir_fd = -EBADF, .notify = NOTIFY_SOCKET_NULL };

        if (!monitor_id_is_valid(args->id) || !args->command[0])
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot run alone: needs --id=ID and a command");
        if (args->ready_fd >= 0 && fcntl(args->ready_fd, F_SETFD, FD_CLOEXEC) < 0)
                return error_set(reterr, -EBADF, ERROR_USAGE, "cannot run alone: --ready-fd= is not a descriptor");
        int r = set_up(&s, reterr);
        if (r >= 0) {
                r = sd_event_loop(s.event);
                r = r < 0 ? error_set_errno(reterr, r, "cannot supervise '%s'", args->id) : 0;
        } else
                tell_error(&s, 125, -r, reterr && reterr->message ? reterr->message : "internal error");
        tear_down(&s);
        return r;
}
