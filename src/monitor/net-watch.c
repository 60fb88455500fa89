/* SPDX-License-Identifier: Apache-2.0 */
/* Notices that a container's network process has ended before the container, and has it started again.
 *
 * Theory of operation: the network process belongs to nobody that would look at it (its starter has gone), and a container
 * without it runs on, mute. So its end is waited for here, by pidfd, and the command that came with the watch makes a new one
 * (engine/network-restart.h); who it is stands in process.json afterwards. One that ends again and again is started more and
 * more rarely. The monitor's next life finds it in process.json, too. */
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "monitor/monitor.h"

enum {
        STEADY_USEC = 10000000, /* one that lived longer than this did not fail at its beginning */
        FIRST_DELAY_USEC = 100000,
        LAST_DELAY_USEC = 60000000,
};

static void schedule(Watch *w);

/* process.json, of which only these two matter; 0: there is none. */
static void read_current(const Watch *w, int *ret_pid, uint64_t *ret_start_time) {
        _cleanup_json_ json_t *json = NULL;
        _cleanup_fd_ int dir_fd = open(w->config.runtime_dir, O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int64_t pid = 0;

        if (dir_fd >= 0 && json_read(dir_fd, "process.json", JSON_RECORD_LIMIT, &json, /* reterr= */ NULL) >= 0)
                pid = json_get_integer(json, "netPid", 0);
        *ret_pid = pid > 0 && pid <= INT32_MAX ? (int) pid : 0;
        *ret_start_time = (uint64_t) json_get_integer(json, "netStartTime", 0);
}

static bool container_is_over(const Watch *w) {
        return w->process_ended || (w->pidfd >= 0 && process_has_ended(w->pidfd));
}

static int on_network_end(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Watch *w = userdata;

        (void) source;
        (void) fd;
        (void) revents;
        w->network = sd_event_source_disable_unref(w->network);
        if (!container_is_over(w)) {
                log_warning("the network process of container '%s' has ended; starting it again", w->config.name ?: w->config.id);
                schedule(w);
        }
        return 0;
}

/* Takes the descriptor over. */
static int wait_for(Watch *w, int fd, sd_event_io_handler_t handler) {
        int r = sd_event_add_io(w->monitor->event, &w->network, fd, EPOLLIN, handler, w);

        if (r < 0)
                (void) fd_close(fd);
        else
                (void) sd_event_source_set_io_fd_own(w->network, true);
        return r;
}

/* The command has ended; whether it was of use is seen by what is there now. */
static int on_restarted(sd_event_source *source, int fd, uint32_t revents, void *userdata) {
        Watch *w = userdata;
        uint64_t start_time;
        siginfo_t info;
        int pid;

        (void) revents;
        /* alone with a container, the monitor has reaped it with all others */
        (void) RETRY_EINTR(waitid(P_PIDFD, (id_t) fd, &info, WEXITED | WNOHANG));
        if (!w) {
                (void) sd_event_source_set_enabled(source, SD_EVENT_OFF);
                (void) sd_event_source_set_floating(source, false);
                return 0;
        }
        w->network = sd_event_source_disable_unref(w->network);
        w->network_command = false;
        if (container_is_over(w))
                return 0;
        read_current(w, &pid, &start_time);
        int net_fd = pid > 0 ? process_open(pid, start_time) : -ESRCH;
        if (net_fd < 0 || wait_for(w, net_fd, on_network_end) < 0) {
                log_warning("the network of container '%s' is down: its network process cannot be started again; trying later",
                            w->config.name ?: w->config.id);
                schedule(w);
        }
        return 0;
}

static int on_timer(sd_event_source *source, uint64_t usec, void *userdata) {
        static const int fds[] = { -EBADF, -EBADF, STDERR_FILENO };
        Watch *w = userdata;
        int fd = -EBADF;

        (void) source;
        (void) usec;
        w->network_timer = sd_event_source_disable_unref(w->network_timer);
        if (container_is_over(w))
                return 0;
        w->network_since = monitor_now(w->monitor);
        int r = process_spawn(w->config.net_command[0], w->config.net_command, /* envp= */ NULL, fds, ELEMENTSOF(fds),
                              /* ret_pid= */ NULL, &fd);
        if (r >= 0)
                r = wait_for(w, fd, on_restarted);
        w->network_command = r >= 0;
        if (r < 0) {
                log_warning("cannot start the network of container '%s' again: %s", w->config.name ?: w->config.id, strerror(-r));
                schedule(w);
        }
        return 0;
}

static void schedule(Watch *w) {
        uint64_t now = monitor_now(w->monitor);

        if (w->network_since == 0 || now - w->network_since > STEADY_USEC)
                w->network_delay = 0;
        else
                w->network_delay = MIN(MAX(w->network_delay * 2, (uint64_t) FIRST_DELAY_USEC), (uint64_t) LAST_DELAY_USEC);
        if (sd_event_add_time(w->monitor->event, &w->network_timer, CLOCK_MONOTONIC, now + w->network_delay, 1000, on_timer, w) < 0)
                log_warning("the network of container '%s' is down and stays so: out of memory", w->config.name ?: w->config.id);
}

void net_watch_begin(Watch *w, bool resume) {
        uint64_t start_time = w->config.net_start_time;
        int pid = (int) w->config.net_pid;

        if (pid <= 0 || !w->config.net_command || !w->config.net_command[0])
                return;
        if (resume)
                read_current(w, &pid, &start_time);
        int fd = pid > 0 ? process_open(pid, start_time) : -ESRCH;
        if (fd >= 0)
                (void) wait_for(w, fd, on_network_end);
        else
                schedule(w); /* it ended while nobody looked */
}

void net_watch_done(Watch *w) {
        if (w->network_command) { /* who reaps it outlives the watch */
                (void) sd_event_source_set_userdata(w->network, NULL);
                (void) sd_event_source_set_floating(w->network, true);
                w->network = sd_event_source_unref(w->network);
                w->network_command = false;
        }
        w->network = sd_event_source_disable_unref(w->network);
        w->network_timer = sd_event_source_disable_unref(w->network_timer);
}
