#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a container may do whose config.json is what an engine makes by default: the runtime's own template with the profile of
# system calls that engines have, in the container and in exec. [S50] and the like number what is asked.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
cc -O1 -static -no-pie -w -o "$T/base/bin/probe" "$TESTS/e2e/probe.c" || skip_all "the probe cannot be built"
ours() { readlink "/proc/self/ns/$1"; }

# --- the template
mkdir "$T/spec"
(cd "$T/spec" && "$RUNTIME" spec) >"$T/spec.out" 2>&1
is "$?:$(cat "$T/spec.out")" "0:" "[S50] spec writes a template"
jq '.process.terminal = false' "$T/spec/config.json" >"$T/plain.json"
masked=$(jq -c .linux.maskedPaths "$T/plain.json") readonly=$(jq -c .linux.readonlyPaths "$T/plain.json")
for path in /proc/acpi /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list /proc/timer_stats /proc/sched_debug /sys/firmware /proc/scsi; do
        [[ $masked == *"\"$path\""* ]] || missing+="$path "
done
for path in /proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger; do [[ $readonly == *"\"$path\""* ]] || missing+="$path "; done
is "${missing-}" "" "[S50] it masks and protects what the others do"
more='["/proc/interrupts", "/proc/kallsyms", "/sys/devices/virtual/powercap", "/sys/devices/system/cpu/cpu0/thermal_throttle", "/proc/config.gz"]'
in_one ".linux.maskedPaths += $more | .linux.namespaces += [{ type: \"cgroup\" }]" sh -c '
        for p in kcore keys latency_stats timer_list timer_stats sched_debug interrupts kallsyms config.gz; do
                [ -e /proc/$p ] && [ -n "$(head -c 1 /proc/$p 2>/dev/null)" ] && echo "open /proc/$p"
        done
        for d in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap /sys/devices/system/cpu/cpu0/thermal_throttle; do [ -d $d ] && [ -n "$(ls -A $d)" ] && echo "open $d"; done
        for p in asound bus fs irq sys sysrq-trigger; do
                [ -e /proc/$p ] || continue
                if [ -d /proc/$p ]; then f=$(find /proc/$p -type f 2>/dev/null | head -n 1); else f=/proc/$p; fi
                [ -z "$f" ] || ! (: >>"$f") 2>/dev/null || echo "writable $f"
        done
        mount -o remount,rw /proc/sys 2>/dev/null && echo remounted; umount /proc/keys 2>/dev/null && echo unmounted
        (: >/sys/kernel/x) 2>/dev/null && echo "writable /sys"
        facts'
is "$(grep -E '^(open|writable|remounted|unmounted)' <<<"$out")" "" "[S50] masked paths are empty, read-only ones are read-only, and stay so"
facts_read
is "$(fact cap.effective) $(fact cap.inheritable) $(fact cap.ambient)" "$(fact cap.bounding) 0000000000000000 0000000000000000" \
        "[S42] the template's capabilities are none that can be inherited"
is "$(fact nnp)" 1 "[S42] ... and no new ones can be had"
is "$(fact file./dev/kmsg) $(fact file./dev/fuse)" "ENOENT ENOENT" "[S55] no device but the usual ones"
shared=
for ns in pid net ipc uts mnt cgroup; do [[ $(fact ns.$ns) != "$(ours $ns)" ]] || shared+="$ns "; done
is "$shared" "" "[S55] no namespace of the template is shared with the host"
unlike "$(facts_like 'cgroup.*')" "$ME" "[S55] the cgroup is the root of its namespace"
is "$(fact keyring)" "$(fact keyring | grep -E '^(-1|[0-9]+)$')" "[S53] the session keyring can be named"
unlike "$(fact keyring)" "^$("$T/facts" | sed -n 's/^keyring //p')$" "[S53] ... and is not the caller's"
in_one '.mounts += [{ destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["nosuid", "noexec", "nodev", "relatime", "ro"] }]' \
        sh -c 'ls /dev | tr "\n" " "; echo; find /sys/fs/cgroup -name cgroup.procs | head -n 1 | while read -r f; do echo $$ >"$f" && echo moved; done; mkdir /sys/fs/cgroup/x /sys/fs/cgroup/pids/x && echo made
        mknod /tmp/sda b 8 0 && echo node; chroot / true && echo chrooted; hostname evil && echo named; dd if=/dev/zero of=/proc/sysrq-trigger bs=1 count=1 && echo pressed' 2>/dev/null
is "$(head -n 1 <<<"$out" | sed 's/core //; s/console //')" "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero " "[S55] /dev has the usual names and no more"
is "$(tail -n +2 <<<"$out")" "" "[S55] cgroups are read-only, and no device can be made"

