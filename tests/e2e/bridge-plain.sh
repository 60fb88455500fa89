#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first part of bridge.sh, where there is neither session nor user manager.
# machine: plain
BRIDGE_SHORT=1
# shellcheck source=tests/e2e/bridge.sh
. "$(dirname "$0")/bridge.sh"
