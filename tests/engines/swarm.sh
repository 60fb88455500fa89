#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A Swarm of two nodes whose default runtime is this one: two dockerds on hosts that only a wire joins. A service is scaled up,
# one node is cut off, its tasks move to the other one, and come back when the node does.
# shellcheck source=tests/engines/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/engines/dockerd.sh
. "$(dirname "$0")/dockerd.sh"
if why=$(lacks_program dockerd docker containerd iptables); then skip_all "$why"; fi

declare -A node=() pid=()
# A host of this name: network and UTS namespaces of its own, an end of the wire, and a dockerd.
host() { # NAME ADDRESS
        local name=$1 address=$2
        mkdir "$T/$name"
        unshare --net --uts sleep infinity &
        pid[$name]=$!
        disown
        at_end kill -9 $!
        until_ok 5 eval "[[ \$(readlink /proc/${pid[$name]}/ns/net) != \$(readlink /proc/self/ns/net) ]]"
        node[$name]="nsenter --net --uts --target ${pid[$name]}"
        ${node[$name]} hostname "$name"
        ip link add "wire-$name" type veth peer name eth0 netns "${pid[$name]}"
        ip link set "wire-$name" master wire up
        ${node[$name]} sh -c "ip link set lo up; ip address add $address/24 dev eth0; ip link set eth0 up; ip route add default via 10.99.0.1"
}
up() { # NAME: its dockerd
        LIVE_RESTORE=false dockerd_start "$T/$1" "${node[$1]}"
        until_ok 30 on "$1" version || { fail "dockerd starts on $1" "$(tail -n 20 "$T/$1/dockerd.log")"; finish; }
        daemons+=("$dockerd")
}
on() { # NAME CMD...: docker on this node
        docker --host "unix://$T/$1/docker.sock" "${@:2}"
}
try() { run docker --host "unix://$T/$1/docker.sock" "${@:2}"; }
tasks() { # NODE: how many of the service's tasks run there, as the manager sees it
        on one service ps --filter desired-state=running --format '{{.Node}} {{.CurrentState}}' web | grep -c "^$1 Running"
}
really() { on "$1" ps -q --filter label=com.docker.swarm.service.name=web | wc -l; }
runs() { # COUNT-ON-ONE COUNT-ON-TWO
        [[ "$(tasks one) $(tasks two)" == "$1 $2" ]]
}
ready() { [[ $(on one node ls --format '{{.Hostname}} {{.Status}}' | grep -c "^$1 $2") == 1 ]]; }

export DOCKER_CONFIG=$T/client
daemons=()
ip link add wire type bridge
ip address add 10.99.0.1/24 dev wire
ip link set wire up
host one 10.99.0.11
host two 10.99.0.12
up one
up two
try one swarm init --advertise-addr 10.99.0.11 --listen-addr 10.99.0.11:2377 --dispatcher-heartbeat 3s --task-history-limit 1
exits 0 "one node begins a swarm"
try two swarm join --token "$(on one swarm join-token -q worker)" --advertise-addr 10.99.0.12 10.99.0.11:2377
exits 0 "the other one joins it"
until_ok 15 ready two Ready
ok "both are ready" ready two Ready
for name in one two; do on "$name" load -q -i "$(image_file busybox docker-archive)" >/dev/null; done

try one service create --detach --name web --replicas 2 --network host --stop-signal KILL --restart-delay 0s --no-resolve-image \
        "$BUSYBOX" sh -c 'hostname; exec sleep 1000'
exits 0 "a service of two"
until_ok 30 runs 1 1
is "$(tasks one) $(tasks two)" "1 1" "each node runs one of them"
is "$(on one inspect --format '{{.HostConfig.Runtime}}' "$(on one ps -q | head -n 1)")" tested "by the runtime"
try one service scale --detach web=6
until_ok 30 runs 3 3
is "$(tasks one) $(tasks two), $(really one) $(really two)" "3 3, 3 3" "it is scaled up to six, three on each"
try one service logs --raw web
is "$(sort -u <<<"$out" | tr '\n' ' ')" "one two " "its logs come from both"

ip link set wire-two down
until_ok 40 ready two Down
ok "a node that is cut off is seen to be down" ready two Down
until_ok 30 runs 6 0
is "$(tasks one), $(really one)" "6, 6" "its tasks moved to the other one"
is "$(really two)" 3 "on the node cut off they still run"

ip link set wire-two up
until_ok 60 ready two Ready
ok "the node is back" ready two Ready
until_ok 20 eval '[[ $(really two) == 0 ]]'
is "$(really two)" 0 "what it ran has ended there"
try one service scale --detach web=12
until_ok 40 runs 6 6
is "$(tasks one) $(tasks two), $(really one) $(really two)" "6 6, 6 6" "it gets those that are asked for now"
try one service rm web
until_ok 30 eval '[[ -z $(on one ps -aq)$(on two ps -aq) ]]'
is "$(on one ps -aq)$(on two ps -aq)" "" "the service is removed from both"

# --- a network of both nodes; without a virtual address, for which this kernel may have no IPVS
try one network create --driver overlay both
exits 0 "a network of both nodes"
try one service create --detach --name talk --mode global --network both --endpoint-mode dnsrr --stop-signal KILL --no-resolve-image \
        "$BUSYBOX" sleep 1000
until_ok 20 eval '[[ -n $(on one ps -q) && -n $(on two ps -q) ]]'
peer=$(on two inspect --format '{{.NetworkSettings.Networks.both.IPAddress}}' "$(on two ps -q)")
until_ok 10 on one exec "$(on one ps -q)" sh -c "nslookup tasks.talk | grep -qw $peer"
try one exec "$(on one ps -q)" sh -c "nslookup tasks.talk | grep -w $peer && ping -c 1 -W 5 $peer"
exits 0 "a container finds the one on the other node by its service's name, and reaches it"
try one service rm talk
until_ok 20 eval '[[ -z $(on one ps -aq)$(on two ps -aq) ]]'

try two swarm leave
try one swarm leave --force
exits 0 "the swarm is dissolved"
for name in "${!daemons[@]}"; do stop_daemon "${daemons[name]}"; done
dockerd_stop
kill -9 "${pid[@]}"
ip link delete wire
host_is_clean "nothing is left of it"
finish
