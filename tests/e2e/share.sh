#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Namespaces that containers share: with each other, with the host, and by path.
# shellcheck shell=bash disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -f -t 0 -a
KINDS='user net ipc uts pid cgroup'

start() { sdpod run -d --name "$1" "${@:2}" $BUSYBOX sleep 1000 >/dev/null || fail "$1 starts"; }
pid_of() { sdpod inspect -f '{{.State.Pid}}' "$1"; }
ns() { readlink "/proc/$(pid_of "$1")/ns/$2"; } # CONTAINER KIND
# Says which of the kinds two containers have in common.
common() { # CONTAINER CONTAINER
        local kind words=
        for kind in $KINDS; do
                [[ $(ns "$1" "$kind") != "$(ns "$2" "$kind")" ]] || words+=" $kind"
        done
        echo "${words# }"
}
same_as_host() { # CONTAINER
        local kind words=
        for kind in $KINDS; do
                [[ $(ns "$1" "$kind") != "$(readlink "/proc/self/ns/$kind")" ]] || words+=" $kind"
        done
        echo "${words# }"
}

# ---- with another container ----

start a
for kind in net:network ipc:ipc uts:uts pid:pid cgroup:cgroupns user:userns; do
        start one "--${kind#*:}=container:a"
        wanted=${kind%:*}
        [[ $wanted == user ]] || wanted="user $wanted"
        is "$(common a one)" "$wanted" "--${kind#*:} container:a shares that namespace, with the user namespace, and no other"
        run sdpod exec one readlink "/proc/self/ns/${kind%:*}"
        is "$out" "$(ns a "${kind%:*}")" "... and so does exec"
        run sdpod rm -f -t 0 one
done
start all --network container:a --ipc container:a --uts container:a --pid container:a --cgroupns container:a
is "$(common a all)" "$KINDS" "all of them at once"
run sdpod exec all ps
like "$out" "1 root +sleep 1000.*sleep 1000" "the processes of both are seen"
sdpod exec a sh -c 'echo shared >/dev/shm/file'
run sdpod exec all cat /dev/shm/file
is "$out" shared "with the IPC namespace comes /dev/shm"
is "$(sdpod exec all hostname)" "$(sdpod exec a hostname)" "with the UTS namespace comes the name"
run sdpod exec all sh -c 'cat /etc/hosts /etc/resolv.conf'
is "$out" "$(sdpod exec a cat /etc/hosts /etc/resolv.conf)" "with the network come hosts and resolv.conf"
sdpod exec a sh -c 'echo 10.9.8.7 added >>/etc/hosts'
run sdpod exec all cat /etc/hosts
like "$out" "10.9.8.7 added" "... the very files"
like "$(sdpod exec all sh -c 'echo $HOSTNAME')" "^$(sdpod exec a hostname)$" "HOSTNAME says it, too"
run sdpod run --rm --network container:a --oom-score-adj 500 $BUSYBOX cat /proc/self/oom_score_adj
is "$out" 500 "--oom-score-adj of one that joins"
sdpod exec -d a sh -c 'echo served | nc -l -p 7777'
until_ok 10 sh -c 'sdpod exec a netstat -ltn | grep -q ":7777 "'
run sdpod run --rm --network container:a $BUSYBOX sh -c 'nc 127.0.0.1 7777 </dev/null'
is "$out" served "one reaches the other by 127.0.0.1"
run sdpod run --rm --network container:all $BUSYBOX readlink /proc/self/ns/net
is "$out" "$(ns a net)" "a namespace that the other one has joined itself"
run sdpod inspect -f '{{.HostConfig.NetworkMode}} {{.HostConfig.PidMode}} {{.HostConfig.IpcMode}} {{.HostConfig.UTSMode}} {{.HostConfig.CgroupMode}}' all
id=$(sdpod inspect -f '{{.Id}}' a)
is "$out" "container:$id container:$id container:$id container:$id container:$id" "inspect has the full ID"

