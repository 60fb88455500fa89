/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of an OCI runtime, as runc and crun have it. */
#pragma once

#include <stdbool.h>

/* Whether one of the words is a verb by which a process of this program goes into a container (oci/seal.h). Another word that reads so
 * does no harm. */
bool oci_main_enters(char **argv);

/* Carries out a command line; returns the exit status. */
int oci_main(int argc, char **argv);
