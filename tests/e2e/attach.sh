#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Joining containers and leaving them: attach, the keys to detach by, terminals of containers in the background.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
NL=$'\n' R="--network none"
terminal() { run python3 "$TESTS/e2e/terminal.py" "$@"; }
LEAVE='send:\x10\x11'
is_up() { [[ $(running "$1") == true ]]; }
running() { sdpod inspect -f '{{.State.Running}}' "$1" 2>/dev/null; }
at_end sdpod rm -f -a -t 0

# A container that says that it waits, until it is told to go on: who attaches hears so, and from then on misses nothing.
WAITS='until [ -e /go ]; do echo waiting; sleep 0.05; done'
waits() { grep -qs waiting "$T/heard"; }
joined() { # NAME INPUT COMMAND...: runs the command, lets the container go on when it has joined; as run, without what was said before
        local name=$1 pid
        printf '%s' "$2" >"$T/stdin"
        rm -f "$T/heard"
        timeout "$RUN_TIMEOUT" "${@:3}" <"$T/stdin" >"$T/heard" 2>"$T/stderr" &
        pid=$!
        until_ok 10 waits
        sdpod exec "$name" touch /go
        wait $pid
        status=$? ran="${*:3}" out=$(grep -v '^waiting$' "$T/heard") err=$(<"$T/stderr")
}

# --- attach, without a terminal
sdpod run -d --name out $R $BUSYBOX sh -c "$WAITS; echo said; echo wrong >&2; exit 3" >/dev/null
joined out "" sdpod attach out
exits 0 "attach ends with the container, with 0 as in Podman"
is "$out:$err" "said:wrong" "... with both its streams"
run sdpod attach out
exits 125 "attach to one that does not run is refused"
like "$err" "only attach to running" "... and says so"
run sdpod attach nosuch
exits 125 "... to one that is not there"
sdpod create --name never $R $BUSYBOX true >/dev/null
run sdpod attach never
exits 125 "... to one that never ran"
sdpod run -d -i --name fed $R $BUSYBOX sh -c 'cat; echo end' >/dev/null
feed "some${NL}lines${NL}" sdpod attach fed
is "$out" "some${NL}lines${NL}end" "what is written to attach reaches the container, and the end of it"
sdpod run -d -i --name unfed $R $BUSYBOX sh -c "$WAITS; timeout 1 cat; echo end" >/dev/null
joined unfed "x" sdpod attach --no-stdin unfed
is "$out" end "--no-stdin passes nothing"
sdpod run -d --name deaf $R $BUSYBOX sh -c "$WAITS; cat; echo end" >/dev/null
joined deaf "x" sdpod attach deaf
is "$out" end "a container without -i gets no input"
sdpod run -d --name latest $R $BUSYBOX sh -c "$WAITS; echo last" >/dev/null
joined latest "" sdpod attach --latest
is "$out" last "attach --latest"
sdpod run -d --name trap $R $BUSYBOX sh -c 'trap "echo caught; exit 9" TERM; while :; do echo ready; sleep 0.05; done' >/dev/null
sdpod attach trap >"$T/trap" 2>&1 &
attached=$!
until_ok 10 grep -q ready "$T/trap"
kill -TERM $attached
wait $attached
like "$(cat "$T/trap")" caught "attach passes signals on"
sdpod run -d --name left $R $BUSYBOX sh -c 'trap "exit 9" TERM; while :; do echo ready; sleep 0.05; done' >/dev/null
sdpod attach --sig-proxy=false left >"$T/left" 2>&1 &
attached=$!
until_ok 10 grep -q ready "$T/left"
kill -TERM $attached
wait $attached
is "$(running left)" true "--sig-proxy=false does not"
sdpod run -d --name code $R $BUSYBOX sh -c "$WAITS; echo out; exit 4" >/dev/null
joined code "" sdpod start -a code
is "$status:$out" "4:out" "start -a of a container that runs joins it, and has its exit code"
sdpod run --rm --name fore $R $BUSYBOX sleep 1000 &
until_ok 5 is_up fore
run sdpod attach fore
exits 125 "attach to one in the foreground of another command is refused"
like "$err" "foreground" "... and says why"
sdpod kill fore >/dev/null
wait

# --- a terminal in the background
sdpod run -d -it --name tty $R $BUSYBOX sh >/dev/null
terminal 'send:\r' 'expect:[#$] ' 'send:echo $((6*7))\r' 'expect:42' "$LEAVE" -- sdpod attach tty
exits 0 "attach to a terminal, and leave it by the keys"
is "$(running tty)" true "... it runs on"
terminal 'send:stty size\r' 'expect:24 80' 'size:33x99' 'sleep:0.3' 'send:stty size\r' 'expect:33 99' "$LEAVE" -- sdpod attach tty
exits 0 "the window's size is passed on, and its changes"
terminal 'send:\x10x\r' 'expect:[#$] ' 'send:q\r' 'expect:not found' "$LEAVE" -- sdpod attach tty
exits 0 "one of the keys alone is typed"
terminal 'send:echo no keys\r' 'expect:no keys' 'send:\x10\x11\r' 'sleep:0.3' 'send:echo st"il"l\r' 'expect:still' 'send:\x1d' \
        -- sdpod attach --detach-keys 'ctrl-]' tty
