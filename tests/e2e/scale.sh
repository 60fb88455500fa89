#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Many containers at once: what is listed is true at every moment, one damaged record costs itself, and nothing is left at the end.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
RUNNING=60 STOPPED=300 R="--network none"
RUN_TIMEOUT=120
at_end sdpod rm -f -a -t 0
sdpod run -d --name first $R $BUSYBOX sleep 1000 >/dev/null # makes the directories that stay, and the monitor
sdpod rm -f -t 0 first >/dev/null
before=$(footprint)

# --- a list is never old: every command's effect is in the next one's
bad=''
for ((i = 0; i < 8; i++)); do
        sdpod create --name turn $R $BUSYBOX sh -c 'trap "exit 3" TERM; sleep 1000 & wait' >/dev/null
        seen="$(sdpod ps -a --format '{{.State}}')$(sdpod ps -q)"
        sdpod start turn >/dev/null
        seen+=" $(sdpod ps -a --format '{{.State}}') $(sdpod ps --format '{{.State}}')"
        sdpod pause turn >/dev/null
        seen+=" $(sdpod ps -a --format '{{.State}}')$(sdpod ps -q)"
        sdpod unpause turn >/dev/null
        seen+=" $(sdpod ps --format '{{.State}}')"
        sdpod rename turn other
        seen+=" $(sdpod ps --format '{{.Names}}')"
        sdpod stop other >/dev/null
        seen+=" $(sdpod ps -a --format '{{.State}}')$(sdpod ps -q)"
        sdpod rm other >/dev/null
        seen+="$(sdpod ps -aq)"
        [[ $seen == "created running running paused running other exited" ]] || bad+="$seen; "
done
is "$bad" "" "what ps says is what the command before has done, eight times over"
sdpod run -d --name ends $R $BUSYBOX sh -c 'exit 4' >/dev/null
sdpod wait ends >/dev/null
is "$(sdpod ps -q):$(sdpod ps -a --format '{{.Status}}' | sed 's/ Less.*\| [0-9].*ago//')" ":Exited (4)" "... and what ended of itself does not run"
sdpod rm ends >/dev/null

# --- a process that is not the container's (its PID was given to another, the machine was started again)
edit() { python3 - "$XDG_RUNTIME_DIR/sdpod/containers/$1/process.json" "$2" "$3" <<'END'
import json, os, sys
path, key, value = sys.argv[1:]
record = json.load(open(path))
print(record[key])
record[key] = int(value) if isinstance(record[key], int) else value
with open(path + '.new', 'w') as f:
    json.dump(record, f)
os.rename(path + '.new', path)
END
}
id=$(sdpod run -d --name reused $R $BUSYBOX sleep 1000)
# two that started in the same tick of the clock cannot be told apart
started() { sed 's/.*) //' "/proc/$1/stat" | cut -d' ' -f20; }
own=$(started "$(sdpod inspect -f '{{.State.Pid}}' "$id")")
while sleep 1000 & foreign=$!; [[ $(started $foreign) == "$own" ]]; do kill $foreign; done
pid=$(edit "$id" pid $foreign)
is "$(sdpod inspect -f '{{.State.Running}}' "$id"):$(sdpod ps -q)" "false:" "a PID that another process has now is not the container's"
run sdpod exec reused true
like "$status" '^(125|255)$' "... exec does not enter it"
run sdpod kill reused
exits 125 "... kill does not signal it"
run sdpod stop -t 1 reused
ok "... nor does stop" kill -0 $foreign
run sdpod rm -f -t 0 reused
exits 0 "... and rm -f removes the container"
ok "... and not the process" kill -0 $foreign
ok "the container's own process went with its unit" until_ok 10 sh -c "! kill -0 $pid 2>/dev/null"
kill $foreign
id=$(sdpod run -d --name rebooted $R $BUSYBOX sleep 1000)
boot=$(edit "$id" bootID 00000000-0000-0000-0000-000000000000)
is "$(sdpod inspect -f '{{.State.Running}}' rebooted):$(sdpod ps -q)" "false:" "a process of another boot does not run"
run sdpod exec rebooted true
like "$status" '^(125|255)$' "... and is not entered"
run sdpod rm -f -t 0 rebooted
exits 0 "... it can be removed"
like "$boot" "^$(cat /proc/sys/kernel/random/boot_id)$" "the record has this boot's ID"

