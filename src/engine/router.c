/* SPDX-License-Identifier: Apache-2.0 */
/* The router's life and its loop. */
#include "engine/router.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "cgroup/notify.h"
#include "engine/router-client.h"
#include "engine/router-names.h"
#include "engine/router-quota.h"
#include "engine/router-repair.h"
#include "engine/router-state.h"
#include "engine/router-uplink.h"
#include "engine/shared-userns.h"
#include "ns/pinned.h"
#include "state/lease.h"

enum {
        FIRST_CLIENT_MSEC = 10000, /* whoever starts a router comes at once */
        OTHER_ENDS_MSEC = 5000,
        LOOK_MSEC = 5,
        UPLINK_AGAIN_MSEC = 10000, /* an uplink that could not be started */
};

typedef enum SourceKind {
        SOURCE_LISTEN,
        SOURCE_UPLINK,
        SOURCE_CLIENT,
        SOURCE_CONTAINER,
        SOURCE_NAMES,
        SOURCE_QUOTA,
} SourceKind;

/* What a descriptor in the epoll set stands for. */
typedef struct Source {
        SourceKind kind;
        int fd;           /* of a client; owned */
        RoutedContainer *container;
        RoutedNames *names;
        struct Source *next;
} Source;

typedef struct Server {
        RouterState state;
        Source *sources, *uplink;
        int epoll_fd, listen_fd, quota_fd;
        size_t n_clients;
        bool served;      /* somebody has been here */
} Server;

/* ---- sources ---- */

static int watch(Server *s, SourceKind kind, int fd, RoutedContainer *container) {
        Source *source = calloc(1, sizeof(*source));
        struct epoll_event event = { .events = EPOLLIN, .data.ptr = source };

        if (!source)
                return -ENOMEM;
        source->kind = kind;
        source->fd = fd;
        source->container = container;
        if (epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
                int code = -errno;

                free(source);
                return code;
        }
        if (container)
                container->watch = source;
        source->next = s->sources;
        s->sources = source;
        return 0;
}

static void forget(Server *s, Source *source) {
        Source **at = &s->sources;

        while (*at && *at != source)
                at = &(*at)->next;
        if (*at)
                *at = source->next;
        free(source);
}

/* The pidfd is closed here, but others may have the same one open: the set would know it still (epoll(7)). */
static void container_forgotten(RoutedContainer *container, void *data) {
        Server *s = data;

        (void) epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, container->pidfd, NULL);
        forget(s, container->watch);
        container->watch = NULL;
}

static void names_forgotten(RoutedNames *names, void *data) {
        Server *s = data;

        (void) epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, names->process.pidfd, NULL);
        forget(s, names->watch);
        names->watch = NULL;
}

/* Processes that answer names are started wherever they are needed; here is who sees them end. */
static void watch_names(Server *s) {
        for (RoutedNames *names = s->state.names; names; names = names->next)
                if (names->process.pidfd >= 0 && !names->watch && watch(s, SOURCE_NAMES, names->process.pidfd, /* container= */ NULL) >= 0) {
                        names->watch = s->sources;
                        s->sources->names = names;
                }
}

