/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses by curl_url(3). */
#include "registry/url.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "registry/curl-library.h"

enum { URL_LENGTH_LIMIT = 16384 }; /* storage services sign addresses of some kilobytes */

void url_done(Url *url) {
        free(url->text);
        free(url->host);
        *url = (Url){};
}

static void free_handle(CURLU **handle) {
        curl_url_cleanup(*handle);
}

static void free_text(char **text) {
        curl_free(*text);
}

static int take_apart(CURLU *handle, Url *ret) {
        _cleanup_(free_text) char *text = NULL, *scheme = NULL, *host = NULL, *port = NULL, *user = NULL, *password = NULL;
        _cleanup_url_ Url url = {};

        if (curl_url_get(handle, CURLUPART_USER, &user, 0) == CURLUE_OK ||
            curl_url_get(handle, CURLUPART_PASSWORD, &password, 0) == CURLUE_OK)
                return -EBADMSG;
        if (curl_url_set(handle, CURLUPART_FRAGMENT, NULL, 0) != CURLUE_OK ||
            curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
            curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
            curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
            curl_url_get(handle, CURLUPART_URL, &text, 0) != CURLUE_OK)
                return -EBADMSG;
        url.https = str_equal(scheme, "https");
        if ((!url.https && !str_equal(scheme, "http")) || !*host)
                return -EBADMSG;
        url.port = (unsigned) strtoul(port, NULL, 10);
        url.text = strdup(text);
        url.host = strdup(host);
        if (!url.text || !url.host)
                return -ENOMEM;
        for (char *p = url.host; *p; p++)
                *p = (char) tolower((unsigned char) *p);
        *ret = url;
        url = (Url){};
        return 0;
}

int url_parse(const char *text, const Url *base, Url *ret) {
        _cleanup_(free_handle) CURLU *handle = curl_url();

        if (!handle)
                return -ENOMEM;
        if (strlen(text) > URL_LENGTH_LIMIT)
                return -EBADMSG;
        if (base && curl_url_set(handle, CURLUPART_URL, base->text, 0) != CURLUE_OK)
                return -EBADMSG;
        if (curl_url_set(handle, CURLUPART_URL, text, 0) != CURLUE_OK)
                return -EBADMSG;
        return take_apart(handle, ret);
}

int url_copy(const Url *from, Url *ret) {
        _cleanup_url_ Url url = { .https = from->https, .port = from->port };

        url.text = strdup(from->text);
        url.host = strdup(from->host);
        if (!url.text || !url.host)
                return -ENOMEM;
        *ret = url;
        url = (Url){};
        return 0;
}

bool url_same_origin(const Url *a, const Url *b) {
        return a->https == b->https && a->port == b->port && str_equal(a->host, b->host);
}

int url_add_query(Url *url, const char *name, const char *value) {
        _cleanup_(free_handle) CURLU *handle = curl_url();
        _cleanup_free_ char *pair = str_format("%s=%s", name, value);
        Url changed;

        if (!handle || !pair)
                return -ENOMEM;
        if (curl_url_set(handle, CURLUPART_URL, url->text, 0) != CURLUE_OK ||
            curl_url_set(handle, CURLUPART_QUERY, pair, CURLU_APPENDQUERY | CURLU_URLENCODE) != CURLUE_OK)
                return -EBADMSG;
        int r = take_apart(handle, &changed);
        if (r < 0)
                return r;
        url_done(url);
        *url = changed;
        return 0;
}

/* The last `n` labels of a host name; NULL if it has fewer. */
static const char *last_labels(const char *host, unsigned n) {
        const char *p = host + strlen(host);

        while (n > 0 && p > host)
                if (*--p == '.')
                        n--;
        if (n == 0)
                return p + 1;
        return n == 1 ? host : NULL;
}

bool url_related_hosts(const char *a, const char *b) {
        const char *domain = last_labels(a, 2), *top = last_labels(a, 1);
        size_t second;

        if (str_equal(a, b))
                return true;
        /* an address in numbers has no domain */
        if (!domain || !top || strchr(a, ':') || strchr(b, ':') || isdigit((unsigned char) *top) || a[strlen(a) - 1] == '.')
                return false;
        second = (size_t) (top - domain) - 1;
        if (strlen(top) == 2 && second <= 3)
                domain = last_labels(a, 3);
        if (!domain)
                return false;
        size_t n = strlen(b), m = strlen(domain);
        return n >= m && str_equal(b + n - m, domain) && (n == m || b[n - m - 1] == '.');
}
