#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Which directories are read, with and without Podman's generator beside ours, in a mount namespace where they are all ours.
# Usage: directories.sh USER-GENERATOR SYSTEM-GENERATOR
set -u
if [[ ${SDPOD_TEST_INSIDE:-} != yes ]]; then
        unshare --map-root-user --mount true 2>/dev/null || { echo "1..0 # SKIP no mount namespace to be had here"; exit 0; }
        exec env SDPOD_TEST_INSIDE=yes unshare --map-root-user --mount "$0" "$@"
fi
user=$1 system=$2 n=0 failed=0
top=$(mktemp -d) || exit 99
mount -t tmpfs tmpfs "$top" && cp "$user" "$top/sdpod-user-generator" && cp "$system" "$top/sdpod-system-generator"
for dir in /etc /run; do mount -t tmpfs tmpfs $dir || { echo "1..0 # SKIP no tmpfs to be had here"; exit 0; }; done
mkdir -p "$top/home/.config" "$top/runtime"
unset QUADLET_UNIT_DIRS SDPOD PODMAN XDG_CONFIG_HOME
export HOME=$top/home XDG_RUNTIME_DIR=$top/runtime

is() { # FOUND WANTED NAME
        n=$((n + 1))
        if [[ $1 == "$2" ]]; then
                echo "ok $n - $3"
        else
                echo "not ok $n - $3"
                echo "# found:  $1"
                echo "# wanted: $2"
                failed=1
        fi
}

put() { # FILE IMAGE
        mkdir -p "$(dirname "$1")"
        printf '[Container]\nImage=r.x/%s\n' "$2" >"$1"
}

services() { # GENERATOR: "name:image" of all
        rm -rf "$top/out"
        "$top/$1" -no-kmsg-log "$top/out" 2>"$top/err"
        (cd "$top/out" && for f in $(printf '%s\n' *.service | LC_ALL=C sort); do
                [[ -L $f || ! -e $f ]] || echo "${f%.service}:$(sed -n 's|^Image=r.x/||p' "$f")"
        done) | tr '\n' ' '
}

podman() { # on|off|masked
        rm -rf /etc/systemd
        mkdir -p /run/systemd/user-generators /run/systemd/system-generators /etc/systemd/user-generators
        for kind in user system; do
                rm -f /run/systemd/$kind-generators/podman-$kind-generator
                [[ $1 == off ]] || { printf '#!/bin/sh\n' >/run/systemd/$kind-generators/podman-$kind-generator &&
                        chmod 755 /run/systemd/$kind-generators/podman-$kind-generator; }
                [[ $1 != masked ]] || ln -sf /dev/null /run/systemd/$kind-generators/podman-$kind-generator
        done
}

put "$top/runtime/sdpod/systemd/a.container" runtime
put "$top/home/.config/sdpod/systemd/a.container" hidden
put "$top/home/.config/containers/systemd/b.container" config
put "$top/home/.config/sdpod/systemd/deep/er/c.container" deep
put /etc/containers/systemd/users/d.container all-users
put /etc/containers/systemd/users/sub/d2.container below-all-users
put /etc/sdpod/systemd/users/0/e.container mine
put /etc/containers/systemd/users/1234/f.container not-mine
put /etc/containers/systemd/g.container system
put /etc/sdpod/systemd/h.container system
put /run/containers/systemd/g.container run-wins

podman off
is "$(services sdpod-user-generator)" "a:runtime b:config c:deep d:all-users d2:below-all-users e:mine " "a user's directories"
is "$(services sdpod-system-generator)" "g:run-wins h:system " "the system's directories"
is "$(XDG_CONFIG_HOME=/nowhere XDG_RUNTIME_DIR='' services sdpod-user-generator)" \
        "d:all-users d2:below-all-users e:mine " "XDG_CONFIG_HOME takes the place of ~/.config"
is "$(env -i "$top/sdpod-user-generator" -no-kmsg-log "$top/out" 2>&1)" "" "an empty environment is no fault"
podman on
is "$(services sdpod-user-generator)" "a:runtime c:deep e:mine " "beside Podman's generator, its directories are left to it"
is "$(services sdpod-system-generator)" "h:system " "... the system's, too"
mkdir -p "$top/home/.config/sdpod" /etc/sdpod
printf '# shared\n[generator]\nshare=yes\n' >"$top/home/.config/sdpod/sdpod.conf"
is "$(services sdpod-user-generator)" "a:runtime b:config c:deep d:all-users d2:below-all-users e:mine " "share=yes of the user"
is "$(services sdpod-system-generator)" "h:system " "... is not the system's"
printf '[generator]\nshare=yes\n' >/etc/sdpod/sdpod.conf
is "$(services sdpod-system-generator)" "g:run-wins h:system " "share=yes of the system"
printf '[generator]\nshare=no\n' >"$top/home/.config/sdpod/sdpod.conf"
is "$(services sdpod-user-generator)" "a:runtime c:deep e:mine " "the user's no overrides it"
printf '[generator]\nshare=perhaps\nshape=no\n[other]\nshare=no\n' >"$top/home/.config/sdpod/sdpod.conf"
services sdpod-user-generator >/dev/null
is "$(grep -c "sdpod.conf: 'sha" "$top/err")" 2 "settings that are none are said"
rm "$top/home/.config/sdpod/sdpod.conf" && mkfifo "$top/home/.config/sdpod/sdpod.conf"
is "$(services sdpod-user-generator)" "a:runtime b:config c:deep d:all-users d2:below-all-users e:mine " "a FIFO in its place blocks nothing"
rm /etc/sdpod/sdpod.conf
podman masked
is "$(services sdpod-user-generator)" "a:runtime b:config c:deep d:all-users d2:below-all-users e:mine " "a masked generator of Podman does not count"
podman on
is "$(QUADLET_UNIT_DIRS=$top/home/.config/containers services sdpod-user-generator)" "b:config " "QUADLET_UNIT_DIRS is read whoever else is there"
ln -s "$top/home" "$top/home/.config/sdpod/systemd/loop"
mkdir "$top/home/.config/sdpod/systemd/unreadable" && chmod 0 "$top/home/.config/sdpod/systemd/unreadable"
podman off
is "$(services sdpod-user-generator)" "a:runtime b:config c:deep d:all-users d2:below-all-users e:mine " "a link to above is walked once"
echo "1..$n"
exit $failed
