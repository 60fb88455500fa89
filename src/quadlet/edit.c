/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod quadlet edit: copy, editor, verify, put in place. */
#include "quadlet/edit.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "quadlet/change.h"
#include "quadlet/install.h"
#include "unit/quote.h"

static const char drop_in_name[] = "override.conf";

typedef struct Editing {
        const QuadletEdit *options;
        char *name;      /* of the unit: "web.container" */
        char *path;      /* of what is edited, in its place */
        char *dir;       /* its directory */
        char *unit_dir;  /* what relative paths in it are relative to: a link to the file may lie elsewhere */
        char *old;       /* its text; NULL: it is not there yet */
        size_t old_size;
        char *copy_dir;  /* of the copy; NULL once it is gone */
        char *copy;
        bool user;
} Editing;

static void editing_done(Editing *e) {
        if (e->copy_dir)
                (void) path_remove_tree(AT_FDCWD, e->copy_dir);
        free(e->name);
        free(e->path);
        free(e->dir);
        free(e->unit_dir);
        free(e->old);
        free(e->copy_dir);
        free(e->copy);
}

/* ---- the editor ---- */

/* The file of a program, as a shell finds it; owned. */
static char *find_program(const char *name) {
        const char *path = getenv("PATH") ?: "/usr/local/bin:/usr/bin:/bin";

        if (strchr(name, '/'))
                return realpath(name, NULL);
        for (const char *p = path; *p;) {
                size_t n = strcspn(p, ":");
                _cleanup_free_ char *file = n > 0 && *p == '/' ? str_format("%.*s/%s", (int) n, p, name) : NULL;

                if (file && access(file, X_OK) == 0)
                        return TAKE_PTR(file);
                p += n + (p[n] ? 1 : 0);
        }
        return NULL;
}

/* systemctl(1): SYSTEMD_EDITOR, EDITOR, VISUAL, then what there may be. The words of a variable are a command. */
static int editor_words(Arena *arena, Words *words, char **ret_program, Error *reterr) {
        static const char *const variables[] = { "SYSTEMD_EDITOR", "EDITOR", "VISUAL" },
                          *const programs[] = { "editor", "nano", "vim", "vi" };

        for (size_t i = 0; i < ELEMENTSOF(variables); i++) {
                const char *value = getenv(variables[i]);

                if (str_empty(value))
                        continue;
                if (unit_split(arena, value, UNIT_SPLIT_PLAIN, words) < 0)
                        return error_oom(reterr);
                if (words->n == 0)
                        continue;
                *ret_program = find_program(words->items[0]);
                return *ret_program ? 0 : error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find the editor '%s' of $%s", words->items[0],
                                                    variables[i]);
        }
        for (size_t i = 0; i < ELEMENTSOF(programs); i++)
                if ((*ret_program = find_program(programs[i]))) {
                        words_add(words, programs[i]);
                        return words->failed ? error_oom(reterr) : 0;
                }
        (void) error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find an editor");
        return error_with_hint(reterr, -ENOENT, "name one: EDITOR=nano sdpod quadlet edit ...");
}

static int run_editor(const Editing *e, Error *reterr) {
        static const int fds[] = { 0, 1, 2 };
        _cleanup_free_ char *program = NULL;
        _cleanup_words_ Words words = {};
        Arena arena = {};
        pid_t pid;
        int r = editor_words(&arena, &words, &program, reterr);

        words_add(&words, e->copy);
        words_add(&words, ""); /* becomes the end */
        if (r >= 0 && words.failed)
                r = error_oom(reterr);
        if (r >= 0) {
                words.items[words.n - 1] = NULL;
                /* Ctrl-C in an editor is the editor's */
                void (*interrupt)(int) = signal(SIGINT, SIG_IGN), (*quit)(int) = signal(SIGQUIT, SIG_IGN);

                r = process_spawn(program, (char *const *) words.items, NULL, fds, ELEMENTSOF(fds), &pid, NULL);
                r = r < 0 ? error_set_errno(reterr, r, "cannot start the editor '%s'", program) : process_reap(pid);
                (void) signal(SIGINT, interrupt);
                (void) signal(SIGQUIT, quit);
        }
        if (r > 0)
                r = error_set(reterr, -ECANCELED, ERROR_STATE, "cannot use what was edited: '%s' ended with %d, nothing was changed", program, r);
        arena_done(&arena);
        return r;
}

