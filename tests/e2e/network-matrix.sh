#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Every way into a container and out of it: IPv4 and IPv6, TCP and UDP, bound to all addresses, the loopback and one address, single
# ports and ranges, as they are and translated; transfers of all sizes in both directions; addresses, routes, names and options.
# shellcheck disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program cc curl ss); then skip_all "$why"; fi
LAN4=192.0.2.1 LAN6=2001:db8::1
[[ $(ip -o addr show 2>/dev/null) == *$LAN4/* ]] || skip_all "this machine has no address $LAN4"
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load web
chmod 755 "$T"
cc -O1 -static -w -o "$T/talk" "$TESTS/e2e/talk.c" || exit 99
talk=$T/talk
V="-v $T/talk:/talk:ro"
at_end sdpod rm -f -t 0 -a

free_range() { # N: the first of as many ports that are free in a row
        python3 -c 'import socket, sys, random
n = int(sys.argv[1])
while True:
    first, held = random.randrange(20000, 30000), []
    try:
        for port in range(first, first + n):
            for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                held.append(socket.socket(socket.AF_INET6, kind)); held[-1].bind(("::", port))
        print(first); break
    except OSError: pass' "$1"
}
listening() { sdpod logs "$1" 2>/dev/null | grep -q listening; }
bracketed() { [[ $1 == *:* ]] && echo "[$1]" || echo "$1"; }

# --- in: what is published, from every address of the host
declare -A binds=([any]='' [loopback4]=127.0.0.1 [loopback6]=::1 [address4]=$LAN4 [address6]=$LAN6)
order=(any loopback4 loopback6 address4 address6)
# Where the client's address is none of a loopback, the container sees it; those of the loopback look like the gateway.
peer_of() { # ADDRESS GATEWAY4 GATEWAY6
        case $1 in 127.0.0.1) echo "$2" ;; ::1) echo "$3" ;; *) echo "$1" ;; esac
}

published() { # MODE GATEWAY4 GATEWAY6 [GATEWAY4 GATEWAY6 of UDP, where they are others]
        local mode=$1 gateways udp_gateways=("${4:-$2}" "${5:-$3}") base options=() k=0 bind address proto target b ip verb n i
        base=$(free_range 40)
        for bind in "${order[@]}"; do
                address=${binds[$bind]}
                ip=${address:+$(bracketed "$address"):}
                for proto in tcp udp; do
                        options+=(-p "$ip$((base + 12 + k)):$base/$proto" # one, translated
                                -p "$ip$((base + 20 + 3 * k))-$((base + 22 + 3 * k)):$((base + 1))-$((base + 3))/$proto" # a range, translated
                                -p "$ip$((base + 4 + k)):$((base + 4 + k))/$proto") # one, as it is
                done
                k=$((k + 1))
        done
        options+=(-p "$((base + 9))-$((base + 11)):$((base + 9))-$((base + 11))" -p "$((base + 9))-$((base + 11)):$((base + 9))-$((base + 11))/udp")
        run sdpod run -d --name in --network "$mode" "${options[@]}" $V $BUSYBOX /talk serve "$base-$((base + 11))"
        exits 0 "$mode: a container with 33 options to publish ports" || return
        until_ok 10 listening in
        k=0
        for bind in "${order[@]}"; do
                address=${binds[$bind]}
                for target in ${address:-127.0.0.1 ::1 $LAN4 $LAN6}; do
                        for proto in tcp udp; do
                                verb=$([[ $proto == tcp ]] && echo send || echo udp)
                                gateways=("$2" "$3")
                                [[ $proto == tcp ]] || gateways=("${udp_gateways[@]}")
                                b="$mode: $proto, bound to $bind, by $target"
                                is "$("$talk" $verb "$target" $((base + 12 + k)) 100)" "$(peer_of "$target" "${gateways[@]}") $base 100 ok" "$b: a port"
                                is "$("$talk" $verb "$target" $((base + 20 + 3 * k)) 100)" "$(peer_of "$target" "${gateways[@]}") $((base + 1)) 100 ok" "$b: the first of a range"
                                is "$("$talk" $verb "$target" $((base + 22 + 3 * k)) 100)" "$(peer_of "$target" "${gateways[@]}") $((base + 3)) 100 ok" "$b: the last of a range"
                                is "$("$talk" $verb "$target" $((base + 4 + k)) 100)" "$(peer_of "$target" "${gateways[@]}") $((base + 4 + k)) 100 ok" "$b: a port of the same number"
                        done
                done
                if [[ -n $address ]]; then
                        for target in 127.0.0.1 ::1 $LAN4 $LAN6; do
                                [[ $target == "$address" ]] || is "$("$talk" send "$target" $((base + 12 + k)) 100)" ECONNREFUSED "$mode: bound to $bind: nothing answers at $target"
                        done
                fi
                k=$((k + 1))
        done
        for n in 9 11; do
                is "$("$talk" send 127.0.0.1 $((base + n)) 100) $("$talk" udp ::1 $((base + n)) 100)" \
                        "$2 $((base + n)) 100 ok ${udp_gateways[1]} $((base + n)) 100 ok" "$mode: port $n of a range of the same numbers, TCP and UDP"
        done
        for target in 127.0.0.1 ::1 $LAN4 $LAN6; do
                for n in 0 1 65537 8388608; do
                        for verb in send get; do
                                like "$("$talk" $verb "$target" $((base + 12)) $n)" " $n ok$" "$mode: $verb $n bytes by TCP, in by $target"
                        done
                done
                for n in 64 1400 8192 16300; do
                        like "$("$talk" udp "$target" $((base + 12)) $n)" " $n ok$" "$mode: $n bytes by UDP, in by $target"
                done
        done
        for i in $(seq 30); do "$talk" send 127.0.0.1 $((base + 12)) 100000 >"$T/many.$i" & pids[i]=$!; done
        wait "${pids[@]}"
        is "$(cat "$T"/many.* | grep -c ' 100000 ok')" 30 "$mode: thirty connections at once"
        sdpod rm -f -t 0 in >/dev/null
        is "$("$talk" send 127.0.0.1 $((base + 12)) 1) $("$talk" udp ::1 $((base + 12)) 1)" "ECONNREFUSED ECONNREFUSED" "$mode: nothing listens any more when the container is gone"
}

# --- out: to an address of the host's network
going_out() { # MODE
        local mode=$1 target verb n port
        port=$(free_range 1)
        "$talk" serve "$port" >"$T/out" & at_end kill $!
        until_ok 5 grep -q listening "$T/out"
        sdpod run -d --name out --network "$mode" $V $BUSYBOX sleep 1000 >/dev/null
        for target in $LAN4 $LAN6; do
                for n in 0 1 65537 8388608; do
                        for verb in send get; do
                                like "$(sdpod exec out /talk $verb $target "$port" $n)" " $n ok$" "$mode: $verb $n bytes by TCP, out to $target"
                        done
                done
                for n in 64 1400 8192 16300; do
                        like "$(sdpod exec out /talk udp $target "$port" $n)" " $n ok$" "$mode: $n bytes by UDP, out to $target"
                done
                is "$(sdpod exec out /talk send $target 1 1)" ECONNREFUSED "$mode: a port where nobody listens refuses, $target"
                is "$(sdpod exec out /talk udp $target 1 64)" ECONNREFUSED "$mode: a UDP port where nobody listens, $target"
        done
        is "$(sdpod exec out /talk send 127.0.0.1 "$port" 1) $(sdpod exec out /talk send ::1 "$port" 1)" "ECONNREFUSED ECONNREFUSED" "$mode: its loopback is its own"
        for target in 169.254.169.254 240.0.0.1; do
                unlike "$(sdpod exec out /talk send $target 80 1)" ' ok$' "$mode: $target is not reached"
        done
        sdpod rm -f -t 0 out >/dev/null
}

published slirp 10.0.2.2 fd00::2
going_out slirp
# a bridge network of both families
sdpod network rm -f matrix >/dev/null 2>&1
run sdpod network create --ipv6 --subnet 10.99.7.0/24 --subnet fd99:7::/64 matrix
exits 0 "a bridge network of both families"
# what comes from the loopback by UDP crosses the uplink, and looks like that one's gateway
published matrix 10.99.7.1 fd99:7::1 10.0.2.2 fd00::2
going_out matrix
# containers of one network, by address and by name; of two networks, not at all
sdpod network rm -f apart >/dev/null 2>&1
sdpod network create --subnet 10.99.8.0/24 -o isolate=strict apart >/dev/null
sdpod run -d --name near --network matrix --ip 10.99.7.77 --ip6 fd99:7::77 --network-alias nearby $V $BUSYBOX /talk serve 7000 >/dev/null
until_ok 10 listening near
for target in 10.99.7.77 fd99:7::77; do
        for verb in send get udp; do
                like "$(sdpod run --rm --network matrix $V $BUSYBOX /talk $verb $target 7000 1000)" ' 1000 ok$' "matrix: $verb between containers, $target"
        done
done
for name in near nearby; do
        like "$(sdpod run --rm --network matrix $V $BUSYBOX sh -c "/talk send \$(nslookup $name | sed -n 's/^Address.*: *\(10[.0-9]*\)\$/\1/p' | tail -n 1) 7000 10")" ' 10 ok$' "matrix: by name, $name"
done
unlike "$(sdpod run --rm --network apart $V $BUSYBOX /talk send 10.99.7.77 7000 1)" ' ok$' "a network that is isolated does not reach another"
sdpod rm -f -t 0 near >/dev/null
sdpod network rm -f matrix apart >/dev/null

# --- who listens in the container: one family alone is reached by both where it can be
port=$(free_range 1)
sdpod run -d --name four -p "$port:7000" -p "$port:7000/udp" $V $BUSYBOX /talk serve 4 7000 >/dev/null
until_ok 10 listening four
is "$("$talk" send ::1 "$port" 10)" "10.0.2.2 7000 10 ok" "a TCP server that listens on IPv4 alone, by [::1]"
is "$("$talk" udp ::1 "$port" 64)" "10.0.2.2 7000 64 ok" "a UDP server that listens on IPv4 alone, by [::1]"
sdpod rm -f -t 0 four >/dev/null
sdpod run -d --name six -p "$port:7000" -p "$port:7000/udp" $V $BUSYBOX /talk serve 6 7000 >/dev/null
until_ok 10 listening six
is "$("$talk" send ::1 "$port" 10)" "fd00::2 7000 10 ok" "a TCP server that listens on IPv6 alone, by [::1]"
unlike "$("$talk" send 127.0.0.1 "$port" 10)" ' ok$' "... not by 127.0.0.1"
is "$("$talk" udp ::1 "$port" 64)" "fd00::2 7000 64 ok" "a UDP server that listens on IPv6 alone, by [::1]"
sdpod rm -f -t 0 six >/dev/null
sdpod run -d --name nobody -p "$port:7000" $BUSYBOX sleep 1000 >/dev/null
unlike "$("$talk" send 127.0.0.1 "$port" 10)" 'ok|timeout' "where nobody listens in the container, a client hears so"
sdpod rm -f -t 0 nobody >/dev/null

# --- ports that are chosen
sdpod run -d --name chosen -p 7000 -p 127.0.0.1::7000 -p '[::1]::7001/udp' -P --expose 7002 --expose 7003/udp $V $BUSYBOX /talk serve 7000-7003 >/dev/null
until_ok 10 listening chosen
ports=$(sdpod port chosen)
is "$(wc -l <<<"$ports")" 5 "five ports that were chosen"
while read -r inside _ outside; do
        address=${outside%:*} number=${outside##*:}
        [[ $address == 0.0.0.0 ]] && address=127.0.0.1
        address=${address#[} address=${address%]}
        verb=$([[ $inside == */udp ]] && echo udp || echo send)
        like "$("$talk" $verb "$address" "$number" 64)" " ${inside%/*} 64 ok$" "a chosen port, $inside at $address"
