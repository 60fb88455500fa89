#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Each verb and its options, with the exit codes and texts that engines know; `RUNTIME=runc` shows what the known runtime does.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"

# --- what a created container is, and what may be done with it
created one
is "$status:$err" "0:" "create"
pid=$(cat "$T/one.pid")
is "$(od -An -c "$T/one.pid" | grep -c '\\n')" 0 "--pid-file has no newline"
is "$(state_of "$id" '[.status, .pid, .bundle, .rootfs, .owner] | join(" ")')" "created $pid $T/one $T/one/rootfs $([[ $PEER == runc ]] || echo root)" \
        "state: status, pid, bundle, rootfs, owner"
like "$(state_of "$id" .created)" '^20[0-9-]+T[0-9:.]+(Z|[+-][0-9:]+)$' "state: when it was created"
rt create --bundle "$T/one" "$id"
like "$status:$err" '^1:.*container with given ID already exists' "create of an ID that is taken"
rt resume "$id"
like "$status:$err" '^1:.*container not paused' "resume of one that is not paused"
rt exec "$id" echo early
is "$status:$out" "0:early" "exec before start"
rt start "$id"
is "$status:$out$err" "0:" "start prints nothing"
rt start "$id"
like "$status:$err" '^1:.*cannot start an already running container' "start of one that runs"
rt delete "$id"
like "$status:$err" '^1:.*not stopped: running' "delete of one that runs"

# --- ps
rt ps --format json "$id"
is "$status:$out" "0:[$pid]" "ps --format json: an array of the host's process IDs"
rt ps "$id"
like "$out" "^UID +PID.*"$'\n'"[^ ]+ +$pid .* sleep 1000$" "ps: what ps -ef says of it"
rt ps "$id" -o pid,comm
is "$(tr -s ' ' <<<"$out" | sed 's/^ //')" "PID COMMAND"$'\n'"$pid sleep" "ps ID PS-OPTION..."
rt ps --format yaml "$id"
is "$status" 1 "ps --format of another kind"

# --- pause and resume
rt pause "$id"
is "$status:$err $(state_of "$id" .status)" "0: paused" "pause"
rt pause "$id"
like "$status:$err" '^1:.*not running' "pause of one that is paused"
rt exec "$id" true
like "$status:$err" '^255:.*cannot exec in a paused container' "exec in one that is paused"
rt delete "$id"
is "$status" 1 "delete of one that is paused"
rt resume "$id"
is "$status:$err $(state_of "$id" .status)" "0: running" "resume"

# --- exec
rt exec "$id" sh -c 'exit 7'
is "$status" 7 "exec: the process's status"
rt exec "$id" sh -c 'kill -TERM $$'
is "$status" 143 "exec: 128 and the signal"
rt exec "$id" /nothing
like "$status:${err//\\/}" '^255:.*exec: "/nothing": stat /nothing: no such file or directory' "exec of what is not there"
rt exec "$id" nothing
like "$status:${err//\\/}" '^255:.*exec: "nothing": executable file not found in \$PATH' "... by its name"
rt exec "$id"
is "$([[ $status != 0 && -n $err$out ]] && echo refused)" refused "exec of nothing"
rt exec --cwd /tmp -e A=1 -e B=2 --user 5:6 -g 7 -g 8 "$id" sh -c 'pwd; echo $A$B; id -u; id -G'
is "$out" "/tmp"$'\n'"12"$'\n'"5"$'\n'"6 7 8" "exec --cwd -e --user -g"
rt exec --cap CAP_NET_RAW "$id" grep CapEff /proc/self/status
is "$out" $'CapEff:\t0000000000002021' "exec --cap"
rt exec --no-new-privs "$id" grep NoNewPrivs /proc/self/status
is "$out" $'NoNewPrivs:\t1' "exec --no-new-privs"
run bash -c 'echo typed | "$0" --root "$1" exec "$2" cat' "$RUNTIME" "$STATE" "$id"
is "$status:$out" "0:typed" "exec: standard input"
jq '.process | .args = ["sh", "-c", "echo by file; id -u"] | .user.uid = 3' "$T/plain.json" >"$T/process"
rt exec --process "$T/process" "$id"
is "$status:$out" $'0:by file\n3' "exec --process"
if [[ $PEER == sdpod-oci ]]; then
        rt exec --process "$T/process" --cwd / "$id"
        like "$status:$err" "^1:.*'--cwd' with --process" "exec --process: what the file says is not changed by options"
