/* SPDX-License-Identifier: Apache-2.0 */
/* [Container]: `sdpod run`, and what ends, reloads and removes what it started. */
#include <fcntl.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/str.h"
#include "unit/convert.h"
#include "unit/name.h"

static int call_cgroups(Convert *c) {
        const char *mode = convert_string(c, KEY_CgroupsMode);

        if (mode)
                convert_add_two(c, "--cgroups", mode);
        else
                convert_add(c, "--cgroups=split");
        return 0;
}

/* Type=oneshot waits for the container's end; everything else for its readiness, and the command does not stay. */
static int call_notify(Convert *c) {
        const char *type = convert_service_key(c, "Type"), *notify = convert_string(c, KEY_Notify);
        bool container = false;

        if (notify && strcasecmp(notify, "healthy") == 0)
                notify = "healthy";
        else {
                int r = convert_bool(c, KEY_Notify, &container);

                if (r < 0)
                        return r;
                notify = container ? "container" : "conmon";
        }
        if (type && strcmp(type, "oneshot") == 0)
                return 0;
        convert_add(c, arena_format(c->arena, "--sdnotify=%s", notify));
        convert_add(c, "-d");
        return 0;
}

/* "-/dev/x:..." is only for machines that have it. */
static int call_devices(Convert *c) {
        _cleanup_words_ Words words = {};
        int r = convert_words(c, KEY_AddDevice, UNIT_SPLIT_PLAIN, &words);

        for (size_t i = 0; i < words.n && r >= 0; i++) {
                const char *device = words.items[i];

                if (device[0] == '-') {
                        const char *path = arena_copy_n(c->arena, device + 1, strcspn(device + 1, ":"));

                        if (path && faccessat(AT_FDCWD, path, F_OK, 0) < 0 && (errno == ENOENT || errno == ENOTDIR))
                                continue;
                        device++;
                }
                if (*device)
                        convert_add_two(c, "--device", device);
        }
        return r;
}

static int call_volatile_tmp(Convert *c) {
        bool on = false, read_only = false;
        int r = convert_bool(c, KEY_VolatileTmp, &on);

        if (r >= 0)
                r = convert_bool(c, KEY_ReadOnly, &read_only);
        if (r >= 0 && on && !read_only)
                convert_add_two(c, "--tmpfs", "/tmp:rw,size=512M,mode=1777");
        return r;
}

static int call_user(Convert *c) {
        const char *user = convert_string(c, KEY_User), *group = convert_string(c, KEY_Group);

        if (!user && group)
                return convert_fail(c, unit_file_last(&c->unit->file, KEY_Group), "invalid Group set without User");
        if (user)
                convert_add_two(c, "--user", group ? arena_format(c->arena, "%s:%s", user, group) : user);
        return 0;
}

/* What ends like 80, 80-90, 80/udp or 80-90/tcp. */
static bool is_port_range(const char *s) {
        const char *slash = strrchr(s, '/');
        size_t n = slash ? (size_t) (slash - s) : strlen(s);

        if (slash && strcmp(slash, "/udp") != 0 && strcmp(slash, "/tcp") != 0)
                return false;
        return n > 0 && s[n - 1] >= '0' && s[n - 1] <= '9';
}

static int call_expose(Convert *c) {
        UnitSelect select = UNIT_SELECT(KEY_ExposeHostPort);
        const UnitEntry *e;

        for (size_t i = unit_lines_begin(&c->unit->file, &select);
             (e = unit_lines_next(&c->unit->file, &select, &i));) {
                if (!is_port_range(e->value))
                        return convert_fail(c, e, "invalid port format '%s'", e->value);
                convert_add_two(c, "--expose", e->value);
        }
        return 0;
}