# --- system calls
profile=
for file in /usr/share/containers/seccomp.json /etc/containers/seccomp.json; do [[ -f $file ]] && profile=$file; done
if [[ -z $profile || $(uname -m) != x86_64 ]]; then
        skip "[S51][S52][S54][S56] system calls under the profile of an engine" "there is none here"
else
        # what an engine makes of it, and rules of our own for families of sockets and namespaces of users, which it leaves open
        jq '{ defaultAction, defaultErrnoRet, architectures: [.archMap[] | select(.architecture == "SCMP_ARCH_X86_64") | .architecture, .subArchitectures[]],
                syscalls: ([.syscalls[] | select(((.includes // {} | length) == 0 or ((.includes | keys) == ["arches"] and (.includes.arches | index("amd64")))) and (.excludes // {} | length) == 0) | { names, action, args, errnoRet } |
                        .names -= ["socket", "socketcall", "clone", "clone3", "unshare", "keyctl", "add_key", "request_key", "ioctl", "mknod", "mknodat", "setns", "vmsplice", "mount", "umount", "umount2", "pivot_root",
                                "fsopen", "open_tree", "move_mount", "mount_setattr", "bpf", "perf_event_open", "userfaultfd", "io_uring_setup", "settimeofday", "reboot", "sethostname"] |
                        select(.names != []) | with_entries(select(.value != null and .value != []))] +
                        [{ names: ["ioctl"], action: "SCMP_ACT_ALLOW", args: [{ index: 1, value: 21522, op: "SCMP_CMP_NE" }] },
                         { names: ["clone"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 2114060288, valueTwo: 0, op: "SCMP_CMP_MASKED_EQ" }] },
                         { names: ["clone3"], action: "SCMP_ACT_ERRNO", errnoRet: 38 },
                         { names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 11, op: "SCMP_CMP_LT" }] },
                         { names: ["socket"], action: "SCMP_ACT_ALLOW", args: [{ index: 0, value: 16, op: "SCMP_CMP_EQ" }] }]) }' "$profile" >"$T/profile.json"
        filter=".linux.seccomp = $(cat "$T/profile.json")"
        jq "$filter" "$T/plain.json" >"$T/filtered.json" && cp "$T/filtered.json" "$T/plain.json"
        in_one . probe
        exits 0 "[S56] a probe runs under the profile of an engine"
        [[ -z $err ]] || comment "$err"
        answers=$out
        open='' closed=0
        while read -r name answer; do
                case $name in
                '' | tioc*) ;;
                i386-socketcall-*) ;; # its arguments are in memory, where no filter sees them: who lets i386 make sockets at all lets it make each
                control-*) [[ $answer == allowed ]] || open+="$name:$answer " ;;
                *)
                        closed=$((closed + 1))
                        [[ $answer =~ ^(EPERM|ENOSYS|EACCES|EAFNOSUPPORT|EPROTONOSUPPORT|ESOCKTNOSUPPORT|ENODEV)$ ]] || open+="$name:$answer "
                        ;;
                esac
        done <<<"$answers"
        is "$open" "" "[S51][S52][S53][S54] none of $closed calls that it denies is allowed, in none of the three ABIs"
        ok "[S51] ... and many were asked" test "$closed" -ge 40
        up filtered .
        rt exec "$id" probe
        is "$(grep -v tioc <<<"$out")" "$(grep -v tioc <<<"$answers")" "[S56] exec gets the same answers"
        rt exec "$id" sh -c 'grep -E "^(Seccomp|NoNewPrivs)" /proc/self/status'
        like "$out" $'Seccomp:\t2' "[S56] ... under a filter"
        rt exec --cap CAP_SYS_ADMIN "$id" sh -c 'grep ^Seccomp: /proc/self/status'
        like "$out" $'Seccomp:\t2' "[S56] ... with more capabilities, too"
        cat >"$T/process.json" <<'END'
{ "args": ["probe"], "cwd": "/", "user": { "uid": 0, "gid": 0 }, "env": ["PATH=/bin"] }
END
        rt exec --process "$T/process.json" "$id"
        is "$(grep -E "mount|setns|keyctl" <<<"$out")" "$(grep -E "mount|setns|keyctl" <<<"$answers")" "[S56] ... and as a process of its own"
        rt_quietly delete --force "$id"
        # a filter that knows only one architecture does not let those of another pass
        in_one '.linux.seccomp.architectures = ["SCMP_ARCH_X86_64"]' probe
        unlike "$out" "(i386|x32)[^ ]* allowed" "[S56] an architecture that the profile does not name is no way around it"
fi
refuses "[S56] a profile that cannot be had is no reason to go without" '.linux.seccomp = { defaultAction: "SCMP_ACT_NOT_THERE" }' true
is "$(without_trace)" "" "[S50-S56] nothing is left"
finish
