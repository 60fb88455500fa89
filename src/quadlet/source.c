/* SPDX-License-Identifier: Apache-2.0 */
/* Reads unit files and what comes with them. Whoever made a directory of them is not trusted with its reader's own files. */
#include "quadlet/source.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "unit/file.h"
#include "unit/name.h"
#include "unit/quote.h"

static const char parts_suffix[] = ".quadlets";

void quadlet_items_done(QuadletItems *items) {
        for (size_t i = 0; i < items->n; i++) {
                free(items->items[i].name);
                free(items->items[i].source);
                free(items->items[i].dir);
                free(items->items[i].data);
        }
        free(items->items);
        free(items->application);
        *items = (QuadletItems){};
}

QuadletItem *quadlet_items_find(const QuadletItems *items, const char *name) {
        for (size_t i = 0; i < items->n; i++)
                if (strcmp(items->items[i].name, name) == 0)
                        return items->items + i;
        return NULL;
}

int quadlet_name_check(const char *name, UnitType type, Error *reterr) {
        if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || strchr(name, '/'))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the file name '%s': it is not one", name);
        if (strlen(name) > QUADLET_NAME_MAX)
                return error_set(reterr, -ENAMETOOLONG, ERROR_INVALID, "cannot use the file name '%.40s...': it has more than %d bytes", name,
                                 QUADLET_NAME_MAX);
        for (const char *p = name; *p;) {
                size_t n = unit_utf8_length(p);

                if (n == 0 || (unsigned char) *p < ' ' || *p == 0x7F)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the file name '%s': it has control characters or is not UTF-8",
                                         name);
                p += n;
        }
        if (type >= 0 && !unit_name_is_valid(name))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the file name '%s': no unit can have it (systemd.unit(5))", name);
        if (name[0] == '.' && (str_has_suffix(name, ".app") || str_has_suffix(name, ".asset") || str_after(name, ".sdpod-")))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the file name '%s': such files record what is installed", name);
        return 0;
}

int quadlet_items_add(QuadletItems *items, const QuadletItem *item, Error *reterr) {
        const QuadletItem *other = quadlet_items_find(items, item->name);

        if (other)
                return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot use '%s' and '%s' together: both would be '%s'", other->source,
                                 item->source, item->name);
        if (items->n == QUADLET_ITEMS_MAX)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "cannot use '%s': more than %d files", item->source, QUADLET_ITEMS_MAX);
        if (item->size > QUADLET_TOTAL_MAX - items->total)
                return error_set(reterr, -EFBIG, ERROR_INVALID, "cannot use '%s': all files together have more than %d MiB", item->source,
                                 QUADLET_TOTAL_MAX / 1024 / 1024);
        QuadletItem *grown = realloc(items->items, (items->n + 1) * sizeof(*grown));
        if (!grown)
                return error_oom(reterr);
        items->items = grown;
        QuadletItem *to = grown + items->n;
        *to = *item;
        to->name = strdup(item->name);
        to->source = strdup(item->source);
        to->dir = strdup(item->dir);
        to->data = malloc(item->size + 1);
        items->n++;
        items->total += item->size;
        if (!to->name || !to->source || !to->dir || !to->data)
                return error_oom(reterr);
        if (item->size > 0)
                memcpy(to->data, item->data, item->size);
        to->data[item->size] = '\0';
        return 0;
}

/* ---- several units in one file ---- */

typedef struct Line {
        const char *text; /* without white space around it */
        size_t size;
} Line;

/* The line at `p`, and where the next begins. */
static Line read_line(const char *p, const char *end, const char **ret_next) {
        const char *stop = memchr(p, '\n', (size_t) (end - p)) ?: end, *first = p, *last = stop;

        while (first < last && strchr(" \t\r", *first) && *first)
                first++;
        while (last > first && strchr(" \t\r", last[-1]) && last[-1])
                last--;
        *ret_next = stop < end ? stop + 1 : end;
        return (Line){ first, (size_t) (last - first) };
}

static const char *after_word(const Line *line, const char *word, size_t *ret_size) {
        size_t n = strlen(word);

        if (line->size < n || memcmp(line->text, word, n) != 0)
                return NULL;
        *ret_size = line->size - n;
        return line->text + n;
}

/* What a part says about itself: "# FileName=web" and its first [Container] or the like. */
typedef struct Part {
        const char *start, *end;
        uint32_t line;    /* before its first one */
        bool empty;
        char name[QUADLET_NAME_MAX + 16];
        UnitType type;
} Part;

