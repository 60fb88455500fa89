#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the shells' completion offers for half-typed lines: test-completion.bash SDPOD COMPLETIONS-DIR
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../../lib/tap.sh"
# shellcheck source=tests/lib/completion.sh
. "$(dirname "$0")/../../lib/completion.sh"
completion_of "$1" "$2"
directory=$T
export XDG_DATA_HOME=$directory/data XDG_RUNTIME_DIR=$directory/run
mkdir -p "$XDG_DATA_HOME" "$directory/run" "$directory/files/sub" && touch "$directory/files/env" && chmod 700 "$directory/run"

is "$(in_bash 'sdpod vers')" version "bash: verbs"
is "$(in_bash 'sdpod volume exi')" exists "bash: words of a group"
is "$(in_bash 'sdpod --runr')" --runroot "bash: global options"
is "$(in_bash 'sdpod --log-level deb')" debug "bash: values"
is "$(in_bash 'sdpod --log-level=deb')" debug "bash: values behind an equals sign"
is "$(cd "$directory/files" && in_bash 'sdpod --root ')" sub "bash: directories"
sdpod --root "$directory/data" --runroot "$directory/run" volume create first >/dev/null
is "$(in_bash "sdpod --root $directory/data --runroot $directory/run volume rm f")" first "bash: volumes by name"
is "$(in_bash "sdpod --root=$directory/data --runroot=$directory/run volume rm f")" first "bash: volumes, --root=DIR"
store="--root $directory/data --runroot $directory/run"
mkdir -p "$directory/data/names" && ln -s nothing "$directory/data/names/box"
is "$(cd "$directory/files" && in_bash "sdpod $store run -v f")" first: "bash: volumes to mount"
is "$(cd "$directory/files" && in_bash "sdpod $store cp " | tr ' ' '\n' | sort | paste -sd ' ')" "box: env sub" "bash: containers to copy from"
is "$(cd "$directory/files" && in_bash "sdpod $store cp box:")" "" "bash: ... whose files are not the host's"
is "$(in_bash "sdpod $store run --network container:b")" box "bash: containers to share with"
sdpod $store network create lan >/dev/null
is "$(in_bash "sdpod $store run --network l" | tr ' ' '\n' | sort | paste -sd ' ')" lan "bash: networks"
is "$(in_bash "sdpod $store network connect p")" podman "bash: a network to connect"
is "$(in_bash "sdpod $store network connect lan b")" box "bash: ... a container"
is "$(in_bash 'podman-alias vers')" version "bash: an alias"
fish_offers 'sdpod vers' version verbs
fish_offers 'sdpod --log-level d' debug values
zsh_offers 'sdpod vers' version verbs
finish
