#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures the network of sdpod's containers against slirp4netns, pasta, podman, bwrap, the host's loopback and a plain veth pair,
# as an ordinary user in the test machine. Takes root; needs slirp4netns, pasta (package passt), podman and bubblewrap, a C compiler.
#
#   sh tests/bench/network.sh [BUILDDIR] [--congestion=NAME] [network.py's options]      (default: build, and the congestion control
#                                                                                          that this host has, net.ipv4.tcp_congestion_control)
set -eu
# shellcheck source=tests/bench/machine.sh
. "$(dirname "$0")/machine.sh"
congestion=
for word; do
        shift
        case $word in --congestion=*) congestion=${word#*=} ;; *) set -- "$@" "$word" ;; esac
done
cc -O2 -static -o "$work/netload" "$tests/bench/netload.c"
# A neighbour of the host, behind a veth pair, which is also where the default route leads; and one who may read the memory of
# processes that do not let their user do so.
# shellcheck disable=SC2016  # the inner shell expands its own words
"$nest" in sh -c '
        sysctl -qw net.ipv4.ip_local_port_range="10000 65535"
        ip netns add peer
        ip link add host0 type veth peer name peer0 netns peer
        ip address add 198.51.100.1/24 dev host0
        ip link set host0 up
        ip -n peer address add 198.51.100.2/24 dev peer0
        ip -n peer link set peer0 up
        ip -n peer link set lo up
        ip route add default via 198.51.100.2
        for name in ${1:-}; do
                sysctl -qw net.ipv4.tcp_congestion_control="$name"
                ip netns exec peer sysctl -qw net.ipv4.tcp_congestion_control="$name"
        done
        cd /var/tmp/bench
        setsid ip netns exec peer ./netload serve 5202 >/dev/null 2>&1 </dev/null &
        setsid python3 bench/network.py --memory-server >/dev/null 2>&1 </dev/null &' sh "$congestion"
"$nest" as bench env NETBENCH_CONGESTION="$congestion" python3 /var/tmp/bench/bench/network.py "$@"
