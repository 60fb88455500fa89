/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod volume export, import, mount, unmount, reload: what is in a volume. */
#include <stdio.h>

#include "base/str.h"
#include "cli/image-exec.h"
#include "cli/verbs.h"
#include "engine/mounts.h"
#include "storage/volume.h"

/* ---- export, import: sdpod-image carries them out ---- */

typedef struct ExportOptions {
        char *output;
} ExportOptions;

static const Option export_rows[] = {
        { "output", 'o', .kind = OPTION_STRING, .offset = offsetof(ExportOptions, output), .metavar = "FILE",
          .help = "Write to this file instead of the standard output", .complete = COMPLETE_FILE },
        {},
};
static const Option *const export_options[] = { export_rows, NULL };

static int open_volume(Invocation *in, Volume *ret, Error *reterr) {
        const Store *store;
        int r = invocation_store(in, &store, reterr);

        return r < 0 ? r : volume_open(store, in->arguments[0], ret, reterr);
}

static int run_export(Invocation *in, Error *reterr) {
        const ExportOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        int r = open_volume(in, &volume, reterr);

        if (r < 0)
                return r;
        if (strv_append(&words, "volume-export") < 0 || image_exec_add(&words, "output", o->output) < 0 || strv_append(&words, "--") < 0 ||
            strv_append(&words, volume.name) < 0)
                return error_oom(reterr);
        return image_exec(in, words, reterr);
}

const Verb verb_volume_export = {
        .arguments = "VOLUME",
        .summary = "Write what is in a volume as a tar archive",
        .options = export_options,
        .options_size = sizeof(ExportOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_VOLUME,
        .run = run_export,
};

static int run_import(Invocation *in, Error *reterr) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        int r = open_volume(in, &volume, reterr);

        if (r < 0)
                return r;
        if (strv_append(&words, "volume-import") < 0 || strv_append(&words, "--") < 0 || strv_append(&words, volume.name) < 0 ||
            strv_append(&words, in->arguments[1]) < 0)
                return error_oom(reterr);
        return image_exec(in, words, reterr);
}

const Verb verb_volume_import = {
        .arguments = "VOLUME FILE|-",
        .summary = "Extract a tar archive into a volume",
        .description = "Extract a tar archive, compressed or not, into a volume that is there. '-' is the standard input.",
        .arguments_min = 2,
        .arguments_max = 2,
        .complete = COMPLETE_VOLUME,
        .run = run_import,
};

/* ---- mount, unmount ---- */

static int for_each(Invocation *in, int (*function)(const Store *store, const Volume *volume, char **ret, Error *reterr), Error *reterr) {
        const Store *store;
        int r = mounts_check(in->name, reterr), status = 0;

        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r < 0)
                return r;
        for (char **word = in->arguments; *word; word++) {
                _cleanup_volume_ Volume volume = VOLUME_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                _cleanup_free_ char *text = NULL;

                r = volume_open(store, *word, &volume, &error);
                if (r >= 0)
                        r = function(store, &volume, &text, &error);
                if (r >= 0)
                        puts(text ?: *word);
                else {
                        error_print(&error);
                        status = 125;
                }
        }
        return status;
}

static int run_mount(Invocation *in, Error *reterr) {
        return for_each(in, mounts_volume, reterr);
}

const Verb verb_volume_mount = {
        .arguments = "VOLUME [VOLUME...]",
        .summary = "Mount volumes",
        .description = "Mount volumes, where that is needed, and print where. An ordinary user does so in 'sdpod unshare'.",
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_VOLUME,
        .run = run_mount,
};

static int unmount_one(const Store *store, const Volume *volume, _unused_ char **ret, Error *reterr) {
        return mounts_remove_volume(store, volume, reterr);
}

static int run_unmount(Invocation *in, Error *reterr) {
        return for_each(in, unmount_one, reterr);
}

const Verb verb_volume_unmount = {
        .arguments = "VOLUME [VOLUME...]",
        .summary = "Unmount volumes",
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_VOLUME,
        .run = run_unmount,
};

/* ---- reload ---- */

/* What the plugins have; there are none. */
static int run_reload(Invocation *in, Error *reterr) {
        const Store *store;

        return invocation_store(in, &store, reterr);
}

const Verb verb_volume_reload = {
        .summary = "Ask volume plugins for their volumes: there are no plugins",
        .run = run_reload,
};
