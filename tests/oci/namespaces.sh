#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Namespaces by the runtime specification (config-linux.md): new ones, those of others by their path, those of the caller; user
# namespaces and their mappings; clocks; sysctls; network devices.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
ours() { readlink "/proc/self/ns/$1"; }

# --- new ones, all at once
in_one '.linux.namespaces = ([["pid", "network", "ipc", "uts", "mount", "cgroup", "time"][] | { type: . }]) |
        .linux.timeOffsets = { monotonic: { secs: 1000000, nanosecs: 5 }, boottime: { secs: 2000000 } }' facts
facts_read
shared=
for ns in pid net ipc uts mnt cgroup time; do [[ $(fact ns.$ns) == *:\[* && $(fact ns.$ns) != "$(ours $ns)" ]] || shared+="$ns "; done
is "$status:$shared:$err" "0::" "[namespace.new][namespace.new-pid] each namespace without a path is a new one"
is "$(fact ns.user)" "$(ours user)" "[namespace.inherited] one that is not named stays the caller's"
monotonic=$(fact monotonic) boottime=$(fact boottime) uptime=$(cut -d. -f1 /proc/uptime)
is "$((${monotonic:-0} > uptime + 900000)) $((${boottime:-0} > uptime + 1900000))" "1 1" "[time.offsets] the clocks of a time namespace have their offsets"
like "$(facts_like 'cgroup.*')" ':/$' "[namespace.new-cgroup] a cgroup namespace begins at the container's cgroup"
unlike "$(facts_like 'cgroup.*')" "$ME" "[namespace.new-cgroup] ... in each hierarchy"

# --- none but a mount namespace
in_one '.linux.namespaces = [{ type: "mount" }] | del(.hostname) | .mounts |= map(select(.destination != "/dev/mqueue"))' facts
facts_read
differs=
for ns in pid net ipc uts user cgroup; do [[ $(fact ns.$ns) == "$(ours $ns)" ]] || differs+="$ns "; done
is "$status:$differs" "0:" "[namespace.inherited] those that are not named are all the caller's"
is "$(fact hostname)" "$(hostname)" "[hostname.unset] ... and so is the host name"

# --- those of another process, by path
up holder '.linux.namespaces += [{ type: "cgroup" }]'
pid=$(cat "$T/holder.pid" 2>/dev/null)
ns=/proc/$pid/ns
in_one ".linux.namespaces = [{ type: \"pid\", path: \"$ns/pid\" }, { type: \"network\", path: \"$ns/net\" }, { type: \"ipc\", path: \"$ns/ipc\" },
        { type: \"uts\", path: \"$ns/uts\" }, { type: \"mount\" }, { type: \"cgroup\", path: \"$ns/cgroup\" }] | del(.hostname)" facts
facts_read
differs=
for name in pid net ipc uts cgroup; do [[ $(fact ns.$name) == "$(readlink "$ns/$name")" ]] || differs+="$name "; done
is "$status:$differs:$err" "0::" "[namespace.path-joined] those with a path are joined"
like "$(fact pid):$(fact hostname)" '^[2-9][0-9]*:conf$' "[namespace.path-joined] ... a PID of the other's, and its host name"
# --- a mount namespace of another process
if [[ $PEER != runc && $PEER != crun ]]; then # those of Debian 12: runc enters the root for all who are there
        unshare --mount --propagation slave sleep 1000 &
        other=$!
        at_end kill "$other"
        until_ok 5 sh -c "[ \$(readlink /proc/$other/ns/mnt) != $(ours mnt) ]"
        root=$(readlink "/proc/$other/root")
        joins=".linux.namespaces |= (map(select(.type != \"mount\")) + [{ type: \"mount\", path: \"/proc/$other/ns/mnt\" }]) | .root.readonly = true"
        oci_next
        bundle "$id" "$joins | .linux.maskedPaths += [\"/etc/passwd\"] | .linux.readonlyPaths += [\"/mnt\"] |
                .mounts += [{ destination: \"/mnt\", type: \"tmpfs\", source: \"inside\" }]" sh -c 'facts; cat /etc/passwd; touch /x /mnt/x 2>&1; echo "mnt $(ls /mnt)"'
        rt run --bundle "$T/$id" "$id"
        facts_read
        is "$status:$(fact ns.mnt):$err" "0:$(readlink "/proc/$other/ns/mnt"):" "[namespace.path-joined] a mount namespace with a path is joined"
        like "$(fact mount./mnt)" 'tmpfs inside' "[mounts.made] ... what is to be mounted is mounted in it"
        like "$out" '/x: Read-only file system.*/mnt/x: Read-only file system.*mnt $' "[root.readonly] ... what is to be read-only is"
        unlike "$out" 'root:x:0' "[mounts.made] ... what is to be masked is"
        is "$(readlink "/proc/$other/root"):$(grep -c "$T/$id/rootfs" /proc/self/mountinfo)" "$root:0" "[errors.leave-no-trace] ... its owner's root stays, and nothing of it comes to the host"
        refuses "[namespace.path-joined] a root that is not in a mount namespace that is joined is refused" "$joins | .root.path = \"/no/such/root\"" true
        up shares "$joins"
        rt exec "$id" sh -c 'ls -d /etc/passwd /etc/shadow 2>/dev/null; pwd'
        is "$status:$out" $'0:/etc/passwd\n/' "[namespace.path-joined] exec, too, has the container's root there, and not its owner's"
        rt delete --force "$id"

        # --- the caller's mount namespace
        none='.linux.namespaces |= map(select(.type != "mount")) | del(.linux.maskedPaths, .linux.readonlyPaths)'
        oci_next
        mkdir "$T/$id"
        mount --bind "$T/$id" "$T/$id"
        mount --make-shared "$T/$id"
        at_end umount -l "$T/$id" 2>/dev/null
        peer_of=$T/$id
        unshare --mount --propagation unchanged sleep 1000 &
        peer=$!
        at_end kill "$peer"
        until_ok 5 sh -c "[ \$(readlink /proc/$peer/ns/mnt) != $(ours mnt) ]"
        before=$(cut -d' ' -f 5- /proc/self/mountinfo)
        OCI_COPY='' bundle "$id/in" "$none"' | .mounts += [{ destination: "/mnt", type: "tmpfs", source: "inside" }]' sleep 1000
        "$RUNTIME" --root "$STATE" run --detach --bundle "$T/$id/in" "$id" >"$T/host.out" 2>&1 </dev/null
        is "$?:$(cat "$T/host.out")" "0:sdpod-oci: warning: the container has no mount namespace of its own: its mounts are this machine's until it is deleted, and its root can leave its root file system" \
                "[namespace.inherited] without a mount namespace a container is run in the caller's, with a warning"
        rt exec "$id" sh -c 'readlink /proc/self/ns/mnt; ls -d /etc/passwd /etc/shadow 2>/dev/null; grep -c " /mnt .*inside" /proc/self/mountinfo'
        is "$status:$out" "0:$(ours mnt)"$'\n/etc/passwd\n1' "[namespace.inherited] ... which is the one it sees, below its own root"
        is "$(grep -c "$peer_of/in/rootfs/" "/proc/$peer/mountinfo")" 0 "[mounts.made] ... what is mounted in it comes to no other"
        rt delete --force "$id"
        is "$status:$err:$(cut -d' ' -f 5- /proc/self/mountinfo)" "0::$before" "[errors.leave-no-trace] ... delete takes its mounts away, and the caller's are as they were"
        is "$(grep -c "$peer_of/in" "/proc/$peer/mountinfo")" 0 "[errors.leave-no-trace] ... with what others had seen of it"
        umount "$peer_of"
        mounts=$(cat /proc/self/mountinfo)
        refuses "[namespace.inherited] one that fails when its mounts are there is refused" "$none" /no/such/program
        refuses "[namespace.inherited] one whose mounts fail half way is refused" "$none"' | .mounts += [{ destination: "/mnt", type: "nonesuch", source: "x" }]' true
        is "$(cat /proc/self/mountinfo)" "$mounts" "[errors.leave-no-trace] ... and leaves no mount"
        refuses "[namespace.inherited] ... one with a user namespace is refused" "$none"' | .linux.namespaces += [{ type: "user" }] |
                .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] | .linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 10 }]' true
        refuses "[namespace.inherited] ... one whose mounts were to be shared is refused" "$none"' | .linux.rootfsPropagation = "shared"' true
        refuses "[namespace.inherited] ... one with masked paths is refused" '.linux.namespaces |= map(select(.type != "mount"))' true
fi
for pair in network:uts pid:net uts:ipc ipc:mnt; do
        refuses "[namespace.path-type] a ${pair%:*} namespace by the path of another kind (${pair#*:}) is refused" \
                ".linux.namespaces |= (map(select(.type != \"${pair%:*}\")) + [{ type: \"${pair%:*}\", path: \"$ns/${pair#*:}\" }])" true
done
refuses "[namespace.path-type] a path that is no namespace is refused" \
        '.linux.namespaces |= (map(select(.type != "uts")) + [{ type: "uts", path: "/etc/hostname" }]) | del(.hostname)' true
refuses "[namespace.path-type] a path where nothing is is refused" '.linux.namespaces |= (map(select(.type != "uts")) + [{ type: "uts", path: "/no/such" }])' true
refuses "[namespace.path-absolute] a relative path is refused" \
        ".linux.namespaces |= (map(select(.type != \"uts\")) + [{ type: \"uts\", path: \"..$ns/uts\" }]) | del(.hostname)" true
refuses "[namespace.duplicate] a kind of namespace twice is refused" '.linux.namespaces += [{ type: "uts" }]' true
refuses "[values.invalid] a kind that nobody knows is refused" '.linux.namespaces += [{ type: "spaceship" }]' true

# --- user namespaces
in_one '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }, { containerID: 10, hostID: 200000, size: 5 }] |
        .linux.gidMappings = [{ containerID: 0, hostID: 300000, size: 100 }] | .process.user = { uid: 11, gid: 12, additionalGids: [13] }' facts
facts_read
is "$(facts_like 'uidmap.*' | tr -s ' ')|$(facts_like 'gidmap.*' | tr -s ' ')" $'uidmap.0 0 100000 10\nuidmap.1 10 200000 5|gidmap.0 0 300000 100' \
        "[userns.mappings] the mappings are those of config.json"
is "$(fact uid) $(fact gid) $(fact groups)" "11 11 12 12 13" "[user.ids][userns.mappings] ... user and groups are IDs in it"
is "$(stat -c %u:%g "$T/base/etc/passwd")" 0:0 "[userns.no-chown] ... and the owners of files are left alone"
unlike "$(fact ns.user)" "^$(ours user | sed 's/[][]/\\&/g')$" "[namespace.new] ... and the user namespace is a new one"
in_one '.linux.namespaces += [{ type: "user" }]' sh -c 'cat /proc/self/uid_map /proc/self/gid_map | head -n 1; id -u; id -g'
like "$status:$out" "^0: *0 +$EUID +1"$'\n0\n0$' "without any mappings the caller is root there"
up userns '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] |
        .linux.gidMappings = [{ containerID: 0, hostID: 300000, size: 100 }]'
upid=$(cat "$T/userns.pid" 2>/dev/null)
in_one ".linux.namespaces = [{ type: \"user\", path: \"/proc/$upid/ns/user\" }, { type: \"network\", path: \"/proc/$upid/ns/net\" }, { type: \"mount\" }, { type: \"pid\" },
        { type: \"ipc\" }, { type: \"uts\" }]" facts
facts_read
is "$status:$(fact ns.user):$(fact ns.net)" "0:$(readlink "/proc/$upid/ns/user"):$(readlink "/proc/$upid/ns/net")" \
        "[namespace.path-joined] a user namespace with a path is joined, and its network"
in_one '.linux.namespaces += [{ type: "user" }, { type: "time" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] |
        .linux.gidMappings = [{ containerID: 0, hostID: 300000, size: 100 }] | .linux.timeOffsets = { monotonic: { secs: 7881, nanosecs: 5 }, boottime: { secs: 1337 } }' \
        sh -c 'tr -s " \t" "  " </proc/self/timens_offsets'
is "$out$err" $'monotonic 7881 5\nboottime 1337 0' "[time.offsets] the clocks of a user namespace's time namespace have their offsets"
refuses "[values.invalid] mappings that overlap are refused" '.linux.namespaces += [{ type: "user" }] |
        .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }, { containerID: 5, hostID: 200000, size: 5 }] |
        .linux.gidMappings = [{ containerID: 0, hostID: 300000, size: 100 }]' true
