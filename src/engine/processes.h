/* SPDX-License-Identifier: Apache-2.0 */
/* The processes of a running container, read from the host's /proc: nothing of the image is executed. */
#pragma once

#include "state/container.h"

typedef struct ProcessIds {
        uint32_t real, effective; /* as the container sees them; UINT32_MAX: not mapped in it */
        uint32_t host_effective;
} ProcessIds;

typedef struct ProcessInfo {
        pid_t pid, ppid, pgid;      /* in the container; ppid 0: its parent is outside */
        pid_t host_pid, host_ppid;
        ProcessIds uid, gid;
        ProcessIds *groups;         /* supplementary ones; real and effective are the same */
        size_t n_groups;
        char state;                 /* as in proc_pid_stat(5): 'R', 'S', ... */
        int nice, tty;              /* tty: the device number, 0: none */
        uint64_t cpu_ticks, start_ticks; /* of sysconf(_SC_CLK_TCK) a second; the start since boot */
        uint64_t vsize, rss;        /* bytes */
        uint64_t cap_inherited, cap_permitted, cap_effective, cap_bounding, cap_ambient;
        int seccomp;                /* 0 disabled, 1 strict, 2 filter */
        char *comm, *args;          /* args: words with a blank between; comm in brackets where it has none */
        char *label;                /* security attributes; NULL: none */
} ProcessInfo;

typedef struct ProcessList {
        ProcessInfo *items;
        size_t n;
        char *passwd, *group;       /* the container's own files; NULL where they cannot be read */
} ProcessList;

void process_list_done(ProcessList *list);
#define _cleanup_process_list_ _cleanup_(process_list_done)

/* All of its processes, by pid. -ESRCH (ERROR_STATE) when it does not run. */
int process_list_read(const Container *container, ProcessList *ret, Error *reterr);

/* The name of an ID in a passwd(5) or group(5) text; owned; NULL where there is none. */
char *process_name_of_id(const char *database, uint32_t id);

/* One process from the texts of /proc/PID/stat and status; exposed for its test. -EBADMSG. */
int process_parse(const char *stat, const char *status, ProcessInfo *ret);

/* Names without "CAP_" and with commas between; "none", "full". Owned; NULL when out of memory. */
char *process_capabilities_text(uint64_t set);
