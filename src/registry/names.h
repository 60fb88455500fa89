/* SPDX-License-Identifier: Apache-2.0 */
/* Short names: "busybox" instead of "docker.io/library/busybox" (containers-registries.conf(5), Short-Name Aliasing). */
#pragma once

#include "base/error.h"

/* The full names, with their tag ("latest" if there is neither tag nor digest) and digest, that a person's word may stand for,
 * in the order in which they are to be tried: one for a word that has a host, or an alias; else one for each search registry, of
 * which a person at a terminal is asked to choose one (short-name-mode). A blocked one is refused when it is used. */
int registry_short_names(const char *word, char ***ret_full, Error *reterr);

/* After `word` was pulled as `full` and had been asked about: remembers that as an alias of the user's. Does nothing for words
 * that are no short names or have an alias. */
int registry_short_name_record(const char *word, const char *full, Error *reterr);
