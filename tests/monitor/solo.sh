# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# machine: plain
# Without a user manager: the monitor supervises its one container.
# shellcheck source=tests/lib/tap.sh
. "$TESTS/lib/tap.sh"
export T XDG_RUNTIME_DIR=$T/run PROBE=$TESTS/monitor-probe
umask 077
unset DBUS_SESSION_BUS_ADDRESS
mkdir -p "$XDG_RUNTIME_DIR/sdpod" "$T/data"
id=$(printf '%064x' 77)
record=$T/data/containers/$id

prepare() { # POLICY RETRIES
        rm -rf "$T/started" "$T/ended" "$T/state-at-end" "$T/ctr.log" "$T/ready" "$T/fail"
        mkdir -p "$record"
        printf '{"version":1,"id":"%s","name":"solo","restartPolicy":"%s","restartRetries":%d}\n' "$id" "$1" "${2:-0}" >"$record/container.json"
        echo '{}' >"$record/state.json"
}

solo() { # in the background, as `sdpod run -d` leaves it; then the answer is in $T/ready
        setsid "$TESTS/sdpod-monitor" --solo --id="$id" --store-data="$T/data" --store-runtime="$XDG_RUNTIME_DIR/sdpod" \
                --ready-fd=9 -- "$TESTS/monitor/starter" __start "$id" 9>"$T/ready" 2>"$T/solo-err" </dev/null &
        solo=$!
}

ended() {
        timeout 120 tail --pid="$solo" -f /dev/null
}

# --- one run
prepare no
echo 'echo hello; until test -e "$T/go"; do sleep 0.05; done; echo last words; exit 7' >"$T/container"
solo
until_ok 10 test -s "$T/ready"
like "$(cat "$T/ready")" '^\{"ok":true,"pid":[0-9]+\}$' "the caller is told that it runs"
pid=$(grep -o '[0-9]*' "$T/ready")
is "$(awk '/^PPid/ { print $2 }' "/proc/$pid/status")" "$solo" "the container's init is the monitor's child"
is "$(awk '{ print $6 }' "/proc/$solo/stat")" "$solo" "the monitor leads a session"
is "$(readlink "/proc/$solo/fd/2")" /dev/null "the caller's terminal is let go"
like "$("$PROBE" stat "$id")" '"ok":true' "it serves on its own socket"
: >"$T/go"
ok "it ends with the container" ended
is "$(cat "$T/ended")" 7 "the exit code is put on record"
is "$(cat "$T/state-at-end")" "complete lost=0" "after all output was"
is "$("$PROBE" logs "$id" k8s-file "$T/ctr.log")" $'hello\nlast words' "and all of it is there"
ok "no socket stays" test ! -e "$XDG_RUNTIME_DIR/sdpod/containers/$id/monitor.sock" -a ! -e "$XDG_RUNTIME_DIR/sdpod/containers/$id/notify"

# --- at once
prepare no
echo 'exit 0' >"$T/container"
solo
ended
like "$(cat "$T/ready")" '"ok":true' "a container that ends at once has started"
is "$(cat "$T/ended")" 0 "and ended"

# --- killed
prepare no
# shellcheck disable=SC2016
echo 'kill -9 $$' >"$T/container"
solo
ended
is "$(cat "$T/ended")" 137 "a signal is 128 and its number"

# --- not started
prepare always
: >"$T/fail"
solo
ended
is "$(cat "$T/ready")" "{\"ok\":false,\"exitCode\":127,\"errno\":2,\"error\":\"cannot start container '$id': no such image\"}" \
        "the caller is told why not"
ok "nothing is put on record" test ! -e "$T/ended"

# --- restarted
prepare on-failure 2
echo 'echo run; exit 3' >"$T/container"
solo
ended
is "$(tr '\n' ' ' <"$T/ended")" "3 3 3 " "on-failure:2 is three runs"
is "$("$PROBE" logs "$id" k8s-file "$T/ctr.log")" $'run\nrun\nrun' "with the output of all"
prepare on-failure 5
echo 'test -e "$T/second" && exit 0; : >"$T/second"; exit 1' >"$T/container"
solo
ended
is "$(tr '\n' ' ' <"$T/ended")" "1 0 " "success ends on-failure"

# --- stopped by the user
prepare always
echo 'echo run; exec sleep 1000' >"$T/container"
solo
until_ok 10 test -s "$T/ready"
kill -9 "$(grep -o '[0-9]*' "$T/ready")"
until_ok 10 sh -c 'test "$(wc -l <"$T/started")" = 2'
is "$(wc -l <"$T/started")" 2 "always: a killed container starts again"
until_ok 10 "$PROBE" stat "$id"
echo '{"stoppedByUser":true}' >"$record/state.tmp"
mv "$record/state.tmp" "$record/state.json"
until_ok 10 pkill -9 -P "$solo" sleep
ok "after the user's stop it does not" ended
is "$(tr '\n' ' ' <"$T/ended")" "137 137 " "both ends are on record"

prepare always
echo 'exit 1' >"$T/container"
solo
until_ok 20 sh -c 'test "$(wc -l <"$T/ended")" -ge 4'
echo '{"stoppedByUser":true}' >"$record/state.tmp"
mv "$record/state.tmp" "$record/state.json"
ok "a stop ends the wait for the next start" timeout 120 tail --pid="$solo" -f /dev/null

prepare always
solo
until_ok 20 sh -c 'test "$(wc -l <"$T/ended")" -ge 3'
rm -r "$record"
ok "so does the container's removal" ended

# --- told to end
prepare always
echo 'trap "exit 5" TERM; echo up; while :; do sleep 0.1; done' >"$T/container"
solo
until_ok 10 grep -q up "$T/ctr.log"
kill -TERM "$solo"
ok "SIGTERM ends it" ended
is "$(cat "$T/ended")" 5 "by way of the container"

# --- misuse
run "$TESTS/sdpod-monitor" --solo --id=../x -- /bin/true
exits 1 "no ID"
run "$TESTS/sdpod-monitor" --solo --id="$id" --ready-fd=77 -- /bin/true
exits 1 "no ready descriptor"
run "$TESTS/sdpod-monitor" --colour
exits 125 "an unknown option"
run "$TESTS/sdpod-monitor"
exits 1 "no systemd"
like "$err" "systemd passed no socket" "and it says so"
run "$PROBE" stat
like "$err" "no systemd manager in '$XDG_RUNTIME_DIR'" "a client says that there is no manager"
mkdir -p "$XDG_RUNTIME_DIR/systemd"
: >"$XDG_RUNTIME_DIR/systemd/private"
run "$PROBE" stat
like "$err" "hint: systemctl --user enable --now sdpod-monitor.socket" "or that the socket is off"
finish
