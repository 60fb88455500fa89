/* SPDX-License-Identifier: Apache-2.0 */
/* One repository on its registry (or a mirror of it), as calls.
 *
 * Theory of operation. registry_client_new() reads what the user configured (registries.conf, auth files, certificates),
 * decides the endpoints that stand for the reference, in order, and forks the fetcher (fetcher.h), which alone has the
 * network. Every call is one request over a socket; calls without `start` wait for their answer, and what is heard of
 * other transfers meanwhile is kept for registry_next_event(). Redirects, credentials, tokens, retries, resuming by Range and
 * the change to the next mirror happen in the fetcher; nothing of it is seen here.
 *
 * A client must be made before anything hostile is read. It is not for use by several processes. */
#pragma once

#include <stdint.h>

#include "base/error.h"
#include "spec/digest.h"
#include "spec/reference.h"

typedef struct RegistryClient RegistryClient;

typedef enum RegistryTls {
        REGISTRY_TLS_CONFIGURED, /* as registries.conf says of the registry: verified unless it is `insecure` */
        REGISTRY_TLS_VERIFY,     /* --tls-verify */
        REGISTRY_TLS_INSECURE,   /* --tls-verify=false: certificates count for nothing, plain http where https is not spoken */
} RegistryTls;

/* All strings are borrowed during registry_client_new() only. */
typedef struct RegistryOptions {
        RegistryTls tls;
        const char *cert_dir;       /* --cert-dir; NULL: certs.d */
        const char *authfile;       /* --authfile; NULL: where people have it */
        const char *creds;          /* --creds "USER[:PASSWORD]"; NULL: from the auth file */
        int retries;                /* --retry, after the first attempt; negative: the default, 3 */
        uint64_t retry_delay_usec;  /* --retry-delay, fixed; 0: from 1 s, doubled each time, with jitter */
        bool push;                  /* tokens are asked for "pull,push"; mirrors are not used */
        bool anonymous;             /* no credentials even where there are some */
} RegistryOptions;

#define REGISTRY_OPTIONS_DEFAULT ((RegistryOptions){ .retries = -1 })

/* Starts the fetcher for the reference's repository. `reference` must have a domain. No byte goes over the network yet. */
int registry_client_new(const RegistryOptions *options, const Reference *reference, RegistryClient **ret, Error *reterr);

/* Ends the fetcher and everything under way. */
RegistryClient *registry_client_free(RegistryClient *client);
DEFINE_CLEANUP(RegistryClient, registry_client_free)
#define _cleanup_registry_client_ _cleanup_(registry_client_freep)

/* Gets a manifest or index by tag or digest: at most 4 MiB, owned, NUL-terminated. By digest the bytes have it; by tag
 * `ret_digest` is the digest of the bytes. `ret_media_type` (may be NULL; owned, never NULL on success, "" if the server said
 * nothing) is what the server calls it: to be believed only where the document does not disagree.
 * -ENOENT (ERROR_NOT_FOUND): not there; -EACCES (ERROR_DENIED): not logged in, or not allowed; ERROR_UNREACHABLE. */
int registry_manifest_get(RegistryClient *client, const char *tag_or_digest, char **ret_bytes, size_t *ret_size,
                          char **ret_media_type, char ret_digest[static DIGEST_LENGTH + 1], Error *reterr);

/* The digest that a tag has now, as the server says (a manifest is fetched where it says none). */
int registry_manifest_head(RegistryClient *client, const char *tag_or_digest, char ret_digest[static DIGEST_LENGTH + 1],
                           Error *reterr);

/* Gets a small blob whole: exactly `size` bytes (-1: not known) and at most `limit`, which is at most 4 MiB; its digest is checked. Owned, NUL-terminated. */
int registry_blob_get(RegistryClient *client, const char *digest, int64_t size, size_t limit, char **ret, size_t *ret_size,
                      Error *reterr);