fi
"$RUNTIME" --root "$STATE" exec --detach --pid-file "$T/exec.pid" "$id" sleep 1001 </dev/null >"$T/exec.out" 2>&1
is "$?:$(cat "$T/exec.out"):$(tr '\0' ' ' <"/proc/$(cat "$T/exec.pid")/cmdline")" "0::sleep 1001 " "exec --detach --pid-file"
rt ps -f json "$id"
is "$(jq -c sort <<<"$out")" "$(jq -nc "[$pid,$(cat "$T/exec.pid")] | sort")" "ps -f json: both"
exec 3<"$T/process" 4<"$T/exec.pid"
rt exec --preserve-fds 2 "$id" sh -c 'cat <&4'
is "$out" "$(cat "$T/exec.pid")" "exec --preserve-fds"
exec 3<&- 4<&-

# --- update
rt update --pids-limit 44 "$id"
is "$status:$err" "0:" "update --pids-limit"
run bash -c 'echo "{\"pids\": {\"limit\": 45}}" | "$0" --root "$1" update --resources - "$2"' "$RUNTIME" "$STATE" "$id"
is "$status:$err:$(find /sys/fs/cgroup -path "*$id/pids.max" -exec cat {} +)" "0::45" "update --resources -"
rt update --l3-cache-schema x "$id"
is "$status" 1 "update --l3-cache-schema"

# --- events
rt events --stats "$id"
is "$status:$(jq -r '[.type, .id, .data.pids.current] | join(" ")' <<<"$out")" "0:stats $id 2" "events --stats"
"$RUNTIME" --root "$STATE" events --interval 100ms "$id" >"$T/events" 2>&1 &
events=$!
until_ok 10 grep -q '"stats"' "$T/events"
is "$?" 0 "events --interval"

# --- list
rt list
is "$(tr -s ' ' <<<"$out" | sed 's/ 20[^ ]* / WHEN /')" "ID PID STATUS BUNDLE CREATED OWNER"$'\n'"$id $pid running $T/one WHEN root" "list"
rt list --format json
is "$(jq -r '.[] | [.id, .pid, .status, .owner] | join(" ")' <<<"$out")" "$id $pid running root" "list --format json"
rt list --quiet
is "$out" "$id" "list --quiet"

# --- kill and what is left
rt kill "$id" NOSUCH
like "$status:$err" '^1:.*unknown signal' "kill with a word that is no signal"
rt kill "$id" 0
is "$status" "$([[ $PEER == crun ]] && echo 1 || echo 0)" "kill ID 0 asks whether it is there"
rt kill "$id" SIGKILL
is "$status:$err" "0:" "kill ID SIGKILL"
until_ok 10 test ! -d "/proc/$pid"
until_ok 5 bash -c "! kill -0 $events"
is "$?" 0 "events ends with the container"
kill $events 2>/dev/null
is "$(state_of "$id" '[.status, .pid] | join(" ")')" "stopped 0" "state of one that has stopped: pid 0"
rt kill "$id"
like "$status:$err" '^1:.*container not running' "kill of one that has stopped"
rt kill --all "$id" 9
is "$status:$err" "0:" "kill --all of one that has stopped"
rt start "$id"
like "$status:$err" '^1:.*cannot start a container that has stopped' "start of one that has stopped"
rt exec "$id" true
like "$status:$err" '^255:.*cannot exec in a stopped container' "exec in one that has stopped"
rt pause "$id"
is "$status" 1 "pause of one that has stopped"
rt delete "$id"
is "$status:$out$err" "0:" "delete"
is "$(without_trace | grep -v '^.cache$')" "" "... leaves nothing"

# --- kill by its words, delete by force
for word in TERM SIGTERM 15; do
        up "kill$word" . sh -c 'trap "echo got it; exit 3" TERM; while :; do sleep 0.05; done'
        until_ok 5 grep -q Cgt.*4 "/proc/$(cat "$T/kill$word.pid")/status"
        rt kill "$id" $word
        until_ok 5 grep -q "got it" "$T/kill$word.out"
        is "$status:$(cat "$T/kill$word.out")" "0:got it" "kill ID $word"
        rt delete --force "$id"
        is "$status:$err" "0:" "delete --force of it"
