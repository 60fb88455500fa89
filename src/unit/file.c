/* SPDX-License-Identifier: Apache-2.0 */
/* Reads unit files: logical lines are ours, tokens are inih's, and both must agree. */
#include "unit/file.h"

#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "unit/quote.h"

/* Where the reader is. It works inside the buffer: a joined line is never longer than its parts. */
typedef struct Reader {
        UnitFile *file;
        UnitFault *fault;
        char *next;
        char *end;
        uint32_t line;
        int group;            /* the current one, negative before the first */
        size_t handed;        /* index of the key entry that inih is to return, SIZE_MAX for none */
        uint16_t source;
        int code;
} Reader;

void unit_fault_done(UnitFault *fault) {
        free(fault->message);
        *fault = (UnitFault){};
}

/* Returns -EINVAL. */
static _printf_(3, 4) int set_fault(UnitFault *fault, uint32_t line, const char *format, ...) {
        va_list ap;
        char *message = NULL;

        va_start(ap, format);
        int r = vasprintf(&message, format, ap);
        va_end(ap);
        free(fault->message);
        *fault = (UnitFault){ .line = line, .message = r < 0 ? NULL : message };
        return -EINVAL;
}

static bool is_blank(char c) {
        return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

static void trim(char **start, char **end) {
        while (*start < *end && is_blank(**start))
                (*start)++;
        while (*end > *start && is_blank((*end)[-1]))
                (*end)--;
}

static UnitEntry *entry_new(UnitFile *file) {
        if (file->n_entries == file->entries_room) {
                size_t room = MAX(file->entries_room * 2, (size_t) 16);
                UnitEntry *entries = realloc(file->entries, room * sizeof(*entries));

                if (!entries)
                        return NULL;
                file->entries = entries;
                file->entries_room = room;
        }
        UnitEntry *e = file->entries + file->n_entries++;
        *e = (UnitEntry){};
        return e;
}

int unit_file_group(const UnitFile *file, const char *name) {
        for (size_t i = 0; i < file->n_groups; i++)
                if (strcmp(file->groups[i].name, name) == 0)
                        return (int) i;
        return -ENOENT;
}

/* The next line that is neither blank nor a comment, continuations joined, NUL-terminated; NULL at the end or at a
 * fault. A backslash joins what stands before it and, without its indentation, the next line; comments and blank
 * lines in between are passed over. */
static char *next_logical_line(Reader *r, uint32_t *ret_line) {
        char *start = NULL, *write = NULL;

        while (r->next < r->end) {
                char *s = r->next, *e = memchr(s, '\n', (size_t) (r->end - s));
                bool last = !e;

                e = e ? e : r->end;
                r->next = last ? r->end : e + 1;
                r->line++;
                trim(&s, &e);
                if (memchr(s, '\r', (size_t) (e - s))) {
                        r->code = set_fault(r->fault, r->line, "a carriage return inside the line");
                        return NULL;
                }
                if (s == e || *s == '#' || *s == ';') {
                        if (s < e && !start && r->source == 0) {
                                UnitEntry *entry = entry_new(r->file);

                                *e = '\0';
                                if (!entry) {
                                        r->code = -ENOMEM;
                                        return NULL;
                                }
                                *entry = (UnitEntry){ .kind = ENTRY_COMMENT, .value = s, .line = r->line,
                                                      .group = r->group < 0 ? UINT16_MAX : (uint16_t) r->group };
                        }
                        continue;
                }
                if (!start) {
                        start = write = s;
                        *ret_line = r->line;
                }
                bool joins = e[-1] == '\\';
                size_t n = (size_t) (e - s) - (joins ? 1 : 0);
                memmove(write, s, n);
                write += n;
                if (joins)
                        continue;
                break;
        }
        if (!start)
                return NULL;
        trim(&start, &write);
        *write = '\0';
        return start;
}

static int begin_group(Reader *r, char *s, uint32_t line) {
        size_t n = strlen(s);

        if (n < 3 || s[n - 1] != ']' || memchr(s, ']', n - 1))
                return set_fault(r->fault, line, "'%s' is not a group: it must read '[Name]'", s);
        s[n - 1] = '\0';
        r->group = unit_file_group(r->file, s + 1);
        if (r->group < 0) {
                if (r->file->n_groups == UNIT_GROUPS_MAX)
                        return set_fault(r->fault, line, "more than %d groups", UNIT_GROUPS_MAX);
                UnitGroup *groups = realloc(r->file->groups, (r->file->n_groups + 1) * sizeof(*groups));
                if (!groups)
                        return -ENOMEM;
                r->file->groups = groups;
                groups[r->file->n_groups] = (UnitGroup){
                        .name = s + 1,
                        .kind = strcmp(s + 1, unit_type_info(r->file->type)->group) == 0 ? GROUP_OWN
                              : strcmp(s + 1, "Quadlet") == 0 ? GROUP_QUADLET : GROUP_OTHER,
                        .line = line,
                        .source = r->source,
                };
                r->group = (int) r->file->n_groups++;
        }
        UnitEntry *e = entry_new(r->file);
        if (!e)
                return -ENOMEM;
        *e = (UnitEntry){ .kind = ENTRY_GROUP, .line = line, .group = (uint16_t) r->group, .source = r->source };
        return 0;
}

static int add_key(Reader *r, char *s, uint32_t line) {
        char *value = strchr(s, '='), *end;

        if (!value || value == s)
                return set_fault(r->fault, line, "'%.60s' is neither 'Key=value' nor a group nor a comment", s);
        if (r->group < 0)
                return set_fault(r->fault, line, "'%.60s' stands before the first group", s);
        end = value++;
        trim(&s, &end);
        *end = '\0';
        while (is_blank(*value))
                value++;
        for (const char *p = s; *p; p++)
                if ((unsigned char) *p <= ' ' || (unsigned char) *p >= 0x7F || strchr(":;#[]\"'\\", *p))
                        return set_fault(r->fault, line, "'%.60s' is not a key", s);
        if ((size_t) (end - s) > UNIT_KEY_LENGTH_MAX)
                return set_fault(r->fault, line, "the key '%.60s...' is too long", s);
        UnitEntry *e = entry_new(r->file);
        if (!e)
                return -ENOMEM;
        *e = (UnitEntry){ .kind = ENTRY_KEY, .name = s, .value = value, .line = line, .group = (uint16_t) r->group,
                          .source = r->source };
        return 0;
}

/* "@17": what a value or a group is called while inih has it. No printf: this is done for every line at every boot. */
static char *put_mark(char *out, size_t n) {
        char digits[24];
        size_t i = sizeof(digits);

        do
                digits[--i] = (char) ('0' + n % 10);
        while ((n /= 10) > 0);
        *out++ = '@';
        memcpy(out, digits + i, sizeof(digits) - i);
        return out + sizeof(digits) - i;
}

static bool is_mark(const char *s, size_t n) {
        char mark[32];

        *put_mark(mark, n) = '\0';
        return strcmp(s, mark) == 0;
}

/* inih's fgets(): one line with its newline, NULL at the end. */
static char *reader_line(char *line, int room, void *stream) {
        Reader *r = stream;
        uint32_t number = 0;
        char *s;

        if (r->code < 0)
                return NULL;
        if (room < UNIT_KEY_LENGTH_MAX + 40) { /* another inih than the one we know */
                r->code = -EMSGSIZE;
                return NULL;
        }
        if (r->handed != SIZE_MAX) { /* inih did not give the last key back */
                r->code = -EBADMSG;
                return NULL;
        }
        s = next_logical_line(r, &number);
        while (s && !*s) /* a backslash and nothing else */
                s = next_logical_line(r, &number);
        if (!s)
                return NULL;
        if (*s == '[') {
                r->code = begin_group(r, s, number);
                if (r->code < 0)
                        return NULL;
                *line = '[';
                memcpy(put_mark(line + 1, (size_t) r->group), "]\n", sizeof("]\n"));
        } else {
                r->code = add_key(r, s, number);
                if (r->code < 0)
                        return NULL;
                r->handed = r->file->n_entries - 1;
                char *end = stpcpy(line, r->file->entries[r->handed].name); /* its length was checked */
                *end++ = '=';
                memcpy(put_mark(end, r->handed), "\n", sizeof("\n"));
        }
        return line;
}

/* inih's side: the key, the group and the number must be the ones that were handed in. */
static int handle_token(void *user, const char *section, const char *name, const char *value) {
        Reader *r = user;

        if (r->handed == SIZE_MAX || !value || !is_mark(section, (size_t) r->group) || !is_mark(value, r->handed))
                return 0;

        UnitEntry *e = r->file->entries + r->handed;
        if (strcmp(name, e->name) != 0)
                return 0;
        UnitGroupKind kind = r->file->groups[e->group].kind;
        if (kind != GROUP_OTHER) {
                UnitKey key = unit_key_from_string(e->name);

                if ((key == KEY_DefaultDependencies) == (kind == GROUP_QUADLET))
                        e->key = (uint8_t) key;
                r->file->present[e->key / 64] |= UINT64_C(1) << (e->key % 64);
        }
        r->handed = SIZE_MAX;
        return 1;
}

static int check_bytes(const char *s, size_t size, UnitFault *fault) {
        uint32_t line = 1;

        for (const char *p = s; p < s + size;) {
                size_t n = unit_utf8_length(p);

                if (*p == '\0')
                        return set_fault(fault, line, "a NUL byte");
                if (n == 0)
                        return set_fault(fault, line, "not valid UTF-8");
                line += *p == '\n' ? 1 : 0;
                p += n;
        }
        return 0;
}

static int add_source(UnitFile *file, char *buffer, const char *path) {
        char *copy = strdup(path);
        char **sources = realloc(file->sources, (file->n_sources + 1) * sizeof(*sources));

        if (sources)
                file->sources = sources;
        char **buffers = realloc(file->buffers, (file->n_sources + 1) * sizeof(*buffers));
        if (buffers)
                file->buffers = buffers;
        if (!copy || !sources || !buffers || file->n_sources >= UINT16_MAX) {
                free(copy);
                free(buffer);
                return -ENOMEM;
        }
        sources[file->n_sources] = copy;
        buffers[file->n_sources++] = buffer;
        return 0;
}

int unit_file_add_buffer(UnitFile *file, char *buffer, size_t size, const char *path, UnitFault *fault) {
        int r = add_source(file, buffer, path);

        if (r < 0)
                return r;
        r = check_bytes(buffer, size, fault);
        if (r < 0)
                return r;
        Reader reader = { .file = file, .fault = fault, .next = buffer, .end = buffer + size, .group = -1,
                          .handed = SIZE_MAX, .source = (uint16_t) (file->n_sources - 1) };
        if (size >= 3 && memcmp(buffer, "\xEF\xBB\xBF", 3) == 0)
                reader.next += 3;
        r = ini_parse_stream(reader_line, &reader, handle_token, &reader);
        if (reader.code < 0)
                return reader.code;
        if (r != 0 || reader.handed != SIZE_MAX)
                return set_fault(fault, reader.line, "cannot be taken apart");
        return 0;
}

int unit_file_add(UnitFile *file, int dir_fd, const char *name, const char *path, UnitFault *fault) {
        char *buffer = NULL;
        struct stat st;
        /* Symlinks are followed: unit files are often links into a repository. A FIFO must not hold up the boot. */
        _cleanup_fd_ int fd = openat(dir_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

        if (fd < 0 || fstat(fd, &st) < 0) {
                int code = errno;

                (void) set_fault(fault, 0, "cannot be read: %s", strerror(code));
                return -code;
        }
        if (!S_ISREG(st.st_mode))
                return set_fault(fault, 0, "cannot be read: not a regular file");
        if (st.st_size > UNIT_FILE_SIZE_MAX)
                return set_fault(fault, 0, "cannot be read: more than %d bytes", UNIT_FILE_SIZE_MAX);
        buffer = malloc((size_t) st.st_size + 1);
        if (!buffer)
                return -ENOMEM;
        ssize_t n = io_read_full(fd, buffer, (size_t) st.st_size);
        if (n < 0) {
                free(buffer);
                (void) set_fault(fault, 0, "cannot be read: %s", strerror((int) -n));
                return (int) n;
        }
        buffer[n] = '\0';
        return unit_file_add_buffer(file, buffer, (size_t) n, path, fault);
}

void unit_file_done(UnitFile *file) {
        for (size_t i = 0; i < file->n_sources; i++) {
                free(file->sources[i]);
                free(file->buffers[i]);
        }
        free(file->sources);
        free(file->buffers);
        free(file->entries);
        free(file->groups);
        *file = (UnitFile){};
}

const UnitEntry *unit_file_last(const UnitFile *file, UnitKey key) {
        if (!unit_file_has(file, key))
                return NULL;
        for (size_t i = file->n_entries; i-- > 0;)
                if (file->entries[i].key == key)
                        return file->entries + i;
        return NULL;
}

const UnitEntry *unit_file_last_named(const UnitFile *file, const char *group, const char *name) {
        int g = unit_file_group(file, group);

        for (size_t i = file->n_entries; g >= 0 && i-- > 0;) {
                const UnitEntry *e = file->entries + i;

                if (e->kind == ENTRY_KEY && e->group == g && strcmp(e->name, name) == 0)
                        return e;
        }
        return NULL;
}
