#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# sdpod doctor: nothing to complain of for a user who has all, and the right complaint, with the command that mends it, for each
# thing that is broken for real.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
nest=$TESTS/machine/nest
as="$nest as e2e-doctor"
"$nest" plain e2e-patient true || exit 99
# not by nest, which would give back what is taken away here
plain="setpriv --reuid e2e-patient --regid e2e-patient --init-groups env -i HOME=/home/e2e-patient USER=e2e-patient PATH=/usr/bin:/bin"
$as sh -c "systemctl --user stop sdpod-monitor.service; systemctl --user restart sdpod-monitor.socket" || exit 99
cd /
loginctl disable-linger e2e-patient 2>/dev/null
chmod 755 "$T"
says() { # CHECK: its status, finding, cost and fix in the last run
        jq -r --arg check "$1" '.[] | select(.Check == $check) | "\(.Status)|\(.Finding)|\(.Cost)|\(.Fix)"' <<<"$out"
}
status_of() { says "$1" | cut -d'|' -f1; }
doctor() { run "$@" sdpod doctor --format json; }

# ---- who has all
doctor $as
exits 0 "who has all: nothing is a problem"
is "$(jq -r '.[] | select(.Status == "problem").Check' <<<"$out")" "" "... by name"
ok "every check says something" sh -c 'printf "%s" "$1" | jq -e "all(.Finding != \"\")"' sh "$out"
ok "... and what is not in order says what it costs and how to mend it" \
        sh -c 'printf "%s" "$1" | jq -e "all(.Status == \"ok\" or (.Cost != \"\" and .Fix != \"\"))"' sh "$out"
for check in "user namespaces" "subordinate IDs" "newuidmap, newgidmap" "ID map" kernel "user manager" linger store monitor programs \
        "restart after a boot" "unit files"; do
        is "$(status_of "$check")" ok "... $check"
done
run $as sdpod doctor
like "$out" "^ok +user namespaces: can be made" "lines for people"
run $as sdpod doctor -q
unlike "$out" "(^|"$'\n'")ok " "--quiet has only what is not in order"
run $as sdpod doctor --format '{{.Check}}: {{.Status}}'
like "$out" "kernel: ok" "a template"
run $as sdpod doctor -q --format '{{.Check}}: {{.Status}}'
unlike "$out" ": ok" "... of only what is not in order, with --quiet"
run $as sdpod doctor extra
exits 125 "an argument is refused"

# ---- neither session nor manager, no linger
doctor $plain
is "$(status_of linger)" warning "no linger is a warning"
like "$(says linger)" "loginctl enable-linger e2e-patient" "... with the command"
# a person at a terminal is told at the first container in the background, once a login
systemctl start "user@$(id -u e2e-patient).service"
in_terminal="setpriv --reuid e2e-patient --regid e2e-patient --init-groups env -i HOME=/home/e2e-patient USER=e2e-patient \
        XDG_RUNTIME_DIR=/run/user/$(id -u e2e-patient) PATH=/usr/bin:/bin TESTS=$TESTS"
cat >"$T/twice" <<'END'
. "$TESTS/lib/e2e.sh"
tap_finished=1
image_load busybox
script -qec "sdpod run -d --rm --network none $BUSYBOX true" /dev/null
script -qec "sdpod run -d --rm --network none $BUSYBOX true" /dev/null
sdpod run -d --rm --network none "$BUSYBOX" true 2>&1
END
run $in_terminal bash "$T/twice"
is "$(grep -c "your containers end when you log out.*loginctl enable-linger" <<<"$out")" 1 "who does not linger is told at a terminal, once"
loginctl enable-linger e2e-patient
doctor $plain
is "$(status_of linger)" ok "... which mends it"
loginctl disable-linger e2e-patient
systemctl stop "user@$(id -u e2e-patient).service" 2>/dev/null
no_runtime_dir() { [[ ! -e /run/user/$(id -u e2e-patient) ]]; }
until_ok 10 no_runtime_dir # it goes a moment after its manager, and must not go under doctor
doctor $plain
is "$(status_of "user manager")" warning "no manager is a warning"
is "$status:$(jq -r '.[] | select(.Status == "problem").Finding' <<<"$out")" "0:" "... and no problem"

