#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Two commands at once, in the order that hurts: one is stopped between two of its system calls until the other is done.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
if why=$(lacks_program strace); then
        skip "commands that are stopped on their way" "$why"
        finish
fi
R="--network none"
STORE=$HOME/.local/share/sdpod
sdpod run --rm $R $BUSYBOX true # makes the directories that stay
at_end sdpod rm -fa -t 0

# Starts sdpod and stops it after its Nth call of that name (with one of $paths, where there are any); $tracer is strace, $stopped is sdpod.
# With an empty $follow its children are not traced: else newuidmap(1) has no privileges.
paths=() follow=-f
stop_at() { # CALL N ARGUMENT...
        rm -f "$T/stopped.trace"
        strace $follow -qq -o "$T/stopped.trace" "${paths[@]/#/-P}" -e "trace=$1" -e "inject=$1:signal=STOP:when=$2" sdpod "${@:3}" >"$T/stopped.out" 2>"$T/stopped.err" &
        tracer=$!
        until_ok 20 is_stopped || { comment "$1 $2: ${*:3} was not stopped: $(cat "$T/stopped.err" "$T/stopped.trace")"; return 1; }
        stopped=$(awk '/stopped by SIGSTOP/ { print $1; exit }' "$T/stopped.trace")
        [[ $follow ]] || read -r stopped <"/proc/$tracer/task/$tracer/children"
}
is_stopped() { grep -q 'stopped by SIGSTOP' "$T/stopped.trace" 2>/dev/null; }
go_on() { # its exit code is $code
        kill -CONT "$stopped"
        wait $tracer
        code=$?
}

# Holds a lock file until something is written to $T/let-go.
mkfifo "$T/let-go"
hold() { # FILE
        : >"$T/held"
        python3 -c 'import fcntl, struct, sys
f = open(sys.argv[1], "r+")
fcntl.fcntl(f, 38, struct.pack("hhqqi4x", fcntl.F_WRLCK, 0, 0, 0, 0)) # F_OFD_SETLKW
print("held", flush=True)
open(sys.argv[2]).read()' "$1" "$T/let-go" >"$T/held" &
        holder=$!
        until_ok 10 grep -q held "$T/held"
}

# --- an image is removed while a container is made of it
new_image() {
        sdpod create --name base $R $BUSYBOX true >/dev/null
        date +%N >"$T/file"
        sdpod cp "$T/file" base:/file
        sdpod commit -q base localhost/shared >/dev/null
        sdpod rm base >/dev/null
}
new_image
stop_at renameat 1 create --name late $R localhost/shared cat /file
is "$(find "$STORE/pending" -mindepth 1 | wc -l)" 1 "create is stopped before its record has a name"
run sdpod rmi localhost/shared
exits 0 "... the image is removed meanwhile"
go_on
is "$code $(cat "$T/stopped.err")" "125 sdpod: cannot use image 'localhost/shared': it was removed meanwhile: no such image" "... create says so"
is "$(sdpod ps -aq; find "$STORE/containers" "$STORE/names" "$STORE/pending" -mindepth 1)" "" "... and leaves nothing"
new_image
stop_at fsync 1 rmi localhost/shared
run sdpod create --name early $R localhost/shared cat /file
exits 0 "a container is made while its image is removed"
go_on
run sdpod start -a early
is "$status $out" "0 $(cat "$T/file")" "... it keeps its layers"
sdpod rm early >/dev/null
sdpod rmi -f localhost/shared >/dev/null 2>&1
sdpod image prune -f >/dev/null
run sdpod system check
exits 0 "... and the store is sound"

# --- a volume that nobody uses is taken while `prune` has it on its list
sdpod run --rm $R -v kept:/v $BUSYBOX sh -c 'echo content >/v/file'
lock=$STORE/volumes/kept/lock
inode=$(stat -c %i "$lock")
hold "$lock"
sdpod volume prune -f -a >"$T/pruned" &
pruner=$!
ok "prune waits for the volume's lock" until_ok 10 grep -qE -- "-> OFDLCK .*:$inode " /proc/locks
sdpod create --name user $R -v kept:/v $BUSYBOX cat /v/file >/dev/null &
creator=$!
ok "a container of it is made meanwhile" until_ok 10 sdpod container exists user
: >"$T/let-go"
wait $holder $pruner $creator
run sdpod start -a user
is "$(cat "$T/pruned"):$out" ":content" "... it keeps its volume, and that its content"
sdpod rm user >/dev/null
run sdpod volume prune -f -a
is "$out" kept "... which goes when nobody uses it any more"

