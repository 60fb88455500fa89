/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of the running monitor: containers that are watched, clients that are attached, connections that ask. One
 * thread, one event loop; nothing here ever waits for a client or a container.
 *
 * Ownership: the Monitor owns all three lists. A client points to its watch, which may go first; a watch knows nothing of
 * its clients but whether there are any. */
#pragma once

#include <systemd/sd-event.h>

#include "monitor/recorder.h"

typedef struct Monitor Monitor;
typedef struct Watch Watch;

/* One stream of a watched container. */
typedef struct WatchStream {
        Watch *watch;
        LogStream stream;
        int fd;                  /* the pipe's read end, or the terminal's master */
        size_t capacity;         /* of the pipe */
        uint64_t last_usec;      /* when something came */
        sd_event_source *io;
        sd_event_source *delay;  /* lets a busy pipe fill a little; NULL until needed */
        bool ended, paused;
} WatchStream;

struct Watch {
        Monitor *monitor;
        Watch *next;
        MonitorConfig config;
        Recorder recorder;
        WatchStream streams[_LOG_STREAM_MAX];
        unsigned n_streams;
        int pty_pipe[2];         /* between a terminal and its spool: splice(2) needs a pipe on one side */
        int pty_peer;            /* keeps the terminal from hanging up while nobody in the container has it open */
        int input_fd;            /* stdin's write end, or the master again */
        int pidfd;
        sd_event_source *process, *timer, *input;
        unsigned n_clients;
        bool process_ended, journal_full;
        uint64_t blocked_since, progress; /* of a journal that does not take more */
        uint64_t ending_since;            /* the end has come, the log cannot be written */
        sd_event_source *network, *network_timer; /* of net-watch.c */
        bool network_command;             /* `network` is that of the command that makes a new one */
        uint64_t network_since, network_delay;
};

typedef struct Client Client;
struct Client {
        Monitor *monitor;
        Client *next;
        Watch *watch;            /* NULL: waits for one, or is on its way out */
        char *waits_for;         /* the ID; NULL: it does not */
        int fd;
        sd_event_source *io;
        bool framed, wants_stdin, close_stdin, leaving;
        bool input_ended, hung_up;
        char *out, *in;          /* what the client, what the container has not taken yet */
        size_t out_start, out_size, out_room, in_start, in_size;
        uint64_t skipped;
};

typedef struct Connection Connection;
struct Connection {
        Monitor *monitor;
        Connection *next;
        int fd;
        uint64_t last_usec;
        sd_event_source *io;
};

struct Monitor {
        sd_event *event;
        RecorderShared shared;
        bool use_store;          /* systemd keeps our descriptors */
        int index_fd;            /* directory of symlinks, ID -> runtime directory; -EBADF: none */
        uid_t uid;               /* whom we serve */
        Watch *watches;
        Client *clients;
        Connection *connections;
        size_t n_watches, n_clients, n_connections;
        sd_event_source *listen, *journal;
        int userns_fd;           /* a user namespace kept for those who start containers; -EBADF: none */
        char *userns_map;        /* its map, as text */

        /* a watch has come to its end; NULL: nobody cares */
        void (*on_watch_end)(const char *id, void *userdata);
        void *userdata;
};

/* Sets up an empty monitor. */
int monitor_init(Monitor *monitor, sd_event *event, Error *reterr);
void monitor_done(Monitor *monitor);

/* Serves requests on a listening socket, which is taken over. monitor/server.c */
int monitor_listen(Monitor *monitor, int fd);

static inline uint64_t monitor_now(const Monitor *monitor) {
        uint64_t now = 0;

        (void) sd_event_now(monitor->event, CLOCK_MONOTONIC, &now); /* cannot fail on a live loop */
        return now;
}

/* kept-userns.c: the kept user namespace, see protocol.h. Getting gives a descriptor that stays the monitor's, or -ENOENT;
 * keeping takes the descriptor over in any case; restoring does so with one from the store. */
int kept_userns_get(const Monitor *monitor, const char *map);
int kept_userns_keep(Monitor *monitor, const char *map, int fd, Error *reterr);
void kept_userns_restore(Monitor *monitor, int fd);

/* watch.c: descriptors come in a WatchFds and are taken over in any case. */
typedef struct WatchFds {
        int streams[_LOG_STREAM_MAX]; /* the second is -EBADF with a terminal */
        int input, pidfd;
        int pty_pipe[2];              /* from the store; -EBADF: made anew */
} WatchFds;

#define WATCH_FDS_NULL \
        ((WatchFds){ .streams = { -EBADF, -EBADF }, .input = -EBADF, .pidfd = -EBADF, .pty_pipe = { -EBADF, -EBADF } })

void watch_fds_done(WatchFds *fds);

/* Begins to watch, or with `resume` goes on for an earlier life. `config` is moved. */
int watch_add(Monitor *monitor, MonitorConfig *config, WatchFds *fds, bool resume, Error *reterr);
Watch *watch_find(const Monitor *monitor, const char *id);

/* Records what there is now and ends the watch; clients get what is left and are let go. */
void watch_end(Watch *watch);

/* The container's init has ended: what it wrote is recorded, then the watch ends (on_watch_end), perhaps before this
 * returns. */
void watch_process_ended(Watch *watch);

/* Frees without ending: the next life goes on. */
void watch_free(Watch *watch);

/* Logs all that has come, also pieces of lines. */
void watch_flush(Watch *watch);

/* A client has come or gone. */
void watch_count_client(Watch *watch, int change);

/* Writes to the container's stdin: the bytes taken, 0 when it takes none now (watch_want_input() tells later), or
 * -errno when it never will. */
ssize_t watch_input(Watch *watch, const char *data, size_t size);
void watch_want_input(Watch *watch);
void watch_close_input(Watch *watch);

/* net-watch.c: waits for the end of the container's network process, if it has one, and has it started again. `resume`: who it
 * is now stands in process.json. */
void net_watch_begin(Watch *watch, bool resume);
void net_watch_done(Watch *watch);

/* ---- attach.c: who is attached to a container ---- */

typedef struct ClientOptions {
        bool wants_stdin, close_stdin;
} ClientOptions;

/* Attaches a client to a watch, or (NULL) lets it wait for the container `waits_for` to get one. `fd` is taken over in any case. */
int client_add(Monitor *monitor, Watch *watch, const char *waits_for, int fd, ClientOptions options, Error *reterr);
void client_free(Client *client);

/* Sends what the container has written to all clients of the watch. */
void clients_output(Watch *watch, LogStream stream, const char *data, size_t size);

/* The container's stdin takes bytes again: what clients have sent meanwhile goes there. */
void clients_input_ready(Watch *watch);

/* Those that waited for the watch's container are its clients now. */
void clients_adopt(Watch *watch);

/* Ends all clients of the watch: they get what is buffered, then the end. Returns how many they were. */
unsigned clients_leave(Watch *watch);
