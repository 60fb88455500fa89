#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hooks by the runtime specification (config.md: POSIX-platform Hooks; runtime.md: Lifecycle): when and where each kind is called, in what
# order, what it gets, and what happens where one fails.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
log=$T/hooks.log

# A hook that writes down who it is, where it is and what it was given. The one on the host and the one inside are the same script; inside
# it writes to a file that is bound there.
cat >"$T/hook" <<'END'
#!/bin/sh
state=$(cat)
status=$(echo "$state" | sed -n 's/.*"status": *"\([a-z]*\)".*/\1/p')
id=$(echo "$state" | sed -n 's/.*"id": *"\([^"]*\)".*/\1/p')
pid=$(echo "$state" | sed -n 's/.*"pid": *\([0-9]*\).*/\1/p')
bundle=$(echo "$state" | sed -n 's/.*"bundle": *"\([^"]*\)".*/\1/p')
out=HOST
[ -e /hooks.log ] && out=/hooks.log
{
        echo "$1 order $2 mnt=$(readlink /proc/self/ns/mnt) net=$(readlink /proc/self/ns/net) pidns=$(readlink /proc/self/ns/pid) status=$status id=$id pid=$pid bundle=$bundle arg0=$0 env=$HOOK:$PATH cwd=$(pwd) args=$# json=$(echo "$state" | tr -d '\n ')"
        echo "$1 rootns=$(readlink "/proc/$pid/ns/net" 2>/dev/null) fds=$(ls /proc/self/fd | tr '\n' ',')"
        [ -e /bin/facts ] && echo "$1 pivoted"
        [ -e ROOTFS/dev/null ] && echo "$1 mounted"
} >>"$out"
exit $3
END
sed -i "s|HOST|$log|; s|ROOTFS|$T/hooked/rootfs|" "$T/hook"
chmod 755 "$T/hook"
hook() { # KIND NUMBER [STATUS]
        echo "{ path: \"${4:-$T/hook}\", args: [\"hook\", \"$1\", \"$2\", \"${3:-0}\"], env: [\"HOOK=of $1\", \"PATH=/usr/bin:/bin\"], timeout: 60 }"
}
inside() { hook "$1" "$2" "${3:-0}" /bin/hook; }
hooks=".hooks = { prestart: [$(hook prestart 1), $(hook prestart 2)], createRuntime: [$(hook createRuntime 1), $(hook createRuntime 2)],
        createContainer: [$(hook createContainer 1), $(hook createContainer 2)], startContainer: [$(inside startContainer 1), $(inside startContainer 2)],
        poststart: [$(hook poststart 1), $(hook poststart 2)], poststop: [$(hook poststop 1), $(hook poststop 2)] } |
        .mounts += [{ destination: \"/hooks.log\", source: \"$log\", options: [\"bind\"] }] | .annotations = { \"org.example.a\": \"b\" }"
: >"$log"
at() { sed -n "s/^$1 order .* $2=\([^ ]*\).*/\1/p" "$log" | head -n 1; } # KIND WHAT

bundle hooked "$hooks" sh -c 'echo "process ran" >>/hooks.log; sleep 1000'
cp "$T/hook" "$T/hooked/rootfs/bin/hook"
id=$ME-hooked
at_end rt_quietly delete --force "$id"
"$RUNTIME" --root "$STATE" create --bundle "$T/hooked" --pid-file "$T/hooked.pid" "$id" >"$T/hooked.out" 2>&1 </dev/null
is "$?:$(cat "$T/hooked.out")" "0:" "[hooks.recognized] a container with hooks of all six kinds"
pid=$(cat "$T/hooked.pid" 2>/dev/null)
is "$(sed -n 's/ order \(.\).*/\1/p' "$log" | tr '\n' ' ')" "prestart1 prestart2 createRuntime1 createRuntime2 createContainer1 createContainer2 " \
        "[hooks.order][hooks.prestart-at-create][hooks.prestart-before-create-runtime][hooks.create-runtime-at-create][hooks.create-container-at-create][hooks.create-container-after-create-runtime][lifecycle.hooks-invoked] create calls prestart, createRuntime and createContainer, in their order"
host_mnt=$(readlink /proc/self/ns/mnt)
is "$(at prestart mnt) $(at createRuntime mnt)" "$host_mnt $host_mnt" \
        "[hooks.prestart-runtime-namespace][hooks.create-runtime-runtime-namespace] prestart and createRuntime run in the runtime's namespaces"
is "$(at createContainer mnt)" "$(readlink "/proc/$pid/ns/mnt")" "[hooks.create-container-container-namespace] createContainer runs in the container's mount namespace"
is "$(at createContainer net)" "$(readlink "/proc/$pid/ns/net")" "[hooks.create-container-container-namespace] ... and its network"
is "$(grep -c pivoted "$log")" 0 "[hooks.before-pivot] none of these is after the pivot_root"
is "$(sed -n 's/^createContainer mounted$/yes/p' "$log" | head -n 1)" yes "[hooks.create-container-at-create] ... createContainer finds the mounts made"
is "$(sed -n 's/^prestart rootns=\([^ ]*\) .*/\1/p' "$log" | head -n 1)" "$(readlink "/proc/$pid/ns/net")" "[hooks.prestart-at-create] prestart finds the container's namespaces made"
like "$(at prestart status):$(at createContainer status)" '^creat(ing|ed):creat(ing|ed)$' "[hooks.state-stdin] the state on their standard input says creating or created"
is "$(at createRuntime id) $(at createRuntime pid) $(at createRuntime bundle)" "$id $pid $T/hooked" "[hooks.state-stdin] ... the ID, the PID and the bundle"
like "$(grep -m1 '^createRuntime order' "$log")" '"annotations":\{"org.example.a":"b"\}' "[hooks.state-stdin] ... and the annotations"
like "$(grep -m1 '^createRuntime order' "$log")" 'env=of createRuntime:/usr/bin:/bin .*args=3' "[hooks.args][hooks.env] arguments and environment are those of the hook"
unlike "$(sed -n 's/.*fds=0,1,2,3,//p' "$log")" '[0-9]' "[hooks.descriptors] a hook gets no descriptor but the three"

: >"$log"
rt start "$id"
until_ok 5 grep -q 'process ran' "$log"
exits 0 "[hooks.start-container-at-start] start"
is "$(grep -E 'order|ran' "$log" | sed 's/ order \(.\).*/\1/' | grep -v poststart | tr '\n' ' ')" "startContainer1 startContainer2 process ran " \
        "[hooks.start-container-at-start][hooks.start-container-resolves][lifecycle.hooks-invoked] startContainer is called before the process, and found in the container"
is "$(at startContainer mnt) $(at startContainer pidns)" "$(readlink "/proc/$pid/ns/mnt") $(readlink "/proc/$pid/ns/pid")" \
        "[hooks.start-container-container-namespace] ... in its namespaces"
is "$(grep -c '^startContainer pivoted' "$log"):$(at startContainer status)" "2:created" "[hooks.start-container-container-namespace] ... and in its root; the status is created"
is "$(sed -n 's/^poststart order \(.\).*/\1/p' "$log" | tr '\n' ' ')" "1 2 " "[hooks.poststart-before-start-returns] poststart is called before start returns"
is "$(at poststart mnt) $(at poststart status)" "$host_mnt running" "[hooks.poststart-runtime-namespace][hooks.poststart-after-process] ... in the runtime's namespaces, and the status is running"

: >"$log"
rt kill "$id" KILL
until_ok 5 sh -c "[ \$('$RUNTIME' --root '$STATE' state '$id' | jq -r .status) = stopped ]"
is "$(grep -c order "$log")" 0 "[hooks.poststop-at-delete] poststop is not called when the process ends"
rt delete "$id"
is "$status:$(sed -n 's/^poststop order \(.\).*/\1/p' "$log" | tr '\n' ' '):$(at poststop mnt):$(at poststop status)" "0:1 2 :$host_mnt:stopped" \
        "[hooks.poststop-at-delete][hooks.poststop-runtime-namespace][lifecycle.hooks-invoked] but before delete returns, in the runtime's namespaces"

# --- a hook that fails
for kind in prestart createRuntime createContainer; do
        : >"$log"
        refuses "[hooks.$kind-fails] create fails where a $kind hook does" \
                "$hooks | .hooks.$kind = [$(hook $kind 1 3)]" sh -c 'echo "process ran" >>/hooks.log'
        is "$(grep -c 'process ran' "$log")" 0 "[hooks.$kind-fails] ... and the process has not run"
done
: >"$log"
created failing "$hooks | .hooks.startContainer = [$(inside startContainer 1 3)]" sh -c 'echo "process ran" >>/hooks.log; sleep 1000'
cp "$T/hook" "$T/failing/rootfs/bin/hook"
rt start "$id"
like "$status:$err" '^[1-9][0-9]*:.+' "[hooks.start-container-fails] start fails where a startContainer hook does"
is "$(grep -c 'process ran' "$log"):$(state_of "$id" .status | sed 's/^$/stopped/')" "0:stopped" "[hooks.start-container-fails] ... the process has not run, and the container has ended"
rt_quietly delete --force "$id"
for kind in createRuntime startContainer; do # what was made goes, and poststop is called for it
        : >"$log"
        bundle "after-$kind" "$hooks | .hooks = { $kind: [$(if [[ $kind == startContainer ]]; then inside $kind 1 3; else hook $kind 1 3; fi)], poststop: [$(hook poststop 1)] }" true
        cp "$T/hook" "$T/after-$kind/rootfs/bin/hook"
        timeout 60 "$RUNTIME" --root "$STATE" run --bundle "$T/after-$kind" "$ME-after-$kind" >"$T/after.out" 2>&1 </dev/null
        is "$([[ $? != 0 ]] && echo failed):$(state_of "$ME-after-$kind"):$(grep -c 'poststop order' "$log")" "failed::1" \
                "[lifecycle.hook-fails-destroys] after a $kind hook that failed the container goes, and poststop is called"
        rt_quietly delete --force "$ME-after-$kind"
done
: >"$log"
bundle late "$hooks | .hooks = { poststart: [$(hook poststart 1 3), $(hook poststart 2)], poststop: [$(hook poststop 1)] }" sleep 1000
id=$ME-late
at_end rt_quietly delete --force "$id"
"$RUNTIME" --root "$STATE" create --bundle "$T/late" --pid-file "$T/late.pid" "$id" >"$T/late.out" 2>&1 </dev/null
rt start "$id"
like "$status:$err" '^[1-9][0-9]*:.+' "[hooks.poststart-fails] start fails where a poststart hook does"
gone() { [[ ! -e /proc/$(cat "$T/late.pid" 2>/dev/null)/root/bin ]]; }
ok "[hooks.poststart-fails] ... and the process is stopped" until_ok 5 gone
rt_quietly delete --force "$id"
: >"$log"
bundle stop "$hooks | .hooks = { poststop: [$(hook poststop 1 3), $(hook poststop 2)] }" sleep 1000
id=$ME-stop
at_end rt_quietly delete --force "$id"
"$RUNTIME" --root "$STATE" create --bundle "$T/stop" "$id" >"$T/stop.out" 2>&1 </dev/null
rt delete --force "$id"
is "$status:$(sed -n 's/^poststop order \(.\).*/\1/p' "$log" | tr '\n' ' '):$(state_of "$id")" "0:1 2 :" \
        "[hooks.poststop-fails] a poststop hook that fails is a warning: the container goes, and the next hook is called"
like "$err" '.+' "[hooks.poststop-fails] ... a warning is logged"

# --- a startContainer hook is a program of the container's
confined=".process.capabilities = {} | .process.noNewPrivileges = true | .process.user = { uid: 5, gid: 6 } |
        .linux.seccomp = { defaultAction: \"SCMP_ACT_ALLOW\", syscalls: [{ names: [\"mkdir\"], action: \"SCMP_ACT_KILL\" }] } |
        .hooks = { startContainer: [{ path: \"/bin/sh\", args: [\"sh\", \"-c\",
                \"grep -q '^CapEff:.*[1-9a-f]' /proc/self/status && exit 3; [ \\\"\$(id -u)\\\" = 5 ] || exit 4; grep -q '^Seccomp:.*2' /proc/self/status || exit 5\"] }] }"
in_one "$confined" true
is "$status:$err" "0:" "[hooks.start-container-confined] it has the user, the capabilities and the filter of the process"

# --- what a hook finds around it, and what is said of one that fails
if [[ $PEER != runc && $PEER != crun ]]; then
        in_one '.process.env = ["PATH=/bin", "ONE=two"] | .hooks = { startContainer: [{ path: "/bin/sh", args: ["sh", "-c", "[ \"$ONE\" = two ] && [ -n \"$HOME\" ]"] }] }' true
        is "$status:$err" "0:" "[hooks.env] a startContainer hook without an environment of its own has the process's"
        in_one '.hooks = { startContainer: [{ path: "/bin/sh", args: ["sh", "-c", "[ -z \"$TERM\" ]"], env: [] }] }' true
        is "$status:$err" "0:" "[hooks.env] ... one with an empty one has none"
        OF_CALLER=yes in_one '.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "[ \"$OF_CALLER\" = yes ]"] }] }' true
        is "$status:$err" "0:" "[hooks.env] one of the host's without an environment has the caller's"
        in_one '.hooks = { createContainer: [{ path: "/bin/sh", args: ["sh", "-c", "echo hooked >./mnt/by-hook"] }] }' cat /mnt/by-hook
        is "$out$err" hooked "[hooks.create-container-container-namespace] createContainer runs in the root file system"
        for kind in prestart createRuntime createContainer startContainer poststart; do
                path=/bin/false
                in_one ".hooks = { $kind: [{ path: \"/bin/true\" }, { path: \"$path\" }] }" true
                like "$status:$err" "^[1-9][0-9]*:.*error running $kind hook #1: /bin/false: exit status 1" "[errors.message] which hook failed, and how: $kind"
        done
        # shellcheck disable=SC2016
        in_one '.hooks = { createRuntime: [{ path: "/bin/sh", args: ["sh", "-c", "echo why >&2; kill -TERM $$"] }] }' true
        like "$err" 'error running createRuntime hook #0: /bin/sh: signal: terminated: why' "[errors.message] ... by a signal, too, and what it said"
fi

# --- wrong ones
refuses "[hooks.path-absolute] a hook whose path is relative is refused" '.hooks = { createRuntime: [{ path: "bin/true" }] }' true
refuses "[hooks.timeout-positive] a timeout of zero is refused" '.hooks = { createRuntime: [{ path: "/bin/true", timeout: 0 }] }' true
refuses "[hooks.timeout-positive] a timeout below zero is refused" '.hooks = { createRuntime: [{ path: "/bin/true", timeout: -1 }] }' true
refuses "[hooks.path-resolves] a hook that is not there is refused" '.hooks = { prestart: [{ path: "/no/such/hook" }] }' true
began=$SECONDS
refuses "[hooks.timeout] a hook that takes longer than its timeout is an error" '.hooks = { createRuntime: [{ path: "/bin/sleep", args: ["sleep", "1000"], timeout: 1 }] }' true
ok "[hooks.timeout] ... and is not waited for" test $((SECONDS - began)) -lt 55
is "$(without_trace)" "" "[delete.resources] nothing is left"
finish
