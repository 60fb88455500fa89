/* SPDX-License-Identifier: Apache-2.0 */
/* What is not there yet is refused, and not passed over. */
#include "oci/not-there-yet.h"

#include "base/io.h"
#include "oci/process.h"

static int refuse(const char *what, Error *reterr) {
        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot %s: it is not there yet", what);
}

/* ---- oci/features.h, oci/spec-template.h ---- */

int oci_features_print(FILE *f, Error *reterr) {
        (void) f;
        return refuse("print features", reterr);
}

int oci_spec_template_write(int bundle_fd, bool rootless, Error *reterr) {
        (void) bundle_fd;
        (void) rootless;
        return refuse("write a config.json", reterr);
}

/* ---- oci/process.h ---- */

int oci_spec_complete(RuntimeSpec *spec, Error *reterr) {
        (void) spec;
        (void) reterr;
        return 0;
}

void oci_init_done(OciInit *init) {
        (void) fd_close(init->pidfd);
        (void) fd_close(init->console_fd);
        *init = OCI_INIT_NULL;
}

int oci_create(const OciCreate *create, OciInit *ret, Error *reterr) {
        (void) create;
        (void) ret;
        return refuse("create a container", reterr);
}

int oci_start(int state_fd, Error *reterr) {
        (void) state_fd;
        return refuse("start a container", reterr);
}

bool oci_is_waiting(int state_fd) {
        (void) state_fd;
        return false;
}

int oci_exec(const OciExec *exec, OciInit *ret, Error *reterr) {
        (void) exec;
        (void) ret;
        return refuse("execute a process", reterr);
}

int oci_hooks_run(RuntimeHookKind kind, const OciHookState *state, bool go_on, Error *reterr) {
        (void) kind;
        (void) state;
        (void) go_on;
        return refuse("run hooks", reterr);
}
