/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers a command's words mean. */
#pragma once

#include "state/container.h"

/* The one container of a command with --latest: the word, or the one made last. Both or neither is a fault of usage. */
int container_choose_one(const Store *store, const char *word, bool latest, Container *ret, Error *reterr);

/* The words of a command with --latest: a copy of them, or the ID of the container made last. */
int container_choose_words(const Store *store, char *const *words, bool latest, char ***ret, Error *reterr);
