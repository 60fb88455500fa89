#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Podman with --runtime, as root and as an ordinary user without a systemd: a container's life, and what is left of it.
# shellcheck source=tests/engines/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/engines/containers.sh
. "$(dirname "$0")/containers.sh"
if why=$(lacks_program podman conmon); then skip_all "$why"; fi

podman() { "${as[@]}" podman --runtime "$RUNTIME_NAME" --log-level error "$@"; }
try() { run "${as[@]}" podman --runtime "$RUNTIME_NAME" --log-level error "$@"; }
in_terminal() { run "${as[@]}" script -qec "$(printf '%q ' podman --runtime "$RUNTIME_NAME" "$@")" /dev/null; }
of() { podman inspect --format "$1" "$2" 2>&1; }
end() { podman rm -f -t 0 "$@" >/dev/null 2>&1; }

foreground() {
        try run --rm "$BUSYBOX" sh -c 'echo out; echo err >&2'
        is "$status $out $err" "0 out err" "$who: a container's output and errors come back"
        try run --rm "$BUSYBOX" sh -c 'exit 3'
        exits 3 "$who: so does its exit code"
        try run --rm "$BUSYBOX" sh -c 'kill -9 $(sh -c "echo \$PPID"); sleep 1; exit 9'
        exits 9 "$who: the first process does not hear its own signal 9"
        try run --rm "$BUSYBOX" /no/such/program
        like "$status $err" "^127 .*no such file or directory" "$who: 127 where the program is not there"
        try run --rm "$BUSYBOX" no-such-program
        like "$status $err" "^127 .*executable file not found in \\\$PATH" "$who: 127 where it is not in PATH"
        try run --rm "$BUSYBOX" /etc/not-a-program
        like "$status $err" "^126 .*permission denied" "$who: 126 where it may not be executed"
        try run --rm --no-such-option "$BUSYBOX" true
        exits 125 "$who: 125 where podman itself fails"
        feed "through stdin" "${as[@]}" podman --runtime "$RUNTIME_NAME" run --rm -i "$BUSYBOX" cat
        is "$out" "through stdin" "$who: stdin goes in"
        in_terminal run --rm -t "$BUSYBOX" sh -c 'tty; exit 4'
        like "$status $out" "^4 .*/dev/(pts/0|console)" "$who: with a terminal"
}

