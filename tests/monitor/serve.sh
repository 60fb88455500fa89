# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2016,SC2154
# What the monitor does for those who ask: attached clients, input, terminals, and what it refuses.
. "$TESTS/monitor/lib.sh"
monitor_up

# --- attach
id=$(id_of 1)
"$PROBE" attach "$id" --wait >"$T/out" 2>"$T/err" &
client=$!
until_ok 10 grep -q attached "$T/err"
"$PROBE" start "$id" k8s-file "$T/1.log" sh -c 'echo one; echo two >&2; printf three; sleep 0.2; echo -n four' >/dev/null
ok "attach that waits ends with the container" timeout 120 tail --pid="$client" -f /dev/null
is "$(cat "$T/out")" $'one\nthreefour' "it saw stdout from the first byte"
is "$(cat "$T/err")" $'attached\ntwo' "it saw stderr"
until_ok 10 is_complete "$id"
run "$PROBE" logs "$id" k8s-file "$T/1.log"
is "$out" $'one\nthreefour' "a last line without a newline is in the log as it was"

run "$PROBE" attach "$id"
exits 1 "nobody attaches to what is not watched"
like "$err" "cannot find container '0*1'" "and is told so"

# --- input
id=$(id_of 2)
"$PROBE" start "$id" k8s-file "$T/2.log" --stdin cat >/dev/null
feed $'first\n' timeout 10 "$PROBE" attach "$id" --stdin
like "$out" first "what a client says comes back from cat"
is "$status" 124 "the end of one client's input is not the container's"
until_ok 10 grep -q first "$T/2.log"
feed $'second\n' timeout 120 "$PROBE" attach "$id" --stdin --close-stdin
is "$status" 0 "with closeStdin it is"
until_ok 10 is_complete "$id"
run "$PROBE" logs "$id" k8s-file "$T/2.log"
is "$out" $'first\nsecond' "cat has seen both clients"

# more input than the container takes now
id=$(id_of 3)
"$PROBE" start "$id" k8s-file "$T/3.log" --stdin sh -c 'sleep 0.3; wc -c' >/dev/null
head -c 3000000 /dev/zero | timeout 120 "$PROBE" attach "$id" --stdin --close-stdin >"$T/out" 2>/dev/null
is "$(tr -d ' ' <"$T/out")" 3000000 "three megabytes of input reach a container that reads late"

# --- a terminal
id=$(id_of 4)
"$PROBE" start "$id" k8s-file "$T/4.log" --tty sh -c 'stty -echo; echo ready; read -r x; echo "got $x"; stty size; tty; test -t 0 && test -t 1 && test -t 2 && echo all' >/dev/null
until_ok 10 grep -q ready "$T/4.log"
run "$PROBE" resize "$id" 33 111
exits 0 "a terminal is resized"
feed $'word\n' timeout 120 "$PROBE" attach "$id" --stdin
like "$out" $'got word\r\n33 111\r' "and answers"
until_ok 10 is_complete "$id"
like "$(cat "$T/4.log")" "stdout F all"$'\r' "all three are the terminal"
run "$PROBE" resize "$(id_of 2)" 1 1
exits 1 "nothing to resize without a container"

# a container that closes its terminal and opens it again
id=$(id_of 5)
"$PROBE" start "$id" k8s-file "$T/5.log" --tty sh -c 'echo a; t=$(tty); exec </dev/null >/dev/null 2>&1; sleep 0.3; echo b >$t' >/dev/null
until_ok 10 is_complete "$id"
is "$("$PROBE" logs "$id" k8s-file "$T/5.log" | tr -d '\r')" $'a\nb' "a terminal that nobody has open lives on"

# --- slow clients
id=$(id_of 6)
"$PROBE" start "$id" k8s-file "$T/6.log" --stdin --max-size 100000000 sh -c 'read -r x; exec "$0" lines 300000' "$PROBE" >/dev/null
for i in 1 2 3 4; do
        "$PROBE" attach "$id" --stuck >/dev/null 2>"$T/stuck$i" &
        echo $! >>"$T/stuck-pids"
        until_ok 10 grep -q attached "$T/stuck$i"
