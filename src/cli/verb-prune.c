/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod image prune, container prune, system prune. */
#include "base/str.h"
#include "cli/prune.h"
#include "cli/time-text.h"
#include "cli/verbs.h"

typedef struct PruneOptions {
        char **filters;
        bool all, force, volumes;
} PruneOptions;

static const char *const filter_words[] = { "label=", "label!=", "until=", NULL };
#define FIELD(member) offsetof(PruneOptions, member)
#define FILTER_ROW(letter_of)                                                                                       \
        { "filter", letter_of, .kind = OPTION_STRV, .offset = FIELD(filters), .metavar = "KEY=VALUE",               \
          .help = "Remove only what matches", .complete = COMPLETE_WORDS, .words = filter_words }
#define FORCE_ROW { "force", 'f', .kind = OPTION_BOOL, .offset = FIELD(force), .help = "Do not ask" }

static int print_names(const Pruned *pruned) {
        for (char **name = pruned->names; name && *name; name++)
                printf("%s\n", *name);
        return pruned->failed ? 125 : 0;
}

/* ---- image prune ---- */

static const Option image_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Images with names, too" },
        /* there is nothing of either: no image is built here, and no other program has containers in this store */
        { "build-cache", .kind = OPTION_NOTHING, .help = "The cache of builds, too: there is none" },
        { "external", .kind = OPTION_NOTHING, .help = "Images that other programs use, too: there are none" },
        FILTER_ROW(0),
        FORCE_ROW,
        {},
};
static const Option *const image_options[] = { image_rows, NULL };

static int run_image(Invocation *in, Error *reterr) {
        const PruneOptions *o = in->options;
        _cleanup_pruned_ Pruned pruned = {};
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0 && !o->force) {
                r = prune_ask(o->all ? "WARNING! This command removes all images without at least one container associated with them.\n"
                                     : "WARNING! This command removes all dangling images.\n",
                              "prune images", reterr);
                if (r == 0)
                        return 0;
        }
        if (r >= 0)
                r = prune_images(store, o->all, o->filters, &pruned, reterr);
        int status = print_names(&pruned);
        return r < 0 ? r : status;
}

const Verb verb_image_prune = {
        .summary = "Remove the images that no container uses",
        .description = "Remove the images that have no name and that no container uses.",
        .options = image_options,
        .options_size = sizeof(PruneOptions),
        .run = run_image,
};

/* ---- container prune ---- */

static const Option container_rows[] = {
        FILTER_ROW(0),
        FORCE_ROW,
        {},
};
static const Option *const container_options[] = { container_rows, NULL };

static int run_container(Invocation *in, Error *reterr) {
        const PruneOptions *o = in->options;
        _cleanup_pruned_ Pruned pruned = {};
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0 && !o->force) {
                r = prune_ask("WARNING! This will remove all non running containers.\n", "prune containers", reterr);
                if (r == 0)
                        return 0;
        }
        if (r >= 0)
                r = prune_containers(store, o->filters, &pruned, reterr);
        int status = print_names(&pruned);
        return r < 0 ? r : status;
}

const Verb verb_container_prune = {
        .summary = "Remove the containers that do not run",
        .options = container_options,
        .options_size = sizeof(PruneOptions),
        .run = run_container,
};

/* ---- system prune ---- */

static const Option system_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Images with names, too" },
        { "build", .kind = OPTION_NOTHING, .help = "What builds left, too: there is nothing" },
        { "external", .kind = OPTION_NOTHING, .help = "Containers of other programs, too: there are none" },
        FILTER_ROW(0),
        FORCE_ROW,
        { "volumes", .kind = OPTION_BOOL, .offset = FIELD(volumes), .help = "Volumes, too" },
        {},
};
static const Option *const system_options[] = { system_rows, NULL };

static int ask_system(const PruneOptions *o, Error *reterr) {
        _cleanup_free_ char *text = str_format("WARNING! This command removes:\n"
                                               "\t- all stopped containers\n"
                                               "\t- all stopped pods\n"
                                               "\t- all networks not used by at least one container\n"
                                               "%s"
                                               "\t- all %s\n\n",
                                               o->volumes ? "\t- all volumes not used by at least one container\n" : "",
                                               o->all ? "images without at least one container associated with them"
                                                      : "dangling images");

        return text ? prune_ask(text, "prune", reterr) : error_oom(reterr);
}

/* One kind of thing, below its heading; nothing is printed where nothing went. */
static int report(const char *heading, int r, const Pruned *pruned, uint64_t *bytes, int *status) {
        if (pruned->names)
                printf("%s\n", heading);
        int printed = print_names(pruned);
        *status = MAX(*status, printed);
        *bytes += pruned->bytes;
        return r;
}

static int run_system(Invocation *in, Error *reterr) {
        const PruneOptions *o = in->options;
        _cleanup_pruned_ Pruned pods = {}, containers = {}, networks = {}, volumes = {}, images = {};
        const Store *store;
        uint64_t bytes = 0;
        int status = 0;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0 && !o->force) {
                r = ask_system(o, reterr);
                if (r == 0)
                        return 0;
        }
        /* in this order, as each sets free what the next may remove */
        if (r >= 0 && !o->filters) /* they have other filters */
                r = report("Deleted Pods", prune_pods(store, &pods, reterr), &pods, &bytes, &status);
        if (r >= 0)
                r = report("Deleted Containers", prune_containers(store, o->filters, &containers, reterr), &containers, &bytes, &status);
        if (r >= 0)
                r = report("Deleted Networks", prune_networks(store, o->filters, &networks, reterr), &networks, &bytes, &status);
        if (r >= 0 && o->volumes)
                r = report("Deleted Volumes", prune_volumes(store, o->filters, &volumes, reterr), &volumes, &bytes, &status);
        if (r >= 0)
                r = report("Deleted Images", prune_images(store, o->all, o->filters, &images, reterr), &images, &bytes, &status);
        if (r < 0)
                return r;
        _cleanup_free_ char *size = time_text_size(bytes, 4, /* space= */ false);
        if (!size)
                return error_oom(reterr);
        printf("Total reclaimed space: %s\n", size);
        return status;
}

const Verb verb_system_prune = {
        .summary = "Remove what is not used",
        .description = "Remove containers that do not run, networks that no container is in, and images without a name that no "
                       "container uses.",
        .options = system_options,
        .options_size = sizeof(PruneOptions),
        .run = run_system,
};
