/* SPDX-License-Identifier: Apache-2.0 */
/* From a word to an image that is here. */
#include "image/pull.h"

#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "image/load.h"
#include "image/pull-guard.h"
#include "image/pull-image.h"
#include "image/pull-layers.h"
#include "image/progress.h"
#include "registry/names.h"
#include "registry/policy.h"
#include "spec/reference.h"
#include "state/events.h"

enum { TRIES = 5 }; /* where another command removes layers at the same time */

typedef struct Pull {
        Stage *stage;
        const char *word;
        const PullOptions *options;
} Pull;

PullPolicy pull_policy_from_string(const char *text) {
        static const char *const names[] = { [PULL_ALWAYS] = "always", [PULL_MISSING] = "missing", [PULL_NEWER] = "newer", [PULL_NEVER] = "never" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_equal(text, names[i]))
                        return (PullPolicy) i;
        return _PULL_POLICY_INVALID;
}

static int print_id(const char *hex, Error *reterr) {
        return printf("%s\n", hex) < 0 || fflush(stdout) < 0 ? error_set_errno(reterr, -errno, "cannot write to the standard output") : 0;
}

/* The name that the image gets: with the tag, or with the digest where it was asked for by that. */
static char *stored_name(const Reference *reference, const char *tag) {
        _cleanup_free_ char *repository = reference_repository(reference, reference->domain);

        if (!repository)
                return NULL;
        return tag ? str_format("%s:%s", repository, tag) : str_format("%s@%s", repository, reference->digest);
}

/* Layers, then the image. A layer that was here may have gone meanwhile, by force: then once more. */
static int take_in(const Pull *pull, RegistryClient *client, Progress *progress, PullImage *image, Error *reterr) {
        _cleanup_pull_layers_ PullLayers *layers = NULL;

        int r = pull_layers_new(pull->stage, client, progress, &image->image, &image->manifest, &layers, reterr);
        if (r < 0)
                return r;
        r = -EAGAIN;
        for (int tries = 0; tries < TRIES && r == -EAGAIN; tries++) {
                r = pull_layers_run(layers, reterr);
                if (r < 0)
                        return r;
                if (tries == 0) {
                        progress_line(progress, "Copying config %s", image->image.config_digest);
                        progress_line(progress, "Writing manifest to image destination");
                }
                r = new_image_commit(&image->image, pull->stage, reterr);
        }
        return r == -EAGAIN ? error_set(reterr, r, ERROR_IN_USE, "its layers are being removed by another command") : r;
}

/* Whether the image of this name is what the registry has. The one that is here does where the registry says nothing. */
static bool is_current(const Pull *pull, RegistryClient *client, const char *name, const char *tag_or_digest, char **ret_id) {
        _cleanup_image_info_ ImageInfo info = {};
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *repository = image_name_repository(name), *wanted = NULL;
        char digest[DIGEST_LENGTH + 1];

        if (!repository || image_store_resolve(pull->stage->store, name, &info, /* reterr= */ NULL) < 0)
                return false;
        int r = registry_manifest_head(client, tag_or_digest, digest, &error);
        if (r < 0)
                log_warning("%s, using the image that is here", error.message);
        else if (!(wanted = str_format("%s@%s", repository, digest)) || !strv_contains(info.repo_digests, wanted))
                return false;
        *ret_id = TAKE_PTR(info.id);
        return true;
}

/* Prints "newer" where the registry has another image of this name than that one, else "current". */
static int check_tag(const Pull *pull, RegistryClient *client, const Reference *reference, const char *tag_or_digest, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = {};
        _cleanup_free_ char *repository = reference_repository(reference, reference->domain), *wanted = NULL;
        char digest[DIGEST_LENGTH + 1];

        if (!repository)
                return error_oom(reterr);
        int r = image_store_resolve_whole(pull->stage->store, pull->options->check, &info, reterr);
        if (r >= 0)
                r = registry_manifest_head(client, tag_or_digest, digest, reterr);
        if (r < 0)
                return r;
        if (!(wanted = str_format("%s@%s", repository, digest)))
                return error_oom(reterr);
        bool current = strv_contains(info.repo_digests, wanted) || strv_contains(info.digests, digest);
        return printf("%s\n", current ? "current" : "newer") < 0 || fflush(stdout) < 0
                       ? error_set_errno(reterr, -errno, "cannot write to the standard output")
                       : 0;
}

static int pull_tag(const Pull *pull, RegistryClient *client, const Reference *reference, const char *tag, Error *reterr) {
        _cleanup_pull_image_ PullImage image = PULL_IMAGE_NULL;
        _cleanup_progress_ Progress *progress = NULL;
        _cleanup_free_ char *name = stored_name(reference, tag), *what = name ? str_format("Pulling %s", name) : NULL, *id = NULL;
        const char *tag_or_digest = tag ?: reference->digest;

        if (pull->options->check)
                return check_tag(pull, client, reference, tag_or_digest, reterr);
        if (!what || !(progress = progress_new(what, pull->options->quiet)))
                return error_oom(reterr);
        progress_line(progress, "Trying to pull %s...", name);
        if (pull->options->policy == PULL_NEWER && is_current(pull, client, name, tag_or_digest, &id)) {
                progress = progress_free(progress);
                return print_id(id, reterr);
        }
        int r = pull_image_find(pull->stage->store, client, tag_or_digest, &pull->options->platform, &image, reterr);
        if (r >= 0 && strv_consume(&image.image.names, TAKE_PTR(name)) < 0)
                r = error_oom(reterr);
        if (r >= 0)
                r = take_in(pull, client, progress, &image, reterr);
        progress = progress_free(progress);
        if (r < 0)
                return r;
        event_named(pull->stage->store, "image", "pull", digest_hex(image.image.config_digest), image.image.names[0]);
        return print_id(digest_hex(image.image.config_digest), reterr);
}

