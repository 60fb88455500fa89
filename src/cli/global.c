/* SPDX-License-Identifier: Apache-2.0 */
/* The options that stand before any verb. */
#include "cli/global.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"

static const char *const log_levels[] = {
        "trace", "debug", "info", "warn", "warning", "error", "fatal", "panic", NULL
};
static const char *const storage_drivers[] = { "overlay", "fuse-overlayfs", "vfs", NULL };
static const char *const cgroup_managers[] = { "systemd", "disabled", NULL };

static int set_log_level(_unused_ void *options, const char *value, Error *reterr) {
        LogLevel level = log_level_from_string(value);

        if (level < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "not one of trace, debug, info, warn, warning, error, fatal, panic");
        log_set_level(level);
        return 0;
}

static const char only_in_process[] = "containers are made by sdpod itself, there is no runtime to choose";
static const char no_remote[] = "there is no remote service";

#define FIELD(member) offsetof(GlobalOptions, member)
static const Option rows[] = {
        { "cdi-spec-dir", .kind = OPTION_REFUSED },
        { "cgroup-manager", .kind = OPTION_STRING, .offset = FIELD(cgroup_manager), .metavar = "MANAGER",
          .help = "Who makes cgroups: systemd, or nobody (disabled)", .complete = COMPLETE_WORDS,
          .words = cgroup_managers },
        { "config", .kind = OPTION_REFUSED },
        { "conmon", .kind = OPTION_REFUSED, .refused = "there is no conmon" },
        { "events-backend", .kind = OPTION_REFUSED },
        { "help", 'h', .kind = OPTION_HELP, .help = "Print this help" },
        { "hooks-dir", .kind = OPTION_REFUSED },
        { "imagestore", .kind = OPTION_REFUSED },
        { "log-level", .kind = OPTION_SET, .set = set_log_level, .metavar = "LEVEL",
          .help = "Print messages of this level and above (default warn)", .complete = COMPLETE_WORDS,
          .words = log_levels },
        { "module", .kind = OPTION_REFUSED },
        { "namespace", .kind = OPTION_REFUSED },
        { "network-cmd-path", .kind = OPTION_REFUSED },
        { "network-config-dir", .kind = OPTION_REFUSED },
        { "noout", .kind = OPTION_BOOL, .offset = FIELD(noout), .help = "Print nothing to standard output" },
        { "root", .kind = OPTION_STRING, .offset = FIELD(root), .metavar = "DIR",
          .help = "Keep images, containers and volumes here", .complete = COMPLETE_DIRECTORY },
        { "runroot", .kind = OPTION_STRING, .offset = FIELD(runroot), .metavar = "DIR",
          .help = "Keep the state of running containers here", .complete = COMPLETE_DIRECTORY },
        { "runtime", .kind = OPTION_REFUSED, .refused = only_in_process },
        { "runtime-flag", .kind = OPTION_REFUSED, .refused = only_in_process },
        { "storage-driver", .kind = OPTION_STRING, .offset = FIELD(storage_driver), .metavar = "DRIVER",
          .help = "How layers become a root file system: overlay, fuse-overlayfs or vfs", .complete = COMPLETE_WORDS,
          .words = storage_drivers },
        { "storage-opt", .kind = OPTION_REFUSED },
        { "syslog", .kind = OPTION_REFUSED_BOOL },
        { "tmpdir", .kind = OPTION_REFUSED },
        { "transient-store", .kind = OPTION_REFUSED_BOOL },
        { "volumepath", .kind = OPTION_REFUSED },
        {},
};

static const Option rows_before_verb[] = {
        { "connection", 'c', .kind = OPTION_REFUSED, .refused = no_remote },
        { "identity", .kind = OPTION_REFUSED, .refused = no_remote },
        { "out", .kind = OPTION_REFUSED },
        { "remote", 'r', .kind = OPTION_REFUSED_BOOL, .refused = no_remote },
        { "ssh", .kind = OPTION_REFUSED, .refused = no_remote },
        { "tls-ca", .kind = OPTION_REFUSED, .refused = no_remote },
        { "tls-cert", .kind = OPTION_REFUSED, .refused = no_remote },
        { "tls-key", .kind = OPTION_REFUSED, .refused = no_remote },
        { "url", .kind = OPTION_REFUSED, .refused = no_remote },
        { "version", 'v', .kind = OPTION_BOOL, .offset = FIELD(version), .help = "Print the version" },
        {},
};

const Option *const global_options[] = { rows, rows_before_verb, NULL };
const Option *const global_options_everywhere[] = { rows, NULL };

int global_options_apply(const GlobalOptions *global, Error *reterr) {
        _cleanup_fd_ int fd = -EBADF;

        if (!global->noout)
                return 0;
        fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot open '/dev/null'");
        /* Standard output is inherited on purpose, so not O_CLOEXEC. */
        return dup2(fd, STDOUT_FILENO) < 0 ? error_set_errno(reterr, -errno, "cannot silence the standard output") : 0;
}
