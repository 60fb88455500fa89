/* SPDX-License-Identifier: Apache-2.0 */
/* The table of what `doctor` looks at. */
#include "engine/doctor.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "engine/doctor-check.h"
#include "ns/subid.h"

static const struct {
        const char *name;
        DoctorCheckFunction *run;
} checks[] = {
        { "user namespaces", doctor_user_namespaces },
        { "AppArmor", doctor_apparmor },
        { "subordinate IDs", doctor_subordinate_ids },
        { "newuidmap, newgidmap", doctor_id_helpers },
        { "ID map", doctor_id_map },
        { "kernel", doctor_kernel },
        { "cgroups", doctor_cgroups },
        { "user manager", doctor_manager },
        { "controllers", doctor_controllers },
        { "linger", doctor_linger },
        { "store", doctor_store },
        { "space", doctor_space },
        { "storage driver", doctor_driver },
        { "fuse-overlayfs", doctor_fuse },
        { "unfinished work", doctor_unfinished },
        { "secrets", doctor_secrets },
        { "network device", doctor_tun },
        { "networks", doctor_networks },
        { "low ports", doctor_low_ports },
        { "programs", doctor_programs },
        { "init", doctor_init_program },
        { "names of containers", doctor_names_program },
        { "monitor", doctor_monitor },
        { "restart after a boot", doctor_restart_service },
        { "unit files", doctor_generator },
        { "configuration of registries", doctor_configuration },
};

static const char *const status_words[_DOCTOR_STATUS_MAX] = { "ok", "warning", "problem" };

static const char *status_to_string(DoctorStatus status) {
        return status < _DOCTOR_STATUS_MAX ? status_words[status] : "problem";
}

static _printf_(2, 0) void set(char **field, const char *format, va_list arguments) {
        char *text = NULL;

        if (vasprintf(&text, format, arguments) < 0)
                return;
        free(*field);
        *field = text;
}

void finding_say(Finding *f, DoctorStatus status, const char *format, ...) {
        va_list arguments;

        f->status = MAX(f->status, status);
        va_start(arguments, format);
        set(&f->text, format, arguments);
        va_end(arguments);
}

void finding_cost(Finding *f, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        set(&f->cost, format, arguments);
        va_end(arguments);
}

void finding_fix(Finding *f, const char *format, ...) {
        va_list arguments;

        va_start(arguments, format);
        set(&f->fix, format, arguments);
        va_end(arguments);
}

static void finding_done(Finding *f) {
        free(f->text);
        free(f->cost);
        free(f->fix);
}

char *doctor_read_line(const char *path) {
        char *text = NULL;

        if (file_read(AT_FDCWD, path, 65536, &text, /* ret_size= */ NULL) < 0)
                return NULL;
        text[strcspn(text, "\n")] = 0;
        return text;
}

static json_t *to_json(const char *name, const Finding *f) {
        _cleanup_json_ json_t *object = json_object();
        const struct {
                const char *key, *value;
        } rows[] = {
                { "Check", name },       { "Status", status_to_string(f->status) },
                { "Finding", f->text },  { "Cost", f->cost },
                { "Fix", f->fix },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (json_object_set_new(object, rows[i].key, json_text(rows[i].value ?: "")) < 0)
                        return NULL;
        return TAKE_PTR(object);
}

int engine_doctor(const Store *store, const Error *store_error, const char *wanted_driver, json_t **ret, DoctorStatus *ret_worst,
                  Error *reterr) {
        _cleanup_json_ json_t *array = json_array();
        _cleanup_free_ char *user = subid_user_name(getuid());
        const Doctor doctor = {
                .store = store,
                .store_error = store_error,
                .wanted_driver = wanted_driver,
                .user = user ?: (char *) "USER",
                .root = geteuid() == 0 && !store_session_path(STORE_SESSION_DATA),
        };
        DoctorStatus worst = DOCTOR_OK;

        for (size_t i = 0; i < ELEMENTSOF(checks); i++) {
                __attribute__((cleanup(finding_done))) Finding f = {};

                checks[i].run(&doctor, &f);
                worst = MAX(worst, f.status);
                if (json_array_append_new(array, to_json(checks[i].name, &f)) < 0)
                        return error_oom(reterr);
        }
        *ret = TAKE_PTR(array);
        *ret_worst = worst;
        return 0;
}
