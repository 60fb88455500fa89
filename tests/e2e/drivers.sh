#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The drivers of networks beside bridge, and limits of bandwidth: macvlan, ipvlan, VLANs; vxlan between two hosts, which are network
# namespaces with addresses of their own, each with a user.
# machine: root
# shellcheck disable=SC2016  # the containers' shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program ip nsenter setpriv dnsmasq python3); then
        skip_all "$why"
fi
chmod 755 "$T"
me=$$

# --- two hosts with a wire between
for h in 1 2; do
        id "host$h" >/dev/null 2>&1 || useradd -m "host$h"
        mkdir -p "$T/run$h"
        chown "host$h" "$T/run$h"
        chmod 700 "$T/run$h"
        ip netns add "e2e$me-$h"
        at_end ip netns del "e2e$me-$h"
done
ip link add wire netns "e2e$me-1" type veth peer name wire netns "e2e$me-2"
for h in 1 2; do
        ip -n "e2e$me-$h" addr add "198.51.100.$h/24" dev wire
        ip -n "e2e$me-$h" addr add "2001:db8:51::$h/64" dev wire nodad
        ip -n "e2e$me-$h" link set wire up
        ip -n "e2e$me-$h" link set lo up
done
cat >"$T/on" <<END
#!/bin/sh
# HOST CMD...: as that host's user
h=\$1
shift
exec nsenter "--net=/run/netns/e2e$me-\$h" setpriv --reuid "host\$h" --regid "host\$h" --init-groups env -i PATH="$PATH" HOME="/home/host\$h" \\
        USER="host\$h" LOGNAME="host\$h" XDG_RUNTIME_DIR="$T/run\$h" "\$@"
END
chmod 755 "$T/on"
on() { "$T/on" "$@"; }
for h in 1 2; do
        on "$h" TESTS="$TESTS" T="/home/host$h" bash -c '. "$TESTS/lib/images.sh"; image_load busybox' || skip_all "no image"
        at_end "$T/on" "$h" sdpod network rm -f base wide alone lost shared routed tagged slow quick over second
        at_end "$T/on" "$h" sdpod rm -fa -t 0
done
address() { # HOST CONTAINER
        on "$1" sdpod inspect -f '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$2"
}
# A server that says its name to whoever connects.
serve() { # HOST NAME OPTIONS...
        local h=$1 name=$2
        shift 2
        run "$T/on" "$h" sdpod run -d --name "$name" "$@" $BUSYBOX sh -c "while :; do echo '$name' | nc -l -p 80; done"
}
hear() { # HOST CONTAINER ADDRESS: who serves there, seen from the container
        local said='' try
        for try in 1 2 3 4 5 6 7 8 9 10; do # its server is away for a moment after each
                said=$(on "$1" sdpod exec "$2" timeout 5 nc "$3" 80)
                [[ -z $said ]] || break
        done
        echo "$said"
}

# --- macvlan
on 1 sdpod network create --subnet 10.92.1.0/24 base >/dev/null
on 1 sdpod network create -d macvlan -o parent=base --subnet 10.92.2.0/24 wide >/dev/null
serve 1 m1 --network wide
exits 0 "macvlan over a bridge network"
serve 1 m2 --network wide
is "$(hear 1 m2 "$(address 1 m1)")" m1 "two containers on it reach each other"
is "$(hear 1 m2 m1)" m1 "and by name"
run "$T/on" 1 sdpod run --rm --network wide $BUSYBOX sh -c 'ip route; ping -c 1 -W 2 127.0.0.1 >/dev/null 2>&1; nc -w 3 198.51.100.1 9 2>&1'
like "$out" "default via 10.92.2.1" "its gateway is the router"
like "$out$err" "refused" "and leads outside"
on 1 sdpod network create -d macvlan -o parent=base -o mode=private --subnet 10.92.3.0/24 alone >/dev/null
serve 1 p1 --network alone
exits 0 "macvlan in private mode"
serve 1 p2 --network alone
run "$T/on" 1 sdpod exec p2 timeout 3 nc "$(address 1 p1)" 80
unlike "$out" p1 "containers do not hear each other"
run "$T/on" 1 sdpod run --rm --network wide --mac-address 02:11:22:33:44:55 $BUSYBOX cat /sys/class/net/eth0/address
is "$out" 02:11:22:33:44:55 "a MAC address by hand"
on 1 sdpod network create -d macvlan -o parent=no-such --subnet 10.92.4.0/24 lost >/dev/null 2>&1
run "$T/on" 1 sdpod run --rm --network lost $BUSYBOX true
like "$status:$err" "^12[56]:.*no bridge or vxlan network 'no-such'" "a parent that is none is refused"
on 1 sdpod rm -fa -t 0 >/dev/null

