#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers from unit files: systemd starts, watches, restarts and ends them, and nothing of ours stays in between.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load web || { cat "$T/image_load"; exit 99; }
image_load busybox
NL=$'\n'
units=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
mkdir -p "$units"
port=$(free_port)
RUN_TIMEOUT=120
prop() { systemctl --user show --property "$2" --value "$1"; }
serves() { curl -sf -m 5 "http://127.0.0.1:$port/" | grep -q works; }
init_of() { # the container's init: of the one process with a PID namespace of its own, the oldest
        container_processes | awk '$2 != "sdpod-net" && $2 != "sdpod-connect" { print $1 }' | sort -n | head -n 1
}
at_end systemctl --user daemon-reload
at_end rm -rf "$units"
at_end systemctl --user stop web.service once.service

cat >"$units/web.container" <<END
[Unit]
Description=A page
StartLimitIntervalSec=0
[Container]
Image=$WEB
PublishPort=$port:8080
[Service]
Restart=always
RestartSec=100ms
[Install]
WantedBy=default.target
END
systemctl --user daemon-reload
run systemctl --user cat web.service
like "$out" "ExecStart=.*sdpod run" "the generator makes a service"
run systemctl --user show -p LoadState -p FragmentPath web.service
like "$out" "LoadState=loaded" "... that systemd loads"
run systemd-analyze --user verify "$(prop web FragmentPath)"
is "$status:$(grep -c web.service <<<"$err")" "0:0" "... without a complaint"
# --- the alias as the first name that systemd hears of
printf '[Container]\nImage=%s\nExec=sleep 1000\nNetwork=none\nVolume=%%N-data:/data\nHostName=%%p\n' "$BUSYBOX" >"$units/alias.container"
systemctl --user daemon-reload
run systemctl --user start alias.container
is "$(sdpod ps --format '{{.Names}}')" systemd-alias "a container that is started by its alias has the unit's name"
is "$(sdpod volume ls -q):$(sdpod exec systemd-alias hostname)" alias-data:alias "... which is what specifiers stand for"
is "$(prop alias Names)" "alias.service alias.container.service" "... and what systemd calls it"
run systemctl --user stop alias.container
is "$(sdpod ps -a --format '{{.Names}}')" "" "... and is removed under it"
sdpod volume rm alias-data >/dev/null
rm "$units/alias.container"
systemctl --user daemon-reload

sdpod run --rm --network none $BUSYBOX true # with the volume before it makes the directories that stay
before=$(footprint)

# --- start, MainPID
run systemctl --user start web.container
exits 0 "systemctl --user start web.container"
ok "its page is there" until_ok 10 serves
main=$(prop web MainPID)
is "$main" "$(init_of)" "MainPID is the container's init"
is "$(cat "/proc/$main/comm" 2>/dev/null)" serve "... which is the image's program"
is "$(prop web ActiveState)" active "the unit is active"
like "$(tail -n 1 "/proc/$main/cgroup")" "/$(basename "$(prop web ControlGroup)")(/|\$)" "its processes are in the unit's cgroup"
run sdpod ps --format '{{.Names}} {{.Status}}'
like "$out" "^systemd-web Up" "ps shows it under Podman's name"
ours=$(for p in /proc/[0-9]*; do
        tail -n 1 "$p/cgroup" 2>/dev/null | grep -q "/web.service" || continue
        grep -s ^sdpod "$p/comm"
done | sort | tr '\n' ' ')
is "$ours" "sdpod-connect sdpod-net " "no process of ours stays in the unit but those of the network"
ok "journalctl --user -u web has its output" until_ok 10 sh -c 'journalctl --user -u web -q | grep -q "serving /www"'
run sdpod logs systemd-web
like "$out" "serving /www" "so does logs"
run systemctl --user status web
like "$out" "Main PID: $main" "systemctl status shows it"

