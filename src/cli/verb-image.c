/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod image inspect, image exists, tag, untag. */
#include "cli/image-json.h"
#include "cli/verbs.h"

typedef struct InspectOptions {
        char *format;
} InspectOptions;

static const Option inspect_rows[] = {
        { "format", 'f', .kind = OPTION_STRING, .offset = offsetof(InspectOptions, format), .metavar = "TEMPLATE",
          .help = "Print by a Go template, or json" },
        {},
};
static const Option *const inspect_options[] = { inspect_rows, NULL };

static int inspect_one(const Store *store, const char *name, json_t *array, Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};

        int r = image_store_resolve_whole(store, name, &image, reterr);
        if (r >= 0)
                r = image_store_measure(store, &image, reterr);
        if (r < 0)
                return r;
        return json_array_append_new(array, image_to_inspect(store, &image)) < 0 ? error_oom(reterr) : 0;
}

/* Shows what is there, and ends with 125 when something is not. */
static int run_inspect(Invocation *in, Error *reterr) {
        InspectOptions *o = in->options;
        _cleanup_json_ json_t *array = json_array();
        const Store *store;
        int status = 0;

        int r = array ? invocation_store(in, &store, reterr) : error_oom(reterr);
        for (char **name = in->arguments; r >= 0 && *name; name++) {
                _cleanup_error_ Error error = ERROR_NULL;

                if (inspect_one(store, *name, array, &error) < 0) {
                        error_print(&error);
                        status = error_exit_status(&error);
                }
        }
        if (r >= 0)
                r = o->format ? format_objects(o->format, &image_inspect_types, array, stdout, reterr)
                              : format_json(array, 5, stdout, reterr);
        return r < 0 ? r : status;
}

const Verb verb_image_inspect = {
        .arguments = "IMAGE [IMAGE...]",
        .summary = "Show images in full",
        .options = inspect_options,
        .options_size = sizeof(InspectOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run_inspect,
};

static int run_exists(Invocation *in, Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_error_ Error error = ERROR_NULL;
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r < 0)
                return r;
        r = image_store_resolve(store, in->arguments[0], &image, &error);
        if (r == -ENOENT || error.kind == ERROR_INVALID)
                return 1;
        return r < 0 ? error_move(reterr, &error) : 0;
}

const Verb verb_image_exists = {
        .arguments = "IMAGE",
        .summary = "Tell by the exit status whether an image is stored",
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_IMAGE,
        .run = run_exists,
};

static int run_tag(Invocation *in, Error *reterr) {
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        for (char **name = in->arguments + 1; r >= 0 && *name; name++)
                r = image_store_tag(store, in->arguments[0], *name, reterr);
        return r;
}

const Verb verb_tag = {
        .arguments = "IMAGE NAME [NAME...]",
        .summary = "Give an image another name",
        .arguments_min = 2,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run_tag,
};

static int run_untag(Invocation *in, Error *reterr) {
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        return r < 0 ? r : image_store_untag(store, in->arguments[0], in->arguments + 1, reterr);
}

const Verb verb_untag = {
        .arguments = "IMAGE [NAME...]",
        .summary = "Take names from an image, all where none is given",
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run_untag,
};
