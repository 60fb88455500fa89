#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# sdpod-net against slirp4netns on this machine, turn by turn: throughput, processor time, start. Prints ratios.
# Usage: tests/bench/net.sh [ROUNDS]; SDPOD_NET names the program (default: the installed one). Needs iperf3, slirp4netns.
exec python3 "$(dirname "$0")/net.py" "$@"
