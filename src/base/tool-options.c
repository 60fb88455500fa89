/* SPDX-License-Identifier: Apache-2.0 */
/* The options that every command of sdpod-image has. */
#include "base/tool-options.h"

#include "base/log.h"

int tool_usage(Error *reterr, const char *reason) {
        return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot read the command line of sdpod-image: %s", reason);
}

int tool_options_set(ToolOptions *options, int letter, const char *value, Error *reterr) {
        LogLevel level;

        switch (letter) {
        case 'R':
                options->root = value;
                return 1;
        case 'r':
                options->runroot = value;
                return 1;
        case 'l':
                level = log_level_from_string(value);
                if (level < 0)
                        return tool_usage(reterr, "not a log level");
                log_set_level(level);
                return 1;
        default:
                return 0;
        }
}
