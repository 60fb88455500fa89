#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Measures pull, save and load against podman and skopeo, as an ordinary user in the test machine, from docker-registry on
# loopback. Takes root, ten minutes, and 30 GB below NEST_DIR.
#
#   bash tests/bench/images.sh [BUILDDIR] [images.py's options]      (default: build)
set -euo pipefail
# shellcheck source=tests/lib/packages.sh
. "$(dirname "$0")/../lib/packages.sh"
packages build run test bench
# shellcheck source=tests/bench/machine.sh
. "$(dirname "$0")/machine.sh"
"$nest" push "$tests/registry" /var/tmp/bench
gcc -O2 -o "$work/floor" "$tests/bench/floor.c" -lisal -lcrypto
# in the slice of no user, so that its CPU time is nobody's
"$nest" in /var/tmp/bench/registry/start --http --anonymous /var/tmp/bench/store
"$nest" in python3 /var/tmp/bench/bench/make-images.py /var/tmp/bench "$(<"$work/store/address")"
static=localhost:5050
"$nest" in sh -c "python3 /var/tmp/bench/bench/static-registry.py /var/tmp/bench/store ${static#*:} >/var/tmp/bench/nginx.conf && exec nginx -c /var/tmp/bench/nginx.conf"
"$nest" as bench python3 /var/tmp/bench/bench/images.py --registry "$(<"$work/store/address")" --static "$static" --blobs /var/tmp/bench "$@"
