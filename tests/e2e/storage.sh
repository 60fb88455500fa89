#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# How layers become a root file system: the same tests for each storage driver, and what several layers share on the disk.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"

python3 - "$TESTS/lib" "$T" >"$T/make.log" 2>&1 <<'END' || { cat "$T/make.log"; exit 99; }
import os, sys
sys.path.insert(0, sys.argv[1])
import image
from image import Layer, Image
T = sys.argv[2]
busybox = open("/bin/busybox", "rb").read()
base = Layer().dir("bin").file("bin/busybox", busybox, mode=0o755)
for name in ["sh", "cat", "ls", "stat", "touch", "rm", "mkdir", "echo", "find", "sort", "chmod", "chown", "mv", "wc", "id", "dd", "true", "tr"]:
    base.symlink("bin/" + name, "busybox")
base.dir("tmp", mode=0o1777).dir("etc").file("etc/passwd", image.PASSWD).file("etc/group", image.GROUP)
base.dir("a").file("a/stays", "stays").file("a/goes", "goes").file("a/changes", "old")
base.dir("a/dir").file("a/dir/inside", "x").dir("opaque").file("opaque/old", "old").dir("opaque/sub").file("opaque/sub/old", "old")
base.file("becomes-dir", "file").dir("becomes-file").file("becomes-file/x", "x")
base.dir("data", uid=1000, gid=1000, mode=0o750).file("data/seed", "seed", uid=1000, gid=1000, mode=0o640)
base.file("owned", "o", uid=1000, gid=65533, mode=0o640).file("suid", "s", mode=0o4755)
base.file("link-1", "linked").hardlink("link-2", "link-1").symlink("dangling", "/nowhere")
base.file("attributes", "x", xattrs={"user.colour": "blue"}).file("large", b"L" * 100000)
base.dir("closed", mode=0o000, uid=1000, gid=1000).file("closed/file", "x", uid=1000, gid=1000, mode=0)
top = Layer().file("a/.wh.goes").file("a/changes", "new").file(".wh.nothing").file("a/dir/.wh.inside")
top.dir("opaque").file("opaque/.wh..wh..opq").file("opaque/new", "new")
top.dir("becomes-dir").file("becomes-dir/y", "y").file("becomes-file", "file now")
Image([base, top], Cmd=["/bin/sh"], Volumes={"/data": {}}).write_archive(T + "/tree.tar", "localhost/tree:latest")
many = [base] + [Layer().dir("n").file(f"n/{i}", str(i)).file("n/last", str(i)) for i in range(1, 127)]
Image(many, Cmd=["/bin/sh"]).write_archive(T + "/many.tar", "localhost/many:latest")
END
chmod 755 "$T"
chmod 644 "$T"/*.tar

# What the container says of its tree, one fact a line, sorted.
# shellcheck disable=SC2016  # for the shell in the container
facts='for f in a/stays a/changes opaque/new becomes-dir/y becomes-file link-2; do echo "$f: $(cat /$f)"; done
ls /a /a/dir /opaque | tr "\n" " "; echo
for f in a/goes a/dir/inside opaque/old opaque/sub becomes-file/x; do [ -e /$f ] && echo "still there: $f"; done
stat -c "%n %u:%g %a" /owned /suid /data /data/seed /tmp
stat -c "links %h" /link-1; [ $(stat -c %i /link-1) = $(stat -c %i /link-2) ] && echo "one file"
stat -c "%Y" /a/stays'
wanted="a/stays: stays
a/changes: new
opaque/new: new
becomes-dir/y: y
becomes-file: file now
link-2: linked
/a: changes dir stays  /a/dir:  /opaque: new 
/owned 1000:65533 640
/suid 0:0 4755
/data 1000:1000 750
/data/seed 1000:1000 640
/tmp 0:0 1777
links 2
one file
1767225600"

storage_tests() { # DRIVER
        local driver=$1 s plain id path
        s=(timeout 60 sdpod --root "$T/store-$1" --storage-driver "$driver")
        plain=(timeout 60 sdpod --root "$T/store-$1")
        run "${s[@]}" load -q -i "$T/tree.tar"
        exits 0 "$driver: an image is loaded"
        [[ $status == 0 ]] || return
        run "${s[@]}" info --format '{{.Store.GraphDriverName}}'
        is "$out" "$driver" "$driver: info names it"
        run "${s[@]}" run --rm --network none localhost/tree sh -c "$facts"
        is "$out" "$wanted" "$driver: whiteouts, opaque directories, types that change, owners, modes, times, hard links"
        run "${s[@]}" run --name c --network none localhost/tree sh -c \
                'echo more >>/a/stays; rm /a/changes; mv /opaque/new /opaque/newer; chmod 700 /owned; echo x >/data/fresh; dd if=/large bs=1 count=3 2>/dev/null
                chown 7:8 /link-1; rm -r /a/dir; mkdir /a/dir; rm -r /closed; echo by-7 >/tmp/seven; chown 7:7 /tmp/seven; chmod 000 /tmp/seven'
        is "$status $out$err" "0 LLL" "$driver: files are copied up, removed, renamed, and change their owners"
        run "${s[@]}" start -a c
        "${s[@]}" create --name made --network none localhost/tree true >/dev/null
        "${plain[@]}" start -a made
        is "$("${plain[@]}" inspect --format '{{.Driver}}' made)" "$driver" "$driver: who is made with it starts with it"
        "${s[@]}" rm made >/dev/null
        run "${s[@]}" inspect --format '{{.Driver}} {{.GraphDriver.Name}}' c
        is "$out" "$driver $driver" "$driver: inspect names it"
        run "${s[@]}" run --rm --network none localhost/tree sh -c "$facts"
        is "$out" "$wanted" "$driver: the image is what it was"
        run "${s[@]}" run --rm --network none --read-only localhost/tree sh -c 'echo x >/a/stays'
        like "$status$err" '^1.*Read-only' "$driver: --read-only"
        if [[ $driver == vfs ]]; then
                run "${s[@]}" start c
                exits 0 "vfs: a container stays with its driver"
                run "${s[@]}" run --rm --network none --userns keep-id localhost/tree true
                like "$status $err" "^126 .*storage driver 'vfs'" "vfs: an ID map of its own is refused by name"
        fi
        run "${s[@]}" run --rm --network none -v kept:/data localhost/tree sh -c 'stat -c "%u:%g %a" /data /data/seed; cat /data/seed'
        is "$out" $'1000:1000 750\n1000:1000 640\nseed' "$driver: a volume is filled from the image, with its owners"
        run "${s[@]}" load -q -i "$T/many.tar"
        exits 0 "$driver: an image of 127 layers is loaded"
        run "${s[@]}" run --rm --network none localhost/many sh -c 'cat /n/last; echo; ls /n | wc -l'
        is "$out" $'126\n127' "$driver: and runs"
        run "${s[@]}" rm -f -t 0 -a
        exits 0 "$driver: containers are removed, whoever owns their files"
        run "${s[@]}" volume rm -a -f
        run "${s[@]}" rmi -a -f
        exits 0 "$driver: so are images"
        path=$T/store-$driver
        is "$(find "$path/containers" "$path/volumes" "$path/files" -mindepth 1 2>&1; find "$path/layers" -mindepth 1 -maxdepth 1 ! -name mount-points; find "$path" -name '.tmp*')" \
                "" "$driver: and nothing of them is left"
}

why=$(lacks_program fuse-overlayfs) || why=
[[ -n $why || -w /dev/fuse ]] || why="/dev/fuse cannot be opened here"
for driver in overlay fuse-overlayfs vfs; do
        if [[ $driver == fuse-overlayfs && -n $why ]]; then
                skip "the storage driver fuse-overlayfs" "$why"
        else
                storage_tests $driver
        fi
done

# --- equal files are stored once
python3 - "$TESTS/lib" "$T" <<'END'
import os, sys
sys.path.insert(0, sys.argv[1])
from image import Layer, Image
T = sys.argv[2]
def make(name, *entries, salt=6):
    layer = Layer().dir("d")
    for i in range(salt):  # layers that are small as they come are not shared
        layer.file(f"d/salt{i}", os.urandom(15000))
    for path, data, kw in entries:
        layer.file("d/" + path, data, **kw)
    Image([layer], Cmd=["/x"]).write_archive(f"{T}/{name}.tar", f"localhost/{name}:latest")
A, B = b"A" * 100000, b"A" * 99999 + b"B"
make("one", ("same", A, {}), ("mode", A, {}), ("time", A, {}), ("content", A, {}), ("small", b"s" * 1000, {}), ("owner", A, {"uid": 5}), ("here", A, {}),
     ("attribute", A, {}))
make("two", ("same", A, {}), ("mode", A, {"mode": 0o600}), ("time", A, {"mtime": 5}), ("content", B, {}), ("small", b"s" * 1000, {}), ("owner", A, {"uid": 5}),
     ("there", A, {}), ("attribute", A, {"xattrs": {"user.a": "b"}}), ("fresh", b"F" * 50000, {}))
make("tiny", ("same", A, {}), ("tiny", A, {}), salt=0)
END
s=(timeout 60 sdpod --root "$T/shared")
layer() { # IMAGE: its only layer's tree
        echo "$T/shared/layers/$("${s[@]}" image inspect --format '{{index .RootFS.Layers 0}}' "localhost/$1" | cut -d: -f2)"
}
links() { # IMAGE: names of files that have another image's inode
        (cd "$(layer "$1")/diff/d" && for f in *; do
                [[ $(stat -c %i "$f") == "$(stat -c %i "$(layer "$2")/diff/d/$f" 2>/dev/null)" ]] && echo -n "$f "
        done)
}
run "${s[@]}" load -q -i "$T/one.tar"
run "${s[@]}" load -q -i "$T/two.tar"
is "$(links two one)" "same " "of two images, files are one where path, content, mode, owner, time and attributes are the same"
is "$(stat -c '%Y %a %s' "$(layer two)/diff/d" "$(layer two)/diff/d/content" | tr '\n' ' ')" "1767225600 755 4096 1767225600 644 100000 " \
        "directories keep their times, other files their content"
before=$(find "$T/shared/files" -type f | wc -l)
run "${s[@]}" load -q -i "$T/tiny.tar"
is "$(links tiny one)$(find "$T/shared/files" -type f | wc -l)" "$before" "small layers have files of their own, as the process that wrote them may still have them open"
run "${s[@]}" rmi localhost/tiny
run "${s[@]}" rmi localhost/two
after=$(find "$T/shared/files" -type f | wc -l)
is "$((before - after))" 4 "with an image go the entries that only it had"
is "$(find "$T/shared/files" -links 1)" "" "and no entry keeps the space of a file that nobody has"
run "${s[@]}" load -q -i "$T/two.tar"
printf X | dd of="$(layer one)/diff/d/same" bs=1 seek=500 conv=notrunc 2>/dev/null
run "${s[@]}" rmi localhost/two
run "${s[@]}" load -q -i "$T/two.tar"
is "$(links two one)$(cksum <"$(layer two)/diff/d/same")" "$(head -c 100000 /dev/zero | tr '\0' A | cksum)" "a file that is damaged is not shared"
rm -rf "$T/shared/files"
run "${s[@]}" rmi localhost/two
chmod 500 "$T/shared"
run "${s[@]}" images -q
chmod 700 "$T/shared"
: >"$T/shared/files"
run "${s[@]}" load -q -i "$T/two.tar"
exits 0 "without the directory of shared files everything works"
finish
