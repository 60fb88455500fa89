/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing by operating system, architecture and variant. */
#include "spec/platform.h"

#include <sys/utsname.h>

#include "base/str.h"

enum { RANK_NONE = 1000, RANK_ANY_VARIANT = 100 };

void platform_wish_done(PlatformWish *wish) {
        free(wish->os);
        free(wish->architecture);
        free(wish->variant);
        *wish = (PlatformWish){};
}

int platform_wish_normalise(PlatformWish *wish) {
        static const struct {
                const char *word, *architecture, *variant;
        } rows[] = {
                { "x86_64", "amd64", NULL }, { "x86-64", "amd64", NULL }, { "aarch64", "arm64", NULL }, { "armhf", "arm", "v7" },
                { "armel", "arm", "v6" },    { "i386", "386", NULL },     { "i686", "386", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (!str_equal(wish->architecture, rows[i].word))
                        continue;
                if (str_replace(&wish->architecture, rows[i].architecture) < 0 ||
                    (!wish->variant && str_replace(&wish->variant, rows[i].variant) < 0))
                        return -ENOMEM;
        }
        return 0;
}

int platform_wish_parse(const char *text, PlatformWish *ret, Error *reterr) {
        _cleanup_platform_wish_ PlatformWish wish = {};
        char **const fields[] = { &wish.os, &wish.architecture, &wish.variant };
        const char *p = text;
        size_t n = 0;

        if (!strchr(text, '/')) {
                if (str_replace(&wish.architecture, text) < 0)
                        return error_oom(reterr);
                p = NULL;
        }
        while (p && n < ELEMENTSOF(fields)) {
                size_t length = strcspn(p, "/");

                if (!(*fields[n++] = strndup(p, length)))
                        return error_oom(reterr);
                p = p[length] ? p + length + 1 : NULL;
        }
        if (p || str_empty(wish.architecture) || (wish.os && !*wish.os) || (wish.variant && !*wish.variant))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use platform '%s': it is OS/ARCH or OS/ARCH/VARIANT", text);
        if (platform_wish_normalise(&wish) < 0)
                return error_oom(reterr);
        *ret = wish;
        wish = (PlatformWish){};
        return 0;
}

bool platform_fits(const PlatformWish *wish, const char *os, const char *architecture) {
        const char *wanted = wish->architecture ?: platform_host_architecture();

        return (str_empty(os) || str_equal(os, wish->os ?: "linux")) && (str_empty(architecture) || str_equal(architecture, wanted));
}

/* The variant of this machine where that decides what runs. */
static const char *host_variant(const char *architecture) {
        struct utsname name;

        if (!str_equal(architecture, "arm") || uname(&name) < 0)
                return NULL;
        return str_after(name.machine, "armv5") ? "v5" : str_after(name.machine, "armv6") ? "v6" : "v7";
}

static int level(const char *variant) {
        return variant && variant[0] == 'v' && variant[1] >= '1' && variant[1] <= '9' && !variant[2] ? variant[1] - '0' : -1;
}

/* 0 is the best; RANK_NONE: does not run. */
static int rank(const char *architecture, const char *wanted, const char *variant) {
        bool downward = str_equal(architecture, "arm") || str_equal(architecture, "amd64");

        if (str_empty(variant))
                variant = NULL;
        /* arm64 is v8 unless something else is said */
        if (str_equal(architecture, "arm64") && !wanted && (!variant || str_equal(variant, "v8")))
                return variant ? 0 : 1;
        if (!wanted)
                return !variant ? 0 : level(variant) >= 0 ? level(variant) : RANK_ANY_VARIANT;
        if (str_equal(variant, wanted))
                return 0;
        if (!variant)
                return RANK_ANY_VARIANT;
        if (downward && level(wanted) >= 0 && level(variant) >= 0 && level(variant) < level(wanted))
                return level(wanted) - level(variant);
        return RANK_NONE;
}

const Descriptor *platform_choose(const Index *index, const PlatformWish *wish) {
        const char *architecture = wish->architecture ?: platform_host_architecture();
        const char *wanted = wish->variant ?: host_variant(architecture);
        const Descriptor *found = NULL;
        int best = RANK_NONE;

        for (size_t i = 0; i < index->n_manifests; i++) {
                const Platform *p = &index->manifests[i].platform;

                if (!str_equal(p->os, wish->os ?: "linux") || !str_equal(p->architecture, architecture))
                        continue;
                int this = rank(architecture, wanted, p->variant);
                if (this < best) {
                        best = this;
                        found = index->manifests + i;
                }
        }
        if (!found && index->n_manifests == 1 && !index->manifests[0].platform.architecture)
                found = index->manifests;
        return found;
}
