/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of sdpod-image that send images away: push, and the manifest lists. */
#pragma once

/* Parses, works, prints. Returns the exit status. */
int push_command(int argc, char **argv);
