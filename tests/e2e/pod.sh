#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pods: what their containers share, how they start, stop and go, and what a killed command leaves.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load web || { cat "$T/image_load"; exit 99; }
image_load busybox
RUN_TIMEOUT=120
NL=$'\n'
at_end sdpod pod rm -fa -t 0
names() { sdpod ps -a --format '{{.Names}}' | sort | tr '\n' ' '; }
field() { sdpod pod inspect "$1" --format "$2"; }
sleeper='trap "exit 0" TERM; while :; do usleep 50000; done'
sdpod run --rm --network none -v warm:/x $BUSYBOX true
sdpod volume rm warm >/dev/null
sdpod pod create warm >/dev/null && sdpod pod start warm >/dev/null && sdpod pod rm -f warm >/dev/null # makes what stays
before=$(footprint)

# --- create, inspect, ps
port=$(free_port)
run sdpod pod create --name shop --label a=b --hostname shop --add-host far:192.0.2.9 -p "$port:8080" -v stock:/stock --pod-id-file "$T/id"
exits 0 "pod create"
like "$out" '^[0-9a-f]{64}$' "... prints the ID"
is "$(cat "$T/id")" "$out" "... and writes it to --pod-id-file"
id=$out
run sdpod pod create shop
exits 125 "a name is taken once"
run sdpod create --name shop $BUSYBOX true
exits 125 "... by a pod or by a container"
is "$(sdpod pod inspect shop | python3 -c 'import json, sys; print(" ".join(json.load(sys.stdin)))')" \
        "Id Name Created CreateCommand ExitPolicy State Hostname Labels CreateCgroup CgroupParent CgroupPath CreateInfra InfraContainerID InfraConfig SharedNamespaces NumContainers Containers mounts" \
        "pod inspect has Podman's fields"
is "$(field shop '{{.State}} {{.SharedNamespaces}} {{.NumContainers}} {{.Hostname}} {{.InfraConfig.UtsNS}}')" \
        "Created [ipc net uts] 1 shop private" "... and values"
is "$(sdpod pod ps --format json | python3 -c 'import json, sys; print(" ".join(json.load(sys.stdin)[0]))')" \
        "Cgroup Containers Created Id InfraId Name Namespace Networks Status Labels" "pod ps --format json has Podman's keys"
run sdpod pod ps
like "$out" "^POD ID +NAME +STATUS +CREATED +INFRA ID +# OF CONTAINERS" "pod ps has Podman's headings"
like "$out" "${id:0:12} +shop +Created " "... and the pod"
is "$(sdpod pod ps -q --filter name=nothing)$(sdpod pod ps -q --filter label=a=b)" "$id" "filters"
run sdpod pod exists shop
exits 0 "pod exists"
run sdpod pod exists nothing
exits 1 "... says no"
infra=$(field shop '{{.InfraContainerID}}')
is "$(sdpod ps -a --format '{{.Names}} {{.Pod}} {{.IsInfra}}')" "${id:0:12}-infra ${id:0:12} true" "ps -a shows the infra container"
run sdpod rm -f "$infra"
exits 125 "the infra container is not removed by itself"
like "$err" "infra container of pod ${id:0:12}" "... and says why"
run sdpod container prune -f
is "$out" "" "... nor pruned"

# --- members
run sdpod create --pod shop --name web $WEB
exits 0 "create --pod"
run sdpod create --pod-id-file "$T/id" --init-ctr once --name first $BUSYBOX sh -c 'echo stocked >/stock/first'
exits 0 "create --init-ctr, by --pod-id-file"
run sdpod create --pod shop --init-ctr always --name second $BUSYBOX sh -c 'cat /stock/first && echo ran >>/stock/second'
for option in "-p 80:80" "--hostname x" "--add-host a:192.0.2.1" "--dns 192.0.2.1" "--userns keep-id" "--shm-size 1m"; do
        # shellcheck disable=SC2086  # two words
        run sdpod run --pod shop $option $BUSYBOX true
        exits 125 "$option in a pod is refused"
done
run sdpod create --init-ctr once $BUSYBOX true
like "$status:$err" "125:.*must specify pod" "--init-ctr needs a pod"
run sdpod pod start shop
is "$status:$out" "0:$id" "pod start"
is "$(field shop '{{.State}} {{.NumContainers}}')" "Running 3" "... and it runs: an init container that stays has no part in its state"
is "$(names)" "${id:0:12}-infra second web " "one that runs once is gone"
ok "a port of the pod reaches a member" until_ok 10 sh -c "curl -sf http://127.0.0.1:$port/ | grep -q works"
run sdpod run --rm --pod shop $BUSYBOX sh -c 'hostname; cat /stock/first; wget -q -O - http://localhost:8080/ | grep -o works; grep -c far /etc/hosts; wget -q -O - http://web:8080/ >/dev/null && echo by-name'
is "$status:${out//$'\n'/ }" "0:shop stocked works 1 by-name" "members share hostname, volumes, localhost and hosts, and know each other's names"
is "$(sdpod inspect web --format '{{.HostConfig.NetworkMode}} {{.Pod}} {{.IsInfra}}')" "container:$infra $id false" "inspect has the pod"
is "$(sdpod ps --ns --filter pod=shop --format '{{.NET}} {{.IPC}} {{.UTS}} {{.User}}' | sort -u | wc -l)" 1 "net, ipc, uts and user namespaces are the infra container's"
is "$(sdpod ps --ns --filter pod=shop --format '{{.PIDNS}} {{.MNT}}' | sort -u | wc -l)" 2 "... pid and mount namespaces its own"
if [[ -d /run/systemd/system ]]; then
        like "$(cat "/proc/$(sdpod inspect web --format '{{.State.Pid}}')/cgroup")" "user.slice/user-sdpod_pod_$id.slice/" "... and its cgroup is in the pod's slice"
