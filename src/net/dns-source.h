/* SPDX-License-Identifier: Apache-2.0 */
/* The host's resolver for a process that cannot see the host's files.
 *
 * Theory of operation: libslirp looks for the host's DNS server in /etc/resolv.conf, at most once a second, so that a
 * laptop that changes networks keeps resolving. In the sandbox that file is a copy. The directory of the real one is held
 * by descriptor (of the real one: /etc/resolv.conf is a symlink on most machines, and its target is replaced by rename),
 * and before a DNS query goes to libslirp the copy is refreshed if the file changed. The seccomp filter lets this one name
 * be opened in that directory and nothing else: the name lies in a page that is read-only from then on. */
#pragma once

#include <stdint.h>
#include <sys/stat.h>

#include "net/net-config.h"

typedef struct DnsSource {
        int dir_fd;         /* O_PATH; -EBADF where the config names the servers */
        const char *name;   /* in the sealed page; NULL before dns_source_seal() */
        int copy_fd;        /* the copy in the sandbox, opened for writing; owned */
        char *text;         /* what the copy begins with; freed by dns_source_seal() */
        char *file;         /* the file's name; freed by dns_source_seal() */
        struct stat seen;   /* the file as it was copied */
        int64_t checked_msec;
} DnsSource;

#define DNS_SOURCE_NULL ((DnsSource){ .dir_fd = -EBADF, .copy_fd = -EBADF })

/* Finds the resolver's file, or takes the config's servers. Without a file there is no DNS, which is not an error. */
int dns_source_open(const NetConfig *config, DnsSource *ret, Error *reterr);

/* In the sandbox: takes the copy's descriptor over, fills it, and moves the name into memory that is read-only then. */
int dns_source_seal(DnsSource *source, int copy_fd);

/* Refreshes the copy if a second has passed and the file changed. */
void dns_source_refresh(DnsSource *source, int64_t now_msec);

void dns_source_done(DnsSource *source);
#define _cleanup_dns_source_ _cleanup_(dns_source_done)
