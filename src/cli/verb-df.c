/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod system df: how much disk images, containers and volumes take. */
#include <fcntl.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/image-json.h"
#include "cli/image-use.h"
#include "cli/ps-row.h"
#include "cli/time-text.h"
#include "cli/verbs.h"
#include "cli/volume-use.h"
#include "engine/inspect.h"
#include "storage/mapped.h"

typedef struct DfOptions {
        char *format;
        bool verbose;
} DfOptions;

static const Option df_rows[] = {
        { "format", .kind = OPTION_STRING, .offset = offsetof(DfOptions, format), .metavar = "TEMPLATE",
          .help = "Print by a Go template, or json" },
        { "verbose", 'v', .kind = OPTION_BOOL, .offset = offsetof(DfOptions, verbose), .help = "Show each image, container and volume" },
        {},
};
static const Option *const df_options[] = { df_rows, NULL };

static const FormatField summary_fields[] = {
        { "Type", NULL }, { "Total", NULL }, { "TotalCount", "TOTAL" }, { "Active", NULL },
        { "Size", NULL }, { "RawSize", NULL }, { "Reclaimable", NULL }, { "RawReclaimable", NULL }, {},
};
static const FormatList summary_list = { summary_fields, NULL, "table {{.Type}}\t{{.Total}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}", 5 };

static const FormatField image_fields[] = {
        { "Repository", NULL }, { "Tag", NULL }, { "ImageID", "IMAGE ID" }, { "Created", NULL },
        { "Size", NULL }, { "SharedSize", "SHARED SIZE" }, { "UniqueSize", "UNIQUE SIZE" }, { "Containers", NULL }, {},
};
static const FormatList images_list = {
        image_fields, NULL,
        "table {{.Repository}}\t{{.Tag}}\t{{.ImageID}}\t{{.Created}}\t{{.Size}}\t{{.SharedSize}}\t{{.UniqueSize}}\t{{.Containers}}"
};
static const FormatField container_fields[] = {
        { "ContainerID", "CONTAINER ID" }, { "Image", NULL }, { "Command", NULL }, { "LocalVolumes", "LOCAL VOLUMES" },
        { "Size", NULL }, { "Created", NULL }, { "Status", NULL }, { "Names", NULL }, {},
};
static const FormatList containers_list = {
        container_fields, NULL,
        "table {{.ContainerID}}\t{{.Image}}\t{{.Command}}\t{{.LocalVolumes}}\t{{.Size}}\t{{.Created}}\t{{.Status}}\t{{.Names}}"
};
static const FormatField volume_fields_[] = { { "VolumeName", "VOLUME NAME" }, { "Links", NULL }, { "Size", NULL }, {} };
static const FormatList volumes_list = { volume_fields_, NULL, "table {{.VolumeName}}\t{{.Links}}\t{{.Size}}" };

typedef struct Kind {
        json_t *rows;            /* of -v */
        uint64_t total, active, bytes, reclaimable;
} Kind;

typedef struct Usage {
        const Store *store;
        int64_t now_usec;
        Kind images, containers, volumes;
} Usage;

static void usage_done(Usage *usage) {
        json_decref(usage->images.rows);
        json_decref(usage->containers.rows);
        json_decref(usage->volumes.rows);
}

static char *size_text(uint64_t bytes) {
        return time_text_size(bytes, 4, /* space= */ false);
}

/* Who has a layer: bits of one for each layer, counted over all images. */
enum { LAYER_SHARED = 1 << 0, LAYER_NEEDED = 1 << 1, LAYER_SEEN = 1 << 2 };

static int mark_layers(json_t *marks, const ImageInfo *image, bool needed) {
        for (char **layer = image->layers; layer && *layer; layer++) {
                int64_t mark = json_get_integer(marks, *layer, 0);

                mark |= (mark & LAYER_SEEN ? LAYER_SHARED : LAYER_SEEN) | (needed ? LAYER_NEEDED : 0);
                if (json_object_set_new(marks, *layer, json_integer(mark)) < 0)
                        return -ENOMEM;
        }
        return 0;
}

