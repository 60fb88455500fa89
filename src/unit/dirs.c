/* SPDX-License-Identifier: Apache-2.0 */
/* The search path. */
#include "unit/dirs.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

static const char *const families[] = { "sdpod", "containers" }; /* ours first: it wins for the same name */

/* Takes `path` over. */
static int add(UnitDirs *dirs, char *path, bool without_users, bool without_numbers) {
        UnitSearchDir *items = path ? realloc(dirs->items, (dirs->n + 1) * sizeof(*items)) : NULL;

        if (!items) {
                free(path);
                return -ENOMEM;
        }
        dirs->items = items;
        items[dirs->n++] =
                (UnitSearchDir){ .path = path, .without_users = without_users, .without_numbers = without_numbers };
        return 0;
}

static int list_given(const char *unit_dirs, UnitDirs *dirs, const char **ret_relative) {
        for (const char *p = unit_dirs; *p;) {
                size_t n = strcspn(p, ":");

                if (n > 0 && *p != '/') {
                        *ret_relative = p;
                        return 0;
                }
                if (n > 0 && add(dirs, strndup(p, n), false, false) < 0)
                        return -ENOMEM;
                p += n + (p[n] ? 1 : 0);
        }
        return 0;
}

static int list_system(const UnitDirsContext *context, UnitDirs *dirs) {
        static const char *const bases[] = { "/run", "/etc", "/usr/share" };

        for (size_t i = 0; i < ELEMENTSOF(bases); i++)
                for (size_t f = 0; f < ELEMENTSOF(families) - (context->share ? 0 : 1); f++)
                        if (add(dirs, str_format("%s/%s/systemd", bases[i], families[f]), /* without_users= */ true,
                                false) < 0)
                                return -ENOMEM;
        return 0;
}

static int list_user(const UnitDirsContext *context, UnitDirs *dirs) {
        static const char *const bases[] = { "/etc", "/usr/share" };
        size_t n_families = ELEMENTSOF(families) - (context->share ? 0 : 1);
        int r = 0;

        for (size_t f = 0; f < n_families && r >= 0 && context->runtime_dir && context->runtime_dir[0] == '/'; f++)
                r = add(dirs, str_format("%s/%s/systemd", context->runtime_dir, families[f]), false, false);
        for (size_t f = 0; f < n_families && r >= 0; f++) {
                if (context->config_home && context->config_home[0] == '/')
                        r = add(dirs, str_format("%s/%s/systemd", context->config_home, families[f]), false, false);
                else if (context->home && context->home[0] == '/')
                        r = add(dirs, str_format("%s/.config/%s/systemd", context->home, families[f]), false, false);
        }
        for (size_t i = 0; i < ELEMENTSOF(bases); i++)
                for (size_t f = 0; f < n_families && r >= 0; f++) {
                        r = add(dirs, str_format("%s/%s/systemd/users", bases[i], families[f]), false,
                                /* without_numbers= */ true);
                        if (r >= 0)
                                r = add(dirs,
                                        str_format("%s/%s/systemd/users/%u", bases[i], families[f], context->uid),
                                        false, false);
                }
        return r;
}

int unit_dirs_list(const UnitDirsContext *context, UnitDirs *ret, const char **ret_relative) {
        *ret_relative = NULL;
        if (!str_empty(context->unit_dirs))
                return list_given(context->unit_dirs, ret, ret_relative);
        return context->user ? list_user(context, ret) : list_system(context, ret);
}

void unit_dirs_done(UnitDirs *dirs) {
        for (size_t i = 0; i < dirs->n; i++)
                free(dirs->items[i].path);
        free(dirs->items);
        *dirs = (UnitDirs){};
}

/* systemd.generator(7): the first of these directories that has the name decides; a link to /dev/null masks. */
bool unit_dirs_podman_generates(bool user, const char *root) {
        static const char *const bases[] = { "/run/systemd", "/etc/systemd", "/usr/local/lib/systemd",
                                             "/usr/lib/systemd" };
        const char *kind = user ? "user" : "system";
        char path[4096], target[16];

        for (size_t i = 0; i < ELEMENTSOF(bases); i++) {
                (void) snprintf(path, sizeof(path), "%s%s/%s-generators/podman-%s-generator", root, bases[i], kind,
                                kind);
                ssize_t n = readlink(path, target, sizeof(target));
                if (n == STRLEN("/dev/null") && memcmp(target, "/dev/null", (size_t) n) == 0)
                        return false;
                if (access(path, X_OK) == 0)
                        return true;
        }
        return false;
}
