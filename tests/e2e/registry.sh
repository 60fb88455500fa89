#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pulls from Debian's docker-registry, with TLS and a password: every way to name an image, what the peers make of the same one,
# twenty pulls at once, pulls that are stopped or killed.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/registry.sh
. "$TESTS/lib/registry.sh"
if why=$(lacks_program docker-registry htpasswd openssl skopeo); then skip_all "$why"; fi
NL=$'\n'
store=${XDG_DATA_HOME:-$HOME/.local/share}/sdpod
sdpod rmi -af >/dev/null 2>&1
sdpod image prune -f >/dev/null
registry_start main || exit 99
registry_trust
registry_push "oci-archive:$(image_file busybox)" test/busybox:latest && registry_push "oci-archive:$(image_file busybox)" test/busybox:1 &&
        registry_push "oci-archive:$(image_file layers)" test/layers:latest && registry_push "oci-archive:$(image_file web)" test/web:latest || exit 99
python3 "$TESTS/lib/image.py" multi "$T/multi" && registry_push "oci:$T/multi:localhost/multi:latest" test/multi:latest || exit 99
manifest() { # REPOSITORY: its digest in the registry
        skopeo inspect --cert-dir "$REGISTRY_DIR/certs.d/$REGISTRY" --authfile "$REGISTRY_DIR/auth.json" --format '{{.Digest}}' "docker://$REGISTRY/$1"
}

# --- who may
run sdpod pull "$REGISTRY/test/busybox"
exits 125 "without a password nothing is pulled"
feed "$REGISTRY_PASSWORD" sdpod login -u "$REGISTRY_USER" --password-stdin "$REGISTRY"
like "$status:$out" "^0:Login Succeeded!" "login"
at_end sdpod logout "$REGISTRY"

# --- what is pulled
run sdpod pull "$REGISTRY/test/busybox"
exits 0 "pull"
like "$out" "^[0-9a-f]{64}$" "... prints the image's ID, and that alone, on stdout"
id=$out
run sdpod images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}'
like "$out" "^$REGISTRY/test/busybox:latest (sha256:)?$id$" "... and images lists it"
run sdpod run --rm --network none "$REGISTRY/test/busybox" echo runs
is "$out" runs "... which runs"
run sdpod image inspect --format '{{.Digest}} {{.RepoDigests}}' "$REGISTRY/test/busybox"
digest=$(manifest test/busybox)
is "$out" "$digest [$REGISTRY/test/busybox@$digest]" "... and knows the digest it had in the registry"
before=$(registry_requests GET /blobs/)
run sdpod pull -q "$REGISTRY/test/busybox:1"
is "$status:$out:$(registry_requests GET /blobs/)" "0:$id:$before" "another tag of the same image downloads no blob"
run sdpod pull -q "$REGISTRY/test/web"
is "$status:$(registry_requests GET /blobs/)" "0:$((before + 2))" "an image with a layer of ours takes its config and the other layer"
run sdpod pull -q "$REGISTRY/test/layers"
run sdpod run --rm --network none "$REGISTRY/test/layers" sh -c 'pwd; id -u; echo $COLOUR; cat kept replaced last; ls'
is "$out" "/data${NL}1000${NL}blue${NL}kept${NL}new${NL}last${NL}kept${NL}last${NL}replaced" "six layers are stacked in their order"
run sdpod run --rm --network none -d "$REGISTRY/test/web:latest"
exits 0 "run finds a pulled image without asking the registry"
sdpod rm -af >/dev/null
run sdpod run --rm --network none "$REGISTRY/test/busybox:nope" true
exits 125 "run of a tag that is not there"
sdpod rmi -af >/dev/null
run sdpod run --rm --network none "$REGISTRY/test/busybox" echo runs
is "$out" runs "run pulls what is missing"
run sdpod run --rm --network none --pull never "$REGISTRY/test/web" true
exits 125 "... but not with --pull never"

# --- digests
sdpod rmi -af >/dev/null
run sdpod pull -q "$REGISTRY/test/busybox@$digest"
is "$status:$out" "0:$id" "pull by digest"
run sdpod run --rm --network none "$REGISTRY/test/busybox@$digest" echo runs
is "$out" runs "... which runs by digest"
run sdpod pull -q "$REGISTRY/test/busybox:1@$digest"
exits 0 "a tag beside the digest does no harm"
run sdpod pull -q "$REGISTRY/test/busybox@sha256:$(printf %064d 1)"
exits 125 "a digest that is not there"

# --- indexes
run sdpod pull -q "$REGISTRY/test/multi"
run sdpod run --rm --network none "$REGISTRY/test/multi" cat /for
is "$out" "$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')" "of an index this machine's image is pulled"
sdpod rmi -af >/dev/null
run sdpod pull -q --arch s390x "$REGISTRY/test/multi"
run sdpod image inspect --format '{{.Os}}/{{.Architecture}}' "$REGISTRY/test/multi"
is "$out" linux/s390x "... or that of --arch"
run sdpod pull -q --platform linux/arm/v7 "$REGISTRY/test/multi"
run sdpod image inspect --format '{{.Os}}/{{.Architecture}}' "$REGISTRY/test/multi"
is "$out" linux/arm "... or that of --platform"
run sdpod pull -q --arch m68k "$REGISTRY/test/multi"
like "$status:$err" "^125:.*m68k" "an architecture that is not in it is named"
run sdpod pull -q --all-tags "$REGISTRY/test/busybox"
exits 0 "pull --all-tags"
run sdpod images --format '{{.Tag}}' "$REGISTRY/test/busybox"
is "$(sort <<<"$out" | xargs)" "1 latest" "... pulls every tag"

