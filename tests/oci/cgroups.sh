#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What cgroups do to a container (config-linux.md, "Control groups"): limits hold, an update changes them, devices are refused,
# frozen ones stand still, none is missed by a signal to all, and nothing is left behind.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"

# The value of a file of the container's cgroup: value V1-CONTROLLER V1-FILE V2-FILE; `missing` where neither has it.
value() {
        if [[ -e /sys/fs/cgroup/$1/$id/$2 ]]; then
                cat "/sys/fs/cgroup/$1/$id/$2"
        else
                cat "/sys/fs/cgroup/$id/$3" 2>/dev/null || cat "/sys/fs/cgroup/unified/$id/$3" 2>/dev/null || echo missing
        fi
}

# holds V1-CONTROLLER V1-FILE V2-FILE V1-VALUE V2-VALUE NAME
holds() {
        local found
        found=$(value "$1" "$2" "$3")
        if [[ $found == missing ]]; then
                skip "$6" "this machine has no file $2 or $3"
        elif [[ -e /sys/fs/cgroup/$1/$id/$2 ]]; then
                is "$found" "$4" "$6"
        else
                is "$found" "$5" "$6"
        fi
}

has() { # CONTROLLER: whether one of the two has it
        [[ -d /sys/fs/cgroup/$1 ]] || grep -qw "${1/blkio/io}" /sys/fs/cgroup/cgroup.controllers /sys/fs/cgroup/unified/cgroup.controllers 2>/dev/null
}

# limited CONTROLLER NAME JQ CMD...: a container that runs, or `ok ... SKIP` and false
limited() {
        local controller=$1
        shift
        if ! has "$controller"; then
                skip "a container with limits of $controller" "this machine does not have the controller"
                return 1
        fi
        up "$@" || fail "a container with limits of $controller starts" "$err"
}

# --- values arrive
if limited memory mem '.linux.resources.memory = {limit: 67108864, reservation: 33554432, swap: 100663296}'; then
        holds memory memory.limit_in_bytes memory.max 67108864 67108864 "[memory.limit] the limit of memory"
        holds memory memory.soft_limit_in_bytes memory.low 33554432 33554432 "[memory.reservation] what is kept for it"
        holds memory memory.memsw.limit_in_bytes memory.swap.max 100663296 33554432 "[memory.swap] memory and swap"
        rt update --memory 128M --memory-swap 192M "$id"
        exits 0 "both can grow at once"
        holds memory memory.memsw.limit_in_bytes memory.swap.max 201326592 67108864 "... and do"
        rt update --memory 32M --memory-swap 32M "$id"
        exits 0 "... and shrink at once"
        holds memory memory.limit_in_bytes memory.max 33554432 33554432 "... and do"
        rt update --memory -1 "$id"
        like "$status $(value memory memory.memsw.limit_in_bytes memory.swap.max)" '^0 (max|9223372036854771712)$' "no limit on memory is none on swap"
        rt_quietly delete --force "$id"
fi
if limited cpu cpu '.linux.resources.cpu = {shares: 512, quota: 20000, period: 50000}'; then
        holds cpu cpu.shares cpu.weight 512 59 "[cpu.shares] the weight"
        holds cpu cpu.cfs_quota_us cpu.max 20000 "20000 50000" "[cpu.quota][cpu.period] the quota in a period"
        rt update --cpu-quota 30000 "$id"
        holds cpu cpu.cfs_quota_us cpu.max 30000 "30000 50000" "a quota that changes leaves the period"
        rt update --cpu-period 10000 --cpu-quota 5000 --cpu-burst 1000 "$id"
        exits 0 "all three change at once"
        holds cpu cpu.cfs_quota_us cpu.max 5000 "5000 10000" "... and do"
        holds cpu cpu.cfs_burst_us cpu.max.burst 1000 1000 "[cpu.burst] ... the burst, too"
        rt update --cpu-quota -1 "$id"
        holds cpu cpu.cfs_quota_us cpu.max -1 "max 10000" "... and no quota is none"
        rt update --cpu-idle 1 "$id"
        holds cpu cpu.idle cpu.idle 1 1 "[cpu.idle] only what others leave"
        rt_quietly delete --force "$id"
