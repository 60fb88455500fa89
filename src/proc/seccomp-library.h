/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of libseccomp, which only a container with a profile that is not kept needs: a program loads the library then
 * (seccomp-library.c), or holds it (seccomp-library-linked.c, of a static program). */
#pragma once

#include <seccomp.h>

#include "base/error.h"

#define SECCOMP_LIBRARY_FUNCTIONS(X)                                                                                       \
        X(seccomp_init) X(seccomp_release) X(seccomp_arch_native) X(seccomp_arch_exist) X(seccomp_arch_add)                \
        X(seccomp_attr_set) X(seccomp_syscall_resolve_name) X(seccomp_syscall_resolve_name_arch)                           \
        X(seccomp_rule_add_array) X(seccomp_export_bpf) X(seccomp_version)

typedef struct SeccompLibrary {
        void *handle;
#define X(function) typeof(&function) function;
        SECCOMP_LIBRARY_FUNCTIONS(X)
#undef X
} SeccompLibrary;

/* Gets them. -ENOENT where there is no such library, or one that is too old. */
int seccomp_library_load(SeccompLibrary *ret, Error *reterr);
void seccomp_library_done(SeccompLibrary *library);
