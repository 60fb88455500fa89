/* SPDX-License-Identifier: Apache-2.0 */
/* A seccomp filter written anew in fewer instructions, with the same verdict for every call. */
#pragma once

#include <linux/filter.h>

#include "base/macro.h"

/* Takes any filter of the instructions that libseccomp writes. Returns an owned program in *ret, or -ENOTSUP: it has others,
 * or is larger than is worth the trouble, or nothing would be gained; what there was is then as good. -ENOMEM. */
int seccomp_shrink(const struct sock_filter *code, size_t n_code, struct sock_filter **ret, size_t *ret_n);
