#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What a container may do by default: capabilities, system calls, paths, devices, namespaces, environment; and what the
# switches open and close.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
R="sdpod run --rm --network none"
NL=$'\n'
chmod 755 "$T"

# --- capabilities
caps() { # the words of a capability set from /proc/PID/status, as hexadecimal digits
        awk -v set="$1:" '$1 == set { print $2 }' <<<"$out"
}
default=00000000800405fb
run $R $BUSYBOX cat /proc/self/status
is "$(caps CapEff) $(caps CapBnd)" "$default $default" "root has the eleven default capabilities"
is "$(caps CapInh) $(caps CapAmb)" "0000000000000000 0000000000000000" "... none of them inheritable or ambient"
is "$(awk '$1 == "Seccomp:" { print $2 }' <<<"$out")" 2 "a seccomp filter is on"
like "$(awk '$1 == "Groups:" { $1 = ""; print }' <<<"$out")" '^ *0? *$' "... and no supplementary group but its own"
run $R -u app $BUSYBOX cat /proc/self/status
is "$(caps CapEff) $(caps CapInh) $(caps CapAmb) $(caps CapBnd)" "0000000000000000 0000000000000000 0000000000000000 $default" \
        "an ordinary user has none"
run $R --cap-drop all $BUSYBOX cat /proc/self/status
is "$(caps CapEff) $(caps CapBnd)" "0000000000000000 0000000000000000" "--cap-drop all"
run $R --cap-drop all --cap-add chown,NET_ADMIN $BUSYBOX cat /proc/self/status
is "$(caps CapEff)" "0000000000001001" "--cap-add after --cap-drop all"
run $R --cap-add no_such $BUSYBOX true
exits 125 "a capability that does not exist is refused"
run $R --security-opt no-new-privileges $BUSYBOX cat /proc/self/status
is "$(awk '$1 == "NoNewPrivs:" { print $2 }' <<<"$out")" 1 "--security-opt no-new-privileges"
for option in seccomp=/no/such/profile no-such-option=1 apparmor=none-such; do
        run $R --security-opt $option $BUSYBOX true
        is "$([[ $status == 12[56] ]] && echo refused)" refused "--security-opt $option is refused"
done
echo '{' >"$T/profile"
run $R --security-opt seccomp="$T/profile" $BUSYBOX true
is "$([[ $status == 12[56] ]] && echo refused)" refused "a profile that is no JSON is refused"
echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}' >"$T/profile"
run $R --security-opt seccomp="$T/profile" $BUSYBOX mkdir /x
like "$err" "Operation not permitted" "a profile of one's own holds"
run $R --security-opt seccomp=unconfined $BUSYBOX cat /proc/self/status
is "$(awk '$1 == "Seccomp:" { print $2 }' <<<"$out")" 0 "seccomp=unconfined"

# --- system calls
if why=$(lacks_program cc); then
        skip "system calls" "$why"
else
        cc -O1 -static -no-pie -w -o "$T/probe" "$TESTS/e2e/probe.c" || exit 99
        run $R -t -v "$T/probe:/probe:ro" $BUSYBOX /probe
        exits 0 "the probe runs"
        answers=$(tr -d '\r' <<<"$out")
        while read -r name answer; do
                [[ -n $name ]] || continue
                case $name in
                control-*) is "$answer" allowed "$name is answered" ;;
                *) like "$answer" '^(EPERM|ENOSYS|EACCES|EAFNOSUPPORT|EPROTONOSUPPORT|ESOCKTNOSUPPORT)$' "$name is denied" ;;
                esac
        done <<<"$answers"
        run $R --privileged -v "$T/probe:/probe:ro" $BUSYBOX /probe
        like "$out" "unshare-user allowed" "--privileged opens nested user namespaces"
        run $R --cap-add NET_RAW -v "$T/probe:/probe:ro" $BUSYBOX /probe
        like "$out" "socket-raw allowed" "--cap-add NET_RAW opens raw sockets"
        like "$out" "unshare-user E" "... and no more"
        sdpod run -d --name filtered --network none -v "$T/probe:/probe:ro" $BUSYBOX sleep 1000 >/dev/null
        run sdpod exec -t filtered /probe
        is "$(tr -d '\r' <<<"$out" | grep -v tioc)" "$(grep -v tioc <<<"$answers")" "exec gets the same answers"
        sdpod rm -f -t 0 filtered >/dev/null
fi

# --- paths
run $R $BUSYBOX sh -c 'for p in kcore keys latency_stats timer_list timer_stats sched_debug interrupts kallsyms; do
        [ -e /proc/$p ] && [ -s /proc/$p -o -n "$(head -c 1 /proc/$p 2>/dev/null)" ] && echo /proc/$p
done; for d in /proc/acpi /proc/scsi /sys/firmware /sys/devices/virtual/powercap /sys/fs/selinux; do
        [ -d $d ] && ls -A $d
done; for d in /sys/devices/system/cpu/cpu*/thermal_throttle; do [ -d "$d" ] && ls -A $d; done; true'
is "$status:$out" "0:" "masked paths are empty"
run $R $BUSYBOX sh -c 'for p in asound bus fs irq sys sysrq-trigger; do
        [ -e /proc/$p ] || continue
        if [ -d /proc/$p ]; then f=$(find /proc/$p -type f 2>/dev/null | head -n 1); else f=/proc/$p; fi
        [ -z "$f" ] || ! (: >>"$f") 2>/dev/null || echo "$f"