exits 0 "--detach-keys chooses others"
sees() { python3 "$TESTS/e2e/terminal.py" 'expect:here' "said:$T/$1.here" 'expect:shared' "$LEAVE" -- sdpod attach tty >/dev/null 2>&1; echo $? >"$T/$1"; }
sees first &
sees second &
all_see() { sdpod exec tty sh -c 'echo here >/proc/1/fd/1' && [[ -e $T/first.here && -e $T/second.here ]]; }
until_ok 10 all_see
terminal 'send:echo sh"ar"ed\r' 'expect:shared' "$LEAVE" -- sdpod attach tty
wait
is "$status $(cat "$T/first") $(cat "$T/second")" "0 0 0" "three clients see the same"
terminal 'send:exit 7\r' -- sdpod attach tty
exits 0 "the end of the container is the end of attach"
is "$(sdpod wait tty)" 7 "... and its exit code is recorded"

# --- a client that does not read
sdpod run -d -t --name busy $R $BUSYBOX sh -c 'until [ -e /go ]; do echo waiting; sleep 0.05; done
        i=0; while [ $i -lt 60000 ]; do echo "line $i of many that nobody reads now"; i=$((i+1)); done; echo all' >/dev/null
sdpod attach busy </dev/null >"$T/stopped" &
stopped=$!
until_ok 10 grep -q waiting "$T/stopped"
kill -STOP $stopped
sdpod exec busy touch /go
ok "a client that is stopped does not hold the container up" test "$(timeout 120 sdpod wait busy)" = 0
kill -CONT $stopped
wait $stopped
like "$(cat "$T/stopped")" "bytes of output left out here" "... it is told what it missed"
like "$(sdpod logs --tail 1 busy)" all "... nothing is missing in the log"

# --- leaving the foreground
terminal 'expect:[#$] ' 'send:echo on\r' 'expect:on' "$LEAVE" -- sdpod run -it --name shell $R $BUSYBOX sh
exits 0 "run -it is left by the keys"
is "$(running shell)" true "... and runs on"
terminal 'send:\r' 'expect:[#$] ' 'send:echo ag"ai"n\r' 'expect:again' 'send:exit 5\r' -- sdpod attach shell
exits 0 "attach finds it again"
is "$(timeout 60 sdpod wait shell)" 5 "... and its exit code is recorded"
like "$(sdpod logs shell)" "on.*again" "the log has all of it"
terminal 'expect:[#$] ' "$LEAVE" -- sdpod start -ai shell
exits 0 "start -ai is left by the keys"
run sdpod stop -t 0 shell
exits 0 "what was left can be stopped"
ok "... and its end is recorded" until_ok 10 eval '[[ $(sdpod inspect -f "{{.State.Status}} {{.State.ExitCode}}" shell) == "exited 137" ]]'
terminal 'expect:[#$] ' "$LEAVE" -- sdpod run -it --rm --name gone $R $BUSYBOX sh
sdpod stop -t 0 gone >/dev/null
ok "one with --rm is removed at its end" until_ok 10 sh -c '! sdpod container exists gone'
terminal 'expect:[#$] ' 'send:stty size\r' 'expect:24 80' 'size:40x111' 'sleep:0.3' 'send:stty size\r' 'expect:40 111' 'send:exit\r' \
        -- sdpod run -it --rm $R $BUSYBOX sh
exits 0 "run -it passes the window's size on, and its changes"
terminal 'expect:[#$] ' hang-up -- sdpod run -it --rm --name hung $R $BUSYBOX sh
is "$(running hung)" true "a terminal that is closed leaves the container running, as in Podman"
terminal 'send:\r' 'expect:[#$] ' 'send:exit\r' -- sdpod attach hung
exits 0 "... and another can join it"
terminal 'expect:[#$] ' 'send:exit 6\r' -- sdpod run -it --rm $R $BUSYBOX sh
exits 6 "run -it without the keys has the exit code"
terminal 'expect:[#$] ' 'send:\x10\x11' 'sleep:0.3' 'send:exit 4\r' -- sdpod run -it --rm --detach-keys= $R $BUSYBOX sh
exits 4 "--detach-keys= has no keys"
terminal 'expect:[#$] ' kill:KILL -- sdpod run -it --rm --name killed $R $BUSYBOX sh
ok "kill -9 of the command ends the container" until_ok 10 sh -c '[ "$(sdpod inspect -f "{{.State.Running}}" killed 2>/dev/null)" != true ]'
run sdpod run --rm --name killed $R $BUSYBOX true
exits 0 "... and its name is free"
terminal 'expect:[#$] ' kill:TERM 'send:exit 2\r' -- sdpod run -it --rm $R $BUSYBOX sh
is "$status" 2 "a terminal's command does not pass SIGTERM on, and ends with the container"
run sdpod run --detach-keys 'ctrl-$' --rm $R $BUSYBOX true
exits 125 "keys that nobody can type are refused"
run sdpod run --rm -it $R $BUSYBOX true
like "$status $err" "^0 .*not a TTY" "-it without a terminal runs, with a warning"

# --- leaving exec
sdpod run -d --name host $R $BUSYBOX sleep 1000 >/dev/null
terminal 'send:echo st"ar"ts; exec sleep 100\r' 'expect:starts' "$LEAVE" -- sdpod exec -it host sh
exits 0 "exec -it is left by the keys"
runs_on() { sdpod top host args | grep -qx 'sleep 100 *'; }
ok "... and what it had started runs on" until_ok 10 runs_on
terminal 'expect:[#$] ' 'send:exit 3\r' -- sdpod exec -it host sh
exits 3 "... without them it has the exit code"
sdpod rm -f -a -t 0 >/dev/null
no_processes_left "nothing is left of any"
until_ok 10 eval '! pgrep -u "$UID" -x sdpod'
is "$(pgrep -u "$UID" -x sdpod)" "" "... and no process of ours"
finish