refuses "[userns.mapped-user] a user that no mapping has is refused" '.linux.namespaces += [{ type: "user" }] | .process.user.uid = 77 |
        .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 10 }] | .linux.gidMappings = [{ containerID: 0, hostID: 300000, size: 100 }]' true

# --- sysctls
in_one '.linux.sysctl = { "net.ipv4.ip_forward": "1", "net.core.somaxconn": "256", "kernel.msgmax": "12345", "kernel/shmmni": "44" }' \
        cat /proc/sys/net/ipv4/ip_forward /proc/sys/net/core/somaxconn /proc/sys/kernel/msgmax /proc/sys/kernel/shmmni
is "$(tr '\n' ' ' <<<"$out")" "1 256 12345 44 " "[sysctl.set] sysctls of namespaces are set"
before=$(cat /proc/sys/kernel/core_pattern)
for name in kernel.core_pattern vm.swappiness kernel.shm_rmid_forced+x net/../kernel/core_pattern fs.file-max; do
        refuses "[sysctl.host] the host's sysctl $name is refused" ".linux.sysctl = { \"$name\": \"1\" }" true
done
refuses "[sysctl.host] a sysctl of the network of the host is refused" '.linux.sysctl = { "net.ipv4.ip_forward": "1" } | .linux.namespaces |= map(select(.type != "network"))' true
is "$(cat /proc/sys/kernel/core_pattern)" "$before" "[sysctl.host] ... and nothing of the host's was changed"

