#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# unshare, mount, umount: whose IDs, which store, exit statuses; and what a session leaves behind.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
cd "$T" || exit 99

is "$(sdpod unshare id -u)" 0 "unshare: the user is root"
read -r _ first count < <(awk -F: -v u="$USER" '$1 == u { print $1, $2, $3 }' /etc/subuid)
is "$(sdpod unshare cat /proc/self/uid_map | awk '{ print $1, $2, $3 }')" "0 $UID 1"$'\n'"1 $first $count" "... of all of the user's IDs"
is "$(SHELL=/bin/sh sdpod unshare <<<'echo $0; id -u')" /bin/sh$'\n'0 "without a command it is the shell"
run sdpod unshare sh -c 'exit 3'
exits 3 "the exit status is the command's"
run sdpod unshare /no/such/program
exits 127 "127: there is no such command"
run sdpod unshare /etc
exits 126 "126: it cannot be executed"
run sdpod unshare --rootless-netns true
exits 125 "--rootless-netns is refused"
touch owned
sdpod unshare chown 5:7 owned
is "$(stat -c %u owned)" $((first + 4)) "its IDs are the subordinate ones"
rm -f owned
is "$(sdpod unshare sdpod images -q)" "$(sdpod images -q)" "sdpod inside sees the user's store"
is "$(sdpod unshare sdpod unshare id -u)" 0 "a session in a session"
run sdpod unshare sdpod run --rm $BUSYBOX true
exits 125 "containers are not started inside"

# --- mounts
sdpod run -d --name live --network none --stop-timeout 0 $BUSYBOX sleep 10000 >/dev/null
sdpod run --name dead --network none $BUSYBOX sh -c 'echo made >/made'
for verb in mount "container mount" "umount dead" "image mount" "image umount -a"; do
        run sdpod $verb
        exits 125 "$verb: not outside of a session"
        like "$err" "unshare" "... which the message names"
done
is "$(sdpod unshare sh -c 'cat "$(sdpod mount dead)/made"')" made "mount: what a container wrote"
is "$(sdpod unshare sh -c 'echo here >"$(sdpod mount live)/here"; cd "$(sdpod mount live)" && sdpod exec live true 2>&1 | grep -c unshare')" 1 "... one that runs, and exec is refused"
is "$(sdpod exec live cat /here)" here "... which sees what is written there"
sdpod unshare sh -c 'echo changed >"$(sdpod mount dead)/changed"; chown 3:4 "$(sdpod mount dead)/changed"'
is "$(sdpod start -a dead >/dev/null; sdpod cp dead:/changed - | tar xO)" changed "... one that does not run takes changes"
is "$(sdpod unshare sh -c 'sdpod mount dead live >/dev/null; sdpod mount; echo; sdpod umount dead; sdpod mount --format json; sdpod umount -a; sdpod mount' | grep -c "$XDG_RUNTIME_DIR/sdpod/mounts/")" 3 "lists, and unmounts"
is "$(sdpod unshare sh -c 'sdpod mount -a | wc -l; sdpod mount -l')" "2"$'\n'"$XDG_RUNTIME_DIR/sdpod/mounts/$(sdpod inspect --format '{{.Id}}' dead)" "--all, --latest"
run sdpod unshare sdpod mount nope
exits 125 "no such container"
run sdpod unshare sdpod umount
exits 125 "umount takes a name"
is "$(sdpod unshare sh -c "ls \$(sdpod image mount $BUSYBOX)/bin/busybox" | sed 's|.*/bin|/bin|')" /bin/busybox "image mount"
run sdpod unshare sh -c "touch \$(sdpod image mount $BUSYBOX)/x"
exits 1 "... is read-only"
is "$(sdpod unshare sh -c 'sdpod image mount -a >/dev/null; sdpod image mount | wc -l; sdpod image umount -a | wc -l; sdpod image mount | wc -l')" "1"$'\n'"1"$'\n'"0" "... lists, and unmounts"
sdpod unshare sh -c "sdpod mount -a >/dev/null; sdpod image mount $BUSYBOX >/dev/null; kill -9 \$\$"
is "$(ls "$XDG_RUNTIME_DIR/sdpod/mounts")" "" "a killed session leaves nothing"
is "$(grep -c sdpod/mounts /proc/self/mountinfo)" 0 "... and no mount"
sdpod create --name gone --network none $BUSYBOX >/dev/null
is "$(sdpod unshare sh -c "sdpod mount gone >/dev/null; sdpod rm gone; ls $XDG_RUNTIME_DIR/sdpod/mounts")" gone "rm unmounts"
run sdpod rm -f live dead
exits 0 "containers are removed as ever"
finish
