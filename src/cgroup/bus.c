/* SPDX-License-Identifier: Apache-2.0 */
/* D-Bus with systemd. */
#include "cgroup/bus.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"

enum {
        HEADER_SIZE = 16,
        MESSAGE_MAX = 16 * 1024 * 1024,
        CALL_TIMEOUT_MSEC = 25000,
        AUTH_LINE_MAX = 4096,
        READ_SIZE = 8192,
        FIELD_PATH = 1, FIELD_INTERFACE, FIELD_MEMBER, FIELD_ERROR_NAME, FIELD_REPLY_SERIAL, FIELD_DESTINATION, FIELD_SENDER,
        FIELD_SIGNATURE,
};

static const char own_order = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B';

/* ---- writing ---- */

void bus_body_done(BusBody *body) {
        free(body->data);
        *body = (BusBody){};
}

static void put(BusBody *body, const void *data, size_t size, size_t alignment) {
        size_t padding = (alignment - body->size % alignment) % alignment;

        if (body->failed || padding + size == 0) /* nothing to put may come before there is any room */
                return;
        if (body->room - body->size < padding + size) {
                size_t room = MAX(body->room * 2, body->size + padding + size + 512);
                char *grown = room > MESSAGE_MAX ? NULL : realloc(body->data, room);

                if (!grown) {
                        body->failed = true;
                        return;
                }
                body->data = grown;
                body->room = room;
        }
        memset(body->data + body->size, 0, padding);
        if (size > 0)
                memcpy(body->data + body->size + padding, data, size);
        body->size += padding + size;
}

void bus_put_u8(BusBody *body, uint8_t value) {
        put(body, &value, sizeof(value), 1);
}

void bus_put_u32(BusBody *body, uint32_t value) {
        put(body, &value, sizeof(value), sizeof(value));
}

void bus_put_u64(BusBody *body, uint64_t value) {
        put(body, &value, sizeof(value), sizeof(value));
}

void bus_put_string(BusBody *body, const char *value) {
        size_t length = strlen(value);

        bus_put_u32(body, (uint32_t) MIN(length, (size_t) UINT32_MAX));
        put(body, value, length + 1, 1);
}

void bus_put_signature(BusBody *body, const char *value) {
        size_t length = strlen(value);

        bus_put_u8(body, (uint8_t) length); /* ours are short */
        put(body, value, length + 1, 1);
}

void bus_put_struct(BusBody *body) {
        put(body, NULL, 0, 8);
}

void bus_put_strings(BusBody *body, char *const *strings) {
        BusArray array = bus_array_begin(body, 4);

        for (; strings && *strings; strings++)
                bus_put_string(body, *strings);
        bus_array_end(body, array);
}

BusArray bus_array_begin(BusBody *body, size_t alignment) {
        BusArray array;

        bus_put_u32(body, 0);
        array.length_at = body->size - (body->failed ? 0 : sizeof(uint32_t));
        put(body, NULL, 0, alignment); /* not counted */
        array.start = body->size;
        return array;
}

void bus_array_end(BusBody *body, BusArray array) {
        uint32_t length = (uint32_t) (body->size - array.start);

        if (!body->failed)
                memcpy(body->data + array.length_at, &length, sizeof(length));
}

/* ---- reading ---- */

typedef struct Reader {
        const char *data;
        size_t size, position;
} Reader;

static int take(Reader *r, size_t size, size_t alignment, const char **ret) {
        size_t start = (r->position + alignment - 1) / alignment * alignment;

        if (start > r->size || r->size - start < size)
                return -EBADMSG;
        *ret = r->data + start;
        r->position = start + size;
        return 0;
}

static int read_u32(Reader *r, uint32_t *ret) {
        const char *p;

        if (take(r, sizeof(*ret), sizeof(*ret), &p) < 0)
                return -EBADMSG;
        memcpy(ret, p, sizeof(*ret));
        return 0;
}

static int read_text(Reader *r, size_t length, const char **ret) {
        if (take(r, length + 1, 1, ret) < 0 || (*ret)[length] != 0 || strlen(*ret) != length)
                return -EBADMSG;
        return 0;
}

static int read_string(Reader *r, const char **ret) {
        uint32_t length;

        return read_u32(r, &length) < 0 ? -EBADMSG : read_text(r, length, ret);
}

static int read_signature(Reader *r, const char **ret) {
        const char *length;

        return take(r, 1, 1, &length) < 0 ? -EBADMSG : read_text(r, (uint8_t) *length, ret);
}

