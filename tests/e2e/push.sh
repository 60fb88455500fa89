#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# push and manifest lists against Debian's docker-registry with TLS and a password; save, load and the other transports, with
# skopeo and podman as readers and writers.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/registry.sh
. "$TESTS/lib/registry.sh"
why=$(lacks_program docker-registry skopeo htpasswd openssl) && skip_all "$why"
RUN_TIMEOUT=180
cd "$T" || exit 99
sdpod system reset -f >/dev/null
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load layers || { cat "$T/image_load"; exit 99; }
registry_start main || skip_all "docker-registry does not start"
registry_trust
AUTH=(--creds "$REGISTRY_USER:$REGISTRY_PASSWORD")
TLS=(--cert-dir "$REGISTRY_DIR/certs.d/$REGISTRY")
# what skopeo says of an image of the registry; a program, so that `run` can run it
# shellcheck disable=SC2016  # for the program to expand
printf '#!/bin/bash\nexec skopeo "$1" %s "${@:2}"\n' "${AUTH[*]} ${TLS[*]}" >"$T/sk"
chmod +x "$T/sk"
PATH=$T:$PATH
image_id() { sdpod image inspect "$1" --format '{{.Id}}'; }
uploads() { registry_requests PUT /blobs/uploads/; }
LAYERS=$(image_id localhost/layers) BUSYBOX_ID=$(image_id localhost/busybox)

# --- push
run sdpod push "${AUTH[@]}" "${TLS[@]}" --digestfile digest localhost/layers "$REGISTRY/a/layers:1"
exits 0 "push to a registry with TLS and a password"
like "$err" "Copying blob sha256:[0-9a-f]{64}.*Copying config sha256:$LAYERS.*Writing manifest to image destination" "... says what it does"
is "$(<digest)" "$(sk inspect --format '{{.Digest}}' "docker://$REGISTRY/a/layers:1")" "--digestfile is the digest that skopeo inspect sees"
run sdpod push "${AUTH[@]}" "${TLS[@]}" -q --digestfile /dev/stdout localhost/layers "$REGISTRY/a/layers:1"
is "$status:$out" "0:$(<digest)" "... which may be in another directory, on another file system"
run sk inspect --raw "docker://$REGISTRY/a/layers:1"
like "$out" "\"sha256:$LAYERS\".*tar\+gzip" "... the image keeps its ID, its layers are gzip"
run skopeo copy -q --src-creds "${AUTH[1]}" --src-cert-dir "${TLS[1]}" "docker://$REGISTRY/a/layers:1" "oci:copy:x"
exits 0 "skopeo copies it"
run sdpod pull -q oci:copy:x
is "$out" "$LAYERS" "... and what it copied is the same image"

# --- on a terminal
sdpod run --name big --network none localhost/busybox sh -c 'head -c 60000000 /dev/urandom >/big'
sdpod commit -q big localhost/big >/dev/null
sdpod rm big >/dev/null
timeout 120 script -qefc "stty cols 100; sdpod push ${AUTH[*]} ${TLS[*]} localhost/big $REGISTRY/a/big" "$T/terminal" </dev/null >/dev/null 2>&1
is $? 0 "a push on a terminal"
like "$(tr -d '\r' <"$T/terminal")" "Copying blob [0-9a-f]{12} .*B / [0-9.]+MiB.*Total .*/s.*Copying blob [0-9a-f]{12} done.*Writing manifest" "... draws the progress of each layer"
sdpod rmi localhost/big >/dev/null

before=$(uploads)
run sdpod push -q "${AUTH[@]}" "${TLS[@]}" localhost/layers "docker://$REGISTRY/a/layers:2"
is "$status:$err:$(uploads)" "0::$before" "a second push sends nothing, and -q says nothing"
run sdpod push -q "${AUTH[@]}" "${TLS[@]}" localhost/layers "$REGISTRY/b/layers"
is "$status:$(uploads)" "0:$((before + 1))" "another repository gets the layers from the first: only the config is sent"
is "$(sk inspect --format '{{.Digest}}' "docker://$REGISTRY/b/layers")" "$(<digest)" "... with the same digest"

