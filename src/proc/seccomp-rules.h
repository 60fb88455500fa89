/* SPDX-License-Identifier: Apache-2.0 */
/* A seccomp profile as the OCI runtime-spec has it (linux.seccomp), made into a filter by libseccomp, which is loaded here and
 * nowhere else. What is not understood is refused, with one exception that the format needs: names of system calls that
 * the library does not know (they are newer, or another machine's) get no rule. */
#pragma once

#include "proc/seccomp.h"
#include "spec/runtime-spec.h"

/* Compiles it. `subject` is what it is called in messages ("linux.seccomp"). The filter's flags have NEW_LISTENER where one of
 * its verdicts is to ask a listener. */
int seccomp_rules_compile(const RuntimeSeccomp *seccomp, const char *subject, SeccompFilter *ret, Error *reterr);

/* All that the result depends on as bytes, the machine and its kernel among them: for proc/seccomp-cache.h. Owned. */
int seccomp_rules_key(const RuntimeSeccomp *seccomp, char **ret, size_t *ret_size);

/* The words of the format that are understood, static, up to NULL: actions, operators, architectures, flags. */
typedef enum SeccompWords { SECCOMP_ACTIONS, SECCOMP_OPERATORS, SECCOMP_ARCHITECTURES, SECCOMP_FLAGS } SeccompWords;
const char *seccomp_word(SeccompWords words, size_t i) _pure_;

/* Whether the kernel takes a flag of that list. */
bool seccomp_flag_is_supported(const char *name);

/* libseccomp's version as three numbers; -ENOENT where it is not there. */
int seccomp_library_version(unsigned ret[static 3]);