# --- policies
before=$(registry_requests '[A-Z]*')
run sdpod pull -q --policy missing "$REGISTRY/test/busybox"
is "$status:$(registry_requests '[A-Z]*')" "0:$before" "--policy missing asks nobody for what is there"
run sdpod pull -q --policy newer "$REGISTRY/test/busybox"
is "$status:$out:$(registry_requests GET /blobs/)" "0:$id:$(registry_requests GET /blobs/)" "--policy newer downloads nothing that is not newer"
registry_push "oci-archive:$(image_file web)" test/busybox:1
run sdpod pull -q --policy newer "$REGISTRY/test/busybox:1"
unlike "$out" "$id" "... but what is"
run sdpod image inspect --format '{{.Id}}' "$REGISTRY/test/busybox:latest"
is "$out" "$id" "... and leaves the other tag"

# --- the peers
if why=$(lacks_program podman); then
        skip "podman pulls the same image with the same ID" "$why"
else
        run podman --log-level=error pull -q "$REGISTRY/test/busybox"
        is "$out" "$id" "podman pulls the same image with the same ID, by the same login"
        run sdpod save -q --format oci-archive -o "$T/ours.tar" "$REGISTRY/test/busybox"
        podman rmi -af >/dev/null 2>&1
        run podman --log-level=error load -q -i "$T/ours.tar"
        run podman images -q --no-trunc
        is "$out" "sha256:$id" "podman loads what sdpod saved, with the same ID"
        podman save -q --format oci-archive -o "$T/theirs.tar" "$(podman images -q)" >/dev/null 2>&1
        sdpod rmi -af >/dev/null
        sdpod load -q -i "$T/theirs.tar" >/dev/null 2>&1
        run sdpod images -aq --no-trunc
        is "${out#sha256:}" "$id" "... and sdpod what podman saved"
        podman rmi -af >/dev/null 2>&1
fi

# --- twenty at once
sdpod rmi -af >/dev/null
before=$(registry_requests GET /blobs/)
for i in {1..20}; do
        sdpod pull -q "$REGISTRY/test/layers" >"$T/pull.$i" 2>&1 </dev/null &
done
wait
is "$(sort -u "$T"/pull.* | wc -l):$(registry_requests GET /blobs/)" "1:$((before + 7))" "twenty pulls at once make one download per blob"
run sdpod run --rm --network none "$REGISTRY/test/layers" cat last
is "$out" last "... and the image runs"

killed() { # all of the pull, at once
        pkill -KILL -u "$UID" -x sdpod-image
        wait $pid 2>/dev/null
        until_ok 20 eval '! pgrep -u "$UID" -x sdpod-image'
}

# --- what others do meanwhile (the faulty registry sends this layer over minutes, once)
faulty_start || exit 99
sdpod pull -q "$REGISTRY/test/busybox" >/dev/null
sdpod pull -q "$HTTPS/slow-once/1" >"$T/slow" 2>&1 </dev/null &
pid=$!
until_ok 20 grep -q ' GET /v2/slow-once/1/blobs' "$FAULTY/log"
others() { # WHEN
        run sdpod ps -a
        exits 0 "ps beside $1"
        run sdpod run --rm --network none "$REGISTRY/test/busybox" echo runs
        is "$out" runs "run beside $1"
        run sdpod images -q
        exits 0 "images beside $1"
        run sdpod pull -q "$REGISTRY/test/web"
        exits 0 "pull of another image beside $1"
        sdpod rmi "$REGISTRY/test/web" >/dev/null
}
others "a pull"
ok "... which still goes on" kill -0 $pid
pkill -STOP -u "$UID" -x sdpod-image
others "a pull that is stopped"
run sdpod pull -q "$HTTPS/slow-once/1"
exits 0 "a pull of the same image beside one that is stopped"
sdpod rmi "$HTTPS/slow-once/1" >/dev/null
pkill -CONT -u "$UID" -x sdpod-image
killed
run sdpod pull -q "$HTTPS/slow-once/1"
exits 0 "a pull takes over at once from one that was killed"

# --- a pull that was killed is gone on with: three of the four layers are there, the fourth stands still, once
sdpod rmi -f "$HTTPS/slow-once/1" >/dev/null
sdpod image prune -f >/dev/null
files() { (cd "$store" && find . -mindepth 1 ! -name '*lock*' -printf '%P\n' | sort); }
before=$(files)
layers() { files | grep -c '^layers/[0-9a-f]*$'; }
have=$(layers)
sdpod pull -q "$HTTPS/layers-hang/1" >"$T/hang" 2>&1 </dev/null &
pid=$!
until_ok 20 eval '(($(layers) >= have + 3))'
killed
asked=$(faulty_requests 'GET /v2/layers-hang/1/blobs')
run sdpod pull -q "$HTTPS/layers-hang/1"
exits 0 "a pull that was killed can be had again"
is "$(($(faulty_requests 'GET /v2/layers-hang/1/blobs') - asked))" 1 "... and downloads the layer that was missing, alone"
sdpod rmi -f "$HTTPS/layers-hang/1" >/dev/null
is "$(files)" "$before" "... and leaves nothing when it is removed"
sdpod pull -q "$HTTPS/layers-hang/2" >"$T/hang" 2>&1 </dev/null &
pid=$!
until_ok 20 eval '(($(layers) >= have + 3))'
killed
run sdpod image prune -f
is "$(files)" "$before" "prune frees what a killed pull left"
finish
