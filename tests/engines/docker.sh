#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# dockerd with the runtime as its default one: what `docker` asks of a container's life, and what is left.
# shellcheck source=tests/engines/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/engines/dockerd.sh
. "$(dirname "$0")/dockerd.sh"
if why=$(lacks_program dockerd docker containerd iptables); then skip_all "$why"; fi

export DOCKER_HOST=unix://$T/docker.sock DOCKER_CONFIG=$T/client
dockerd_start "$T"
until_ok 30 docker version || { fail "dockerd starts" "$(tail -n 20 "$T/dockerd.log")"; finish; }
of() { docker inspect --format "$1" "$2" 2>&1; }
end() { docker rm -f "$@" >/dev/null 2>&1; }

run docker load -q -i "$(image_file busybox docker-archive)"
exits 0 "an image is loaded"
run docker info --format '{{.DefaultRuntime}} {{.CgroupDriver}}'
is "$out" "tested cgroupfs" "the runtime is the default one"
rm_run() { run docker run --rm "$@"; }

# --- in the foreground
rm_run "$BUSYBOX" sh -c 'echo out; echo err >&2'
is "$status $out $err" "0 out err" "a container's output and errors come back"
rm_run "$BUSYBOX" sh -c 'exit 3'
exits 3 "so does its exit code"
rm_run "$BUSYBOX" /no/such/program
exits 127 "127 where the program is not there"
like "$err" "no such file or directory" "which is said"
rm_run "$BUSYBOX" no-such-program
exits 127 "127 where it is not in PATH"
like "$err" "executable file not found in \\\$PATH" "which is said"
rm_run "$BUSYBOX" /etc/not-a-program
exits 126 "126 where it may not be executed"
like "$err" "permission denied" "which is said"
rm_run --runtime none "$BUSYBOX" true
exits 125 "125 where docker itself fails"
run docker run --rm -i "$BUSYBOX" cat <<<""
feed "through stdin" docker run --rm -i "$BUSYBOX" cat
is "$out" "through stdin" "stdin goes in"
in_terminal /dev/ docker run --rm -t "$BUSYBOX" sh -c 'tty; exit 4'
like "$status $out" "^4 .*/dev/(pts/0|console)" "with a terminal"

# --- options
rm_run -u 1000:2000 -w /tmp -e COLOUR=blue -h box "$BUSYBOX" sh -c 'echo $(id -u):$(id -g) $PWD $COLOUR $(hostname)'
is "$out" "1000:2000 /tmp blue box" "user, directory, environment and host name"
rm_run --read-only --tmpfs /tmp:size=1m,mode=1777 "$BUSYBOX" sh -c 'touch /x; echo $?; touch /tmp/x; echo $?; df -k /tmp | tail -n 1'
like "$out" "^1"$'\n'"0"$'\n'".* 1024 " "a read-only root and a tmpfs"
mkdir "$T/shared"
rm_run -v "$T/shared:/mnt" -v "$T/shared:/ro:ro" "$BUSYBOX" sh -c 'echo there >/mnt/file; cat /ro/file; touch /ro/file; echo $?'
is "$out" "there"$'\n'"1" "volumes, one of them read-only"
rm_run --cap-drop ALL --cap-add CHOWN "$BUSYBOX" grep CapEff /proc/self/status
like "$out" "0000000000000001$" "capabilities"
rm_run --security-opt no-new-privileges "$BUSYBOX" grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status
like "$out" "NoNewPrivs:"$'\t1\n'"Seccomp:"$'\t2' "no new privileges, and the default seccomp profile"
rm_run --security-opt seccomp=unconfined "$BUSYBOX" grep Seccomp: /proc/self/status
like "$out" "0$" "none where none is asked for"
rm_run "$BUSYBOX" unshare -r true
exits 1 "the profile holds"
if why=$(lacks_capabilities); then
        skip "a privileged one has this host's capabilities and devices" "$why"
else
        rm_run --privileged "$BUSYBOX" sh -c 'test -e /dev/fuse && grep CapEff /proc/self/status'
        like "$out" "$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status)" "a privileged one has this host's capabilities and devices"
fi
rm_run --init "$BUSYBOX" sh -c 'cat /proc/1/comm'
like "$out" "init" "an init of docker's"
rm_run --pid host "$BUSYBOX" sh -c 'test $$ != 1 && readlink /proc/self/ns/pid'
is "$out" "$(readlink /proc/self/ns/pid)" "the host's PID namespace"
rm_run --network host --uts host --ipc host "$BUSYBOX" sh -c 'hostname; readlink /proc/self/ns/net'
is "$out" "engines"$'\n'"$(readlink /proc/self/ns/net)" "the host's other namespaces"
rm_run --sysctl net.ipv4.ip_forward=0 --ulimit nofile=64:128 --shm-size 2m "$BUSYBOX" sh -c 'cat /proc/sys/net/ipv4/ip_forward; ulimit -n; df -k /dev/shm | tail -n 1'
like "$out" "^0"$'\n'"64"$'\n'".* 2048 " "sysctl, ulimit and the size of /dev/shm"
rm_run --device /dev/fuse:/dev/other:r "$BUSYBOX" sh -c 'stat -c %t:%T /dev/other; ls /dev/fuse 2>/dev/null'
like "$out" "^a:e5$" "a device by another name"
rm_run --oom-score-adj 500 "$BUSYBOX" cat /proc/self/oom_score_adj
is "$out" 500 "an OOM score"
rm_run "$BUSYBOX" sh -c 'ip -o -4 addr show eth0 | wc -l; ping -c 1 -W 5 "$(ip route | sed -n "s/default via \([^ ]*\).*/\1/p")" >/dev/null; echo $?'
is "$out" "1"$'\n'"0" "an address on a bridge, and a way to the gateway"

