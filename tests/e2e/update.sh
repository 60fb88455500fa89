#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Changing containers that are there: limits that hold at once, and outlive a daemon-reload, a restart and a start; restart
# policy, environment and health checks of what runs.
# shellcheck disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -af -t 0
C="--network none $BUSYBOX"
inside() { sdpod exec "$1" sh -c "cd /sys/fs/cgroup; cat $2" 2>/dev/null | tr '\n' ' '; } # NAME FILES...
unit_of() { echo "sdpod-$(sdpod inspect -f '{{.Id}}' "$1").service"; }
property() { systemctl --user show --property "$2" --value "$(unit_of "$1")"; } # NAME PROPERTY

# --- the record
sdpod create --name still $C sh -c 'echo "$COLOUR-$KEPT-$GONE"' >/dev/null
run sdpod update --cpus 0.5 still
is "$status $(sdpod inspect --format '{{.HostConfig.NanoCpus}}' still)" "0 500000000" "limits of one that has never run"
run sdpod update --cpus 0 still
run sdpod update -e COLOUR=red --env GONE=no still
is "$status:$out" "0:$(sdpod inspect -f '{{.Id}}' still)" "update prints the ID"
run sdpod update --unsetenv GONE -e KEPT=yes still
is "$(sdpod start -a still)" "red-yes-" "--env and --unsetenv"
run sdpod update --restart on-failure:3 still
is "$(sdpod inspect -f '{{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}' still)" "on-failure 3" "--restart, in inspect"
run sdpod update --restart sometimes still
exits 125 "--restart of a policy that is none"
run sdpod update --memory-swap 10m still
exits 125 "--memory-swap without --memory"
run sdpod update --cpus 1 --cpu-quota 5000 still
exits 125 "--cpus with --cpu-quota"
run sdpod update --health-interval 5s still
exits 125 "the interval of a check that is not there"
like "$err" "there is none" "... says so"
run sdpod update no-such
exits 125 "a container that is not there"
run sdpod update --latest --env X=1
is "$status:$out" "0:$(sdpod inspect -f '{{.Id}}' still)" "--latest"

