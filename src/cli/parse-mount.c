/* SPDX-License-Identifier: Apache-2.0 */
/* Reads mounts of the command line and refuses what nobody would carry out. */
#include "cli/parse-mount.h"

#include <glob.h>
#include <unistd.h>

#include "base/option.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "cli/mount-words.h"
#include "engine/volumes-from.h"

enum { GLOB_LIMIT = 1000 };

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)
#define NOT_YET(...) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, __VA_ARGS__)

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

static int set_destination_path(ContainerMount *mount, const char *path, Error *reterr) {
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
        return 0;
}

/* What is mounted at that place already; NULL. */
static const ContainerMount *mount_at(const ContainerConfig *config, const char *destination) {
        for (size_t i = 0; i < config->n_mounts; i++)
                if (str_equal(config->mounts[i].destination, destination))
                        return config->mounts + i;
        return NULL;
}

static int check_free(const ContainerConfig *config, const ContainerMount *mount, Error *reterr) {
        return mount_at(config, mount->destination) ? INVALID("something else is mounted at '%s'", mount->destination) : 0;
}

static int set_destination(const ContainerConfig *config, ContainerMount *mount, const char *path, Error *reterr) {
        int r = set_destination_path(mount, path, reterr);

        return r < 0 ? r : check_free(config, mount, reterr);
}

static int set_source(ContainerMount *mount, MountType type, const char *source, Error *reterr) {
        if (type == MOUNT_TYPE_BIND)
                return parse_host_path(source, &mount->source, reterr);
        if (type == MOUNT_TYPE_IMAGE) /* which image it is says the store, when the container is made */
                return str_replace(&mount->source, source) < 0 ? error_oom(reterr) : 0;
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

static const struct {
        const char *name;
        MountType type;
} type_names[] = {
        { "bind", MOUNT_TYPE_BIND },   { "devpts", MOUNT_TYPE_DEVPTS }, { "image", MOUNT_TYPE_IMAGE },
        { "ramfs", MOUNT_TYPE_RAMFS }, { "tmpfs", MOUNT_TYPE_TMPFS },   { "volume", MOUNT_TYPE_VOLUME },
};

static const char *type_name(MountType type) {
        for (size_t i = 0; i < ELEMENTSOF(type_names); i++)
                if (type_names[i].type == type)
                        return type_names[i].name;
        return "";
}

static int add_mount(ContainerConfig *config, ContainerMount *mount, MountType type, Error *reterr) {
        ContainerMount *added;

        if (str_replace(&mount->type, type_name(type)) < 0)
                return error_oom(reterr);
        mount->anonymous = type == MOUNT_TYPE_VOLUME && !mount->source;
        added = container_array_add((void **) &config->mounts, &config->n_mounts, sizeof(*mount));
        if (!added)
                return error_oom(reterr);
        *added = *mount;
        *mount = (ContainerMount){};
        return 0;
}

/* Scripts that collect their volumes may give one twice; as in Podman, that is once. */
static bool is_same_again(const ContainerConfig *config, const ContainerMount *mount, MountType type) {
        const ContainerMount *there = mount_at(config, mount->destination);

        return there && mount->source && str_equal(there->type, type_name(type)) && str_equal(there->source, mount->source) &&
               strv_equal(there->options, mount->options);
}

int parse_volume(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_strv_ char **parts = strv_split(value, ":");
        _cleanup_mount_ ContainerMount mount = {};
        MountType type = MOUNT_TYPE_VOLUME;
        int r;

        if (!parts)
                return error_oom(reterr);
        size_t n = strv_length(parts);
        if (n > 3)
                return INVALID("more than three parts: it is [SOURCE:]DESTINATION[:OPTIONS]");
        if (n > 1) {
                if (!*parts[0])
                        return INVALID("the source is missing");
                type = *parts[0] == '/' || *parts[0] == '.' ? MOUNT_TYPE_BIND : MOUNT_TYPE_VOLUME;
                r = set_source(&mount, type, parts[0], reterr);
                if (r < 0)
                        return r;
        }
        r = set_destination_path(&mount, parts[n > 1 ? 1 : 0], reterr);
        if (r >= 0 && n > 2)
                r = mount_words_add_all(&mount, type, parts[2], reterr);
        if (r < 0 || is_same_again(config, &mount, type))
                return r;
        r = check_free(config, &mount, reterr);
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
                r = mount_words_add_all(&mount, MOUNT_TYPE_TMPFS, value + n + 1, reterr);
        return r < 0 ? r : add_mount(config, &mount, MOUNT_TYPE_TMPFS, reterr);
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
        { "no-dereference", "no-dereference", NULL, NULL },
        { "readonly", "ro", "rw", NULL },
        { "readwrite", "rw", "ro", NULL },
        { "ro", "ro", "rw", NULL },
        { "rw", "rw", "ro", NULL },
        { "size", NULL, NULL, "size" },
        { "suid", "suid", "nosuid", NULL },
        { "tmpcopyup", "tmpcopyup", "notmpcopyup", NULL },
        { "tmpfs-mode", NULL, NULL, "mode" },
        { "tmpfs-size", NULL, NULL, "size" },
        { "volume-nocopy", "nocopy", "copy", NULL },
        { "volume-subpath", NULL, NULL, "subpath" },
};

static const struct {
        const char *key;
        const char *words[9]; /* accepted values */
        const char *means[9]; /* NULL: the value itself */
} mount_enums[] = {
        { "bind-propagation",
          { "private", "rprivate", "shared", "rshared", "slave", "rslave", "unbindable", "runbindable" }, {} },
        { "bind-recursive", { "enabled", "true", "disabled", "false" }, { "rbind", "rbind", "bind", "bind" } },
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

typedef struct MountFields {
        MountType type;
        bool glob;                        /* a bind mount for each path that the source matches */
        const char *source, *destination; /* borrowed */
        char **words;
} MountFields;

static int field_type(const char *value, MountFields *fields, Error *reterr) {
        fields->glob = str_equal(value, "glob");
        for (size_t i = 0; i < ELEMENTSOF(type_names); i++)
                if (str_equal(type_names[i].name, fields->glob ? "bind" : value)) {
                        fields->type = type_names[i].type;
                        return 0;
                }
        if (str_equal(value, "artifact"))
                return NOT_YET("mounts of type '%s' are not there yet", value);
        return INVALID("'%s' is not a type of mount: bind, devpts, glob, image, ramfs, tmpfs or volume", value);
}

/* What Podman knows and makes nothing of, or makes volumes with. */
static int refuse_field(const char *key, Error *reterr) {
        static const char *const keys[] = { "volume-driver", "volume-label", "volume-opt" };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++)
                if (str_equal(key, keys[i])) {
                        int r = NOT_YET("the field '%s' is not there", key);
                        return error_with_hint(reterr, r, "make the volume first: sdpod volume create --help");
                }
        return 0;
}

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
                        return field_type(equals + 1, fields, reterr);
                if (*path)
                        return INVALID("'%s' is given twice", text);
                *path = equals + 1;
                return 0;
        }
        int r = refuse_field(text, reterr);
        if (r >= 0)
                r = field_word(text, equals ? equals + 1 : NULL, &word, reterr);
        if (r < 0 || !word)
                return r;
        return strv_consume(&fields->words, word) < 0 ? error_oom(reterr) : 0;
}

