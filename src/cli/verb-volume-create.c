/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod volume create: what a volume is made of. */
#include <stdio.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "cli/mount-words.h"
#include "cli/parse-env.h"
#include "cli/quadlet.h"
#include "cli/verbs.h"
#include "image/stamp.h"
#include "image/store.h"
#include "storage/volume.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)
#define REFUSED(...) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, __VA_ARGS__)

typedef struct CreateOptions {
        char **labels, **opts, *driver, *uid, *gid;
        bool ignore, print_quadlet;
} CreateOptions;

static const char *const drivers[] = { "image", "local", NULL };

#define FIELD(member) offsetof(CreateOptions, member)
static const Option create_rows[] = {
        { "driver", 'd', .kind = OPTION_STRING, .offset = FIELD(driver), .metavar = "DRIVER",
          .help = "What the volume is made of: local (the default), or image", .complete = COMPLETE_WORDS, .words = drivers },
        { "gid", .kind = OPTION_STRING, .offset = FIELD(gid), .metavar = "GID", .help = "Give it to this group of containers" },
        { "ignore", .kind = OPTION_BOOL, .offset = FIELD(ignore), .help = "Do not fail when the volume exists" },
        { "label", 'l', .kind = OPTION_STRV, .offset = FIELD(labels), .metavar = "KEY[=VALUE]", .help = "Add a label" },
        { "opt", 'o', .kind = OPTION_STRV, .offset = FIELD(opts), .metavar = "NAME=VALUE",
          .help = "Set an option: type, device, o, copy, nocopy; image" },
        { "print-quadlet", .kind = OPTION_BOOL, .offset = FIELD(print_quadlet),
          .help = "Print the .volume file whose service does the same, and do nothing else" },
        { "uid", .kind = OPTION_STRING, .offset = FIELD(uid), .metavar = "UID", .help = "Give it to this user of containers" },
        {},
};
static const Option *const create_options[] = { create_rows, NULL };

static int set_owner(Volume *volume, const char *what, const char *value, uint32_t *id, Error *reterr) {
        if (parse_id(value, id) < 0)
                return INVALID("cannot use '%s%s': it is not an ID", what, value);
        volume->owned = true;
        return 0;
}

/* One word of `o`. What it does not know are words of a mount. */
static int check_word(Volume *volume, VolumeKind kind, const char *word, ContainerMount *mount, MountWordsSeen *seen, Error *reterr) {
        static const char *const foreign[] = { "O", "U", "Z", "copy", "idmap", "no-dereference", "nocopy", "subpath", "upperdir", "workdir", "z" };
        const char *value;

        if (!*word || str_equal(word, "noquota") || str_equal(word, "defaults"))
                return 0;
        if (kind != VOLUME_TMPFS && (value = str_after(word, "uid=")))
                return set_owner(volume, "--opt o=uid=", value, &volume->uid, reterr);
        if (kind != VOLUME_TMPFS && (value = str_after(word, "gid=")))
                return set_owner(volume, "--opt o=gid=", value, &volume->gid, reterr);
        if (kind != VOLUME_TMPFS && (str_after(word, "size=") || str_after(word, "inodes=")))
                return REFUSED("cannot use '--opt o=%s': a limit of a directory takes a project quota, which only the machine's root can set", word);
        if (str_after(word, "timeout="))
                return REFUSED("cannot use '--opt o=%s': it is for volume plugins, which are not there", word);
        for (size_t i = 0; i < ELEMENTSOF(foreign); i++)
                if (strncmp(word, foreign[i], strcspn(word, "=")) == 0 && strlen(foreign[i]) == strcspn(word, "="))
                        return INVALID("cannot use '--opt o=%s': it is for a container's mount", word);
        if (kind == VOLUME_DIRECTORY)
                return INVALID("cannot use '--opt o=%s': a volume without a type is a directory and not mounted", word);
        int r = mount_words_add(mount, kind == VOLUME_TMPFS ? MOUNT_TYPE_TMPFS : MOUNT_TYPE_BIND, word, seen, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot use '--opt o=%s'", word) : 0;
}

static int check_words(Volume *volume, VolumeKind kind, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(strv_env_get(volume->options, "o") ?: "", ",");
        ContainerMount mount = {};
        MountWordsSeen seen = {};
        int r = words ? 0 : error_oom(reterr);

        for (char **w = words; w && *w && r >= 0; w++)
                r = check_word(volume, kind, *w, &mount, &seen, reterr);
        strv_free(mount.options);
        return r;
}

/* podman-volume-create(1): what mount(8) would be told. */
static int check_local(Volume *volume, Error *reterr) {
        const char *type = strv_env_get(volume->options, "type"), *device = strv_env_get(volume->options, "device");
        VolumeKind kind = volume_kind(volume);

        if (type && !str_equal(type, "tmpfs") && !str_equal(type, "none") && !str_equal(type, "bind"))
                return geteuid() == 0 ? REFUSED("cannot make a volume of type '%s': it is not there yet", type)
                                      : REFUSED("cannot make a volume of type '%s': only the machine's root may mount one; there are tmpfs, and "
                                                "none with o=bind", type);
        if (type && kind == VOLUME_DIRECTORY)
                return INVALID("cannot make a volume of type '%s': what is mounted says o=bind", type);
        if (kind == VOLUME_BIND && (!device || *device != '/'))
                return INVALID("cannot make the volume: o=bind takes an absolute path, device=PATH");
        if (kind == VOLUME_DIRECTORY && device)
                return INVALID("cannot make the volume: device=%s needs a type, or o=bind", device);
        return check_words(volume, kind, reterr);
}

static int check_image(const Store *store, Volume *volume, Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};
        const char *name = strv_env_get(volume->options, "image");

        if (str_empty(name))
                return INVALID("cannot make a volume of an image: say which with --opt image=IMAGE");
        int r = image_store_resolve(store, name, &image, reterr);
        if (r < 0)
                return r == -ENOENT ? error_with_hint(reterr, r, "sdpod pull %s", name) : r;
        if (str_replace(&volume->image_id, image.id) < 0 || !(volume->layers = strv_copy(image.layers)))
                return error_oom(reterr);
        return 0;
}

