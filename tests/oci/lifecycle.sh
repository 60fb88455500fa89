#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The life of a container by the runtime specification (runtime.md): its operations, its states, and what is an error.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
# --- create, and what it says of itself
bundle one '.annotations = {"org.example.key": "value", "org.example.empty": ""}' sh -c 'echo ran; sleep 1000'
id=$ME-one
at_end rt_quietly delete --force "$id"
"$RUNTIME" --root "$STATE" create --bundle "$T/one" --pid-file "$T/one.pid" "$id" >"$T/one.out" 2>"$T/one.err" </dev/null
is "$?:$(cat "$T/one.out" "$T/one.err")" "0:" "[create.creates] a container is created"
pid=$(cat "$T/one.pid")
rt state "$id"
exits 0 "[operations.query-state] state says what it is"
is "$(jq -r '[.id, .status, .bundle, .pid] | join(" ")' <<<"$out")" "$id created $T/one $pid" \
        "[state.properties][create.status-created][state.bundle-absolute] ID, status created, the bundle's absolute path and the PID are its state"
like "$(jq -r .ociVersion <<<"$out")" '^1\.[0-9]+\.[0-9]+' "[state.json][state.oci-version] ... and a version"
is "$(jq -cS .annotations <<<"$out")" '{"org.example.empty":"","org.example.key":"value"}' "[state.annotations][annotations.values] ... and the annotations"
is "$(cat "$T/one.out")" "" "[create.not-run][lifecycle.not-run-at-create] what the user said is not run yet"
jq '.process.args = ["false"] | .annotations = {}' "$T/one/config.json" >"$T/one/new" && mv "$T/one/new" "$T/one/config.json"

bundle two . sleep 1000
rt create --bundle "$T/two" "$id"
like "$status:$err" '^[1-9][0-9]*:.+' "[create.id-unique] an ID that is taken is refused"
is "$(state_of "$id" .status) $(state_of "$id" .bundle)" "created $T/one" "[create.id-unique][errors.leave-no-trace] ... and whose it is stays as it was"
for wrong in "" "a/b" ".." "../x" "a b" $'a\nb' "."; do
        timeout 60 "$RUNTIME" --root "$STATE" create --bundle "$T/two" "$wrong" >"$T/wrong" 2>&1 </dev/null
        status=$? out=$(cat "$T/wrong")
        like "$status:$out" '^[1-9][0-9]*:.+' "[create.id-valid][create.id-needed] '${wrong//$'\n'/ }' is refused as an ID"
done
rt create --bundle "$T/two"
like "$status:$err$out" '^[1-9][0-9]*:.+' "[create.id-needed] create without an ID is an error"
(cd "$T/state" && timeout 60 "$RUNTIME" --root "$STATE" create "$ME-nobundle") >"$T/wrong" 2>&1 </dev/null
like "$?:$(cat "$T/wrong")" '^[1-9][0-9]*:.+' "[create.bundle-needed][bundle.config-needed] create where no bundle is is an error"
is "$(find "$STATE" -mindepth 1 -maxdepth 1 -type d ! -name "$id")" "" "[create.id-valid][errors.leave-no-trace] no other container is there after that"

# --- start
rt_quietly start "$id"
is "$?" 0 "[operations.start][scope.same-entity] start of it"
until_ok 5 grep -q ran "$T/one.out"
is "$(cat "$T/one.out")" ran "[start.runs][lifecycle.config-read-once] it runs what config.json said when it was created"
is "$(state_of "$id" .status) $(state_of "$id" .pid)" "running $pid" "[start.status-running] ... and is running"
is "$(state_of "$id" '.annotations["org.example.key"]')" value "[lifecycle.config-read-once] ... with its annotations, whatever config.json says now"
rt start "$id"
like "$status:$err" '^[1-9][0-9]*:.+' "[start.twice] a second start is an error"
is "$(state_of "$id" .status) $(state_of "$id" .pid) $(cat "$T/one.out")" "running $pid ran" "[start.twice] ... and changes nothing"
rt start "$ME-none"
like "$status:$err" '^[1-9][0-9]*:.*does not exist' "[start.unknown] start of one that does not exist is an error"
rt start
like "$status:$err$out" '^[1-9][0-9]*:.+' "[start.id-needed] start without an ID is an error"

