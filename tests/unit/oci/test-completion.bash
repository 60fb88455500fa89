#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the shells' completion offers for half-typed lines: test-completion.bash SDPOD-OCI COMPLETIONS-DIR
program=$1 completions=$2
PATH=$(realpath "$(dirname "$program")"):$PATH
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
mkdir -p "$directory/root/box" "$directory/root/.cache" "$directory/files/sub" && chmod 700 "$directory/root" && touch "$directory/files/file"
root="--root $directory/root"

n=0
result() {
        n=$((n + 1))
        if [ "$2" = "$3" ]; then
                echo "ok $n - $1"
        else
                echo "# found: $2"
                echo "# wanted: $3"
                echo "not ok $n - $1"
        fi
}

# shellcheck source=/dev/null
. "$completions/sdpod-oci.bash"
compopt() { :; } # works only while the shell itself completes

in_bash() {
        COMP_LINE=$1
        COMP_POINT=${#1}
        _sdpod_oci
        echo "${COMPREPLY[*]}"
}

in_fish() {
        fish --no-config -c "source $completions/sdpod-oci.fish; complete -C '$1'" | cut -f 1 | sort | paste -sd ' '
}

echo 1..12
result "bash: verbs" "$(in_bash 'sdpod-oci st')" "start state"
result "bash: what is for the shells or not there is not offered" "$(in_bash 'sdpod-oci _')$(in_bash 'sdpod-oci che')" ""
result "bash: global options" "$(in_bash 'sdpod-oci --cg')" --cgroup-manager
result "bash: values" "$(in_bash 'sdpod-oci --cgroup-manager s')" systemd
result "bash: values behind an equals sign" "$(in_bash 'sdpod-oci --log-format=j')" json
result "bash: options of a verb" "$(in_bash "sdpod-oci $root exec --ig")" --ignore-paused
result "bash: containers" "$(in_bash "sdpod-oci $root state ")" box
result "bash: ... --root=DIR" "$(in_bash "sdpod-oci --root=$directory/root delete -f b")" box
result "bash: signals behind a container" "$(in_bash "sdpod-oci $root kill box SIGT" | tr ' ' '\n' | grep -c TERM)" 1
result "bash: directories" "$(cd "$directory/files" && in_bash 'sdpod-oci create --bundle ')" sub
if command -v fish >/dev/null; then
        result "fish: verbs" "$(in_fish 'sdpod-oci st')" "start state"
else
        n=$((n + 1))
        echo "ok $n - fish: verbs # SKIP there is no fish"
fi
if command -v zsh >/dev/null; then
        # compadd works only in the line editor; what it would be given is enough.
        result "zsh: verbs" "$(zsh -f -c '
                _describe() { print -l -- "${(@P)2%%:*}"; }
                words=(sdpod-oci fea) CURRENT=2
                . "$1"' zsh "$completions/_sdpod-oci")" features
else
        n=$((n + 1))
        echo "ok $n - zsh: verbs # SKIP there is no zsh"
fi
