# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the shells offer for half-typed lines of one program, over tests/lib/tap.sh.
#
#   completion_of PROGRAM DIRECTORY     the built program and the directory of the built completions
#   in_bash LINE   in_fish LINE         print the candidates in one line
#   in_zsh WORD...                      the same; the last word is the half-typed one
#   fish_offers LINE WANTED NAME   zsh_offers "WORD..." WANTED NAME     checks; skipped where there is no such shell

completion_of() {
        completed=${1##*/} completions=$2
        PATH=$(realpath "$(dirname "$1")"):$PATH
        # shellcheck source=/dev/null
        . "$completions/$completed.bash"
}

compopt() { :; } # works only while the shell itself completes

in_bash() {
        COMP_LINE=$1
        COMP_POINT=${#1}
        "_${completed//-/_}"
        echo "${COMPREPLY[*]}"
}

in_fish() {
        fish --no-config -c "source $completions/$completed.fish; complete -C '$1'" | cut -f 1 | sort | paste -sd ' '
}

# compadd works only in the line editor; what it would be given is enough.
in_zsh() {
        zsh -f -c '
                _describe() { print -l -- "${(@P)2%%:*}"; }
                file=$1; shift; words=("$@") CURRENT=$#
                . "$file"' zsh "$completions/_$completed" "$@" | paste -sd ' '
}

fish_offers() {
        command -v fish >/dev/null || { skip "fish: $3" "there is no fish"; return; }
        is "$(in_fish "$1")" "$2" "fish: $3"
}

zsh_offers() {
        local -a words
        command -v zsh >/dev/null || { skip "zsh: $3" "there is no zsh"; return; }
        read -ra words <<<"$1"
        is "$(in_zsh "${words[@]}")" "$2" "zsh: $3"
}
