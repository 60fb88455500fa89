/* SPDX-License-Identifier: Apache-2.0 */
/* Image references: [domain/]path[:tag][@digest], by the grammar of the distribution project's reference package. */
#pragma once

#include "base/error.h"

typedef struct Reference {
        char *domain; /* "docker.io", "localhost:5000"; NULL: a short name */
        char *path;   /* "library/busybox" */
        char *tag;    /* NULL: not said */
        char *digest; /* "sha256:..."; NULL: not said */
} Reference;

#define DOCKER_DOMAIN "docker.io"
#define LOCAL_DOMAIN "localhost"

/* Takes a reference apart; nothing is filled in. index.docker.io becomes docker.io, and a single component below it
 * library/NAME. What the grammar refuses is -EINVAL. */
int reference_parse(const char *text, Reference *ret, Error *reterr);
void reference_done(Reference *reference);
#define _cleanup_reference_ _cleanup_(reference_done)

/* "domain/path", or with `domain` for short names; below docker.io a single component gets library/. Owned. */
char *reference_repository(const Reference *reference, const char *domain);

/* "domain/path:tag", the tag "latest" where none is said; a digest is left out. Owned. */
char *reference_full(const Reference *reference, const char *domain);

/* The full name ("localhost/web:latest") that a person's word for an image that is made here stands for: short names go
 * below localhost. A digest is refused. */
int reference_normalise_local(const char *text, char **ret, Error *reterr);