# --- a pod is made while another command clears leftovers away: its mark has its name a moment before it has its lock
strace -f -qq -o "$T/calls" -e trace=openat sdpod pod create --name counted >/dev/null
nth=$(grep -nE '"[0-9a-f]{64}", O_RDWR\|O_CREAT' "$T/calls" | head -n 1 | cut -d: -f1)
sdpod pod rm counted >/dev/null
stop_at openat "$nth" pod create --name made
run timeout 10 sdpod create --name other $R $BUSYBOX true
exits 0 "a container is made while a pod's maker has not yet locked its mark"
go_on
is "$code $(sdpod pod ps --format '{{.Name}} {{.NumberOfContainers}}')" "0 made 1" "... and then the pod is"
sdpod pod rm made >/dev/null
sdpod rm other >/dev/null
is "$(find "$STORE/pending" "$STORE/pods" -mindepth 1)" "" "... nothing stays marked"

# --- a cgroup changes between the look at it and the wait for a change
sdpod run -d --name frozen $R $BUSYBOX sleep 1000 >/dev/null
bad=0
for ((i = 0; i < 3; i++)); do
        strace -f -qq -o "$T/calls" -e trace=pread64 -e inject=pread64:delay_enter=200000 sdpod pause frozen >/dev/null 2>"$T/pause.err" || bad=$((bad + 1))
        sdpod unpause frozen >/dev/null
done
is "$bad $(cat "$T/pause.err")" "0 " "a pause that is slow to look sees that all is frozen"
sdpod rm -f -t 0 frozen >/dev/null

# --- an end that is on record by the time that somebody looks is not watched for: the end of a watch is a grace period of the kernel
sdpod run -d --name obeys $R $BUSYBOX sh -c 'trap "exit 7" TERM; sleep 1000 & wait' >/dev/null
run strace -f -qq -o "$T/calls" -e trace=inotify_init1 sdpod stop obeys
is "$status:$(wc -l <"$T/calls")" 0:0 "stop, whose unit is gone, watches nothing"
run strace -f -qq -o "$T/calls" -e trace=inotify_init1 sdpod wait obeys
is "$out:$(wc -l <"$T/calls")" 7:0 "wait of one that has ended watches nothing"
sdpod rm obeys >/dev/null

# --- a run that was killed before its container was on record left a cgroup, and the next start was in a unit
id=$(sdpod create --name later $R $BUSYBOX sleep 1000)
left=/sys/fs/cgroup/user.slice/user-$UID.slice/user@$UID.service/app.slice/sdpod-containers.service/$id
if mkdir "$left" 2>/dev/null; then
        sdpod start later >/dev/null
        sdpod rm -f -t 0 later >/dev/null
        ok "rm removes the cgroup, too" test ! -e "$left"
else
        skip "rm removes the cgroup, too" "there is none to make it in"
fi

# --- a rename is killed when the record has the new name, or before: the other name is free again
names() { find "$STORE/names" "$STORE/pending" -mindepth 1 ! -name '.*' -printf '%f\n' | sort | xargs; }
for at in symlinkat:old:new renameat:old:new unlinkat:new:old; do
        IFS=: read -r call has free <<<"$at"
        sdpod create --name old $R $BUSYBOX true >/dev/null
        strace -qq -o "$T/calls" -e "trace=$call" -e "inject=$call:signal=KILL:when=1" sdpod rename old new >/dev/null 2>&1
        run sdpod create --name "$free" $R $BUSYBOX true
        is "$status $(names)" "0 new old" "after a rename that was killed at $call the name that it has not is free"
        sdpod rm old new >/dev/null 2>&1
        is "$(names)" "" "... and both go with their containers"
        sdpod create --name old $R $BUSYBOX true >/dev/null
        strace -qq -o "$T/calls" -e "trace=$call" -e "inject=$call:signal=KILL:when=1" sdpod rename old new >/dev/null 2>&1
        sdpod rm "$has" >/dev/null
        is "$(names)" "" "... when it is removed at once, too"
done

# --- a secret, or a network, is removed while another command gives its name to another one
sdpod secret create name "$T/file" >/dev/null
sdpod network create name >/dev/null
for kind in secret network; do
        paths=(name)
        stop_at openat 1 $kind rm name
        paths=()
        sdpod $kind rm name >/dev/null
        [[ $kind == secret ]] && sdpod secret create name "$T/file" >/dev/null || sdpod network create name >/dev/null
        go_on
        like "$code $(cat "$T/stopped.err")" "^1(25)? sdpod: .*$kind( not found)?$" "$kind rm does not remove another one of that name"
        run sdpod $kind rm name
        exits 0 "... which is there"
done

