#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Control groups by the runtime specification (config-linux.md: Control groups, Unified): where a container's is, and what is an error.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
controller=pids
[[ $CGROUPS == v2 || -d /sys/fs/cgroup/$controller ]] || skip_all "there is no controller for $controller"
procs() { cat "$(cgroup_file $controller "$1" cgroup.procs)" 2>/dev/null; }
own=$ME-cg
remove_own() { find "$(cgroup_file $controller "$own" .)" -depth -type d -exec rmdir {} \; 2>/dev/null; find /sys/fs/cgroup -maxdepth 4 -depth -type d -path "*/$own*" -exec rmdir {} \; 2>/dev/null; }
at_end remove_own

# --- where it is
up path ".linux.cgroupsPath = \"/$own/below/this\" | .linux.resources = { pids: { limit: 50 } }"
pid=$(cat "$T/path.pid" 2>/dev/null)
is "$status:$(procs "$own/below/this")" "0:$pid" "[cgroups.path-absolute] an absolute path begins where cgroups are mounted"
is "$(cat "$(cgroup_file $controller "$own/below/this" pids.max)")" 50 "[cgroups.limits] the limits are there"
rt exec "$id" sh -c 'echo $$ >/dev/null; cat /proc/self/cgroup'
like "$out" "$own/below/this|:/$" "[cgroups.path-consistent] who comes in later is in the same one"
bundle second ".linux.cgroupsPath = \"/$own/below/this\"" sleep 1000
timeout 60 "$RUNTIME" --root "$STATE" create --bundle "$T/second" "$ME-second" >"$T/second.out" 2>&1 </dev/null
status=$? out=$(cat "$T/second.out")
like "$status:$out" '^([1-9][0-9]*:.+|0:.*(warn|WARN|not empty).*)' "[cgroups.fit] one that is not empty is not taken for another container"
rt_quietly delete --force "$ME-second"
is "$(state_of "$ME-path" .status):$(procs "$own/below/this")" "running:$pid" "[errors.leave-no-trace] ... and the first one is as it was"
rt_quietly delete --force "$ME-path"
is "$([[ -e $(cgroup_file $controller "$own/below/this" .) ]] && echo there)" "" "[delete.resources] delete removes the cgroup"
up path ".linux.cgroupsPath = \"/$own/below/this\""
is "$(procs "$own/below/this")" "$(cat "$T/path.pid" 2>/dev/null)" "[cgroups.path-consistent] the same path is the same place again"
rt_quietly delete --force "$ME-path"
up default .
pid=$(cat "$T/default.pid" 2>/dev/null)
like "$(grep -E "[:,]${controller}[:,]|^0::" "/proc/$pid/cgroup" | head -n 1)" "$ME-default" "[cgroups.path-default] without a path it has one of its own"
rt_quietly delete --force "$ME-default"
up relative ".linux.cgroupsPath = \"$own-relative\""
like "$(cat "/proc/$(cat "$T/relative.pid")/cgroup" 2>/dev/null)" "/$own-relative" "[cgroups.path-relative] a relative path is below a place of the runtime's choice"
rt_quietly delete --force "$ME-relative"
before=$(find /sys/fs/cgroup -maxdepth 2 -type d | sort)
for path in "/../../$own-out" "../../../$own-out" "/$own/../../../../../tmp/$own-out"; do
        bundle climb ".linux.cgroupsPath = \"$path\"" true
        rt run --bundle "$T/climb" "$ME-climb"
        rt_quietly delete --force "$ME-climb"
done
is "$(find / -xdev -name "$own-out" -not -path "/proc/*" -not -path "$T/*" 2>/dev/null)$(find "$T" /tmp /var/tmp -maxdepth 1 -name "$own-out")" "" \
        "[cgroups.path-invalid] a path that climbs leads out of no hierarchy"
find /sys/fs/cgroup -depth -type d -name "$own-out" -exec rmdir {} \; 2>/dev/null
if [[ $CGROUPS == v1 ]] && mkdir "/sys/fs/cgroup/freezer/$own-frozen" 2>/dev/null; then
        echo FROZEN >"/sys/fs/cgroup/freezer/$own-frozen/freezer.state"
        refuses "[cgroups.fit] a frozen cgroup is refused, and not waited for" ".linux.cgroupsPath = \"/$own-frozen\"" true
        echo THAWED >"/sys/fs/cgroup/freezer/$own-frozen/freezer.state" 2>/dev/null
        rmdir "/sys/fs/cgroup/freezer/$own-frozen" 2>/dev/null
elif [[ $CGROUPS == v2 ]] && mkdir "/sys/fs/cgroup/$own-frozen" 2>/dev/null && echo 1 2>/dev/null >"/sys/fs/cgroup/$own-frozen/cgroup.freeze"; then
        refuses "[cgroups.fit] a frozen cgroup is refused, and not waited for" ".linux.cgroupsPath = \"/$own-frozen\"" true
        echo 0 >"/sys/fs/cgroup/$own-frozen/cgroup.freeze" 2>/dev/null
        rmdir "/sys/fs/cgroup/$own-frozen" 2>/dev/null
else
        skip "[cgroups.fit] a frozen cgroup" "nothing can be frozen here"
fi

# --- limits that cannot be kept are an error
while IFS='|' read -r what filter; do
        [[ -n $what ]] || continue
        refuses "$what" ".linux.resources = $filter" true
done <<'END'
[unified.absent-controller] a key of a controller that is not there is refused|{ unified: { "nosuch.max": "1" } }
[unified.absent-controller] a key that is no file's name is refused|{ unified: { "../memory.max": "1" } }
[unified.absent-controller] a key without a controller is refused|{ unified: { "nosuch": "1" } }
[resources.fails] a limit that the kernel does not take is refused|{ pids: { limit: 9223372036854775807 }, cpu: { period: 5, quota: 5 } }
[hugetlb.page-size] a size of pages that is none is refused|{ hugepageLimits: [{ pageSize: "3MB", limit: 4096 }] }
[cpu.cpus] CPUs that are not there are refused|{ cpu: { cpus: "4000-4001" } }
END
if [[ $CGROUPS == v2 ]]; then
        up unified '.linux.resources = { unified: { "pids.max": "33", "memory.high": "104857600" } }'
        is "$status:$(cat "/sys/fs/cgroup/$ME-unified/pids.max"):$(cat "/sys/fs/cgroup/$ME-unified/memory.high")" "0:33:104857600" \
                "[unified.written][unified.controllers-enabled] keys of unified are written, and their controllers enabled"
        rt_quietly delete --force "$ME-unified"
        up update '.linux.resources = { memory: { limit: 104857600 } }' sh -c 'head -c 30000000 /dev/zero | tail -c 30000000 | sleep 1000'
        until_ok 5 sh -c "[ \$(cat /sys/fs/cgroup/$ME-update/memory.current) -gt 20000000 ]"
        feed '{ "memory": { "limit": 1000000, "checkBeforeUpdate": true } }' "$RUNTIME" --root "$STATE" update --resources - "$id"
        like "$status:$err" '^[1-9][0-9]*:.+' "[memory.check-before-update] a limit below what is used is refused where that is asked for"
        rt_quietly delete --force "$ME-update"
else
        skip "[unified.written][unified.controllers-enabled] keys of unified" "cgroup v2 has no controller here"
        skip "[memory.check-before-update] a limit below what is used" "cgroup v2 has no controller here"
fi
remove_own
is "$(without_trace)" "" "[delete.resources] nothing is left"
finish
