#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The command lines of tests/compat with podman and with sdpod.
set -u
TESTS=${TESTS:-$(cd "$(dirname "$0")/.." && pwd)}
exec python3 "$TESTS/compat/run.py" "$TESTS"/compat/{containers,more,networks,rest,templates}.txt
