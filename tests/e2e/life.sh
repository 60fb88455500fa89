#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A container's life by the command line: ps, logs, exec, stop, kill, restart, start, wait, rm, inspect, port, top, pause,
# rename, volume, info, version, with the output and the exit codes of Podman's commands of the same names.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load web
NL=$'\n'
COUNT='i=0; while :; do i=$((i+1)); echo line $i; echo $i >/count; sleep 0.05; done'

# --- run -d, ps
run sdpod run -d --name a --network none -l colour=blue $BUSYBOX sh -c 'echo first; echo second >&2; exec sleep 1000'
like "$status:$out" '^0:[0-9a-f]{64}$' "run -d prints the ID"
id=$out
run sdpod ps
like "$out" "^CONTAINER ID +IMAGE +COMMAND +CREATED +STATUS +PORTS +NAMES" "ps has Podman's columns"
like "$out" "${id:0:12} +$BUSYBOX +sh -c .* Up .* a" "ps shows it"
run sdpod ps -q
is "$out" "${id:0:12}" "ps -q"
run sdpod ps -q --no-trunc
is "$out" "$id" "ps --no-trunc"
run sdpod ps --format '{{.Names}} {{.Image}} {{.Status}}'
like "$out" "^a $BUSYBOX Up " "ps --format"
run sdpod ps --format '{{.ID}}|{{.Names}}' --filter name=a
is "$out" "${id:0:12}|a" "ps --format with --filter name"
run sdpod ps -q --filter label=colour=blue
is "$out" "${id:0:12}" "ps --filter label"
run sdpod ps -q --filter status=exited
is "$out" "" "ps --filter status"
run sdpod ps --format json
is "$(python3 -c 'import json,sys; c=json.load(sys.stdin)[0]; print(c["Id"], c["Names"][0], c["State"], c["Image"])' <<<"$out")" \
        "$id a running $BUSYBOX" "ps --format json has Podman's field names"

# --- logs
until_ok 10 sh -c 'sdpod logs a 2>&1 | grep -q second'
run sdpod logs a
is "$out:$err" "first:second" "logs keeps stdout and stderr apart"
run sdpod logs --tail 1 a
is "$out$err" second "logs --tail"
run sdpod logs -t a
like "$out" "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]+([+-][0-9:]+|Z) first" "logs -t"
run sdpod logs --since 1h a
is "$out" first "logs --since takes what is newer"
run sdpod logs --since 2099-01-01T00:00:00Z a
is "$out$err" "" "... and leaves out what is older"
run sdpod logs no-such
exits 125 "logs of a container that does not exist"
sdpod run -d --name counting --network none $BUSYBOX sh -c 'for i in 1 2 3 4 5 6; do echo line $i; sleep 0.2; done' >/dev/null
run sdpod logs -f counting
is "$status:$(tail -n 1 <<<"$out"):$(wc -l <<<"$out")" "0:line 6:6" "logs -f follows to the container's end"
sdpod rm counting >/dev/null

# --- exec
run sdpod exec a echo inside
is "$status:$out" 0:inside "exec"
run sdpod exec a sh -c 'exit 42'
exits 42 "exec passes the exit code on"
run sdpod exec a no-such
exits 127 "exec of a command that is not there"
run sdpod exec a /etc
exits 126 "exec of a directory"
run sdpod exec no-such true
exits 125 "exec in a container that does not exist"
feed "word" sdpod exec -i a cat
is "$out" word "exec -i"
run sdpod exec -e A=1 -w /tmp -u app a sh -c 'echo $A; pwd; id -u'
is "$out" "1${NL}/tmp${NL}1000" "exec -e -w -u"
run sdpod exec -t a tty
like "$out" /dev/pts/ "exec -t"
run sdpod exec -d a sh -c 'echo done >/detached'
is "$status:$(until_ok 5 sdpod exec a test -s /detached && echo there)" "0:there" "exec -d"
run sdpod exec a sh -c 'cat /proc/self/status | grep -E "^(Cap|Seccomp:|NoNewPrivs)"'
here=$out
run sdpod exec a sh -c 'cat /proc/1/status | grep -E "^(Cap|Seccomp:|NoNewPrivs)"'
is "$here" "$out" "exec has the capabilities and the filter of PID 1"
run sdpod exec a sh -c 'cat /proc/self/cgroup | tail -n 1; cat /proc/1/cgroup | tail -n 1'
is "$(sort -u <<<"$out" | wc -l)" 1 "exec is in the container's cgroup"
run sdpod exec a sh -c 'ls /proc/self/fd | tr "\n" " "'
is "$out" "0 1 2 3 " "exec leaks no descriptor"
run sdpod exec a sh -c 'head -c 2000000 /dev/zero | tr "\0" y'
is "${#out}" 2000000 "two megabytes of exec's output arrive whole"

