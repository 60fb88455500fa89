#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Containers and images that exchange symlinks where something is mounted: nothing outside is ever reached.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
sdpod system reset -f >/dev/null
image_load busybox || { cat "$T/image_load"; exit 99; }
cd "$T" || exit 99
R="sdpod run --rm --network none"
ROUNDS=20
mkdir -p victim/x inner
echo safe >victim/x/file
before=$(find victim | sort; cat victim/x/file)
races() { is "$(sdpod inspect --format '{{.State.Status}}' "$1")" running "$2"; } # CONTAINER NAME
intact() { is "$(find victim | sort; cat victim/x/file)" "$before" "$1"; }
up=../../../../../../../../../../..$T/victim

# --- a target that is exchanged between a directory and a symlink, in a volume of another container
sdpod volume create vol >/dev/null
$R -v vol:/vol $BUSYBOX mkdir -p /vol/a/x
sdpod run -d --name swap --network none --stop-timeout 0 -v vol:/vol $BUSYBOX sh -c "cd /vol; while :; do
        mv a c; ln -s $up a; rm a; ln -s $T/victim a; rm a; mv c a; done" >/dev/null
escaped=0
for _ in $(seq $ROUNDS); do
        $R -v vol:/vol -v "$T/inner:/vol/a/x" $BUSYBOX sh -c 'touch /vol/a/x/f; cat /proc/self/mountinfo' >"$T/out" 2>/dev/null
        grep -q "victim" "$T/out" && escaped=1
done
is "$escaped" 0 "a target in a race: no mount outside of the root"
intact "... nothing is made there"
for _ in $(seq $ROUNDS); do # what has to be made first
        $R -v vol:/vol -v "$T/inner:/vol/a/y/z" --tmpfs /vol/a/t/u --mount type=devpts,dst=/vol/a/p/q \
                --mount type=bind,src="$T/inner/nolink",dst=/vol/a/l/m,no-dereference $BUSYBOX true 2>/dev/null
        $R -v vol:/vol --mount type=bind,src=/dev/stdin,dst=/vol/a/l/n,no-dereference $BUSYBOX true 2>/dev/null
done
intact "... nor directories and symlinks on the way"

# --- a subpath that is exchanged
sdpod exec -d swap sh -c "cd /vol; while :; do mkdir s; touch s/here; rm -r s; ln -s / s; rm s; ln -s $up s; rm s; done"
seen=
for _ in $(seq $ROUNDS); do
        for path in s s/x s/etc; do
                seen+=$($R --mount type=volume,src=vol,dst=/s,subpath=$path $BUSYBOX sh -c 'ls -A /s; touch /s/pwned' 2>/dev/null)
        done
done
intact "a subpath in a race reaches nothing outside"
unlike "$seen" "victim|passwd|file" "... and shows nothing of it"
for path in s/x ../victim; do
        $R -v vol:/vol --mount type=volume,src=vol,dst=/o,subpath=$path,O $BUSYBOX touch /o/pwned 2>/dev/null
done
intact "... nor below an overlay"
races swap "... while all was exchanged, all the time"
sdpod rm -f swap >/dev/null
sdpod unshare rm -rf "$(sdpod volume inspect vol --format '{{.Mountpoint}}')/s"

# --- an image whose directory is a symlink
run sdpod run --name links --network none $BUSYBOX sh -c "ln -s $T/victim /abs; ln -s $up /rel; mkdir /img; ln -s $T/victim /img/abs; ln -s $up /img/rel"
run sdpod commit -q links localhost/links
sdpod rm links >/dev/null
for link in abs rel; do
        $R -v vol:/$link localhost/links touch /$link/pwned >/dev/null 2>&1
        $R --tmpfs /$link/x localhost/links touch /$link/x/pwned >/dev/null 2>&1
        $R --mount type=image,src=$BUSYBOX,dst=/$link/x,rw localhost/links touch /$link/x/pwned >/dev/null 2>&1
        $R --mount type=devpts,dst=/$link/pts localhost/links true >/dev/null 2>&1
        $R --mount type=bind,src=/dev/stdin,dst=/$link/new,no-dereference localhost/links true >/dev/null 2>&1
        $R --mount type=image,src=localhost/links,dst=/i,subpath=img/$link,rw $BUSYBOX touch /i/pwned >/dev/null 2>&1
        $R --mount type=image,src=localhost/links,dst=/i,subpath=$link/x $BUSYBOX cat /i/file >>"$T/leaked" 2>&1
        $R -v "$T/inner:/$link/x:O" localhost/links touch /$link/x/pwned >/dev/null 2>&1
done
intact "mounts on an image's symlinks stay in the root"
unlike "$(cat "$T/leaked")" "safe" "... and a subpath of it, too"
sdpod volume create --driver image --opt image=localhost/links lv >/dev/null
$R -v lv:/v $BUSYBOX sh -c 'touch /v/abs/pwned /v/rel/pwned; cat /v/abs/x/file /v/rel/x/file' >"$T/leaked" 2>/dev/null
intact "... nor does a volume of it lead out"
is "$(cat "$T/leaked")" "" "... or in"
sdpod volume export lv >/dev/null
intact "... nor its export"

# --- a terminal beside a volume on /dev that is exchanged
sdpod volume create dev >/dev/null
sdpod run -d --name devswap --network none --stop-timeout 0 -v dev:/d $BUSYBOX sh -c "cd /d; while :; do
        ln -s /proc/sys/kernel/core_pattern console; mkdir pts; rmdir pts; ln -s /proc pts; rm pts console; touch console; rm console; done" >/dev/null
bad=0 began=0
for _ in $(seq 10); do
        $R -t -v dev:/dev $BUSYBOX sh -c 'grep core_pattern /proc/self/mountinfo; test -t 0 -a -c /proc/self/fd/0 || echo bad; echo ran' >"$T/out" 2>/dev/null
        grep -qE "bad|core_pattern" "$T/out" && bad=1
        grep -q ran "$T/out" && began=$((began + 1))
done
is "$bad" 0 "the terminal is one, and nothing of /proc is mounted in the volume"
ok "... of a container that starts at times ($began of 10)" test $began -gt 0
races devswap "... while the names changed, all the time"
sdpod rm -f devswap >/dev/null

# --- names that mean something to others
mkdir names
touch 'names/a,b' 'names/c:d' $'names/e\nf' 'names/\g' 'names/h,upperdir=x'
run $R --mount "type=glob,src=$T/names/*,dst=/n" $BUSYBOX sh -c 'ls /n | wc -l'
is "$out" 5 "a glob over names with commas, colons and newlines"
mkdir 'low,upperdir=x:y\z' && touch 'low,upperdir=x:y\z/file'
run $R --mount "\"type=bind\",\"src=$T/low,upperdir=x:y\\z\",dst=/o,O" $BUSYBOX sh -c 'ls /o; touch /o/new'
is "$out$(ls 'low,upperdir=x:y\z')" filefile "an overlay above such a directory"
finish
