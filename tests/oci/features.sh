#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The features document by the runtime specification (features.md, features-linux.md): what it says is known is known.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
rt features
exits 0 "[features.document] features"
is "$err" "" "[features.document] ... says nothing but that"
document=$out
ask() { jq -r "$1" <<<"$document"; }
like "$(ask '.ociVersionMin')" '^[0-9]+\.[0-9]+\.[0-9]+' "[features.versions] the lowest version"
like "$(ask '.ociVersionMax')" '^[0-9]+\.[0-9]+\.[0-9]+' "[features.versions] the highest version"
is "$(printf '%s\n' "$(ask .ociVersionMin)" "$(ask .ociVersionMax)" | sort -V -C; echo $?)" 0 "[features.max-not-less] ... is not below the lowest"
for version in $(ask .ociVersionMin) $(ask .ociVersionMax); do
        in_one ".ociVersion = \"$version\"" true
        is "$status" 0 "[features.versions-accepted] config.json may be of version $version"
done
is "$(ask 'keys - ["ociVersionMin", "ociVersionMax", "hooks", "mountOptions", "linux", "annotations", "potentiallyUnsafeConfigAnnotations"] | length')" 0 \
        "[features.defined-only] it has no property that the specification does not"
is "$(ask '.linux | keys - ["namespaces", "capabilities", "cgroup", "seccomp", "apparmor", "selinux", "intelRdt", "memoryPolicy", "mountExtensions", "netDevices"] | length')" 0 \
        "[features.defined-only] ... of Linux neither"
is "$(ask '.annotations | type == "null" or (type == "object" and ([.[] | type] | all(. == "string")))')" true "[features.annotations] its annotations are texts"
is "$(ask '.hooks | sort | join(" ")')" "createContainer createRuntime poststart poststop prestart startContainer" "[features.hooks] all hooks are known (hooks.sh shows each)"

# --- what it says is known is: many in one container
required='async atime bind defaults dev diratime dirsync exec iversion lazytime loud noatime nodev nodiratime noexec noiversion nolazytime norelatime nostrictatime nosuid private rbind relatime
        remount ro rprivate rshared rslave runbindable rw shared silent slave strictatime suid sync unbindable'
is "$(for option in $required; do [[ $(ask ".mountOptions | index(\"$option\") != null") == true ]] || echo -n "$option "; done)" "" \
        "[features.mount-options] every option that has to be known is said to be"
mkdir "$T/source"
filter='.mounts += ['
for option in $(ask '.mountOptions[]'); do
        case $option in
        bind | rbind | remount | idmap | ridmap | tmpcopyup | copy-symlink) continue ;; # those mean a mount of another kind; mounts.sh has them
        r*) filter+="{ destination: \"/m/$option\", source: \"$T/source\", options: [\"rbind\", \"$option\"] }," ;;
        *) filter+="{ destination: \"/m/$option\", type: \"tmpfs\", source: \"x\", options: [\"$option\"] }," ;;
        esac
done
in_one "${filter%,}]" true
is "$status:$err" "0:" "[features.mount-options] each option that is said to be known is"
types=$(ask '.linux.namespaces | sort | join(" ")')
is "$types" "cgroup ipc mount network pid time user uts" "[features.namespaces] all kinds of namespaces"
capabilities=$(ask '.linux.capabilities')
is "$(jq -r 'length >= 41' <<<"$capabilities")" true "[features.capabilities] the capabilities"
in_one ".process.capabilities = { bounding: $capabilities, permitted: [], effective: [] }" true
is "$status" 0 "[features.capabilities] ... each is known"
filter=
for action in $(ask '.linux.seccomp.actions[]'); do [[ $action == SCMP_ACT_NOTIFY ]] || filter+="${filter:+,}{ names: [\"reboot\"], action: \"$action\", args: [{ index: 0, value: ${#filter}, op: \"SCMP_CMP_EQ\" }] }"; done
for operator in $(ask '.linux.seccomp.operators[]'); do
        filter+=",{ names: [\"swapoff\"], action: \"SCMP_ACT_ERRNO\", args: [{ index: 1, value: ${#filter}, op: \"$operator\" }] }"
done
in_one ".linux.seccomp = { defaultAction: \"SCMP_ACT_ALLOW\", architectures: $(ask '.linux.seccomp.archs - (.linux.seccomp.archs - ["SCMP_ARCH_X86", "SCMP_ARCH_X86_64", "SCMP_ARCH_X32"]) | tojson'), flags: $(ask '.linux.seccomp.supportedFlags // [] | tojson'), syscalls: [$filter] }" true
is "$status:$err" "0:" "[features.seccomp-actions][features.seccomp-operators][features.seccomp-archs][features.seccomp-flags] actions, operators, the architectures of this machine and flags are known"
is "$(ask '((.linux.seccomp.supportedFlags // []) - (.linux.seccomp.knownFlags // [])) | length')" 0 "[features.seccomp-flags] a flag that is supported is known"
is "$(ask '[.linux.seccomp.archs[] | startswith("SCMP_ARCH_")] | all')" true "[features.seccomp-archs] ... which are named as in libseccomp"
like "$(ask '.linux.cgroup | [.v1, .v2, .systemd] | join(" ")')" '^(true|false) (true|false) (true|false)$' "[features.cgroup] what is known of cgroups"
if [[ $(ask '.linux.mountExtensions.idmap.enabled') == true ]]; then
        mkdir "$T/mapped"
        in_one ".mounts += [{ destination: \"/i\", source: \"$T/mapped\", options: [\"bind\", \"idmap\"], uidMappings: [{ containerID: 0, hostID: 5, size: 1 }], gidMappings: [{ containerID: 0, hostID: 5, size: 1 }] }]" \
                stat -c %u:%g /i
        is "$out" 5:5 "[features.idmap] mappings of mounts are known where it says so"
else
        skip "[features.idmap] mappings of mounts" "the runtime does not claim them"
fi
for mode in $(ask '.linux.memoryPolicy.modes // [] | .[]'); do
        case $mode in
        MPOL_DEFAULT | MPOL_LOCAL) nodes= ;;
        MPOL_WEIGHTED_INTERLEAVE) continue ;; # not of each kernel
        *) nodes=', nodes: "0"' ;;
        esac
        in_one ".linux.memoryPolicy = { mode: \"$mode\"$nodes }" facts
        facts_read
        is "$status" 0 "[features.memory-policy] $mode ($(fact mempolicy))"
done
finish
