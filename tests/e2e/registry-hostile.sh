#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Registries that lie about what they have: nothing of it stays in the store, each lie costs one line, bounded memory, no hang.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/registry.sh
. "$TESTS/lib/registry.sh"
# shellcheck source=tests/lib/hostile-pull.sh
. "$TESTS/lib/hostile-pull.sh"
if why=$(lacks_program zstd openssl); then skip_all "$why"; fi
sdpod rmi -af >/dev/null 2>&1
faulty_start || exit 99
survived "a sound image is pulled" "$HTTPS/ok/1"
survived "... and a sound index" "$HTTPS/multi/1"
survived "... and zstd" "$HTTPS/zstd/1"
survived "... and a layer that is plain where gzip is said" "$HTTPS/uncompressed/1"

# --- digests and sizes
refused "a layer with one byte changed" "$HTTPS/baddigest/1" "digest"
refused "a config with one byte changed" "$HTTPS/baddigest-config/1"
refused "a layer longer than its descriptor says" "$HTTPS/badlen/1"
refused "a layer shorter than its descriptor says" "$HTTPS/badlen-short/1"
refused "a layer with bytes after its end" "$HTTPS/badlen-more/1"
refused "another image's layer" "$HTTPS/wrongbody/1"
refused "a layer that is not the one of the config" "$HTTPS/diffid/1"
refused "more layers in the config than in the manifest" "$HTTPS/diffid-count/1"
refused "by digest: another manifest" "$HTTPS/mdigest/1@$(manifest_digest "$HTTPS" mdigest/1)" "digest"
refused "another manifest than the index names" "$HTTPS/mdigest-index/1" "digest"
for place in layer config; do
        refused "a $place whose digest is a path" "$HTTPS/traversal-$place/1"
        refused "a $place without a digest" "$HTTPS/digest-none-$place/1"
        refused "a $place by MD5" "$HTTPS/digest-md5-$place/1"
        refused "a $place whose digest is too short" "$HTTPS/digest-short-$place/1"
        refused "a $place whose digest is in capitals" "$HTTPS/digest-upper-$place/1"
        refused "a $place whose digest has a query" "$HTTPS/digest-query-$place/1"
        refused "a $place of a negative size" "$HTTPS/size-negative-$place/1"
        refused "a $place of 4 EiB" "$HTTPS/size-huge-$place/1"
        refused "a $place of 2^64 bytes" "$HTTPS/size-overflow-$place/1"
        refused "a $place whose size is a text" "$HTTPS/size-text-$place/1"
        refused "a $place whose size is a fraction" "$HTTPS/size-fraction-$place/1"
done
ok "no digest was asked for as a path" test "$(faulty_requests 'GET [^ ]*/blobs/[^ ]*(\.\.|passwd|md5|AAAA|\?)')" = 0

# --- manifests that are two things, or none
refused "a manifest with a list of manifests" "$HTTPS/ambiguous/1"
refused "a manifest that is sent as an index" "$HTTPS/ambiguous-type/1"
refused "an index that is sent as a manifest" "$HTTPS/ambiguous-index/1"
refused "an index with layers" "$HTTPS/ambiguous-both/1"
refused "a key of the manifest twice" "$HTTPS/twice/1"
refused "a manifest that is sent as text/html" "$HTTPS/ctype/1"
either "a manifest of no type" "$HTTPS/ctype-none/1"
refused "a manifest of schema 1" "$HTTPS/schema1/1"
refused "a web page" "$HTTPS/html/1"
refused "nothing" "$HTTPS/empty/1"
refused "null" "$HTTPS/manifest-null/1"
refused "a NUL in a key" "$HTTPS/manifest-nul/1"
refused "an index without this machine's architecture" "$HTTPS/foreignarch/1" "$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')"
survived "labels full of escape bytes" "$HTTPS/labels/1"
refused "a tag that is not there" "$HTTPS/e404/1" "manifest unknown|not found|no such"
refused "a layer that is not there" "$HTTPS/e404-layer/1"
refused "access denied" "$HTTPS/e403/1" "denied"
refused "an error text that drives the terminal" "$HTTPS/escape/1"
refused "204 No Content" "$HTTPS/e204/1"

