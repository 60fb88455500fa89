#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The share of one container in the router's connections: what it opens beyond does not arrive, the log says so, others connect as before,
# and so does it once some of its own have ended.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
LAN4=192.0.2.1 LAN6=2001:db8::1
[[ $(ip -o addr show 2>/dev/null) == *$LAN4/* ]] || skip_all "this machine has no address $LAN4"
image_load busybox || { cat "$T/image_load"; exit 99; }
chmod 755 "$T"
if ! why=$(build_program talk "$T/talk"); then skip_all "$why"; fi
V="-v $T/talk:/talk:ro"
at_end sdpod network rm -f -t 0 narrow wide
at_end sdpod rm -f -t 0 -a
port=$(free_port)
"$T/talk" serve "$port" >"$T/out" & at_end kill $!
until_ok 5 grep -q listening "$T/out"
held() { sdpod logs "$1" 2>/dev/null | grep held; }

sdpod network create --subnet 10.79.0.0/24 --subnet fd79::/64 -o connections=20 narrow >/dev/null
sdpod network create --subnet 10.80.0.0/24 wide >/dev/null
for address in $LAN4 $LAN6; do
        sdpod run -d --name greedy --network narrow $V $BUSYBOX /talk hold $address "$port" 60 >/dev/null
        until_ok 20 eval '[[ $(held greedy) ]]'
        is "$(held greedy)" "20 held" "of 60 connections to $address there are as many as the network allows"
        like "$(sdpod run --rm --network narrow $V $BUSYBOX /talk send $address "$port" 10)" ' 10 ok$' "... another container of the network connects"
        is "$(sdpod exec greedy timeout 1 /talk send $address "$port" 10; echo $?)" 143 "... the first one does not"
        sdpod rm -f -t 0 greedy >/dev/null
done
# the answers of names are no connections
sdpod run -d --name asks --network narrow $V $BUSYBOX sleep 1000 >/dev/null
is "$(sdpod exec asks sh -c 'for i in $(seq 40); do nslookup asks >/dev/null || echo none; done')" "" "forty questions for names are answered"
# what has ended counts no more
is "$(sdpod exec asks sh -c "for i in \$(seq 40); do /talk send $LAN4 $port 1; done" | grep -c ' 1 ok$')" 40 "forty connections one after the other"
sdpod run -d --name many --network wide $V $BUSYBOX /talk hold $LAN4 "$port" 100 >/dev/null
until_ok 20 eval '[[ $(held many) ]]'
is "$(held many)" "100 held" "a network that says nothing of it allows more"
if [[ -S ${DBUS_SESSION_BUS_ADDRESS#unix:path=} ]]; then
        ok "the log says who" until_ok 10 sh -c "journalctl --user -q -o cat -u sdpod-network | grep -q \"container 'greedy' has as many connections as network 'narrow' lets it have\""
else
        skip "the log says who" "there is no user manager"
fi
run sdpod network create -o connections=many bad
like "$status:$err" '^125:.*connections=many.*not a number' "what is no number is refused"

finish
