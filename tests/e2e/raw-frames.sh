#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a container with CAP_NET_RAW and CAP_NET_ADMIN writes to the wire never reaches the host's loopback, link-local addresses or a
# server of libslirp's, whatever the frame looks like; and what its network process may do. S60 to S66 of the threats in docs/SECURITY.md.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program cc python3 ss curl); then skip_all "$why"; fi
[[ $(ip -o addr show 2>/dev/null) == *192.0.2.1/* ]] || skip_all "this machine has no address 192.0.2.1"
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load web
# shellcheck source=tests/lib/frames.sh
. "$TESTS/lib/frames.sh"
sdpod run -d --name raw --cap-add NET_RAW,NET_ADMIN -v "$T/frames:/frames:ro" -v "$T/talk:/talk:ro" $BUSYBOX sleep 1000 >/dev/null
until_ok 10 sdpod exec raw ip link show tap0
net_pid() { jq -r .netPid "$XDG_RUNTIME_DIR/sdpod/containers/$(sdpod inspect -f '{{.Id}}' raw)/process.json"; }
helper=$(net_pid)
S="raw tap0 52:55:0a:00:02:02 10.0.2.100 fd00::100"
# libslirp repeats its answer to these for a while, as nobody resets what no program has begun: so they have a container of their own
sdpod run -d --name decent --cap-add NET_RAW,NET_ADMIN -v "$T/frames:/frames:ro" $BUSYBOX sleep 1000 >/dev/null
until_ok 10 sdpod exec decent ip link show tap0
# shellcheck disable=SC2086
{
is "$(write_frames ${S/raw/decent} control "192.0.2.1 2001:db8::1")" $'control to 192.0.2.1: syn-ack\ncontrol to 2001:db8::1: syn-ack' "decent frames are answered"
ok "... and arrive by UDP" until_ok 5 grep -q '192.0.2.1 SOCK_DGRAM' "$T/lan"
ok "... over IPv6, too" until_ok 5 grep -q '2001:db8::1 SOCK_DGRAM' "$T/lan"
sdpod rm -f -t 0 decent >/dev/null

for target in 10.0.2.2 fd00::2 10.0.2.3 fd00::3; do
        is "$(sdpod exec raw /talk send $target "$port" 1) $(sdpod exec raw /talk udp $target "$port" 64)" "ECONNREFUSED ECONNREFUSED" "S60: $target:$port is refused"
done
loopback="127.0.0.1 127.1.2.3 127.0.0.53"
for class in plain arp fragments routes spoof redirect vlan tunnel lengths; do
        is "$(write_frames $S $class "$loopback 0.0.0.0 10.0.2.2")" "" "S61: $class, by IPv4 to the host's loopback: silence"
done
for class in plain fragments routes vlan; do
        is "$(write_frames $S $class "::1 :: fd00::2 ::ffff:127.0.0.1")" "" "S61: $class, by IPv6 to the host's loopback: silence"
done
is "$(write_frames $S mapped "$loopback")" "" "S61: IPv4-mapped and -compatible addresses, NAT64, 6to4: silence"
is "$(write_frames $S zero 127.0.0.1)" "" "S61: from and to nowhere, broadcast, multicast: silence"
is "$(write_frames $S scan "10.0.2.3 fd00::3")" "" "S62: the name server's address answers on no other port"
is "$(write_frames $S dhcp 127.0.0.1)" "" "S62: BOOTP and DHCP are answered by nobody"
is "$(write_frames $S tftp 127.0.0.1)" "" "S62: TFTP reads and writes nothing"
if [[ $metadata ]]; then
        for class in plain fragments routes spoof tunnel vlan; do
                is "$(write_frames $S $class 169.254.169.254)" "" "S66: $class to the metadata service: silence"
        done
        unlike "$(sdpod exec raw /talk send 169.254.169.254 "$port" 1)" ' ok$' "S66: nor by connect()"
else
        skip "S66: the metadata service is not reached" "this machine has no address 169.254.169.254"
fi
like "$(sdpod exec raw sh -c 'ip route add 127.0.0.0/8 via 10.0.2.2; ip addr del 127.0.0.1/8 dev lo; echo 1 >/proc/sys/net/ipv4/conf/all/route_localnet; /talk send 127.0.0.1 '"$port"' 1' 2>&1)" \
        'E[A-Z]+$' "S61: nor by routes of the container's own"
}
is "$(quiet)" 1 "S60, S61, S66: the canary has heard nothing"
[[ $(quiet) == 1 ]] || comment "$(cat "$T/canary")"
is "$(sdpod exec raw /talk send 192.0.2.1 1 1)" ECONNREFUSED "after all that the network works"
is "$(net_pid)" "$helper" "S63: ... by the same network process"

# --- S63: who carries the packets
is "$(awk '/^Cap(Inh|Prm|Eff|Bnd|Amb)/ { printf "%s ", $2 } /^NoNewPrivs|^Seccomp:/ { printf "%s ", $2 }' "/proc/$helper/status")" \
        "0000000000000000 0000000000000000 0000000000000000 0000000000000000 0000000000000000 1 2 " "S63: no capability, no new privileges, a filter"
ok "S63: it sees no home" test ! -e "/proc/$helper/root/home"
unlike "$(readlink "/proc/$helper/exe" 2>&1)" '/sdpod$' "S63: it is not the program that holds the container"
sdpod rm -f -t 0 raw >/dev/null

# --- S64: who connects
sdpod run -d --name seen -p "$((port + 1)):7000" -p "$((port + 1)):7000/udp" -v "$T/talk:/talk:ro" $BUSYBOX /talk serve 7000 >/dev/null
until_ok 10 sh -c 'sdpod logs seen | grep -q listening'
for target in 192.0.2.1 2001:db8::1; do
        is "$("$T/talk" send $target $((port + 1)) 10)" "$target 7000 10 ok" "S64: by TCP the container sees the address of who connects, $target"
        is "$("$T/talk" udp $target $((port + 1)) 64)" "$target 7000 64 ok" "S64: ... and by UDP"
done
is "$("$T/talk" send 127.0.0.1 $((port + 1)) 10)" "10.0.2.2 7000 10 ok" "S64: who comes by the host's loopback looks like the gateway"
is "$("$T/talk" send ::1 $((port + 1)) 10)" "fd00::2 7000 10 ok" "S64: ... by IPv6, too"
sdpod rm -f -t 0 seen >/dev/null

# --- S65: what listens is what was asked for
listeners() { ss -H "-$1ln" "sport >= :$((port + 10)) and sport <= :$((port + 20))" | awk '{ print $4 }' | sort | tr '\n' ' '; }
sdpod run -d --name bound -p "127.0.0.1:$((port + 10)):1" -p "$((port + 11)):2" -p "[::1]:$((port + 12)):3" -p "192.0.2.1:$((port + 13))-$((port + 14)):4-5" \
        -p "127.0.0.1:$((port + 15)):6/udp" $BUSYBOX sleep 1000 >/dev/null
is "$(listeners t)" "$(printf '%s\n' "0.0.0.0:$((port + 11))" "127.0.0.1:$((port + 10))" "192.0.2.1:$((port + 13))" "192.0.2.1:$((port + 14))" \
        "[::1]:$((port + 12))" "[::]:$((port + 11))" | sort | tr '\n' ' ')" "S65: TCP listeners are exactly those that were asked for"
is "$(listeners u)" "127.0.0.1:$((port + 15)) " "S65: ... and the UDP one"
run sdpod run --rm -p "$((port + 10)):80" $BUSYBOX true
like "$status:$err" "^12[56]:.*$((port + 10))" "S65: a port that is taken on one address is refused for all"
run sdpod run --rm -p 80:80 $BUSYBOX true
like "$status:$err" "^12[56]:.*ip_unprivileged_port_start" "S65: a privileged port names the sysctl"
is "$(listeners t | wc -w)" 6 "S65: the first goes on"
(for i in $(seq 12); do sdpod run -d --name "race$i" -p "$((port + 30)):80" $BUSYBOX sleep 1000 >"$T/race.$i" 2>&1 && echo won & done; wait) >"$T/races"
is "$(wc -l <"$T/races")" 1 "S65: of twelve at once one has the port"
sdpod rm -f -t 0 -a >/dev/null
no_processes_left "no process is left"

finish
