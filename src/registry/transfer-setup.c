/* SPDX-License-Identifier: Apache-2.0 */
/* What an exchange asks for, as options of libcurl's handle. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "config.h"
#include "registry/transfer.h"
#include "spec/manifest.h"

enum {
        CONNECT_SECONDS = 30,
        STALL_BYTES_PER_SECOND = 256,
        STALL_SECONDS = 55,          /* below 256 bytes a second for so long */
        UPLOAD_STALL_SECONDS = 300,  /* a registry may hash and store before it answers */
};

static const char *const accept_lines[] = {
        "Accept: " MEDIA_TYPE_OCI_MANIFEST,    "Accept: " MEDIA_TYPE_OCI_INDEX,
        "Accept: " MEDIA_TYPE_DOCKER_MANIFEST, "Accept: " MEDIA_TYPE_DOCKER_INDEX,
};

/* The path below the registry, with its leading slash. */
static char *make_path(const Transfer *t) {
        const char *repository = transfer_endpoint(t)->repository, *target = t->request.target;

        switch (t->request.type) {
        case FETCH_PATH:
                return strdup(target);
        case FETCH_TAGS:
                return *target ? strdup(target) : str_format("/v2/%s/tags/list?n=1000", repository);
        case FETCH_BLOB_GET:
        case FETCH_BLOB_HEAD:
                return str_format("/v2/%s/blobs/%s", repository, target);
        case FETCH_BLOB_MOUNT:
                return str_format("/v2/%s/blobs/uploads/?mount=%s&from=%s", repository, target, t->request.from);
        case FETCH_BLOB_PUSH:
                return str_format("/v2/%s/blobs/uploads/", repository);
        default:
                return str_format("/v2/%s/manifests/%s", repository, target);
        }
}

/* The registry itself, in the scheme that it is spoken to. */
static int make_home(const Transfer *t, const char *path, Url *ret) {
        _cleanup_free_ char *text = str_format("%s://%s%s", transfer_state(t)->plain ? "http" : "https", transfer_endpoint(t)->host, path);

        return text ? url_parse(text, NULL, ret) : -ENOMEM;
}

static int make_url(Transfer *t) {
        _cleanup_free_ char *path = NULL;

        if (t->url.text)
                return 0;
        if (t->phase == PHASE_UPLOAD || t->phase == PHASE_NAME)
                return t->upload.text ? url_copy(&t->upload, &t->url) : -EBADMSG;
        path = make_path(t);
        if (!path)
                return -ENOMEM;
        return *path == '/' ? make_home(t, path, &t->url) : -EBADMSG;
}

int transfer_add_line(Transfer *t, const char *line) {
        struct curl_slist *list = curl_slist_append(t->headers, line);

        if (!list)
                return -ENOMEM;
        t->headers = list;
        return 0;
}

static int add_value(Transfer *t, const char *name, const char *value) {
        _cleanup_free_ char *line = str_format("%s: %s", name, value);

        return line ? transfer_add_line(t, line) : -ENOMEM;
}

static struct curl_blob blob(const char *text) {
        return (struct curl_blob){ .data = (char *) text, .len = strlen(text), .flags = CURL_BLOB_NOCOPY };
}

/* Whether the registry gets something that it has to store. Questions, and the beginning of an upload, are answered at once. */
static bool sends_body(const Transfer *t) {
        return t->phase == PHASE_UPLOAD || t->phase == PHASE_NAME || (t->phase == PHASE_MAIN && t->request.type == FETCH_MANIFEST_PUT);
}

#define SET(option, value) (ok = ok && curl_easy_setopt(t->easy, (option), (value)) == CURLE_OK)

