/* SPDX-License-Identifier: Apache-2.0 */
#include <linux/capability.h>
#include <strings.h>
#include <sys/capability.h>

#include "base/str.h"
#include "base/test.h"
#include "proc/caps.h"

#define STRV(...) ((char **) (const char *const[]){ __VA_ARGS__, NULL })

TEST(names_are_those_of_libcap) {
        for (int cap = 0; caps_to_name(cap); cap++) {
                char *name = cap_to_name(cap);

                CHECK(name && strcasecmp(name, caps_to_name(cap)) == 0);
                CHECK_INT(caps_from_name(name), cap);
                cap_free(name);
        }
        CHECK_INT(caps_from_name("Sys_Admin"), CAP_SYS_ADMIN);
        CHECK_INT(caps_from_name("cap_net_raw"), CAP_NET_RAW);
        CHECK_INT(caps_from_name("CAP_"), -ENOENT);
        CHECK_INT(caps_from_name("CAP_CAP_CHOWN"), -ENOENT);
        CHECK_INT(caps_from_name("NET"), -ENOENT);
}

TEST(default_is_eleven) {
        _cleanup_strv_ char **names = caps_to_strv(caps_default());
        _cleanup_free_ char *text = strv_join(names, " ");

        CHECK_STR(text, "CAP_CHOWN CAP_DAC_OVERRIDE CAP_FOWNER CAP_FSETID CAP_KILL CAP_NET_BIND_SERVICE CAP_SETFCAP "
                        "CAP_SETGID CAP_SETPCAP CAP_SETUID CAP_SYS_CHROOT");
}

TEST(all_is_what_the_kernel_has) {
        CHECK(caps_all() & CAPS_BIT(cap_max_bits() - 1));
        CHECK(cap_max_bits() == 64 || !(caps_all() & CAPS_BIT(cap_max_bits())));
}

TEST(arithmetic) {
        CapSet set;

        CHECK_INT(caps_resolve(NULL, NULL, false, &set, NULL), 0);
        CHECK(set.bounding == caps_default() && set.added == 0);
        CHECK_INT(caps_resolve(STRV("net_raw"), STRV("cap_chown", "KILL"), false, &set, NULL), 0);
        CHECK(set.bounding == ((caps_default() | CAPS_BIT(CAP_NET_RAW)) & ~(CAPS_BIT(CAP_CHOWN) | CAPS_BIT(CAP_KILL))));
        CHECK(set.added == CAPS_BIT(CAP_NET_RAW));
        CHECK_INT(caps_resolve(STRV("CHOWN"), STRV("all"), false, &set, NULL), 0);
        CHECK(set.bounding == CAPS_BIT(CAP_CHOWN));
        CHECK_INT(caps_resolve(NULL, STRV("ALL"), false, &set, NULL), 0);
        CHECK(set.bounding == 0);
        CHECK_INT(caps_resolve(STRV("ALL"), STRV("SYS_ADMIN"), false, &set, NULL), 0);
        CHECK(set.bounding == (caps_all() & ~CAPS_BIT(CAP_SYS_ADMIN)) && set.added == set.bounding);
        CHECK_INT(caps_resolve(NULL, STRV("SYS_ADMIN"), true, &set, NULL), 0);
        CHECK(set.bounding == (caps_all() & ~CAPS_BIT(CAP_SYS_ADMIN)) && set.added == 0);
}

TEST(contradictions_are_refused) {
        _cleanup_error_ Error error = ERROR_NULL;
        CapSet set;

        CHECK_INT(caps_resolve(STRV("ALL"), STRV("ALL"), false, &set, &error), -EINVAL);
        CHECK_INT(caps_resolve(STRV("CHOWN"), STRV("cap_chown"), false, &set, &error), -EINVAL);
        CHECK_STR(error.message, "cannot add and drop capability 'CAP_CHOWN': only one of the two can hold");
        CHECK_INT(caps_resolve(STRV("CHWON"), NULL, false, &set, &error), -EINVAL);
        CHECK_STR(error.message, "cannot use --cap-add 'CHWON': there is no such capability");
}
