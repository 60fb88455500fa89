#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Images from files: every form and compression in, what the store then says of them, and what is refused.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
NL=$'\n'
store=${XDG_DATA_HOME:-$HOME/.local/share}/sdpod

# --- every form and compression
for kind in oci-archive oci docker-archive; do
        for compression in gzip zstd none; do
                [[ $kind == docker-archive && $compression != gzip ]] && continue
                if [[ $compression == zstd ]] && why=$(lacks_program zstd); then
                        skip "load of $kind with $compression layers" "$why"
                        continue
                fi
                file=$(image_file busybox $kind $compression)
                run sdpod load -i "$file"
                like "$status:$out" "^0:.*Loaded image.*: localhost/busybox:latest" "load of $kind with $compression layers"
                run sdpod run --rm --network none localhost/busybox echo runs
                is "$out" runs "... which runs"
                run sdpod rmi localhost/busybox
                exits 0 "... and is removed"
        done
done
run_with "$(image_file busybox)" sdpod load
like "$out" "localhost/busybox:latest" "load reads stdin"

# --- what skopeo and buildah write
if why=$(lacks_program skopeo); then
        skip "images written by skopeo" "$why"
else
        skopeo copy -q "oci-archive:$(image_file layers)" "docker-archive:$T/skopeo.tar:localhost/by-skopeo:1"
        run sdpod load -i "$T/skopeo.tar"
        like "$out" "localhost/by-skopeo:1" "a docker-archive written by skopeo"
        skopeo copy -q "oci-archive:$(image_file layers)" "oci-archive:$T/skopeo-oci.tar:localhost/by-skopeo:2"
        run sdpod load -i "$T/skopeo-oci.tar"
        like "$out" "localhost/by-skopeo:2" "an OCI archive written by skopeo"
        run sdpod run --rm --network none localhost/by-skopeo:2 cat /data/last
        is "$out" last "... runs"
fi

# --- layers on top of each other
image_load layers
run sdpod run --rm --network none localhost/layers sh -c 'pwd; id -u; echo $COLOUR; cat kept replaced last; ls'
is "$out" "/data${NL}1000${NL}blue${NL}kept${NL}new${NL}last${NL}kept${NL}last${NL}replaced" "directory, user, environment, entrypoint and upper layers of the image"
run sdpod run --rm --network none -u root localhost/layers sh -c \
        'cd /; ls opaque gone; cat becomes-file becomes-dir/inside; stat -c "%u:%g %a" owned; stat -c %a suid sticky; stat -c %Y time; stat -c %h hard-a; readlink soft; test -p fifo && echo fifo; printf %s n* | od -An -c -N4'
is "$out" "gone:${NL}again${NL}${NL}opaque:${NL}shown${NL}now a file${NL}inside${NL}1000:2000 640${NL}4755${NL}1777${NL}1000000000${NL}2${NL}data/kept${NL}fifo${NL}   n 303 244   m" \
        "whiteouts, opaque directories, replaced kinds, owners, modes, times, links and odd names"
ok "the store is the user's alone" test "$(stat -c %a "$store")" = 700