# ---- subordinate IDs
cp -a /etc/subuid /etc/subgid "$T"
at_end cp -a "$T/subuid" "$T/subgid" /etc
sed -i /^e2e-patient:/d /etc/subuid /etc/subgid
rm -f "$($plain sdpod info --format '{{.Store.RunRoot}}')/warned-subid"
run $plain sdpod unshare true
like "$err" "no range in /etc/subuid.*hint: 'sdpod doctor' gives the command" "no subordinate IDs: a container's start says so, once"
unlike "$err" "usermod" "... and names no range, which could be another user's"
doctor $plain
exits 1 "no subordinate IDs are a problem"
like "$(says "subordinate IDs")" "^problem.*sudo usermod --add-subuids [0-9]+-[0-9]+ --add-subgids [0-9]+-[0-9]+ e2e-patient$" "... with the command"
fix=$(says "subordinate IDs" | cut -d'|' -f4)
sh -c "${fix#sudo }"
doctor $plain
is "$(status_of "subordinate IDs")" ok "... which mends it"
range=$(sed -n 's/^e2e-doctor://p' /etc/subuid)
sed -i "s/^e2e-patient:.*/e2e-patient:$range/" /etc/subuid
doctor $plain
like "$(says "subordinate IDs")" "^problem.'e2e-doctor' has some of the same IDs" "somebody else's IDs are a problem"
sed -i "s/^e2e-patient:.*/e2e-patient:9000000:1000/" /etc/subuid
doctor $plain
is "$(status_of "subordinate IDs")" warning "a small range is a warning"
cp -a "$T/subuid" "$T/subgid" /etc

# ---- programs: in a mount namespace of the patient's own
broken() { # SCRIPT: what root breaks in a mount namespace, before the patient looks
        run unshare --mount --propagation private sh -c "$1"'
                exec '"$plain"' sdpod '"${2:-}"' doctor --format json' sh "$T"
}
broken 'mount --bind /bin/true /usr/bin/newuidmap'
like "$(says "newuidmap, newgidmap")" "^problem.*chmod u\+s /usr/bin/newuidmap" "newuidmap without its bit"
is "$(status_of "ID map")" problem "... and no map can be made"
broken 'mount -t tmpfs none /usr/libexec/sdpod'
is "$status$(status_of programs)" 1problem "sdpod's own programs are missing"
broken 'mount --bind /dev/null /usr/bin/catatonit'
like "$(says init)" "^warning.*--init is refused.*catatonit" "no init"
broken 'mount --bind /dev/null /usr/sbin/dnsmasq'
like "$(says "names of containers")" "^warning.*apt-get install dnsmasq-base" "no dnsmasq"
broken 'mount --bind /dev/null /usr/bin/fuse-overlayfs'
like "$(says fuse-overlayfs)" "^warning.*apt-get install fuse-overlayfs" "no fuse-overlayfs"
broken 'mkdir "$1/dev"; for f in null zero urandom random tty full; do touch "$1/dev/$f"; mount --bind /dev/$f "$1/dev/$f"; done
        mount --rbind "$1/dev" /dev'
like "$(says "network device")" "^problem.*modprobe tun" "no /dev/net/tun"
broken 'mkdir -p /etc/containers; mount -t tmpfs none /etc/containers; touch /etc/containers/policy.json; chmod 600 /etc/containers/policy.json'
like "$(says "configuration of registries")" "^problem.*chmod a\+r /etc/containers/policy.json" "a policy.json that cannot be read"