done
"$PROBE" attach "$id" >"$T/stopped" 2>"$T/stopped-err" &
stopped=$!
until_ok 10 grep -q attached "$T/stopped-err"
kill -STOP "$stopped"
echo go | "$PROBE" attach "$id" --stdin >"$T/quick" 2>"$T/quick-err" &
quick=$!
ok "five clients that do not read do not hold the container up" until_ok 60 is_complete "$id"
"$PROBE" logs "$id" k8s-file "$T/6.log" >"$T/out" 2>"$T/err"
is "$("$PROBE" check 300000 out <"$T/out")$("$PROBE" check 300000 err <"$T/err")" "" "and nothing is missing in the log"
ok "the client that reads is served to the end" timeout 120 tail --pid="$quick" -f /dev/null
comment "monitor: $(grep -E 'VmRSS|VmHWM' "/proc/$(monitor_pid)/status" | tr -s '\t \n' ' ')"
kill -CONT "$stopped"
ok "the stopped one gets what was kept for it, and the end" timeout 120 tail --pid="$stopped" -f /dev/null
like "$(cat "$T/stopped-err")" "bytes of output left out here" "and is told that some was left out"
xargs kill <"$T/stuck-pids" 2>/dev/null
xargs kill -9 <"$T/stuck-pids" 2>/dev/null
until_ok 10 sh -c "$PROBE stat | grep -q \"clients.:0\""
comment "and when they have gone: $(grep VmRSS "/proc/$(monitor_pid)/status" | tr -s "\t \n" " ")"

# --- attach with the log
id=$(id_of 7)
"$PROBE" start "$id" k8s-file "$T/7.log" --stdin sh -c 'printf "in the log"; read -r x; echo; echo "after $x"' >/dev/null
until_ok 10 grep -q "in the log" "$T/7.log"
echo go | timeout 120 "$PROBE" attach "$id" --stdin --logs >"$T/out" 2>/dev/null
is "$(head -n 1 "$T/out")" "$(head -n 1 "$T/7.log" | wc -c)" "the log's end is told"
is "$(tail -n +2 "$T/out")" $'\nafter go' "and output from there on comes to the client"

# --- detach
id=$(id_of 8)
"$PROBE" start "$id" k8s-file "$T/8.log" sleep 1000 >"$T/pid"
"$PROBE" attach "$id" >/dev/null 2>"$T/err" &
client=$!
until_ok 10 grep -q attached "$T/err"
run "$PROBE" detach "$id"
ok "detach ends clients" timeout 120 tail --pid="$client" -f /dev/null
is "$("$PROBE" stat "$id" clients)" 0 "and the container goes on"
kill -9 "$(cat "$T/pid")"
ok "a killed container's recording ends" until_ok 10 is_complete "$id"

# --- the same container runs again
"$PROBE" start "$id" k8s-file "$T/8.log" sh -c 'printf "no end"' >/dev/null
until_ok 10 is_complete "$id"
"$PROBE" start "$id" k8s-file "$T/8.log" sh -c 'echo next' >/dev/null
until_ok 10 is_complete "$id"
is "$("$PROBE" logs "$id" k8s-file "$T/8.log")" $'no end\nnext' "a second run goes on in the same log"

# --- someone else holds the pipe
id=$(id_of 9)
"$PROBE" start "$id" k8s-file "$T/9.log" sh -c 'setsid sleep 1000 & echo $!; exit 3' >/dev/null
ok "a recording with a pidfd ends with the process, whoever holds the pipe" until_ok 10 is_complete "$id"
kill "$("$PROBE" logs "$id" k8s-file "$T/9.log")"
"$PROBE" start "$id" k8s-file "$T/9.log" --no-pidfd sh -c '(sleep 0.5; echo late) & echo early' >/dev/null
until_ok 10 is_complete "$id"
like "$("$PROBE" logs "$id" k8s-file "$T/9.log")" $'early\nlate$' "without one it ends with the last writer"

