/* SPDX-License-Identifier: Apache-2.0 */
/* The other side of the conversation is played by a child: it checks the bytes of the call and answers in pieces. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "cgroup/manager.h"

/* A message as a manager sends it, little-endian as this machine; `fields` are ready-made. */
static size_t make_message(char *out, uint8_t type, const BusBody *fields, const BusBody *body) {
        const uint32_t numbers[] = { (uint32_t) body->size, 7, (uint32_t) fields->size };
        size_t fields_end = 16 + fields->size, body_at = (fields_end + 7) / 8 * 8;

        memset(out, 0, body_at);
        out[0] = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 'l' : 'B';
        out[1] = (char) type;
        out[3] = 1;
        memcpy(out + 4, numbers, sizeof(numbers));
        memcpy(out + 16, fields->data, fields->size);
        if (body->size > 0)
                memcpy(out + body_at, body->data, body->size);
        return body_at + body->size;
}

static void put_text_field(BusBody *b, uint8_t code, const char *type, const char *text) {
        bus_put_struct(b);
        bus_put_u8(b, code);
        bus_put_signature(b, type);
        if (*type == 'g')
                bus_put_signature(b, text);
        else
                bus_put_string(b, text);
}

static void put_reply_field(BusBody *b, uint32_t serial) {
        bus_put_struct(b);
        bus_put_u8(b, 5);
        bus_put_signature(b, "u");
        bus_put_u32(b, serial);
}

TEST(values_are_aligned_as_the_specification_says) {
        _cleanup_bus_body_ BusBody b = {};
        char *const strings[] = { (char *) "ab", (char *) "c", NULL };

        bus_put_u8(&b, 1);
        bus_put_u32(&b, 2);           /* at 4 */
        bus_put_string(&b, "xy");     /* 8: length, 12: "xy\0" */
        bus_put_u64(&b, 3);           /* at 16 */
        bus_put_signature(&b, "a(sv)");
        CHECK_INT(b.size, 24 + 7);
        BusArray array = bus_array_begin(&b, 8); /* length at 32; elements from 40 on */
        bus_put_struct(&b);
        bus_put_u8(&b, 9);
        bus_array_end(&b, array);
        CHECK_INT(b.size, 41);
        uint32_t length;
        memcpy(&length, b.data + 32, sizeof(length));
        CHECK_INT(length, 1); /* the padding before the first element is not counted */
        bus_put_strings(&b, strings);
        memcpy(&length, b.data + 44, sizeof(length));
        CHECK_INT(length, 7 + 1 + 6);
        CHECK_INT(b.data[8], 2);
        CHECK_STR(b.data + 12, "xy");
        CHECK(!b.failed);
}

TEST(an_empty_array_of_structs_has_its_padding) {
        _cleanup_bus_body_ BusBody b = {};

        bus_array_end(&b, bus_array_begin(&b, 8));
        CHECK_INT(b.size, 8);
}

TEST(a_message_is_found_only_whole) {
        _cleanup_bus_body_ BusBody fields = {}, body = {};
        char data[512];
        BusMessage m;
        const char *text;
        uint32_t number;

        put_text_field(&fields, 1, "o", "/a");
        put_text_field(&fields, 3, "s", "JobRemoved");
        put_text_field(&fields, 8, "g", "us");
        bus_put_u32(&body, 42);
        bus_put_string(&body, "done");
        size_t size = make_message(data, BUS_SIGNAL, &fields, &body);
        for (size_t i = 0; i < size; i++)
                CHECK_INT(bus_message_parse(data, i, &m), 0);
        CHECK_INT(bus_message_parse(data, sizeof(data), &m), size);
        CHECK_INT(m.type, BUS_SIGNAL);
        CHECK_STR(m.member, "JobRemoved");
        CHECK_STR(m.interface, "");
        CHECK_STR(m.signature, "us");
        CHECK_INT(bus_get_u32(&m, &number), 0);
        CHECK_INT(number, 42);
        CHECK_INT(bus_get_string(&m, &text), 0);
        CHECK_STR(text, "done");
        CHECK_INT(bus_get_string(&m, &text), -EBADMSG); /* nothing is left */
}

TEST(broken_messages_are_refused) {
        _cleanup_bus_body_ BusBody fields = {}, body = {};
        char data[512], copy[512];
        BusMessage m;
        const char *text;

        put_text_field(&fields, 3, "s", "Member");
        bus_put_string(&body, "text");
        size_t size = make_message(data, BUS_SIGNAL, &fields, &body);
        memcpy(copy, data, sizeof(copy));
        copy[0] = 'x'; /* the order of bytes */
        CHECK_INT(bus_message_parse(copy, size, &m), -EBADMSG);
        memcpy(copy, data, sizeof(copy));
        memset(copy + 4, 0xff, 4); /* a body of 4 GiB */
        CHECK_INT(bus_message_parse(copy, size, &m), -EBADMSG);
        memcpy(copy, data, sizeof(copy));
        memset(copy + 20, 0xff, 4); /* a string longer than the message */
        CHECK_INT(bus_message_parse(copy, size, &m), -EBADMSG);
        memcpy(copy, data, sizeof(copy));
        copy[18] = 'v'; /* a type that no field has */
        CHECK_INT(bus_message_parse(copy, size, &m), -EBADMSG);
        CHECK_INT(bus_message_parse(data, size, &m), size);
        memcpy(copy, m.body, m.body_size);
        copy[5] = 0; /* a NUL inside a string */
        m.body = copy;
        CHECK_INT(bus_get_string(&m, &text), -EBADMSG);
        /* no byte of a message, whatever it is, makes the reader leave the message */
        char *exact = malloc(size);
        for (size_t i = 0; i < size; i++)
                for (int value = 0; value < 256; value += 5) {
                        memcpy(exact, data, size);
                        exact[i] = (char) value;
                        if (bus_message_parse(exact, size, &m) > 0)
                                (void) bus_get_string(&m, &text);
                }
        free(exact);
}

