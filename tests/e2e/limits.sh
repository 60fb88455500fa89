#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Limits that hold, and their end: memory, CPU and number of processes, where the user has these controllers.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
R="sdpod run --rm --network none"
for controller in memory cpu pids; do
        if why=$(lacks_controller $controller); then skip_all "$why"; fi
done
RUN_TIMEOUT=180
run $R -m 64m $BUSYBOX cat /sys/fs/cgroup/memory.max
is "$out" 67108864 "-m"
run $R -m 64m --memory-swap 128m $BUSYBOX cat /sys/fs/cgroup/memory.swap.max
is "$out" 67108864 "--memory-swap is the sum of both"
run $R --cpus 0.5 $BUSYBOX cat /sys/fs/cgroup/cpu.max
is "$out" "50000 100000" "--cpus"
run $R --cpu-shares 512 $BUSYBOX cat /sys/fs/cgroup/cpu.weight
like "$out" '^(19|20|59|50)$' "--cpu-shares becomes a weight"
run $R --pids-limit 33 $BUSYBOX cat /sys/fs/cgroup/pids.max
is "$out" 33 "--pids-limit"
run $R $BUSYBOX cat /sys/fs/cgroup/pids.max
is "$out" 2048 "the default limit of processes"
run $R -m 64m $BUSYBOX cat /sys/fs/cgroup/memory.swap.max
is "$out" 67108864 "-m alone allows as much swap again"
run $R -m 64m --memory-swap -1 $BUSYBOX cat /sys/fs/cgroup/memory.swap.max
is "$out" max "--memory-swap -1 is no limit"
run $R --memory-reservation 16m $BUSYBOX cat /sys/fs/cgroup/memory.low
is "$out" 16777216 "--memory-reservation"
run $R --cpu-quota 20000 --cpu-period 50000 $BUSYBOX cat /sys/fs/cgroup/cpu.max
is "$out" "20000 50000" "--cpu-quota and --cpu-period"
sdpod run -d --name limited --network none -m 64m --memory-swap 96m --cpus 0.5 --pids-limit 44 $BUSYBOX sleep 1000 >/dev/null
run sdpod exec limited sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max pids.max cpu.max | tr "\n" " "'
is "$out" "67108864 33554432 44 50000 100000 " "in the background the limits are the same, as seen inside"
run sdpod inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.HostConfig.NanoCpus}}' limited
is "$out" "67108864 100663296 44 500000000" "... and in inspect"
sdpod rm -f -t 0 limited >/dev/null
sdpod run -d --name default --network none $BUSYBOX sleep 1000 >/dev/null
run systemctl --user show --property TasksMax --value "sdpod-$(sdpod inspect -f '{{.Id}}' default).service"
is "$out" 2048 "the default limit of processes, in the background"
sdpod rm -f -t 0 default >/dev/null
run $R --cpus 0.2 $BUSYBOX sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done; cat /sys/fs/cgroup/cpu.stat'
like "$out" "nr_throttled [1-9]" "--cpus holds processes back"
if lacks_controller cpuset >/dev/null; then
        run $R --cpuset-cpus 0 $BUSYBOX true
        exits 126 "--cpuset-cpus is refused where the controller is not the user's"
        like "$err" Delegate "... with a hint"
else
        run $R --cpuset-cpus 0 $BUSYBOX grep Cpus_allowed_list /proc/self/status
        like "$out" "[[:space:]]0\$" "--cpuset-cpus"
fi
run $R --pids-limit 20 $BUSYBOX sh -c 'i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; echo through'
like "$err" "fork" "no process beyond the limit"
sdpod run -d --name oom --network none -m 32m --memory-swap 32m $BUSYBOX sh -c 'x=; while :; do x=$x$(head -c 1000000 /dev/zero | tr "\0" x); done' >/dev/null
run sdpod wait oom
is "$out" 137 "memory beyond the limit ends it with 137"
is "$(sdpod inspect -f '{{.State.OOMKilled}}' oom)" true "... and inspect says why"
sdpod rm oom >/dev/null
EATER='x=; while :; do x=$x$(head -c 1000000 /dev/zero | tr "\0" x); done'
run sdpod run --name oom --network none -m 32m --memory-swap 32m $BUSYBOX sh -c "$EATER"
exits 137 "in the foreground the exit code is the same"
is "$(sdpod inspect -f '{{.State.OOMKilled}}' oom)" true "... and inspect says why there, too"
run timeout 20 sdpod start -a oom
exits 137 "a second run ends so again"
sdpod rm oom >/dev/null
sdpod run --name well --network none -m 64m $BUSYBOX true
is "$(sdpod inspect -f '{{.State.OOMKilled}}' well)" false "a container that ends well was not killed for memory"
sdpod rm well >/dev/null
sdpod run -d --name bomb --network none --pids-limit 50 $BUSYBOX sh -c 'b() { b | b & }; b; sleep 1000' >/dev/null
run sdpod rm -f -t 0 bomb
exits 0 "a fork bomb is removed"
no_processes_left "... to the last process"
finish
