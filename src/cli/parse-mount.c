/* SPDX-License-Identifier: Apache-2.0 */
/* Reads mounts of the command line and refuses what nobody would carry out. */
#include "cli/parse-mount.h"

#include <unistd.h>

#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/option.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)
#define NOT_YET(...) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, __VA_ARGS__)

enum { BIND = 1 << 0, VOLUME = 1 << 1, TMPFS = 1 << 2 };

/* What may stand behind the last colon of -v and of --tmpfs, and as a word of --mount. Of a group only one is taken. */
typedef struct MountWord {
        const char *name;
        unsigned types;
        char group;
        bool not_yet, no_effect;
        bool has_value;
} MountWord;

static const MountWord mount_words[] = {
        { "O", BIND | VOLUME, 'l' },
        { "U", BIND | VOLUME | TMPFS, 'U' },
        { "Z", BIND | VOLUME, 'l' },
        { "bind", BIND, 'b' },
        { "cached", BIND | VOLUME, .no_effect = true },    /* says something only to Docker on a Mac */
        { "consistent", BIND | VOLUME, .no_effect = true },
        { "copy", VOLUME, 'c' },
        { "delegated", BIND | VOLUME, .no_effect = true },
        { "dev", BIND | VOLUME | TMPFS, 'd' },
        { "exec", BIND | VOLUME | TMPFS, 'e' },
        { "gid", TMPFS, 'G', .has_value = true },
        { "idmap", BIND | VOLUME, .not_yet = true },
        { "mode", TMPFS, 'm', .has_value = true },
        { "noatime", BIND | VOLUME | TMPFS, 'a' },
        { "nocopy", VOLUME, 'c' },
        { "nodev", BIND | VOLUME | TMPFS, 'd' },
        { "noexec", BIND | VOLUME | TMPFS, 'e' },
        { "nosuid", BIND | VOLUME | TMPFS, 's' },
        { "notmpcopyup", TMPFS, 'c' },
        { "nr_inodes", TMPFS, 'n', .has_value = true },
        { "private", BIND | VOLUME, 'p' },
        { "rbind", BIND, 'b' },
        { "ro", BIND | VOLUME | TMPFS, 'r' },
        { "rprivate", BIND | VOLUME, 'p' },
        { "rshared", BIND | VOLUME, 'p' },
        { "rslave", BIND | VOLUME, 'p' },
        { "runbindable", BIND | VOLUME, 'p' },
        { "rw", BIND | VOLUME | TMPFS, 'r' },
        { "shared", BIND | VOLUME, 'p' },
        { "size", TMPFS, 'S', .has_value = true },
        { "slave", BIND | VOLUME, 'p' },
        { "suid", BIND | VOLUME | TMPFS, 's' },
        { "tmpcopyup", TMPFS, 'c' },
        { "uid", TMPFS, 'u', .has_value = true },
        { "unbindable", BIND | VOLUME, 'p' },
        { "upperdir", BIND | VOLUME, .has_value = true, .not_yet = true },
        { "workdir", BIND | VOLUME, .has_value = true, .not_yet = true },
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
        if (str_equal(word->name, "size") || str_equal(word->name, "nr_inodes"))
                return parse_bytes(value, &size) < 0 ? INVALID("'%s' is not a size", value) : 0;
        return 0;
}

