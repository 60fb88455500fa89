#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# `sdpod run`: the process, its exit code, its files and its identity, as podman-run(1) has them.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
NL=$'\n'
R="sdpod run --rm --network none"

# --- who it is
run $R $BUSYBOX id -u
is "$status:$out" "0:0" "root inside"
run $R $BUSYBOX cat /proc/self/uid_map
is "$(wc -l <<<"$out")" 2 "uid_map has the user and the subordinate range"
like "$out" $'^ *0 +[0-9]+ +1\n *1 +[0-9]+ +65536' "uid 0 is one ID, uid 1 begins a range"
run $R $BUSYBOX cat /proc/self/gid_map
is "$(wc -l <<<"$out")" 2 "gid_map has two ranges too"
sdpod run -d --name owner --network none $BUSYBOX sleep 1000 >/dev/null
pid=$(sdpod inspect -f '{{.State.Pid}}' owner)
is "$(stat -c %u "/proc/$pid" 2>&1)" "$UID" "the process is owned by the user outside"
like "$(cat "/proc/$pid/uid_map")" "^ *0 +$UID +1"$'\n'" *1 +[0-9]{5,} +65536" "uid 0 is the user, uid 1 the first subordinate ID"
sdpod rm -f -t 0 owner >/dev/null
run $R -u app $BUSYBOX sh -c 'id -u; id -g; id -G'
is "$out" $'1000\n1000\n1000 2000' "--user takes a name, with its groups"
run $R -u 1000:2000 $BUSYBOX sh -c 'id -u; id -g'
is "$out" $'1000\n2000' "--user takes numbers"
run $R -u 1 $BUSYBOX id -u
is "$out" 1 "digits are an ID, even where a user of that name exists"
for user in -1 4294967295 99999999999 no-such-user 1000:no-such-group; do
        run $R "--user=$user" $BUSYBOX true
        is "$([[ $status == 12[567] ]] && echo refused)" refused "--user $user is refused"
done
run $R --userns keep-id $BUSYBOX id -u
is "$out" "$UID" "--userns keep-id keeps the user's ID"
run $R --userns keep-id $BUSYBOX sh -c "id -un; id -gn"
is "$out" "$USER$NL$(id -gn)" "... and the names"
run $R --group-add extra -u nobody $BUSYBOX id -G
is "$out" "65534 2000" "--group-add adds a group"

# --- exit codes
for code in 0 1 7 125 126 127 137 255; do
        run $R $BUSYBOX sh -c "exit $code"
        exits $code "exit code $code is passed on"
done
run $R $BUSYBOX sh -c 'kill -TERM $$; echo still here'
is "$status:$out" "0:still here" "PID 1 ignores a signal it has no handler for, as Linux has it"
run $R --init $BUSYBOX sh -c 'kill -KILL $$'
exits 137 "death by a signal is 128 + n"
run $R $BUSYBOX no-such-command
exits 127 "a command that is not there: 127"
like "$err" "no-such-command" "... and the message names it"
run $R $BUSYBOX /no/such/path
exits 127 "a path that is not there: 127"
run $R $BUSYBOX /etc
exits 126 "a directory: 126"
run $R $BUSYBOX /etc/not-a-program
exits 126 "a file that is not executable: 126"
run sdpod run --no-such-flag $BUSYBOX true
exits 125 "a flag that does not exist: 125"
unlike "$err" "Usage:.*"$'\n'".*--.*"$'\n'".*--.*" "... without the whole help"
run sdpod run --rm --pull never localhost/no-such-image true
exits 125 "an image that is not there: 125"
run sdpod run --rm
exits 125 "no image at all: 125"