# --- the restart policy of one that runs
sdpod run -d --name ends $C sleep 1000 >/dev/null
is "$(property ends Restart)" no "without a policy"
run sdpod update --restart always ends
exits 0 "--restart of a running container"
is "$(property ends Restart)" always "... systemd knows"
systemctl --user daemon-reload
is "$(property ends Restart)" always "... after a daemon-reload, too"
before=$(sdpod inspect -f '{{.State.Pid}}' ends)
kill -9 "$before"
again() { local now; now=$(sdpod inspect -f '{{.State.Pid}}' ends); ((now > 0 && now != before)); }
ok "... and it is started again" until_ok 10 again
run sdpod update --restart no ends
is "$status:$(property ends Restart)" 0:no "--restart no"
kill -9 "$(sdpod inspect -f '{{.State.Pid}}' ends)"
run sdpod wait ends
is "$out" 137 "... it ends"
until_ok 5 sh -c '! systemctl --user is-active --quiet '"$(unit_of ends)"
is "$(sdpod inspect -f '{{.State.Status}}' ends)" exited "... and stays so"
sdpod start ends >/dev/null
is "$(property ends Restart)" no "a start has the policy of the record"
is "$(find "$XDG_RUNTIME_DIR/systemd/user.control" -path "*/$(unit_of ends).d/*restart.conf" 2>/dev/null)" "" "... and no drop-in of the last run"
sdpod update --restart always ends >/dev/null
unit=$(unit_of ends)
sdpod rm -f -t 0 ends >/dev/null
ok "rm leaves no drop-in" test ! -e "$XDG_RUNTIME_DIR/systemd/user.control/$unit.d"
sdpod run -d --rm --name brief $C sleep 1000 >/dev/null
run sdpod update --restart always brief
exits 125 "no policy with --rm"
sdpod rm -f -t 0 brief >/dev/null

# --- health checks of one that runs
sdpod run -d --name well --health-cmd true --health-interval 1h $C sleep 1000 >/dev/null
until_ok 10 sh -c 'sdpod ps --filter health=healthy --format "{{.Names}}" | grep -q well'
run sdpod update --health-cmd false --health-interval 200ms --health-retries 1 well
exits 0 "--health-cmd, --health-interval of a running container"
ok "... the new check is made" until_ok 15 sh -c 'sdpod ps --filter health=unhealthy --format "{{.Names}}" | grep -q well'
run sdpod update --no-healthcheck well
until_ok 5 sh -c '! systemctl --user list-timers --all | grep -q "sdpod-health-"'
is "$status:$(systemctl --user list-timers --all | grep -c 'sdpod-health-')" 0:0 "--no-healthcheck: no timer is left"
sdpod rm -f -t 0 well >/dev/null
sdpod run -d --name plain $C sleep 1000 >/dev/null
run sdpod update --health-cmd true --health-interval 1s plain
ok "a check for a container that had none" until_ok 15 sh -c 'sdpod ps --filter health=healthy --format "{{.Names}}" | grep -q plain'
sdpod rm -f -t 0 plain >/dev/null

# --- limits
if why=$(lacks_controller memory); then
        sdpod run -d --name plain $C sleep 1000 >/dev/null
        run sdpod update -m 64m plain
        is "$status:$(sdpod inspect -f '{{.HostConfig.Memory}}' plain)" 125:0 "a limit without its controller is refused, and not recorded"
        like "$err" "cannot update container 'plain': cannot set a memory limit: the cgroup controller 'memory'" "... and says why"
        for what in "in the background" "in the foreground" "in a unit"; do skip "limits $what" "$why"; done
        finish
fi
sdpod run -d --name big -m 128m --cpus 1.5 --pids-limit 100 $C sleep 1000 >/dev/null
run sdpod update -m 64m --cpus 0.5 --pids-limit 33 --memory-reservation 16m --cpu-shares 512 big
exits 0 "limits of a running container"
is "$(inside big 'memory.max memory.swap.max pids.max cpu.max memory.low')" "67108864 67108864 33 50000 100000 16777216 " "... hold inside"
is "$(property big MemoryMax) $(property big MemorySwapMax) $(property big TasksMax)" "67108864 67108864 33" "... and systemd knows"
systemctl --user daemon-reload
is "$(inside big 'memory.max pids.max cpu.max')" "67108864 33 50000 100000 " "... after a daemon-reload, too"
is "$(sdpod inspect -f '{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.PidsLimit}} {{.HostConfig.CpuShares}}' big)" \
        "67108864 134217728 33 512" "... and inspect"
sdpod restart -t 0 big >/dev/null
is "$(inside big 'memory.max pids.max cpu.max')" "67108864 33 50000 100000 " "... after a restart, too"
sdpod update -m 32m big >/dev/null
sdpod stop -t 0 big >/dev/null
sdpod update -m 96m big >/dev/null
sdpod start big >/dev/null
is "$(inside big memory.max) $(property big MemoryMax)" "100663296  100663296" "what was changed while it stood is what the start takes"
sdpod update -m 0 --cpus 0 --pids-limit -1 big >/dev/null
is "$(inside big 'memory.max memory.swap.max pids.max cpu.max')" "max max max max 100000 " "limits are lifted"
run sdpod update -m 4k big
is "$(sdpod inspect -f '{{.HostConfig.Memory}}' big)" "$( ((status == 0)) && echo 4096 || echo 0)" "a limit that cannot be"
sdpod rm -f -t 0 big >/dev/null
sdpod run -d --name free $C sleep 1000 >/dev/null
run sdpod update -m 64m free
is "$status:$(inside free memory.max)" "0:67108864 " "a limit where there was none"
sdpod rm -f -t 0 free >/dev/null
(exec sdpod run --name front $C sleep 1000) &
front=$!
until_ok 10 sh -c 'sdpod ps --format "{{.Names}}" | grep -q front'
run sdpod update -m 64m --pids-limit 20 front
is "$status:$(inside front 'memory.max pids.max')" "0:67108864 20 " "a container in the foreground"
run sdpod stats --no-stream --format '{{.MemLimit}}' front
is "$out" 67108864 "... as stats sees it"
sdpod rm -f -t 0 front >/dev/null
wait $front
finish
