/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod rmi, image rm: removing images. */
#include "base/str.h"
#include "cli/image-use.h"
#include "cli/verbs.h"
#include "engine/remove.h"

typedef struct RmiOptions {
        bool all, force, ignore;
} RmiOptions;

#define FIELD(member) offsetof(RmiOptions, member)
static const Option rmi_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Remove all images" },
        { "force", 'f', .kind = OPTION_BOOL, .offset = FIELD(force), .help = "Remove the containers that use them too; what is not there is no error" },
        { "ignore", 'i', .kind = OPTION_BOOL, .offset = FIELD(ignore), .help = "Do not fail when an image is not there" },
        /* there are no parents that could be left without a name */
        { "no-prune", .kind = OPTION_NOTHING, .hidden = true },
        {},
};
static const Option *const rmi_options[] = { rmi_rows, NULL };

enum { EXIT_NOT_FOUND = 1, EXIT_IN_USE = 2, EXIT_OTHER = 125 }; /* podman-rmi(1), "Exit Status"; of several, the greatest */

/* With --force: the containers made from the image go first. */
static int remove_users(const Store *store, const char *reference, const ImageUse *uses, size_t n_uses, Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};
        const RemoveOptions options = { .force = true, .volumes = true };

        int r = image_store_is_list(store, reference, reterr);
        if (r != 0)
                return r < 0 ? r : 0; /* no container is made from a list */
        r = image_store_resolve(store, reference, &image, reterr);
        if (r < 0 || (image.found_by_name && strv_length(image.names) > 1))
                return r; /* only a name goes */
        for (size_t i = 0; i < n_uses && r >= 0; i++) {
                _cleanup_container_ Container container = CONTAINER_NULL;

                if (!str_equal(uses[i].image_id, image.id))
                        continue;
                r = container_load(store, uses[i].container_id, &container, reterr);
                if (r >= 0)
                        r = engine_remove(store, &container, &options, reterr);
                else if (r == -ENOENT) {
                        error_done(reterr);
                        r = 0;
                }
        }
        return r;
}

static int remove_one(const Store *store, const char *reference, const RmiOptions *o, Error *reterr) {
        _cleanup_image_removal_ ImageRemoval removal = {};
        ImageUse *uses = NULL;
        size_t n = 0;

        int r = o->force ? image_uses(store, &uses, &n, reterr) : 0;
        if (r >= 0 && o->force)
                r = remove_users(store, reference, uses, n, reterr);
        image_use_free_many(uses, n);
        if (r >= 0)
                r = image_store_remove(store, reference, image_uses, o->force ? IMAGE_REMOVE_FORCE : 0, &removal, reterr);
        if (r < 0)
                return r;
        for (char **name = removal.untagged; name && *name; name++)
                printf("Untagged: %s\n", *name);
        if (removal.deleted)
                printf("Deleted: %s\n", removal.id);
        return 0;
}

static int remove_all(const Store *store, const RmiOptions *o, int *status, Error *reterr) {
        ImageInfo *images;
        size_t n;
        RmiOptions by_id = *o;

        int r = image_store_list(store, &images, &n, reterr);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                _cleanup_error_ Error error = ERROR_NULL;

                /* by name after name, so that several are no obstacle; then what has none */
                for (char **name = images[i].names; name && *name && error.code == 0; name++)
                        (void) remove_one(store, *name, &by_id, &error);
                if (!images[i].names)
                        (void) remove_one(store, images[i].id, &by_id, &error);
                if (error.code < 0 && error.code != -ENOENT) {
                        error_print(&error);
                        *status = error.kind == ERROR_IN_USE ? EXIT_IN_USE : EXIT_OTHER;
                }
        }
        image_info_free_many(images, n);
        return 0;
}

static int run_rmi(Invocation *in, Error *reterr) {
        RmiOptions *o = in->options;
        const Store *store;
        int status = 0;

        if (o->all == (in->n_arguments > 0))
                return error_set(reterr, -EINVAL, ERROR_USAGE, o->all ? "'sdpod %s' takes images, or --all, not both"
                                                                      : "'sdpod %s' requires an image, or --all", in->name);
        int r = invocation_store(in, &store, reterr);
        if (r >= 0 && o->all)
                r = remove_all(store, o, &status, reterr);
        for (char **name = in->arguments; r >= 0 && *name; name++) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (remove_one(store, *name, o, &error) >= 0 || (error.code == -ENOENT && (o->ignore || o->force)))
                        continue;
                error_print(&error);
                status = MAX(status, error.code == -ENOENT ? EXIT_NOT_FOUND : error.kind == ERROR_IN_USE ? EXIT_IN_USE : EXIT_OTHER);
        }
        return r < 0 ? r : status;
}

const Verb verb_rmi = {
        .arguments = "IMAGE [IMAGE...]",
        .summary = "Remove images",
        .description = "Remove images: a name where an image has several, the image with its last one. Exits with 1 when an image "
                       "is not there, with 2 when a container uses one.",
        .options = rmi_options,
        .options_size = sizeof(RmiOptions),
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run_rmi,
};
