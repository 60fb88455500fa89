#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Registries that fail and networks that break: what can be mended is, what cannot ends in one line; nothing hangs; TLS holds.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/registry.sh
. "$TESTS/lib/registry.sh"
# shellcheck source=tests/lib/hostile-pull.sh
. "$TESTS/lib/hostile-pull.sh"
if why=$(lacks_program openssl); then skip_all "$why"; fi
faulty_start || exit 99

# --- servers that stand still take their minute beside the others; each has a store of its own
slow_pids=()
declare -A slow=(
        ["a server that accepts and says nothing"]="$MUTE/ok/1"
        ["a manifest that never comes"]="$HTTPS/hang-header/1"
        ["a manifest that stops half way"]="$HTTPS/hang-manifest-body/1"
        ["a layer that never comes"]="$HTTPS/hang-layer-header/1"
        ["a layer that stops half way"]="$HTTPS/hang-body/1"
        ["a layer of a byte a second"]="$HTTPS/drip/1"
        ["a token service that stands still"]="$BEARER/token-hang/1"
)
own() { # DIR CMD...: with a store of its own
        local dir=$1
        shift
        mkdir -p "$dir"
        XDG_DATA_HOME=$dir/data "$@"
}
for name in "${!slow[@]}"; do
        (
                own "$T/slow/$name" timeout 150 sdpod pull -q "${PULL_OPTIONS[@]}" --retry 0 --authfile "$FAULTY/auth.json" "${slow[$name]}" \
                        >"$T/slow.$name.out" 2>"$T/slow.$name.err" </dev/null
                echo $? >"$T/slow.$name.status"
        ) &
        slow_pids+=($!)
done
own "$T/once" timeout 200 sdpod pull -q "${PULL_OPTIONS[@]}" "$HTTPS/hang-once/1" >"$T/once.out" 2>&1 </dev/null &
once=$!
own "$T/head" sdpod load -q -i "$(image_file busybox)" >"$T/load" 2>&1
own "$T/head" timeout 150 sdpod push -q --retry 0 "${PULL_OPTIONS[@]}" localhost/busybox "$HTTPS/hang-head/1" >"$T/head.out" 2>&1 </dev/null &
head=$!

# --- what comes and goes
RETRY=(--retry 3 --retry-delay 100ms)
survived "429 once, with Retry-After" "$HTTPS/e429/1"
survived "429 once, with a date" "$HTTPS/e429-date/1"
survived "429 once, with a Retry-After that is none" "$HTTPS/e429-junk/1"
survived "429 for a layer" "$HTTPS/e429-layer/1"
survived "503 twice" "$HTTPS/e503x2/1"
survived "503 twice for a layer" "$HTTPS/e503x2-layer/1"
refused "503 for ever" "$HTTPS/e503-forever/1" "503|Unavailable|UNAVAILABLE"
refused "503 for ever for a layer" "$HTTPS/e503-forever-layer/1" "503|Unavailable|UNAVAILABLE"
refused "500 says so" "$HTTPS/e500/1" "500|on fire"
PULL_TIMEOUT=120
refused "429 for ever" "$HTTPS/e429-forever/1" "429|[Tt]oo [Mm]any|TOOMANY"
refused "429 until the end of time" "$HTTPS/e429-eternity/1" "429|[Tt]oo [Mm]any|TOOMANY" --retry 1
PULL_TIMEOUT=60

# --- connections that break
survived "a layer that is cut goes on" "$HTTPS/trunc/1"
ok "... by a range" test "$(faulty_requests 'GET /v2/trunc/1/blobs/.* range=bytes=[1-9]')" = 1
survived "... and after a reset" "$HTTPS/reset/1"
survived "a layer in five pieces" "$HTTPS/trunc-slices/1" --retry 5
got=$(sed -n 's|^HTTPS sent \([0-9]*\) /v2/trunc-slices/1/blobs/.*|\1|p' "$FAULTY/log" | awk '{ n += $1 } END { print n }')
size=$(curl -s --cacert "$FAULTY/ca.crt" "https://$HTTPS/v2/trunc-slices/1/manifests/latest" |
        python3 -c 'import json, sys; m = json.load(sys.stdin); print(m["config"]["size"] + m["layers"][0]["size"])')
is "$got" "$size" "... of which no byte came twice"
survived "a server that knows no ranges" "$HTTPS/norange/1"
refused "a layer that never gets beyond its half" "$HTTPS/trunc-always/1"
refused "a manifest that is cut" "$HTTPS/trunc-manifest/1"
refused "a server that resets every connection" "$HTTPS/reset-always/1"
for kind in shift lie total none junk longer 416 multipart 500; do
        either "a range that is answered wrongly: $kind" "$HTTPS/range-$kind/1"
done
either "a layer that goes on with other bytes" "$HTTPS/range-corrupt/1"
ok "... which was asked for by a range" test "$(faulty_requests 'GET /v2/range-corrupt/1/blobs/.* range=bytes=[1-9]')" -ge 1