# --- many
seq $STOPPED | xargs -P 4 -I{} sh -c "sdpod create --name stopped{} --label some=thing $R $BUSYBOX true >/dev/null || echo {} >>'$T/not-created'"
is "$(cat "$T/not-created" 2>/dev/null)" "" "$STOPPED created, four at a time"
seq $RUNNING | xargs -P 12 -I{} sh -c "sdpod run -d --name up{} $R $BUSYBOX sleep 1000 >/dev/null || echo {} >>'$T/failed'"
is "$(cat "$T/failed" 2>/dev/null)" "" "$RUNNING started, twelve at a time"
is "$(sdpod ps -q | wc -l) $(sdpod ps -aq | wc -l)" "$RUNNING $((RUNNING + STOPPED))" "ps counts them all"
is "$(sdpod ps -aq | sort -u | wc -l)" $((RUNNING + STOPPED)) "... each once"
is "$(sdpod ps -a --format json | python3 -c 'import json,sys; print(len({c["Id"] for c in json.load(sys.stdin)}))')" \
        $((RUNNING + STOPPED)) "... as JSON, too"
is "$(sdpod ps -aq --filter label=some=thing | wc -l)" $STOPPED "... and by a label"
run sh -c "ulimit -n 64; sdpod ps -a | wc -l"
is "$out" $((RUNNING + STOPPED + 1)) "they are listed with 64 descriptors"
run sh -c "sdpod inspect \$(sdpod ps -aq --no-trunc) | grep -c '\"Id\": '"
is "$out" $((RUNNING + STOPPED)) "all are inspected by ID"
short=$(sdpod ps -aq | tail -n 1)
is "$(sdpod inspect -f '{{.Id}}' "$short" | cut -c1-12)" "$short" "... and one by its first digits"
run sdpod run --rm $R $BUSYBOX echo between
is "$out" between "one more runs between them"
run sdpod exec up7 echo inside
is "$out" inside "... and exec enters one"

# --- one damaged record
id=$(sdpod inspect -f '{{.Id}}' stopped5)
record=$HOME/.local/share/sdpod/containers/$id/container.json
cp "$record" "$T/record"
head -c 100 "$T/record" >"$record"
run sdpod ps -aq
is "$(wc -l <"$T/stdout")" $((RUNNING + STOPPED - 1)) "a damaged record costs its own line"
like "$err" "${id:0:12}.*leaving it out" "... and is named"
run sdpod ps -q
is "$(wc -l <"$T/stdout"):$err" "$RUNNING:" "... ps of what runs does not read it"
cp "$T/record" "$record"

# --- stopped, started, removed together
names=$(seq -f 'up%g' $RUNNING)
start=$SECONDS
# shellcheck disable=SC2086  # names are words
run sh -c "ulimit -n 64; sdpod stop -t 2 $(echo $names)"
exits 0 "$RUNNING that ignore SIGTERM are stopped together, with 64 descriptors"
is "$(wc -l <"$T/stdout")" $RUNNING "... each is named"
is "$(sdpod ps -q | wc -l)" 0 "... none runs"
is "$(sdpod ps -a --filter status=exited --format '{{.Status}}' | grep -c 'Exited (137)')" $RUNNING "... and their ends are recorded"
ok "... in less than the sum of their times ($((SECONDS - start)) s)" test $((SECONDS - start)) -lt $((RUNNING * 2))
# shellcheck disable=SC2086
run sdpod start $names
exits 0 "... and started again"
is "$(sdpod ps -q | wc -l)" $RUNNING "... all of them"
sdpod run -d --rm --name goes1 $R $BUSYBOX sleep 1000 >/dev/null
sdpod run -d --rm --name goes2 $R $BUSYBOX sleep 1000 >/dev/null
run sdpod stop -t 0 goes1 goes2
is "$status:${out//$'\n'/ }:$err" "0:goes1 goes2:" "two with --rm are stopped together"
run sdpod rm -fa -t 1
exits 0 "rm -fa removes the running and the stopped"
is "$(wc -l <"$T/stdout")" $((RUNNING + STOPPED)) "... each is named"
is "$(sdpod ps -aq)" "" "... none is left"
leaves 20 "$before" "nothing else is left: processes, mounts, cgroups, files"
is "$(find "$XDG_RUNTIME_DIR/sdpod/running" "$XDG_RUNTIME_DIR/sdpod/containers" -mindepth 1)" "" "... nor marks of what runs"
is "$(systemctl --user list-units --all --no-legend 'sdpod-*' | grep -cE 'sdpod-[0-9a-f]{64}')" 0 "... nor units"
finish
