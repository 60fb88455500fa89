/* SPDX-License-Identifier: Apache-2.0 */
/* [Kube]: `sdpod kube play` and down. */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "unit/convert.h"

/* "registry", or "registry" for one container: "name/registry". */
static int call_auto_update(Convert *c) {
        _cleanup_words_ Words words = {};
        int r = convert_words(c, KEY_AutoUpdate, UNIT_SPLIT_PLAIN, &words);

        for (size_t i = 0; i < words.n && r >= 0; i++) {
                const char *word = words.items[i], *slash = strchr(word, '/');

                if (slash)
                        convert_add(c, arena_format(c->arena, "--annotation=io.containers.autoupdate/%.*s=%s",
                                                    (int) (slash - word), word, slash + 1));
                else
                        convert_add(c, arena_format(c->arena, "--annotation=io.containers.autoupdate=%s", word));
        }
        return r;
}

static const UnitRow rows[] = {
        { KEY_ExitCodePropagation, KIND_JOINED, "--service-exit-code-propagation" },
        { KEY_LogDriver, KIND_STRING, "--log-driver" },
        { KEY_LogOpt, KIND_WORDS, "--log-opt" },
        { KEY_UserNS, KIND_ALWAYS, .call = convert_call_user_mappings_not_manual },
        { KEY_Network, KIND_CALL, .call = convert_call_networks },
        { KEY_AutoUpdate, KIND_CALL, .call = call_auto_update },
        { KEY_ConfigMap, KIND_WORD_PATHS, "--configmap" },
        { KEY_PublishPort, KIND_LINES, "--publish" },
        { KEY_PodmanArgs, KIND_CALL, .call = convert_call_podman_args },
        { KEY_ContainersConfModule, KIND_ELSEWHERE },
        { KEY_GlobalArgs, KIND_ELSEWHERE },
        { KEY_KubeDownForce, KIND_ELSEWHERE },
        { KEY_RemapGid, KIND_ELSEWHERE },
        { KEY_RemapUid, KIND_ELSEWHERE },
        { KEY_RemapUidSize, KIND_ELSEWHERE },
        { KEY_RemapUsers, KIND_ELSEWHERE },
        { KEY_ServiceName, KIND_ELSEWHERE },
        { KEY_SetWorkingDirectory, KIND_ELSEWHERE },
        { KEY_Yaml, KIND_ELSEWHERE },
};

static int add_down(Convert *c, const Words *yaml) {
        _cleanup_words_ Words words = {};
        bool force = false, unset = true;
        int r = convert_bool(c, KEY_KubeDownForce, &force);

        if (r >= 0)
                r = convert_bool(c, KEY_KubeDownForce, &unset);
        if (r < 0)
                return r;
        words_add(&words, "kube");
        words_add(&words, "down");
        if (force == unset)
                words_add(&words, force ? "--force" : "--force=false");
        for (size_t i = 0; i < yaml->n; i++)
                words_add(&words, convert_path(c, yaml->items[i], /* exec= */ true));
        return words.failed ? -ENOMEM : convert_add_exec(c, "ExecStopPost", "", words.items, words.n);
}

static int set_working_directory(Convert *c, const Words *yaml) {
        const UnitEntry *e = unit_file_last(&c->unit->file, KEY_SetWorkingDirectory);
        const char *directory = convert_string(c, KEY_SetWorkingDirectory), *context, *result;

        if (directory && strcasecmp(directory, "yaml") == 0 && yaml->n > 1)
                return convert_fail(c, e,
                                    "SetWorkingDirectory=%s is only supported when a single Yaml key is provided",
                                    directory);
        return convert_working_directory(c, "yaml", yaml->items[0], &context, &result);
}

static int convert_kube(Convert *c) {
        _cleanup_words_ Words yaml = {};
        bool oneshot;
        int r = convert_words(c, KEY_Yaml, UNIT_SPLIT_PLAIN, &yaml);

        if (r >= 0 && (yaml.n == 0 || !*yaml.items[0]))
                return convert_fail(c, unit_file_last(&c->unit->file, KEY_Yaml), "no Yaml key specified");
        if (r >= 0)
                r = convert_kill_mode(c);
        convert_add_service(c, "Environment", "PODMAN_SYSTEMD_UNIT=%n");
        if (r >= 0)
                r = convert_notify_type(c, &oneshot);
        if (r < 0)
                return r;
        convert_default_service(c, "SyslogIdentifier", "%N");
        convert_add_two(c, "kube", "play");
        convert_add_two(c, "--replace", "--service-container=true");
        r = convert_add_rows(c);
        for (size_t i = 0; i < yaml.n; i++)
                convert_add(c, convert_path(c, yaml.items[i], /* exec= */ true));
        if (r >= 0)
                r = convert_add_exec(c, "ExecStart", "", c->argv.items, c->argv.n);
        if (r >= 0)
                r = add_down(c, &yaml);
        return r < 0 ? r : set_working_directory(c, &yaml);
}

const UnitTypeInfo unit_kube_info = {
        .name = "kube",
        .group = "Kube",
        .infix = "",
        .order = 4,
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
        .convert = convert_kube,
};