# --- files are copied while a container ends, begins, or has its files copied the other way
follow=
echo x >"$T/x"
sdpod create --name one $R $BUSYBOX sleep 1000 >/dev/null
sdpod create --name two $R $BUSYBOX sleep 1000 >/dev/null
sdpod start one >/dev/null
stop_at socketpair 1 cp "$T/x" one:/in
sdpod stop -t 0 one >/dev/null
go_on
is "$code $(cat "$T/stopped.err")" "0 " "a file is copied into a container that ends meanwhile"
sdpod start one >/dev/null
stop_at socketpair 1 cp one:/in "$T/y"
sdpod stop -t 0 one >/dev/null
go_on
is "$code $(cat "$T/stopped.err" "$T/y")" "0 x" "... and out of one"
sdpod start one >/dev/null
stop_at socketpair 1 cp one:/in "$T/y"
sdpod rm -f -t 0 one >/dev/null
go_on
is "$code $(cat "$T/stopped.err")" \
        "125 sdpod: cannot copy 'one:/in' to '$T/y': no container with name or ID 'one' found: no such container" "... one that is removed is gone"

sdpod create --name one $R $BUSYBOX sleep 1000 >/dev/null
mapfile -t paths < <(sdpod inspect --format "$XDG_RUNTIME_DIR/sdpod/containers/{{.Id}}/lock" one two)
inodes=$(stat -c ':%i ' "${paths[@]}")
stop_at fcntl 1 cp one:/etc/passwd two:/from-one
paths=()
timeout 30 sdpod cp two:/etc/passwd one:/from-two 2>"$T/other.err" &
other=$!
ok "a copy from one container to another waits for one the other way" until_ok 10 grep -qE -- "-> OFDLCK .*(${inodes//$'\n'/|})" /proc/locks
kill -CONT "$stopped"
timeout 20 tail --pid="$tracer" -f /dev/null || kill -KILL "$stopped" # a lock that is never given
wait "$tracer"
code=$?
wait $other
is "$code $? $(cat "$T/stopped.err" "$T/other.err")" "0 0 " "... and both come to their end"
sdpod rm one two >/dev/null

# --- files are read while their container is removed: what is read then is not all of it
reads() { # WORDS CALL VERB...
        sdpod run --name read $R $BUSYBOX touch /made
        stop_at "$2" 1 "${@:3}"
        paths=()
        sdpod rm read >/dev/null
        go_on
        is "$code $(cat "$T/stopped.err")" "125 sdpod: $1 'read': its files were removed meanwhile" "$3 of a container that is removed"
}
reads "cannot compare" pipe2 diff read
reads "cannot commit container" pipe2 commit -q read localhost/read
paths=("$T/read.tar")
reads "cannot export container" openat export -o "$T/read.tar" read
is "$(sdpod images -q localhost/read; ls "$T/read.tar" 2>&1)" "ls: cannot access '$T/read.tar': No such file or directory" "... leaves neither an image nor an archive"

# --- the command of a --rm is killed: what it did not sync may be read, and started again
sdpod run --rm --name orphan $R $BUSYBOX sleep 1000 &
until_ok 10 sdpod exec orphan touch /made
kill -KILL $!
wait $! 2>/dev/null
until_ok 10 sh -c '[ "$(sdpod inspect --format "{{.State.Running}}" orphan)" = false ]'
run sdpod cp orphan:/made "$T/made"
exits 0 "files are copied out of a container whose command was killed"
run sdpod start orphan
is "$status $(sdpod exec orphan ls /made)" "0 /made" "... which can be started"
sdpod rm -f -t 0 orphan >/dev/null

# --- a command in a container that ends
sdpod run -d --name ends $R $BUSYBOX sleep 1000 >/dev/null
stop_at socketpair 1 exec ends true
sdpod stop -t 0 ends >/dev/null
go_on
is "$code $(cat "$T/stopped.err")" "125 sdpod: cannot exec in container 'ends': it ended meanwhile" "exec in a container that ends says so"

# --- a start that another command ends: systemd tells no more than that
service=sdpod-$(sdpod inspect --format '{{.Id}}' ends).service
lock=$XDG_RUNTIME_DIR/sdpod/containers/$(sdpod inspect --format '{{.Id}}' ends)/lock
stop_at sendto 2 start ends # the first one after it has let the lock go
hold "$lock"
kill -CONT "$stopped"
ok "a start waits for the container's lock" until_ok 10 grep -q -- "-> OFDLCK .*:$(stat -c %i "$lock") " /proc/locks
systemctl --user stop --no-block "$service"
until_ok 10 grep -q . "$T/stopped.err"
: >"$T/let-go"
wait "$tracer"
is "$? $(cat "$T/stopped.err")" "125 sdpod: cannot start container 'ends': it was stopped meanwhile" "... a start whose unit is stopped says so"
wait "$holder"
stop_at sendto 2 start ends
sdpod rm ends >/dev/null
go_on
is "$code $(cat "$T/stopped.err")" "125 sdpod: cannot start container 'ends': it was removed meanwhile: no such container" "a start of a container that is removed"
follow=-f
finish
