#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers that attack who comes in and who is beside them: programs and descriptors of those that exec, names exchanged while
# something is mounted, programs of the image that are named as those of the host, terminals, floods of output.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program cc python3); then skip_all "$why"; fi
image_load busybox || { cat "$T/image_load"; exit 99; }
cc -O2 -static -w -o "$T/attack" "$TESTS/e2e/attack.c" || exit 99
chmod 755 "$T" "$T/attack"
N="--network none --stop-timeout 0"
A="-v $T/attack:/attack:ro"

# --- the program of those who come in; a copy that the container's root could write to, as its owner
mkdir "$T/bin"
cp "$(command -v sdpod)" "$T/bin/sdpod"
sum=$(sha256sum <"$T/bin/sdpod")
"$T/bin/sdpod" run -d --name writer $N $A $BUSYBOX /attack overwrite >/dev/null
for ((i = 0; i < 30; i++)); do "$T/bin/sdpod" exec writer /proc/self/exe true >/dev/null 2>&1; done
is "$(sha256sum <"$T/bin/sdpod")" "$sum" "exec of /proc/self/exe under a writer leaves our program as it was"
# busybox's own is the container's to write to, and is what stays of an exec
written() { sdpod exec writer true; sdpod logs writer | grep -q "was opened for writing"; }
ok "... who gets hold of a program that is the container's" until_ok 20 written
sdpod rm -ft 0 writer >/dev/null
printf '#!/proc/self/exe\n' >"$T/self"
chmod 755 "$T/self"
run "$T/bin/sdpod" run --rm $N -v "$T/self:/self:ro" $BUSYBOX /self
is "$([[ $status != 0 ]] && echo refused) $(sha256sum <"$T/bin/sdpod")" "refused $sum" "an interpreter that is /proc/self/exe runs nothing of ours"

sdpod run -d --name spy $N $A --cap-add SYS_PTRACE $BUSYBOX /attack spy >/dev/null
for ((i = 0; i < 60; i++)); do sdpod exec spy true; done
run sdpod logs spy
is "$out" "" "sixty exec show a tracer no descriptor, directory or program from outside"
# ... and the spy can see: a process of the container with such a descriptor is found
seen() { sdpod exec spy sh -c 'mkdir -p /home; cd /home; sleep 1' >/dev/null 2>&1; sdpod logs spy | grep -q "cwd -> /home"; }
until_ok 5 seen
like "$(sdpod logs spy)" "cwd -> /home" "... and a directory that looks like one is seen"
sdpod rm -ft 0 spy >/dev/null

# --- names that change while something is mounted there
victim=$T/victim
mkdir -m 777 "$victim"
mkdir -m 777 "$T/w"
state() { (cd "$victim" && find . -printf '%p %y %m %n %U\n' | sort); }
echo secret >"$victim/secret"
before=$(state)
out_of=../../../../../../../../..$victim
sdpod volume rm -f race >/dev/null 2>&1 # of an earlier run
sdpod volume create race >/dev/null
sdpod run --rm $N -v race:/vol $BUSYBOX sh -c "mkdir -p /vol/a/x; ln -s $out_of /vol/b; mkdir /vol/c; ln -s $out_of /vol/d"
sdpod run -d --name swapper $N $A -v race:/vol $BUSYBOX sh -c '/attack swap /vol/a /vol/b & /attack swap /vol/c /vol/d' >/dev/null
seen=
for ((i = 0; i < 40; i++)); do
        run sdpod run --rm $N -v race:/vol -v "$T/w:/vol/a/x" $BUSYBOX sh -c 'cat /vol/a/secret; grep -c victim /proc/self/mountinfo; touch /vol/a/x/f'
        [[ $out == *secret* ]] && seen+="secret "
        run sdpod run --rm $N -v race:/vol --tmpfs /vol/c/new/deep $BUSYBOX true
        run sdpod run --rm $N --mount type=volume,source=race,target=/m,subpath=c $BUSYBOX cat /m/secret
        [[ $out == *secret* ]] && seen+="subpath "
        run sdpod cp "$T/self" swapper:/vol/c/pwn
        run sdpod cp swapper:/vol/c/secret "$T/w/stolen"
        [[ -e $T/w/stolen ]] && seen+="cp "
        run sdpod run --rm $N -v race:/vol -w /vol/a $BUSYBOX cat secret
        [[ $out == *secret* ]] && seen+="workdir "
