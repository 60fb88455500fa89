#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Health checks: their schedule in the background, in the foreground and without systemd; what they find, and what is done then.
# shellcheck disable=SC2016,SC2317  # the inner shells expand their own words; functions are called by until_ok
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -af -t 0
health() { # NAME: its health
        sdpod inspect -f '{{.State.Health.Status}}' "$1"
}
is_health() { # NAME WORD
        [ "$(health "$1")" = "$2" ]
}
timers() { # ID: how many timers there are
        systemctl --user list-units --all --plain --no-legend "sdpod-health-$1-*.timer" | wc -l
}
run_checked() { # NAME OPTION...: a container in the background that is well while /tmp/well is there
        local name=$1
        shift
        sdpod run -d --name "$name" --network none --health-cmd 'echo looked; test -e /tmp/well' --health-interval 1s "$@" \
                $BUSYBOX sh -c 'trap "exit 5" TERM; touch /tmp/well; while :; do sleep 0.1; done' >/dev/null
}

# --- what a container says in its checks, where all of it is to be kept
sdpod run -d --name loud --network none --health-interval disable --health-max-log-size 0 --health-max-log-count 0 \
        --health-cmd 'head -c 1048576 /dev/zero | tr "\000" "\001"; test -e /well' $BUSYBOX sh -c 'touch /well; sleep 1000' >/dev/null
ok "a check that says much passes" until_ok 10 sdpod healthcheck run loud
for i in 1 2 3; do run sdpod healthcheck run loud; done
is "$status:$err:$(health loud)" 0::healthy "... and does not keep those after it from being noted"
sdpod exec loud rm /well
run sdpod healthcheck run loud
is "$status:$(sdpod inspect -f '{{.State.Health.FailingStreak}}' loud)" 1:1 "... nor from failing"
sdpod rm -f -t 0 loud >/dev/null

# --- by systemd's timer
run_checked h1 --health-retries 2
id=$(sdpod inspect -f '{{.Id}}' h1)
ok "a container becomes healthy" until_ok 10 is_health h1 healthy
is "$(timers "$id")" 1 "... by a timer"
ok "... and no process that waits" until_ok 5 eval '! pgrep -f "[_]_health.*$id"'
like "$(sdpod ps --format '{{.Status}}' --filter name=h1)" '^Up .* \(healthy\)$' "ps says so"
is "$(sdpod ps -q --filter health=healthy | wc -l):$(sdpod ps -q --filter health=unhealthy | wc -l)" 1:0 "--filter health="
run sdpod healthcheck run h1
is "$status:$out" 0: "healthcheck run: it passes"
is "$(sdpod inspect -f '{{with index .State.Health.Log 0}}{{.ExitCode}} {{.Output}}{{end}}' h1)" "0 looked" "inspect has results"
sdpod exec h1 rm /tmp/well
ok "it becomes unhealthy" until_ok 15 is_health h1 unhealthy
like "$(sdpod inspect -f '{{.State.Health.FailingStreak}}' h1)" '^([2-9]|[1-9][0-9]+)$' "... after two failures"
run sdpod healthcheck run h1
is "$status:$out" 1:unhealthy "healthcheck run: it does not"
sdpod exec h1 touch /tmp/well
ok "... and healthy again" until_ok 10 is_health h1 healthy
ok "events tell of it to people" grep -q ' health_status .*(image=.*, name=h1, health_status=unhealthy)' <(sdpod events --stream=false --filter container=h1)
ok "events tell of it" grep -q unhealthy <(sdpod events --stream=false --filter event=health_status --filter container=h1 --format '{{.HealthStatus}}')
ok "... and JSON has it under Podman's key" grep -q '"health_status":"unhealthy"' <(sdpod events --stream=false --filter event=health_status --filter container=h1 --format json)
is "$(systemctl --user show -p StartLimitIntervalUSec "$(systemctl --user list-units --all --plain --no-legend "sdpod-health-$id-*.timer" |
        sed 's/[.]timer .*/.service/')")" StartLimitIntervalUSec=0 "systemd takes frequent checks for no restart loop"
is "$(seq 8 | xargs -P 8 -I{} sh -c 'sdpod healthcheck run h1 >&2; echo $?' | sort -u)" 0 "healthcheck run waits for a check that is under way"
is "$(sdpod inspect -f '{{len .State.Health.Log}}' h1)" 5 "five results are kept"
sdpod stop -t 2 h1 >/dev/null
has_timers() { [ "$(timers "$1")" = "$2" ]; } # ID N
ok "the timer goes with the container's end" until_ok 5 has_timers "$id" 0
run sdpod healthcheck run h1
exits 125 "no check of a container that does not run"
sdpod start h1 >/dev/null
ok "the next start begins anew" until_ok 10 is_health h1 healthy
sdpod rm -f -t 0 h1 >/dev/null
ok "... and rm -f leaves no timer" until_ok 5 has_timers "$id" 0
ok "... and no unit of a check" until_ok 5 eval '[[ -z $(systemctl --user list-units --all --plain --no-legend "sdpod-health-$id*") ]]'

# --- what the image says, and the command line
run sdpod run --rm --network none --health-retries 2 $BUSYBOX true
exits 125 "an option of a check without one"
like "$err" "there is no health check" "... says so"
run sdpod run --rm --network none --health-cmd none --health-retries 2 $BUSYBOX true
is "$status" 0 "none is no check"
run sdpod healthcheck run no-such
exits 125 "a container that is none"

