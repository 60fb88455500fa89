/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled JSON profiles on disk: seccomp/ below the data directory, which no container writes. A file is found by a hash
 * of what it was made from and counts only if it holds exactly that text and its checksum is right, so a torn or foreign
 * file means compiling again and never another filter. */
#pragma once

#include "proc/seccomp.h"

/* Both take the key: all that the result depends on. -ENOENT where nothing that counts is there. */
int seccomp_cache_read(int data_fd, const void *key, size_t n_key, SeccompFilter *ret);
int seccomp_cache_write(int data_fd, const void *key, size_t n_key, const SeccompFilter *filter);
