#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# unshare: whose IDs, which store, exit statuses; and what a session leaves behind.
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
finish
