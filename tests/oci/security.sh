#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers and images that attack the runtime: its program, descriptors and processes, what it mounts and where, what it writes
# through /proc. [S01] and the like number the attacks; each section says what they are.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
cc -O2 -static -w -o "$T/base/bin/attack" "$TESTS/e2e/attack.c" || skip_all "the attacks cannot be built"
V=$T/victim
mkdir -m 777 "$V" "$V/x"
echo secret >"$V/secret"
state() { (cd "$V" && find . -printf '%p %y %m %n %U %s\n' | sort; cat secret); }
before=$(state)
pattern=$(cat /proc/sys/kernel/core_pattern)
intact() { is "$(state)$(cat /proc/sys/kernel/core_pattern)" "$before$pattern" "$1"; }
up_to=../../../../../../../../../..$V
all_caps='.process.capabilities = ([["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_KILL", "CAP_SETUID", "CAP_SETGID", "CAP_SYS_PTRACE", "CAP_SYS_CHROOT"] as $c |
        ("bounding", "permitted", "effective") | { key: ., value: $c }] | from_entries)'
into() { # JQ: a bundle whose rootfs is its own (not linked), not run yet; $root is its rootfs
        oci_next
        bundle "$id" "$@"
        root=$T/$id/rootfs
}
go() {
        rt run --bundle "$T/$id" "$id"
        [[ $status == 0 ]] || rt_quietly delete --force "$id"
}

# --- S01: the runtime's program, as root of the host is root of the container
mkdir "$T/bin"
cp "$(command -v "$RUNTIME")" "$T/bin/runtime"
own=$T/bin/runtime
sum=$(sha256sum <"$own")
OCI_COPY="" up writer "$all_caps" attack overwrite # what it overwrites is its own
for ((i = 0; i < 30; i++)); do timeout 60 "$own" --root "$STATE" exec "$id" /proc/self/exe true >/dev/null 2>&1 </dev/null; done
is "$(sha256sum <"$own")" "$sum" "[S01] exec of /proc/self/exe under a writer leaves the runtime's program as it was"
written() { timeout 60 "$own" --root "$STATE" exec "$ME-writer" true >/dev/null 2>&1 </dev/null; grep -q "was opened for writing" "$T/writer.out"; }
ok "[S01] ... who gets hold of a program that is the container's" until_ok 20 written
rt_quietly delete --force "$id"
for program in '#!/proc/self/exe' '#!/proc/1/exe' '#!/proc/self/fd/3'; do
        into . /self
        printf '%s\n' "$program" >"$root/self"
        chmod 755 "$root/self"
        timeout 60 "$own" --root "$STATE" run --bundle "$T/$id" "$id" >"$T/self.out" 2>&1 </dev/null
        is "$([[ $? != 0 ]] && echo refused) $(sha256sum <"$own")" "refused $sum" "[S01] an interpreter $program runs nothing of ours"
        rt_quietly delete --force "$id"
done
in_one . /proc/self/exe --version
unlike "$out" "sdpod-oci version" "[S01] /proc/self/exe as the program is none of ours"
up executed
rt exec "$id" /proc/self/exe --version
unlike "$status $out" "^0|sdpod-oci version" "[S01] ... nor for exec"
rt_quietly delete --force "$id"

# --- S02: descriptors of the host, as working directory and in the container
exec 7</etc/hostname 8<"$T" 9</
leaked=
for n in 3 4 5 6 7 8 9 10 11 12 15 20; do
        in_one ".process.cwd = \"/proc/self/fd/$n\"" cat ../../../../../../etc/machine-id
        [[ $status == 0 || $out == "$(cat /etc/machine-id)" ]] && leaked+="run $n "
done
up cwd .
for n in 3 4 5 6 7 8 9 10 11 12 15 20; do
        rt exec --cwd "/proc/self/fd/$n" "$id" cat ../../../../../../etc/machine-id
        [[ $status == 0 || $out == "$(cat /etc/machine-id)" ]] && leaked+="exec $n "
done
is "$leaked" "" "[S02] no descriptor serves as the working directory"
in_one . facts
facts_read
run_fds=$(fact fds)
rt exec "$ME-cwd" facts
facts_read
is "$run_fds|$(fact fds)" "0 1 2|0 1 2" "[S02] neither a container nor exec has descriptors of the caller's"
exec 7<&- 8<&- 9<&-
rt_quietly delete --force "$ME-cwd"

