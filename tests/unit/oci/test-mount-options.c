/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/mount.h>

#include "base/str.h"
#include "base/test.h"
#include "oci/mount-options.h"

static OciMountOptions parse(const char *words) {
        _cleanup_strv_ char **v = strv_split(words, " ");
        OciMountOptions options = OCI_MOUNT_OPTIONS_NULL;

        CHECK_INT(oci_mount_options_parse(v, &options), 0);
        return options;
}

TEST(attributes_of_the_mount) {
        _cleanup_oci_mount_options_ OciMountOptions options = parse("ro nosuid nodev noexec noatime nosymfollow");

        CHECK_INT(options.set, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOATIME | MOUNT_ATTR_NOSYMFOLLOW);
        CHECK_INT(options.clear, MOUNT_ATTR__ATIME);
        CHECK(options.read_only && options.set_below == 0 && !options.data);
}

TEST(the_last_word_counts) {
        _cleanup_oci_mount_options_ OciMountOptions options = parse("ro rw suid nosuid noatime relatime strictatime");

        CHECK(!options.read_only);
        CHECK_INT(options.set, MOUNT_ATTR_NOSUID | MOUNT_ATTR_STRICTATIME);
        CHECK_INT(options.clear, MOUNT_ATTR_RDONLY | MOUNT_ATTR__ATIME);
}

TEST(recursive_ones_are_apart) {
        _cleanup_oci_mount_options_ OciMountOptions options = parse("rbind rro rnoexec rsuid relatime");

        CHECK(options.bind && options.recursive && !options.read_only);
        CHECK_INT(options.set_below, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC);
        CHECK_INT(options.clear_below, MOUNT_ATTR_NOSUID);
        CHECK_INT(options.set, 0); /* relatime is no "elatime" with an r */
}

TEST(propagation_in_its_order) {
        _cleanup_oci_mount_options_ OciMountOptions options = parse("bind rslave shared");

        CHECK(options.bind && !options.recursive);
        CHECK_INT(options.n_propagation, 2);
        CHECK_INT(options.propagation[0], MS_SLAVE | MS_REC);
        CHECK_INT(options.propagation[1], MS_SHARED);
        CHECK_INT(oci_propagation_from_word("runbindable"), MS_UNBINDABLE | MS_REC);
        CHECK_INT(oci_propagation_from_word("rw"), 0);

        char *too_many[] = { (char[]){ "shared" }, (char[]){ "slave" }, (char[]){ "private" }, (char[]){ "shared" }, (char[]){ "slave" }, NULL };
        _cleanup_oci_mount_options_ OciMountOptions more = OCI_MOUNT_OPTIONS_NULL;
        CHECK_INT(oci_mount_options_parse(too_many, &more), -E2BIG);
}

TEST(what_is_not_known_is_the_file_systems) {
        _cleanup_oci_mount_options_ OciMountOptions options = parse("nosuid size=64k mode=755 sync iversion defaults tmpcopyup idmap");

        CHECK_INT(strv_length(options.data), 3);
        CHECK_STR(options.data[0], "size=64k");
        CHECK_STR(options.data[1], "mode=755");
        CHECK_STR(options.data[2], "sync");
        CHECK(options.copy_up && options.idmap && !options.idmap_below);
}

TEST(all_names_are_options) {
        size_t n = 0;

        for (const char *name; (name = oci_mount_option_name(n)); n++) {
                _cleanup_oci_mount_options_ OciMountOptions options = parse(name);

                /* but for those of the superblock, which go on, none is left to the file system */
                CHECK(!options.data || strv_contains((char *[]){ (char[]){ "async" }, (char[]){ "sync" }, (char[]){ "dirsync" }, (char[]){ "lazytime" },
                                                                 (char[]){ "nolazytime" }, (char[]){ "mand" }, (char[]){ "nomand" }, NULL }, name));
        }
        CHECK(n > 60);
}
