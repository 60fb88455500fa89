#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Devices by the runtime specification (config-linux.md: Default Filesystems, Devices, Default Devices, Allowed Device list).
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
in_one . facts
facts_read
for pair in null=1:3 zero=1:5 full=1:7 random=1:8 urandom=1:9 tty=5:0; do
        is "$(fact "file./dev/${pair%=*}" | cut -d' ' -f1,2)" "0020666 ${pair#*=}" "[devices.default] /dev/${pair%=*} is there, and for all"
done
like "$(fact link./dev/ptmx)$(fact file./dev/ptmx)" '^pts/ptmx|^/dev/pts/ptmx|5:2' "[devices.ptmx] /dev/ptmx is that of the container's devpts"
is "$(fact link./dev/fd) $(fact link./dev/stdin) $(fact link./dev/stdout) $(fact link./dev/stderr)" "/proc/self/fd /proc/self/fd/0 /proc/self/fd/1 /proc/self/fd/2" \
        "[devices.fd] the links to one's own descriptors"
for pair in /proc:proc /sys:sysfs /dev/pts:devpts /dev/shm:tmpfs; do
        like "$(fact "mount.${pair%:*}")" "/ ${pair#*:} " "[filesystems.default] ${pair%:*} is what config.json made it"
done
in_one '.mounts |= map(select(.destination | startswith("/dev") | not))' sh -c 'ls -l /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty | grep -c ^c'
is "$out" 6 "[devices.default] they are made in a root without a /dev of its own, too"

for users in . '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] | .linux.gidMappings = .linux.uidMappings'; do
        in_one "$users | .linux.devices = [{ path: \"/dev/ptmx\", type: \"c\", major: 5, minor: 2 }]" readlink /dev/ptmx
        is "$out$err" pts/ptmx "[devices.ptmx] ... also where config.json asks for the host's$([[ $users == . ]] || echo ', in a user namespace')"
done

# --- devices of one's own
devices='.linux.devices = [
        { path: "/dev/made", type: "c", major: 1, minor: 5, fileMode: 416, uid: 11, gid: 12 },
        { path: "/dev/sub/made", type: "c", major: 1, minor: 3 },
        { path: "/made", type: "u", major: 1, minor: 7, fileMode: 438 },
        { path: "/dev/block", type: "b", major: 7, minor: 200, fileMode: 432 },
        { path: "/pipe", type: "p", fileMode: 384 } ]'
in_one "$devices" sh -c 'facts; stat -c "block %F %t:%T %a" /dev/block; head -c 4 /made | od -An -tx1'
facts_read
is "$status:$err" "0:" "[devices.configured] devices of each kind"
is "$(fact file./dev/made)" "0020640 1:5 11:12" "[devices.configured][devices.attributes] a character device with its mode, user and group"
is "$(fact file./dev/sub/made | cut -d' ' -f2)" "1:3" "[devices.configured] one in a directory that is made"
is "$(fact file./made | cut -d' ' -f1,2)" "0020666 1:7" "[devices.anywhere] one outside of /dev"
is "$(fact file./pipe | cut -d' ' -f1)" "0010600" "[devices.configured] a pipe"
like "$out" 'block block special file 7:c8 660' "[devices.configured] a block device"
like "$out" '00 00 00 00' "[devices.configured] ... a device can be read"
oci_next
bundle "$id" '.mounts |= map(select(.destination != "/dev")) | .linux.devices = [{ path: "/dev/made", type: "c", major: 1, minor: 5 }]' true
echo "not a device" >"$T/$id/rootfs/dev/made"
timeout 60 "$RUNTIME" --root "$STATE" create --bundle "$T/$id" "$id" >"$T/there.out" 2>&1 </dev/null
like "$?:$(cat "$T/there.out")" '^[1-9][0-9]*:.+' "[devices.file-exists] where another file is already, a device is refused"
is "$(cat "$T/$id/rootfs/dev/made")" "not a device" "[devices.file-exists] ... and the file is left alone"
rt_quietly delete --force "$id"
refuses "[values.invalid] a kind of device that is none is refused" '.linux.devices = [{ path: "/dev/x", type: "q", major: 1, minor: 5 }]' true
refuses "[devices.path-needed] a device without a path is refused" '.linux.devices = [{ type: "c", major: 1, minor: 5 }]' true
refuses "[devices.numbers-needed] a device without numbers is refused" '.linux.devices = [{ path: "/dev/x", type: "c" }]' true

# --- the list of what is allowed: in its order
if [[ ! -c /dev/loop-control ]]; then
        skip "[allowed.order] devices that are allowed and denied" "there is no /dev/loop-control"
else
        in_one '.process.capabilities = { bounding: ["CAP_MKNOD"], effective: ["CAP_MKNOD"], permitted: ["CAP_MKNOD"] } |
                .linux.devices = [{ path: "/dev/one", type: "c", major: 10, minor: 237, fileMode: 438 }, { path: "/dev/mem2", type: "c", major: 1, minor: 1, fileMode: 438 }] |
                .linux.resources = { devices: [{ allow: true, type: "c", major: 10, minor: 237, access: "rwm" }, { allow: false, access: "rwm" },
                        { allow: true, type: "c", major: 10, minor: 237, access: "rw" }, { allow: false, type: "c", major: 10, minor: 237, access: "w" }] }' \
                sh -c 'facts try /dev/one /dev/mem2 /dev/null; mknod /dev/own b 7 201 && facts try /dev/own'
        facts_read
        is "$(fact try./dev/one)" "EINVAL EPERM" "[allowed.order] what a later entry allows is open, what one after it denies is not"
        is "$(fact try./dev/mem2)" "EPERM EPERM" "[allowed.order] another one is denied"
        like "$(fact try./dev/null)" "writable" "[devices.default] the default devices stay open"
        like "$(fact try./dev/own)" '^(EPERM EPERM)?$' "[allowed.order] a node of what is denied cannot be opened, wherever it is from"
fi
refuses "[values.invalid] an access that is none is refused" '.linux.resources = { devices: [{ allow: true, type: "c", access: "x" }] }' true
is "$(without_trace)" "" "[delete.resources] nothing is left"
finish
