#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Terminals as people have them: a shell in tmux, its jobs, its keys and colours; and pipes that carry much.
# shellcheck source=tests/lib/e2e.sh
# shellcheck disable=SC2086,SC2016  # options are words; what the shell inside expands
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
R="--network none" MUCH=100000000
at_end sdpod rm -f -a -t 0
RUN_TIMEOUT=120

# --- pipes: a hundred megabytes through both ways
head -c $MUCH /dev/urandom >"$T/much"
sum=$(sha256sum <"$T/much")
is "$(timeout 120 sdpod run --rm -i $R $BUSYBOX cat <"$T/much" | sha256sum)" "$sum" "100 MB through run -i, and back"
sdpod run -d --name host $R $BUSYBOX sleep 1000 >/dev/null
is "$(timeout 120 sdpod exec -i host cat <"$T/much" | sha256sum)" "$sum" "100 MB through exec -i, and back"
is "$(timeout 120 sdpod exec -i host sh -c 'cat >/tmp/much; sha256sum </tmp/much' <"$T/much")" "$sum" "... and into a file, with the end of it seen"
rm -f "$T/much"
is "$(timeout 120 sdpod run --rm $R $BUSYBOX sh -c "yes | head -c $MUCH >&2" 2>&1 >/dev/null | wc -c)" $MUCH "100 MB of standard error"
size=$(timeout 120 sdpod run --rm -t $R $BUSYBOX sh -c 'i=0; while [ $i -lt 20000 ]; do echo "line $i of a terminal"; i=$((i+1)); done; echo all' |
        tr -d '\r' | sha256sum)
is "$size" "$({ for ((i = 0; i < 20000; i++)); do echo "line $i of a terminal"; done; echo all; } | sha256sum)" "a terminal's output, every line of it"
sdpod run -d -i --name joined $R $BUSYBOX sh -c 'sha256sum' >/dev/null
is "$(head -c 10000000 /dev/zero | timeout 60 sdpod attach joined)" "$(head -c 10000000 /dev/zero | sha256sum)" "10 MB through attach"

if why=$(lacks_program tmux); then
        skip "terminals" "$why"
        finish
fi

# --- tmux
export TMUX_TMPDIR=$T
at_end tmux -L t kill-server
tmux -L t -f /dev/null new-session -d -s s -x 80 -y 24 "PS1='host> ' bash --norc --noprofile"
tmux -L t set-option -g remain-on-exit on >/dev/null
shown() { tmux -L t capture-pane -p -t s; }
shows() { until_ok 20 bash -c "TMUX_TMPDIR='$T' tmux -L t capture-pane -p -t s | grep -qE -- \"\$1\"" - "$1"; }
keys() { tmux -L t send-keys -t s "$@"; }
typed() { keys -l "$1"; keys Enter; }
seen() { # NAME REGEX
        if shows "$2"; then pass "$1"; else fail "$1" "$(shown)"; fi
}
fresh() { keys C-l; }

shows '^host>'
typed "sdpod run -it --rm --name shell $R -e PS1='in> ' $BUSYBOX sh"
seen "a shell in a container has a prompt" '^in>'
typed 'echo si""ze $(stty size)'
seen "the window's size" '^size 24 80$'
tmux -L t resize-window -t s -x 100 -y 30
typed 'sleep 0.2; echo si""ze $(stty size)'
seen "... and the new one after a resize" '^size 30 100$'
typed 'sh -c "trap \"echo ch\\\"\\\"anged\" WINCH; echo wa""iting; while :; do sleep 0.1; done"'
shows '^waiting$'
tmux -L t resize-window -t s -x 90 -y 28
seen "a program is told of a resize" '^changed$'
keys C-c
fresh
typed 'printf "\033[31mred\033[0m \033[1mbold\033[0m\n"'
shows '^red bold'
ok "colours reach the terminal" bash -c "TMUX_TMPDIR='$T' tmux -L t capture-pane -e -p -t s | grep -q \$'\\033\\[31mred'"
typed 'sleep 1000'
until_ok 5 sh -c 'sdpod top shell args | grep -q "sleep 1000"'
keys C-c
typed 'echo co""de $?'
seen "^C ends the foreground job and not the shell" '^code 130$'
fresh
typed 'sleep 1001'
until_ok 5 sh -c 'sdpod top shell args | grep -q "sleep 1001"'
keys C-z
seen "^Z stops the job" 'Stopped.*sleep 1001'
typed 'bg; jobs'
seen "... bg lets it go on" 'Running.*sleep 1001'
typed 'kill %1; wait; echo en""ded'
seen "... and it can be killed" '^ended$'
fresh
typed 'cat; echo st""atus $?'
keys -l 'a line'
keys Enter
keys C-d
seen "^D is the end of the input" '^status 0$'
fresh
typed 'stty -echo; echo qui""et; read -r word; stty echo; echo he""ard ${#word}'
shows '^quiet$'
typed nobodysees
seen "a program can turn the echo off" '^heard 10$'
unlike "$(shown)" nobodysees "... and what is typed is not shown"
typed 'exec 3>/dev/tty; echo to the t""ty >&3; tty'
seen "/dev/tty is this terminal" '^to the tty$'
seen "... and has a name" '^/dev/(pts/0|console)$'

# --- the client, not the container
fresh
typed 'i=0; while :; do i=$((i+1)); echo $i >/tmp/count; sleep 0.05; done &'
until_ok 5 sdpod exec shell test -s /tmp/count
client=$(pgrep -u "$UID" -x sdpod | xargs)
kill -STOP $client
first=$(sdpod exec shell cat /tmp/count)
ok "a client that is stopped does not stop the container" until_ok 10 sh -c "[ \$(sdpod exec shell cat /tmp/count) -gt $((first + 5)) ]"
seen "... the shell outside has its prompt meanwhile" '^ *host>'
fresh
typed 'fg'
# shellcheck disable=SC2317  # until_ok calls it
goes_on() { ! ps -o stat= -p "${client// /,}" | grep -q T; }
until_ok 5 goes_on
typed 'echo ag""ain'
seen "... and goes on with it" '^again$'
fresh
until_ok 10 bash -c "! TMUX_TMPDIR='$T' tmux -L t capture-pane -p -t s | grep -q host"
keys C-p C-q
seen "the keys to detach by give the shell outside back" 'host> *$'
is "$(sdpod inspect -f '{{.State.Running}}' shell)" true "... and the container runs on"
fresh
typed "stty -a | grep -o ' icanon\| echo '"
seen "... with the terminal as it was" '^ icanon'
fresh
typed 'sdpod attach shell'
keys Enter
seen "attach has the prompt again" '^in>'
tmux -L t kill-session -t s
is "$(sdpod inspect -f '{{.State.Running}}' shell)" true "a terminal that is closed leaves the container running"

# --- two at one terminal
tmux -L t -f /dev/null new-session -d -s s -x 80 -y 24 'sdpod attach shell'
tmux -L t new-session -d -s other -x 80 -y 24 'sdpod attach shell'
keys Enter
shows '^in>'
typed 'echo sh""ared'
seen "what one types" '^shared$'
ok "... the other sees" until_ok 10 bash -c "TMUX_TMPDIR='$T' tmux -L t capture-pane -p -t other | grep -q '^shared\$'"
tmux -L t kill-session -t other
typed 'echo st""ill'
seen "... who goes without taking the first one along" '^still$'
typed 'exit 5'
ok "the container ends with its shell" until_ok 15 sh -c '! sdpod container exists shell'
finish
