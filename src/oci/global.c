/* SPDX-License-Identifier: Apache-2.0 */
/* The options that stand before a verb. */
#include "oci/global.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"

enum { MAP_LIMIT = 64 * 1024 };

static const char *const log_formats[] = { "text", "json", NULL };
static const char *const log_levels[] = { "debug", "info", "warn", "warning", "error", NULL };
static const char *const rootless_words[] = { "true", "false", "auto", NULL };
static const char *const cgroup_managers[] = { "cgroupfs", "systemd", "disabled", NULL };

#define FIELD(member) offsetof(GlobalOptions, member)
static const Option everywhere[] = {
        { "cgroup-manager", .kind = OPTION_STRING, .offset = FIELD(cgroup_manager), .metavar = "MANAGER",
          .help = "Who makes cgroups: cgroupfs (this program, the default), systemd, or nobody (disabled)",
          .complete = COMPLETE_WORDS, .words = cgroup_managers },
        { "debug", .kind = OPTION_BOOL, .offset = FIELD(debug), .help = "Say what is done, on standard error and in the log" },
        { "log", .kind = OPTION_STRING, .offset = FIELD(log), .metavar = "FILE", .help = "Write errors to this file as well",
          .complete = COMPLETE_FILE },
        { "log-format", .kind = OPTION_STRING, .offset = FIELD(log_format), .metavar = "FORMAT",
          .help = "Form of the log's lines: text (the default) or json", .complete = COMPLETE_WORDS, .words = log_formats },
        { "log-level", .kind = OPTION_STRING, .offset = FIELD(log_level), .metavar = "LEVEL",
          .help = "Log what is of this level and above (default error)", .complete = COMPLETE_WORDS, .words = log_levels },
        { "root", .kind = OPTION_STRING, .offset = FIELD(root), .metavar = "DIR",
          .help = "Keep the state of containers here", .complete = COMPLETE_DIRECTORY },
        { "rootless", .kind = OPTION_STRING, .offset = FIELD(rootless), .metavar = "WHEN",
          .help = "Do without what an ordinary user may not do with cgroups: true, false or auto (the default)",
          .complete = COMPLETE_WORDS, .words = rootless_words },
        { "systemd-cgroup", .kind = OPTION_BOOL, .offset = FIELD(systemd_cgroup), .help = "Same as --cgroup-manager systemd" },
        {},
};

static const Option before[] = {
        { "help", 'h', .kind = OPTION_HELP, .help = "Print this help" },
        { "version", 'v', .kind = OPTION_BOOL, .offset = FIELD(version), .help = "Print the version" },
        {},
};

static const Option help_row[] = { { "help", 'h', .kind = OPTION_HELP, .help = "Print this help" }, {} };

const Option *const global_options[] = { everywhere, before, NULL };
const Option *const global_options_everywhere[] = { everywhere, help_row, NULL };

int global_options_apply(GlobalOptions *global, Error *reterr) {
        LogLevel level = global->debug ? LOG_LEVEL_DEBUG : global->log_level ? log_level_from_string(global->log_level) : LOG_LEVEL_ERROR;

        if (global->debug || global->log_level)
                log_set_level(level);
        if (str_empty(global->log))
                return 0;
        global->log_fd = open(global->log, O_WRONLY | O_CREAT | O_APPEND | O_NOCTTY | O_CLOEXEC, 0644);
        if (global->log_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open the log '%s'", global->log);
        log_set_file(global->log_fd, str_equal(global->log_format, "json") ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT, level);
        return 0;
}

void global_options_done(GlobalOptions *global) {
        log_set_file(-EBADF, LOG_FORMAT_TEXT, LOG_LEVEL_ERROR);
        global->log_fd = fd_close(global->log_fd);
        options_free(global_options, global);
}

bool global_in_user_namespace(void) {
        _cleanup_free_ char *text = NULL;
        unsigned inside, outside, size;

        return file_read(AT_FDCWD, "/proc/self/uid_map", MAP_LIMIT, &text, /* ret_size= */ NULL) >= 0 &&
               (sscanf(text, "%u %u %u", &inside, &outside, &size) != 3 || inside != 0 || outside != 0 || size != UINT32_MAX);
}

bool global_is_rootless(const GlobalOptions *global) {
        if (str_equal(global->rootless, "true"))
                return true;
        if (str_equal(global->rootless, "false"))
                return false;
        return geteuid() != 0 || global_in_user_namespace();
}

RuntimeCgroupDriver global_cgroup_driver(const GlobalOptions *global) {
        if (str_equal(global->cgroup_manager, "disabled"))
                return RUNTIME_CGROUP_DISABLED;
        return global->systemd_cgroup || str_equal(global->cgroup_manager, "systemd") ? RUNTIME_CGROUP_SYSTEMD : RUNTIME_CGROUP_FILES;
}
