/* SPDX-License-Identifier: Apache-2.0 */
/* Raw frames, written past what the kernel would send: frames.c, claim.c. */
#include <netpacket/packet.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

static int fd;                 /* of AF_PACKET */
static struct sockaddr_ll to;  /* the interface */

static void put16(uint8_t *p, unsigned v) {
        p[0] = (uint8_t) (v >> 8);
        p[1] = (uint8_t) v;
}

/* Of the Internet checksum, not complemented yet. */
static uint32_t sum(const void *data, size_t n, uint32_t s) {
        const uint8_t *p = data;

        for (size_t i = 0; i < n; i++)
                s += i % 2 ? p[i] : (uint32_t) p[i] << 8;
        while (s >> 16)
                s = (s & 0xffff) + (s >> 16);
        return s;
}

static void write_frame(const uint8_t *destination, const uint8_t *source, unsigned type, const uint8_t *packet, size_t n) {
        uint8_t frame[4096] = { 0 };

        memcpy(frame, destination, 6);
        memcpy(frame + 6, source, 6);
        put16(frame + 12, type);
        memcpy(frame + 14, packet, n);
        (void) !sendto(fd, frame, 14 + n, 0, (struct sockaddr *) &to, sizeof(to));
}