static int call_pod(Convert *c) {
        const UnitEntry *e = unit_file_last(&c->unit->file, KEY_Pod);
        const char *pod = convert_string(c, KEY_Pod);
        UnitReference reference;
        bool start = true;
        int r = convert_bool(c, KEY_StartWithPod, &start);

        if (r < 0 || !pod)
                return r;
        if (!str_has_suffix(pod, ".pod"))
                return convert_fail(c, e, "pod %s is not Quadlet based", pod);
        if (!unit_set_refer(c->set, pod, c->arena, &reference) || !reference.resource)
                return convert_fail(c, e, "quadlet pod unit %s does not exist", pod);
        convert_add_two(c, "--pod", reference.resource);
        convert_add_unit(c, "BindsTo", reference.service);
        convert_add_unit(c, "After", reference.service);

        /* The pod starts its containers; a template has none until somebody names an instance. */
        Unit *unit = unit_set_find(c->set, pod);
        if (unit && start && !str_has_suffix(c->unit->service, "@"))
                words_add(&unit->starts, arena_format(&c->set->arena, "%s.service", c->unit->service));
        return 0;
}

static const UnitRow rows[] = {
        { KEY_LogDriver, KIND_STRING, "--log-driver" },
        { KEY_LogOpt, KIND_WORDS, "--log-opt" },
        { KEY_CgroupsMode, KIND_ALWAYS, .call = call_cgroups },
        { KEY_Entrypoint, KIND_JOINED_EMPTY, "--entrypoint" },
        { KEY_HostName, KIND_STRING, "--hostname" },
        { KEY_IP, KIND_STRING, "--ip" },
        { KEY_IP6, KIND_STRING, "--ip6" },
        { KEY_Memory, KIND_STRING, "--memory" },
        { KEY_PidsLimit, KIND_STRING, "--pids-limit" },
        { KEY_Pull, KIND_STRING, "--pull" },
        { KEY_Retry, KIND_STRING, "--retry" },
        { KEY_RetryDelay, KIND_STRING, "--retry-delay" },
        { KEY_ShmSize, KIND_STRING, "--shm-size" },
        { KEY_StopSignal, KIND_STRING, "--stop-signal" },
        { KEY_StopTimeout, KIND_STRING, "--stop-timeout" },
        { KEY_Timezone, KIND_STRING, "--tz" },
        { KEY_WorkingDir, KIND_STRING, "--workdir" },
        { KEY_AddHost, KIND_LINES, "--add-host" },
        { KEY_DNS, KIND_LINES, "--dns" },
        { KEY_DNSOption, KIND_LINES, "--dns-option" },
        { KEY_DNSSearch, KIND_LINES, "--dns-search" },
        { KEY_GroupAdd, KIND_LINES, "--group-add" },
        { KEY_NetworkAlias, KIND_LINES, "--network-alias" },
        { KEY_Tmpfs, KIND_LINES, "--tmpfs" },
        { KEY_Ulimit, KIND_LINES, "--ulimit" },
        { KEY_EnvironmentHost, KIND_BOOL, "--env-host" },
        { KEY_HttpProxy, KIND_BOOL, "--http-proxy" },
        { KEY_ReadOnlyTmpfs, KIND_BOOL, "--read-only-tmpfs" },
        { KEY_RunInit, KIND_BOOL, "--init" },
        { KEY_Network, KIND_CALL, .call = convert_call_networks },
        { KEY_Notify, KIND_ALWAYS, .call = call_notify },
        { KEY_NoNewPrivileges, KIND_SWITCH, "--security-opt=no-new-privileges" },
        { KEY_SecurityLabelDisable, KIND_SWITCH, "--security-opt", "label=disable" },
        { KEY_SecurityLabelNested, KIND_SWITCH, "--security-opt", "label=nested" },
        { KEY_SecurityLabelType, KIND_STRING, "--security-opt", "label=type:" },
        { KEY_SecurityLabelFileType, KIND_STRING, "--security-opt", "label=filetype:" },
        { KEY_SecurityLabelLevel, KIND_STRING, "--security-opt", "label=level:" },
        { KEY_AppArmor, KIND_STRING, "--security-opt", "apparmor=" },
        { KEY_AddDevice, KIND_CALL, .call = call_devices },
        { KEY_SeccompProfile, KIND_STRING, "--security-opt", "seccomp=" },
        { KEY_DropCapability, KIND_WORDS_LOWER, "--cap-drop" },
        { KEY_AddCapability, KIND_WORDS_LOWER, "--cap-add" },
        { KEY_Sysctl, KIND_WORDS, "--sysctl" },
        { KEY_ReadOnly, KIND_BOOL, "--read-only" },
        { KEY_VolatileTmp, KIND_CALL, .call = call_volatile_tmp },
        { KEY_User, KIND_ALWAYS, .call = call_user },
        { KEY_UserNS, KIND_ALWAYS, .call = convert_call_user_mappings },
        { KEY_Volume, KIND_CALL, .call = convert_call_volumes },
        { KEY_AutoUpdate, KIND_STRING, "--label", "io.containers.autoupdate=" },
        { KEY_ExposeHostPort, KIND_CALL, .call = call_expose },
        { KEY_PublishPort, KIND_LINES, "--publish" },
        { KEY_Environment, KIND_PAIRS, "--env" },
        { KEY_Label, KIND_PAIRS, "--label" },
        { KEY_Annotation, KIND_PAIRS, "--annotation" },
        { KEY_Mask, KIND_ARGS, "--security-opt", "mask=" },
        { KEY_Unmask, KIND_ARGS, "--security-opt", "unmask=" },
        { KEY_EnvironmentFile, KIND_PATHS, "--env-file" },
        { KEY_Secret, KIND_ARGS, "--secret" },
        { KEY_Mount, KIND_CALL, .call = convert_call_mounts },
        { KEY_HealthCmd, KIND_STRING, "--health-cmd" },
        { KEY_HealthInterval, KIND_STRING, "--health-interval" },
        { KEY_HealthOnFailure, KIND_STRING, "--health-on-failure" },
        { KEY_HealthLogDestination, KIND_STRING, "--health-log-destination" },
        { KEY_HealthMaxLogCount, KIND_STRING, "--health-max-log-count" },
        { KEY_HealthMaxLogSize, KIND_STRING, "--health-max-log-size" },
        { KEY_HealthRetries, KIND_STRING, "--health-retries" },
        { KEY_HealthStartPeriod, KIND_STRING, "--health-start-period" },
        { KEY_HealthTimeout, KIND_STRING, "--health-timeout" },
        { KEY_HealthStartupCmd, KIND_STRING, "--health-startup-cmd" },
        { KEY_HealthStartupInterval, KIND_STRING, "--health-startup-interval" },
        { KEY_HealthStartupRetries, KIND_STRING, "--health-startup-retries" },
        { KEY_HealthStartupSuccess, KIND_STRING, "--health-startup-success" },
        { KEY_HealthStartupTimeout, KIND_STRING, "--health-startup-timeout" },
        { KEY_Pod, KIND_CALL, .call = call_pod },
        { KEY_PodmanArgs, KIND_CALL, .call = convert_call_podman_args },
        { KEY_ContainerName, KIND_ELSEWHERE },
        { KEY_ContainersConfModule, KIND_ELSEWHERE },
        { KEY_Exec, KIND_ELSEWHERE },
        { KEY_GIDMap, KIND_ELSEWHERE },
        { KEY_GlobalArgs, KIND_ELSEWHERE },
        { KEY_Group, KIND_ELSEWHERE },
        { KEY_Image, KIND_ELSEWHERE },
        { KEY_ReloadCmd, KIND_ELSEWHERE },
        { KEY_ReloadSignal, KIND_ELSEWHERE },
        { KEY_RemapGid, KIND_ELSEWHERE },
        { KEY_RemapUid, KIND_ELSEWHERE },
        { KEY_RemapUidSize, KIND_ELSEWHERE },
        { KEY_RemapUsers, KIND_ELSEWHERE },
        { KEY_Rootfs, KIND_ELSEWHERE },
        { KEY_ServiceName, KIND_ELSEWHERE },
        { KEY_StartWithPod, KIND_ELSEWHERE },
        { KEY_SubGIDMap, KIND_ELSEWHERE },
        { KEY_SubUIDMap, KIND_ELSEWHERE },
        { KEY_UIDMap, KIND_ELSEWHERE },
};

