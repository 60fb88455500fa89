/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a seccomp filter by hand, as the kernel's classic BPF machine would (networking/filter.rst, seccomp(2)). */
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>

#include "base/macro.h"

/* Returns the verdict, or 0xdeadbeef for an instruction that seccomp does not know or a jump out of the program. */
uint32_t bpf_run(const struct sock_filter *code, size_t n_code, const struct seccomp_data *data);
