#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: plain
# A session without systemd: no user manager, no bus, no XDG_RUNTIME_DIR, a cgroup that is not ours. Containers run all
# the same; what cannot be kept is refused.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load web
R="sdpod run --rm --network none"
NL=$'\n'
at_end sdpod rm -f -t 0 -a

run $R $BUSYBOX id -u
is "$status:$out" "0:0" "run"
run $R $BUSYBOX sh -c 'exit 7'
exits 7 "exit code"
feed word $R -i $BUSYBOX cat
is "$out" word "stdin"
run sdpod run -d --name a --network none $BUSYBOX sh -c 'echo first; echo second >&2; exec sleep 1000'
like "$status:$out" '^0:[0-9a-f]{64}$' "run -d"
ok "logs" until_ok 10 sh -c 'sdpod logs a 2>&1 | grep -q second'
run sdpod logs a
is "$out:$err" "first:second" "... with stdout and stderr apart"
run sdpod ps --format '{{.Names}} {{.Status}}'
like "$out" "^a Up" "ps"
run sdpod exec a sh -c 'echo inside; exit 4'
is "$status:$out" "4:inside" "exec"
run sdpod stop -t 0 a
is "$status:$(sdpod inspect -f '{{.State.Status}} {{.State.ExitCode}}' a)" "0:exited 137" "stop"
run sdpod start a
is "$(sdpod inspect -f '{{.State.Status}}' a)" running "start"
run sdpod rm -f -t 0 a
no_processes_left "rm -f leaves no process"
sdpod run -d --name w --network none $BUSYBOX sh -c 'sleep 1; exit 5' >/dev/null
run sdpod wait w
is "$out" 5 "wait"
sdpod rm w >/dev/null
sdpod run -d --name r --restart=on-failure:2 --network none $BUSYBOX sh -c 'echo again; exit 3' >/dev/null
ok "--restart" until_ok 20 sh -c '[ "$(sdpod inspect -f "{{.State.Status}} {{.RestartCount}}" r)" = "exited 2" ]'
is "$(sdpod logs r | wc -l)" 3 "... and every run's output"
sdpod rm r >/dev/null
port=$(free_port)
run sdpod run -d --name web -p "$port:8080" $WEB
ok "a published port" until_ok 10 curl -sf -m 5 "http://127.0.0.1:$port/"
helper=$(pgrep -u "$UID" -x sdpod-net)
kill -9 "$helper"
ok "its network process is killed: the container's monitor starts another" until_ok 5 eval '[[ $(pgrep -u "$UID" -x sdpod-net) =~ ^[0-9]+$ && $(pgrep -u "$UID" -x sdpod-net) != "$helper" ]]'
ok "... which publishes the port" until_ok 5 curl -sf -m 2 "http://127.0.0.1:$port/"
sdpod rm -f -t 0 web >/dev/null
run $R -m 64m $BUSYBOX true
exits 126 "--memory is refused where no cgroup of ours is"
run sdpod ps -aq
is "$out" "" "nothing is left"

# --- odd surroundings
for way in 'env -u HOME' 'env -u PATH /usr/bin/env' 'env TMPDIR=/nonexistent' 'env TERM=' 'env LC_ALL=no_SUCH' 'sh -c "umask 0777; exec \"\$@\"" -' \
        'sh -c "ulimit -n 64; exec \"\$@\"" -' 'sh -c "exec \"\$@\" <&-" -' 'sh -c "mkdir -p '"$T"'/gone; cd '"$T"'/gone; rmdir '"$T"'/gone; exec \"\$@\"" -'; do
        eval "run $way /usr/bin/sdpod run --rm --network none $BUSYBOX echo fine"
        if [[ $status == 0 ]]; then
                is "$out" fine "works: $way"
        else
                is "$status:$(grep -vc '^hint' <<<"$err")" "126:1" "refused in one line: $way"
        fi
done
run sh -c "exec sdpod run --rm --network none $BUSYBOX echo lost >&-"
like "$status" '^(0|1|125)$' "with stdout closed it ends"
mkdir -m 777 "$T/runtime"
run env XDG_RUNTIME_DIR="$T/runtime" sdpod ps
is "$([[ $status == 125 || $status == 0 && -z $(ls -A "$T/runtime") ]] && echo kept out)" "kept out" "a runtime directory that others can write is not used"
ln -s /tmp "$T/link"
run env XDG_RUNTIME_DIR="$T/link" sdpod ps
is "$([[ $status == 125 || $status == 0 && ! -e /tmp/sdpod ]] && echo kept out)" "kept out" "nor is another user's"
is "$(find "${XDG_DATA_HOME:-$HOME/.local/share}/sdpod" -maxdepth 0 -perm /077)" "" "the store is closed to others"
finish
