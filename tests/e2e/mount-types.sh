#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# --mount of every type, -v with O, --image-volume: seen from inside, and what the host has of it.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
sdpod system reset -f >/dev/null
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load web || { cat "$T/image_load"; exit 99; }
cd "$T" || exit 99
R="sdpod run --rm --network none"

# --- bind
mkdir -p dir/sub
echo below >dir/sub/file
ln -s sub dir/link
run $R --mount type=bind,src="$T/dir",dst=/d,ro,bind-propagation=rslave $BUSYBOX sh -c 'cat /d/sub/file; touch /d/x; grep " /d " /proc/self/mountinfo'
like "$out" "below" "bind: what is there"
like "$err" "Read-only" "... ro"
like "$out" " ro," "... in mountinfo"
run $R --mount type=bind,src=dir/link,dst=/d $BUSYBOX cat /d/file
is "$out" below "a source that is a symlink is followed"
run $R --mount type=bind,src=dir/link,dst=/d/new,no-dereference $BUSYBOX readlink /d/new
is "$out" sub "... but with no-dereference it is made anew"
run $R --mount type=bind,src=dir/sub,dst=/d,no-dereference $BUSYBOX cat /d/file
is "$out" below "... and what is no symlink is mounted"
run $R --mount type=bind,src="$T/dir",dst=/etc/passwd,no-dereference $BUSYBOX true
exits 126 "a directory is not mounted on a file"
for word in private rprivate shared rshared slave rslave unbindable runbindable; do
        $R -v "$T/dir:/d:$word" $BUSYBOX grep ' /d ' /proc/self/mountinfo
done >"$T/propagation" 2>&1
is "$(grep -c shared: "$T/propagation")" 2 "propagation: shared and rshared are shared"
is "$(grep -c unbindable "$T/propagation")" 2 "... (r)unbindable"
is "$(wc -l <"$T/propagation")" 8 "... each is there"
run $R -v "$T/dir:/d:nodev,noexec,nosuid" $BUSYBOX grep ' /d ' /proc/mounts
like "$out" "nosuid,nodev,noexec" "nodev, noexec, nosuid"
run $R --tmpfs /t:noatime $BUSYBOX grep ' /t ' /proc/mounts
like "$out" "noatime" "noatime of a tmpfs"
run $R -v "$T/dir:/d:noatime" $BUSYBOX true
like "$status$err" "^(0|12[56].*leave noatime out)" "... of the host's mounts as the kernel has it"
cp /bin/busybox dir/tool
run $R -v "$T/dir:/d:noexec" $BUSYBOX /d/tool true
exits 126 "noexec holds"
run $R -v "$T/dir:/d:exec,dev,suid" $BUSYBOX grep -E ' /d .*(noexec|nodev|nosuid)' /proc/mounts
exits 1 "exec, dev, suid"
run $R --mount type=bind,src="$T/none",dst=/d $BUSYBOX true
exits 125 "a source that is not there"
like "$err" "hint" "... says what to do"
run $R --mount type=bind,src=/root/x,dst=/d $BUSYBOX true
exits 126 "a source behind a closed directory"
like "$err" "'/root' belongs to 0:0 with mode 0700, and you are $UID" "... whose it is"
run $R -v "$T/dir:/d:idmap" $BUSYBOX true
exits 125 "idmap is refused"
like "$err" "machine's root" "... with the reason"

mkdir -m 700 own
cp /bin/busybox own/busybox
run $R -u 5:6 -v "$T/own:/own" $BUSYBOX /own/busybox true
exits 126 "a program behind a directory of the user's own"
read -r first < <(awk -F: -v u="$USER" '$1 == u { print $2 }' /etc/subuid)
read -r first_group < <(awk -F: -v u="$USER" '$1 == u { print $2 }' /etc/subgid)
like "$err" "belongs to 0:0 \(on the host: $UID:$(id -g)\) with mode 0700, and this is 5:6 \(on the host: $((first + 4)):$((first_group + 5))\)" "... who is who"
run $R -u 5:6 --userns keep-id:uid=5,gid=6 -v "$T/own:/own" $BUSYBOX /own/busybox true
exits 0 "... and what the hint says helps"

# --- glob
touch g1 g2 h1
run $R --mount "type=glob,src=$T/g*,dst=/globs,ro" $BUSYBOX ls /globs
is "$out" g1$'\n'g2 "glob: all that matches, below the destination"
run $R --mount "type=glob,src=$T/g*" $BUSYBOX ls "$T"
is "$out" g1$'\n'g2 "... or at their own paths"
run $R --mount "type=glob,src=$T/nothing*,dst=/g" $BUSYBOX true
exits 125 "... nothing matches"

