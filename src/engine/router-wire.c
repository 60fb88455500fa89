/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to and from the router. */
#include "engine/router-wire.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

const JsonField router_link_fields[] = {
        JSON_FIELD(RouterLink, network, "network", JSON_FIELD_STRING),
        JSON_FIELD(RouterLink, interface_name, "interfaceName", JSON_FIELD_STRING),
        JSON_FIELD(RouterLink, mac, "mac", JSON_FIELD_STRING),
        JSON_FIELD(RouterLink, addresses, "addresses", JSON_FIELD_STRV),
        JSON_FIELD(RouterLink, names, "names", JSON_FIELD_STRV),
        JSON_FIELD(RouterLink, place, "place", JSON_FIELD_UINT32),
        {},
};

const JsonField router_request_fields[] = {
        JSON_FIELD(RouterRequest, op, "op", JSON_FIELD_STRING),
        JSON_FIELD(RouterRequest, id, "id", JSON_FIELD_STRING),
        JSON_FIELD(RouterRequest, name, "name", JSON_FIELD_STRING),
        JSON_FIELD(RouterRequest, network, "network", JSON_FIELD_STRING),
        JSON_FIELD_ARRAY_OF(RouterRequest, links, n_links, "links", router_link_fields),
        JSON_FIELD_ARRAY_OF(RouterRequest, ports, n_ports, "ports", net_port_fields),
        JSON_FIELD(RouterRequest, dns, "dns", JSON_FIELD_STRV),
        {},
};

void router_request_done(RouterRequest *request) {
        json_fields_done(router_request_fields, request);
}

int router_request_check(const RouterRequest *request, Error *reterr) {
        bool whole = !str_empty(request->id) && !str_empty(request->name);

        for (size_t i = 0; i < request->n_links && whole; i++)
                whole = request->links[i].network && request->links[i].interface_name && request->links[i].mac;
        for (size_t i = 0; i < request->n_ports && whole; i++)
                whole = request->ports[i].protocol;
        return whole ? 0 : error_set(reterr, -EINVAL, ERROR_INVALID, "cannot connect a container: the request is not complete");
}

int router_wire_send(int socket, const json_t *object, const int *fds, size_t n_fds) {
        char *text = json_dumps(object, JSON_COMPACT);
        _cleanup_fd_ int file = text ? io_memfd("sdpod-router", text, strlen(text)) : -ENOMEM;
        int all[ROUTER_FDS_MAX + 1] = { file };

        free(text);
        if (file < 0)
                return file;
        if (n_fds > ROUTER_FDS_MAX)
                return -E2BIG;
        for (size_t i = 0; i < n_fds; i++)
                all[i + 1] = fds[i];
        return io_send_fds(socket, "j", 1, all, n_fds + 1);
}

static void close_all(int *fds, size_t n) {
        for (size_t i = 0; i < n; i++)
                fds[i] = fd_close(fds[i]);
}

int router_wire_receive(int socket, json_t **ret, int *fds, size_t *ret_n_fds) {
        _cleanup_free_ char *text = NULL;
        int all[ROUTER_FDS_MAX + 1];
        size_t n = ELEMENTSOF(all), size;
        struct stat st;
        char byte;
        ssize_t received = io_receive_fds(socket, &byte, sizeof(byte), all, &n);

        if (received < 0)
                return (int) received;
        if (n == 0)
                return received == 0 ? 0 : -EBADMSG;
        (void) lseek(all[0], 0, SEEK_SET);
        /* a pipe would be waited for, and everybody else with it */
        int r = fstat(all[0], &st) < 0 ? -errno : S_ISREG(st.st_mode) ? io_read_all(all[0], JSON_RECORD_LIMIT, &text, &size) : -EBADMSG;
        (void) fd_close(all[0]);
        if (r >= 0)
                r = json_parse(text, size, "a message of the router", ret, /* reterr= */ NULL);
        if (r < 0) {
                close_all(all + 1, n - 1);
                return r;
        }
        memcpy(fds, all + 1, (n - 1) * sizeof(*fds));
        *ret_n_fds = n - 1;
        return 1;
}

json_t *router_wire_error(const Error *error) {
        json_t *inner = json_object(), *answer = json_object();

        (void) json_object_set_new(inner, "kind", json_string(error_kind_to_string(error->kind)));
        (void) json_object_set_new(inner, "code", json_integer(error->code));
        (void) json_object_set_new(inner, "message", json_text(error->message ?: "out of memory"));
        if (error->hint)
                (void) json_object_set_new(inner, "hint", json_text(error->hint));
        (void) json_object_set_new(answer, "error", inner);
        return answer;
}

int router_wire_take_error(const json_t *answer, Error *reterr) {
        const json_t *inner = json_object_get(answer, "error");
        const char *hint = json_get_string(inner, "hint");

        if (!inner)
                return 0;
        ErrorKind kind = error_kind_from_string(json_get_string(inner, "kind") ?: "");
        (void) error_set(reterr, -EREMOTEIO, kind, "%s", json_get_string(inner, "message") ?: "cannot set up the network: no reason given");
        if (hint)
                error_hint(reterr, "%s", hint);
        return -EREMOTEIO;
}
