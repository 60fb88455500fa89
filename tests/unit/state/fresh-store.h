/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the store begin with: an empty one, and containers in it. */
#pragma once

#include "base/str.h"
#include "base/test.h"
#include "state/container.h"

static inline void fresh_store(Store *store) {
        char name[] = "/tmp/sdpod-state-XXXXXX";
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK(mkdtemp(name));
        _cleanup_free_ char *data = str_format("%s/data", name), *runtime = str_format("%s/run", name);
        CHECK_INT(store_open(data, runtime, store, &error), 0);
}

/* Makes a container of this name, or of the one that it is given. Returns as container_create() does. */
static inline int create_container(Store *store, const char *name, Container *ret) {
        ContainerConfig config = CONTAINER_CONFIG_NULL;

        if (name)
                config.name = strdup(name);
        int r = container_create(store, &config, ret, /* reterr= */ NULL);
        container_config_done(&config);
        return r;
}
