/* SPDX-License-Identifier: Apache-2.0 */
/* The words that a mount can be given, and which go together. */
#include "cli/mount-words.h"

#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)

/* What may stand behind the last colon of -v and of --tmpfs, and as a word of --mount. Of a group only one is taken. */
typedef struct MountWord {
        const char *name;
        unsigned types;
        char group;
        bool no_effect;
        enum { VALUE_NONE, VALUE_NEEDED, VALUE_OPTIONAL } value;
} MountWord;

enum {
        BIND = MOUNT_TYPE_BIND,
        VOLUME = MOUNT_TYPE_VOLUME,
        TMPFS = MOUNT_TYPE_TMPFS,
        RAMFS = MOUNT_TYPE_RAMFS,
        IMAGE = MOUNT_TYPE_IMAGE,
        DEVPTS = MOUNT_TYPE_DEVPTS,
};

static const MountWord mount_words[] = {
        { "O", BIND | VOLUME, 'l' },
        { "U", BIND | VOLUME | TMPFS | RAMFS, 'U' },
        { "Z", BIND | VOLUME, 'l' },
        { "bind", BIND, 'b' },
        { "cached", BIND | VOLUME, .no_effect = true },    /* says something only to Docker on a Mac */
        { "consistent", BIND | VOLUME, .no_effect = true },
        { "copy", VOLUME, 'c' },
        { "delegated", BIND | VOLUME, .no_effect = true },
        { "dev", BIND | VOLUME | TMPFS | RAMFS, 'd' },
        { "exec", BIND | VOLUME | TMPFS | RAMFS, 'e' },
        { "gid", TMPFS | DEVPTS, 'G', .value = VALUE_NEEDED },
        { "idmap", BIND | VOLUME, 'i', .value = VALUE_OPTIONAL },
        { "max", DEVPTS, 'M', .value = VALUE_NEEDED },
        { "mode", TMPFS | RAMFS | DEVPTS, 'm', .value = VALUE_NEEDED },
        { "no-dereference", BIND, 'D' },
        { "noatime", BIND | VOLUME | TMPFS | RAMFS, 'a' },
        { "nocopy", VOLUME, 'c' },
        { "nodev", BIND | VOLUME | TMPFS | RAMFS, 'd' },
        { "noexec", BIND | VOLUME | TMPFS | RAMFS, 'e' },
        { "nosuid", BIND | VOLUME | TMPFS | RAMFS, 's' },
        { "notmpcopyup", TMPFS | RAMFS, 'c' },
        { "nr_inodes", TMPFS, 'n', .value = VALUE_NEEDED },
        { "private", BIND | VOLUME, 'p' },
        { "rbind", BIND, 'b' },
        { "ro", BIND | VOLUME | TMPFS | RAMFS | IMAGE, 'r' },
        { "rprivate", BIND | VOLUME, 'p' },
        { "rshared", BIND | VOLUME, 'p' },
        { "rslave", BIND | VOLUME, 'p' },
        { "runbindable", BIND | VOLUME, 'p' },
        { "rw", BIND | VOLUME | TMPFS | RAMFS | IMAGE, 'r' },
        { "shared", BIND | VOLUME, 'p' },
        { "size", TMPFS, 'S', .value = VALUE_NEEDED },
        { "slave", BIND | VOLUME, 'p' },
        { "subpath", VOLUME | IMAGE, 'P', .value = VALUE_NEEDED },
        { "suid", BIND | VOLUME | TMPFS | RAMFS, 's' },
        { "tmpcopyup", TMPFS | RAMFS, 'c' },
        { "uid", TMPFS | DEVPTS, 'u', .value = VALUE_NEEDED },
        { "unbindable", BIND | VOLUME, 'p' },
        { "upperdir", BIND | VOLUME, 'x', .value = VALUE_NEEDED },
        { "workdir", BIND | VOLUME, 'w', .value = VALUE_NEEDED },
        { "z", BIND | VOLUME, 'l' },
};