static int read_field(Reader *r, BusMessage *message) {
        const char *code, *type, *text = "";
        uint32_t number = 0;
        int ok = take(r, 1, 8, &code);

        if (ok >= 0)
                ok = read_signature(r, &type);
        if (ok >= 0)
                ok = str_equal(type, "s") || str_equal(type, "o") ? read_string(r, &text)
                     : str_equal(type, "g")                       ? read_signature(r, &text)
                     : str_equal(type, "u")                       ? read_u32(r, &number)
                                                                  : -EBADMSG;
        if (ok < 0)
                return ok;
        const char **const slots[] = {
                [FIELD_INTERFACE] = &message->interface, [FIELD_MEMBER] = &message->member,
                [FIELD_ERROR_NAME] = &message->error_name, [FIELD_SIGNATURE] = &message->signature,
        };
        if (*code == FIELD_REPLY_SERIAL)
                message->reply_serial = number;
        else if (*code > 0 && (size_t) *code < ELEMENTSOF(slots) && slots[(size_t) *code])
                *slots[(size_t) *code] = text;
        return 0;
}

int bus_message_parse(const char *data, size_t size, BusMessage *ret) {
        BusMessage message = { .interface = "", .member = "", .error_name = "", .signature = "" };
        uint32_t body_size, fields_size;

        if (size < HEADER_SIZE)
                return 0;
        memcpy(&body_size, data + 4, sizeof(body_size));
        memcpy(&fields_size, data + 12, sizeof(fields_size));
        if (data[0] != own_order || data[3] != 1 || body_size > MESSAGE_MAX || fields_size > MESSAGE_MAX)
                return -EBADMSG;
        size_t body_at = HEADER_SIZE + ((size_t) fields_size + 7) / 8 * 8;
        if (size < body_at + body_size)
                return 0;
        Reader fields = { data, HEADER_SIZE + fields_size, HEADER_SIZE };
        while (fields.position < fields.size)
                if (read_field(&fields, &message) < 0)
                        return -EBADMSG;
        message.type = (BusMessageType) (uint8_t) data[1];
        message.body = data + body_at;
        message.body_size = body_size;
        *ret = message;
        return (int) (body_at + body_size);
}

static int from_body(BusMessage *message, int (*read)(Reader *, const char **), const char **ret) {
        Reader reader = { message->body, message->body_size, message->position };
        int r = read(&reader, ret);

        message->position = reader.position;
        return r;
}

int bus_get_u32(BusMessage *message, uint32_t *ret) {
        Reader reader = { message->body, message->body_size, message->position };
        int r = read_u32(&reader, ret);

        message->position = reader.position;
        return r;
}

int bus_get_struct(BusMessage *message) {
        Reader reader = { message->body, message->body_size, message->position };
        const char *nothing;
        int r = take(&reader, 0, 8, &nothing);

        message->position = reader.position;
        return r;
}

int bus_get_string(BusMessage *message, const char **ret) {
        return from_body(message, read_string, ret);
}

int bus_get_signature(BusMessage *message, const char **ret) {
        return from_body(message, read_signature, ret);
}

/* ---- the connection ---- */

void bus_done(Bus *bus) {
        bus->fd = fd_close(bus->fd);
        free(bus->in);
        *bus = BUS_NULL;
}

static int send_all(int fd, const void *data, size_t size) {
        for (const char *p = data; size > 0;) {
                ssize_t n = RETRY_EINTR(send(fd, p, size, MSG_NOSIGNAL));

                if (n < 0)
                        return -errno;
                p += n;
                size -= (size_t) n;
        }
        return 0;
}

/* Who we are for a peer outside of our user namespace: root in one is somebody else there. */
static uid_t outer_uid(void) {
        char text[128];
        unsigned inner, outer;
        _cleanup_fd_ int fd = geteuid() == 0 ? open("/proc/self/uid_map", O_RDONLY | O_CLOEXEC) : -EBADF;
        ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

        text[MAX(n, 0)] = '\0';
        return n > 0 && sscanf(text, "%u %u", &inner, &outer) == 2 && inner == 0 ? outer : geteuid();
}

int bus_connect(const char *path, Bus *ret) {
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *directory = slash ? strndup(path, (size_t) (slash - path)) : NULL, *uid = NULL;
        char text[128] = "", *p = text + 1; /* a NUL byte comes first */

        if (!directory)
                return slash ? -ENOMEM : -EINVAL;
        _cleanup_fd_ int dir_fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir_fd < 0)
                return -errno;
        _cleanup_fd_ int fd = io_unix_connect(dir_fd, slash + 1, SOCK_STREAM);
        if (fd < 0)
                return fd;
        uid = str_format("%u", outer_uid());
        if (!uid)
                return -ENOMEM;
        p = stpcpy(p, "AUTH EXTERNAL ");
        for (const char *digit = uid; *digit; digit++)
                p += snprintf(p, 3, "%02x", *digit);
        p = stpcpy(p, "\r\nBEGIN\r\n");
        int r = send_all(fd, text, (size_t) (p - text));
        if (r < 0)
                return r;
        *ret = (Bus){ .fd = TAKE_FD(fd) };
        return 0;
}

