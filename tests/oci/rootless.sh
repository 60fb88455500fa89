#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers of an ordinary user who has nothing but subordinate IDs: no session, no delegated cgroup.
# oci: user
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
user=$(id -un) uid=$(id -u) gid=$(id -g)
sysfs='.mounts |= map(if .destination == "/sys" then { destination: "/sys", type: "none", source: "/sys", options: ["rbind", "nosuid", "noexec", "nodev", "ro"] } else . end)'

in_one "$sysfs" facts
facts_read
is "$status:$err" "0:" "a container of an ordinary user"
is "$(fact uid):$(fact uidmap.0 | tr -s ' ' | sed 's/^ //'):$(fact gidmap.0 | tr -s ' ' | sed 's/^ //')" "0 0:0 $uid 1:0 $gid 1" "[userns.mappings] its root is the user"
is "$(fact cap.effective)" 0000000000000021 "[capabilities.effective] its capabilities are those it was given"
is "$(fact file./dev/null | cut -d' ' -f1,2) $(fact file./dev/tty | cut -d' ' -f2)" "0020666 1:3 5:0" "[devices.default] the default devices are there"
is "$(fact setgroups.0)" deny "one who maps one ID alone may not set groups"
unlike "$(fact ns.user)" "^$(readlink /proc/self/ns/user | sed 's/[][]/\\&/g')$" "[namespace.new] the user namespace is a new one"

read -r first count < <(awk -F: -v u="$user" '$1 == u { print $2, $3; exit }' /etc/subuid)
if [[ -z ${first-} ]] || ! command -v newuidmap >/dev/null; then
        skip "subordinate IDs" "the user has none, or newuidmap is not installed"
else
        read -r gfirst gcount < <(awk -F: -v u="$user" '$1 == u { print $2, $3; exit }' /etc/subgid)
        maps=".linux.uidMappings = [{ containerID: 0, hostID: $uid, size: 1 }, { containerID: 1, hostID: $first, size: $count }] |
                .linux.gidMappings = [{ containerID: 0, hostID: $gid, size: 1 }, { containerID: 1, hostID: $gfirst, size: $gcount }]"
        in_one "$sysfs | $maps | .process.user = { uid: 5, gid: 6, additionalGids: [7] }" facts
        facts_read
        is "$status:$(fact uid) $(fact gid) $(fact groups)" "0:5 5 6 6 7" "[userns.mappings] with subordinate IDs any user of the container's"
        like "$(facts_like 'uidmap.*' | tr -s ' ')" "1 $first $count" "... which newuidmap maps"
        refuses "[values.invalid] IDs that are not the user's are refused" "$sysfs | .linux.uidMappings = [{ containerID: 0, hostID: 1, size: 10 }] | .linux.gidMappings = [{ containerID: 0, hostID: 1, size: 10 }]" true
fi

up life "$sysfs" sh -c 'echo began; sleep 1000'
is "$status:$err" "0:" "[create.creates] create and start"
until_ok 5 grep -q began "$T/life.out"
rt exec "$id" sh -c 'id -u; cat /proc/1/comm'
like "$status:$out" '^0:0'$'\n''(sh|sleep)$' "exec"
rt exec --user 0 --cap CAP_SYS_ADMIN "$id" facts
facts_read
is "$status:$(fact cap.inheritable)" "0:0000000000000000" "[S42] exec with more capabilities makes none inheritable"
rt kill "$id" KILL
until_ok 5 sh -c "[ \$('$RUNTIME' --root '$STATE' state '$id' | jq -r .status) = stopped ]"
rt delete "$id"
exits 0 "[delete.resources] delete"
refuses "a limit that no cgroup can keep is refused" "$sysfs | .linux.resources = { memory: { limit: 100000000 } } | .linux.cgroupsPath = \"/$ME-nowhere\"" true

created shared "$sysfs | .linux.namespaces |= map(select(.type != \"pid\")) | .mounts |= map(if .destination == \"/proc\" then { destination: \"/proc\", type: \"none\", source: \"/proc\", options: [\"rbind\"] } else . end)"
like "$status:$err" '^0:.*neither a cgroup nor a PID namespace.*strongly discouraged' "processes that could not be killed with the container are warned of"
rt_quietly delete --force "$id"

# --- the state where no --root says another place
bundle plain "$sysfs" sleep 1000
at_end "$RUNTIME" delete --force "$ME-default"
timeout 60 "$RUNTIME" create --bundle "$T/plain" "$ME-default" >"$T/default.out" 2>&1 </dev/null
is "$?:$(cat "$T/default.out")" "0:" "without --root the state is in the user's runtime directory"
is "$("$RUNTIME" state "$ME-default" | jq -r .status):$(find "$XDG_RUNTIME_DIR" -name "$ME-default" | wc -l)" "created:1" "... and is found there"
is "$(find "$XDG_RUNTIME_DIR" -mindepth 1 -maxdepth 1 -type d -perm /077 | head -n 1)" "" "... where nobody else can read it"
"$RUNTIME" delete --force "$ME-default" >/dev/null 2>&1
is "$(find "$XDG_RUNTIME_DIR" -name "$ME-default")" "" "... and goes with the container"
is "$(without_trace)" "" "[delete.resources] nothing is left"
finish
