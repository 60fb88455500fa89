/* SPDX-License-Identifier: Apache-2.0 */
/* Building JSON objects key by key, where the first failure is remembered: private to the files of inspect. */
#pragma once

#include "state/container.h"

typedef struct View {
        json_t *object;
        bool failed;
} View;

#define VIEW_NULL ((View){ .object = json_object() })

static inline void view_done(View *v) {
        json_decref(v->object);
}
#define _cleanup_view_ _cleanup_(view_done)

/* All append; `value` is taken over, NULL counts as a failure. */
void view_add(View *v, const char *key, json_t *value);
void view_string(View *v, const char *key, const char *value); /* NULL: "" */
void view_integer(View *v, const char *key, int64_t value);
void view_bool(View *v, const char *key, bool value);
void view_time(View *v, const char *key, int64_t usec);
void view_strv(View *v, const char *key, char *const *value); /* NULL: [] */
void view_map(View *v, const char *key, char *const *pairs);  /* sorted by key; NULL: {} */

/* Hands the object over, or NULL where something failed. */
json_t *view_take(View *v);

/* The Config and HostConfig objects; NULL when out of memory. */
json_t *inspect_config(const Container *container);
json_t *inspect_host_config(const Container *container);

/* "80/tcp": [{"HostIp": "", "HostPort": "8080"}] for all ports, and null for those that are only exposed. */
json_t *inspect_port_map(const ContainerPort *ports, size_t n, char *const *exposed);

/* Addresses of one network, of NULL all empty. */
void inspect_network_basics(View *v, const ContainerAttachment *at);

/* What a container that runs has of that network; NULL. */
const ContainerAttachment *inspect_attachment(const Container *c, const char *network) _pure_;

/* "NAME": {...} for all its networks, by name. */
json_t *inspect_networks(const Container *c);

/* Whether it is a bind mount or a volume, which HostConfig.Binds lists. */
bool inspect_mount_is_bind(const ContainerMount *mount) _pure_;

/* One of the mounts. What is no volume has an empty name in a container's view, and none in a pod's (`without_name`). */
json_t *inspect_mount(const Store *store, const ContainerMount *mount, bool without_name);

/* Splits a mount's options: what is no access mode and no propagation, whether it can be written, the propagation. */
json_t *inspect_mount_options(const ContainerMount *mount, bool *ret_rw, const char **ret_propagation);