static json_t *image_row(const Usage *u, const ImageInfo *image, uint64_t shared, size_t containers) {
        _cleanup_free_ char *repository = NULL, *tag = NULL, *size = size_text(image->size), *shared_text = size_text(shared),
                            *unique = size_text(image->size - shared), *created = NULL;

        created = time_text_duration((u->now_usec - image->config.created_usec) / TIME_USEC_PER_SEC);
        if ((image->name && image_split_name(image->name, &repository, &tag) < 0) || !size || !shared_text || !unique || !created)
                return NULL;
        return json_pack("{s:s, s:s, s:s%, s:s, s:s, s:s, s:s, s:I}", "Repository", repository ?: "<none>", "Tag", tag ?: "<none>",
                         "ImageID", image->id, (size_t) 12, "Created", created, "Size", size, "SharedSize", shared_text, "UniqueSize",
                         unique, "Containers", (json_int_t) containers);
}

static int add_image(Usage *u, const ImageInfo *image, size_t containers, const json_t *marks, json_t *counted) {
        uint64_t shared = 0, size;

        u->images.active += containers > 0;
        u->images.bytes += image->blobs_size;
        u->images.reclaimable += containers > 0 ? 0 : image->blobs_size;
        for (char **layer = image->layers; layer && *layer; layer++) {
                int64_t mark = json_get_integer(marks, *layer, 0);

                if (image_layer_size(u->store, *layer, &size, /* reterr= */ NULL) < 0)
                        continue; /* removed meanwhile */
                shared += mark & LAYER_SHARED ? size : 0;
                if (json_object_get(counted, *layer))
                        continue; /* a layer that several images share counts once */
                u->images.bytes += size;
                u->images.reclaimable += mark & LAYER_NEEDED ? 0 : size;
                if (json_object_set_new(counted, *layer, json_true()) < 0)
                        return -ENOMEM;
        }
        return json_array_append_new(u->images.rows, image_row(u, image, MIN(shared, image->size), containers)) < 0 ? -ENOMEM : 0;
}

static int add_images(Usage *u, Error *reterr) {
        ImageInfo *images = NULL;
        ImageUse *uses = NULL;
        size_t n = 0, n_uses = 0;
        _cleanup_json_ json_t *marks = json_object(), *counted = json_object();

        int r = marks && counted ? image_store_list(u->store, &images, &n, reterr) : error_oom(reterr);
        if (r >= 0)
                r = image_uses(u->store, &uses, &n_uses, reterr);
        for (size_t i = 0; i < n && r >= 0; i++)
                if (mark_layers(marks, images + i, image_uses_count(uses, n_uses, images[i].id) > 0) < 0)
                        r = error_oom(reterr);
        for (size_t i = 0; i < n && r >= 0; i++)
                if (add_image(u, images + i, image_uses_count(uses, n_uses, images[i].id), marks, counted) < 0)
                        r = error_oom(reterr);
        u->images.total = n;
        image_info_free_many(images, n);
        image_use_free_many(uses, n_uses);
        return r;
}

static json_t *container_row(const Usage *u, const Container *c, uint64_t size) {
        _cleanup_free_ char *text = size_text(size), *command = strv_join(c->config.command, " "),
                            *created = time_text_duration((u->now_usec - c->config.created_usec) / TIME_USEC_PER_SEC);
        size_t n_volumes = 0;

        for (size_t i = 0; i < c->config.n_mounts; i++)
                n_volumes += str_equal(c->config.mounts[i].type, "volume");
        if (!text || !created)
                return NULL;
        return json_pack("{s:s%, s:s%, s:o, s:I, s:s, s:s, s:s, s:s}", "ContainerID", c->config.id, (size_t) 12, "Image",
                         c->config.image_id ?: "", (size_t) (c->config.image_id ? 12 : 0), "Command", json_text(command ?: ""),
                         "LocalVolumes", (json_int_t) n_volumes, "Size", text, "Created", created, "Status",
                         container_status_to_string(c->status), "Names", c->config.name);
}

static int add_containers(Usage *u, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        int r = container_list(u->store, &ids, reterr);

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_ Container c = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                uint64_t written = 0;

                r = container_load(u->store, *id, &c, &error);
                if (r >= 0)
                        r = inspect_container_size(u->store, &c, &written, /* ret_rootfs= */ NULL, &error);
                if (r == -ENOENT) {
                        r = 0;
                        continue;
                }
                if (r < 0 && !c.config.id)
                        return error_move(reterr, &error);
                if (r < 0)
                        log_warning("%s, counting it as nothing", error.message);
                bool active = c.status == CONTAINER_RUNNING || c.status == CONTAINER_PAUSED || c.status == CONTAINER_STOPPING;
                u->containers.total++;
                u->containers.active += active;
                u->containers.bytes += written;
                u->containers.reclaimable += active ? 0 : written;
                r = json_array_append_new(u->containers.rows, container_row(u, &c, written)) < 0 ? error_oom(reterr) : 0;
        }
        return r;
}

