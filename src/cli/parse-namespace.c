/* SPDX-License-Identifier: Apache-2.0 */
/* Reads namespace modes, ID maps, name servers and host names. */
#include "cli/parse-namespace.h"

#include <arpa/inet.h>
#include <ctype.h>

#include "base/parse.h"
#include "base/str.h"

#define INVALID(...) error_set(reterr, -EINVAL, ERROR_INVALID, __VA_ARGS__)
#define NOT_YET(...) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, __VA_ARGS__)

static int replace(char **field, const char *value, Error *reterr) {
        return str_replace(field, value) < 0 ? error_oom(reterr) : 0;
}

/* CONTAINER-ID:HOST-ID[:SIZE] */
static int parse_mapping(const char *text, ContainerIdMapping *ret, Error *reterr) {
        _cleanup_strv_ char **parts = strv_split(text, ":");
        ContainerIdMapping mapping = { .size = 1 };

        if (!parts)
                return error_oom(reterr);
        size_t n = strv_length(parts);
        if (n < 2 || n > 3)
                return INVALID("'%s' is not CONTAINER-ID:HOST-ID[:SIZE]", text);
        if (parse_id(parts[0], &mapping.container_id) < 0)
                return INVALID("'%s' is not an ID", parts[0]);
        if (parse_id(parts[1], &mapping.host_id) < 0)
                return INVALID("'%s' is not an ID", parts[1]);
        if (n == 3 && (parse_u32(parts[2], &mapping.size) < 0 || mapping.size == 0))
                return INVALID("'%s' is not a number of IDs", parts[2]);
        if ((uint64_t) mapping.container_id + mapping.size > UINT32_MAX || (uint64_t) mapping.host_id + mapping.size > UINT32_MAX)
                return INVALID("the range goes beyond the last ID");
        *ret = mapping;
        return 0;
}

/* Options behind "keep-id:" and "auto:": NAME=NUMBER, or NAME=MAPPING, which may come more than once, of the names that are
 * allowed. */
static int check_userns_options(const char *text, const char *const *numbers, const char *const *mappings, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(text, ",");

        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++) {
                char *equals = strchr(*w, '=');
                ContainerIdMapping mapping;
                uint32_t number;

                if (!equals)
                        return INVALID("'%s' is not NAME=VALUE", *w);
                *equals = '\0';
                if (strv_contains((char *const *) mappings, *w)) {
                        int r = parse_mapping(equals + 1, &mapping, reterr);

                        if (r < 0)
                                return r;
                        continue;
                }
                if (!strv_contains((char *const *) numbers, *w))
                        return INVALID("there is no option '%s'", *w);
                if (parse_id(equals + 1, &number) < 0)
                        return INVALID("'%s' is not an ID or a size", equals + 1);
                for (char **other = words; other < w; other++)
                        if (str_equal(*other, *w))
                                return INVALID("'%s' is given twice", *w);
        }
        return 0;
}

/* container:NAME or ns:PATH */
static int check_joined(const char *value, Error *reterr) {
        const char *path = str_after(value, "ns:"), *name = str_after(value, "container:");

        if (name)
                return *name ? 0 : INVALID("the container is missing");
        return *path == '/' ? 0 : INVALID("'%s' is not an absolute path", path);
}

int parse_userns(ContainerConfig *config, const char *value, Error *reterr) {
        static const char *const keep_id[] = { "uid", "gid", "size", NULL }, *const automatic[] = { "size", NULL },
                                 *const mappings[] = { "gidmapping", "uidmapping", NULL }, *const none[] = { NULL };
        const char *options;
        int r = 0;

        if (str_equal(value, "") || str_equal(value, "host"))
                return replace(&config->userns, *value ? value : NULL, reterr);
        if (str_equal(value, "nomap") || str_equal(value, "keep-id") || str_equal(value, "auto"))
                return replace(&config->userns, value, reterr);
        if ((options = str_after(value, "keep-id:")))
                r = check_userns_options(options, keep_id, none, reterr);
        else if ((options = str_after(value, "auto:")))
                r = check_userns_options(options, automatic, mappings, reterr);
        else if (str_after(value, "container:") || str_after(value, "ns:"))
                r = check_joined(value, reterr);
        else
                return INVALID("not one of host, keep-id, auto, nomap, container:NAME, ns:PATH");
        return r < 0 ? r : replace(&config->userns, value, reterr);
}

static bool ranges_overlap(uint32_t a, uint32_t b, uint32_t a_size, uint32_t b_size) {
        return (uint64_t) a < (uint64_t) b + b_size && (uint64_t) b < (uint64_t) a + a_size;
}

static int add_mapping(const ContainerIdMapping *mapping, ContainerIdMapping **items, size_t *n_items, Error *reterr) {
        for (size_t i = 0; i < *n_items; i++) {
                const ContainerIdMapping *other = &(*items)[i];

                if (ranges_overlap(mapping->container_id, other->container_id, mapping->size, other->size) ||
                    ranges_overlap(mapping->host_id, other->host_id, mapping->size, other->size))
                        return INVALID("it overlaps %u:%u:%u", other->container_id, other->host_id, other->size);
        }
        ContainerIdMapping *added = container_array_add((void **) items, n_items, sizeof(*added));
        if (!added)
                return error_oom(reterr);
        *added = *mapping;
        return 0;
}

