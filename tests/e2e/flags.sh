#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Flags of run, create and exec that concern the process: its user, its environment, its files, its life. What each does is seen
# from inside or from outside.
# shellcheck disable=SC2016  # the shells in containers expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -f -t 0 -a
R="sdpod run --rm --network none"
cd "$T" || exit 99

# ---- environment

run $R --unsetenv TERM --unsetenv container $BUSYBOX env
unlike "$out" 'TERM=|container=' "--unsetenv takes away what would be set"
like "$out" 'PATH=.*HOME=/root' "... and nothing else"
run $R --unsetenv-all -e A=1 $BUSYBOX /bin/env
unlike "$out" 'TERM=|container=|PATH=' "--unsetenv-all takes away all of it"
like "$out" 'A=1' "... but not what is given with --env"
run $R --env-merge 'PATH=${PATH}:/opt/bin' --env-merge 'X=[${NOSUCH:-none}]' --env-merge "Y='\${PATH}'" $BUSYBOX env
like "$out" 'PATH=[^ ]*/bin:/opt/bin' "--env-merge makes a variable of the image's"
like "$out" 'X=\[none\].*Y=\$\{PATH\}' "... with defaults, and quotes"
run $R --env-merge 'A=${B' $BUSYBOX true
exits 125 "--env-merge with a brace that does not end"
run env ONLY_HERE=1 PATH="$PATH:/host/bin" sdpod run --rm --network none --env-host -e LOGNAME=me $BUSYBOX env
like "$out" 'ONLY_HERE=1' "--env-host passes the caller's on"
like "$out" 'PATH=[^ ]*:/host/bin' "... over the image's"
like "$out" 'LOGNAME=me' "... and below --env"
printf 'A=1\n# no\n B=2\nC="q"\nLOGNAME\nNOSUCH_\nE=\n' >env-file
run env LOGNAME=me sdpod run --rm --network none --env-file env-file $BUSYBOX env
like "$out" $'A=1\nB=2\nC="q"\nLOGNAME=me\nE=' "--env-file: comments, blanks, quotes, the caller's values"
unlike "$out" NOSUCH_ "... and none where the caller has none"
printf '=x\n' >env-file
run $R --env-file env-file $BUSYBOX env
exits 125 "--env-file with a line without a name"
run $R --personality LINUX32 $BUSYBOX uname -m
if [[ $(uname -m) == x86_64 ]]; then
        is "$out" i686 "--personality LINUX32"
else
        skip "--personality LINUX32" "what it shows is known of x86_64 alone"
fi
run $R --personality linux99 $BUSYBOX true
exits 125 "an unknown --personality"
run $R --umask 0027 $BUSYBOX sh -c umask
is "$out" 0027 "--umask"

# ---- files

run $R --tz Asia/Tokyo $BUSYBOX date +%Z
is "$out" JST "--tz AREA/CITY"
run $R --tz Asia/Nowhere $BUSYBOX true
exits 125 "--tz of a zone that is not there"
run $R --tz ../../etc/passwd $BUSYBOX true
exits 125 "--tz that leads out of the zones"
if [[ -e /etc/localtime ]]; then
        run $R --tz local $BUSYBOX cat /etc/localtime
        ok "--tz local is the host's" cmp -s /etc/localtime "$T/stdout"
fi
run $R --hostname box --no-hostname $BUSYBOX sh -c 'cat /etc/hostname; hostname'
unlike "$out" $'box\nbox' "--no-hostname: the file is the image's"
like "$out" 'box$' "... the name is not"
printf '127.0.0.1 lo-name\n192.0.2.9 base-name\n' >hosts
run $R --hosts-file "$T/hosts" --add-host added:192.0.2.8 $BUSYBOX cat /etc/hosts
like "$out" '192.0.2.8 added.*127.0.0.1 lo-name.*192.0.2.9 base-name' "--hosts-file PATH"
run $R --hosts-file none $BUSYBOX cat /etc/hosts
like "$out" localhost "--hosts-file none"
run $R --hosts-file image $BUSYBOX cat /etc/hosts
exits 0 "--hosts-file image"
run $R --hosts-file "$T/nosuch" $BUSYBOX true
exits 126 "--hosts-file that is not there"
run sdpod run --network none --name journald --log-driver journald $BUSYBOX true
exits 125 "--log-driver journald in the foreground"
like "$err" 'use --detach' "... says what to do"
run sdpod container exists journald
exits 1 "... and leaves no container"
run $R --chrootdirs /srv/a,/srv/b $BUSYBOX sh -c 'cat /srv/a/etc/hosts; cat /srv/b/etc/resolv.conf >/dev/null; cat /srv/b/etc/hostname'
exits 0 "--chrootdirs: the files are there"
like "$out" 'localhost' "... with what is in them"
run $R --chrootdirs relative $BUSYBOX true
exits 125 "--chrootdirs that is no path"