# --- overlay
mkdir low up work
echo lower >low/file
chmod 711 low
run $R -v "$T/low:/o:O" $BUSYBOX sh -c 'cat /o/file; echo changed >/o/file; echo new >/o/new; cat /o/file; stat -c %a:%u /o'
is "$out" lower$'\n'changed$'\n'711:0 "O: the directory is there, and takes changes"
is "$(cat low/file; ls low)" lower$'\n'file "... which the host does not see"
sdpod create --name over --network none -v "$T/low:/o:O" $BUSYBOX sh -c 'ls /o | wc -l; touch /o/more' >/dev/null
is "$(sdpod start -a over; sdpod start -a over)" 1$'\n'1 "... and the next start neither"
run sdpod rm over
exits 0 "... removed"
run $R -v "$T/low:/o:O,upperdir=$T/up,workdir=$T/work" $BUSYBOX sh -c 'echo kept >/o/kept; rm /o/file'
exits 0 "upperdir=, workdir="
is "$(cat up/kept)" kept "... keep what was written"
run $R -v "$T/low:/o:O,upperdir=$T/up,workdir=$T/work" $BUSYBOX ls /o
is "$out" kept "... and the next container has it"
sdpod volume create lowvol >/dev/null
$R -v lowvol:/v $BUSYBOX sh -c 'echo vol >/v/file'
run $R -v lowvol:/v:O $BUSYBOX sh -c 'cat /v/file; echo x >/v/file'
is "$out$($R -v lowvol:/v $BUSYBOX cat /v/file)" volvol "O of a volume"
run $R --userns keep-id -v "$T/low:/o:O" $BUSYBOX sh -c 'touch /o/mine; stat -c %u /o/mine'
is "$out" "$UID" "O with keep-id"
run $R --mount type=bind,src="$T/low",dst=/o,O $BUSYBOX sh -c 'echo gone >/o/gone; cat /o/file'
is "$out$(ls low)" lowerfile "--mount with O"

# --- tmpfs, ramfs
run $R --mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=0700 $BUSYBOX sh -c 'stat -c %a /t; df -k /t | tail -1; grep " /t " /proc/mounts'
like "$out" "700.*1024.*nosuid,nodev,noexec" "tmpfs: size, mode, and what Podman sets"
run $R -u 5:7 --mount type=tmpfs,dst=/t,U=true $BUSYBOX stat -c %u:%g /t
is "$out" 5:7 "... U"
run $R --mount type=tmpfs,dst=/etc $BUSYBOX sh -c 'test -e /etc/passwd'
exits 0 "... is filled from the image"
run $R --mount type=tmpfs,dst=/etc,notmpcopyup $BUSYBOX sh -c 'test -e /etc/passwd'
exits 1 "... or not"
run $R --mount type=tmpfs,dst=/t,ro $BUSYBOX touch /t/x
exits 1 "... ro"
run $R --tmpfs /t:uid=3,gid=4,mode=750,exec,dev $BUSYBOX sh -c 'stat -c %u:%g:%a /t; grep " /t " /proc/mounts | grep -c noexec'
is "$out" 3:4:750$'\n'0 "--tmpfs with its options"
run $R --mount type=ramfs,dst=/t,tmpfs-mode=711 $BUSYBOX sh -c 'stat -c %a /t; grep " /t " /proc/mounts'
like "$out" "711.*ramfs /t ramfs" "ramfs"
run $R --shm-size 2m $BUSYBOX df -k /dev/shm
like "$out" "2048" "--shm-size"
run $R --read-only $BUSYBOX sh -c 'touch /tmp/a /run/a /var/tmp/a && ! touch /a'
exits 0 "--read-only leaves /tmp, /run and /var/tmp"
run $R --read-only --read-only-tmpfs=false $BUSYBOX touch /tmp/a
exits 1 "... unless --read-only-tmpfs=false"

# --- devpts
read -r first < <(awk -F: -v u="$USER" '$1 == u { print $2 }' /etc/subuid)
run $R -t --mount type=devpts,dst=/dev/pts,uid=1,gid=2,mode=640,max=4 $BUSYBOX sh -c 'tty; stat -c %g:%a /dev/pts/0; grep devpts /proc/mounts'
like "$out" "/dev/pts/0.*2:640.*uid=$((first)),gid=.*mode=640,.*max=4" "devpts: uid, gid, mode, max, and the terminal is one of it"
run $R --mount type=devpts,dst=/x/pts $BUSYBOX sh -c 'ls /x/pts; grep -c "^devpts" /proc/mounts'
is "$out" ptmx$'\n'2 "... at another place is another one"

# --- image
run $R --mount type=image,src=$WEB,dst=/i $BUSYBOX sh -c 'ls -d /i/bin; touch /i/x'
is "$out" /i/bin "image: its files"
like "$err" "Read-only" "... read-only"
run $R --mount type=image,src=$WEB,dst=/i,rw=true $BUSYBOX sh -c 'echo x >/i/x && cat /i/x'
is "$out" x "... rw"
run $R --mount type=image,src=$BUSYBOX,dst=/i,subpath=etc $BUSYBOX ls -d /i/passwd
is "$out" /i/passwd "... a part of it"
run $R --mount type=image,src=$WEB,dst=/i,rw,subpath=/etc $BUSYBOX ls -d /i/passwd
is "$out" /i/passwd "... of several layers"
run $R --mount type=image,src=localhost/nosuch,dst=/i $BUSYBOX true
exits 125 "... that is not there"
like "$err" "sdpod pull localhost/nosuch" "... can be pulled"
sdpod tag $BUSYBOX localhost/other:1
sdpod create --name holder --network none --mount type=image,src=$WEB,dst=/i $BUSYBOX true >/dev/null
run sdpod rmi $WEB
exits 2 "... is in use while a container mounts it"
is "$(sdpod inspect holder --format '{{(index .Mounts 0).Type}} {{(index .Mounts 0).Source}} {{(index .Mounts 0).RW}}')" "image $WEB false" "... and inspect shows it"
run sdpod image prune -af
run sdpod start -a holder
exits 0 "... image prune leaves it"
sdpod rm -f holder >/dev/null
image_load busybox
image_load web

