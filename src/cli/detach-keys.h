/* SPDX-License-Identifier: Apache-2.0 */
/* --detach-keys: the keys that are typed to leave a container running (podman-run(1)). */
#pragma once

#include "base/error.h"

enum { DETACH_KEYS_MAX = 32 };

/* Words separated by commas: a letter, digit or other printable character, or ctrl-X with X a letter or one of @ [ \\ ] ^ _.
 * "" means that no keys do it, NULL the default: ctrl-p,ctrl-q. The bytes that the keys send are ended by a zero. */
int detach_keys_parse(const char *text, char ret[static DETACH_KEYS_MAX], Error *reterr);