/* It is there, and seen when it ends. */
static int start_uplink(Server *s, Error *reterr) {
        int r = router_uplink_start(&s->state, reterr);

        if (r == 0)
                return 0;
        if (s->uplink)
                forget(s, s->uplink); /* of one whose end was not heard of yet */
        s->uplink = NULL;
        if (r < 0)
                return r;
        r = watch(s, SOURCE_UPLINK, s->state.uplink.pidfd, /* container= */ NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot watch the uplink of the bridge networks");
        s->uplink = s->sources;
        return 0;
}

/* ---- requests ---- */

static json_t *answer_ok(const RoutedContainer *container) {
        json_t *answer = json_object(), *ports = json_array();

        (void) json_object_set_new(answer, "ok", json_true());
        for (size_t i = 0; container && i < container->n_ports; i++)
                (void) json_array_append_new(ports, json_fields_save(net_port_fields, container->ports + i));
        (void) json_object_set_new(answer, "ports", ports);
        return answer;
}

static int attach(Server *s, RouterRequest *request, bool reload, int *fds, RoutedContainer **ret, Error *reterr) {
        int (*function)(RouterState *, RouterRequest *, int *, int *, RoutedContainer **, Error *) = reload ? router_reload : router_attach;
        int r = start_uplink(s, reterr);

        if (r < 0)
                return r;
        r = router_request_check(request, reterr);
        if (r >= 0)
                r = fds[0] < 0 || fds[1] < 0
                    ? error_set(reterr, -EINVAL, ERROR_INVALID, "cannot connect a container: its descriptors are missing")
                    : function(&s->state, request, &fds[0], &fds[1], ret, reterr);

        watch_names(s);
        if (r < 0 || (*ret)->watch)
                return r;
        r = watch(s, SOURCE_CONTAINER, (*ret)->pidfd, *ret);
        if (r < 0) { /* its end would not be seen */
                r = error_set_errno(reterr, r, "cannot watch container '%s'", (*ret)->name);
                (void) router_detach(&s->state, (*ret)->id, /* network= */ NULL, /* reterr= */ NULL);
                *ret = NULL;
        }
        return r;
}

static int carry_out(Server *s, RouterRequest *request, int *fds, RoutedContainer **ret, Error *reterr) {
        if (str_equal(request->op, "open"))
                return 0;
        if (str_equal(request->op, "attach"))
                return attach(s, request, /* reload= */ false, fds, ret, reterr);
        if (str_equal(request->op, "reload"))
                return attach(s, request, /* reload= */ true, fds, ret, reterr);
        if (str_equal(request->op, "detach") && request->id) {
                int r = router_detach(&s->state, request->id, request->network, reterr);

                watch_names(s); /* its own is another one then */
                return r;
        }
        if (str_equal(request->op, "update") && request->network) {
                int r = router_names_update(&s->state, request->network, reterr);

                watch_names(s);
                return r;
        }
        return error_set(reterr, -EOPNOTSUPP, ERROR_INVALID, "cannot do '%s': the router does not know it", request->op ?: "");
}

static int answer(Server *s, int client, json_t *object, int *fds, size_t n_fds) {
        _cleanup_router_request_ RouterRequest request = {};
        _cleanup_error_ Error error = ERROR_NULL;
        RoutedContainer *container = NULL;
        int all[ROUTER_FDS_MAX] = { -EBADF, -EBADF, -EBADF, -EBADF };

        memcpy(all, fds, n_fds * sizeof(*fds));
        int r = json_fields_load(object, router_request_fields, &request, &error);
        if (r >= 0)
                r = carry_out(s, &request, all, &container, &error);
        bool opens = r >= 0 && str_equal(request.op, "open") && s->state.router.userns_fd >= 0;
        for (size_t i = 0; i < ELEMENTSOF(all); i++)
                (void) fd_close(all[i]);
        _cleanup_json_ json_t *text = r < 0 ? router_wire_error(&error) : answer_ok(container);
        return text ? router_wire_send(client, text, &s->state.router.userns_fd, opens ? 1 : 0) : -ENOMEM;
}

static void hear(Server *s, Source *source) {
        _cleanup_json_ json_t *object = NULL;
        int fds[ROUTER_FDS_MAX];
        size_t n_fds = 0;
        int r = router_wire_receive(source->fd, &object, fds, &n_fds);

        if (r > 0)
                r = answer(s, source->fd, object, fds, n_fds) < 0 ? 0 : 1;
        if (r > 0)
                return;
        (void) epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
        (void) fd_close(source->fd);
        s->n_clients--;
        forget(s, source);
}

static void welcome(Server *s) {
        struct ucred peer;
        socklen_t size = sizeof(peer);
        _cleanup_fd_ int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);

        if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || peer.uid != geteuid())
                return;
        if (watch(s, SOURCE_CLIENT, fd, /* container= */ NULL) < 0)
                return;
        fd = -EBADF;
        s->n_clients++;
        s->served = true;
}

