/* SPDX-License-Identifier: Apache-2.0 */
/* What is said on a monitor's socket. */
#include "monitor/protocol.h"

#include <string.h>

#include "base/str.h"

enum { TEXT_MAX = 4096 };

#define FIELD(member, name, type) JSON_FIELD(MonitorConfig, member, name, JSON_FIELD_##type)

const JsonField monitor_config_fields[] = {
        FIELD(id, "id", STRING),
        FIELD(name, "name", STRING),
        FIELD(image, "image", STRING),
        FIELD(runtime_dir, "runtimeDir", STRING),
        FIELD(driver, "driver", STRING),
        FIELD(path, "path", STRING),
        FIELD(max_size, "maxSize", UINT64),
        FIELD(tag, "tag", STRING),
        FIELD(unit, "unit", STRING),
        FIELD(terminal, "terminal", BOOL),
        FIELD(open_stdin, "openStdin", BOOL),
        FIELD(pidfd, "pidfd", BOOL),
        FIELD(net_pid, "netPid", INT64),
        FIELD(net_start_time, "netStartTime", UINT64),
        FIELD(net_command, "netCommand", STRV),
        {},
};

void monitor_config_done(MonitorConfig *config) {
        json_fields_done(monitor_config_fields, config);
}

bool monitor_id_is_valid(const char *id) {
        return id && strlen(id) == MONITOR_ID_LENGTH && strspn(id, "0123456789abcdef") == MONITOR_ID_LENGTH;
}

int monitor_config_check(const MonitorConfig *config, Error *reterr) {
        const char *const texts[] = { config->name, config->image, config->runtime_dir, config->path, config->tag,
                                      config->unit };

        if (!monitor_id_is_valid(config->id))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot watch: not a container's ID");
        for (size_t i = 0; i < ELEMENTSOF(texts); i++)
                if (texts[i] && strlen(texts[i]) >= TEXT_MAX)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot watch '%s': a text is too long", config->id);
        if (!config->runtime_dir || config->runtime_dir[0] != '/')
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot watch '%s': runtimeDir is not an absolute path",
                                 config->id);
        bool file = str_equal(config->driver, "k8s-file");
        if (!file && !str_equal(config->driver, "journald") && !str_equal(config->driver, "none"))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot watch '%s': unknown log driver '%s'", config->id,
                                 config->driver ?: "");
        if (file && (!config->path || config->path[0] != '/'))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot watch '%s': the log's path is not absolute",
                                 config->id);
        return 0;
}

size_t monitor_config_n_fds(const MonitorConfig *config) {
        size_t n = config->terminal ? 1 : 2;

        return n + (config->open_stdin && !config->terminal ? 1 : 0) + (config->pidfd ? 1 : 0);
}

int monitor_check_keys(const json_t *request, const JsonField *fields, Error *reterr) {
        const char *key;
        json_t *value;

        json_object_foreach((json_t *) request, key, value) {
                const JsonField *f = fields;

                while (f && f->name && !str_equal(f->name, key))
                        f++;
                if ((!f || !f->name) && !str_equal(key, "op"))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot serve the request: unknown key '%s'", key);
        }
        return 0;
}

json_t *monitor_error_to_json(int code, const Error *error) {
        _cleanup_json_ json_t *text = json_text(error->message ?: "internal error");

        return json_pack("{s:b, s:i, s:s, s:O}", "ok", 0, "errno", -code, "kind", error_kind_to_string(error->kind), "error",
                         text);
}

int monitor_error_from_json(const json_t *answer, Error *reterr) {
        int64_t code = json_get_integer(answer, "errno", EPROTO);

        if (json_get_bool(answer, "ok", false))
                return 0;
        return error_set(reterr, code > 0 && code < 4096 ? -(int) code : -EPROTO,
                         error_kind_from_string(json_get_string(answer, "kind")), "%s",
                         json_get_string(answer, "error") ?: "the monitor's answer is not understood");
}
