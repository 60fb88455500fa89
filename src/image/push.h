/* SPDX-License-Identifier: Apache-2.0 */
/* `push`: an image of the store goes to a registry, or into files (podman-push(1)). */
#pragma once

#include "image/copy.h"
#include "image/transport.h"
#include "registry/client.h"

typedef struct PushOptions {
        CopyOptions copy;
        RegistryOptions registry;
        const char *compression; /* --compression-format; NULL: gzip for a registry or an OCI layout, none elsewhere */
        bool compress;           /* --compress: by gzip also where it would not be done (dir:) */
} PushOptions;

/* Checks the options against each other and completes options->copy. */
int push_options_check(PushOptions *options, Error *reterr);

/* A target for a destination, open for writing. */
typedef struct PushTarget {
        Target *target;
        CopyOptions copy;        /* with what this kind of target needs */
        char **names;            /* for TargetManifest */
        int fd;                  /* of a file, or -EBADF */
        char *path;
        int format;              /* FileFormat */
} PushTarget;

#define PUSH_TARGET_NULL ((PushTarget){ .fd = -EBADF })

/* `name`: a full name that the image has, for a docker-archive (NULL: none). */
int push_target_open(const Stage *stage, const Transport *transport, const char *name, const PushOptions *options, PushTarget *ret,
                     Error *reterr);

/* Ends it: what has not been finished is thrown away where that is possible. */
void push_target_done(PushTarget *target);
#define _cleanup_push_target_ _cleanup_(push_target_done)
int push_target_finish(PushTarget *target, Error *reterr);

/* Pushes. `destination` is "TRANSPORT:..." or a name; NULL: the name that the image has. */
int image_push(const Stage *stage, const char *reference, const char *destination, const PushOptions *options, CopyResult *ret,
               Error *reterr);
