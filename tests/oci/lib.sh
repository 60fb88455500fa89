# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # the names set here are for the tests to read
# What each test of the OCI runtime starts with: the TAP words (lib/tap.sh), bundles, and a program that says inside of a container
# what it finds there.
#
#   bundle NAME [JQ] [CMD...]   makes $T/NAME: config.json (the plain one below, changed by a filter of jq), rootfs; CMD is process.args
#   rt VERB ...                 runs the runtime with a state directory of this file's own; sets $status, $out, $err as `run` does
#   rt_quietly VERB ...         the same without that: for what only prepares or tidies
#   in_one [JQ] CMD...          a bundle of its own, `run` to its end, gone afterwards; $id was its ID
#   up NAME [JQ] [CMD...]       bundle, create, start: a container that runs (without CMD: for ever); $id is its ID; gone at the end of the file
#   created NAME [JQ] [CMD...]  the same without the start
#   facts_read                  takes apart what facts printed (in $out); then `fact KEY` says one, `facts_like KEY` all with such a key
#   state_of ID [.KEY]          what `state` says, by jq
#   refuses NAME [JQ] [CMD...]  create fails, with a message, and leaves nothing: one check
#   without_trace               what is left in the state directory, of cgroups, mounts and processes of this file: nothing where all is well
#
# A check's name begins with the clauses that it shows, each in brackets: "[root.readonly] nothing can be written below /".
# RUNTIME is the program. Root runs the files directly (or by tests/oci/start); one that has a line `# oci: user` is for an
# ordinary user. An ordinary user's containers have a user namespace in which this user is root.
TESTS=${TESTS:-$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)}
# shellcheck source=tests/lib/tap.sh
. "$TESTS/lib/tap.sh"
RUNTIME=${RUNTIME:-sdpod-oci}
command -v "$RUNTIME" >/dev/null || skip_all "there is no $RUNTIME"
for program in jq busybox; do command -v $program >/dev/null || skip_all "$program is not installed"; done
RUN_TIMEOUT=${OCI_TIMEOUT:-60}
STATE=$T/state
ME=oci-$(basename "$0" .sh)-$$ # each ID begins so, and each cgroup
PEER=$("$RUNTIME" --version 2>/dev/null | sed -n '1s/ .*//p') # runc, crun or sdpod-oci: what others are known to do otherwise
chmod 755 "$T"
mkdir "$STATE"
oci_number=0

# Linked once: every file needs it, and a container shares nothing with the host that it could be linked to. A machine without a
# compiler is given it.
cp "$TESTS/built/facts" "$T/facts" 2>/dev/null || cc -O1 -static -w -o "$T/facts" "$TESTS/oci/facts.c" ||
        { echo "1..0 # SKIP no static program can be linked"; tap_finished=1; exit 0; }
mkdir -p "$T/base"/{bin,dev,etc,proc,sys,tmp,root,mnt,usr}
chmod 1777 "$T/base/tmp"
cp "$T/facts" "$T/base/bin/facts"
cp "$(command -v busybox)" "$T/base/bin/busybox"
for program in sh cat ls sleep true false echo test grep mount umount mkdir touch rm id env head tail stat chmod mknod kill dd hostname \
        readlink ln mv wc find seq sort ps tr sync nc date sed expr od mkfifo; do
        ln -s busybox "$T/base/bin/$program"
done
printf 'root:x:0:0:root:/root:/bin/sh\n' >"$T/base/etc/passwd"

cat >"$T/plain.json" <<'END'
{
  "ociVersion": "1.0.2",
  "process": {
    "user": { "uid": 0, "gid": 0 }, "args": ["true"], "env": ["PATH=/bin", "TERM=xterm"], "cwd": "/", "noNewPrivileges": true,
    "capabilities": { "bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL", "CAP_CHOWN"], "permitted": ["CAP_KILL", "CAP_CHOWN"] }
  },
  "root": { "path": "rootfs" },
  "hostname": "conf",
  "mounts": [
    { "destination": "/proc", "type": "proc", "source": "proc" },
    { "destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "size=65536k"] },
    { "destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] },
    { "destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"] },
    { "destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": ["nosuid", "noexec", "nodev"] },
    { "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"] }
  ],
  "linux": {
    "namespaces": [{ "type": "pid" }, { "type": "network" }, { "type": "ipc" }, { "type": "uts" }, { "type": "mount" }],
    "maskedPaths": ["/proc/kcore", "/proc/keys", "/sys/firmware"],
    "readonlyPaths": ["/proc/sys", "/proc/sysrq-trigger"]
  }
}
END
if [[ $EUID != 0 ]]; then
        jq --argjson u $EUID --argjson g "$(id -g)" '.linux.namespaces += [{type: "user"}] |
                .linux.uidMappings = [{containerID: 0, hostID: $u, size: 1}] | .linux.gidMappings = [{containerID: 0, hostID: $g, size: 1}]' \
                "$T/plain.json" >"$T/plain.user" && mv "$T/plain.user" "$T/plain.json"
