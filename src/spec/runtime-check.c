/* SPDX-License-Identifier: Apache-2.0 */
/* What the OCI runtime-spec says MUST hold of a config.json, as far as the text alone tells it. */
#include <ctype.h>

#include "base/str.h"
#include "spec/runtime-spec.h"

static int refuse(Error *reterr, const char *member, const char *reason) {
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use config.json: %s: %s", member, reason);
}

/* "1.0.2-dev": what has another major number may mean anything by the same words. */
static int check_version(const char *version, Error *reterr) {
        if (str_empty(version))
                return refuse(reterr, "ociVersion", "is missing");
        if (strncmp(version, "1.", 2) != 0 || !isdigit((unsigned char) version[2]))
                return error_set(reterr, -EINVAL, ERROR_UNSUPPORTED, "cannot use config.json: ociVersion: '%.40s' is not 1.x.y", version);
        return 0;
}

static int check_foreign(const RuntimeSpec *s, Error *reterr) {
        const struct {
                bool given;
                const char *member;
        } foreign[] = {
                { s->has_vm, "vm" }, { s->has_solaris, "solaris" }, { s->has_windows, "windows" }, { s->has_zos, "zos" },
                { s->has_freebsd, "freebsd" }, { s->has_intel_rdt, "linux.intelRdt" },
        };

        for (size_t i = 0; i < ELEMENTSOF(foreign); i++)
                if (foreign[i].given)
                        return refuse(reterr, foreign[i].member, "sdpod-oci does not have it");
        return 0;
}

int runtime_process_check(const RuntimeProcess *process, Error *reterr) {
        if (!process->args)
                return refuse(reterr, "process.args", "must not be empty");
        if (!process->cwd || *process->cwd != '/')
                return refuse(reterr, "process.cwd", "must be an absolute path");
        return 0;
}

int runtime_spec_check(const RuntimeSpec *spec, Error *reterr) {
        int r = check_version(spec->oci_version, reterr);

        if (r >= 0)
                r = check_foreign(spec, reterr);
        if (r >= 0 && spec->has_process)
                r = runtime_process_check(&spec->process, reterr);
        return r;
}
