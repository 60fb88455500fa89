/* SPDX-License-Identifier: Apache-2.0 */
/* enable and disable for services that systemctl(1) calls generated. */
#include "quadlet/enable.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "quadlet/install.h"
#include "unit/name.h"
#include "unit/value.h"

static const char enable_name[] = "sdpod-enable.conf";
static const char disable_name[] = "zz-sdpod-disable.conf"; /* drop-ins count in the order of their names: the last word */
static const char disable_text[] = "# Written by 'sdpod quadlet disable'; 'sdpod quadlet enable' removes it.\n"
                                   "[Install]\nWantedBy=\nRequiredBy=\nUpheldBy=\n";

typedef struct Enabling {
        const QuadletEnable *options;
        const char *word;
        bool user;
        char *dir;             /* where drop-ins go */
        char *name;            /* "web.container", or the instance "app@1.container" */
        char *template_path;   /* of an instance whose file is not there yet */
        char *service;         /* "web.service" */
        char *wanted_by;       /* what wants it; NULL: nothing */
        bool is_template;
        bool changed;
        char **said;
} Enabling;

static void enabling_done(Enabling *e) {
        free(e->dir);
        free(e->name);
        free(e->template_path);
        free(e->service);
        free(e->wanted_by);
        strv_free(e->said);
}

static const char *default_target(const Enabling *e) {
        return e->user ? "default.target" : "multi-user.target";
}

/* Takes `text` over. */
static int say(Enabling *e, char *text, Error *reterr) {
        return strv_consume(&e->said, text) < 0 ? error_oom(reterr) : 0;
}

/* ---- what is the case ---- */

/* The first unit that wants it, by [Install] with all drop-ins; owned, NULL: none. */
static int find_wanted_by(const Unit *unit, Arena *arena, char **ret, Error *reterr) {
        static const char *const keys[] = { "WantedBy", "RequiredBy", "UpheldBy" };
        int group = unit_file_group(&unit->file, "Install");

        *ret = NULL;
        for (size_t k = 0; k < ELEMENTSOF(keys) && group >= 0 && !*ret; k++) {
                UnitSelect select = { .group = group, .name = keys[k] };
                _cleanup_words_ Words words = {};
                const UnitEntry *e;

                for (size_t i = unit_lines_begin(&unit->file, &select); (e = unit_lines_next(&unit->file, &select, &i));)
                        (void) unit_split(arena, e->value, UNIT_SPLIT_PLAIN, &words);
                if (words.n > 0 && !(*ret = strdup(words.items[0])))
                        return error_oom(reterr);
        }
        return 0;
}

/* "app@1", "app@1.container", "app@1.service": the template's word, and the instance; false: it is no instance. Both owned. */
static bool split_instance(const char *word, char **ret_template, char **ret_instance) {
        const char *at = unit_name_at(word), *dot = at ? strrchr(at, '.') : NULL;
        bool suffix = dot && (unit_type_from_file(word) >= 0 || strcmp(dot, ".service") == 0);
        const char *end = suffix ? dot : word + strlen(word);

        if (!at || at == word || end <= at + 1)
                return false;
        *ret_template = str_format("%.*s@%s", (int) (at - word), word, suffix ? dot : "");
        *ret_instance = strndup(at + 1, (size_t) (end - at - 1));
        return true;
}

