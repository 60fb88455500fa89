#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers that need others: what starts first, what cannot be removed, what is stopped last; volumes of other containers.
# shellcheck shell=bash disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -f -t 0 -a

create() { sdpod create --name "$1" "${@:2}" $BUSYBOX sleep 1000 >/dev/null || fail "$1 is made"; }
id_of() { sdpod inspect -f '{{.Id}}' "$1"; }
state() { sdpod inspect -f '{{.State.Status}}' "$1"; }
started() { sdpod inspect -f '{{.State.StartedAt}}' "$1"; }

# ---- what starts first ----

create base
create net --network container:base
create top --requires net,base
is "$(sdpod inspect -f '{{json .Dependencies}}' top)" "[\"$(id_of net)\",\"$(id_of base)\"]" "inspect shows what --requires names"
is "$(sdpod inspect -f '{{json .Dependencies}}' net)" "[\"$(id_of base)\"]" "... and whose namespaces are shared"
run sdpod restart -t 0 top
exits 125 "restart starts nothing else"
like "$err" "some dependencies of container $(id_of top) are not started: $(id_of net),$(id_of base): container state improper" "... and says so in Podman's words"
run sdpod start top
exits 0 "start starts what is needed"
is "$(state base) $(state net) $(state top)" "running running running" "... all of it"
ok "... in the order of need" test "$(printf '%s\n' "$(started base)" "$(started net)" "$(started top)" | sort -c && echo sorted)" = sorted
sdpod stop -t 0 -a >/dev/null
run sdpod run --rm --network container:net $BUSYBOX true
exits 0 "run starts what is needed, too"
is "$(state net) $(state top)" "running exited" "... and no more"
sdpod stop -t 0 -a >/dev/null
run sdpod run -d --rm --name late --pid container:base $BUSYBOX sleep 1000
is "$(state base)" running "... and run --detach"
sdpod rm -f -t 0 late >/dev/null
sdpod pause base >/dev/null
run sdpod run --rm --network container:base $BUSYBOX true
exits 0 "one that is paused is there"
sdpod unpause base >/dev/null
create broken --entrypoint /nowhere
run sdpod run --rm --requires broken $BUSYBOX true
exits 126 "one that is needed and does not start"
like "$err" "starting some containers" "... says so"
run sdpod run --rm --requires nobody $BUSYBOX true
exits 125 "--requires of one that does not exist"
like "$err" 'is not a valid container, cannot be used as a dependency.*no such container' "... says so"
run sdpod create --name self --requires self $BUSYBOX true
exits 125 "one that needs itself"
run sdpod create --replace --name base --requires base $BUSYBOX true
exits 125 "one that needs what it replaces"
like "$err" "it is the one that is replaced" "... says so"
run sdpod run --rm --requires base, $BUSYBOX true
exits 125 "--requires with an empty name"

# a record that somebody has bent into a circle
record=$(sdpod info -f '{{.Store.GraphRoot}}')/containers/$(id_of base)/container.json
cp "$record" "$T/record"
python3 - "$record" "$(id_of net)" <<'PYTHON'
import json, sys
with open(sys.argv[1]) as f: record = json.load(f)
record['network'] = 'container:' + sys.argv[2]
with open(sys.argv[1], 'w') as f: json.dump(record, f)
PYTHON
sdpod stop -t 0 -a >/dev/null 2>&1
run sdpod start net
exits 125 "a circle of containers that need each other ends"
run sdpod rm --depend -f -t 0 net
cp "$T/record" "$record" 2>/dev/null
is "$status:$(state net)" 0: "... also when they are removed"
sdpod rm -f -t 0 -a >/dev/null 2>&1

# ---- what cannot be removed ----

create base
create net --network container:base
create top --requires net
for force in '' -f; do
        # shellcheck disable=SC2086
        run sdpod rm $force base
        exits 125 "rm $force of one that another needs"
        like "$err" "container $(id_of base) has dependent containers which must be removed before it: $(id_of net): container already exists" \
                "... is refused in Podman's words"
