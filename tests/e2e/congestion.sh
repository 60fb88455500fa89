#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What TCP within the machine is spared: congestion control, and being cut into 64 KiB. The host is a network namespace with a user, and a
# neighbour behind a wire.
# machine: root
# shellcheck disable=SC2016  # the containers' shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program ip ss nsenter setpriv curl python3); then
        skip_all "$why"
fi
chmod 755 "$T"
setting=/proc/sys/net/ipv4/tcp_congestion_control
for h in 1 2; do
        ip netns add "e2e$$-$h"
        at_end ip netns del "e2e$$-$h"
done
born=$(ip netns exec "e2e$$-1" cat $setting) # what the kernel gives to every new namespace
other=$(tr ' ' '\n' </proc/sys/net/ipv4/tcp_allowed_congestion_control | grep -vx reno | head -1)
[[ -n $other ]] || skip_all "this kernel has no congestion control but Reno for everybody"
ip netns exec "e2e$$-1" sh -c "echo $other >$setting"
ip link add wire netns "e2e$$-1" type veth peer name wire netns "e2e$$-2"
for h in 1 2; do
        ip -n "e2e$$-$h" addr add "198.51.100.$h/24" dev wire
        ip -n "e2e$$-$h" link set wire up
        ip -n "e2e$$-$h" link set lo up
done
ip -n "e2e$$-1" route add default via 198.51.100.2
id host1 >/dev/null 2>&1 || useradd -m host1
mkdir -p "$T/run"
chown host1 "$T/run"
chmod 700 "$T/run"
cat >"$T/on" <<END
#!/bin/sh
# CMD...: as the host's user
exec nsenter "--net=/run/netns/e2e$$-1" setpriv --reuid host1 --regid host1 --init-groups env -i PATH="$PATH" HOME=/home/host1 \\
        USER=host1 LOGNAME=host1 XDG_RUNTIME_DIR="$T/run" "\$@"
END
chmod 755 "$T/on"
on() { "$T/on" "$@"; }
on TESTS="$TESTS" T=/home/host1 bash -c '. "$TESTS/lib/images.sh"; image_load busybox' || skip_all "no image"
at_end "$T/on" sdpod network rm -f own6 over limited
at_end "$T/on" sdpod rm -fa -t 0
says() { # OPTIONS...: the congestion control in a container
        on sdpod run --rm "$@" $BUSYBOX cat $setting
}
algorithms() { # which the lines of ss name, each once
        grep -oE '\b(reno|cubic|bbr[0-9]*|dctcp|vegas|westwood|htcp)\b' | sort -u | xargs
}
sockets() { # NAMESPACE FILTER...: the congestion control of the connections
        local namespace=$1
        shift
        ip netns exec "$namespace" ss -tinOH state established "$@" | algorithms
}

# --- what a container begins with
is "$(says)" reno "a container begins with Reno"
is "$(says --network none)" reno "... without a network, too"
is "$(says --network bridge)" reno "... and on a bridge"
is "$(says --sysctl net.ipv4.tcp_congestion_control="$other")" "$other" "--sysctl has the last word"
on sdpod network create -d vxlan -o vni=7 -o remote=198.51.100.2 --subnet 10.94.0.0/24 over >/dev/null
is "$(says --network over)" "$born" "a network that goes on to other hosts leaves what the kernel gives"

# --- published ports
port=$(free_port)
on sdpod run -d --name web -p "$port:80" $BUSYBOX sh -c 'mkdir /www; head -c 67108864 /dev/urandom >/www/big; sha256sum </www/big | cut -c1-64 >/www/sum; exec httpd -f -p 80 -h /www' >/dev/null
until_ok 20 ip netns exec "e2e$$-1" curl -sf -o /dev/null "http://127.0.0.1:$port/sum"
hold() { # NAMESPACE ADDRESS PORT: a connection that stays; its PID in $!
        rm -f "$T/held"
        ip netns exec "$1" python3 -c 'import socket, sys; s = socket.create_connection((sys.argv[1], int(sys.argv[2]))); print("there", flush=True); sys.stdin.read()' \
                "$2" "$3" < <(exec sleep 600 2>/dev/null) >"$T/held" &
        holder=$!
        until_ok 5 grep -qs there "$T/held"
}
hold "e2e$$-1" 127.0.0.1 "$port"
is "$(sockets "e2e$$-1" "sport = :$port")" reno "a peer of this machine is sent to by Reno"
kill $holder
hold "e2e$$-1" 198.51.100.1 "$port"
is "$(sockets "e2e$$-1" "sport = :$port and src 198.51.100.1")" reno "... also by the machine's own address"
kill $holder
hold "e2e$$-2" 198.51.100.1 "$port"
is "$(sockets "e2e$$-1" "sport = :$port and dst 198.51.100.2")" "$other" "a peer from elsewhere by what the host has chosen"
kill $holder

