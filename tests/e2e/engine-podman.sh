#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Podman as an ordinary user with sdpod-oci as its runtime, where a systemd makes the cgroups: scopes of the user's own manager.
# tests/engines/podman.sh has the rest of what Podman asks of a runtime, without a systemd.
# shellcheck source=tests/lib/e2e.sh
. "${TESTS:-$(dirname "$0")/..}/lib/e2e.sh"
if why=$(lacks_program podman sdpod-oci); then skip_all "$why"; fi

cat >"$T/containers.conf" <<-END
	[containers]
	netns = "none"
	log_driver = "k8s-file"
	pids_limit = 0
	[engine]
	cgroup_manager = "systemd"
	events_logger = "file"
	runtime_supports_json = ["sdpod-oci"]
	runtime_supports_nocgroup = ["sdpod-oci"]
	[engine.runtimes]
	sdpod-oci = ["$(command -v sdpod-oci)"]
END
cat >"$T/storage.conf" <<-END
	[storage]
	driver = "overlay"
	rootless_storage_path = "$T/storage"
	runroot = "$T/run"
END
export CONTAINERS_CONF=$T/containers.conf CONTAINERS_STORAGE_CONF=$T/storage.conf
podman() { command podman --runtime sdpod-oci --log-level error "$@"; }
try() { run podman --runtime sdpod-oci --log-level error "$@"; }
of() { podman inspect --format "$1" "$2" 2>&1; }
at_end podman system reset -f

try load -q -i "$(image_file busybox)"
[[ $status == 0 ]] || skip_all "podman does not load an image here: $err"
try run --rm "$BUSYBOX" sh -c 'echo out; exit 3'
is "$status $out" "3 out" "a container's output and exit code come back"
try run -d --name box "$BUSYBOX" sleep 1000
exits 0 "one starts in the background"
pid=$(of '{{.State.Pid}}' box)
like "$(cat "/proc/$pid/cgroup")" "0::/user.slice/user-$UID.slice/user@$UID.service/user.slice/libpod-[0-9a-f]*.scope" "in a scope of the user's manager"
scope=$(sed -n 's#^0::.*/\(libpod-[0-9a-f]*\.scope\).*#\1#p' "/proc/$pid/cgroup")
is "$(systemctl --user show -P ActiveState "$scope")" active "which the manager knows"
try exec box sh -c 'echo inside; exit 5'
is "$status $out" "5 inside" "a process is executed in it"
try exec box sed -n 's/^0:://p' /proc/self/cgroup
is "$out" / "whose cgroup namespace is the container's"
try pause box
is "$status $(of '{{.State.Status}}' box)" "0 paused" "it is paused"
try unpause box
is "$status $(of '{{.State.Status}}' box)" "0 running" "and goes on"
try stop -t 0 box
exits 0 "it is stopped"
until_ok 10 eval '[[ $(systemctl --user show -P ActiveState "$scope") == inactive ]]'
is "$(systemctl --user show -P ActiveState "$scope")" inactive "its scope is gone"
try rm box
exits 0 "it is removed"
if why=$(lacks_controller pids); then
        try run --rm --pids-limit 50 "$BUSYBOX" true
        like "$status $err" "^12[56] .*pids" "a limit that no controller can keep is refused"
        is "$(systemctl --user list-units --plain --no-legend 'libpod-*.scope')" "" "and no scope is left of it"
else
        try run --rm --pids-limit 50 "$BUSYBOX" cat /sys/fs/cgroup/pids.max
        is "$out" 50 "a limit of processes is set"
fi
if why=$(lacks_controller memory); then
        skip "a limit of memory is set" "$why"
else
        try run --rm --memory 32m "$BUSYBOX" cat /sys/fs/cgroup/memory.max
        is "$out" 33554432 "a limit of memory is set"
fi
is "$(find "$XDG_RUNTIME_DIR/sdpod-oci" -mindepth 1 -maxdepth 1 ! -name '.*' 2>/dev/null)" "" "the runtime's own directory holds no container"
finish
