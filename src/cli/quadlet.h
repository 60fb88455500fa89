/* SPDX-License-Identifier: Apache-2.0 */
/* The generator's way back: from a command line that was parsed to the unit file (podman-systemd.unit(5)) whose service runs it. What
 * has a key becomes that key, by the table of the type (src/unit); all other options stand behind PodmanArgs=. */
#pragma once

#include "cli/global.h"
#include "unit/keys.h"

/* Which of the options: `run --pod new:NAME` is a pod and a container at once. */
typedef enum QuadletPart {
        QUADLET_ALL,
        QUADLET_POD,       /* those that are meant for the pod (cli/pod-member.c) */
        QUADLET_MEMBER,    /* the others */
} QuadletPart;

typedef struct QuadletRequest {
        UnitType type;                /* .container, .pod, .volume or .network */
        const Option *const *tables;  /* of the verb */
        const OptionParse *parse;
        char *const *arguments;       /* the words that are no options, NULL-terminated; may be NULL */
        const GlobalOptions *global;
        char *const *environment;     /* where `--env NAME` is looked up */
        const char *name;             /* of the thing, where it is known and is not on the command line */
        const char *image;            /* its full name, where that is known */
        const char *pod_file;         /* of the pod that it is in: "web.pod" */
        QuadletPart part;
        bool recorded;                /* the command line is an old one: what the current directory was is not known */
} QuadletRequest;

typedef struct QuadletFile {
        char *name, *text; /* "web.container"; owned */
} QuadletFile;

typedef struct QuadletFiles {
        QuadletFile *items;
        size_t n;
} QuadletFiles;

void quadlet_files_done(QuadletFiles *files);
#define _cleanup_quadlet_files_ _cleanup_(quadlet_files_done)

bool quadlet_files_have(const QuadletFiles *files, const char *name) _pure_;

/* Appends the file, unless one of its name is there. Relative paths are made absolute below the current directory. A volume or network
 * whose file is there already is named by that. */
int quadlet_add(const QuadletRequest *request, QuadletFiles *files, Error *reterr);

/* To stdout (several: in one text that `quadlet install` takes apart again, with lines `---` between), or as files in the current
 * directory, whose paths are printed. */
int quadlet_print(const QuadletFiles *files, Error *reterr);
int quadlet_write(const QuadletFiles *files, bool replace, Error *reterr);

/* The pod that the command line makes by the way: NAME of `--pod new:NAME`; NULL. */
const char *quadlet_new_pod(const OptionParse *parse);

/* The same of what `run --pod new:NAME` makes: the pod's file, and the container's. */
int quadlet_add_with_pod(const QuadletRequest *request, const char *pod, QuadletFiles *files, Error *reterr);

/* For --print-quadlet: to stdout. */
int quadlet_print_one(const QuadletRequest *request, Error *reterr);
