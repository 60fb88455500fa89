#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Measures sdpod-oci against Debian's crun and runc, as root, on a host of its own (tests/engines/alone). Takes root.
#
#   bash tests/bench/oci.sh [BUILDDIR] [oci.py's options]      (default: build)
#
# The host has cgroup v1 alone where this machine has both: crun refuses such. The seccomp profile is the one that podman writes
# into a container's config.json. OCI_RUNTIMES="NAME=PATH ..." are more runtimes to measure.
here=$(cd "$(dirname "$0")" && pwd)
if [[ -z ${ENGINES_CGROUP:-} ]]; then
        set -eu
        build=build
        case ${1:-} in '' | -*) ;; *) build=$1; shift ;; esac
        ninja -C "$build" >/dev/null
        OCI_RUNTIME=$(realpath "${RUNTIME:-$build/src/main/sdpod-oci}")
        export OCI_RUNTIME OCI_ARGS="$*" ENGINES_HIERARCHIES=v1 TESTS="${here%/*}"
        "${here%/*}/engines/alone" "$(realpath "$build")" "$here/oci.sh"
        exit
fi

# shellcheck source=tests/engines/lib.sh
. "$TESTS/engines/lib.sh"
# shellcheck source=tests/engines/containers.sh
. "$TESTS/engines/containers.sh"
set -eu
# shellcheck disable=SC2034  # what lib.sh prints at the end is for tests
tap_finished=1
RUNTIME_NAME=crun RUNTIME=/usr/bin/crun
as_root
podman() { "${as[@]}" podman --runtime crun --log-level error "$@"; }
podman load -q -i "$image" >/dev/null
podman create --name box "$BUSYBOX" true >/dev/null
podman init box >/dev/null
config=$(podman inspect --format '{{.OCIConfigPath}}' box)
mkdir "$T/bench"
cp "$config" "$T/bench/podman.json"
podman rm -f box >/dev/null
containers_end
gcc -O2 -static -nostdlib -o "$T/bench/true" "$here/true.c"
# shellcheck disable=SC2086
python3 "$here/oci.py" "$T/bench" "$OCI_RUNTIME" $OCI_ARGS
