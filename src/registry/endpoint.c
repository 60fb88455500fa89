/* SPDX-License-Identifier: Apache-2.0 */
/* From a reference to servers. */
#include "registry/endpoint.h"

#include <string.h>

#include "base/str.h"
#include "registry/auth.h"
#include "registry/certs.h"
#include "registry/conf.h"

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

static int find_secrets(const RegistryOptions *options, char *const *helpers, Endpoint *e, Error *reterr) {
        _cleanup_free_ char *name = str_format("%s%s%s", e->name, *e->repository ? "/" : "", e->repository);
        Certificates certificates = {};
        int r = 0;

        if (!name || (options->creds && split_creds(options->creds, &e->credentials) < 0))
                return error_oom(reterr);
        if (!options->creds && !options->anonymous)
                r = auth_find(options->authfile, helpers, name, &e->credentials, reterr);
        if (r >= 0)
                r = certificates_find(options->cert_dir, e->name, &certificates, reterr);
        if (r < 0)
                return r;
        e->ca = certificates.ca;
        e->certificate = certificates.certificate;
        e->key = certificates.key;
        return 0;
}

/* A server and what lies below it, from "host[:port][/path[:tag][@digest]]". */
static int add_endpoint(const RegistryOptions *options, char *const *helpers, const char *name, bool insecure, Endpoints *endpoints, Error *reterr) {
        _cleanup_free_ char *of_host = strchr(name, '/') ? NULL : str_format("%s/any", name);
        _cleanup_reference_ Reference reference = {};
        Endpoint *items, *e;

        int r = reference_parse(of_host ?: name, &reference, reterr);
        if (r >= 0 && !reference.domain)
                r = error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use registry '%s': a host is needed, with a dot, a port, or localhost", name);
        if (r >= 0 && of_host)
                r = str_replace(&reference.path, "") < 0 ? error_oom(reterr) : 0;
        if (r < 0)
                return r;
        items = reallocarray(endpoints->items, endpoints->n + 1, sizeof(*items));
        if (!items)
                return error_oom(reterr);
        endpoints->items = items;
        e = items + endpoints->n++;
        *e = (Endpoint){ .insecure = insecure };
        e->host = strdup(str_equal(reference.domain, DOCKER_DOMAIN) ? DOCKER_API_HOST : reference.domain);
        e->name = TAKE_PTR(reference.domain);
        e->repository = TAKE_PTR(reference.path);
        return e->host ? find_secrets(options, helpers, e, reterr) : error_oom(reterr);
}

static bool mirror_serves(const Mirror *mirror, const Reference *reference) {
        return mirror->use == MIRROR_ALL || (mirror->use == MIRROR_DIGEST_ONLY) == !!reference->digest;
}

/* The name with its prefix exchanged for a location. Owned. */
static char *relocate(const char *location, const char *name, size_t matched) {
        return str_format("%s%s", location, name + matched);
}

static int add_mirrors(const RegistryOptions *options, char *const *helpers, const Registry *registry, const Reference *reference,
                       const char *name, size_t matched, Endpoints *endpoints, Error *reterr) {
        for (size_t i = 0; i < registry->n_mirrors; i++) {
                const Mirror *mirror = registry->mirrors + i;
                _cleanup_free_ char *there = relocate(mirror->location, name, matched);
                RegistryOptions own = *options;

                if (!there)
                        return error_oom(reterr);
                if (!mirror_serves(mirror, reference))
                        continue;
                own.creds = NULL; /* what was said on the command line is for the registry that was named there */
                int r = add_endpoint(&own, helpers, there, mirror->insecure, endpoints, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

int endpoints_find(const RegistryOptions *options, const Reference *reference, Endpoints *ret, Error *reterr) {
        _cleanup_endpoints_ Endpoints endpoints = {};
        _cleanup_registries_conf_ RegistriesConf conf = {};
        _cleanup_free_ char *repository = NULL, *name = NULL, *there = NULL;
        const Registry *registry;
        size_t matched = 0;
        bool insecure;

        if (!reference->domain)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use image name '%s': it names no registry", reference->path);
        int r = registries_conf_load(&conf, reterr);
        if (r < 0)
                return r;
        repository = str_empty(reference->path) ? strdup(reference->domain) : reference_repository(reference, reference->domain);
        name = repository ? str_format("%s%s%s%s%s", repository, reference->tag ? ":" : "", reference->tag ?: "", reference->digest ? "@" : "",
                                       reference->digest ?: "")
                          : NULL;
        if (!name)
                return error_oom(reterr);
        registry = registries_conf_find(&conf, name, &matched);
        if (registry && registry->blocked)
                return error_set(reterr, -EACCES, ERROR_DENIED, "cannot use registry '%s': it is blocked in '%s'", registry->prefix, conf.path);
        insecure = options->tls == REGISTRY_TLS_CONFIGURED ? registry && registry->insecure : options->tls == REGISTRY_TLS_INSECURE;
        /* mirrors and other locations are for reading alone (containers-registries.conf(5)) */
        if (registry && !options->push)
                r = add_mirrors(options, conf.credential_helpers, registry, reference, name, matched, &endpoints, reterr);
        if (r >= 0) {
                there = registry && registry->location && !options->push ? relocate(registry->location, name, matched) : strdup(name);
                r = there ? add_endpoint(options, conf.credential_helpers, there, insecure, &endpoints, reterr) : error_oom(reterr);
        }
        if (r < 0)
                return r;
        *ret = endpoints;
        endpoints = (Endpoints){};
        return 0;
}