# --- streams
run $R $BUSYBOX sh -c 'echo out; echo err >&2'
is "$out:$err" "out:err" "stdout and stderr stay apart"
feed "through the pipe" $R -i $BUSYBOX cat
is "$out" "through the pipe" "-i passes stdin"
feed "not for it" $R $BUSYBOX cat
is "$out" "" "without -i stdin is empty"
run $R $BUSYBOX sh -c 'head -c 3000000 /dev/zero | tr "\0" x; echo end'
is "${#out}:${out: -3}" "3000003:end" "three megabytes of output arrive whole"
head -c 5000000 /dev/urandom >"$T/random"
run_with "$T/random" $R -i $BUSYBOX sha256sum
is "${out%% *}" "$(sha256sum <"$T/random" | cut -d' ' -f1)" "five megabytes of stdin arrive whole"
run $R $BUSYBOX sh -c 'echo through >/dev/stdout; echo gone >/dev/stderr'
is "$out:$err" "through:gone" "/dev/stdout and /dev/stderr can be opened"
run $R -u app $BUSYBOX sh -c 'echo through >/dev/stdout'
is "$out" "through" "... by another user, too"
run $R $BUSYBOX sh -c 'ls /proc/self/fd | tr "\n" " "'
is "$out" "0 1 2 3 " "no descriptor leaks into it (3 is the directory being listed)"
run $R $BUSYBOX tty
is "$out" "not a tty" "no terminal unless asked for"

# --- with a terminal
cat >"$T/terminal.py" <<'END'
import os, pty, sys
def read(fd):
    return os.read(fd, 65536)
sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:], read)))
END
run python3 "$T/terminal.py" $R -it $BUSYBOX sh -c 'tty; stty size; exit 9'
exits 9 "exit code with a terminal"
like "$out" "/dev/pts/0" "-t gives it a terminal of its own"
run python3 "$T/terminal.py" $R -it $BUSYBOX sh -c 'ls -l /dev/console'
like "$out" "^c" "/dev/console is a device"
run $R -t $BUSYBOX sh -c 'echo word'
is "$out" $'word\r' "-t without a terminal outside still gives one inside"

# --- signals
sdpod run --rm --network none $BUSYBOX sh -c 'trap "echo got; exit 5" TERM; echo ready; while :; do sleep 0.1; done' >"$T/signal" 2>&1 &
pid=$!
until_ok 10 grep -q ready "$T/signal"
kill -TERM $pid
wait $pid
is "$?:$(tail -n 1 "$T/signal")" "5:got" "SIGTERM to the command reaches the container"

# --- environment, directory, words
run env FOO=outside SECRET=1 $R $BUSYBOX env
unlike "$out" "SECRET|outside|XDG_|DBUS|NOTIFY|LISTEN" "nothing of the caller's environment"
like "$out" "PATH=/usr/local/sbin:" "the image's environment"
like "$out" "container=" "container= is set"
run env FOO=outside $R -e A=1 -e FOO -e NONE $BUSYBOX env
like $'\n'"$out"$'\n' $'\n'A=1$'\n' "-e NAME=VALUE"
like "$out" "FOO=outside" "-e NAME takes the caller's"
unlike "$out" "NONE" "-e of a variable that is not set sets nothing"
printf '# comment\nX=one two\n\nFOO\nY="quoted"\n' >"$T/env"
run env FOO=outside $R --env-file "$T/env" $BUSYBOX env
like "$out" "X=one two" "--env-file keeps spaces"
like "$out" 'Y="quoted"' "... and quotes"
run $R -w /tmp $BUSYBOX pwd
is "$out" /tmp "--workdir"
run $R -w /etc/passwd $BUSYBOX pwd
exits 126 "--workdir of a file is refused"
run $R -w /nosuch $BUSYBOX pwd
exits 126 "--workdir that the image does not have is refused"
like "$err" "'/nosuch'" "... and named"
run $R -v /nosuch $BUSYBOX sh -c 'cd /nosuch && pwd'
is "$out" /nosuch "... a mount makes it"
run $R $BUSYBOX env
like "$out" "(^|$NL)TERM=xterm($NL|\$)" "TERM is set, with or without a terminal"
run $R -u nosuch $BUSYBOX true
exits 126 "a user that the image does not have"
run $R -u root:nosuch $BUSYBOX true
exits 126 "... a group"
run $R -u 1234:77 -w /tmp $BUSYBOX sh -c 'tail -n 1 /etc/passwd; tail -n 1 /etc/group; id -un; echo $HOME'
is "$out" "1234:*:1234:77:container user:/tmp:/bin/sh${NL}77:x:77:1234${NL}1234${NL}/tmp" "a user by number gets a name"
run $R -u 1000 $BUSYBOX sh -c 'grep -c ":1000:" /etc/passwd; id -un'
is "$out" "1${NL}app" "... unless there is one"
printf 'root:x:0:0::/:/bin/sh\n' >"$T/passwd"
run $R -u 1234 -v "$T/passwd:/etc/passwd" $BUSYBOX true
is "$(cat "$T/passwd")" "root:x:0:0::/:/bin/sh" "... and a list that somebody mounted is left alone"
run $R --read-only -u 1234 $BUSYBOX id -u
is "$out" 1234 "... --read-only does not mind"
sdpod create --name twice --network none -u 1234 $BUSYBOX grep -c 1234 /etc/passwd >/dev/null
run sdpod start -a twice
run sdpod start -a twice
is "$out" 1 "... and a second start adds nothing"
sdpod rm twice >/dev/null
run $R --entrypoint /bin/echo $BUSYBOX a b
is "$out" "a b" "--entrypoint"
run $R --entrypoint '["/bin/echo","x y"]' $BUSYBOX z
is "$out" "x y z" "--entrypoint as JSON"
run $R --hostname box $BUSYBOX sh -c 'hostname; tr -d "\n" </etc/hostname; echo; grep -c box /etc/hosts'
is "$out" $'box\nbox\n1' "--hostname, in the namespace and in the files"
run $R $BUSYBOX hostname
like "$out" '^[0-9a-f]{12}$' "the host name is the ID by default"
run $R --add-host other:10.1.2.3 $BUSYBOX grep other /etc/hosts
like "$out" "10.1.2.3.other" "--add-host"
run $R -l a=b --annotation c=d $BUSYBOX true
exits 0 "labels and annotations"