done
is "$(state)" "$before" "names that are exchanged under mounts, cp and working directories lead nothing out"
is "$seen" "" "... and nothing in"
like "$(sdpod ps --format '{{.Names}}' --filter status=running)" swapper "... and they were exchanged all the time"
sdpod rm -ft 0 swapper >/dev/null

# --- /dev while the names of terminals change
mkdir "$T/dev" "$T/dev/pts" "$T/dev/other"
ln -s /proc/sys/kernel/core_pattern "$T/dev/console"
touch "$T/dev/other-console"
pattern=$(cat /proc/sys/kernel/core_pattern)
sdpod run -d --name swapper $N $A -v "$T/dev:/d" $BUSYBOX sh -c '/attack swap /d/pts /d/other & /attack swap /d/console /d/other-console' >/dev/null
wrong='' began=0
for ((i = 0; i < 20; i++)); do
        run sdpod run --rm -t $N -v "$T/dev:/dev" $BUSYBOX sh -c 'test -t 0 -a -c /proc/self/fd/0 || echo wrong; grep core_pattern /proc/self/mountinfo; echo ran'
        [[ $out == *ran* ]] && began=$((began + 1))
        [[ $out == *wrong* || $out == *core_pattern* ]] && wrong+="$out "
done
is "$wrong:$(cat /proc/sys/kernel/core_pattern)" ":$pattern" "under a /dev that changes a terminal is one, and nothing is mounted that a name there leads to"
ok "... of a container that starts at times ($began of 20)" test $began -gt 0
like "$(sdpod ps --format '{{.Names}}' --filter status=running)" swapper "... and it changed all the time"
sdpod rm -ft 0 swapper >/dev/null

# --- programs and modules of the image that have the names of the host's
sdpod run -d --name evil --no-healthcheck $N $BUSYBOX sh -c '
        mkdir -p /lib/x86_64-linux-gnu /usr/bin /usr/sbin
        for name in ps nsenter tar gzip gunzip xz zstd unpigz iconv newuidmap sdpod sdpod-image fuse-overlayfs; do
                for dir in /bin /usr/bin /sbin /usr/sbin; do
                        rm -f $dir/$name
                        printf "#!/bin/sh\ntouch /marker-%s\n" $name >$dir/$name; chmod 755 $dir/$name
                done
        done
        echo "passwd: evil files" >/etc/nsswitch.conf
        cp /bin/busybox /lib/x86_64-linux-gnu/libnss_evil.so.2
        touch /ready; sleep 1000' >/dev/null
until_ok 10 sdpod exec evil test -e /ready
sdpod top evil >/dev/null
echo x >"$T/x"
sdpod cp "$T/x" evil:/x
sdpod cp evil:/etc "$T/etc"
sdpod exec -u app evil true
sdpod diff evil >/dev/null
sdpod export evil >"$T/export.tar"
sdpod commit -q evil committed >/dev/null
sdpod run --rm $N --health-cmd true committed true
run sdpod exec evil sh -c 'ls / | grep marker'
is "$out" "" "top, cp, exec, diff, export, commit and health checks run nothing of the image"
sdpod exec evil tar >/dev/null 2>&1
like "$(sdpod exec evil ls /)" marker-tar "... which would have left its mark"
sdpod rm -ft 0 evil >/dev/null
sdpod rmi -f committed >/dev/null

