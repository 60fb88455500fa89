/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a user's manager, and so what runs in the background, outlives the login. */
#pragma once

#include "state/store.h"

/* Whether the user lingers (loginctl(1)); root's manager always does. */
bool linger_is_on(const char *user);

/* Tells a person at a terminal, once a login, that their container will end with it. */
void linger_tell(const Store *store);
