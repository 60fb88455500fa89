#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A container that may write raw frames is nobody but itself on a bridge network: it gets neither its neighbours' traffic by ARP, neighbour
# discovery or a MAC that is another's, nor does anything arrive with a source that it does not have. With `-o spoofing=true`
# all of that works, by the same program.
# shellcheck disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
chmod 755 "$T"
if ! why=$(build_program claim "$T/claim"); then skip_all "$why"; fi
if ! why=$(build_program talk "$T/talk"); then skip_all "$why"; fi
V="-v $T/claim:/claim:ro -v $T/talk:/talk:ro"
at_end sdpod network rm -f -t 0 fort fair second
at_end sdpod rm -f -t 0 -a

start() { # NETWORK NUMBER: a victim, a peer that hears, and a rogue
        sdpod network create --subnet 10.7$2.0.0/24 --subnet "fd7$2::/64" "${@:3}" "$1" >/dev/null
        sdpod run -d --name "$1-victim" --network "$1" --ip 10.7$2.0.50 --ip6 "fd7$2::50" --mac-address "02:77:00:00:0$2:50" $V $BUSYBOX /talk serve 7000 >/dev/null
        sdpod run -d --name "$1-peer" --network "$1" --ip 10.7$2.0.51 --ip6 "fd7$2::51" --mac-address "02:77:00:00:0$2:51" --cap-add NET_RAW,NET_ADMIN $V $BUSYBOX /claim hear >/dev/null
        sdpod run -d --name "$1-rogue" --network "$1" --ip 10.7$2.0.66 --ip6 "fd7$2::66" --cap-add NET_RAW,NET_ADMIN $V $BUSYBOX sleep 1000 >/dev/null
        until_ok 10 sh -c "sdpod logs $1-peer | grep -q listening"
        until_ok 10 sh -c "sdpod logs $1-victim | grep -q listening"
}
claim() { # NETWORK NUMBER KIND
        sdpod exec "$1-rogue" /claim eth0 "$3" 10.7$2.0.50 "fd7$2::50" "02:77:00:00:0$2:50" 10.7$2.0.51 "fd7$2::51" "02:77:00:00:0$2:51" 10.7$2.0.1
}
# the MAC that the peer knows of an address
known() { sdpod exec "$1-peer" ip neigh show "$2" | sed -n 's/.*lladdr \([^ ]*\).*/\1/p'; }
speak() { # NETWORK NUMBER: the peer to the victim, both families
        echo "$(sdpod exec "$1-peer" sh -c "/talk send 10.7$2.0.50 7000 10; /talk send fd7$2::50 7000 10" | grep -c ' 10 ok$')"
}
heard() { sdpod logs "$1-peer" | grep -v listening; }
arrived() { # NETWORK NUMBER N: what is decent comes last, so that what came before it has been heard
        claim "$1" "$2" decent
        until_ok 10 sh -c "[ \$(sdpod logs $1-peer | grep -c decent) = $3 ]"
}
local_of() { sdpod exec "$1" ip -6 addr show eth0 scope link | sed -n 's/.*inet6 \([^/]*\).*/\1/p'; }

start fort 1
start fair 2 -o spoofing=true
is "$(sdpod network inspect -f '{{.Options.spoofing}}' fair)" true "the option is on record"
is "$(speak fort 1) $(speak fair 2)" "2 2" "the victims answer by IPv4 and IPv6"
rogue=$(sdpod exec fort-rogue cat /sys/class/net/eth0/address)

# --- whose MAC is it: the same frames, where they may be written and where not
rogue2=$(sdpod exec fair-rogue cat /sys/class/net/eth0/address)
for kind in arp arp-tag nd nd-ask; do
        address=$([[ $kind == nd* ]] && echo "fd71::50" || echo 10.71.0.50) other=${address/71/72}
        is "$(speak fort 1)" 2 "$kind: before"
        claim fort 1 $kind
        is "$(known fort $address)" 02:77:00:00:01:50 "$kind: the peer knows the victim by its own MAC"
        sdpod exec fair-peer sh -c "/talk send $other 7000 1" >/dev/null
        claim fair 2 $kind
        is "$(known fair $other)" "$rogue2" "... with spoofing=true by the other's"
        is "$(speak fort 1)" 2 "$kind: the victim is still reached"
done
claim fort 1 arp-gateway
unlike "$(sdpod exec fort-peer sh -c 'ping -c 1 -W 20 10.71.0.1 >/dev/null; ip neigh show 10.71.0.1' | sed -n 's/.*lladdr \([^ ]*\).*/\1/p')" "^$rogue\$" "the gateway is not where the rogue says"
claim fort 1 router
is "$(sdpod exec fort-peer ip -6 route show default | grep -c via)" 1 "a router that advertises itself is not heard"
is "$(sdpod exec fort-peer ip -6 addr show eth0 | grep -c 'fdee:')" 0 "... nor its prefix"

# --- the bridge's own memory
steal() { # NETWORK NUMBER: how many of the peer's packets to the victim come to the rogue
        sdpod exec "$1-peer" ip neigh flush dev eth0 >/dev/null 2>&1
        sdpod exec -d "$1-peer" ping -c 40 -i 0.05 "10.7$2.0.50" >/dev/null
        claim "$1" "$2" steal
}
is "$(steal fort 1)" 0 "nothing that is for the victim's MAC comes to who says that he has it"
unlike "$(steal fair 2)" '^0$' "... with spoofing=true it does"

