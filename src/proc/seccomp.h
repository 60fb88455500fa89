/* SPDX-License-Identifier: Apache-2.0 */
/* Which system calls a container may make: our default profile (seccomp-default.txt), a person's own JSON profile, or
 * none; as a BPF program that the init loads last. */
#pragma once

#include <linux/filter.h>
#include <stdint.h>

#include "base/error.h"

/* What `--security-opt NAME` opens in the default profile, beside what capabilities open. seccomp-default.txt says, rule by
 * rule, what that is. Bits above those of the capabilities. */
typedef enum SeccompOpening {
        SECCOMP_OPENING_NESTED_USERNS,   /* user namespaces inside, and with them mounts; clone3 */
        SECCOMP_OPENING_KEYRING,         /* add_key, request_key, keyctl */
        SECCOMP_OPENING_AF_ALG,
        SECCOMP_OPENING_AF_VSOCK,
        SECCOMP_OPENING_SOCKET_FAMILIES, /* every address family */
        SECCOMP_OPENING_SOCKETCALL,      /* i386's socketcall(2), whose address family no filter sees */
        SECCOMP_OPENING_IO_URING,
        SECCOMP_OPENING_TTY_INJECTION,   /* ioctl TIOCSTI and TIOCLINUX */
        SECCOMP_OPENING_MODIFY_LDT,
        SECCOMP_OPENING_USERFAULTFD,
        SECCOMP_OPENING_PERSONALITY,     /* every personality(2) */
        _SECCOMP_OPENING_MAX,
} SeccompOpening;

enum { SECCOMP_OPENING_FIRST_BIT = 48 };
#define SECCOMP_OPENING_BIT(opening) (UINT64_C(1) << (SECCOMP_OPENING_FIRST_BIT + (opening)))

/* "nested-userns" <-> the opening; -ENOENT for an unknown name, NULL for an unknown number. */
int seccomp_opening_from_name(const char *name) _pure_;
const char *seccomp_opening_to_name(int opening) _pure_;

typedef struct SeccompRequest {
        const char *profile;   /* NULL: the default profile; "unconfined"; or the path of a JSON profile */
        uint64_t capabilities; /* the bounding set, see proc/caps.h */
        uint64_t openings;     /* SECCOMP_OPENING_BIT()s; only the default profile knows them */
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
