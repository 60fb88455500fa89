#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# volume create with its options, export and import, mount and unmount, prune, filters, JSON; what two starts and a removal do at once.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
sdpod system reset -f >/dev/null
image_load busybox || { cat "$T/image_load"; exit 99; }
cd "$T" || exit 99
R="sdpod run --rm --network none"
V="sdpod volume"
inspect() { $V inspect "$1" --format "$2"; }

# --- create
is "$($V create --label a=b plain)" plain "create prints the name"
is "$($V inspect plain | python3 -c 'import json, sys; print(*json.load(sys.stdin)[0])')" \
        "Name Driver Mountpoint CreatedAt Labels Scope Options MountCount NeedsCopyUp NeedsChown" "inspect: a new one has Podman's fields"
$R -v plain:/v $BUSYBOX sh -c 'echo x >/v/file; echo y >/v/second'
is "$($V inspect plain | python3 -c 'import json, sys; print(*json.load(sys.stdin)[0])')" \
        "Name Driver Mountpoint CreatedAt Labels Scope Options MountCount NeedsCopyUp" "... one that a container had, and got nothing from its image"
$R -v etc:/etc $BUSYBOX true
is "$(inspect etc '{{.NeedsCopyUp}} {{.NeedsChown}}')" "false false" "... and one that is filled"
run $V create plain
exits 125 "one that is there"
run $V create --ignore plain
exits 0 "... --ignore"
run $V create --driver nfs x
exits 125 "a driver that is a plugin"
run $V create --opt type=ext4 --opt device=/dev/sda x
exits 125 "type=ext4"
like "$err" "only the machine's root" "... with the reason"
for opt in o=size=1m o=timeout=5 o=ro foo=bar type=none device=/x; do
        run $V create --opt $opt x
        exits 125 "--opt $opt alone"
done
run $V create --opt type=none --opt o=bind --opt device=relative x
exits 125 "a device that is not absolute"
run $V create --opt type=tmpfs --opt o=nonsense x
exits 125 "words that no mount has"
run $V create --opt type=tmpfs --uid 5 x
exits 125 "--uid of a tmpfs"
run $V exists x
exits 1 "nothing was made"
$V create --opt o=uid=100,gid=101 owned >/dev/null
is "$(inspect owned '{{.UID}} {{.GID}} {{.NeedsChown}}') $($R -v owned:/v $BUSYBOX stat -c %u:%g /v)" "100 101 false 100:101" "o=uid=,gid="
$V create --uid 7 --gid 8 flags >/dev/null
is "$($R -v flags:/tmp $BUSYBOX stat -c %u:%g:%a /tmp)" 7:8:755 "--uid, --gid stay, whatever the image has"

# --- tmpfs
$V create --opt type=tmpfs --opt device=tmpfs --opt o=nodev,noexec,size=1m,mode=750,uid=3 fast >/dev/null
run $R -v fast:/t $BUSYBOX sh -c 'grep " /t " /proc/mounts; stat -c %u:%a /t; touch /t/gone'
like "$out" "^tmpfs /t tmpfs rw,nosuid,nodev,noexec.*size=1024k.*3:750" "type=tmpfs with its words"
sdpod run -d --name one --network none --stop-timeout 0 -v fast:/a $BUSYBOX sleep 1000 >/dev/null
is "$(sdpod exec one ls /a)" "" "... is empty for the next one"
sdpod run -d --name two --network none --stop-timeout 0 --userns keep-id -v fast:/b:ro $BUSYBOX sleep 1000 >/dev/null
sdpod exec one sh -c 'echo shared >/a/file'
is "$(sdpod exec two cat /b/file)" shared "... containers that run at once share it"
run sdpod exec two touch /b/x
exits 1 "... each with its own options"
is "$(inspect fast '{{.MountCount}}')" 2 "... MountCount"
is "$(sdpod unshare sh -c 'cat $(sdpod volume mount fast)/file; sdpod volume unmount fast')" shared$'\n'fast "... and a session"
sdpod rm -f one >/dev/null
is "$(sdpod exec two cat /b/file) $(inspect fast '{{.MountCount}}')" "shared 1" "... it lives while one of them runs"
sdpod run -d --name three --network none --stop-timeout 0 -v fast:/c $BUSYBOX sleep 1000 >/dev/null
sdpod exec three sh -c 'echo again >/c/again'
is "$(sdpod exec two cat /b/again)" again "... and one that may write starts beside one that may not"
run sdpod unshare sh -c 'touch $(sdpod volume mount fast)/x'
exits 0 "... as may a session, in which one of the two cannot be entered"
sdpod rm -f three >/dev/null
run sdpod unshare sdpod volume mount fast
exits 125 "... which is said where it is the only one"
like "$err" "container 'two'.*not inside this one" "... with its name and the reason"
sdpod rm -f two >/dev/null
is "$($R -v fast:/t $BUSYBOX ls /t)" "" "... and no longer"
run $V export fast
exits 125 "... cannot be exported"
run $R --mount type=volume,src=fast,dst=/t,subpath=x $BUSYBOX true
exits 126 "... has no subpath"