# ---- users

run $R --hostuser root --hostuser "$USER" $BUSYBOX tail -1 /etc/passwd
like "$out" "^$USER:\\*:$UID:$(id -g):.*:/:/bin/sh\$" "--hostuser adds the host's user"
run $R --hostuser "$USER" $BUSYBOX grep -c ^root /etc/passwd
is "$out" 1 "... and root is not there twice"
run $R --hostuser nosuch_ $BUSYBOX true
exits 126 "--hostuser that is not there"
run $R -u 1234 --passwd-entry '$USERNAME-x:*:$UID:$GID:$NAME:$HOME:/bin/zz' --group-entry '$GROUPNAME-g:y:$GID:$USERLIST' \
        $BUSYBOX sh -c 'tail -1 /etc/passwd; tail -1 /etc/group'
is "$out" $'1234-x:*:1234:0:container user:/:/bin/zz\n'"$(sdpod run --rm --network none $BUSYBOX tail -1 /etc/group)" \
        "--passwd-entry; no line for a group that is there"
run $R -u 1234:4321 --group-entry '$GROUPNAME-g:y:$GID:$USERLIST' $BUSYBOX tail -1 /etc/group
is "$out" '4321-g:y:4321:1234' "--group-entry"
run $R --userns keep-id --passwd-entry '$USERNAME:*:$UID:$GID:$NAME:$HOME:/bin/zz' $BUSYBOX tail -1 /etc/passwd
like "$out" "^$USER:\\*:$UID:.*:/bin/zz\$" "... for who keeps their ID"
run $R -u 1234 --passwd=false $BUSYBOX grep -c 1234 /etc/passwd
is "$out" 0 "--passwd=false leaves passwd alone"
run $R --passwd-entry $'a\nb' $BUSYBOX true
exits 125 "--passwd-entry of two lines"

run $R --group-add keep-groups $BUSYBOX true
exits 0 "--group-add keep-groups"
# the caller's group has no ID in this map: it is shown as nogroup where it was kept
run $R --userns nomap $BUSYBOX grep ^Groups: /proc/self/status
unlike "$out" 65534 "the caller's groups are dropped"
run $R --userns nomap --group-add keep-groups $BUSYBOX grep ^Groups: /proc/self/status
like "$out" 65534 "--group-add keep-groups keeps them"
units=$HOME/.config/containers/systemd
mkdir -p "$units"
cat >"$units/flagged.container" <<END
[Container]
Image=$BUSYBOX
Exec=sleep 1000
Network=none
UserNS=nomap
GroupAdd=keep-groups
PodmanArgs=--pidfile %t/flagged.pid --conmon-pidfile %t/flagged.conmon
END
at_end eval "rm '$units/flagged.container'; systemctl --user daemon-reload"
systemctl --user daemon-reload
run systemctl --user start flagged
exits 0 "a unit with such flags"
run sdpod exec systemd-flagged grep -h ^Groups: /proc/1/status /proc/self/status
is "$(grep -c 65534 <<<"$out")" 2 "... keeps its groups, and exec in it does"
is "$(cat "$XDG_RUNTIME_DIR/flagged.pid") $(cat "$XDG_RUNTIME_DIR/flagged.conmon")" \
        "$(systemctl --user show -p MainPID --value flagged) $(systemctl --user show -p MainPID --value flagged)" \
        "... and its files name the unit's main process"
systemctl --user stop flagged
run $R --group-add keep-groups --group-add 5 $BUSYBOX true
exits 125 "... alone"