static int look_at_unit(Enabling *e, QuadletCheck *check, const Unit *unit, const char *instance, Error *reterr) {
        const char *type = unit_type_info(unit->type)->name, *fault = NULL;
        int r = find_wanted_by(unit, &check->set.arena, &e->wanted_by, reterr);

        if (r < 0)
                return r;
        if (unit->broken || !unit->service)
                fault = quadlet_check_fault(check, unit) ?: "it cannot be read";
        if (fault && e->options->enable)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot enable '%s': %s", unit->name, fault);
        if (instance) {
                e->name = str_format("%.*s@%s.%s", (int) (unit_name_at(unit->name) - unit->name), unit->name, instance, type);
                e->template_path = strdup(unit->path);
                e->service = str_format("%s%s.service", unit->service ?: "", instance);
        } else {
                e->name = strdup(unit->name);
                e->service = str_format("%s.service", unit->service ?: "");
                e->is_template = unit->service && str_has_suffix(unit->service, "@");
        }
        if (e->is_template && !unit_file_last_named(&unit->file, "Install", "DefaultInstance"))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot %s '%s': it is a template; name an instance of it, like '%.*s@1'",
                                 e->options->enable ? "enable" : "disable", unit->name,
                                 (int) (unit_name_at(unit->name) - unit->name), unit->name);
        if (!e->name || !e->service || (instance && !e->template_path))
                return error_oom(reterr);
        return instance && !unit_name_is_valid(e->service)
                       ? error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s': no unit can have this name", e->word) : 0;
}

static int look(Enabling *e, Error *reterr) {
        _cleanup_free_ char *template = NULL, *instance = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_quadlet_check_ QuadletCheck check = {};
        Unit *unit = NULL;
        int r = quadlet_check_read(&check, /* judge= */ true, reterr);

        if (r < 0)
                return r;
        free(e->name);
        free(e->template_path);
        free(e->service);
        free(e->wanted_by);
        e->name = e->template_path = e->service = e->wanted_by = NULL;
        e->user = check.user;
        if (!e->dir && (r = quadlet_place_directory(&check, &e->dir, reterr)) < 0)
                return r;
        r = quadlet_check_find(&check, e->word, &unit, &error);
        if (r == -ENOENT && split_instance(e->word, &template, &instance)) {
                if (!template || !instance)
                        return error_oom(reterr);
                if (quadlet_check_find(&check, template, &unit, NULL) >= 0 && unit->service && str_has_suffix(unit->service, "@"))
                        r = 0;
        }
        return r < 0 ? error_move(reterr, &error) : look_at_unit(e, &check, unit, instance, reterr);
}

/* ---- what is written ---- */

static int open_drop_ins(const Enabling *e, bool make) {
        _cleanup_free_ char *name = str_format("%s.d", e->name);
        int r = !name ? -ENOMEM : make ? path_mkdirs(e->dir, 0755) : 0;
        _cleanup_fd_ int dir = r < 0 ? -EBADF : open(e->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir < 0)
                return r < 0 ? r : -errno;
        return make ? path_open_or_make_dir(dir, name, 0755) : path_open_beneath(dir, name, O_RDONLY | O_DIRECTORY, 0);
}

/* 1 where it was there. The directory goes when nothing else is in it. */
static int remove_drop_in(Enabling *e, const char *file, Error *reterr) {
        _cleanup_fd_ int drop_ins = open_drop_ins(e, /* make= */ false);
        _cleanup_free_ char *path = str_format("%s/%s.d", e->dir, e->name);

        if (!path)
                return error_oom(reterr);
        if (drop_ins < 0 || unlinkat(drop_ins, file, 0) < 0)
                return drop_ins == -ENOENT || errno == ENOENT || errno == ENOTDIR
                               ? 0
                               : error_set_errno(reterr, drop_ins < 0 ? drop_ins : -errno, "cannot remove '%s/%s'", path, file);
        (void) rmdir(path);
        e->changed = true;
        int r = say(e, str_format("removed '%s/%s'", path, file), reterr);
        return r < 0 ? r : 1;
}

static int write_drop_in(Enabling *e, const char *file, const char *text, Error *reterr) {
        _cleanup_fd_ int drop_ins = open_drop_ins(e, /* make= */ true);
        int r = drop_ins < 0 ? drop_ins : file_write_atomic(drop_ins, file, text, strlen(text), 0644, FILE_DURABLE);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot write '%s/%s.d/%s'", e->dir, e->name, file);
        e->changed = true;
        return say(e, str_format("wrote '%s/%s.d/%s'", e->dir, e->name, file), reterr);
}