# --- bind
mkdir src && echo host >src/file
$V create --opt type=none --opt o=bind,ro --opt device="$T/src" bound >/dev/null
run $R -v bound:/t $BUSYBOX sh -c 'cat /t/file; touch /t/x'
is "$out" host "o=bind"
like "$err" "Read-only" "... ro"
is "$(sdpod unshare sh -c 'cat $(sdpod volume mount bound)/file')" host "... volume mount"
is "$($V export bound | tar t)" file "... export"
sdpod create --name stopped --network none -v bound:/t $BUSYBOX >/dev/null
is "$(sdpod cp stopped:/t/file - | tar xO)" host "... cp from a container that does not run"
sdpod rm stopped >/dev/null
$V rm bound >/dev/null
is "$(cat src/file)" host "... rm leaves the directory"

# --- an image
$V create --driver image --opt image=$BUSYBOX img >/dev/null
is "$(inspect img '{{.Driver}} {{.Options.image}}')" "image $BUSYBOX" "--driver image"
$R -v img:/t $BUSYBOX sh -c 'test -x /t/bin/busybox && echo more >/t/more && rm -r /t/etc'
is "$($R -v img:/t $BUSYBOX sh -c 'cat /t/more; ls -d /t/etc /t/bin 2>/dev/null')" more$'\n'/t/bin "... changes stay"
is "$($V export img | tar t | grep -cE '^(more|etc/?)$')" 1 "... and are exported"
run sdpod rmi $BUSYBOX
exits 2 "... the image is in use"
is "$($V ls -q --filter driver=image)" img "... filter driver="
run $V create --driver image x
exits 125 "... without an image"
run $V create --driver image --opt image=localhost/nosuch x
exits 125 "... of one that is not there"
$V rm img >/dev/null

# --- names
is "$(inspect pla '{{.Name}}')" plain "a name by its beginning"
$V create plan >/dev/null
run $V inspect pla
exits 125 "... when there is one"
run $V rm plan
exits 0 "... and whole names as ever"

