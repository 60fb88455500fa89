#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The network of a container: its own stack over user-mode networking, published ports on both families, and no way to
# the host's loopback.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load web
NL=$'\n'
chmod 755 "$T"

# A server on PORT of ADDRESS that writes down what reaches it, TCP or UDP.
cat >"$T/canary.py" <<'END'
import socket, sys, threading
log = open(sys.argv[1], "a", buffering=1)
def tcp(family, address, port):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, port)); s.listen()
    while True:
        c, peer = s.accept(); log.write(f"tcp {address} {peer[0]}\n"); c.sendall(b"canary\n"); c.close()
def udp(family, address, port):
    s = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, port))
    while True:
        data, peer = s.recvfrom(2000); log.write(f"udp {address} {peer[0]} {data.decode()}\n")
port = int(sys.argv[2])
for address in sys.argv[3:]:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    for f in tcp, udp:
        threading.Thread(target=f, args=(family, address, port), daemon=True).start()
log.write("ready\n")
threading.Event().wait()
END

# --- what the container sees
run sdpod run --rm $BUSYBOX sh -c 'ip -4 addr show tap0; ip -6 addr show tap0; ip route; cat /etc/resolv.conf; ip link show lo'
like "$out" "inet 10\.0\.2\.100/24" "an IPv4 address on tap0"
like "$out" "inet6 fd00:" "an IPv6 address"
like "$out" "default via 10\.0\.2\.2 " "a default route"
like "$out" "nameserver 10\.0\.2\.3" "a name server"
like "$out" "lo: <LOOPBACK,UP" "its own loopback is up"
run sdpod run --rm --dns none $BUSYBOX cat /etc/resolv.conf
is "$status:$out" "0:" "--dns none leaves the image's resolv.conf alone"
run sdpod run --rm --dns 192.0.2.53 $BUSYBOX cat /etc/resolv.conf
like "$out" "nameserver 192.0.2.53" "--dns"
run sdpod run --rm --network none $BUSYBOX ip -o addr
is "$(awk '{print $2}' <<<"$out" | sort -u)" lo "--network none has a loopback alone"
run sdpod run --rm --network host $BUSYBOX readlink /proc/self/ns/net
is "$out" "$(readlink /proc/self/ns/net)" "--network host is the host's"
run sdpod run --rm --network no-such $BUSYBOX true
exits 125 "a network that does not exist is refused"

# --- published ports
port=$(free_port)
run sdpod run -d --name web -p "$port:8080" $WEB
exits 0 "a container with a published port"
ok "its page by IPv4" until_ok 10 curl -sf -m 5 "http://127.0.0.1:$port/"
run curl -s -m 5 "http://127.0.0.1:$port/"
is "$out" "<h1>It works</h1>" "... is the image's"
run curl -s -m 5 "http://[::1]:$port/"
is "$out" "<h1>It works</h1>" "its page by IPv6"
run sdpod port web
like "$out" "8080/tcp -> (0\.0\.0\.0|\[::\]|):?$port" "port"
run sdpod ps --format '{{.Ports}}'
like "$out" "$port->8080/tcp" "ps shows it"
run sdpod exec web wget -q -O - http://127.0.0.1:8080/
is "$out" "<h1>It works</h1>" "the container reaches itself"
run sdpod run -d --name second -p "$port:8080" $WEB
unlike "$status" '^0$' "a second container on the same port is refused"
like "$err" "$port" "... and the port is named"
run sdpod rm -f -t 0 second
run curl -s -m 5 "http://127.0.0.1:$port/"
is "$out" "<h1>It works</h1>" "... and the first goes on"
(seq 20 | xargs -P 20 -I{} curl -s -m 10 "http://127.0.0.1:$port/") >"$T/many"
is "$(grep -c works "$T/many")" 20 "twenty requests at once"
run sdpod rm -f -t 0 web
ok "the port is free at once" python3 -c "import socket; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('0.0.0.0', $port))"
no_processes_left "no process is left"

run sdpod run -d --name local -p "127.0.0.1:$port:8080" $WEB
until_ok 10 curl -sf "http://127.0.0.1:$port/"
is "$(ss -Hltn "sport = :$port" | awk '{print $4}')" "127.0.0.1:$port" "-p 127.0.0.1: listens there and nowhere else"
sdpod rm -f -t 0 local >/dev/null
run sdpod run -d --name six -p "[::1]:$port:8080" $WEB
ok "-p [::1]:" until_ok 10 curl -sf "http://[::1]:$port/"
is "$(ss -Hltn "sport = :$port" | awk '{print $4}')" "[::1]:$port" "... and nowhere else"
sdpod rm -f -t 0 six >/dev/null
run sdpod run -d --name any -p 8080 $WEB
like "$(sdpod port any 8080)" ':[0-9]+$' "-p without a host port takes a free one"
sdpod rm -f -t 0 any >/dev/null
other=$(free_port)
if why=$(lacks_program cc); then
        skip "a UDP port answers" "$why"
else
        cc -O1 -static -w -o "$T/raw" "$TESTS/e2e/raw.c" || exit 99
        cat >"$T/udp.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.sendto(b"datagram", ("127.0.0.1", int(sys.argv[1])))
sys.exit(s.recv(100) != b"datagram")
END
        sdpod run -d --name udp -p "$other:5000/udp" -v "$T/raw:/raw:ro" $BUSYBOX /raw echo 5000 >/dev/null
        until_ok 10 sh -c 'sdpod logs udp | grep -q listening'
        ok "a UDP port answers" until_ok 10 python3 "$T/udp.py" "$other"
        sdpod rm -f -t 0 udp >/dev/null
