/* SPDX-License-Identifier: Apache-2.0 */
/* "TRANSPORT:DETAILS", where an image is or goes (containers-transports(5)). */
#pragma once

#include "base/error.h"

typedef enum TransportKind {
        TRANSPORT_DOCKER,          /* docker://REFERENCE, a registry */
        TRANSPORT_STORAGE,         /* containers-storage:REFERENCE, our own store */
        TRANSPORT_OCI,             /* oci:DIRECTORY[:REFERENCE] */
        TRANSPORT_OCI_ARCHIVE,     /* oci-archive:FILE[:REFERENCE] */
        TRANSPORT_DOCKER_ARCHIVE,  /* docker-archive:FILE[:REFERENCE | :@INDEX] */
        TRANSPORT_DIRECTORY,       /* dir:DIRECTORY */
} TransportKind;

typedef struct Transport {
        TransportKind kind;
        char *path;          /* NULL with TRANSPORT_DOCKER and TRANSPORT_STORAGE */
        char *reference;     /* what stands behind the path; NULL: nothing. With those two: all of it */
} Transport;

/* Takes the words apart. A word without a transport is TRANSPORT_DOCKER. Transports that there are and that we do not have
 * (docker-daemon, ostree, sif, tarball) are refused by name. */
int transport_parse(const char *text, Transport *ret, Error *reterr);
void transport_done(Transport *transport);
#define _cleanup_transport_ _cleanup_(transport_done)

/* Whether `text` begins with a transport of ours or of others'. */
bool transport_is_given(const char *text) _pure_;