static int look_at_line(Part *part, const char *source, uint32_t number, Line line, Error *reterr) {
        size_t n;

        if (line.size == 0)
                return 0;
        part->empty = false;
        if (line.text[0] == '#' && !*part->name) {
                Line comment = { line.text + 1, line.size - 1 };

                while (comment.size > 0 && (*comment.text == ' ' || *comment.text == '\t'))
                        comment = (Line){ comment.text + 1, comment.size - 1 };
                const char *name = after_word(&comment, "FileName=", &n);
                while (name && n > 0 && (*name == ' ' || *name == '\t'))
                        name++, n--;
                if (name && (n == 0 || n > QUADLET_NAME_MAX || memchr(name, '/', n) || memchr(name, '\0', n)))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "%s:%u: FileName= is not the name of a file", source, number);
                if (name) {
                        memcpy(part->name, name, n);
                        part->name[n] = '\0';
                }
        } else if (line.text[0] == '[' && line.text[line.size - 1] == ']' && part->type < 0)
                for (UnitType t = 0; t < _UNIT_TYPE_MAX; t++) {
                        const char *group = unit_type_info(t)->group;

                        if (line.size == strlen(group) + 2 && memcmp(line.text + 1, group, line.size - 2) == 0)
                                part->type = t;
                }
        return 0;
}

static int finish_part(QuadletItems *items, Part *part, const char *source, const char *dir, Error *reterr) {
        char suffix[32];

        if (part->empty)
                return 0;
        if (!*part->name)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "%s:%u: the part that begins here has no comment '# FileName=NAME'", source,
                                 part->line + 1);
        if (part->type < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "%s:%u: '%s' has no group that says what it is: [Container], [Volume], [Network], "
                                 "[Pod], [Kube], [Image], [Build] or [Artifact]", source, part->line + 1, part->name);
        (void) snprintf(suffix, sizeof(suffix), ".%s", unit_type_info(part->type)->name);
        if (!str_has_suffix(part->name, suffix)) /* a name of at most QUADLET_NAME_MAX: there is room for it */
                (void) stpcpy(part->name + strlen(part->name), suffix);
        int r = quadlet_name_check(part->name, part->type, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s:%u", source, part->line + 1);
        return quadlet_items_add(items, &(QuadletItem){ .name = part->name, .source = (char *) source, .dir = (char *) dir,
                                                        .line = part->line, .data = (char *) part->start,
                                                        .size = (size_t) (part->end - part->start), .mode = 0644, .type = part->type },
                                 reterr);
}

int quadlet_items_split(QuadletItems *items, const char *source, const char *dir, const char *data, size_t size, Error *reterr) {
        const char *end = data + size, *next;
        Part part = { .start = data, .type = _UNIT_TYPE_INVALID, .empty = true };
        size_t before = items->n;
        uint32_t number = 1;
        int r = 0;

        for (const char *p = data; p < end && r >= 0; p = next, number++) {
                Line line = read_line(p, end, &next);

                if (line.size != 3 || memcmp(line.text, "---", 3) != 0) {
                        r = look_at_line(&part, source, number, line, reterr);
                        continue;
                }
                part.end = p;
                r = finish_part(items, &part, source, dir, reterr);
                part = (Part){ .start = next, .line = number, .type = _UNIT_TYPE_INVALID, .empty = true };
        }
        part.end = end;
        if (r >= 0)
                r = finish_part(items, &part, source, dir, reterr);
        if (r >= 0 && items->n == before)
                r = error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s': there is no unit in it", source);
        return r;
}

/* ---- files and directories ---- */

