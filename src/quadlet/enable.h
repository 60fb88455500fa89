/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a unit file's service is started by itself: systemctl(1) can neither enable nor disable what a generator has made, so
 * [Install] is changed by drop-ins.
 *
 * A unit that nothing wants gets "sdpod-enable.conf", which says WantedBy=; one that something wants gets "zz-sdpod-disable.conf",
 * which takes all of it back. Either verb first removes what the other one has written, and stops where that is enough: so each
 * undoes the other exactly. An instance of a template is enabled by a link to the template's file. */
#pragma once

#include "quadlet/place.h"

typedef struct QuadletEnable {
        bool enable;     /* false: disable */
        bool reload;
        bool now;        /* start or stop the service, too */
} QuadletEnable;

/* *ret are sentences about what was done, owned. */
int quadlet_enable(const char *word, const QuadletEnable *options, char ***ret, Error *reterr);

/* Removes what quadlet_enable() has written about the file `name` in this directory. */
void quadlet_enable_forget(int dir_fd, const char *name);
