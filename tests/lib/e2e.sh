# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # the names set here are for the tests to read
# What every e2e test file starts with: the TAP words, the images, and a few questions to the machine.
TESTS=${TESTS:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
# shellcheck source=tests/lib/tap.sh
. "$TESTS/lib/tap.sh"
# shellcheck source=tests/lib/images.sh
. "$TESTS/lib/images.sh"
BUSYBOX=localhost/busybox:latest
WEB=localhost/web:latest

# E2E_BYPASS=1: containers that name no network get one whose connections are the host's, but those that cannot have it. So any file can
# be tried with it.
if [[ -n ${E2E_BYPASS:-} ]]; then
        mkdir "$T/bin"
        cat >"$T/bin/sdpod" <<-END
	#!/bin/bash
	if [[ \$1 == run || \$1 == create ]] && [[ " \$* " != *--net* && " \$* " != *NET_ADMIN* && " \$* " != *--privileged* && " \$* " != *" --pod"* ]]; then
	        exec $(command -v sdpod) "\$1" --network slirp4netns:bypass=true "\${@:2}"
	fi
	exec $(command -v sdpod) "\$@"
	END
        chmod 755 "$T/bin/sdpod"
        PATH=$T/bin:$PATH
fi

# Says why a cgroup controller cannot be tested here (and succeeds), or fails where it can.
#     if why=$(lacks_controller memory); then skip "a limit holds" "$why"; else ...; fi
lacks_controller() {
        local cgroup
        cgroup=/sys/fs/cgroup/user.slice/user-$UID.slice/user@$UID.service
        grep -qsw "$1" "$cgroup/cgroup.controllers" && return 1
        if grep -qs "[:,]$1[:,]" /proc/self/cgroup; then
                echo "the $1 controller is in cgroup v1 on this machine"
        else
                echo "the user manager has no $1 controller"
        fi
}

# Says what is missing for a test to have a meaning (and succeeds), or fails where all is there.
lacks_program() {
        local program
        for program; do
                command -v "$program" >/dev/null || { echo "$program is not installed"; return 0; }
        done
        return 1
}

# A static program from one of the C files beside the tests; a virtual machine has no compiler, but what was made for it. Fails, and says
# why, where there is neither.
#     build_program activated "$T/activated"
build_program() { # NAME FILE
        if command -v cc >/dev/null; then
                cc -O1 -static -w -o "$2" "$TESTS/e2e/$1.c"
        elif [[ -x $TESTS/built/$1 ]]; then
                cp "$TESTS/built/$1" "$2"
        else
                echo "cc is not installed"
                return 1
        fi
}

# Files that reboot the machine (a virtual one, tests/machine/vm) are run again after it. boot_stage, at the beginning, reads the words that
# boot_again was given before: $boot_words; the count of the checks is kept, and at_end is for the last run. $boot_before is the boot's ID.
boot_file=/var/lib/sdpod-test-boot
boot_stage() {
        boot_words=() boot_before=
        [[ ! -e $boot_file ]] || read -r tap_count tap_failed boot_before boot_words_text <"$boot_file"
        read -r -a boot_words <<<"${boot_words_text:-}"
}

boot_again() { # CODE WORD...: 194 is a reboot, 195 is the power going
        printf '%s %s %s %s\n' "$tap_count" "$tap_failed" "$(cat /proc/sys/kernel/random/boot_id)" "${*:2}" >"$boot_file"
        tap_ends=() tap_finished=1
        exit "$1"
}

is_another_boot() {
        [[ $(cat /proc/sys/kernel/random/boot_id) != "$boot_before" ]]
}

# A port that nobody listens on, by TCP or UDP; no two calls of a file get the same one. It is below those that the kernel gives to
# whoever connects, so that nobody has it by the time it is used.
free_port() {
        python3 - "$T/free_port" <<'END'
import fcntl, socket, sys
with open(sys.argv[1], "a+") as f:
    fcntl.flock(f, fcntl.LOCK_EX)
    f.seek(0)
    port = int(f.read() or 10000)
    with open("/proc/sys/net/ipv4/ip_local_port_range") as limits:
        end = int(limits.read().split()[0])
    while port < end:
        port += 1
        try:
            for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
                socket.socket(socket.AF_INET6, kind).bind(("::", port))
            break
        except OSError:
            pass
    f.truncate(0)
    f.write(str(port))
print(port)
END
}

# The IDs that are this user's on the host: its own and its subordinate ones.
owned_by_user() { # UID
        local name first count
        [[ $1 == "$UID" ]] && return
        while IFS=: read -r name first count; do
                [[ $name == "$USER" ]] && (($1 >= first && $1 < first + count)) && return
        done </etc/subuid
        return 1
}

# Processes of the user that belong to containers: everything with another PID namespace than ours, or with a mapped ID,
# and sdpod's own per-container program, which does not show its namespaces. One "PID NAME" a line.
container_processes() {
        local pid ours ns owner name
        ours=$(readlink /proc/self/ns/pid)
        for pid in /proc/[0-9]*; do
                owner=$(awk '$1 == "Uid:" { print $2 }' "$pid/status" 2>/dev/null)
                [[ -n $owner ]] && owned_by_user "$owner" || continue
                name=$(cat "$pid/comm" 2>/dev/null)
                ns=$(readlink "$pid/ns/pid" 2>/dev/null) || ns=
                if [[ -n $ns && $ns != "$ours" || $owner != "$UID" || $name == sdpod-net || $name == sdpod-connect || $name == sdpod-bypass ]]; then
                        echo "${pid#/proc/} $name"
                fi
        done
}

# What a container may leave behind, in one text to compare: processes, mounts, cgroups, namespaces, files of the store.
footprint() {
        echo "processes:"
        container_processes | sed 's/^[0-9]* //' | sort
        echo "mounts:"
        grep -cE "overlay|$HOME|/run/user/$UID/" /proc/self/mountinfo
        echo "cgroups:"
        (cd "/sys/fs/cgroup/user.slice/user-$UID.slice/user@$UID.service" 2>/dev/null &&
                find . -type d | grep -vE 'init.scope|dbus|gpg|run-u[0-9]|sdpod-monitor|sdpod-containers.service(/holder)?$' | sort)
        echo "files:"
        (cd "${XDG_DATA_HOME:-$HOME/.local/share}/sdpod" 2>/dev/null &&
                find containers names volumes . -maxdepth 1 -mindepth 1 2>/dev/null | grep -v '\.lock$' | sort -u)
        (cd "${XDG_RUNTIME_DIR:-/nonexistent}/sdpod" 2>/dev/null && find containers -mindepth 1 | sort)
}

leaves() { # SECONDS BEFORE NAME: within that time the footprint is what it was; else it is shown
        until_ok "$1" is_footprint "$2"
        is "$(footprint)" "$2" "$3"
}
is_footprint() {
        [[ $(footprint) == "$1" ]]
}

# NAME: container_processes are none, or will be at once
no_processes_left() {
        until_ok 10 has_no_processes
        is "$(container_processes)" "" "$1"
}
has_no_processes() {
        [[ -z $(container_processes) ]]
}
