#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What containers use, seen from outside: the columns, their keys in JSON, intervals, and "--" where a controller is missing.
# shellcheck disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -af -t 0
sdpod run -d --name idle --network none $BUSYBOX sleep 1000 >/dev/null
sdpod run -d --name busy --network none $BUSYBOX sh -c 'while :; do :; done' >/dev/null
sdpod create --name never --network none $BUSYBOX true >/dev/null

run sdpod stats --no-stream
is "$status:$(head -1 <<<"$out" | tr -s ' ')" "0:ID NAME CPU % MEM USAGE / LIMIT MEM % NET IO BLOCK IO PIDS CPU TIME AVG CPU %" "the table's headings"
is "$(awk 'NR > 1 { print $2 }' <<<"$out" | sort | tr '\n' ' ')" "busy idle " "those that run"
run sdpod stats --no-stream --no-trunc --all --format '{{.ID}} {{.Name}}'
is "$(sort <<<"$out")" "$(sdpod ps -a --no-trunc --format '{{.ID}} {{.Names}}' | sort)" "--all --no-trunc"
run sdpod stats --no-stream --format json
is "$(python3 -c 'import json, sys
print(*json.load(sys.stdin)[0])' <<<"$out")" \
        "id name cpu_time cpu_percent avg_cpu mem_usage mem_percent net_io block_io pids" "the keys of JSON are Podman's"
is "$(python3 -c 'import json, sys
rows = json.load(sys.stdin)
print(*sorted(r["name"] for r in rows), {type(v).__name__ for r in rows for v in r.values()})' <<<"$out")" "busy idle {'str'}" \
        "... of those that run, and all values are text"
is_busy() { run sdpod stats --no-stream --format '{{.CPUPerc}} {{.CPU}}' busy && percent=${out%%[.%]*} && ((percent >= 5)); }
ok "a busy container uses CPU" until_ok 5 is_busy
run sdpod stats --no-stream --format '{{.CPUNano}} {{.Duration}}' busy
ok "CPU time in nanoseconds" test "${out% *}" -gt 1000000
run sdpod stats --no-stream --format '{{.CPUPerc}}|{{.MemUsage}}|{{.PIDS}}|{{.NetIO}}|{{.BlockIO}}|{{.Up}}' never
is "$status:$out" "0:0.00%|0B / 0B|0|0B / 0B|0B / 0B|0s" "one that never ran uses nothing"

for controller in memory pids; do
        field=.PIDS none=--
        [[ $controller == pids ]] || field=.MemUsage none='-- / --'
        run sdpod stats --no-stream --format "{{$field}}" idle
        if why=$(lacks_controller $controller); then
                is "$out" "$none" "without a $controller controller the column is $none ($why)"
        else
                like "$out" '^[1-9]' "the $controller column"
        fi
done
if why=$(lacks_controller memory); then
        skip "the memory limit" "$why"
else
        sdpod run -d --name small --network none -m 64m --memory-swap 64m $BUSYBOX sleep 1000 >/dev/null
        run sdpod stats --no-stream --format '{{.MemLimit}} {{.MemUsage}} {{.MemUsageBytes}}' small
        like "$out" '^67108864 [0-9.]+[kM]?B / 67.11MB [0-9.]+[KM]?i?B / 64MiB$' "the memory limit, in both units"
        sdpod rm -f -t 0 small >/dev/null
fi
if [[ ! -e /dev/net/tun ]]; then
        skip "the network column" "there is no /dev/net/tun"
else
        sdpod run -d --name net $BUSYBOX sh -c 'echo x | nc -u -w 1 10.0.2.3 53; sleep 1000' >/dev/null
        until_ok 10 sh -c 'test "$(sdpod stats --no-stream --format "{{.NetOutput}}" net)" -gt 0'
        run sdpod stats --no-stream --format '{{.NetIO}} {{.NetOutput}}' net
        like "$out" '^[0-9.]+k?B / [0-9.]+k?B [1-9]' "bytes through the container's interface"
        sdpod rm -f -t 0 net >/dev/null
fi

# --- several reports
RUN_TIMEOUT=60 run sh -c "sdpod stats --interval 1 --format '{{.Name}}' idle | head -n 3 | tee '$T/stream'"
is "$status:$out" $'0:idle\nidle\nidle' "report after report, until nobody reads them"
unlike "$(cat "$T/stream")" $'\033' "... and clears no screen that is none"
sdpod run -d --rm --name short --network none $BUSYBOX sh -c 'until [ -e /end ]; do usleep 50000; done' >/dev/null
sdpod stats --interval 1 --format '{{.Name}}' short >"$T/short" 2>&1 &
until_ok 10 grep -q short "$T/short"
sdpod exec short touch /end
wait $!
is "$?:$(sort -u "$T/short")" "0:short" "it ends when all that were named are gone"

# --- faults
run sdpod stats --no-stream no-such
exits 125 "a container that is not there"
run sdpod stats --no-stream --all idle
exits 125 "--all with a name"
run sdpod stats --interval 0
exits 125 "--interval 0"
run sdpod stats --no-stream --format '{{.Nonsense}}'
exits 125 "a field that is none"
run sdpod stats --no-stream --latest --format '{{.Name}}'
is "$status:$out" 0:never "--latest"
run sdpod container stats --no-stream --format '{{.Name}}' idle
is "$status:$out" 0:idle "by its long name"
sdpod rm -af -t 0 >/dev/null
run sdpod stats --no-stream --format json
is "$status:$out" "0:[]" "nothing to show"
finish