/* ---- children ---- */

/* Where it could not be started at once, nothing else would bring it back to the containers that run. */
static void uplink_again(Server *s) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (start_uplink(s, &error) < 0)
                log_warning("%s", error.message ?: "cannot start the uplink of the bridge networks");
}

static void uplink_ended(Server *s, Source *source) {
        (void) epoll_ctl(s->epoll_fd, EPOLL_CTL_DEL, s->state.uplink.pidfd, NULL);
        forget(s, source);
        s->uplink = NULL;
        log_warning("the uplink of the bridge networks has ended: it is started again");
        uplink_again(s);
}

/* ---- the loop ---- */

static void handle(Server *s, Source *source) {
        switch (source->kind) {
        case SOURCE_LISTEN:
                welcome(s);
                return;
        case SOURCE_CLIENT:
                hear(s, source);
                return;
        case SOURCE_UPLINK:
                uplink_ended(s, source);
                return;
        case SOURCE_CONTAINER:
                (void) router_detach(&s->state, source->container->id, /* network= */ NULL, /* reterr= */ NULL);
                return;
        case SOURCE_NAMES:
                router_names_ended(&s->state, source->names);
                watch_names(s);
                return;
        case SOURCE_QUOTA:
                router_quota_hear(&s->state, s->quota_fd);
        }
}

static int serve(Server *s) {
        struct epoll_event event;

        while (s->n_clients > 0 || s->state.n_containers > 0 || !s->served) {
                int timeout = !s->served ? FIRST_CLIENT_MSEC : s->uplink ? -1 : UPLINK_AGAIN_MSEC;
                int n = (int) RETRY_EINTR(epoll_wait(s->epoll_fd, &event, 1, timeout));

                if (n < 0)
                        return -errno;
                if (n == 0 && !s->served)
                        return 0; /* nobody came */
                if (n == 0)
                        uplink_again(s);
                else
                        handle(s, event.data.ptr); /* one at a time: it may end the sources of others */
        }
        return 0;
}

/* ---- the beginning ---- */

