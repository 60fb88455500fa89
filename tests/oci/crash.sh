#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The runtime that is killed at any moment, many of it at once, disks that are full: what it leaves is always something that the next
# command understands, and delete --force leaves nothing.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
bundle plain . sleep 1000
rt_quietly features # what is made once is made

# --- killed while it creates, starts, executes or deletes
cat >"$T/kill-at.py" <<'PY'
"""Runs a command, kills it after a time, with all that stays in its process group: kill-at.py MICROSECONDS CMD... Says how it ended."""
import os, signal, subprocess, sys, time
child = subprocess.Popen(sys.argv[2:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
end = time.monotonic() + int(sys.argv[1]) / 1e6
while time.monotonic() < end and child.poll() is None:
    pass
ended = child.poll()
if ended is None:
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
print("killed" if ended is None else f"ended {ended}")
PY
# how long a whole one takes that nothing disturbs, so that the moments are spread over it
took=1000000
for _ in 1 2 3 4 5 6 7 8; do
        began=$(date +%s%N)
        rt_quietly create --bundle "$T/plain" "$ME-measure"
        once=$((($(date +%s%N) - began) / 1000))
        ((once > took)) || took=$once
        rt_quietly delete --force "$ME-measure"
done
killed=0 left='' wrong='' unclear=''
for ((i = 0; i < 14; i++)); do
        id=$ME-create-$i
        [[ $(python3 "$T/kill-at.py" $((took * i / 12)) "$RUNTIME" --root "$STATE" create --bundle "$T/plain" "$id") == killed ]] && killed=$((killed + 1))
        status_of=$(state_of "$id" .status)
        case $status_of in
        '' | created | creating | stopped) ;;
        *) unclear+="$i:$status_of " ;;
        esac
        rt list
        [[ $status == 0 ]] || wrong+="list:$err "
        rt delete --force "$id"
        [[ $status == 0 ]] || wrong+="delete:$err "
done
ok "create was killed at $killed moments of 14" test $killed -gt 2
is "$wrong$unclear" "" "after each list says what there is, and delete --force removes it"
until_ok 5 eval '[[ -z $(without_trace) ]]'
is "$(without_trace)" "" "... and nothing is left: no state, cgroup, mount or process"
bundle again . true
for ((i = 0; i < 14; i++)); do
        rt run --bundle "$T/again" "$ME-create-$i"
        [[ $status == 0 ]] || left+="$i:$err "
done
is "$left" "" "... each of their IDs is free"

killed=0 wrong=
for ((i = 0; i < 8; i++)); do
        id=$ME-start-$i
        "$RUNTIME" --root "$STATE" create --bundle "$T/plain" "$id" >"$T/start.out" 2>&1 </dev/null
        [[ $(python3 "$T/kill-at.py" $((took * i / 25)) "$RUNTIME" --root "$STATE" start "$id") == killed ]] && killed=$((killed + 1))
        case $(state_of "$id" .status) in
        created) # it did not get there: it can still be started
                rt start "$id"
                [[ $status == 0 && $(state_of "$id" .status) == running ]] || wrong+="$i:start:$err "
                ;;
        running) ;;
        stopped) ;; # it was between: the process has ended, and has not run
        *) wrong+="$i:$(state_of "$id" .status) " ;;
        esac
        [[ $(python3 "$T/kill-at.py" $((took * i / 16)) "$RUNTIME" --root "$STATE" delete --force "$id") == killed ]] && killed=$((killed + 1))
        rt delete --force "$id"
        [[ $status == 0 ]] || wrong+="$i:delete:$err "
done
ok "start and delete were killed at $killed moments of 16" test $killed -gt 2
is "$wrong" "" "a start that was killed can be told from one that was not, and a delete be said again"
until_ok 5 eval '[[ -z $(without_trace) ]]'
is "$(without_trace)" "" "... and nothing is left"

up host .
killed=0
for ((i = 0; i < 8; i++)); do
        [[ $(python3 "$T/kill-at.py" $((took * i / 14)) "$RUNTIME" --root "$STATE" exec "$id" sleep 1000) == killed ]] && killed=$((killed + 1))
done
ok "exec was killed at $killed moments of 8" test $killed -gt 2
rt exec "$id" echo well
is "$status:$out" "0:well" "... and the container is well"
rt pause "$id"
python3 "$T/kill-at.py" 1000 "$RUNTIME" --root "$STATE" delete --force "$id" >/dev/null
rt delete --force "$id"
is "$status" 0 "one that is paused is deleted, too"
until_ok 5 eval '[[ -z $(without_trace) ]]'
is "$(without_trace)" "" "... with all that exec left in it"
for ((i = 0; i < 6; i++)); do
        python3 "$T/kill-at.py" $((took * i / 6)) "$RUNTIME" --root "$STATE" run --bundle "$T/plain" "$ME-run-$i" >/dev/null
        rt_quietly delete --force "$ME-run-$i"
