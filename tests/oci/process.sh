#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What config.json says of the process (config.md: Specification version, Root, Process, User, Hostname, Domainname), as it finds it.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"

# --- one container with much of it
in_one '.process += {
        user: { uid: 5, gid: 6, umask: 23, additionalGids: [7, 8] },
        env: ["PATH=/nowhere:/bin", "FOO=a b=c", "EMPTY=", "FOO2=x"],
        cwd: "/root/below",
        rlimits: [
                { type: "RLIMIT_NOFILE", soft: 100, hard: 200 }, { type: "RLIMIT_CORE", soft: 0, hard: 0 }, { type: "RLIMIT_CPU", soft: 1000, hard: 2000 },
                { type: "RLIMIT_MSGQUEUE", soft: 100, hard: 100 }, { type: "RLIMIT_AS", soft: 18446744073709551615, hard: 18446744073709551615 },
                { type: "RLIMIT_NICE", soft: 0, hard: 0 }, { type: "RLIMIT_FSIZE", soft: 4096, hard: 8192 }, { type: "RLIMIT_SIGPENDING", soft: 50, hard: 60 } ],
        capabilities: { bounding: ["CAP_KILL", "CAP_CHOWN", "CAP_NET_BIND_SERVICE"], permitted: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_KILL"],
                        inheritable: ["CAP_KILL"], ambient: ["CAP_KILL"] },
        oomScoreAdj: 321, noNewPrivileges: true, consoleSize: { height: 10, width: 20 },
        ioPriority: { class: "IOPRIO_CLASS_BE", priority: 3 } } |
        .domainname = "example.org" | .hostname = "other" | .linux.personality = { domain: "LINUX32" }' facts "an argument" "" "c"
facts_read
is "$status:$err" "0:" "[process.runs][start.runs] a process with much of its own"
is "$(fact arg.0):$(fact arg.1):${oci_facts[arg.2]-none}:$(fact arg.3)" "facts:an argument::c" "[process.args] its arguments, an empty one too"
is "$(fact env.FOO):$(fact env.EMPTY):$(fact env.FOO2):$(fact env.PATH)" "a b=c::x:/nowhere:/bin" "[process.env] its environment"
is "$(facts_like 'env.*' | grep -cvE '^env\.(FOO|EMPTY|FOO2|PATH|HOME|container) ')" 0 "[process.env] ... and nothing else but what the user's HOME is"
is "$(fact uid)/$(fact gid)/$(fact groups)" "5 5/6 6/7 8" "[user.ids][user.additional-gids] user, group and additional groups"
is "$(fact umask)" 0027 "[user.umask] the umask"
is "$(fact cwd)" /root/below "[process.cwd] the working directory, which is made where it is not there"
is "$(for l in NOFILE CORE CPU MSGQUEUE AS NICE FSIZE SIGPENDING; do echo -n "$l $(fact rlimit.$l);"; done)" \
        "NOFILE 100 200;CORE 0 0;CPU 1000 2000;MSGQUEUE 100 100;AS -1 -1;NICE 0 0;FSIZE 4096 8192;SIGPENDING 50 60;" \
        "[rlimits.soft][rlimits.hard][rlimits.getrlimit] soft and hard limits are those configured"
is "$(fact cap.bounding) $(fact cap.permitted) $(fact cap.effective) $(fact cap.inheritable) $(fact cap.ambient)" \
        "0000000000000421 0000000000000020 0000000000000020 0000000000000020 0000000000000020" \
        "[capabilities.bounding][capabilities.inheritable][capabilities.ambient] the sets of one that is not root: what is ambient is what execve leaves"
is "$(fact oomscore.0)" 321 "[oom.set] oom_score_adj is set"
is "$(fact nnp)" 1 "[process.no-new-privileges] no_new_privs"
is "$(fact ioprio)" "2 3" "[ioprio.set] the I/O priority"
is "$(fact hostname) $(fact domainname)" "other example.org" "[hostname.set][domainname.set] host name and domain name"
like "$(fact machine)" '^i?[3-6]86$' "[personality.domain] the personality LINUX32"
is "$(fact fd.0 | cut -d' ' -f1):$(fact winsize)" "other:" "[terminal.default][console-size.ignored] no terminal, and the size of none is ignored"
is "$(fact fds)" "0 1 2" "[process.descriptors] no other descriptors than the three"
is "$(fact pid) $(fact sid)" "1 1" "[namespace.new-pid] it is PID 1 and leads a session"
is "$(fact blocked):$(fact ignored)" ":" "[process.signals] no signal is blocked or ignored"

