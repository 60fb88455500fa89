#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# cp: Podman's rules for what goes where, both ways, into running and stopped containers, archives, owners; and what hostile
# containers try with symlinks.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
NL=$'\n'
sdpod system reset -f
image_load busybox || { cat "$T/image_load"; exit 99; }
cd "$T" || exit 99
mkdir -p dir/sub empty
echo one >file
echo two >dir/two
echo three >dir/sub/three
ln -s two dir/link
chmod 640 file
chmod 2755 dir/sub
touch -d @1000000000 file dir/two
ln dir/two dir/hard

sdpod run -d --name live --network none --stop-timeout 0 -v vol:/vol $BUSYBOX sleep 10000 >/dev/null
sdpod run --name dead --network none -v vol2:/vol $BUSYBOX sh -c 'echo made >/made; mkdir -p /tree/a; echo x >/tree/a/x'
inside() { # CONTAINER SCRIPT: what a shell in it prints
        if [[ $1 == live ]]; then
                sdpod exec live sh -c "$2"
        else
                sdpod commit -q "$1" seen >/dev/null && sdpod run --rm --network none seen sh -c "$2"
                sdpod rmi seen >/dev/null
        fi
}

for c in live dead; do
        # --- into it
        run sdpod cp file $c:/tmp/new
        exits 0 "$c: a file to a new name"
        run sdpod cp file $c:/tmp
        exits 0 "$c: a file into a directory"
        run sdpod cp dir/two $c:tmp/new
        exits 0 "$c: a file over a file, by a path without a slash"
        run sdpod cp file $c:/no/such/file
        exits 125 "$c: a file into a directory that is not there"
        run sdpod cp file $c:/tmp/none/
        exits 125 "$c: a file to a name that must be a directory"
        run sdpod cp dir $c:/tmp
        exits 0 "$c: a directory into a directory"
        run sdpod cp dir $c:/tmp/fresh
        exits 0 "$c: a directory to a new name"
        run sdpod cp dir/. $c:/var
        exits 0 "$c: a directory's contents into a directory"
        run sdpod cp dir $c:/tmp/new
        exits 125 "$c: a directory over a file is refused"
        run sdpod cp file $c:/tmp/dir/sub/three/x
        exits 125 "$c: below a file is refused"
        out=$(inside $c 'cd /tmp; cat new file dir/two fresh/sub/three /var/two; readlink dir/link; stat -c "%a %u:%g %Y" file; stat -c "%h %a" dir/two dir/sub')
        is "$out" "two${NL}one${NL}two${NL}three${NL}two${NL}two${NL}640 0:0 1000000000${NL}2 644${NL}2 2755" "$c: ... with modes, times, links, as root's"
        run sdpod cp dir $c:/vol
        exits 0 "$c: into a volume"
        run timeout 20 sdpod cp $c:/tmp/dir $c:/within
        is "$status $(inside $c 'cat /within/sub/three')" "0 three" "$c: from one place of it to another"
done
is "$(cat "$(sdpod volume inspect --format '{{.Mountpoint}}' vol2)/dir/two")" two "... which has it"
is "$(sdpod exec live cat /vol/dir/two)" two "... and the running container sees it"

# --- out of it
for c in live dead; do
        rm -rf out
        mkdir out
        run sdpod cp $c:/tmp/file out/copy
        is "$status:$(cat out/copy)" "0:one" "$c: a file out, to a new name"
        is "$(stat -c '%a %U %Y' out/copy)" "640 $USER 1000000000" "... is the user's, with mode and time"
        run sdpod cp $c:/tmp/dir out
        is "$(cat out/dir/sub/three; readlink out/dir/link)" "three${NL}two" "$c: a directory out"
        run sdpod cp $c:/tmp/dir/. out
        is "$(cat out/two)" two "$c: a directory's contents out"
        run sdpod cp $c:/tmp/dir out/other
        is "$(cat out/other/two)" two "$c: a directory out, to a new name"
        run sdpod cp $c:/no-such out
        exits 125 "$c: what is not there"
        sdpod cp $c:/tmp/dir - >out.tar
        is "$(tar -tf out.tar | sort)" "dir/${NL}dir/hard${NL}dir/link${NL}dir/sub/${NL}dir/sub/three${NL}dir/two" "$c: as an archive"
        run_with out.tar sdpod cp - $c:/home
        exits 0 "$c: an archive in"
        gzip -kf out.tar
        run_with out.tar.gz sdpod cp - $c:/root
        exits 0 "$c: a compressed one"
        out=$(inside $c 'cat /home/dir/two /root/dir/sub/three')
        is "$out" "two${NL}three" "... with its files"
        zstd -qf out.tar
        run_with out.tar.zst sdpod cp - $c:/var
        is "$status:$(inside $c 'cat /var/dir/two')" "0:two" "$c: one that libarchive decompresses"
        run_with out.tar sdpod cp - $c:/tmp/file
        exits 125 "$c: an archive onto a file is refused"
done
run sdpod cp live:/tmp/dir dead:/tmp/from-live
out=$(inside dead 'cat /tmp/from-live/two')
is "$out" two "from container to container"
run sdpod cp file "$T/x"
exits 125 "from host to host is refused"
run sdpod cp file no-such:/tmp
exits 125 "into a container that is not there"
run sdpod cp live:/proc/uptime out/uptime
exits 0 "a file of the kernel's"
sdpod exec live sh -c 'ln -s /tmp/dir /ldir; ln -s file /tmp/lfile; ln -s /nowhere/x /tmp/dangling'
run sdpod cp live:/ldir out/linked
is "$(cat out/linked/two)" two "a symlink that was named is followed"
run sdpod cp dir/two live:/tmp/lfile
is "$(sdpod exec live sh -c 'cat /tmp/file; readlink /tmp/lfile')" "two${NL}file" "... and at the destination"

