/* SPDX-License-Identifier: Apache-2.0 */
/* The socket at which a created init waits. */
#pragma once

#define OCI_START_SOCKET "start"

enum { OCI_START_WORD = 's' }; /* the one message: go */
