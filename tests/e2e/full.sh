#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# A file system without a free byte: images, containers and volumes can still be removed, which is how room is made.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
disk=$T/disk
mkdir "$disk"
mount -t tmpfs -o size=8M full "$disk" || skip_all "a tmpfs cannot be mounted here"
at_end umount -l "$disk"
s() {
        sdpod --root "$disk/data" --runroot "$T/run" "$@"
}
fill() {
        head -c 100M /dev/zero >"$disk/filler" 2>/dev/null
        is "$(df --output=avail "$disk" | tail -n 1 | tr -d ' ')" 0 "the disk is full"
}
for verb in rmi "image prune" "system prune" "system reset"; do
        s load -q -i "$(image_file busybox)" >/dev/null
        s load -q -i "$(image_file layers)" >/dev/null
        s untag localhost/layers
        fill
        case $verb in
        rmi) out=$(s rmi localhost/busybox 2>&1) ;;
        "image prune") out=$(s image prune -af 2>&1) ;;
        "system prune") out=$(s system prune -af --volumes 2>&1) ;;
        *) out=$(s system reset -f 2>&1) ;;
        esac
        status=$?
        is "$status" 0 "$verb works" || comment "$out"
        rm -f "$disk/filler"
        s system reset -f
done
finish