/* One router for a store: it holds a lock on the runtime directory. -EEXIST: there is one that answers. */
static int be_the_only_one(const Store *store, int *ret_lock, Error *reterr) {
        _cleanup_fd_ int lock = openat(store->runtime_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (lock < 0)
                return error_set_errno(reterr, -errno, "cannot open '%s'", store->runtime_path);
        for (int waited = 0; flock(lock, LOCK_EX | LOCK_NB) < 0; waited += LOOK_MSEC) {
                _cleanup_router_client_ RouterClient other = ROUTER_CLIENT_NULL;

                if (errno != EWOULDBLOCK)
                        return error_set_errno(reterr, -errno, "cannot lock '%s'", store->runtime_path);
                if (router_client_connect(store, &other, /* reterr= */ NULL) >= 0)
                        return -EEXIST;
                if (waited > OTHER_ENDS_MSEC)
                        return error_set(reterr, -EBUSY, ERROR_IN_USE, "cannot start the router of the bridge networks: another one does not end");
                (void) poll(NULL, 0, LOOK_MSEC);
        }
        *ret_lock = TAKE_FD(lock);
        return 0;
}

static int take_stored(Server *s) {
        const char *names = getenv("LISTEN_FDNAMES");
        _cleanup_strv_ char **words = names ? strv_split(names, ":") : NULL;
        int n = notify_listen_fds();

        for (int i = 0; i < n; i++) {
                const char *name = words && i < (int) strv_length(words) ? words[i] : "";
                int *to = str_equal(name, "userns") ? &s->state.router.userns_fd : str_equal(name, "netns") ? &s->state.router.netns_fd : NULL;

                if (to && *to < 0)
                        *to = 3 + i;
                else
                        (void) close(3 + i);
        }
        return n;
}

static void store_namespaces(const Server *s) {
        if (s->state.router.userns_fd >= 0)
                (void) notify_send_fds("FDSTORE=1\nFDPOLL=0\nFDNAME=userns", &s->state.router.userns_fd, 1);
        (void) notify_send_fds("FDSTORE=1\nFDPOLL=0\nFDNAME=netns", &s->state.router.netns_fd, 1);
}

static int open_userns(Server *s, Error *reterr) {
        _cleanup_user_map_ UserMap base = {};
        int r;

        if (geteuid() == 0)
                return 0;
        /* that of the containers which live, if there are any: nobody has power over two that are not in each other */
        r = router_repair_userns(s->state.store);
        if (r < 0) {
                r = user_map_default(&base, reterr);
                if (r < 0)
                        return r;
                r = shared_userns_open(&base);
                if (r < 0)
                        r = userns_pin(&base, reterr);
        }
        if (r < 0)
                return r;
        s->state.router.userns_fd = r;
        return 0;
}

static int make_namespaces(Server *s, Error *reterr) {
        if (take_stored(s) > 0 && s->state.router.netns_fd >= 0) {
                s->state.inherited = true;
                return 0;
        }
        int r = s->state.router.userns_fd < 0 ? open_userns(s, reterr) : 0;
        if (r < 0)
                return r;
        r = plumb_namespace(s->state.router.userns_fd, reterr);
        if (r < 0)
                return r;
        s->state.router.netns_fd = r;
        store_namespaces(s);
        return 0;
}

static int open_directory(Server *s, Error *reterr) {
        s->state.directory_fd = store_open_runtime(s->state.store, ROUTER_DIRECTORY, reterr);
        if (s->state.directory_fd < 0)
                return s->state.directory_fd;
        router_names_clear(&s->state);
        return 0;
}

static int listen_for_clients(Server *s, Error *reterr) {
        (void) unlinkat(s->state.directory_fd, ROUTER_SOCKET, 0); /* of one that was killed: we are alone */
        s->listen_fd = io_unix_listen(s->state.directory_fd, ROUTER_SOCKET, SOCK_SEQPACKET, 0600);
        if (s->listen_fd < 0)
                return error_set_errno(reterr, s->listen_fd, "cannot listen on '%s/" ROUTER_DIRECTORY "/" ROUTER_SOCKET "'", s->state.store->runtime_path);
        int r = watch(s, SOURCE_LISTEN, s->listen_fd, /* container= */ NULL);
        return r < 0 ? error_set_errno(reterr, r, "cannot watch the router's socket") : 0;
}

/* The ones that live from before this router. */
static void take_up(Server *s) {
        RouterRequest *requests = NULL;
        int (*fds)[2] = NULL;
        size_t n = 0;

        s->state.taking_up = true;
        int r = router_repair_list(s->state.store, &requests, &fds, &n);
        if (r < 0)
                log_warning("cannot find all containers on bridge networks: %s; 'sdpod network reload --all' connects them again", strerror(-r));
        for (size_t i = 0; i < n; i++) {
                _cleanup_error_ Error error = ERROR_NULL;
                _cleanup_free_ char *name = requests[i].name ? strdup(requests[i].name) : NULL;
                RoutedContainer *container;

                if (attach(s, &requests[i], /* reload= */ true, fds[i], &container, &error) < 0)
                        log_warning("cannot connect container '%s' again: %s", name ?: "", error.message ?: "out of memory");
                (void) fd_close(fds[i][0]);
                (void) fd_close(fds[i][1]);
                router_request_done(&requests[i]);
        }
        s->state.taking_up = false;
        if (s->state.inherited && s->state.networks) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (router_apply_rules(&s->state, &error) < 0)
                        log_warning("%s", error.message ?: "cannot set the rules of the networks");
        }
        if (n > 0)
                s->served = true;
        free(requests);
        free(fds);
}

