#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# New images for units: from a registry and from here, looked for only, taken, and taken back.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/registry.sh
. "$TESTS/lib/registry.sh"
if why=$(lacks_program docker-registry openssl skopeo); then skip_all "$why"; fi
units=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
mkdir -p "$units"
RUN_TIMEOUT=60
image_load busybox
registry_start update --http --anonymous || exit 99
at_end systemctl --user daemon-reload
at_end rm -rf "$units"
at_end sdpod rmi -af
at_end systemctl --user stop app.service other.service here.service bad.service
stays='while :; do usleep 50000; done'

# An image of busybox whose command prints a word and goes on; "broken" ends at once.
build() { # WORD NAME
        local command="echo $1; trap 'exit 0' TERM; $stays"
        [[ $1 != broken ]] || command='exit 3'
        sdpod rm -f maker >/dev/null 2>&1
        sdpod create --network none --name maker $BUSYBOX true >/dev/null &&
                sdpod commit -q -c "CMD [\"sh\", \"-c\", \"$command\"]" maker "$2" >/dev/null && sdpod rm maker >/dev/null
}
publish() { # WORD: as the registry's app:1
        build "$1" localhost/made:latest && sdpod push -q --tls-verify=false localhost/made:latest "$REGISTRY/test/app:1"
}
running() { sdpod inspect --format '{{.Image}}' "$1"; }

unit() { # NAME IMAGE POLICY [LINE]
        printf '[Container]\nImage=%s\nNetwork=none\nStopTimeout=1\nAutoUpdate=%s\n%s\n' "$2" "$3" "${4:-}" >"$units/$1.container"
}
publish one || exit 99
sdpod pull -q --tls-verify=false "$REGISTRY/test/app:1" >/dev/null || exit 99
build here localhost/here:latest || exit 99
unit app "$REGISTRY/test/app:1" registry
unit other "$REGISTRY/test/app:1" registry
unit here localhost/here:latest local
systemctl --user daemon-reload
systemctl --user start app.service other.service here.service || exit 99

# --- nothing new
run sdpod inspect --format '{{index .Config.Labels "PODMAN_SYSTEMD_UNIT"}}' systemd-app
is "$out" app.service "a container of a unit has the unit's name as a label"
run sdpod auto-update --tls-verify=false
exits 0 "auto-update where nothing is new"
is "$(head -n 1 <<<"$out" | tr -s ' ')" "UNIT CONTAINER IMAGE POLICY UPDATED" "... has Podman's columns"
is "$(grep -c 'false *$' <<<"$out"):$(wc -l <<<"$out")" 3:4 "... and tells of each container that nothing was done"
like "$out" "here.service +$(sdpod ps -q --filter name=systemd-here) \(systemd-here\) +localhost/here:latest +local +false" "... with unit, container, image and policy"

# --- something new
before=$(running systemd-app)
publish two || exit 99
build there localhost/here:latest || exit 99
run sdpod auto-update --tls-verify=false --dry-run --format '{{.Unit}} {{.Updated}}'
is "$out" $'app.service pending\nhere.service pending\nother.service pending' "--dry-run finds what is newer in the registry and here"
is "$(running systemd-app)" "$before" "... and changes nothing"
printf '#!/bin/sh\ncat >>%s/told\n' "$T" >"$T/tell"
chmod 755 "$T/tell"
run sdpod auto-update --tls-verify=false --dry-run --notify "$T/tell" --format '{{.Unit}} {{.Updated}}'
is "$(cat "$T/told")" $'app.service pending\nhere.service pending\nother.service pending' "--notify tells a program of what is newer"
run sdpod auto-update --notify tell
exits 125 "... by an absolute path only"
rm "$T/told"
starts=$(systemctl --user show -P ExecMainStartTimestampMonotonic app.service)
run sdpod auto-update --tls-verify=false --format json
exits 0 "auto-update"
is "$(jq -c '.[] | [.Unit, .ContainerName, .Policy, .Updated]' <<<"$out" | tr '\n' ' ')" \
        '["app.service","systemd-app","registry","true"] ["here.service","systemd-here","local","true"] ["other.service","systemd-other","registry","true"] ' \
        "... has updated all of them"
