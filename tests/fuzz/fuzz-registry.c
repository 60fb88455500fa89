/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes behind a first one that says as what: what servers say in headers, and what people have in their files. */
#include "fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "registry/auth.h"
#include "registry/conf.h"
#include "registry/curl-library.h"
#include "registry/header.h"
#include "registry/policy.h"
#include "registry/url.h"

static void give_challenge(const char *text) {
        _cleanup_challenges_ Challenges challenges = {};

        (void) challenges_parse(text, &challenges);
        const Challenge *c = challenges_choose(&challenges);
        if (c && c->scheme == AUTH_OTHER)
                __builtin_trap();
}

static void give_range(const char *text) {
        uint64_t first, last, total, seconds;

        if (content_range_parse(text, &first, &last, &total) >= 0 && (first > last || last >= total))
                __builtin_trap();
        (void) retry_after_parse(text, 1000, &seconds);
}

static void give_link(const char *text) {
        _cleanup_free_ char *target = NULL;

        (void) link_next_parse(text, &target);
}

static void give_url(const char *text) {
        _cleanup_url_ Url base = {}, url = {}, again = {};

        if (url_parse("https://registry.example:5000/v2/a/", NULL, &base) < 0 || url_parse(text, &base, &url) < 0)
                return;
        /* what was understood is understood the same way again */
        if (url_parse(url.text, NULL, &again) < 0 || !url_same_origin(&url, &again))
                __builtin_trap();
        (void) url_related_hosts(base.host, url.host);
        (void) url_add_query(&url, "digest", text);
}

static void give_conf(const char *text) {
        _cleanup_registries_conf_ RegistriesConf conf = {};
        _cleanup_error_ Error error = ERROR_NULL;

        int r = registries_conf_parse(text, "fuzz", &conf, &error);
        if ((r < 0) != (error.message != NULL))
                __builtin_trap();
        (void) registries_conf_find(&conf, "registry.example:5000/a/b:c", NULL);
}

static void give_auth(const char *text) {
        Credentials credentials = {};
        _cleanup_free_ char *helper = NULL, *server = NULL;

        (void) auth_parse(text, strlen(text), "fuzz", "docker.io/a/b", &credentials, &helper, &server, NULL);
        credentials_done(&credentials);
}

static void give_policy(const char *text) {
        (void) policy_check_text(text, strlen(text), "fuzz", "docker", "a.b.example/c/d:e", NULL);
        (void) policy_check_text(text, strlen(text), "fuzz", "dir", "/a/b", NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        static void (*const give[])(const char *text) = { give_challenge, give_range, give_link, give_url, give_conf, give_auth, give_policy };
        _cleanup_free_ char *text = NULL;

        if (!curl_url && curl_library_load(NULL) < 0)
                __builtin_trap();
        if (size == 0 || !(text = strndup((const char *) data + 1, size - 1)))
                return 0;
        give[data[0] % ELEMENTSOF(give)](text);
        return 0;
}
