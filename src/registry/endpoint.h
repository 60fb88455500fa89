/* SPDX-License-Identifier: Apache-2.0 */
/* Where a repository is to be had, and how one speaks to that server. */
#pragma once

#include "registry/client.h"

typedef struct Credentials {
        char *username, *password; /* both or none */
        char *identity_token;      /* an OAuth2 refresh token, in place of a password */
} Credentials;

typedef struct Endpoint {
        char *name;        /* host[:port] as people write it, for messages: "docker.io" */
        char *host;        /* where the requests go: "registry-1.docker.io" */
        char *repository;  /* path below it */
        bool insecure;     /* no certificate is checked, and plain http is spoken where the server has no https */
        Credentials credentials;
        char *ca, *certificate, *key; /* PEM, of certs.d; NULL: none */
} Endpoint;

typedef struct Endpoints {
        Endpoint *items;   /* in the order in which they are tried */
        size_t n;
} Endpoints;

/* Overwrites what is secret before it is freed. */
void credentials_done(Credentials *credentials);
void endpoints_done(Endpoints *endpoints);
#define _cleanup_endpoints_ _cleanup_(endpoints_done)

/* What options and configuration make of a reference, which must have a domain. */
int endpoints_find(const RegistryOptions *options, const Reference *reference, Endpoints *ret, Error *reterr);
