#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# containerd with the runtime as the binary of its runc-v2 shim: what `ctr` asks of a container's life, and what is left.
# shellcheck source=tests/engines/lib.sh
. "$(dirname "$0")/lib.sh"
if why=$(lacks_program containerd ctr); then skip_all "$why"; fi

socket=$T/containerd.sock
cat >"$T/config.toml" <<END
version = 2
root = "$T/root"
state = "$T/state"
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.devmapper"]
[grpc]
  address = "$socket"
[ttrpc]
  address = "$socket.ttrpc"
[plugins."io.containerd.internal.v1.opt"]
  path = "$T/opt"
END
containerd --config "$T/config.toml" >"$T/containerd.log" 2>&1 &
daemon=$!
at_end stop_daemon $daemon
export CONTAINERD_ADDRESS=$socket CONTAINERD_NAMESPACE=tests
until_ok 20 ctr version || { fail "containerd starts" "$(tail -n 20 "$T/containerd.log")"; finish; }
run ctr image import "$(image_file busybox)"
exits 0 "an image is imported"

via=(--runc-binary "$RUNTIME")
new() { # ID [OPTION...] -- CMD...: a detached container
        local id=$1
        shift
        local -a options=()
        while [[ $1 != -- ]]; do options+=("$1"); shift; done
        shift
        run ctr run -d "${via[@]}" "${options[@]}" "$BUSYBOX" "$id" "$@"
}
status_of() { ctr task ls | awk -v id="$1" '$1 == id { print $3 }'; }

# --- in the foreground
run ctr run --rm "${via[@]}" "$BUSYBOX" hello sh -c 'echo out; echo err >&2; exit 3'
is "$status $out $err" "3 out err" "a container's output, errors and exit code come back"
run ctr run --rm "${via[@]}" --env COLOUR=blue --cwd /tmp "$BUSYBOX" who sh -c 'echo $COLOUR $PWD'
is "$out" "blue /tmp" "with an environment and a directory"
run ctr run --rm "${via[@]}" "$BUSYBOX" missing /no/such/program
like "$status $err" "^1 .*exec: \"/no/such/program\": stat /no/such/program: no such file or directory" "a program that is not there is named"
run ctr run --rm "${via[@]}" "$BUSYBOX" text /etc/not-a-program
like "$status $err" "^1 .*exec: \"/etc/not-a-program\": permission denied" "so is one that may not be executed"
in_terminal /dev/ ctr run --rm --tty "${via[@]}" "$BUSYBOX" term sh -c 'tty; exit 4'
like "$status $out" "^4 .*/dev/(pts/0|console)" "with a terminal"
run ctr run --rm "${via[@]}" --net-host --read-only "$BUSYBOX" ro sh -c 'touch /x; echo $?; readlink /proc/self/ns/net'
is "$out" "1"$'\n'"$(readlink /proc/self/ns/net)" "with a read-only root and the host's network"
mkdir "$T/shared"
run ctr run --rm "${via[@]}" --mount "type=bind,src=$T/shared,dst=/mnt,options=rbind:rw" "$BUSYBOX" bind sh -c 'echo there >/mnt/file'
is "$(cat "$T/shared/file")" there "with a bind mount"
run ctr run --rm "${via[@]}" --seccomp --cap-drop CAP_CHOWN "$BUSYBOX" shield sh -c 'grep -E "^(Seccomp|CapEff):" /proc/self/status; chown 1 /tmp; echo $?'
like "$out" "Seccomp:"$'\t'"2"$'\n'"1$" "with the default seccomp profile and a capability less"

