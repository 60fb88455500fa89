/* SPDX-License-Identifier: Apache-2.0 */
/* Which capabilities a container process has (capabilities(7)): the arithmetic of --cap-add, --cap-drop and --privileged
 * with Podman's rules, and the system calls that put the result into force (proc/credentials.h calls them in order).
 *
 * What holds after the exec, whatever was asked: the bounding set is what was resolved; root has all of it; another
 * user has nothing but what --cap-add named, as ambient (and so inheritable) capabilities; root has no inheritable
 * and no ambient ones. */
#pragma once

#include <stdint.h>

#include "base/error.h"

#define CAPS_BIT(cap) (UINT64_C(1) << (cap))

typedef struct CapSet {
        uint64_t bounding; /* one bit a capability, by its number */
        uint64_t added;    /* what --cap-add named and is in `bounding`: what a user other than root keeps */
} CapSet;

/* The eleven capabilities of a container where nothing was asked. */
uint64_t caps_default(void);

/* All capabilities that this kernel knows (prctl(2), PR_CAPBSET_READ asks it). */
uint64_t caps_all(void);

/* The number for a name in any case, with or without CAP_; -ENOENT for an unknown one. */
int caps_from_name(const char *name);

/* "CAP_CHOWN" for 0; NULL if there is no such number. Static. */
const char *caps_to_name(int cap) _pure_;

/* The names of the bits of a set, in the order of the alphabet as inspect shows them; a new vector, NULL when empty or
 * out of memory. */
char **caps_to_strv(uint64_t set);

/* The arithmetic. `add` and `drop` hold names or ALL and may be NULL. Refused, as Podman refuses it: an unknown name, ALL
 * in both, one name in both. */
int caps_resolve(char *const *add, char *const *drop, bool privileged, CapSet *ret, Error *reterr);

/* The three steps in the init, without any allocation; 0 or -errno. `caps_limit` needs CAP_SETPCAP: it drops what is not in
 * the bounding set, clears inheritable and ambient, and lets the permitted set survive the setuid that follows.
 * `caps_set`, after that setuid, sets all sets; with `keep_sys_admin` CAP_SYS_ADMIN stays permitted and effective until
 * the exec, which drops it in any case as neither the bounding nor the ambient set has it: seccomp(2) needs it where
 * no_new_privs is not set. */
int caps_limit(uint64_t bounding);
int caps_set(const CapSet *set, bool root, bool keep_sys_admin);

/* This process's permitted set, and writing three of its sets (capget(2), capset(2)): 0 or -errno. */
int caps_read_permitted(uint64_t *ret);
int caps_write(uint64_t effective, uint64_t permitted, uint64_t inheritable);
