/* SPDX-License-Identifier: Apache-2.0 */
/* Results of health checks in a directory of the user's. */
#include "engine/health-log.h"

#include <fcntl.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "engine/inspect-view.h"

static json_t *results(const HealthState *state) {
        _cleanup_json_ json_t *log = json_array();

        for (size_t i = 0; log && i < state->n_log; i++) {
                _cleanup_view_ View v = VIEW_NULL;

                view_time(&v, "Start", state->log[i].start_usec);
                view_time(&v, "End", state->log[i].end_usec);
                view_integer(&v, "ExitCode", state->log[i].exit_code);
                view_string(&v, "Output", state->log[i].output);
                if (json_array_append_new(log, view_take(&v)) < 0)
                        return NULL;
        }
        return TAKE_PTR(log);
}

int health_log_write(const Container *container, const HealthState *state, Error *reterr) {
        const char *directory = container->config.health.log_destination;
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *name = NULL;
        _cleanup_view_ View v = VIEW_NULL;

        if (!directory || *directory != '/')
                return 0;
        view_string(&v, "Status", state->status);
        view_integer(&v, "FailingStreak", state->failing_streak);
        view_add(&v, "Log", results(state));
        json = view_take(&v);
        name = str_format("%s-healthcheck.log", container->config.id);
        if (!json || !name)
                return error_oom(reterr);
        _cleanup_fd_ int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return error_set_errno(reterr, -errno, "cannot open --health-log-destination '%s'", directory);
        return json_write_within(dir, name, /* limit= */ SIZE_MAX, json, 0600, FILE_VOLATILE, reterr);
}

const char *health_log_for_event(const Container *container, const HealthState *state) {
        if (!str_equal(container->config.health.log_destination, "events_logger") || state->n_log == 0)
                return NULL;
        return state->log[state->n_log - 1].output;
}