# --- kill, reload
kill -9 "$main"
ok "after kill -9 Restart=always brings a new one" until_ok 10 sh -c '[ "$(systemctl --user show -p MainPID --value web)" -gt 1 ] && [ "$(systemctl --user show -p MainPID --value web)" != '"$main"' ]'
ok "... that serves" until_ok 10 serves
main=$(prop web MainPID)
is "$main" "$(init_of)" "... and is the new init"
for ((i = 0; i < 100; i++)); do systemctl --user daemon-reload || break; done
is "$i:$(prop web MainPID):$(prop web ActiveState)" "100:$main:active" "100 daemon-reloads change nothing"
ok "... it still serves" serves
systemctl --user daemon-reexec
until_ok 10 systemctl --user is-active -q web
is "$(prop web MainPID)" "$main" "nor does a daemon-reexec"
sdpod run -d --name no-policy --network none $BUSYBOX sleep 1000 >/dev/null
run systemctl --user restart sdpod-restart.service
is "$status:$(prop web MainPID):$(sdpod ps --filter name=no-policy --format '{{.Names}}')" "0:$main:no-policy" \
        "nor does a restart of sdpod-restart.service, to this or to one without a restart policy"
sdpod rm -f -t 0 no-policy >/dev/null
run systemctl --user restart web
is "$status:$([[ $(prop web MainPID) != "$main" ]] && echo new)" "0:new" "restart"
ok "... serves" until_ok 10 serves

main=$(prop web MainPID)
run sdpod restart systemd-web
is "$status:$out:$(prop web ActiveState):$(prop web NRestarts):$([[ $(prop web MainPID) != "$main" ]] && echo new)" "0:systemd-web:active:0:new" "sdpod restart restarts the unit"
ok "... which serves" until_ok 10 serves
run sdpod restart --time 0 systemd-web
is "$status:$(prop web ActiveState):$(sdpod ps --format '{{.Names}}')" "0:active:systemd-web" "... with a timeout, too"
mv "$units/web.container" "$T/"
systemctl --user daemon-reload
main=$(prop web MainPID)
run sdpod restart systemd-web
is "$status:$(prop web MainPID)" "125:$main" "one whose unit has no file any more goes on"
like "$err" "^sdpod: cannot restart the unit 'web.service'" "... which is said"
mv "$T/web.container" "$units/"
systemctl --user daemon-reload

# --- stop leaves nothing
run systemctl --user stop web
exits 0 "stop"
is "$(prop web ActiveState):$(prop web Result)" "inactive:success" "the unit is inactive, not failed"
is "$(footprint)" "$before" "stop leaves no process, mount, cgroup or file"
run sdpod ps -aq
is "$out" "" "... and no container"
ok "... and the port is free" python3 -c "import socket; s=socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1); s.bind(('0.0.0.0', $port))"
for ((i = 0; i < 5; i++)); do systemctl --user start web && systemctl --user stop web || break; done
is "$i:$(footprint)" "5:$before" "five starts and stops leave nothing"
systemctl --user start web && kill -9 "$(prop web MainPID)"
systemctl --user stop web
is "$(footprint)" "$before" "nor does a kill -9 with a stop at once"

# --- exit codes
cat >"$units/once.container" <<END
[Container]
Image=$BUSYBOX
Exec=sh -c 'echo said; exit 7'
Network=none
Environment=A=1 "B=two words"
Label=x=y
Volume=once.volume:/data
END
printf '[Volume]\n' >"$units/once.volume"
systemctl --user daemon-reload
run systemctl --user start once.service
until_ok 10 sh -c '[ "$(systemctl --user is-active once)" = failed ]'
is "$(prop once ExecMainStatus):$(prop once Result)" "7:exit-code" "the exit code is the unit's"
ok "its last words are in the journal" until_ok 10 sh -c 'journalctl --user -u once -q | grep -q said'
ok "a .volume makes a volume" sdpod volume exists systemd-once
systemctl --user reset-failed once
sdpod volume rm systemd-once >/dev/null

# --- a program that is not there: systemd, which knows the container's init already, must not end the command before it has said why
printf '[Container]\nImage=%s\nNetwork=none\nExec=no-such-program\n' "$BUSYBOX" >"$units/mistyped.container"
systemctl --user daemon-reload
since=$(date +@%s.%N)
its_journal() { journalctl --user -q -o cat --since "$since" -u "$1" | grep -cE "$2"; } # UNIT PATTERN
run systemctl --user start mistyped
is "$status:$(prop mistyped Result):$(prop mistyped ExecMainCode):$(prop mistyped ExecMainStatus)" "1:exit-code:1:127" "a program that is not in the image"
ok "... is named in the unit's journal" until_ok 10 its_journal mistyped "sdpod: .*no-such-program"
is "$(its_journal mistyped "no-such-program|Killing")" 1 "... once, and nothing was killed"
like "$(journalctl --user -q -o cat "USER_INVOCATION_ID=$(prop mistyped InvocationID)" SYSLOG_IDENTIFIER=sdpod)" "no-such-program" \
        "... as one of this start, however soon it ended"