/* ---- what is edited ---- */

static int choose(Editing *e, const char *word, Error *reterr) {
        _cleanup_quadlet_check_ QuadletCheck check = {};
        _cleanup_free_ char *place = NULL;
        Unit *unit = NULL;
        int r = quadlet_check_read(&check, /* judge= */ false, reterr);

        if (r >= 0)
                r = quadlet_check_find(&check, word, &unit, reterr);
        if (r >= 0)
                r = quadlet_place_directory(&check, &place, reterr);
        if (r < 0)
                return r;
        e->user = check.user;
        e->name = strdup(unit->name);
        if (e->options->drop_in) {
                e->dir = str_format("%s/%s.d", place, unit->name);
                e->path = e->dir ? str_format("%s/%s", e->dir, drop_in_name) : NULL;
        } else { /* a file of the machine's is hidden by one of the user's own */
                _cleanup_free_ char *real = realpath(unit->path, NULL);
                const char *slash = real ? strrchr(real, '/') : NULL;
                char *dir = slash ? strndup(real, (size_t) (slash - real)) : NULL;
                bool own = dir && access(dir, W_OK) == 0 && !str_after(dir, "/usr/");

                e->dir = own ? TAKE_PTR(dir) : strdup(place);
                e->path = own ? TAKE_PTR(real) : e->dir ? str_format("%s/%s", e->dir, unit->name) : NULL;
                e->unit_dir = strdup(own ? unit->dir : place);
                free(dir);
        }
        if (!e->name || !e->dir || !e->path || (!e->unit_dir && !e->options->drop_in))
                return error_oom(reterr);
        const char *from = e->options->drop_in ? e->path : unit->path;
        _cleanup_fd_ int fd = open(from, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT && e->options->drop_in)
                return 0;
        r = fd < 0 ? -errno : io_read_all(fd, UNIT_FILE_SIZE_MAX, &e->old, &e->old_size);
        return r < 0 ? error_set_errno(reterr, r, "cannot read '%s'", from) : 0;
}