/* ---- a manager ---- */

static void send_pieces(int fd, const char *data, size_t size, size_t piece) {
        for (size_t i = 0; i < size; i += piece)
                CHECK(write(fd, data + i, MIN(piece, size - i)) > 0);
}

static void serve_call(int fd, const char *member, uint32_t serial, uint8_t type, const char *signature, const char *text) {
        _cleanup_bus_body_ BusBody fields = {}, body = {}, stray = {}, nothing = {};
        char data[4096], out[4096];
        size_t size = 0;

        while (size < 16 || memmem(data, size, member, strlen(member)) == NULL) {
                ssize_t n = read(fd, data + size, sizeof(data) - size);
                CHECK(n > 0);
                size += (size_t) n;
        }
        CHECK_INT(data[1], BUS_METHOD_CALL);
        put_text_field(&stray, 3, "s", "UnitNew"); /* a signal comes in between */
        send_pieces(fd, out, make_message(out, BUS_SIGNAL, &stray, &nothing), 5);
        put_reply_field(&fields, serial);
        if (type == BUS_ERROR)
                put_text_field(&fields, 4, "s", "org.freedesktop.systemd1.NoSuchUnit");
        put_text_field(&fields, 8, "g", signature);
        bus_put_string(&body, text);
        send_pieces(fd, out, make_message(out, type, &fields, &body), 11);
}

static void send_job_end(int fd, const char *job, const char *result) {
        _cleanup_bus_body_ BusBody fields = {}, body = {};
        char out[4096];

        put_text_field(&fields, 2, "s", "org.freedesktop.systemd1.Manager");
        put_text_field(&fields, 3, "s", "JobRemoved");
        put_text_field(&fields, 8, "g", "uoss");
        bus_put_u32(&body, 1);
        bus_put_string(&body, job);
        bus_put_string(&body, "a.service");
        bus_put_string(&body, result);
        send_pieces(fd, out, make_message(out, BUS_SIGNAL, &fields, &body), 1000);
}

static int play_manager(int listen_fd) {
        char line[256] = "";
        size_t size = 0;
        int fd = accept(listen_fd, NULL, NULL);

        while (!memmem(line, size, "BEGIN\r\n", 7)) {
                ssize_t n = read(fd, line + size, sizeof(line) - 1 - size);
                CHECK(n > 0);
                size += (size_t) n;
        }
        CHECK_INT(line[0], 0);
        CHECK(strncmp(line + 1, "AUTH EXTERNAL 3", 15) == 0); /* digits in hexadecimal */
        send_pieces(fd, "OK 0123456789abcdef0123456789abcdef\r\n", 37, 4);
        serve_call(fd, "StopUnit", 1, BUS_METHOD_RETURN, "o", "/job/1");
        send_job_end(fd, "/job/0", "failed"); /* somebody else's */
        send_job_end(fd, "/job/1", "done");
        serve_call(fd, "StopUnit", 2, BUS_ERROR, "s", "Unit x not loaded.");
        serve_call(fd, "StartUnit", 3, BUS_ERROR, "s", "Unit y not found.");
        close(fd);
        return 0;
}

TEST(a_conversation_with_a_manager) {
        char dir[] = "/tmp/sdpod-test-XXXXXX";
        _cleanup_error_ Error error = ERROR_NULL;
        Manager manager = MANAGER_NULL;
        int status;

        CHECK(mkdtemp(dir));
        _cleanup_free_ char *path = str_format("%s/private", dir);
        _cleanup_fd_ int dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        _cleanup_fd_ int listen_fd = io_unix_listen(dir_fd, "private", SOCK_STREAM, 0600);
        CHECK(listen_fd >= 0);
        pid_t pid = fork();
        if (pid == 0)
                _exit(play_manager(listen_fd));
        CHECK_INT(bus_connect(path, &manager.bus), 0);
        CHECK_INT(manager_stop_unit(&manager, "a.service", &error), 0);
        CHECK_INT(manager_stop_unit(&manager, "x.service", &error), 0); /* one that is not there is no error */
        CHECK(!error.message);
        CHECK_INT(manager_start_unit(&manager, "y.service", &error), -ENOENT);
        CHECK_STR(error.message, "cannot start the unit 'y.service': Unit y not found.");
        error_done(&error);
        CHECK(manager_start_unit(&manager, "z.service", &error) < 0); /* it has gone */
        CHECK_INT(waitpid(pid, &status, 0), pid);
        CHECK_INT(status, 0);
        manager_done(&manager);
        (void) unlink(path);
        (void) rmdir(dir);
        CHECK_INT(bus_connect(path, &manager.bus), -ENOENT);
}
