#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Names of containers on networks: who is found by which name, by whom, from when and until when; and what answers them.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
if why=$(lacks_program dnsmasq); then
        skip "names of containers" "$why"
        finish
        exit
fi
at_end sdpod rm -fa -t 0
at_end sdpod network rm -f front back inner plain

# What NAME is for container WHO: the addresses of A and AAAA records, one a line, or what nslookup says.
lookup() { # WHO NAME
        sdpod exec "$1" nslookup "$2" 2>&1 | awk '/^Address/ && n++ { print $NF } /NXDOMAIN|REFUSED|no servers/ { print "none"; exit } /^Name:/ { n = 1 }' | sort -u
}
address_of() { # CONTAINER [NETWORK]
        sdpod inspect -f "{{(index .NetworkSettings.Networks \"${2:-front}\").IPAddress}}" "$1"
}
dnsmasq_pids() {
        pgrep -u "$(id -u),65534,$(awk -F: -v u="$USER" '$1 == u { print $2 + 65533 }' /etc/subuid)" -f "^dnsmasq .*--interface=${1:-}"
}

sdpod network create --subnet 10.91.1.0/24 --interface-name front0 front >/dev/null
sdpod network create --subnet 10.91.2.0/24 --ipv6 --subnet fd91:2::/64 --interface-name back0 back >/dev/null
sdpod network create --subnet 10.91.3.0/24 --interface-name inner0 --internal inner >/dev/null
sdpod network create --subnet 10.91.4.0/24 --interface-name plain0 --disable-dns plain >/dev/null

# --- what a container sees
run sdpod run -d --name web --hostname www-host --network front --network-alias www --network-alias db.internal $BUSYBOX sh -c 'while :; do echo hello | nc -l -p 80; done'
exits 0 "a container on a network with names"
web=$(address_of web)
id=$(sdpod inspect -f '{{.Id}}' web)
run sdpod run -d --name client --network front $BUSYBOX sleep 600
exits 0 "another one"
run sdpod exec client cat /etc/resolv.conf
like "$out" "^search dns.podman" "the domain of names is searched first"
like "$out" "nameserver 10.91.1.1$" "the resolver is the network's gateway"
for name in web web.dns.podman WEB www db.internal "${id:0:12}" www-host; do
        is "$(lookup client "$name")" "$web" "'${name/${id:0:12}/SHORT-ID}' is found"
done
is "$(lookup web client)" "$(address_of client)" "the first one finds the one that came later"
run sdpod exec client nslookup "$web"
like "$out" "name = web" "an address has its container's name"
says_hello() { run sdpod exec "$1" timeout 5 nc web 80 && [[ $out == hello ]]; } # its server is away for a moment after each
until_ok 10 says_hello client
is "$out" hello "and they reach each other by name"
is "$(lookup client nobody)" none "a name that nobody has is known not to be"
is "$(lookup client nobody.dns.podman)" none "also in the domain"
like "$(sdpod exec client nslookup web 10.91.1.1 2>&1)" "$web" "over UDP"

# --- before its first instruction, and until its end
run sdpod run --rm --name early --network front $BUSYBOX nslookup early.dns.podman
like "$out" "Address.*10\.91\.1\." "a container finds its own name with its first instruction"
is "$(lookup client early)" none "and a container that has ended is not found"
run sdpod run -d --name brief --network front $BUSYBOX sleep 600
like "$(lookup client brief)" "^10\.91\.1\." "one that runs is found"
sdpod kill brief >/dev/null
sdpod wait brief >/dev/null 2>&1
is "$(lookup client brief)" none "and not any more when it was killed"
sdpod start brief >/dev/null
like "$(lookup client brief)" "^10\.91\.1\." "and again when it was started"
sdpod rm -f -t 0 brief >/dev/null

# --- one name for several
for i in 1 2; do sdpod run -d --name "twin$i" --network front --network-alias twin $BUSYBOX sleep 600 >/dev/null; done
is "$(lookup client twin)" "$(printf '%s\n' "$(address_of twin1)" "$(address_of twin2)" | sort)" "an alias of two leads to both"
sdpod rm -f -t 0 twin1 >/dev/null
is "$(lookup client twin)" "$(address_of twin2)" "and to one when the other is gone"
sdpod rm -f -t 0 twin2 >/dev/null

# --- other networks
run sdpod run -d --name other --network back $BUSYBOX sleep 600
exits 0 "a container on another network, with IPv6"
is "$(lookup client other)" none "it is not found from the first"
is "$(lookup other web)" none "nor the other way"
like "$(sdpod exec other nslookup other 2>&1)" "fd91:2::" "it has an IPv6 address by name"
run sdpod exec other timeout 3 nslookup web 10.91.1.1
unlike "$out" "$web" "the first network's resolver does not answer it"
run sdpod run --rm --network plain $BUSYBOX cat /etc/resolv.conf
like "$out" "nameserver 10.0.2.3" "a network without names has the host's resolver"
unlike "$out" "dns.podman" "and no domain"
is "$(dnsmasq_pids plain0)" "" "and nobody who answers names"

# --- options
run sdpod run --rm --network front --dns-search example.org $BUSYBOX cat /etc/resolv.conf
is "$(grep search <<<"$out")" "search example.org" "--dns-search instead of the domain"
run sdpod run --rm --network front --dns 192.0.2.53 $BUSYBOX cat /etc/resolv.conf
like "$out" "nameserver 127.0.0.11" "--dns gives a container a resolver of its own"
run sdpod run -d --name own --network front --dns 192.0.2.53 $BUSYBOX sleep 600
like "$(pgrep -af "^dnsmasq .*--listen-address=127.0.0.11")" "--server=192.0.2.53" "which asks that server"
is "$(lookup own web)" "$web" "and knows the names"
sdpod rm -f -t 0 own >/dev/null
until_ok 5 eval '! pgrep -f "^dnsmasq .*--listen-address=127.0.0.11"'
is "$(pgrep -f "^dnsmasq .*--listen-address=127.0.0.11")" "" "it goes with the container"