# --- inspect, port, top, rename
run sdpod inspect --format '{{.Id}} {{.Name}} {{.State.Status}} {{.State.Running}} {{.ImageName}} {{.Config.Labels.colour}}' a
is "$out" "$id a running true $BUSYBOX blue" "inspect --format"
run sdpod inspect --format '{{json .Config.Cmd}}' a
like "$out" '^\["sh","-c",' "inspect --format '{{json ...}}'"
run sdpod inspect --format '{{range .Config.Env}}{{println .}}{{end}}' a
like "$out" "PATH=" "inspect --format with range"
run sdpod inspect a
is "$(python3 -c 'import json,sys; c=json.load(sys.stdin)[0]; print(c["State"]["Pid"] > 1, c["HostConfig"]["NetworkMode"], c["State"]["ExitCode"])' <<<"$out")" \
        "True none 0" "inspect is JSON with Podman's fields"
run sdpod inspect no-such
exits 125 "inspect of what does not exist"
run sdpod container inspect "${id:0:8}" --format '{{.Name}}'
is "$out" a "a prefix of the ID is enough"
run sdpod top a
like "$out" "USER +PID +PPID .*COMMAND${NL}.*sleep 1000" "top"
run sdpod rename a b
is "$status:$(sdpod ps --format '{{.Names}}')" "0:b" "rename"
is "$(sdpod ps -a --filter name=^a\$ --format '{{.Names}}')" "" "the old name is gone" # "a" may also begin an ID
run sdpod container exists b
exits 0 "the new one is there"
sdpod rename b a

# --- pause
sdpod run -d --name counter --network none $BUSYBOX sh -c "$COUNT" >/dev/null
until_ok 10 sdpod exec counter test -s /count
run sdpod pause counter
exits 0 "pause"
is "$(sdpod inspect -f '{{.State.Status}}' counter)" paused "... is the state"
last_line() { sdpod logs counter | tail -n 1; }
stands_still() { first=$(last_line) && sleep 0.5 && [[ $(last_line) == "$first" ]]; } # what it wrote before may be on its way
until_ok 10 stands_still
is "$(sdpod logs counter | tail -n 1)" "$first" "a paused container stands still"
run sdpod exec counter true
like "$status" '^(125|255)$' "exec in a paused container is refused"
run sdpod unpause counter
ok "unpause lets it go on" until_ok 5 sh -c '[ "$(sdpod logs counter | tail -n 1)" != "'"$first"'" ]'
sdpod rm -f -t 0 counter >/dev/null

# --- stop, kill, start, restart, wait
run sdpod stop -t 1 a
exits 0 "stop"
is "$(sdpod inspect -f '{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}' a)" "exited 137 0" "a process that ignores SIGTERM was killed"
run sdpod ps -a --format '{{.Names}} {{.Status}}'
like "$out" "^a Exited \(137\)" "ps -a says how it ended"
run sdpod start a
is "$status:$out" "0:a" "start prints the name it was given"
is "$(sdpod inspect -f '{{.State.Status}}' a)" running "... and it runs"
run sdpod kill a
is "$status:$(sdpod wait a)" "0:137" "kill and wait"
run sdpod kill a
exits 125 "kill of a stopped container"
run sdpod exec a true
like "$status" '^(125|255)$' "exec in a stopped container is refused"
run sdpod restart -t 0 a
is "$status:$(sdpod inspect -f '{{.State.Status}}' a)" "0:running" "restart starts a stopped container"
pid=$(sdpod inspect -f '{{.State.Pid}}' a)
run sdpod restart -t 0 a
is "$([[ $(sdpod inspect -f '{{.State.Pid}}' a) != "$pid" ]] && echo other)" other "restart makes a new process"
run sdpod rm a
exits 2 "rm of a running container is refused"
run sdpod rm -f -t 0 a
exits 0 "rm -f"
run sdpod rm a
exits 1 "rm of what does not exist"