# --- the start period, and a check that takes too long
sdpod run -d --name h2 --network none --health-cmd false --health-interval 1s --health-start-period 1h --health-retries 1 $BUSYBOX sleep inf >/dev/null
until_ok 10 sh -c 'test "$(sdpod inspect -f "{{len .State.Health.Log}}" h2)" -ge 2'
is "$(health h2) $(sdpod inspect -f '{{.State.Health.FailingStreak}}' h2)" "starting 0" "failures of the start period do not count"
sdpod rm -f -t 0 h2 >/dev/null
sdpod run -d --name h3 --network none --health-cmd 'sleep 1234 & sleep 1233' --health-timeout 1s --health-interval 1s --health-retries 1 \
        $BUSYBOX sleep inf >/dev/null
ok "a check that takes too long has failed" until_ok 15 is_health h3 unhealthy
sdpod pause h3 >/dev/null && sdpod unpause h3 >/dev/null
sleeping() { sdpod top h3 args | grep -c 'sleep 123[34]'; }
few() { [ "$(sleeping)" -le 2 ]; }
until_ok 20 sh -c '[ "$(sdpod inspect -f "{{.State.Health.FailingStreak}}" h3)" -ge 4 ]'
ok "... and is ended with all that it has started" few
sdpod rm -f -t 0 h3 >/dev/null

# --- what is done
run_checked kill1 --restart always --health-retries 1 --health-on-failure kill
until_ok 10 is_health kill1 healthy
sdpod exec kill1 rm /tmp/well
restarted() { [ "$(sdpod inspect -f '{{.RestartCount}}' kill1)" -ge 1 ] && is_health kill1 healthy; }
ok "kill: the restart policy brings it back" until_ok 20 restarted
ok "... with one timer" until_ok 5 has_timers "$(sdpod inspect -f '{{.Id}}' kill1)" 1
sdpod rm -f -t 0 kill1 >/dev/null
run_checked stop1 --restart always --health-retries 1 --health-on-failure stop --stop-timeout 2
until_ok 10 is_health stop1 healthy
sdpod exec stop1 rm /tmp/well
ok "stop: it stays stopped" until_ok 20 sh -c '[ "$(sdpod inspect -f "{{.State.Status}} {{.State.ExitCode}}" stop1)" = "exited 5" ]'
sdpod rm -f -t 0 stop1 >/dev/null
run_checked re1 --health-retries 1 --health-on-failure restart --stop-timeout 2
until_ok 10 is_health re1 healthy
pid=$(sdpod inspect -f '{{.State.Pid}}' re1)
sdpod exec re1 rm /tmp/well
again() { [ "$(sdpod inspect -f '{{.State.Pid}}' re1)" != "$pid" ] && is_health re1 healthy; }
ok "restart: another process, which is well" until_ok 20 again
ok "... with one timer" until_ok 5 has_timers "$(sdpod inspect -f '{{.Id}}' re1)" 1
sdpod rm -f -t 0 re1 >/dev/null

# --- the start-up check
sdpod run -d --name up --network none --health-cmd 'echo regular' --health-interval 1s --health-startup-cmd 'echo startup; test -e /tmp/up' \
        --health-startup-interval 1s --health-startup-success 2 $BUSYBOX sleep inf >/dev/null
until_ok 10 sh -c 'sdpod inspect -f "{{range .State.Health.Log}}{{.Output}}{{end}}" up | grep -q startup'
is "$(health up)" starting "a container is starting until its start-up check has passed"
sdpod exec up touch /tmp/up
ok "... then the other one is made" until_ok 15 is_health up healthy
sdpod rm -f -t 0 up >/dev/null

# --- in the foreground, and without systemd's timer
sdpod run --rm --name fg --network none --health-cmd true --health-interval 1s $BUSYBOX sleep 1000 &
fg=$!
ok "in the foreground" until_ok 10 is_health fg healthy
is "$(timers "$(sdpod inspect -f '{{.Id}}' fg)")" 0 "... there is no timer"
sdpod kill fg >/dev/null
wait "$fg"
ok "... and nothing is left to wait" until_ok 5 sh -c '! pgrep -f "sdpod .*[_]_health "'
sdpod run -d --cgroups=disabled --name plain --network none --health-cmd true --health-interval 1s $BUSYBOX sleep inf >/dev/null
ok "without a unit" until_ok 10 is_health plain healthy
sdpod rm -f -t 0 plain >/dev/null

# --- a unit that is ready once its container is well
units=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
mkdir -p "$units"
at_end rm -f "$units/well.container"
cat >"$units/well.container" <<END
[Container]
Image=$BUSYBOX
ContainerName=well
Network=none
Exec=sh -c 'sleep 2; touch /tmp/well; sleep inf'
HealthCmd=test -e /tmp/well
HealthInterval=1s
HealthRetries=20
Notify=healthy
END
systemctl --user daemon-reload
at_end systemctl --user stop well
run systemctl --user start well
is "$status:$(health well)" 0:healthy "Notify=healthy: the unit is ready once its container is well"
well=$(sdpod inspect -f '{{.Id}}' well)
is "$(timers "$well")" 1 "... and goes on being checked"
systemctl --user stop well
ok "... and its timer goes with it" until_ok 5 has_timers "$well" 0
finish
