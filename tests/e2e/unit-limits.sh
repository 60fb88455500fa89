#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The limits of a container's unit are the container's: memory and number of processes. A kill for want of memory shows as one in the
# unit's result, in `systemctl status`, in inspect and in events.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
units=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
mkdir -p "$units"
RUN_TIMEOUT=120
names=(plain tasks key eater child stop group)
at_end systemctl --user daemon-reload
at_end rm -rf "$units"
at_end systemctl --user stop "${names[@]/%/.service}"
prop() { systemctl --user show -P "$2" "$1.service"; }
events_of() { sdpod events --stream=false --filter container="systemd-$1" --format '{{.Status}} {{.ContainerExitCode}}' | sed 's/ 0$//' | xargs; }

unit() { # NAME COMMAND [CONTAINER-LINES [SERVICE-LINES]]
        cat >"$units/$1.container" <<-END
		[Container]
		Image=$BUSYBOX
		Network=none
		Exec=sh -c '$2'
		${3:-}
		[Service]
		${4:-}
	END
}
stays='trap "exit 0" TERM; while :; do usleep 50000; done'
eats='x=; while :; do x=$$x$$(head -c 1000000 /dev/zero | tr "\\\\0" x); done'
small=$'MemoryMax=48M\nMemorySwapMax=0'
unit plain "trap \"exit 3\" USR1; $stays"
unit tasks "i=0; while [ \$\$i -lt 40 ]; do sleep 1000 & i=\$\$((i+1)); done; echo through" "" TasksMax=25
unit key "$stays" $'Memory=40m\nPidsLimit=30'
unit eater "$eats" "" "$small"
unit child "($eats); echo survived; $stays" "" "$small"$'\nOOMPolicy=continue'
unit stop "($eats); echo survived; $stays" "" "$small"$'\nOOMPolicy=stop'
unit group "($eats); echo survived; $stays" "" "$small"$'\nOOMPolicy=kill'
systemctl --user daemon-reload

# --- how a unit's container ends is an event, as that of any other
run systemctl --user start plain.service
kill -USR1 "$(prop plain MainPID)"
until_ok 10 sh -c '[ "$(systemctl --user is-active plain.service)" = failed ]'
is "$(prop plain Result):$(prop plain ExecMainStatus)" exit-code:3 "a container in a unit ends with 3"
is "$(events_of plain)" "create init start died 3 cleanup remove" "... which its events tell"
run systemctl --user start plain.service
run systemctl --user stop plain.service
like "$(events_of plain)" "start died cleanup remove\$" "... as they do of one that is stopped"

for controller in memory pids; do
        if why=$(lacks_controller $controller); then
                skip "limits of units hold" "$why"
                finish
        fi
done

# --- limits
run systemctl --user start key.service
is "$status:$(sdpod exec systemd-key cat /sys/fs/cgroup/memory.max /sys/fs/cgroup/pids.max | xargs)" "0:41943040 30" "Memory= and PidsLimit= are the container's limits"
systemctl --user start tasks.service
ok "TasksMax= of the unit holds: no process beyond it" until_ok 30 sh -c 'journalctl --user -u tasks -q -o cat | grep -q "can.t fork"'
unlike "$(journalctl --user -u tasks -q -o cat)" through "... and the container ends at that"

# --- too little memory
systemctl --user start eater.service 2>/dev/null
ok "a container that takes more than MemoryMax= of the unit is ended" until_ok 60 sh -c '[ "$(systemctl --user is-active eater.service)" = failed ]'
run systemctl --user status --no-pager eater.service
like "$out" "killed by the OOM killer" "... which status shows"
like "$(events_of eater)" "start oom died 137 cleanup remove\$" "... and events"
is "$(sdpod events --stream=false --filter event=oom --format '{{.Name}}')" systemd-eater "... by a filter, too"

systemctl --user start child.service
ok "OOMPolicy=continue: only the process that took it is killed" until_ok 60 sh -c 'journalctl --user -u child -q -o cat | grep -qx survived'
is "$(prop child ActiveState)" active "... and the unit goes on"
is "$(sdpod inspect -f '{{.State.Running}} {{.State.OOMKilled}}' systemd-child)" "true true" "... while inspect tells of it"
run systemctl --user stop child.service
is "$(prop child Result)" success "... and it ends well"
systemctl --user start stop.service 2>/dev/null
ok "OOMPolicy=stop: the unit ends with the result oom-kill" until_ok 60 sh -c '[ "$(systemctl --user is-active stop.service)" = failed ]'
is "$(prop stop Result)" oom-kill "... as its properties say"
run systemctl --user status --no-pager stop.service
like "$out" "Result: oom-kill" "... and status"
like "$(events_of stop)" "start oom died( [0-9]+)? cleanup remove\$" "... and events"
systemctl --user start group.service 2>/dev/null
ok "OOMPolicy=kill: all of the container is killed" until_ok 60 sh -c '[ "$(systemctl --user show -P Result group.service)" = oom-kill ]'
unlike "$(journalctl --user -u group -q -o cat)" survived "... at once"

# --- the same without a unit of one's own
sdpod run -d --name held --network none -m 32m --memory-swap 32m $BUSYBOX \
        sh -c 'x=; if mkdir /eaten; then while :; do x=$x$(head -c 1000000 /dev/zero | tr "\0" x); done; fi; sleep 1000' >/dev/null
run sdpod wait held
is "$out:$(sdpod inspect -f '{{.State.OOMKilled}} {{.State.ExitCode}}' held)" "137:true 137" "a container in the background: inspect tells"
is "$(sdpod events --stream=false --filter container=held --format '{{.Status}}' | xargs)" "create init start oom died cleanup" "... and its events"
run sdpod start held
run sdpod kill -s KILL held
run sdpod wait held
is "$(sdpod inspect -f '{{.State.OOMKilled}}' held)" false "... of one that somebody else killed they do not"
sdpod rm -f held >/dev/null
finish
