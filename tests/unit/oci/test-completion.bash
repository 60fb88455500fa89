#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What the shells' completion offers for half-typed lines: test-completion.bash SDPOD-OCI COMPLETIONS-DIR
# shellcheck source=tests/lib/tap.sh
. "$(dirname "$0")/../../lib/tap.sh"
# shellcheck source=tests/lib/completion.sh
. "$(dirname "$0")/../../lib/completion.sh"
completion_of "$1" "$2"
directory=$T
mkdir -p "$directory/root/box" "$directory/root/.cache" "$directory/files/sub" && chmod 700 "$directory/root" && touch "$directory/files/file"
root="--root $directory/root"

is "$(in_bash 'sdpod-oci st')" "start state" "bash: verbs"
is "$(in_bash 'sdpod-oci _')$(in_bash 'sdpod-oci che')" "" "bash: what is for the shells or not there is not offered"
is "$(in_bash 'sdpod-oci --cg')" --cgroup-manager "bash: global options"
is "$(in_bash 'sdpod-oci --cgroup-manager s')" systemd "bash: values"
is "$(in_bash 'sdpod-oci --log-format=j')" json "bash: values behind an equals sign"
is "$(in_bash "sdpod-oci $root exec --ig")" --ignore-paused "bash: options of a verb"
is "$(in_bash "sdpod-oci $root state ")" box "bash: containers"
is "$(in_bash "sdpod-oci --root=$directory/root delete -f b")" box "bash: ... --root=DIR"
is "$(in_bash "sdpod-oci $root kill box SIGT" | tr ' ' '\n' | grep -c TERM)" 1 "bash: signals behind a container"
is "$(cd "$directory/files" && in_bash 'sdpod-oci create --bundle ')" sub "bash: directories"
fish_offers 'sdpod-oci st' "start state" verbs
zsh_offers 'sdpod-oci fea' features verbs
finish
