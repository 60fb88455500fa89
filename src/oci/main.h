/* SPDX-License-Identifier: Apache-2.0 */
/* The command line of an OCI runtime, as runc and crun have it. */
#pragma once

/* Carries out a command line; returns the exit status. */
int oci_main(int argc, char **argv);