static int read_file(QuadletItems *items, int fd, const char *source, const char *dir, const char *name, Error *reterr) {
        UnitType type = unit_type_from_file(name);
        bool parts = str_has_suffix(name, parts_suffix);
        size_t limit = type >= 0 || parts ? UNIT_FILE_SIZE_MAX : QUADLET_ASSET_MAX, size = 0;
        _cleanup_free_ char *data = NULL;
        struct stat st;

        if (fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read '%s'", source);
        if (!S_ISREG(st.st_mode))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot read '%s': it is not a regular file", source);
        int r = parts ? 0 : quadlet_name_check(name, type, reterr);
        if (r >= 0 && (r = io_read_all(fd, limit, &data, &size)) < 0)
                r = r == -EFBIG ? error_set(reterr, r, ERROR_INVALID, "cannot read '%s': it has more than %zu bytes", source, limit)
                                : error_set_errno(reterr, r, "cannot read '%s'", source);
        if (r < 0 || parts)
                return r < 0 ? r : quadlet_items_split(items, source, dir, data, size, reterr);
        /* what a container is to execute stays so, and what nobody else may read */
        return quadlet_items_add(items, &(QuadletItem){ .name = (char *) name, .source = (char *) source, .dir = (char *) dir, .data = data,
                                                        .size = size, .mode = type >= 0 ? 0644 : st.st_mode & 0755, .type = type },
                                 reterr);
}

static int compare_names(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static int list_names(int fd, char ***ret) {
        _cleanup_strv_ char **names = NULL;
        struct dirent *entry;
        int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3), r = 0;
        DIR *stream = copy < 0 ? NULL : fdopendir(copy);
        size_t n = 0;

        if (!stream) {
                r = -errno;
                (void) fd_close(copy);
                return r;
        }
        while (r >= 0 && (entry = readdir(stream))) {
                if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
                        continue;
                r = n++ == QUADLET_ITEMS_MAX * 2 ? -E2BIG : strv_append(&names, entry->d_name);
        }
        (void) closedir(stream);
        if (r >= 0 && names)
                qsort(names, strv_length(names), sizeof(*names), compare_names);
        *ret = TAKE_PTR(names);
        return r;
}

static int read_directory(QuadletItems *items, int fd, const char *path, const char *dir, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        int r = list_names(fd, &names);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the directory '%s'", path);
        for (char **name = names; name && *name && r >= 0; name++) {
                _cleanup_free_ char *source = str_format("%s%s%s", path, str_has_suffix(path, "/") ? "" : "/", *name);
                _cleanup_fd_ int file = path_open_beneath(fd, *name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
                struct stat st;

                if (!source)
                        return error_oom(reterr);
                if (file < 0)
                        r = file == -ELOOP ? error_set(reterr, file, ERROR_INVALID, "cannot read '%s': it is a symbolic link", source)
                                           : error_set_errno(reterr, file, "cannot read '%s'", source);
                else if (fstat(file, &st) >= 0 && S_ISDIR(st.st_mode))
                        /* .git and its like are nobody's asset */
                        r = **name == '.' ? 0 : error_set(reterr, -EISDIR, ERROR_INVALID, "cannot use '%s': a directory inside an application is not there yet",
                                                          source);
                else
                        r = read_file(items, file, source, dir, *name, reterr);
        }
        return r;
}

static bool is_url(const char *path) {
        size_t n = strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+.-0123456789");

        return n > 1 && str_after(path + n, "://");
}

/* The name of an application: that of its directory, or of its file without the suffix. */
static int name_application(QuadletItems *items, const char *name, size_t n, Error *reterr) {
        free(items->application);
        items->application = strndup(name, n);
        return items->application ? quadlet_name_check(items->application, _UNIT_TYPE_INVALID, reterr) : error_oom(reterr);
}

static int read_path(QuadletItems *items, const char *path, bool first, Error *reterr) {
        if (is_url(path)) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot read '%s': URLs are not fetched", path);
                return error_with_hint(reterr, -EOPNOTSUPP, "fetch it, look at it, then name the file: curl -fLO %s", path);
        }
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        _cleanup_free_ char *real = realpath(path, NULL), *dir = NULL;
        struct stat st;

        if (fd < 0 || !real || fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read '%s'", path);
        if (S_ISDIR(st.st_mode)) {
                int r = first ? name_application(items, path_basename(real), strlen(path_basename(real)), reterr) : 0;

                return r < 0 ? r : read_directory(items, fd, path, real, reterr);
        }
        /* by the name that it was given: a link may be web.container, and lead to web.container.v2 */
        const char *name = path_basename(path), *slash = strrchr(path, '/');
        _cleanup_free_ char *parent = slash ? strndup(path, (size_t) (slash - path) + 1) : strdup(".");
        dir = parent ? realpath(parent, NULL) : NULL;
        if (!dir)
                return error_set_errno(reterr, parent ? -errno : -ENOMEM, "cannot find the directory of '%s'", path);
        int r = first && str_has_suffix(name, parts_suffix) && strlen(name) > STRLEN(".quadlets")
                        ? name_application(items, name, strlen(name) - STRLEN(".quadlets"), reterr)
                        : 0;
        return r < 0 ? r : read_file(items, fd, path, dir, name, reterr);
}

int quadlet_items_read(char *const *paths, QuadletItems *ret, Error *reterr) {
        bool unit = false;
        int r = 0;

        for (size_t i = 0; paths[i] && r >= 0; i++)
                r = read_path(ret, paths[i], i == 0, reterr);
        for (size_t i = 0; i < ret->n; i++)
                unit = unit || ret->items[i].type >= 0;
        if (r >= 0 && !unit) {
                (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s': there is no unit file", paths[0]);
                r = error_with_hint(reterr, -EINVAL, "their names end with .container, .volume, .network, .pod, .kube, .image, .build, .artifact or "
                                    ".quadlets");
        }
        return r;
}