options() {
        try run --rm -u 1000:2000 -w /tmp -e COLOUR=blue -h box "$BUSYBOX" sh -c 'echo $(id -u):$(id -g) $PWD $COLOUR $(hostname)'
        is "$out" "1000:2000 /tmp blue box" "$who: user, directory, environment and host name"
        try run --rm --read-only --tmpfs /data:size=1m "$BUSYBOX" sh -c 'touch /x; echo $?; touch /data/x; echo $?; df -k /data | tail -n 1'
        like "$out" "^1"$'\n'"0"$'\n'".* 1024 " "$who: a read-only root and a tmpfs"
        rm -rf "$T/shared"
        mkdir -m 777 "$T/shared"
        try run --rm -v "$T/shared:/mnt" -v "$T/shared:/ro:ro" "$BUSYBOX" sh -c 'echo there >/mnt/file; cat /ro/file; touch /ro/file; echo $?'
        is "$out" "there"$'\n'"1" "$who: volumes, one of them read-only"
        try run --rm --cap-drop all --cap-add chown "$BUSYBOX" grep CapEff /proc/self/status
        like "$out" "0000000000000001$" "$who: capabilities"
        try run --rm --security-opt no-new-privileges "$BUSYBOX" grep -E '^(NoNewPrivs|Seccomp):' /proc/self/status
        like "$out" "NoNewPrivs:"$'\t1\n'"Seccomp:"$'\t2' "$who: no new privileges, and the default seccomp profile"
        try run --rm "$BUSYBOX" sh -c 'cat /proc/timer_list /proc/keys 2>/dev/null | wc -c; touch /proc/sys/kernel/x 2>/dev/null; echo $?'
        is "$out" "0"$'\n'"1" "$who: masked and read-only paths"
        try run --rm --security-opt seccomp=unconfined "$BUSYBOX" grep Seccomp: /proc/self/status
        like "$out" "0$" "$who: no profile where none is asked for"
        try run --rm --init "$BUSYBOX" cat /proc/1/comm
        like "$out" "init" "$who: an init of podman's"
        try run --rm --pid host --uts host "$BUSYBOX" sh -c 'readlink /proc/self/ns/pid; hostname'
        is "$out" "$(readlink /proc/self/ns/pid)"$'\n'"engines" "$who: namespaces of the host"
        if "$RUNTIME" --help 2>&1 | grep -q -- --cgroup-manager; then
                try run --rm --cgroups=disabled "$BUSYBOX" sh -c 'echo without; cat /proc/self/cgroup'
                like "$status $out" "^0 without" "$who: without a cgroup"
                unlike "$out" libpod "$who: it has none"
        else
                skip "$who: without a cgroup" "$RUNTIME_NAME has no --cgroup-manager"
        fi
        try run --rm --device /dev/fuse "$BUSYBOX" stat -c %t:%T /dev/fuse
        is "$out" "a:e5" "$who: a device"
        try run --rm --privileged "$BUSYBOX" sh -c 'test -e /dev/fuse && echo in'
        if why=$(lacks_capabilities) && [[ $who == root ]]; then
                skip "$who: a privileged one" "$why"
        else
                is "$out" in "$who: a privileged one"
        fi
        try run --rm --shm-size 2m --ulimit nofile=64:128 --ulimit "nproc=$(ulimit -Hu):$(ulimit -Hu)" --sysctl kernel.shm_rmid_forced=1 "$BUSYBOX" sh -c 'ulimit -n; df -k /dev/shm | tail -n 1; cat /proc/sys/kernel/shm_rmid_forced'
        like "$out" "^64"$'\n'".* 2048 .*"$'\n'"1$" "$who: ulimit, size of /dev/shm and a sysctl"
        try run --rm --preserve-fds 1 "$BUSYBOX" sh -c 'cat <&3' 3< <(echo handed)
        is "$out" handed "$who: a descriptor is handed in"
        try run --rm --userns auto "$BUSYBOX" cat /proc/self/uid_map
        [[ $who == root ]] || like "$out" "^ +0 +1 +[0-9]+" "$who: a user namespace of its own"
        try run --rm --env-host --umask 0077 "$BUSYBOX" sh -c umask
        is "$out" 0077 "$who: a umask"
}