run $R --subuidname "$USER" $BUSYBOX cat /proc/self/uid_map
like "$out" '^ +0 +1 +65536$' "--subuidname of the user: only subordinate IDs"
run $R --subuidname root $BUSYBOX true
exits 125 "--subuidname of another user"
run $R --subuidname "$USER" --userns keep-id $BUSYBOX true
exits 125 "... with --userns"

uid_map() { tr -s ' ' <<<"$out" | sed 's/^ //' | sort -n | tr '\n' ','; }
sdpod run -d --name one --network none --userns auto:size=100 $BUSYBOX sleep 1000 >/dev/null
run sdpod exec one cat /proc/self/uid_map
is "$(uid_map)" '0 1 100,' "--userns auto:size="
run $R --userns auto:size=10,uidmapping=0:200:3,gidmapping=5:101:1 $BUSYBOX cat /proc/self/uid_map /proc/self/gid_map
is "$(uid_map)" '0 102 5,0 200 3,3 101 7,5 101 1,6 107 4,' "... uidmapping= and gidmapping=, beside the other container's"
run sdpod rm -f -t 0 one
run $R --userns auto:size=10,uidmapping=0:2:1 $BUSYBOX cat /proc/self/uid_map
is "$(uid_map)" '0 2 1,1 1 1,2 3 8,' "... its IDs are free again; the rest goes around"
run $R --userns auto:size=99999999 $BUSYBOX true
exits 125 "... more IDs than there are"
run $R --userns auto:nosuch=1 $BUSYBOX true
exits 125 "... an option that is not there"

run $R --userns keep-id:uid=3,gid=3,size=5 $BUSYBOX cat /proc/self/uid_map
is "$(uid_map)" '0 1 3,3 0 1,4 4 2,' "--userns keep-id:size="

sub=$(awk -F: -v u="$USER" '$1 == u { print $2; exit }' /etc/subuid)
run $R --uidmap +7:@"$UID" $BUSYBOX cat /proc/self/uid_map
exits 125 "--uidmap + of the ID that root has: nobody is root then"
run $R --uidmap "+100000:@$((sub + 9))" $BUSYBOX cat /proc/self/uid_map /proc/self/gid_map
is "$(uid_map)" "0 0 1,0 0 1,1 1 9,1 1 9,11 11 65526,11 11 65526,100000 10 1,100000 10 1," "--uidmap +CONTAINER:@HOST adds to the map, for groups, too"
run $R --uidmap "+u100000:10:2" --gidmap 0:0:5 $BUSYBOX cat /proc/self/uid_map /proc/self/gid_map
is "$(uid_map)" "0 0 1,0 0 1,1 1 4,1 1 9,12 12 65525,100000 10 2," "... u: for users alone"
run $R --uidmap "0:@$((sub + 5)):3" $BUSYBOX cat /proc/self/uid_map
is "$(uid_map)" "0 6 3," "... @ alone"
run $R --uidmap "0:@0" $BUSYBOX true
exits 125 "... an ID of the host's that is not the user's"

# ---- descriptors

exec 3<<<three 4<<<four 7<<<seven
run $R --preserve-fds 2 $BUSYBOX sh -c 'cat <&3; cat <&4; ls /proc/self/fd | tr "\n" " "'
is "$out" $'three\nfour\n0 1 2 3 4 5 ' "--preserve-fds 2"
exec 7<<<seven
run $R --preserve-fd 7 $BUSYBOX sh -c 'cat <&7; ls /proc/self/fd | tr "\n" " "'
is "$out" $'seven\n0 1 2 3 7 ' "--preserve-fd 7"
run $R --preserve-fds 3 $BUSYBOX true
exits 125 "--preserve-fds of one that is not open"
run sdpod run -d --preserve-fds 1 $BUSYBOX true
exits 125 "--preserve-fds with --detach"
sdpod run -d --name busy --network none $BUSYBOX sleep 1000 >/dev/null
exec 3<<<three 7<<<seven
run sdpod exec --preserve-fds 1 --preserve-fd 7 busy sh -c 'cat <&3; cat <&7; ls /proc/self/fd | tr "\n" " "'
is "$out" $'three\nseven\n0 1 2 3 4 7 ' "exec --preserve-fds, --preserve-fd"
run sdpod exec --preserve-fd 99 busy true
exits 125 "exec --preserve-fd of one that is not open"
run sdpod exec -l hostname
is "$out" "$(sdpod exec busy hostname)" "exec --latest"
run sdpod exec -l
exits 125 "exec --latest without a command"
exec 3<&- 4<&- 7<&-
sdpod run -d --name same --network none --personality LINUX32 --umask 0027 --ulimit nofile=99:99 --group-add 7 --cap-drop all --cap-add kill \
        --security-opt no-new-privileges --env SHARED=1 -u 1234:5 -w /tmp $BUSYBOX sh -c 'cat /proc/1/status; uname -m; umask; ulimit -n; pwd; env; exec sleep 1000' >/dev/null
