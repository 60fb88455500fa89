/* SPDX-License-Identifier: Apache-2.0 */
/* The directory of a network's names; for net/names-start.c. */
#pragma once

/* Opens it, and makes it if need be. A descriptor or -errno. */
int names_open_directory(int directory_fd, const char *network);