# sdpod-net is a's, and a's alone
helpers() { pgrep -u "$UID" -c -x sdpod-net; }
is "$(helpers)" 1 "one that joins has no network process"
sdpod rm -f -t 0 all >/dev/null
is "$(helpers)" 1 "... and its end is not that of the other's"
start own --pid container:a
is "$(helpers)" 2 "one that joins only the PID namespace has its own"
run sdpod exec own sh -c 'ip addr show tap0 || ifconfig tap0'
like "$out" 10.0.2.100 "... which works"
sdpod kill own >/dev/null
until_ok 5 sh -c 'sdpod inspect -f "{{.State.Status}}" own | grep -q exited'
run sdpod exec a true
exits 0 "the end of one in a shared PID namespace is not that of the other"
sdpod start own >/dev/null
run sdpod stop -t 0 a
until_ok 5 sh -c 'sdpod inspect -f "{{.State.Status}}" own | grep -q exited'
is "$(sdpod inspect -f '{{.State.Status}} {{.State.ExitCode}}' own)" "exited 137" "who is in the PID namespace of one that ends, ends with it"
sdpod start a >/dev/null

for mode in host container:a; do
        run sdpod run --rm --pid $mode $BUSYBOX sh -c 'sleep 987 & echo $!'
        exits 0 "--pid $mode: the end of the first process is the end"
        ok "... of all that it started" until_ok 5 sh -c '! pgrep -u "$UID" -f "^sleep 987$" >/dev/null'
done
sdpod run -d --name own2 --pid container:a $BUSYBOX sh -c 'sleep 987 & exec true' >/dev/null
until_ok 10 sh -c '! pgrep -u "$UID" -f "^sleep 987$" >/dev/null'
run pgrep -u "$UID" -f "^sleep 987$"
is "$out" "" "... in the background, too"
run sdpod run --rm --cgroups disabled --pid host $BUSYBOX true
exits 126 "where nobody could end them it is refused"
like "$err" "cannot join another container's PID namespace if not creating cgroups" "... in Podman's words"

# ---- what is shown ----

port=$(free_port)
sdpod run -d --name shown -p "127.0.0.1:$port:80" $BUSYBOX sleep 1000 >/dev/null
start guest --network container:shown
is "$(sdpod port guest)" "80/tcp -> 127.0.0.1:$port" "port shows those of the network's owner"
like "$(sdpod ps --filter name=guest)" "127.0.0.1:$port->80/tcp" "... and ps"
is "$(sdpod inspect -f '{{json .NetworkSettings}}' guest)" "$(sdpod inspect -f '{{json .NetworkSettings}}' shown)" "... and inspect"
is "$(stat -L -c %i "$(sdpod inspect -f '{{.NetworkSettings.SandboxKey}}' guest)")" "$(stat -L -c %i "/proc/$(pid_of shown)/ns/net")" "... with a path of it"
is "$(sdpod inspect -f '{{.HostConfig.IpcMode}} {{.HostConfig.PidMode}} {{.HostConfig.UTSMode}} {{.HostConfig.CgroupMode}}' guest)" \
        "shareable private private private" "what is its own"
run sdpod container create --name discarded --network container:shown -p 1:2 $BUSYBOX
is "$(sdpod inspect -f '{{json .HostConfig.PortBindings}}' discarded)" "{}" "what was discarded is not on record"
sdpod rm -f -t 0 guest discarded shown >/dev/null

# ---- ID maps ----

start keep --userns keep-id
for how in --network=container:keep --userns=container:keep '--network=container:keep --userns=keep-id'; do
        # shellcheck disable=SC2086
        run sdpod run --rm $how $BUSYBOX sh -c 'cat /proc/self/uid_map; touch /tmp/file && stat -c %u /tmp/file'
        wanted=0
        [[ $how != *keep-id ]] || wanted=$UID
        is "$out" "$(sdpod exec keep cat /proc/self/uid_map)"$'\n'"$wanted" "$how has the ID map of the other, and its files"
done
run sdpod run --rm --network container:a --userns keep-id $BUSYBOX true
exits 125 "another ID map than the other's is refused"
like "$err" "another ID map" "... with the reason"
run sdpod run --rm --network container:a --ipc container:keep $BUSYBOX true
exits 125 "two containers of different user namespaces are refused"
like "$err" "its user namespace is not that of the other" "... with the reason"

# ---- with the host ----

