/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod mount, umount, image mount, image umount. */
#include "base/str.h"
#include "cli/container-args.h"
#include "cli/format.h"
#include "cli/verbs.h"
#include "engine/mounts.h"

typedef struct MountVerbOptions {
        ContainerSelect select;
        char *format;
        bool no_trunc, force;
} MountVerbOptions;

#define FIELD(member) offsetof(MountVerbOptions, member)
static const char *const formats[] = { "json", NULL };
#define FORMAT_ROW                                                                                                   \
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "FORMAT", .help = "Print the list as json", \
          .complete = COMPLETE_WORDS, .words = formats }
/* what somebody still uses stays his until he leaves, so there is nothing to force */
#define FORCE_ROW                                                                                                 \
        { "force", 'f', .kind = OPTION_BOOL, .offset = FIELD(force), .help = "Also what is still in use, as without" }

/* A row of a list: "NAME  PATH", or for JSON an object as Podman has it. */
static int add_row(json_t *rows, const char *id, const char *label, char *const *names, char *const *repositories, const char *path) {
        json_t *row = json_pack("{s:s, s:s, s:s}", "id", id, "label", label, "mountpoint", path);
        json_t *list = json_array(), *second = repositories ? json_array() : NULL;
        int r = row && list && (second || !repositories) ? 0 : -ENOMEM;

        for (char *const *name = names; name && *name && r >= 0; name++)
                r = json_array_append_new(list, json_string(*name)) < 0 ? -ENOMEM : 0;
        for (char *const *name = repositories; name && *name && r >= 0; name++)
                r = json_array_append_new(second, json_string(*name)) < 0 ? -ENOMEM : 0;
        if (r >= 0)
                r = json_object_set(row, "Names", list) < 0 || (second && json_object_set(row, "Repositories", second) < 0) ||
                            json_array_append(rows, row) < 0 ? -ENOMEM : 0;
        json_decref(row);
        json_decref(list);
        json_decref(second);
        return r;
}

static int print_rows(json_t *rows, bool as_json, Error *reterr) {
        size_t i, width = 0;
        json_t *row;

        json_array_foreach(rows, i, row)
                width = MAX(width, strlen(json_get_string(row, "label")));
        if (!as_json)
                json_array_foreach(rows, i, row)
                        printf("%-*s  %s\n", (int) width, json_get_string(row, "label"), json_get_string(row, "mountpoint"));
        else {
                json_array_foreach(rows, i, row)
                        (void) json_object_del(row, "label");
                return format_json(rows, 1, stdout, reterr);
        }
        return 0;
}

/* ---- containers ---- */

static const Option mount_rows[] = {
        CONTAINER_SELECT_ALL_ROW(MountVerbOptions, select),
        FORMAT_ROW,
        CONTAINER_SELECT_LATEST_ROW(MountVerbOptions, select),
        { "no-trunc", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .help = "Print whole IDs" },
        { "notruncate", .kind = OPTION_BOOL, .offset = FIELD(no_trunc), .hidden = true },
        {},
};
static const Option *const mount_options[] = { mount_rows, NULL };

static int mount_one(const Store *store, Container *c, _unused_ const char *word, _unused_ void *data, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        int r = mounts_container(store, c, &path, reterr);

        if (r >= 0)
                puts(path);
        return r;
}

static int list_containers(Invocation *in, Error *reterr) {
        const MountVerbOptions *o = in->options;
        _cleanup_strv_ char **ids = NULL;
        _cleanup_json_ json_t *rows = json_array();
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        if (r >= 0)
                r = container_list(store, &ids, reterr);
        for (char **id = ids; id && *id && r >= 0; id++) {
                _cleanup_container_ Container c = CONTAINER_NULL;
                _cleanup_free_ char *path = NULL, *label = NULL;

                r = mounts_find(store, *id, &path, reterr);
                if (r < 0 || !path || container_load(store, *id, &c, /* reterr= */ NULL) < 0)
                        continue;
                label = o->no_trunc ? strdup(*id) : str_format("%.12s", *id);
                char *const names[] = { c.config.name, NULL };
                if (!label || !rows || add_row(rows, *id, label, names, NULL, path) < 0)
                        return error_oom(reterr);
        }
        return r < 0 ? r : print_rows(rows, o->format, reterr);
}

static int run_mount(Invocation *in, Error *reterr) {
        MountVerbOptions *o = in->options;
        int r = mounts_check(in->name, reterr);

        if (r < 0)
                return r;
        if (in->n_arguments == 0 && !o->select.all && !o->select.latest)
                return list_containers(in, reterr);
        return containers_each(in, &o->select, mount_one, o, reterr);
}

