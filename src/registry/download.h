/* SPDX-License-Identifier: Apache-2.0 */
/* A file from the web, by a process that has the network and nothing else (sandbox.h). */
#pragma once

#include <sys/types.h>

#include "base/error.h"

typedef struct Download {
        pid_t pid;     /* 0: none */
        int socket;    /* its result */
        int data_fd;   /* a pipe with what comes */
} Download;

#define DOWNLOAD_NULL ((Download){ .socket = -EBADF, .data_fd = -EBADF })

/* Whether it is an address that download_start() takes: http:// or https://. */
bool download_is_url(const char *text) _pure_;

/* Starts to fetch it. Redirects are followed, but none from https to http. No credentials are sent but those in the address. */
int download_start(const char *url, Download *ret, Error *reterr);

/* Waits for its end, when all of data_fd was read: whether that was all there is. */
int download_finish(Download *download, Error *reterr);

void download_done(Download *download);
#define _cleanup_download_ _cleanup_(download_done)
