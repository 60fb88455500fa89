/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod push: handed over to sdpod-image. */
#include "base/str.h"
#include "cli/image-exec.h"
#include "cli/push-options.h"
#include "cli/verbs.h"

typedef struct PushVerbOptions {
        PushWords push;
        bool compress;
} PushVerbOptions;

static const char no_signing[] = "signing is not there yet";

#define FIELD(member) offsetof(PushVerbOptions, member)
static const Option rows[] = {
        OPTION_ROW_AUTHFILE(PushVerbOptions, push.registry),
        OPTION_ROW_CERT_DIR(PushVerbOptions, push.registry),
        { "compress", .kind = OPTION_BOOL, .offset = FIELD(compress), .help = "Compress layers, for dir:" },
        OPTION_ROW_COMPRESSION_FORMAT(PushVerbOptions, push),
        OPTION_ROW_COMPRESSION_LEVEL(PushVerbOptions, push),
        OPTION_ROW_CREDS(PushVerbOptions, push.registry),
        OPTION_ROW_DIGESTFILE(PushVerbOptions, push),
        /* a word of Docker's that does nothing in Podman either (podman-push(1)) */
        { "disable-content-trust", .kind = OPTION_NOTHING, .hidden = true },
        { "encrypt-layer", .kind = OPTION_REFUSED, .refused = "encrypted images are not there yet" },
        { "encryption-key", .kind = OPTION_REFUSED, .refused = "encrypted images are not there yet" },
        OPTION_ROW_FORCE_COMPRESSION(PushVerbOptions, push),
        OPTION_ROW_PUSH_FORMAT(PushVerbOptions, push),
        OPTION_ROW_PUSH_QUIET(PushVerbOptions, push),
        /* none are kept, so none are pushed */
        { "remove-signatures", .kind = OPTION_NOTHING, .help = "Push no signatures (none are kept)" },
        OPTION_ROW_RETRY(PushVerbOptions, push.registry),
        OPTION_ROW_RETRY_DELAY(PushVerbOptions, push.registry),
        { "sign-by", .kind = OPTION_REFUSED, .refused = no_signing },
        { "sign-by-sigstore", .kind = OPTION_REFUSED, .refused = no_signing },
        { "sign-by-sigstore-private-key", .kind = OPTION_REFUSED, .refused = no_signing },
        { "sign-passphrase-file", .kind = OPTION_REFUSED, .refused = no_signing },
        OPTION_ROW_TLS_VERIFY(PushVerbOptions, push.registry),
        {},
};
static const Option *const tables[] = { rows, NULL };

static int run(Invocation *in, Error *reterr) {
        const PushVerbOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;

        if (strv_append(&words, "push") < 0 || (o->compress && strv_append(&words, "--compress") < 0))
                return error_oom(reterr);
        int r = push_words(&o->push, in, &words, reterr);
        if (r < 0)
                return r;
        if (strv_append(&words, "--") < 0 || strv_extend(&words, in->arguments) < 0)
                return error_oom(reterr);
        return image_exec(in, words, reterr);
}

const Verb verb_push = {
        .arguments = "IMAGE [DESTINATION]",
        .summary = "Push an image to a registry",
        .description = "Push an image to a registry, or write it to a directory or an archive. What is there already is not sent again.",
        .options = tables,
        .options_size = sizeof(PushVerbOptions),
        .arguments_min = 1,
        .arguments_max = 2,
        .complete = COMPLETE_IMAGE,
        .run = run,
};
