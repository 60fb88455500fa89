/* SPDX-License-Identifier: Apache-2.0 */
/* Which of an index's images is wanted (image-spec, image-index.md, "platform"), and the words for it. */
#pragma once

#include "spec/manifest.h"

/* What is asked for; a NULL is what this machine has. */
typedef struct PlatformWish {
        char *os, *architecture, *variant;
} PlatformWish;

void platform_wish_done(PlatformWish *wish);
#define _cleanup_platform_wish_ _cleanup_(platform_wish_done)

/* Fills it from "OS/ARCH[/VARIANT]", or "ARCH", and puts the words that people use into Go's ("x86_64": amd64, "aarch64": arm64,
 * "armhf": arm v7). -EINVAL. */
int platform_wish_parse(const char *text, PlatformWish *ret, Error *reterr);

/* Puts the architecture (and with it perhaps the variant) into Go's words. 0 or -ENOMEM. */
int platform_wish_normalise(PlatformWish *wish);

/* Whether an image that says this of itself is what is wanted, the variant aside; NULL and "" say nothing and fit. */
bool platform_fits(const PlatformWish *wish, const char *os, const char *architecture);

/* The best entry: for arm a lower variant runs on a higher one; else the variant that is asked for, or none said. Where nothing is
 * asked for, the most general one. The only entry where it names no platform. Borrowed; NULL where there is none. */
const Descriptor *platform_choose(const Index *index, const PlatformWish *wish);
