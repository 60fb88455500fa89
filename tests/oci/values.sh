#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Valid and invalid values by the runtime specification (config.md: Specification version, Root, Annotations, Extensibility, Valid values):
# what is not known is passed over, what is wrong is refused by create and leaves nothing.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"

# --- versions
for version in 1.0.0 1.0.2-dev 1.1.0+build 1.2.1 1.3.0 1.99.7; do
        in_one ".ociVersion = \"$version\"" true
        is "$status:$err" "0:" "[version.series] version $version is accepted"
done
for version in '"1"' '"banana"' '""' '"2.0.0"' 1 null; do
        refuses "[version.semver] version $version is refused" ".ociVersion = $version" true
done
refuses "[version.semver] no version is refused" 'del(.ociVersion)' true

# --- what is not known is passed over
in_one '.unknown = { a: [1, 2] } | .process.unknown = "x" | .linux.unknown = true | .root.unknown = 5 | .mounts[0].unknown = "y" | .linux.namespaces[0].unknown = [] |
        .annotations = { "org.opencontainers.unknown": "x", "org.opencontainers.image.os": "plan9", "org.opencontainers.image.stopSignal": "SIGHUP", "": "" | "" } |
        del(.annotations[""])' facts
is "$status" 0 "[extensibility.unknown][annotations.unknown] properties and annotations that nobody knows are passed over"

# --- what is wrong is refused; each of these by create, which leaves nothing
while IFS='|' read -r what filter; do
        [[ -n $what ]] || continue
        refuses "[values.invalid] $what" "$filter" true
done <<'END'
[root.needed] no root is refused|del(.root)
[root.needed] a root without a path is refused|.root = {}
[root.directory] a root that is not there is refused|.root.path = "nowhere"
[root.directory] a root that is a file is refused|.root.path = "config.json"
[process.cwd-absolute] a relative working directory is refused|.process.cwd = "tmp"
[process.cwd-absolute] no working directory is refused|.process.cwd = ""
[process.args-needed] no arguments are refused|.process.args = []
[process.args-needed] an empty program is refused|.process.args = [""]
[rlimits.unknown] a limit that no kernel has is refused|.process.rlimits = [{ type: "RLIMIT_NONE", soft: 1, hard: 1 }]
[rlimits.unknown] a limit without its prefix is refused|.process.rlimits = [{ type: "NOFILE", soft: 1, hard: 1 }]
[rlimits.duplicate] a limit twice is refused|.process.rlimits = [{ type: "RLIMIT_CORE", soft: 0, hard: 0 }, { type: "RLIMIT_CORE", soft: 0, hard: 0 }]
a soft limit above the hard one is refused|.process.rlimits = [{ type: "RLIMIT_NOFILE", soft: 20, hard: 10 }]
[scheduler.policy] a policy that is none is refused|.process.scheduler = { policy: "SCHED_SLOW" }
[scheduler.flags] a flag that is none is refused|.process.scheduler = { policy: "SCHED_OTHER", flags: ["SCHED_FLAG_NONE"] }
[ioprio.set] a class that is none is refused|.process.ioPriority = { class: "IOPRIO_CLASS_SLOW", priority: 1 }
[ioprio.set] a priority that is none is refused|.process.ioPriority = { class: "IOPRIO_CLASS_BE", priority: 9 }
[personality.domain] a personality that is none is refused|.linux.personality = { domain: "BSD" }
[oom.set] a score that is none is refused|.process.oomScoreAdj = 5000
[user.ids] a user below zero is refused|.process.user.uid = -1
[user.ids] a user that is no number is refused|.process.user.uid = "root"
a list in place of an object is refused|.process = []
an object in place of a list is refused|.mounts = {}
a number in place of a text is refused|.hostname = 5
a text in place of a truth is refused|.root.readonly = "yes"
[annotations.values] an annotation that is no text is refused|.annotations = { "a": 1 }
[annotations.keys] an annotation without a key is refused|.annotations = { "": "x" }
[annotations.map] annotations that are a list are refused|.annotations = ["a"]
[intelrdt.no-resctrl] intelRdt without a mounted resctrl is refused|.linux.intelRdt = { closID: "x", l3CacheSchema: "L3:0=f" }
[mempolicy.mode] a memory policy that is none is refused|.linux.memoryPolicy = { mode: "MPOL_NONE" }
[hostname.needs-uts] a host name without a UTS namespace is refused|.linux.namespaces |= map(select(.type != "uts"))
END

# --- a config.json that is none
broken() { # NAME TEXT
        oci_next
        bundle "$id" . true
        printf '%s' "$2" >"$T/$id/config.json"
        timeout 60 "$RUNTIME" --root "$STATE" create --bundle "$T/$id" "$id" >"$T/broken.out" 2>&1 </dev/null
        status=$? out=$(cat "$T/broken.out")
        like "$status:$out" '^([1-9]|[1-9][0-9]|1[0-1][0-9]|255):.+' "[values.invalid] $1 is refused"
        rt_quietly delete --force "$id"
}
broken "an empty config.json" ""
broken "one that is no JSON" "{ ociVersion: 1 }"
broken "one that ends in the middle" "$(head -c 300 "$T/plain.json")"
broken "one that is a list" "[]"
broken "one that is as deep as a well" "$(head -c 100000 /dev/zero | tr '\0' '[')"
broken "one with something after its end" "$(cat "$T/plain.json") {}"
oci_next
bundle "$id" . true
rm "$T/$id/config.json"
mkfifo "$T/$id/config.json"
timeout 5 "$RUNTIME" --root "$STATE" create --bundle "$T/$id" "$id" >"$T/broken.out" 2>&1 </dev/null
status=$?
like "$([[ $status != 0 && $status != 124 ]] && echo refused)" refused "[values.invalid] a pipe as config.json is refused, and not waited for"
rt_quietly delete --force "$id"

# --- capabilities that cannot be had are a warning, and no failure
in_one '.process.capabilities = { bounding: ["CAP_KILL", "CAP_UNKNOWN"], permitted: ["CAP_KILL", "CAP_UNKNOWN"], effective: ["CAP_KILL", "UNKNOWN_CAP"] }' facts
warning=$err
facts_read
is "$status:$(fact cap.effective):$(grep -c CAP_UNKNOWN <<<"$warning"):$(grep -c UNKNOWN_CAP <<<"$warning")" "0:0000000000000020:1:1" \
        "[capabilities.warning] one that nobody knows is warned of, once, and all else is granted"
in_one '.process.capabilities = { bounding: ["CAP_KILL", "CAP_SYS_RESOURCE"], permitted: ["CAP_KILL", "CAP_SYS_RESOURCE"], effective: ["CAP_KILL", "CAP_SYS_RESOURCE"] }' facts
warning=$err
facts_read
if [[ $("$T/facts" | sed -n 's/^cap.bounding //p') == *[13579bdf][0-9a-f]?????? ]]; then
        skip "[capabilities.warning]" "every capability can be had here"
else
        is "$status:$(fact cap.effective)" "0:0000000000000020" "[capabilities.warning] a capability that cannot be granted does not fail the container"
        like "$warning" "CAP_SYS_RESOURCE" "[capabilities.warning] ... and is warned of"
fi
is "$(without_trace)" "" "[errors.leave-no-trace] nothing is left of what was refused"
finish
