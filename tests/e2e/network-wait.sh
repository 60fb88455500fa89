#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# A user's containers at boot, before the network is there: they wait for the system's network-online.target where somebody has asked for it,
# and not where nobody has; a target that never comes costs them time, and nothing else.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
user=waiting
AS="$TESTS/machine/nest as $user"
RUN_TIMEOUT=60
gate=/run/sdpod-test-gate
wait=sdpod-user-wait-network-online.service
$AS env TESTS="$TESTS" bash -c '. "$TESTS/lib/e2e.sh"; image_load busybox; tap_finished=1' || exit 99
units=$(getent passwd $user | cut -d: -f6)/.config
at_end rm -rf /etc/systemd/system/slow-network.service "$gate" "$units/containers" "$units/systemd/user/$wait.d"
at_end systemctl daemon-reload
at_end systemctl stop slow-network.service network-online.target
at_end $AS systemctl --user stop early.service $wait
sc() { $AS systemctl --user "$@"; }
state() { sc show -P ActiveState "$1"; }

$AS mkdir -p "$units/containers/systemd" "$units/systemd/user/$wait.d"
$AS tee "$units/containers/systemd/early.container" >/dev/null <<END
[Container]
Image=$BUSYBOX
Network=none
Exec=sh -c 'trap "exit 0" TERM; while :; do usleep 50000; done'
END
# what brings the network up, and takes its time
mkfifo $gate
cat >/etc/systemd/system/slow-network.service <<END
[Unit]
Before=network-online.target
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'read -r word <$gate'
END
systemctl daemon-reload
sc daemon-reload
again() {
        sc stop early.service $wait
        systemctl stop network-online.target slow-network.service
}
again

run $AS systemctl --user start early.service
is "$status:$(state early.service)" 0:active "where nobody has asked for the target there is nothing to wait for"
again
systemctl start --no-block slow-network.service network-online.target
until_ok 10 sh -c '[ "$(systemctl show -P ActiveState slow-network.service)" = activating ]'
sc start --no-block early.service
until_ok 10 eval '[[ $(state $wait) == activating ]]'
is "$(state $wait):$(state early.service)" activating:inactive "where the target is on its way the container waits"
echo open >$gate
ok "... until it is there" until_ok 20 eval '[[ $(state early.service) == active ]]'
again
systemctl start --no-block slow-network.service network-online.target
until_ok 10 sh -c '[ "$(systemctl show -P ActiveState slow-network.service)" = activating ]'
# as the service is, with a second in the place of ninety
line=$(sc cat $wait | sed -n 's/^ExecStart=//p' | sed 's/-lt 180/-lt 2/')
$AS tee "$units/systemd/user/$wait.d/short.conf" >/dev/null <<<$'[Service]\nExecStart=\nExecStart='"$line"
sc daemon-reload
run $AS systemctl --user start early.service
is "$status:$(state early.service):$(systemctl show -P ActiveState network-online.target)" 0:active:inactive "a target that does not come is waited for in a bounded time"
ok "... which the journal tells" until_ok 10 eval '[[ $($AS journalctl --user -u $wait -o cat --no-pager -n 5) == *"going on without it"* ]]'
is "$(sc show -P Result $wait)" success "... and nothing fails"
echo open >$gate
finish
