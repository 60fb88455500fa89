/* SPDX-License-Identifier: Apache-2.0 */
/* Unit names, resource names, paths as text. */
#include "unit/name.h"

#include <string.h>

bool unit_name_is_valid(const char *name) {
        static const char valid[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789:-_.\\@";
        size_t n = strlen(name);

        return n > 0 && n <= UNIT_NAME_MAX && strspn(name, valid) == n && name[0] != '.' && name[0] != '@';
}

const char *unit_name_at(const char *name) {
        return strchr(name, '@');
}

static size_t base_length(const char *file_name) {
        const char *dot = strrchr(file_name, '.');

        return dot ? (size_t) (dot - file_name) : strlen(file_name);
}

char *unit_service_from_file(Arena *arena, UnitType type, const char *file_name) {
        size_t n = base_length(file_name);
        const char *at = memchr(file_name, '@', n);
        size_t prefix = at ? (size_t) (at - file_name) : n;

        return arena_format(arena, "%.*s%s%.*s", (int) prefix, file_name, unit_type_info(type)->infix,
                            (int) (n - prefix), file_name + prefix);
}

char *unit_resource_from_file(Arena *arena, const char *file_name) {
        size_t n = base_length(file_name);
        const char *at = memchr(file_name, '@', n);
        size_t prefix = at ? (size_t) (at - file_name) : n, instance = at ? n - prefix - 1 : 0;

        if (!at)
                return arena_format(arena, "systemd-%.*s", (int) n, file_name);
        if (instance == 0)
                return arena_format(arena, "systemd-%.*s-%%i", (int) prefix, file_name);
        return arena_format(arena, "systemd-%.*s-%.*s", (int) prefix, file_name, (int) instance, at + 1);
}

char *unit_path_join(Arena *arena, const char *dir, const char *path) {
        size_t n = strlen(dir) + strlen(path) + 2;
        char *in = arena_format(arena, "%s/%s", path[0] == '/' ? "" : dir, path), *out = arena_alloc(arena, n + 1);

        if (!in || !out)
                return NULL;
        size_t length = 0;
        for (char *save = NULL, *part = strtok_r(in, "/", &save); part; part = strtok_r(NULL, "/", &save)) {
                size_t m = strlen(part);

                if (strcmp(part, ".") == 0)
                        continue;
                if (strcmp(part, "..") == 0) {
                        while (length > 0 && out[--length] != '/')
                                ;
                        continue;
                }
                out[length++] = '/';
                memcpy(out + length, part, m);
                length += m;
        }
        if (length == 0)
                out[length++] = '/';
        out[length] = '\0';
        return out;
}

char *unit_path_parent(Arena *arena, const char *path) {
        const char *slash = strrchr(path, '/');

        if (!slash || slash == path)
                return arena_copy(arena, "/");
        return arena_copy_n(arena, path, (size_t) (slash - path));
}
