/* SPDX-License-Identifier: Apache-2.0 */
/* Where an image goes to: a directory or archive (target-file.c), or a repository of a registry (target-registry.c). Blobs come
 * first, several at once where the target can; then the manifest that names them; then, perhaps, an index of manifests. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "spec/digest.h"

typedef struct Target Target;

/* A blob on its way in. What is behind `id` is the target's own. */
typedef struct TargetBlob {
        int fd;              /* takes the bytes; -EBADF: none */
        bool borrowed;       /* the descriptor is the target's */
        unsigned id;
} TargetBlob;

#define TARGET_BLOB_NULL ((TargetBlob){ .fd = -EBADF })

/* A manifest or an index. */
typedef struct TargetManifest {
        const char *bytes;
        size_t size;
        const char *media_type;
        char digest[DIGEST_LENGTH + 1];
        const char *config_digest;      /* of a manifest; NULL: an index */
        const char *const *layers;      /* digests as they are there; of a manifest */
        char *const *names;             /* that it gets; NULL: none */
        bool nested;                    /* it belongs to an index that follows */
} TargetManifest;

typedef struct TargetOps {
        /* 1: the blob is there, and need not be sent; `repositories` are some that may have it ("HOST/PATH"). */
        int (*has)(Target *target, const char *digest, uint64_t size, char *const *repositories, Error *reterr);
        /* Begins a blob; digest NULL: it is told at the end. */
        int (*begin)(Target *target, const char *digest, uint64_t size, TargetBlob *ret, Error *reterr);
        /* All has been written: the descriptor is closed. -EAGAIN: it was lost on the way, and may be sent again. With a NULL
         * digest, who wrote has failed: the target's own reason if it has one, else 0. */
        int (*end)(Target *target, TargetBlob *blob, const char *digest, uint64_t size, Error *reterr);
        void (*cancel)(Target *target, TargetBlob *blob);
        /* A whole small one. */
        int (*config)(Target *target, const char *digest, const char *bytes, size_t size, Error *reterr);
        int (*manifest)(Target *target, const TargetManifest *manifest, Error *reterr);
        int (*finish)(Target *target, Error *reterr);
        Target *(*free)(Target *target);
        /* Something to look after while blobs are written; NULL: nothing. A descriptor, or -EBADF; and what to do when it is
         * readable. */
        int (*events_fd)(Target *target);
        int (*dispatch)(Target *target, Error *reterr);
        /* How many bytes of the blob have gone; NULL: writing them is all there is to it. */
        uint64_t (*sent)(Target *target, const TargetBlob *blob);
} TargetOps;

/* What every target begins with. */
struct Target {
        const TargetOps *ops;
        size_t parallel;     /* blobs at once, at least 1 */
        const char *repository; /* "HOST/PATH" of a registry's; NULL: files */
        bool uncompressed;   /* takes layers only as they are */
        bool in_order;       /* a blob whose digest is told at its beginning must end before the next begins */
};

static inline Target *target_free(Target *target) {
        return target ? target->ops->free(target) : NULL;
}
DEFINE_CLEANUP(Target, target_free)
#define _cleanup_target_ _cleanup_(target_freep)