# --- ipvlan
on 1 sdpod network create -d ipvlan -o parent=base --subnet 10.92.5.0/24 shared >/dev/null
serve 1 i1 --network shared
if [[ $status != 0 && $err == *ipvlan* ]]; then
        like "$err" "module 'ipvlan'" "a kernel without ipvlan is named as the reason"
        skip "ipvlan" "this kernel has no ipvlan"
else
        exits 0 "ipvlan over a bridge network"
        serve 1 i2 --network shared
        is "$(hear 1 i2 "$(address 1 i1)")" i1 "two containers on it reach each other"
        is "$(for c in i1 i2; do on 1 sdpod exec $c cat /sys/class/net/eth0/address; done | uniq -c | awk '{ print $1 }')" 2 "under one MAC address"
        on 1 sdpod network create -d ipvlan -o parent=base -o mode=l3 --subnet 10.92.6.0/24 routed >/dev/null
        run "$T/on" 1 sdpod run --rm --network routed $BUSYBOX ip route
        on 1 sdpod rm -fa -t 0 >/dev/null
        run "$T/on" 1 sdpod run --rm --network routed $BUSYBOX ip route
        like "$out" "default dev eth0" "in the mode l3 everything is on the wire"
fi
on 1 sdpod rm -fa -t 0 >/dev/null

# --- VLANs
on 1 sdpod network create -o vlan=7 --subnet 10.92.7.0/24 tagged >/dev/null
serve 1 v1 --network tagged
if [[ $status != 0 && $err == *VLAN* ]]; then
        like "$err" "CONFIG_BRIDGE_VLAN_FILTERING" "a kernel without VLANs is named as the reason"
        skip "vlan=" "this kernel has no VLANs"
else
        exits 0 "a bridge network in a VLAN"
        serve 1 v2 --network tagged
        is "$(hear 1 v2 v1)" v1 "two containers on it reach each other"
fi
on 1 sdpod rm -fa -t 0 >/dev/null

# --- limits
cat >"$T/flow.sh" <<'END'
# how many bytes come in two seconds
for try in 1 2 3 4 5 6 7 8 9 10; do
        sleep 4 | timeout -s KILL 2 nc "$1" 81 >/tmp/flow
        [ -s /tmp/flow ] && break # else its server did not listen yet
done
wc -c </tmp/flow
END
on 1 sdpod network create -o rate=4m -o burst=64k --subnet 10.92.8.0/24 slow >/dev/null
run "$T/on" 1 sdpod run -d --name source --network slow $BUSYBOX sh -c 'while :; do nc -l -p 81 </dev/zero; done'
if [[ $status != 0 && $err == *"cannot limit"* ]]; then
        skip "rate=" "this kernel has no ifb or no token bucket"
else
        exits 0 "a network with a limit"
        run "$T/on" 1 sdpod run --rm --name sink --network slow -v "$T/flow.sh:/flow.sh:ro" $BUSYBOX sh /flow.sh source
        # 4 Mbit/s are 1 MB in two seconds; without a limit it is hundreds. Both ends are limited, each in its direction.
        ((out > 150000 && out < 2000000)) && pass "it holds" || fail "it holds" "$out bytes in two seconds"
        on 1 sdpod network create --subnet 10.92.9.0/24 quick >/dev/null
        on 1 sdpod run -d --name fast --network quick $BUSYBOX sh -c 'while :; do nc -l -p 81 </dev/zero; done' >/dev/null
        run "$T/on" 1 sdpod run --rm --network slow -v "$T/flow.sh:/flow.sh:ro" $BUSYBOX sh /flow.sh "$(address 1 fast)"
        ((out > 150000 && out < 2000000)) && pass "for what a container receives" || fail "for what a container receives" "$out bytes"
        run "$T/on" 1 sdpod run --rm --network quick -v "$T/flow.sh:/flow.sh:ro" $BUSYBOX sh /flow.sh "$(address 1 source)"
        ((out > 150000 && out < 2000000)) && pass "and for what it sends" || fail "and for what it sends" "$out bytes"
        # with the limit these would take more than two minutes
        run "$T/on" 1 sdpod run --rm --network quick $BUSYBOX \
                sh -c 'mkfifo /tmp/f; exec 3<>/tmp/f; timeout -s KILL 100 nc fast 81 <&3 | head -c 64000000 | wc -c'
        is "$out" 64000000 "another network has none"
fi
on 1 sdpod rm -fa -t 0 >/dev/null
gone() { [[ ! -e $T/run$1/sdpod/network ]] && ! pgrep -u "host$1" sdpod-net >/dev/null; }
until_ok 10 gone 1 && pass "nothing is left" || fail "nothing is left" "$(find "$T/run1/sdpod/network"; pgrep -au host1)"

# --- vxlan
on 1 sdpod network create -d vxlan -o vni=42 -o remote=198.51.100.2 -o dns_peers=10.93.0.129 --subnet 10.93.0.0/24 --gateway 10.93.0.1 \
        --ip-range 10.93.0.0/25 over >/dev/null
