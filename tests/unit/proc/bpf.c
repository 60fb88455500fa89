/* SPDX-License-Identifier: Apache-2.0 */
/* A machine for the instructions that seccomp filters use. */
#include "bpf.h"

#include <string.h>

enum { BROKEN = 0xdeadbeef };

static bool jump_taken(const struct sock_filter *in, uint32_t a) {
        switch (BPF_OP(in->code)) {
        case BPF_JEQ:
                return a == in->k;
        case BPF_JGE:
                return a >= in->k;
        case BPF_JGT:
                return a > in->k;
        default:
                return a & in->k;
        }
}

uint32_t bpf_run(const struct sock_filter *code, size_t n_code, const struct seccomp_data *data) {
        uint32_t a = 0;

        for (size_t pc = 0; pc < n_code; pc++) {
                const struct sock_filter *in = &code[pc];

                switch (in->code) {
                case BPF_LD | BPF_W | BPF_ABS:
                        if (in->k % 4 != 0 || in->k >= sizeof(*data))
                                return BROKEN;
                        memcpy(&a, (const char *) data + in->k, sizeof(a));
                        break;
                case BPF_ALU | BPF_AND | BPF_K:
                        a &= in->k;
                        break;
                case BPF_JMP | BPF_JA:
                        pc += in->k;
                        break;
                case BPF_JMP | BPF_JEQ | BPF_K:
                case BPF_JMP | BPF_JGE | BPF_K:
                case BPF_JMP | BPF_JGT | BPF_K:
                case BPF_JMP | BPF_JSET | BPF_K:
                        pc += jump_taken(in, a) ? in->jt : in->jf;
                        break;
                case BPF_RET | BPF_K:
                        return in->k;
                default:
                        return BROKEN;
                }
        }
        return BROKEN;
}