# --- export, import
is "$($V export plain | tar t | sort | tr '\n' ' ')" "file second " "export"
run $V export -o plain.tar plain
exits 0 "... --output"
$V create restored >/dev/null
run $V import restored plain.tar
exits 0 "import"
is "$($R -v restored:/v $BUSYBOX sh -c 'cat /v/file; stat -c %u:%g /v/file')" x$'\n'0:0 "... what was exported"
is "$(inspect restored '{{.NeedsCopyUp}}')" false "... it is filled"
gzip -k plain.tar
feed "" true
run_with plain.tar.gz $V import restored -
exits 0 "... compressed, from the standard input"
zstd -q plain.tar
$V create unpacked >/dev/null
run_with plain.tar.zst $V import unpacked -
is "$status:$($R -v unpacked:/v $BUSYBOX cat /v/file)" 0:x "... by zstd, too"
run $V import nosuch plain.tar
exits 125 "... into a volume that is not there"
run $V exists nosuch
exits 1 "... which is not made"
run $V import restored "$T/none.tar"
exits 125 "... of a file that is not there"
head -c 700 plain.tar >cut.tar
run $V import restored cut.tar
exits 125 "... of half an archive"
sdpod unshare sh -c "chown 5:6 \$(sdpod volume mount owned); cd \$(sdpod volume mount owned) && touch a && chown 9:9 a && chmod 0700 . && ln -s a l && mkfifo p"
run $V export -o owned.tar owned
exits 0 "export of what the user may not read"
is "$(tar tvf owned.tar --numeric-owner | awk '{ print $1, $2, $6 }' | sort | tr '\n' ';')" "-rw-r--r-- 9/9 a;drwx------ 5/6 ./;lrwxrwxrwx 0/0 l;prw-r--r-- 0/0 p;" "... owners are the containers'"
$V create copy >/dev/null
$V import copy owned.tar
is "$($R -v copy:/v $BUSYBOX stat -c %u:%g:%F /v/a /v/l /v/p | tr '\n' ';')" "9:9:regular empty file;0:0:symbolic link;0:0:fifo;" "... and back"

# --- hostile archives
mkdir outside && echo safe >outside/file
python3 - "$T/outside" <<'P'
import io, sys, tarfile
def make(name, *entries):
    with tarfile.open(name, 'w') as t:
        for kind, path, link in entries:
            i = tarfile.TarInfo(path)
            i.type, i.linkname = kind, link
            data = b'evil\n' if kind == tarfile.REGTYPE else b''
            i.size = len(data)
            t.addfile(i, io.BytesIO(data))
o = sys.argv[1]
F, S, H, C = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
make('dotdot.tar', (F, '../../../../../../../../' + o + '/file', ''))
make('absolute.tar', (F, o + '/file', ''))
make('link.tar', (S, 'd', o), (F, 'd/file', ''))
make('up.tar', (S, 'd', '../../../../../../../..' + o), (F, 'd/file', ''))
make('over.tar', (S, 'file', o + '/file'), (F, 'file', ''))
make('hard.tar', (H, 'h', '../../' + o + '/file'), (F, 'h', ''))
make('hardlink.tar', (S, 'd', o), (H, 'h', 'd/file'))
make('name.tar', (F, '', ''))
make('deep.tar', (F, 'a/' * 3000 + 'f', ''))
make('device.tar', (C, 'null', ''))
P
$V create evil >/dev/null
for archive in dotdot absolute link up over hard hardlink name deep device; do
        $V import evil $archive.tar >/dev/null 2>&1
done
is "$(cat outside/file; ls outside)" safe$'\n'file "no archive reaches out of the volume"
run $V import evil dotdot.tar
exits 125 "... names with .. are refused"
run $V import evil hard.tar
exits 125 "... and hard links to such"
$R -v evil:/v $BUSYBOX sh -c 'cd /v && rm -rf -- * && ln -s / up && ln -s /etc etc'
is "$($V export evil | tar t | sort | tr '\n' ' ')" "etc up " "export follows no symlink"
# while a container exchanges a directory for a symlink to the outside
python3 -c 'import io, tarfile
t = tarfile.open("race.tar", "w")
for n in range(300):
    i = tarfile.TarInfo("x/file")
    i.size = 5
    t.addfile(i, io.BytesIO(b"evil\n"))
t.close()'
sdpod run -d --name swap --network none --stop-timeout 0 -v evil:/v $BUSYBOX sh -c "cd /v; while :; do rm -rf x; ln -s ../../../../../../../..$T/outside x; rm -rf x; mkdir x; done" >/dev/null
for _ in 1 2 3 4 5; do
        $V import evil race.tar >/dev/null 2>&1
        $V export evil >/dev/null 2>&1
