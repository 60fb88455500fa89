#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Annotations of crun, which Podman's users know: each one works, or is refused by name.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
terminal=$(dirname "$0")/terminal.py
call=("$RUNTIME" --root "$STATE")
annotated() { echo ".annotations = { \"run.oci.$1\": \"$2\" }"; }

# --- the caller's groups
maps='.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] | .linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 10 }]'
bundle keep "$(annotated keep_original_groups 1) | .process.user.additionalGids = [7]" grep ^Groups /proc/self/status
run setpriv --groups 3,4,5 "${call[@]}" run --bundle "$T/keep" "$ME-keep"
is "$(echo "$out" | tr -d '\t ')" "Groups:345" "run.oci.keep_original_groups: the caller's groups are the process's, and no others"
bundle keep "$(annotated keep_original_groups 0) | .process.user.additionalGids = [7]" grep ^Groups /proc/self/status
run setpriv --groups 3,4,5 "${call[@]}" run --bundle "$T/keep" "$ME-keep"
is "$(echo "$out" | tr -d '\t ')" "Groups:7" "... with the value 0 they are those of config.json"
created keep_user "$(annotated keep_original_groups 1) | .process.user.uid = 5 | $maps"
group=$T/keep_user/rootfs/etc/of-the-group
echo seen >"$group" && chgrp 4 "$group" && chmod 640 "$group"
rt_quietly start "$id"
run setpriv --groups 3,4,5 "${call[@]}" exec "$id" cat /etc/of-the-group
is "$status:$out" "0:seen" "... also for exec, and in a user namespace that does not have them: files of the group open"
run "${call[@]}" exec "$id" cat /etc/of-the-group
is "$status" 1 "... but for a caller who has no such group"

# --- where descriptors go
bundle pidfd "$(annotated pidfd_receiver "$T/pidfd.sock")" sleep 1006
run python3 "$terminal" pidfd "$T/pidfd.sock" -- "${call[@]}" run --detach --pid-file "$T/pidfd.pid" --bundle "$T/pidfd" "$ME-pidfd"
is "$out" $'fds 1 name True end True status 0\n'"$(cat "$T/pidfd.pid")" "run.oci.pidfd_receiver is --pidfd-socket"
rt_quietly delete -f "$ME-pidfd"
in_one "$(annotated seccomp.receiver "$T/none.sock") | .linux.seccomp = { defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{ names: [\"mkdir\"], action: \"SCMP_ACT_NOTIFY\" }] }" true
like "$status:$err" "^1:.*agent '$T/none.sock'" "run.oci.seccomp.receiver is where the filter's listener goes"

# --- systemd's v1 hierarchy alone
if grep -q ' /sys/fs/cgroup/systemd .*name=systemd' /proc/self/mountinfo; then
        for own in '' '| .linux.namespaces += [{ type: "cgroup" }]'; do
                in_one "$(annotated systemd.force_cgroup_v1 /sys/fs/cgroup) | .mounts += [{ destination: \"/sys/fs/cgroup\", type: \"cgroup\", source: \"cgroup\" }] $own" \
                        sh -c 'echo /sys/fs/cgroup/*; test -e /sys/fs/cgroup/systemd/cgroup.procs && echo there'
                is "$out" $'/sys/fs/cgroup/systemd\nthere' "run.oci.systemd.force_cgroup_v1: that hierarchy and no other${own:+, in a cgroup namespace}"
        done
else
        skip "the machine has no cgroup v1 hierarchy of systemd's"
fi

# --- what is not there
for pair in delegate-cgroup:sub handler:wasm hooks.stdout:/tmp/out hooks.stderr:/tmp/err mount_context_type:rootcontext seccomp.plugins:plugin.so \
        seccomp_bpf_data:AAAA seccomp_fail_unknown_syscall:1 systemd.subgroup:sub; do
        in_one "$(annotated "${pair%%:*}" "${pair#*:}")" true
        like "$status:$err" "^1:.*cannot use the annotation 'run.oci.${pair%%:*}'" "run.oci.${pair%%:*} is refused by name"
done
in_one ".annotations = { \"run.oci.systemd.subgroup\": \"\", \"run.oci.mount_context_type\": \"context\", \"run.oci.systemd.nothing\": \"1\" }" true
is "$status" 0 "values that ask for what is done anyway are none, and an annotation that nobody knows is no error"
like "$err" "warning: .*'run.oci.systemd.nothing'" "... but warned of"
finish
