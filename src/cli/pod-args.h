/* SPDX-License-Identifier: Apache-2.0 */
/* The pods that a verb is told to work on: names and IDs, --all, --latest, --pod-id-file; and the loop over them that goes on
 * after a failure and remembers it. */
#pragma once

#include "cli/verb.h"
#include "state/pod.h"

typedef struct PodSelect {
        bool all, latest, ignore;
        char **id_files;
} PodSelect;

#define POD_SELECT_ALL_ROW(type, member) \
        { "all", 'a', .kind = OPTION_BOOL, .offset = offsetof(type, member.all), .help = "All pods" }
#define POD_SELECT_LATEST_ROW(type, member)                                                            \
        { "latest", 'l', .kind = OPTION_BOOL, .offset = offsetof(type, member.latest),                 \
          .help = "The pod that was created last" }
#define POD_SELECT_IGNORE_ROW(type, member)                                                            \
        { "ignore", 'i', .kind = OPTION_BOOL, .offset = offsetof(type, member.ignore),                 \
          .help = "Do not fail for pods that do not exist" }
#define POD_SELECT_ID_FILE_ROW(type, member)                                                           \
        { "pod-id-file", .kind = OPTION_STRV, .offset = offsetof(type, member.id_files), .metavar = "FILE", \
          .help = "Take the ID from a file", .complete = COMPLETE_FILE }

typedef int (*PodAction)(const Store *store, Pod *pod, void *data, Error *reterr);

/* Opens each pod that was named or selected and calls the action; its ID is printed where that went well, as Podman does. A
 * failure is printed and the loop goes on; the last one is returned at the end. */
int pods_each(Invocation *in, const PodSelect *select, PodAction action, void *data, Error *reterr);

/* The one pod of a command with --latest. */
int pod_choose_one(const Store *store, const char *word, bool latest, Pod *ret, Error *reterr);

/* Writes the ID to a file that must not be there yet. */
int pod_id_file_write(const char *path, const char *id, Error *reterr);

/* Reads one. */
int pod_id_file_read(const char *path, char **ret, Error *reterr);