ok "... a container with rules" until_ok 10 eval 'sdpod logs same | grep -q SHARED=1'
told() { grep -E '^(Uid|Gid|Groups|Cap...|NoNewPrivs|Seccomp):|^i.86|^x86_64|^[0-9]+$|^/tmp|^(SHARED|HOME|PATH)=' | sort; }
run sdpod exec same sh -c 'cat /proc/self/status; uname -m; umask; ulimit -n; pwd; env'
is "$(told <<<"$out")" "$(sdpod logs same | told)" "exec has the identity, capabilities, limits and environment of the first process"
run sdpod exec -u 0 --env SHARED=2 same sh -c 'id -u; echo $SHARED'
is "$out" $'0\n2' "... but for what it is given"
sdpod rm -f -t 0 same >/dev/null
sdpod run --name deaf --network none --sig-proxy=false $BUSYBOX sh -c 'trap "echo heard" USR1; echo ready; sleep 1000 & wait' >deaf-says 2>&1 &
ok "run --sig-proxy=false" until_ok 10 grep -q ready deaf-says
kill -USR1 $!
wait $!
ok "... passes no signal on" test "$(grep -c heard deaf-says)" = 0
sdpod rm -f -t 0 deaf >/dev/null

# ---- life

run sdpod run --name late --network none --timeout 1 $BUSYBOX sleep 100
exits 255 "--timeout ends it, with 255"
is "$(sdpod inspect -f '{{.State.ExitCode}} {{.Config.Timeout}}' late)" '-1 1' "... -1 on record"
run sdpod rm late
id=$(sdpod run -d --network none --timeout 1 $BUSYBOX sleep 100)
run sdpod wait "$id"
is "$out" -1 "... in the background"
run sdpod rm "$id"
run $R --timeout 60 $BUSYBOX true
exits 0 "... one that ends before"
run $R --timeout x $BUSYBOX true
exits 125 "... that is no number"

run sdpod run --name again --network none --restart on-failure:2 $BUSYBOX sh -c 'echo hi; exit 3'
exits 3 "--restart in the foreground: the first run's exit code"
is "$out" hi "... and its output"
ok "... the others are made in the background" until_ok 20 eval '[[ $(sdpod inspect -f "{{.RestartCount}} {{.State.Status}}" again) == "2 exited" ]]'
sdpod run --name stopped --network none --restart always $BUSYBOX sleep 1000 >/dev/null 2>&1 &
ok "... one that runs" until_ok 20 eval '[[ $(sdpod inspect -f "{{.State.Status}}" stopped) == running ]]'
run sdpod stop -t 0 stopped
wait $!
is "$(sdpod inspect -f '{{.RestartCount}} {{.State.Status}}' stopped)" "0 exited" "... is not started again once somebody stopped it"
run sdpod start nosuch
exits 125 "start of what is not there"
sdpod create --name wrong --network none --entrypoint /nosuch $BUSYBOX >/dev/null
run sdpod start wrong
exits 125 "start of what cannot be executed"
run sdpod start -a wrong
exits 125 "... attached"
run sdpod rm stopped wrong
run sdpod run --name ever --network none --restart always $BUSYBOX sh -c 'exit 0'
ok "... --restart always" until_ok 20 eval '(($(sdpod inspect -f "{{.RestartCount}}" ever) >= 2))'
run sdpod rm -f -t 0 again ever

