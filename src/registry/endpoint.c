/* SPDX-License-Identifier: Apache-2.0 */
/* From a reference to servers. */
#include "registry/endpoint.h"

#include <string.h>

#include "base/str.h"
#include "registry/auth.h"
#include "registry/certs.h"

#define DOCKER_API_HOST "registry-1.docker.io"

static void free_secret(char *s) {
        if (s)
                explicit_bzero(s, strlen(s));
        free(s);
}

void credentials_done(Credentials *credentials) {
        free(credentials->username);
        free_secret(credentials->password);
        free_secret(credentials->identity_token);
        *credentials = (Credentials){};
}

void endpoints_done(Endpoints *endpoints) {
        for (size_t i = 0; i < endpoints->n; i++) {
                Endpoint *e = endpoints->items + i;

                free(e->name);
                free(e->host);
                free(e->repository);
                credentials_done(&e->credentials);
                free(e->ca);
                free(e->certificate);
                free_secret(e->key);
        }
        free(endpoints->items);
        *endpoints = (Endpoints){};
}

static int split_creds(const char *creds, Credentials *ret) {
        const char *colon = strchr(creds, ':');

        ret->username = colon ? strndup(creds, (size_t) (colon - creds)) : strdup(creds);
        ret->password = strdup(colon ? colon + 1 : "");
        return ret->username && ret->password ? 0 : -ENOMEM;
}

static int find_secrets(const RegistryOptions *options, Endpoint *e, Error *reterr) {
        _cleanup_free_ char *name = str_format("%s%s%s", e->name, *e->repository ? "/" : "", e->repository);
        Certificates certificates = {};
        int r = 0;

        if (!name || (options->creds && split_creds(options->creds, &e->credentials) < 0))
                return error_oom(reterr);
        if (!options->creds && !options->anonymous)
                r = auth_find(options->authfile, name, &e->credentials, reterr);
        if (r >= 0)
                r = certificates_find(options->cert_dir, e->name, &certificates, reterr);
        if (r < 0)
                return r;
        e->ca = certificates.ca;
        e->certificate = certificates.certificate;
        e->key = certificates.key;
        return 0;
}

int endpoints_find(const RegistryOptions *options, const Reference *reference, Endpoints *ret, Error *reterr) {
        _cleanup_endpoints_ Endpoints endpoints = {};
        Endpoint *e;

        if (!reference->domain)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use image name '%s': it names no registry", reference->path);
        endpoints.items = calloc(1, sizeof(*endpoints.items));
        if (!endpoints.items)
                return error_oom(reterr);
        e = endpoints.items;
        endpoints.n = 1;
        e->name = strdup(reference->domain);
        e->host = strdup(str_equal(reference->domain, DOCKER_DOMAIN) ? DOCKER_API_HOST : reference->domain);
        e->repository = strdup(reference->path);
        e->insecure = options->tls == REGISTRY_TLS_INSECURE;
        if (!e->name || !e->host || !e->repository)
                return error_oom(reterr);
        int r = find_secrets(options, e, reterr);
        if (r < 0)
                return r;
        *ret = endpoints;
        endpoints = (Endpoints){};
        return 0;
}
