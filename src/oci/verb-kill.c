/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-oci kill: a signal to a container's process, or to all of them. */
#include <signal.h>

#include "base/parse.h"
#include "base/process.h"
#include "base/str.h"
#include "oci/choose.h"
#include "oci/verb.h"

typedef struct KillOptions {
        bool all, regex;
} KillOptions;

static const Option rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = offsetof(KillOptions, all), .help = "To all processes of the container" },
        { "regex", 'r', .kind = OPTION_BOOL, .offset = offsetof(KillOptions, regex),
          .help = "To all containers whose ID matches: ID is a regular expression" },
        {},
};
static const Option *const options[] = { rows, NULL };

typedef struct Kill {
        int signal;
        bool all;
} Kill;

static int signal_number(const char *word, int *ret, Error *reterr) {
        if (str_equal(word, "0")) /* asks whether there is somebody to be signalled (kill(2)) */
                *ret = 0;
        else if (parse_signal(word, ret) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the signal '%s': unknown signal \"%s\"", word, word);
        return 0;
}

static int not_running(const OciContainer *c, Error *reterr) {
        return error_set(reterr, -ESRCH, ERROR_STATE, "cannot signal the container '%s': container not running", c->id);
}

static int signal_init(const OciContainer *c, int signal, Error *reterr) {
        int r = process_signal(c->pidfd, signal);

        if (r == -ESRCH)
                return not_running(c, reterr);
        return r < 0 ? error_set_errno(reterr, r, "cannot signal the container '%s'", c->id) : 0;
}

static int kill_one(OciContainer *c, const void *data, Error *reterr) {
        const Kill *kill = data;
        const RuntimeCgroup *cgroup = &c->record.cgroup;
        bool running = c->pidfd >= 0;
        /* whoever kills the init of a shared PID namespace means the container: nobody else would end the rest of it */
        bool all = kill->all || (kill->signal == SIGKILL && !c->record.own_pid_namespace);
        int r = all ? runtime_cgroup_kill(cgroup, kill->signal, reterr) : -ENOENT;

        if (r == -ENOENT && running)
                r = signal_init(c, kill->signal, reterr);
        else if (r == -ENOENT)
                r = kill->all ? 0 : not_running(c, reterr);
        /* in v1 it takes effect once it is no longer frozen */
        if (r >= 0 && kill->signal == SIGKILL && running && runtime_cgroup_is_frozen(cgroup))
                r = runtime_cgroup_freeze(cgroup, false, reterr);
        return r;
}

static int run(Invocation *in, Error *reterr) {
        const KillOptions *o = in->options;
        Kill kill = { .signal = SIGTERM, .all = o->all };
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        _cleanup_oci_container_ OciContainer c = OCI_CONTAINER_NULL;

        int r = in->n_arguments > 1 ? signal_number(in->arguments[1], &kill.signal, reterr) : 0;
        if (r >= 0 && o->regex)
                return oci_each_matching(&in->global, in->arguments[0], kill_one, /* lock= */ false, &kill, reterr);
        if (r >= 0)
                r = oci_container_find(&in->global, in->arguments[0], /* lock= */ false, &root, &c, reterr);
        return r < 0 ? r : kill_one(&c, &kill, reterr);
}

const Verb verb_kill = {
        .name = "kill",
        .arguments = "ID [SIGNAL]",
        .summary = "Send a signal to a container's process",
        .description = "SIGNAL is a number or a name, with SIG in front or not; TERM where there is none.",
        .options = options,
        .options_size = sizeof(KillOptions),
        .arguments_min = 1,
        .arguments_max = 2,
        .complete = COMPLETE_SIGNAL,
        .run = run,
};
