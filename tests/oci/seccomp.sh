#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Seccomp by the runtime specification (config-linux.md: Seccomp, The Container Process State).
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
allow_all='.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"]'
if [[ $(uname -m) != x86_64 ]]; then skip_all "the profiles here are those of x86_64"; fi
rules() { # SYSCALLS...: a filter of jq
        echo "$allow_all, syscalls: [$1] }"
}

# --- actions, operators and errnos, many in one container
in_one "$(rules '
        { names: ["mkdir", "mkdirat"], action: "SCMP_ACT_ERRNO" },
        { names: ["symlink", "symlinkat"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
        { names: ["personality"], action: "SCMP_ACT_ERRNO", errnoRet: 5, args: [{ index: 0, value: 8, op: "SCMP_CMP_EQ" }] },
        { names: ["chmod", "fchmodat", "fchmodat2"], action: "SCMP_ACT_ERRNO", errnoRet: 7 },
        { names: ["no_such_call_of_any_kernel"], action: "SCMP_ACT_ERRNO" },
        { names: ["sync"], action: "SCMP_ACT_LOG" },
        { names: ["kill"], action: "SCMP_ACT_ERRNO", errnoRet: 16, args: [{ index: 1, value: 12, op: "SCMP_CMP_EQ" }] },
        { names: ["setpriority"], action: "SCMP_ACT_ERRNO", errnoRet: 17, args: [{ index: 2, value: 240, valueTwo: 16, op: "SCMP_CMP_MASKED_EQ" }] }')" \
        sh -c 'facts | grep ^seccomp; mkdir /x 2>&1; ln -s a /b 2>&1; chmod 700 /tmp 2>&1; sync && echo synced; kill -USR2 1 2>&1; kill -0 1 && echo alive'
facts_read
is "$status:$(fact seccomp)" "0:2" "[seccomp.filter] a filter is on; a call that no kernel has is passed over"
like "$out" "mkdir: .*Operation not permitted" "[seccomp.errno-default] SCMP_ACT_ERRNO is EPERM where nothing else is said"
like "$out" "Function not implemented" "[seccomp.errno] ... or the errno that is"
like "$out" "Argument list too long" "[seccomp.errno] ... for each of several names"
like "$out" "synced" "[seccomp.log] SCMP_ACT_LOG lets a call pass"
like "$out" "(Device or )?[Rr]esource busy.*alive" "[seccomp.args] a rule with an argument meets what it says, and nothing else"
operators='' checks='' wanted=''
for op in EQ:5:yes EQ:6:no NE:6:yes NE:5:no LT:6:yes LT:5:no LE:5:yes LE:4:no GE:5:yes GE:6:no GT:4:yes GT:5:no MASKED_EQ:4:yes; do
        IFS=: read -r name value hit <<<"$op"
        args="{ index: 1, value: $value, op: \"SCMP_CMP_$name\" }"
        [[ $name == MASKED_EQ ]] && args="{ index: 1, value: 6, valueTwo: 4, op: \"SCMP_CMP_MASKED_EQ\" }"
        operators+="${operators:+,}{ names: [\"kill\"], action: \"SCMP_ACT_ERRNO\", errnoRet: 16, args: [$args, { index: 0, value: $((${#checks} + 1000)), op: \"SCMP_CMP_EQ\" }] }"
        checks+=x wanted+="$([[ $hit == yes ]] && echo busy || echo other) "
done
# each operator has a PID of its own, and the signal is 5
in_one "$(rules "$operators")" sh -c 'for p in $(seq 1000 1012); do case $(kill -5 $p 2>&1) in *busy*) echo -n "busy ";; *) echo -n "other ";; esac; done'
is "$out" "$wanted" "[seccomp.operators] EQ, NE, LT, LE, GE, GT and MASKED_EQ"
in_one "$(rules '{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL_PROCESS" }')" mkdir /x
is "$status" 159 "[seccomp.kill-process] SCMP_ACT_KILL_PROCESS"
in_one "$(rules '{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_KILL" }')" mkdir /x
is "$status" 159 "[seccomp.kill] SCMP_ACT_KILL"
in_one "$(rules '{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_TRAP" }')" mkdir /x
is "$status" 159 "[seccomp.trap] SCMP_ACT_TRAP"
in_one "$(rules '{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_TRACE", errnoRet: 7 }')" mkdir /x
like "$err" "Function not implemented" "[seccomp.trace] SCMP_ACT_TRACE without a tracer"
in_one '.linux.seccomp = { defaultAction: "SCMP_ACT_ERRNO", defaultErrnoRet: 99, syscalls: [{ names: ["execve", "exit", "exit_group", "write", "writev", "read", "brk", "mmap", "munmap", "mprotect", "close",
        "arch_prctl", "set_tid_address", "set_robust_list", "rseq", "prlimit64", "readlink", "readlinkat", "getrandom", "fstat", "newfstatat", "ioctl", "getuid", "geteuid", "getgid", "getegid",
        "prctl", "capset", "capget", "setuid", "setgid", "setgroups", "setresuid", "setresgid", "fcntl", "openat", "open", "chdir", "futex", "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "getppid",
        "getpid", "clone", "clone3", "wait4", "sched_yield", "nanosleep", "epoll_ctl", "epoll_pwait", "epoll_create1", "getdents64", "fstatfs", "stat", "lstat", "access", "faccessat", "faccessat2",
        "dup3", "keyctl", "umask", "lseek", "getcwd", "seccomp", "tgkill", "gettid", "close_range", "statx", "uname", "sigaltstack", "pipe2", "sendto", "recvfrom", "sendmsg", "recvmsg", "poll", "ppoll", "execveat",
        "dup2", "dup", "setsid", "exit", "madvise"], action: "SCMP_ACT_ALLOW" }] }' sh -c 'mkdir /x 2>&1; echo went on'
