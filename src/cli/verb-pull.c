/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod pull: handed over to sdpod-image. */
#include "base/str.h"
#include "cli/image-exec.h"
#include "cli/registry-options.h"
#include "cli/verbs.h"

typedef struct PullOptions {
        RegistryWords registry;
        PlatformWords platform;
        char *policy;
        bool all_tags, quiet;
} PullOptions;

static const char *const policy_words[] = { "always", "missing", "never", "newer", NULL };
static const char no_decryption[] = "encrypted images are not there yet";

#define FIELD(member) offsetof(PullOptions, member)
static const Option rows[] = {
        { "all-tags", 'a', .kind = OPTION_BOOL, .offset = FIELD(all_tags), .help = "Pull all tags of the repository" },
        OPTION_ROW_ARCH(PullOptions, platform),
        OPTION_ROW_AUTHFILE(PullOptions, registry),
        OPTION_ROW_CERT_DIR(PullOptions, registry),
        OPTION_ROW_CREDS(PullOptions, registry),
        { "decryption-key", .kind = OPTION_REFUSED, .refused = no_decryption },
        /* a word of Docker's that does nothing in Podman either (podman-pull(1)) */
        { "disable-content-trust", .kind = OPTION_NOTHING, .hidden = true },
        OPTION_ROW_OS(PullOptions, platform),
        OPTION_ROW_PLATFORM(PullOptions, platform),
        { "policy", .kind = OPTION_STRING, .offset = FIELD(policy), .metavar = "WHEN", .complete = COMPLETE_WORDS, .words = policy_words,
          .help = "When to pull: always, missing, never, newer" },
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = FIELD(quiet), .help = "Show no progress" },
        OPTION_ROW_RETRY(PullOptions, registry),
        OPTION_ROW_RETRY_DELAY(PullOptions, registry),
        OPTION_ROW_TLS_VERIFY(PullOptions, registry),
        OPTION_ROW_VARIANT(PullOptions, platform),
        {},
};
static const Option *const tables[] = { rows, NULL };

static int run(Invocation *in, Error *reterr) {
        const PullOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;

        if (strv_append(&words, "pull") < 0 || image_exec_add(&words, "policy", o->policy) < 0 ||
            (o->all_tags && strv_append(&words, "--all-tags") < 0) || (o->quiet && strv_append(&words, "--quiet") < 0))
                return error_oom(reterr);
        int r = registry_words(&o->registry, in, &words, reterr);
        if (r >= 0)
                r = platform_words(&o->platform, &words, reterr);
        if (r < 0)
                return r;
        if (strv_append(&words, "--") < 0 || strv_extend(&words, in->arguments) < 0)
                return error_oom(reterr);
        return image_exec(in, words, reterr);
}

const Verb verb_pull = {
        .arguments = "IMAGE [IMAGE...]",
        .summary = "Pull images from a registry",
        .description = "Pull images from a registry, and print their IDs. What is here already is not fetched again.",
        .options = tables,
        .options_size = sizeof(PullOptions),
        .arguments_min = 1,
        .arguments_max = VERB_ANY,
        .complete = COMPLETE_IMAGE,
        .run = run,
};
