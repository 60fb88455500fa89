/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the fetcher: one request on its way, through redirects, tokens, retries and mirrors.
 *
 *     start -> (token exchange) -> exchange -> done
 *                   ^                 |  401: with a token, again
 *                   +-----------------+  3xx: next hop, without credentials unless of the same origin
 *                                     |  429, 5xx, cut: later again, bodies from where they were (Range)
 *                                     |  no more tries: next endpoint, else failed */
#pragma once

#include <openssl/evp.h>

#include "registry/curl-library.h"
#include "registry/endpoint.h"
#include "registry/header.h"
#include "registry/protocol.h"
#include "registry/url.h"

enum {
        TRANSFER_RECEIVE = 256 * 1024,                                /* bytes that are asked of a socket at once */
        TRANSFER_PIECE = TRANSFER_RECEIVE + CURL_MAX_WRITE_SIZE,
};

/* A Bearer token for one scope of one endpoint. */
typedef struct Token {
        char *scope, *value;
        uint64_t expires_usec; /* CLOCK_MONOTONIC */
} Token;

/* What was learned of an endpoint. */
typedef struct EndpointState {
        bool plain;            /* http: it speaks no https, and may */
        bool settled;          /* it has answered once: its scheme is known */
        AuthScheme scheme;     /* AUTH_OTHER: none asked for yet */
        Challenge challenge;   /* the last Bearer challenge; owned */
        Token *tokens;
        size_t n_tokens;
} EndpointState;

typedef struct Fetcher {
        int socket;
        CURLM *multi;
        const Endpoints *endpoints;
        EndpointState *states;       /* one for each */
        struct Transfer *transfers;
        FetchAnswer *outbox;         /* answers that the socket did not take yet */
        size_t n_outbox;
        unsigned good_endpoint;      /* the one that served last: tried first */
        unsigned retries;
        uint64_t retry_delay_usec;
        bool push, anonymous, eager; /* eager: --retry was said, so everything is tried again */
        uint64_t now_usec;           /* CLOCK_MONOTONIC, of this round of the loop */
} Fetcher;

typedef enum Phase {
        PHASE_MAIN,    /* what was asked for */
        PHASE_TOKEN,   /* a token for it */
        PHASE_UPLOAD,  /* a body to where the registry said */
        PHASE_NAME,    /* it is all there: the digest that it has */
} Phase;

/* What a server has said in its header, this time. */
typedef struct Response {
        size_t header_bytes;
        char *location, *content_range, *retry_after, *media_type, *link;
        char digest[DIGEST_LENGTH + 1];
        Challenges challenges;
        uint64_t content_length;
        bool bad_challenge;
} Response;

typedef struct Transfer {
        struct Transfer *next;
        Fetcher *fetcher;
        FetchRequest request;
        int fd;                /* of the body, either way; -EBADF: none */
        bool pipe, finished;

        /* where it is */
        unsigned endpoint, first_endpoint;
        Phase phase;
        Url url;               /* of this exchange; empty: to be made */
        bool trusted;          /* that is the endpoint's own origin: credentials may go there */
        bool sent_credentials;
        unsigned hops, failures, token_tries;
        uint64_t start_usec;   /* not before; 0: running, or nothing to start */
        uint64_t attempt_usec; /* when the exchange began */
        char *scope;           /* that tokens are asked for */
        Url upload;            /* where its body goes, from Location; empty: not known yet */
        Error last_error;      /* why the exchange before failed */

        /* the exchange */
        CURL *easy;
        struct curl_slist *headers;
        bool running;
        Response response;
        Error error;           /* found in a callback: the exchange is over and so is the transfer */
        bool cut;              /* found in a callback: enough was read of a body that is not wanted */
        bool stalled;
        char *text;            /* body of a token or an error */
        size_t n_text;
        char curl_text[CURL_ERROR_SIZE];

        /* the body */
        uint64_t written;      /* taken from the server and given to `fd` or to `piece`; or read from `fd` and sent */
        uint64_t skip;         /* bytes of this answer that were there before */
        uint64_t attempt_from; /* `written` when the exchange began */
        uint64_t total;        /* of the body, once known */
        uint64_t origin;       /* position of a file that is sent */
        EVP_MD_CTX *hash;      /* of what is sent, where its digest is not known */
        char digest[DIGEST_LENGTH + 1];
        bool body_began, paused;
        int waiting;           /* POLLIN, POLLOUT: `fd` is waited for; 0 not */
        CURLcode result;       /* kept while the last bytes wait for the pipe */
        bool over;             /* curl is done with it */
        uint64_t reported_usec;
        size_t piece_at, n_piece;
        char piece[TRANSFER_PIECE]; /* what the pipe did not take */
} Transfer;

