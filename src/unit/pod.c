/* SPDX-License-Identifier: Apache-2.0 */
/* [Pod]: `sdpod pod create`, start, stop and rm; its containers are started with it. */
#include "unit/convert.h"

static int call_exit_policy(Convert *c) {
        const char *policy = convert_string(c, KEY_ExitPolicy);

        convert_add_two(c, "--exit-policy", policy ? policy : "stop");
        return 0;
}

static int call_name(Convert *c) {
        convert_add_two(c, "--infra-name", arena_format(c->arena, "%s-infra", c->name));
        convert_add_two(c, "--name", c->name);
        return 0;
}

static const UnitRow rows[] = {
        { KEY_ExitPolicy, KIND_ALWAYS, .call = call_exit_policy },
        { KEY_UserNS, KIND_ALWAYS, .call = convert_call_user_mappings },
        { KEY_PublishPort, KIND_LINES, "--publish" },
        { KEY_Label, KIND_PAIRS, "--label" },
        { KEY_Network, KIND_CALL, .call = convert_call_networks },
        { KEY_IP, KIND_STRING, "--ip" },
        { KEY_IP6, KIND_STRING, "--ip6" },
        { KEY_ShmSize, KIND_STRING, "--shm-size" },
        { KEY_AddHost, KIND_LINES, "--add-host" },
        { KEY_DNS, KIND_LINES, "--dns" },
        { KEY_DNSOption, KIND_LINES, "--dns-option" },
        { KEY_DNSSearch, KIND_LINES, "--dns-search" },
        { KEY_HostName, KIND_LINES, "--hostname" },
        { KEY_NetworkAlias, KIND_LINES, "--network-alias" },
        { KEY_Volume, KIND_CALL, .call = convert_call_volumes },
        { KEY_PodName, KIND_ALWAYS, .call = call_name },
        { KEY_PodmanArgs, KIND_CALL, .call = convert_call_podman_args },
        { KEY_ContainersConfModule, KIND_ELSEWHERE },
        { KEY_GIDMap, KIND_ELSEWHERE },
        { KEY_GlobalArgs, KIND_ELSEWHERE },
        { KEY_RemapGid, KIND_ELSEWHERE },
        { KEY_RemapUid, KIND_ELSEWHERE },
        { KEY_RemapUidSize, KIND_ELSEWHERE },
        { KEY_RemapUsers, KIND_ELSEWHERE },
        { KEY_ServiceName, KIND_ELSEWHERE },
        { KEY_StopTimeout, KIND_ELSEWHERE },
        { KEY_SubGIDMap, KIND_ELSEWHERE },
        { KEY_SubUIDMap, KIND_ELSEWHERE },
        { KEY_UIDMap, KIND_ELSEWHERE },
};

static int convert_pod(Convert *c) {
        const char *timeout = convert_string(c, KEY_StopTimeout);

        if (c->unit->starts.failed)
                return -ENOMEM;
        for (size_t i = 0; i < c->unit->starts.n; i++) {
                convert_add_unit(c, "Wants", c->unit->starts.items[i]);
                convert_add_unit(c, "Before", c->unit->starts.items[i]);
        }
        convert_default_service(c, "SyslogIdentifier", "%N");
        timeout = arena_format(c->arena, "--time=%s", timeout ? timeout : "10");
        int r = convert_add_exec_words(c, "ExecStart", "", "pod", "start", c->name);
        if (r >= 0)
                r = convert_add_exec_words(c, "ExecStop", "", "pod", "stop", "--ignore", timeout, c->name);
        if (r >= 0)
                r = convert_add_exec_words(c, "ExecStopPost", "", "pod", "rm", "--ignore", "--force", c->name);
        if (r < 0)
                return r;
        convert_add_two(c, "pod", "create");
        convert_add_two(c, "--infra-conmon-pidfile=%t/%N.pid", "--replace");
        r = convert_add_rows(c);
        if (r >= 0)
                r = convert_add_exec(c, "ExecStartPre", "", c->argv.items, c->argv.n);
        convert_add_service(c, "Environment", "PODMAN_SYSTEMD_UNIT=%n");
        convert_replace_service(c, "Type", "forking");
        convert_default_service(c, "Restart", "on-failure");
        convert_replace_service(c, "PIDFile", "%t/%N.pid");
        return r;
}

const UnitTypeInfo unit_pod_info = {
        .name = "pod",
        .group = "Pod",
        .infix = "-pod",
        .order = 5,
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
        .convert = convert_pod,
};
