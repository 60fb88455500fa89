/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means, by its status; and what libcurl's faults mean, in words. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/json.h"
#include "base/str.h"
#include "registry/transfer.h"

bool transfer_wants_body(const Transfer *t) {
        switch (t->request.type) {
        case FETCH_MANIFEST_GET:
        case FETCH_BLOB_GET:
        case FETCH_TAGS:
        case FETCH_PATH:
                return t->phase == PHASE_MAIN;
        default:
                return false;
        }
}

/* The message that a registry has put into the body of an error: {"errors":[{"code":...,"message":...}]}. Owned or NULL. */
static char *error_text(const Transfer *t) {
        _cleanup_json_ json_t *json = NULL;
        const char *message, *code;
        const json_t *first;

        if (t->n_text == 0 || json_parse(t->text, t->n_text, "an error", &json, NULL) < 0)
                return NULL;
        first = json_array_get(json_object_get(json, "errors"), 0);
        message = json_get_string(first, "message") ?: json_get_string(json, "details") ?: json_get_string(json, "error_description");
        code = json_get_string(first, "code") ?: json_get_string(json, "error");
        if (str_empty(message) && str_empty(code))
                return NULL;
        return str_format("%.200s", str_empty(message) ? code : message);
}

static int status_error(const Transfer *t, long status, Error *reterr) {
        static const struct {
                long status;
                int code;
                ErrorKind kind;
                const char *text;
        } rows[] = {
                { 400, -EINVAL, ERROR_INVALID, "the registry calls it a bad request" },
                { 403, -EACCES, ERROR_DENIED, "the registry does not allow it" },
                { 404, -ENOENT, ERROR_NOT_FOUND, "the registry does not have it" },
                { 405, -EOPNOTSUPP, ERROR_UNSUPPORTED, "the registry does not support it" },
                { 406, -EOPNOTSUPP, ERROR_UNSUPPORTED, "the registry has it in no form that is known here" },
                { 413, -EFBIG, ERROR_INVALID, "the registry finds it too large" },
                { 416, -EBADMSG, ERROR_CORRUPT, "the registry has fewer bytes than were fetched already" },
                { 429, -EAGAIN, ERROR_UNREACHABLE, "the registry says that there are too many requests" },
        };
        _cleanup_free_ char *text = error_text(t);
        size_t i;

        for (i = 0; i < ELEMENTSOF(rows) && rows[i].status != status; i++)
                ;
        if (i == ELEMENTSOF(rows))
                (void) transfer_error(t, -EREMOTEIO, status >= 500 ? ERROR_UNREACHABLE : ERROR_INTERNAL, reterr,
                                      "the server answers with status %ld%s%s%s", status, text ? " (" : "", text ?: "", text ? ")" : "");
        else
                (void) transfer_error(t, rows[i].code, rows[i].kind, reterr, "%s%s%s%s", rows[i].text, text ? " (" : "", text ?: "",
                                      text ? ")" : "");
        if (status == 403 && !auth_has_credentials(t))
                error_hint(reterr, "log in with 'sdpod login %s'", transfer_endpoint(t)->name);
        return -EREMOTEIO;
}

static void redirected(Transfer *t, long status) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_url_ Url url = {};
        bool body = t->phase != PHASE_TOKEN && !transfer_wants_body(t) && t->written > 0;
        const char *wrong = NULL;

        int r = t->response.location ? url_parse(t->response.location, &t->url, &url) : -EBADMSG;
        if (r == -ENOMEM)
                (void) error_oom(&error);
        else if (r < 0)
                wrong = "sends us on to an address that cannot be used";
        else if (t->url.https && !url.https)
                wrong = "sends us on from https to plain http";
        else if (++t->hops > FETCH_REDIRECTS_LIMIT)
                wrong = "sends us on more than ten times";
        else if (body && (t->pipe || (status != 307 && status != 308)))
                wrong = "sends us on in the middle of an upload";
        if (wrong)
                (void) transfer_error(t, -EREMOTEIO, ERROR_UNREACHABLE, &error, "the server %s", wrong);
        if (error.code < 0) {
                transfer_give_up(t, &error);
                return;
        }
        url_done(&t->url);
        t->url = url;
        url = (Url){};
        transfer_begin(t);
}

