#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# From a fresh Debian 12 to a page, as root: installs what is missing, builds and installs sdpod, and as an ordinary user
# starts a web.container with systemctl --user and fetches its page by curl. Where PID 1 is no systemd all that happens in a
# test machine (tests/machine/nest), which stays up to look round in. Run again it does the same again.
[ -n "$BASH_VERSION" ] || exec bash "$0" "$@"
set -eu
tests=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$tests")
build=${BUILD:-$top/build}
user=reader
nest=$tests/machine/nest
[[ $EUID == 0 ]] || { echo "tests/quickstart.sh: it takes root: it installs packages and makes a user" >&2; exit 1; }
# shellcheck source=tests/lib/packages.sh
. "$tests/lib/packages.sh"
packages build run
packages test

[[ -f $build/build.ninja ]] || meson setup "$build" "$top" >/dev/null
ninja -C "$build" >"$build/quickstart.log" || { tail -n 40 "$build/quickstart.log"; exit 1; }
"$nest" up
"$nest" install "$build" >/dev/null
"$nest" push "$tests/lib" /usr/local/lib/sdpod-quickstart

"$nest" as $user bash -eu -s -- /usr/local/lib/sdpod-quickstart/lib <<'END'
say() { printf '$ %s\n' "$*"; "$@"; }
[[ -s web.tar ]] || python3 "$1/image.py" web web.tar
say sdpod load -i web.tar
mkdir -p .config/containers/systemd
cat >.config/containers/systemd/web.container <<'UNIT'
[Unit]
Description=A page in a container

[Container]
Image=localhost/web:latest
PublishPort=8080:8080

[Install]
WantedBy=default.target
UNIT
say cat .config/containers/systemd/web.container
say systemctl --user daemon-reload
say systemctl --user start web.container
say systemctl --user --no-pager --lines=0 status web.container
say sdpod ps
say curl --silent --show-error --fail --retry 5 --retry-connrefused --retry-delay 1 http://127.0.0.1:8080/
END

if [[ $("$nest" status | head -n 1) == *"this one"* ]]; then
        echo "It runs on as $user's web.service."
else
        echo "It runs on: tests/machine/nest as $user sdpod ps; tests/machine/nest down ends the machine."
fi