static int make_copy(Editing *e, Error *reterr) {
        const char *runtime = getenv("XDG_RUNTIME_DIR"), *name = e->options->drop_in ? drop_in_name : e->name;
        _cleanup_free_ char *dir = str_format("%s/sdpod-edit-XXXXXX", runtime && runtime[0] == '/' ? runtime : "/tmp"),
                            *start = NULL;

        if (!dir || !mkdtemp(dir))
                return error_set_errno(reterr, dir ? -errno : -ENOMEM, "cannot make a directory for the copy");
        e->copy = str_format("%s/%s", dir, name);
        e->copy_dir = TAKE_PTR(dir);
        start = e->old ? NULL : str_format("# Goes on top of %s.\n[%s]\n", e->name, unit_type_info(unit_type_from_file(e->name))->group);
        if (!e->copy || (!e->old && !start))
                return error_oom(reterr);
        _cleanup_fd_ int fd = open(e->copy_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = fd < 0 ? -errno : file_write_atomic(fd, name, e->old ?: start, e->old ? e->old_size : strlen(start), 0600, FILE_VOLATILE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write '%s'", e->copy) : 0;
}

/* ---- verifying ---- */

/* The whole search path with the new text in its place. A drop-in is tried in a directory of its own, beside the unit as it is. */
static int verify(const Editing *e, const char *text, size_t size, Error *reterr) {
        _cleanup_quadlet_items_ QuadletItems items = {};
        _cleanup_quadlet_check_ QuadletCheck check = {};
        int r = quadlet_items_add(&items, &(QuadletItem){ .name = e->name, .source = e->copy, .dir = e->unit_dir, .data = (char *) text, .size = size,
                                                          .type = unit_type_from_file(e->name) }, reterr);

        if (r >= 0)
                r = quadlet_check_begin(&check, reterr);
        if (r >= 0)
                r = quadlet_check_load_items(&check, &items, e->unit_dir, NULL, reterr);
        if (r >= 0)
                r = quadlet_check_run(&check, reterr);
        if (r < 0)
                return r;
        quadlet_check_print(&check, /* warnings= */ true);
        return check.n_errors == 0 ? 0 : error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use what was edited: %u error%s, nothing was changed",
                                                   check.n_errors, check.n_errors == 1 ? "" : "s");
}

/* In its place already, but not kept: the findings of the unit, which has it now. */
static int verify_drop_in(const Editing *e, Error *reterr) {
        _cleanup_quadlet_check_ QuadletCheck check = {};
        Unit *unit = NULL;
        int r = quadlet_check_read(&check, /* judge= */ true, reterr);

        if (r >= 0)
                r = quadlet_check_find(&check, e->name, &unit, reterr);
        const char *fault = r >= 0 ? quadlet_check_fault(&check, unit) : NULL;
        return fault ? error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use what was edited: %s; nothing was changed", fault) : r;
}

static int put_in_place(const Editing *e, const char *text, size_t size, Manager *manager, Error *reterr) {
        _cleanup_quadlet_change_ QuadletChange change = QUADLET_CHANGE_NULL;
        int r = quadlet_change_begin(e->dir, &change, reterr);

        if (r >= 0)
                r = quadlet_change_put(&change, path_basename(e->path), text, size, 0644, /* replace= */ true, reterr);
        if (r >= 0)
                r = quadlet_change_apply(&change, reterr);
        if (r >= 0 && e->options->drop_in)
                r = verify_drop_in(e, reterr);
        if (r >= 0 && e->options->reload)
                r = manager_reload(manager, reterr);
        if (r >= 0)
                quadlet_change_keep(&change);
        return r;
}

/* The work of a person is not thrown away with what is wrong in it. */
static int keep_copy(Editing *e, int r, Error *reterr) {
        _cleanup_free_ char *dir = TAKE_PTR(e->copy_dir);

        return error_with_hint(reterr, r, "your text is in '%s'", e->copy);
}

int quadlet_edit(const char *word, const QuadletEdit *options, char **ret, Error *reterr) {
        __attribute__((cleanup(editing_done))) Editing e = { .options = options };
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_free_ char *text = NULL;
        size_t size = 0;
        int r = choose(&e, word, reterr);

        if (r >= 0 && options->reload)
                r = quadlet_connect(e.user, &manager, reterr);
        manager_done(&manager); /* an hour in the editor is too long for a connection */
        manager = MANAGER_NULL;
        if (r >= 0)
                r = make_copy(&e, reterr);
        if (r >= 0)
                r = run_editor(&e, reterr);
        if (r < 0)
                return r;
        r = file_read(AT_FDCWD, e.copy, UNIT_FILE_SIZE_MAX, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read '%s'", e.copy);
        if (e.old && size == e.old_size && memcmp(text, e.old, size) == 0)
                return (*ret = str_format("'%s' is as it was", e.path)) ? 0 : error_oom(reterr);
        if (!options->drop_in)
                r = verify(&e, text, size, reterr);
        if (r >= 0 && options->reload)
                r = quadlet_connect(e.user, &manager, reterr);
        if (r >= 0)
                r = put_in_place(&e, text, size, &manager, reterr);
        if (r < 0)
                return keep_copy(&e, r, reterr);
        return (*ret = str_format("wrote '%s'", e.path)) ? 0 : error_oom(reterr);
}
