#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# What a container that root runs may say to systemd: of itself all, of the machine's other processes nothing, though it is root outside.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
chmod 755 "$T"
build_program notify "$T/notify" >"$T/why" || skip_all "$(cat "$T/why")"
RUN_TIMEOUT=60
units=/etc/containers/systemd
names=(liar told fed dog mapped)
mkdir -p "$units"
at_end systemctl daemon-reload
at_end rm -f "$units"/{liar,told,fed,dog,mapped}.container
at_end systemctl stop "${names[@]/%/.service}" notify-victim.service
prop() { systemctl show -P "$2" "$1.service"; }
unit() { # NAME COMMAND [CONTAINER-LINES [SERVICE-LINES]]
        cat >"$units/$1.container" <<-END
		[Container]
		Image=$BUSYBOX
		Network=none
		Volume=$T/notify:/notify:ro
		Notify=yes
		Exec=sh -c '$2'
		${3:-}
		[Service]
		${4:-}
	END
}
relays() { pgrep -cf '[s]dpod .*__notify'; }
systemd-run --quiet --unit=notify-victim sleep 1000
victim=$(prop notify-victim MainPID)
stays='trap "/notify STOPPING=1; exit 0" TERM; while :; do usleep 50000; done'
unit liar "/notify READY=1 MAINPID=$victim FDSTORE=1; $stays"
unit told "/notify STATUS=working; /notify READY=1; $stays"
unit fed "/notify READY=1; trap \"exit 0\" TERM; while :; do /notify WATCHDOG=1; usleep 100000; done" "" WatchdogSec=2
unit dog "/notify READY=1; trap \"exit 0\" TERM; while :; do usleep 50000; done" "" $'WatchdogSec=1\nNotifyAccess=main'
unit mapped "/notify READY=1 MAINPID=$victim; $stays" $'UIDMap=0:100000:65536\nGIDMap=0:100000:65536'
systemctl daemon-reload

run systemctl start liar.service told.service fed.service dog.service mapped.service
exits 0 "five services say that they are ready, one where systemd hears the main process alone"
for name in liar mapped; do
        main=$(prop $name MainPID)
        is "$(cat "/proc/$main/comm"):$(prop $name NFileDescriptorStore)" sh:0 "$name: what a payload says of other processes is not believed"
        like "$(tail -n 1 "/proc/$main/cgroup")" "${name}[.]service" "... the main process is still its own"
done
is "$(prop told StatusText)" working "STATUS= of the payload is the unit's"
ok "WatchdogSec= ends a service that says nothing" until_ok 15 sh -c '[ "$(systemctl show -P Result dog.service)" = watchdog ]'
is "$(prop fed ActiveState)" active "... and not one that does"
run systemctl stop "${names[@]/%/.service}"
is "$status:$(prop notify-victim MainPID):$(prop notify-victim ActiveState)" "0:$victim:active" "a unit that is stopped ends its own processes"
is "$(prop liar Result):$(prop told Result)" success:success "... well"
ok "no process is left that listens" until_ok 10 sh -c '! pgrep -f "[s]dpod .*__notify" >/dev/null'
is "$(relays)" 0 "... of any"
finish
