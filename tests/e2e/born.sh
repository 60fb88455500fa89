#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# Containers in the foreground are born in a cgroup of sdpod-containers.service: where they are, what works on them there, what
# is left of them however they end, and what becomes of them when the unit's parts go.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
nest=$TESTS/machine/nest
user=e2e-born
as() { "$nest" as $user "$@"; }
printf '. $TESTS/lib/e2e.sh\ntap_finished=1\nimage_load busybox\n' >"$T/body"
as env TESTS="$TESTS" bash -s <"$T/body" || exit 99
uid=$("$nest" in id -u $user)
manager=/user.slice/user-$uid.slice/user@$uid.service
unit=$manager/app.slice/sdpod-containers.service
dir=/sys/fs/cgroup$unit
R="sdpod run --rm --network none"

inside() { # what cgroups are left in the unit
        "$nest" in find "$dir" -mindepth 1 -type d -printf '%P\n' 2>/dev/null | grep -v '^holder$'
}
begin() { # [OPTION...] starts the container b in the foreground, in the background of a service of the user's; the ID in $id
        as sh -c "systemd-run --user --quiet --collect --unit=born -- sdpod run --network none --name b $* $BUSYBOX sleep 1000"
        until_ok 10 as sdpod container exists b
        until_ok 10 as sh -c '[ "$(sdpod inspect -f "{{.State.Running}}" b)" = true ]'
        id=$(as sdpod inspect -f '{{.Id}}' b)
}
placed() { # where the init is
        as sh -c 'cat /proc/$(sdpod inspect -f "{{.State.Pid}}" b)/cgroup' | sed -n 's/^0:://p'
}
ended() {
        as sh -c '! sdpod container exists b || [ "$(sdpod inspect -f "{{.State.Running}}" b)" = false ]'
}

as systemctl --user stop sdpod-containers.service
begin --rm
is "$(placed)" "$unit/$id" "a container in the foreground is born in the unit, which the first one starts"
is "$(as sdpod inspect -f '{{.State.CgroupPath}}' b)" "$unit/$id" "inspect says so"
is "$(as systemctl --user list-units --all --no-legend 'sdpod-*.scope')" "" "there is no scope"
is "$(as sdpod exec b cat /proc/self/cgroup | sed -n 's/^0:://p')" / "exec is in the container's cgroup"
is "$("$nest" login $user sdpod exec b cat /proc/self/cgroup | sed -n 's/^0:://p')" / "... from a login session too"
as sdpod pause b >/dev/null
is "$("$nest" in cat "$dir/$id/cgroup.freeze")" 1 "pause freezes it"
as sdpod unpause b >/dev/null
is "$("$nest" in cat "$dir/$id/cgroup.events" | sed -n 's/^frozen //p')" 0 "unpause thaws it"
as mkdir -p "$dir/$id/deep/er" "$dir/$id/wide"
as sdpod stop -t 0 b >/dev/null
until_ok 10 ended
is "$(inside)" "" "nothing is left when it has ended, sub-cgroups neither"

begin
as sdpod kill b >/dev/null
until_ok 10 ended
is "$(inside)" "" "nothing is left of a container that stays on record"
is "$(as sdpod inspect -f '{{.State.ExitCode}}' b)" 137 "... with its exit code"
as sdpod rm b >/dev/null

for kind in "" --rm; do
        begin $kind
        as systemctl --user kill --kill-whom=main --signal=KILL born.service
        until_ok 10 ended
        as sh -c "$R $BUSYBOX true; sdpod rm -f --ignore b; true" >/dev/null
        is "$(inside)" "" "kill -9 of sdpod run $kind: nothing is left once the next commands have run"
done
run "$nest" as $user $R $BUSYBOX /missing
is "$status $(inside)" "127 " "a program that is not there leaves no cgroup"

# --- who is not born there
is "$(as $R --cgroups=disabled $BUSYBOX cat /proc/self/cgroup | sed -n 's/^0:://p' | grep -c containers)" 0 "--cgroups=disabled"
begin --rm --cgroup-parent=born.slice
like "$(placed)" "^$manager/born.slice/sdpod-$id.scope$" "--cgroup-parent is a scope in this slice"
as sdpod rm -f -t 0 b >/dev/null
"$nest" login $user sh -c "$R --name b $BUSYBOX sleep 1000" &
until_ok 10 as sh -c '[ "$(sdpod inspect -f "{{.State.Running}}" b 2>/dev/null)" = true ]'
id=$(as sdpod inspect -f '{{.Id}}' b)
like "$(placed)" "/sdpod-$id.scope$" "a container of a login session has a scope"
as sdpod rm -f -t 0 b >/dev/null
wait

# --- the unit's parts
begin --rm
"$nest" in pkill -KILL -u $user -x sdpod-container
until_ok 10 "$nest" in sh -c "! pgrep -u $user -x sdpod-container"
as systemctl --user daemon-reload
as systemctl --user daemon-reexec
as systemctl --user kill --signal=KILL sdpod-monitor.service 2>/dev/null
is "$(as sdpod exec b echo alive)" alive "the holder, the monitor and the manager go or come anew: the container runs on"
is "$(as $R $BUSYBOX echo more)" more "... and others are born beside it"
as sdpod rm -f -t 0 b >/dev/null
until_ok 10 as sh -c '! systemctl --user is-active --quiet sdpod-containers.service'
is "$(as $R $BUSYBOX echo again)" again "without a holder the unit ends with the last container, and begins with the next"
is "$(as systemctl --user is-active sdpod-containers.service)" active "... and is held again"
begin
as systemctl --user stop sdpod-containers.service
until_ok 20 ended
is "$(as sdpod inspect -f '{{.State.ExitCode}}' b)" 137 "to stop the unit is to end its containers"
as sdpod rm b >/dev/null

# --- limits: in the default run most machines have only some controllers
controllers=$("$nest" in cat "/sys/fs/cgroup$manager/cgroup.controllers")
begin --rm
is "$("$nest" in cat "$dir/$id/cgroup.controllers")" "$controllers" "every controller that the user has is handed down to a container"
as sdpod rm -f -t 0 b >/dev/null
if [[ " $controllers " != *" memory "* ]]; then
        run "$nest" as $user $R -m 64m $BUSYBOX true
        exits 126 "a limit without a controller is refused"
        like "$err" "controller 'memory'" "... by name"
fi

# --- root's, whose store in the machine is on no disk
root="sdpod --root /home/born"
at_end "$nest" in rm -rf /home/born
"$nest" in $root load -q -i "$(image_file busybox)" >/dev/null
"$nest" in $root run --rm --network none --name b $BUSYBOX sleep 1000 &
until_ok 10 "$nest" in sh -c "[ \"\$($root inspect -f '{{.State.Running}}' b 2>/dev/null)\" = true ]"
id=$("$nest" in $root inspect -f '{{.Id}}' b)
is "$("$nest" in $root inspect -f '{{.State.CgroupPath}}' b)" "/system.slice/sdpod-containers.service/$id" "root's are the system manager's"
"$nest" in $root rm -f -t 0 b >/dev/null
wait
is "$("$nest" in ls -d "/sys/fs/cgroup/system.slice/sdpod-containers.service/$id" 2>/dev/null)" "" "... and leave nothing"
finish
