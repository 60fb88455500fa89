#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# What comes back after a boot: containers with a restart policy, and those of unit files that something wants. The machine
# really boots, twice: once as `reboot` does it, once as when the power goes. tests/machine/vm runs this file again after
# each boot that it asks for by its exit code (194, 195); the count of the checks is kept meanwhile.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
[[ -n ${SDPOD_TEST_VM:-} ]] || skip_all "it reboots the machine: tests/machine/vm runs it in one of its own"
AS="$TESTS/machine/nest as ada env TESTS=$TESTS"
RUN_TIMEOUT=120

runs() { # NAME [COMMAND...]: by it a user's
        local name=$1
        shift
        [[ $("$@" sdpod ps --filter "name=^$name\$" --format '{{.Names}}') == "$name" ]]
}

prepare() {
        $AS bash -c '. "$TESTS/lib/e2e.sh"; image_load busybox && image_load web; tap_finished=1'
        run $AS sdpod images -q
        like "$out" . "a user who lingers has an image"
        HOME=/root image_load busybox
        run $AS systemctl --user enable sdpod-restart.service
        exits 0 "sdpod-restart.service can be enabled by a user"
        run systemctl enable sdpod-restart.service
        exits 0 "... and by root"
        $AS mkdir -p /home/ada/.config/containers/systemd
        $AS tee /home/ada/.config/containers/systemd/web.container >/dev/null <<-END
		[Container]
		Image=$WEB
		PublishPort=8080:8080
		[Install]
		WantedBy=default.target
	END
        mkdir -p /etc/systemd/system/user@.service.d
        printf '[Service]\nDelegate=cpu cpuset io memory pids\n' >/etc/systemd/system/user@.service.d/delegate.conf
        for policy in always unless-stopped on-failure no; do
                run $AS sdpod run -d --restart $policy --network none --name "r-$policy" $BUSYBOX sh -c 'echo began; exec sleep inf'
                exits 0 "a container with --restart=$policy"
        done
        run $AS sdpod run -d --restart unless-stopped --network none --name halted $BUSYBOX sleep inf
        run $AS sdpod stop -t 0 halted
        exits 0 "one with --restart=unless-stopped is stopped by its user"
        run sdpod run -d --restart always --network none --name system $BUSYBOX sleep inf
        exits 0 "one of root's"
        run $AS sdpod volume create kept
}

# The machine is gone when somebody reads what failed: what its systemd and ours said goes with it.
say_why() {
        run $AS journalctl --user -b --no-pager -o cat -u sdpod-restart -u web -u 'sdpod-*'
        sed 's/^/# /' <<<"$out"
        run $AS cat /run/user/"$(id -u ada)"/sdpod/storage.json
        echo "# $out"
}

check() { # HOW LOGS
        local name failed=$tap_failed
        ok "$1: it is another boot" is_another_boot
        ok "$1: --restart=always runs again" until_ok 60 runs r-always $AS
        ok "$1: --restart=unless-stopped runs again" until_ok 20 runs r-unless-stopped $AS
        for name in r-no r-on-failure halted; do
                run $AS sdpod inspect -f '{{.State.Running}}' $name
                is "$out" false "$1: $name does not"
        done
        ok "$1: root's runs again" until_ok 60 runs system env
        run $AS sdpod logs r-always
        is "$(grep -c began <<<"$out")" "$2" "$1: the log of the runs before is there"
        run $AS systemctl --user is-active sdpod-restart.service
        is "$out" active "$1: sdpod-restart.service did it"
        ok "$1: web.container is up, as default.target wants it" until_ok 60 $AS systemctl --user is-active web.service
        ok "$1: ... and its page is there" until_ok 60 curl -sf -m 5 http://127.0.0.1:8080/
        run $AS sdpod exec r-always echo in
        is "$out" in "$1: exec works in it"
        ((tap_failed == failed)) || say_why
}

boot_stage
case ${boot_words[0]:-first} in
first)
        prepare
        boot_again 194 rebooted
        ;;
rebooted)
        check "after a reboot" 2
        run $AS sdpod run --rm --network none --cpuset-cpus 1 $BUSYBOX grep Cpus_allowed_list /proc/self/status
        like "$out" "[[:space:]]1\$" "--cpuset-cpus, where root delegated the controller"
        sync
        boot_again 195 crashed
        ;;
crashed)
        check "after a power failure" 3
        run $AS sdpod rm -fa -t 0
        exits 0 "everything can be removed"
        ;;
esac
finish
