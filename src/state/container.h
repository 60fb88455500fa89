/* SPDX-License-Identifier: Apache-2.0 */
/* Containers on disk: the record (container.json, written once), the state (state.json, small, rewritten at each change)
 * and, in the runtime directory, the process (process.json, dies with the boot). Truth about "is it running" is always
 * the process itself: pid, start time and boot. */
#pragma once

#include "spec/container.h"
#include "state/store.h"

typedef enum ContainerStatus {
        CONTAINER_CREATED,
        CONTAINER_INITIALIZED,
        CONTAINER_RUNNING,
        CONTAINER_PAUSED,
        CONTAINER_EXITED,
        CONTAINER_STOPPING,
        CONTAINER_REMOVING,
        _CONTAINER_STATUS_MAX,
} ContainerStatus;

/* "created", "initialized", "running", "paused", "exited", "stopping", "removing": Podman's words. */
const char *container_status_to_string(ContainerStatus status) _pure_;

/* state.json: what outlives the process. */
typedef struct ContainerState {
        int64_t started_usec, finished_usec; /* 0: never */
        int exit_code;          /* of the last run; -1 unknown */
        bool exited;            /* it has run and its exit is recorded */
        bool oom_killed, stopped_by_user;
        bool initialized;       /* `init` has prepared the next start */
        uint32_t restart_count;
        char *error;            /* why the last start failed; NULL */
        char *unit;             /* the systemd unit that holds it, NULL: none */
        char *log_driver, *log_path; /* what the last start decided */
        char *storage_driver;        /* the same; NULL: not started yet, or a --rootfs directory */
} ContainerState;

/* A network that it is in. */
typedef struct ContainerAttachment {
        char *network;          /* name */
        char *interface_name;   /* in the container */
        char *mac;              /* "aa:bb:cc:dd:ee:ff" */
        char **addresses;       /* "10.89.0.2/24" */
        char **gateways;
} ContainerAttachment;

/* process.json: the running process. */
typedef struct ContainerProcess {
        int pid;                /* of the container's init, in the namespace of sdpod; 0: none */
        uint64_t start_time;    /* clock ticks since boot */
        char *boot_id;          /* /proc/sys/kernel/random/boot_id */
        char *cgroup;           /* path of the container's cgroup below /sys/fs/cgroup, "" for none */
        char *unit;             /* the systemd unit it was started in; NULL: none */
        uint64_t oom_kills;     /* that its cgroup had counted before: a unit's stays over its restarts */
        bool paused;            /* frozen by `pause` */
        int net_pid;            /* sdpod-net; 0: none */
        uint64_t net_start_time;
        bool bypass;            /* its connections are sdpod-bypass's, those of exec too */
        ContainerPort *ports;   /* as really bound */
        size_t n_ports;
        ContainerAttachment *networks; /* of mode "bridge", in the order of the record */
        size_t n_networks;
} ContainerProcess;

extern const JsonField container_state_fields[], container_process_fields[];

typedef struct Container {
        ContainerConfig config;
        ContainerState state;
        ContainerProcess process;
        ContainerStatus status; /* resolved when it was loaded */
        int dir_fd;             /* containers/ID */
        int runtime_fd;         /* runtime containers/ID; -EBADF until opened */
        int pidfd;              /* of the init while it runs; -EBADF otherwise */
        int lock_fd;            /* -EBADF: not locked */
        int64_t stop_sent_usec; /* CLOCK_MONOTONIC: when this process was told to end already (engine_stop_begin()); 0: it was not */
        bool stop_killed;       /* ... and was killed, as its time was over (engine_stop_expire()) */
        int pending_fd;         /* the mark that we are making, removing or holding it; -EBADF: none */
} Container;

#define CONTAINER_NULL \
        ((Container){ .config = CONTAINER_CONFIG_NULL, .dir_fd = -EBADF, .runtime_fd = -EBADF, .pidfd = -EBADF, .lock_fd = -EBADF, \
                      .pending_fd = -EBADF })