static int check_fields(const MountFields *fields, Error *reterr) {
        bool has_source = !str_empty(fields->source);

        if (!fields->destination && !fields->glob)
                return INVALID("the destination is missing: dst=PATH");
        if ((fields->type & (MOUNT_TYPE_BIND | MOUNT_TYPE_IMAGE)) && !has_source)
                return INVALID("the source is missing: src=%s", fields->type == MOUNT_TYPE_IMAGE ? "IMAGE" : "PATH");
        if ((fields->type & (MOUNT_TYPE_TMPFS | MOUNT_TYPE_RAMFS | MOUNT_TYPE_DEVPTS)) && fields->source)
                return INVALID("a %s has no source", type_name(fields->type));
        return 0;
}

static int mount_from_fields(ContainerConfig *config, const MountFields *fields, const char *source, const char *destination,
                             Error *reterr) {
        _cleanup_mount_ ContainerMount mount = {};
        MountWordsSeen seen = {};
        int r = 0;

        if (!str_empty(source))
                r = set_source(&mount, fields->type, source, reterr);
        if (r >= 0)
                r = set_destination(config, &mount, destination, reterr);
        for (char **w = fields->words; w && *w && r >= 0; w++)
                r = mount_words_add(&mount, fields->type, *w, &seen, reterr);
        if (r >= 0)
                r = mount_words_check(&mount, reterr);
        return r < 0 ? r : add_mount(config, &mount, fields->type, reterr);
}

/* What matches is mounted under its own path, or under its own name below the destination. */
static int mounts_from_glob(ContainerConfig *config, const MountFields *fields, Error *reterr) {
        _cleanup_free_ char *pattern = NULL;
        glob_t found = {};
        int r = parse_host_path(fields->source, &pattern, reterr);

        if (r < 0)
                return r;
        r = glob(pattern, /* flags= */ 0, /* errfunc= */ NULL, &found);
        if (r == GLOB_NOMATCH)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "nothing matches '%s'", pattern);
        if (r != 0)
                return r == GLOB_NOSPACE ? error_oom(reterr) : INVALID("the paths of '%s' cannot be read", pattern);
        if (found.gl_pathc > GLOB_LIMIT)
                r = INVALID("'%s' matches %zu paths, more than %d", pattern, found.gl_pathc, GLOB_LIMIT);
        for (size_t i = 0; i < found.gl_pathc && r >= 0; i++) {
                _cleanup_free_ char *destination = fields->destination ? str_format("%s/%s", fields->destination, path_basename(found.gl_pathv[i]))
                                                                       : strdup(found.gl_pathv[i]);

                r = destination ? mount_from_fields(config, fields, found.gl_pathv[i], destination, reterr) : error_oom(reterr);
        }
        globfree(&found);
        return r;
}

int parse_mount(ContainerConfig *config, const char *value, Error *reterr) {
        _cleanup_strv_ char **texts = NULL;
        MountFields fields = { .type = MOUNT_TYPE_VOLUME };
        int r = csv_split(value, &texts, reterr);

        for (char **t = texts; r >= 0 && t && *t; t++)
                r = read_field(&fields, *t, reterr);
        if (r >= 0)
                r = check_fields(&fields, reterr);
        if (r >= 0)
                r = fields.glob ? mounts_from_glob(config, &fields, reterr)
                                : mount_from_fields(config, &fields, fields.source, fields.destination, reterr);
        strv_free(fields.words);
        return r;
}

int parse_volumes_from(const char *value, char ***words, Error *reterr) {
        _cleanup_free_ char *name = NULL;
        _cleanup_strv_ char **options = NULL;
        int r = volumes_from_parse(value, &name, &options, reterr);

        if (r < 0)
                return r;
        return strv_append(words, value) < 0 ? error_oom(reterr) : 0;
}
