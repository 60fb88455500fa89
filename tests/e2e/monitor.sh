#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# kill -9 of the monitor while ten containers write: no line lost or doubled, and logs -f, wait and exec go on.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
LINES=1500
writer='i=0; while [ $i -lt '$LINES' ]; do i=$((i+1)); echo "$0 line $i"; [ $((i % 50)) = 0 ] && sleep 0.05; done; exit $1'
monitor() { systemctl --user show -p MainPID --value sdpod-monitor.service 2>/dev/null; }

at_end sdpod rm -f -t 0 -a
for i in 1 2 3 4 5 6 7 8 9 10; do
        sdpod run -d --name "w$i" --network none $BUSYBOX sh -c "$writer" "w$i" $((i + 10)) >/dev/null || fail "container $i starts"
done
sdpod logs -f w1 >"$T/followed" 2>&1 &
follower=$!
for i in 1 10; do sdpod wait "w$i" >"$T/wait.$i" 2>&1 & done
first=$(monitor)
like "$first" '^[1-9][0-9]*$' "one monitor runs, as a unit of the user's"
kills=0
while [[ -n $(sdpod ps -q --filter status=running) ]] && ((kills < 5)); do
        pid=$(monitor)
        if [[ $pid -gt 1 ]] && kill -9 "$pid" 2>/dev/null; then kills=$((kills + 1)); fi
        sleep 0.2
done
like "$kills" '^[1-9]' "it was killed while they wrote ($kills times)"
RUN_TIMEOUT=60
for i in 1 2 3 4 5 6 7 8 9 10; do
        run sdpod wait "w$i"
        is "$out" $((i + 10)) "w$i: exit code"
        for ((n = 1; n <= LINES; n++)); do echo "w$i line $n"; done >"$T/wanted"
        until_ok 5 sh -c "[ \$(sdpod logs w$i 2>/dev/null | wc -l) -ge $LINES ]"
        sdpod logs "w$i" >"$T/found" 2>&1
        ok "w$i: every line once, in order" diff -q "$T/wanted" "$T/found"
done
until_ok 10 sh -c "! kill -0 $follower 2>/dev/null" || kill $follower
for ((n = 1; n <= LINES; n++)); do echo "w1 line $n"; done >"$T/wanted"
ok "logs -f that began before has them, too" diff "$T/wanted" "$T/followed"
wait
is "$(cat "$T/wait.1" "$T/wait.10" | tr '\n' ' ')" "11 20 " "wait that began before has the codes"

# --- with the monitor gone
sdpod run -d --name live --network none $BUSYBOX sh -c 'i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.1; done' >/dev/null
pid=$(sdpod inspect -f '{{.State.Pid}}' live)
kill -9 "$(monitor)"
run sdpod exec live echo inside
is "$out" inside "exec right after a kill"
is "$(sdpod inspect -f '{{.State.Pid}} {{.State.Status}}' live)" "$pid running" "the container is the same"
kill -9 "$(monitor)"
run sdpod ps --format '{{.Names}}'
is "$out" live "ps right after a kill"
last=$(sdpod logs live | tail -n 1)
ok "its output goes on" until_ok 10 sh -c '[ "$(sdpod logs live | tail -n 1)" != "'"$last"'" ]'
is "$(sdpod logs live | sort | uniq -d)" "" "... without a doubled line"
kill -9 "$(monitor)"
run sdpod stop -t 0 live
exits 0 "stop right after a kill"
sdpod run -d --name killed --network none $BUSYBOX sh -c 'sleep 1; exit 33' >/dev/null
kill -9 "$(monitor)"
run sdpod wait killed
is "$out" 33 "the exit code of one that ended without a monitor"

# --- one that lives since before an update refuses what it does not know
sdpod rm -f -t 0 -a >/dev/null
sdpod run -d --name live --network none $BUSYBOX sh -c 'i=0; while :; do i=$((i+1)); echo tick $i; sleep 0.1; done' >/dev/null
dropin=$HOME/.config/systemd/user/sdpod-monitor.service.d
cat >"$T/old-monitor" <<'EOF'
#!/usr/bin/python3
import json, os, socket
listening = socket.socket(fileno=3)
while True:
    peer, _ = listening.accept()
    request = json.loads(peer.recv(65536))
    open(os.environ["ASKED"], "a").write(request["op"] + "\n")
    peer.send(json.dumps({"ok": False, "errno": 22, "kind": "invalid", "error": "cannot serve the request: unknown key 'netPid'"}).encode())
EOF
chmod +x "$T/old-monitor"
mkdir -p "$dropin"
printf '[Service]\nType=simple\nExecStart=\nExecStart=%s\nEnvironment=ASKED=%s\n' "$T/old-monitor" "$T/asked" >"$dropin/old.conf"
at_end rm -rf "$dropin"
systemctl --user daemon-reload
systemctl --user restart sdpod-monitor.service
before=$(monitor)
rm -r "$dropin"
systemctl --user daemon-reload
run sdpod run -d --name updated --network none $BUSYBOX echo after the update
exits 0 "a container starts under an older monitor"
is "$(sort -u "$T/asked" | grep watch)" watch "... which was asked first, and refused"
unlike "$(monitor)" "^$before$" "... and has made way for the one that is installed"
ok "... which reads the output" until_ok 5 eval '[[ $(sdpod logs updated) == "after the update" ]]'
last=$(sdpod logs live | tail -n 1)
ok "... and of one that ran before" until_ok 5 eval '[[ $(sdpod logs live | tail -n 1) != "$last" ]]'

# --- how it grows
resident() { awk '/^Rss(Anon|Shmem)/ { n += $2 } END { print n }' "/proc/$(monitor)/status" 2>/dev/null; }
sdpod rm -f -t 0 -a >/dev/null
sdpod run -d --name first --network none $BUSYBOX sleep 1000 >/dev/null
one=$(resident)
for i in 1 2 3 4 5 6 7 8 9 10; do sdpod run -d --network none $BUSYBOX sleep 1000 >/dev/null; done
eleven=$(resident)
ok "it grows by at most 16 kB a container ($one kB, with ten more $eleven kB)" test $((eleven - one)) -le 160
sdpod rm -f -t 0 -a >/dev/null
finish
