#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Measures the everyday verbs against podman, as an ordinary user in the test machine. Takes root.
#
#   sh tests/bench/verbs.sh [BUILDDIR] [verbs.py's options]      (default: build)
set -eu
# shellcheck source=tests/bench/machine.sh
. "$(dirname "$0")/machine.sh"
"$nest" as verbs python3 /var/tmp/bench/bench/verbs.py "$@"
