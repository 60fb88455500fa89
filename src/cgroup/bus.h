/* SPDX-License-Identifier: Apache-2.0 */
/* As much D-Bus as the conversation with systemd's private socket takes (D-Bus Specification, "Message Protocol" and
 * "Authentication Protocol", EXTERNAL). libsystemd and the six libraries that it brings cost each command 0.6 ms. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/macro.h"

/* ---- what is written ---- */

/* A message's body while it is written; values are aligned as they need. Out of memory is remembered until the call. */
typedef struct BusBody {
        char *data;
        size_t size, room;
        bool failed;
} BusBody;

void bus_body_done(BusBody *body);
#define _cleanup_bus_body_ _cleanup_(bus_body_done)

void bus_put_u8(BusBody *body, uint8_t value);
void bus_put_u32(BusBody *body, uint32_t value); /* also 'i' and 'b' */
void bus_put_u64(BusBody *body, uint64_t value);
void bus_put_string(BusBody *body, const char *value); /* also 'o' */
void bus_put_signature(BusBody *body, const char *value);
void bus_put_struct(BusBody *body); /* before its first member */
void bus_put_strings(BusBody *body, char *const *strings);

/* An array: its elements come between the two; `alignment` is that of their type (8 for structs). */
typedef struct BusArray {
        size_t length_at, start;
} BusArray;
BusArray bus_array_begin(BusBody *body, size_t alignment);
void bus_array_end(BusBody *body, BusArray array);

/* ---- what is read ---- */

typedef enum BusMessageType {
        BUS_METHOD_CALL = 1,
        BUS_METHOD_RETURN,
        BUS_ERROR,
        BUS_SIGNAL,
} BusMessageType;

/* A received message; valid until the next one is received. */
typedef struct BusMessage {
        BusMessageType type;
        uint32_t reply_serial;
        const char *interface, *member, *error_name, *signature; /* "" where they are missing */
        const char *body;
        size_t body_size, position;
} BusMessage;

/* Finds the whole message at the start of `data`: its size, or 0 where more is needed; -EBADMSG for what is none. */
int bus_message_parse(const char *data, size_t size, BusMessage *ret);

/* The next value of the body; -EBADMSG where there is none of that kind. Strings are the message's. */
int bus_get_u32(BusMessage *message, uint32_t *ret);
int bus_get_string(BusMessage *message, const char **ret);
int bus_get_struct(BusMessage *message); /* before its first member */
int bus_get_signature(BusMessage *message, const char **ret);

/* ---- the connection ---- */

typedef struct Bus {
        int fd;
        uint32_t serial;
        bool authenticated;
        char *in;
        size_t in_size, in_used, in_room;
} Bus;

#define BUS_NULL ((Bus){ .fd = -EBADF })

/* Connects, and says who it is. */
int bus_connect(const char *path, Bus *ret);
void bus_done(Bus *bus);

typedef struct BusCall {
        const char *destination, *path, *interface, *member;
        const char *signature; /* of the body; NULL: none */
        const BusBody *body;
} BusCall;

/* Calls a method and waits for its answer, at most 25 seconds. Signals that come before it are dropped: those that a call
 * causes come after its answer. -errno where there is no answer; an error as the answer is a message like another one. */
int bus_call(Bus *bus, const BusCall *call, BusMessage *ret);

/* Waits for the next message, for ever. */
int bus_receive(Bus *bus, BusMessage *ret);