fi
if limited cpuset set '.linux.resources.cpu = {cpus: "0", mems: "0"}'; then
        holds cpuset cpuset.cpus cpuset.cpus 0 0 "[cpu.cpus] the set of CPUs"
        rt exec "$id" grep Cpus_allowed_list /proc/self/status
        like "$out" '[[:space:]]0$' "... holds for what is executed in there"
        rt_quietly delete --force "$id"
fi
if limited blkio io '.linux.resources.blockIO = {throttleReadBpsDevice: [{major: 7, minor: 0, rate: 1048576}]}'; then
        holds blkio blkio.throttle.read_bps_device io.max "7:0 1048576" "7:0 rbps=1048576 wbps=max riops=max wiops=max" "[blockIO.throttle] a limit of reading"
        rt_quietly delete --force "$id"
fi
if limited hugetlb huge '.linux.resources.hugepageLimits = [{pageSize: "2MB", limit: 4194304}]'; then
        holds hugetlb hugetlb.2MB.limit_in_bytes hugetlb.2MB.max 4194304 4194304 "[hugepageLimits] the limit of huge pages"
        rt_quietly delete --force "$id"
fi

# --- and hold
if has memory; then
        # tail keeps a line that does not end
        in_one '.linux.resources.memory = {limit: 16777216, swap: 16777216}' sh -c 'head -c 64000000 /dev/zero | tail -n 1 >/dev/null'
        is "$status" 137 "[memory.limit] memory beyond the limit ends it"
        up oom '.linux.resources.memory = {limit: 16777216, swap: 16777216}' sh -c 'while [ ! -e /tmp/go ]; do sleep 0.05; done
                head -c 64000000 /dev/zero | tail -n 1 >/dev/null; sleep 1000'
        timeout 120 "$RUNTIME" --root "$STATE" events --interval 500ms "$id" >"$T/events" 2>&1 </dev/null &
        watcher=$!
        until_ok 30 grep -q '"stats"' "$T/events" # it watches
        rt_quietly exec "$id" touch /tmp/go
        until_ok 60 grep -q '"oom"' "$T/events"
        like "$(cat "$T/events")" '"type":"oom"' "events tells of it"
        rt_quietly delete --force "$id"
        wait "$watcher"
        is "$?" 0 "... and ends with the container"
else
        skip "memory beyond the limit ends it" "this machine does not have the controller memory"
fi
if limited pids pids '.linux.resources.pids = {limit: 12}'; then
        rt exec "$id" sh -c 'i=0; while [ $i -lt 30 ]; do sleep 100 & i=$((i + 1)); done; echo all'
        like "$err" fork "[pids.limit] no process beyond the limit"
        rt update --pids-limit 1000 "$id"
        rt exec "$id" sh -c 'i=0; while [ $i -lt 30 ]; do true & i=$((i + 1)); done; wait; echo all'
        is "$out" all "... until an update allows more"
        jq -n '{pids: {limit: 9}, hugepageLimits: [{pageSize: "3MB", limit: 0}]}' >"$T/resources"
        rt update --resources "$T/resources" "$id"
        like "$status $(value pids pids.max pids.max)" '^[1-9][0-9]* 1000$' "an update that cannot be done changes nothing at all"
        jq -n '{pids: {limit: 77}}' >"$T/resources"
        feed "$(cat "$T/resources")" "$RUNTIME" --root "$STATE" update --resources - "$id"
        is "$status $(value pids pids.max pids.max)" "0 77" "update reads its resources from standard input"
        rt_quietly delete --force "$id"
fi
if limited cpu slow '.linux.resources.cpu = {quota: 5000, period: 50000}' sh -c 'while :; do :; done'; then
        until_ok 10 sh -c "'$RUNTIME' --root '$STATE' events --stats '$id' | jq -e '.data.cpu.throttling.throttledPeriods > 0'"
        is "$?" 0 "[cpu.quota] the quota holds it back, and the counters say so"
        rt events --stats "$id"
        is "$(jq -r '[.type, .id] + (.data | [has("cpu", "memory", "pids", "blkio", "hugetlb")] | map(tostring)) | join(" ")' <<<"$out")" \
                "stats $id true true true true true" "all counters are there"
        rt_quietly delete --force "$id"