static int check_word_value(const MountWord *word, const char *value, Error *reterr) {
        _cleanup_free_ char *number = NULL;
        uint64_t size;
        uint32_t id;
        mode_t mode;
        size_t n = strlen(value);

        if (str_equal(word->name, "mode"))
                return parse_mode(value, &mode) < 0 ? INVALID("'%s' is not an octal mode", value) : 0;
        if (str_equal(word->name, "uid") || str_equal(word->name, "gid"))
                return parse_id(value, &id) < 0 ? INVALID("'%s' is not a user or group ID", value) : 0;
        if (str_equal(word->name, "size") && n > 1 && value[n - 1] == '%') {
                number = strndup(value, n - 1);
                if (!number)
                        return error_oom(reterr);
                return parse_u32(number, &id) < 0 || id > 100 ? INVALID("'%s' is not a share of memory", value) : 0;
        }
        if (str_equal(word->name, "max"))
                return parse_u32(value, &id) < 0 || id == 0 ? INVALID("'%s' is not a number of terminals", value) : 0;
        if (str_equal(word->name, "upperdir") || str_equal(word->name, "workdir"))
                return *value != '/' ? INVALID("the %s '%s' is not an absolute path", word->name, value) : 0;
        if (str_equal(word->name, "subpath"))
                return !*value ? INVALID("the path inside the source is missing: subpath=PATH") : 0;
        if (str_equal(word->name, "idmap")) {
                if (geteuid() == 0)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "the mount option 'idmap' is not there yet");
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "the kernel lets only the machine's root map the IDs of a mount");
                return error_with_hint(reterr, -EOPNOTSUPP, "--userns keep-id:uid=,gid= maps those of the whole container, U gives the files to its user");
        }
        if (str_equal(word->name, "size") || str_equal(word->name, "nr_inodes"))
                return parse_bytes(value, &size) < 0 ? INVALID("'%s' is not a size", value) : 0;
        return 0;
}

int mount_words_add(ContainerMount *mount, MountType type, const char *text, MountWordsSeen *seen, Error *reterr) {
        const char *equals = strchr(text, '=');
        size_t n = equals ? (size_t) (equals - text) : strlen(text), used = strlen(seen->groups);
        const MountWord *word = NULL;

        for (size_t i = 0; i < ELEMENTSOF(mount_words) && !word; i++)
                if (strlen(mount_words[i].name) == n && strncmp(mount_words[i].name, text, n) == 0)
                        word = &mount_words[i];
        if (!word || !(word->types & type))
                return INVALID("'%s' is not a mount option here", text);
        if (word->value != VALUE_OPTIONAL && (equals != NULL) != (word->value == VALUE_NEEDED))
                return INVALID("the mount option '%s' %s", word->name, word->value == VALUE_NEEDED ? "needs a value" : "takes no value");
        if (word->no_effect)
                return 0;
        if (strchr(seen->groups, word->group))
                return INVALID("the mount option '%s' is given twice, or beside its opposite", word->name);
        if (used + 1 < sizeof(seen->groups))
                seen->groups[used] = word->group;
        if (word->value != VALUE_NONE) {
                int r = check_word_value(word, equals ? equals + 1 : "", reterr);

                if (r < 0)
                        return r;
        }
        return strv_append(&mount->options, text) < 0 ? error_oom(reterr) : 0;
}

int mount_words_check(const ContainerMount *mount, Error *reterr) {
        bool overlay = strv_contains(mount->options, "O"), upper = false, work = false;

        for (char **o = mount->options; o && *o; o++) {
                upper = upper || str_after(*o, "upperdir=");
                work = work || str_after(*o, "workdir=");
        }
        if (upper != work)
                return INVALID("upperdir= and workdir= are given together");
        if (upper && !overlay)
                return INVALID("upperdir= and workdir= go with the mount option 'O'");
        if (overlay && strv_contains(mount->options, "ro"))
                return INVALID("the mount option 'O' is there to be written to, which 'ro' forbids");
        return 0;
}

int mount_words_add_all(ContainerMount *mount, MountType type, const char *text, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(text, ",");
        MountWordsSeen seen = {};

        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++) {
                int r = **w ? mount_words_add(mount, type, *w, &seen, reterr) : 0;

                if (r < 0)
                        return r;
        }
        return mount_words_check(mount, reterr);
}
