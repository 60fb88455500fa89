/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod manifest add, annotate, create, exists, inspect, push, remove, rm. All but two are handed over to sdpod-image. */
#include "base/str.h"
#include "cli/image-exec.h"
#include "cli/image-use.h"
#include "cli/push-options.h"
#include "cli/verbs.h"

/* What an entry of a list says. */
typedef struct EntryWords {
        char **annotations, **features, **os_features, *arch, *os, *os_version, *variant;
} EntryWords;

typedef struct ManifestOptions {
        PushWords push;
        EntryWords entry;
        bool all, amend, remove, verbose;
} ManifestOptions;

static const char no_signing[] = "signing is not there yet";

#define FIELD(member) offsetof(ManifestOptions, member)
#define ROW_ANNOTATION \
        { "annotation", .kind = OPTION_STRV, .offset = FIELD(entry.annotations), .metavar = "KEY=VALUE", .help = "Annotate the entry" }
#define ROW_ARCH \
        { "arch", .kind = OPTION_STRING, .offset = FIELD(entry.arch), .metavar = "ARCH", .help = "The architecture that the list says" }
#define ROW_FEATURES \
        { "features", .kind = OPTION_LIST, .offset = FIELD(entry.features), .metavar = "FEATURE", .help = "Features of the processor" }
#define ROW_OS { "os", .kind = OPTION_STRING, .offset = FIELD(entry.os), .metavar = "OS", .help = "The operating system that the list says" }
#define ROW_OS_FEATURES \
        { "os-features", .kind = OPTION_LIST, .offset = FIELD(entry.os_features), .metavar = "FEATURE", .help = "Features of the system" }
#define ROW_OS_VERSION \
        { "os-version", .kind = OPTION_STRING, .offset = FIELD(entry.os_version), .metavar = "VERSION", .help = "The version of the system" }
#define ROW_VARIANT \
        { "variant", .kind = OPTION_STRING, .offset = FIELD(entry.variant), .metavar = "VARIANT", .help = "The variant that the list says" }

