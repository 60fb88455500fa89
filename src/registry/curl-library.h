/* SPDX-License-Identifier: Apache-2.0 */
/* libcurl, loaded by the process that speaks to a server: it brings thirty libraries, which every other process of sdpod-image
 * would start, fork and answer attackers with. The functions have their own names where this header is included. */
#pragma once

#define CURL_DISABLE_TYPECHECK
#include <curl/curl.h>
#undef curl_easy_setopt /* macros that count their arguments */
#undef curl_easy_getinfo
#undef curl_multi_setopt

#include "base/error.h"

#define CURL_LIBRARY_FUNCTIONS(X)                                                                                          \
        X(easy_cleanup) X(easy_escape) X(easy_getinfo) X(easy_init) X(easy_pause) X(easy_perform) X(easy_reset)            \
        X(easy_setopt) X(easy_strerror) X(free) X(getdate) X(global_init) X(multi_add_handle) X(multi_info_read)           \
        X(multi_init) X(multi_perform) X(multi_poll) X(multi_remove_handle) X(multi_setopt) X(slist_append)                \
        X(slist_free_all) X(url) X(url_cleanup) X(url_get) X(url_set)

typedef struct CurlLibrary {
#define X(name) typeof(&curl_##name) name;
        CURL_LIBRARY_FUNCTIONS(X)
#undef X
} CurlLibrary;

extern CurlLibrary curl_library;

/* Fills it, once in a process, before anything else of libcurl is called and before the sandbox. */
int curl_library_load(Error *reterr);

#define curl_easy_cleanup curl_library.easy_cleanup
#define curl_easy_escape curl_library.easy_escape
#define curl_easy_getinfo curl_library.easy_getinfo
#define curl_easy_init curl_library.easy_init
#define curl_easy_pause curl_library.easy_pause
#define curl_easy_perform curl_library.easy_perform
#define curl_easy_reset curl_library.easy_reset
#define curl_easy_setopt curl_library.easy_setopt
#define curl_easy_strerror curl_library.easy_strerror
#define curl_free curl_library.free
#define curl_getdate curl_library.getdate
#define curl_global_init curl_library.global_init
#define curl_multi_add_handle curl_library.multi_add_handle
#define curl_multi_info_read curl_library.multi_info_read
#define curl_multi_init curl_library.multi_init
#define curl_multi_perform curl_library.multi_perform
#define curl_multi_poll curl_library.multi_poll
#define curl_multi_remove_handle curl_library.multi_remove_handle
#define curl_multi_setopt curl_library.multi_setopt
#define curl_slist_append curl_library.slist_append
#define curl_slist_free_all curl_library.slist_free_all
#define curl_url curl_library.url
#define curl_url_cleanup curl_library.url_cleanup
#define curl_url_get curl_library.url_get
#define curl_url_set curl_library.url_set