fi
is "$(sdpod ps --pod --format '{{.Names}} {{.PodName}}' | sort | tail -n 1)" "web shop" "ps --pod"
is "$(sdpod ps -q --filter pod=shop | wc -l)" 2 "ps --filter pod="
run sdpod create --pod shop --init-ctr always $BUSYBOX true
exits 125 "no init container comes into a pod that runs"
run sdpod pod top shop comm
is "$(sort <<<"$out" | tr -s ' \n' ' ')" "COMMAND httpd sdpod-infra serve " "pod top"
run sdpod pod stats --no-stream --format '{{.Pod}} {{.Name}}' shop
is "$(sort <<<"$out" | tr '\n' ' ')" "${id:0:12} ${id:0:12}-infra ${id:0:12} second ${id:0:12} web " "pod stats"
is "$(sdpod pod stats --no-stream --format json shop | python3 -c 'import json, sys; print(" ".join(json.load(sys.stdin)[0]))')" \
        "CPU MemUsage MemUsageBytes Mem NetIO BlockIO PIDS Pod CID Name" "... with Podman's keys"
run sdpod pod logs --names shop
like "$(sort <<<"$out")" "^second stocked${NL}web serving /www" "pod logs"
run sdpod pod logs -c nothing shop
exits 125 "... of a container that is not in it"

# --- pause, restart, stop, kill, rm
sdpod pod pause shop >/dev/null
is "$(sdpod inspect web --format '{{.State.Status}}')" paused "pod pause"
sdpod pod unpause shop >/dev/null
is "$(sdpod inspect web --format '{{.State.Status}}')" running "pod unpause"
old=$(sdpod inspect web --format '{{.State.Pid}}')
run sdpod pod restart shop
exits 0 "pod restart"
ok "... is another process" test "$(sdpod inspect web --format '{{.State.Pid}}')" != "$old"
is "$(sdpod run --rm -v stock:/stock $BUSYBOX cat /stock/second)" ran "... and runs no init container again"
run sdpod pod rm shop
exits 125 "a pod that runs is not removed"
run sdpod pod stop shop
is "$status:$out:$(field shop '{{.State}}')" "0:$id:Exited" "pod stop"
run sdpod start web
exits 0 "start of a member"
is "$(sdpod inspect "$infra" --format '{{.State.Status}}')" running "... starts the infra container"
run sdpod pod kill shop
is "$status:$(field shop '{{.State}}')" "0:Exited" "pod kill"
run sdpod pod rm shop
is "$status:$out" "0:$id" "pod rm"
run sdpod pod rm shop
exits 1 "... of one that is not there: 1"
run sdpod pod rm -i shop
exits 0 "... with --ignore: 0"
run sdpod pod stop shop
exits 125 "pod stop of it: 125"
is "$(names)" "" "the containers are gone with the pod"
sdpod volume rm stock >/dev/null
is "$(footprint)" "$before" "a pod leaves nothing"

# --- timeouts run at the same time
sdpod pod create slow >/dev/null
for i in 1 2 3; do sdpod run -d --pod slow --stop-timeout 10 $BUSYBOX sleep 1000 >/dev/null; done
SECONDS=0
sdpod pod stop slow 2>/dev/null >&2
ok "three members that do not listen end together" test "$SECONDS" -lt 30 # one after the other they take 30
sdpod pod rm slow >/dev/null

# --- an init container that fails
sdpod pod create --name bad >/dev/null
sdpod create --pod bad --init-ctr always --name broken $BUSYBOX sh -c 'exit 3' >/dev/null
sdpod create --pod bad --name after $BUSYBOX sh -c "$sleeper" >/dev/null
run sdpod pod start bad
like "$status:$err" "125:.*'broken' exited with code 3" "an init container that fails"
is "$(sdpod inspect after --format '{{.State.Status}}')" created "... keeps the others from starting"
run sdpod pod rm bad
exits 0 "... and the pod can be removed, with only its infra container running"