life() {
        try run -d --name box --stop-timeout 5 "$BUSYBOX" sh -c 'trap "echo bye; exit 7" TERM; echo started; while :; do sleep 0.1; done'
        exits 0 "$who: a container starts in the background"
        until_ok 10 eval 'podman logs box | grep -q started'
        try logs box
        is "$out" started "$who: its log is kept"
        try exec box sh -c 'echo inside; exit 5'
        is "$status $out" "5 inside" "$who: a process is executed in it"
        try exec -u 1000:2000 -w /tmp -e COLOUR=blue box sh -c 'echo $(id -u):$(id -g) $PWD $COLOUR'
        is "$out" "1000:2000 /tmp blue" "$who: with a user, a directory and an environment"
        in_terminal exec -t box sh -c 'test -t 0 && echo a terminal'
        like "$out" "a terminal" "$who: with a terminal"
        feed "typed" "${as[@]}" podman --runtime "$RUNTIME_NAME" exec -i box cat
        is "$out" typed "$who: with stdin"
        try exec box /no/such/program
        exits 127 "$who: 127 where the program is not there"
        try exec box /etc/not-a-program
        exits 126 "$who: 126 where it may not be executed"
        try exec -d box sleep 500
        exits 0 "$who: one goes on in the background"
        try top box pid args
        like "$out" "sleep 500" "$who: top lists its processes"
        is "$(of '{{.State.Status}} {{.OCIRuntime}}' box)" "running $RUNTIME_NAME" "$who: inspect names the runtime"
        is "$(tr '\0' ' ' <"/proc/$(of '{{.State.Pid}}' box)/cmdline" | cut -c 1-5)" "sh -c" "$who: under the PID that is told"
        if [[ $who == root ]]; then
                try pause box
                is "$status $(of '{{.State.Status}}' box)" "0 paused" "$who: it is paused"
                try unpause box
                is "$status $(of '{{.State.Status}}' box)" "0 running" "$who: and goes on"
        fi
        try stop box
        is "$status $(of '{{.State.ExitCode}}' box) $(podman logs box | tail -n 1)" "0 7 bye" "$who: it is asked to stop, and does"
        try start box
        is "$status $(of '{{.State.Running}}' box)" "0 true" "$who: it starts again"
        try kill box
        is "$status $(podman wait box)" "0 137" "$who: it is killed"
        try rm box
        exits 0 "$who: and removed"
        try create --name box "$BUSYBOX" sleep 1000
        try init box
        is "$status $(of '{{.State.Status}}' box)" "0 initialized" "$who: one is made ready, not started"
        try start box
        is "$(of '{{.State.Status}}' box)" running "$who: and then it is"
        try run --rm --network container:box --pid container:box --ipc container:box "$BUSYBOX" sh -c 'ps | grep -c "sleep 100[0]"'
        is "$out" 1 "$who: another one joins its namespaces"
        try rm -f -t 0 box
        exits 0 "$who: it is removed while it runs"
        try run -d --name box --health-cmd 'test -e /tmp/well' --health-interval disable --health-retries 1 "$BUSYBOX" sleep 1000
        try healthcheck run box
        exits 1 "$who: its health is bad"
        podman exec box touch /tmp/well
        try healthcheck run box
        exits 0 "$who: and then good"
        end box
}

pods() {
        try pod create --name pod --network none
        exits 0 "$who: a pod is made, whose infra container is Podman's own"
        try run -d --pod pod --name one "$BUSYBOX" sleep 1000
        try run --rm --pod pod "$BUSYBOX" readlink /proc/self/ns/net
        is "$status $out" "0 $(podman exec one readlink /proc/self/ns/net)" "$who: its containers share a network namespace"
        try pod rm -f -t 0 pod
        exits 0 "$who: it is removed with them"
}

limits() {
        try run --rm --memory 32m --pids-limit 50 --cpus 0.5 "$BUSYBOX" sh -c 'cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max /sys/fs/cgroup/cpu.max 2>/dev/null ||
                cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/cpu/cpu.cfs_quota_us'
        like "$out" "^33554432"$'\n'"50"$'\n'"50000" "$who: limits of memory, processes and CPU"
        try run --name oom --memory 16m --memory-swap 16m "$BUSYBOX" sh -c 'tail /dev/zero'
        is "$status" 137 "$who: the limit of memory holds"
        end oom
        try run -d --name box "$BUSYBOX" sleep 1000
        try stats --no-stream --format '{{.Name}} {{.PIDs}}' box
        is "$out" "box 1" "$who: stats are read"
        end box
}

for who in root user; do
        as_"$who"
        try load -q -i "$image"
        exits 0 "$who: an image is loaded" || continue
        foreground
        options
        life
        pods
        if [[ $who == root ]]; then limits; fi
        podman rm -fa -t 0 >/dev/null 2>&1
        podman system migrate >/dev/null 2>&1 # ends the process that holds a user's namespaces
        podman unshare true 2>/dev/null
        ok "$who: the runtime's own directory holds no container" holds_none
        containers_end
done
host_is_clean "nothing is left of it"
finish
