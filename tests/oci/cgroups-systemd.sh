#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers in scopes of systemd (--systemd-cgroup): the system's, and those of a user's own manager.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
if [[ $EUID == 0 ]]; then
        [[ -d /run/systemd/system ]] || skip_all "no systemd runs here"
        scope=system slice=machine.slice
else
        scope=user slice=user.slice
fi
show() { # PROPERTY: of the container's unit
        systemctl --$scope show --property "$1" --value "libpod-$id.scope"
}
rt() {
        run "$RUNTIME" --systemd-cgroup --root "$STATE" "$@"
}
# started NAME JQ CMD...
started() {
        local name=$1 filter=$2
        shift 2
        id=$ME-$name
        bundle "$name" "(.linux.cgroupsPath = \"$slice:libpod:$id\") | $filter" "$@"
        at_end rt_quietly delete --force "$id"
        "$RUNTIME" --systemd-cgroup --root "$STATE" run --detach --bundle "$T/$name" --pid-file "$T/$name.pid" "$id" >"$T/$name.out" 2>&1 </dev/null
        status=$? err=$(cat "$T/$name.out")
}

started plain '.annotations = {"org.systemd.property.TimeoutStopSec": "7", "org.systemd.property.CollectMode": "'"'inactive-or-failed'"'"}' sleep 1000
exits 0 "$scope: a container starts in a scope"
like "$(cat "/proc/$(cat "$T/plain.pid")/cgroup")" "/$slice/libpod-$id.scope" "$scope: it is in its slice"
is "$(show ActiveState) $(show Delegate) $(show Slice) $(show TimeoutStopUSec)" "active yes $slice 7s" "$scope: with its properties, and those of annotations"
rt exec "$id" true
exits 0 "$scope: more processes join it"
rt pause "$id"
is "$status $(state_of "$id" .status)" "0 paused" "$scope: it can be paused"
rt resume "$id"
rt delete --force "$id"
until_ok 5 eval '[[ $(show LoadState) == not-found ]]' # systemd hears of it
is "$status $(systemctl --$scope show --property LoadState --value "libpod-$id.scope")" "0 not-found" "$scope: the unit goes with the container"

id=$ME-bad
bundle bad '.annotations = {"org.systemd.property.TimeoutStopSec": "soon"}'
rt run --bundle "$T/bad" "$id"
like "$status:$err" '^[1-9][0-9]*:.*TimeoutStopSec.*syntax error' "$scope: an annotation that is no value is refused"
bundle bad '.linux.cgroupsPath = "/no/unit"'
rt run --bundle "$T/bad" "$id"
like "$status:$err" '^[1-9][0-9]*:.*slice:prefix:name' "$scope: a path that is no unit is refused"

if [[ $EUID == 0 && $CGROUPS == v2 ]]; then
        own='.linux.namespaces += [{ type: "user" }, { type: "cgroup" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }] |
                .linux.gidMappings = .linux.uidMappings | .process.user.uid = 7'
        cgroup_mount='{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev"'
        id=$ME-given
        bundle given "(.linux.cgroupsPath = \"$slice:libpod:$id\") | $own | .mounts += [$cgroup_mount] }]" \
                sh -c 'stat -c "%u %n" /sys/fs/cgroup /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/cgroup.subtree_control /sys/fs/cgroup/cgroup.freeze | tr "\n" " "; mkdir /sys/fs/cgroup/x && echo made'
        rt run --bundle "$T/given" "$id"
        is "$out" "7 /sys/fs/cgroup 7 /sys/fs/cgroup/cgroup.procs 7 /sys/fs/cgroup/cgroup.subtree_control 65534 /sys/fs/cgroup/cgroup.freeze made" \
                "$scope: a cgroup that is mounted writable in a cgroup namespace is the container's user's, its limits are not"
        bundle given "(.linux.cgroupsPath = \"$slice:libpod:$id\") | $own | .mounts += [$cgroup_mount, \"ro\"] }]" stat -c %u /sys/fs/cgroup
        rt run --bundle "$T/given" "$id"
        is "$out" 65534 "$scope: ... one that is not stays the host's"
fi