run sdpod tag localhost/layers "$REGISTRY/c/layers:3"
run sdpod push -q "${AUTH[@]}" "${TLS[@]}" "$REGISTRY/c/layers:3"
exits 0 "without a destination an image goes where its name says"
run sdpod push -q "${AUTH[@]}" "${TLS[@]}" localhost/layers
exits 125 "... and one below localhost finds no registry there"

run sdpod push -q --retry 0 localhost/layers
like "$status$err" "^125.*hint: .*sdpod push localhost/layers REGISTRY/NAME" "a name of this machine without a destination"
run sdpod push -q "${AUTH[@]}" "${TLS[@]}" --compression-format zstd --force-compression localhost/layers "$REGISTRY/a/layers:z"
like "$status:$(sk inspect --raw "docker://$REGISTRY/a/layers:z")" "^0:.*tar\+zstd" "--compression-format zstd --force-compression"
run skopeo copy -q --src-creds "${AUTH[1]}" --src-cert-dir "${TLS[1]}" "docker://$REGISTRY/a/layers:z" dir:copy-z
exits 0 "... which skopeo can read"
run sdpod push -q "${AUTH[@]}" "${TLS[@]}" --format v2s2 localhost/layers "$REGISTRY/a/layers:d"
like "$(sk inspect --raw "docker://$REGISTRY/a/layers:d")" "\"sha256:$LAYERS\".*rootfs.diff.tar.gzip.*docker.distribution.manifest.v2" "--format v2s2"
run sdpod push -q "${AUTH[@]}" "${TLS[@]}" --compression-level 9 --force-compression localhost/busybox "$REGISTRY/a/busybox:9"
run sdpod push -q "${AUTH[@]}" "${TLS[@]}" --compression-level 1 --force-compression localhost/busybox "$REGISTRY/a/busybox:1"
size() { sk inspect --raw "docker://$REGISTRY/a/busybox:$1" | python3 -c 'import json,sys; print(json.load(sys.stdin)["layers"][0]["size"])'; }
ok "--compression-level 9 makes less of it than 1" test "$(size 9)" -lt "$(size 1)"

run sdpod push "${TLS[@]}" --creds nobody:wrong localhost/layers "$REGISTRY/a/layers:1"
exits 125 "a wrong password"
unlike "$err" wrong "... which is not printed"
run sdpod push "${AUTH[@]}" localhost/layers localhost:1/a/layers
like "$status:$err" "125:.*cannot reach" "nobody listens"
for refused in "--sign-by x" "--compression-format zstd:chunked" "--compression-format lzma" "--format v2s1" "--compress" \
        "--compression-level 30" "--encryption-key x"; do
        # shellcheck disable=SC2086
        run sdpod push "${AUTH[@]}" "${TLS[@]}" $refused localhost/layers "$REGISTRY/a/layers:no"
        like "$status:$err" "^125:sdpod: cannot" "push $refused is refused"
done
run sk inspect "docker://$REGISTRY/a/layers:no"
exits 1 "... and nothing was pushed by any of them"

# --- podman pulls what was pushed
if why=$(lacks_program podman); then
        skip "podman pulls and runs it" "$why"
else
        P=(podman --storage-driver vfs --root "$T/podman" --runroot "$T/podman-run" --cgroup-manager cgroupfs)
        at_end podman unshare rm -rf "$T/podman"
        run "${P[@]}" pull -q "${AUTH[@]}" "${TLS[@]}" "$REGISTRY/a/layers:1"
        is "$out" "$LAYERS" "podman pulls it, with the same ID"
        run "${P[@]}" run --rm --network none "$REGISTRY/a/layers:1" cat /data/last
        is "$out" last "... and runs it"
        for format in docker-archive oci-archive oci-dir docker-dir; do
                run sdpod save --format $format -o "saved-$format" localhost/layers
                run "${P[@]}" load -q -i "saved-$format"
                run "${P[@]}" image exists "$LAYERS"
                exits 0 "podman loads what sdpod saved as $format, with the same ID"
                run "${P[@]}" save -q --format $format -o "podman-$format" "$LAYERS"
                sdpod rmi -f localhost/layers localhost/x "$REGISTRY/c/layers:3" >/dev/null 2>&1
                run sdpod load -i "podman-$format"
                run sdpod image exists "$LAYERS"
                exits 0 "... and the other way round"
                sdpod tag "$LAYERS" localhost/layers
        done
