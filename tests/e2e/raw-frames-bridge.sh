#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The raw frames of raw-frames.sh, from a container on a bridge network: neither the host's loopback nor link-local addresses, nor the router,
# its uplink's servers or a network that is kept apart hear them. S60 to S62 and S66 of the threats in docs/SECURITY.md.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program cc python3); then skip_all "$why"; fi
[[ $(ip -o addr show 2>/dev/null) == *192.0.2.1/* ]] || skip_all "this machine has no address 192.0.2.1"
image_load busybox || { cat "$T/image_load"; exit 99; }
# shellcheck source=tests/lib/frames.sh
. "$TESTS/lib/frames.sh"

A=10.77.0 A6=fd77:0:0:a:: B=10.78.0
sdpod network create --subnet $A.0/24 --subnet ${A6}/64 -o isolate=true apart >/dev/null
sdpod network create --subnet $B.0/24 -o isolate=true other >/dev/null
at_end sdpod network rm -f apart other
sdpod run -d --name hidden --network other --ip $B.9 -v "$T/talk:/talk:ro" $BUSYBOX /talk serve "$port" >/dev/null
for name in raw decent; do # libslirp repeats its answers to what only `decent` writes
        sdpod run -d --name $name --network apart --cap-add NET_RAW,NET_ADMIN -v "$T/frames:/frames:ro" -v "$T/talk:/talk:ro" $BUSYBOX sleep 1000 >/dev/null
done
until_ok 10 sh -c 'sdpod logs hidden | grep -q listening'
router_pid() { pgrep -u $EUID -xf '.*sdpod-net .*--name=router' | head -n 1; }
helper=$(router_pid)

side() { # CONTAINER: what frames.c wants to know of it
        local gateway address address6
        sdpod exec "$1" ping -c 1 -W 2 $A.1 >/dev/null
        gateway=$(sdpod exec "$1" ip neigh show $A.1 | awk '{ for (i = 1; i < NF; i++) if ($i == "lladdr") print $(i + 1) }')
        address=$(sdpod exec "$1" ip -4 -o addr show eth0 | awk '{ sub("/.*", "", $4); print $4 }')
        address6=$(sdpod exec "$1" ip -6 -o addr show eth0 scope global | awk '{ sub("/.*", "", $4); print $4 }')
        echo "$1 eth0 $gateway $address $address6"
}
S=$(side raw)
like "$S" "^raw eth0 ([0-9a-f]{2}:){5}[0-9a-f]{2} $A\.[0-9]+ fd77:" "a container on a bridge, and its gateway's MAC"
loopback="127.0.0.1 127.1.2.3"
# shellcheck disable=SC2046,SC2086
{
is "$(write_frames $(side decent) control "192.0.2.1 2001:db8::1")" $'control to 192.0.2.1: syn-ack\ncontrol to 2001:db8::1: syn-ack' "decent frames are answered"
ok "... and arrive by UDP" until_ok 5 grep -q '192.0.2.1 SOCK_DGRAM' "$T/lan"
ok "... over IPv6, too" until_ok 5 grep -q '2001:db8::1 SOCK_DGRAM' "$T/lan"
sdpod rm -f -t 0 decent >/dev/null

# all at once: most are silence, and each waits for some seconds
tried=$(sdpod exec raw sh -c "for t in $A.1 ${A6}1 10.0.2.2 fd00::2; do /talk send \$t $port 1 & /talk udp \$t $port 64 & done; wait" 2>&1)
is "$(grep -c . <<<"$tried")" 8 "S60: the gateways' port $port is tried"
unlike "$tried" ' ok' "S60: ... and not reached"
for class in plain arp fragments routes spoof redirect vlan tunnel lengths; do
        is "$(write_frames $S $class "$loopback 0.0.0.0 $A.1 10.0.2.2")" "" "S61: $class, by IPv4 to the loopback, the router and its uplink: silence"
done
for class in plain fragments routes vlan; do
        is "$(write_frames $S $class "::1 :: ${A6}1 fd00::2 ::ffff:127.0.0.1")" "" "S61: $class, by IPv6: silence"
done
is "$(write_frames $S "mapped zero" "$loopback")" "" "S61: IPv4-mapped addresses, from and to nowhere, broadcast: silence"
is "$(write_frames $S scan "10.0.2.3 fd00::3 $A.1")" "" "S62: the name servers' addresses answer on no other port"
unlike "$(write_frames $S "dhcp tftp" 127.0.0.1)" 'dhcp$|udp (67|69|547)$' "S62: BOOTP, DHCP and TFTP are answered by nobody"
is "$(write_frames $S "plain spoof fragments vlan" $B.9)" "" "a network that is kept apart: silence"
if [[ $metadata ]]; then
        is "$(write_frames $S "plain fragments routes spoof tunnel vlan" 169.254.169.254)" "" "S66: the metadata service: silence"
else
        skip "S66: the metadata service is not reached" "this machine has no address 169.254.169.254"
fi
}
is "$(quiet)" 1 "S60, S61, S66: the canary has heard nothing"
[[ $(quiet) == 1 ]] || comment "$(cat "$T/canary")"
is "$(sdpod logs hidden | grep -vc listening)" 0 "nor has the other network's server"
# of its own neighbours the router believes what it heard last, so the one that wrote all that has to wait
is "$(sdpod run --rm --network apart -v "$T/talk:/talk:ro" $BUSYBOX /talk send 192.0.2.1 1 1)" ECONNREFUSED "after all that the network works for others"
is "$(router_pid)" "$helper" "... by the same network process"

finish