/* Whom we speak to, and how sure we must be. */
static int set_connection(Transfer *t, const Url *home) {
        const Endpoint *e = transfer_endpoint(t);
        /* who skips the check skips it for the registry's host; its own authorities may vouch for what it sends us on to */
        bool own = str_equal(home->host, t->url.host), ok = true;

        SET(CURLOPT_URL, t->url.text);
        SET(CURLOPT_PROTOCOLS_STR, t->url.https ? "https" : "http");
        SET(CURLOPT_REDIR_PROTOCOLS_STR, "https");
        SET(CURLOPT_FOLLOWLOCATION, 0L);
        SET(CURLOPT_HTTP_VERSION, (long) CURL_HTTP_VERSION_1_1);
        SET(CURLOPT_NOSIGNAL, 1L);
        SET(CURLOPT_CONNECTTIMEOUT, (long) CONNECT_SECONDS);
        SET(CURLOPT_LOW_SPEED_LIMIT, (long) STALL_BYTES_PER_SECOND);
        SET(CURLOPT_LOW_SPEED_TIME, (long) (sends_body(t) ? UPLOAD_STALL_SECONDS : STALL_SECONDS));
        SET(CURLOPT_BUFFERSIZE, (long) TRANSFER_RECEIVE);
        SET(CURLOPT_USERAGENT, "sdpod/" SDPOD_VERSION);
        SET(CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
        SET(CURLOPT_SSL_VERIFYPEER, own && e->insecure ? 0L : 1L);
        SET(CURLOPT_SSL_VERIFYHOST, own && e->insecure ? 0L : 2L);
        /* as OpenSSL and Go have it */
        const char *file = getenv("SSL_CERT_FILE"), *dir = getenv("SSL_CERT_DIR");
        if (!str_empty(file))
                SET(CURLOPT_CAINFO, file);
        if (!str_empty(dir))
                SET(CURLOPT_CAPATH, dir);
        if (e->ca) {
                struct curl_blob ca = blob(e->ca);
                SET(CURLOPT_CAINFO_BLOB, &ca);
        }
        if (t->trusted && e->certificate && e->key) {
                struct curl_blob certificate = blob(e->certificate), key = blob(e->key);
                SET(CURLOPT_SSLCERT_BLOB, &certificate);
                SET(CURLOPT_SSLKEY_BLOB, &key);
        }
        return ok ? 0 : -ENOMEM;
}

static int set_callbacks(Transfer *t) {
        bool ok = true;

        SET(CURLOPT_PRIVATE, t);
        SET(CURLOPT_ERRORBUFFER, t->curl_text);
        SET(CURLOPT_HEADERFUNCTION, body_header);
        SET(CURLOPT_HEADERDATA, t);
        SET(CURLOPT_WRITEFUNCTION, body_write);
        SET(CURLOPT_WRITEDATA, t);
        SET(CURLOPT_READFUNCTION, body_read);
        SET(CURLOPT_READDATA, t);
        SET(CURLOPT_SEEKFUNCTION, body_seek);
        SET(CURLOPT_SEEKDATA, t);
        return ok ? 0 : -ENOMEM;
}

/* A body that is sent: the descriptor's, from its beginning. */
static int set_upload(Transfer *t, const char *method, const char *media_type) {
        bool ok = true;

        if (body_hash_begin(t) < 0)
                return -ENOMEM;
        SET(CURLOPT_UPLOAD, 1L);
        SET(CURLOPT_CUSTOMREQUEST, method);
        SET(CURLOPT_INFILESIZE_LARGE, t->total == FETCH_SIZE_UNKNOWN ? (curl_off_t) -1 : (curl_off_t) t->total);
        if (!ok || add_value(t, "Content-Type", media_type) < 0)
                return -ENOMEM;
        return transfer_add_line(t, "Expect:");
}

static int set_empty(Transfer *t, const char *method) {
        bool ok = true;

        SET(CURLOPT_POST, 1L);
        SET(CURLOPT_POSTFIELDS, "");
        SET(CURLOPT_POSTFIELDSIZE, 0L);
        SET(CURLOPT_CUSTOMREQUEST, method);
        return ok ? 0 : -ENOMEM;
}

static int set_method(Transfer *t) {
        char range[40];
        bool ok = true;

        if (t->phase == PHASE_UPLOAD)
                return set_upload(t, *t->request.target ? "PUT" : "PATCH", "application/octet-stream");
        if (t->phase == PHASE_NAME)
                return set_empty(t, "PUT");
        switch (t->request.type) {
        case FETCH_MANIFEST_HEAD:
        case FETCH_BLOB_HEAD:
                SET(CURLOPT_NOBODY, 1L);
                break;
        case FETCH_MANIFEST_PUT:
                return set_upload(t, "PUT", t->request.media_type);
        case FETCH_BLOB_MOUNT:
        case FETCH_BLOB_PUSH:
                return set_empty(t, "POST");
        default:
                SET(CURLOPT_HTTPGET, 1L);
                if (t->written > 0) {
                        (void) snprintf(range, sizeof(range), "%llu-", (unsigned long long) t->written);
                        SET(CURLOPT_RANGE, range);
                }
                break;
        }
        for (size_t i = 0; ok && i < ELEMENTSOF(accept_lines); i++)
                if (t->request.type == FETCH_MANIFEST_GET || t->request.type == FETCH_MANIFEST_HEAD)
                        ok = transfer_add_line(t, accept_lines[i]) >= 0;
        return ok ? 0 : -ENOMEM;
}

int transfer_setup(Transfer *t, Error *reterr) {
        _cleanup_url_ Url home = {};
        bool ok = true;

        int r = make_home(t, "/", &home);
        if (r >= 0 && t->phase != PHASE_TOKEN)
                r = make_url(t);
        if (r >= 0 && t->phase != PHASE_TOKEN) {
                t->trusted = url_same_origin(&home, &t->url);
                t->sent_credentials = false;
                r = auth_prepare(t, reterr);
        }
        if (r == -ENOMEM)
                return error_oom(reterr);
        if (r == -EBADMSG)
                return transfer_error(t, -EINVAL, ERROR_INVALID, reterr, "its address cannot be used");
        if (r < 0)
                return r;
        r = set_callbacks(t);
        if (t->phase == PHASE_TOKEN) {
                int k = auth_setup_token(t, reterr);
                if (k < 0)
                        return k;
                t->trusted = false;
        } else if (r >= 0)
                r = set_method(t);
        if (r >= 0)
                r = set_connection(t, &home);
        SET(CURLOPT_HTTPHEADER, t->headers);
        return r < 0 || !ok ? error_oom(reterr) : 0;
}