/* Adds one word ("ro", "size=1m") to the options; `seen` holds the groups that are taken. */
static int add_word(ContainerMount *mount, unsigned type, const char *text, char *seen, size_t seen_size,
                    Error *reterr) {
        const char *equals = strchr(text, '=');
        size_t n = equals ? (size_t) (equals - text) : strlen(text), used = strlen(seen);
        const MountWord *word = NULL;

        for (size_t i = 0; i < ELEMENTSOF(mount_words) && !word; i++)
                if (strlen(mount_words[i].name) == n && strncmp(mount_words[i].name, text, n) == 0)
                        word = &mount_words[i];
        if (!word || !(word->types & type))
                return INVALID("'%s' is not a mount option here", text);
        if (word->not_yet)
                return NOT_YET("the mount option '%s' is not there yet", word->name);
        if ((equals != NULL) != word->has_value)
                return INVALID("the mount option '%s' %s", word->name,
                               word->has_value ? "needs a value" : "takes no value");
        if (word->no_effect)
                return 0;
        if (strchr(seen, word->group))
                return INVALID("the mount option '%s' is given twice, or beside its opposite", word->name);
        if (used + 1 < seen_size)
                seen[used] = word->group;
        if (equals) {
                int r = check_word_value(word, equals + 1, reterr);

                if (r < 0)
                        return r;
        }
        return strv_append(&mount->options, text) < 0 ? error_oom(reterr) : 0;
}