done
if [[ $PEER != crun ]]; then # pid 1 of a namespace gets only those that it has a handler for
        created waiting
        rt kill "$id" TERM
        until_ok 5 test ! -d "/proc/$(cat "$T/waiting.pid")"
        is "$status:$(state_of "$id" .status)" "0:stopped" "kill ID TERM of one that was never started"
        rt_quietly delete "$id"
fi
created two
rt delete "$id"
is "$status:$err" "0:" "delete of one that was never started"
up three
rt delete -f "$id"
is "$status:$err" "0:" "delete -f of one that runs"
rt delete -f "$id"
is "$status:$err" "0:" "delete -f of one that is gone"
up four
rt pause "$id"
rt delete -f "$id"
is "$status:$err" "0:" "delete -f of one that is paused"
up five
rt pause "$id"
rt kill "$id" KILL
until_ok 5 test ! -d "/proc/$(cat "$T/five.pid")"
is "$status:$(state_of "$id" .status)" "0:stopped" "kill ID KILL of one that is paused"
rt_quietly delete "$id"
# processes that share the host's PID namespace go with the container
up six '.linux.namespaces -= [{"type": "pid"}]' sh -c 'sleep 1002 & sleep 1002 & wait'
until_ok 5 bash -c "[[ \$(pgrep -fc '[s]leep 1002') == 2 ]]"
rt kill "$id" KILL
until_ok 5 bash -c '! pgrep -f "[s]leep 1002"'
is "$status:$(pgrep -fc '[s]leep 1002')" "0:0" "kill ID KILL: all of a container without a PID namespace of its own"
rt_quietly delete -f "$id"
if [[ $PEER != runc ]]; then
        up seven && up seventy
        rt kill --regex "$ME-seven.*" KILL
        is "$status:$err" "0:" "kill --regex"
        until_ok 5 bash -c "! $RUNTIME --root $STATE list -f json | jq -r '.[].status' | grep -q running"
        rt delete --regex "^$ME-seven"
        is "$status:$err:$("$RUNTIME" --root "$STATE" list -q)" "0::" "delete --regex"
fi

# --- run
in_one . sh -c 'echo out; echo err >&2; exit 9'
is "$status:$out:$err" "9:out:err" "run: streams and exit status"
in_one . sh -c 'trap "exit 12" TERM; (sleep 0.1; kill -TERM 1) & wait'
is "$status" 12 "run: its signals are its own"
in_one . /nothing
like "$status:${err//\\/}" '^1:.*exec: "/nothing": stat /nothing: no such file or directory' "run of what is not there"
bundle eight . sleep 1003
rt run --detach --pid-file "$T/eight.pid" --bundle "$T/eight" "$ME-eight" </dev/null
is "$status:$(state_of "$ME-eight" .status):$(tr '\0' ' ' <"/proc/$(cat "$T/eight.pid")/cmdline")" "0:running:sleep 1003 " "run --detach"
rt_quietly delete -f "$ME-eight"
bundle nine . true
rt run --keep --bundle "$T/nine" "$ME-nine"
is "$status:$(state_of "$ME-nine" .status)" "0:stopped" "run --keep"
rt_quietly delete "$ME-nine"
bundle ten . true
mv "$T/ten/config.json" "$T/ten/other.json"
if [[ $PEER != runc ]]; then
        rt run --config other.json --bundle "$T/ten" "$ME-ten"
        is "$status:$err" "0:" "run --config"
fi
is "$(without_trace | grep -v '^.cache$')" "" "nothing is left of them"

# --- spec and features
mkdir "$T/spec"
rt spec --bundle "$T/spec"
is "$status:$(jq -r .root.path "$T/spec/config.json")" "0:rootfs" "spec"
rt spec --bundle "$T/spec"
like "$status:$err" '^1:.*exists' "spec where there is one"
rt features
is "$status:$(jq -r '.linux.cgroup.v1' <<<"$out"):$err" "0:true:" "features"
finish