is "$(jq -r '.[0] | keys | join(" ")' <<<"$out")" "Container ContainerID ContainerName Image Policy Unit Updated" "... with Podman's fields"
ok "the unit was started anew" test "$(systemctl --user show -P ExecMainStartTimestampMonotonic app.service)" -gt "$starts"
ok "... with the new image" until_ok 10 sh -c 'sdpod logs systemd-app | grep -qx two'
ok "... as the one with the image from here" until_ok 10 sh -c 'sdpod logs systemd-here | grep -qx there'
run sdpod auto-update --tls-verify=false --notify "$T/tell" --format '{{.Updated}}'
is "$out" $'false\nfalse\nfalse' "then nothing is newer"
ok "... and nobody is told" test ! -e "$T/told"
run timeout 10 sdpod events --stream=false --filter type=system --format '{{.Status}}'
like "$out" "auto-update" "events tell of it"

# --- something that does not start
good=$(running systemd-app)
unit app "$REGISTRY/test/app:1" registry $'Notify=healthy\nHealthCmd=true'
rm "$units/other.container" "$units/here.container"
systemctl --user stop other.service here.service 2>/dev/null
systemctl --user daemon-reload
systemctl --user restart app.service || exit 99
publish broken || exit 99
run sdpod auto-update --tls-verify=false --format '{{.Unit}} {{.Updated}}'
is "$status:$out" "125:app.service rolled back" "a unit that does not start with the new image has the old one again"
like "$err" "cannot restart the unit 'app.service'" "... which is told"
is "$(systemctl --user is-active app.service):$(running systemd-app)" "active:$good" "... and runs"
run sdpod auto-update --tls-verify=false --rollback=false --format '{{.Unit}} {{.Updated}}'
is "$status:$out:$(systemctl --user is-active app.service)" "125:app.service failed:failed" "but not with --rollback=false"
systemctl --user stop app.service
systemctl --user reset-failed app.service

# --- what cannot be updated
sdpod run -d --network none --name loose --label io.containers.autoupdate=local $BUSYBOX sh -c "$stays" >/dev/null
sdpod run -d --network none --name odd --label io.containers.autoupdate=sometimes --label PODMAN_SYSTEMD_UNIT=x.service $BUSYBOX sh -c "$stays" >/dev/null
sdpod run -d --network none --name short --label io.containers.autoupdate=registry --label PODMAN_SYSTEMD_UNIT=x.service busybox sh -c "$stays" >/dev/null
sdpod run -d --network none --name off --label io.containers.autoupdate=disabled $BUSYBOX sh -c "$stays" >/dev/null
run sdpod auto-update --tls-verify=false --format '{{.ContainerName}} {{.Updated}}'
is "$status:$out" $'125:loose failed\nodd failed\nshort failed' "what cannot be updated is told, one that does not want to be is left alone"
like "$err" "'loose'.*no label PODMAN_SYSTEMD_UNIT" "... without a unit"
like "$err" "'odd'.*'sometimes' is not one of" "... with a policy that is none"
like "$err" "'short'.*short name" "... with a name that does not say which registry"
sdpod rm -f -t 0 loose odd short off >/dev/null 2>&1

unit app "$REGISTRY/test/app:1" registry
systemctl --user daemon-reload
sdpod tag "$good" "$REGISTRY/test/app:1"
systemctl --user start app.service
"$TESTS/registry/start" --stop "$REGISTRY_DIR"
run sdpod auto-update --tls-verify=false --format '{{.Unit}} {{.Updated}}'
is "$status:$out:$(systemctl --user is-active app.service)" "125:app.service failed:active" "a registry that is away is a failure, and the unit goes on"

# --- the timer
mkdir -p ~/.config/systemd/user/sdpod-auto-update.service.d
printf '[Service]\nEnvironment="SDPOD_AUTO_UPDATE=--notify %s"\n' "$T/tell" >~/.config/systemd/user/sdpod-auto-update.service.d/tell.conf
at_end rm -rf ~/.config/systemd/user/sdpod-auto-update.service.d
systemctl --user daemon-reload
run systemctl --user start sdpod-auto-update.service
like "$(cat "$T/told")" "^app.service .*failed" "the service tells who is named in its environment"
until_ok 10 sh -c 'journalctl --user -u sdpod-auto-update.service --no-pager -n 20 | grep -q "app[.]service"'
like "$status:$(journalctl --user -u sdpod-auto-update.service --no-pager -n 20)" "^1:.*app.service" "sdpod-auto-update.service does it, and fails as it does"
run systemctl --user enable --now sdpod-auto-update.timer
is "$status:$(systemctl --user is-active sdpod-auto-update.timer)" "0:active" "the timer can be turned on"
systemctl --user disable -q --now sdpod-auto-update.timer
systemctl --user reset-failed
finish