done
is "$(cat outside/file; ls outside)" safe$'\n'file "... nor does one in a race"
is "$(sdpod inspect --format '{{.State.Status}}' swap)" running "... which went on all the time"
sdpod rm -f swap >/dev/null

# --- mount
run $V mount plain
exits 125 "mount: not outside of a session"
run $V unmount plain
exits 125 "unmount: neither"
is "$(sdpod unshare sh -c 'sdpod volume mount plain; sdpod volume unmount plain')" "$(inspect plain '{{.Mountpoint}}')"$'\n'plain "... in one"
run sdpod unshare sdpod volume mount nosuch
exits 125 "... no such volume"
run $V reload
exits 0 "reload has nothing to do"

# --- prune
$V create --label keep prune1 >/dev/null
$V create prune2 >/dev/null
run $V prune -f --filter label!=keep --filter name=prune
is "$out" prune2 "prune --filter"
run $V prune -f --all --filter name=prune
is "$out" prune1 "prune --all"
volumes=$HOME/.local/share/sdpod/volumes
mkdir -p "$volumes/unborn/_data" "$volumes/lost/_data"
echo precious >"$volumes/lost/_data/file"
touch "$volumes/unborn/lock"
run $V prune -f
is "$(cd "$volumes" && echo unborn* lost*)" "unborn* lost" "prune removes what a killed create left, but no file"
run $V create lost
exits 0 "... which are there again with the volume's record"
is "$(cat "$($V inspect --format '{{.Mountpoint}}' lost)/file")" precious "... as they were"
$V rm lost >/dev/null

# --- a start, another start and a removal at once
sdpod run --name big --network none $BUSYBOX sh -c 'mkdir /data; for i in $(seq 500); do echo $i >/data/$i; done' && sdpod commit -q --change 'VOLUME /data' big localhost/big >/dev/null
sdpod rm big >/dev/null
for round in 1 2 3 4 5; do
        for _ in 1 2 3; do
                sdpod run --rm --network none -v shared$round:/data localhost/big sh -c 'ls /data | wc -l' &
        done
        sdpod volume rm shared$round >/dev/null 2>&1
        wait
done >"$T/counts" 2>"$T/errors"
is "$(sort -u "$T/counts")" 500 "nobody sees a volume that is half filled"
is "$(wc -l <"$T/counts")" 15 "... and all start"
is "$(cat "$T/errors")" "" "... without a word"
is "$(find "$HOME/.local/share/sdpod/volumes" -mindepth 1 -maxdepth 1 -name '*tmp*')" "" "... and nothing is left"
for round in $(seq 6); do
        sdpod run --rm --network none -v x1:/a -v x2:/b $BUSYBOX true &
        sdpod run --rm --network none -v x2:/a -v x1:/b $BUSYBOX true &
done
ok "two volumes in both orders" wait
# --- a record that somebody has damaged
$V create good >/dev/null
$V create bad >/dev/null
printf '{"name":' >"$volumes/bad/volume.json"
run $V ls -q
is "$status:$(grep -cx good <<<"$out"):$(grep -cx bad <<<"$out")" 0:1:0 "a damaged record hides no other volume"
like "$err" "cannot read volume 'bad'.*leaving it out" "... and is told of"
run sdpod run --rm --network none -v bad:/bad $BUSYBOX true
like "$status:$err" "^12[56]:.*cannot read volume 'bad'" "... and is not used"
run $V rm bad
exits 125 "... nor removed"
run $V rm -f ba
like "$status:$err" "^(125|1):.*'ba'" "... not by a part of its name"
run $V rm -f bad
is "$status:$out:$([[ -e $volumes/bad ]] && echo there)" 0:bad: "... but by rm -f"
run $V rm -fa
exits 0 "all go"
is "$($V ls -q)" "" "... all of them"
finish