# --- limits
if has_controller memory; then
        rm_run --memory 32m --pids-limit 50 --cpus 0.5 "$BUSYBOX" sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max 2>/dev/null ||
                cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us'
        like "$out" "^33554432"$'\n'"50"$'\n'"50000" "limits of memory, processes and CPU"
        rm_run --pids-limit 10 "$BUSYBOX" sh -c 'for i in $(seq 20); do sleep 5 & done; kill $(jobs -p)' >/dev/null
        like "$err" "(can't fork|Resource temporarily)" "the limit of processes holds"
        run docker run --name oom --memory 16m --memory-swap 16m "$BUSYBOX" sh -c 'tail /dev/zero; sleep 3; exit 9'
        is "$status $(of '{{.State.OOMKilled}}' oom)" "9 true" "an OOM kill shows"
        end oom
else
        skip "limits of memory, processes and CPU" "no memory controller here"
fi

# --- a life
run docker run -d --name box --stop-timeout 5 "$BUSYBOX" sh -c 'trap "echo bye; exit 7" TERM; echo started; while :; do sleep 0.1; done'
exits 0 "a container starts in the background"
until_ok 10 eval 'docker logs box | grep -q started'
run docker logs box
is "$out" started "its log is kept"
is "$(tr '\0' ' ' <"/proc/$(of '{{.State.Pid}}' box)/cmdline" | cut -c 1-5)" "sh -c" "under the PID that is told"
run docker exec box sh -c 'echo inside; exit 5'
is "$status $out" "5 inside" "a process is executed in it"
run docker exec -u 1000:2000 -w /tmp -e COLOUR=blue box sh -c 'echo $(id -u):$(id -g) $PWD $COLOUR'
is "$out" "1000:2000 /tmp blue" "with a user, a directory and an environment"
in_terminal terminal docker exec -t box sh -c 'test -t 0 && echo a terminal'
like "$out" "a terminal" "with a terminal"
feed "typed" docker exec -i box cat
is "$out" typed "with stdin"
run docker exec box /no/such/program
like "$status $out" "^12[67] .*no such file or directory" "126 (older ones) or 127 where the program is not there"
run docker exec box /etc/not-a-program
exits 126 "126 where it may not be executed"
run docker exec -d box sh -c 'echo $$ >/tmp/pid; exec sleep 500'
exits 0 "one goes on in the background"
if why=$(lacks_capabilities); then
        skip "a privileged one has this host's capabilities" "$why"
else
        run docker exec --privileged box grep CapEff /proc/self/status
        like "$out" "$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status)" "a privileged one has this host's capabilities"
fi
until_ok 10 eval 'docker top box | grep -q "sleep 500"'
run docker top box
like "$out" "sleep 500" "top lists its processes"
run docker stats --no-stream --format '{{.Name}} {{.PIDs}} {{.MemUsage}}' box
like "$out" "^box [1-9]" "stats are read"
run docker update --pids-limit 77 --memory 64m --memory-swap 128m box
exits 0 "limits are changed while it runs"
like "$(docker exec box sh -c 'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.max')" \
        "^77"$'\n'"67108864$" "which shows inside"
run docker pause box
is "$status $(of '{{.State.Status}}' box)" "0 paused" "it is paused"
run docker exec box true
exits 1 "nothing is executed in a paused container"
run docker unpause box
is "$status $(of '{{.State.Status}}' box)" "0 running" "and goes on"
run docker stop box
is "$status $(of '{{.State.ExitCode}}' box) $(docker logs box | tail -n 1)" "0 7 bye" "it is asked to stop, and does"
run docker start box
is "$status $(of '{{.State.Running}}' box)" "0 true" "it starts again"
run docker kill box
is "$status $(docker wait box)" "0 137" "it is killed"
run docker rm box
exits 0 "and removed"
run docker run -d --name box --restart on-failure:2 "$BUSYBOX" sh -c 'exit 3'
until_ok 15 eval '[[ $(of "{{.RestartCount}} {{.State.Status}}" box) == "2 exited" ]]'
is "$(of '{{.RestartCount}} {{.State.ExitCode}}' box)" "2 3" "it is started again as often as its restart policy says"
end box
run docker run -d --name box --health-cmd 'test -e /tmp/well' --health-interval 100ms --health-retries 1 --ipc shareable "$BUSYBOX" sleep 1000
until_ok 10 eval '[[ $(of "{{.State.Health.Status}}" box) == unhealthy ]]'
is "$(of '{{.State.Health.Status}}' box)" unhealthy "its health is looked at"
docker exec box touch /tmp/well
until_ok 10 eval '[[ $(of "{{.State.Health.Status}}" box) == healthy ]]'
is "$(of '{{.State.Health.Status}}' box)" healthy "again and again"
run docker run --rm --network container:box --pid container:box --ipc container:box "$BUSYBOX" sh -c 'ps | grep -c "sleep 100[0]"'
is "$out" 1 "another one joins its namespaces"
run docker cp box:/etc/passwd -
like "$status" 0 "a file is copied out of it"
end box

# --- dockerd dies, its containers do not
run docker run -d --name box "$BUSYBOX" sleep 1000
kill -9 "$dockerd" && wait "$dockerd" 2>/dev/null
is "$(pgrep -c -x sleep)" 1 "a container outlives a daemon that was killed"
dockerd_start "$T"
until_ok 30 docker version
is "$(of '{{.State.Running}}' box) $(docker exec box echo inside)" "true inside" "and the next one finds it running"
end box

ok "the runtime's own directory holds no container" eval '[[ -z $(find /run/docker "$T/exec" -path "*/runtime-*/moby/*" ! -path "*/.cache*" 2>/dev/null) ]]'
dockerd_stop
host_is_clean "nothing is left of it"
finish
