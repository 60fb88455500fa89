#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures verbs with many containers in the store against podman, as an ordinary user in the test machine. Takes root.
#
#   sh tests/bench/scale.sh [BUILDDIR] [scale.py's options]      (default: build)
#
# It installs BUILDDIR into a machine of its own, makes the busybox image of the tests, and runs scale.py as the user `scale`.
set -eu
# shellcheck source=tests/bench/machine.sh
. "$(dirname "$0")/machine.sh"
"$nest" as scale python3 /var/tmp/bench/bench/scale.py "$@"
