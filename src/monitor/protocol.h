/* SPDX-License-Identifier: Apache-2.0 */
/* What is said on a monitor's socket: $XDG_RUNTIME_DIR/sdpod/monitor.sock (root: /run/sdpod/monitor.sock) of the user's
 * monitor, containers/ID/monitor.sock in the runtime directory of one that stands alone with its container.
 *
 * SOCK_SEQPACKET; a request is one message of at most MONITOR_MESSAGE_MAX bytes, one JSON object, with its descriptors
 * as SCM_RIGHTS; the answer is one message. Only the same user is served (SO_PEERCRED). A key that is not listed here is
 * refused by name. Requests on one connection are answered in order.
 *
 *   {"op":"watch", "id":ID, "runtimeDir":PATH, "driver":"k8s-file"|"journald"|"none", ...}     see MonitorConfig
 *        descriptors, in this order: the read ends of stdout and stderr, or with "terminal":true the master;
 *        with "openStdin":true and no terminal stdin's write end; with "pidfd":true a pidfd of the container's init.
 *        -> {"ok":true}
 *        From the answer on the monitor owns the recording, also over its own death. A second watch of the same pipes is
 *        the same watch (the client may repeat it when the monitor died before it answered); other pipes under a known
 *        ID are a new run: the old one is recorded to its end first.
 *        Without a pidfd the recording ends when all writers have closed; with one, when the process has ended and what
 *        it wrote has been read.
 *        When process "netPid" (started at "netStartTime") ends before the container, "netCommand" is run, after which
 *        process.json in "runtimeDir" says who it is now.
 *   {"op":"attach", "id":ID, "stdin":BOOL, "closeStdin":BOOL, "wait":BOOL, "logs":BOOL} + a connected stream socket
 *        -> {"ok":true, "terminal":BOOL, "logOffset":N, "logInode":N}
 *        From then on the container's output comes over that socket: raw with a terminal, else in frames of eight bytes
 *        {1 stdout | 2 stderr, 0, 0, 0, size (big-endian)} and `size` bytes. The end of the stream is the end of the
 *        container (log.state says complete then) or of the monitor. With "stdin" what the client writes goes to the
 *        container; with "closeStdin" the end of it does, too. With "wait" an ID that is not watched yet is waited for,
 *        so that nothing of the first output is missed. With "logs" (k8s-file only) all output so far has been logged,
 *        and what the socket brings is what the log has from "logOffset" on.
 *        A client that does not read misses output (a note says how much); it never slows the container.
 *   {"op":"resize", "id":ID, "rows":N, "cols":N}   -> {"ok":true}
 *   {"op":"detach", "id":ID}                       -> {"ok":true, "clients":N}    ends all attached clients of it
 *   {"op":"stat"}           -> {"ok":true, "containers":N, "clients":N, "pid":N}
 *   {"op":"stat", "id":ID}  -> {"ok":true, "driver":..., "path":..., "terminal":BOOL, "clients":N, "pending":N,
 *                               "lost":N, "failing":ERRNO}
 *   {"op":"get-userns", "map":TEXT}                -> {"ok":true} + the user namespace that is kept for this map; or not-found
 *   {"op":"keep-userns", "map":TEXT} + a user namespace of the same user    -> {"ok":true}
 *        One namespace is kept, by the user's monitor (in systemd's store, so beyond its own life), for those who start
 *        containers (ns/pinned.h). TEXT is not looked into, only compared. Another map takes the place of the one before;
 *        of two with the same the first stays.
 *
 * An error is {"ok":false, "errno":N, "kind":KIND, "error":TEXT}; the kinds are those of base/error.h. */
#pragma once

#include <stdint.h>

#include "base/json.h"

enum {
        MONITOR_MESSAGE_MAX = 64 * 1024,
        MONITOR_FDS_MAX = 4,
        MONITOR_CONNECTIONS_MAX = 128, /* requests; the one that was quiet longest gives way */
        MONITOR_CLIENTS_MAX = 1024,    /* attached, all containers together */
        MONITOR_CLIENT_BUFFER_MAX = 1024 * 1024,
        MONITOR_SPOOL_MAX = 4 * 1024 * 1024,
        MONITOR_ID_LENGTH = 64,
        MONITOR_MAP_MAX = 32 * 1024,   /* text of a user namespace's map */
};

#define MONITOR_SOCKET_NAME "monitor.sock"

/* What the monitor has to know of a container to record its output: the "watch" request, and log.json beside the spools
 * for the monitor's next life. */
typedef struct MonitorConfig {
        char *id, *name, *image; /* `image` and `name` are for the journal's fields */
        char *runtime_dir;       /* absolute; where log.state and the spools lie */
        char *driver;            /* "k8s-file", "journald", "none" */
        char *path;              /* of the log; k8s-file */
        uint64_t max_size;       /* of the log; 0: the default */
        char *tag, *unit;        /* journald */
        bool terminal, open_stdin;
        bool pidfd;              /* a pidfd comes with the request */
        int64_t net_pid;         /* the container's network process; 0: none */
        uint64_t net_start_time;
        char **net_command;      /* makes a new one when it has ended before the container (net-watch.c) */
} MonitorConfig;

extern const JsonField monitor_config_fields[];

void monitor_config_done(MonitorConfig *config);
#define _cleanup_monitor_config_ _cleanup_(monitor_config_done)

/* Checks what a stranger could have got wrong: the ID, absolute paths, lengths, the driver. */
int monitor_config_check(const MonitorConfig *config, Error *reterr);

/* How many descriptors go with the request. */
size_t monitor_config_n_fds(const MonitorConfig *config) _pure_;

/* 64 lower-case hex digits. */
bool monitor_id_is_valid(const char *id) _pure_;

/* Refuses keys that are not in `fields` (NULL: none), beside "op". */
int monitor_check_keys(const json_t *request, const JsonField *fields, Error *reterr);

/* The answer for an error, and back: -errno with the error filled, or 0 for an {"ok":true}. */
json_t *monitor_error_to_json(int code, const Error *error);
int monitor_error_from_json(const json_t *answer, Error *reterr);
