# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# Rotation with a reader, full disks, three hundred containers, and no work when nothing happens.
. "$TESTS/monitor/lib.sh"
monitor_up

# --- rotation while somebody follows
id=$(id_of 1)
"$PROBE" start "$id" k8s-file "$T/1.log" --max-size 500000 "$PROBE" lines 40000 20 >/dev/null
"$PROBE" logs "$id" k8s-file "$T/1.log" --follow >"$T/out" 2>"$T/err"
is "$("$PROBE" check 40000 out <"$T/out")$("$PROBE" check 40000 err <"$T/err")" "" "logs -f sees every line over many rotations"
is "$(find "$T" -name '1.log*' | wc -l)" 2 "the log and one old log"
ok "neither is larger than the limit" test -z "$(find "$T" -name '1.log*' -size +500000c)"
"$PROBE" logs "$id" k8s-file "$T/1.log" --tail 5000 >"$T/out" 2>"$T/err"
is "$(cat "$T/out" "$T/err" | wc -l)" 5000 "tail reaches into the old log"
is "$(tail -n 1 "$T/out" | cut -d' ' -f2)" 39999 "and ends at the end"

# --- a reader of parts
id=$(id_of 2)
"$PROBE" start "$id" k8s-file "$T/2.log" --max-size 100000000 sh -c "$PROBE lines 20000; until [ \$(wc -l <'$T/2.log') -ge 40000 ]; do sleep 0.05; done
        echo middle; until grep -q middle '$T/2.log'; do sleep 0.05; done; $PROBE lines 20000" >/dev/null
until_ok 30 is_complete "$id"
at=$(grep middle "$T/2.log" | cut -d' ' -f1)
"$PROBE" logs "$id" k8s-file "$T/2.log" --since "$at" >"$T/out" 2>/dev/null
is "$(head -n 1 "$T/out")" middle "since begins there"
is "$(wc -l <"$T/out")" 20001 "and leaves nothing out"
"$PROBE" logs "$id" k8s-file "$T/2.log" --until "$at" >"$T/out" 2>/dev/null
is "$(tail -n 1 "$T/out")" middle "until ends there"
for n in 0 1 2 5 19999 20000 40000 80001 90000; do
        "$PROBE" logs "$id" k8s-file "$T/2.log" --tail $n >"$T/out" 2>"$T/err"
        is "$(cat "$T/out" "$T/err" | wc -l)" $((n > 80001 ? 80001 : n)) "tail $n"
done

# --- a log that cannot be written
id=$(id_of 3)
"$PROBE" start "$id" k8s-file /dev/full sh -c 'echo x' >/dev/null 2>"$T/err"
like "$(cat "$T/err")" "not a regular file" "a device is no log"

small=/run/sdpod-small/3.log
"$PROBE" start "$id" k8s-file "$small" --max-size 1000000000 "$PROBE" lines 300000 >/dev/null
ok "a container whose log's disk is full comes to its end" until_ok 60 is_complete "$id"
like "$("$PROBE" state "$id")" 'lost=[1-9]' "the state counts what was lost"
is "$(tail -c 1 "$small" | od -An -tx1 | tr -d ' ')" 0a "the log has whole lines only"
"$PROBE" logs "$id" k8s-file "$small" >"$T/out" 2>"$T/err"
n=$(wc -l <"$T/out")
comment "$n lines, then the disk was full"
is "$("$PROBE" check "$n" out <"$T/out")" "" "what is there is in order"
rm "$small"
id=$(id_of 4)
small=/run/sdpod-small/4.log
"$PROBE" start "$id" k8s-file "$small" --stdin --max-size 1000000000 sh -c '"$0" lines 300000; : >"$1"; read -r x; echo "after $x"' "$PROBE" "$T/written" >/dev/null
until_ok 30 test -e "$T/written"
like "$("$PROBE" stat "$id" lost)" '[1-9]' "the monitor tells of the loss"
like "$("$PROBE" stat "$id" failing)" '28' "and why"
: >"$small"
echo room | timeout 120 "$PROBE" attach "$id" --stdin >/dev/null 2>&1
until_ok 20 is_complete "$id"
"$PROBE" logs "$id" k8s-file "$small" >"$T/out" 2>"$T/err"
like "$(cat "$T/err")" 'sdpod-monitor: [0-9]* bytes of output were lost: No space left on device' "a log with room again tells it"
is "$(tail -n 1 "$T/out")" "after room" "and goes on"
rm "$small"

