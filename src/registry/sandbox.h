/* SPDX-License-Identifier: Apache-2.0 */
/* What the process that speaks to servers may still do. */
#pragma once

#include "base/error.h"

/* Gives up for good: core dumps, being traced by the user's other processes, memory, file access, system calls. */
int fetcher_sandbox(Error *reterr);
