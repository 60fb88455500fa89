#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What systemd does with the service of a container as with any other: watchdog, timeouts, reload, messages of the payload, limits of
# restarts, and what status, cgls and the journal show of it.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
units=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
mkdir -p "$units"
chmod 755 "$T"
build_program notify "$T/notify" >"$T/why" || skip_all "$(cat "$T/why")"
RUN_TIMEOUT=60
names=(dog fed deaf heard told liar limited)
at_end systemctl --user daemon-reload
at_end rm -rf "$units"
at_end systemctl --user stop "${names[@]/%/.service}"
prop() { systemctl --user show -P "$2" "$1.service"; }

unit() { # NAME COMMAND [CONTAINER-LINES [SERVICE-LINES]]
        cat >"$units/$1.container" <<-END
		[Container]
		Image=$BUSYBOX
		Network=none
		Volume=$T/notify:/notify:ro
		Exec=sh -c '$2'
		${3:-}
		[Service]
		${4:-}
	END
}
stays='trap "exit 0" TERM; while :; do usleep 50000; done'
unit dog "/notify READY=1; $stays" Notify=yes WatchdogSec=1
unit fed "/notify READY=1; trap \"exit 0\" TERM; while :; do /notify WATCHDOG=1; usleep 100000; done" Notify=yes WatchdogSec=5
unit deaf "trap : TERM; while :; do usleep 50000; done" StopTimeout=300 TimeoutStopSec=1
unit heard "trap \"echo reloaded\" HUP; $stays" ReloadSignal=HUP
unit told "/notify READY=1 STATUS=working; trap \"/notify STOPPING=1; exit 0\" TERM; while :; do usleep 50000; done" Notify=yes
unit liar "/notify READY=1 MAINPID=1 MAINPID=2 FDSTORE=1; $stays" Notify=yes
unit limited "exit 9" "" $'Restart=on-failure\nRestartSec=50ms'
sed -i '1i [Unit]\nStartLimitIntervalSec=60\nStartLimitBurst=3' "$units/limited.container"
systemctl --user daemon-reload

run systemctl --user start dog.service fed.service deaf.service heard.service told.service
exits 0 "six services"
ok "WatchdogSec= ends a service that says nothing" until_ok 15 sh -c '[ "$(systemctl --user show -P Result dog.service)" = watchdog ]'
is "$(prop told StatusText)" "working" "STATUS= of the payload is the unit's"
systemctl --user start liar.service
main=$(prop liar MainPID)
is "$(prop liar ActiveState):$(cat "/proc/$main/comm"):$(prop liar NFileDescriptorStore)" active:sh:0 "what a payload says of other processes is not believed"
like "$(tail -n 1 "/proc/$main/cgroup")" "liar[.]service" "... the main process is still its own"
run systemd-run --user --quiet --unit mute -p Type=notify -p NotifyAccess=all -p Delegate=yes -p TimeoutStartSec=1 -p KillMode=mixed \
        sdpod run -d --rm --name mute --cgroups=split --sdnotify=ignore --network none $BUSYBOX sleep 1000
ok "--sdnotify=ignore: nobody tells systemd that it is ready" until_ok 20 sh -c '[ "$(systemctl --user show -P Result mute.service)" = timeout ] || ! systemctl --user -q is-active mute.service'
unlike "$status" '^0$' "... so that the service does not start"
sdpod rm -f -t 0 mute >/dev/null 2>&1
systemctl --user reset-failed mute.service 2>/dev/null
in_front() { # WORD...: a service whose command stays in the foreground
        run systemd-run --user --quiet --unit front -p Type=notify -p NotifyAccess=all -p Delegate=yes -p TimeoutStartSec=20 -p KillMode=mixed \
                sdpod run --rm --name front --network none -v "$T/notify:/notify:ro" "$@"
}
no_front() {
        sdpod rm -f -t 0 front >/dev/null 2>&1
        systemctl --user stop front.service 2>/dev/null
        systemctl --user reset-failed front.service 2>/dev/null
}
in_front --sdnotify=conmon $BUSYBOX sleep 1000
is "$status:$(prop front ActiveState)" "0:active" "--sdnotify=conmon in the foreground: ready when the container has started"
no_front
in_front --sdnotify=container --cgroups=split $BUSYBOX sh -c "/notify READY=1 STATUS=front; $stays"
is "$status:$(prop front ActiveState):$(prop front StatusText)" "0:active:front" "--sdnotify=container in the foreground, in the service's own cgroup"
no_front
for who in container healthy; do
        run env NOTIFY_SOCKET="$XDG_RUNTIME_DIR/systemd/notify" sdpod run --rm --network none --sdnotify=$who $BUSYBOX true
        is "$status:${err%%$'\n'*}" "125:sdpod: cannot use --sdnotify=$who in the foreground of a service: it is not there yet" "--sdnotify=$who that systemd would not hear is refused"
done
run env NOTIFY_SOCKET="$XDG_RUNTIME_DIR/systemd/notify" sdpod run --rm --network none $BUSYBOX true
exits 0 "... where nobody asked for it, it is not"
run systemctl --user reload heard.service
exits 0 "reload"
ok "... reaches the payload" until_ok 10 sh -c 'sdpod logs systemd-heard | grep -qx reloaded'
run systemctl --user status told.service --no-pager
like "$out" "CGroup:" "status shows the cgroup"
like "$out" "sh -c" "... and the processes in it"
run systemd-cgls --no-pager --user-unit told.service
like "$out" "sh -c" "systemd-cgls shows them"
is "$(journalctl --user -u heard.service CONTAINER_NAME=systemd-heard -o cat --no-pager | grep -x reloaded | sort -u)" reloaded "the journal's lines have the container's name"
start=$SECONDS
run systemctl --user stop deaf.service
ok "TimeoutStopSec= is shorter than the container's own patience" test $((SECONDS - start)) -lt 200
is "$(prop deaf Result):$(sdpod ps -aq --filter name=systemd-deaf)" "timeout:" "... which shows, and nothing stays"
run systemctl --user stop told.service
is "$status:$(prop told Result)" "0:success" "a payload that says STOPPING=1 ends well"
systemctl --user start limited.service 2>/dev/null
ok "StartLimitBurst= holds" until_ok 20 sh -c '[ "$(systemctl --user show -P Result limited.service)" != success ] && [ "$(systemctl --user is-active limited.service)" = failed ]'
is "$(prop limited NRestarts):$(prop limited ExecMainStatus)" "3:9" "... with the payload's exit status"
fed_for() { (($(prop fed WatchdogTimestampMonotonic) > $(prop fed ActiveEnterTimestampMonotonic) + $1)); }
ok "WatchdogSec= goes on being told" until_ok 10 fed_for 6000000
is "$(prop fed ActiveState):$(prop fed NRestarts)" active:0 "... and ends no service that says so"
finish
