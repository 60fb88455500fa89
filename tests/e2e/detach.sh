#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# `sdpod run -d` from a shell: a transient service that systemd restarts, and what a stop and start of the user manager
# (a logout, a reboot) leaves of it.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
nest=$TESTS/machine/nest
user=e2e-detach
as() { "$nest" as $user "$@"; }
id=$("$nest" as $user id -u)
as env TESTS="$TESTS" bash -c '. $TESTS/lib/e2e.sh; image_load busybox; tap_finished=1' || exit 99
pid_of() { as sdpod inspect -f '{{.State.Pid}}' r 2>/dev/null; }
running() { [[ $(as sdpod inspect -f '{{.State.Status}}' r 2>/dev/null) == running && $(pid_of) -gt 1 ]]; }
other_than() { running && [[ $(pid_of) != "$1" ]]; }
at_end as sdpod rm -f -t 0 r

run "$nest" as $user sdpod run -d --restart=always --name r --network none $BUSYBOX sleep inf
exits 0 "run -d --restart=always"
pid=$(pid_of)
like "$(tail -n 1 "/proc/$pid/cgroup" 2>/dev/null)" "user@$id.service/.*\.service" "it is a service of the user's manager"
kill -9 "$pid"
ok "after kill -9 of its init it runs again" until_ok 15 other_than "$pid"
pid=$(pid_of)
run "$nest" as $user sdpod inspect -f '{{.RestartCount}}' r
like "$out" '^[1-9]' "... and the restart is counted"
run "$nest" as $user systemctl --user daemon-reload
is "$(pid_of)" "$pid" "a daemon-reload leaves it alone"

# The unit is enabled as a distribution would, then the manager goes and comes.
run "$nest" as $user systemctl --user enable sdpod-restart.service
exits 0 "sdpod-restart.service can be enabled"
systemctl stop "user@$id.service"
ok "with the user manager the container ends" until_ok 20 sh -c "! kill -0 $pid"
systemctl start "user@$id.service"
ok "after its start sdpod-restart.service has run" until_ok 20 as sh -c '[ "$(systemctl --user show -p ActiveState --value sdpod-restart)" = active ]'
ok "... and the container runs" until_ok 20 running
run "$nest" as $user sdpod stop -t 1 r
exits 0 "stop"
is "$(as sdpod inspect -f '{{.State.Status}}' r)" exited "after stop it does not run"
systemctl restart "user@$id.service"
until_ok 20 as sh -c '[ "$(systemctl --user show -p ActiveState --value sdpod-restart)" = active ]'
run "$nest" as $user sdpod inspect -f '{{.State.Status}}' r
like "$out" '^(running|exited)$' "restart=always after a stop by the user: as Podman has it, the next boot starts it"
as sdpod rm -f -t 0 r >/dev/null
run "$nest" as $user sdpod run -d --restart=unless-stopped --name r --network none $BUSYBOX sleep inf
as sdpod stop -t 0 r >/dev/null
systemctl restart "user@$id.service"
until_ok 20 as sh -c '[ "$(systemctl --user show -p ActiveState --value sdpod-restart)" = active ]'
is "$(as sdpod inspect -f '{{.State.Status}}' r)" exited "unless-stopped stays stopped over a restart of the manager"
as sdpod rm -f -t 0 r >/dev/null

run "$nest" as $user sdpod run -d --restart=on-failure:2 --name r --network none $BUSYBOX sh -c 'exit 3'
ok "on-failure:2 gives up after two" until_ok 20 as sh -c '[ "$(sdpod inspect -f "{{.State.Status}} {{.RestartCount}}" r)" = "exited 2" ]'
is "$(as sdpod inspect -f '{{.State.ExitCode}}' r)" 3 "... with the exit code"
as sdpod rm -f -t 0 r >/dev/null
run "$nest" as $user sdpod run -d --restart=on-failure --name r --network none $BUSYBOX true
ok "on-failure does not restart a success" until_ok 10 as sh -c '[ "$(sdpod inspect -f "{{.State.Status}} {{.RestartCount}}" r)" = "exited 0" ]'
as sdpod rm -f r >/dev/null
run "$nest" as $user sdpod run -d --rm --name r --network none $BUSYBOX sh -c 'sleep 0.5; exit 3'
is "$(as sdpod wait r)" 3 "wait on run -d --rm has the code"
ok "... and the container is gone" until_ok 10 as sh -c '! sdpod container exists r'
run "$nest" as $user systemctl --user list-units --all --plain --no-legend '*sdpod*' --state=failed
is "$out" "" "no failed unit is left"
finish