void container_done(Container *container);
#define _cleanup_container_ _cleanup_(container_done)

/* Makes the record under a fresh ID (or config->id when set), and claims the name (config->name; one is made up when
 * NULL) with one symlink(2). -EEXIST names the holder. `config` is moved into *ret, which comes locked, and marked as
 * pending until container_settled(). */
int container_create(const Store *store, ContainerConfig *config, Container *ret, Error *reterr);

/* The container is what it was to become: made, or started by something that outlives this command. Removes the mark. */
void container_settled(const Store *store, Container *container);

/* Finds by full name, full ID, or an ID prefix that only one container has. Returns the ID (owned).
 * -ENOENT "no such container", -EINVAL when the prefix is ambiguous. */
int container_find(const Store *store, const char *name_or_id, char **ret_id, Error *reterr);

/* Loads record, state and process, and resolves the status. */
int container_load(const Store *store, const char *id, Container *ret, Error *reterr);

/* For those who look at many containers: directories that stay open, and what may run. */
typedef struct ContainerLister {
        const Store *store; /* borrowed */
        int data_fd, runtime_fd;
        char **running;     /* sorted */
        size_t n_running, room;
} ContainerLister;

#define CONTAINER_LISTER_NULL ((ContainerLister){ .data_fd = -EBADF, .runtime_fd = -EBADF })

/* Opens the directories and reads what may run, once. The store must outlive it. */
int container_lister_open(const Store *store, ContainerLister *ret, Error *reterr);
void container_lister_done(ContainerLister *lister);
#define _cleanup_container_lister_ _cleanup_(container_lister_done)

/* As container_load(), but of the record only what lists show and filters ask for (container_listed_fields), and no directory is
 * opened, so that it cannot be locked or measured. What was started after the lister was opened is shown as it was before. */
int container_load_listed(const ContainerLister *lister, const char *id, Container *ret, Error *reterr);

/* Of the record alone these fields, of which version, id and name must be some. */
int container_load_config(const ContainerLister *lister, const char *id, const JsonField *fields, ContainerConfig *ret, Error *reterr);

/* Whether there may be a process: false is certain for the moment in which the lister was opened. */
bool container_may_run(const ContainerLister *lister, const char *id);

/* find + load. */
int container_open(const Store *store, const char *name_or_id, Container *ret, Error *reterr);

/* Waits for the container's lock and reloads state and process under it. Released by container_unlock() or _done(). */
int container_lock(const Store *store, Container *container, Error *reterr);

void container_unlock(Container *container);

/* Reads state and process again and resolves the status. */
int container_refresh(const Store *store, Container *container, Error *reterr);

/* Writes state.json, under the container's lock. */
int container_save_state(Container *container, Error *reterr);

/* The record itself: read again, and written when `update` has changed it. The container must be locked for both. */
int container_reload_config(Container *container, Error *reterr);
int container_save_config(Container *container, Error *reterr);

/* Writes process.json and marks the container as one that may run; with the PID 0 both are removed. Under the lock, too. */
int container_save_process(const Store *store, Container *container, Error *reterr);

/* All IDs, in no order; a vector (NULL: none). */
int container_list(const Store *store, char ***ret, Error *reterr);

/* Gives the container another name: claims the new one, then lets the old one go. */
int container_rename(const Store *store, Container *container, const char *name, Error *reterr);

/* Lets go of the name that a rename which was killed has left it besides its own. Takes the container's lock for that moment. */
int container_settle_name(const Store *store, Container *container, Error *reterr);

/* Removes record, name and runtime files; `remove_rootfs` first removes what belongs to mapped IDs (see
 * storage/rootfs.h, which the engine passes in so that state knows nothing of namespaces). */
int container_delete(const Store *store, Container *container, int (*remove_rootfs)(int dir_fd, void *data, Error *reterr),
                     void *data, Error *reterr);

/* Opens the container's directory in the runtime directory, making it where missing. Borrowed from the container. */
int container_runtime_fd(const Store *store, Container *container, Error *reterr);