# --- a life
new box -- sleep 1000
exits 0 "a container starts in the background"
is "$(status_of box)" RUNNING "it is running"
pid=$(ctr task ls | awk '$1 == "box" { print $2 }')
is "$(tr '\0' ' ' <"/proc/$pid/cmdline")" "sleep 1000 " "under the PID that is told"
run ctr run -d "${via[@]}" "$BUSYBOX" box sleep 1
exits 1 "a second container of its name is refused"
run ctr task exec --exec-id one box sh -c 'echo inside $(hostname) $$; exit 5'
like "$status $out" "^5 inside .* [0-9]+$" "a process is executed in it"
run ctr task exec --exec-id two --user 1000 --cwd /tmp box sh -c 'echo $(id -u) $PWD'
is "$out" "1000 /tmp" "as another user, in another directory"
run ctr task exec --exec-id three box /no/such/program
like "$status $err" "^1 .*no such file or directory" "one that is not there is named"
in_terminal terminal ctr task exec --tty --exec-id four%N box sh -c 'test -t 0 && echo a terminal'
like "$out" "a terminal" "with a terminal"
run ctr task exec --detach --exec-id five box sleep 500
exits 0 "one goes on in the background"
run ctr task ps box
is "$(awk 'NR > 1' <<<"$out" | wc -l)" 2 "ps lists both processes"
like "$out" "$pid" "the first by its PID"
run ctr task metrics box
like "$status $out" "^0 .*(memory|pids)" "metrics are read"
run ctr task pause box
exits 0 "it is paused"
is "$(status_of box)" PAUSED "it shows"
run ctr task exec --exec-id six box true
exits 1 "nothing is executed in a paused container"
run ctr task resume box
is "$status $(status_of box)" "0 RUNNING" "it is resumed"
run ctr task kill --exec-id five --signal SIGKILL box
exits 0 "the executed process is killed"
run ctr task delete --exec-id five box
run ctr task kill --signal SIGUSR1 box
exits 0 "a signal is sent" # the first process of a PID namespace does not hear what it has no handler for
is "$(status_of box)" RUNNING "it is still running"
run ctr task kill --signal SIGKILL box
exits 0 "it is killed"
until_ok 10 eval '[[ $(status_of box) == STOPPED ]]'
is "$(status_of box)" STOPPED "it is stopped"
run ctr task delete box
like "$status $err" "exit code 137" "its task is deleted, which tells how it ended"
run ctr container delete box
exits 0 "the container is deleted"
run ctr task kill box
exits 1 "then there is nothing to signal"

# --- what it may use
limits=()
[[ $ENGINES_CGROUP == v2 ]] && ! grep -qw memory /sys/fs/cgroup/cgroup.controllers || limits=(--memory-limit 33554432)
if [[ ${#limits[@]} -gt 0 ]]; then
        new small "${limits[@]}" -- sleep 1000
        pid=$(ctr task ls | awk '$1 == "small" { print $2 }')
        path=$(sed -n 's/^[0-9]*:memory:\|^0:://p' "/proc/$pid/cgroup" | head -n 1)
        is "$(cat "/sys/fs/cgroup/memory$path/memory.limit_in_bytes" 2>/dev/null || cat "/sys/fs/cgroup$path/memory.max")" 33554432 \
                "a limit of memory is set"
        run ctr task kill -s 9 small
        until_ok 10 eval '[[ $(status_of small) == STOPPED ]]'
        run ctr task delete small
        run ctr container delete small
else
        skip "a limit of memory is set" "no memory controller"
fi

# --- many, and no daemon: what runs goes on, and the next daemon finds it
for id in one two three four; do new "$id" -- sleep 1000; done
stop_daemon $daemon
is "$(pgrep -c -x sleep)" 4 "containers outlive the daemon"
containerd --config "$T/config.toml" >>"$T/containerd.log" 2>&1 &
daemon=$!
at_end stop_daemon $daemon
until_ok 20 ctr version
is "$(ctr task ls | grep -c RUNNING)" 4 "the next one finds them running"
for id in one two three four; do
        ctr task kill --signal SIGKILL "$id"
        until_ok 10 eval "[[ \$(status_of $id) == STOPPED ]]"
        ctr task delete "$id"
        ctr container delete "$id"
done >"$T/ended" 2>&1
is "$(ctr task ls -q)$(ctr container ls -q)" "" "and ends them"
ok "the runtime's own directory holds no container" eval '[[ -z $(find /run/containerd/runc "$T/state" -mindepth 2 -path "*runc*" ! -path "*/.cache*" 2>/dev/null) ]]'
ctr image rm "$BUSYBOX" >/dev/null 2>&1
stop_daemon $daemon
host_is_clean "nothing is left of it"
finish
