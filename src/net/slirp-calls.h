/* SPDX-License-Identifier: Apache-2.0 */
/* The calls by which libslirp reaches out, with a second wall and a mended crack.
 *
 * Theory of operation: the program's own connect() and sendto() come before the C library's when libslirp's calls are
 * bound (ld.so(8)), so each address that it wants to reach is seen once more, after all its translations, whatever path
 * led there. This does not replace the frame filter, which keeps bad frames from its parsers; it makes a hole in one a
 * hole in none.
 *
 * The crack: libslirp 4.7 frees a segment twice when connect(2) is refused at once (tcp_input() answers with the segment's
 * buffer, then frees it; the fuzzer found it). Linux was not seen to do that to a non-blocking socket, but nothing promises
 * that it never will. libslirp handles a refusal that comes later well, so every refusal is made to come later. */
#pragma once

#include <stdbool.h>
#include <sys/socket.h>

/* Lets libslirp reach the host's loopback. Before the first packet; not undone. */
void slirp_calls_allow_loopback(void);

/* connect(2) without the wall, for sdpod-net itself. */
int slirp_calls_connect(int fd, const struct sockaddr *address, socklen_t size);

/* Whether libslirp may send to this address: not to loopback (but for DNS), unspecified, link-local (but for DNS),
 * IPv4-mapped, multicast and broadcast ones. */
bool slirp_calls_may_reach(const struct sockaddr *address, socklen_t size);
