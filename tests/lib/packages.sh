# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# packages SECTION...: installs what tests/packages lists under these sections and this machine does not have.

packages() {
        local section name
        local -a missing=()
        for section; do
                for name in $(awk -v s="[$section]" '/^\[/ { on = $0 == s; next } on && !/^#/' "${BASH_SOURCE[0]%/*}/../packages"); do
                        [[ $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) == installed ]] || missing+=("$name")
                done
        done
        [[ ${#missing[@]} -gt 0 ]] || return 0
        echo "installing: ${missing[*]}" >&2
        export DEBIAN_FRONTEND=noninteractive
        apt-get -qq update >/dev/null &&
                apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null || {
                echo "cannot install: ${missing[*]}" >&2
                return 1
        }
}