sdpod run -d --name filed --network none --pidfile pid --conmon-pidfile conmon --cidfile cid $BUSYBOX sleep 1000 >/dev/null
pid=$(sdpod inspect -f '{{.State.Pid}}' filed)
is "$(cat pid) $(cat conmon)" "$pid $pid" "--pidfile and --conmon-pidfile: the init"
is "$(cat cid)" "$(sdpod inspect -f '{{.Id}}' filed)" "--cidfile"
is "$(sdpod inspect -f '{{.PidFile}} {{.ConmonPidFile}} {{.HostConfig.ContainerIDFile}}' filed)" "$T/pid $T/conmon cid" "... inspect tells"
run $R --cidfile cid $BUSYBOX true
exits 125 "--cidfile of a file that is there"
run $R --cidfile /nosuch/cid $BUSYBOX true
exits 125 "... in a directory that is not"
run $R --cidfile other --device /dev/nosuch $BUSYBOX true
ok "... nothing is left where the container cannot be made" test ! -e other
sdpod restart -t 0 filed >/dev/null
is "$(cat pid)" "$(sdpod inspect -f '{{.State.Pid}}' filed)" "--pidfile is written at each start"
run $R --pidfile /nosuch/pid $BUSYBOX true
exits 126 "--pidfile in a directory that is not there"
run sdpod rm -f -t 0 filed

sdpod tag $BUSYBOX localhost/going
run sdpod run --rmi --network none localhost/going true
exits 0 "--rmi"
run sdpod image exists localhost/going
exits 1 "... removes the image's name"
run sdpod image exists $BUSYBOX
exits 0 "... and no other"
sdpod tag $BUSYBOX localhost/going
sdpod run -d --rmi --network none localhost/going true >/dev/null
ok "... in the background" until_ok 20 eval '! sdpod image exists localhost/going'

mkdir results
check=(--health-cmd 'echo well said' --health-interval disable)
id=$(sdpod run -d --name checked --network none "${check[@]}" --health-log-destination results $BUSYBOX sleep 1000)
run sdpod healthcheck run checked
is "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["Log"][0]["Output"].strip())' "results/$id-healthcheck.log")" "well said" \
        "--health-log-destination DIR"
is "$(sdpod inspect -f '{{.Config.HealthLogDestination}}' checked)" "$T/results" "... inspect tells"
sdpod run -d --replace --name checked --network none "${check[@]}" --health-log-destination events_logger $BUSYBOX sleep 1000 >/dev/null
run sdpod healthcheck run checked
exits 0 "a check"
run sdpod events --stream=false --filter container=checked --filter event=health_status
like "$out" 'health_log=well said' "--health-log-destination events_logger"
run sdpod rm -f -t 0 checked
run $R "${check[@]}" --health-log-destination "$T/nosuch" $BUSYBOX true
exits 125 "--health-log-destination that is not there"

# ---- exit codes of what cannot start

code() { # CODE WHAT ARGUMENTS...
        run $R "${@:3}"
        exits "$1" "$1: $2"
        is "$(wc -l <<<"$err") $(grep -c '^sdpod: cannot' <<<"$err")" "$(($(grep -c hint: <<<"$err") + 1)) 1" "... one line"
}
code 126 "no such user" -u nosuch $BUSYBOX true
code 126 "no such group" -u root:nosuch $BUSYBOX true
code 126 "no such supplementary group" --group-add nosuch $BUSYBOX true
code 126 "no such working directory" -w /nosuch $BUSYBOX true
code 126 "a limit that is not allowed" --ulimit nofile=99999999:99999999 $BUSYBOX true
code 126 "an OOM score that is not allowed" --oom-score-adj -900 $BUSYBOX true
run sdpod run --rm --network none --userns keep-id --oom-score-adj 500 $BUSYBOX cat /proc/self/oom_score_adj
is "$out" 500 "--oom-score-adj of who keeps the ID"
code 127 "no such command" --entrypoint /nosuch $BUSYBOX true
code 126 "a command that is a directory" --entrypoint /etc $BUSYBOX true
code 125 "no such source of a mount" -v /nosuch:/x $BUSYBOX true
code 125 "no such root file system" --rootfs /nosuch true
code 125 "no such init" --init --init-path /nosuch $BUSYBOX true
code 125 "no such device" --device /dev/nosuch $BUSYBOX true
code 125 "what is no device" --device /etc/passwd $BUSYBOX true
code 125 "no such seccomp profile" --security-opt seccomp=/nosuch $BUSYBOX true
code 125 "an unknown capability" --cap-add foo $BUSYBOX true
code 125 "a limit of the whole host" --sysctl kernel.nosuch=1 $BUSYBOX true
run sdpod ps -aq
is "$(wc -w <<<"$out")" 1 "nothing is left of them"