static int read_options(const CreateOptions *o, Volume *volume, Error *reterr) {
        static const char *const local[] = { "copy", "device", "nocopy", "o", "type", NULL }, *const image[] = { "image", NULL };
        bool is_image = str_equal(o->driver, "image");

        for (char **opt = o->opts; opt && *opt; opt++) {
                size_t n = strcspn(*opt, "=");
                _cleanup_free_ char *key = strndup(*opt, n), *pair = str_format("%s%s", *opt, (*opt)[n] ? "" : "=");

                if (!key || !pair)
                        return error_oom(reterr);
                if (!strv_contains((char *const *) (is_image ? image : local), key))
                        return INVALID("cannot use '--opt %s': invalid mount option for driver '%s'", *opt, is_image ? "image" : "local");
                if (strv_env_set(&volume->options, pair) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static int fill_in(const Store *store, const CreateOptions *o, Volume *volume, Error *reterr) {
        int r;

        if (o->driver && !strv_contains((char *const *) drivers, o->driver))
                return REFUSED("cannot use '--driver %s': volume plugins are not there; there are local and image", o->driver);
        r = parse_labels(/* files= */ NULL, o->labels, &volume->labels, reterr);
        if (r >= 0 && str_equal(o->driver, "image") && str_replace(&volume->driver, o->driver) < 0)
                return error_oom(reterr);
        if (r >= 0)
                r = read_options(o, volume, reterr);
        if (r >= 0)
                r = volume->driver ? check_image(store, volume, reterr) : check_local(volume, reterr);
        if (r >= 0 && o->uid)
                r = set_owner(volume, "--uid ", o->uid, &volume->uid, reterr);
        if (r >= 0 && o->gid)
                r = set_owner(volume, "--gid ", o->gid, &volume->gid, reterr);
        if (r >= 0 && volume->owned && volume_kind(volume) != VOLUME_DIRECTORY)
                r = INVALID("cannot make the volume: only one that is a directory has an owner of its own; a tmpfs takes --opt o=uid=,gid=");
        return r;
}

/* As a container's (engine/create.c): whoever removes it sees the volume from now on. */
static int check_image_stays(const Store *store, const Volume *volume, Error *reterr) {
        const char *name = strv_env_get(volume->options, "image");
        int r = image_store_still_has(store, name, volume->image_id, reterr);

        if (r != 0)
                return r < 0 ? r : 0;
        (void) volume_remove(store, volume->name, /* reterr= */ NULL);
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot use image '%s': it was removed meanwhile: no such image", name);
}

static int run_create(Invocation *in, Error *reterr) {
        const CreateOptions *o = in->options;
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        const Store *store;

        if (o->print_quadlet)
                return quadlet_print_one(&(QuadletRequest){ .type = UNIT_VOLUME, .tables = create_options, .parse = &in->parse, .environment = environ,
                                                            .arguments = in->arguments, .global = &in->global }, reterr);
        int r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = fill_in(store, o, &volume, reterr);
        if (r < 0)
                return r;
        volume.name = in->n_arguments > 0 ? strdup(in->arguments[0]) : str_random_id(VOLUME_MADE_NAME_LENGTH);
        if (!volume.name)
                return error_oom(reterr);
        r = volume_create(store, &volume, &error);
        if (r < 0 && !(r == -EEXIST && o->ignore))
                return error_move(reterr, &error);
        if (r >= 0 && volume.image_id)
                r = check_image_stays(store, &volume, reterr);
        if (r < 0 && r != -EEXIST)
                return r;
        printf("%s\n", volume.name);
        return 0;
}

const Verb verb_volume_create = {
        .arguments = "[NAME]",
        .summary = "Create a volume",
        .options = create_options,
        .options_size = sizeof(CreateOptions),
        .arguments_max = 1,
        .run = run_create,
};
