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
run $R --pids-limit 20 $BUSYBOX sh -c 'i=0; while [ $i -lt 40 ]; do sleep 5 & i=$((i+1)); done; echo through'
like "$err" "fork" "no process beyond the limit"
sdpod run -d --name oom --network none -m 32m --memory-swap 32m $BUSYBOX sh -c 'x=; while :; do x=$x$(head -c 1000000 /dev/zero | tr "\0" x); done' >/dev/null
run sdpod wait oom
is "$out" 137 "memory beyond the limit ends it with 137"
is "$(sdpod inspect -f '{{.State.OOMKilled}}' oom)" true "... and inspect says why"
sdpod rm oom >/dev/null
sdpod run -d --name bomb --network none --pids-limit 50 $BUSYBOX sh -c 'b() { b | b & }; b; sleep 1000' >/dev/null
run sdpod rm -f -t 0 bomb
exits 0 "a fork bomb is removed"
is "$(container_processes)" "" "... to the last process"
finish