# --- several networks
run sdpod run -d --name both --network front --network back $BUSYBOX sleep 600
exits 0 "a container on two networks"
is "$(lookup both web)" "$web" "finds the names of one"
is "$(lookup both other | grep -v :)" "$(address_of other back)" "and of the other"
is "$(lookup web both)" "$(address_of both front)" "is found from one under its address there"
is "$(lookup other both | grep -v :)" "$(address_of both back)" "and from the other"
until_ok 10 says_hello both
is "$out" hello "and reaches them"
run sdpod exec both cat /proc/sys/net/ipv4/ip_unprivileged_port_start
is "$out" "$(sdpod exec web cat /proc/sys/net/ipv4/ip_unprivileged_port_start)" "its low ports are as they were"
pid=$(pgrep -f "^dnsmasq .*--listen-address=127.0.0.11")
kill -9 "$pid"
finds() { [[ $(lookup both web) == "$web" ]]; }
until_ok 10 finds && pass "killed, its resolver is back" || fail "killed, its resolver is back" "$(lookup both web)"
sdpod rm -f -t 0 both >/dev/null
sdpod network connect back client
is "$(lookup client other | grep -v :)" "$(address_of other back)" "connected to another network, a container finds its names at once"
is "$(lookup client web)" "$web" "and those of the first"
is "$(lookup other client | grep -v :)" "$(address_of client back)" "and is found there"
sdpod network disconnect back client
is "$(lookup client other)" none "disconnected, it does not"
is "$(lookup client web)" "$web" "but those of the first"
is "$(lookup other client)" none "and is not found"

# --- names from outside, and from nowhere
cat >"$T/server.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind((sys.argv[1], int(sys.argv[2])))
print("ready", flush=True)
while True:
    q, peer = s.recvfrom(2000)
    end = q.index(b"\0", 12) + 5
    a = q[:2] + b"\x81\x80" + q[4:6]
    a += (b"\0\1" if q[end - 3] == 1 else b"\0\0") + b"\0\0\0\0" + q[12:end]
    if q[end - 3] == 1:
        a += b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\x07"
    s.sendto(a, peer)
END
host=$(ip -o -4 addr show scope global 2>/dev/null | awk '{ sub("/.*", "", $4); print $4; exit }')
port=$(free_port)
if [[ -n $host ]]; then
        python3 "$T/server.py" "$host" "$port" >"$T/server.out" &
        at_end kill $!
        until_ok 10 grep -q ready "$T/server.out"
        sdpod network create --subnet 10.91.5.0/24 --interface-name far0 --dns "$host" far >/dev/null 2>"$T/far" && at_end sdpod network rm -f far
        # only port 53 can be named; so this is seen where it is free to take, in tests/unit/net/test-names.c
        run sdpod run --rm --network inner $BUSYBOX nslookup www.example.org
        like "$out$err" "NXDOMAIN|can't find|can't resolve" "an internal network asks nobody"
fi

# --- who answers
pid=$(dnsmasq_pids front0)
like "$pid" '^[0-9]+$' "one process answers the names of a network"
status_of=$(cat "/proc/$pid/status")
like "$status_of" "Seccomp:.2" "it has a seccomp filter"
like "$status_of" "NoNewPrivs:.1" "it gets no privileges"
like "$status_of" "CapBnd:.0000000000000400" "and has none that counts"
unlike "$status_of" "Uid:.$UID" "it is not the user"
# it is another's process, which root of the namespace around it may look at
namespaces=$(readlink /proc/self/ns/user; sdpod unshare readlink /proc/self/ns/user "/proc/$pid/ns/user")
is "$(sort -u <<<"$namespaces" | grep -c '^user:')" 3 "in a user namespace of its own"

# garbage, from a container
run sdpod exec client sh -c 'i=0; while [ $i -lt 200 ]; do head -c $i /dev/urandom | nc -u -w 1 10.91.1.1 53 >/dev/null 2>&1 & i=$((i + 1)); done; wait'
head -c 100000 /dev/urandom | sdpod exec -i client nc -w 2 10.91.1.1 53 >/dev/null 2>&1
is "$(lookup client web)" "$web" "garbage does not end it"
is "$(dnsmasq_pids front0)" "$pid" "not even for a moment"

# killed
kill -9 "$pid"
found() { [[ $(lookup client web) == "$web" ]]; }
until_ok 10 found && pass "killed, it is back, and knows all names" || fail "killed, it is back, and knows all names" "$(lookup client web)"
unlike "$(dnsmasq_pids front0)" "^$pid$" "as another process"
is "$(sdpod inspect -f '{{.State.Status}}' web client)" $'running\nrunning' "containers have run on"
router=$(pgrep -u "$UID" -f 'sdpod.* __network( |$)' | head -1)
kill -9 "$router" "$(dnsmasq_pids front0)"
sdpod run --rm --network front $BUSYBOX true
until_ok 10 found && pass "the next start repairs names and router" || fail "the next start repairs names and router" "$(lookup client web)"

# --- nothing stays
sdpod rm -fa -t 0 >/dev/null
gone() { [[ -z $(dnsmasq_pids) && ! -e $XDG_RUNTIME_DIR/sdpod/network ]]; }
until_ok 10 gone && pass "nothing is left when the last container has gone" ||
        fail "nothing is left when the last container has gone" "$(dnsmasq_pids; find "$XDG_RUNTIME_DIR/sdpod/network")"
finish