# --- S03: who comes in is no prey of who is there
up spy "$all_caps | .process.capabilities |= map_values(. - [\"CAP_SYS_PTRACE\"])" attack spy
for ((i = 0; i < 30; i++)); do rt_quietly exec "$id" true; done
is "$(cat "$T/spy.out")" "" "[S03] thirty exec show a container without CAP_SYS_PTRACE nothing from outside"
rt_quietly delete --force "$id"
up spy "$all_caps" attack spy
for ((i = 0; i < 30; i++)); do rt_quietly exec "$id" true; done
# as root of the host's own user namespace it sees what program they are, which nothing can prevent, and what is left of that is S01
is "$(grep -vE '/exe -> |^seized ' "$T/spy.out")" "" "[S03] ... and one with it no descriptor or directory"
seen() { rt_quietly exec "$id" sh -c 'mkdir -p /home; cd /home; sleep 1'; grep -q "cwd -> /home" "$T/spy.out"; }
until_ok 5 seen
like "$(cat "$T/spy.out")" "cwd -> /home" "[S03] ... and the tracer sees what can be seen"
rt_quietly delete --force "$id"

# --- S03: what waits for its start
for process in . 'del(.process)'; do
        created waits "$process"
        pid=$(state_of "$id" .pid)
        is "$(find "/proc/$pid/fd" -mindepth 1 -printf '%l\n' | grep -vE '^(/dev/null|/dev/pts/[0-9]+|pipe:.*|socket:.*|.*/waits\.(out|err))$')" "" \
                "[S03] who waits for its start holds no file of the host ($process)"
        rt_quietly delete --force "$id"
done