static int pull_all_tags(const Pull *pull, RegistryClient *client, const Reference *reference, Error *reterr) {
        _cleanup_strv_ char **tags = NULL;

        int r = registry_tags_list(client, &tags, reterr);
        if (r >= 0 && !tags)
                r = error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "the repository has no tags");
        for (char **tag = tags; r >= 0 && *tag; tag++) {
                _cleanup_free_ char *text = str_format("%s/%s:%s", reference->domain, reference->path, *tag);
                _cleanup_reference_ Reference checked = {};

                if (!text)
                        return error_oom(reterr);
                r = reference_parse(text, &checked, reterr); /* a registry says what it likes */
                if (r >= 0)
                        r = pull_tag(pull, client, reference, *tag, reterr);
                if (r < 0)
                        (void) error_prefix(reterr, r, "tag '%.130s'", *tag);
        }
        return r;
}

/* One of the full names that the word may stand for. */
static int pull_name(const Pull *pull, const char *full, Error *reterr) {
        _cleanup_registry_client_ RegistryClient *client = NULL;
        _cleanup_reference_ Reference reference = {};

        int r = reference_parse(full, &reference, reterr);
        if (r >= 0)
                r = registry_policy_check(full, reterr);
        if (r >= 0)
                r = registry_client_new(&pull->options->registry, &reference, &client, reterr);
        if (r < 0)
                return r;
        if (pull->options->all_tags)
                return pull_all_tags(pull, client, &reference, reterr);
        return pull_tag(pull, client, &reference, reference.digest ? NULL : reference.tag ?: "latest", reterr);
}

/* The first that is there. The message is of the first whose registry did not say that it is not there, or of the last. */
static int pull_first(const Pull *pull, char *const *names, Error *reterr) {
        int r = 0;

        for (; *names; names++) {
                _cleanup_error_ Error error = ERROR_NULL;

                r = pull_name(pull, *names, &error);
                if (r >= 0)
                        return registry_short_name_record(pull->word, *names, reterr);
                if (!names[1])
                        return error_move(reterr, &error);
                log_warning("cannot pull '%s': %s", *names, error.message);
        }
        return r;
}

static int run_pull(void *data, Error *reterr) {
        const Pull *pull = data;
        _cleanup_strv_ char **names = NULL;

        int r = registry_short_names(pull->word, &names, reterr);
        if (r >= 0)
                r = pull_first(pull, names, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot pull '%s'", pull->word) : 0;
}

/* What is here does: 1. */
static int look_here(const Pull *pull, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = {};

        if (pull->options->policy != PULL_MISSING && pull->options->policy != PULL_NEVER)
                return 0;
        int r = image_store_resolve(pull->stage->store, pull->word, &info, reterr);
        if (r == -ENOENT && pull->options->policy == PULL_MISSING) {
                error_done(reterr);
                return 0;
        }
        if (r >= 0)
                r = print_id(info.id, reterr);
        return r < 0 ? r : 1;
}

/* Out of a directory or an archive. */
static int pull_file(Stage *stage, const Transport *transport, const PullOptions *options, Error *reterr) {
        _cleanup_load_result_ LoadResult result = {};

        if (options->all_tags)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot pull all tags of '%s': only registries have tags", transport->path);
        int r = image_load_from(stage, transport, options->platform.architecture, &result, reterr);
        for (size_t i = 0; i < result.n_images && r >= 0; i++) {
                event_named(stage->store, "image", "pull", result.images[i].id, result.images[i].name);
                if (i == 0 || !str_equal(result.images[i].id, result.images[i - 1].id)) /* one image may have several names */
                        r = print_id(result.images[i].id, reterr);
        }
        return r;
}

int image_pull(Stage *stage, const char *word, const PullOptions *options, Error *reterr) {
        const char *name = str_after(word, "docker://") ?: word;
        Pull pull = { .stage = stage, .word = name, .options = options };
        _cleanup_transport_ Transport transport = {};
        _cleanup_reference_ Reference reference = {};

        int r = transport_parse(word, &transport, reterr);
        if (r >= 0 && transport.path)
                return pull_file(stage, &transport, options, reterr);
        if (r >= 0 && transport.kind == TRANSPORT_STORAGE)
                r = error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot pull '%s': it is the store itself; use 'sdpod tag'", word);
        if (r >= 0)
                r = reference_parse(name, &reference, reterr);
        if (r >= 0 && options->all_tags && (reference.tag || reference.digest))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot pull all tags of '%s': it names one", word);
        if (r >= 0)
                r = look_here(&pull, reterr);
        if (r != 0)
                return r < 0 ? r : 0;
        return pull_guard_run(stage, run_pull, &pull, reterr);
}
