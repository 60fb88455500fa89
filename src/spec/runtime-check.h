/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the check of a config.json share. */
#pragma once

#include "spec/runtime-spec.h"

/* "cannot use the configuration: MEMBER: REASON", -EINVAL. */
int runtime_refuse(Error *reterr, const char *format, ...) _printf_(2, 3);

/* Whether a word is in a list that ends with NULL; not for NULL. */
bool runtime_word_is_known(const char *const *words, const char *word) _pure_;

/* Each word of a list must be known: `what` is what one is called ("there is no <what> 'X'"). */
int runtime_check_words(char *const *list, const char *const *known, const char *member, const char *what, Error *reterr);

/* Each path of a list must be absolute. */
int runtime_check_paths(char *const *paths, const char *member, Error *reterr);

/* "0-3,7": CPUs or memory nodes; NULL is fine. */
int runtime_check_list(const char *list, const char *member, Error *reterr);

/* A line of an ID map holds at least one ID, and none beyond the last one that there is. */
int runtime_check_mappings(const ContainerIdMapping *mappings, size_t n, const char *member, Error *reterr);

/* linux.* but for what is above (spec/runtime-check-linux.c). */
int runtime_linux_check(const RuntimeSpec *spec, Error *reterr);