fi

# --- other transports
run sdpod push localhost/busybox "docker-archive:$T/x.tar:foo:1"
run sdpod push localhost/busybox "docker-archive:$T/x.tar:foo:1"
like "$status:$err" "125:.*there is a file already" "a docker-archive is not written over"
for transport in "docker-archive:$T/x.tar" "oci:$T/x.oci:one" "oci-archive:$T/x.oa:one" "dir:$T/x.dir"; do
        [[ $transport == docker-archive* ]] || run sdpod push -q localhost/busybox "$transport"
        run skopeo inspect --config --raw "$transport"
        is "$(sha256sum <<<"$out" | cut -c1-64)" "$(skopeo inspect --config --raw "oci-archive:$(image_file busybox)" | { IFS= read -r -d '' a; printf '%s\n' "$a"; } | sha256sum | cut -c1-64)" \
                "push to ${transport%%:*}: has the image's config"
        run sdpod pull -q "$transport"
        is "$out" "$BUSYBOX_ID" "... and pull takes it back"
done
run sdpod push -q localhost/layers "oci:$T/x.oci:two"
is "$(skopeo list-tags "oci:$T/x.oci" 2>/dev/null || python3 -c 'import json,sys; print(sorted(m["annotations"]["org.opencontainers.image.ref.name"] for m in json.load(open(sys.argv[1]))["manifests"]))' x.oci/index.json)" \
        "['one', 'two']" "a second image joins the first in oci:"
run sdpod pull "oci:$T/x.oci"
like "$status:$err" "125:.*there are 2 images in it.*hint: name one" "... and then a name is needed"
run sdpod push localhost/busybox docker-daemon:x
like "$status:$err" "125:.*does not speak to a Docker daemon" "docker-daemon: is refused by name"
run sdpod save --format docker-dir --compress -o c.dir localhost/busybox
like "$status:$(<c.dir/manifest.json)" "^0:.*tar.gzip" "save --format docker-dir --compress"
run sdpod save --compress -o c.tar localhost/busybox
exits 125 "--compress is refused for others"
run sdpod load -i c.dir
like "$out" "Loaded image: sha256:$BUSYBOX_ID" "load reads a directory of dir:"
printf x >>"$(find c.dir -size +100k)"
sdpod rmi -af >/dev/null
run sdpod load -i c.dir
like "$status:$err" "125:.*damaged" "... and checks it"
image_load busybox
image_load layers
run sdpod save -m -o many.tar localhost/busybox localhost/layers
run sdpod load -i many.tar
like "$out" "localhost/busybox:latest.*localhost/layers:latest" "several images in one archive"

mkdir -p ~/.config/containers
at_end rm -f ~/.config/containers/policy.json
cat >~/.config/containers/policy.json <<END
{"default": [{"type": "insecureAcceptAnything"}], "transports": {"oci": {"$T": [{"type": "reject"}]}}}
END
run sdpod pull oci:x.oci:one
like "$status:$err" "125:.*reject" "policy.json holds for directories, whatever the path is called"
run sdpod load -i x.oci
exits 125 "... for load as well"
run sdpod pull -q dir:x.dir
exits 0 "... and not for others"
rm ~/.config/containers/policy.json