# ---- the store
small='mkdir -p "$1/small"; mount -t tmpfs -o size=300k,mode=700,uid=e2e-patient none "$1/small"'
broken "$small" "--root $T/small/s"
like "$(says space)" "^problem.*sdpod system prune" "a full disk is a problem"
is "$(status_of store)" warning "... and a store in memory a warning"
broken 'mkdir "$1/others"; chmod 777 "$1/others"' "--root $T/others"
like "$(says store)" "^problem.*others cannot write" "a store that others can write"
is "$status" 1 "... is a problem, but no failure"
id=$(printf 'a%.0s' {1..64})
broken "mkdir -p /home/e2e-patient/left/pending; touch -d 2026-01-02T03:04:05Z /home/e2e-patient/left/pending/$id
        chown -R e2e-patient: /home/e2e-patient/left; chmod 700 /home/e2e-patient/left" "--root /home/e2e-patient/left"
like "$(says "unfinished work")" "^warning.1 container.*2026-01-02T03:04:05Z" "what a killed command left, and when"
rm -rf /home/e2e-patient/left

# ---- the kernel
run $plain unshare -Ur sh -c 'echo 0 >/proc/sys/user/max_user_namespaces; exec sdpod --root "$HOME/ns" --runroot "$HOME/nsr" doctor --format json'
like "$(says "user namespaces")" "^problem.*max_user_namespaces is 0.*sysctl" "no user namespaces: which sysctl"

# ---- secrets: what protects them, and from whom
printf hunter2 | $as sdpod secret create --replace doctors - >/dev/null
run $plain sh -c 'cat /home/e2e-doctor/.local/share/sdpod/secrets/doctors /home/e2e-doctor/.config/sdpod/secrets.key'
is "$out" "" "another user reads neither secret nor key"
$as chmod 755 /home/e2e-doctor /home/e2e-doctor/.local /home/e2e-doctor/.local/share /home/e2e-doctor/.config
run $plain sh -c 'cat /home/e2e-doctor/.local/share/sdpod/secrets/doctors /home/e2e-doctor/.config/sdpod/secrets.key'
is "$out" "" "... also where the home is open to all"
$as chmod 700 /home/e2e-doctor
$as sdpod secret rm doctors >/dev/null
root="sdpod --root $T/root --runroot $T/rootrun"
if why=$(lacks_program systemd-creds); then
        skip "root's secrets are encrypted by systemd-creds" "$why"
else
        printf hunter2 | $root secret create mine - >/dev/null
        is "$($root secret inspect --format '{{.Spec.Driver.Options.encryption}}' mine)" systemd-creds "root's secrets are encrypted by systemd-creds"
        is "$($root secret inspect --showsecret mine | jq -r '.[0].SecretData')" hunter2 "... and come back"
        ok "... and are not in the clear" sh -c '! grep -rq hunter2 "$1"' sh "$T/root"
        $root load -q -i "$(image_file busybox)" >/dev/null
        run $root run --rm --network none --secret mine $BUSYBOX cat /run/secrets/mine
        is "$out" hunter2 "... and are in root's containers"
        run $root doctor --format json
        like "$(says secrets)" "^ok.encrypted by systemd-creds" "... and doctor knows"
fi

# ---- a service that has no /dev/fuse
sdpod --root "$T/store" load -q -i "$(image_file busybox)" >/dev/null
run systemd-run -q --wait --pipe -p PrivateDevices=yes sdpod --root "$T/store" --storage-driver fuse-overlayfs run --rm --network none $BUSYBOX true
like "$status:$err" "^12[56]:sdpod: cannot mount with fuse-overlayfs: fuse: device not found" "what fuse-overlayfs fails at is told, not what it warns of"

# ---- a unit that the user has turned off
$as systemctl --user -q mask sdpod-restart.service
doctor $as
like "$(says "restart after a boot")" "^warning.*systemctl --user unmask sdpod-restart.service" "the restart service is masked"
$as systemctl --user -q unmask sdpod-restart.service
$as systemctl --user stop sdpod-monitor.socket sdpod-monitor.service
doctor $as
is "$(status_of monitor)" problem "the monitor's socket does not answer"
fix=$(says monitor | cut -d'|' -f4)
$as sh -c "$fix" >/dev/null 2>&1
doctor $as
is "$(status_of monitor)" ok "... and the command mends it"
finish
