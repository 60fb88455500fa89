/* SPDX-License-Identifier: Apache-2.0 */
/* Names of mount options and what they do. */
#include "oci/mount-options.h"

#include <stdlib.h>
#include <sys/mount.h>

#include "base/str.h"

/* Each of these exists with an "r" before it, too, for all mounts below (mount_setattr(2), AT_RECURSIVE). */
static const struct {
        const char *name;
        uint64_t set, clear;
} attributes[] = {
        { "ro", MOUNT_ATTR_RDONLY, 0 },
        { "rw", 0, MOUNT_ATTR_RDONLY },
        { "nosuid", MOUNT_ATTR_NOSUID, 0 },
        { "suid", 0, MOUNT_ATTR_NOSUID },
        { "nodev", MOUNT_ATTR_NODEV, 0 },
        { "dev", 0, MOUNT_ATTR_NODEV },
        { "noexec", MOUNT_ATTR_NOEXEC, 0 },
        { "exec", 0, MOUNT_ATTR_NOEXEC },
        { "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
        { "diratime", 0, MOUNT_ATTR_NODIRATIME },
        { "nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0 },
        { "symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW },
        /* one field with several values; relatime, the kernel's default, is 0 */
        { "relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
        { "norelatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
        { "noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME },
        { "atime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
        { "strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME },
        { "nostrictatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME },
};

static const struct {
        const char *name;
        uint64_t flags;
} propagations[] = {
        { "private", MS_PRIVATE }, { "rprivate", MS_PRIVATE | MS_REC },
        { "shared", MS_SHARED }, { "rshared", MS_SHARED | MS_REC },
        { "slave", MS_SLAVE }, { "rslave", MS_SLAVE | MS_REC },
        { "unbindable", MS_UNBINDABLE }, { "runbindable", MS_UNBINDABLE | MS_REC },
};

/* Words that change how the mount is made. */
static const struct {
        const char *name;
        size_t offset[2];
} kinds[] = {
        { "bind", { offsetof(OciMountOptions, bind), SIZE_MAX } },
        { "rbind", { offsetof(OciMountOptions, bind), offsetof(OciMountOptions, recursive) } },
        { "tmpcopyup", { offsetof(OciMountOptions, copy_up), SIZE_MAX } },
        { "idmap", { offsetof(OciMountOptions, idmap), SIZE_MAX } },
        { "ridmap", { offsetof(OciMountOptions, idmap), offsetof(OciMountOptions, idmap_below) } },
        { "src-nofollow", { offsetof(OciMountOptions, no_follow), SIZE_MAX } },
        { "copy-symlink", { offsetof(OciMountOptions, no_follow), offsetof(OciMountOptions, copy_symlink) } },
};

/* Of the file system itself. Passed on to it under the name that fsconfig(2) knows; NULL: it is so anyway, or nothing that a mount made
 * with descriptors could show (messages of the kernel log, counters of changes, access lists, which a file system has or has not). */
static const struct {
        const char *name, *passed;
} superblock[] = {
        { "async", "async" }, { "sync", "sync" }, { "dirsync", "dirsync" },
        { "lazytime", "lazytime" }, { "nolazytime", "nolazytime" },
        { "mand", "mand" }, { "nomand", "nomand" },
        { "defaults", NULL }, { "acl", NULL }, { "noacl", NULL }, { "iversion", NULL }, { "noiversion", NULL },
        { "silent", NULL }, { "loud", NULL }, { "remount", NULL }, { "auto", NULL }, { "noauto", NULL },
};

void oci_mount_options_done(OciMountOptions *options) {
        strv_free(options->data);
        *options = OCI_MOUNT_OPTIONS_NULL;
}

uint64_t oci_propagation_from_word(const char *word) {
        for (size_t i = 0; i < ELEMENTSOF(propagations); i++)
                if (str_equal(word, propagations[i].name))
                        return propagations[i].flags;
        return 0;
}

static void change(uint64_t *set, uint64_t *clear, size_t i) {
        *set = (*set & ~attributes[i].clear) | attributes[i].set;
        *clear = (*clear & ~(attributes[i].clear & MOUNT_ATTR__ATIME ? 0 : attributes[i].set)) | attributes[i].clear;
}

static bool parse_attribute(const char *word, OciMountOptions *options) {
        for (size_t i = 0; i < ELEMENTSOF(attributes); i++) {
                if (str_equal(word, attributes[i].name)) {
                        change(&options->set, &options->clear, i);
                        options->read_only = options->set & MOUNT_ATTR_RDONLY;
                        return true;
                }
                if (word[0] == 'r' && str_equal(word + 1, attributes[i].name)) {
                        change(&options->set_below, &options->clear_below, i);
                        return true;
                }
        }
        return false;
}

static bool parse_kind(const char *word, OciMountOptions *options) {
        for (size_t i = 0; i < ELEMENTSOF(kinds); i++) {
                if (!str_equal(word, kinds[i].name))
                        continue;
                for (size_t j = 0; j < ELEMENTSOF(kinds[i].offset); j++)
                        if (kinds[i].offset[j] != SIZE_MAX)
                                *(bool *) ((char *) options + kinds[i].offset[j]) = true;
                return true;
        }
        return false;
}

static int parse_word(const char *word, OciMountOptions *options) {
        uint64_t propagation = oci_propagation_from_word(word);

        if (parse_attribute(word, options) || parse_kind(word, options))
                return 0;
        if (propagation) {
                if (options->n_propagation >= ELEMENTSOF(options->propagation))
                        return -E2BIG;
                options->propagation[options->n_propagation++] = propagation;
                return 0;
        }
        for (size_t i = 0; i < ELEMENTSOF(superblock); i++)
                if (str_equal(word, superblock[i].name))
                        return superblock[i].passed ? strv_append(&options->data, superblock[i].passed) : 0;
        return strv_append(&options->data, word);
}

int oci_mount_options_parse(char *const *words, OciMountOptions *ret) {
        _cleanup_oci_mount_options_ OciMountOptions options = OCI_MOUNT_OPTIONS_NULL;

        for (char *const *w = words; w && *w; w++) {
                int r = **w ? parse_word(*w, &options) : 0;

                if (r < 0)
                        return r;
        }
        *ret = options;
        options = OCI_MOUNT_OPTIONS_NULL;
        return 0;
}

const char *oci_mount_option_name(size_t i) {
        static const char *const recursive[] = {
                "rro", "rrw", "rnosuid", "rsuid", "rnodev", "rdev", "rnoexec", "rexec", "rnodiratime", "rdiratime",
                "rnosymfollow", "rsymfollow", "rrelatime", "rnorelatime", "rnoatime", "ratime", "rstrictatime", "rnostrictatime",
        };
        static_assert(ELEMENTSOF(recursive) == ELEMENTSOF(attributes), "one for each attribute");

        if (i < ELEMENTSOF(attributes))
                return attributes[i].name;
        i -= ELEMENTSOF(attributes);
        if (i < ELEMENTSOF(recursive))
                return recursive[i];
        i -= ELEMENTSOF(recursive);
        if (i < ELEMENTSOF(propagations))
                return propagations[i].name;
        i -= ELEMENTSOF(propagations);
        if (i < ELEMENTSOF(kinds))
                return kinds[i].name;
        i -= ELEMENTSOF(kinds);
        return i < ELEMENTSOF(superblock) ? superblock[i].name : NULL;
}
