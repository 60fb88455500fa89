#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers made after one that is there, prepared before their start, and cleared up after their end.
# shellcheck disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -af -t 0
at_end sdpod volume rm shared
field() { sdpod inspect -f "$2" "$1"; } # NAME TEMPLATE

# --- clone
sdpod create --name first --network none -e COLOUR=red -l kind=test --hostname box -v shared:/shared -v /own --workdir /tmp \
        --cap-drop ALL --read-only --restart on-failure:2 $BUSYBOX sh -c 'echo "$COLOUR $(hostname) $(pwd)"' >/dev/null
run sdpod container clone first
is "$status:$(field first-clone '{{.Id}}')" "0:$out" "clone prints the new ID, under the name of the first and -clone"
for what in .Config.Env .Config.Labels .Config.Hostname .Config.Cmd .Config.WorkingDir .HostConfig.ReadonlyRootfs .Image .ImageName \
        .HostConfig.RestartPolicy .BoundingCaps .HostConfig.NetworkMode; do
        is "$(field first-clone "{{json $what}}")" "$(field first "{{json $what}}")" "the same $what"
done
is "$(field first-clone '{{range .Mounts}}{{.Name}} {{end}}' | tr ' ' '\n' | grep -c '^shared$')" 1 "a volume by name is shared"
is "$( (field first '{{range .Mounts}}{{.Name}} {{end}}'; field first-clone '{{range .Mounts}}{{.Name}} {{end}}') | tr ' ' '\n' | grep -v shared | sort | uniq -d)" "" \
        "an anonymous one is not"
is "$(sdpod start -a first-clone)" "red box /tmp" "it runs as the first would"
run sdpod container clone first
is "$status:$(field first-clone1 '{{.Id}}')" "0:$out" "the second one has a number"
run sdpod container clone first-clone
is "$status:$(field first-clone2 '{{.Id}}')" "0:$out" "a clone's clone counts on"
run sdpod container clone first other
is "$status:$(field other '{{.Id}}')" "0:$out" "a name of its own"
run sdpod container clone --name third first
is "$status:$(field third '{{.Id}}')" "0:$out" "... by --name"
run sdpod container clone first other
exits 125 "a name that is taken"
sdpod tag $BUSYBOX localhost/another >/dev/null
run sdpod container clone first copy localhost/another
is "$status:$(field copy '{{.ImageName}}')" 0:localhost/another:latest "another image"
run sdpod container clone first lost localhost/no-such
exits 125 "an image that is not there"
run sdpod container clone --cpu-shares 512 --memory 64m first limited
is "$status:$(field limited '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.CpuShares}}')" "0:67108864 134217728 512" "limits of its own"
run sdpod container clone no-such
exits 125 "a container that is not there"
run sdpod container clone --force first
exits 125 "--force alone"
run sdpod container clone --pod p first
exits 125 "--pod is refused"
sdpod run -d --name runs --network none $BUSYBOX sleep 1000 >/dev/null
run sdpod container clone --destroy runs
is "$status:$(sdpod container exists runs-clone; echo $?)" 125:1 "--destroy of one that runs makes nothing"
run sdpod container clone --destroy --force --run runs next
is "$status:$(sdpod ps --format '{{.Names}}')" 0:next "--destroy --force --run"
sdpod container exists runs
is $? 1 "... the first is gone"
sdpod rm -af -t 0 >/dev/null

# --- init
sdpod create --name made --network none $BUSYBOX echo ran >/dev/null
run sdpod init made
is "$status:$out" "0:made" "init prints the name that was given"
is "$(field made '{{.State.Status}}') $(sdpod ps -a --format '{{.Status}}')" "initialized Initialized" "the state"
is "$(sdpod ps -a --filter status=initialized --format '{{.Names}}')" made "... by the filter"
run sdpod wait --condition initialized --interval 50ms made
exits 0 "... by wait"
run sdpod init made
exits 125 "a second time"
is "$(sdpod start -a made)" ran "it starts"
is "$(field made '{{.State.Status}}')" exited "... and ends"
run sdpod init made
is "$status:$(field made '{{.State.Status}}')" 0:initialized "one that has run, too"
mkdir "$T/gone"
sdpod create --name broken --network none -v "$T/gone:/gone" $BUSYBOX true >/dev/null
rmdir "$T/gone"
run sdpod init broken
is "$status:$(field broken '{{.State.Status}}')" "125:created" "what cannot start is told"
like "$err" "/gone" "... with the reason"
sdpod rm broken >/dev/null
run sdpod init --all
is "$status:$out" 0: "--all passes over those that are"
sdpod rm made >/dev/null

# --- cleanup
sdpod run --name ended --network none $BUSYBOX true
run sdpod container cleanup ended
is "$status:$out" 0:ended "cleanup of an ended container"
sdpod run -d --name runs --network none $BUSYBOX sleep 1000 >/dev/null
run sdpod container cleanup runs
exits 125 "cleanup of a running one"
run sdpod container cleanup --all --rm
is "$status:$(sdpod ps -a --format '{{.Names}}')" 0:runs "--all --rm removes those that have ended"

# --- many at once
sdpod create --name often --network none $BUSYBOX true >/dev/null
for _ in 1 2 3 4 5 6; do
        sdpod container clone often &
done >"$T/clones" 2>"$T/errors"
wait
is "$(sort -u "$T/clones" | wc -l):$(cat "$T/errors")" "6:" "six clones at once find a name each"
sdpod ps -aq --filter name=often | xargs sdpod rm >/dev/null

# --- what will not come
for verb in checkpoint restore runlabel; do
        run sdpod container $verb runs
        like "$status:$err" "^125:.*cannot run 'sdpod container $verb': (CRIU|a label)" "$verb is refused with a reason"
done
sdpod rm -af -t 0 >/dev/null
sdpod tag $BUSYBOX localhost/brief >/dev/null
sdpod run --name brief --network none localhost/brief true
run sdpod container cleanup --rmi brief
is "$status:$(sdpod image exists localhost/brief; echo $?):$(sdpod container exists brief; echo $?)" 0:1:1 "--rmi removes the image, too"
finish
