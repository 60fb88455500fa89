/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/str.h"
#include "base/test.h"
#include "spec/platform.h"

TEST(words_for_platforms) {
        static const char *const rows[][4] = {
                { "linux/amd64", "linux", "amd64", NULL },
                { "linux/arm64/v8", "linux", "arm64", "v8" },
                { "arm64", NULL, "arm64", NULL },
                { "linux/aarch64", "linux", "arm64", NULL },
                { "x86_64", NULL, "amd64", NULL },
                { "linux/armhf", "linux", "arm", "v7" },
                { "linux/armel/v5", "linux", "arm", "v5" },
        };
        static const char *const refused[] = { "", "/", "linux/", "/amd64", "linux/arm/", "linux/arm/v7/x", "linux//v7" };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_platform_wish_ PlatformWish wish = {};

                CHECK_INT(platform_wish_parse(rows[i][0], &wish, NULL), 0);
                CHECK_STR(wish.os, rows[i][1]);
                CHECK_STR(wish.architecture, rows[i][2]);
                CHECK_STR(wish.variant, rows[i][3]);
        }
        for (size_t i = 0; i < ELEMENTSOF(refused); i++) {
                _cleanup_platform_wish_ PlatformWish wish = {};

                CHECK_INT(platform_wish_parse(refused[i], &wish, NULL), -EINVAL);
        }
}

/* Entries "arch[/variant]" apart by a space; the number of the one that is chosen, or -1. */
static int choose(const char *entries, const char *wanted) {
        _cleanup_platform_wish_ PlatformWish wish = {};
        Descriptor descriptors[8] = {};
        Index index = { .manifests = descriptors };
        _cleanup_free_ char *text = strdup(entries);
        int found = -1;

        CHECK_INT(platform_wish_parse(wanted, &wish, NULL), 0);
        for (char *save = NULL, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
                Platform *p = &descriptors[index.n_manifests++].platform;
                char *slash = strchr(word, '/');

                if (slash)
                        *slash = 0;
                p->os = (char *) "linux";
                p->architecture = word;
                p->variant = slash ? slash + 1 : NULL;
        }
        const Descriptor *chosen = platform_choose(&index, &wish);
        if (chosen)
                found = (int) (chosen - descriptors);
        return found;
}

TEST(the_best_entry_of_an_index) {
        static const struct {
                const char *entries, *wanted;
                int found;
        } rows[] = {
                { "amd64 arm64", "linux/arm64", 1 },
                { "amd64 arm64", "linux/s390x", -1 },
                { "arm64/v8 amd64", "linux/arm64", 0 },
                { "arm64/v9 arm64/v8", "linux/arm64", 1 },
                { "arm64 arm64/v8", "linux/arm64/v8", 1 },
                { "arm64", "linux/arm64/v8", 0 },
                { "arm/v5 arm/v6 arm/v7", "linux/arm/v7", 2 },
                { "arm/v5 arm/v6", "linux/arm/v7", 1 },
                { "arm/v7", "linux/arm/v6", -1 },
                { "arm/v8 arm/v5", "linux/arm/v6", 1 },
                { "amd64/v3 amd64", "linux/amd64", 1 },
                { "amd64/v3 amd64/v2", "linux/amd64", 1 },
                { "amd64/v1 amd64/v3 amd64/v2", "linux/amd64/v2", 2 },
                { "amd64/v3", "linux/amd64/v2", -1 },
                { "riscv64/a riscv64", "linux/riscv64/a", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int found = choose(rows[i].entries, rows[i].wanted);

                if (found != rows[i].found)
                        test_note("%s of: %s", rows[i].wanted, rows[i].entries);
                CHECK_INT(found, rows[i].found);
        }
}

TEST(what_says_nothing_fits) {
        _cleanup_platform_wish_ PlatformWish wish = {};

        CHECK_INT(platform_wish_parse("linux/arm64", &wish, NULL), 0);
        CHECK(platform_fits(&wish, "linux", "arm64"));
        CHECK(platform_fits(&wish, NULL, ""));
        CHECK(!platform_fits(&wish, "linux", "amd64"));
        CHECK(!platform_fits(&wish, "windows", "arm64"));
}
