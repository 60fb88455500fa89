#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Bridge networks: containers reach each other and the outside, the outside reaches published ports, networks are kept apart, and
# whatever is killed comes back (R03).
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program curl jq python3 cc); then skip_all "$why"; fi
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load web
chmod 755 "$T"
cc -O1 -static -w -o "$T/raw" "$TESTS/e2e/raw.c" || exit 99
case $UID:${XDG_RUNTIME_DIR:-} in
        0:*) runtime=/run/sdpod ;;
        *:) runtime=/tmp/sdpod-run-$UID ;;
        *) runtime=$XDG_RUNTIME_DIR/sdpod ;;
esac

# The process that answers a network's names, a subordinate ID of this user's; it may not be killed but from inside.
names() { pgrep -f "^dnsmasq .*--interface=$(sdpod network inspect -f '{{.NetworkInterface}}' "$1")" | head -n 1; }
# The processes of the router: itself, sdpod-net, those that answer names.
router() { pgrep -u "$UID" -f 'sdpod .*__network (unit|alone)$'; }
uplink() { pgrep -u "$UID" -f '^[^ ]*sdpod-net .*--name=router' | head -n 1; }
isnt_web() { [[ $out != *works* ]]; }
gone() { [[ -z $(router)$(uplink) && ! -e $runtime/network ]]; }
web() { [[ $(curl -gs -m 5 "http://$1/") == "<h1>It works</h1>" ]]; }
fetch() { # NAME URL [SECONDS]: from inside
        sdpod exec "$1" timeout "${3:-30}" wget -q -O - "$2"
}
address() { # NAME INTERFACE [6]
        sdpod exec "$1" ip -o "-${3:-4}" addr show "$2" | awk '$0 !~ /fe80/ { sub("/.*", "", $4); print $4; exit }'
}

