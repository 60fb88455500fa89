#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What goes between a caller and a container: terminals, console sockets, pidfds, descriptors, signals, notifications, the log.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip_all "python3 is not installed"
terminal=$TESTS/oci/terminal.py
call=("$RUNTIME" --root "$STATE")
terminals='.process.terminal = true'

# --- in the foreground, at a terminal
# shellcheck disable=SC2016 # for the shell inside
bundle one "$terminals" sh -c 'stty size 2>/dev/null || busybox stty size; echo line; read x; echo "got $x"; exit 4'
run python3 "$terminal" typed 'line=abc\n' -- "${call[@]}" run --bundle "$T/one" "$ME-one"
is "$out" "'33 77\\r\\nline\\r\\nabc\\r\\ngot abc\\r\\n' 4" "run at a terminal: its size, what is typed, what is printed, the exit status"
in_one "$terminals" sh -c 'test -t 0 && test -t 1 && echo yes'
is "$status:$out" "0:yes" "run of a container with a terminal where there is none"
up two
run python3 "$terminal" typed 'READY=SIZE' '44 88=x\n' -- "${call[@]}" exec --tty "$id" \
        sh -c 'trap "busybox stty size" WINCH; busybox stty size; echo READY; read x; while [ -z "$x" ]; do read x; done; exit 6'
is "$out" "'33 77\\r\\nREADY\\r\\n44 88\\r\\nx\\r\\n' 6" "exec --tty: the size goes with the caller's"
run python3 "$terminal" typed 'READY=\x03' -- "${call[@]}" exec -t "$id" sh -c 'trap "echo stopped; exit 8" INT; echo READY; sleep 5'
like "$out" "stopped.* 8$" "exec -t: Ctrl-C is typed into the container"
run python3 "$terminal" typed 'READY=\x04' -- "${call[@]}" exec -t "$id" sh -c 'echo READY; cat; exit 9'
like "$out" "READY.* 9$" "exec -t: so is the end of input"
run python3 "$terminal" typed -- sh -c 'before=$(stty -g); "$@"; [ "$(stty -g)" = "$before" ] && echo same' sh "${call[@]}" exec -t "$id" true
is "$out" "'same\\r\\n' 0" "the caller's terminal is as it was, afterwards"

# --- console sockets
rt exec --tty --detach "$id" true
like "$status:$err" '^255:.*--console-socket' "exec --tty --detach takes --console-socket"
rt exec --console-socket "$T/none.sock" "$id" true
is "$status" 255 "--console-socket without a terminal is refused"
run python3 "$terminal" console "$T/exec.sock" 'word\n' -- "${call[@]}" exec --tty --detach --console-socket "$T/exec.sock" "$id" \
        sh -c 'read x; echo "got $x"'
is "$out" $'fds 1 name True end True status 0\n'"'word\\ngot word\\n'" \
        "exec --console-socket: one descriptor with a name, and no end of line but the program's"
bundle three "$terminals | .process.consoleSize = {height: 20, width: 50}" sh -c 'busybox stty size; test -c /dev/console && echo there; sleep 0.2'
rt create --bundle "$T/three" "$ME-three"
like "$status:$err" '^1:.*--console-socket' "create of a container with a terminal takes --console-socket"
is "$("${call[@]}" list -q)" "$id" "... and leaves nothing"
run python3 "$terminal" console "$T/create.sock" '' -- "${call[@]}" run --detach --bundle "$T/three" --console-socket "$T/create.sock" "$ME-three"
is "$out" $'fds 1 name True end True status 0\n'"'20 50\\nthere\\n'" "run --console-socket: process.consoleSize, /dev/console"
rt_quietly delete -f "$ME-three"

# --- pidfds, descriptors
run python3 "$terminal" pidfd "$T/pidfd.sock" -- "${call[@]}" exec --detach --pidfd-socket "$T/pidfd.sock" --pid-file "$T/pidfd.pid" "$id" sleep 1004
is "$out" $'fds 1 name True end True status 0\n'"$(cat "$T/pidfd.pid")" "exec --pidfd-socket"
bundle four . sleep 1004
(cd "$T" && python3 "$terminal" pidfd four.sock -- "${call[@]}" create --bundle four --pidfd-socket four.sock --pid-file four.pid "$ME-four") \
        >"$T/four.out" 2>&1
is "$(cat "$T/four.out")" $'fds 1 name True end True status 0\n'"$(cat "$T/four.pid")" "create --pidfd-socket; all paths from the working directory on"
rt_quietly delete -f "$ME-four"
echo first >"$T/first"
echo second >"$T/second"
# shellcheck disable=SC2016 # for the shells inside
bundle five . sh -c 'echo "$LISTEN_FDS $LISTEN_PID"; cat <&3; cat <&4; cat <&5 2>/dev/null || echo none'
run bash -c 'exec 3<"$0/first" 4<"$0/second" 5<"$0/first"; exec env LISTEN_FDS=1 LISTEN_PID=$$ "$@"' "$T" \
        "${call[@]}" run --preserve-fds 1 --bundle "$T/five" "$ME-five"