# --- name and ID
run sdpod run --name one --network none --cidfile "$T/cid" $BUSYBOX true
exits 0 "--name and --cidfile"
like "$(cat "$T/cid")" '^[0-9a-f]{64}$' "the file has the ID"
run sdpod run --name one --network none $BUSYBOX true
exits 125 "a name that is taken"
like "$err" "one" "... and the message names it"
run sdpod run --name one --replace --network none $BUSYBOX echo again
is "$status:${out##*$'\n'}" "0:again" "--replace takes it over"
run sdpod run --rm --cidfile "$T/cid" $BUSYBOX true
exits 125 "a cidfile that exists is refused"
for name in ../x a/b . -rf $'a\nb' '$(id)' "$(printf 'a%.0s' {1..300})"; do
        run sdpod run --rm "--name=$name" --network none $BUSYBOX true
        exits 125 "the name $(printf %.20q "$name") is refused"
done
run sdpod rm one
exits 0 "rm"
run sdpod ps -aq
is "$out" "" "--rm left no container"

# --- files
run $R $BUSYBOX sh -c 'echo x >/new; cat /new'
is "$out" x "the root is writable"
run $R $BUSYBOX cat /new
exits 1 "... and the image is not changed by it"
run $R --read-only $BUSYBOX sh -c 'touch /new 2>/dev/null || echo no; touch /tmp/x /run/x /dev/shm/x && echo yes'
is "$out" $'no\nyes' "--read-only, with /tmp and /run writable"
run $R --tmpfs /scratch:size=1m,mode=700 $BUSYBOX sh -c 'mount | grep scratch; stat -c %a /scratch; head -c 2000000 /dev/zero >/scratch/x 2>/dev/null || echo full'
like "$out" "tmpfs on /scratch .*size=1024k.*"$'\n'"700"$'\n'"full" "--tmpfs with its options"
mkdir "$T/shared"
chmod 755 "$T"
echo content >"$T/shared/file"
run $R -v "$T/shared:/mnt" $BUSYBOX sh -c 'cat /mnt/file; echo from inside >/mnt/back; id -u >/mnt/id'
is "$out:$(cat "$T/shared/back")" "content:from inside" "-v binds a directory"
is "$(stat -c %u "$T/shared/back")" "$UID" "... and what root makes there is the user's"
run $R -v "$T/shared:/mnt:ro" $BUSYBOX sh -c 'echo x >/mnt/file'
is "$([[ $status != 0 ]] && cat "$T/shared/file")" content "-v :ro cannot be written"
run $R -v "$T/shared/file:/etc/one" $BUSYBOX cat /etc/one
is "$out" content "-v binds a file"
run $R -v "$T/no-such-dir:/mnt" $BUSYBOX true
exits 125 "-v of a source that is not there is refused"
like "$err" "no-such-dir" "... and named"
run $R -v data:/data $BUSYBOX sh -c 'echo kept >/data/file'
run $R -v data:/data $BUSYBOX cat /data/file
is "$out" kept "a named volume keeps its content"
run $R --mount type=volume,src=data,dst=/d,ro $BUSYBOX sh -c 'cat /d/file; touch /d/x 2>/dev/null || echo ro'
is "$out" $'kept\nro' "--mount type=volume"
run $R --mount "type=bind,source=$T/shared,target=/d" $BUSYBOX cat /d/file
is "$out" content "--mount type=bind"
run $R --tmpfs /scratch:uid=5,gid=6,ro $BUSYBOX sh -c 'stat -c %u:%g /scratch; touch /scratch/x'
is "$out" "5:6" "--tmpfs has the owner that was asked for"
like "$err" "Read-only file system" "... and is read-only when it is filled"
run $R --pids-limit -1 $BUSYBOX true
exits 0 "no limit of processes needs no controller"
run sh -c "umask 0777; exec $R -u 33 -v umasked:/v $BUSYBOX sh -c 'ls / >/dev/null; stat -c %a / /v; cat /etc/hosts >/dev/null'"
is "$out" $'755\n755' "the caller's umask is none of the container's"
sdpod volume rm umasked >/dev/null
run sh -c "$R $BUSYBOX yes 2>/dev/null | head -n 1"
is "$status:$out" "0:y" "a reader that goes away ends who writes to it"
run sh -c "$R $BUSYBOX echo lost >/dev/full"
like "$err" "cannot write the container's output" "output that a full disk loses is missed"
run $R --mount type=tmpfs,destination=/d $BUSYBOX sh -c 'grep " /d " /proc/mounts'
like "$out" "^tmpfs /d tmpfs" "--mount type=tmpfs"
run $R -v /anon $BUSYBOX touch /anon/x
run sdpod volume ls -q
is "$out" data "an anonymous volume goes with --rm, a named one stays"
run sdpod volume rm data
exits 0 "volume rm"
mkdir -p "$T/rootfs/bin"
cp /bin/busybox "$T/rootfs/bin/sh"
run $R --rootfs "$T/rootfs" /bin/sh -c 'echo rootfs'
is "$out" rootfs "--rootfs runs a directory"

