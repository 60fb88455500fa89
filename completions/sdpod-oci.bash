# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of sdpod-oci for bash: sdpod-oci itself knows what may come next.

_sdpod_oci() {
        local -a words candidates
        local line=${COMP_LINE:0:COMP_POINT} current prefix candidate

        # COMP_WORDS is cut at '=' and ':', which belong to our words.
        read -ra words <<<"$line"
        if [[ $line == *[[:blank:]] ]]; then
                words+=("")
        fi
        current=${words[-1]}
        prefix=${current%"${current##*[=:]}"}
        mapfile -t candidates < <("${words[0]}" __complete -- "${words[@]:1}" 2>/dev/null)

        COMPREPLY=()
        for candidate in "${candidates[@]}"; do
                case $candidate in
                :file)
                        compopt -o filenames
                        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "${current#"$prefix"}")
                        ;;
                :directory)
                        compopt -o filenames
                        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -d -- "${current#"$prefix"}")
                        ;;
                *)
                        candidate=${candidate%%$'\t'*}
                        COMPREPLY+=("${candidate#"$prefix"}")
                        ;;
                esac
        done
        if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:] ]]; then
                compopt -o nospace
        fi
}

complete -F _sdpod_oci sdpod-oci