bool parse_id_map_has_flags(const char *value) {
        return *value == '+' || *value == 'u' || *value == 'g' || strchr(value, '@');
}

int parse_id_map(const char *value, ContainerIdMapping **items, size_t *n_items, Error *reterr) {
        ContainerIdMapping mapping;

        int r = parse_mapping(value, &mapping, reterr);
        return r < 0 ? r : add_mapping(&mapping, items, n_items, reterr);
}

int parse_id_map_copy(const ContainerIdMapping *from, size_t n, ContainerIdMapping **items, size_t *n_items, Error *reterr) {
        for (size_t i = 0; i < n; i++) {
                ContainerIdMapping *added = container_array_add((void **) items, n_items, sizeof(*added));

                if (!added)
                        return error_oom(reterr);
                *added = from[i];
        }
        return 0;
}

int parse_namespace(const char *value, char **field, Error *reterr) {
        if (!*value || str_equal(value, "private"))
                return replace(field, NULL, reterr);
        if (str_equal(value, "host"))
                return replace(field, value, reterr);
        if (str_after(value, "container:") || str_after(value, "ns:")) {
                int r = check_joined(value, reterr);

                return r < 0 ? r : replace(field, value, reterr);
        }
        if (str_equal(value, "pod"))
                return NOT_YET("it is not there yet");
        return INVALID("not one of private, host, container:NAME, ns:PATH");
}

int parse_ipc(const char *value, char **field, Error *reterr) {
        if (!*value || str_equal(value, "shareable"))
                return replace(field, NULL, reterr);
        if (str_equal(value, "private") || str_equal(value, "none"))
                return replace(field, value, reterr);
        int r = parse_namespace(value, field, reterr);
        return r == -EINVAL && !str_after(value, "container:") && !str_after(value, "ns:")
                       ? INVALID("not one of shareable, private, none, host, container:NAME, ns:PATH")
                       : r;
}

int parse_requires(const char *value, char ***names, Error *reterr) {
        _cleanup_strv_ char **words = strv_split(value, ",");

        if (!words)
                return error_oom(reterr);
        for (char **w = words; *w; w++)
                if (!**w)
                        return INVALID("a container's name is missing");
        return strv_extend(names, words) < 0 ? error_oom(reterr) : 0;
}

static bool is_address(const char *text) {
        unsigned char binary[16];

        return inet_pton(AF_INET, text, binary) == 1 || inet_pton(AF_INET6, text, binary) == 1;
}

int parse_dns(ContainerConfig *config, const char *value, Error *reterr) {
        bool none = str_equal(value, "none");

        if (!none && !is_address(value))
                return INVALID("not an IP address, nor none");
        if (config->dns && (none || strv_contains(config->dns, "none")))
                return INVALID("'none' stands alone");
        return strv_append(&config->dns, value) < 0 ? error_oom(reterr) : 0;
}

static bool is_plain_word(const char *text) {
        for (const char *p = text; *p; p++)
                if (isspace((unsigned char) *p) || iscntrl((unsigned char) *p) || *p == '#')
                        return false;
        return *text;
}

int parse_resolv_word(const char *value, char ***words, Error *reterr) {
        if (!is_plain_word(value))
                return INVALID("not one word");
        return strv_append(words, value) < 0 ? error_oom(reterr) : 0;
}

int parse_add_host(ContainerConfig *config, const char *value, Error *reterr) {
        const char *colon = strchr(value, ':');
        _cleanup_free_ char *name = colon ? strndup(value, (size_t) (colon - value)) : NULL;

        if (!colon)
                return INVALID("it is NAME:ADDRESS");
        if (!name)
                return error_oom(reterr);
        if (!is_plain_word(name) || strlen(name) > 253)
                return INVALID("'%s' is not a host's name", name);
        if (str_equal(colon + 1, "host-gateway"))
                return NOT_YET("an address of the host inside a container is not there yet");
        if (!is_address(colon + 1))
                return INVALID("'%s' is not an IP address", colon + 1);
        return strv_append(&config->add_hosts, value) < 0 ? error_oom(reterr) : 0;
}

int parse_hostname(ContainerConfig *config, const char *value, Error *reterr) {
        size_t n = strlen(value);

        if (n == 0 || n > 64)
                return INVALID("a host's name has 1 to 64 bytes");
        if (!isalnum((unsigned char) *value))
                return INVALID("a host's name begins with a letter or a digit");
        for (const char *p = value; *p; p++)
                if (!isalnum((unsigned char) *p) && !strchr("-_.", *p))
                        return INVALID("a host's name has letters, digits, '-', '_' and '.'");
        return replace(&config->hostname, value, reterr);
}
