/* SPDX-License-Identifier: Apache-2.0 */
/* All unit files of one run: found, read with their drop-ins, named, so that they can refer to each other. */
#pragma once

#include "unit/file.h"

enum {
        UNIT_DIRS_MAX = 4096,
        UNIT_FILES_MAX = 65536,
        UNIT_FAULTS_MAX = 20, /* reported for one file */
};

typedef enum UnitSeverity {
        UNIT_ERROR,
        UNIT_WARNING,
        UNIT_DEBUG,
} UnitSeverity;

typedef struct Unit {
        const char *name;     /* of the file: "web.container" */
        const char *path;
        const char *dir;
        UnitType type;
        UnitFile file;
        const char *service;  /* without ".service" */
        const char
                *resource; /* of the container, volume, image ... that it makes; NULL where only systemd could tell */
        Words starts;         /* of a pod: the services of its containers */
        bool masked;          /* a link to /dev/null: hides the files of that name in later directories */
        bool doubled;         /* another file makes the service of this name: `rival` */
        const struct Unit *rival;
        bool aside;           /* is there to be referred to only: nothing is made of it */
        bool broken;
        unsigned n_faults;
        char *fault;          /* the first one, "PATH:LINE: text", owned */
} Unit;

/* A directory that is searched with all below it. */
typedef struct UnitSearchDir {
        char *path; /* owned */
        bool without_users;   /* leaves out the subdirectory users/, which is for user managers */
        bool without_numbers; /* leaves out subdirectories that are named by a number: other people's */
        bool flat;            /* only the directory itself, and drop-ins in it */
} UnitSearchDir;

typedef struct UnitSet {
        bool user;            /* for a user manager */
        bool verbose;         /* debug lines are wanted */
        const char *tool;     /* what Exec lines run */
        const char *sdpod;    /* what says why a broken file has no service: sdpod itself, whatever the tool is */
        void (*report)(void *userdata, UnitSeverity severity, const char *text);
        /* Where it is set, findings of single units go there instead, taken apart: `path` is the unit's own file or a drop-in of
         * it, `line` is 0 where all of it is meant. Services that two files make are then found by `doubled` alone. */
        void (*found)(void *userdata, const Unit *unit, UnitSeverity severity, const char *path, uint32_t line, const char *message);
        void *userdata;

        Arena arena;
        Unit **units;         /* in the order they were found: earlier directories first, names sorted */
        size_t n_units, units_room;
        struct UnitTable *by_name, *by_service, *drop_in_dirs;
        struct UnitVisited *visited;
        size_t n_visited;
        unsigned n_broken;
        bool failed;          /* memory ran out, or a limit was hit */
} UnitSet;

/* Finds and reads all unit files below the directories whose names are not there yet: drop-ins and names come later, by
 * unit_set_name(). -ENOMEM at worst, or -E2BIG. */
int unit_set_scan(UnitSet *set, const UnitSearchDir *dirs, size_t n_dirs);

/* Finds and reads all unit files below the directories; missing directories are passed over. Faults of files are
 * reported and kept in the units. -ENOMEM at worst. */
int unit_set_load(UnitSet *set, const UnitSearchDir *dirs, size_t n_dirs);
void unit_set_done(UnitSet *set);

/* The same without a file system: a file that is to be in `dir` (which lives as long as the set), then, when all are
 * there, drop-ins and names. Faults in the text are the unit's. 0 or -ENOMEM. */
int unit_set_add_text(UnitSet *set, const char *dir, const char *name, const char *text, size_t size, Unit **ret);
int unit_set_name(UnitSet *set);

/* The unit of a file's name, NULL if there is none. */
Unit *unit_set_find(const UnitSet *set, const char *name);

/* What a file's name in another file refers to. */
typedef struct UnitReference {
        UnitType type;
        const char *service;  /* with ".service" */
        const char *resource; /* may be NULL */
} UnitReference;

/* Finds the unit by its file's name, or the instance of a template ("data@1.volume" where only "data@.volume" is
 * there). False if there is neither. Strings live as long as `arena`. */
bool unit_set_refer(const UnitSet *set, const char *name, Arena *arena, UnitReference *ret);

/* Reports a fault of the unit at a place ("PATH:LINE: converting "web.container": ...", the form which Podman's users
 * grep for) and marks it as broken. `source` is the index of the file among the unit's sources. Returns -EINVAL. */
int unit_fail(UnitSet *set, Unit *unit, unsigned source, uint32_t line, const char *format, ...) _printf_(5, 6);

/* Reports a warning about it. */
void unit_warn(UnitSet *set, const Unit *unit, unsigned source, uint32_t line, const char *format, ...) _printf_(5, 6);
