#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The first process of a container: --init, and a systemd inside.
# shellcheck shell=bash disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -f -t 0 -a

# ---- --init ----

if why=$(lacks_program catatonit); then
        skip "--init" "$why"
else
        run sdpod run --rm --init $BUSYBOX ps
        like "$out" "1 root +/run/podman-init -- ps.* 2 root +ps" "--init is the first process"
        run sdpod run --rm --init $BUSYBOX sh -c 'exit 7'
        exits 7 "... hands the exit status on"
        sdpod run -d --name reaped --init $BUSYBOX sleep 1000 >/dev/null
        sdpod exec reaped sh -c 'for i in 1 2 3 4 5; do (true &) & done; wait'
        until_ok 10 sh -c 'test "$(sdpod exec reaped ps -o stat,comm | grep -c "^Z")" = 0'
        run sdpod exec reaped ps -o stat,comm
        unlike "$out" $'(^|\n)Z' "... and reaps what its parent has left"
        sdpod rm -f -t 0 reaped >/dev/null
        sdpod run -d --name signalled --init $BUSYBOX sh -c 'trap "echo heard; exit 5" USR1; echo ready; while :; do sleep 0.05; done' >/dev/null
        until_ok 10 sh -c 'sdpod logs signalled | grep -q ready'
        sdpod kill -s USR1 signalled >/dev/null
        is "$(sdpod wait signalled)" 5 "... and passes signals on"
        like "$(sdpod logs signalled)" heard "... to the command"
        run sdpod run --rm --init --init-path "$(command -v catatonit)" $BUSYBOX ps
        like "$out" "1 root +/run/podman-init" "--init-path"
fi
run sdpod run --rm --init --init-path /nowhere $BUSYBOX true
exits 125 "--init-path that is not there"
like "$err" "'/nowhere' as the init" "... says so"

# ---- --systemd ----

run sdpod run --rm --systemd=always $BUSYBOX sh -c 'grep -e " /run " -e " /run/lock " -e " /tmp " -e " /var/log/journal " -e " /sys/fs/cgroup " /proc/mounts | cut -d" " -f2-4 | sed "s/,.*//"; echo $container_uuid; echo $container'
like "$out" "/run tmpfs rw"$'\n' "--systemd=always: /run is in memory"
for path in /run/lock /tmp /var/log/journal; do
        like "$out" "$path tmpfs rw"$'\n' "... and $path"
done
like "$out" "/sys/fs/cgroup (cgroup2|tmpfs) r[ow]"$'\n' "... and there is a cgroup"
like "$out" $'\n[0-9a-f]{32}\npodman$' "... and the variables that tell of a container"
run sdpod run --rm $BUSYBOX sh -c 'grep " /run " /proc/mounts; echo $container_uuid'
is "$out" "" "another command gets none of that"
for command in /sbin/init systemd /opt/systemd; do
        sdpod create --name one $BUSYBOX $command >/dev/null
        is "$(sdpod inspect -f '{{.Config.StopSignal}} {{.Config.SystemdMode}}' one)" "SIGRTMIN+3 true" "$command is taken for a systemd"
        sdpod rm one >/dev/null
done
for how in "--systemd=false $BUSYBOX /sbin/init" "$BUSYBOX init" "$BUSYBOX sh -c systemd"; do
        # shellcheck disable=SC2086
        sdpod create --name one $how >/dev/null
        unlike "$(sdpod inspect one)" '"SystemdMode": true' "$how is not"
        sdpod rm one >/dev/null
done
sdpod create --name one --stop-signal INT $BUSYBOX /sbin/init >/dev/null
is "$(sdpod inspect -f '{{.Config.StopSignal}}' one)" SIGINT "--stop-signal stands"
sdpod rm one >/dev/null
run sdpod run --rm --systemd=always --tmpfs /run:size=1m $BUSYBOX sh -c 'df -k /run | tail -1'
like "$out" " 1024 " "what is mounted there stands"
run sdpod run --rm --systemd=always --shm-size-systemd 2m $BUSYBOX sh -c 'df -k /run | tail -1'
like "$out" " 2048 " "--shm-size-systemd"
run sdpod run --rm --systemd=maybe $BUSYBOX true
exits 125 "another word"
like "$err" '"true, false, always"' "... in Podman's words"

# A root file system with this machine's own systemd.
make_root() { # DIR
        local program file
        mkdir -p "$1"/{bin,etc/systemd/system,lib,lib64,proc,sys,dev,run,tmp,usr/lib/systemd/system,var/log} || return
        ln -s ../bin "$1/sbin"
        ln -s ../bin "$1/usr/bin"
        ln -s ../bin "$1/usr/sbin"
        cp /bin/busybox /bin/systemctl "$1/bin/" || return
        for program in sh sleep touch cat; do ln -s busybox "$1/bin/$program"; done
        for file in /lib/systemd/systemd /lib/systemd/systemd-executor /lib/systemd/systemd-shutdown; do
                [[ ! -e $file ]] || cp "$file" "$1/usr/lib/systemd/" || return
        done
        ln -s ../usr/lib/systemd "$1/lib/systemd"
        for file in $(ldd /bin/systemctl /lib/systemd/systemd /lib/systemd/systemd-shutdown /lib/systemd/systemd-executor 2>/dev/null | grep -o '/[^ ]*' | grep -v : | sort -u); do
                mkdir -p "$1$(dirname "$file")" && cp -L "$file" "$1$file" || return
        done
        for file in basic sysinit multi-user shutdown umount final halt poweroff exit; do
                cp "/lib/systemd/system/$file.target" "$1/usr/lib/systemd/system/" || return
        done
        cp /lib/systemd/system/systemd-{halt,poweroff,exit}.service "$1/usr/lib/systemd/system/"
        printf 'root:x:0:0::/:/bin/sh\n' >"$1/etc/passwd"
        printf 'root:x:0:\n' >"$1/etc/group"
        printf '[Unit]\nDescription=ours\n[Service]\nExecStart=/bin/sh -c "cat /proc/self/cgroup >/tmp/started; exec sleep 1000"\n' >"$1/etc/systemd/system/ours.service"
        printf '[Unit]\nRequires=ours.service\nAfter=ours.service\n' >"$1/etc/systemd/system/default.target"
        : >"$1/etc/machine-id"
}
if ! make_root "$T/root" 2>"$T/make_root"; then
        skip "a systemd in a container" "this machine has none to copy: $(head -1 "$T/make_root")"
else
        run sdpod run -d --name init --rootfs "$T/root" /lib/systemd/systemd
        exits 0 "a systemd starts in a container"
        until_ok 20 sdpod exec init cat /tmp/started || { sdpod logs init; sdpod exec init ps; }
        run sdpod exec init cat /tmp/started
        like "$out" "0::/system.slice/ours.service" "... brings its units up, each in a cgroup"
        run sdpod stop -t 20 init
        exits 0 "... and is stopped"
        unlike "$err" "did not end" "... by its own signal, in order"
        is "$(sdpod inspect -f '{{.State.ExitCode}}' init)" 0 "... with status 0"
fi

finish
