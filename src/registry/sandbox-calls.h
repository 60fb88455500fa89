/* SPDX-License-Identifier: Apache-2.0 */
/* The system calls that the fetcher may make. */
#pragma once

/* Installs the filter: what is not listed fails with ENOSYS. no_new_privs must be set. */
int sandbox_filter_calls(void);
