/* SPDX-License-Identifier: Apache-2.0 */
/* The search path of this process: what the environment and sdpod.conf make of it. */
#include <fcntl.h>
#include <ini.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "unit/dirs.h"
#include "unit/value.h"

typedef struct Settings {
        void (*report)(void *userdata, UnitSeverity severity, const char *text);
        void *userdata;
        bool share;
} Settings;

static int handle_setting(void *userdata, const char *section, const char *name, const char *value) {
        Settings *s = userdata;
        _cleanup_free_ char *text = NULL;

        if (strcmp(section, "generator") != 0)
                return 1;
        if (strcmp(name, "share") == 0 && unit_value_bool(value, &s->share) >= 0)
                return 1;
        text = str_format("sdpod.conf: '%s=%s' is no setting of [generator]", name, value);
        s->report(s->userdata, UNIT_ERROR, text ? text : "out of memory");
        return 1;
}

static void read_config(Settings *s, const char *path) {
        enum { CONFIG_SIZE_MAX = 256 * 1024 };
        _cleanup_free_ char *data = NULL;
        struct stat st;
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd >= 0 && fstat(fd, &st) >= 0 && S_ISREG(st.st_mode) && io_read_all(fd, CONFIG_SIZE_MAX, &data, NULL) >= 0)
                (void) ini_parse_string(data, handle_setting, s);
}

/* [generator] share=yes: read Podman's directories although Podman's own generator does, too. */
static void read_configs(Settings *s, bool user) {
        const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
        _cleanup_free_ char *path = NULL;

        read_config(s, "/etc/sdpod/sdpod.conf");
        if (!user)
                return;
        if (config && config[0] == '/')
                path = str_format("%s/sdpod/sdpod.conf", config);
        else if (home && home[0] == '/')
                path = str_format("%s/.config/sdpod/sdpod.conf", home);
        if (path)
                read_config(s, path);
}

int unit_dirs_find(bool user, void (*report)(void *userdata, UnitSeverity severity, const char *text), void *userdata, UnitDirs *ret) {
        Settings settings = { .report = report, .userdata = userdata, .share = true };
        const char *relative;
        UnitDirsContext context = {
                .user = user,
                .uid = getuid(),
                .unit_dirs = getenv("QUADLET_UNIT_DIRS"),
                .runtime_dir = getenv("XDG_RUNTIME_DIR"),
                .config_home = getenv("XDG_CONFIG_HOME"),
                .home = getenv("HOME"),
        };

        if (str_empty(context.unit_dirs) && unit_dirs_podman_generates(user, "")) {
                settings.share = false;
                read_configs(&settings, user);
        }
        context.share = settings.share;
        int r = unit_dirs_list(&context, ret, &relative);
        if (r >= 0 && relative) {
                _cleanup_free_ char *text =
                        str_format("QUADLET_UNIT_DIRS: '%.*s' is not an absolute path: the list ends there",
                                   (int) strcspn(relative, ":"), relative);

                report(userdata, UNIT_ERROR, text ? text : "out of memory");
        }
        return r;
}