# --- limits are properties, and stay when systemd reads its files again
controllers=$(cat "/sys/fs/cgroup$(systemctl --$scope show --property ControlGroup --value)/cgroup.controllers" 2>/dev/null)
if [[ " $controllers " == *" memory "* && " $controllers " == *" cpu "* && " $controllers " == *" pids "* ]]; then
        started limits '.linux.resources = {memory: {limit: 67108864, swap: 100663296, reservation: 16777216}, pids: {limit: 44},
                cpu: {shares: 512, quota: 20000, period: 50000}, unified: {"memory.high": "50331648"}}' sleep 1000
        exits 0 "$scope: a container with limits starts"
        cgroup=/sys/fs/cgroup$(show ControlGroup)
        values() { cat "$cgroup"/{memory.max,memory.swap.max,memory.low,memory.high,pids.max,cpu.weight,cpu.max} | tr '\n' ' '; }
        is "$(values)" "67108864 33554432 16777216 50331648 44 59 20000 50000 " "$scope: the limits are written"
        is "$(show MemoryMax) $(show TasksMax) $(show CPUWeight) $(show MemoryHigh)" "67108864 44 59 50331648" "$scope: ... and properties"
        systemctl --$scope daemon-reload
        is "$(values)" "67108864 33554432 16777216 50331648 44 59 20000 50000 " "$scope: they stay across a reload"
        rt update --pids-limit 55 --memory 33554432 --memory-swap 33554432 "$id"
        exits 0 "$scope: an update"
        systemctl --$scope daemon-reload
        is "$(values)" "33554432 0 16777216 50331648 55 59 20000 50000 " "$scope: ... stays, too"
        rt events --stats "$id"
        is "$(jq -r '[.data.memory.usage.limit, .data.pids.limit] | join(" ")' <<<"$out")" "33554432 55" "$scope: the counters say so"
        rt delete --force "$id"
else
        skip "$scope: limits of a unit" "its controllers are '$controllers'"
fi
if [[ $EUID == 0 ]]; then
        started devices '.process.capabilities.bounding += ["CAP_MKNOD"] | .process.capabilities.effective += ["CAP_MKNOD"] | .process.capabilities.permitted += ["CAP_MKNOD"] |
                .linux.resources.devices = [{allow: false, access: "rwm"}]' sleep 1000
        rt exec "$id" sh -c 'mknod /tmp/kmsg c 1 11; mknod /tmp/null c 1 3; (: >/tmp/null) && echo null; (: >/tmp/kmsg) 2>/dev/null && echo kmsg; true'
        is "$out" null "system: device rules hold in a unit"
        systemctl daemon-reload
        rt exec "$id" sh -c '(: >/tmp/null) && echo null; (: >/tmp/kmsg) 2>/dev/null && echo kmsg; true'
        is "$out" null "system: ... and after a reload"
        rt delete --force "$id"
fi
is "$(without_trace)" "" "$scope: nothing is left behind"

# --- the same for a user
user=sdpod-units
if [[ $EUID == 0 ]] && useradd -m -s /bin/bash $user && loginctl enable-linger $user; then
        at_end sh -c "loginctl disable-linger $user; systemctl stop user@\$(id -u $user); pkill -9 -u $user; userdel -r $user"
        uid=$(id -u $user)
        systemctl start "user@$uid.service"
        until_ok 20 test -S "/run/user/$uid/systemd/private"
        mkdir -m 755 "$T/user"
        cp -r "$TESTS/oci" "$TESTS/lib" "$T/user/"
        mkdir "$T/user/built"
        cp "$T/facts" "$T/user/built/"
        cp "$(command -v "$RUNTIME")" "$T/user/sdpod-oci"
        chown -R $user: "$T/user"
        RUN_TIMEOUT=300 # for all of it
        run setpriv --reuid=$user --regid=$user --init-groups env -i PATH="$PATH" HOME="/home/$user" TESTS="$T/user" RUNTIME="$T/user/sdpod-oci" \
                XDG_RUNTIME_DIR="/run/user/$uid" DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$uid/bus" bash "$T/user/oci/cgroups-systemd.sh"
        while read -r line; do
                case $line in
                "ok "*"# SKIP "*) skip "$(sed 's/^ok [0-9]* - //; s/ # SKIP.*//' <<<"$line")" "${line##*# SKIP }" ;;
                "ok "*) pass "${line#ok * - }" ;;
                "not ok "*) fail "${line#not ok * - }" "$out" ;;
                esac
        done <<<"$out"
        exits 0 "the tests of a user's units end well"
fi
finish
