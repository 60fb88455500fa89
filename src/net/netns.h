/* SPDX-License-Identifier: Apache-2.0 */
/* A network namespace seen from inside: what the container's init does itself. */
#pragma once

/* Brings `lo` up in the caller's network namespace (netdevice(7)); needs CAP_NET_ADMIN there. 127.0.0.1 and ::1 follow by
 * themselves. Allocates nothing, so it may be called between clone and exec. Returns 0 or -errno. */
int netns_loopback_up(void);