static inline Endpoint *transfer_endpoint(const Transfer *t) {
        return t->fetcher->endpoints->items + t->endpoint;
}

static inline EndpointState *transfer_state(const Transfer *t) {
        return t->fetcher->states + t->endpoint;
}

/* transfer.c */

/* Takes `fd` over. Failures are answered. */
int transfer_new(Fetcher *fetcher, const FetchRequest *request, int fd);
void transfer_free(Transfer *t);

/* Begins the next exchange now. */
void transfer_begin(Transfer *t);

/* Back to the beginning of what was asked for; a body that is received stays where it is. */
void transfer_rewind(Transfer *t);

/* The exchange is over. */
void transfer_exchange_done(Transfer *t, CURLcode result);

/* Answers and marks it as finished. */
void transfer_succeed(Transfer *t);
void transfer_fail(Transfer *t, Error *error);

/* An exchange failed in a way that may pass: later again, or the next endpoint, or failed. Takes the error. `delay_usec`
 * UINT64_MAX: by the number of failures. */
void transfer_retry(Transfer *t, Error *error, uint64_t delay_usec);

/* This endpoint cannot do it: the next, or failed. Takes the error. */
void transfer_give_up(Transfer *t, Error *error);

/* Sets what the transfer could not do as the error: "cannot get 'x/y:z': <reason>". */
int transfer_error(const Transfer *t, int code, ErrorKind kind, Error *reterr, const char *format, ...) _printf_(5, 6);

/* Forgets what the server said last. */
void response_done(Response *response);

/* transfer-setup.c: what the next exchange asks for. Fills the handle. */
int transfer_setup(Transfer *t, Error *reterr);
/* Adds a line to the header that is sent. */
int transfer_add_line(Transfer *t, const char *line);

/* transfer-answer.c: an answer with a status. */
void transfer_answered(Transfer *t, long status);
/* An error of libcurl's, in words. */
int transfer_curl_error(Transfer *t, CURLcode result, Error *reterr);
bool transfer_wants_body(const Transfer *t) _pure_;

/* transfer-auth.c */

/* Prepares credentials for the exchange: adds the Authorization field, or makes it the exchange of a token (PHASE_TOKEN). */
int auth_prepare(Transfer *t, Error *reterr);
/* The address, header and body of a token exchange. */
int auth_setup_token(Transfer *t, Error *reterr);
/* An answer with 401, and the answer of a token exchange. */
void auth_challenged(Transfer *t);
void auth_token_answered(Transfer *t, long status);
bool auth_has_credentials(const Transfer *t) _pure_;

/* transfer-body.c: callbacks for libcurl, and pipes. */
size_t body_header(char *data, size_t size, size_t n, void *userdata);
size_t body_write(char *data, size_t size, size_t n, void *userdata);
size_t body_read(char *data, size_t size, size_t n, void *userdata);
int body_seek(void *userdata, curl_off_t offset, int origin);
/* An upload begins, or begins anew; and what was sent, once it is. */
int body_hash_begin(Transfer *t);
int body_hash_end(Transfer *t);
/* The descriptor that was waited for is ready. */
void body_ready(Transfer *t);

/* fetcher.c */
void fetcher_answer(Fetcher *fetcher, const FetchAnswer *answer);
void fetcher_progress(Transfer *t);