static const Option add_rows[] = {
        { "all", .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Of a list, add all images" },
        ROW_ANNOTATION,
        ROW_ARCH,
        { "artifact", .kind = OPTION_REFUSED_BOOL },
        OPTION_ROW_AUTHFILE(ManifestOptions, push.registry),
        OPTION_ROW_CERT_DIR(ManifestOptions, push.registry),
        OPTION_ROW_CREDS(ManifestOptions, push.registry),
        ROW_FEATURES,
        ROW_OS,
        ROW_OS_FEATURES,
        ROW_OS_VERSION,
        OPTION_ROW_RETRY(ManifestOptions, push.registry),
        OPTION_ROW_RETRY_DELAY(ManifestOptions, push.registry),
        OPTION_ROW_TLS_VERIFY(ManifestOptions, push.registry),
        ROW_VARIANT,
        {},
};
static const Option *const add_tables[] = { add_rows, NULL };

static const Option annotate_rows[] = {
        ROW_ANNOTATION, ROW_ARCH, ROW_FEATURES, { "index", .kind = OPTION_REFUSED_BOOL }, ROW_OS, ROW_OS_FEATURES, ROW_OS_VERSION,
        ROW_VARIANT, {},
};
static const Option *const annotate_tables[] = { annotate_rows, NULL };

static const Option create_rows[] = {
        { "all", .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Of a list, add all images" },
        { "amend", 'a', .kind = OPTION_BOOL, .offset = FIELD(amend), .help = "Change a list of this name that is there already" },
        { "annotation", .kind = OPTION_REFUSED },
        OPTION_ROW_AUTHFILE(ManifestOptions, push.registry),
        OPTION_ROW_CERT_DIR(ManifestOptions, push.registry),
        OPTION_ROW_CREDS(ManifestOptions, push.registry),
        OPTION_ROW_RETRY(ManifestOptions, push.registry),
        OPTION_ROW_RETRY_DELAY(ManifestOptions, push.registry),
        OPTION_ROW_TLS_VERIFY(ManifestOptions, push.registry),
        {},
};
static const Option *const create_tables[] = { create_rows, NULL };

static const Option inspect_rows[] = {
        OPTION_ROW_AUTHFILE(ManifestOptions, push.registry),
        OPTION_ROW_CERT_DIR(ManifestOptions, push.registry),
        OPTION_ROW_CREDS(ManifestOptions, push.registry),
        OPTION_ROW_RETRY(ManifestOptions, push.registry),
        OPTION_ROW_RETRY_DELAY(ManifestOptions, push.registry),
        OPTION_ROW_TLS_VERIFY(ManifestOptions, push.registry),
        /* Docker's word, for scripts: nothing more is known (podman-manifest-inspect(1)) */
        { "verbose", 'v', .kind = OPTION_BOOL, .offset = FIELD(verbose), .hidden = true },
        {},
};
static const Option *const inspect_tables[] = { inspect_rows, NULL };

static const Option push_rows[] = {
        { "add-compression", .kind = OPTION_REFUSED },
        { "all", .kind = OPTION_BOOL, .offset = FIELD(all), .help = "Push the images of the list, too (the default)" },
        OPTION_ROW_AUTHFILE(ManifestOptions, push.registry),
        OPTION_ROW_CERT_DIR(ManifestOptions, push.registry),
        OPTION_ROW_COMPRESSION_FORMAT(ManifestOptions, push),
        OPTION_ROW_COMPRESSION_LEVEL(ManifestOptions, push),
        OPTION_ROW_CREDS(ManifestOptions, push.registry),
        OPTION_ROW_DIGESTFILE(ManifestOptions, push),
        OPTION_ROW_FORCE_COMPRESSION(ManifestOptions, push),
        OPTION_ROW_PUSH_FORMAT(ManifestOptions, push),
        { "purge", 'p', .kind = OPTION_BOOL, .offset = FIELD(remove), .hidden = true }, /* the older name of --rm */
        OPTION_ROW_PUSH_QUIET(ManifestOptions, push),
        { "remove-signatures", .kind = OPTION_NOTHING, .help = "Push no signatures (none are kept)" },
        OPTION_ROW_RETRY(ManifestOptions, push.registry),
        OPTION_ROW_RETRY_DELAY(ManifestOptions, push.registry),
        { "rm", .kind = OPTION_BOOL, .offset = FIELD(remove), .help = "Remove the list from the store once it is pushed" },
        { "sign-by", .kind = OPTION_REFUSED, .refused = no_signing },
        { "sign-by-sigstore", .kind = OPTION_REFUSED, .refused = no_signing },
        { "sign-by-sigstore-private-key", .kind = OPTION_REFUSED, .refused = no_signing },
        { "sign-passphrase-file", .kind = OPTION_REFUSED, .refused = no_signing },
        OPTION_ROW_TLS_VERIFY(ManifestOptions, push.registry),
        {},
};
static const Option *const push_tables[] = { push_rows, NULL };
static const ManifestOptions push_default = { .all = true };

static int add_all(char ***words, const char *option, char *const *values) {
        int r = 0;

        for (; values && *values && r >= 0; values++)
                r = image_exec_add(words, option, *values);
        return r;
}

static int entry_words(const EntryWords *e, char ***words) {
        if (add_all(words, "annotation", e->annotations) < 0 || add_all(words, "features", e->features) < 0 ||
            add_all(words, "os-features", e->os_features) < 0 || image_exec_add(words, "arch", e->arch) < 0 ||
            image_exec_add(words, "os", e->os) < 0 || image_exec_add(words, "os-version", e->os_version) < 0)
                return -ENOMEM;
        return image_exec_add(words, "variant", e->variant);
}

/* "manifest add" is sdpod-image's "manifest-add". */
static int run(Invocation *in, Error *reterr) {
        const ManifestOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;

        if (strv_consume(&words, str_format("manifest-%s", in->name + strlen("manifest "))) < 0 || entry_words(&o->entry, &words) < 0 ||
            (o->all && strv_append(&words, "--all") < 0) || (o->amend && strv_append(&words, "--amend") < 0) ||
            (o->remove && strv_append(&words, "--remove") < 0))
                return error_oom(reterr);
        int r = push_words(&o->push, in, &words, reterr);
        if (r < 0)
                return r;
        if (strv_append(&words, "--") < 0 || strv_extend(&words, in->arguments) < 0)
                return error_oom(reterr);
        return image_exec(in, words, reterr);
}

const Verb verb_manifest_add = {
        .arguments = "LIST IMAGE [IMAGE...]",
        .summary = "Add images to a manifest list",
        .options = add_tables,
        .options_size = sizeof(ManifestOptions),
        .arguments_min = 2,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run,
};

const Verb verb_manifest_annotate = {
        .arguments = "LIST DIGEST",
        .summary = "Change what a manifest list says of an image",
        .options = annotate_tables,
        .options_size = sizeof(ManifestOptions),
        .arguments_min = 2,
        .arguments_max = 2,
        .complete = COMPLETE_IMAGE,
        .run = run,
};

const Verb verb_manifest_create = {
        .arguments = "LIST [IMAGE...]",
        .summary = "Make a manifest list",
        .options = create_tables,
        .options_size = sizeof(ManifestOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run,
};

const Verb verb_manifest_inspect = {
        .arguments = "LIST",
        .summary = "Show a manifest list",
        .description = "Show a manifest list of the store, or the manifest or list that a registry has.",
        .options = inspect_tables,
        .options_size = sizeof(ManifestOptions),
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_IMAGE,
        .run = run,
};

const Verb verb_manifest_push = {
        .arguments = "LIST [DESTINATION]",
        .summary = "Push a manifest list and its images",
        .options = push_tables,
        .options_size = sizeof(ManifestOptions),
        .options_default = &push_default,
        .arguments_min = 1,
        .arguments_max = 2,
        .complete = COMPLETE_IMAGE,
        .run = run,
};

const Verb verb_manifest_remove = {
        .arguments = "LIST DIGEST",
        .summary = "Take an image out of a manifest list",
        .options_size = sizeof(ManifestOptions),
        .arguments_min = 2,
        .arguments_max = 2,
        .complete = COMPLETE_IMAGE,
        .run = run,
};

static int run_exists(Invocation *in, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r < 0)
                return r;
        r = image_store_is_list(store, in->arguments[0], &error);
        if (r == -ENOENT)
                return 1;
        if (r == 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s' as a manifest list: it is an image", in->arguments[0]);
        return r < 0 ? error_move(reterr, &error) : 0;
}

const Verb verb_manifest_exists = {
        .arguments = "LIST",
        .summary = "Tell by the exit status whether a manifest list is stored",
        .arguments_min = 1,
        .arguments_max = 1,
        .complete = COMPLETE_IMAGE,
        .run = run_exists,
};

static int remove_list(const Store *store, const char *name, Error *reterr) {
        _cleanup_image_removal_ ImageRemoval removal = {};

        int r = image_store_is_list(store, name, reterr);
        if (r == 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot remove manifest list '%s': it is an image", name);
        if (r >= 0)
                r = image_store_remove(store, name, image_uses, 0, &removal, reterr);
        if (r < 0)
                return r;
        for (char **untagged = removal.untagged; untagged && *untagged; untagged++)
                (void) printf("Untagged: %s\n", *untagged);
        if (removal.deleted)
                (void) printf("Deleted: %s\n", removal.id);
        return 0;
}

typedef struct RmOptions {
        bool ignore;
} RmOptions;

static const Option rm_rows[] = {
        { "ignore", 'i', .kind = OPTION_BOOL, .offset = offsetof(RmOptions, ignore), .help = "Do not fail for lists that are not there" },
        {},
};
static const Option *const rm_tables[] = { rm_rows, NULL };

/* Goes on with the others where one is not there: podman-manifest-rm(1) is podman-rmi(1), with its exit status. */
static int run_rm(Invocation *in, Error *reterr) {
        const Store *store;
        int status = 0;

        int r = invocation_store(in, &store, reterr);
        if (r < 0)
                return r;
        for (char **name = in->arguments; *name; name++) {
                _cleanup_error_ Error error = ERROR_NULL;

                r = remove_list(store, *name, &error);
                if (r >= 0 || (r == -ENOENT && ((RmOptions *) in->options)->ignore))
                        continue;
                error_print(&error);
                status = status != 0 && status != 1 ? status : r == -ENOENT ? 1 : error_exit_status(&error);
        }
        return status;
}

const Verb verb_manifest_rm = {
        .arguments = "LIST [LIST...]",
        .summary = "Remove manifest lists from the store",
        .options = rm_tables,
        .options_size = sizeof(RmOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run_rm,
};
