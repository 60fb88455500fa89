/* SPDX-License-Identifier: Apache-2.0 */
/* Decides what the container's resolv.conf and hosts say. */
#include "net/resolv.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "base/str.h"
#include "net/names.h"
#include "net/net-config.h"

/* A text that grows; `failed` is looked at once, at the end. */
typedef struct Text {
        char *data;
        size_t size;
        FILE *file;
} Text;

static int text_open(Text *t) {
        *t = (Text){};
        t->file = open_memstream(&t->data, &t->size);
        return t->file ? 0 : -ENOMEM;
}

static void text_done(Text *t) {
        if (t->file)
                (void) fclose(t->file);
        free(t->data);
}

static int text_take(Text *t, char **ret) {
        bool failed = ferror(t->file) != 0;

        failed = fclose(t->file) != 0 || failed;
        t->file = NULL;
        if (failed)
                return -ENOMEM;
        *ret = TAKE_PTR(t->data);
        return 0;
}

/* One word of a line in these files. */
static bool is_word(const char *s) {
        if (str_empty(s))
                return false;
        for (; *s; s++)
                if ((unsigned char) *s <= ' ' || *s == 0x7f || *s == '#')
                        return false;
        return true;
}

static bool is_loopback(const char *text) {
        _cleanup_free_ char *bare = strndup(text, strcspn(text, "%"));
        struct in6_addr address;
        int family;

        if (!bare || net_parse_address(bare, &family, &address) < 0)
                return false;
        return family == AF_INET ? address.s6_addr[0] == 127 : IN6_IS_ADDR_LOOPBACK(&address);
}

/* What the host's file says, in words. */
typedef struct HostResolv {
        char **servers, **search, **options;
} HostResolv;

static void host_resolv_done(HostResolv *h) {
        strv_free(h->servers);
        strv_free(h->search);
        strv_free(h->options);
}

static int parse_line(char *line, HostResolv *h) {
        char *save = NULL, *key;
        int r = 0;

        line[strcspn(line, "#;\r")] = '\0';
        key = strtok_r(line, " \t", &save);
        if (!key)
                return 0;
        bool search = str_equal(key, "search") || str_equal(key, "domain");
        if (search) { /* the last of these lines counts */
                strv_free(h->search);
                h->search = NULL;
        }
        for (char *word; r >= 0 && (word = strtok_r(NULL, " \t", &save));) {
                if (str_equal(key, "nameserver"))
                        return strv_append(&h->servers, word);
                if (search)
                        r = strv_append(&h->search, word);
                else if (str_equal(key, "options"))
                        r = strv_append(&h->options, word);
        }
        return r;
}