# --- manifest lists
run sdpod manifest create list
like "$status:$out" "^0:[0-9a-f]{64}$" "manifest create prints an ID"
id=$out
run sdpod manifest create list
exits 125 "... and refuses a name that is taken"
run sdpod manifest create --amend list
is "$out" "$id" "... unless --amend says so"
run sdpod manifest add --arch arm64 --variant v8 --annotation a=b list localhost/busybox
is "$status:$out" "0:$id" "manifest add of an image of the store"
run sdpod manifest add "${AUTH[@]}" "${TLS[@]}" list "docker://$REGISTRY/a/layers:1"
is "$status:$out" "0:$id" "... and of one of a registry"
run sdpod manifest inspect no-such-short-name
is "$status:$(grep -c "cannot reach" <<<"$err")" 125:0 "manifest inspect of a short name asks no registry that nobody named"
run sdpod manifest inspect "${id:0:12}"
like "$out" '"architecture": "arm64",.*"variant": "v8".*"a": "b".*"architecture": "amd64"' "manifest inspect, by ID"
unlike "$out" "sdpod" "... shows nothing of ours"
run sdpod manifest annotate --os-version 1 list "$(<digest)"
run sdpod manifest inspect list
like "$out" '"os.version": "1"' "manifest annotate"
run sdpod images --format '{{.Repository}} {{.ID}}'
like "$out" "localhost/list ${id:0:12}" "images has the list"
run sdpod manifest exists list
exits 0 "manifest exists"
run sdpod manifest exists nolist
exits 1 "... or not"
run sdpod manifest exists localhost/busybox
exits 125 "... and an image is none"
run sdpod manifest push "${AUTH[@]}" "${TLS[@]}" --digestfile list-digest list "docker://$REGISTRY/a/list:1"
exits 0 "manifest push"
is "sha256:$(sk inspect --raw "docker://$REGISTRY/a/list:1" | sha256sum | cut -c1-64)" "$(<list-digest)" "... and its digest"
run skopeo copy -q --all --src-creds "${AUTH[1]}" --src-cert-dir "${TLS[1]}" "docker://$REGISTRY/a/list:1" dir:all
exits 0 "skopeo copies all of it"
for arch in arm64 amd64; do
        run sk inspect --override-arch $arch --override-os linux --config "docker://$REGISTRY/a/list:1"
        exits 0 "skopeo finds the image for $arch"
done
if [[ -v P ]]; then
        run "${P[@]}" pull -q "${AUTH[@]}" "${TLS[@]}" "$REGISTRY/a/list:1"
        is "$out" "$LAYERS" "podman pulls the one for this machine"
        run "${P[@]}" pull -q --arch arm64 "${AUTH[@]}" "${TLS[@]}" "$REGISTRY/a/list:1"
        is "$out" "$BUSYBOX_ID" "... and the other one"
fi
run sdpod rmi localhost/busybox
run sdpod manifest push -q oci-no list
exits 125 "no such list"
run sdpod manifest push -q "${AUTH[@]}" "${TLS[@]}" list "oci:$T/l.oci:x"
exits 0 "an image that a list needs outlives its names"
run skopeo copy -q --all "oci:$T/l.oci:x" dir:all2
exits 0 "... and the list is whole"
run sdpod system check
exits 0 "system check finds nothing wrong with a list"
run sdpod manifest remove list "$(<digest)"
run sdpod manifest inspect list
unlike "$out" "$(<digest)" "manifest remove"
run sdpod manifest create "${AUTH[@]}" "${TLS[@]}" --all two "docker://$REGISTRY/a/list:1"
run sdpod manifest inspect two
like "$out" "arm64.*amd64" "manifest create --all of a list of a registry"
run sdpod manifest push -q --rm "${AUTH[@]}" "${TLS[@]}" two "docker://$REGISTRY/d/list"
is "$status:$(sk inspect --raw "docker://$REGISTRY/d/list" | sha256sum)" "0:$(sk inspect --raw "docker://$REGISTRY/a/list:1" | sha256sum)" \
        "a list goes from registry to registry unchanged"
run sdpod manifest exists two
exits 1 "... and --rm removes it"
run sdpod manifest rm list localhost/layers
exits 125 "manifest rm of an image is refused"
like "$out" "Untagged: localhost/list:latest.*Deleted: $id" "... and the list is gone"
run sdpod image exists localhost/layers
exits 0 "... and the image is not"
finish
