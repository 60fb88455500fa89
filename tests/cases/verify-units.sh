#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# systemd accepts the units that we install. Usage: verify-units.sh INSTALLED-OR-BUILT-UNIT...
command -v systemd-analyze >/dev/null || { echo "1..0 # SKIP systemd-analyze is not installed"; exit 0; }
dir=$(mktemp -d) || exit 99
trap 'rm -rf "$dir"' EXIT
for unit; do # the programs are not installed yet
        name=$(basename "$unit" | sed 's/-user\.service$/.service/; s/-system\.service$/.service/')
        sed 's|^\(Exec[A-Za-z]*=-*\)/[^ ]*sdpod[^ ]*|\1/bin/true|' "$unit" >"$dir/$name"
done
echo "1..$#"
n=0 failed=0
for unit; do
        n=$((n + 1))
        name=$(basename "$unit" | sed 's/-user\.service$/.service/; s/-system\.service$/.service/')
        out=$(SYSTEMD_UNIT_PATH="$dir:/usr/lib/systemd/user:/usr/lib/systemd/system" XDG_RUNTIME_DIR=$dir \
                systemd-analyze --user verify --man=no "$dir/$name" 2>&1 | grep -F "$name")
        if [ -z "$out" ]; then
                echo "ok $n - $(basename "$unit")"
        else
                echo "not ok $n - $(basename "$unit")"
                echo "$out" | sed 's/^/# /'
                failed=1
        fi
done
exit $failed