# ---- security

run $R --security-opt proc-opts=hidepid=2 $BUSYBOX grep ' /proc proc ' /proc/self/mounts
like "$out" 'hidepid=(2|invisible)' "--security-opt proc-opts="
code 125 "an unknown option of proc" --security-opt proc-opts=nosuch=1 $BUSYBOX true
run $R --security-opt label=type:some_t $BUSYBOX true
[[ -e /sys/fs/selinux/enforce ]] || exits 0 "--security-opt label= where there is no SELinux"
code 125 "an unknown label" --security-opt label=nosuch:x $BUSYBOX true
[[ -e /sys/module/apparmor ]] || code 125 "an AppArmor profile without AppArmor" --security-opt apparmor=some $BUSYBOX true
run $R --seccomp-policy default $BUSYBOX grep ^Seccomp: /proc/self/status
like "$out" 2 "--seccomp-policy default"
code 125 "--seccomp-policy image of an image without one" --seccomp-policy image $BUSYBOX true
run $R --seccomp-policy image --label 'io.containers.seccomp.profile={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir"],"action":"SCMP_ACT_ERRNO"}]}' \
        $BUSYBOX mkdir /tmp/x
like "$err" 'not permitted' "--seccomp-policy image: the filter is the label's"
code 125 "a device less than the caller may" --device /dev/null:/dev/mine:r $BUSYBOX true
if [[ -d /dev/net && -c /dev/net/tun ]]; then
        run $R --device /dev/net:/dev/nets $BUSYBOX ls /dev/nets
        is "$out" tun "a directory of devices"
fi
if [[ -r /dev/kmsg && ! -w /dev/kmsg ]]; then
        run $R --device /dev/kmsg:r $BUSYBOX true
        exits 0 "... just what the caller may"
fi

# ---- limits: what is seen without controllers; flags-limits.sh has the rest

code 125 "a weight out of range" --blkio-weight 5 $BUSYBOX true
code 125 "a limit of a device that is not there" --device-read-bps /dev/nosuch:1mb $BUSYBOX true
code 125 "a limit of what is no block device" --device-read-bps /dev/null:1mb $BUSYBOX true
code 125 "a limit without a value" --device-read-bps /dev/null $BUSYBOX true
code 125 "a file of the cgroup without a value" --cgroup-conf memory.high $BUSYBOX true
code 125 "a file of the cgroup that moves processes" --cgroup-conf cgroup.procs=1 $BUSYBOX true
code 125 "a file elsewhere" --cgroup-conf ../x.y=1 $BUSYBOX true
if lacks_controller io >/dev/null; then
        code 126 "a limit whose controller is not there" --blkio-weight 500 $BUSYBOX true
        like "$err" Delegate "... with a hint"
fi

# ---- ports

sdpod run -d --name open -P --expose 80 --expose 90-91/udp $BUSYBOX sleep 1000 >/dev/null
run sdpod port open
like "$out" $'80/tcp -> 0.0.0.0:[0-9]+\n90/udp -> 0.0.0.0:[0-9]+\n91/udp -> 0.0.0.0:[0-9]+' "--publish-all publishes what is exposed"
run sdpod run --rm -P --network host --expose 80 $BUSYBOX true
exits 0 "... means nothing on the host's network"
run sdpod port -l
like "$out" '80/tcp' "port --latest"

for option in "--gpus all" "--rdt-class a" "--device-cgroup-rule a" "--memory-swappiness 1" "--oom-kill-disable" "--cpu-rt-period 1" "--cpu-rt-runtime 1"; do
        # shellcheck disable=SC2086  # an option and its value
        run $R $option $BUSYBOX true
        like "$status $err" "^125 sdpod: cannot use '${option%% *}': " "${option%% *} is refused by name"
        unlike "$err" ": it is not there yet" "... with the reason"
done
finish
