#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Pulling from Debian's docker-registry: names, digests, platforms, policies; what is fetched, shown, kept and left behind.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/registry.sh
. "$TESTS/lib/registry.sh"
if why=$(lacks_program skopeo docker-registry); then skip_all "$why"; fi
NL=$'\n'
store=${XDG_DATA_HOME:-$HOME/.local/share}/sdpod
runtime=${XDG_RUNTIME_DIR:-/run/user/$UID}/sdpod

sdpod rmi -fa >/dev/null 2>&1 # of an earlier run
registry_start main --http --anonymous
registry_push "oci-archive:$(image_file busybox)" test/busybox:latest
registry_push "oci-archive:$(image_file layers)" test/layers:1
image=$REGISTRY/test/busybox
insecure=--tls-verify=false

blobs_fetched() { # [REPOSITORY]
        registry_requests GET "${1:-}/blobs/"
}

nothing_temporary() {
        [[ -z $(find "$store" "$store/images" "$store/layers" "$store/images/blobs/sha256" -maxdepth 1 -name '.tmp-*') &&
                -z $(ls "$runtime/pulls" 2>/dev/null) ]]
}

# --- a tag
run sdpod pull $insecure "$image"
exits 0 "an image is pulled"
like "$err" "Trying to pull $image:latest\\.\\.\\.$NL.*Copying blob sha256:[0-9a-f]{64}$NL.*Copying config sha256:.*Writing manifest" \
        "... what goes on is on stderr"
like "$out" "^[0-9a-f]{64}$" "... the ID alone is on stdout"
id=$out
is "$(blobs_fetched test/busybox)" 2 "... a layer and a config were fetched"
is "$id" "$(skopeo inspect --tls-verify=false --raw --config "docker://$image" | sha256sum | cut -d' ' -f1)" "... it is the config's digest"
run sdpod run --rm --network none "$image" echo runs
is "$out" runs "... and it runs"
ok "... nothing temporary stays" nothing_temporary
before=$(blobs_fetched test/busybox)
run sdpod pull $insecure "docker://$image:latest"
is "$status:$out" "0:$id" "docker:// before the name; what is here already is pulled again"
is "$(blobs_fetched test/busybox)" "$before" "... and no blob is fetched"
run sdpod pull -q $insecure "$image"
is "$status:$out:$err" "0:$id:" "-q prints the ID and nothing else"
run sdpod pull $insecure "$image" "$REGISTRY/test/layers:1"
like "$status:$out" "^0:$id${NL}[0-9a-f]{64}$" "two images, two IDs"
run sdpod image pull -q $insecure "$image"
is "$out" "$id" "image pull"

# --- a digest, and RepoDigests
digest=$(skopeo inspect --tls-verify=false "docker://$image" --format '{{.Digest}}')
run sdpod rmi "$image"
run sdpod pull -q $insecure "$image@$digest"
is "$status:$out" "0:$id" "by digest"
run sdpod images --format '{{.Repository}} {{.Tag}} {{.Digest}}' --filter "id=$id"
like "$out" "^$image <none> $digest$" "... it has no tag"
run sdpod inspect --format '{{.RepoTags}} {{.RepoDigests}}' "$id"
is "$out" "[] [$image@$digest]" "... RepoDigests has it"
run sdpod run --rm --network none "$image@$digest" echo by digest
is "$out" "by digest" "... it runs by digest"
run sdpod run --rm --network none --pull never "$image" true
exits 125 "... the tag is not here"
run sdpod pull -q $insecure "$image"
run sdpod inspect --format '{{.RepoTags}} {{.RepoDigests}}' "$image"
is "$out" "[$image:latest] [$image@$digest]" "... and the tag comes beside it"
run sdpod rmi "$id"
exits 2 "... an ID with two names is not removed without --force"
run sdpod rmi -f "$id"
exits 0 "... with it, it is"

