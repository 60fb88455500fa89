/* SPDX-License-Identifier: Apache-2.0 */
/* Names: of the service that a file becomes, of the thing that the service makes, and of paths in between. */
#pragma once

#include "unit/keys.h"

enum { UNIT_NAME_MAX = 255 };

/* Whether systemd takes it as the name of a unit (systemd.unit(5)), suffix included. */
bool unit_name_is_valid(const char *name) _pure_;

/* The place of '@' in a name, NULL if it is neither template nor instance. */
const char *unit_name_at(const char *name) _pure_;

/* The service's name without ".service": "web.container" gives "web", "data@.volume" "data-volume@". */
char *unit_service_from_file(Arena *arena, UnitType type, const char *file_name);

/* The default name of a volume, network or pod: "systemd-data", for a template "systemd-data-%i". */
char *unit_resource_from_file(Arena *arena, const char *file_name);

/* `path` seen from the directory `dir`, as text: "//", "/./" and ".." go. Both may hold specifiers. Owned by the
 * arena. */
char *unit_path_join(Arena *arena, const char *dir, const char *path);

/* The directory of an absolute path. */
char *unit_path_parent(Arena *arena, const char *path);

/* Whether a path begins with a specifier (%h/...), so that only systemd knows where it leads. */
static inline bool unit_path_has_specifier(const char *path) {
        return path[0] == '%' && path[1] != '%';
}