# --- what is set for root, and what is not set
in_one '.process.capabilities = { bounding: ["CAP_KILL", "CAP_CHOWN"], permitted: ["CAP_KILL", "CAP_CHOWN"], effective: ["CAP_KILL"] } |
        .process.noNewPrivileges = false' facts
facts_read
is "$(fact cap.bounding) $(fact cap.permitted) $(fact cap.effective) $(fact cap.inheritable) $(fact cap.ambient)" \
        "0000000000000021 0000000000000021 0000000000000021 0000000000000000 0000000000000000" \
        "[capabilities.permitted][capabilities.effective] root has after execve what the bounding set leaves; nothing is inheritable"
is "$(fact nnp):$(fact env.HOME)" "0:/root" "[process.no-new-privileges] ... no_new_privs is off where it is not asked for"
is "$(fact oomscore.0)" "$(cat /proc/self/oom_score_adj)" "[oom.unset] oom_score_adj stays the caller's"
is "$(fact umask)" "$(umask)" "[user.umask] the umask stays the caller's"
is "$(fact scheduler)" "$("$T/facts" | sed -n 's/^scheduler //p')" "[scheduler.unset] so does the scheduling"
is "$(fact groups)" "" "[user.additional-gids] no group of the caller's comes along"
is "$(fact rlimit.STACK)" "$("$T/facts" | sed -n 's/^rlimit.STACK //p')" "[rlimits.unset] a limit that is not named stays the caller's"

# --- scheduling
in_one '.process.scheduler = { policy: "SCHED_BATCH", nice: 7 }' facts
facts_read
like "$(fact scheduler)" '^3 nice 7 priority 0 ' "[scheduler.policy][scheduler.nice-default][scheduler.priority-default] the policy SCHED_BATCH, and a nice value"
in_one '.process.scheduler = { policy: "SCHED_OTHER", flags: ["SCHED_FLAG_RESET_ON_FORK"] }' facts
facts_read
like "$(fact scheduler)" '^0 nice 0 priority 0 flags 1 ' "[scheduler.nice-default][scheduler.flags] without a nice value it is 0; a flag"
in_one '.process.ioPriority = { class: "IOPRIO_CLASS_IDLE", priority: 0 }' facts
facts_read
like "$(fact ioprio)" '^3 ' "[ioprio.set] the idle class"

# --- a terminal
cat >"$T/terminal.py" <<'PY'
"""Takes the master of a container's terminal over a console socket, prints what comes from it: terminal.py SOCKET."""
import array, os, socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
peer, _ = listener.accept()
data, ancillary, _, _ = peer.recvmsg(4096, socket.CMSG_SPACE(64))
fds = array.array("i")
for level, kind, payload in ancillary:
    fds.frombytes(payload[:len(payload) - len(payload) % 4])
print("console-data", len(data) > 0, "fds", len(fds), "then", len(peer.recv(10)))
text = b""
try:
    while piece := os.read(fds[0], 4096):
        text += piece
except OSError:
    pass
sys.stdout.write(text.decode())
PY
if why=$(command -v python3 >/dev/null || echo "python3 is not installed") && [[ -n $why ]]; then
        skip "[terminal.allocated]" "$why"