/* The words of the last line; a line that cannot be taken apart is left out, as if it were not there. */
static int last_command(Convert *c, UnitKey key, Words *words) {
        const UnitEntry *e = unit_file_last(&c->unit->file, key);
        int r = e ? unit_split(c->arena, e->value, UNIT_SPLIT_ESCAPES, words) : 0;

        if (r != -EINVAL)
                return r;
        unit_warn(c->set, c->unit, e->source, e->line, "unsupported escape char in %s=%s, leaving the line out",
                  e->name, e->value);
        return 0;
}

static int add_reload(Convert *c) {
        const char *signal = convert_string(c, KEY_ReloadSignal);
        _cleanup_words_ Words words = {}, command = {};
        int r = last_command(c, KEY_ReloadCmd, &command);

        if (r < 0 || (!signal && command.n == 0))
                return r;
        if (signal && command.n > 0)
                return convert_fail(c, unit_file_last(&c->unit->file, KEY_ReloadSignal),
                                    "ReloadCmd and ReloadSignal are mutually exclusive but both are set");
        if (signal)
                return convert_add_exec_words(c, "ExecReload", "", "kill", "--signal", signal, c->name);
        words_add(&words, "exec");
        words_add(&words, c->name);
        for (size_t i = 0; i < command.n; i++)
                words_add(&words, command.items[i]);
        return words.failed ? -ENOMEM : convert_add_exec(c, "ExecReload", "", words.items, words.n);
}