done; grep " /proc/sys " /proc/self/mountinfo | grep -vw ro; true'
is "$status:$out" "0:" "read-only paths are read-only"
run $R $BUSYBOX sh -c 'grep -E " /sys | /sys/fs/cgroup " /proc/self/mountinfo | grep -vE "/sys(/fs/cgroup)? ro,"; mkdir /sys/fs/cgroup/x 2>&1'
unlike "$out" " rw," "/sys and /sys/fs/cgroup are read-only"
run $R --security-opt unmask=/proc/interrupts $BUSYBOX sh -c 'test -s /proc/interrupts || head -c 1 /proc/interrupts | grep -q . && echo open'
is "$out" open "--security-opt unmask opens one path"
run $R --security-opt mask=/etc/passwd $BUSYBOX cat /etc/passwd
is "$out" "" "--security-opt mask closes one"
run $R $BUSYBOX sh -c 'ls /dev | tr "\n" " "'
is "${out/core /}" "fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero " "/dev has the usual names and no more"
run $R $BUSYBOX sh -c 'cat /proc/self/cgroup | tail -n 1; readlink /proc/self/ns/user /proc/self/ns/pid /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts /proc/self/ns/net /proc/self/ns/cgroup'
is "$(head -n 1 <<<"$out")" "0::/" "the cgroup is the root of its namespace"
ours=$(readlink /proc/self/ns/user /proc/self/ns/pid /proc/self/ns/mnt /proc/self/ns/ipc /proc/self/ns/uts /proc/self/ns/net /proc/self/ns/cgroup)
is "$(sort <<<"$out$NL$ours" | uniq -d)" "" "no namespace is shared with the host"
run $R $BUSYBOX sh -c 'cat /proc/1/comm; ls /proc | grep -cE "^[0-9]+$"'
like "$out" "^(sh|cat)$NL" "it is PID 1 of its own"
run $R $BUSYBOX sh -c 'echo x >/proc/sysrq-trigger; dmesg; mount -o remount,rw /proc/sys; hostname other'
unlike "$status" '^0$' "host name and kernel log are out of reach"

# --- what leaks from the caller
run env http_proxy=http://user:password@proxy FOO=1 NOTIFY_SOCKET=/run/x LISTEN_FDS=3 $R $BUSYBOX env
unlike "$out" "proxy|FOO|NOTIFY|LISTEN|XDG|DBUS|$HOME" "no variable of the caller's"
exec 7</etc/hostname 8<"$T" 9</
run $R $BUSYBOX ls /proc/self/fd
is "$(tr '\n' ' ' <<<"$out")" "0 1 2 3 " "no descriptor of the caller's"
exec 7<&- 8<&- 9<&-
for n in 3 4 5 6 7 8 9 10 11 12 15 20 30 63; do
        run $R -w /proc/self/fd/$n $BUSYBOX cat ../../../../etc/machine-id
        [[ $out == "$(cat /etc/machine-id)" || $status == 0 ]] && break
done
is "$n:$([[ $status != 0 ]] && echo refused)" "63:refused" "no descriptor serves as the working directory"
sdpod run -d --name w --network none $BUSYBOX sleep 1000 >/dev/null
for n in 3 4 5 6 7 8 9 10 11 12 15 20 30 63; do
        run sdpod exec -w /proc/self/fd/$n w cat ../../../../etc/machine-id
        [[ $out == "$(cat /etc/machine-id)" || $status == 0 ]] && break
done
is "$n:$([[ $status != 0 ]] && echo refused)" "63:refused" "... of exec neither"
sdpod rm -f -t 0 w >/dev/null
run $R --network host $BUSYBOX cat /proc/net/unix
unlike "$out" "@[^ ]*sdpod" "no abstract socket of ours with --network host"
run $R --pid host $BUSYBOX true
exits 0 "--pid host"

# --- fake files in place of /dev and /proc
mkdir -p "$T/dev" "$T/proc"
ln -s /proc/sys/kernel/core_pattern "$T/dev/null"
pattern=$(cat /proc/sys/kernel/core_pattern)
run $R -v "$T/dev:/dev" $BUSYBOX sh -c 'head -c 10 /proc/timer_list /proc/keys 2>/dev/null; cat /proc/self/mountinfo'
unlike "$out" "core_pattern" "a symlink as /dev/null masks nothing with core_pattern"
is "$(cat /proc/sys/kernel/core_pattern)" "$pattern" "... which is as it was"
run $R -v "$T/proc:/proc" $BUSYBOX true
is "$status:$(ls -A "$T/proc")" "125:" "a volume over /proc is refused"
run $R --tmpfs /proc $BUSYBOX true
exits 125 "a tmpfs over /proc, too"
run $R -v "$T/proc:/proc/self/attr" $BUSYBOX true
like "$status:$(ls -A "$T/proc")" '^12[567]:$' "... and what lies below"

# --- sysctls of the host
for sysctl in kernel.core_pattern=x kernel.shm_rmid_forced=1+kernel.core_pattern=x net/../kernel/core_pattern=x vm.swappiness=1 no-equals; do
        run $R --sysctl "$sysctl" $BUSYBOX true
        is "$([[ $status == 12[56] ]] && echo refused)" refused "--sysctl $sysctl is refused"
done
run $R --sysctl $'kernel.domainname=a\nb' $BUSYBOX true
exits 125 "a sysctl with a newline, too"
run sdpod run --rm --network host --sysctl net.ipv4.ip_forward=1 $BUSYBOX true
exits 125 "a sysctl of the network, with --network host"
run $R --cgroup-parent ../../.. $BUSYBOX true
exits 125 "--cgroup-parent that climbs"

# --- the engine's own program
run $R --entrypoint /proc/self/exe $BUSYBOX --version
unlike "$out$err" "sdpod version" "/proc/self/exe is not ours when the command starts"
run sdpod ps -aq
is "$out" "" "no container is left"

finish