else
        python3 "$T/terminal.py" "$T/console" >"$T/terminal.out" 2>"$T/terminal.err" &
        receiver=$!
        until_ok 5 grep -q listening "$T/terminal.out"
        bundle tty '.process.terminal = true | .process.consoleSize = { height: 33, width: 77 } | .process.user.uid = 9' facts
        "$RUNTIME" --root "$STATE" create --bundle "$T/tty" --console-socket "$T/console" "$ME-tty" >"$T/tty.out" 2>&1 </dev/null
        rt_quietly start "$ME-tty"
        wait $receiver
        out=$(cat "$T/terminal.out") err=$(cat "$T/tty.out" "$T/terminal.err")
        like "$out" 'console-data True fds 1 then 0' "[terminal.console-socket] one descriptor with a name comes over the console socket, which is closed then"
        [[ $out == *$'\r'* ]] && crs=yes || crs=no
        out=${out//$'\r'/}
        facts_read
        is "$(fact fd.0 | cut -d' ' -f1) $(fact fd.1 | cut -d' ' -f1) $(fact fd.2 | cut -d' ' -f1)" "tty tty tty" \
                "[terminal.allocated] a terminal on the three standard streams"
        is "$(fact winsize) $(fact controlling)" "77x33 yes" "[terminal.size] ... of the size asked for, which controls the process"
        like "$(fact fd.0)" 'owner 9:' "[terminal.owner] ... and is its user's"
        like "$(fact mount./dev/console)" 'devpts' "[devices.console] it is bound over /dev/console"
        rt_quietly delete --force "$ME-tty"
fi
like "$(in_one '.process.terminal = false' facts; sed -n 's/^file.\/dev\/console //p' <<<"$out")" 'ENOENT|^$' "[devices.console] without a terminal there is no /dev/console"
bundle notty '.process.terminal = true' true
timeout 60 "$RUNTIME" --root "$STATE" create --bundle "$T/notty" "$ME-notty" >"$T/notty.out" 2>&1 </dev/null
like "$?:$(cat "$T/notty.out")" '^[1-9][0-9]*:.+' "[terminal.needs-socket] create of one with a terminal, and nobody to take it, is refused"
rt_quietly delete --force "$ME-notty"

# --- how the program is found
in_one '.process.env = ["PATH=/nowhere:/mnt:/bin"]' facts
is "$status" 0 "[process.args-search] PATH is searched for a name without a slash"
in_one '.process.cwd = "/bin" | .process.env = ["PATH=/nowhere"]' ./facts
is "$status" 0 "[process.args-search] a name with one is taken from the working directory"
in_one . sh -c 'exit 9'
is "$status" 9 "[process.status] the exit status is that of the process"
in_one . sh -c 'kill -9 $$; kill -s USR1 1; exit 3'
like "$status" '^(3|137)$' "[process.status] ... whose PID 1 takes no signal from inside that it has no handler for"

oci_next
bundle "$id" '.process.user = { uid: 1000, gid: 1000 }' true
cp --remove-destination "$T/base/bin/busybox" "$T/$id/rootfs/bin/busybox"
chmod 744 "$T/$id/rootfs/bin/busybox"
rt run --bundle "$T/$id" "$id"
like "$status:$err" '^[1-9][0-9]*:.*permission denied' "[process.args-search] a program that the user may not execute is refused"
jq '.process.capabilities = { bounding: ["CAP_DAC_OVERRIDE"], effective: ["CAP_DAC_OVERRIDE"], permitted: ["CAP_DAC_OVERRIDE"], inheritable: ["CAP_DAC_OVERRIDE"], ambient: ["CAP_DAC_OVERRIDE"] }' \
        "$T/$id/config.json" >"$T/able.json" && mv "$T/able.json" "$T/$id/config.json"
rt run --bundle "$T/$id" "$id"
is "$status:$err" "0:" "[capabilities.effective] ... but not where CAP_DAC_OVERRIDE passes over that"
rm -rf "${T:?}/$id"
if [[ $PEER != runc && $PEER != crun ]]; then
        oci_next
        bundle "$id" . /script
        printf '#!/no/such/interpreter\n' >"$T/$id/rootfs/script"
        chmod 755 "$T/$id/rootfs/script"
        rt run --bundle "$T/$id" "$id"
        like "$status:$err" '^[1-9][0-9]*:.*exec /script: no such file or directory' "[errors.message] a script without its interpreter is not said to be missing itself"
        rm -rf "${T:?}/$id"
        in_one '.process.capabilities.inheritable = ["CAP_KILL"] | .process.capabilities.ambient = ["CAP_KILL", "CAP_CHOWN"]' grep CapAmb /proc/self/status
        like "$status:$err:$out" "^0:.*can't raise ambient capability CAP_CHOWN: .*CapAmb:.0*20$" "[capabilities.warning] a capability that cannot be ambient is warned of"
fi

# --- roots
in_one '.root.readonly = true' sh -c 'touch /tmp/x 2>&1; touch /dev/shm/x && echo dev; sed -n "s, / / \([^ ]*\).*,\1,p" /proc/self/mountinfo | head -n 1; facts try /etc/passwd'
like "$out" 'Read-only file system.*dev.*try./etc/passwd data EROFS' "[root.readonly] a root that is read-only, but not what is mounted there"
in_one . sh -c 'touch /tmp/x && echo written'
is "$out" written "[root.readonly-default] else it can be written"
oci_next
bundle "$id" ".root.path = \"$T/elsewhere\"" sh -c 'cat /etc/marker'
cp -al "$T/base" "$T/elsewhere"
echo here >"$T/elsewhere/etc/marker"
rt run --bundle "$T/$id" "$id"
is "$out" here "[root.path-absolute] the root may be an absolute path"
(cd "$T/$id" && "$RUNTIME" --root "$STATE" run "$id" </dev/null) >"$T/cwd.out" 2>&1
is "$(cat "$T/cwd.out")" here "[bundle.cwd] without --bundle it is the directory that one is in"
oci_next
bundle "$id" '.root.path = "./sub/../rootfs"' sh -c 'echo found'
mkdir "$T/$id/sub"
rt run --bundle "$T/$id" "$id"
is "$out" found "[root.path-relative] or is relative to the bundle"
is "$(without_trace)" "" "[delete.resources] nothing is left"
finish