# --- the journal
if [[ -r /var/log/journal ]]; then
        id=$(id_of "$(number_of_now)")
        unit=monitor-test-$$.service
        "$PROBE" start "$id" journald - --unit "$unit" sh -c 'echo to the journal; echo to err >&2; echo; printf "\001bin"' >/dev/null
        until_ok 10 is_complete "$id"
        until_ok 10 sh -c "journalctl --user -u $unit -o cat | grep -q bin"
        run journalctl --user -u "$unit" -o cat
        like "$out" "to the journal" "journalctl -u shows a container's lines under its unit"
        run journalctl --user -u "$unit" -p err -o cat
        is "$out" "to err" "stderr has priority err"
        run journalctl --user -u "$unit" -o json --output-fields=CONTAINER_ID,CONTAINER_NAME,IMAGE_NAME,SYSLOG_IDENTIFIER -n 1
        like "$out" '"CONTAINER_ID":"0{12}"' "the short ID is there"
        like "$out" '"IMAGE_NAME":"localhost/box:latest"' "the image is there"
        run "$PROBE" logs "$id" journald -
        is "$out" $'to the journal\n\n\001bin' "logs reads it back"
        run "$PROBE" logs "$id" journald - --tail 1
        is "$out" $'\001bin' "the last line"
        run "$PROBE" logs "$id" journald - --tail 99
        like "$out" "^to the journal" "more lines than there are"
else
        skip "the journal" "no persistent journal here"
fi

# --- refused
say() { # JSON FDS: one raw request
        printf '%s' "$1" >"$T/request"
        run "$PROBE" raw "$T/request" "${2:-0}"
}
say 'not json'
like "$out" '"ok":false' "bytes that are no JSON"
say '[]'
like "$out" 'not an object' "no object"
say '{"op":"reboot"}'
like "$out" "unknown operation 'reboot'" "an unknown operation"
say '{"op":"stat","colour":"red"}'
like "$out" "unknown key 'colour'" "an unknown key"
say '{"op":"stat","id":5}'
like "$out" '"ok":false' "a number for an ID"
say '{"op":"attach","id":"../../etc"}' 1
like "$out" "no container's ID" "a path for an ID"
say "{\"op\":\"attach\",\"id\":\"$id\",\"wait\":true}" 1
like "$out" 'not a stream socket' "a file to attach to"
say "{\"op\":\"watch\",\"id\":\"$id\",\"driver\":\"none\",\"runtimeDir\":\"$T\"}" 2
like "$out" 'not the descriptors of a container' "files to watch"
say "{\"op\":\"watch\",\"id\":\"$id\",\"driver\":\"none\",\"runtimeDir\":\"/tmp\"}" 2
like "$out" 'others can write to it' "a runtime directory of others"
say "{\"op\":\"watch\",\"id\":\"$id\",\"driver\":\"k8s-file\",\"runtimeDir\":\"$T\"}" 2
like "$out" 'path is not absolute' "no path of the log"
say "{\"op\":\"watch\",\"id\":\"$id\",\"driver\":\"none\",\"runtimeDir\":\"$T\"}" 1
like "$out" '1 descriptors, not 2' "too few descriptors"
say '{"op":"stat"}' 8
like "$out" 'too big' "too many descriptors"
say "{\"op\":\"stat\",\"id\":\"$(head -c 100000 /dev/zero | tr '\0' a)\"}"
like "$status$out" '^(3|4|0.*too big)' "a message that is too long"
pid=$(monitor_pid)
like "$("$PROBE" stat)" '"ok":true' "and the monitor is well"
is "$(monitor_pid)" "$pid" "and the same"
is "$(find "/proc/$pid/fd" -lname '*containers*' | wc -l)" 0 "with nothing left open"
finish
