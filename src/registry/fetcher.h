/* SPDX-License-Identifier: Apache-2.0 */
/* The process that has the network, and nothing else.
 *
 * Theory of operation. A child of sdpod-image that keeps one socket and the memory it was forked with: the endpoints of one
 * repository with their credentials. It reads answers of servers, which are hostile; so it can open no file but those of name
 * resolution and certificates, execute nothing, make no other kind of socket than internet ones (sandbox.h). It is not
 * dumpable. One thread, one loop (fetcher.c): requests from the parent, libcurl's sockets, pipes that had been full, timers.
 * Each request is a Transfer (transfer.h): one or more HTTP exchanges, of which never two at once. It ends with its parent. */
#pragma once

#include <sys/types.h>

#include "registry/endpoint.h"

/* In the child. `endpoints` and `options` are the parent's, as they were at the fork. */
_noreturn_ void fetcher_main(const Endpoints *endpoints, const RegistryOptions *options, int socket);
