/* SPDX-License-Identifier: Apache-2.0 */
/* What the checks of `doctor` share: private to the files doctor*.c. */
#pragma once

#include "engine/doctor.h"

typedef struct Doctor {
        const Store *store;       /* NULL: it cannot be opened */
        const Error *store_error;
        const char *wanted_driver;
        char *user;               /* login name; "USER" where there is none; owned */
        bool root;                /* the machine's root: much of it does not concern them */
} Doctor;

typedef struct Finding {
        DoctorStatus status;
        char *text, *cost, *fix; /* owned */
} Finding;

/* Each sets a part of the finding; what does not fit into memory is left out. The status is the worse of those that were said. */
void finding_say(Finding *f, DoctorStatus status, const char *format, ...) _printf_(3, 4);
void finding_cost(Finding *f, const char *format, ...) _printf_(2, 3);
void finding_fix(Finding *f, const char *format, ...) _printf_(2, 3);

/* A file's first line, owned; NULL: there is none. */
char *doctor_read_line(const char *path);

typedef void DoctorCheckFunction(const Doctor *doctor, Finding *f);

/* doctor-user.c */
DoctorCheckFunction doctor_subordinate_ids, doctor_id_helpers, doctor_id_map, doctor_linger, doctor_manager, doctor_controllers,
        doctor_cgroups;
/* doctor-kernel.c */
DoctorCheckFunction doctor_user_namespaces, doctor_kernel, doctor_low_ports, doctor_tun, doctor_apparmor;
/* doctor-store.c */
DoctorCheckFunction doctor_store, doctor_space, doctor_driver, doctor_fuse, doctor_unfinished, doctor_secrets, doctor_networks;
/* doctor-programs.c */
DoctorCheckFunction doctor_programs, doctor_init_program, doctor_names_program, doctor_monitor, doctor_restart_service, doctor_generator, doctor_configuration;