# --- no network at all
RETRY=(--retry 0)
refused "a port where nobody listens" "localhost:1/x/y" "localhost:1"
refused "a name that does not exist" "no-such-host.invalid/x/y" "no-such-host.invalid"
sdpod pull -q "${PULL_OPTIONS[@]}" "$HTTPS/ok/kept" >/dev/null
before=$(wc -l <"$FAULTY/log")
run sdpod pull -q --policy missing "$HTTPS/ok/kept"
is "$status:$(wc -l <"$FAULTY/log")" "0:$before" "an image that is there asks nobody with the policy missing"
run sdpod pull -q --policy never "$HTTPS/ok/2"
is "$status:$(wc -l <"$FAULTY/log")" "125:$before" "one that is not there asks nobody with the policy never"
sdpod rmi -f "$HTTPS/ok/kept" >/dev/null

# --- TLS
refused "an expired certificate" "$EXPIRED/ok/1" "certificate|expired"
refused "another's certificate" "$OTHERNAME/ok/1" "certificate|name"
refused "a self-signed certificate" "$SELFSIGNED/ok/1" "certificate|self"
refused "TLS 1.0" "$TLS10/ok/1" "TLS|SSL"
refused "plain HTTP where TLS is due" "$HTTP/ok/1" "TLS|SSL|HTTP"
ok "... with no request in the clear" test "$(faulty_requests '^HTTP ')" = 0
rm -rf "$T/nothing" && mkdir "$T/nothing"
for name in EXPIRED OTHERNAME SELFSIGNED; do
        survived "$name with --tls-verify=false" "${!name}/ok/1" --tls-verify=false
done
survived "plain HTTP with --tls-verify=false" "$HTTP/ok/1" --tls-verify=false
config=${XDG_CONFIG_HOME:-$HOME/.config}/containers
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "$SELFSIGNED" >"$config/registries.conf"
at_end rm -f "$config/registries.conf"
survived "a self-signed certificate where registries.conf says insecure" "$SELFSIGNED/ok/2"
refused "... which opens no other registry" "$EXPIRED/ok/2" "certificate|expired"
rm "$config/registries.conf"

# --- redirects
survived "a redirect on the same host" "$HTTPS/redir-relative/1"
survived "a redirect to another port" "$HTTPS/redir-port/1"
survived "a redirect to another host" "$HTTPS/redir-host/1"
survived "three redirects" "$HTTPS/redir-hops-3/1"
refused "thirty redirects" "$HTTPS/redir-hops-30/1"
refused "a redirect in a circle" "$HTTPS/redir-loop/1"
ok "... is followed ten times at most" test "$(faulty_requests 'GET /v2/redir-loop/1/blobs')" -le 12
before=$(faulty_requests '^(HTTP|FOREIGN_HTTP|MUTE) ')
for kind in http http-foreign file gopher scp dict empty junk long; do
        refused "a layer's redirect: $kind" "$HTTPS/redir-$kind/1"
        refused "a manifest's redirect: $kind" "$HTTPS/redir-$kind-manifest/1"
done
refused "a redirect without a place" "$HTTPS/redir-nowhere/1"
is "$(faulty_requests '^(HTTP|FOREIGN_HTTP|MUTE) ')" "$before" "... and nothing of it was asked for"

# --- interrupted: what is whole, a config, may stay
for where in hang-header hang-layer-header slow; do
        for signal in INT TERM; do
                sdpod image prune -f >/dev/null
                before=$(snapshot | grep -v '^images/blobs/')
                repository=$where/${signal,,}
                env --default-signal=INT sdpod pull -q "${PULL_OPTIONS[@]}" "$HTTPS/$repository" >"$T/out" 2>"$T/err" </dev/null &
                pid=$!
                until_ok 20 grep -q " GET /v2/$repository/$([[ $where == hang-header ]] && echo manifests || echo blobs/.*)" "$FAULTY/log"
                kill -$signal $pid
                if until_ok 10 test ! -d /proc/$pid; then
                        wait $pid
                        code=$?
                        [[ $code != 0 && $(snapshot | grep -v '^images/blobs/') == "$before" ]] && pass "$signal ends a pull at $where, and nothing stays" ||
                                fail "$signal ends a pull at $where, and nothing stays" "exit code $code: $(cat "$T/err"; diff <(echo "$before") <(snapshot))"
                else
                        kill -KILL $pid
                        fail "$signal ends a pull at $where, and nothing stays" "it goes on"
                fi
        done
done

# --- those that took their time
wait "${slow_pids[@]}"
for name in "${!slow[@]}"; do
        status=$(<"$T/slow.$name.status") out=$(<"$T/slow.$name.out") err=$(<"$T/slow.$name.err")
        left=$(find "$T/slow/$name/data" -type f ! -name '*lock*' 2>/dev/null | grep -v -e '/index.json$' -e '/oci-layout$')
        [[ $status == 125 && $(grep -vc '^hint: ' <<<"$err") == 1 && -z $left ]] && pass "$name ends in one line" ||
                fail "$name ends in one line" "exit code $status: $out$err"$'\n'"left: $left"
done
wait $head
is "$?" 125 "... and so does a push, when it asks what is there" || comment "$(cat "$T/head.out")"
wait $once
is "$(own "$T/once" sdpod images -q | wc -l)" 1 "a layer that stands still is asked for again" || comment "$(cat "$T/once.out")"
finish