const Verb verb_mount = {
        .arguments = "[CONTAINER...]",
        .summary = "Mount the files of containers",
        .description = "Mount the files of containers and print where, or list what is mounted. An ordinary user does so in 'sdpod unshare'.",
        .options = mount_options,
        .options_size = sizeof(MountVerbOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run_mount,
};

static const Option umount_rows[] = {
        CONTAINER_SELECT_ALL_ROW(MountVerbOptions, select),
        FORCE_ROW,
        CONTAINER_SELECT_LATEST_ROW(MountVerbOptions, select),
        {},
};
static const Option *const umount_options[] = { umount_rows, NULL };

static int umount_one(const Store *store, Container *c, const char *word, void *data, Error *reterr) {
        const MountVerbOptions *o = data;
        int r = mounts_remove(store, c->config.id, reterr);

        if (r > 0 || (r == 0 && !o->select.all))
                puts(word);
        return r;
}

static int run_umount(Invocation *in, Error *reterr) {
        MountVerbOptions *o = in->options;
        int r = mounts_check(in->name, reterr);

        return r < 0 ? r : containers_each(in, &o->select, umount_one, o, reterr);
}

const Verb verb_umount = {
        .arguments = "CONTAINER [CONTAINER...]",
        .summary = "Unmount the files of containers",
        .options = umount_options,
        .options_size = sizeof(MountVerbOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_CONTAINER,
        .run = run_umount,
};

/* ---- images ---- */

static const Option image_mount_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = FIELD(select.all), .help = "All images" },
        FORMAT_ROW,
        {},
};
static const Option *const image_mount_options[] = { image_mount_rows, NULL };

typedef struct Images {
        ImageInfo *items;
        size_t n;
} Images;

static void images_done(Images *images) {
        image_info_free_many(images->items, images->n);
}

/* Those that were named; without a name, all there are. */
static int choose_images(Invocation *in, const Store *store, Images *ret, Error *reterr) {
        const MountVerbOptions *o = in->options;

        if (in->n_arguments == 0)
                return image_store_list(store, &ret->items, &ret->n, reterr);
        if (o->select.all)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "when using the --all switch, you may not pass any image names or IDs");
        ret->items = calloc(in->n_arguments, sizeof(ImageInfo));
        if (!ret->items)
                return error_oom(reterr);
        for (size_t i = 0; i < in->n_arguments; i++) {
                int r = image_store_resolve_whole(store, in->arguments[i], &ret->items[i], reterr);

                if (r < 0)
                        return r;
                ret->n++;
        }
        return 0;
}

static int run_image_mount(Invocation *in, Error *reterr) {
        const MountVerbOptions *o = in->options;
        _cleanup_(images_done) Images images = {};
        _cleanup_json_ json_t *rows = json_array();
        bool mounts = o->select.all || in->n_arguments > 0;
        const Store *store;
        int r = mounts_check(in->name, reterr);

        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = choose_images(in, store, &images, reterr);
        for (size_t i = 0; i < images.n && r >= 0; i++) {
                const ImageInfo *image = &images.items[i];
                _cleanup_free_ char *path = NULL;

                if (image->list)
                        continue;
                r = mounts ? mounts_image(store, image, &path, reterr) : mounts_find(store, image->id, &path, reterr);
                if (r < 0 || !path)
                        continue;
                if (in->n_arguments == 1 && !o->format)
                        puts(path);
                else if (!rows || add_row(rows, image->id, image->names ? image->names[0] : image->id, image->digests,
                                          image->names ?: (char *[]) { NULL }, path) < 0)
                        return error_oom(reterr);
        }
        return r < 0 || (in->n_arguments == 1 && !o->format) ? r : print_rows(rows, o->format, reterr);
}

const Verb verb_image_mount = {
        .arguments = "[IMAGE...]",
        .summary = "Mount the files of images",
        .description = "Mount the files of images, read-only, and print where, or list what is mounted. An ordinary user does so in "
                       "'sdpod unshare'.",
        .options = image_mount_options,
        .options_size = sizeof(MountVerbOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run_image_mount,
};

static const Option image_umount_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = FIELD(select.all), .help = "All images" },
        FORCE_ROW,
        {},
};
static const Option *const image_umount_options[] = { image_umount_rows, NULL };

static int run_image_umount(Invocation *in, Error *reterr) {
        const MountVerbOptions *o = in->options;
        _cleanup_(images_done) Images images = {};
        const Store *store;
        int r = mounts_check(in->name, reterr);

        if (r >= 0 && in->n_arguments == 0 && !o->select.all)
                r = error_set(reterr, -EINVAL, ERROR_USAGE, "image name or ID must be specified");
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = choose_images(in, store, &images, reterr);
        for (size_t i = 0; i < images.n && r >= 0; i++) {
                r = mounts_remove(store, images.items[i].id, reterr);
                if (r > 0)
                        puts(images.items[i].id);
        }
        return r < 0 ? r : 0;
}

const Verb verb_image_umount = {
        .arguments = "IMAGE [IMAGE...]",
        .summary = "Unmount the files of images",
        .options = image_umount_options,
        .options_size = sizeof(MountVerbOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run_image_umount,
};