# --- the image's volumes
run sdpod run --name src --network none $BUSYBOX sh -c 'mkdir /data && echo image >/data/file && chown 3:4 /data && chmod 2751 /data && ln -s file /data/link && ln /data/file /data/hard && mkfifo /data/fifo && touch -d "2001-01-01 00:00:00" /data/file && chown -h 5:6 /data/link && chmod 4755 /data/hard'
run sdpod commit -q --change 'VOLUME /data' src localhost/withvolume
exits 0 "an image with a VOLUME"
V=localhost/withvolume
run $R --image-volume tmpfs $V sh -c 'grep " /data " /proc/mounts; cat /data/file; stat -c %u:%g:%a /data'
like "$out" "^tmpfs /data tmpfs.*image.*0:0:1777" "--image-volume tmpfs: filled; the directory is everybody's, as any tmpfs"
run $R --image-volume ignore $V sh -c 'grep " /data " /proc/mounts; cat /data/file'
is "$out" image "--image-volume ignore"
for how in bind anonymous; do
        run $R --image-volume $how $V sh -c 'grep -c " /data " /proc/mounts; cat /data/file; stat -c %u:%g:%a /data'
        is "$out" 1$'\n'image$'\n'3:4:2751 "--image-volume $how"
done
run $R --image-volume nonsense $V true
exits 125 "--image-volume nonsense"
is "$(sdpod volume ls -q)" lowvol "anonymous ones went with --rm"
sdpod rm -f src >/dev/null

# --- copy-up
run $R -v fresh:/data $V sh -c 'cd /data; stat -c "%n %F %u:%g %a %h" * ; readlink link; stat -c %Y file; stat -c %u:%g:%a .'
like "$out" "fifo fifo 0:4" "copy-up: a FIFO"
like "$out" "file regular file 0:0 4755 2" "... hard links, set-ID bits"
like "$out" "link symbolic link 5:6 777 1" "... a symlink and its owner"
like "$out" "978307200" "... the time"
like "$out" "3:4:2751$" "... the directory itself"
$R -v fresh:/data $V sh -c 'rm -rf /data/*; chown 0:0 /data; chmod 700 /data'
run $R -v fresh:/data $V sh -c 'ls /data; stat -c %u:%g:%a /data'
is "$out" 0:0:700 "a volume that was emptied is not filled again"
run $R -v late:/nowhere $V true
run $R -v late:/data $V cat /data/file
is "$out" image "one that got nothing is filled by the next container that has something"
run $R -v none:/data:nocopy $V ls /data
is "$out" "" "nocopy"
sdpod volume create own --uid 100 --gid 101 >/dev/null
run $R -v own:/data $V sh -c 'stat -c %u:%g /data; cat /data/file'
is "$out" 100:101$'\n'image "a volume with an owner keeps it, and is filled"

# --- :U
mkdir u && touch u/file
run $R -u 12:13 -v "$T/u:/u:U" $BUSYBOX sh -c 'stat -c %u:%g /u /u/file; touch /u/new'
is "$out" 12:13$'\n'12:13 ":U gives the source to the user"
sdpod unshare rm -rf u

# --- subpath
run $R -v lowvol:/v $BUSYBOX sh -c 'mkdir -p /v/a/b && echo part >/v/a/b/file && ln -s / /v/root && ln -s a /v/alias && ln -s ../../../etc /v/out'
run $R --mount type=volume,src=lowvol,dst=/s,subpath=a/b $BUSYBOX cat /s/file
is "$out" part "subpath"
run $R --mount type=volume,src=lowvol,dst=/s,subpath=a/b/file $BUSYBOX cat /s
is "$out" part "... a file"
run $R --mount type=volume,src=lowvol,dst=/s,subpath=alias/b,ro $BUSYBOX cat /s/file
is "$out" part "... through a symlink inside"
run $R --mount type=volume,src=lowvol,dst=/s,subpath=root $BUSYBOX ls /s
like "$out" "^a.*alias" "... one to / stays in the volume"
run $R --mount type=volume,src=lowvol,dst=/s,subpath=out $BUSYBOX true
exits 126 "... one that leads out leads nowhere"
run $R --mount type=volume,src=lowvol,dst=/s,subpath=../lowvol $BUSYBOX ls /s
exits 126 "... nor does .."
run $R --userns keep-id --mount type=volume,src=lowvol,dst=/s,subpath=a/b $BUSYBOX cat /s/file
is "$out" part "... with keep-id"
sdpod volume rm -a >/dev/null
finish