static int find_image(Convert *c, const char **ret_image, const char **ret_rootfs) {
        const UnitEntry *e = unit_file_last(&c->unit->file, KEY_Image);
        const char *image = convert_string(c, KEY_Image);

        *ret_rootfs = convert_string(c, KEY_Rootfs);
        *ret_image = NULL;
        if (!image && !*ret_rootfs)
                return convert_fail(c, e, "no Image or Rootfs key specified");
        if (image && *ret_rootfs)
                return convert_fail(c, e, "the Image And Rootfs keys conflict can not be specified together");
        return image ? convert_image(c, e, image, ret_image) : 0;
}

/* Everything around the run itself. Stopping removes: the container is made anew at each start. */
static int add_service_lines(Convert *c) {
        bool oneshot;

        convert_add_service(c, "Environment", "PODMAN_SYSTEMD_UNIT=%n");
        int r = convert_kill_mode(c);
        if (r >= 0)
                r = convert_add_exec_words(c, "ExecStop", "", "rm", "-v", "-f", "-i", c->name);
        if (r >= 0)
                r = convert_add_exec_words(c, "ExecStopPost", "-", "rm", "-v", "-f", "-i", c->name);
        if (r >= 0)
                r = add_reload(c);
        if (r < 0)
                return r;
        convert_add_service(c, "Delegate", "yes");
        r = convert_notify_type(c, &oneshot);
        convert_default_service(c, "SyslogIdentifier", "%N");
        return r;
}

static int convert_container(Convert *c) {
        const char *image, *rootfs;
        int r = find_image(c, &image, &rootfs);

        if (r < 0)
                return r;
        c->name = convert_string(c, KEY_ContainerName);
        if (!c->name)
                c->name = unit_name_at(c->unit->name) ? "systemd-%p_%i" : "systemd-%N";
        r = add_service_lines(c);
        if (r < 0)
                return r;
        convert_add(c, "run");
        convert_add_two(c, "--name", c->name);
        convert_add_two(c, "--replace", "--rm");
        r = convert_add_rows(c);
        if (r < 0)
                return r;
        if (image)
                convert_add(c, image);
        else
                convert_add_two(c, "--rootfs", rootfs);
        r = last_command(c, KEY_Exec, &c->argv);
        return r < 0 ? r : convert_add_exec(c, "ExecStart", "", c->argv.items, c->argv.n);
}

const UnitTypeInfo unit_container_info = {
        .name = "container",
        .group = "Container",
        .infix = "",
        .order = 4,
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
        .convert = convert_container,
};
