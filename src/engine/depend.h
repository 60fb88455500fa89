/* SPDX-License-Identifier: Apache-2.0 */
/* Containers that need others: those whose namespaces they share, and those of --requires.
 *
 * A container's record names those that it needs. The other way round there is a mark, containers/ID/dependents/OTHER, so that a
 * removal need not read all records; the record of OTHER has the last word on whether a mark is true. */
#pragma once

#include "engine/detached.h"
#include "engine/remove.h"
#include "state/container.h"

/* The IDs that the container needs, each once; a vector (NULL: none). */
int dependencies_list(const ContainerConfig *config, char ***ret, Error *reterr);

/* Marks of a container that is being made. */
typedef struct DependencyMarks {
        int *fds; /* each locked: its container is about to be there */
        size_t n;
} DependencyMarks;

void dependency_marks_done(DependencyMarks *marks);
#define _cleanup_dependency_marks_ _cleanup_(dependency_marks_done)

/* Leaves marks with all that the container (config->id must be set) needs: from then on they cannot be removed. *ret is kept
 * until its record is there. On failure no mark is left. */
int dependencies_mark(const Store *store, const ContainerConfig *config, DependencyMarks *ret, Error *reterr);

/* Removes the marks of a container that is gone. */
void dependencies_unmark(const Store *store, const ContainerConfig *config);

/* -EEXIST with Podman's words where others need it. */
int dependents_check(const Store *store, const Container *container, Error *reterr);

/* Fails where one of those that it needs does not run: -ESRCH (ERROR_STATE) with Podman's words. */
int dependencies_check(const Store *store, const ContainerConfig *config, Error *reterr);

/* Starts those that it needs and that do not run, in the background, and what they need before them. */
int dependencies_start(const Store *store, const ContainerConfig *config, const DetachedOptions *options, Error *reterr);

/* Does something with all that need this container, those first that need others, each once; the container comes last. */
typedef int (*DependentAction)(const Store *store, Container *container, void *data, Error *reterr);
int dependents_first(const Store *store, Container *container, DependentAction action, void *data, Error *reterr);
