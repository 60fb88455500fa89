#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What is done with a store that is full of things: images under several names and manifests, trees, prune, df, reset.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
NL=$'\n'
store=${XDG_DATA_HOME:-$HOME/.local/share}/sdpod
sdpod system reset -f
image_load busybox || { cat "$T/image_load"; exit 99; }

# --- one image under two manifests
id=$(sdpod images -q --no-trunc $BUSYBOX)
sdpod tag $BUSYBOX localhost/first:1
sdpod load -q -i "$(image_file busybox docker-archive)" >/dev/null
run sdpod images -q --no-trunc
is "$out" "$id" "an image that came in two forms is listed once"
run sdpod images --format '{{.Repository}}:{{.Tag}}' --sort repository
is "$out" "localhost/busybox:latest${NL}localhost/first:1" "... under all its names"
run sdpod image inspect --format '{{.RepoTags}}' localhost/first:1
is "$(tr ' ' '\n' <<<"${out//[][]/}" | sort)" "localhost/busybox:latest${NL}localhost/first:1" "inspect knows all names"
run sdpod rmi "${id#sha256:}"
exits 2 "by its ID it is not removed: it has two names"
run sdpod rmi localhost/first:1
is "$out" "Untagged: localhost/first:1" "a name goes"
run sdpod untag $BUSYBOX
run sdpod rmi "${id#sha256:}"
is "$status:$out" "0:Deleted: ${id#sha256:}" "with its last name the image goes, whatever manifests it has"
run sdpod images -q
is "$out" "" "... and nothing of it is left"
is "$(find "$store/images/blobs/sha256" -type f | wc -l)" 0 "... in the store"

# --- rmi
run sdpod rmi -i localhost/no-such
exits 0 "rmi --ignore"
run sdpod rmi localhost/no-such
exits 1 "rmi of what is not there"
run sdpod rmi -f localhost/no-such
is "$status:$out:$err" 0:: "... which with --force is no error"
image_load busybox
image_load layers
sdpod create --name user --network none $BUSYBOX true >/dev/null
run sdpod rmi -a
exits 2 "rmi -a says that one is in use"
run sdpod images --format '{{.Repository}}'
is "$out" localhost/busybox "... and removes the others"
run sdpod rmi $BUSYBOX localhost/no-such
exits 2 "one in use and one that is not there: 2 in either order"
run sdpod rmi -f $BUSYBOX
like "$status:$out" "^0:Untagged: $BUSYBOX${NL}Deleted: [0-9a-f]{64}$" "rmi -f removes the containers, too"
run sdpod ps -aq
is "$out" "" "... which are gone"

image_load busybox
image_load layers
sdpod untag localhost/busybox
sdpod untag localhost/layers
run sdpod images -q
is "$(wc -l <<<"$out")" 2 "two images without names are two"
sdpod rmi -a >/dev/null

# --- tree
image_load busybox
image_load layers
run sdpod image tree localhost/layers
like "$out" "^Image ID: [0-9a-f]{12}${NL}Tags:     \[localhost/layers:latest\]${NL}Size:     [0-9.]+MB${NL}Image Layers${NL}├── ID: [0-9a-f]{12} Size: +[0-9.]+[kM]?B" "image tree"
like "$out" "└── ID: [0-9a-f]{12} Size: +[0-9.]+[kM]?B Top Layer of: \[localhost/layers:latest\]" "... with the image on its topmost layer"
run sdpod image tree --whatrequires localhost/busybox
like "$out" "ID: [0-9a-f]{12} Size: +[0-9.]+MB Top Layer of: \[localhost/busybox:latest\]" "image tree --whatrequires"

# --- df
run sdpod system df
like "$out" "^TYPE +TOTAL +ACTIVE +SIZE +RECLAIMABLE${NL}Images +2 +0 +[0-9.]+MB +[0-9.]+MB \([0-9]+%\)${NL}Containers +0 +0 +0B +0B \(0%\)${NL}Local Volumes +0 +0 +0B +0B \(0%\)$" "system df"
sdpod run --name writer --network none -v filled:/v $BUSYBOX sh -c 'head -c 1000000 /dev/zero >/big; head -c 5000 /dev/zero >/v/f'
run sdpod system df --format '{{.Type}} {{.Total}} {{.Active}} {{.Size}} {{.Reclaimable}}'
like "$out" "^Images 2 1 .*${NL}Containers 1 0 1MB 1MB \(100%\)${NL}Local Volumes 1 1 5kB 0B \(0%\)$" "... counts what a container wrote, and volumes"
run sdpod system df -v
like "$out" "${NL}CONTAINER ID +IMAGE +COMMAND +LOCAL VOLUMES +SIZE +CREATED +STATUS +NAMES${NL}[0-9a-f]{12} +[0-9a-f]{12} +sh -c .* 1 +1MB .* exited +writer${NL}" "system df -v: containers"
like "$out" "${NL}VOLUME NAME +LINKS +SIZE${NL}filled +1 +5kB$" "system df -v: volumes"
like "$out" "${NL}REPOSITORY +TAG +IMAGE ID +CREATED +SIZE +SHARED SIZE +UNIQUE SIZE +CONTAINERS${NL}" "system df -v: images"
run python3 -c 'import json, sys; print(sorted(json.load(sys.stdin)[0]))' <<<"$(sdpod system df --format json)"
feed "$(sdpod system df --format json)" python3 -c 'import json, sys; print(*sorted(json.load(sys.stdin)[0]))'
is "$out" "Active RawReclaimable RawSize Reclaimable Size Total TotalCount Type" "system df --format json has Podman's keys"
run sdpod system df -v --format json
exits 125 "system df -v --format is refused"

# --- prune
run sdpod container prune
exits 125 "container prune without an answer removes nothing"
sdpod run -d --name busy --network none $BUSYBOX sleep 1000 >/dev/null
feed "n$NL" sdpod container prune
is "$(sdpod ps -a --format '{{.Names}}' | sort)" "busy${NL}writer" "... nor with the answer no"
writer=$(sdpod ps -a -q --no-trunc --filter name=writer)
run sdpod container prune -f --filter label=nothing-has-it
is "$status:$out" "0:" "container prune --filter"
feed "y$NL" sdpod container prune
like "$out" "${NL}?.*$writer$" "container prune prints the ID"
is "$(sdpod ps -a --format '{{.Names}}')" busy "... and leaves what runs"
run sdpod image prune -f
is "$out" "" "image prune leaves images with names"
sdpod untag localhost/layers
layers=$(sdpod images -q --no-trunc --filter dangling=true)
run sdpod image prune -f --filter until=1000000h
is "$out" "" "image prune --filter until leaves what is younger"
run sdpod image prune -f
is "$status:$out" "0:${layers#sha256:}" "image prune removes those without"
image_load layers
run sdpod image prune -a -f --filter label!=kept
is "$(sdpod images --format '{{.Repository}}')" localhost/busybox "image prune -a leaves what a container uses"
sdpod volume create lone >/dev/null
image_load layers
run sdpod system prune -f
like "$status:$out" "^0:Total reclaimed space: 0B$" "system prune leaves volumes and named images"
sdpod create --name idle --network none $BUSYBOX true >/dev/null
run sdpod system prune -f -a --volumes
like "$out" "^Deleted Containers${NL}[0-9a-f]{64}${NL}Deleted Volumes${NL}filled${NL}lone${NL}Deleted Images${NL}[0-9a-f]{64}${NL}Total reclaimed space: [0-9.]+[kM]B$" "system prune -a --volumes"
is "$(sdpod ps -a --format '{{.Names}}')" busy "... leaves what runs"
run sdpod system migrate
exits 0 "system migrate"
run sdpod system renumber
exits 0 "system renumber"

# --- diff, export, commit
sdpod rm -f -t 0 busy >/dev/null
image_load busybox
image_load layers
sdpod run --name c --network none $BUSYBOX sh -c 'echo hi >/new; mkdir -p /d/e; echo x >/d/e/f; ln /new /hard; ln -s new /soft; rm /bin/ls; chown 5:6 /d; mkfifo /d/fifo; rm -r /home; mkdir /home; : >/home/only; : >/etc/passwd.new'
run sdpod diff c
is "$(sort <<<"$out")" "$(sort <<<"A /d${NL}A /d/e${NL}A /d/e/f${NL}A /d/fifo${NL}A /etc/passwd.new${NL}A /hard${NL}A /home/only${NL}A /new${NL}A /soft${NL}C /bin${NL}C /etc${NL}C /home${NL}D /bin/ls${NL}D /home/app")" "diff of a container"
feed "$(sdpod diff --format json c)" python3 -c 'import json, sys; d = json.load(sys.stdin); print(sorted(d), d["deleted"])'
is "$out" "['added', 'changed', 'deleted'] ['/bin/ls', '/home/app']" "diff --format json"
run sdpod diff localhost/busybox
exits 0 "diff of an image"
run sdpod container diff localhost/busybox
exits 125 "container diff of an image is refused"
run sdpod diff c localhost/busybox
like "$out" "A /new" "diff of two"
sdpod export -o "$T/c.tar" c
run tar -tvf "$T/c.tar" --numeric-owner
like "$out" "hrw-r--r-- 0/0 +0 .* new link to hard|-rw-r--r-- 0/0 +3 .* new" "export has the files"
like "$out" "drwxr-xr-x 5/6 .* d/${NL}" "... with the owners of the container"
like "$out" "link to hard" "... and hard links"
unlike "$out" "bin/ls " "... but not what was deleted"
is "$(sdpod export c | sha256sum)" "$(sha256sum <"$T/c.tar")" "export is always the same"
if why=$(lacks_program strace); then
        skip "the worker's namespace needs no setuid program" "$why"
        skip "... and is one of its own" "$why"
else
        # the worker goes into the kept namespace, and makes its own in there before it reads anything
        run strace -f -qq -o "$T/calls" -e trace=execve,setns,unshare,pivot_root,mount,move_mount sdpod diff c
        is "$status:$(grep -c 'execve.*new[ug]idmap' "$T/calls")" 0:0 "the worker's namespace needs no setuid program"
        like "$(grep -o 'setns([^)]*CLONE_NEWUSER\|unshare([^)]*CLONE_NEWUSER' "$T/calls" | sed 's/(.*//' | tr '\n' ' ')" '^setns unshare $' "... and is one of its own"
fi
run sdpod export -o "$T" c
exits 125 "export to a directory is refused"
run sdpod commit -a me -m hello -c 'CMD ["cat", "/new"]' -c 'ENV A=b' --iidfile "$T/iid" c made:1
like "$status:$out" "^0:[0-9a-f]{64}$" "commit prints the ID"
is "$(cat "$T/iid")" "$out" "... and --iidfile has it"
made=$out
run sdpod run --rm --network none made:1
is "$out" hi "commit --change: the new command"
run sdpod run --rm --network none made:1 sh -c 'ls /bin/ls /home; echo $A; stat -c "%u:%g %h" /d /hard; cat /d/e/f; readlink /soft'
is "$out" "/home:${NL}only${NL}b${NL}5:6 3${NL}0:0 2${NL}x${NL}new" "... and what the container wrote, and deleted, is in the image"
run sdpod image inspect --format '{{.Author}} {{len .RootFS.Layers}} {{(index .History 1).comment}}' made:1
is "$out" "me 2 hello" "commit --author, --message"
is "$(sdpod image inspect --format '{{.Comment}}' made:1)" hello "... which inspect shows, too"
is "$(sdpod image inspect --format '{{.Parent}}' made:1)" "$(sdpod inspect --format '{{.Image}}' c)" "... and the image it was made from as its parent"
is "$(sdpod image inspect --format '{{.Parent}}' "$(sdpod inspect --format '{{.Image}}' c)")" "" "... which has none"
is "$(sdpod image diff made:1 | sort | grep -v '^C /etc$')" "$(sdpod diff c | sort | grep -v '^C /etc$')" "image diff shows the same as diff did"
sdpod save -o "$T/made.tar" made:1
sdpod rmi made:1 >/dev/null
sdpod load -q -i "$T/made.tar" >/dev/null
is "$(sdpod images -q --no-trunc made:1)" "sha256:$made" "a committed image is saved and loaded again as the same one"
run sdpod commit -q -s -f docker c squashed
run sdpod image inspect --format '{{len .RootFS.Layers}} {{.ManifestType}}' squashed
is "$out" "1 application/vnd.docker.distribution.manifest.v2+json" "commit --squash --format docker"
run sdpod run --rm --network none squashed sh -c 'ls /bin/ls; cat /d/e/f'
is "$out" x "... runs"
sdpod run -d --name live --network none $BUSYBOX sh -c 'i=0; while :; do i=$((i+1)); echo $i >/count; done' >/dev/null
run sdpod commit -p live paused
exits 0 "commit --pause of a running container"
is "$(sdpod ps --format '{{.Names}}' --filter status=running)" live "... which goes on"
run sdpod commit no-such-container
exits 125 "commit of what is not there"
run sdpod commit -c 'RUN x' c
exits 125 "commit --change with an instruction that it cannot carry out"
sdpod run --name untouched --network none --rm=false $BUSYBOX true
run sdpod commit untouched same
exits 0 "commit of a container that wrote nothing"
run sdpod run --rm --userns keep-id --name mapped-c --network none --rm=false $BUSYBOX sh -c 'rm -r /tmp; mkdir -m 755 /tmp 2>/dev/null; id -u' # may not: / is root's
run sdpod create --name mapped --userns keep-id --network none --user 0 $BUSYBOX sh -c 'rm -r /home; mkdir /home; : >/home/own; chown 7 /home/own; rm /bin/cat'
run sdpod start -a mapped
if [[ $status == 0 ]]; then
        run sdpod diff mapped
        out=$(grep -v ' /etc' <<<"$out") # where the user gets a name
        is "$out" "C /bin${NL}D /bin/cat${NL}C /home${NL}D /home/app${NL}A /home/own" "diff of a container with an ID map of its own, on fuse-overlayfs"
        sdpod commit mapped from-mapped >/dev/null
        run sdpod run --rm --network none from-mapped sh -c 'ls /bin/cat; ls -A /home; stat -c %u /home/own'
        is "$out" "own${NL}7" "... and commit of it, under the container's IDs"
else
        skip "diff of a container with an ID map of its own" "such a container does not start here: $err"
fi

sdpod --storage-driver vfs create --name copied --network none $BUSYBOX sh -c 'echo v >/vfs; rm /bin/cat' >/dev/null
run sdpod --storage-driver vfs start -a copied
if [[ $status == 0 ]]; then
        run sdpod diff copied
        like "$out" "D /bin/cat.*A /vfs" "diff of a container of the driver vfs"
        run sdpod commit copied no
        exits 125 "commit of it needs --squash"
        sdpod commit -q -s copied from-vfs >/dev/null
        run sdpod run --rm --network none from-vfs sh -c 'ls /bin/cat; read x </vfs; echo $x'
        is "$out" v "... and has all then"
        run sdpod cp copied:/vfs "$T/vfs"
        is "$(cat "$T/vfs")" v "cp out of it"
else
        skip "a container of the driver vfs" "it does not start here: $err"
fi

# --- check
sdpod rm -fa -t 0 >/dev/null
sdpod rmi -af >/dev/null
image_load busybox
image_load layers
run sdpod system check
is "$status:$out" "0:" "system check of a whole store"
flip() { # FILE: its middle byte, whatever it is
        python3 - "$1" <<'END'
import os, sys
f = sys.argv[1]
s = os.stat(f)
m = s.st_mode & 0o7777
os.chmod(f, m | 0o600)
with open(f, "r+b") as h:
    h.seek(s.st_size // 2)
    b = h.read(1)
    h.seek(s.st_size // 2)
    h.write(bytes([b[0] ^ 1]))
os.chmod(f, m)
os.utime(f, ns=(s.st_atime_ns, s.st_mtime_ns))
END
}
missed=
while IFS= read -r -d '' file; do # every file of the store that is not empty, of the layers only some: they have four hundred names
        flip "$store/$file"
        sdpod system check >"$T/out" 2>/dev/null && missed+=" $file"
        flip "$store/$file"
done < <(cd "$store" && { find images -type f -size +0 ! -name reserve -print0; find layers \( -name layer.json -o -name tar.zst \) -print0; find layers/*/diff -type f -user "$USER" -size +0 -print0 | head -z -n 12; })
is "$missed" "" "one flipped bit in any file is found"
while IFS= read -r -d '' file; do
        cp -a "$store/$file" "$T/kept"
        truncate -s -1 "$store/$file"
        sdpod system check >"$T/out" 2>/dev/null && missed+=" $file"
        cat "$T/kept" >"$store/$file"
        touch -r "$T/kept" "$store/$file"
done < <(cd "$store" && { find images -type f -size +0 ! -name reserve -print0; find layers \( -name layer.json -o -name tar.zst \) -print0; find layers/*/diff -type f -user "$USER" -size +0 -print0 | head -z -n 3; })
is "$missed" "" "... and so is a byte that is missing at the end"
run sdpod system check
is "$status:$out" "0:" "... and nothing when all is back"
base=$(sdpod image inspect --format '{{index .RootFS.Layers 0}}' localhost/busybox)
top=$(sdpod image inspect --format '{{index .RootFS.Layers 1}}' localhost/layers)
top=${top#sha256:}
chmod 700 "$store/layers/$top/diff/data"
run sdpod system check
like "$status:$out" "^125:Damaged layer $top: '/data' has another mode.*needed by image [0-9a-f]{12} localhost/layers:latest" "a changed mode is found, and who needs the layer"
run sdpod system check --quick
exits 0 "--quick does not look for it"
touch "$store/layers/$top/diff/extra"
run sdpod system check --repair
like "$status:$out" "^0:.*Removed image [0-9a-f]{12} localhost/layers:latest$" "--repair removes the layer with its image"
run sdpod system check
is "$status:$out:$(sdpod images --format '{{.Repository}}')" "0::localhost/busybox" "... and leaves the others"
image_load layers
is "$(sdpod images --format '{{.Repository}}' --sort repository)" "localhost/busybox${NL}localhost/layers" "... and it is loaded again"
flip "$store/layers/$top/layer.json"
run sdpod system check --repair
is "$status:$(sdpod images -q | wc -l)" "0:2" "a damaged description is written again"
run sdpod system check
exits 0 "... and is whole"
echo '{}' >"$store/images/index.json"
run sdpod system check --repair
run sdpod images --format '{{.Repository}} {{.ID}}'
is "$(wc -l <<<"$out")" 2 "a list of images that is lost is made again from the manifests"
sdpod rmi -af >/dev/null
image_load busybox
sdpod create --name holder --network none $BUSYBOX true >/dev/null
rm "$store/layers/${base#sha256:}/tar.zst"
run sdpod system check
like "$status:$out" "^125:Damaged layer ${base#sha256:}: its record is missing.*needed by container [0-9a-f]{12} holder" "a layer that a container needs"
tree=$(stat -c %i "$store/layers/${base#sha256:}/diff")
image_load busybox
run sdpod system check
exits 0 "... has its record again once its image is loaded again"
ok "... and save writes the image" sdpod save -o "$T/mended.tar" $BUSYBOX
is "$(stat -c %i "$store/layers/${base#sha256:}/diff")" "$tree" "... and its tree is still the one that the container stands on"
rm "$store/layers/${base#sha256:}/tar.zst"
description=$store/layers/${base#sha256:}/layer.json
python3 - "$description" <<'END'
import json, sys
record = json.load(open(sys.argv[1]))
del record['exact'], record['checkSum']
json.dump(record, open(sys.argv[1], 'w'))
END
run sdpod save -o "$T/none.tar" $BUSYBOX
like "$status:$err" "^125:.*it has no record" "a layer of a version that wrote no records cannot be saved"
image_load busybox
ok "... until its image is loaded again" sdpod save -o "$T/mended.tar" $BUSYBOX
rm "$store/layers/${base#sha256:}/tar.zst"
run sdpod system check --repair
exits 125 "... stays with --repair"
run sdpod start -a holder
exits 0 "... and the container with it"
run sdpod system check --repair --force
is "$status:$(sdpod ps -aq)$(sdpod images -q)" "0:" "--force removes both"
mkdir "$store/.tmp-image-0123456789abcdef"
run sdpod system check --repair
ok "what a killed command left is collected" test ! -e "$store/.tmp-image-0123456789abcdef"

# --- what would be too large to be read again (a control byte takes six in a record)
python3 - "$T" <<'END'
import sys
open(sys.argv[1] + '/large.env', 'w').write(''.join(f'V{i}=' + '\1' * 100000 + '\n' for i in range(20)))
open(sys.argv[1] + '/large.args', 'w').write(''.join(f'--label=V{i}=' + '\1' * 100000 + '\n' for i in range(15)))
END
mapfile -t labels <"$T/large.args"
image_load busybox
sdpod network rm "$(sdpod network create)" >/dev/null # what the first of each makes
sdpod rm "$(sdpod create --network none $BUSYBOX true)" >/dev/null
sdpod volume rm "$(sdpod volume create)" >/dev/null
sdpod pod rm "$(sdpod pod create)" >/dev/null
things() { (cd "$store" && find containers names volumes networks pods pod-names pending | sort); }
tree=$(things)
run sdpod create --network none --env-file "$T/large.env" $BUSYBOX true
like "$status:$err" "^125:.*cannot write 'container.json': it would have [0-9]+ bytes, and may have 8388608$" "a container with too much is refused"
run sdpod volume create "${labels[@]}" large
like "$status:$err" "^125:.*cannot write 'volume.json': it would have" "... and a volume"
run sdpod network create "${labels[@]}" large
like "$status:$err" "^125:.*cannot write 'large': it would have" "... and a network"
run sdpod pod create "${labels[@]}" large
like "$status:$err" "^125:.*cannot write 'pod.json': it would have" "... and a pod"
is "$(things)" "$tree" "... which leave nothing behind"
run sh -c 'sdpod ps -a; sdpod volume ls; sdpod network ls; sdpod pod ls'
is "$status:$err" 0: "... nor a list that cannot be read"

# --- reset
run sdpod system reset
exits 125 "system reset without an answer does nothing"
run sdpod system reset -f
exits 0 "system reset"
is "$(cd "$store" && find . -mindepth 1)" ./images.lock "... leaves nothing"
image_load busybox
run sdpod run --rm --network none $BUSYBOX echo again
is "$out" again "... and all works again"
finish