like "$out" "Cannot assign requested address.*went on" "[seccomp.default-errno] defaultErrnoRet"

# --- flags
in_one "$allow_all, flags: [\"SECCOMP_FILTER_FLAG_LOG\", \"SECCOMP_FILTER_FLAG_SPEC_ALLOW\", \"SECCOMP_FILTER_FLAG_TSYNC\"], syscalls: [{ names: [\"mkdir\"], action: \"SCMP_ACT_ERRNO\" }] }" \
        sh -c 'grep -E "^(Seccomp|Speculation_Store)" /proc/self/status'
like "$status:$out" "^0:.*Seccomp:[[:space:]]*2" "[seccomp.flags] the flags are taken"
refuses "[values.invalid] a flag that is none is refused" "$allow_all, flags: [\"SECCOMP_FILTER_FLAG_NONE_SUCH\"], syscalls: [{ names: [\"mkdir\"], action: \"SCMP_ACT_ERRNO\" }] }" true

# --- what is refused
refuses "[seccomp.errno-unsupported] an errno for an action that has none is refused" \
        "$(rules '{ names: ["mkdir"], action: "SCMP_ACT_KILL", errnoRet: 5 }')" true
refuses "[seccomp.errno-unsupported] ... for the default action, too" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", defaultErrnoRet: 5, syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }] }' true
refuses "[seccomp.names-needed] a rule without a name is refused" "$(rules '{ names: [], action: "SCMP_ACT_ERRNO" }')" true
refuses "[values.invalid] an action that is none is refused" "$(rules '{ names: ["mkdir"], action: "SCMP_ACT_DANCE" }')" true
refuses "[values.invalid] a default action that is none is refused" '.linux.seccomp = { defaultAction: "allow" }' true
refuses "[values.invalid] an architecture that is none is refused" '.linux.seccomp = { defaultAction: "SCMP_ACT_ALLOW", architectures: ["SCMP_ARCH_PDP11"], syscalls: [{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }] }' true
refuses "[values.invalid] an operator that is none is refused" "$(rules '{ names: ["mkdir"], action: "SCMP_ACT_ERRNO", args: [{ index: 0, value: 1, op: "SCMP_CMP_ABOUT" }] }')" true
refuses "[values.invalid] an argument that no call has is refused" "$(rules '{ names: ["mkdir"], action: "SCMP_ACT_ERRNO", args: [{ index: 6, value: 1, op: "SCMP_CMP_EQ" }] }')" true
refuses "[seccomp.metadata-needs-path] metadata without a path of a listener are refused" "$(rules '{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }') | .linux.seccomp.listenerMetadata = \"x\"" true

