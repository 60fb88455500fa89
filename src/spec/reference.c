/* SPDX-License-Identifier: Apache-2.0 */
/* The grammar of references, by hand: it is regular and small, and a regex library is neither. */
#include "spec/reference.h"

#include <ctype.h>

#include "base/str.h"
#include "spec/digest.h"

enum { NAME_MAX_LENGTH = 255, TAG_MAX_LENGTH = 128 };

static bool lower_or_digit(char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* One component of a path: runs of [a-z0-9] joined by '.', '_', '__' or any number of '-'. Returns its length, 0 if
 * there is none. */
static size_t component_length(const char *s) {
        const char *p = s;

        for (;;) {
                const char *q;

                if (!lower_or_digit(*p))
                        return 0;
                while (lower_or_digit(*p))
                        p++;
                q = p;
                if (*q == '.')
                        q++;
                else if (*q == '_')
                        q += q[1] == '_' ? 2 : 1;
                else
                        q += strspn(q, "-");
                if (q == p)
                        return (size_t) (p - s);
                p = q;
        }
}

static bool path_is_valid(const char *path) {
        for (;;) {
                size_t n = component_length(path);

                if (n == 0)
                        return false;
                path += n;
                if (!*path)
                        return true;
                if (*path++ != '/')
                        return false;
        }
}

static bool port_is_valid(const char *port) {
        size_t n = strspn(port, "0123456789");

        return n > 0 && n <= 5 && !port[n] && strtoul(port, NULL, 10) - 1 < 65535;
}

static bool domain_is_valid(const char *domain) {
        const char *p = domain;

        if (*p == '[') {
                size_t n = strspn(p + 1, "0123456789abcdefABCDEF:.");

                if (n < 2 || p[n + 1] != ']')
                        return false;
                p += n + 2;
        } else
                for (;;) {
                        size_t n = 0;

                        while (isalnum((unsigned char) p[n]) || (p[n] == '-' && n > 0))
                                n++;
                        if (n == 0 || p[n - 1] == '-')
                                return false;
                        p += n;
                        if (*p != '.')
                                break;
                        p++;
                }
        return !*p || (*p == ':' && port_is_valid(p + 1));
}

static bool tag_is_valid(const char *tag) {
        size_t n = strlen(tag);

        if (n == 0 || n > TAG_MAX_LENGTH || *tag == '.' || *tag == '-')
                return false;
        for (; *tag; tag++)
                if (!isalnum((unsigned char) *tag) && !strchr("_.-", *tag))
                        return false;
        return true;
}

void reference_done(Reference *reference) {
        free(reference->domain);
        free(reference->path);
        free(reference->tag);
        free(reference->digest);
        *reference = (Reference){};
}

/* The first component is a domain if it could not be a path's: a dot, a colon, a capital, or the word localhost. */
static bool is_domain(const char *component) {
        if (str_equal(component, LOCAL_DOMAIN) || strpbrk(component, ".:["))
                return true;
        for (; *component; component++)
                if (isupper((unsigned char) *component))
                        return true;
        return false;
}

static int split(const char *text, Reference *r) {
        _cleanup_free_ char *copy = strdup(text);
        char *at, *slash, *colon, *name;

        if (!copy)
                return -ENOMEM;
        name = copy;
        at = strchr(name, '@');
        if (at) {
                *at++ = 0;
                if (!(r->digest = strdup(at)))
                        return -ENOMEM;
        }
        slash = strrchr(name, '/');
        colon = strrchr(slash ?: name, ':');
        if (colon) {
                *colon++ = 0;
                if (!(r->tag = strdup(colon)))
                        return -ENOMEM;
        }
        slash = strchr(name, '/');
        if (slash) {
                *slash = 0;
                if (is_domain(name)) {
                        r->domain = strdup(str_equal(name, "index." DOCKER_DOMAIN) ? DOCKER_DOMAIN : name);
                        if (!r->domain)
                                return -ENOMEM;
                        name = slash + 1;
                } else
                        *slash = '/';
        }
        if (str_equal(r->domain, DOCKER_DOMAIN) && !strchr(name, '/'))
                r->path = str_format("library/%s", name);
        else
                r->path = strdup(name);
        return r->path ? 0 : -ENOMEM;
}

int reference_parse(const char *text, Reference *ret, Error *reterr) {
        _cleanup_reference_ Reference r = {};
        _cleanup_free_ char *longest = NULL;
        const char *wrong = NULL;

        /* a short name counts with the host that may be put before it */
        if (split(text, &r) < 0 || !(longest = reference_repository(&r, DOCKER_DOMAIN)))
                return error_oom(reterr);
        if (!*text)
                wrong = "it is empty";
        else if (digest_hex_is_valid(text))
                wrong = "64 hex digits are an image ID";
        else if (r.digest && !digest_is_valid(r.digest))
                wrong = "the part after '@' is not a sha256 digest";
        else if (r.tag && !tag_is_valid(r.tag))
                wrong = "the tag may hold letters, digits, '_', '.' and '-'";
        else if (r.domain && !domain_is_valid(r.domain))
                wrong = "the first part is not a host name";
        else if (strlen(longest) > NAME_MAX_LENGTH)
                wrong = "the name is longer than 255 bytes";
        else if (!path_is_valid(r.path))
                wrong = "a name may hold lower-case letters and digits, joined by '.', '_', '-' and '/'";
        if (wrong)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use image name '%.300s': %s", text, wrong);
        *ret = r;
        r = (Reference){};
        return 0;
}

char *reference_repository(const Reference *reference, const char *domain) {
        const char *d = reference->domain ?: domain;
        bool library = !reference->domain && str_equal(d, DOCKER_DOMAIN) && !strchr(reference->path, '/');

        return str_format("%s/%s%s", d, library ? "library/" : "", reference->path);
}

char *reference_full(const Reference *reference, const char *domain) {
        _cleanup_free_ char *repository = reference_repository(reference, domain);

        return repository ? str_format("%s:%s", repository, reference->tag ?: "latest") : NULL;
}

int reference_normalise_local(const char *text, char **ret, Error *reterr) {
        _cleanup_reference_ Reference reference = {};
        char *full;

        int r = reference_parse(text, &reference, reterr);
        if (r < 0)
                return r;
        if (reference.digest)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use image name '%.300s': a tag is needed, not a digest",
                                 text);
        full = reference_full(&reference, LOCAL_DOMAIN);
        if (!full)
                return error_oom(reterr);
        *ret = full;
        return 0;
}
