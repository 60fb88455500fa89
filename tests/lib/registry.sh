# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # the names set here are for the tests to read
# Registries on loopback for the e2e tests; each ends with the test file.
#
#   registry_start NAME [--http] [--anonymous]   Debian's docker-registry; sets $REGISTRY (localhost:PORT), $REGISTRY_DIR
#                                                (see tests/registry/start), $REGISTRY_USER, $REGISTRY_PASSWORD
#   registry_trust [DIR]                         its authority is this user's for this registry (certs.d) from now on
#   registry_push LAYOUT REPOSITORY[:TAG]        puts an image into it, by skopeo ("oci-archive:FILE" and so on)
#   registry_requests METHOD [REGEX]             how many such requests it answered; the regex is over the path
#   faulty_start                                 the registry that misbehaves (tests/registry/faulty), trusted; sets $FAULTY,
#                                                its directory, and $HTTPS, $HTTP, ... (host:port of each of its ports)
#   faulty_requests REGEX                        how many lines of its log match

registry_start() {
        REGISTRY_DIR=$T/registry-$1
        "$TESTS/registry/start" "${@:2}" "$REGISTRY_DIR" || return
        at_end "$TESTS/registry/start" --stop "$REGISTRY_DIR"
        REGISTRY=$(<"$REGISTRY_DIR/address")
        REGISTRY_USER='' REGISTRY_PASSWORD=''
        [[ -e $REGISTRY_DIR/user ]] || return 0
        REGISTRY_USER=$(<"$REGISTRY_DIR/user")
        REGISTRY_PASSWORD=$(<"$REGISTRY_DIR/password")
}

registry_trust() {
        local certs=${XDG_CONFIG_HOME:-$HOME/.config}/containers/certs.d
        mkdir -p "$certs"
        cp -r "${1:-$REGISTRY_DIR}/certs.d/." "$certs"
        at_end rm -rf "$certs"
}

registry_push() { # SOURCE REPOSITORY[:TAG]
        local -a options=(--quiet --all)
        [[ -e $REGISTRY_DIR/ca.crt ]] && options+=(--dest-cert-dir "$REGISTRY_DIR/certs.d/$REGISTRY") ||
                options+=(--dest-tls-verify=false)
        [[ -z $REGISTRY_USER ]] || options+=(--dest-creds "$REGISTRY_USER:$REGISTRY_PASSWORD")
        skopeo copy "${options[@]}" "$1" "docker://$REGISTRY/$2"
}

registry_requests() { # METHOD [REGEX]
        grep -cE "\"$1 /v2/[^ ]*${2:-}[^ ]* HTTP/[^\"]*\" 20" "$REGISTRY_DIR/log"
}

faulty_start() {
        FAULTY=$T/faulty
        mkdir -p "$FAULTY"
        "$TESTS/registry/faulty" "$FAULTY" </dev/null >"$FAULTY/out" 2>&1 &
        at_end kill $!
        until_ok 20 test -e "$FAULTY/ports" || { cat "$FAULTY/out" >&2; return 1; }
        # shellcheck source=/dev/null
        . "$FAULTY/ports"
        FAULTY_PASSWORD=$(<"$FAULTY/password")
        REGISTRY=$HTTPS registry_trust "$FAULTY"
}

faulty_requests() { # REGEX
        grep -cE "$1" "$FAULTY/log"
}
