/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-net from its descriptors to its end. */
#pragma once

/* Runs the network of the container behind `init_pidfd` by the config in `config_fd` (see net/net-config.h).
 * `userns_fd` and `netns_fd` are its namespaces where the pidfd does not lead there, else -EBADF. All are closed as they are
 * used up. One JSON line goes to `ready_fd` when the container can use its network: {"ok":true,"ports":[...]},
 * or {"error":{"kind","message","hint"}} when it never will. Returns the program's exit status, after the container's
 * end. */
int net_program_run(int config_fd, int init_pidfd, int ready_fd, int userns_fd, int netns_fd, int control_fd);