static int begin(Server *s, Error *reterr) {
        struct rlimit limit;

        (void) signal(SIGPIPE, SIG_IGN);
        (void) setsid();
        if (getrlimit(RLIMIT_NOFILE, &limit) >= 0) {
                limit.rlim_cur = limit.rlim_max;
                (void) setrlimit(RLIMIT_NOFILE, &limit);
        }
        s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
        if (s->epoll_fd < 0)
                return error_set_errno(reterr, -errno, "cannot start the router of the bridge networks");
        int r = open_directory(s, reterr);
        if (r >= 0)
                r = make_namespaces(s, reterr);
        if (r >= 0)
                r = start_uplink(s, reterr);
        if (r >= 0) {
                s->quota_fd = router_quota_open(&s->state); /* without it the log is not told, and the rest goes on */
                if (s->quota_fd >= 0)
                        (void) watch(s, SOURCE_QUOTA, s->quota_fd, /* container= */ NULL);
                take_up(s);
        }
        return r < 0 ? r : listen_for_clients(s, reterr);
}

static void server_done(Server *s) {
        if (s->state.directory_fd >= 0) {
                (void) unlinkat(s->state.directory_fd, ROUTER_SOCKET, 0);
                router_names_clear(&s->state);
                (void) unlinkat(s->state.store->runtime_fd, ROUTER_DIRECTORY, AT_REMOVEDIR);
                lease_collect(s->state.store, /* network= */ NULL); /* of commands that were killed */
        }
        router_state_done(&s->state);
        while (s->sources) {
                if (s->sources->kind == SOURCE_CLIENT)
                        (void) fd_close(s->sources->fd);
                forget(s, s->sources);
        }
        (void) fd_close(s->quota_fd);
        (void) fd_close(s->listen_fd);
        (void) fd_close(s->epoll_fd);
}

/* Whoever started a unit hears only that it has failed. */
static void leave_error(const Store *store, const json_t *object) {
        _cleanup_fd_ int dir = store_open_runtime(store, ROUTER_DIRECTORY, /* reterr= */ NULL);

        if (dir >= 0)
                (void) json_write(dir, ROUTER_ERROR, object, 0600, FILE_VOLATILE, /* reterr= */ NULL);
}

static void say_ready(const Store *store, int *fd, const Error *error) {
        _cleanup_json_ json_t *object = error ? router_wire_error(error) : NULL;
        char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

        if (object && *fd < 0)
                leave_error(store, object);

        if (*fd >= 0 && text)
                (void) io_write_full(*fd, text, strlen(text));
        free(text);
        *fd = fd_close(*fd);
        if (!error)
                (void) notify_send("READY=1");
}

int router_run(const Store *store, int ready_fd, Error *reterr) {
        _cleanup_fd_ int lock = -EBADF; /* held to the very end: what is removed then would be the next one's */
        _cleanup_(server_done) Server s = { .state = ROUTER_STATE_NULL, .epoll_fd = -EBADF, .listen_fd = -EBADF, .quota_fd = -EBADF };
        _cleanup_error_ Error error = ERROR_NULL;
        int r;

        s.state.store = store;
        s.state.forgotten = container_forgotten;
        s.state.names_forgotten = names_forgotten;
        s.state.data = &s;
        r = be_the_only_one(store, &lock, &error);
        if (r == -EEXIST) {
                say_ready(store, &ready_fd, /* error= */ NULL);
                return 0;
        }
        if (r >= 0)
                r = begin(&s, &error);
        say_ready(store, &ready_fd, r < 0 ? &error : NULL);
        if (r < 0)
                return error_move(reterr, &error);
        r = serve(&s);
        return r < 0 ? error_set_errno(reterr, r, "cannot go on as the router of the bridge networks") : 0;
}