static void try_again(Transfer *t, long status) {
        _cleanup_error_ Error error = ERROR_NULL;
        uint64_t seconds;
        uint64_t delay = UINT64_MAX;

        (void) status_error(t, status, &error);
        if (t->response.retry_after && retry_after_parse(t->response.retry_after, (int64_t) time(NULL), &seconds) >= 0)
                delay = MIN(seconds, UINT64_C(60)) * 1000000;
        transfer_retry(t, &error, delay);
}

/* All of it there? */
static void body_ended(Transfer *t) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (t->total == FETCH_SIZE_UNKNOWN || t->written == t->total) {
                transfer_succeed(t);
                return;
        }
        (void) transfer_error(t, -EBADMSG, ERROR_CORRUPT, &error, "the server sent %llu bytes, it should have %llu",
                              (unsigned long long) t->written, (unsigned long long) t->total);
        /* part of a part is an answer that can be gone on from; a whole that is too short is not */
        if (t->attempt_from > 0 && t->written > t->attempt_from)
                transfer_retry(t, &error, UINT64_MAX);
        else if (t->written == 0)
                transfer_give_up(t, &error);
        else
                transfer_fail(t, &error);
}

/* An upload goes to where the registry says. */
static void upload_opened(Transfer *t) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_url_ Url url = {};

        if (!t->response.location || url_parse(t->response.location, &t->url, &url) < 0)
                (void) transfer_error(t, -EREMOTEIO, ERROR_CORRUPT, &error, "the registry does not say where to send it");
        else if (t->url.https && !url.https) {
                (void) transfer_error(t, -EREMOTEIO, ERROR_UNREACHABLE, &error, "the registry wants it sent by plain http");
                error_hint(&error, "the registry stands behind a proxy that does not tell it of https (X-Forwarded-Proto)");
        }
        if (error.code < 0) {
                transfer_fail(t, &error);
                return;
        }
        url_done(&t->upload);
        t->upload = url;
        url = (Url){};
        int r = t->phase == PHASE_UPLOAD ? body_hash_end(t) : 0;
        t->phase = t->phase == PHASE_UPLOAD ? PHASE_NAME : PHASE_UPLOAD;
        if (r >= 0 && (*t->request.target || t->phase == PHASE_NAME))
                r = url_add_query(&t->upload, "digest", *t->request.target ? t->request.target : t->digest);
        if (r < 0) {
                (void) error_oom(&error);
                transfer_fail(t, &error);
                return;
        }
        url_done(&t->url);
        transfer_begin(t);
}

/* POST, then a PUT of the body; or, where the digest is not known before, a PATCH of it and a PUT of the digest. */
static void accepted(Transfer *t, long status) {
        bool push = t->request.type == FETCH_BLOB_PUSH, more = t->phase == PHASE_MAIN || (t->phase == PHASE_UPLOAD && !*t->request.target);
        _cleanup_error_ Error error = ERROR_NULL;

        if (transfer_wants_body(t))
                body_ended(t);
        else if (push && more && (status == 202 || status == 204))
                upload_opened(t);
        else if (push && more) {
                (void) status_error(t, status, &error);
                transfer_fail(t, &error);
        } else
                transfer_succeed(t); /* of a mount, 201 and 202 say which; an upload that 202 opened runs out at the registry */
}

void transfer_answered(Transfer *t, long status) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (status == 301 || status == 302 || status == 303 || status == 307 || status == 308)
                redirected(t, status);
        else if (status == 429 || (status >= 500 && status != 501 && status != 505))
                try_again(t, status);
        else if (t->phase == PHASE_TOKEN)
                auth_token_answered(t, status);
        else if (status == 401)
                auth_challenged(t);
        else if (status >= 200 && status < 300 && (!transfer_wants_body(t) || status == 200 || status == 206))
                accepted(t, status);
        else {
                (void) status_error(t, status, &error);
                transfer_give_up(t, &error);
        }
}

/* An errno in lower case, as it stands inside a sentence. */
static void lower_text(int code, char *text, size_t size) {
        (void) snprintf(text, size, "%s", strerror(code));
        text[0] = (char) tolower((unsigned char) text[0]);
}

