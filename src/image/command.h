/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of sdpod-image, see README.md. */
#pragma once

/* Parses, works, prints. Returns the exit status. */
int image_command(int argc, char **argv);