static int make_instance(Enabling *e, Error *reterr) {
        _cleanup_free_ char *path = str_format("%s/%s", e->dir, e->name);
        int r = path ? path_mkdirs(e->dir, 0755) : -ENOMEM;

        if (r >= 0 && symlink(e->template_path, path) < 0)
                r = -errno;
        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the link '%s'", path ?: e->name);
        e->changed = true;
        return say(e, str_format("made '%s', a link to '%s'", path, e->template_path), reterr);
}

/* An instance that is a link to its template: the link is what `enable` made. */
static int remove_instance(Enabling *e, Error *reterr) {
        _cleanup_free_ char *path = str_format("%s/%s", e->dir, e->name), *template = NULL, *instance = NULL;
        char target[PATH_MAX];
        ssize_t n = path ? readlink(path, target, sizeof(target) - 1) : -1;

        if (n < 0 || !split_instance(e->name, &template, &instance) || !template)
                return 0;
        target[n] = '\0';
        if (strcmp(path_basename(target), template) != 0)
                return 0;
        if (unlink(path) < 0)
                return error_set_errno(reterr, -errno, "cannot remove '%s'", path);
        e->changed = true;
        int r = say(e, str_format("removed '%s'", path), reterr);
        return r < 0 ? r : 1;
}

static int enable(Enabling *e, Error *reterr) {
        int r = remove_drop_in(e, disable_name, reterr);

        if (r > 0)
                r = look(e, reterr);
        if (r >= 0 && e->template_path)
                r = make_instance(e, reterr);
        if (r < 0)
                return r;
        if (!e->wanted_by) {
                char text[256];

                (void) snprintf(text, sizeof(text), "# Written by 'sdpod quadlet enable'; 'sdpod quadlet disable' removes it.\n[Install]\nWantedBy=%s\n",
                                default_target(e));
                r = write_drop_in(e, enable_name, text, reterr);
        }
        return r < 0 ? r : say(e, str_format("%s '%s' is started with '%s'", e->changed ? "from now on" : "already", e->service,
                                             e->wanted_by ?: default_target(e)), reterr);
}

static int disable(Enabling *e, Error *reterr) {
        if (e->template_path) /* an instance without a file: nothing can want it */
                return say(e, str_format("already nothing starts '%s'", e->service), reterr);
        int r = remove_drop_in(e, enable_name, reterr), gone = 0;

        if (r >= 0)
                r = gone = remove_instance(e, reterr);
        if (r >= 0 && gone == 0)
                r = look(e, reterr);
        if (r >= 0 && gone == 0 && e->wanted_by)
                r = write_drop_in(e, disable_name, disable_text, reterr);
        return r < 0 ? r : say(e, str_format("%s nothing starts '%s' by itself", e->changed ? "from now on" : "already", e->service), reterr);
}

void quadlet_enable_forget(int dir_fd, const char *name) {
        _cleanup_free_ char *directory = str_format("%s.d", name);
        _cleanup_fd_ int fd = directory ? path_open_beneath(dir_fd, directory, O_RDONLY | O_DIRECTORY, 0) : -ENOMEM;

        if (fd < 0)
                return;
        (void) unlinkat(fd, enable_name, 0);
        (void) unlinkat(fd, disable_name, 0);
        (void) unlinkat(dir_fd, directory, AT_REMOVEDIR); /* only where it is empty now */
}

int quadlet_enable(const char *word, const QuadletEnable *options, char ***ret, Error *reterr) {
        __attribute__((cleanup(enabling_done))) Enabling e = { .options = options, .word = word };
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        int r = look(&e, reterr);

        if (r >= 0 && (options->reload || options->now))
                r = quadlet_connect(e.user, &manager, reterr);
        if (r >= 0)
                r = options->enable ? enable(&e, reterr) : disable(&e, reterr);
        if (r >= 0 && options->reload && e.changed)
                r = manager_reload(&manager, reterr);
        if (r >= 0 && options->now)
                r = options->enable ? manager_start_unit(&manager, e.service, reterr) : manager_stop_unit(&manager, e.service, reterr);
        *ret = TAKE_PTR(e.said);
        return r;
}
