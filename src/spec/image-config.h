/* SPDX-License-Identifier: Apache-2.0 */
/* The image config (image-spec, config.md): what runs by default, the layers by diff ID, the history. Read strictly: what
 * a container could not be started with is refused here, when the image comes in. */
#pragma once

#include <stdint.h>

#include "base/json.h"

enum {
        IMAGE_CONFIG_WORDS_LIMIT = 1024 * 1024, /* bytes of Entrypoint and Cmd, and of Env: execve(2) takes two MiB of both */
        IMAGE_CONFIG_WORD_LIMIT = 128 * 1024,   /* one word: execve(2), MAX_ARG_STRLEN */
        IMAGE_CONFIG_PATH_LIMIT = 4096,
        IMAGE_CONFIG_SET_LIMIT = 10000,         /* volumes, ports, labels, history entries */
};

typedef struct ImageHealth {
        char **test;              /* {"CMD", ...}, {"CMD-SHELL", "..."}, {"NONE"}; NULL: none */
        int64_t interval_nsec, timeout_nsec, start_period_nsec; /* 0: the default */
        int64_t retries;          /* 0: the default */
} ImageHealth;

typedef struct ImageHistory {
        char *created, *created_by, *author, *comment; /* as they stand there; NULL: not said */
        bool empty_layer;
} ImageHistory;

typedef struct ImageConfig {
        char *created;            /* RFC 3339, as it stands there; NULL: not said */
        int64_t created_usec;     /* since the epoch; 0: not said */
        char *author, *architecture, *variant, *os, *os_version;

        char **env;               /* "NAME=VALUE" */
        char **entrypoint, **cmd;
        char *workdir;            /* absolute; NULL: not said */
        char *user;               /* NULL: not said */
        char **volumes;           /* absolute paths */
        char **exposed_ports;     /* "80/tcp" */
        char **labels;            /* pairs */
        char *stop_signal;        /* as it stands there; parse_signal() takes it */
        char **shell, **on_build;
        ImageHealth health;

        char **diff_ids;          /* "sha256:...", lowest first */
        ImageHistory *history;
        size_t n_history;
} ImageConfig;

/* Reads and checks one. -EBADMSG with what is wrong and where. */
int image_config_load(const json_t *json, ImageConfig *ret, Error *reterr);
void image_config_done(ImageConfig *config);
#define _cleanup_image_config_ _cleanup_(image_config_done)

/* The checks of image_config_load() for a config that was put together here (import --change). */
int image_config_check(const ImageConfig *config, Error *reterr);

/* A new object that image_config_load() reads back, or NULL when out of memory. */
json_t *image_config_save(const ImageConfig *config);

/* Microseconds since the epoch of an RFC 3339 time ("2024-01-31T10:00:00.5Z", "+02:00"); -EINVAL. */
int image_time_parse(const char *text, int64_t *ret_usec);

/* An RFC 3339 time in UTC with nanoseconds as Go prints them ("2024-01-31T10:00:00.5Z"). Owned; NULL: out of memory. */
char *image_time_format(int64_t usec);
