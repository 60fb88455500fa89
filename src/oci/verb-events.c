/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci events: counters of a container every few seconds, and a word when it runs out of memory. */
#include <poll.h>
#include <stdio.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/io.h"
#include "oci/state.h"
#include "oci/verb.h"

typedef struct EventsOptions {
        uint64_t interval;
        bool stats;
} EventsOptions;

static const Option rows[] = {
        { "interval", .kind = OPTION_DURATION, .offset = offsetof(EventsOptions, interval), .help = "Time between two counts (default 5s)" },
        { "stats", .kind = OPTION_BOOL, .offset = offsetof(EventsOptions, stats), .help = "Print the counters once" },
        {},
};
static const Option *const options[] = { rows, NULL };
static const EventsOptions options_default = { .interval = 5000000 };

/* One object a line; `data` is taken over, and may be NULL. */
static int print_event(const OciContainer *c, const char *type, json_t *data, Error *reterr) {
        _cleanup_json_ json_t *event = data ? json_pack("{s:s, s:s, s:o}", "type", type, "id", c->id, "data", data)
                                            : json_pack("{s:s, s:s}", "type", type, "id", c->id);

        if (!event || json_dumpf(event, stdout, JSON_COMPACT) < 0)
                return error_oom(reterr);
        (void) fputc('\n', stdout);
        return fflush(stdout) != 0 ? error_set_errno(reterr, -errno, "cannot write to standard output") : 0;
}

static int print_stats(const OciContainer *c, Error *reterr) {
        json_t *data = NULL;
        int r = runtime_cgroup_stats(&c->record.cgroup, &data, reterr);

        return r < 0 ? r : print_event(c, "stats", data, reterr);
}

static int print_oom(const OciContainer *c, uint64_t *seen, Error *reterr) {
        uint64_t now;
        int r = 0;

        if (runtime_cgroup_oom_kills(&c->record.cgroup, &now) < 0)
                return 0;
        for (; r >= 0 && *seen < now; (*seen)++)
                r = print_event(c, "oom", NULL, reterr);
        *seen = now;
        return r;
}

static int watch(const OciContainer *c, uint64_t interval, Error *reterr) {
        const struct timespec every = { .tv_sec = (time_t) (interval / 1000000), .tv_nsec = (long) (interval % 1000000) * 1000 };
        short oom_events = 0;
        _cleanup_fd_ int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        _cleanup_fd_ int oom = runtime_cgroup_open_oom(&c->record.cgroup, &oom_events);
        struct pollfd fds[] = {
                { .fd = c->pidfd, .events = POLLIN }, { .fd = timer, .events = POLLIN }, { .fd = oom, .events = oom_events },
        };
        uint64_t seen = 0, ticks;
        int r = 0;

        if (timer < 0 || timerfd_settime(timer, 0, &(struct itimerspec) { every, every }, NULL) < 0)
                return error_set_errno(reterr, -errno, "cannot make a timer");
        (void) runtime_cgroup_oom_kills(&c->record.cgroup, &seen);
        while (r >= 0) {
                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait for events");
                if (fds[2].revents)
                        runtime_cgroup_drain_oom(oom);
                r = print_oom(c, &seen, reterr); /* at each turn: cgroup v1 tells before it has killed and counted */
                if (fds[0].revents)
                        break;
                if (r >= 0 && fds[1].revents && read(timer, &ticks, sizeof(ticks)) > 0)
                        r = print_stats(c, reterr);
        }
        return r;
}

static int run(Invocation *in, Error *reterr) {
        const EventsOptions *o = in->options;
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;

        if (o->interval == 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--interval 0': it must be longer");
        int r = oci_container_find(&in->global, in->arguments[0], /* lock= */ false, &root, &c, reterr);
        if (r < 0)
                return r;
        if (c.pidfd < 0)
                return error_set(reterr, -EINVAL, ERROR_STATE, "cannot watch the container '%s': container not running", c.id);
        return o->stats ? print_stats(&c, reterr) : watch(&c, o->interval, reterr);
}

const Verb verb_events = {
        .name = "events",
        .arguments = "ID",
        .summary = "Print a container's counters and when it runs out of memory, as JSON",
        .description = "One object a line, until the container ends.",
        .options = options,
        .options_size = sizeof(EventsOptions),
        .options_default = &options_default,
        .arguments_min = 1,
        .arguments_max = 1,
        .run = run,
};
