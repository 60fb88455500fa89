/* SPDX-License-Identifier: Apache-2.0 */
/* One unit file in memory: groups, keys, values, comments and line numbers, in the order they were written.
 *
 * inih takes a line apart, but the library cuts lines at 199 bytes, drops what follows " ;" and knows no continuation.
 * So a reader of our own joins the logical lines, keeps each value and its line number aside, and hands inih `Key=@17`
 * below `[@3]`: what comes back from inih must be what was handed in, or the file is refused. */
#pragma once

#include "unit/keys.h"

enum {
        UNIT_FILE_SIZE_MAX = 1024 * 1024, /* systemd takes no line longer than this */
        UNIT_GROUPS_MAX = 256,
        UNIT_KEY_LENGTH_MAX = 128,        /* inih's line has room for 199 */
};

typedef enum UnitEntryKind {
        ENTRY_KEY,
        ENTRY_GROUP,
        ENTRY_COMMENT, /* the line is in `value` */
} UnitEntryKind;

typedef struct UnitEntry {
        const char *name;    /* of a key */
        const char *value;
        uint32_t line;
        uint16_t group;      /* index in groups */
        uint16_t source;     /* index in sources */
        uint8_t kind;        /* UnitEntryKind */
        uint8_t key;         /* UnitKey; KEY_NONE for keys of other groups and for unknown ones */
        bool dropped;        /* replaced by what the converter writes */
} UnitEntry;
static_assert(_UNIT_KEY_MAX <= UINT8_MAX, "a key fits its field");

typedef enum UnitGroupKind {
        GROUP_OTHER,
        GROUP_OWN,     /* the type's: [Container] in a .container file */
        GROUP_QUADLET, /* [Quadlet], in files of every type */
} UnitGroupKind;

typedef struct UnitGroup {
        const char *name;
        UnitGroupKind kind;
        uint32_t line;
        uint16_t source;
} UnitGroup;

/* The main file is sources[0]; drop-ins follow. */
typedef struct UnitFile {
        UnitType type;
        UnitEntry *entries;
        size_t n_entries, entries_room;
        UnitGroup *groups;
        size_t n_groups;
        char **sources;      /* paths, owned */
        char **buffers;      /* contents, owned; the strings above point into them */
        size_t n_sources;
        uint64_t present[4]; /* which keys have an entry */
} UnitFile;

/* A fault at a place: `line` is 0 where the whole file is meant. */
typedef struct UnitFault {
        uint32_t line;
        char *message; /* owned */
} UnitFault;

void unit_fault_done(UnitFault *fault);

/* Adds the content of one file, read below `dir_fd`, to what is there: groups of the same name are one, keys are
 * appended. `path` is what messages and SourcePath= call it. Never blocks, whatever the file is; a fault leaves the
 * UnitFile for unit_file_done() only. Comments of drop-ins (all files but the first) are not kept. */
int unit_file_add(UnitFile *file, int dir_fd, const char *name, const char *path, UnitFault *fault);

/* The same from memory; `buffer` is NUL-terminated at `size`, from malloc(), and owned by the file from then on. */
int unit_file_add_buffer(UnitFile *file, char *buffer, size_t size, const char *path, UnitFault *fault);

void unit_file_done(UnitFile *file);

/* The index of a group, -ENOENT if there is none. */
int unit_file_group(const UnitFile *file, const char *name) _pure_;

/* Whether the type's own group has an entry of that key. */
static inline bool unit_file_has(const UnitFile *file, UnitKey key) {
        return file->present[key / 64] >> (key % 64) & 1;
}

/* The last entry of a key in the own group, or by group and name; NULL if there is none. */
const UnitEntry *unit_file_last(const UnitFile *file, UnitKey key) _pure_;
const UnitEntry *unit_file_last_named(const UnitFile *file, const char *group, const char *name) _pure_;
