#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# From a command line that works to a unit file, and back: --print-quadlet, generate quadlet, generate systemd; the units run.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load web || { cat "$T/image_load"; exit 99; }
image_load busybox
quadlets=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
services=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
mkdir -p "$quadlets" "$services"
port=$(free_port)
RUN_TIMEOUT=120
prop() { systemctl --user show --property "$2" --value "$1"; }
serves() { curl -sf -m 5 "http://127.0.0.1:$port/" | grep -q works; }
at_end systemctl --user daemon-reload
at_end rm -rf "$quadlets" "$services"/container-*.service "$services"/pod-*.service
at_end systemctl --user stop web.service hard.service container-web.service container-kept.service pod-shop.service shop-pod.service
cd "$T" || exit 99

# --- --print-quadlet
words=(-d --name web -p "127.0.0.1:$port:8080" -e 'A=1$ 2% "3"' --label 'k=v w' --oom-score-adj 100 --stop-timeout 1 --restart always "$WEB")
run sdpod run --print-quadlet "${words[@]}"
exits 0 "run --print-quadlet"
like "$out" "PublishPort=127.0.0.1:$port:8080" "... has keys for options that have one"
like "$out" "PodmanArgs=--oom-score-adj=100" "... and PodmanArgs= for the others"
is "$(sdpod ps -aq)" "" "... and makes nothing"
printf '%s\n' "$out" >"$quadlets/web.container"
systemctl --user daemon-reload
run systemctl --user start web.service
exits 0 "its service starts"
ok "... and serves" until_ok 10 serves
is "$(sdpod exec web sh -c 'echo "$A"' 2>/dev/null || sdpod inspect --format '{{range .Config.Env}}{{println .}}{{end}}' web | sed -n 's/^A=//p')" '1$ 2% "3"' "a value with all that systemd expands is the same"
is "$(sdpod inspect --format '{{.Config.Labels.k}}' web)" "v w" "... and a label with a blank"
run systemctl --user stop web.service
rm "$quadlets/web.container"

run sdpod run --print-quadlet --name hard --network none "$BUSYBOX" sh -c 'printf "%s|" "$@" >/tmp/words; exec sleep 1000' sh 'a b' '' '$HOME' '%n' "it's" '"' '\' 'x;y' ';'
printf '%s\n' "$out" >"$quadlets/hard.container"
systemctl --user daemon-reload
run systemctl --user start hard.service
exits 0 "a command of words that are hard to quote"
is "$(until_ok 5 sdpod exec hard test -s /tmp/words; sdpod exec hard cat /tmp/words)" 'a b||$HOME|%n|it'"'"'s|"|\|x;y|;|' "... has them as they were typed"
systemctl --user stop hard.service
rm "$quadlets/hard.container"
run sdpod create --print-quadlet --pod new:shop -p 80:80 --name m "$BUSYBOX"
like "$out" "# FileName=shop" "--pod new: is two files"
like "$out" "Pod=shop.pod" "... that know of each other"
run sdpod pod create --print-quadlet -p 80:80 shop
like "$out" "ExitPolicy=continue" "pod create --print-quadlet"
run sdpod volume create --print-quadlet -l a=b data
is "$out" "# data.volume${NL:=$'\n'}[Volume]${NL}VolumeName=data${NL}Label=a=b" "volume create --print-quadlet"
run sdpod run --print-quadlet --ip 10.0.0.1
exits 125 "a wrong line"

# --- generate quadlet
run sdpod create --name kept --network none --stop-timeout 1 -e HOME2=1 -v data:/d "$BUSYBOX" \
    sh -c 'trap "exit 0" TERM; while :; do usleep 20000; done'
run sdpod pod create --name shop -p "127.0.0.1:$port:8080"
run sdpod create --pod shop --name front --stop-timeout 1 "$WEB"
run sdpod create --pod shop --name back --stop-timeout 1 "$BUSYBOX" sleep 1000
run sdpod generate quadlet kept
like "$out" "Volume=data:/d" "generate quadlet of a container"
run sdpod generate quadlet data
like "$out" "VolumeName=data" "... of a volume"
sdpod network create lan >/dev/null
sdpod create --name member --network lan:alias=m -v data:/d:ro -v /tmp:/e -v /srv "$BUSYBOX" sleep 1000 >/dev/null
run sdpod generate quadlet member lan
is "$(grep -E '^(Volume|Network)=' <<<"$out" | tr '\n' ' ')" "Network=lan.network:alias=m Volume=data:/d:ro Volume=/tmp:/e Volume=/srv " \
        "a network in the same set is named by its file, what is not in it by its name"
run sdpod generate quadlet member data lan
is "$(grep -E '^(Volume|Network)=' <<<"$out" | tr '\n' ' ')" "Network=lan.network:alias=m Volume=data.volume:/d:ro Volume=/tmp:/e Volume=/srv " \
        "... and a volume, wherever it stands on the command line"