done
sdpod start base >/dev/null
run sdpod rm base
exits 2 "... which is said after that it runs"
run sdpod rm -f base
is "$(state base)" running "... before it is stopped"
sdpod stop -t 0 base >/dev/null
run sdpod create --replace --name base $BUSYBOX true
exits 125 "--replace of one that another needs"
ids="$(id_of top)"$'\n'"$(id_of net)"$'\n'"$(id_of base)"
run sdpod rm --depend base
is "$out" "$ids" "rm --depend removes what needs it, in that order"
is "$(sdpod ps -aq)" "" "... and nothing is left"
create base
create net --network container:base
sdpod rm net >/dev/null
run sdpod rm base
exits 0 "one that nobody needs any more is removed"
create base
create net --network container:base
create top --network container:net
run sdpod rm -a
exits 0 "rm --all takes them in the right order"
is "$(sdpod ps -aq)" "" "... and none is left"
create base
create net --network container:base
sdpod start net >/dev/null
sdpod stop -t 0 -a >/dev/null
run sdpod container prune -f
is "$(sdpod ps -aq)" "" "container prune, too"
run sdpod run -d --rm --name base $BUSYBOX sleep 1000
create net --network container:base
sdpod stop -t 0 base >/dev/null
is "$(state base)" exited "one with --rm that another needs stays when it ends"
sdpod rm -f net >/dev/null
sdpod create $BUSYBOX true >/dev/null # clears away what is over
sdpod rm -f -t 0 -a >/dev/null

# ---- what ends first ----

create base
create net --pid container:base
sdpod start net >/dev/null
run sdpod stop -t 0 -a
finished() { sdpod inspect -f '{{.State.FinishedAt}}' "$1"; }
ok "stop --all ends first what needs others" test "$(printf '%s\n' "$(finished net)" "$(finished base)" | sort -c && echo sorted)" = sorted
sdpod rm -f -t 0 -a >/dev/null

# a policy brings it back only once what it needs is there
create base
run sdpod run -d --name keep --restart on-failure:2 --network container:base $BUSYBOX sh -c 'sleep 0.2; exit 3'
sdpod stop -t 0 base >/dev/null
until_ok 20 sh -c 'test "$(sdpod inspect -f "{{.State.Status}}" keep)" = exited'
run sdpod start keep
exits 0 "one with a restart policy is started with what it needs"
is "$(state base)" running "... which runs"

# ---- volumes of others ----

mkdir "$T/dir"
echo host >"$T/dir/file"
create first -v named:/named -v /anonymous -v "$T/dir:/dir:ro" --tmpfs /mine
sdpod start first >/dev/null
sdpod exec first sh -c 'echo 1 >/named/file; echo 2 >/anonymous/file'
run sdpod run --rm --volumes-from first $BUSYBOX cat /named/file /anonymous/file /dir/file
is "$out" $'1\n2\nhost' "--volumes-from mounts volumes, anonymous ones with them, and directories"
run sdpod run --rm --volumes-from first $BUSYBOX sh -c 'echo x >/dir/file; ls -d /mine'
exits 1 "... read-only where they are, and no tmpfs"
run sdpod run --rm --volumes-from first:ro $BUSYBOX sh -c 'echo 3 >/named/file'
exits 1 "... or read-only as wanted"
run sdpod run --rm --volumes-from first:rw $BUSYBOX sh -c 'echo 3 >/named/file; echo guest >/dir/file; cat /dir/file'
is "$out" guest "... or writable as wanted"
create second -v other:/named
sdpod start second >/dev/null
sdpod exec second sh -c 'echo 4 >/named/file'
run sdpod run --rm --volumes-from first --volumes-from second:z,ro $BUSYBOX cat /named/file /anonymous/file
is "$out" $'4\n2' "of two the later one wins"
run sdpod run --rm --volumes-from first -v "$T/dir:/named" $BUSYBOX cat /named/file
is "$out" guest "a mount of one's own stands"
run sdpod create --name third --volumes-from first:ro --volumes-from second $BUSYBOX true
is "$(sdpod inspect -f '{{json .HostConfig.VolumesFrom}} {{json .Dependencies}}' third)" '["first:ro","second"] []' "inspect shows it; it makes no need"
is "$(sdpod inspect -f '{{range .Mounts}}{{.Destination}} {{end}}' third | tr ' ' '\n' | sort | tr '\n' ' ')" " /anonymous /dir /named " "... and the mounts"
anonymous=$(sdpod inspect -f '{{range .Mounts}}{{.Name}} {{end}}' first | tr ' ' '\n' | grep -v named | grep .)
sdpod rm -v third >/dev/null
ok "rm --volumes leaves what came from another" sdpod volume exists "$anonymous"
run sdpod run --rm --volumes-from nobody $BUSYBOX true
exits 125 "--volumes-from of one that does not exist"
like "$err" "no such container" "... says so"
run sdpod create --replace --name second --volumes-from second $BUSYBOX true
exits 125 "--volumes-from of what is replaced"
sdpod rm -f -t 0 -v -a >/dev/null

finish