lan=
[[ $(ip -o addr show 2>/dev/null) == *192.0.2.1/* ]] && lan=192.0.2.1

# --- one network
ok "nothing of it is there before" gone
port=$(free_port)
run sdpod run -d --name web --network bridge -p "$port:8080" $WEB
exits 0 "a container on the default network"
run sdpod run -d --name other --network podman $BUSYBOX sleep 1000
exits 0 "another one, by the network's name"
like "$(address web eth0)" '^10\.88\.0\.' "it has an address of it"
run sdpod exec other ip route
like "$out" "default via 10\.88\.0\.1 dev eth0" "... and the default route through the bridge"
ok "a published port" until_ok 5 web "127.0.0.1:$port"
is "$(fetch other "http://$(address web eth0):8080/")" "<h1>It works</h1>" "they reach each other"
ok "... by IPv6" web "[::1]:$port"
run sdpod run --rm --network bridge -p "$port:80" $BUSYBOX true
like "$status:$err" "^12[56]:.*$port/tcp: already in use" "a taken port is refused"
if [[ $lan ]]; then
        ok "... and by an address of the local network" web "$lan:$port"
        cat >"$T/peer.py" <<'END'
import socket, subprocess, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
s = socket.socket(family); s.bind((sys.argv[1], 0)); s.listen(); s.settimeout(60)
p = subprocess.Popen(["sdpod", "exec", sys.argv[2], "sh", "-c", f"nc -w 30 {sys.argv[1]} {s.getsockname()[1]} </dev/null"], stdout=subprocess.PIPE)
c, _ = s.accept(); c.sendall(b"outside"); c.close()
sys.exit(p.communicate()[0] != b"outside")
END
        ok "they reach the outside" python3 "$T/peer.py" $lan other
        if [[ $EUID == 0 ]]; then # only root may look into the router's namespace
                cat >"$T/pour.py" <<'END'
import socket, subprocess, sys
s = socket.socket(); s.bind((sys.argv[1], 0)); s.listen(); s.settimeout(60)
p = subprocess.Popen(["sdpod", "exec", "other", "sh", "-c", f"head -c 3000000 /dev/zero | nc -w 30 {sys.argv[1]} {s.getsockname()[1]}"])
c, _ = s.accept(); n = 0
while data := c.recv(1 << 18): n += len(data)
print(n)
END
                tap_bytes() { awk '/uplink0/ { print $2 + $10 }' "/proc/$(pgrep -xn sdpod-connect)/net/dev"; }
                tap_before=$(tap_bytes)
                is "$(python3 "$T/pour.py" $lan)" 3000000 "... with all that they say"
                ok "... spliced, and not as packets of the uplink" test $(($(tap_bytes) - tap_before)) -lt 30000
        fi
        run sdpod exec web netstat -tn
        run python3 -c "
import socket, subprocess
s = socket.create_connection(('$lan', $port), source_address=('$lan', 0))
import time
for i in range(200):
    t = subprocess.run(['sdpod', 'exec', 'web', 'netstat', '-tn'], capture_output=True, text=True).stdout
    if '$lan:%d' % s.getsockname()[1] in t: print('seen'); break"
        is "$out" seen "a container sees its clients under their own addresses"
else
        skip "they reach the outside" "this machine has no address 192.0.2.1"
fi
sdpod run -d --name udp --network bridge -p "$port:5000/udp" -v "$T/raw:/raw:ro" $BUSYBOX /raw echo 5000 >/dev/null
cat >"$T/udp.py" <<'END'
import socket, sys
for family, address in (socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1"):
    s = socket.socket(family, socket.SOCK_DGRAM)
    s.settimeout(5)
    s.sendto(b"datagram", (address, int(sys.argv[1])))
    if s.recv(100) != b"datagram": sys.exit(1)
END
ok "a published UDP port" until_ok 5 python3 "$T/udp.py" "$port"

# --- whatever is killed comes back
before=$(uplink)
kill -9 "$before"
ok "sdpod-net is killed: another one comes" until_ok 5 eval '[[ -n $(uplink) && $(uplink) != "$before" ]]'
ok "... and published ports work, TCP" until_ok 5 web "127.0.0.1:$port"
ok "... and UDP" until_ok 5 python3 "$T/udp.py" "$port"
addresses=$(sdpod exec other ip -o addr)
like "$addresses" " eth0 .*inet " "a container has an interface"
router_again() { # WHAT: after kills
        ok "$1: another one comes" until_ok 5 eval '[[ -n $(router) && $(router) != "$before" ]]'
        ok "... and published ports work" until_ok 5 web "127.0.0.1:$port"
        ok "... UDP, too" until_ok 5 python3 "$T/udp.py" "$port"
        is "$(sdpod exec other ip -o addr)" "$addresses" "... and containers have the interfaces that they had"
        is "$(fetch other "http://$(address web eth0):8080/")" "<h1>It works</h1>" "... and reach each other"
}
before=$(router)
if [[ $(ps -o args= -p "$before") == *unit ]]; then
        kill -9 "$before"
        router_again "the router is killed"
        before=$(router)
        # shellcheck disable=SC2046  # several
        kill -9 $before $(uplink) 
        router_again "all of it is killed at once"
else
        kill -9 "$before"
        until_ok 5 eval '[[ -z $(uplink) ]]'
        run sdpod run --rm --network bridge $BUSYBOX true
        exits 0 "the router is killed: the next start makes another one"
        addresses=$(sdpod exec other ip -o addr)
        router_again "the router is killed"
fi

# --- it ends with the last container
run sdpod rm -f -t 0 web
ok "the port of a container that has ended is free at once" python3 -c "import socket; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('0.0.0.0', $port))"
ok "... and its address" test ! -L "$runtime/leases/podman/10.88.0.2"
sdpod rm -f -t 0 udp >/dev/null
pid=$(sdpod inspect -f '{{.State.Pid}}' other)
kill -9 "$pid"
ok "the last one is killed: nothing is left" until_ok 5 gone
sdpod rm -f -t 0 other >/dev/null
is "$(find "$runtime/leases" -type l 2>/dev/null)" "" "no address is taken"

# --- networks of one's own
if [[ -z ${BRIDGE_SHORT:-} ]]; then
        run sdpod network create --subnet 10.91.1.0/24 --subnet fd91:1::/64 --opt mtu=1400 one
        exits 0 "a network with IPv6"
        sdpod network create --subnet 10.91.2.0/24 two >/dev/null
        sdpod network create --subnet 10.91.3.0/24 --internal within >/dev/null
        sdpod network create --subnet 10.91.4.0/24 --opt isolate=true alone >/dev/null
        sdpod network create --subnet 10.91.5.0/24 --opt isolate=true alone2 >/dev/null
        sdpod run -d --name w1 --network one:ip=10.91.1.77,mac=02:11:22:33:44:55 -p "$port:8080" $WEB >/dev/null
        sdpod run -d --name w2 --network two,within $WEB >/dev/null
        sdpod run -d --name w3 --network within $WEB >/dev/null
        sdpod run -d --name w4 --network alone $WEB >/dev/null
        sdpod run -d --name w5 --network alone2 $WEB >/dev/null
        run sdpod exec w1 ip -o addr show eth0
        like "$out" "10\.91\.1\.77/24" "a static address"
        like "$out" "fd91:1::" "... with an IPv6 one beside it"
        run sdpod exec w1 ip link show eth0
        like "$out" "mtu 1400 .*02:11:22:33:44:55" "mtu and a static MAC"
        run sdpod run --rm --network one:ip=10.91.1.77 $BUSYBOX true
        like "$status:$err" "^12[56]:.*10\.91\.1\.77" "a static address that is taken is refused"
        six=$(address w1 eth0 6)
        sdpod run -d --name c1 --network one $BUSYBOX sleep 1000 >/dev/null
        is "$(fetch c1 "http://[$six]:8080/")" "<h1>It works</h1>" "they reach each other by IPv6"
        is "$(fetch c1 "http://w1:8080/")" "<h1>It works</h1>" "... and by name"
        before=$(names one)
        kill -9 "$before"
        ok "... also when the process that answers names was killed" until_ok 5 eval '[[ $(fetch c1 http://w1:8080/ 3 2>&1) == "<h1>It works</h1>" ]]'
        [[ -z $lan ]] || ok "... and the outside" python3 "$T/peer.py" 2001:db8::1 c1
        ok "a published port of a network with IPv6" web "[::1]:$port"
        is "$(fetch c1 "http://$(address w2 eth0):8080/")" "<h1>It works</h1>" "networks reach each other"
        is "$(sdpod exec c1 cat /proc/sys/net/ipv6/conf/eth0/accept_ra)" 0 "a container takes no routes from its neighbours"
        run sdpod exec w2 ls /sys/class/net
        is "$(echo $out)" "eth0 eth1 lo" "a container on two networks has two interfaces"
        is "$(sdpod exec w2 grep -c ' w2$' /etc/hosts)" 2 "... and both addresses in its hosts file"
        is "$(fetch w3 "http://$(address w2 eth1):8080/")" "<h1>It works</h1>" "an internal network: its containers reach each other"
        out=$(fetch w3 "http://10.91.1.77:8080/" 3 2>&1)
        ok "... no other network" isnt_web
        out=$(fetch c1 "http://$(address w3 eth0):8080/" 3 2>&1)
        ok "... and no other network reaches it" isnt_web
        run sdpod exec w3 ip route
        unlike "$out" default "... it has no default route"
        if [[ $lan ]]; then
                out=$(fetch w3 "http://$lan:$port/" 3 2>&1)
                ok "... nor the outside" isnt_web
        fi
        out=$(fetch w4 "http://$(address w5 eth0):8080/" 3 2>&1)
        ok "isolated networks do not reach each other" isnt_web
        is "$(fetch w4 "http://10.91.1.77:8080/")" "<h1>It works</h1>" "... but the others"
        run sdpod run --rm --network one --cap-add NET_ADMIN,NET_RAW $BUSYBOX sh -c "ip addr add 10.91.2.200/32 dev eth0; ip route add 10.91.2.0/24 via 10.91.1.1 src 10.91.2.200; timeout 2 wget -q -O - http://$(address w2 eth0):8080/; true"
        ok "who claims another network's address gets nowhere" isnt_web
        run sdpod exec w1 sh -c 'timeout 2 nc -w 1 10.91.1.1 22 </dev/null; timeout 2 nc -w 1 10.0.2.2 22 </dev/null; echo $?'
        is "$out" 1 "the router has nothing to connect to, and the host's loopback is out of reach"
        run sdpod network connect two c1
        exits 0 "a running container is connected to one more"
        run sdpod exec c1 ip -o -4 addr show eth1
        like "$out" "10\.91\.2\." "... it has an interface there"
        run sdpod network disconnect two c1
        exits 0 "... and disconnected"
        run sdpod exec c1 ls /sys/class/net
        is "$(echo $out)" "eth0 lo" "... the interface is gone"
        sdpod network disconnect one c1
        run sdpod exec c1 ls /sys/class/net
        is "$out" lo "one on no network any more has a loopback"
        run sdpod restart -t 0 c1
        exits 0 "... and starts"
        sdpod network connect one:alias=again c1 2>/dev/null || sdpod network connect --alias again one c1
        run sdpod exec c1 ip -o -4 addr show eth0
        like "$out" "10\.91\.1\." "... and is connected again"
        run sdpod network reload w1
        exits 0 "reload"
        ok "... published ports work" until_ok 5 web "127.0.0.1:$port"
        run sdpod pod create --name pod --network one,two -p "$port:8080"
        sdpod rm -f -t 0 w1 >/dev/null
        run sdpod run -d --pod pod --name member $WEB
        exits 0 "a pod on two networks"
        ok "... its published port" until_ok 5 web "127.0.0.1:$port"
        run sdpod exec member ls /sys/class/net
        is "$(echo $out)" "eth0 eth1 lo" "... its members have its interfaces"
        sdpod pod rm -f -t 0 pod >/dev/null
        sdpod rm -fa -t 0 >/dev/null
        sdpod network rm one two within alone alone2 >/dev/null
fi

# --- another store has a router of its own, whatever its directory is called
other=(sdpod --root "$T/other/data" --runroot "$T/other/sdpod")
at_end "${other[@]}" rm -fa -t 0
sdpod save $BUSYBOX 2>/dev/null | "${other[@]}" load -q >/dev/null
sdpod network create here >/dev/null
"${other[@]}" network create there >/dev/null
sdpod run -d --network here $BUSYBOX sleep 1000 >/dev/null
run "${other[@]}" run --rm --network there $BUSYBOX ls /sys/class/net
is "$(echo $out)" "eth0 lo" "a second store has a router, too"
sdpod rm -fa -t 0 >/dev/null
sdpod network rm here >/dev/null
sdpod rm -fa -t 0 >/dev/null
ok "nothing is left" until_ok 5 gone
no_processes_left "no process either"
finish