printf '%s\n' "$out" >"$T/set.quadlets"
run sdpod quadlet verify "$T/set.quadlets"
is "$status:$err" "0:" "... verify finds them"
rm "$T/set.quadlets"
sdpod rm member >/dev/null
sdpod network rm lan >/dev/null
cd "$quadlets" || exit 99
run sdpod generate quadlet -f shop
exits 0 "... of a pod, as files"
is "$(ls | tr '\n' ' ')" "back.container front.container shop.pod " "... are the pod's and those of its containers"
run sdpod generate quadlet -f shop
exits 125 "a file that is there is left alone"
cd "$T" || exit 99
run sdpod generate quadlet nothing
like "$err" "no such container, pod, volume or network" "... of nothing"
run sdpod generate kube kept
like "$err" "Kubernetes YAML is not there yet" "generate kube is refused"
sdpod pod rm -f shop >/dev/null
systemctl --user daemon-reload
run systemctl --user start shop-pod.service
exits 0 "the pod's service starts"
ok "... with its containers" until_ok 20 serves
systemctl --user stop shop-pod.service
rm "$quadlets"/*
systemctl --user daemon-reload

# --- generate systemd
cd "$services" || exit 99
run sdpod generate systemd --name --files kept
exits 0 "generate systemd"
like "$out" "/container-kept.service" "... writes a file"
systemctl --user daemon-reload
run systemctl --user start container-kept.service
exits 0 "systemctl --user start"
is "$(prop container-kept MainPID)" "$(sdpod inspect --format '{{.State.Pid}}' kept)" "MainPID is the container's init"
run systemctl --user restart container-kept.service
exits 0 "restart"
is "$(sdpod ps --format '{{.Names}}')" kept "... has it run again"
kill -9 "$(prop container-kept MainPID)"
ok "after kill -9 systemd starts it again" until_ok 15 sh -c \
        '[ "$(systemctl --user show -p NRestarts --value container-kept)" -ge 1 ] && systemctl --user is-active -q container-kept'
run systemctl --user stop container-kept.service
exits 0 "stop"
is "$(prop container-kept ActiveState):$(sdpod ps -a --format '{{.State}}' --filter name=kept)" "inactive:exited" "... leaves the container"

sdpod create --name web -p "127.0.0.1:$port:8080" --stop-timeout 1 -e 'A=1$ 2%' "$WEB" >/dev/null
run sdpod generate systemd --new --name --files web
exits 0 "generate systemd --new"
sdpod rm web >/dev/null
systemctl --user daemon-reload
run systemctl --user start container-web.service
exits 0 "its service makes the container"
ok "... which serves" until_ok 10 serves
like "$(sdpod inspect --format '{{.Config.Env}}' web)" 'A=1\$ 2%' "... with its variables"
run systemctl --user restart container-web.service
ok "restart" until_ok 10 serves
run systemctl --user stop container-web.service
is "$(sdpod ps -a --format '{{.Names}}')" kept "stop removes it"

sdpod pod create --name shop -p "127.0.0.1:$port:8080" >/dev/null
sdpod create --pod shop --name front --stop-timeout 1 "$WEB" >/dev/null
run sdpod generate systemd --new --name --files shop
exits 0 "generate systemd --new of a pod"
sdpod pod rm -f shop >/dev/null
systemctl --user daemon-reload
run systemctl --user start pod-shop.service
exits 0 "the pod's service"
ok "... starts its containers" until_ok 20 serves
run systemctl --user stop pod-shop.service
ok "... and stop removes all" until_ok 15 sh -c '[ "$(sdpod ps -aq | wc -l)" = 1 ]'

run sdpod generate systemd --new --template --no-header --restart-sec 3 --start-timeout 7 --stop-timeout 20 --after a.service --wants b.service --requires c.service \
    -e 'X=a b$ %' --container-prefix con --separator _ --restart-policy on-abnormal --name kept
exits 0 "all options"
for line in "# con_kept@.service" "After=a.service" "Wants=b.service" "Requires=c.service" "RestartSec=3" "TimeoutStartSec=7" "TimeoutStopSec=80" \
            "Restart=on-abnormal" 'Environment="X=a b\$ %%"' "--name kept-%i"; do
        like "$out" "$line" "... has $line"
done
run sdpod generate systemd --format json --name kept
is "$(jq -r 'keys[]' <<<"$out" 2>/dev/null || echo "$out" | grep -o container-kept | head -n 1)" container-kept "--format json"
run sdpod generate systemd nothing
exits 125 "of nothing"
run sdpod generate systemd --new=false --template kept
exits 125 "--template without --new"
sdpod rm -f kept >/dev/null
sdpod volume rm data >/dev/null
finish