fi

bundle() {
        local dir=$T/$1 filter=${2:-.}
        shift; shift
        rm -rf "$dir"
        mkdir -p "$dir"
        cp "-a${OCI_COPY-l}" "$T/base" "$dir/rootfs" # links are fast; OCI_COPY= makes copies, where a container writes to programs
        # jq counts in doubles, and 2^64-1 is none
        jq "if \$ARGS.positional == [] then . else .process.args = \$ARGS.positional end | $filter" "$T/plain.json" --args -- "$@" |
                sed 's/18446744073709552000/18446744073709551615/' >"$dir/config.json"
}

rt() {
        run "$RUNTIME" --root "$STATE" "$@"
}

rt_quietly() {
        timeout --kill-after=5 "$RUN_TIMEOUT" "$RUNTIME" --root "$STATE" "$@" >/dev/null 2>&1 </dev/null
}

oci_next() {
        oci_number=$((oci_number + 1))
        id=$ME-$oci_number
}

in_one() {
        oci_next
        bundle "$id" "$@"
        rt run --bundle "$T/$id" "$id"
        # one that could not be made is none; one that could and stays is for without_trace to find
        [[ $status == 0 ]] || rt_quietly delete --force "$id"
        rm -rf "${T:?}/$id"
}

created() {
        local name=$1
        shift
        (($# > 1)) || set -- "${1:-.}" sleep 1000
        bundle "$name" "$@"
        id=$ME-$name
        at_end rt_quietly delete --force "$id"
        # the streams are files: a pipe would be held by the container, and waited for
        "$RUNTIME" --root "$STATE" create --bundle "$T/$name" --pid-file "$T/$name.pid" "$id" \
                >"$T/$name.out" 2>"$T/$name.err" </dev/null
        status=$? out=$(cat "$T/$name.out") err=$(cat "$T/$name.err")
        return $status
}

up() {
        created "$@" && "$RUNTIME" --root "$STATE" start "$id" >>"$T/$1.out" 2>"$T/$1.start" </dev/null
        status=$?
        [[ $status == 0 ]] || err+=$(cat "$T/$1.start" 2>/dev/null)
        return $status
}

declare -A oci_facts=()
facts_read() {
        local key value
        oci_facts=()
        while read -r key value; do
                [[ -n $key ]] && oci_facts[$key]=$value
        done <<<"$out"
}

fact() {
        echo "${oci_facts[$1]-}"
}

facts_like() {
        local key # $1 is a pattern
        for key in "${!oci_facts[@]}"; do
                # shellcheck disable=SC2053
                [[ $key == $1 ]] && echo "$key ${oci_facts[$key]}"
        done | sort
}

state_of() {
        "$RUNTIME" --root "$STATE" state "$1" 2>/dev/null | jq -r "${2:-.}"
}

refuses() {
        local name=$1 left
        shift
        oci_next
        bundle "$id" "$@"
        # what it prints goes to files: whoever was made after all would hold a pipe open
        timeout --kill-after=5 "$RUN_TIMEOUT" "$RUNTIME" --root "$STATE" create --bundle "$T/$id" "$id" >"$T/refused.out" 2>&1 </dev/null
        status=$? out=$(tr -d '\000' <"$T/refused.out") err=''
        rt_quietly state "$id" && left=' and a container is left'
        rt_quietly delete --force "$id"
        rm -rf "${T:?}/$id"
        if [[ $status != 0 && $status != 124 && ($status -lt 128 || $status == 255) && -n $out && -z ${left-} ]]; then
                pass "$name"
        else
                fail "$name" "exit code $status${left-}, output: $out"
        fi
}

without_trace() {
        local pid
        find "$STATE" -mindepth 1 -maxdepth 1 ! -name '.*' # what begins with a dot is no container
        find /sys/fs/cgroup -maxdepth 4 -type d -name "*$ME*" 2>/dev/null
        grep -F "$T/" /proc/self/mountinfo
        for pid in /proc/[0-9]*; do
                [[ $(readlink "$pid/root" 2>/dev/null) == "$T"/*/rootfs* ]] && echo "$pid $(tr '\0' ' ' <"$pid/cmdline")"
        done
}

# Where the controllers of cgroups are on this machine: v1 (each its own directory, whatever else is there) or v2.
CGROUPS=v1
[[ $(stat -f -c %T /sys/fs/cgroup) == cgroup2fs ]] && CGROUPS=v2

# The file of a cgroup: cgroup_file CONTROLLER PATH FILE; CONTROLLER is of v1, or "unified".
cgroup_file() {
        if [[ $CGROUPS == v2 ]]; then
                echo "/sys/fs/cgroup/$2/$3"
        else
                echo "/sys/fs/cgroup/$1/$2/$3"
        fi
}