fi

# --- devices
NODES='.process.capabilities.bounding += ["CAP_MKNOD"] | .process.capabilities.effective += ["CAP_MKNOD"] | .process.capabilities.permitted += ["CAP_MKNOD"]'
# /dev/kmsg is opened for writing: to read it takes more than a device rule
TRY='for d in "1 3 null" "1 11 kmsg"; do set -- $d; mknod /tmp/$3 c $1 $2 2>/dev/null || echo "no node $3"
        (: >/tmp/$3) 2>/dev/null && echo "$3 opens"; done; true'
in_one "$NODES" sh -c "$TRY"
is "$out" "null opens" "[devices.default] without a rule the default devices open, and no others"
in_one "$NODES | .linux.resources.devices = [{allow: false, access: \"rwm\"}]" sh -c "$TRY"
is "$out" "null opens" "[devices.allow] what is denied does not open, but for the default devices"
in_one "$NODES | .linux.resources.devices = [{allow: false, access: \"rwm\"}, {allow: true, type: \"c\", major: 1, minor: 11, access: \"w\"}]" sh -c "$TRY"
is "$out" $'null opens\nkmsg opens' "[devices.access] what is allowed to be written opens for that"
in_one "$NODES | .linux.resources.devices = [{allow: false, access: \"rwm\"}, {allow: true, type: \"c\", major: 1, minor: 11, access: \"r\"}]" sh -c "$TRY"
is "$out" "null opens" "... and what is allowed to be read does not"
in_one "$NODES | .linux.resources.devices = [{allow: true, access: \"rwm\"}]" sh -c "$TRY"
is "$out" $'null opens\nkmsg opens' "all devices can be allowed"
in_one "$NODES | .linux.resources.devices = [{allow: true, access: \"rwm\"}, {allow: false, type: \"c\", major: 1, minor: 11, access: \"rwm\"}]" sh -c "$TRY"
is "$out" "null opens" "... but one"

# --- standing still
up still . sh -c 'i=0; while :; do i=$((i + 1)); echo $i >/tmp/count; done'
rt pause "$id"
is "$status $(state_of "$id" .status)" "0 paused" "a paused container says so"
count=$(cat "$T/still/rootfs/tmp/count" 2>/dev/null)
for _ in 1 2 3 4 5; do rt state "$id"; done
is "$(cat "$T/still/rootfs/tmp/count")" "$count" "... and stands still"
rt resume "$id"
is "$status $(state_of "$id" .status)" "0 running" "a resumed one runs"
counted() { [[ $(cat "$T/still/rootfs/tmp/count") != "$count" ]]; }
until_ok 5 counted
is "$?" 0 "... on"
rt pause "$id"
rt delete --force "$id"
is "$status $(value pids pids.max pids.max)" "0 missing" "a paused one can be deleted"

# --- signals to all
up many . sh -c 'trap "" TERM; (trap "" TERM; while :; do sleep 100; done) & (trap "" TERM; while :; do sleep 100; done) & while :; do sleep 100; done'
at_least() { [[ $("$RUNTIME" --root "$STATE" ps --format json "$id" | jq length) -ge $1 ]]; }
until_ok 10 at_least 5
is "$?" 0 "ps knows all processes of a container"
rt kill --all "$id" KILL
stopped() { [[ $(state_of "$id" .status) == stopped ]]; }
until_ok 10 stopped
is "$?" 0 "a signal to all reaches all"
rt_quietly delete "$id"
if has pids; then
        # no PID namespace: the end of the first process is not that of the others
        up bomb '.linux.resources.pids = {limit: 300} | .linux.namespaces |= map(select(.type != "pid"))' \
                sh -c 'f() { while :; do sleep 0.01 & sleep 0.01; done; }; f & f & f & f & f'
        until_ok 10 at_least 10
        rt kill --all "$id" KILL
        emptied() { left=$(value pids cgroup.procs cgroup.procs) && [[ -z ${left/missing/} ]]; }
        until_ok 10 emptied
        is "$?:${left/missing/}" "0:" "who forks all the time does not get away"
        rt delete --force "$id"
        is "$status $(value pids pids.max pids.max)" "0 missing" "... and the cgroup goes"