done
until_ok 5 eval '[[ -z $(without_trace) ]]'
is "$(without_trace)" "" "run, too, is killed without a trace"

# --- many at once
storm() { # N
        local i
        for ((i = 0; i < $1; i++)); do
                (
                        timeout 60 "$RUNTIME" --root "$STATE" create --bundle "$T/plain" "$ME-storm-$i" >"$T/storm.$i" 2>&1 </dev/null &&
                                timeout 60 "$RUNTIME" --root "$STATE" start "$ME-storm-$i" >>"$T/storm.$i" 2>&1 </dev/null &&
                                timeout 60 "$RUNTIME" --root "$STATE" kill "$ME-storm-$i" KILL >>"$T/storm.$i" 2>&1 </dev/null
                        timeout 60 "$RUNTIME" --root "$STATE" delete --force "$ME-storm-$i" >>"$T/storm.$i" 2>&1 </dev/null || echo "delete $?" >>"$T/storm.$i"
                ) &
        done
        wait
}
storm 60
is "$(cat "$T"/storm.* | sort | uniq -c | head -n 5)" "" "sixty containers live and die at once"
rm -f "$T"/storm.*
for ((i = 0; i < 20; i++)); do
        (timeout 60 "$RUNTIME" --root "$STATE" create --bundle "$T/plain" "$ME-same" >"$T/same.$i" 2>&1 </dev/null && echo made >"$T/same.$i") &
done
wait
is "$(grep -lx made "$T"/same.* | wc -l)" 1 "of twenty that want one ID one has it"
is "$(cat "$T"/same.* | grep -cviE 'made|exist')" 0 "... and the others are told that it exists"
for ((i = 0; i < 10; i++)); do (timeout 60 "$RUNTIME" --root "$STATE" delete --force "$ME-same" >"$T/gone.$i" 2>&1 </dev/null || echo "failed" >>"$T/gone.$i") & done
wait
is "$(cat "$T"/gone.*)" "" "ten that delete it at once all succeed"
until_ok 5 eval '[[ -z $(without_trace) ]]'
is "$(without_trace)" "" "nothing is left of all these"

# --- a state directory that is full, or cannot be written
mkdir "$T/full"
if ! mount -t tmpfs -o size=64k,nr_inodes=200 full "$T/full"; then
        skip "a full disk" "nothing can be mounted here"
else
        at_end umount -l "$T/full"
        head -c 100000 /dev/zero >"$T/full/filler" 2>/dev/null
        timeout 60 "$RUNTIME" --root "$T/full" create --bundle "$T/plain" "$ME-full" >"$T/full.out" 2>&1 </dev/null
        status=$? out=$(cat "$T/full.out")
        like "$status:$out" '^[1-9][0-9]*:.*(No space|space)' "a full state directory is an error that says so"
        rm "$T/full/filler"
        is "$(find "$T/full" -mindepth 1 -maxdepth 1 ! -name '.*')" "" "... and nothing is left in it"
        timeout 60 "$RUNTIME" --root "$T/full" run --bundle "$T/again" "$ME-full" >"$T/full.out" 2>&1 </dev/null
        is "$?:$(cat "$T/full.out")" "0:" "... with space again it runs"
        mount -o remount,ro "$T/full"
        timeout 60 "$RUNTIME" --root "$T/full" create --bundle "$T/plain" "$ME-full" >"$T/full.out" 2>&1 </dev/null
        like "$?:$(cat "$T/full.out")" '^[1-9][0-9]*:.*Read-only' "one that is read-only is an error that says so"
fi

# --- a state that somebody broke
created broken .
pid=$(cat "$T/broken.pid")
for file in "$STATE/$id"/*.json; do [[ -f $file ]] && echo '{ "half": ' >"$file"; done
rt state "$id"
like "$status:$err" '^[1-9][0-9]*:.+' "a state that is no JSON is an error"
rt list
is "$status" 0 "... which list survives"
rt delete --force "$id"
like "$status:$err" '^(0:|[1-9][0-9]*:.*state)' "... and delete --force removes it, or says what is broken"
kill -9 "$pid" 2>/dev/null
until_ok 5 test ! -e "/proc/$pid"
find /sys/fs/cgroup -depth -type d -name "$id" -exec rmdir {} \; 2>/dev/null
finish
