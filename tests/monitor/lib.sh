# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034
# What the monitor's tests share: a monitor of this user under systemd, with the descriptors' store.
# shellcheck source=tests/lib/tap.sh
. "$TESTS/lib/tap.sh"
PROBE=$TESTS/monitor-probe
UNITS=$HOME/.config/systemd/user
STORE=$XDG_RUNTIME_DIR/sdpod

id_of() { # NUMBER
        printf '%064x' "$1"
}

# One that no earlier file of tests had, whose containers the journal still knows.
number_of_now() {
        echo $(($(date +%s) * 100))
}

monitor_up() {
        mkdir -p "$UNITS"
        cp "$TESTS/units/sdpod-monitor.socket" "$UNITS"
        sed "s|@libexecdir@|$TESTS|" "$TESTS/units/sdpod-monitor.service.in" >"$UNITS/sdpod-monitor.service"
        systemctl --user daemon-reload
        systemctl --user stop sdpod-monitor.socket sdpod-monitor.service 2>/dev/null
        rm -rf "$STORE"
        systemctl --user start sdpod-monitor.socket
        at_end monitor_down
}

monitor_down() {
        systemctl --user stop sdpod-monitor.socket sdpod-monitor.service
        rm -rf "$UNITS/sdpod-monitor.socket" "$UNITS/sdpod-monitor.service" "$STORE"
        systemctl --user daemon-reload
}

monitor_pid() {
        systemctl --user show --value -p MainPID sdpod-monitor.service
}

is_complete() { # ID
        [[ $("$PROBE" state "$1") == complete* ]]
}

# How many descriptors lie in the store.
stored() {
        systemctl --user show --value -p NFileDescriptorStore sdpod-monitor.service
}
