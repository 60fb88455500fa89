#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures verbs with many containers in the store against podman, as an ordinary user in the test machine. Takes root.
#
#   sh tests/bench/scale.sh [BUILDDIR] [scale.py's options]      (default: build)
#
# It installs BUILDDIR into a machine of its own, makes the busybox image of the tests, and runs scale.py as the user `scale`.
set -eu
tests=$(cd "$(dirname "$0")/.." && pwd)
build=build
case ${1:-} in '' | -*) ;; *) build=$1; shift ;; esac
export NEST_DIR="${NEST_DIR:-/var/tmp/sdpod-scale}"
nest=$tests/machine/nest
ninja -C "$build" >/dev/null
"$nest" up
trap '"$nest" down' EXIT
trap 'exit 1' HUP INT TERM
"$nest" install "$build"
mkdir -p "$NEST_DIR/vartmp/bench"
"$nest" push "$tests/bench" "$tests/lib" /var/tmp/bench
"$nest" as scale python3 /var/tmp/bench/bench/scale.py "$@"
