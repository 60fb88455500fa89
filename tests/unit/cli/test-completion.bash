#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the shells' completion offers for half-typed lines: test-completion.bash SDPOD COMPLETIONS-DIR
sdpod=$1 completions=$2
PATH=$(realpath "$(dirname "$sdpod")"):$PATH
directory=$(mktemp -d) || exit 1
trap 'rm -rf "$directory"' EXIT
export XDG_DATA_HOME=$directory/data XDG_RUNTIME_DIR=$directory/run
mkdir -p "$XDG_DATA_HOME" "$directory/run" "$directory/files/sub" && touch "$directory/files/env" && chmod 700 "$directory/run"

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
. "$completions/sdpod.bash"
compopt() { :; } # works only while the shell itself completes

in_bash() {
        COMP_LINE=$1
        COMP_POINT=${#1}
        _sdpod
        echo "${COMPREPLY[*]}"
}

in_fish() {
        fish --no-config -c "source $completions/sdpod.fish; complete -C '$1'" | cut -f 1 | sort | paste -sd ' '
}

echo 1..19
result "bash: verbs" "$(in_bash 'sdpod vers')" version
result "bash: words of a group" "$(in_bash 'sdpod volume exi')" exists
result "bash: global options" "$(in_bash 'sdpod --runr')" --runroot
result "bash: values" "$(in_bash 'sdpod --log-level deb')" debug
result "bash: values behind an equals sign" "$(in_bash 'sdpod --log-level=deb')" debug
result "bash: directories" "$(cd "$directory/files" && in_bash 'sdpod --root ')" sub
sdpod --root "$directory/data" --runroot "$directory/run" volume create first >/dev/null
result "bash: volumes by name" "$(in_bash "sdpod --root $directory/data --runroot $directory/run volume rm f")" first
result "bash: volumes, --root=DIR" "$(in_bash "sdpod --root=$directory/data --runroot=$directory/run volume rm f")" first
store="--root $directory/data --runroot $directory/run"
mkdir -p "$directory/data/names" && ln -s nothing "$directory/data/names/box"
result "bash: volumes to mount" "$(cd "$directory/files" && in_bash "sdpod $store run -v f")" first:
result "bash: containers to copy from" "$(cd "$directory/files" && in_bash "sdpod $store cp " | tr ' ' '\n' | sort | paste -sd ' ')" "box: env sub"
result "bash: ... whose files are not the host's" "$(cd "$directory/files" && in_bash "sdpod $store cp box:")" ""
result "bash: containers to share with" "$(in_bash "sdpod $store run --network container:b")" box
sdpod $store network create lan >/dev/null
result "bash: networks" "$(in_bash "sdpod $store run --network l" | tr ' ' '\n' | sort | paste -sd ' ')" lan
result "bash: a network to connect" "$(in_bash "sdpod $store network connect p")" podman
result "bash: ... a container" "$(in_bash "sdpod $store network connect lan b")" box
result "bash: an alias" "$(in_bash 'podman-alias vers')" version
if command -v fish >/dev/null; then
        result "fish: verbs" "$(in_fish 'sdpod vers')" version
        result "fish: values" "$(in_fish 'sdpod --log-level d')" debug
else
        n=$((n + 2))
        echo "ok 17 - fish: verbs # SKIP there is no fish"
        echo "ok 18 - fish: values # SKIP there is no fish"
fi
if command -v zsh >/dev/null; then
        # compadd works only in the line editor; what it would be given is enough.
        result "zsh: verbs" "$(zsh -f -c '
                _describe() { print -l -- "${(@P)2%%:*}"; }
                words=(sdpod vers) CURRENT=2
                . "$1"' zsh "$completions/_sdpod")" version
else
        echo "ok 19 - zsh: verbs # SKIP there is no zsh"
fi
