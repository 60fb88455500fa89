/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod system check: sdpod-image looks; containers on what is damaged are removed here. */
#include <fcntl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/image-exec.h"
#include "cli/verbs.h"
#include "engine/remove.h"

typedef struct CheckOptions {
        bool force, quick, repair;
        uint64_t max_usec;
} CheckOptions;

#define DAY_USEC (24ULL * 3600 * 1000000)
#define USERS_FILE "check-users" /* in the runtime directory */
enum { USERS_LIMIT = 16 * 1024 * 1024 };

static const CheckOptions check_default = { .max_usec = DAY_USEC };

#define FIELD(member) offsetof(CheckOptions, member)
static const Option check_rows[] = {
        { "force", 'f', .kind = OPTION_BOOL, .offset = FIELD(force), .help = "With --repair: remove the containers that need what is damaged" },
        { "max", 'm', .kind = OPTION_DURATION, .offset = FIELD(max_usec), .metavar = "DURATION",
          .help = "Layers that nothing needs count as damaged when they are older than this (24h)" },
        { "quick", 'q', .kind = OPTION_BOOL, .offset = FIELD(quick), .help = "Do not read what is in layers" },
        { "repair", 'r', .kind = OPTION_BOOL, .offset = FIELD(repair), .help = "Mend what is damaged, or remove it with the images that need it" },
        {},
};
static const Option *const check_options[] = { check_rows, NULL };

static int remove_users(const Store *store, Error *reterr) {
        const RemoveOptions options = { .force = true, .volumes = true };
        _cleanup_strv_ char **ids = NULL;
        _cleanup_free_ char *text = NULL;
        int r = file_read(store->runtime_fd, USERS_FILE, USERS_LIMIT, &text, /* ret_size= */ NULL);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the list of containers");
        ids = strv_split(text, "\n");
        if (!ids)
                return error_oom(reterr);
        for (char **id = ids; *id && r >= 0; id++) {
                _cleanup_container_ Container c = CONTAINER_NULL;

                r = **id ? container_load(store, *id, &c, reterr) : -ENOENT;
                if (r >= 0)
                        r = engine_remove(store, &c, &options, reterr);
                if (r >= 0)
                        printf("Removed container %.12s\n", *id);
                if (r == -ENOENT) {
                        error_done(reterr);
                        r = 0;
                }
        }
        return r;
}

static int check_words(const CheckOptions *o, const Store *store, char ***words) {
        int r = strv_append(words, "check");

        if (r >= 0 && o->quick)
                r = strv_append(words, "--quick");
        if (r >= 0 && o->repair)
                r = strv_append(words, "--repair");
        if (r >= 0)
                r = strv_consume(words, str_format("--max=%llu", (unsigned long long) o->max_usec));
        if (r >= 0 && o->force)
                r = strv_consume(words, str_format("--users-file=%s/" USERS_FILE, store->runtime_path));
        return r;
}

static int run_check(Invocation *in, Error *reterr) {
        const CheckOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;
        const Store *store;

        if (o->force && !o->repair)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "--force needs --repair");
        int r = invocation_store(in, &store, reterr);
        if (r < 0)
                return r;
        if (check_words(o, store, &words) < 0)
                return error_oom(reterr);
        if (!o->force)
                return image_exec(in, words, reterr);
        int status = image_run(in, words, reterr);
        if (status <= 0)
                return status;
        /* what it could not remove is needed by containers: without them, it can */
        r = remove_users(store, reterr);
        (void) unlinkat(store->runtime_fd, USERS_FILE, 0);
        return r < 0 ? r : image_exec(in, words, reterr);
}

const Verb verb_system_check = {
        .summary = "Check that what is stored is whole",
        .description = "Check that what is stored is whole: each file of each layer, each blob, the list of images. Exits with 125 when "
                       "something is damaged.",
        .options = check_options,
        .options_size = sizeof(CheckOptions),
        .options_default = &check_default,
        .run = run_check,
};