# --- resources
run $R --ulimit nofile=100:200 $BUSYBOX sh -c 'ulimit -n; ulimit -Hn'
is "$out" $'100\n200' "--ulimit"
run $R --sysctl net.ipv4.ip_forward=1 $BUSYBOX cat /proc/sys/net/ipv4/ip_forward
is "$out" 1 "--sysctl of the container's own network"
run $R --shm-size 2m $BUSYBOX sh -c 'df -k /dev/shm | tail -n 1'
like "$out" " 2048 " "--shm-size"
run $R --init $BUSYBOX sh -c 'cat /proc/1/comm; echo $$'
unlike "$out" "^sh" "--init puts another PID 1 in front"
for limit in memory cpu pids; do
        case $limit in memory) flag="-m 64m" file=memory.max want=67108864 ;; cpu) flag="--cpus 0.5" file=cpu.max want="50000 100000" ;;
        *) flag="--pids-limit 33" file=pids.max want=33 ;; esac
        if why=$(lacks_controller $limit); then
                skip "$flag holds" "$why"
                run $R $flag $BUSYBOX true
                exits 126 "$flag is refused where it cannot hold"
        else
                run $R $flag $BUSYBOX cat /sys/fs/cgroup/$file
                is "$out" "$want" "$flag holds"
        fi
done


# --- a pipeline ends from behind
out=$(timeout 20 sdpod run --rm --network none $BUSYBOX yes 2>/dev/null | head -n 1; echo "${PIPESTATUS[0]}")
like "$out" $'^y\n1(41)?$' "a reader that goes away ends the writer"
# --- what the caller was limited to
run bash -c "ulimit -Sn 20; $R $BUSYBOX echo in"
is "$out" in "a small number of open files does not keep us from starting a container"
run bash -c "set -o pipefail; (ulimit -f 0; $R $BUSYBOX true 2>&1) | cat"
exits 125 "a limit of the size of files is an error and no death"
like "$out" "File too large" "... that says so"
run sdpod ps --format '{{.Names'
like "$err" "line 1:" "a template of one line has its fault in line 1"
run sdpod container exists --help
unlike "$out" "\[options\]" "a command without options says so"

finish