sdpod run -d --name polite --network none $BUSYBOX sh -c 'trap "echo bye; exit 3" TERM; echo ready; while :; do sleep 0.1; done' >/dev/null
until_ok 10 sh -c 'sdpod logs polite | grep -q ready'
run sdpod stop polite
until_ok 10 sh -c 'sdpod logs polite | grep -qx bye'
is "$status:$(sdpod inspect -f '{{.State.ExitCode}}' polite):$(sdpod logs polite | tail -n 1)" "0:3:bye" "stop sends SIGTERM and waits"
sdpod run -d --name deaf --network none $BUSYBOX sleep 1000 >/dev/null
run sdpod stop -t 1 deaf nobody
is "$(grep -c 'did not end' <<<"$err")" 1 "what is killed beside another is spoken of once"
sdpod rm deaf >/dev/null
run sdpod stop polite
exits 0 "stop of a stopped container is no error"
sdpod rm polite >/dev/null
sdpod run -d --name usr --network none --stop-signal USR1 $BUSYBOX sh -c 'trap "exit 9" USR1; echo ready; while :; do sleep 0.1; done' >/dev/null
until_ok 10 sh -c 'sdpod logs usr | grep -q ready'
run sdpod stop usr
is "$(sdpod wait usr)" 9 "--stop-signal"
sdpod rm usr >/dev/null
sdpod run -d --name sig --network none $BUSYBOX sh -c 'trap "echo hup" HUP; echo ready; while :; do sleep 0.1; done' >/dev/null
until_ok 10 sh -c 'sdpod logs sig | grep -q ready'
run sdpod kill -s HUP sig
ok "kill -s HUP" until_ok 5 sh -c 'sdpod logs sig | grep -q hup'
is "$(sdpod inspect -f '{{.State.Status}}' sig)" running "... which it lives through"
sdpod rm -f -t 0 sig >/dev/null

sdpod run -d --name waited --network none $BUSYBOX sh -c 'sleep 1; exit 5' >/dev/null
run sdpod wait waited
is "$status:$out" "0:5" "wait waits and prints the code"
run sdpod wait waited
is "$out" 5 "... and again"
run sdpod start -a waited
exits 5 "start -a passes the code on"
sdpod rm waited >/dev/null
run sdpod create --name made --network none $BUSYBOX echo hello
like "$status:$out" '^0:[0-9a-f]{64}$' "create"
is "$(sdpod inspect -f '{{.State.Status}}' made)" created "... makes it without a start"
run sdpod start -a made
is "$status:$out" "0:hello" "start -a prints its output"
run sdpod rm made
exits 0 "rm"

# --- volumes, rm -v, rm -a
run sdpod volume create v
is "$status:$out" "0:v" "volume create"
run sdpod volume create v
exits 125 "... of a name that is taken"
run sdpod volume exists v
exits 0 "volume exists"
run sdpod volume exists w
exits 1 "... not"
run sdpod volume inspect v --format '{{.Name}} {{.Driver}} {{.Mountpoint}}'
like "$out" "^v local $HOME/.*/v/_data" "volume inspect"
run sdpod run --name user -v v:/v -v /anon --network none $BUSYBOX true
run sdpod volume rm v
exits 2 "volume rm of one in use is refused"
run sdpod rm -v user
is "$(sdpod volume ls -q)" v "rm -v takes the anonymous volume along"
run sdpod volume prune -f
exits 0 "volume prune"
run sdpod volume rm -f v
run sdpod volume ls -q
is "$out" "" "no volume is left"
for i in 1 2 3; do sdpod run -d --network none $BUSYBOX sleep 1000 >/dev/null; done
run sdpod rm -f -t 0 -a
is "$(wc -l <<<"$out"):$(sdpod ps -aq)" "3:" "rm -f -a"

# --- what a killed command left on record is not true of the next run
port=$(free_port)
sdpod run --name killed -p "127.0.0.1:$port:80" $BUSYBOX sleep 1000 >/dev/null 2>&1 &
command=$!
until_ok 10 sh -c 'sdpod ps -q --filter status=running --filter name=killed | grep -q .'
init=$(sdpod inspect killed --format '{{.State.Pid}}')
kill -9 $command
wait $command 2>/dev/null
until_ok 10 test ! -e "/proc/$init" # not by ps, which would record the end
until_ok 10 sdpod start killed
is "$(sdpod port killed)" "80/tcp -> 127.0.0.1:$port" "after kill -9 of its command a container has its ports once"
run sdpod inspect killed --format '{{.ResolvConfPath}}{{"\n"}}{{.HostsPath}}{{"\n"}}{{.HostnamePath}}'
is "$(xargs -n1 basename <<<"$out" | xargs)" "resolv.conf hosts hostname" "inspect names the files that it has of ours"
ok "... and they are there" ls $out
sdpod rm -f -t 0 killed >/dev/null

# --- info, version, help
run sdpod version
like "$out" "Version: +[0-9]+\.[0-9]+" "version"
run sdpod --version
like "$out" "version [0-9]+\.[0-9]+" "--version"
run sdpod info
exits 0 "info"
run sdpod info --format json
exits 0 "info --format json"
ok "... is JSON" python3 -m json.tool "$T/stdout"
run sdpod no-such-verb
exits 125 "a verb that does not exist"

finish
