/* SPDX-License-Identifier: Apache-2.0 */
#include <unistd.h>

#include "base/str.h"
#include "base/test.h"
#include "ns/idmap.h"

/* A user with 10 subordinate IDs in two ranges: 11 IDs in the user's view. */
static ContainerIdMapping base_ranges[] = { { 0, 1000, 1 }, { 1, 100000, 6 }, { 7, 200000, 4 } };
static const UserMap base = { .uid = { base_ranges, ELEMENTSOF(base_ranges) }, .gid = { base_ranges, ELEMENTSOF(base_ranges) } };

static int make(const char *mode, UserMap *ret) {
        return user_map_for_container(&(ContainerConfig){ .userns = (char *) mode }, &base, ret, /* reterr= */ NULL);
}

TEST(modes_are_whole_words) {
        static const struct {
                const char *mode;
                int r;
        } rows[] = {
                { NULL, 0 }, { "", 0 }, { "host", 0 }, { "nomap", 0 }, { "keep-id", 0 }, { "keep-id:uid=3,gid=3", 0 },
                { "keep-id:uid=x", -EINVAL }, { "keep-id:size=3", 0 }, { "keep-idle", -EOPNOTSUPP }, { "hosts", -EOPNOTSUPP },
                { "host:3", -EOPNOTSUPP }, { "nomap:3", -EOPNOTSUPP }, { "auto", -EINVAL }, { "auto:size=3", -EINVAL },
                { "automatic", -EOPNOTSUPP }, { "container:x", 0 }, { "ns:/x", 0 },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                _cleanup_user_map_ UserMap map = {};

                test_note("%s", rows[i].mode ?: "(none)");
                CHECK_INT(make(rows[i].mode, &map), rows[i].r);
        }
}

TEST(the_users_own_map_is_the_default) {
        _cleanup_user_map_ UserMap map = {};
        uint32_t id;

        CHECK_INT(make(NULL, &map), 0);
        CHECK(!map.own);
        CHECK_INT(idmap_size(&map.uid), 11);
        CHECK(idmap_to_host(&map.uid, 8, &id));
        CHECK_INT(id, 200001);
        CHECK(!idmap_to_host(&map.uid, 11, &id));
}

/* The user's ID stands where it was asked for, the others around it, and none is lost or doubled. */
TEST(keep_id_puts_the_user_in_its_place) {
        _cleanup_user_map_ UserMap map = {};
        bool seen[11] = {};
        uint32_t id, view;

        CHECK_INT(make("keep-id:uid=3,gid=0", &map), 0);
        CHECK(map.own);
        CHECK(idmap_to_host(&map.uid, 3, &id));
        CHECK_INT(id, 1000);
        CHECK(idmap_to_host(&map.gid, 0, &id));
        CHECK_INT(id, 1000);
        CHECK_INT(idmap_size(&map.uid), 11);
        for (uint32_t i = 0; i < 11; i++) {
                CHECK(idmap_to_host(&map.uid, i, &id));
                CHECK(idmap_from_host(&base.uid, id, &view));
                CHECK(!seen[view]);
                seen[view] = true;
        }
}

TEST(a_map_of_more_than_there_is_is_refused) {
        ContainerIdMapping range = { .container_id = 0, .host_id = 5, .size = 7 };
        const ContainerConfig config = { .uid_map = &range, .n_uid_map = 1 };
        _cleanup_user_map_ UserMap map = {}, other = {};
        uint32_t id;

        CHECK_INT(user_map_for_container(&config, &base, &map, /* reterr= */ NULL), -ERANGE);
        range.size = 6;
        CHECK_INT(user_map_for_container(&config, &base, &other, /* reterr= */ NULL), 0);
        /* one map given stands for both, across the ranges below */
        CHECK(idmap_to_host(&other.gid, 1, &id) && id == 100005);
        CHECK(idmap_to_host(&other.gid, 2, &id) && id == 200000);
}