/* Starts to write a blob's `size` bytes (-1: not known) into `out_fd`, a pipe or a file, from its beginning. The descriptor
 * is handed over to the fetcher: close yours, or the reader never sees the end. (O_NONBLOCK is set on a pipe's write end.)
 * The bytes are NOT hashed on the way, only counted: exactly `size` bytes come, or an event says why not. At the end, good or
 * bad, the pipe is closed and an event with DONE or FAILED comes; a reader that sees the end of the pipe knows nothing yet. If
 * the reader closes the pipe, the transfer fails with -EPIPE. Many can run at once; the caller decides how many. */
int registry_blob_start(RegistryClient *client, const char *digest, int64_t size, int out_fd, unsigned *ret_id, Error *reterr);

typedef enum RegistryState {
        REGISTRY_PROGRESS,
        REGISTRY_DONE,
        REGISTRY_FAILED,
} RegistryState;

typedef struct RegistryEvent {
        unsigned id;
        RegistryState state;
        uint64_t bytes;      /* written (or sent) so far */
        char digest[DIGEST_LENGTH + 1]; /* of an upload that is DONE: of what was sent */
        Error error;         /* of a failed one; owned by the event */
} RegistryEvent;

void registry_event_done(RegistryEvent *event);
#define _cleanup_registry_event_ _cleanup_(registry_event_done)

/* Readable when registry_next_event() has something to read from the fetcher. Poll it for POLLIN, after registry_next_event()
 * has returned 0 (events that a waiting call has set aside do not make it readable). */
int registry_events_fd(RegistryClient *client);

/* Takes the next event without waiting: 1, or 0 if there is none now, or -errno if the fetcher is gone (then every transfer
 * is). Progress comes at most ten times a second for each transfer. */
int registry_next_event(RegistryClient *client, RegistryEvent *ret, Error *reterr);

/* Whether the registry has the blob: 1 or 0 (then *ret_size, which may be NULL, is its size or -1), or -errno. */
int registry_blob_exists(RegistryClient *client, const char *digest, int64_t *ret_size, Error *reterr);

/* Asks the registry to take the blob over from another of its repositories ("path", without a host). 1: it has it now; 0: it
 * has to be pushed. */
int registry_blob_mount(RegistryClient *client, const char *digest, const char *from_repository, Error *reterr);

/* Uploads what `in_fd` has, from its current position to its end: a file, or a pipe. `size` -1: not known before. `digest` NULL: not
 * known before; it is made of the bytes on the way, and the event tells it. The descriptor is handed over to the fetcher, as with
 * registry_blob_start(), and so are the events. A pipe cannot be sent again: an upload of one that is cut ends as FAILED with
 * -EAGAIN, and may be started anew. A pipe that ends early looks like its end: compare the event's digest and bytes. */
int registry_blob_push_start(RegistryClient *client, const char *digest, int64_t size, int in_fd, unsigned *ret_id, Error *reterr);

/* Uploads a small blob from memory and waits for the answer. */
int registry_blob_push(RegistryClient *client, const char *digest, const void *bytes, size_t size, Error *reterr);

/* Ends a transfer that is under way. An event that is on its way already may still come. */
void registry_cancel(RegistryClient *client, unsigned id);

/* Puts a manifest under a tag or its digest. `ret_digest` (may be NULL) is the digest of the bytes. */
int registry_manifest_put(RegistryClient *client, const char *tag_or_digest, const void *bytes, size_t size, const char *media_type,
                          char ret_digest[DIGEST_LENGTH + 1], Error *reterr);

/* All tags of the repository (NULL-terminated, owned), over as many pages as there are; at most 100000. */
int registry_tags_list(RegistryClient *client, char ***ret, Error *reterr);

/* Gets a path of the registry itself ("/v2/", "/v2/_catalog?n=100", "/v1/search?q=x"): a body of at most 4 MiB, owned and
 * NUL-terminated. `ret_next` (may be NULL) is the path of the next page (of the same server), owned, or NULL. */
int registry_get(RegistryClient *client, const char *path, char **ret, size_t *ret_size, char **ret_next, Error *reterr);