static const char *curl_reason(const Transfer *t, CURLcode result, char *buffer, size_t size) {
        long code = 0;

        switch (result) {
        case CURLE_COULDNT_RESOLVE_HOST:
                return "its name is not known (or no name server answers)";
        case CURLE_COULDNT_RESOLVE_PROXY:
                return "the name of the proxy is not known";
        case CURLE_COULDNT_CONNECT:
                (void) curl_easy_getinfo(t->easy, CURLINFO_OS_ERRNO, &code);
                if (code == 0)
                        return "nothing can be reached there";
                lower_text((int) code, buffer, size);
                return buffer;
        case CURLE_OPERATION_TIMEDOUT:
                return t->written > t->attempt_from ? "the connection has stalled" : "it does not answer";
        case CURLE_GOT_NOTHING:
                return "it closed the connection without an answer";
        case CURLE_PARTIAL_FILE:
        case CURLE_RECV_ERROR:
        case CURLE_SEND_ERROR:
                return "the connection was cut";
        default:
                (void) snprintf(buffer, size, "%s", *t->curl_text ? t->curl_text : curl_easy_strerror(result));
                return buffer;
        }
}

int transfer_curl_error(Transfer *t, CURLcode result, Error *reterr) {
        const Endpoint *e = transfer_endpoint(t);
        const char *host = t->trusted || !t->url.host ? e->name : t->url.host, *role = t->trusted ? "registry" : "server";
        bool begun = transfer_state(t)->settled || t->fetcher->eager;
        char buffer[CURL_ERROR_SIZE];
        curl_off_t asked = 0;

        switch (result) {
        case CURLE_OUT_OF_MEMORY:
                (void) curl_easy_getinfo(t->easy, CURLINFO_PRETRANSFER_TIME_T, &asked);
                /* what libcurl says of a line of the header that exceeds its own limit, too */
                return asked > 0 ? transfer_error(t, -EMSGSIZE, ERROR_CORRUPT, reterr, "its answer has a header line that is too long") : error_oom(reterr);
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_WEIRD_SERVER_REPLY:
                return transfer_error(t, -EBADMSG, ERROR_CORRUPT, reterr, "the server does not speak HTTP as it should (%s)",
                                      curl_reason(t, result, buffer, sizeof(buffer)));
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_ISSUER_ERROR:
                (void) error_set(reterr, -EPERM, ERROR_DENIED, "cannot trust %s '%s': %s", role, host,
                                 curl_reason(t, result, buffer, sizeof(buffer)));
                return error_with_hint(reterr, -EPERM, "put its CA's certificate into ~/.config/containers/certs.d/%s/ca.crt (for all users: below /etc"
                                       " instead of ~/.config), or skip the check with --tls-verify=false", host);
        case CURLE_SSL_CONNECT_ERROR:
                (void) error_set(reterr, -EPROTO, ERROR_UNREACHABLE, "cannot reach %s '%s' with TLS: %s", role, host,
                                 curl_reason(t, result, buffer, sizeof(buffer)));
                return error_with_hint(reterr, -EPROTO, "where it speaks plain http, say --tls-verify=false, or insecure = true in registries.conf");
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
                (void) error_set(reterr, -EHOSTUNREACH, ERROR_UNREACHABLE, "cannot reach %s '%s': %s", role, host,
                                 curl_reason(t, result, buffer, sizeof(buffer)));
                return begun; /* a mistyped name is not tried again and again */
        case CURLE_OPERATION_TIMEDOUT:
                (void) error_set(reterr, -ETIMEDOUT, ERROR_UNREACHABLE, "cannot reach %s '%s': %s", role, host,
                                 curl_reason(t, result, buffer, sizeof(buffer)));
                /* once more, where it had begun to answer */
                return t->fetcher->eager || (t->written > t->attempt_from && t->failures == 0);
        default:
                (void) transfer_error(t, -EREMOTEIO, ERROR_UNREACHABLE, reterr, "%s", curl_reason(t, result, buffer, sizeof(buffer)));
                return 1;
        }
}
