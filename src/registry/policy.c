/* SPDX-License-Identifier: Apache-2.0 */
/* The policy is read strictly, as its format asks for: what is not understood refuses everything. */
#include "registry/policy.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "registry/config-file.h"

typedef struct Policy {
        const char *path, *name;
        Error *reterr;
} Policy;

static int bad(const Policy *p, const char *where, const char *reason) {
        return error_set(p->reterr, -EBADMSG, ERROR_INVALID, "cannot use the policy '%s': %s: %s", p->path, where, reason);
}

static int check_keys(const Policy *p, const json_t *object, const char *where, const char *const *known, size_t n) {
        const char *key;
        json_t *value;

        if (!json_is_object(object))
                return bad(p, where, "it is not an object");
        json_object_foreach((json_t *) object, key, value) {
                size_t i;

                for (i = 0; i < n && !str_equal(known[i], key); i++)
                        ;
                if (i == n)
                        return bad(p, where, "it has a key that is not known");
        }
        return 0;
}

/* The form of one list of requirements. */
static int check_requirements(const Policy *p, const json_t *list, const char *where) {
        static const char *const known[] = { "type", "keyType", "keyPath", "keyPaths", "keyData", "signedIdentity", "fulcio", "rekorPublicKeyPath",
                                             "rekorPublicKeyData" };
        static const char *const types[] = { "insecureAcceptAnything", "reject", "signedBy", "sigstoreSigned", "signedBaseLayer" };
        const json_t *item;
        size_t i, k;

        if (!json_is_array(list) || json_array_size(list) == 0)
                return bad(p, where, "it is not a list of requirements, or an empty one");
        json_array_foreach(list, i, item) {
                const char *type = json_get_string(item, "type");
                int r = check_keys(p, item, where, known, ELEMENTSOF(known));

                if (r < 0)
                        return r;
                for (k = 0; k < ELEMENTSOF(types) && !str_equal(types[k], type); k++)
                        ;
                if (k == ELEMENTSOF(types))
                        return bad(p, where, "a requirement has a type that is not known");
                if (k < 2 && json_object_size(item) != 1)
                        return bad(p, where, "this type has no other keys");
        }
        return 0;
}

/* The form of the whole, also of what this image has nothing to do with. */
static int check_form(const Policy *p, const json_t *json) {
        static const char *const known[] = { "default", "transports" };
        const char *transport, *scope;
        json_t *scopes, *list;

        int r = check_keys(p, json, "the document", known, ELEMENTSOF(known));
        if (r >= 0)
                r = check_requirements(p, json_object_get(json, "default"), "default");
        if (r < 0 || !json_object_get(json, "transports"))
                return r;
        if (!json_is_object(json_object_get(json, "transports")))
                return bad(p, "transports", "it is not an object");
        json_object_foreach(json_object_get(json, "transports"), transport, scopes) {
                if (!json_is_object(scopes))
                        return bad(p, transport, "it is not an object");
                json_object_foreach(scopes, scope, list) {
                        r = check_requirements(p, list, *scope ? scope : transport);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

/* Image name, repository, every path above it, the host, "*.domain" of every domain above that. */
static const json_t *find_docker(const json_t *scopes, char *name, const char **ret_scope) {
        const json_t *found;
        char *slash, *cut;

        /* "host/a/b:tag@digest", then without digest, tag, and one component after the other */
        while (!(found = json_object_get(scopes, name)) && (slash = strrchr(name, '/'))) {
                cut = strchr(name, '@') ?: strrchr(slash, ':');
                *(cut ?: slash) = 0;
        }
        if (!found)
                name[strcspn(name, ":")] = 0;
        for (const char *dot = found ? NULL : strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
                _cleanup_free_ char *wildcard = str_format("*%s", dot);

                found = wildcard ? json_object_get(scopes, wildcard) : NULL;
                if (found) {
                        *ret_scope = "*.";
                        return found;
                }
        }
        *ret_scope = name;
        return found;
}

/* "/path:tag", "/path", and every directory above. */
static const json_t *find_path(const json_t *scopes, char *name, const char **ret_scope) {
        const json_t *found = json_object_get(scopes, name);
        char *colon = strrchr(name, ':'), *slash;

        if (!found && colon && !strchr(colon, '/')) {
                *colon = 0;
                found = json_object_get(scopes, name);
        }
        while (!found && (slash = strrchr(name, '/')) && slash > name) {
                *slash = 0;
                found = json_object_get(scopes, name);
        }
        *ret_scope = name;
        return found;
}

static int decide(const Policy *p, const json_t *list, const char *scope) {
        const json_t *item;
        size_t i;

        json_array_foreach(list, i, item) {
                const char *type = json_get_string(item, "type");

                if (str_equal(type, "reject"))
                        return error_set(p->reterr, -EACCES, ERROR_DENIED, "cannot use '%s': the policy '%s' rejects it (%s)", p->name, p->path, scope);
                if (!str_equal(type, "insecureAcceptAnything"))
                        return error_set(p->reterr, -EACCES, ERROR_DENIED,
                                         "cannot use '%s': the policy '%s' wants a signature (%s, %s), and checking one is not there yet", p->name, p->path,
                                         scope, type);
        }
        return 0;
}

int policy_check_text(const char *text, size_t size, const char *path, const char *transport, const char *name, Error *reterr) {
        const Policy p = { .path = path, .name = name, .reterr = reterr };
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *copy = strdup(name);
        const char *scope = "default";
        const json_t *scopes, *list = NULL;

        if (!copy)
                return error_oom(reterr);
        int r = json_parse(text, size, path, &json, reterr);
        if (r >= 0)
                r = check_form(&p, json);
        if (r < 0)
                return r;
        scopes = json_object_get(json_object_get(json, "transports"), transport);
        if (scopes && str_equal(transport, "docker"))
                list = find_docker(scopes, copy, &scope);
        else if (scopes && (str_equal(transport, "oci") || str_equal(transport, "dir")))
                list = find_path(scopes, copy, &scope);
        if (!list && (list = json_object_get(scopes, "")))
                scope = transport;
        if (!list) {
                list = json_object_get(json, "default");
                scope = "default";
        }
        return decide(&p, list, scope);
}

int policy_check(const char *transport, const char *name, Error *reterr) {
        _cleanup_free_ char *own = config_home_path("containers/policy.json"), *text = NULL;
        const char *path = own ?: "";

        int r = own ? config_file_read(own, &text, reterr) : -ENOENT;
        if (r == -ENOENT) {
                path = "/etc/containers/policy.json";
                r = config_file_read(path, &text, reterr);
        }
        if (r == -ENOENT)
                return 0;
        return r < 0 ? r : policy_check_text(text, strlen(text), path, transport, name, reterr);
}

int registry_policy_check(const char *full_name, Error *reterr) {
        return policy_check("docker", full_name, reterr);
}