/* More bytes behind those that wait in `in`; -ETIMEDOUT, -ECONNRESET at the end. */
static int fill(Bus *bus, int timeout_msec) {
        struct pollfd poll_fd = { .fd = bus->fd, .events = POLLIN };
        int r = (int) RETRY_EINTR(poll(&poll_fd, 1, timeout_msec));

        if (r <= 0)
                return r == 0 ? -ETIMEDOUT : -errno;
        if (bus->in_used > 0) {
                memmove(bus->in, bus->in + bus->in_used, bus->in_size - bus->in_used);
                bus->in_size -= bus->in_used;
                bus->in_used = 0;
        }
        if (bus->in_room - bus->in_size < READ_SIZE) {
                size_t room = MAX(bus->in_room * 2, bus->in_size + READ_SIZE);
                char *grown = room > 2 * (size_t) MESSAGE_MAX ? NULL : realloc(bus->in, room);

                if (!grown)
                        return -ENOBUFS;
                bus->in = grown;
                bus->in_room = room;
        }
        ssize_t n = RETRY_EINTR(recv(bus->fd, bus->in + bus->in_size, bus->in_room - bus->in_size, MSG_CMSG_CLOEXEC));
        if (n <= 0)
                return n < 0 ? -errno : -ECONNRESET;
        bus->in_size += (size_t) n;
        return 0;
}

/* systemd has to agree before it reads messages; until the first call it had time for that. */
static int wait_for_ok(Bus *bus) {
        while (!bus->authenticated) {
                size_t waiting = bus->in_size - bus->in_used;
                const char *line = bus->in + bus->in_used, *end = waiting > 0 ? memmem(line, waiting, "\r\n", 2) : NULL;

                if (!end) {
                        int r = waiting > AUTH_LINE_MAX ? -EBADMSG : fill(bus, CALL_TIMEOUT_MSEC);

                        if (r < 0)
                                return r;
                        continue;
                }
                if (end - line < 3 || memcmp(line, "OK ", 3) != 0)
                        return -EACCES;
                bus->in_used += (size_t) (end + 2 - line);
                bus->authenticated = true;
        }
        return 0;
}

static void put_field(BusBody *header, uint8_t code, const char *type, const char *value) {
        bus_put_struct(header);
        bus_put_u8(header, code);
        bus_put_signature(header, type);
        if (*type == 'g')
                bus_put_signature(header, value);
        else
                bus_put_string(header, value);
}

static int send_call(Bus *bus, const BusCall *call, uint32_t serial) {
        _cleanup_bus_body_ BusBody message = {};

        bus_put_u8(&message, (uint8_t) own_order);
        bus_put_u8(&message, BUS_METHOD_CALL);
        bus_put_u8(&message, 0); /* flags */
        bus_put_u8(&message, 1); /* version of the protocol */
        bus_put_u32(&message, call->body ? (uint32_t) call->body->size : 0);
        bus_put_u32(&message, serial);
        BusArray fields = bus_array_begin(&message, 8);
        put_field(&message, FIELD_PATH, "o", call->path);
        put_field(&message, FIELD_INTERFACE, "s", call->interface);
        put_field(&message, FIELD_MEMBER, "s", call->member);
        put_field(&message, FIELD_DESTINATION, "s", call->destination);
        if (call->signature)
                put_field(&message, FIELD_SIGNATURE, "g", call->signature);
        bus_array_end(&message, fields);
        bus_put_struct(&message);
        if (call->body)
                put(&message, call->body->data, call->body->size, 1);
        if (message.failed || (call->body && call->body->failed))
                return -ENOMEM;
        return send_all(bus->fd, message.data, message.size);
}

static int receive(Bus *bus, int timeout_msec, BusMessage *ret) {
        for (;;) {
                int r = bus_message_parse(bus->in + bus->in_used, bus->in_size - bus->in_used, ret);

                if (r < 0)
                        return r;
                if (r > 0) {
                        bus->in_used += (size_t) r;
                        return 0;
                }
                r = fill(bus, timeout_msec);
                if (r < 0)
                        return r;
        }
}

int bus_receive(Bus *bus, BusMessage *ret) {
        int r = wait_for_ok(bus);

        return r < 0 ? r : receive(bus, /* timeout_msec= */ -1, ret);
}

int bus_call(Bus *bus, const BusCall *call, BusMessage *ret) {
        uint32_t serial = ++bus->serial;
        int r = wait_for_ok(bus);

        if (r >= 0)
                r = send_call(bus, call, serial);
        while (r >= 0) {
                r = receive(bus, CALL_TIMEOUT_MSEC, ret);
                if (r >= 0 && (ret->type == BUS_METHOD_RETURN || ret->type == BUS_ERROR) && ret->reply_serial == serial)
                        return 0;
        }
        return r;
}
