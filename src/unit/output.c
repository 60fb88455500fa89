/* SPDX-License-Identifier: Apache-2.0 */
/* Writes services and the links of [Install]. Files and links are made aside and renamed, so that a second generator
 * at the same time can only put the same thing in the same place. */
#include "unit/output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "unit/convert.h"
#include "unit/name.h"
#include "unit/scan.h"

/* Opens the directory of a link, making what is missing. Unset where that is `dir_fd` itself. */
static int open_parent(int dir_fd, const char *path, const char **ret_name) {
        _cleanup_fd_ int fd = -EBADF;

        for (const char *slash; (slash = strchr(path, '/')); path = slash + 1) {
                char part[NAME_MAX + 1];
                size_t n = (size_t) (slash - path);

                if (n == 0 || n > NAME_MAX)
                        return -EINVAL;
                memcpy(part, path, n);
                part[n] = '\0';
                if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
                        return -EINVAL;
                int base = fd >= 0 ? fd : dir_fd,
                    next = openat(base, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (next < 0 && errno == ENOENT) {
                        if (mkdirat(base, part, 0755) < 0 && errno != EEXIST)
                                return -errno;
                        next = openat(base, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                }
                if (next < 0)
                        return -errno;
                (void) fd_close(fd);
                fd = next;
        }
        *ret_name = path;
        return TAKE_FD(fd);
}

static int replace_link(int fd, const char *name, const char *target) {
        char temporary[64], now[PATH_MAX];
        ssize_t n = readlinkat(fd, name, now, sizeof(now));

        if (n < 0) /* a file: not to be replaced by a link */
                return -EEXIST;
        if ((size_t) n == strlen(target) && memcmp(now, target, (size_t) n) == 0)
                return 0;
        (void) snprintf(temporary, sizeof(temporary), ".link-%d", (int) getpid());
        (void) unlinkat(fd, temporary, 0);
        if (symlinkat(target, fd, temporary) < 0)
                return -errno;
        if (renameat(fd, temporary, fd, name) < 0) {
                int code = -errno;

                (void) unlinkat(fd, temporary, 0);
                return code;
        }
        return 0;
}

static int make_link_in(int fd, const char *name, const char *target) {
        if (symlinkat(target, fd, name) >= 0)
                return 0;
        return errno == EEXIST ? replace_link(fd, name, target) : -errno;
}

int unit_output_link(int dir_fd, const char *path, const char *target) {
        const char *name = NULL;
        _cleanup_fd_ int parent = open_parent(dir_fd, path, &name);

        return name ? make_link_in(parent >= 0 ? parent : dir_fd, name, target) : parent;
}

/* The directory of the last link: nearly all units want the same one. */
typedef struct LinkDir {
        char path[NAME_MAX + 1];
        size_t n;
        int base_fd, fd;
} LinkDir;

typedef struct Written {
        LinkDir last;
        Text named; /* a line for each service that has another name */
} Written;

static int link_again(LinkDir *last, int dir_fd, const char *path, const char *target) {
        const char *slash = strrchr(path, '/'), *name = NULL;
        size_t n = slash ? (size_t) (slash - path) : 0;

        if (n == 0 || n >= sizeof(last->path))
                return unit_output_link(dir_fd, path, target);
        if (last->fd < 0 || last->base_fd != dir_fd || last->n != n || memcmp(last->path, path, n) != 0) {
                int fd = open_parent(dir_fd, path, &name);

                if (fd < 0)
                        return fd;
                (void) fd_close(last->fd);
                *last = (LinkDir){ .n = n, .base_fd = dir_fd, .fd = fd };
                memcpy(last->path, path, n);
        }
        return make_link_in(last->fd, slash + 1, target);
}

/* --- [Install] --- */

typedef struct Install {
        UnitSet *set;
        const Unit *unit;
        Arena *arena;
        int dir_fd;
        Written *written;
        const char *file;    /* "web.service" */
        const char *linked;  /* the name under which it is wanted; NULL: not at all */
} Install;

static void complain(const Install *in, const UnitEntry *e, const char *word, const char *why) {
        unit_warn(in->set, in->unit, e->source, e->line, "%s=%s %s, ignoring it", e->name, word, why);
}

static void make_link(const Install *in, const UnitEntry *e, const char *word, const char *path) {
        _cleanup_text_ Text target = {};

        if (in->dir_fd < 0) /* only to see what is wrong */
                return;
        for (const char *p = path; p && (p = strchr(p, '/')); p++)
                text_add(&target, "../");
        text_add(&target, in->file);
        int r = !path || target.failed ? -ENOMEM : link_again(&in->written->last, in->dir_fd, path, target.data);
        if (r < 0)
                complain(in, e, word, strerror(-r));
}

/* Alias= may name subdirectories; it must stay inside and not be what another file makes. */
static void link_alias(const Install *in, const UnitEntry *e, const char *word) {
        char *clean = word[0] == '/' || !*word ? NULL : unit_path_join(in->arena, "/", word);
        const char *path = clean ? clean + 1 : NULL;

        /* A ".." that leads out is cut by the join: then the number of parts above does not come out. */
        if (!path || !*path || strcmp(word, "..") == 0 || str_after(word, "../") || strstr(word, "/..")) {
                complain(in, e, word, "is not a name below the generator's directory");
                return;
        }
        if (strcmp(path, in->file) == 0)
                return;
        if (str_has_suffix(path, ".service") && !strchr(path, '/')) {
                const char *service = arena_copy_n(in->arena, path, strlen(path) - STRLEN(".service"));
                const Unit *other = service ? unit_table_get(in->set->by_service, service) : NULL;

                if (other) {
                        complain(in, e, word, arena_format(in->arena, "is the service of %s", other->path));
                        return;
                }
        }
        make_link(in, e, word, path);
}

static void link_wanted(const Install *in, const UnitEntry *e, const char *word, const char *suffix) {
        if (!unit_name_is_valid(word))
                complain(in, e, word, "is not the name of a unit");
        else if (in->linked)
                make_link(in, e, word, arena_format(in->arena, "%s.%s/%s", word, suffix, in->linked));
}

static void install_key(const Install *in, const char *key, const char *suffix) {
        UnitSelect select = { .group = unit_file_group(&in->unit->file, "Install"), .name = key };
        _cleanup_words_ Words words = {};
        const UnitEntry *e;

        for (size_t i = unit_lines_begin(&in->unit->file, &select);
             (e = unit_lines_next(&in->unit->file, &select, &i));) {
                words_clear(&words);
                if (unit_split(in->arena, e->value, UNIT_SPLIT_PLAIN, &words) < 0)
                        continue;
                for (size_t w = 0; w < words.n; w++)
                        if (suffix)
                                link_wanted(in, e, words.items[w], suffix);
                        else
                                link_alias(in, e, words.items[w]);
        }
}

/* The name that a unit has in .wants directories: a template only has one if a DefaultInstance= is given. */
static const char *linked_name(const Install *in) {
        const UnitEntry *e = unit_file_last_named(&in->unit->file, "Install", "DefaultInstance");

        if (!str_has_suffix(in->unit->service, "@"))
                return in->file;
        if (!e || !*e->value)
                return NULL;
        const char *name = arena_format(in->arena, "%s%s.service", in->unit->service, e->value);
        if (name && unit_name_is_valid(name))
                return name;
        complain(in, e, e->value, "is not an instance's name");
        return NULL;
}

/* `systemctl start web.container` asks for web.container.service. */
static int link_by_file_name(const Install *in, bool fault) {
        const char *path = arena_format(in->arena, "%s.service", in->unit->name);

        if (!path)
                return -ENOMEM;
        if (in->dir_fd < 0)
                return 0;
        if (unit_name_at(in->unit->name) || unit_table_get(in->set->by_service, in->unit->name) ||
            !unit_name_is_valid(path))
                return 0;
        if (!fault)
                text_addf(&in->written->named, "PropagatesReloadTo=%s\n", in->file);
        return unit_output_link(in->dir_fd, path, in->file);
}

static int install(UnitSet *set, const Unit *unit, int dir_fd, Written *written, Arena *arena, bool fault) {
        Install in = { .set = set, .unit = unit, .arena = arena, .dir_fd = dir_fd, .written = written,
                       .file = arena_format(arena, "%s.service", unit->service) };

        if (!in.file)
                return -ENOMEM;
        int r = link_by_file_name(&in, fault);
        if (unit_file_group(&unit->file, "Install") < 0)
                return r;
        in.linked = linked_name(&in);
        install_key(&in, "WantedBy", "wants");
        if (!fault) { /* what is broken may be missed at boot, but must not bring down what requires it */
                install_key(&in, "Alias", NULL);
                install_key(&in, "RequiredBy", "requires");
                install_key(&in, "UpheldBy", "upholds");
        }
        return r;
}

/* --- services --- */

/* base's file_write_atomic() without its random names and its mode: two system calls less for each of a thousand
 * files. The name is ours alone by the pid, and the umask is the caller's business. */
static int write_file(int dir_fd, const char *name, const Text *text) {
        char temporary[64];
        int r;

        (void) snprintf(temporary, sizeof(temporary), ".unit-%d", (int) getpid());
        _cleanup_fd_ int fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0 && errno == EEXIST && unlinkat(dir_fd, temporary, 0) >= 0) /* of a process that was killed */
                fd = openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return -errno;
        r = io_write_full(fd, text->data, text->size);
        if (r >= 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
                r = -errno;
        if (r < 0)
                (void) unlinkat(dir_fd, temporary, 0);
        return r;
}

static int write_text(UnitSet *set, const Unit *unit, int dir_fd, Written *written, const Text *text, Arena *arena) {
        _cleanup_free_ char *file = str_format("%s.service", unit->service), *message = NULL;

        if (!file || text->failed)
                return -ENOMEM;
        int r = write_file(dir_fd, file, text);
        if (r >= 0)
                r = install(set, unit, dir_fd, written, arena, unit->broken);
        if (r < 0) {
                message = str_format("cannot write '%s': %s", file, strerror(-r));
                set->report(set->userdata, UNIT_ERROR, message ? message : "out of memory");
        }
        return r;
}

static int output_one(UnitSet *set, const UnitOutput *output, Unit *unit, Convert *convert, Written *written, Text *text) {
        int r = -EINVAL, dir_fd = output->dir_fd;

        text_clear(text);
        if (!output->dry_run && !output->check)
                text_addf(text, "# Automatically generated by %s\n", output->program);
        if (!unit->broken)
                r = unit_convert(convert, unit, text);
        if (r == -ENOMEM)
                return r;
        if (output->check)
                return r < 0 ? 0 : install(set, unit, -EBADF, written, convert->arena, /* fault= */ false);
        if (unit->broken || r < 0) {
                if (output->late_fd < 0 || output->dry_run || !unit->service)
                        return 0;
                dir_fd = output->late_fd;
                text_clear(text);
                text_addf(text, "# Automatically generated by %s\n", output->program);
                unit_convert_fault(unit, set->sdpod, convert->arena, text);
        }
        if (!output->dry_run)
                return write_text(set, unit, dir_fd, written, text, convert->arena);
        if (text->failed)
                return -ENOMEM;
        return printf("---%s.service---\n%s\n", unit->service, text->data) < 0 ? -EIO : 0;
}

/* Where systemd hears of a unit by an alias first, %n and %N in the unit stand for that one, and a Volume=%N:/data is another one than
 * after the next daemon-reload. So each service is named by a unit that is always loaded, in a way that starts nothing. */
static int write_named(UnitSet *set, int dir_fd, const Text *named) {
        _cleanup_text_ Text text = {};
        const char *name = NULL;

        if (named->size == 0 && !named->failed)
                return 0;
        text_addf(&text, "[Unit]\n%s", named->failed ? "" : named->data);
        _cleanup_fd_ int parent = open_parent(dir_fd, "basic.target.d/50-sdpod.conf", &name);
        int r = named->failed || text.failed ? -ENOMEM : parent < 0 ? parent : write_file(parent, name, &text);
        if (r < 0)
                set->report(set->userdata, UNIT_ERROR, "cannot write 'basic.target.d/50-sdpod.conf'");
        return r;
}

int unit_output_all(UnitSet *set, const UnitOutput *output) {
        Arena arena = {};
        Convert convert = { .set = set, .arena = &arena };
        _cleanup_text_ Text text = {};
        Written written = { .last.fd = -EBADF };
        int r = 0, failed = 0;

        for (unsigned order = 1; order <= UNIT_ORDER_MAX; order++)
                for (size_t i = 0; i < set->n_units && r != -ENOMEM; i++) {
                        Unit *unit = set->units[i];

                        if (unit->masked || unit->doubled || unit->aside || unit_type_info(unit->type)->order != order)
                                continue;
                        r = output_one(set, output, unit, &convert, &written, &text);
                        if (r < 0)
                                failed = r;
                }
        (void) fd_close(written.last.fd);
        r = write_named(set, output->dir_fd, &written.named);
        text_done(&written.named);
        unit_convert_done(&convert);
        arena_done(&arena);
        return r < 0 ? r : failed;
}