done <<<"$ports"
sdpod restart -t 0 chosen >/dev/null
until_ok 10 listening chosen
is "$(sdpod port chosen | wc -l)" 5 "... and after a restart"
sdpod rm -f -t 0 chosen >/dev/null
run sdpod run --rm -p "$port:7000/sctp" $BUSYBOX true
like "$status:$err" "^125:.*sctp" "SCTP is refused by name"
run sdpod run --rm -p "$port:7000" -p "$port:7001" $BUSYBOX true
like "$status:$err" "^12[56]:.*$port" "one port of the host for two is refused"

# --- what the container sees
see() { sdpod run --rm "$@"; }
is "$(see $BUSYBOX sh -c 'cat /sys/class/net/tap0/mtu')" 16384 "the MTU"
is "$(see --network slirp:mtu=1500 $BUSYBOX cat /sys/class/net/tap0/mtu)" 1500 "... that was asked for"
like "$(see --network slirp:cidr=10.99.0.0/24 $BUSYBOX ip -4 addr show tap0)" 'inet 10\.99\.0\.100/24' "another network"
like "$(see --network slirp:cidr=10.99.0.0/24 $BUSYBOX ip route)" 'default via 10\.99\.0\.2 ' "... its gateway"
like "$(see --network slirp:cidr=10.99.0.0/24 $BUSYBOX cat /etc/resolv.conf)" 'nameserver 10\.99\.0\.3' "... its name server"
like "$(see $BUSYBOX ip -6 route)" 'default via fd00::2' "the default route of IPv6"
like "$(see $BUSYBOX ip -6 addr show tap0)" 'inet6 fd00::100/64 scope global' "the address of IPv6"
is "$(see --network slirp:enable_ipv6=false $BUSYBOX ip -6 route show default)" "" "no IPv6, no default route"
is "$(see $BUSYBOX sh -c 'cat /proc/net/dev' | sed -n 's/^ *\([a-z0-9]*\):.*/\1/p' | sort | tr '\n' ' ')" "lo tap0 " "the interfaces are lo and tap0"
like "$(see --cap-add NET_RAW $BUSYBOX ping -c 1 -W 2 10.0.2.2)" ' 0% packet loss' "the gateway answers an echo request"
like "$(see --cap-add NET_RAW $BUSYBOX ping -c 1 -W 2 fd00::2)" ' 0% packet loss' "... by IPv6"
is "$(see --hostname named $BUSYBOX sh -c 'ping -c 1 -W 2 $(hostname) | head -n 1 | grep -o "10\.0\.2\.100"')" 10.0.2.100 "its own name is its address"
like "$(see $BUSYBOX cat /etc/hosts)" "$LAN4.*host.containers.internal" "a name for the host"
is "$(see --add-host there:203.0.113.9 $BUSYBOX sh -c 'grep -c "203\.0\.113\.9[[:space:]]there" /etc/hosts')" 1 "--add-host"
is "$(see --network none $BUSYBOX sh -c 'cat /proc/net/route | wc -l')" 1 "none: no route"
is "$(see --network host $V $BUSYBOX sh -c "/talk send $LAN4 1 1")" ECONNREFUSED "host: the host's addresses"
for bad in slirp:mtu=x slirp:nothing=1 slirp:cidr=300.0.0.0/24 slirp:cidr=10.0.0.0/30 ns:/nonexistent container:nobody; do
        run sdpod run --rm --network "$bad" $BUSYBOX true
        unlike "$status" '^0$' "--network $bad is refused"
