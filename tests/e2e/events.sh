#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# sdpod events: a line for each thing that happens, old ones and those to come, by filter and in Podman's forms.
# shellcheck disable=SC2086  # EV is words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -af
file=$XDG_RUNTIME_DIR/sdpod/events.json
rm -f "$file" "${file%.json}.old.json" # of an earlier run
EV="sdpod events --stream=false --filter container=ev" # and options

# --- a container's life
# A follower that begins with what is to come may begin late: it is there once it has seen something.
follows() { # FILE COMMAND...: whether it says something of the probe that the commands make and remove
        "${@:2}" create "${probe[@]}" >/dev/null && "${@:2}" rm probe >/dev/null && grep -q '^probe' "$1"
}
seen() { # FILE: what it says of others, in one line
        grep -v '^probe' "$1" | tr '\n' ' '
}
sdpod events --filter type=container --filter container=ev --filter container=probe --format '{{if eq .Name "probe"}}probe {{end}}{{.Status}}' >"$T/live" 2>"$T/live.err" &
live=$!
at_end kill "$live"
probe=(--name probe --network none "$BUSYBOX" true)
until_ok 10 follows "$T/live" sdpod
sdpod create --name ev --label a=b --label 'c=d e' --network none $BUSYBOX sh -c 'read x; exit 7' >/dev/null
until_ok 10 grep -qx create "$T/live"
since=$(date +%s.%N)
run sdpod start -a ev
is "$status" 7 "a container that ends with 7"
run $EV --since "$since" --format '{{.Status}} {{.ContainerExitCode}}'
is "${out//$'\n'/,}" "init 0,start 0,died 7,cleanup 0" "init, start, died with its code, cleanup"
sdpod run -d --name ev2 --network none $BUSYBOX sleep inf >/dev/null
sdpod exec ev2 false
sdpod pause ev2 >/dev/null
sdpod unpause ev2 >/dev/null
sdpod kill -s USR1 ev2 >/dev/null
sdpod rename ev2 ev3
sdpod restart -t 0 ev3 >/dev/null
sdpod stop -t 0 ev3 >/dev/null
id=$(sdpod inspect -f '{{.Id}}' ev3)
sdpod rm ev3 >/dev/null
run sdpod events --stream=false --filter "container=$id" --format '{{.Status}} {{.Name}}'
for event in "create ev2" "exec ev2" "exec_died ev2" "pause ev2" "unpause ev2" "kill ev2" "rename ev3" "restart ev3" "stop ev3" "remove ev3"; do
        ok "$event" grep -qx "$event" <<<"$out"
done
is "$(head -n 1 <<<"$out"),$(tail -n 1 <<<"$out")" "create ev2,remove ev3" "... in their order"
sdpod rm ev >/dev/null
ok "who follows sees them as they come" until_ok 10 grep -qx remove "$T/live"
is "$(seen "$T/live")" "create init start died cleanup remove " "... all, and once"
kill "$live"

# --- the forms
id=$($EV --format '{{.ID}}' --filter event=create)
run $EV --filter event=create
like "$out" "^[0-9]{4}-[0-9-]+ [0-9:.]+ [-+0-9]+ [A-Z0-9+-]+ container create $id \(image=$BUSYBOX, name=ev, a=b, c=d e\)$" "a line for people"
run $EV --filter event=create --no-trunc=false
like "$out" "container create ${id:0:12} " "... with a cut ID"
run $EV --filter event=die --format json
json='import json, sys; e = json.load(sys.stdin)
print(*[e[k] for k in ("ContainerExitCode", "ID", "Image", "Name", "Status", "Type")], e["Attributes"]["a"])'
is "$(python3 -c "$json" <<<"$out")" "7 $id $BUSYBOX ev died container b" \
        "JSON with Podman's names; die is another word for died"
is "$($EV --filter label=a=b --filter label=c | wc -l)" "$($EV | wc -l)" "labels that it has"
is "$($EV --filter label=a=b --filter label=no | wc -l)" 0 "... must all be there"
is "$($EV --filter event=init --filter event=start --format '{{.Status}}' | sort | tr '\n' ' ')" "init start " "events are alternatives"
run $EV --format '{{.Nonsense}}'
exits 125 "a field that is none"
run sdpod events --filter nonsense=x
exits 125 "a filter that is none"
run sdpod events --until nonsense
exits 125 "a time that is none"

# --- volumes and images
sdpod volume create evol >/dev/null
sdpod volume rm evol >/dev/null
is "$(sdpod events --stream=false --filter volume=evol --format '{{.Type}} {{.Status}}' | tr '\n' ',')" "volume create,volume remove," "a volume's"
sdpod tag $BUSYBOX localhost/evtag:1
sdpod untag localhost/evtag:1 localhost/evtag:1
is "$(sdpod events --stream=false --filter image=localhost/evtag:1 --format '{{.Status}}' | tr '\n' ' ')" "tag untag " "an image's"

sdpod tag $BUSYBOX localhost/evtag:2
sdpod rmi localhost/evtag:2 >/dev/null
is "$(sdpod events --stream=false --filter image=localhost/evtag:2 --format '{{.Status}} {{.ID}}' | sort -u)" \
        "tag $(sdpod image inspect $BUSYBOX --format '{{.Id}}')"$'\n'"untag $(sdpod image inspect $BUSYBOX --format '{{.Id}}')" "... with its ID, also when only a name goes"

sdpod save -q -o "$T/ev.tar" $BUSYBOX
sdpod load -q -i "$T/ev.tar" >/dev/null
is "$(sdpod events --stream=false --filter type=image --filter image=$BUSYBOX --format '{{.Status}}' | tail -n 2 | tr '\n' ' ')" "save loadfromarchive " \
        "... saved and loaded"

# --- times
sdpod volume create evol2 >/dev/null
at_end sdpod volume rm evol2
is "$(sdpod events --stream=false --filter volume=evol2 --since 1h --until 1s | wc -l)" 1 "--since before now, --until after now"
is "$(sdpod events --stream=false --filter volume=evol2 --until "$since" | wc -l)" 0 "--until before it"
run sdpod events --filter volume=evol2 --until 1s
is "$status:$(grep -c "volume create evol2" <<<"$out")" 0:1 "--until ends the waiting"

# --- the file gets its other name while it is read: nothing is lost
sdpod events --filter type=volume --format '{{.Name}}' >"$T/live2" 2>&1 &
live=$!
at_end kill "$live"
probe=(probe)
until_ok 10 follows "$T/live2" sdpod volume
sdpod volume create before-it >/dev/null
at_end sdpod volume rm -f before-it after-it
until_ok 10 grep -qx before-it "$T/live2" >/dev/null
seq -f '%01000.0f' 2100 >>"$file" # two megabytes in a few long lines: each is one to pass over
sdpod volume create crossing >/dev/null # its line is the last of the old file
at_end sdpod volume rm -f crossing
ok "a long file is put aside" test -f "${file%.json}.old.json"
sdpod volume create after-it >/dev/null
ok "... and its follower goes on" until_ok 10 grep -qx after-it "$T/live2"
is "$(seen "$T/live2")" "before-it crossing after-it " "... with no line lost"
is "$(sdpod events --stream=false --filter volume=crossing --filter volume=after-it --format '{{.Name}}' | tr '\n' ' ')" "crossing after-it " \
        "... and both files are read"
printf 'rubbish\n{"Type":7}\n\033[31m\n' >>"$file"
run sdpod events --stream=false --filter volume=after-it
is "$status:$(wc -l <<<"$out")" 0:1 "lines that are none are passed over"
finish
