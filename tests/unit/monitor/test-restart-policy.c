/* SPDX-License-Identifier: Apache-2.0 */
/* When a container starts again. */
#include "base/test.h"
#include "monitor/restart-policy.h"

static bool wants(const char *name, uint32_t retries, int exit_code, uint32_t restarts, bool stopped) {
        RestartPolicy policy;

        CHECK_INT(restart_policy_parse(name, retries, &policy), 0);
        return restart_policy_wants(&policy, exit_code, restarts, stopped);
}

TEST(words) {
        RestartPolicy policy;

        CHECK_INT(restart_policy_parse("sometimes", 0, &policy), -EINVAL);
        CHECK_INT(restart_policy_parse("Always", 0, &policy), -EINVAL);
}

TEST(who_starts_again) {
        CHECK(!wants(NULL, 0, 1, 0, false));
        CHECK(!wants("", 0, 1, 0, false));
        CHECK(!wants("no", 0, 1, 0, false));
        CHECK(wants("always", 0, 0, 1000, false));
        CHECK(wants("unless-stopped", 0, 137, 5, false));
        CHECK(!wants("on-failure", 0, 0, 0, false));
        CHECK(wants("on-failure", 0, 1, 1000, false));
        CHECK(wants("on-failure", 3, 1, 2, false));
        CHECK(!wants("on-failure", 3, 1, 3, false));
}

TEST(the_user_has_the_last_word) {
        CHECK(!wants("always", 0, 137, 0, true));
        CHECK(!wants("unless-stopped", 0, 137, 0, true));
        CHECK(!wants("on-failure", 0, 137, 0, true));
}

TEST(the_delay_doubles_up_to_a_minute) {
        uint64_t delay = 0, wanted = 100000;

        for (int i = 0; i < 20; i++) {
                delay = restart_policy_delay(delay, 9999999);
                CHECK_INT(delay, wanted);
                wanted = MIN(wanted * 2, (uint64_t) 60000000);
        }
        CHECK_INT(restart_policy_delay(delay, 10000000), 100000);
}