# --- an index
index=$T/index
python3 "$TESTS/e2e/pull-index.py" "$(image_file busybox)" "$index"
registry_push "oci:$index:multi" test/multi:1
multi=$REGISTRY/test/multi
run sdpod pull -q $insecure "$multi:1"
exits 0 "from an index this machine's image is taken"
run sdpod inspect --format '{{.Architecture}} {{len .RepoDigests}}' "$multi:1"
is "$out" "$(dpkg --print-architecture) 2" "... with the digests of both, image and index"
index_digest=$(skopeo inspect --tls-verify=false --raw "docker://$multi:1" | sha256sum | cut -d' ' -f1)
run sdpod run --rm --network none --pull never "$multi@sha256:$index_digest" echo by index
is "$out" "by index" "... it is found by the index's digest"
for platform in linux/s390x linux/arm/v7 linux/arm/v6; do
        run sdpod pull -q $insecure --platform $platform "$multi:1"
        exits 0 "--platform $platform"
        run sdpod inspect --format '{{.Os}}/{{.Architecture}} {{index .Config.Labels "which"}}' "$out"
        is "$out" "linux/$(cut -d/ -f2 <<<$platform) $platform" "... is the one that is taken"
done
run sdpod pull -q $insecure --arch aarch64 "$multi:1"
arm=$out
run sdpod pull -q $insecure --arch arm64 --variant v8 "$multi:1"
is "$status:$out" "0:$arm" "--arch and --variant"
run sdpod pull $insecure --arch riscv64 "$multi:1"
like "$status:$err" "^125:.*no image in it is for linux/riscv64" "an architecture that it has not"
run sdpod pull $insecure --arch arm64 --platform linux/amd64 "$multi:1"
exits 125 "--arch and --platform do not go together"
run sdpod pull -q $insecure "$multi@sha256:$index_digest"
exits 0 "by the index's digest"
run sdpod run --rm --network none --pull never "$multi@sha256:$index_digest" echo again
is "$out" again "... and found by it"

# --- policies
run sdpod run $insecure --rm --network none "$image" echo pulled
is "$status:$out" "0:pulled" "run pulls what is missing, and its stdout is the container's"
like "$err" "Trying to pull" "... the progress is on stderr"
before=$(registry_requests GET test/busybox)
run sdpod run $insecure --rm --network none "$image" true
is "$err:$(registry_requests GET test/busybox)" ":$before" "... what is here is not asked for"
run sdpod run $insecure --rm --network none --pull missing "$image" true
is "$status:$err:$(registry_requests GET test/busybox)" "0::$before" "... nor with --pull=missing"
run sdpod run $insecure --rm --network none --pull always -q "$image" true
is "$status:$err" "0:" "--pull=always -q"
ok "... asks the registry" test "$(registry_requests GET test/busybox)" -gt "$before"
run sdpod create $insecure --pull newer -q "$image" true
exits 0 "create --pull=newer"
sdpod rm "$out" >/dev/null
run sdpod run --rm --network none --pull never "$REGISTRY/test/layers:2" true
like "$status:$err" "^125:.*no such image" "--pull=never"
run sdpod run $insecure --rm --network none "$REGISTRY/test/nosuch" true
like "$status:$(grep -c "cannot pull" <<<"$err"):$err" "^125:1:.*cannot pull '$REGISTRY/test/nosuch'" "what cannot be pulled is told once"
run sdpod pull $insecure --policy missing -q "$image"
is "$out" "$id" "pull --policy=missing"
run sdpod pull --policy never "$REGISTRY/test/nosuch"
exits 125 "pull --policy=never"
run sdpod pull --policy sometimes "$image"
exits 125 "another policy is refused"
registry_push "oci-archive:$(image_file layers)" test/busybox:latest
run sdpod pull $insecure -q --policy newer "$image"
like "$out" "^[0-9a-f]{64}$" "--policy=newer pulls what has changed"
unlike "$out" "$id" "... it is another image"
new=$out
run sdpod pull -q --retry 0 --policy newer "localhost:1/test/busybox"
exits 125 "... and fails where there is neither registry nor image"
sdpod tag "$new" localhost:1/test/busybox
run sdpod pull -q --retry 0 --policy newer "localhost:1/test/busybox"
like "$status:$out:$err" "^0:$new:.*using the image that is here" "... what is here does where the registry cannot be asked"

# --- all tags
for tag in a b c; do registry_push "oci-archive:$(image_file busybox)" test/tags:$tag; done
run sdpod pull -q $insecure --all-tags "$REGISTRY/test/tags"
is "$status:$out" "0:$id$NL$id$NL$id" "--all-tags"
run sdpod images --format '{{.Tag}}' "$REGISTRY/test/tags"
is "$(sort <<<"$out")" "a${NL}b${NL}c" "... all are here"
run sdpod pull $insecure --all-tags "$REGISTRY/test/tags:a"
exits 125 "... a tag beside it is refused"