done

# --- others' networks
sdpod run -d --name first -p "$port:8080" $WEB >/dev/null
until_ok 10 curl -sf "http://127.0.0.1:$port/"
is "$(sdpod run --rm --network container:first $BUSYBOX wget -q -O - http://127.0.0.1:8080/)" "<h1>It works</h1>" "container: the loopback is shared"
netns=$(readlink "/proc/$(sdpod inspect -f '{{.State.Pid}}' first)/ns/net")
like "$netns" '^net:' "... in a namespace"
is "$(sdpod run --rm --network container:first $BUSYBOX readlink /proc/self/ns/net)" "$netns" "... which is shared"
is "$(sdpod run --rm --network "ns:/proc/$(sdpod inspect -f '{{.State.Pid}}' first)/ns/net" $BUSYBOX readlink /proc/self/ns/net)" "$netns" "ns: a namespace by its path"
sdpod pod create --name pod -p "$((port + 1)):7000" >/dev/null
sdpod run -d --pod pod --name member $V $BUSYBOX /talk serve 7000 >/dev/null
until_ok 10 listening member
is "$("$talk" send 127.0.0.1 $((port + 1)) 10)" "10.0.2.2 7000 10 ok" "a pod's port reaches a member"
is "$(sdpod run --rm --pod pod $V $BUSYBOX /talk send 127.0.0.1 7000 10)" "127.0.0.1 7000 10 ok" "members reach each other on the loopback"
sdpod pod rm -f -t 0 pod >/dev/null
sdpod rm -f -t 0 first >/dev/null

# --- two containers do not see each other but by what is published
sdpod run -d --name a -p "$port:7000" $V $BUSYBOX /talk serve 7000 >/dev/null
until_ok 10 listening a
unlike "$(see $V $BUSYBOX /talk send 10.0.2.100 7000 1)" ' ok$' "another container's address is one's own"
is "$(see $V $BUSYBOX /talk send $LAN4 "$port" 10)" "$LAN4 7000 10 ok" "a published port is reached by the host's address"
sdpod rm -f -t 0 a >/dev/null
no_processes_left "no process is left"

finish
