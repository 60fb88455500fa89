#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures sdpod against podman, crun and bwrap, as an ordinary user in the test machine. Takes root.
#
#   sh tests/bench/run.sh [BUILDDIR] [bench.py's options]      (default: build)
#
# It installs BUILDDIR into a machine of its own, makes the busybox image of the tests, and runs bench.py as the user `bench`.
set -eu
# shellcheck source=tests/bench/machine.sh
. "$(dirname "$0")/machine.sh"
"$nest" as bench python3 /var/tmp/bench/bench/bench.py "$@"
