#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Watching containers: several logs at once, ends that a restart policy or --rm hides, processes of hostile images, a
# damaged record among good ones.
# shellcheck disable=SC2016  # the inner shells expand their own words
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -af
start() { # NAME ARG...: in the background, without network
        local name=$1
        shift
        sdpod run -d --name "$name" --network none "$@" >/dev/null
}

# --- logs of several
start one $BUSYBOX sh -c 'for i in 1 2 3; do echo out $i; echo err $i >&2; sleep 0.2; done'
start two $BUSYBOX sh -c 'for i in 1 2 3; do echo two $i; sleep 0.2; done; exit 5'
run sdpod logs -f --names one two
is "$status:$(sort <<<"$out")" "0:$(printf '%s\n' 'one out 1' 'one out 2' 'one out 3' 'two two 1' 'two two 2' 'two two 3')" \
        "logs -f of two containers, with names"
is "$err" "$(printf '%s\n' 'one err 1' 'one err 2' 'one err 3')" "... and stderr apart"
run sdpod logs --tail 1 one two
is "$out$err" "$(sdpod inspect -f '{{slice .Id 0 12}}' two) two 3$(sdpod inspect -f '{{slice .Id 0 12}}' one) err 3" \
        "two logs begin their lines with IDs"
run sdpod logs -f one no-such
is "$status:$(grep -c "no-such" <<<"$err")" 125:1 "a missing one is told, the other is shown"
like "$out" "out 3" "... to its end"
run sdpod logs --until 1h one
is "$out$err" "" "--until"
run sdpod logs --since nonsense one
exits 125 "a time that is none"

# --- wait
run sdpod wait one two
is "$status:${out//$'\n'/ }" "0:0 5" "wait prints the codes in order"
for code in 1 2 3 4 5; do
        start gone --rm $BUSYBOX sh -c "until [ -e /end ]; do sleep 0.05; done; exit $code"
        sdpod wait gone >"$T/waited" 2>&1 &
        waiter=$!
        until_ok 10 sh -c 'ls -l "/proc/$1/fd" | grep -q inotify' sh $waiter
        sdpod exec gone touch /end
        wait $waiter
        is "$?:$(cat "$T/waited")" "0:$code" "wait for a container under --rm, code $code"
        until_ok 10 sh -c '! sdpod container exists gone'
done
start gone --rm $BUSYBOX sh -c 'until [ -e /end ]; do sleep 0.05; done; exit 6'
sdpod wait gone >"$T/late" 2>&1 &
waiter=$!
until_ok 10 sh -c 'ls -l "/proc/$1/fd" | grep -q inotify' sh $waiter
kill -STOP $waiter
sdpod exec gone touch /end
until_ok 10 sh -c '! sdpod container exists gone'
kill -CONT $waiter
wait $waiter
is "$?:$(cat "$T/late")" 0:6 "... by one who was stopped while it ended and went"
start again --restart=always $BUSYBOX sh -c 'sleep 0.5; exit 4'
run sdpod wait again
is "$status:$out" 0:4 "wait sees the first end of a container that is restarted"
sdpod rm -f again >/dev/null
sdpod create --name never --network none $BUSYBOX true >/dev/null
run sdpod wait never
is "$status:$out" 0:0 "what never ran is not waited for"
run sdpod wait --ignore no-such
is "$status:$out" 0:-1 "wait --ignore"
run sdpod wait --condition nonsense never
exits 125 "wait --condition refuses unknown states"
start late $BUSYBOX sleep 100
(sleep 0.5; sdpod pause late) >/dev/null &
run sdpod wait --condition paused --interval 50ms late
is "$status:$out" 0:-1 "wait --condition paused"
wait
run sdpod ps -aq --filter status=paused --no-trunc
is "$out" "$(sdpod inspect -f '{{.Id}}' late)" "a paused container by its status"
sdpod unpause late >/dev/null
start sick --health-cmd 'test -e /well' --health-interval 200ms --health-retries 1 $BUSYBOX sleep 100
run sdpod wait --condition unhealthy --interval 50ms sick
is "$status:$out" 0:-1 "wait --condition unhealthy"
sdpod exec sick touch /well
run sdpod wait --condition healthy,exited --interval 50ms sick
is "$status:$out" 0:-1 "wait --condition healthy"
like "$(sdpod ps --format '{{.Status}}' --filter name=sick)" '^Up .* ago \(healthy\)$' "ps says it, too"
(sleep 0.5; sdpod kill sick) >/dev/null &
run sdpod wait --exit-first-match late sick
is "$status:$out" 0:137 "wait --exit-first-match"
wait
run sdpod wait --condition healthy sick
exits 125 "nobody waits for the health of what has ended"
run sdpod wait --exit-first-match --condition paused,running sick late
is "$status:$out" 0:-1 "... of states"
run sdpod attach --no-stdin --sig-proxy=false no-such
exits 125 "attach to none"
for group in container image volume system manifest; do
        run sdpod $group
        like "$status:$out:$err" "^125:.*Commands:.*missing command 'sdpod $group COMMAND'" "$group alone prints what there is"
done
for shell in bash fish zsh; do
        run sdpod completion $shell
        like "$status:$out" "^0:.*__complete" "completion $shell"
done
run sdpod completion -f "$T/completion" bash
is "$status:$out:$(bash -n "$T/completion" 2>&1)" "0::" "completion --file"
run sdpod completion powershell
exits 125 "completion powershell is refused"
run sdpod top late groups,hgroups,pid
like "$status:$out" '^0:GROUPS +HGROUPS +PID' "top's supplementary groups"

# --- top reads nothing of a hostile image but regular files, and shows no control byte
start hostile $BUSYBOX sh -c 'rm -f /etc/passwd /etc/group; mkfifo /etc/group; ln -s /proc/1/root/etc/shadow /etc/passwd
        name="/tmp/$(printf "busybox\033[31m")"; cp /bin/busybox "$name"; "$name" sh -c "sleep 100; true" "$(printf "x\033]0;owned\007")"'
until_ok 10 sh -c 'sdpod top hostile comm | grep -q ^busybox'
run sdpod top hostile user,group,pid,comm args
like "$status:$out" $'^0:USER.*\n.* 1 ' "top with a FIFO and a symlink for databases"
like "$out" "busybox.*owned" "... and with what there is to show"
unlike "$out" $'[\033\007]' "... and a name that drives terminals"
run sdpod top late hpid huser
is "$(awk 'NR == 2 { print $1, $2 }' <<<"$out")" "$(sdpod inspect -f '{{.State.Pid}}' late) $USER" "top shows the host's view"
run sdpod top late -ef
exits 125 "top refuses options of ps"

# --- a damaged record
id=$(sdpod inspect -f '{{.Id}}' never)
echo '{"id":5' >"${XDG_DATA_HOME:-$HOME/.local/share}/sdpod/containers/$id/container.json"
run sdpod ps -a --format '{{.Names}}'
is "$status:$(grep -c '^late$' <<<"$out"):$(grep -c "${id:0:12}" <<<"$err")" 0:1:1 "ps names a damaged record and shows the others"
run sdpod inspect never
exits 125 "inspect of a damaged record"
rm -rf "${XDG_DATA_HOME:-$HOME/.local/share}/sdpod/containers/$id"
finish
