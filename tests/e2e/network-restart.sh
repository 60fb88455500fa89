#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The network process of a container is killed: the container lives on, and has its network again, with the same addresses and ports.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program curl jq python3); then skip_all "$why"; fi
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load web

# The process that carries packets now, and its cgroup, by the record.
helper() { sdpod inspect -f '{{.State.Pid}}' "$1" >/dev/null && jq -r .netPid "$XDG_RUNTIME_DIR/sdpod/containers/$(sdpod inspect -f '{{.Id}}' "$1")/process.json"; }
another() { # NAME OLD: it has another one, which lives
        local now
        now=$(helper "$1") && [[ $now != "$2" && -e /proc/$now ]]
}
answers() { [[ $(curl -s -m 2 "http://127.0.0.1:$1/") == "<h1>It works</h1>" ]]; }
kill_and_see() { # NAME PORT WHAT
        local before
        before=$(helper "$1")
        kill -9 "$before"
        ok "$3: it answers again" until_ok 5 answers "$2"
        ok "... by another process" another "$1" "$before"
}

port=$(free_port)
udp=$(free_port)
run sdpod run -d --name net -p "$port:8080" -p "127.0.0.1::7000/udp" $WEB
exits 0 "a container with published ports"
until_ok 10 answers "$port"
before=$(sdpod port net)
addresses=$(sdpod exec net ip addr show tap0 | grep -E 'ether|inet')
like "$before:$addresses" "127\.0\.0\.1:[0-9]+.*ether .*inet " "... with ports and addresses"
init=$(sdpod inspect -f '{{.State.Pid}}' net)
cgroup=$(cat "/proc/$(helper net)/cgroup")
kill_and_see net "$port" "a killed network process"
is "$(sdpod inspect -f '{{.State.Pid}} {{.State.Error}}' net)" "$init " "... and the container is the same"
is "$(sdpod port net)" "$before" "... with the same ports, a chosen one too"
is "$(sdpod exec net ip addr show tap0 | grep -E 'ether|inet')" "$addresses" "... and the same addresses"
is "$(cat "/proc/$(helper net)/cgroup")" "$cgroup" "... in the cgroup where the other one was"
like "$(sdpod exec net ip route)" "default via 10\.0\.2\.2" "... and the default route"
kill_and_see net "$port" "a second time"
until_ok 5 another net 0
kill -STOP "$(pgrep -u "$UID" -x sdpod-monitor)" 2>/dev/null && {
        before=$(helper net)
        kill -9 "$before"
        until_ok 5 eval '[[ ! -e /proc/$before || $(sed "s/.*) //" "/proc/$before/stat") == Z* ]]'
        is "$(sdpod inspect -f '{{.State.Error}}' net)" "the network is down: its process has ended" "while nobody starts it again, inspect says that the network is down"
        like "$(sdpod ps --format '{{.Status}}')" "network down" "... and ps"
        like "$(sdpod doctor 2>&1)" "lost their network process, 'net'" "... and doctor"
        kill -KILL "$(pgrep -u "$UID" -x sdpod-monitor)"
        ok "a monitor that was killed, too: it answers again" until_ok 5 answers "$port"
        ok "... by another process" another net "$before"
        unlike "$(sdpod ps --format '{{.Status}}')" "network down" "... and ps says no more of it"
}
run sdpod rm -f -t 0 net
ok "the port is free at once" python3 -c "import socket; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('0.0.0.0', $port))"
no_processes_left "no process is left"

# --- the foreground, where the command itself looks after it
sdpod run --rm --name front -p "$port:8080" $WEB >"$T/front" 2>&1 &
until_ok 10 answers "$port"
kill_and_see front "$port" "in the foreground"
like "$(cat "$T/front")" "network process of container 'front' has ended" "... which says so"
sdpod stop -t 0 front >/dev/null
wait
no_processes_left "no process is left"

# --- users and maps that are not ours
for map in keep-id nomap auto; do
        sdpod run -d --name map --userns $map -p "$port:8080" $WEB >/dev/null
        until_ok 10 answers "$port"
        kill_and_see map "$port" "--userns $map"
        sdpod rm -f -t 0 map >/dev/null
done
sdpod run -d --name user --user 1000:1000 -p "$port:8080" $WEB >/dev/null
until_ok 10 answers "$port"
kill_and_see user "$port" "--user 1000"
sdpod rm -f -t 0 user >/dev/null

# --- its end together with the container's is none of anybody's business
sdpod run -d --name both -p "$port:8080" $WEB >/dev/null
until_ok 10 answers "$port"
kill -9 "$(helper both)" "$(sdpod inspect -f '{{.State.Pid}}' both)"
ok "both killed: the container has exited" until_ok 5 eval '[[ $(sdpod inspect -f "{{.State.Status}}" both) == exited ]]'
no_processes_left "... and no process is left"
sdpod rm -f both >/dev/null

# --- pods: the infra container's is that of all
sdpod pod create --name pod -p "$port:8080" >/dev/null
sdpod run -d --pod pod --name member $WEB >/dev/null
until_ok 10 answers "$port"
kill_and_see "$(sdpod pod inspect -f '{{.InfraContainerID}}' pod)" "$port" "a pod's"
sdpod pod rm -f -t 0 pod >/dev/null

finish
