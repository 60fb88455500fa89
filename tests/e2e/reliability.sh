#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What goes wrong around containers: pids that are somebody else's now, a boot that nobody told of, helpers that are killed, readers
# that stand still, stops that take their time, restarts that do not help.
# shellcheck disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -af -t 0
field() { sdpod inspect -f "$2" "$1" 2>/dev/null; } # NAME TEMPLATE
start() { # NAME ARG...
        local name=$1
        shift
        sdpod run -d --name "$name" --network none "$@" >/dev/null
}
process_json() { echo "$XDG_RUNTIME_DIR/sdpod/containers/$(field "$1" '{{.Id}}')/process.json"; }
# What is in a container's process.json becomes something else; who looks must not take it for true.
forge() { # NAME KEY VALUE
        python3 -c 'import json, sys
path, key, value = sys.argv[1:]
record = json.load(open(path))
record[key] = type(record[key])(value)
json.dump(record, open(path, "w"))' "$(process_json "$1")" "$2" "$3"
}

# --- a pid that belongs to another process now
sleep 300 &
stranger=$!
start reused $BUSYBOX sleep 1000
pid=$(field reused '{{.State.Pid}}')
cp "$(process_json reused)" "$T/process.json"
forge reused pid $stranger
run sdpod exec reused echo entered
is "$status:$out" 125: "exec does not enter a stranger's process"
run sdpod kill reused
run sdpod top reused
exits 125 "... nor does top look at it"
is "$(field reused '{{.State.Status}}')" exited "the container counts as ended"
cat "$T/process.json" >"$(process_json reused)" 2>/dev/null || cp "$T/process.json" "$(process_json reused)"
run sdpod rm -f -t 0 reused
ok "the stranger lives on" kill -0 $stranger
until_ok 10 sh -c "! kill -0 $pid"
is "$(kill -0 "$pid" 2>/dev/null && echo there)" "" "... and the container is gone"
kill $stranger

# --- a boot that nobody told of
start booted --restart always $BUSYBOX sleep 1000
pid=$(field booted '{{.State.Pid}}')
forge booted bootID 00000000-0000-0000-0000-000000000000
is "$(field booted '{{.State.Status}} {{.State.Running}} {{.State.Pid}}')" "exited false 0" "a process of another boot is none"
run sdpod ps -q
is "$status:$out" 0: "... in ps, too"
run sdpod rm -f -t 0 booted
exits 0 "... and the container is removed"
until_ok 10 sh -c "! kill -0 $pid"
is "$(kill -0 "$pid" 2>/dev/null && echo there)" "" "... with what its unit held"

# --- fuse-overlayfs is killed
if why=$(lacks_program fuse-overlayfs) || { [[ ! -e /dev/fuse ]] && why="there is no /dev/fuse"; }; then
        skip "fuse-overlayfs is killed" "$why"
else
        sdpod --storage-driver fuse-overlayfs run -d --name fused --network none $BUSYBOX sleep 1000 >/dev/null
        until_ok 10 pgrep -u "$UID" -x fuse-overlayfs
        pkill -9 -u "$UID" -x fuse-overlayfs
        run sdpod exec fused ls /bin
        ((status != 0))
        is $? 0 "without fuse-overlayfs nothing of the root is read"
        run sdpod stop -t 1 fused
        exits 0 "... the container is stopped"
        run sdpod start fused
        is "$status:$(sdpod exec fused echo there)" 0:there "... and started anew it has its files"
        sdpod rm -f -t 0 fused >/dev/null
fi

# --- a reader that stands still
start writer --log-driver k8s-file --log-opt path="$T/writer.log" $BUSYBOX sh -c 'i=0; while :; do i=$((i+1)); echo "line $i $(head -c 2000 /dev/zero | tr "\0" x)"; done'
mkfifo "$T/pipe"
exec 7<>"$T/pipe"
sdpod logs -f writer >"$T/pipe" 2>/dev/null &
reader=$!
size() { stat -c %s "$T/writer.log" 2>/dev/null || echo 0; }
until_ok 10 sh -c '[ "$(stat -c %s "$1")" -gt 1000000 ]' sh "$T/writer.log"
before=$(size)
grows() { (($(size) > before + 1000000)); }
ok "a reader of logs -f that stands still holds nobody up" until_ok 15 grows
kill $reader
exec 7<&-
sdpod rm -f -t 0 writer >/dev/null

# --- exit codes and last words
bad=0
for i in $(seq 25); do
        out=$(sdpod run --rm --network none $BUSYBOX sh -c "echo $i; exit $((i * 5 % 256))")
        [[ $?:$out == $((i * 5 % 256)):$i ]] || bad=$((bad + 1))
