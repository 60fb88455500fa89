/* SPDX-License-Identifier: Apache-2.0 */
/* The resource limits that a container can have (getrlimit(2)), by their three names. */
#pragma once

#include "base/macro.h"

typedef struct RlimitKind {
        const char *name; /* --ulimit's: "nofile" */
        const char *type; /* the record's: "RLIMIT_NOFILE" */
        int resource;     /* the kernel's: RLIMIT_NOFILE */
} RlimitKind;

enum { RLIMIT_KINDS = 16 };
extern const RlimitKind rlimit_kinds[RLIMIT_KINDS];

/* NULL where there is none. A bundle of the runtime-spec may also limit the address space, for which --ulimit has no word. */
const RlimitKind *rlimit_kind_by_name(const char *name) _pure_;
const RlimitKind *rlimit_kind_by_type(const char *type) _pure_;
