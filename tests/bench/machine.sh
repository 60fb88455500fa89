# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What the benchmarks begin with; sourced, with their arguments: takes BUILDDIR from these, builds it, and installs it into a machine of
# its own, where tests/bench and tests/lib are in /var/tmp/bench ($work outside). $nest and $tests are set.
tests=$(cd "$(dirname "$0")/.." && pwd)
build=build
case ${1:-} in '' | -*) ;; *) build=$1; shift ;; esac
export NEST_DIR="${NEST_DIR:-/var/tmp/sdpod-bench}"
nest=$tests/machine/nest
work=$NEST_DIR/vartmp/bench
ninja -C "$build" >/dev/null
"$nest" up
trap '"$nest" down' EXIT
trap 'exit 1' HUP INT TERM
"$nest" install "$build"
mkdir -p "$work"
"$nest" push "$tests/bench" "$tests/lib" /var/tmp/bench
