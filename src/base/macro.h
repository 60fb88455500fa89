/* SPDX-License-Identifier: Apache-2.0 */
/* The few language helpers every room uses: cleanup attributes, ownership transfer, array sizes. */
#pragma once

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#define _cleanup_(f) __attribute__((cleanup(f)))
#define _printf_(a, b) __attribute__((format(printf, a, b)))
#define _pure_ __attribute__((pure))
#define _noreturn_ __attribute__((noreturn))
#define _unused_ __attribute__((unused))
#define _sentinel_ __attribute__((sentinel))

#define ELEMENTSOF(a) (sizeof(a) / sizeof((a)[0]))
#define STRLEN(literal) (sizeof(literal "") - 1)
#define FLAGS_SET(v, flags) (((v) & (flags)) == (flags))
#define MACRO_NAME_(name, n) name##n
#define MACRO_NAME(name, n) MACRO_NAME_(name, n)
#define MIN_ONCE_(a, b, n)                                                                              \
        ({                                                                                              \
                __typeof__(a) MACRO_NAME(_a, n) = (a);                                                  \
                __typeof__(b) MACRO_NAME(_b, n) = (b);                                                  \
                MACRO_NAME(_a, n) < MACRO_NAME(_b, n) ? MACRO_NAME(_a, n) : MACRO_NAME(_b, n);          \
        })
#define MAX_ONCE_(a, b, n)                                                                              \
        ({                                                                                              \
                __typeof__(a) MACRO_NAME(_a, n) = (a);                                                  \
                __typeof__(b) MACRO_NAME(_b, n) = (b);                                                  \
                MACRO_NAME(_a, n) > MACRO_NAME(_b, n) ? MACRO_NAME(_a, n) : MACRO_NAME(_b, n);          \
        })
/* Each argument is evaluated once. */
#define MIN(a, b) MIN_ONCE_(a, b, __COUNTER__)
#define MAX(a, b) MAX_ONCE_(a, b, __COUNTER__)

/* Hands over an owned pointer: yields its value and leaves NULL behind. */
#define TAKE_PTR(p)                       \
        ({                                \
                typeof(p) *_pp = &(p);    \
                typeof(p) _v = *_pp;      \
                *_pp = NULL;              \
                _v;                       \
        })

/* The same for a descriptor: leaves -EBADF behind, the value of an unset descriptor everywhere. */
#define TAKE_FD(fd)                       \
        ({                                \
                int *_pf = &(fd);         \
                int _f = *_pf;            \
                *_pf = -EBADF;            \
                _f;                       \
        })

/* Defines name_p(), which a cleanup attribute can call, from a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, destructor)                          \
        static inline void destructor##p(type **p) {              \
                if (*p)                                           \
                        (void) destructor(*p);                    \
        }

static inline void freep(void *p) {
        free(*(void **) p);
}

#define _cleanup_free_ _cleanup_(freep)

/* Repeats a system call that was interrupted by a signal. */
#define RETRY_EINTR(call)                                         \
        ({                                                        \
                long _r;                                          \
                do                                                \
                        _r = (long) (call);                       \
                while (_r < 0 && errno == EINTR);                 \
                _r;                                               \
        })