# --- our helpers come from where the system has them
mkdir "$T/path"
for name in newuidmap newgidmap fuse-overlayfs fusermount3 sdpod-net sdpod-image sdpod-monitor systemd-run; do
        printf '#!/bin/sh\ntouch %s/marker-%s\nexit 1\n' "$T" $name >"$T/path/$name"
        chmod 755 "$T/path/$name"
done
PATH=$T/path:$PATH sdpod run --rm $N --userns auto $BUSYBOX true
PATH=$T/path:$PATH sdpod run --rm --userns keep-id $BUSYBOX true
PATH=$T/path:$PATH sdpod --root "$T/other" --storage-driver fuse-overlayfs run --rm $N --rootfs / true >/dev/null 2>&1
is "$(cd "$T" && echo marker-*)" "marker-*" "no helper is taken from the front of \$PATH"
run env LD_PRELOAD=/none.so LD_LIBRARY_PATH=/none sdpod run --rm $N $BUSYBOX env
unlike "$out" "LD_" "the loader's variables stay outside"

# --- what is inherited by PID 1 is inherited by all that come in
facts='grep -E "^(Cap|NoNewPrivs|Seccomp:|Groups)" /proc/self/status; ulimit -a; cat /proc/self/cgroup; grep -c . /proc/self/mountinfo'
sdpod run -d --name all $N --cap-drop chown --ulimit nofile=100:200 --health-cmd "($facts) >/health" --health-interval disable $BUSYBOX \
        sh -c "($facts) >/x; mv /x /first; sleep 1000" >/dev/null
until_ok 10 sdpod exec all test -s /first
first=$(sdpod exec all cat /first)
run sdpod exec all sh -c "$facts"
is "$out" "$first" "exec has the capabilities, filter, limits, cgroup and mounts of PID 1"
sdpod healthcheck run all
is "$(sdpod exec all cat /health)" "${first/0::\//0::/health}" "and so has a health check, in a cgroup below"
run sdpod exec --privileged all grep -E 'CapInh|CapAmb|Seccomp:' /proc/self/status
like "$out" $'CapInh:\t0000000000000000' "exec --privileged has nothing inheritable either"
sdpod rm -ft 0 all >/dev/null

# --- a terminal that is the caller's does not come along
run python3 - <<'PY'
import os, pty, sys
pid, master = pty.fork()
if pid == 0:
    os.execvp('sdpod', ['sdpod', 'run', '--rm', '-i', '--network', 'none', 'localhost/busybox:latest', 'sh', '-c',
                        'ls -l /proc/self/fd | grep -E "pts|tty"; echo done >&2'])
text = b''
while b'done' not in text:
    try:
        piece = os.read(master, 4096)
    except OSError:
        break
    if not piece:
        break
    text += piece
os.waitpid(pid, 0)
sys.stdout.write(text.decode())
PY
unlike "$out" "pts/|tty" "run without -t on a terminal has no descriptor of it"

# --- floods
sdpod run -d --name flood $N --log-driver k8s-file --log-opt max-size=1m $BUSYBOX sh -c 'head -c 300000000 /dev/zero; echo end' >/dev/null
sdpod wait flood >/dev/null
monitor=$(systemctl --user show -p MainPID --value sdpod-monitor.service)
hwm=$(awk '$1 == "VmHWM:" { print $2 }' "/proc/$monitor/status")
like "$hwm" '^[1-9][0-9]{0,3}$' "a line of 300 MB: the monitor stays below 10 MB"
size=$(du -bc "${XDG_DATA_HOME:-$HOME/.local/share}"/sdpod/containers/*/ctr.log* 2>/dev/null | awk '$2 == "total" { print $1 }')
like "$((size < 4000000)):$size" '^1:[1-9]' "... and its log where it should end"
sdpod rm -ft 0 flood >/dev/null
run sdpod ps -aq
is "$out" "" "no container is left"

finish