# --- exit policy, new:, share
sdpod pod create --name ends --exit-policy stop >/dev/null
sdpod run -d --pod ends --name short $BUSYBOX sh -c "$sleeper" >/dev/null
sdpod run --rm --pod ends $BUSYBOX true
is "$(field ends '{{.State}}')" Running "--exit-policy stop: while one runs the pod does"
sdpod stop short >/dev/null
ok "... and ends with the last" until_ok 10 sh -c '[ "$(sdpod pod inspect ends --format "{{.State}}")" = Exited ]'
run sdpod pod prune -f
is "$status:$(sdpod pod ps -q | wc -l)" "0:0" "pod prune"
port=$(free_port)
run sdpod run -d --pod new:fresh --hostname fresher -p "$port:8080" --name w $WEB
exits 0 "run --pod new:"
ok "... the ports are the pod's" until_ok 10 sh -c "curl -sf http://127.0.0.1:$port/ | grep -q works"
is "$(sdpod port w)" "8080/tcp -> 0.0.0.0:$port" "... and shown as the member's"
is "$(sdpod ps --format '{{.Ports}}' | sort -u)" "0.0.0.0:$port->8080/tcp" "... by ps, too"
is "$(field fresh '{{.Hostname}} {{.State}}'):$(sdpod exec w hostname)" "fresher Running:fresher" "... and the hostname"
run sdpod rm -fa -t 0
is "$status:$(sdpod pod ps -q | wc -l)" "0:0" "rm --all takes the pod with its containers"
sdpod pod create --share net,pid one >/dev/null
sdpod run -d --pod one $BUSYBOX sh -c "$sleeper" >/dev/null
run sdpod run --rm --pod one $BUSYBOX sh -c 'cat /proc/1/comm; (sleep 0 & exec usleep 1) ; i=0; while ps | grep -q "\[sleep\]" && [ $i -lt 600 ]; do usleep 50000; i=$((i+1)); done; ps | grep -c "\[sleep\]"'
is "${out//$'\n'/ }" "sdpod-infra 0" "--share pid: process 1 is the infra container's, and reaps"
sdpod pod create --infra=false none >/dev/null
run sdpod pod start none
exits 125 "a pod without containers does not start"
sdpod run -d --pod none --network none $BUSYBOX sh -c "$sleeper" >/dev/null
is "$(field none '{{.State}} {{.NumContainers}}')" "Running 1" "--infra=false"
run sdpod pod create --infra=false -p 80:80
exits 125 "... has no ports"
run sdpod pod create --infra-image x
exits 125 "--infra-image is refused"
if lacks_controller memory >/dev/null; then
        run sdpod pod create --memory 64m tight
        like "$status:$err" "125:.*memory" "a limit without its controller is refused"
        skip "a pod's limit holds" "$(lacks_controller memory)"
else
        sdpod pod create --memory 64m tight >/dev/null
        sdpod run -d --pod tight $BUSYBOX sh -c "$sleeper" >/dev/null
        is "$(systemctl --user show -p MemoryMax --value "user-sdpod_pod_$(field tight '{{.Id}}').slice")" 67108864 "a pod's limit is its slice's"
fi
run sdpod pod rm -fa -t 0
is "$status:$(names)" "0:" "pod rm --all --force"

# --- kill -9 at any moment leaves nothing that the next commands do not clear
for delay in 1 2 3 4 6 8 10 15 20 30; do
        sdpod run -d --pod "new:k$delay" $BUSYBOX sh -c "$sleeper" >/dev/null 2>&1 &
        killed=$!
        python3 -c "import time; time.sleep($delay / 500)"
        kill -9 $killed
        wait $killed
done 2>/dev/null
run sdpod pod rm -fa -t 0
exits 0 "after kill -9 of run --pod new: everything can be removed"
sdpod pod prune -f >/dev/null
sdpod rm -fa -t 0 >/dev/null 2>&1
sdpod run --rm --network none $BUSYBOX true
is "$(sdpod pod ps -q)$(names)" "" "... and is"
ok "... to the last file" until_ok 10 sh -c '[ -z "$(find ~/.local/share/sdpod/pods ~/.local/share/sdpod/pod-names ~/.local/share/sdpod/containers ~/.local/share/sdpod/pending -mindepth 1)" ]'
# --- removal by force, against starts
for round in 1 2 3 4; do
        sdpod pod create --network none raced >/dev/null
        sdpod create --pod raced --name racer $BUSYBOX sleep 100 >/dev/null
        for _ in 1 2 3; do
                sdpod pod start raced >/dev/null 2>&1 &
        done
        sdpod pod rm -f -t 0 raced >/dev/null 2>>"$T/raced" || echo "round $round: $?" >>"$T/raced"
        wait
        sdpod pod rm -f -t 0 --ignore raced >/dev/null
done
is "$(cat "$T/raced")" "" "pod rm --force removes a pod that others start"
# --- a pod whose infra container cannot be made
run sdpod pod create --name unmade -v /nosuch:/x
exits 125 "a volume that is not there is refused"
run sdpod pod exists unmade
exits 1 "... and no pod is left"
unlike "$(sdpod events --stream=false --filter type=pod --format '{{.Name}}')" unmade "... nor an event of one"

finish