fi
run sdpod run --rm -p 80:8080 $BUSYBOX true
like "$status:$err" "^12[56]:.*80" "a port below 1024 is refused by name"
for bad in 0:80 70000:80 80:70000 a:b 8080:80/xtp 1.2.3.4.5:80:80 -1:80; do
        run sdpod run --rm "--publish=$bad" $BUSYBOX true
        exits 125 "--publish $bad is refused"
done

# --- out, and not to the host's loopback
canary=$(free_port)
python3 "$T/canary.py" "$T/canary" "$canary" 127.0.0.1 ::1 &
at_end kill $!
lan=
if [[ $(ip -o addr show 2>/dev/null) == *192.0.2.1/* ]]; then
        lan=192.0.2.1
        python3 "$T/canary.py" "$T/lan" "$canary" 192.0.2.1 2001:db8::1 &
        at_end kill $!
        until_ok 5 grep -q ready "$T/lan"
        run sdpod run --rm $BUSYBOX sh -c "nc -w 30 192.0.2.1 $canary </dev/null"
        is "$out" canary "an address of the local network is reached by IPv4"
        run sdpod run --rm $BUSYBOX sh -c "nc -w 30 2001:db8::1 $canary </dev/null"
        is "$out" canary "... and by IPv6"
else
        skip "an address of the local network is reached" "this machine has no address 192.0.2.1"
fi
until_ok 5 grep -q ready "$T/canary"
cat >"$T/try" <<'END'
for address in 10.0.2.2 10.0.2.3 127.0.0.1 127.1.2.3 0.0.0.0 fd00::2 fd00::3 ::1 ::ffff:127.0.0.1 fe80::2%tap0; do
        nc -w 2 $address $1 </dev/null &
        timeout 2 tftp -g -r canary -l /tmp/x.$address $address $1 &
done
wait
END
run sdpod run --rm -v "$T/try:/try:ro" $BUSYBOX sh /try "$canary"
unlike "$out" canary "no way to the host's loopback by the gateway's, the name server's or any loopback address"
if why=$(lacks_program cc); then
        skip "raw frames to the host's loopback" "$why"
else
        sdpod run -d --name raw --cap-add NET_RAW,NET_ADMIN -v "$T/raw:/raw:ro" $BUSYBOX sleep 1000 >/dev/null
        until_ok 10 sdpod exec raw ip link show tap0
        for address in 127.0.0.1 127.1.2.3 0.0.0.0 255.255.255.255 10.0.2.2 10.0.2.255 224.0.0.1 ::1 ::ffff:127.0.0.1 ::; do
                sdpod exec raw /raw tap0 $address "$canary" frame >/dev/null 2>&1
        done
        for source in 127.0.0.1 0.0.0.0 10.0.2.2; do
                sdpod exec -e SOURCE=$source raw /raw tap0 127.0.0.1 "$canary" frame >/dev/null 2>&1
        done
        if [[ -n $lan ]]; then
                sdpod exec raw /raw tap0 192.0.2.1 "$canary" control
                ok "a raw frame to the local network arrives" until_ok 5 grep -q control "$T/lan"
        fi
        sdpod rm -f -t 0 raw >/dev/null
fi
is "$(cat "$T/canary")" ready "nothing reached the host's loopback"
run sdpod run --rm --network slirp4netns:allow_host_loopback=true $BUSYBOX sh -c "nc -w 30 10.0.2.2 $canary </dev/null"
is "$out" canary "... but by the gateway's address with allow_host_loopback=true"

# --- the helper
sdpod run -d --name helped -p "$port:8080" $WEB >/dev/null
until_ok 10 curl -sf "http://127.0.0.1:$port/"
helper=$(container_processes | awk '$2 == "sdpod-net" { print $1 }')
like "$helper" '^[0-9]+$' "there is one sdpod-net"
if [[ -n $helper ]]; then
        is "$(awk '/^CapEff|^CapPrm|^CapBnd/ { printf "%s ", $2 } /^NoNewPrivs|^Seccomp:/ { printf "%s ", $2 }' "/proc/$helper/status" 2>/dev/null | tr -d 0)" \
                "   1 2 " "it has no capability, no way to new ones, and a filter"
        ok "it sees no home" test ! -e "/proc/$helper/root/home"
        kill -9 "$helper"
        is "$(sdpod inspect -f '{{.State.Status}}' helped)" running "its end does not end the container"
fi
run sdpod rm -f -t 0 helped
exits 0 "... which can be removed"
no_processes_left "no process is left"

# --- containers with an ID map of their own
for map in keep-id auto nomap; do
        out=$(sdpod run --rm --userns $map $BUSYBOX ip -4 addr show tap0 2>&1)
        like "$out" 'inet 10\.0\.2\.100/24' "--userns $map has a network"
done
run sdpod run --rm --network slirp4netns:enable_ipv6=false $BUSYBOX ip -6 address show tap0
is "$out" "" "enable_ipv6=false leaves no IPv6 address"

# --- outgoing TCP: spliced, unless that is not wanted
listens='grep -c ":0001 0*:0000 0A" /proc/net/tcp'
is "$(sdpod run --rm $BUSYBOX sh -c "$listens")" 1 "outgoing connections have a listener"
is "$(sdpod run --rm --network slirp4netns:splice=false $BUSYBOX sh -c "$listens")" 0 "splice=false: they go as packets"
run sdpod run --rm --network slirp4netns:splice=perhaps $BUSYBOX true
like "$err" "unknown option or value 'splice=perhaps'" "splice= takes true or false"

finish