is "$(sdpod ps -aq)" "" "... and no container is left"
systemctl --user reset-failed mistyped
rm "$units/mistyped.container"

# --- what a service takes away is taken from sdpod, too; the ID map is one of its own, as a container may go into a namespace that is kept
for key in NoNewPrivileges=yes RestrictNamespaces=yes RestrictSUIDSGID=yes SystemCallFilter=@system-service; do
        printf '[Container]\nImage=%s\nNetwork=none\nUserNS=keep-id\nExec=true\n[Service]\n%s\n' "$BUSYBOX" "$key" >"$units/held.container"
        systemctl --user daemon-reload
        since=$(date +@%s.%N)
        run systemctl --user start held
        ok "$key in [Service] fails with a hint" until_ok 10 its_journal held "^hint: .*\\[Service\\].*NoNewPrivileges=.*\\[Container\\]"
        systemctl --user reset-failed held
done
rm "$units/held.container"

# --- notify
cat >"$units/ready.container" <<END
[Container]
Image=$BUSYBOX
Notify=true
Network=none
Exec=sh -c 'trap "exit 0" TERM; test -S "\$NOTIFY_SOCKET" && echo has a socket; while :; do sleep 0.1; done'
[Service]
TimeoutStartSec=10
END
systemctl --user daemon-reload
run systemctl --user start ready
unlike "$status" '^0$' "Notify=true waits for the container to say READY=1"
ok "... for which it has a socket" until_ok 10 sh -c 'journalctl --user -u ready -q | grep -q "has a socket"'
systemctl --user stop ready
systemctl --user reset-failed ready

# --- at a boot the manager is long in coming to a message: here it stands still when it has begun to start a container
manager=$(pgrep -o -u "$UID" -x systemd)
at_end kill -CONT "$manager"
stand_still() {
        local process name
        while :; do
                for process in /proc/[0-9]*; do
                        name=
                        { read -r name <"$process/comm"; } 2>/dev/null
                        [[ $name == ?(\()sdpod?(\)) && -O $process ]] || continue
                        kill -STOP "$manager"
                        sleep 7
                        kill -CONT "$manager"
                        return
                done
        done
}
stand_still &
run systemctl --user start web
exits 0 "a manager that stands still for some seconds does not fail a start"
wait $!
systemctl --user stop web

# --- what the generator knows and sdpod not yet
printf '[Artifact]\nArtifact=localhost/x\n' >"$units/model.artifact"
systemctl --user daemon-reload
since=$(date +@%s.%N)
run systemctl --user start model.artifact
ok "an artifact's service says that artifacts are not there yet" until_ok 10 its_journal model-artifact "cannot run 'sdpod artifact': it is not there yet"
systemctl --user reset-failed model-artifact
rm "$units/model.artifact"

# --- what is wrong is said, and spoils nothing else
printf '[Container]\nImage=%s\nNoSuchKey=x\n' "$BUSYBOX" >"$units/bad.container"
printf '[Container]\nExec=true\n' >"$units/noimage.container"
mkfifo "$units/fifo.container"
systemctl --user daemon-reload
begin=$(date +%s)
run systemctl --user start bad
unlike "$status" '^0$' "a unit with a key that does not exist cannot be started"
ok "... and says why" until_ok 10 sh -c 'journalctl --user -q -u bad | grep -q "bad.container:3: .*NoSuchKey"'
for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
        systemctl --user reset-failed bad
        systemctl --user start bad 2>/dev/null
done
ok "... each time, however fast it ends" until_ok 10 sh -c 'test "$(journalctl --user -q -u bad --since "@$1" | grep -c " sdpod.*bad.container:3: ")" = 20' sh "$begin"
run systemctl --user start noimage
unlike "$status" '^0$' "nor one without an image"
is "$(prop web LoadState)" loaded "... and the others are there"
rm "$units/fifo.container"
finish