static int add_volumes(Usage *u, Error *reterr) {
        _cleanup_strv_ char **names = NULL, **users = NULL;
        int r = volume_list(u->store, &names, reterr);

        if (r >= 0)
                r = volume_users(u->store, /* volume= */ NULL, &users, reterr);

        for (char **name = names; r >= 0 && name && *name; name++) {
                _cleanup_free_ char *path = str_format("volumes/%s", *name), *text = NULL;
                _cleanup_fd_ int fd = path ? openat(u->store->data_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -EBADF;
                size_t links = volume_users_count(users, *name);
                uint64_t size = 0;

                if (fd < 0)
                        continue; /* gone meanwhile */
                r = mapped_measure_tree(fd, "_data", &size, reterr);
                if (r < 0)
                        return r;
                u->volumes.total++;
                u->volumes.active += links > 0;
                u->volumes.bytes += size;
                u->volumes.reclaimable += links > 0 ? 0 : size;
                text = size_text(size);
                if (!text || json_array_append_new(u->volumes.rows, json_pack("{s:s, s:I, s:s}", "VolumeName", *name, "Links",
                                                                              (json_int_t) links, "Size", text)) < 0)
                        return error_oom(reterr);
        }
        return r;
}

static json_t *summary_row(const char *type, const Kind *kind) {
        uint64_t percent = kind->bytes > 0 ? (kind->reclaimable * 100 + kind->bytes / 2) / kind->bytes : 0;
        _cleanup_free_ char *size = size_text(kind->bytes), *reclaimable = size_text(kind->reclaimable),
                            *both = reclaimable ? str_format("%s (%llu%%)", reclaimable, (unsigned long long) percent) : NULL;

        if (!size || !both)
                return NULL;
        return json_pack("{s:s, s:I, s:I, s:I, s:I, s:I, s:s, s:s}", "Type", type, "Total", (json_int_t) kind->total, "Active",
                         (json_int_t) kind->active, "RawSize", (json_int_t) kind->bytes, "RawReclaimable",
                         (json_int_t) kind->reclaimable, "TotalCount", (json_int_t) kind->total, "Size", size, "Reclaimable", both);
}

static int print_summary(const DfOptions *o, const Usage *u, Error *reterr) {
        _cleanup_json_ json_t *rows = json_array();

        if (json_array_append_new(rows, summary_row("Images", &u->images)) < 0 ||
            json_array_append_new(rows, summary_row("Containers", &u->containers)) < 0 ||
            json_array_append_new(rows, summary_row("Local Volumes", &u->volumes)) < 0)
                return error_oom(reterr);
        return format_list(&summary_list, o->format, /* no_heading= */ false, rows, stdout, reterr);
}

static int print_verbose(const Usage *u, Error *reterr) {
        printf("Images space usage:\n\n");
        int r = format_list(&images_list, NULL, /* no_heading= */ false, u->images.rows, stdout, reterr);
        if (r < 0)
                return r;
        printf("\nContainers space usage:\n\n");
        r = format_list(&containers_list, NULL, /* no_heading= */ false, u->containers.rows, stdout, reterr);
        if (r < 0)
                return r;
        printf("\nLocal Volumes space usage:\n\n");
        return format_list(&volumes_list, NULL, /* no_heading= */ false, u->volumes.rows, stdout, reterr);
}

static int run_df(Invocation *in, Error *reterr) {
        const DfOptions *o = in->options;
        _cleanup_(usage_done) Usage u = { .now_usec = time_now_usec(), .images.rows = json_array(),
                                          .containers.rows = json_array(), .volumes.rows = json_array() };

        if (o->verbose && o->format)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--verbose and --format cannot be used together");
        int r = invocation_store(in, &u.store, reterr);
        if (r >= 0)
                r = add_images(&u, reterr);
        if (r >= 0)
                r = add_containers(&u, reterr);
        if (r >= 0)
                r = add_volumes(&u, reterr);
        if (r < 0)
                return r;
        return o->verbose ? print_verbose(&u, reterr) : print_summary(o, &u, reterr);
}

const Verb verb_system_df = {
        .summary = "Show how much disk is used",
        .options = df_options,
        .options_size = sizeof(DfOptions),
        .run = run_df,
};
