#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first part of bridge.sh, of the machine's root.
# machine: root
BRIDGE_SHORT=1
# shellcheck source=tests/e2e/bridge.sh
. "$(dirname "$0")/bridge.sh"
