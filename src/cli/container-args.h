/* SPDX-License-Identifier: Apache-2.0 */
/* The containers that a verb is told to work on: names and IDs, --all, --latest, --filter, --cidfile; and the loop over them
 * that goes on after a failure and remembers it. */
#pragma once

#include "cli/container-filter.h"
#include "cli/verb.h"
#include "state/container.h"

/* Embedded in a verb's options struct under any name; the rows are made by CONTAINER_SELECT_ROWS(Struct, member). */
typedef struct ContainerSelect {
        bool all, latest, ignore;
        char **cidfiles, **filters;
} ContainerSelect;

#define CONTAINER_SELECT_ALL_ROW(type, member) \
        { "all", 'a', .kind = OPTION_BOOL, .offset = offsetof(type, member.all), .help = "All containers" }
#define CONTAINER_SELECT_LATEST_ROW(type, member)                                                       \
        { "latest", 'l', .kind = OPTION_BOOL, .offset = offsetof(type, member.latest),                  \
          .help = "The container that was created last" }
#define CONTAINER_SELECT_IGNORE_ROW(type, member)                                                       \
        { "ignore", 'i', .kind = OPTION_BOOL, .offset = offsetof(type, member.ignore),                  \
          .help = "Do not fail for containers that do not exist" }
#define CONTAINER_SELECT_CIDFILE_ROW(type, member)                                                      \
        { "cidfile", .kind = OPTION_STRV, .offset = offsetof(type, member.cidfiles), .metavar = "FILE", \
          .help = "Take the ID from a file", .complete = COMPLETE_FILE }
#define CONTAINER_SELECT_FILTER_ROW(type, member, of_letter)                                            \
        { "filter", .letter = (of_letter), .kind = OPTION_STRV, .offset = offsetof(type, member.filters),                      \
          .metavar = "KEY=VALUE", .help = "Only containers that match", .complete = COMPLETE_WORDS,                          \
          .words = container_filter_keys }

/* What is done with one of them. `word` is what the person wrote, which Podman's verbs print back. */
typedef int (*ContainerAction)(const Store *store, Container *container, const char *word, void *data, Error *reterr);

/* Opens each container that was named or selected and calls the action. A failure is printed and the loop goes on; the
 * last one is returned at the end. None selected and none named is ERROR_USAGE unless --all or a filter was given. */
int containers_each(Invocation *in, const ContainerSelect *select, ContainerAction action, void *data, Error *reterr);

/* The same, after `prepare` was called for each of them where they are several, and then once without a container: it is to begin what
 * takes its time, and does not fail. True: it was told to end, and may be gone (--rm) when the action's turn comes. */
typedef bool (*ContainerPrepare)(const Store *store, Container *container, void *data);
int containers_each_prepared(Invocation *in, const ContainerSelect *select, ContainerPrepare prepare, ContainerAction action, void *data,
                             Error *reterr);
