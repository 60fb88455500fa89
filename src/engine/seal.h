/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the program's own file out of a container's reach. */
#pragma once

/* A process of ours that enters a container shows its program as /proc/PID/exe there. Where that file belongs to the user
 * (sdpod in ~/bin), the container's root is its owner and could write to it (CVE-2019-5736). Then the program goes on from a
 * sealed copy in memory (memfd_create(2), F_ADD_SEALS), which nobody can write. A file that belongs to root needs none of
 * this for an ordinary user. Returns only when the program may go on as it is. */
void seal_own_program(char **argv);

/* The path of the program's file, also where a sealed copy of it runs. Owned; NULL with errno. */
char *seal_program_path(void);
