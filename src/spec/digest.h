/* SPDX-License-Identifier: Apache-2.0 */
/* Content digests as the image-spec writes them (image-spec, descriptor.md, "Digests"): "sha256:" and 64 lower-case hex
 * digits. No other algorithm is taken, so a digest that passed here is always safe as a file name. */
#pragma once

#include "base/error.h"

enum { DIGEST_HEX_LENGTH = 64, DIGEST_LENGTH = 7 + DIGEST_HEX_LENGTH };

/* Whether `text` is a whole digest. */
bool digest_is_valid(const char *text) _pure_;

/* Whether `text` is exactly 64 lower-case hex digits: an image or layer ID. */
bool digest_hex_is_valid(const char *text) _pure_;

/* The hex digits of a valid digest; borrowed. */
const char *digest_hex(const char *digest) _pure_;

/* 0, or the reason why `text` (may be NULL) is no digest; `what` says whose it is. */
int digest_check(const char *text, const char *what, Error *reterr);