on 2 sdpod network create -d vxlan -o vni=42 -o remote=198.51.100.1 -o dns_peers=10.93.0.1 --subnet 10.93.0.0/24 --gateway 10.93.0.129 \
        --ip-range 10.93.0.128/25 over >/dev/null
serve 1 here --network over --network-alias first
exits 0 "vxlan on one host"
serve 2 there --network over
exits 0 "and on the other"
like "$(address 2 there)" "^10\.93\.0\.1[3-9]" "addresses come from each host's own range"
is "$(hear 1 here "$(address 2 there)")" there "a container reaches one on the other host"
is "$(hear 2 there "$(address 1 here)")" here "and the other way"
is "$(hear 1 here there)" there "by name"
is "$(hear 2 there first.dns.podman)" here "by an alias, the other way"
is "$(hear 1 here here)" here "its own host's names are known as well"
run "$T/on" 1 sdpod exec here nslookup nobody
like "$out$err" "NXDOMAIN" "a name that is on neither host does not go round"
run "$T/on" 1 sdpod exec here cat /sys/class/net/eth0/mtu
is "$out" 1450 "packets leave room for the tunnel"
run "$T/on" 1 sdpod run --rm --network over $BUSYBOX sh -c "dd if=/dev/zero bs=1000 count=2000 2>/dev/null | nc -w 10 $(address 2 there) 80 | head -c 5"
is "$out" there "large ones pass"

# a stranger who sends to the port
ip link add stranger netns "e2e$me-1" type veth peer name eth0 netns "e2e$me-2"
ip -n "e2e$me-1" addr add 198.51.101.1/24 dev stranger
ip -n "e2e$me-1" link set stranger up
ip -n "e2e$me-2" addr add 198.51.101.2/24 dev eth0
ip -n "e2e$me-2" link set eth0 up
cat >"$T/inject.py" <<'END'
import socket, struct, sys
# an ARP announcement that 10.93.0.2 is at 02:66:66:66:66:66, in VXLAN 42
arp = b"\xff" * 6 + b"\2fffff" + b"\x08\x06" + struct.pack(">HHBBH", 1, 0x800, 6, 4, 1) + b"\2fffff" + socket.inet_aton(sys.argv[3]) + b"\xff" * 6 + socket.inet_aton(sys.argv[3])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], 0))
for i in range(20):
    s.sendto(struct.pack(">II", 0x08000000, 42 << 8) + arp, (sys.argv[2], 4789))
END
poisoned() { on 1 sdpod exec here cat /proc/net/arp | grep -i 02:66:66:66:66:66; }
nsenter "--net=/run/netns/e2e$me-2" python3 "$T/inject.py" 198.51.101.2 198.51.101.1 "$(address 2 there)"
is "$(hear 1 here there)" there "a datagram from a host that is no peer is not let in"
is "$(poisoned)" "" "it changes nobody's neighbours"
nsenter "--net=/run/netns/e2e$me-2" python3 "$T/inject.py" 198.51.100.2 198.51.100.1 "$(address 2 there)"
until_ok 5 poisoned >/dev/null && pass "(from the peer it is)" || fail "(from the peer it is)"
back() { [[ $(hear 1 here there) == there && $(hear 2 there here) == here ]]; }
until_ok 20 back

# one host cut off, and back
ip -n "e2e$me-2" link set wire down
run "$T/on" 1 sdpod exec here timeout 3 nc "$(address 2 there)" 80
unlike "$out" there "cut off, the other host is not reached"
is "$(hear 1 here here)" here "what is on this host still is, by name"
ip -n "e2e$me-2" addr flush dev wire
ip -n "e2e$me-2" addr add 198.51.100.2/24 dev wire
ip -n "e2e$me-2" link set wire up
until_ok 20 back && pass "back again, both are, by name" || fail "back again, both are, by name" "$(hear 1 here there; on 1 sdpod exec here nslookup there)"

# what carries it is killed
pgrep -u host1 -f 'sdpod-net .*--name=router' | xargs kill -9
until_ok 20 back && pass "the uplink killed, it is back" || fail "the uplink killed, it is back"
# a second network shares the port
on 1 sdpod network create -d vxlan -o vni=43 -o remote=198.51.100.2 --subnet 10.94.0.0/24 second >/dev/null
run "$T/on" 1 sdpod run --rm --network second $BUSYBOX true
exits 0 "a second network of another number shares the port"
is "$(hear 1 here there)" there "and leaves it to the first"
on 1 sdpod rm -fa -t 0 >/dev/null
on 2 sdpod rm -fa -t 0 >/dev/null
until_ok 10 gone 1 && until_ok 10 gone 2 && pass "nothing is left" || fail "nothing is left" "$(find "$T"/run?/sdpod/network; pgrep -au host1)"
is "$(nsenter "--net=/run/netns/e2e$me-1" ss -Hlun sport = 4789)" "" "the port is free again"
finish
