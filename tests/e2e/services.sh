#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# A page's worth of a user's services, started by one target: a web server before a database with a network and a volume, a pod of two,
# a job with a timer, a template with three instances, a server that gets its socket from systemd, and one that others wait for until
# it is healthy. They outlive the death of each of their processes, daemon-reload, daemon-reexec, a logout, the end of the user's
# manager (R17 to R19), and, in a virtual machine, a reboot.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program curl dnsmasq loginctl); then skip_all "$why"; fi
user=services
# shellcheck disable=SC2016
AS="$TESTS/machine/nest as $user"
RUN_TIMEOUT=120
reloads=100
[[ -z ${SDPOD_TEST_VM:-} ]] || reloads=20 # where a processor is emulated each takes seconds
boot_stage
$AS true || exit 99
home=$(getent passwd $user | cut -d: -f6) uid=$(id -u $user)
units=$home/.config/containers/systemd
if ((${#boot_words[@]} == 0)); then
        $AS env TESTS="$TESTS" bash -c '. "$TESTS/lib/e2e.sh"; image_load busybox && image_load web; tap_finished=1' || exit 99
        boot_words=("$(free_port)" "$(free_port)")
        $AS mkdir -p "$units" "$home/.config/systemd/user" "$home/bin"
        chmod 755 "$home" "$home/bin"
        build_program activated "$home/bin/activated" >"$T/why" || skip "a server gets its socket from systemd" "$(cat "$T/why")"
fi
port=${boot_words[0]} activated_port=${boot_words[1]} activation=
[[ ! -x $home/bin/activated ]] || activation=activated.socket
before=/var/lib/sdpod-test-services # what was there before them
all=(db front duo-pod a b worker@1 worker@2 worker@3 ready after)
at_end $AS systemctl --user daemon-reload
at_end rm -rf "$units" "$home/.config/systemd"
at_end $AS systemctl --user stop activated.socket job.timer "${all[@]/%/.service}" activated.service job.service shop-network.service shop-data-volume.service shop.target

write() { # FILE: below the unit directories, from stdin
        case $1 in
        *.target | *.timer | *.socket) $AS tee "$home/.config/systemd/user/$1" ;;
        *) $AS tee "$units/$1" ;;
        esac >/dev/null
}
sc() { $AS systemctl --user "$@"; }
footprint_of_user() { $AS env TESTS="$TESTS" bash -c '. "$TESTS/lib/e2e.sh"; footprint; tap_finished=1' | grep -vE '/app-.*[.]slice$|^[.]/[a-z-]+$'; } # directories that stay empty do not count
answers() { [[ $(curl -gs -m 3 "http://127.0.0.1:$port/cgi-bin/ask") == forty-two ]]; }
all_active() { [[ $(sc is-active "${all[@]/%/.service}" | sort -u | xargs) == active ]]; }
activates() { [[ -z $activation || $(timeout 5 bash -c "exec 3<>/dev/tcp/127.0.0.1/$activated_port; read -r word <&3; echo \$word") == activated ]]; }
pods_talk() { [[ $($AS sdpod exec systemd-a timeout 3 wget -q -O - http://127.0.0.1:102/hostname 2>/dev/null) ]]; }
works() { all_active && answers && pods_talk && activates; }
works_soon() { until_ok 20 works; }
processes() { # all of the containers, and ours for them: PID COMM
        $AS env TESTS="$TESTS" bash -c '. "$TESTS/lib/e2e.sh"; container_processes; tap_finished=1' | grep -vE ' (usleep|sleep)$'
        pgrep -u $user -l '^sdpod|dnsmasq'
}

# --- the units
write shop.network <<<'[Network]'
write shop-data.volume <<<'[Volume]'
write db.container <<END
[Container]
Image=$BUSYBOX
Network=shop.network
Volume=shop-data.volume:/data
Exec=sh -c 'echo forty-two >/data/answer; httpd -f -p 5432 -h /data & trap "exit 0" TERM; wait'
Notify=healthy
HealthCmd=wget -q -O /dev/null http://127.0.0.1:5432/answer
HealthInterval=1s
[Service]
Restart=always
RestartSec=100ms
END
write front.container <<END
[Unit]
Requires=db.service
After=db.service
[Container]
Image=$BUSYBOX
Network=shop.network
PublishPort=$port:8080
Exec=sh -c 'mkdir -p /www/cgi-bin; printf "#!/bin/sh\\\\necho; timeout 3 wget -q -O - http://systemd-db:5432/answer\\\\n" >/www/cgi-bin/ask; chmod 755 /www/cgi-bin/ask; httpd -f -p 8080 -h /www & trap "exit 0" TERM; wait'
[Service]
Restart=always
RestartSec=100ms
END
write duo.pod <<<'[Pod]'
for member in a b; do
        write $member.container <<END
[Container]
Image=$BUSYBOX
Pod=duo.pod
Exec=sh -c 'httpd -f -p 10$([[ $member == a ]] && echo 1 || echo 2) -h /etc & trap "exit 0" TERM; wait'
[Service]
Restart=always
RestartSec=100ms
END
done
write job.container <<END
[Container]
Image=$BUSYBOX
Network=none
Volume=shop-data.volume:/data
Exec=sh -c 'echo ran >>/data/jobs'
[Service]
Type=oneshot
RemainAfterExit=no
END
write job.timer <<<$'[Timer]\nOnActiveSec=100ms\nAccuracySec=10ms'
write worker@.container <<END
[Container]
Image=$BUSYBOX
Network=none
ContainerName=worker-%i
Exec=sh -c 'echo worker %i; trap "exit 0" TERM; while :; do usleep 50000; done'
[Service]
Restart=always
RestartSec=100ms
END
write activated.socket <<<$'[Socket]\nListenStream=127.0.0.1:'"$activated_port"
write activated.container <<END
[Container]
Image=$BUSYBOX
Network=none
Volume=$home/bin/activated:/activated:ro
Exec=/activated
END
write ready.container <<END
[Container]
Image=$BUSYBOX
Network=none
Notify=healthy
HealthCmd=test -e /tmp/healthy
HealthInterval=1s
HealthStartPeriod=30s
Exec=sh -c 'usleep 700000; touch /tmp/healthy; date +%s.%N >/tmp/when; trap "exit 0" TERM; while :; do usleep 50000; done'
[Service]
Restart=always
RestartSec=100ms
END
write after.container <<END
[Unit]
Requires=ready.service
After=ready.service
[Container]
Image=$BUSYBOX
Network=none
Exec=sh -c 'trap "exit 0" TERM; while :; do usleep 50000; done'
[Service]
Restart=always
RestartSec=100ms
END
write shop.target <<END
[Unit]
Wants=$activation job.timer ${all[*]/%/.service}
[Install]
WantedBy=default.target
END

start_all() {
        local healthy started
        sc daemon-reload
        run $AS sdpod quadlet verify
        is "$status:$err" "0:" "the unit files are right"
        $AS sdpod run --rm --network none $BUSYBOX true
        footprint_of_user >$before
        run $AS systemctl --user start shop.target
        exits 0 "systemctl --user start shop.target"
        ok "all services are up, and answer" works_soon
        is "$($AS sdpod logs worker-2)" "worker 2" "an instance of the template knows its name"
        healthy=$($AS sdpod exec systemd-ready cat /tmp/when)
        started=$($AS sdpod inspect --format '{{.State.StartedAt}}' systemd-after)
        started=$(date -d "${started%% +*}" +%s.%N)
        ok "who waits for a healthy one was started after it was" awk -v a="$healthy" -v b="$started" 'BEGIN { exit !(b >= a) }'
        ok "the timer's job has run" until_ok 10 $AS sdpod exec systemd-db grep -qx ran /data/jobs
        is "$(sc show -P Result job.service)" success "... and ended well"
}

kill_each() {
        local name pid unit killed=0 unlike=
        for name in $(processes | cut -d' ' -f2 | sort -u); do
                pid=$(processes | awk -v n="$name" '$2 == n { print $1; exit }')
                [[ $pid ]] || continue
                kill -9 "$pid" 2>/dev/null && killed=$((killed + 1))
                works_soon || unlike+=" $name"
        done
        ok "$killed kinds of processes were killed" test "$killed" -ge 5
        is "$unlike" "" "after each kill -9 all is up again"
        for unit in "${all[@]}"; do
                pid=$(sc show -P MainPID $unit.service)
                [[ $pid -gt 1 ]] && kill -9 "$pid" 2>/dev/null
        done
        ok "... and after that of all main processes at once" works_soon
}

keep_manager_busy() {
        local main
        main=$(for u in "${all[@]}"; do sc show -P MainPID $u.service; done)
        run $AS sh -c 'for i in $(seq '$reloads'); do systemctl --user daemon-reload || exit; done'
        exits 0 "$reloads daemon-reloads"
        ok "... and all answer" works_soon
        run $AS systemctl --user daemon-reexec
        exits 0 "daemon-reexec"
        ok "... and all answer" works_soon
        is "$(for u in "${all[@]}"; do sc show -P MainPID $u.service; done)" "$main" "... and nothing was started anew"
        "$TESTS/machine/nest" login $user true
        ok "after a login and a logout all answer" works_soon
}

end_manager() {
        sc enable shop.target -q
        run systemctl stop "user@$uid.service"
        exits 0 "the user's manager is stopped"
        until_ok 5 eval '! pgrep -u $user .' # what systemd has ended it has yet to reap
is "$(pgrep -u $user -l .)" "" "... and no process of the user is left"
        run systemctl start "user@$uid.service"
        ok "it comes back with all of them" works_soon
}

if [[ -z $boot_before ]]; then
        start_all
        kill_each
        keep_manager_busy
        end_manager
        [[ -z ${SDPOD_TEST_VM:-} ]] || boot_again 194 "$port" "$activated_port"
else
        ok "it is another boot" is_another_boot
        ok "after which all of them are up, and answer" until_ok 120 works
        is "$(sc list-units --failed --no-legend | grep -cvE '^$')" 0 "... and no unit has failed"
fi

# --- the end
run $AS systemctl --user stop activated.socket job.timer "${all[@]/%/.service}" activated.service
exits 0 "systemctl --user stop"
run $AS systemctl --user stop shop-network.service shop-data-volume.service shop.target
$AS sdpod volume rm systemd-shop-data >/dev/null
$AS sdpod network rm systemd-shop >/dev/null 2>&1
gone() { [[ $(footprint_of_user) == "$(cat $before)" ]]; }
until_ok 10 gone
is "$(footprint_of_user)" "$(cat $before)" "... leaves nothing"
is "$(sc list-units --failed --no-legend | grep -cvE '^$')" 0 "... and no failed unit"
finish
