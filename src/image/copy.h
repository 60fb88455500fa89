/* SPDX-License-Identifier: Apache-2.0 */
/* An image of the store goes to a target: its layers are made blobs again, several at once, unless the target has them. */
#pragma once

#include "image/manifest-edit.h"
#include "image/stage.h"
#include "image/store.h"
#include "image/target.h"

typedef struct CopyOptions {
        Compression compression; /* of layers that the target does not have as the manifest names them */
        int level;
        bool force;              /* compress all of them so, whatever the target has */
        ManifestType type;
        unsigned retries;        /* how often a blob that was lost on the way is sent again */
        bool quiet;              /* else lines on the standard error say what is done */
} CopyOptions;

/* What has been put there. */
typedef struct CopyResult {
        char digest[DIGEST_LENGTH + 1]; /* of the manifest */
        size_t size;
        const char *media_type;
        char config_digest[DIGEST_LENGTH + 1];
} CopyResult;

/* `names` are those that it gets (what they mean is the target's affair), `nested` is TargetManifest's. */
int copy_image(const Stage *stage, const ImageInfo *image, Target *target, const CopyOptions *options, char *const *names, bool nested,
               CopyResult *ret, Error *reterr);

/* A line of progress: "Copying blob sha256:..." */
void copy_say(const CopyOptions *options, const char *text, const char *subject);