# --- S03: mounts that were opened on the host are no peers of the host's
mkdir "$T/peer"
mount --bind "$T/peer" "$T/peer"
mount --make-shared "$T/peer"
in_one ".linux.namespaces += [{type: \"user\"}] | .linux.uidMappings = [{containerID: 0, hostID: 0, size: 1000}] | .linux.gidMappings = [{containerID: 0, hostID: 0, size: 1000}] |
        .mounts += [{destination: \"/mnt\", type: \"bind\", source: \"$T/peer\", options: [\"rbind\"]}]" grep -c ' /mnt .* shared:' /proc/self/mountinfo
is "$out" 0 "[S03] a bind of a shared mount in a user namespace is no peer of it"
umount "$T/peer"

# --- S04: /dev with another null
for kind in symlink file fifo; do
        rm -rf "${T:?}/dev"
        mkdir "$T/dev"
        case $kind in
        symlink) ln -s /proc/sys/kernel/core_pattern "$T/dev/null" ;;
        file) echo data >"$T/dev/null" ;;
        fifo) mkfifo "$T/dev/null" ;;
        esac
        in_one ".mounts |= (map(select(.destination | startswith(\"/dev\") | not)) + [{ destination: \"/dev\", source: \"$T/dev\", options: [\"bind\"] }]) |
                .linux.maskedPaths = [\"/proc/timer_list\", \"/proc/cmdline\"]" facts try /proc/cmdline
        facts_read
        like "$status:$(fact try./proc/cmdline)" '^(0:(empty|EACCES|ENXIO) .*|[1-9][0-9]*:)$' "[S04] with a $kind for /dev/null a masked path is masked, or nothing runs"
done
intact "[S04] ... and nothing is written"

# --- S05: a terminal under a /dev whose names change
rm -rf "${T:?}/dev"
mkdir "$T/dev" "$T/dev/pts" "$T/dev/other"
ln -s /proc/sys/kernel/core_pattern "$T/dev/console"
touch "$T/dev/other-console"
"$T/base/bin/attack" swap "$T/dev/pts" "$T/dev/other" &
swappers=$!
"$T/base/bin/attack" swap "$T/dev/console" "$T/dev/other-console" &
swappers+=" $!"
at_end kill -9 $swappers
cat >"$T/on-terminal.py" <<'PY'
"""Runs a command on a terminal, prints what it prints: on-terminal.py CMD..."""
import os, pty, sys
pid, master = pty.fork()
if pid == 0:
    os.execvp(sys.argv[1], sys.argv[1:])
try:
    while piece := os.read(master, 4096):
        sys.stdout.buffer.write(piece)
except OSError:
    pass
os.waitpid(pid, 0)
PY
wrong='' began=0
for ((i = 0; i < 6; i++)); do
        into ".process.terminal = true | .mounts |= (map(select(.destination | startswith(\"/dev\") | not)) + [{ destination: \"/dev\", source: \"$T/dev\", options: [\"bind\"] }])" \
                sh -c 'test -t 0 -a -c /proc/self/fd/0 || echo wrong; grep core_pattern /proc/self/mountinfo; echo ran'
        timeout 60 python3 "$T/on-terminal.py" "$RUNTIME" --root "$STATE" run --bundle "$T/$id" "$id" >"$T/terminal.out" 2>&1 </dev/null
        rt_quietly delete --force "$id"
        grep -q ran "$T/terminal.out" && began=$((began + 1))
        grep -aqE "wrong|core_pattern " "$T/terminal.out" && ! grep -aqE "sdpod-oci:|level=" "$T/terminal.out" && wrong+="$(cat "$T/terminal.out")"
done
is "$wrong" "" "[S05] under a /dev whose names change a terminal is one, and nothing of /proc is mounted there ($began of 6 began)"
kill -9 $swappers
intact "[S05] ... and nothing is written"

# --- S06: another /proc
mkdir "$T/vol" "$T/vol/self" "$T/vol/sys" "$T/vol/sys/kernel"
sysctl='.linux.sysctl = { "kernel.domainname": "evil" } | .process.oomScoreAdj = 5'
snapshot=$(find "$T/vol" | sort)
refused=
for mount in "{ destination: \"/proc\", source: \"$T/vol\", options: [\"bind\"] }" '{ destination: "/proc", type: "tmpfs", source: "x" }' \
        "{ destination: \"/proc/self/attr\", source: \"$T/vol\", options: [\"bind\"] }" "{ destination: \"/proc/sys/kernel\", source: \"$T/vol\", options: [\"bind\"] }"; do
        into "$sysctl | .mounts = [(.mounts[] | select(.destination == \"/proc\" | not) )] + [{ destination: \"/proc\", type: \"proc\", source: \"proc\" }, $mount]" true
        go
        [[ $status == 0 ]] && refused+="ran: $mount "
done
is "$refused:$(find "$T/vol" | sort)" ":$snapshot" "[S06] a volume or tmpfs in the place of /proc is refused, and nothing is written to it"
for target in "$T/vol" "$up_to" /sys; do
        into "$sysctl" true
        rmdir "$root/proc"
        ln -s "$target" "$root/proc"
        go
done
is "$(find "$T/vol" | sort)" "$snapshot" "[S06] an image whose /proc is a symlink leads nowhere"
intact "[S06] ... and nothing is written"

# --- S07, S10, S12: places in the root that are symlinks to the host's
for target in "$V" "$up_to"; do
        for place in dev sys/run data mnt/etc; do # two at a time
                into ".mounts += [{ destination: \"/run/deep/er\", type: \"tmpfs\", source: \"x\" }, { destination: \"/data\", source: \"$T/vol\", options: [\"bind\"] },
                        { destination: \"/data/new/x\", type: \"tmpfs\", source: \"x\" }, { destination: \"/mnt/file\", source: \"$T/plain.json\", options: [\"bind\"] },
                        { destination: \"/etc/hosts\", source: \"$T/plain.json\", options: [\"bind\"] }] |
                        .linux.devices = [{ path: \"/mnt/made\", type: \"c\", major: 1, minor: 3 }, { path: \"/dev/own\", type: \"c\", major: 1, minor: 3 }] |
                        .process.cwd = \"/run/made/by/cwd\" | .linux.maskedPaths += [\"/data/secret\", \"/etc/secret\"] | .linux.readonlyPaths += [\"/mnt/x\"]" true
                for name in ${place//\// }; do
                        rm -rf "${root:?}/$name"
                        ln -s "$target" "$root/$name"
                done
                go
        done
done
intact "[S07][S10][S12] places of mounts, devices and the working directory that are symlinks of the image stay in the root"
into . true
rm -rf "${root:?}/etc"
ln -s "$V" "$root/etc"
printf 'root:x:0:0:root:/from-the-host:/bin/sh\n' >"$V/passwd"
jq '.process.args = ["facts"]' "$T/$id/config.json" >"$T/x.json" && mv "$T/x.json" "$T/$id/config.json"
go
rm "$V/passwd"
unlike "$out" "from-the-host" "[S12] the user's home is not looked up on the host"
into . facts
rm "$root/etc/passwd"
mkfifo "$root/etc/passwd"
began=$SECONDS
go
ok "[S12] an /etc/passwd that is a pipe is not waited for ($status)" test $((SECONDS - began)) -lt 55

# --- S08, S09: names that change where something is mounted
mkdir -p "$T/race/a/x" "$T/race/c"
ln -s "$up_to" "$T/race/b"
ln -s "$V" "$T/race/d"
"$T/base/bin/attack" swap "$T/race/a" "$T/race/b" &
swappers=$!
"$T/base/bin/attack" swap "$T/race/c" "$T/race/d" &
swappers+=" $!"
at_end kill -9 $swappers
seen=
for ((i = 0; i < 20; i++)); do
        into ".mounts += [{ destination: \"/vol\", source: \"$T/race\", options: [\"bind\"] }, { destination: \"/vol/a/x\", source: \"$T/vol\", options: [\"bind\"] },
                { destination: \"/vol/c/new/deep\", type: \"tmpfs\", source: \"x\" }, { destination: \"/vol/c/file\", source: \"$T/plain.json\", options: [\"bind\"] }] |
                .process.cwd = \"/vol/a\"" sh -c 'grep "^[0-9]* [0-9]* [0-9:]* [^ ]*victim" /proc/self/mountinfo; cat secret 2>/dev/null; touch /vol/a/x/f'
        go
        [[ $out == *victim* || $out == *secret* ]] && seen+="$out "
done
kill -9 $swappers
is "$seen" "" "[S08] names that are exchanged under mounts lead nothing in"
intact "[S08][S09] ... and nothing out: no directory or file is made there"

# --- S11: what is copied up is copied, not followed
into '.mounts += [{ destination: "/copied", type: "tmpfs", source: "x", options: ["tmpcopyup"] }]' sh -c 'ls -l /copied; cat /copied/l/secret /copied/f 2>&1; touch /copied/l/pwned 2>&1'
mkdir "$root/copied"
ln -s "$V" "$root/copied/l"
ln -s "$V/secret" "$root/copied/f"
go
unlike "$out" $'(^|\n)secret' "[S11] tmpcopyup follows no symlink of the image"
intact "[S11] ... and nothing is written through it"
into '.mounts += [{ destination: "/copied", type: "tmpfs", source: "x", options: ["tmpcopyup"] }]' ls -la /copied
ln -s "$V" "$root/copied"
go
unlike "$out" 'secret' "[S11] ... nor is a directory that is one"

# --- without pivot_root, the host's /proc and /sys are not there either: root of a user namespace in the container would get a new one, unmasked
oci_next
bundle "$id" '.process.capabilities = ({ bounding: ["CAP_SETFCAP"], permitted: ["CAP_SETFCAP"], effective: ["CAP_SETFCAP"] })' \
        sh -c 'cut -d" " -f5 /proc/self/mountinfo | sort | uniq -d; busybox unshare -mrpf sh -c "mount -t proc none /proc && echo mounted" 2>&1'
rt run --no-pivot --bundle "$T/$id" "$id"
unlike "$out" 'mounted' "[S06] --no-pivot: no unmasked /proc can be mounted in the container"
like "$out" '[Pp]ermission denied|not permitted' "[S06] ... it is denied"
rt run --bundle "$T/$id" "$id"
unlike "$out" 'mounted' "[S06] ... nor with pivot_root"
rm -rf "${T:?}/$id"

# --- S13: sysctls of the host
refused=
for sysctl in kernel.core_pattern kernel.shm_rmid_forced+kernel.core_pattern net/../kernel/core_pattern kernel/core_pattern ../kernel/core_pattern "net.ipv4/../../kernel.core_pattern" vm.overcommit_memory \
        kernel.modprobe "kernel.domainname\\\\nx"; do
        into ".linux.sysctl = { \"$sysctl\": \"x\" }" true
        go
        [[ $status == 0 ]] && refused+="$sysctl "
done
is "$refused" "" "[S13] a sysctl that is not the container's own is refused"
intact "[S13] ... and no sysctl of the host was changed"

# --- S42: capabilities and all else that exec has of PID 1
up same "$all_caps | .process.rlimits = [{ type: \"RLIMIT_NOFILE\", soft: 100, hard: 200 }] | .process.noNewPrivileges = true" \
        sh -c 'grep -E "^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid)" /proc/self/status; sleep 1000'
until_ok 5 grep -q Seccomp "$T/same.out"
rt exec "$id" sh -c 'grep -E "^(Cap|NoNewPrivs|Seccomp|Groups|Uid|Gid)" /proc/self/status'
is "$out" "$(cat "$T/same.out")" "[S42] exec has the capabilities, groups and filter of PID 1"
like "$out" $'CapInh:\t0000000000000000.*CapAmb:\t0000000000000000' "[S42] ... none of them inheritable or ambient"
rt exec --user 1000:1000 "$id" facts
facts_read
is "$(fact cap.effective) $(fact cap.permitted) $(fact cap.inheritable) $(fact cap.ambient) $(fact groups)" "0000000000000000 0000000000000000 0000000000000000 0000000000000000 " \
        "[S42] exec as an ordinary user has no capability and no group"
is "$(cat "/proc/$(cat "$T/same.pid")/cgroup")" "$(rt exec "$id" cat /proc/self/cgroup; echo "$out")" "[S42] ... exec is in the cgroup of PID 1"
rt_quietly delete --force "$id"
is "$(without_trace)" "" "[S01-S42] no container, mount or process is left"
finish