static int add_words(ContainerMount *mount, unsigned type, const char *text, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(text, ",");
        char seen[ELEMENTSOF(mount_words) + 1] = "";

        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++) {
                int r;

                if (!**w)
                        continue;
                r = add_word(mount, type, *w, seen, sizeof(seen), reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int parse_host_path(const char *path, char **ret, Error *reterr) {
        _cleanup_free_ char *cwd = NULL, *joined = NULL, *simple = NULL;

        if (*path != '/') {
                cwd = getcwd(NULL, 0);
                if (!cwd)
                        return error_set_errno(reterr, -errno, "cannot find the current directory");
                joined = str_format("%s/%s", cwd, path);
                if (!joined)
                        return error_oom(reterr);
        }
        simple = path_simplify(joined ?: path);
        if (!simple)
                return error_oom(reterr);
        *ret = TAKE_PTR(simple);
        return 0;
}

static int set_destination(const ContainerConfig *config, ContainerMount *mount, const char *path, Error *reterr) {
        if (!*path)
                return INVALID("the container's path is missing");
        if (*path != '/')
                return INVALID("the container's path '%s' is not absolute", path);
        free(mount->destination);
        mount->destination = path_simplify(path);
        if (!mount->destination)
                return error_oom(reterr);
        if (str_equal(mount->destination, "/"))
                return INVALID("nothing can be mounted over the container's root");
        for (size_t i = 0; i < config->n_mounts; i++)
                if (&config->mounts[i] != mount && str_equal(config->mounts[i].destination, mount->destination))
                        return INVALID("something else is mounted at '%s'", mount->destination);
        return 0;
}

static int set_source(ContainerMount *mount, unsigned type, const char *source, Error *reterr) {
        if (type == BIND)
                return parse_host_path(source, &mount->source, reterr);
        if (!container_name_is_valid(source))
                return INVALID(
                        "'%s' is not a volume's name ([a-zA-Z0-9][a-zA-Z0-9_.-]*) nor a path that begins with / or .",
                        source);
        return str_replace(&mount->source, source) < 0 ? error_oom(reterr) : 0;
}

static void mount_done(ContainerMount *mount) {
        free(mount->type);
        free(mount->source);
        free(mount->destination);
        strv_free(mount->options);
}
#define _cleanup_mount_ _cleanup_(mount_done)

static int add_mount(ContainerConfig *config, ContainerMount *mount, unsigned type, Error *reterr) {
        ContainerMount *added;

        if (str_replace(&mount->type, type == BIND ? "bind" : type == VOLUME ? "volume" : "tmpfs") < 0)
                return error_oom(reterr);
        mount->anonymous = type == VOLUME && !mount->source;
        added = container_array_add((void **) &config->mounts, &config->n_mounts, sizeof(*mount));
        if (!added)
                return error_oom(reterr);
        *added = *mount;
        *mount = (ContainerMount){};
        return 0;
}

int parse_volume(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_strv_ char **parts = strv_split(value, ":");
        _cleanup_mount_ ContainerMount mount = {};
        unsigned type = VOLUME;
        int r;

        if (!parts)
                return error_oom(reterr);
        size_t n = strv_length(parts);
        if (n > 3)
                return INVALID("more than three parts: it is [SOURCE:]DESTINATION[:OPTIONS]");
        if (n > 1) {
                if (!*parts[0])
                        return INVALID("the source is missing");
                type = *parts[0] == '/' || *parts[0] == '.' ? BIND : VOLUME;
                r = set_source(&mount, type, parts[0], reterr);
                if (r < 0)
                        return r;
        }
        r = set_destination(config, &mount, parts[n > 1 ? 1 : 0], reterr);
        if (r >= 0 && n > 2)
                r = add_words(&mount, type, parts[2], reterr);
        return r < 0 ? r : add_mount(config, &mount, type, reterr);
}

int parse_tmpfs(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_mount_ ContainerMount mount = {};
        size_t n = strcspn(value, ":");
        _cleanup_free_ char *path = strndup(value, n);

        if (!path)
                return error_oom(reterr);
        int r = set_destination(config, &mount, path, reterr);
        if (r >= 0 && value[n])
                r = add_words(&mount, TMPFS, value + n + 1, reterr);
        return r < 0 ? r : add_mount(config, &mount, TMPFS, reterr);
}

/* Keys of --mount that are other words for a mount option. */
static const struct {
        const char *key;
        const char *word;     /* for true, and for a key without a value; NULL: word_with_value */
        const char *word_false; /* for false; NULL: none */
        const char *word_with_value;
} mount_keys[] = {
        { "U", "U", NULL, NULL },
        { "bind-nonrecursive", "bind", "rbind", NULL },
        { "chown", "U", NULL, NULL },
        { "dev", "dev", "nodev", NULL },
        { "exec", "exec", "noexec", NULL },
        { "idmap", "idmap", NULL, NULL },
        { "mode", NULL, NULL, "mode" },
        { "readonly", "ro", "rw", NULL },
        { "ro", "ro", "rw", NULL },
        { "rw", "rw", "ro", NULL },
        { "size", NULL, NULL, "size" },
        { "suid", "suid", "nosuid", NULL },
        { "tmpfs-mode", NULL, NULL, "mode" },
        { "tmpfs-size", NULL, NULL, "size" },
        { "volume-nocopy", "nocopy", "copy", NULL },
};

static const struct {
        const char *key;
        const char *words[9]; /* accepted values */
        const char *means[9]; /* NULL: the value itself */
} mount_enums[] = {
        { "bind-propagation",
          { "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable" }, {} },
        { "consistency", { "cached", "delegated", "consistent", "default" }, { NULL, NULL, NULL, "consistent" } },
        { "relabel", { "shared", "private" }, { "z", "Z" } },
};

static int field_enum(size_t row, const char *value, const char **ret, Error *reterr) {
        for (size_t i = 0; i < ELEMENTSOF(mount_enums[row].words) && mount_enums[row].words[i]; i++)
                if (str_equal(mount_enums[row].words[i], value)) {
                        *ret = mount_enums[row].means[i] ?: mount_enums[row].words[i];
                        return 0;
                }
        return INVALID("'%s' is not a value of '%s'", value ?: "", mount_enums[row].key);
}

/* One field of --mount that is neither type, source nor destination: as a mount option's word (owned; NULL: none). */
static int field_word(const char *key, const char *value, char **ret, Error *reterr) {
        const char *word = key;

        for (size_t i = 0; i < ELEMENTSOF(mount_enums); i++)
                if (str_equal(mount_enums[i].key, key)) {
                        int r = field_enum(i, value, &word, reterr);
                        if (r < 0)
                                return r;
                        *ret = strdup(word);
                        return *ret ? 0 : error_oom(reterr);
                }
        for (size_t i = 0; i < ELEMENTSOF(mount_keys); i++) {
                bool on = true;

                if (!str_equal(mount_keys[i].key, key))
                        continue;
                if (mount_keys[i].word_with_value) {
                        *ret = str_format("%s=%s", mount_keys[i].word_with_value, value ?: "");
                        return *ret ? 0 : error_oom(reterr);
                }
                if (value && parse_bool(value, &on) < 0)
                        return INVALID("'%s=%s' is neither true nor false", key, value);
                word = on ? mount_keys[i].word : mount_keys[i].word_false;
                *ret = word ? strdup(word) : NULL;
                return word && !*ret ? error_oom(reterr) : 0;
        }
        *ret = value ? str_format("%s=%s", key, value) : strdup(key);
        return *ret ? 0 : error_oom(reterr);
}

static int field_type(const char *value, unsigned *ret, Error *reterr) {
        static const char *const later[] = { "artifact", "devpts", "glob", "image", "ramfs" };

        *ret = str_equal(value, "bind")     ? BIND
               : str_equal(value, "volume") ? VOLUME
               : str_equal(value, "tmpfs")  ? TMPFS
                                            : 0;
        if (*ret)
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(later); i++)
                if (str_equal(later[i], value))
                        return NOT_YET("mounts of type '%s' are not there yet", value);
        return INVALID("'%s' is not a type of mount: bind, volume or tmpfs", value);
}

typedef struct MountFields {
        unsigned type;
        const char *source, *destination; /* borrowed */
        char **words;
} MountFields;

static int read_field(MountFields *fields, char *text, Error *reterr) {
        static const char *const sources[] = { "source", "src" }, *const destinations[] = { "destination", "dst",
                                                                                            "target" };
        char *equals = strchr(text, '='), *word = NULL;
        const char **path = NULL;

        if (equals)
                *equals = '\0';
        for (size_t i = 0; i < ELEMENTSOF(sources); i++)
                if (str_equal(text, sources[i]))
                        path = &fields->source;
        for (size_t i = 0; i < ELEMENTSOF(destinations); i++)
                if (str_equal(text, destinations[i]))
                        path = &fields->destination;
        if (path || str_equal(text, "type")) {
                if (!equals)
                        return INVALID("'%s' needs a value", text);
                if (!path)
                        return field_type(equals + 1, &fields->type, reterr);
                if (*path)
                        return INVALID("'%s' is given twice", text);
                *path = equals + 1;
                return 0;
        }
        int r = field_word(text, equals ? equals + 1 : NULL, &word, reterr);
        if (r < 0 || !word)
                return r;
        return strv_consume(&fields->words, word) < 0 ? error_oom(reterr) : 0;
}

static int mount_from_fields(ContainerConfig *config, const MountFields *fields, Error *reterr) {
        _cleanup_mount_ ContainerMount mount = {};
        char seen[ELEMENTSOF(mount_words) + 1] = "";
        int r = 0;

        if (!fields->destination)
                return INVALID("the destination is missing: dst=PATH");
        if (fields->type == BIND && str_empty(fields->source))
                return INVALID("the source is missing: src=PATH");
        if (fields->type == TMPFS && fields->source)
                return INVALID("a tmpfs has no source");
        if (!str_empty(fields->source))
                r = set_source(&mount, fields->type, fields->source, reterr);
        if (r >= 0)
                r = set_destination(config, &mount, fields->destination, reterr);
        for (char **w = fields->words; w && *w && r >= 0; w++)
                r = add_word(&mount, fields->type, *w, seen, sizeof(seen), reterr);
        return r < 0 ? r : add_mount(config, &mount, fields->type, reterr);
}

int parse_mount(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_strv_ char **texts = NULL;
        MountFields fields = { .type = VOLUME };
        int r = csv_split(value, &texts, reterr);

        for (char **t = texts; r >= 0 && t && *t; t++)
                r = read_field(&fields, *t, reterr);
        if (r >= 0)
                r = mount_from_fields(config, &fields, reterr);
        strv_free(fields.words);
        return r;
}
