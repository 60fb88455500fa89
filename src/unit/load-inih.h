/* SPDX-License-Identifier: Apache-2.0 */
/* Whether unit files can be read by a program that is not linked with inih. */
#pragma once

#include <stdbool.h>

/* Whether libinih is installed; unit files are refused as unreadable where it is not. */
bool unit_library_is_there(void);