# --- state, kill and delete where they must not do
for verb in state kill delete; do
        rt $verb "$ME-none"
        like "$status:$err" '^[1-9][0-9]*:.*does not exist' "[$verb.unknown] $verb of one that does not exist is an error"
        rt $verb
        like "$status:$err$out" '^[1-9][0-9]*:.+' "[$verb.id-needed] $verb without an ID is an error"
done
rt delete "$id"
like "$status:$err" '^[1-9][0-9]*:.+' "[delete.running] delete of one that runs is an error"
is "$(state_of "$id" .status)" running "[delete.running] ... and it runs on"
rt kill "$id" NOSUCHSIGNAL
like "$status:$err" '^[1-9][0-9]*:.+' "[values.invalid] a signal that is none is an error"

# --- kill
created traps . sh -c 'trap "echo usr1" USR1; trap "echo hup" HUP; trap "exit 7" TERM; echo ready; while :; do sleep 0.1; done'
rt kill "$ME-traps" 0
rt_quietly start "$ME-traps"
until_ok 5 grep -q ready "$T/traps.out"
rt kill "$ME-traps" USR1
exits 0 "[operations.kill] kill by a name"
until_ok 5 grep -q usr1 "$T/traps.out"
rt kill "$ME-traps" SIGHUP
until_ok 5 grep -q hup "$T/traps.out"
rt kill "$ME-traps" 10
until_ok 5 sh -c "test \$(grep -c usr1 '$T/traps.out') = 2"
is "$(tr '\n' ' ' <"$T/traps.out")" "ready usr1 hup usr1 " "[kill.sends] the signals arrive, by name, long name and number"
rt kill "$ME-traps"
until_ok 5 sh -c "[ \$('$RUNTIME' --root '$STATE' state '$ME-traps' | jq -r .status) = stopped ]"
is "$(state_of "$ME-traps" .status)" stopped "[kill.status-stopped][operations.kill] without a signal it is TERM: the container ends, and is stopped"
rt kill "$ME-traps" KILL
like "$status:$err" '^[1-9][0-9]*:.*(not running|[Nn]o such process)' "[kill.not-running] a signal to one that is stopped is an error"
is "$(state_of "$ME-traps" .status)" stopped "[kill.not-running] ... and changes nothing"
rt start "$ME-traps"
like "$status:$err" '^[1-9][0-9]*:.+' "[start.twice] what has ended is not started again"
up ends . true
until_ok 5 sh -c "[ \$('$RUNTIME' --root '$STATE' state '$ME-ends' | jq -r .status) = stopped ]"
is "$(state_of "$ME-ends" .status)" stopped "[state.stopped] one that ends by itself is stopped, too"
created early . sh -c 'echo ran'
rt kill "$ME-early" KILL
until_ok 5 sh -c "[ \$('$RUNTIME' --root '$STATE' state '$ME-early' | jq -r .status) = stopped ]"
is "$(state_of "$ME-early" .status):$(cat "$T/early.out")" "stopped:" "[kill.status-stopped] one that was only created can be killed, and has run nothing"

# --- delete
rt delete "$ME-traps"
exits 0 "[operations.delete] delete of one that is stopped"
rt state "$ME-traps"
like "$status:$err" '^[1-9][0-9]*:.*does not exist' "[delete.resources] ... it is not there any more"
bundle again . true
rt run --bundle "$T/again" "$ME-traps"
exits 0 "[delete.id-again] ... and its ID is free"
rt delete --force "$ME-one"
exits 0 "[operations.delete] delete --force of one that runs"
rt_quietly delete "$ME-ends"
rt_quietly delete "$ME-early"
test -d "$T/one/rootfs/bin" -a -f "$T/one/config.json"
is "$?" 0 "[delete.others-stay] the bundle is left alone"
is "$(without_trace)" "" "[delete.resources][lifecycle.delete-undoes] nothing is left of any of them: no cgroup, no mount, no process"

# --- an environment that cannot be made
refuses "[create.environment-error][errors.leave-no-trace] a program that is not there is refused by create" . /no/such/program
refuses "[process.args-search] a program that no directory of PATH has is refused by create" . nosuchprogram
is "$(without_trace)" "" "[errors.leave-no-trace] nothing is left of what could not be made"
finish
