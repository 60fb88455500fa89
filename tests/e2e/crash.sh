#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# kill -9 of a command at any moment: at random ones, and at every system call that changes the store. After each the next
# command works, the name can be taken, and nothing is left once it is removed.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
nest=$TESTS/machine/nest
user=e2e-crash
as() { "$nest" as $user "$@"; }
in_user() { # the body of a test, run "$nest" as $user the user
        { printf '. $TESTS/lib/e2e.sh\ntap_finished=1\n'; cat; } >"$T/body"
        chmod 644 "$T/body"
        as env TESTS="$TESTS" BUSYBOX=$BUSYBOX bash -s <"$T/body"
}
chmod 755 "$T"
in_user <<<'image_load busybox' || exit 99

# Whether the store can be used: lists work, the name k can be taken and given back, an image runs, and nothing that is
# listed resists its removal. Says what is wrong.
cat >"$T/sound" <<'END'
#!/bin/bash
problem=
sdpod ps -a >/dev/null 2>/tmp/sound.err || problem+="ps -a fails: $(cat /tmp/sound.err); "
sdpod images >/dev/null 2>&1 || problem+="images fails; "
sdpod rm -f -t 0 --ignore k >/dev/null 2>/tmp/sound.err || problem+="rm -f fails: $(cat /tmp/sound.err); "
[[ $(timeout 100 sdpod run --rm --name k --network none localhost/busybox echo fine 2>&1) == fine ]] || problem+="the name cannot be taken again; "
sdpod rm -f -t 0 -a >/dev/null 2>/tmp/sound.err || problem+="rm -a fails: $(cat /tmp/sound.err); "
sdpod volume rm -f -a >/dev/null 2>/tmp/sound.err || problem+="volume rm -a fails: $(cat /tmp/sound.err); "
left=$(sdpod ps -aq; sdpod volume ls -q)
[[ -z $left ]] || problem+="left: $left; "
echo "$problem"
END
chmod 755 "$T/sound"
sound() { as "$T/sound"; }
is "$(sound)" "" "the store is sound to begin with"

# --- at random moments
bad=0
for ((i = 0; i < 40; i++)); do
        as sh -c "sdpod run --name k -v kv:/v --network none $BUSYBOX sleep 0.05 >/dev/null 2>&1 & sleep 0.$(printf %03d $((RANDOM % 60))); kill -9 \$!; wait" 2>/dev/null
        found=$(sound)
        [[ -z $found ]] || { bad=$((bad + 1)); ((bad > 3)) || comment "$found"; }
done
is "$bad" 0 "kill -9 of run at 40 moments"

# --- a full disk can be emptied
"$nest" in sh -c "mkdir -p /home/$user/full && mount -t tmpfs -o size=4m,mode=700,uid=\$(id -u $user) none /home/$user/full"
in_user >"$T/full" 2>&1 <<'END'
full="sdpod --root $HOME/full"
$full load -q -i "$(image_file busybox)"
$full run --name k --network none $BUSYBOX sh -c 'dd if=/dev/zero of=/big bs=1M 2>/dev/null; exit 7' 2>/dev/null
echo "exit code $?"
$full run -d --name l --network none $BUSYBOX sleep 1000 >/dev/null 2>&1
$full ps -a --format '{{.Names}}' 2>/dev/null | grep -c '^k$'
$full rm -f -t 0 k >/dev/null 2>&1
echo "rm $?"
$full run --rm --network none $BUSYBOX echo again
$full rm -f -t 0 -a >/dev/null
END
is "$(tail -n +2 "$T/full")" $'exit code 7\n1\nrm 0\nagain' "a full disk keeps nobody from the exit code, and from making room"
"$nest" in umount -l "/home/$user/full"

# --- at every change of the store, by strace
if why=$(lacks_program strace); then
        skip "kill -9 at every change of the store" "$why"
        finish
fi
calls=renameat,renameat2,rename,mkdirat,mkdir,symlinkat,unlinkat,unlink,fsync,fdatasync,ftruncate,linkat,clone3,recvmsg,sendmsg
id=$("$nest" as $user id -u)
attempt() { # CALL N CMD...: runs it as the user and kills it at its Nth CALL; fails when there is no Nth
        local call=$1 n=$2
        shift 2
        { timeout 100 strace -qq -f -u $user -o "$T/trace" -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" \
                env -i PATH="$PATH" HOME="/home/$user" USER=$user XDG_RUNTIME_DIR="/run/user/$id" \
                DBUS_SESSION_BUS_ADDRESS="unix:path=/run/user/$id/bus" "$@" >"$T/attempt" 2>&1 </dev/null; } 2>/dev/null
        grep -q 'killed by SIGKILL' "$T/trace"
}
cat >"$T/below" <<'END'
#!/bin/sh
call=$1 n=$2
shift 2
exec timeout 100 strace -qq -f -o /tmp/below.trace -e "trace=$call" -e "inject=$call:signal=KILL:when=$n" "$@"
END
chmod 755 "$T/below"
attempt_below() { # the same in a service of the user's manager, where containers are born in their cgroup
        as "$T/below" "$@" >/dev/null 2>&1
        as grep -q 'killed by SIGKILL' /tmp/below.trace
}
every() { # NAME PREPARE CMD...
        local name=$1 prepare=$2 call n points=0 bad=0 found
        shift 2
        for call in ${calls//,/ }; do
                for ((n = 1; n < 60; n++)); do
                        [[ -z $prepare ]] || as sh -c "$prepare" >/dev/null 2>&1
                        ${attempt:-attempt} $call $n "$@" || { as sdpod rm -f -t 0 -a >/dev/null 2>&1; break; }
                        points=$((points + 1))
                        found=$(sound)
                        [[ -z $found ]] || { bad=$((bad + 1)); ((bad > 3)) || comment "$call $n: $found"; }
                done
        done
        is "$bad" 0 "$name: killed at each of $points changes of the store"
        ok "... which were some" test $points -gt 3
}
every "run" "" sdpod run --name k -v kv:/v --network none $BUSYBOX true
every "run --rm" "" sdpod run --rm --name k -v /anonymous --network none $BUSYBOX true
every "rm" "sdpod create --name k -v kv:/v --network none $BUSYBOX true" sdpod rm k
every "exec" "sdpod container exists k || sdpod run -d --name k --network none $BUSYBOX sleep 1000" sdpod exec k true
attempt=attempt_below every "run, born in its cgroup" "" sdpod run --name k --network none $BUSYBOX true
attempt=attempt_below every "run --rm, born in its cgroup" "" sdpod run --rm --name k --network none $BUSYBOX true
cgroups_left() { "$nest" in find "/sys/fs/cgroup/user.slice/user-$id.slice/user@$id.service/app.slice/sdpod-containers.service" -mindepth 1 -type d ! -name holder; }
until_ok 5 eval '[[ -z $(cgroups_left) ]]'
is "$(cgroups_left)" "" "and no run a cgroup"
until_ok 5 eval '! "$nest" in pgrep -u $user -x sdpod'
is "$("$nest" in pgrep -u $user -x sdpod)" "" "an exec that is killed leaves no process that waits for it"
until_ok 5 eval '[[ -z $(as systemctl --user list-units --all --no-legend "sdpod-*.scope") ]]'
is "$(as systemctl --user list-units --all --no-legend 'sdpod-*.scope')" "" "and no run an empty scope"
every "rename" "sdpod create --name k2 --network none $BUSYBOX true" sh -c 'sdpod rename k2 k; sdpod rm -f k2 k'
finish
