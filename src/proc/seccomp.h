/* SPDX-License-Identifier: Apache-2.0 */
/* Which system calls a container may make: our default profile (seccomp-default.txt), a person's own JSON profile, or
 * none; as a BPF program that the init loads last. */
#pragma once

#include <linux/filter.h>
#include <stdint.h>

#include "base/error.h"
#include "spec/opening.h"

typedef struct SeccompRequest {
        const char *profile;   /* NULL: the default profile; "unconfined"; or the path of a JSON profile */
        uint64_t capabilities; /* the bounding set, see proc/caps.h */
        uint64_t openings;     /* SECURITY_OPENING_BIT()s; only the default profile knows them */
        bool privileged;       /* unconfined, unless a profile is named */
        int data_fd;           /* sdpod's data directory, where compiled JSON profiles are kept; -EBADF: not kept */
} SeccompRequest;

typedef struct SeccompFilter {
        const struct sock_filter *code; /* NULL: no filter */
        size_t n_code;
        struct sock_filter *owned;      /* NULL where the program itself holds the code */
        unsigned flags;                 /* SECCOMP_FILTER_FLAG_* */
} SeccompFilter;

#define SECCOMP_FILTER_NULL ((SeccompFilter){})

void seccomp_filter_done(SeccompFilter *filter);
#define _cleanup_seccomp_filter_ _cleanup_(seccomp_filter_done)

static inline bool seccomp_filter_is_set(const SeccompFilter *filter) {
        return filter->code;
}

/* Gets the filter for a container; to be called before the clone. Nothing is ever loosened silently: a profile that cannot
 * be read or understood is an error. */
int seccomp_prepare(const SeccompRequest *request, SeccompFilter *ret, Error *reterr);

/* Puts the filter into force on this thread for good. Two system calls at most, no allocation. Needs no_new_privs or
 * CAP_SYS_ADMIN in the user namespace; see proc/credentials.h for the order. */
int seccomp_filter_load(const SeccompFilter *filter);

/* The same for one whose flags have SECCOMP_FILTER_FLAG_NEW_LISTENER: `message` and with its first byte the listener go
 * over `socket` (SOCK_STREAM), which is shut down then; the listener is closed here. From then on calls of this thread may wait for whoever has the listener. */
int seccomp_filter_load_listener(const SeccompFilter *filter, int socket, const char *message);