# --- network devices
if ! ip link add sdpodv0 type veth peer name sdpodv1 2>/dev/null; then
        skip "[netdevices.moved]" "no veth can be made here"
elif [[ $PEER != runc && $PEER != crun ]]; then # those of Debian 12 ignore it
        at_end ip link del sdpodv0
        ip addr add 192.0.2.77/24 dev sdpodv1
        in_one '.linux.netDevices = { sdpodv1: { name: "inside0" } }' sh -c 'cat /proc/net/dev /sys/class/net/inside0/flags; cat /proc/net/fib_trie'
        like "$out" 'inside0:' "[netdevices.moved] a network device is moved, with its new name"
        like "$out" '0x[0-9a-f]*[13579bdf]'$'\n' "[netdevices.up] ... is up"
        like "$out" '192\.0\.2\.77' "[netdevices.addresses] ... and has its addresses"
        ip link add sdpodv2 type veth peer name sdpodv3
        at_end ip link del sdpodv2
        refuses "[netdevices.name-taken] a name that is there already is refused" '.linux.netDevices = { sdpodv2: { name: "lo" } }' true
        refuses "[netdevices.check] a device that is not there is refused" '.linux.netDevices = { nosuchdev0: {} }' true
        ip link show sdpodv2 >/dev/null 2>&1
        is "$?" 0 "[errors.leave-no-trace] ... and the one that could not be moved is where it was"
        in_one '.linux.netDevices = { sdpodv2: { name: "any%d" } }' cat /proc/net/dev
        like "$out" 'any0:' "[netdevices.template] a name with %d becomes one that is free"
fi
rt_quietly delete --force "$ME-holder"
rt_quietly delete --force "$ME-userns"
is "$(without_trace)" "" "[delete.resources] nothing is left"
finish
