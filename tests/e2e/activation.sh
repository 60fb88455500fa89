#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# Sockets of systemd reach a container, on ports below 1024 too: one of root's, one of a user's in a service of the system, and one in the
# foreground. None of the containers has a network.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program systemd-socket-activate); then skip_all "$why"; fi
dir=/opt/sdpod-test-activation
mkdir -p $dir /etc/containers/systemd
build_program activated $dir/activated >"$T/why" || skip_all "$(cat "$T/why")"
user=activation
AS="$TESTS/machine/nest as $user"
RUN_TIMEOUT=60
begin=$(date +@%s.%N)
HOME=/root image_load busybox || { cat "$T/image_load"; exit 99; }
$AS env TESTS="$TESTS" bash -c '. "$TESTS/lib/e2e.sh"; image_load busybox; tap_finished=1' || exit 99
container="--network none -v $dir/activated:/activated:ro $BUSYBOX /activated"
at_end systemctl daemon-reload
at_end rm -rf $dir /etc/containers/systemd/low-root.container /etc/systemd/system/low-{root,user,front}.{socket,service}
at_end systemctl stop low-{root,user,front}.{socket,service}

low_port() { # that nobody listens on
        python3 -c 'import socket
for port in range(601, 1024):
    try:
        socket.socket().bind(("127.0.0.1", port))
    except OSError:
        continue
    print(port)
    break'
}

socket_unit() { # NAME: tells its port
        local port
        port=$(low_port)
        printf '[Socket]\nListenStream=127.0.0.1:%s\nFileDescriptorName=front door\n' "$port" >/etc/systemd/system/"$1".socket
        systemctl daemon-reload
        systemctl start "$1.socket" && echo "$port"
}
says() { timeout 20 bash -c "exec 3<>/dev/tcp/127.0.0.1/$1; read -r word <&3; echo \$word"; }

cat >/etc/containers/systemd/low-root.container <<END
[Container]
Image=$BUSYBOX
Network=none
Volume=$dir/activated:/activated:ro
Exec=/activated
END
port=$(socket_unit low-root)
ok "root's socket is on a port below 1024" test "$port" -lt 1024
is "$(systemctl is-active low-root.service)" inactive "... and nothing has started"
is "$(says "$port")" activated "who connects starts the container of root's unit file, which answers"
is "$(systemctl is-active low-root.service):$(sdpod inspect -f '{{.HostConfig.NetworkMode}}' systemd-low-root)" active:none "... without a network"
systemctl stop low-root.service
is "$(says "$port")" activated "... and once more, after it was stopped"
systemctl stop low-root.service
unlike "$(journalctl -q --since "$begin" -u low-root.service -o cat)" "not our child" "... and is systemd's child from the beginning"

cat >/etc/systemd/system/low-user.service <<END
[Service]
User=$user
Type=notify
NotifyAccess=all
Delegate=yes
Environment=XDG_RUNTIME_DIR=/run/user/$(id -u $user)
ExecStart=/usr/bin/sdpod run --name low-user --replace --rm --cgroups=split --sdnotify=conmon -d $container
ExecStopPost=-/usr/bin/sdpod rm -v -f -i low-user
END
port=$(socket_unit low-user)
is "$(says "$port")" activated "a user's container in a service of the system gets such a socket"
is "$(ps -o uid= -p "$(systemctl show -P MainPID low-user.service)" | xargs)" "$(id -u $user)" "... as that user"
is "$($AS sdpod exec low-user sh -c 'tr "\0" "\n" </proc/1/environ | grep LISTEN_ | sort | xargs')" "LISTEN_FDNAMES=front door LISTEN_FDS=1 LISTEN_PID=1" \
        "... and is told what it got"

cat >/etc/systemd/system/low-front.service <<END
[Service]
User=$user
Environment=XDG_RUNTIME_DIR=/run/user/$(id -u $user)
ExecStart=/usr/bin/sdpod run --rm $container
END
port=$(socket_unit low-front)
is "$(says "$port")" activated "so does one in the foreground"
systemctl stop low-front.socket low-front.service
port=$(free_port)
$AS systemd-socket-activate -l "127.0.0.1:$port" sdpod run --rm --name by-hand $container >"$T/by-hand" 2>&1 &
until_ok 10 grep -q Listening "$T/by-hand"
is "$(says "$port")" activated "... and one that is tried by hand with systemd-socket-activate(1)"
run $AS sdpod stop by-hand
exits 0 "... which can be stopped"
wait
finish
