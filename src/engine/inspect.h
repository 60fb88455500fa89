/* SPDX-License-Identifier: Apache-2.0 */
/* The one JSON view of a container, an image and a volume: what `inspect` prints and the API answers. Field names, their
 * order and the form of values are those of `podman inspect`. */
#pragma once

#include "image/store.h"
#include "state/container.h"

typedef enum InspectFlags {
        INSPECT_SIZE = 1 << 0, /* SizeRw and SizeRootFs: reads the whole upper directory */
} InspectFlags;

/* A container, as it was loaded. */
int inspect_container(const Store *store, const Container *container, InspectFlags flags, json_t **ret, Error *reterr);

/* Bytes that the container wrote (its upper directory) and bytes with its image's layers (NULL: not wanted). */
int inspect_container_size(const Store *store, const Container *container, uint64_t *ret_rw, uint64_t *ret_rootfs,
                           Error *reterr);

/* The ports as the container has them now: really bound ones while it runs, else those it asks for. Borrowed. */
const ContainerPort *inspect_ports(const Container *container, size_t *ret_n);