fi

# --- where it goes
bundle nested '.linux.cgroupsPath = "/'"$ME-parent/deep/er"'"' sleep 1000
id=$ME-nested
at_end rt_quietly delete --force "$id"
"$RUNTIME" --root "$STATE" run --detach --bundle "$T/nested" --pid-file "$T/nested.pid" "$id" >"$T/nested.out" 2>&1 </dev/null
like "$(cat "/proc/$(cat "$T/nested.pid")/cgroup")" ":/$ME-parent/deep/er" "[cgroupsPath.absolute] an absolute path is below the hierarchy's root"
rt exec "$id" true
exits 0 "... and more processes can join it"
bundle again '.linux.cgroupsPath = "/'"$ME-parent/deep/er"'"'
rt run --bundle "$T/again" "$ME-again"
like "$status:$err" "^[1-9][0-9]*:.*cgroup is not empty" "a cgroup that is not empty is refused"
rt exec --cgroup ../.. "$id" true
like "$status:$err" '^[1-9][0-9]*:.* \.\./\.\. is not a sub cgroup path' "exec does not go to a cgroup above"
rt exec --cgroup nosuch "$id" true
like "$status:$err" '^[1-9][0-9]*:.* adding pid [0-9]+ .*/nosuch/cgroup.procs: no such file ' "... or one that is missing"
rt exec --cgroup nosuch:/ "$id" true
like "$status:$err" '^[1-9][0-9]*:.*unknown controller nosuch' "... or one of a controller that is none"
rt delete --force "$id"
is "$(find /sys/fs/cgroup -type d -path "*$ME-parent/deep/er")" "" "it is removed with the container"
find /sys/fs/cgroup -depth -type d -path "*$ME-parent*" -exec rmdir {} + 2>/dev/null

frozen=/sys/fs/cgroup/freezer/$ME-frozen
[[ -d /sys/fs/cgroup/freezer ]] || frozen=/sys/fs/cgroup/$ME-frozen
mkdir "$frozen" && { echo FROZEN >"$frozen/freezer.state" || echo 1 >"$frozen/cgroup.freeze"; } 2>/dev/null
bundle frozen ".linux.cgroupsPath = \"/$ME-frozen\""
rt run --bundle "$T/frozen" "$ME-frozen"
like "$status:$err" "^[1-9][0-9]*:.*frozen" "a frozen cgroup is refused"
is "$(test -d "$frozen" && echo there)" there "... and stays"
rmdir "$frozen"

# --- what is not there
if has rdma; then
        skip "a limit without its controller is refused by name" "this machine has all controllers"
else
        in_one '.linux.resources.rdma = {mlx5_1: {hcaHandles: 3}}'
        like "$status:$err" "^[1-9][0-9]*:.*'rdma' is not available" "a limit without its controller is refused by name"
fi
if [[ $CGROUPS == v1 ]]; then
        in_one '.linux.resources.unified = {"memory.high": "1000000"}'
        like "$status:$err" "^[1-9][0-9]*:.*cannot use unified on cgroup v1" "[unified] keys of v2 are refused on v1"
else
        up keys '.linux.resources.unified = {"memory.high": "16777216", "pids.max": "33"}'
        is "$(value x x memory.high) $(value x x pids.max)" "16777216 33" "[unified] keys of v2 are written"
        rt_quietly delete --force "$id"
        in_one '.linux.resources.unified = {"nosuch.max": "1"}'
        like "$status:$err" '^[1-9][0-9]*:.*controller "nosuch" not available' "... and refused where the kernel does not have them"
        in_one '.linux.resources.unified = {"../pids.max": "1"}'
        like "$status:$err" '^[1-9][0-9]*:.*(must be a file name|not a file of a cgroup)' "... or where they lead elsewhere"
fi
in_one '.linux.resources.hugepageLimits = [{pageSize: "../../x", limit: 1}]'
unlike "$status" '^0$' "a page size that is none is refused"
is "$(without_trace)" "" "nothing is left behind"
finish