# --- a listener
notify="$(rules '{ names: ["mkdir", "mkdirat"], action: "SCMP_ACT_NOTIFY" }') | .linux.seccomp.listenerPath = \"$T/agent\" | .linux.seccomp.listenerMetadata = \"meta data\" | .annotations = { \"org.example.a\": \"b\" }"
cat >"$T/agent.py" <<'PY'
"""An agent for seccomp: takes one connection on a socket, says what came, and answers the calls with ENOMEDIUM: agent.py SOCKET."""
import array, fcntl, json, os, socket, struct, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("listening", flush=True)
peer, _ = listener.accept()
text, fds, messages = b"", array.array("i"), []
while True:
    data, ancillary, _, _ = peer.recvmsg(65536, socket.CMSG_SPACE(64))
    if not data:
        break
    text += data
    got = 0
    for level, kind, payload in ancillary:
        fds.frombytes(payload[:len(payload) - len(payload) % 4])
        got += len(payload) // 4
    messages.append(got)
state = json.loads(text)
print("closed yes")
print("first-message-fds", messages[0], "later", sum(messages[1:]))
print("fds", ",".join(state["fds"]), len(fds))
print("metadata", state.get("metadata"))
print("version", state["ociVersion"])
print("pid", state["pid"])
inner = state["state"]
print("state", inner["id"], inner["status"], inner["pid"], inner["bundle"], inner.get("annotations", {}).get("org.example.a"), flush=True)
request = bytearray(80)
try:
    fcntl.ioctl(fds[0], 0xC0502100, request)
    cookie, = struct.unpack_from("Q", request)
    fcntl.ioctl(fds[0], 0xC0182101, struct.pack("QqiI", cookie, 0, -123, 0))
    print("answered", flush=True)
except OSError as e:
    print("no call:", e, flush=True)
PY
if ! command -v python3 >/dev/null; then
        skip "[seccomp.listener]" "python3 is not installed"
else
        python3 "$T/agent.py" "$T/agent" >"$T/agent.out" 2>&1 &
        agent=$!
        until_ok 5 grep -q listening "$T/agent.out"
        created heard "$notify" sh -c 'mkdir /x; echo went on'
        is "$?:$err" "0:" "[seccomp.listener] a filter with a listener"
        rt start "$id"
        until_ok 5 grep -qE 'answered|no call' "$T/agent.out" || kill $agent
        wait $agent
        out=$(cat "$T/agent.out")
        facts_read
        until_ok 5 grep -q 'went on' "$T/heard.out"
        like "$(cat "$T/heard.err")$(cat "$T/heard.out")" "No medium found.*went on" "[seccomp.listener][seccomp.notify] the agent has the call and answers it"
        is "$(fact closed):$(fact first-message-fds)" "yes:1 later 0" "[seccomp.listener-once][seccomp.state-fds-first] one state per connection, the descriptor with its first message"
        is "$(fact fds):$(fact metadata)" "seccompFd 1:meta data" "[seccomp.listener-metadata][seccomp.state-json] names of the descriptors and the metadata are in it"
        is "$(fact pid):$(fact state | cut -d' ' -f1,3-)" "$(cat "$T/heard.pid"):$id $(cat "$T/heard.pid") $T/heard b" "[seccomp.state-json] ... the PID and the container's state"
        like "$(fact version)" '^1\.' "[seccomp.state-json] ... and the version"
        rt_quietly delete --force "$id"
fi
rm -f "$T/agent"
bundle deaf "$notify" true
timeout 60 "$RUNTIME" --root "$STATE" run --bundle "$T/deaf" "$ME-deaf" >"$T/deaf.out" 2>&1 </dev/null
like "$?:$(cat "$T/deaf.out")" '^[1-9][0-9]*:.+' "[seccomp.listener-fails] where nobody listens it is an error"
rt_quietly delete --force "$ME-deaf"
in_one "$(rules '{ names: ["mkdir"], action: "SCMP_ACT_ERRNO" }') | .linux.seccomp.listenerPath = \"/no/such\"" true
is "$status" 0 "[seccomp.listener-ignored] without SCMP_ACT_NOTIFY the path of a listener is ignored"
is "$(without_trace)" "" "[delete.resources] nothing is left"
finish
