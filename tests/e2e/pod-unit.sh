#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pods from unit files: a .pod file and two .container files in it that talk over localhost, started and stopped by systemd.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load web || { cat "$T/image_load"; exit 99; }
image_load busybox
units=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
mkdir -p "$units"
port=$(free_port)
RUN_TIMEOUT=120
prop() { systemctl --user show --property "$2" --value "$1"; }
serves() { curl -sf -m 5 "http://127.0.0.1:$port/" | grep -q works; }
slices() { systemctl --user list-units --all --no-legend '*sdpod_pod*' | wc -l; }
at_end systemctl --user daemon-reload
at_end rm -rf "$units"
at_end systemctl --user stop shop-pod.service web.service client.service

cat >"$units/shop.pod" <<END
[Pod]
PublishPort=$port:8080
HostName=shop
END
cat >"$units/web.container" <<END
[Container]
Image=$WEB
Pod=shop.pod
END
cat >"$units/client.container" <<END
[Container]
Image=$BUSYBOX
Pod=shop.pod
Exec=sh -c 'trap "exit 0" TERM; until wget -q -O - http://127.0.0.1:8080/ | grep works; do usleep 50000; done; while :; do usleep 50000; done'
END
systemctl --user daemon-reload
sdpod run --rm --network none --pod new:warm $BUSYBOX true # makes the directories and slices that stay
sdpod pod rm -f warm >/dev/null
before=$(footprint)

# --- another name as the first that systemd hears of: the unit's specifiers stand for that one
printf '[Pod]\nNetwork=none\n' >"$units/first.pod"
printf '[Pod]\nNetwork=none\n[Install]\nAlias=called-so.service\n' >"$units/second.pod"
systemctl --user daemon-reload
for name in first.pod:first called-so:second; do
        run systemctl --user start "${name%:*}"
        pod=${name#*:}
        is "$status:$(prop "$pod-pod" ActiveState):$(prop "$pod-pod" MainPID)" "0:active:$(sdpod inspect "systemd-$pod-infra" -f '{{.State.Pid}}')" \
                "a pod is started as ${name%:*}"
        systemctl --user stop "$pod-pod"
done
is "$(footprint)" "$before" "... and leaves nothing"
rm "$units"/{first,second}.pod
systemctl --user daemon-reload

run systemctl --user start shop-pod.service
exits 0 "systemctl --user start of a pod unit"
is "$(prop shop-pod ActiveState):$(prop shop-pod SubState)" "active:running" "the unit is active"
main=$(prop shop-pod MainPID)
is "$(cat "/proc/$main/comm" 2>/dev/null)" sdpod-infra "MainPID is the infra container's process"
is "$main" "$(sdpod inspect systemd-shop-infra --format '{{.State.Pid}}')" "... as inspect has it"
like "$(tail -n 1 "/proc/$main/cgroup")" "/shop-pod.service(/|\$)" "... in the unit's cgroup"
ok "its members are started with it" until_ok 15 sh -c 'systemctl --user is-active -q web.service && systemctl --user is-active -q client.service'
ok "a port of the pod reaches a member" until_ok 10 serves
ok "the members talk over localhost" until_ok 10 sh -c 'sdpod logs systemd-client | grep -q works'
is "$(sdpod exec systemd-client hostname)" shop "they have the pod's hostname"
run sdpod pod ps --format '{{.Name}} {{.Status}} {{.NumberOfContainers}}'
is "$out" "systemd-shop Running 3" "pod ps shows it"

kill -9 "$(prop web MainPID)"
until_ok 10 sh -c '[ "$(systemctl --user is-active web.service)" = failed ]'
is "$(systemctl --user is-active shop-pod client | tr '\n' ' ')" "active active " "with one member gone the pod goes on"
run systemctl --user start web.service
ok "... and the member comes back by itself" until_ok 10 serves

main=$(prop shop-pod MainPID)
run sdpod pod restart systemd-shop
is "$status:$(prop shop-pod ActiveState):$([[ $(prop shop-pod MainPID) != "$main" ]] && echo new)" "0:active:new" "pod restart restarts the unit"
ok "... and with it those of the members" until_ok 10 systemctl --user is-active -q web client

run systemctl --user stop shop-pod.service
exits 0 "stop"
until_ok 10 sh -c '[ "$(systemctl --user is-active client.service)" = inactive ]'
is "$(prop shop-pod Result):$(systemctl --user is-active shop-pod web client | tr '\n' ' ')" "success:inactive inactive inactive " "the pod and its members are inactive"
is "$(sdpod pod ps -q | wc -l):$(sdpod ps -aq | wc -l):$(slices)" "0:0:0" "stop leaves no pod, container or slice"
is "$(footprint)" "$before" "... nor anything else"

run systemctl --user start shop-pod.service
until_ok 10 serves
kill -9 "$(prop shop-pod MainPID)"
ok "after kill -9 of the main process systemd starts the pod again" until_ok 15 sh -c \
        '[ "$(systemctl --user show -p NRestarts --value shop-pod)" -ge 1 ] && systemctl --user is-active -q shop-pod'
ok "... with its members" until_ok 15 serves

# --- the exit policy: the last member takes the pod with it
rm "$units/web.container"
systemctl --user daemon-reload
systemctl --user stop shop-pod web client
systemctl --user start shop-pod
until_ok 10 systemctl --user is-active -q client.service
run systemctl --user stop client.service
ok "the end of the last member stops the pod" until_ok 15 sh -c '[ "$(systemctl --user is-active shop-pod)" = inactive ]'
is "$(sdpod pod ps -q | wc -l):$(sdpod ps -aq | wc -l)" "0:0" "... and nothing is left"
finish
