/* SPDX-License-Identifier: Apache-2.0 */
/* A root file system's archive becomes an image of one layer. */
#include <time.h>

#include "base/str.h"
#include "image/change.h"
#include "image/commit.h"
#include "image/load.h"
#include "registry/download.h"
#include "spec/image-config.h"
#include "spec/reference.h"

static int fill_config(ImageConfig *config, const ImportOptions *options, Error *reterr) {
        int64_t now = (int64_t) time(NULL);

        config->created = image_time_format(now * 1000000);
        config->architecture = strdup(options->architecture ?: platform_host_architecture());
        config->os = strdup(options->os ?: "linux");
        config->history = calloc(1, sizeof(*config->history));
        if (!config->created || !config->architecture || !config->os || !config->history ||
            str_replace(&config->variant, options->variant) < 0)
                return error_oom(reterr);
        config->n_history = 1;
        if (str_replace(&config->history->created, config->created) < 0 ||
            str_replace(&config->history->comment, options->message) < 0 ||
            str_replace(&config->history->created_by, "sdpod import") < 0)
                return error_oom(reterr);
        for (char **change = options->changes; change && *change; change++) {
                int r = image_change(config, *change, reterr);

                if (r < 0)
                        return r;
        }
        return image_config_check(config, reterr);
}

static int write_config(NewImage *image, ImageConfig *config, Error *reterr) {
        _cleanup_json_ json_t *json = NULL;

        if (strv_append(&config->diff_ids, image->layers[0].diff_id) < 0)
                return error_oom(reterr);
        json = image_config_save(config);
        free(image->config);
        image->config = json ? json_dumps(json, JSON_COMPACT) : NULL;
        if (!image->config)
                return error_oom(reterr);
        image->config_size = strlen(image->config);
        return sha256_buffer(image->config, image->config_size, image->config_digest) < 0 ? error_oom(reterr) : 0;
}

/* All of it first: an archive that was cut on the way is none. */
static int fetch(const char *url, const Stage *stage, SourceFile *ret, Error *reterr) {
        _cleanup_download_ Download download = DOWNLOAD_NULL;
        int r = download_start(url, &download, reterr);

        if (r >= 0)
                r = source_take_stream(download.data_fd, stage, ret, reterr);
        return r < 0 ? r : download_finish(&download, reterr);
}

static int import(Stage *stage, const char *path, const ImportOptions *options, LoadResult *result, Error *reterr) {
        _cleanup_image_config_ ImageConfig config = {};
        _cleanup_new_image_ NewImage image = {};
        char *name = NULL;
        NewLayer *layer;
        int r = fill_config(&config, options, reterr);

        if (r >= 0 && options->name) {
                r = reference_normalise_local(options->name, &name, reterr);
                if (r >= 0 && strv_consume(&image.names, name) < 0)
                        return error_oom(reterr);
        }
        if (r < 0)
                return r;
        layer = new_image_add_layer(&image);
        if (!layer)
                return error_oom(reterr);
        r = path && download_is_url(path) ? fetch(path, stage, &layer->file, reterr) : source_open_file(path, stage, &layer->file, reterr);
        if (r >= 0)
                r = new_image_unpack(&image, stage, reterr);
        if (r >= 0)
                r = write_config(&image, &config, reterr);
        if (r >= 0)
                r = new_image_commit(&image, stage, reterr);
        if (r < 0)
                return r;
        return load_result_add(result, image.names ? image.names[0] : NULL, digest_hex(image.config_digest)) < 0 ? error_oom(reterr) : 0;
}

/* An address without the password in it: what is said goes into journals. */
static char *hide_password(const char *path) {
        const char *scheme = strstr(path, "://"), *authority = scheme ? scheme + 3 : NULL;
        const char *at = authority && download_is_url(path) ? memrchr(authority, '@', strcspn(authority, "/?#")) : NULL;

        return at ? str_format("%.*s***%s", (int) (authority - path), path, at) : strdup(path);
}

int image_import(Stage *stage, const char *path, const ImportOptions *options, LoadResult *ret, Error *reterr) {
        int r = import(stage, path, options, ret, reterr);

        if (r >= 0)
                return 0;
        _cleanup_free_ char *shown = hide_password(path ?: "-");
        return error_prefix(reterr, r, "cannot import '%s'", shown ?: "");
}