done
is $bad 0 "twenty-five runs: each exit code and each line"
start execs $BUSYBOX sleep 1000
bad=0
for i in $(seq 40); do
        out=$(sdpod exec execs sh -c "echo $i; exit $((i * 3 % 256))")
        [[ $?:$out == $((i * 3 % 256)):$i ]] || bad=$((bad + 1))
done
is $bad 0 "forty execs: the same"
sdpod rm -f -t 0 execs >/dev/null

# --- a stop that takes its time
start stubborn $BUSYBOX sh -c 'trap "" TERM; while :; do sleep 0.1; done'
start other $BUSYBOX sleep 1000
sdpod stop -t 600 stubborn >"$T/stop" 2>&1 &
stopping=$!
run sdpod ps --format '{{.Names}}'
is "$(sort <<<"$out" | tr '\n' ' ')" "other stubborn " "ps meanwhile"
run sdpod exec stubborn echo inside
is "$out" inside "exec meanwhile"
run sdpod stop -t 0 other
exits 0 "a stop of another one meanwhile"
run sdpod stop -t 0 stubborn
exits 0 "a second stop of the same, with less patience"
wait $stopping
is "$?:$(field stubborn '{{.State.ExitCode}}')" 0:137 "... and the first one returns"
sdpod rm -af -t 0 >/dev/null

# --- restarts that do not help
start flaps --restart on-failure:3 $BUSYBOX sh -c 'exit 9'
counts() { [[ $(field flaps '{{.RestartCount}} {{.State.Status}} {{.State.ExitCode}}') == "3 exited 9" ]]; }
ok "on-failure:3 is three restarts" until_ok 20 counts
start always --restart always $BUSYBOX false
until_ok 10 sh -c '[ "$(sdpod inspect -f "{{.RestartCount}}" always)" -ge 4 ]'
starts() { sdpod events --stream=false --filter container="$(field always '{{.Id}}')" --filter event=start --format '{{.Time}}' | sed 's/ +0000 UTC$//' | date -f - +%s%3N; }
ok "the time between restarts grows: 0.1 s, 0.2 s, 0.4 s, 0.8 s at least" \
        awk '{ if (NR > 1 && $1 - last < 90 * 2 ^ (NR - 2)) bad = 1; last = $1 } END { exit bad || NR < 5 }' <(starts)
run sdpod stop -t 1 always
exits 0 "stop of one that is about to be started again"
count=$(field always '{{.RestartCount}}')
unit=$(systemctl --user is-active "sdpod-$(field always '{{.Id}}').service")
is "$unit $(field always '{{.State.Running}}')" "inactive false" "... wins"
is "$(field always '{{.RestartCount}}')" "$count" "... for good"
is "$(ps -o stat= -u "$UID" | grep -c Z)" 0 "no zombie is left"
sdpod rm -af -t 0 >/dev/null

# --- checks while containers go
for i in 1 2 3 4 5; do
        start "checked$i" --health-cmd 'sleep 0.3' --health-interval 1s $BUSYBOX sleep 1000
done
until_ok 20 sh -c '[ "$(sdpod ps -q --filter health=healthy | wc -l)" = 5 ]'
run sdpod stop -t 0 checked1 checked2 checked3
exits 0 "stop while checks are under way"
sdpod rm -af -t 0 >/dev/null
none() { [[ -z $(systemctl --user list-units --all --plain --no-legend 'sdpod-health-*') ]]; }
ok "no timer and no service of theirs is left" until_ok 10 none
is "$(systemctl --user list-units --all --plain --no-legend --state=failed 'sdpod-*')" "" "... and nothing failed"
no_processes_left "... and no process"

# --- files of other owners, and files in use
start owners $BUSYBOX sh -c 'mkdir -p /d/e; touch /d/e/f; chown -R 1000:1000 /d; chmod 0 /d/e; chmod 0 /d; touch /x; chmod 4000 /x; echo done; sleep 1000'
until_ok 10 sh -c 'sdpod logs owners | grep -q done'
mkfifo "$T/hold"
sdpod unshare sh -c 'sdpod mount owners >"$1/mounted"; read -r _ <"$1/hold"' sh "$T" 2>/dev/null &
mounted=$!
ok "files of other owners, mounted by somebody" until_ok 10 test -s "$T/mounted"
run sdpod rm -f -t 0 owners
exits 0 "... rm -f meanwhile"
echo >"$T/hold"
wait $mounted
data=${XDG_DATA_HOME:-$HOME/.local/share}/sdpod
is "$(find "$data/containers" -mindepth 1 -maxdepth 1 | wc -l)" 0 "nothing of it is left"
finish
