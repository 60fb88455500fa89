#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# All tests, as root on a Debian 12: installs what is missing, builds in a directory of its own, runs the lint and unit
# tests and the end-to-end tests in the test machine, lists what failed or was skipped and why, and ends with one line
# `N passed, M failed, K skipped`.
#
#   sh tests/run.sh [BUILDDIR]     BUILDDIR is kept; without it a temporary one is removed
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
set -u
tests=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$tests")
[[ $EUID == 0 ]] || { echo "tests/run.sh: it takes root: it installs packages and boots the test machine" >&2; exit 1; }
# shellcheck source=tests/lib/packages.sh
. "$tests/lib/packages.sh"
packages build run test engines || exit 1

if [[ $# -gt 0 ]]; then
        build=$1
        mkdir -p "$build"
else
        build=$(mktemp -d /var/tmp/sdpod-build.XXXXXX)
        chmod 755 "$build" # ordinary users run programs from it
        kept=
fi
export NEST_DIR=${NEST_DIR:-/var/tmp/sdpod-nest-$$}
finish() {
        "$tests/machine/nest" down
        [[ -n ${kept-yes} ]] || rm -rf "$build"
}
trap finish EXIT
trap 'exit 130' INT TERM

[[ -f $build/build.ninja ]] || meson setup "$build" "$top" >"$build/setup.log" 2>&1 ||
        { cat "$build/setup.log"; exit 1; }
ninja -C "$build" >"$build/build.log" 2>&1 || { tail -n 40 "$build/build.log"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
grep -E 'warning:' "$build/build.log"
# four times what a file may take on a quiet machine
meson test -C "$build" --no-rebuild --setup all --num-processes 2 --timeout-multiplier 4
python3 "$tests/lib/tally.py" "$build/meson-logs/testlog-all.json"
