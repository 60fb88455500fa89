# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# kill -9 of the monitor, again and again, while ten containers write: every line is there once, nobody notices.
. "$TESTS/monitor/lib.sh"
monitor_up
first=$(number_of_now)

# Kills the monitor. The more kills there were the longer it may work before: a machine on which it takes long to begin gets on, too.
kill_one() {
        sleep "$(printf '%d.%03d' $((kills / 400)) $((RANDOM % 90 + 10 + 2 * kills % 800)))"
        systemctl --user kill -s KILL sdpod-monitor.service 2>/dev/null && kills=$((kills + 1))
}

kill_until_complete() { # N_CONTAINERS
        local i left
        kills=0
        for ((left = $1; left > 0;)); do
                kill_one
                ((kills < 400)) || return 1
                left=0
                for ((i = 1; i <= $1; i++)); do
                        is_complete "$(id_of $((first + i)))" || left=$((left + 1))
                done
        done
}

one_driver() { # DRIVER LINES EVERY
        local driver=$1 lines=$2 every=$3 i id log bad='' follower
        rm -rf "$STORE/containers" "$T/logs"
        mkdir -p "$T/logs"
        for ((i = 1; i <= 10; i++)); do
                id=$(id_of $((first + i)))
                "$PROBE" start "$id" "$driver" "$T/logs/$i" --max-size 1000000000 "$PROBE" lines "$lines" "$every" \
                        >>"$T/pids" || fail "$driver: container $i starts"
        done
        "$PROBE" logs "$(id_of $((first + 1)))" "$driver" "$T/logs/1" --follow >"$T/followed" 2>"$T/followed-err" &
        follower=$!
        ok "$driver: ten containers come to their end while the monitor is killed" kill_until_complete 10
        comment "$kills kills"
        ok "$driver: the monitor was killed while they wrote" test "$kills" -ge 5
        until_ok 20 eval '[[ $(stored) == 0 ]]'
        for ((i = 1; i <= 10; i++)); do
                log=$T/logs/$i id=$(id_of $((first + i)))
                "$PROBE" logs "$id" "$driver" "$log" >"$T/out" 2>"$T/err"
                "$PROBE" check "$lines" out <"$T/out" >"$T/why" || bad+="container $i, stdout: $(cat "$T/why") "
                "$PROBE" check "$lines" err <"$T/err" >"$T/why" || bad+="container $i, stderr: $(cat "$T/why") "
        done
        is "$bad" "" "$driver: every line of ten containers is in the log once"
        ok "$driver: logs -f ends with the container" timeout 120 tail --pid="$follower" -f /dev/null
        is "$("$PROBE" check "$lines" out <"$T/followed")" "" "$driver: logs -f has shown every line once"
        is "$("$PROBE" check "$lines" err <"$T/followed-err")" "" "$driver: logs -f has shown stderr, too"
        is "$(stored)" 0 "$driver: nothing stays in the store"
}

one_driver k8s-file 60000 20

# a terminal
id=$(id_of 20)
"$PROBE" start "$id" k8s-file "$T/tty.log" --tty --max-size 1000000000 sh -c "exec $PROBE lines 20000 20 2>/dev/null" >/dev/null
kills=0
until is_complete "$id" || ((kills > 300)); do
        kill_one
done
comment "$kills kills"
"$PROBE" logs "$id" k8s-file "$T/tty.log" | tr -d '\r' >"$T/out"
is "$("$PROBE" check 20000 out <"$T/out")" "" "terminal: every line is in the log once"

if [[ -r /var/log/journal ]] && journalctl --user -n 0 >/dev/null 2>&1; then
        one_driver journald 3000 5
else
        skip "journald: every line of ten containers is in the log once" "this user cannot read its journal"
fi

# stopped for good, and started again: what is spooled is logged
"$PROBE" start "$(id_of 30)" k8s-file "$T/stopped.log" sh -c 'echo before; printf piece; sleep 1000' >"$T/pid"
until_ok 10 grep -q piece "$T/stopped.log"
systemctl --user stop sdpod-monitor.service
systemctl --user start sdpod-monitor.service
until_ok 10 is_complete "$(id_of 30)"
ok "a recording whose descriptors are gone is ended" is_complete "$(id_of 30)"
kill "$(cat "$T/pid")" 2>/dev/null
finish
