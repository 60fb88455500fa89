/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of headers and bodies as libcurl hands them over, counted against every limit before they go anywhere. */
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"
#include "registry/transfer.h"

enum { ERROR_TEXT_KEPT = 64 * 1024 };

void response_done(Response *response) {
        free(response->location);
        free(response->content_range);
        free(response->retry_after);
        free(response->media_type);
        free(response->link);
        challenges_done(&response->challenges);
        *response = (Response){ .content_length = FETCH_SIZE_UNKNOWN };
}

static int set_header(Response *response, const char *name, const char *value) {
        const struct {
                const char *name;
                char **to;
        } rows[] = {
                { "location", &response->location },       { "content-range", &response->content_range },
                { "retry-after", &response->retry_after }, { "content-type", &response->media_type },
                { "link", &response->link },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (strcasecmp(name, rows[i].name) == 0)
                        return str_replace(rows[i].to, value);
        if (strcasecmp(name, "www-authenticate") == 0) {
                int r = challenges_parse(value, &response->challenges);
                response->bad_challenge = response->bad_challenge || r == -EBADMSG;
                return r == -ENOMEM ? r : 0;
        }
        if (strcasecmp(name, "docker-content-digest") == 0 && digest_is_valid(value))
                (void) stpcpy(response->digest, value);
        /* libcurl has checked that two of them do not differ */
        if (strcasecmp(name, "content-length") == 0 && parse_u64(value, &response->content_length) < 0)
                response->content_length = FETCH_SIZE_UNKNOWN;
        return 0;
}

size_t body_header(char *data, size_t size, size_t n, void *userdata) {
        _cleanup_free_ char *line = NULL;
        Transfer *t = userdata;
        size_t bytes = size * n, total = t->response.header_bytes + bytes;
        char *value;

        if (total > FETCH_HEADERS_LIMIT) {
                (void) transfer_error(t, -EMSGSIZE, ERROR_CORRUPT, &t->error, "its answer has more than %d KiB of headers",
                                      FETCH_HEADERS_LIMIT / 1024);
                return 0;
        }
        line = strndup(data, bytes); /* ends at a NUL byte, should there be one */
        if (!line) {
                (void) error_oom(&t->error);
                return 0;
        }
        if (str_after(line, "HTTP/")) {
                response_done(&t->response);
                t->body_began = false;
        }
        t->response.header_bytes = total; /* of all answers of this exchange: 1xx count too */
        value = strchr(line, ':');
        if (!value)
                return bytes;
        *value++ = 0;
        value += strspn(value, " \t");
        value[strcspn(value, "\r\n")] = 0;
        for (size_t i = strlen(value); i > 0 && strchr(" \t", value[i - 1]); i--)
                value[i - 1] = 0;
        if (set_header(&t->response, line, value) < 0) {
                (void) error_oom(&t->error);
                return 0;
        }
        return bytes;
}

/* Appends to the text of an answer that is read here; what is too much of it is not an error where only the status counts. */
static size_t keep_text(Transfer *t, const char *data, size_t n) {
        size_t limit = t->phase == PHASE_TOKEN ? (size_t) FETCH_ERROR_BODY_LIMIT : (size_t) ERROR_TEXT_KEPT;
        char *text;

        if (t->n_text + n > limit) {
                t->cut = true;
                return CURL_WRITEFUNC_ERROR;
        }
        text = realloc(t->text, t->n_text + n + 1);
        if (!text) {
                (void) error_oom(&t->error);
                return CURL_WRITEFUNC_ERROR;
        }
        memcpy(text + t->n_text, data, n);
        t->text = text;
        t->n_text += n;
        text[t->n_text] = 0;
        return n;
}

/* The first bytes of a wanted body: where do they belong? */
static int begin_body(Transfer *t, long status) {
        uint64_t first, last, total;

        t->body_began = true;
        t->skip = 0;
        if (status != 206) {
                t->skip = t->written; /* the server does not know Range, or nothing was asked for */
                if (t->total == FETCH_SIZE_UNKNOWN)
                        t->total = t->response.content_length;
                return 0;
        }
        if (t->written == 0)
                return transfer_error(t, -EBADMSG, ERROR_CORRUPT, &t->error, "the server sends a part of it, and was not asked to");
        if (!t->response.content_range || content_range_parse(t->response.content_range, &first, &last, &total) < 0 ||
            first != t->written || (total != FETCH_SIZE_UNKNOWN && t->total != FETCH_SIZE_UNKNOWN && total != t->total))
                return transfer_error(t, -EBADMSG, ERROR_CORRUPT, &t->error, "asked to go on at byte %llu, the server answers with '%.80s'",
                                      (unsigned long long) t->written, t->response.content_range ?: "no Content-Range");
        return 0;
}

static int check_size(Transfer *t, size_t n) {
        uint64_t most = MIN(t->request.limit, t->request.size);

        if (n <= most && t->written <= most - n)
                return 0;
        if (t->request.size != FETCH_SIZE_UNKNOWN && t->request.size <= t->request.limit)
                return transfer_error(t, -EBADMSG, ERROR_CORRUPT, &t->error, "the server sends more than the %llu bytes that it should have",
                                      (unsigned long long) most);
        return transfer_error(t, -EFBIG, ERROR_CORRUPT, &t->error, "it exceeds the limit of %llu bytes", (unsigned long long) most);
}

static void set_write_error(Transfer *t, int r) {
        if (r == -EPIPE)
                (void) transfer_error(t, r, ERROR_INTERNAL, &t->error, "its reader has ended");
        else
                (void) transfer_error(t, r, error_kind_from_errno(r), &t->error, "%s", strerror(-r));
}

/* Writes what goes without waiting. Returns the number of bytes, or -errno. */
static ssize_t write_some(int fd, const char *data, size_t n) {
        size_t done = 0;

        while (done < n) {
                ssize_t k = RETRY_EINTR(write(fd, data + done, n - done));
                if (k < 0)
                        return errno == EAGAIN ? (ssize_t) done : -errno;
                done += (size_t) k;
        }
        return (ssize_t) done;
}

/* Keeps what the pipe did not take. libcurl hands over what it has received in many small pieces, and would copy the rest of them at
 * each of our pauses: so it is let finish, but receives no more meanwhile. (A pause of one direction would wake it at once.) */
static void keep_piece(Transfer *t, const char *data, size_t n) {
        if (n == 0)
                return;
        memcpy(t->piece + t->piece_at + t->n_piece, data, n);
        t->n_piece += n;
        t->waiting = POLLOUT;
        if (!t->paused)
                t->paused = curl_easy_pause(t->easy, CURLPAUSE_ALL) == CURLE_OK;
}

size_t body_write(char *data, size_t size, size_t n, void *userdata) {
        Transfer *t = userdata;
        size_t all = size * n, bytes = all, skipped;
        long status = 0;
        ssize_t k;

        (void) curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
        if ((status != 200 && status != 206) || !transfer_wants_body(t))
                return keep_text(t, data, all);
        if (all > sizeof(t->piece) - t->piece_at - t->n_piece) {
                t->paused = true;
                return CURL_WRITEFUNC_PAUSE;
        }
        if (!t->body_began && begin_body(t, status) < 0)
                return CURL_WRITEFUNC_ERROR;
        skipped = (size_t) MIN((uint64_t) bytes, t->skip);
        t->skip -= skipped;
        data += skipped;
        bytes -= skipped;
        if (bytes == 0)
                return all;
        if (check_size(t, bytes) < 0)
                return CURL_WRITEFUNC_ERROR;
        k = t->n_piece > 0 ? 0 : write_some(t->fd, data, bytes);
        if (k < 0) {
                set_write_error(t, (int) k);
                return CURL_WRITEFUNC_ERROR;
        }
        t->written += bytes;
        keep_piece(t, data + k, bytes - (size_t) k);
        fetcher_progress(t);
        return all;
}

int body_hash_begin(Transfer *t) {
        t->written = t->attempt_from = 0;
        if (*t->request.target)
                return 0;
        if (!t->hash)
                t->hash = EVP_MD_CTX_new();
        return t->hash && EVP_DigestInit_ex(t->hash, EVP_sha256(), NULL) == 1 ? 0 : -ENOMEM;
}

int body_hash_end(Transfer *t) {
        unsigned char md[EVP_MAX_MD_SIZE];
        unsigned n = 0;
        char *p = stpcpy(t->digest, "sha256:");

        if (EVP_DigestFinal_ex(t->hash, md, &n) != 1 || n != DIGEST_HEX_LENGTH / 2)
                return -ENOMEM;
        for (unsigned i = 0; i < n; i++, p += 2)
                (void) snprintf(p, 3, "%02x", md[i]);
        return 0;
}

size_t body_read(char *data, size_t size, size_t n, void *userdata) {
        Transfer *t = userdata;
        ssize_t k;

        n *= size;
        if (t->total != FETCH_SIZE_UNKNOWN)
                n = (size_t) MIN((uint64_t) n, t->total - t->written);
        if (n == 0)
                return 0;
        if (t->pipe)
                k = RETRY_EINTR(read(t->fd, data, n));
        else
                k = RETRY_EINTR(pread(t->fd, data, n, (off_t) (t->origin + t->written)));
        if (k < 0 && errno == EAGAIN) {
                t->waiting = POLLIN;
                t->paused = true;
                return CURL_READFUNC_PAUSE;
        }
        if (k < 0 || (k == 0 && t->total != FETCH_SIZE_UNKNOWN)) {
                int r = k < 0 ? -errno : -EPIPE;
                (void) transfer_error(t, r, ERROR_INTERNAL, &t->error, "%s", k < 0 ? strerror(-r) : "there are fewer bytes than announced");
                return CURL_READFUNC_ABORT;
        }
        if (t->hash)
                (void) EVP_DigestUpdate(t->hash, data, (size_t) k);
        t->written += (size_t) k;
        fetcher_progress(t);
        return (size_t) k;
}

int body_seek(void *userdata, curl_off_t offset, int origin) {
        Transfer *t = userdata;

        if (origin != SEEK_SET || offset < 0)
                return CURL_SEEKFUNC_FAIL;
        if ((uint64_t) offset == t->written)
                return CURL_SEEKFUNC_OK;
        if (t->pipe || offset != 0 || body_hash_begin(t) < 0)
                return CURL_SEEKFUNC_FAIL;
        return CURL_SEEKFUNC_OK;
}

void body_ready(Transfer *t) {
        t->waiting = 0;
        if (t->n_piece > 0) {
                ssize_t k = write_some(t->fd, t->piece + t->piece_at, t->n_piece);
                if (k < 0) {
                        set_write_error(t, (int) k);
                        t->n_piece = t->piece_at = 0;
                        transfer_exchange_done(t, CURLE_WRITE_ERROR);
                        return;
                }
                t->piece_at += (size_t) k;
                t->n_piece -= (size_t) k;
                if (t->n_piece > 0) {
                        t->waiting = POLLOUT;
                        return;
                }
                t->piece_at = 0;
        }
        if (t->over) {
                transfer_exchange_done(t, t->result);
                return;
        }
        if (t->paused && t->running) {
                t->paused = false;
                /* may call body_write() or body_read() at once; faults come as the end of the exchange */
                (void) curl_easy_pause(t->easy, CURLPAUSE_CONT);
        }
}
