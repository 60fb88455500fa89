# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # tap.sh sets what is read here
# What the tests of hostile registries ask of one pull.
#
#   refused NAME REFERENCE [REGEX [OPTION...]]   one check: exit code 125; one line (and hints) that matches and is clean; the
#                                                store as it was; no more memory than MEMORY_LIMIT
#   survived NAME REFERENCE [OPTION...]          one check: the pull succeeds, the image is there; it goes again
#   either NAME REFERENCE [OPTION...]            one check: the pull succeeds or is refused as above
#
# Faults that a retry would mend must not be retried: RETRY is what `pull` is told, --retry 0 unless the test says otherwise.
store=${XDG_DATA_HOME:-$HOME/.local/share}/sdpod
MEMORY_LIMIT=65536 # kB, what all its processes together have for themselves
RETRY=(--retry 0)
PULL_OPTIONS=()
PULL_TIMEOUT=60

# Every file of the store, with size and time for those that are no directories, but for locks.
snapshot() {
        (cd "$store" 2>/dev/null && find . -mindepth 1 ! -name '*lock*' \( -type d -printf '%P/\n' -o -printf '%P %s %T@\n' \) 2>/dev/null | sort)
}

pull() { # REFERENCE [OPTION...]
        local reference=$1
        shift
        rm -f "$T/peak"
        asked=$(grep -c '' "$FAULTY/log")
        RUN_TIMEOUT=$PULL_TIMEOUT run "$TESTS/lib/peak.py" "$T/peak" sdpod pull -q "${PULL_OPTIONS[@]}" "${RETRY[@]}" "$@" "$reference"
        peak=$(cut -d' ' -f2 "$T/peak" 2>/dev/null)
}

# A refusal means something only where the fault was met: the log has to say that the repository was asked for, or the message
# why it was not.
was_asked() { # REFERENCE
        local repository=${1#*/}
        repository=${repository%%[:@]*}
        tail -n "+$((asked + 1))" "$FAULTY/log" | grep -F -e "$repository" -e "${repository//\//%2F}" >/dev/null
}

# What is wrong with a pull that should have been refused, as text.
judge_refusal() { # REGEX REFERENCE
        local text
        [[ -n $1 ]] || was_asked "$2" || echo "the registry was not asked for it"
        [[ $status == 125 ]] || echo "it ended with $status"
        text=$(grep -v '^hint: ' <<<"$err")
        [[ $(wc -l <<<"$text") == 1 && -n $text ]] || echo "it did not say one line"
        [[ $text =~ $1 ]] || echo "what it said does not match '$1'"
        ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' <<<"$out$err" || echo "control bytes on the terminal"
        [[ $(snapshot) == "$before" ]] || echo "the store has changed: $(diff <(echo "$before") <(snapshot) | head -n 5)"
        judge_memory
}

judge_memory() {
        [[ -n $peak && $peak -lt $MEMORY_LIMIT ]] || echo "it took ${peak:-(unknown)} kB of memory"
}

verdict() { # NAME PROBLEMS
        if [[ -z $2 ]]; then pass "$1"; else fail "$1" "$2"$'\n'"ran: $ran"$'\n'"stdout: $out"$'\n'"stderr: $err"; fi
}

refused() {
        local before
        before=$(snapshot)
        pull "$2" "${@:4}"
        verdict "$1" "$(judge_refusal "${3:-}" "$2")"
}

survived() {
        local problems=
        pull "$2" "${@:3}"
        [[ $status == 0 ]] || problems+="it ended with $status; "
        sdpod image exists "$2" || problems+="the image is not there; "
        verdict "$1" "$problems$(judge_memory)"
        sdpod rmi -f "$2" >/dev/null 2>&1
}

either() {
        local before problems
        before=$(snapshot)
        pull "$2" "${@:3}"
        if [[ $status == 0 ]]; then
                problems=$(judge_memory)
                sdpod rmi -f "$2" >/dev/null 2>&1
        else
                problems=$(judge_refusal '' "$2")
        fi
        verdict "$1 ($([[ $status == 0 ]] && echo pulled || echo refused))" "$problems"
}

manifest_digest() { # HOST:PORT REPOSITORY [TAG]
        echo "sha256:$(curl -s --cacert "$FAULTY/ca.crt" "https://$1/v2/$2/manifests/${3:-latest}" | sha256sum | cut -d' ' -f1)"
}