# the old way to have no room: a limit on the size of files, for log and spool alike
mkdir -p "$UNITS/sdpod-monitor.service.d"
printf '[Service]\nLimitFSIZE=2M\n' >"$UNITS/sdpod-monitor.service.d/limit.conf"
systemctl --user daemon-reload
systemctl --user restart sdpod-monitor.service
id=$(id_of 5)
"$PROBE" start "$id" k8s-file "$T/5.log" --max-size 1000000 "$PROBE" lines 100000 >/dev/null
ok "a limit on file sizes ends nothing" until_ok 60 is_complete "$id"
is "$("$PROBE" state "$id")" 'complete lost=0' "and costs nothing where the log is smaller"
rm -r "$UNITS/sdpod-monitor.service.d"
systemctl --user daemon-reload
systemctl --user restart sdpod-monitor.service

# --- the journal is slower than a container that ends at once
if [[ -r /var/log/journal ]]; then
        id=$(id_of "$(number_of_now)")
        "$PROBE" start "$id" journald - "$PROBE" lines 30000 >/dev/null
        ok "a container that wrote a burst to the journal comes to its end" until_ok 100 is_complete "$id"
        is "$("$PROBE" state "$id")" 'complete lost=0' "with nothing lost"
        "$PROBE" logs "$id" journald - --follow >"$T/out" 2>"$T/err"
        is "$("$PROBE" check 30000 out <"$T/out")$("$PROBE" check 30000 err <"$T/err")" "" "and all of it is there"
else
        skip "a burst to the journal" "no persistent journal here"
fi

# --- three hundred containers
grow() {
        awk '/^Pss:/ { sum += $2 } END { print sum }' "/proc/$(monitor_pid)/smaps_rollup"
}
"$PROBE" start "$(id_of 999)" k8s-file "$T/999.log" echo warm >/dev/null
until_ok 10 is_complete "$(id_of 999)"
before=$(grow)
for ((i = 1000; i < 1300; i++)); do
        "$PROBE" start "$(id_of "$i")" k8s-file "$T/$i.log" sh -c 'echo here; exec sleep 1000' >>"$T/sleepers" || break
done
until_ok 30 sh -c "test \$(grep -l here '$T'/1*.log | wc -l) -ge 300"
is "$("$PROBE" stat | grep -o '"containers":[0-9]*')" '"containers":300' "three hundred containers are watched"
after=$(grow)
comment "private memory: $before kB before, $after kB with 300 containers: $(((after - before) * 1024 / 300)) bytes each"
ok "the monitor grows by at most 16 kB a container" test $((after - before)) -le $((16 * 300))
is "$(stored)" 900 "three descriptors of each lie in the store"

# --- idle
ticks() {
        cut -d' ' -f14,15 "/proc/$(monitor_pid)/stat"
}
switches() {
        awk '/ctxt_switches/ { sum += $2 } END { print sum }' "/proc/$(monitor_pid)/status"
}
is_idle() { was="$(ticks) $(switches)" && sleep 1 && [[ "$(ticks) $(switches)" == "$was" ]]; }
until_ok 10 is_idle
sleep 3
is "$(ticks) $(switches)" "$was" "three hundred silent containers cost nothing"

# --- kill -9 with three hundred
systemctl --user kill -s KILL sdpod-monitor.service
until_ok 10 "$PROBE" stat
is "$("$PROBE" stat | grep -o '"containers":[0-9]*')" '"containers":300' "all are there after kill -9"
comment "private memory after it: $(grow) kB"
ok "and it is no larger" test "$(($(grow) - before))" -le $((16 * 300))
xargs kill -9 <"$T/sleepers"
until_ok 30 sh -c "$PROBE stat | grep -q '\"containers\":0'"
is "$("$PROBE" stat | grep -o '"containers":[0-9]*')" '"containers":0' "all end"
until_ok 10 sh -c "test \$(systemctl --user show --value -p NFileDescriptorStore sdpod-monitor.service) = 0"
is "$(stored)" 0 "and leave nothing in the store"
finish