# --- sources that are others'
for kind in source source-mac gateway outside dhcp; do
        claim fort 1 $kind
        claim fair 2 $kind
done
ok "what is decent arrives" arrived fort 1 2
ok "... in the other network, too" arrived fair 2 2
is "$(heard fort | grep -v decent)" "" "nothing arrives from a source that is another's, nor from a DHCP server"
is "$(heard fort | sort)" "$(printf '%s decent\n' ::ffff:10.71.0.66 "$(local_of fort-rogue)" | sort)" "... and nothing else"
local2=$(local_of fair-rogue)
is "$(heard fair | grep -v decent | sort)" "$(printf '%s\n' "2001:db8::7 outside" "::ffff:198.51.100.7 outside" "::ffff:10.72.0.1 gateway" "::ffff:10.72.0.50 source" \
        "::ffff:10.72.0.50 source-mac" "fd72::50 source" "fd72::50 source-mac" "::ffff:10.72.0.66 dhcp" "::ffff:10.72.0.66 dhcp" "$local2 dhcp" | sort)" \
        "with spoofing=true all of it arrives"

# --- addresses that it gives itself
sdpod exec fort-rogue sh -c 'ip addr add 10.71.0.99/24 dev eth0'
is "$(sdpod exec fort-rogue ping -c 1 -W 1 -I 10.71.0.99 10.71.0.51 | grep -c ' 0% packet loss')" 0 "an address that it takes for itself is of no use"
is "$(sdpod exec fort-rogue ping -c 1 -W 20 10.71.0.51 | grep -c ' 0% packet loss')" 1 "... its own is"
sdpod exec fort-rogue sh -c 'ip link set eth0 down; ip link set eth0 address 02:99:00:00:00:99; ip link set eth0 up'
is "$(sdpod exec fort-rogue ping -c 1 -W 1 10.71.0.51 | grep -c ' 0% packet loss')" 0 "nor is a MAC"
sdpod exec fort-rogue sh -c "ip link set eth0 down; ip link set eth0 address $rogue; ip link set eth0 up"
is "$(sdpod exec fort-rogue ping -c 1 -W 20 10.71.0.51 | grep -c ' 0% packet loss')" 1 "... and its own is again"

# --- a container with more addresses than one: all of them are its own, on both of its networks
sdpod network create --subnet 10.73.0.0/24 --subnet fd73::/64 second >/dev/null
sdpod network connect --ip 10.73.0.50 second fort-victim
is "$(sdpod run --rm --network second $V $BUSYBOX sh -c '/talk send 10.73.0.50 7000 10')" "10.73.0.2 7000 10 ok" "a network that is connected later"
is "$(speak fort 1)" 2 "... and the one that was there"
sdpod network disconnect second fort-victim
is "$(speak fort 1)" 2 "... and after it is gone"
port=$(free_port)
sdpod run -d --name both -p "$port:7000" --network fort:ip=10.71.0.80 --network second:ip=10.73.0.80 --cap-add NET_ADMIN $V $BUSYBOX /talk serve 7000 >/dev/null
until_ok 10 sh -c 'sdpod logs both | grep -q listening'
sdpod exec both sh -c 'ip route del default via 10.71.0.1; ip route show default' >"$T/route"
like "$(cat "$T/route")" 'via 10\.73\.0\.1 ' "the way out is by the second network"
like "$("$T/talk" send 127.0.0.1 "$port" 10)" ' 7000 10 ok$' "... and a port that is published by the first answers"

# --- a router in a container: a network's own route leads to it
sdpod network create --subnet 10.74.0.0/24 --route 10.75.0.0/24,10.74.0.9 routed >/dev/null
at_end sdpod network rm -f -t 0 routed
sdpod run -d --name forwarder --network routed --ip 10.74.0.9 --cap-add NET_ADMIN $V $BUSYBOX sh -c 'ip addr add 10.75.0.1/32 dev lo; exec /talk serve 7000' >/dev/null
until_ok 10 sh -c 'sdpod logs forwarder | grep -q listening'
is "$(sdpod run --rm --network routed $V $BUSYBOX /talk send 10.75.0.1 7000 10)" "10.74.0.2 7000 10 ok" "what is behind a network's route answers under its own address"

# --- the router is killed: those that live are guarded as before
router=$(pgrep -u $EUID -f 'sdpod __network' | head -n 1)
kill -9 "$router"
until_ok 20 sh -c "sdpod network reload --all >/dev/null 2>&1 && [ \$(pgrep -u $EUID -f 'sdpod __network' | grep -vxc $router) -gt 0 ]"
is "$(speak fort 1)" 2 "after the router was killed the victim is reached"
sdpod exec fort-peer sh -c '/talk send 10.71.0.50 7000 1' >/dev/null
claim fort 1 arp
is "$(known fort 10.71.0.50)" 02:77:00:00:01:50 "... and known by its own MAC"
claim fort 1 source
ok "... what is decent arrives" arrived fort 1 4
is "$(heard fort | grep -c source)" 0 "... what is forged does not"
run sdpod network create -o spoofing=perhaps bad
like "$status:$err" '^125:.*spoofing=perhaps.*neither true nor false' "another word is refused"
run sdpod network create -d macvlan -o parent=fort -o spoofing=true bad
like "$status:$err" '^125:.*spoofing' "macvlan has no such option"

finish