is "$out" $'1 1\nfirst\nsecond\nnone' "LISTEN_FDS and --preserve-fds: those and no others"
run bash -c 'exec 3<"$0/first"; exec env LISTEN_FDS=1 LISTEN_PID=1 "$@"' "$T" "${call[@]}" run --bundle "$T/five" "$ME-five"
is "$out" $' \nnone' "LISTEN_FDS of another process is not ours"
run bash -c 'exec 3<"$0/first"; exec env -u LISTEN_PID LISTEN_FDS=1 "$@"' "$T" "${call[@]}" run --bundle "$T/five" "$ME-five"
is "$out" $'1 1\nfirst\nnone' "LISTEN_FDS without LISTEN_PID is, as with crun"
run bash -c 'exec 3<"$0/first" 4<"$0/second" 6<"$0/first" 5<&-; exec "$@"' "$T" "${call[@]}" run --preserve-fds 100 --bundle "$T/five" "$ME-five"
is "$out" $' \nfirst\nsecond\nnone' "--preserve-fds of more than there are: those that are open"

# --- signals in the foreground
bundle six . sh -c 'trap "echo got it; exit 11" USR1; echo ready; while :; do sleep 0.05; done'
"${call[@]}" run --bundle "$T/six" "$ME-six" >"$T/six.out" 2>&1 </dev/null &
until_ok 10 grep -q ready "$T/six.out"
kill -USR1 $!
wait $!
is "$?:$(tail -n 1 "$T/six.out")" "11:got it" "run: a signal to the runtime is one to the process"
is "$(state_of "$ME-six" .status)" "" "... and it is deleted"

# --- READY=1
cat >"$T/notify.c" <<'END'
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
int main(void) {
        struct sockaddr_un a = { .sun_family = AF_UNIX };
        strcpy(a.sun_path, getenv("NOTIFY_SOCKET"));
        return sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "STATUS=x\nREADY=1", 16, 0, (struct sockaddr *) &a, sizeof(a)) != 16;
}
END
cc -O1 -static -w -o "$T/base/bin/notify" "$T/notify.c"
# shellcheck disable=SC2016 # for the shell inside
bundle seven . sh -c 'test -S "$NOTIFY_SOCKET" || exit 1; notify || exit 2; sleep 1005'
run python3 "$terminal" notified "$T/notify.sock" -- "${call[@]}" run --detach --pid-file "$T/seven.pid" --bundle "$T/seven" "$ME-seven"
is "$out" "'MAINPID=$(cat "$T/seven.pid")\\nREADY=1' 0" "NOTIFY_SOCKET: run --detach waits until it is ready, and says so with its PID"
rt_quietly delete -f "$ME-seven"
bundle eight . true
run python3 "$terminal" notified "$T/notify2.sock" -- "${call[@]}" run --detach --bundle "$T/eight" "$ME-eight"
is "$out" "nothing 0" "... or has ended"
rt_quietly delete -f "$ME-eight"
# shellcheck disable=SC2016 # for the shells inside
bundle told . sh -c 'echo "$NOTIFY_SOCKET"; test -S "$NOTIFY_SOCKET" && notify && grep -c " $1 " /proc/self/mountinfo' sh "$T/notify3.sock"
run python3 "$terminal" notified "$T/notify3.sock" -- "${call[@]}" run --bundle "$T/told" "$ME-told"
is "$out" "$T/notify3.sock/notify"$'\n1\n'"'READY=1' 0" "run in the foreground: the socket is below the caller's path, as with crun; the main process stays the caller's"
bundle manager . sh -c 'echo "$NOTIFY_SOCKET"; test -e /run/systemd || echo none'
for path in /run/systemd/notify @abstract; do
        run env NOTIFY_SOCKET=$path "${call[@]}" run --bundle "$T/manager" "$ME-manager"
        is "$out" $'/run/notify/notify\nnone' "NOTIFY_SOCKET=$path: the one inside is in /run/notify"
done

# --- the log
rm -f "$T/log"
"${call[@]}" --log "$T/log" --log-format json run --bundle "$T/nothing" x >"$T/err" 2>&1
is "$?:$(jq -r .level "$T/log"):$(wc -l <"$T/log")" "1:error:1" "--log --log-format json: the error is one object"
like "$(cat "$T/err")" 'No such file|no such file' "... and on standard error"
bundle nine '.hooks.poststop = [{path: "/bin/false"}]' true
rm -f "$T/log"
rt --log "$T/log" --log-format json run --bundle "$T/nine" "$ME-nine"
is "$status:$(cat "$T/log")" "0:" "what is no error is not in the log"
like "$err" 'warning: .*/bin/false' "... but on standard error"
rt --log "$T/log" --log-format json --debug run --bundle "$T/nine" "$ME-nine"
is "$(jq -r .level "$T/log" | grep -c warning)" 1 "... and in the log with --debug"
finish
