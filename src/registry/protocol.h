/* SPDX-License-Identifier: Apache-2.0 */
/* What client and fetcher say to each other, one message each: same program, same layout. A request can bring a descriptor. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "spec/digest.h"

typedef enum FetchType {
        FETCH_MANIFEST_GET,    /* target: tag or digest; body into the descriptor */
        FETCH_MANIFEST_HEAD,
        FETCH_MANIFEST_PUT,    /* body from the descriptor, with media_type */
        FETCH_BLOB_GET,        /* target: digest; body into the descriptor, resumed by Range */
        FETCH_BLOB_HEAD,
        FETCH_BLOB_MOUNT,      /* from: the other repository */
        FETCH_BLOB_PUSH,       /* target: digest, or "" where it is made on the way; body from the descriptor */
        FETCH_TAGS,            /* target: "" or the path of a next page */
        FETCH_PATH,            /* target: path of the registry */
        FETCH_CANCEL,          /* id: of the transfer; no answer */
        _FETCH_TYPE_MAX,
} FetchType;

enum {
        FETCH_TARGET_SIZE = 1024,
        FETCH_WORD_SIZE = 300,
        FETCH_TEXT_SIZE = 1600,
        FETCH_BODY_LIMIT = 4 * 1024 * 1024,      /* of a manifest, a config, a page of a list */
        FETCH_ERROR_BODY_LIMIT = 1024 * 1024,    /* of a token or an error */
        FETCH_HEADERS_LIMIT = 64 * 1024,
        FETCH_REDIRECTS_LIMIT = 10,
};

#define FETCH_SIZE_UNKNOWN UINT64_MAX

typedef struct FetchRequest {
        uint32_t id, type;
        uint64_t size, limit;              /* of the body: exactly (unless unknown), and at most */
        char target[FETCH_TARGET_SIZE];
        char media_type[FETCH_WORD_SIZE];
        char from[FETCH_WORD_SIZE];
} FetchRequest;

typedef enum FetchState {
        FETCH_PROGRESS,
        FETCH_DONE,
        FETCH_FAILED,
} FetchState;

typedef struct FetchAnswer {
        uint32_t id, state;
        uint64_t bytes;                    /* of the body so far */
        uint64_t size;                     /* Content-Length of a HEAD, or unknown */
        int32_t status;                    /* of HTTP; 0: there was no answer */
        int32_t code, kind;                /* of a failure */
        char digest[DIGEST_LENGTH + 1];    /* Docker-Content-Digest, if it is one; of an upload, of what was sent */
        char media_type[FETCH_WORD_SIZE];
        char next[FETCH_TARGET_SIZE];      /* the next page */
        char message[FETCH_TEXT_SIZE], hint[FETCH_WORD_SIZE];
} FetchAnswer;
