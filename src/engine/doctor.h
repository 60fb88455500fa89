/* SPDX-License-Identifier: Apache-2.0 */
/* What holds this user back on this machine: a table of checks, each of which tries the thing itself where it can. */
#pragma once

#include "base/json.h"
#include "state/store.h"

typedef enum DoctorStatus {
        DOCTOR_OK,
        DOCTOR_WARNING, /* something is slower, or not to be had */
        DOCTOR_PROBLEM, /* containers do not run, or not as they should */
        _DOCTOR_STATUS_MAX,
} DoctorStatus;

/* Runs all checks: an array of objects with Check, Status ("ok", "warning", "problem"), Finding, Cost and Fix ("" where there is
 * none; a command). `store` is NULL where it cannot be opened, with the reason in `store_error`. `data_path` and `wanted_driver`
 * are --root and --storage-driver, or NULL. *ret_worst is the worst status. */
int engine_doctor(const Store *store, const Error *store_error, const char *wanted_driver, json_t **ret, DoctorStatus *ret_worst,
                  Error *reterr);