# --- owners
sdpod run -d --name user --network none --stop-timeout 0 -u 1000:1001 $BUSYBOX sleep 10000 >/dev/null
run sdpod cp file user:/tmp/mine
is "$(sdpod exec user stat -c %u:%g /tmp/mine)" 1000:1001 "files belong to the container's user"
run sdpod cp --archive=false file user:/tmp/kept
is "$(sdpod exec user stat -c %u:%g /tmp/kept)" 0:0 "... or, with --archive=false, to whom they belonged: the user is root in there"
run sdpod cp --overwrite file live:/tmp/fresh/sub
is "$status" 0 "into a directory --overwrite changes nothing"
mkdir clash
mkdir clash/two
run sdpod cp clash/. live:/tmp/dir
exits 125 "a directory over a file is refused"
run sdpod cp --overwrite clash/. live:/tmp/dir
is "$status:$(sdpod exec live stat -c %F /tmp/dir/two)" "0:directory" "... and done with --overwrite"
sdpod exec live sh -c 'cp /bin/busybox /tmp/suid; chmod 6755 /tmp/suid'
sdpod cp live:/tmp/suid out/suid
is "$(stat -c %a out/suid)" 755 "a program that runs as its owner is none any more on the host"

# --- what a hostile container tries
echo secret >"$T/secret"
echo precious >"$T/precious"
mkdir host
sdpod exec live sh -c "mkdir /evil; ln -s $T /evil/out; ln -s $T/secret /evil/leak; ln -s ../../../../../../..$T/secret /evil/up"
run sdpod cp live:/evil/leak host/leak
exits 125 "a link to a file of the host does not lead there"
run sdpod cp live:/evil/up host/up
exits 125 "... nor one with .."
run sdpod cp file live:/evil/out/precious
is "$(cat precious)" precious "... and nothing is written through one"
run sdpod cp live:/evil host
is "$(readlink host/evil/leak)" "$T/secret" "links come out as links"
run sdpod cp dir live:/evil/../../../../tmp/dots
is "$(sdpod exec live cat /tmp/dots/two)" two ".. ends at the container's root"
ln -s "$T" host/sub
sdpod exec live sh -c 'mkdir -p /tree/sub; echo bad >/tree/sub/precious'
run sdpod cp live:/tree/. host
is "$status:$(cat precious)" "125:precious" "a link on the host, below the destination, is not followed"
ln -s "$T" host/tree
sdpod exec live sh -c 'echo bad >/tree/precious; rm -r /tree/sub'
run sdpod cp live:/tree host
is "$status:$(cat precious)" "125:precious" "... nor one where the directory itself would be: a container that has 'host', too, may have put it there"
python3 - "$T" <<'END'
import io, sys, tarfile
with tarfile.open(sys.argv[1] + "/evil.tar", "w") as t:
    for name, link in [("a", "/tmp"), ("b", "../../..")]:
        i = tarfile.TarInfo(name); i.type = tarfile.SYMTYPE; i.linkname = link; t.addfile(i)
    i = tarfile.TarInfo("../../escaped"); i.size = 1; t.addfile(i, io.BytesIO(b"x"))
END
run_with evil.tar sdpod cp - live:/home
exits 125 "an archive with .. is refused"
# holes, and who is killed in the middle
truncate -s 64M sparse
echo middle | dd of=sparse bs=1 seek=33000000 conv=notrunc status=none
run sdpod cp sparse live:/tmp/sparse
exits 0 "a sparse file"
is "$(sdpod exec live sh -c 'md5sum </tmp/sparse; [ "$(du -k /tmp/sparse | cut -f 1)" -lt 1000 ] && echo small')" "$(md5sum <sparse)${NL}small" "... stays sparse"
sdpod cp live:/tmp/sparse back
is "$(md5sum <back):$(($(du -k back | cut -f 1) < 1000))" "$(md5sum <sparse):1" "... and on the host"
head -c 8000000 /dev/urandom >random
mkfifo slow
for target in live:/tmp dead:/tmp; do
        (tar c random 2>/dev/null | head -c 4000000; exec sleep 1000) >slow &
        writer=$!
        sdpod cp - $target <slow &
        copier=$!
        until_ok 10 sh -c "pgrep -P $copier >/dev/null"
        until_ok 5 sh -c "! pgrep -P $writer head" # all but the sleep has gone through
        kill -9 $copier
        wait $copier 2>/dev/null
        kill $writer
        pkill -P $writer
        wait $writer 2>/dev/null
done
is "$(sdpod exec live ls -A /tmp | grep -c cp-)" 0 "killed in the middle it leaves nothing in the container"
is "$(inside dead 'ls -A /tmp | grep -c cp-')" 0 "... nor in one that does not run"

# while a process in there exchanges a directory and a link, as fast as it can
sdpod exec -d live sh -c "mkdir -p /race/real; echo real >/race/real/secret; echo real >/race/real/precious
        while :; do mv /race/real /race/dir; mv /race/dir /race/real; ln -sfn $T /race/dir; rm /race/dir; done"
leaked=0 copied=0
for _ in $(seq 40); do
        rm -rf got
        sdpod cp live:/race/dir/secret got 2>/dev/null && { grep -qs secret got && leaked=1; grep -qs real got && copied=$((copied + 1)); }
        sdpod cp file live:/race/dir/precious 2>/dev/null
done
is "$leaked:$(cat precious)" "0:precious" "forty copies in a race never leave the container"
ok "... some of them find the directory ($copied)" test $copied -gt 0
is "$(find "$T" -maxdepth 3 -name '.sdpod-cp-*')" "" "... and leave nothing behind"
finish
