# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # the names set here are for the tests to read
# What every file of this directory starts with: the TAP words, the image, and what a host is like when nothing runs on it.
# RUNTIME is the runtime's path, RUNTIME_NAME its last part.
TESTS=${TESTS:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
# shellcheck source=tests/lib/tap.sh
. "$TESTS/lib/tap.sh"
# shellcheck source=tests/lib/images.sh
. "$TESTS/lib/images.sh"
BUSYBOX=localhost/busybox:latest
[[ -n ${ENGINES_CGROUP:-} ]] || { echo "1..0 # SKIP it is for tests/engines/alone to start"; exit 0; }
RUNTIME_NAME=${RUNTIME##*/}

lacks_program() {
        local program
        for program; do
                command -v "$program" >/dev/null || { echo "$program is not installed"; return 0; }
        done
        return 1
}

# Says why nothing can have all capabilities here (and succeeds), or fails where it can.
lacks_capabilities() {
        local -i all
        all=$(((1 << ($(</proc/sys/kernel/cap_last_cap) + 1)) - 1))
        (((0x$(awk '$1 == "CapBnd:" { print $2 }' /proc/self/status) & all) != all)) && echo "this machine's root lacks capabilities"
}

# Command lines of all processes but this shell and the one that began the host; no process of its own is among them.
host_processes() {
        local pid line
        for pid in /proc/[0-9]*; do
                [[ $pid != /proc/1 && $pid != "/proc/$$" && $pid != "/proc/$BASHPID" ]] || continue
                mapfile -d '' -t line 2>/dev/null <"$pid/cmdline" && echo "${line[*]}"
        done 2>/dev/null
}

# How deep the cgroups of containers are below /sys/fs/cgroup: an engine's own one, which holds them, it may keep.
[[ $ENGINES_CGROUP == v2 ]] && cgroup_depth=2 || cgroup_depth=3

# What there is on this host, in one text: processes, mounts, cgroups, interfaces, network namespaces, packet filter rules.
host_state() {
        host_processes >"$T/processes"
        {
                echo "processes:"
                sort "$T/processes"
                echo "mounts:"
                awk '{ print $5 }' /proc/self/mountinfo | sort
                echo "cgroups:"
                find /sys/fs/cgroup -mindepth "$cgroup_depth" -type d 2>/dev/null | sort
                echo "interfaces:"
                ip -o link | awk '{ print $2 }' | sort
                echo "network namespaces:"
                ls /run/netns
                echo "rules:"
                iptables-save 2>/dev/null | grep -- '^-A'
        } >"$1"
}

host_is_as_before() {
        host_state "$T/host-now"
        cmp -s "$T/host-before" "$T/host-now"
}

# host_is_clean NAME: all that was there when the file began is there, and nothing else.
host_is_clean() {
        until_ok 10 host_is_as_before
        ok "$1" diff "$T/host-before" "$T/host-now"
}

# in_terminal REGEX CMD...: runs it at a terminal; again where it said nothing that matches: containerd loses what is said by one that
# ends at once, now and then (one of sixty with runc, on a loaded machine). %N in CMD is another number each time.
in_terminal() {
        local regex=$1 try
        shift
        for try in 1 2 3 4 5 6 7 8; do
                run script -qec "$(printf '%q ' "${@//%N/$try}")" /dev/null
                [[ $out =~ $regex ]] && break
        done
}

stop_daemon() { # PID: ends a daemon that this file started
        kill "$1" 2>/dev/null
        timeout 60 tail --pid="$1" -f /dev/null || kill -9 "$1"
        wait "$1" 2>/dev/null
}

host_state "$T/host-before"