# --- too much
survived "a manifest of 4 MiB" "$HTTPS/fullmanifest/1"
refused "a manifest of 4 MiB and one byte" "$HTTPS/bigmanifest/1" "4 ?MiB|4194304|4.?MB"
refused "a config of more than 4 MiB" "$HTTPS/bigconfig/1" "4 ?MiB|4194304|4.?MB"
refused "a manifest nested 100,000 deep" "$HTTPS/deepmanifest/1"
refused "a config nested 100,000 deep" "$HTTPS/deepconfig/1"
refused "an index a hundred times in an index" "$HTTPS/deepindex/1"
for what in manifest config layer; do
        refused "a $what in chunks without end" "$HTTPS/chunkbomb-$what/1"
done
refused "a manifest of 1 TiB by its length" "$HTTPS/lengthbomb-manifest/1"
refused "a config of 1 TiB by its length" "$HTTPS/lengthbomb-config/1"
either "a length that is negative" "$HTTPS/lengthlie/1"
refused "a manifest that is compressed, unasked, and becomes 1 GiB" "$HTTPS/encoding/1"
refused "a header of 1 GB" "$HTTPS/bigheader/1"
refused "1 GB of headers" "$HTTPS/manyheaders/1"
either "1 GB of trailers" "$HTTPS/bigtrailers/1"
refused "interim answers without end" "$HTTPS/continue/1"
refused "a status line of 1 GB" "$HTTPS/statusline/1"
refused "no status line" "$HTTPS/http09/1"
refused "401 with a body of 200 MB" "$HTTPS/body401/1"
refused "500 with a body without end" "$HTTPS/body500/1"
refused "a server of random bytes" "$GARBAGE/ok/1" "cannot" --tls-verify=false
survived "a sound body in odd chunks" "$HTTPS/chunked/1"
survived "a sound body without a length" "$HTTPS/nolength/1"

# --- layers
either "1 GiB of zeros in a megabyte" "$HTTPS/bomb/1"
refused "gzip in gzip" "$HTTPS/bomb-gzip-twice/1"
refused "zstd with a window of 2 GB" "$HTTPS/bomb-window/1"
either "100,000 files" "$HTTPS/bomb-entries/1"
refused "a path of 500,000 directories" "$HTTPS/bomb-name/1"
refused "an extended header of 1 GB" "$HTTPS/bomb-pax/1"
refused "a sparse file of 8 EiB" "$HTTPS/bomb-sparse/1"
refused "a path that leads out" "$HTTPS/dotdot/1"
refused "no tar at all" "$HTTPS/notar/1"
ok "nothing was written outside" test ! -e /tmp/pwned-by-a-layer

# --- streams that are corrupt by agreement: all digests are those of the damaged stream
PULL_TIMEOUT=20
for kind in gzip zstd; do
        wrong='' before=$(snapshot)
        for ((i = 0; i < 64; i++)); do
                for tag in $i $i-cut; do
                        asked=0
                        RUN_TIMEOUT=$PULL_TIMEOUT run sdpod pull -q "${PULL_OPTIONS[@]}" "${RETRY[@]}" "$HTTPS/mutants-$kind/1:$tag"
                        peak=0
                        # a byte that no decoder looks at (gzip's time, its name of the system) may be any
                        [[ $status == 0 ]] && sdpod rmi -f "$HTTPS/mutants-$kind/1:$tag" >/dev/null || wrong+=$(judge_refusal '' "$HTTPS/mutants-$kind/1" | sed "s/^/$tag: /")
                done
        done
        [[ -z $wrong ]] && pass "128 mutants of a $kind layer" || fail "128 mutants of a $kind layer" "$wrong"
done
run pgrep -u "$UID" -x sdpod-image
is "$out" "" "no process is left"
run sdpod images -aq
is "$out" "" "no image is left"
finish