# --- outgoing
ip netns exec "e2e$$-2" python3 -c 'import socket, time; s = socket.create_server(("", 4000)); print("there", flush=True); c = [s.accept() for _ in range(2)]; time.sleep(600)' >"$T/server" &
at_end kill $!
until_ok 5 grep -q there "$T/server"
on sdpod exec -d web sh -c 'sleep 600 | nc 198.51.100.2 4000'
until_ok 10 sh -c "ip netns exec e2e$$-1 ss -tnOH state established dst 198.51.100.2 dport = :4000 | grep -q ."
is "$(sockets "e2e$$-1" "dst 198.51.100.2 and dport = :4000")" "$other" "to the outside the host's choice holds"
pid=$(on sdpod inspect -f '{{.State.Pid}}' web)
is "$(nsenter -t "$pid" -n ss -tinOH state established dport = :4000 or sport = :1 | algorithms)" reno \
        "both ends inside have Reno"

# --- sockets of the host in the container
if on sdpod run -d --name bypassed --network slirp4netns:bypass=true $BUSYBOX sh -c 'sleep 600 | nc 198.51.100.2 4000' >/dev/null 2>"$T/why"; then
        # shellcheck disable=SC2317  # until_ok calls it
        holds() { ip netns exec "e2e$$-1" ss -tnOHp state established dst 198.51.100.2 dport = :4000 | grep -q '"nc"'; }
        until_ok 10 holds
        is "$(ip netns exec "e2e$$-1" ss -tinOHp state established dst 198.51.100.2 dport = :4000 | grep '"nc"' | algorithms)" "$other" \
                "a socket of the host in the container keeps the host's choice"
else
        skip "a socket of the host in the container keeps the host's choice" "$(tail -n 1 "$T/why")"
fi

# --- large pieces, and nothing lost in them
pieces() { # CONTAINER INTERFACE SIZE NAME
        if [[ $(uname -r) =~ ^([0-9]+)\.([0-9]+) ]] && ((BASH_REMATCH[1] * 100 + BASH_REMATCH[2] >= 519)); then
                is "$(nsenter -t "$(on sdpod inspect -f '{{.State.Pid}}' "$1")" -n ip -d link show dev "$2" | grep -oE 'gso_max_size [0-9]+')" "gso_max_size $3" "$4"
        else
                skip "$4" "this kernel has no BIG TCP (Linux 5.19)"
        fi
}
pieces web lo 262144 "the loopback interface that a published port is answered by takes large pieces"
sum=$(ip netns exec "e2e$$-1" curl -s "http://127.0.0.1:$port/sum")
is "$(ip netns exec "e2e$$-1" curl -s "http://127.0.0.1:$port/big" | sha256sum | cut -c1-64)" "$sum" "64 MiB through a published port are intact"
on sdpod network create --ipv6 own6 >/dev/null
on sdpod network create -o rate=1gbit limited >/dev/null
on sdpod run -d --name server --network own6 --network limited $BUSYBOX sh -c \
        'mkdir /www; head -c 67108864 /dev/urandom >/www/big; sha256sum </www/big | cut -c1-64 >/www/sum; exec httpd -f -p 80 -h /www' >/dev/null
on sdpod run -d --name client --network own6 --network limited $BUSYBOX sleep 1000 >/dev/null
until_ok 20 on sdpod exec client wget -q -O /dev/null http://server/sum
pieces server eth0 262144 "so does a link to a bridge"
pieces server eth1 65536 "but not one whose bandwidth is limited"
sum=$(on sdpod exec client wget -q -O - http://server/sum)
for path in '{{.NetworkSettings.Networks.own6.IPAddress}}' '[{{.NetworkSettings.Networks.own6.GlobalIPv6Address}}]' '{{.NetworkSettings.Networks.limited.IPAddress}}'; do
        address=$(on sdpod inspect -f "$path" server)
        is "$(on sdpod exec client wget -q -O - "http://$address/big" | sha256sum | cut -c1-64)" "$sum" "64 MiB from one container to another are intact ($address)"
done

finish
