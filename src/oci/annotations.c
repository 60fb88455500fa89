/* SPDX-License-Identifier: Apache-2.0 */
/* crun's annotations: which of them we have. */
#include "oci/annotations.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"

#define PREFIX "run.oci."
#define KEEP_GROUPS PREFIX "keep_original_groups"
#define PIDFD_RECEIVER PREFIX "pidfd_receiver"
#define SECCOMP_RECEIVER PREFIX "seccomp.receiver"
#define SYSTEMD_V1 PREFIX "systemd.force_cgroup_v1"

typedef struct Known {
        const char *key;
        const char *refusal;      /* NULL: it works */
        const char *same_without; /* a value that asks for what we do anyway */
} Known;

static const Known known[] = {
        { KEEP_GROUPS },
        { PIDFD_RECEIVER },
        { SECCOMP_RECEIVER },
        { SYSTEMD_V1 },
        { PREFIX "delegate-cgroup", "sub-cgroups are not made" },
        { PREFIX "handler", "sdpod-oci runs programs itself and has no handlers" },
        { PREFIX "hooks.stderr", "the output of hooks is kept for their errors" },
        { PREFIX "hooks.stdout", "the output of hooks is kept for their errors" },
        { PREFIX "mount_context_type", "volumes are labelled by 'context' alone", "context" },
        { PREFIX "seccomp.plugins", "no plugins are loaded; the listener goes to linux.seccomp.listenerPath" },
        { PREFIX "seccomp_bpf_data", "filters are those of linux.seccomp" },
        { PREFIX "seccomp_fail_unknown_syscall", "unknown system calls are passed over", "0" },
        { PREFIX "systemd.subgroup", "sub-cgroups are not made" },
};

static const Known *find(const char *pair) {
        for (size_t i = 0; i < ELEMENTSOF(known); i++) {
                const char *rest = str_after(pair, known[i].key);

                if (rest && *rest == '=')
                        return &known[i];
        }
        return NULL;
}

int oci_annotations_check(const RuntimeSpec *spec, Error *reterr) {
        for (char **pair = spec->annotations; pair && *pair; pair++) {
                if (!str_after(*pair, PREFIX))
                        continue;
                const Known *k = find(*pair);
                const char *value = strchr(*pair, '=') + 1;
                if (!k)
                        log_warning("the annotation '%.*s' is not known and changes nothing", (int) (value - 1 - *pair), *pair);
                else if (k->refusal && *value && !str_equal(value, k->same_without))
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot use the annotation '%s': %s", k->key, k->refusal);
        }
        return 0;
}

bool oci_keeps_groups(const RuntimeSpec *spec) {
        const char *value = runtime_spec_annotation(spec, KEEP_GROUPS);

        return value && !str_equal(value, "0");
}

const char *oci_pidfd_receiver(const RuntimeSpec *spec) {
        return runtime_spec_annotation(spec, PIDFD_RECEIVER);
}

const char *oci_seccomp_receiver(const RuntimeSpec *spec) {
        return runtime_spec_annotation(spec, SECCOMP_RECEIVER);
}

const char *oci_systemd_v1_place(const RuntimeSpec *spec) {
        return runtime_spec_annotation(spec, SYSTEMD_V1);
}