# --- images, tag, inspect, rmi
run sdpod images
like "$out" "^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE" "images has Podman's columns"
like "$out" "localhost/busybox +latest +[0-9a-f]{12} " "... and the image"
run sdpod images -q --no-trunc localhost/busybox
like "$out" "^sha256:[0-9a-f]{64}$" "images -q --no-trunc"
id=${out#sha256:}
run sdpod images --format '{{.Repository}}:{{.Tag}} {{.ID}}' localhost/busybox
is "$out" "localhost/busybox:latest ${id:0:12}" "images --format"
run sdpod image inspect localhost/busybox --format '{{.Id}} {{.Architecture}} {{.Os}} {{json .Config.Cmd}}'
like "$out" "^$id [a-z0-9]+ linux \[\"sh\"\]" "image inspect --format"
run sdpod tag localhost/busybox other:1 localhost/third
run sdpod images -q --filter reference=localhost/third
is "$out" "${id:0:12}" "tag gives another name"
run sdpod run --rm --network none busybox echo short
is "$out" short "a short name finds localhost/"
run sdpod run --rm --network none "${id:0:12}" echo by ID
is "$out" "by ID" "so does the ID"
run sdpod rmi localhost/third other:1
run sdpod image exists localhost/busybox
exits 0 "rmi of a name leaves the image under its others"
sdpod create --name holder --network none localhost/busybox true >/dev/null
run sdpod rmi localhost/busybox
exits 2 "rmi of an image in use is refused"
sdpod rm holder >/dev/null
run sdpod rmi localhost/no-such
exits 1 "rmi of what does not exist"

# --- names that are gone
sdpod tag localhost/busybox localhost/hist:1 localhost/hist:2
sdpod untag localhost/busybox localhost/hist:1
like "$(sdpod images --history --filter reference=localhost/hist:2)" "HISTORY.*localhost/hist:2, localhost/hist:1, .*localhost/busybox:latest" "images --history"
is "$(sdpod image inspect localhost/busybox --format '{{index .NamesHistory 0}} {{index .NamesHistory 1}}')" "localhost/hist:2 localhost/hist:1" "... NamesHistory of inspect"
sdpod rmi localhost/hist:2 >/dev/null
unlike "$(sdpod images)" "HISTORY" "... only where it is asked for"
echo garbage >"$HOME/.local/share/sdpod/images/names.json"
run sdpod images --history
exits 0 "... a damaged one is none"
sdpod tag localhost/busybox localhost/hist:3
is "$(sdpod images --format '{{.History}}' --filter reference=localhost/hist:3 | sort -u | grep -c hist:3)" 1 "... and made anew"
sdpod rmi localhost/hist:3 >/dev/null

# --- import
mkdir -p "$T/root/bin"
cp /bin/busybox "$T/root/bin/sh"
tar -C "$T/root" -cf "$T/root.tar" .
run sdpod import "$T/root.tar" localhost/imported:1
exits 0 "import of a root file system"
cat >"$T/web.py" <<'P'
import http.server, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *args): pass
    def do_GET(self):
        where = {'/moved': '/root.tar', '/loop': '/loop', '/file': 'file:///etc/passwd'}.get(self.path)
        data = open(sys.argv[1], 'rb').read()
        if where:
            self.send_response(302)
            self.send_header('Location', where)
            self.end_headers()
        elif self.path in ('/root.tar', '/cut'):
            self.send_response(200)
            self.send_header('Content-Length', str(len(data)))
            self.end_headers()
            self.wfile.write(data if self.path == '/root.tar' else data[:len(data) // 2])
        else:
            self.send_error(404, 'gone \x1b[31m')
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
P
python3 "$T/web.py" "$T/root.tar" >"$T/web.port" &
at_end kill $!
until_ok 10 test -s "$T/web.port"
web=http://127.0.0.1:$(<"$T/web.port")
imported=$out
run sdpod import "$web/moved" localhost/fetched:1
exits 0 "import from a server, behind a redirect"
is "$(sdpod image inspect --format '{{.RootFS.Layers}}' localhost/fetched:1)" "$(sdpod image inspect --format '{{.RootFS.Layers}}' "$imported")" "... is the same file system"
for path in nothing loop file cut; do
        run sdpod import "$web/$path" localhost/none:1
        exits 125 "... not of /$path"
done
unlike "$err" $'\e' "... whose words do not reach the terminal"
run sdpod import "https://${web#http://}/root.tar" localhost/none:1
exits 125 "... nor without TLS where that was said"
run sdpod import "http://somebody:hunter2@${web#http://}/nothing" localhost/none:1
like "$status$err" "^125.*http://\\*\\*\\*@" "... nor is a password said that is in the address"
unlike "$err" hunter2 "... anywhere"
run sdpod import "ftp://127.0.0.1/x" localhost/none:1
exits 125 "... nor by other protocols"
run sdpod image exists localhost/none:1
exits 1 "... and nothing is there"
sdpod rmi localhost/fetched:1 >/dev/null
run sdpod run --rm --network none localhost/imported:1 /bin/sh -c 'echo imported'
is "$out" imported "... runs"

# --- load is all or nothing
sdpod rmi -a -f >/dev/null
before=$(cd "$store" && find . -type f -o -type l | grep -v lock | sort)
file=$(image_file busybox)
bad() { # NAME: a damaged archive in $T/bad.tar is refused, in one line and without a trace
        run sdpod load -i "$T/bad.tar"
        exits 125 "$1 is refused"
        is "$(wc -l <<<"$err"):$(sdpod images -q)" "1:" "... in one line, and no image is there"
}
head -c 500000 "$file" >"$T/bad.tar"
bad "a truncated archive"
python3 - "$file" "$T" <<'END'
import sys, os, tarfile
os.makedirs(sys.argv[2] + "/layout")
tarfile.open(sys.argv[1]).extractall(sys.argv[2] + "/layout")
END
layout=$T/layout
blobs=$layout/blobs/sha256
largest=$(find "$blobs" -type f -printf '%s %f\n' | sort -n | tail -n 1 | cut -d' ' -f2)
repack() { tar -C "$layout" -cf "$T/bad.tar" .; }
cp "$blobs/$largest" "$T/layer"
printf 'X' | dd of="$blobs/$largest" bs=1 seek=300000 conv=notrunc status=none
repack
bad "a layer with one byte changed"
cp "$T/layer" "$blobs/$largest"
printf 'more' >>"$blobs/$largest"
repack
bad "a layer with bytes after its end"
rm "$blobs/$largest"
repack
bad "a layer that is missing"
ln -s /etc/passwd "$blobs/$largest"
repack
bad "a layer that is a symlink"
rm "$blobs/$largest"
mkfifo "$blobs/$largest"
repack
bad "a layer that is a FIFO"
run sdpod load -i "$layout"
exits 125 "... in a layout directory, too"
rm "$blobs/$largest"
cp "$T/layer" "$blobs/$largest"
cp "$layout/index.json" "$T/index"
for damage in '' '{' '[]' 'null' '{"schemaVersion":2}' '{"schemaVersion":2,"manifests":[]}' '{"schemaVersion":2,"manifests":[{"digest":"sha256:../../../../etc/passwd","size":1,"mediaType":"application/vnd.oci.image.manifest.v1+json"}]}'; do
        printf '%s' "$damage" >"$layout/index.json"
        repack
        bad "an index of '$damage'"
done
python3 -c 'print("[" * 200000)' >"$layout/index.json"
repack
bad "an index nested 200,000 deep"
sed 's/"size":[0-9]*/"size":-1/' "$T/index" >"$layout/index.json"
repack
bad "a negative size"
sed 's/"size":[0-9]*/"size":7/' "$T/index" >"$layout/index.json"
repack
bad "a wrong size"
cp "$T/index" "$layout/index.json"
echo "no tar at all" >"$T/bad.tar"
bad "a text file"
run sdpod load -i "$T/not-there.tar"
exits 125 "a file that is not there"
after=$(cd "$store" && find . -type f -o -type l | grep -v lock | sort)
is "$after" "$before" "all that left no file in the store"
run sdpod load -q -i "$file"
run sdpod run --rm --network none busybox echo fine
is "$out" fine "and the sound archive loads after it"

finish