# --- what is refused
run sdpod pull --decryption-key=/x "$image"
like "$status:$err" "^125:.*--decryption-key" "--decryption-key is refused by name"
run sdpod pull $insecure --disable-content-trust -q "$image"
exits 0 "--disable-content-trust does nothing"
run sdpod pull "$image:"
exits 125 "a broken name"
run sdpod pull "oci-archive:/tmp/x.tar"
exits 125 "another transport"

# --- many at once
run sdpod rmi -fa
is "$status:$(ls "$store/images/blobs/sha256")" 0: "all images are removed"
before=$(registry_requests GET test/layers/blobs/)
for i in {1..20}; do sdpod pull -q $insecure "$REGISTRY/test/layers:1" >"$T/many.$i" 2>&1 & pids[i]=$!; done
failed=0
for i in {1..20}; do wait "${pids[i]}" || failed=$((failed + 1)); done
is "$failed:$(sort -u "$T"/many.* | wc -l)" 0:1 "twenty pulls of one image at once"
is "$(($(registry_requests GET test/layers/blobs/) - before))" \
        "$(skopeo inspect --tls-verify=false --raw "docker://$REGISTRY/test/layers:1" | grep -oE 'sha256:[0-9a-f]{64}' | sort -u | wc -l)" \
        "... make one download for each blob"
ok "... and nothing temporary stays" nothing_temporary
run sdpod run --rm --network none "$REGISTRY/test/layers:1" cat /data/last
is "$out" last "... it runs"

layers=$REGISTRY/test/layers:1
# --- a registry that is slow: Ctrl-C, a terminal, a service, other commands meanwhile
faulty_start
slow=$HTTP/slow-once/1
env --default-signal=INT sdpod pull $insecure "$slow" >"$T/slow.out" 2>"$T/slow.err" & # bash ignores it for what is behind "&"
pid=$!
until_ok 20 grep -q "Copying blob" "$T/slow.err"
ok "while a pull waits for its registry, images are listed" timeout 60 sdpod images -q
run sdpod run --rm --network none "$layers" true
exits 0 "... another image runs"
kill -INT $pid
wait $pid
is $? 130 "Ctrl-C ends it by the signal"
until_ok 10 nothing_temporary
ok "... nothing is left" nothing_temporary
until_ok 10 eval "! pgrep -u $UID -f 'sdpod-image.*slow'"
is "$(pgrep -u "$UID" -f 'sdpod-image.*slow')" "" "... no process either"
slow=$HTTP/slow-once/2
sdpod pull $insecure "$slow" >/dev/null 2>"$T/slow.err" &
pid=$!
until_ok 20 grep -q "Copying blob" "$T/slow.err"
kill -KILL $pid
wait $pid
until_ok 10 eval "! pgrep -u $UID -f 'sdpod-image.*slow'"
is "$(pgrep -u "$UID" -f 'sdpod-image.*slow')" "" "kill -9 of the command ends all of it"
run sdpod pull -q $insecure "$image"
ok "... and the next one removes what it left" nothing_temporary
slow=$HTTP/slow-once/3
timeout 300 script -qefc "stty cols 60; sdpod pull $insecure $slow" "$T/terminal" </dev/null >/dev/null 2>&1 &
pid=$!
until_ok 30 grep -aq "Total" "$T/terminal"
kill $pid
wait $pid
like "$(tr -d '\r' <"$T/terminal")" "Copying blob [0-9a-f]{12} .*B / [0-9.]+[KM]iB.*Total .*/s" "on a terminal the layers' progress is drawn"
is "$(sed 's/\x1b\[[0-9]*[A-Z]//g' "$T/terminal" | tr -d '\r' | grep -v '^Script' | awk 'length > 59 && /^(Copying|Total)/ && /B \//' | head -1)" "" \
        "... no line is wider than the terminal"
if [[ -S ${XDG_RUNTIME_DIR:-}/systemd/private ]]; then
        slow=$HTTP/slow/1
        timeout 60 systemd-run --user --quiet --wait -p Type=notify -p NotifyAccess=all -p TimeoutStartSec=2 -p RuntimeMaxSec=60 \
                --unit "pull-slow-$$" sh -c "timeout 6 sdpod pull $insecure $slow; systemd-notify --ready; sleep 1"
        is $? 0 "a service that pulls for longer than TimeoutStartSec= is not stopped as long as bytes come"
else
        skip "a service that pulls for longer than its TimeoutStartSec=" "there is no user manager"
fi

finish