static int parse_host(const char *text, HostResolv *ret) {
        _cleanup_strv_ char **lines = strv_split(text ?: "", "\n");

        if (!lines)
                return -ENOMEM;
        for (char **line = lines; *line; line++) {
                int r = parse_line(*line, ret);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* The virtual address leads only to a server of its own family: offer what the host has. */
static int choose_virtual(const ResolvRequest *q, const HostResolv *host, char ***ret) {
        bool has4 = false, has6 = false;

        for (char **s = host->servers; s && *s; s++)
                *(strchr(*s, ':') ? &has6 : &has4) = true;
        int r = has4 || !has6 || !q->dns6 ? strv_append(ret, q->dns4) : 0;
        if (r >= 0 && has6 && q->dns6)
                r = strv_append(ret, q->dns6);
        return r;
}

static int choose_servers(const ResolvRequest *q, const HostResolv *host, char ***ret) {
        int r = 0;

        if (q->reach == RESOLV_NAMES)
                return strv_extend(ret, q->servers); /* who ask q->dns */
        if (q->dns && *q->dns)
                return strv_extend(ret, q->dns);
        if (q->reach == RESOLV_VIRTUAL)
                return choose_virtual(q, host, ret);
        for (char **s = host->servers; s && *s && r >= 0; s++)
                if (q->reach == RESOLV_HOST || !is_loopback(*s))
                        r = strv_append(ret, *s);
        return r;
}

/* "." alone: none. */
static int choose_search(const ResolvRequest *q, const HostResolv *host, char ***ret) {
        int r = 0;

        if (q->search && *q->search)
                return str_equal(q->search[0], ".") && !q->search[1] ? 0 : strv_extend(ret, q->search);
        if (q->reach == RESOLV_NAMES)
                r = strv_append(ret, NAMES_DOMAIN);
        return r < 0 ? r : strv_extend(ret, host->search);
}

static int check_request(const ResolvRequest *q, Error *reterr) {
        struct in6_addr address;
        int family;

        for (char *const *s = q->dns; s && *s; s++)
                if (net_parse_address(*s, &family, &address) < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use DNS server '%s': it is not an IP address", *s);
        for (char *const *s = q->search; s && *s; s++)
                if (!is_word(*s))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot search domain '%s': it is not one word", *s);
        for (char *const *s = q->options; s && *s; s++)
                if (!is_word(*s))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set DNS option '%s': it is not one word", *s);
        return 0;
}

static void put_words(Text *t, const char *key, char *const *words) {
        if (!words || !*words)
                return;
        (void) fputs(key, t->file);
        for (; *words; words++)
                (void) fprintf(t->file, " %s", *words);
        (void) fputc('\n', t->file);
}

int resolv_conf_text(const ResolvRequest *request, char **ret, Error *reterr) {
        _cleanup_(host_resolv_done) HostResolv host = {};
        _cleanup_(text_done) Text t = {};
        _cleanup_strv_ char **servers = NULL, **search = NULL;

        int r = check_request(request, reterr);
        if (r < 0)
                return r;
        if (parse_host(request->host_text, &host) < 0 || choose_servers(request, &host, &servers) < 0 ||
            choose_search(request, &host, &search) < 0 || text_open(&t) < 0)
                return error_oom(reterr);
        put_words(&t, "search", search);
        for (char **s = servers; s && *s; s++)
                (void) fprintf(t.file, "nameserver %s\n", *s);
        put_words(&t, "options", request->options && *request->options ? request->options : host.options);
        return text_take(&t, ret) < 0 ? error_oom(reterr) : 0;
}

/* "name[;name...]:address"; the first colon parts them, as an IPv6 address has more. */
static int put_added(Text *t, const char *entry, const char *host_address, Error *reterr) {
        const char *colon = strchr(entry, ':'), *address = colon ? colon + 1 : NULL;
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *left = NULL, *bare = NULL;
        struct in6_addr parsed;
        int family;

        if (!colon || colon == entry)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot add host '%s': it is not of the form name:address", entry);
        if (str_equal(address, "host-gateway")) {
                if (!host_address)
                        return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                         "cannot add host '%s': the container has no way to the host in this network mode", entry);
                address = host_address;
        }
        size_t n = strlen(address);
        bare = address[0] == '[' && n > 2 && address[n - 1] == ']' ? strndup(address + 1, n - 2) : strdup(address);
        left = strndup(entry, (size_t) (colon - entry));
        names = left ? strv_split(left, ";") : NULL;
        if (!bare || !names)
                return error_oom(reterr);
        if (net_parse_address(bare, &family, &parsed) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot add host '%s': '%s' is not an IP address", entry, bare);
        for (char **name = names; *name; name++)
                if (!is_word(*name))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot add host '%s': '%s' is not a host name", entry, *name);
        put_words(t, bare, names);
        return 0;
}

/* The host's entries but for loopback ones, which would be the container's own. */
static int put_host_entries(Text *t, const char *text, bool with_loopback) {
        _cleanup_strv_ char **lines = strv_split(text, "\n");

        if (!lines)
                return -ENOMEM;
        for (char **line = lines; *line; line++) {
                char *save = NULL, *address, *name;

                (*line)[strcspn(*line, "#\r")] = '\0';
                address = strtok_r(*line, " \t", &save);
                if (!address || (!with_loopback && is_loopback(address)))
                        continue;
                (void) fputs(address, t->file);
                while ((name = strtok_r(NULL, " \t", &save)))
                        (void) fprintf(t->file, " %s", name);
                (void) fputc('\n', t->file);
        }
        return 0;
}

int hosts_text(const HostsRequest *q, char **ret, Error *reterr) {
        _cleanup_(text_done) Text t = {};
        bool both = !str_empty(q->hostname) && !str_empty(q->name) && !str_equal(q->hostname, q->name);

        if (text_open(&t) < 0)
                return error_oom(reterr);
        for (char *const *entry = q->add_hosts; entry && *entry; entry++) {
                int r = put_added(&t, *entry, q->host_address, reterr);
                if (r < 0)
                        return r;
        }
        (void) fputs("127.0.0.1 localhost localhost.localdomain\n::1 localhost localhost.localdomain\n", t.file);
        if (q->host_address)
                (void) fprintf(t.file, "%s host.containers.internal host.docker.internal\n", q->host_address);
        char *const one[] = { (char *) (q->address ?: "127.0.1.1"), NULL };
        for (char *const *a = q->addresses ?: one; *a && (!str_empty(q->hostname) || !str_empty(q->name)); a++)
                (void) fprintf(t.file, "%s %s%s%s\n", *a, !str_empty(q->hostname) ? q->hostname : q->name, both ? " " : "", both ? q->name : "");
        if ((q->host_text && put_host_entries(&t, q->host_text, /* with_loopback= */ false) < 0) ||
            (q->base_text && put_host_entries(&t, q->base_text, /* with_loopback= */ true) < 0))
                return error_oom(reterr);
        return text_take(&t, ret) < 0 ? error_oom(reterr) : 0;
}

int hosts_host_address(char **ret) {
        /* a connected UDP socket has the source address that the route gives; no packet leaves (192.0.2.1 is RFC 5737's) */
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9), .sin_addr.s_addr = htonl(0xc0000201) }, from;
        _cleanup_fd_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        socklen_t size = sizeof(from);
        char text[INET_ADDRSTRLEN];

        if (fd < 0)
                return -errno;
        if (connect(fd, (struct sockaddr *) &to, sizeof(to)) < 0 || getsockname(fd, (struct sockaddr *) &from, &size) < 0)
                return -errno;
        if (!inet_ntop(AF_INET, &from.sin_addr, text, sizeof(text)))
                return -errno;
        *ret = strdup(text);
        return *ret ? 0 : -ENOMEM;
}