start host --network host --pid host --ipc host --uts host --cgroupns host
is "$(same_as_host host)" "net ipc uts pid cgroup" "all that can be the host's is"
run sdpod exec host sh -c "readlink /proc/self/ns/pid; hostname; grep -c . /proc/$$/cmdline; ls -d /dev/mqueue /dev/shm"
is "$out" "$(readlink /proc/self/ns/pid)"$'\n'"$(hostname)"$'\n'"1"$'\n'"/dev/mqueue"$'\n'"/dev/shm" "... seen from inside"
run sdpod run --rm --network container:host $BUSYBOX readlink /proc/self/ns/net
is "$out" "$(readlink /proc/self/ns/net)" "who joins one with the host's network has the host's"
run sdpod run --rm --ipc none $BUSYBOX ls -d /dev/shm
exits 1 "--ipc none is without /dev/shm"
start private --ipc private
run sdpod run --rm --ipc container:private $BUSYBOX true
exits 125 "--ipc private is nobody else's"
like "$err" "non-shareable IPC" "... with the reason"

# ---- by path ----

run sdpod run --rm --network "ns:/proc/$(pid_of a)/ns/net" --uts "ns:/proc/$(pid_of a)/ns/uts" $BUSYBOX sh -c 'readlink /proc/self/ns/net; hostname'
is "$out" "$(ns a net)"$'\n'"$(sdpod exec a hostname)" "namespaces by path"
run sdpod run --rm --userns "ns:/proc/$(pid_of a)/ns/user" $BUSYBOX readlink /proc/self/ns/user
is "$out" "$(ns a user)" "a user namespace by path"
run sdpod run --rm --network ns:/proc/self/ns/net $BUSYBOX readlink /proc/self/ns/net
is "$out" "$(readlink /proc/self/ns/net)" "a path of the host's own is the host's"
run sdpod run --rm --network ns:/proc/1/ns/net $BUSYBOX true
exits 125 "another user's process by path is refused"
run sdpod run --rm --network "ns:/proc/$(pid_of a)/ns/ipc" $BUSYBOX true
exits 126 "a namespace of another kind"
like "$err" "not one of this kind" "... says so"
mkfifo "$T/fifo"
for path in "$T/fifo" "$T" /etc/passwd; do
        run sdpod run --rm --network "ns:$path" $BUSYBOX true
        exits 126 "${path##*/} is no namespace"
done
run sdpod run --rm --network ns:/nowhere $BUSYBOX true
exits 125 "a path that is not there"
like "$err" "cannot find specified network namespace path" "... says so"
run sdpod run --rm --network "ns:/proc/$(pid_of keep)/ns/net" $BUSYBOX true
exits 126 "a path into a user namespace with another ID map"
like "$err" "another ID map" "... says so"

# ---- what is refused ----

run sdpod run --rm --network container:nobody $BUSYBOX true
exits 125 "one that does not exist"
like "$err" "no such container" "... says so"
run sdpod create --name self --network container:self $BUSYBOX true
exits 125 "one that joins itself"
run sdpod create --replace --name a --network container:a $BUSYBOX true
exits 125 "one that joins the one it replaces"
run sdpod exec a true
exits 0 "... which runs on"
run sdpod run --rm --network container:a --dns 1.1.1.1 $BUSYBOX true
exits 125 "--dns with another's network"
run sdpod run --rm --network container:a --add-host x:1.1.1.1 $BUSYBOX true
exits 125 "--add-host with another's network"
like "$err" "cannot set extra host entries when the container is joined to another containers network namespace" "... in Podman's words"
run sdpod run --rm --network container:a -p 8080:80 $BUSYBOX true
exits 0 "--publish with another's network"
like "$err" "discarded" "... is discarded with a warning"
run sdpod run --rm --uts container:a --hostname x $BUSYBOX true
exits 125 "--hostname with another's UTS namespace"
run sdpod run --rm --network container:a --hostname x $BUSYBOX hostname
is "$out" x "--hostname with another's network is one's own"
run sdpod run --rm --network host $BUSYBOX sh -c 'hostname; echo $HOSTNAME'
is "$out" "$(hostname)"$'\n'"$(hostname)" "with the host's network comes the host's name"

# ---- nobody looks into one that is being made ----

start spy --cap-add SYS_PTRACE --cap-add SYS_ADMIN --security-opt seccomp=unconfined
sdpod exec -d spy sh -c 'while :; do for p in /proc/[0-9]*; do ls -l $p/exe $p/cwd $p/root $p/fd; done; done >/tmp/seen 2>/dev/null'
for ((i = 0; i < 20; i++)); do
        sdpod run --rm --pid container:spy $BUSYBOX true
done
run sdpod exec spy cat /tmp/seen
like "$out" /bin/busybox "a container can look into processes of its PID namespace"
unlike "$out" "[^ ]*(sdpod|/home/|/run/user)[^ ]*" "... but not into one that is being made there"

finish
