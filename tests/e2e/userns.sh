#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The user namespace that the monitor keeps: containers are made inside it, it outlives the monitor, and nothing depends on it.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -f -t 0 -a

# The user namespace around that of a process (ioctl_ns(2), NS_GET_PARENT), and its own.
namespaces() { # CONTAINER
        python3 - "$(sdpod inspect -f '{{.State.Pid}}' "$1")" <<'PYTHON'
import fcntl, os, sys
fd = os.open(f'/proc/{sys.argv[1]}/ns/user', os.O_RDONLY)
print(os.fstat(fcntl.ioctl(fd, 0xb702)).st_ino, os.fstat(fd).st_ino)
PYTHON
}
# Says something to the monitor, with a descriptor of FILE where one is named.
ask() { # JSON [FILE]
        python3 - "$@" <<'PYTHON'
import os, socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
s.settimeout(10)
s.connect(os.environ['XDG_RUNTIME_DIR'] + '/sdpod/monitor.sock')
socket.send_fds(s, [sys.argv[1].encode()], [os.open(f, os.O_RDONLY) for f in sys.argv[2:]])
answer, fds, _, _ = socket.recv_fds(s, 4096, 4)
print(answer.decode(), len(fds))
PYTHON
}
monitor() { systemctl --user show -p MainPID --value sdpod-monitor.service 2>/dev/null; }
start() { sdpod run -d --name "$1" --network none "${@:2}" $BUSYBOX sleep 1000 >/dev/null || fail "$1 starts"; }

start one # the first one may come before the monitor answers
start two
start three
read -r around own <<<"$(namespaces two)"
read -r around3 own3 <<<"$(namespaces three)"
is "$around3" "$around" "two containers lie in one user namespace"
ok "... each in one of its own" test "$own" != "$own3"
ok "... which is not that of the host" test "$around" != "$(stat -L -c %i /proc/self/ns/user)"
run sdpod exec two cat /proc/self/uid_map
like "$out" $'^ *0 +0 +1\n *1 +1 +65536$' "inside it IDs are what they are in the container"
like "$(cat "/proc/$(sdpod inspect -f '{{.State.Pid}}' two)/uid_map")" "^ *0 +$UID +1"$'\n'" *1 +[0-9]{5,} +65536" "... and seen from the host those of the user"
run sdpod run --rm --network none $BUSYBOX true
exits 0 "one in the foreground"

kill -9 "$(monitor)"
start four
start five
is "$(namespaces five | cut -d' ' -f1)" "$around" "it outlives a killed monitor"

start keep --userns keep-id
run sdpod exec keep id -u
is "$out" "$UID" "a container with a map of its own"
run sdpod run --rm --network none -v files:/files $BUSYBOX sh -c 'touch /files/a && chown 7:8 /files/a && stat -c %u:%g /files/a'
is "$out" 7:8 "files of subordinate IDs can be made"
run sdpod volume rm files
exits 0 "... and removed"

out=$(ask '{"op":"get-userns","map":"nonsense"}')
like "$out" '"ok": ?false.*not-found.* 0$' "a map that is not kept"
out=$(ask '{"op":"get-userns"}')
like "$out" '"ok": ?false.*no user namespace' "no map"
out=$(ask '{"op":"get-userns","map":"x","id":"y"}')
like "$out" '"ok": ?false' "a key that does not belong there"
for file in /dev/null /proc/self/ns/pid /proc/self/ns/user; do
        out=$(ask '{"op":"keep-userns","map":"x"}' $file)
        like "$out" '"ok": ?false.*cannot keep' "$file is not taken for a user namespace of the user"
done
start six
is "$(namespaces six | cut -d' ' -f1)" "$around" "... and what was kept still is"

# another map, as after a change of /etc/subuid: made anew
out=$(ask '{"op":"keep-userns","map":"other"}' "/proc/$(sdpod inspect -f '{{.State.Pid}}' six)/ns/user")
is "$out" '{"ok":true} 0' "another map takes its place"
start seven
start eight
read -r new _ <<<"$(namespaces seven)"
ok "a container with the user's map makes a new one" test "$new" != "$around"
is "$(namespaces eight | cut -d' ' -f1)" "$new" "... which is kept"
out=$(ask '{"op":"get-userns","map":"other"}')
like "$out" '"ok": ?false' "there is one only"

systemctl --user stop sdpod-monitor.socket sdpod-monitor.service
run sdpod run --rm --network none $BUSYBOX id -u
is "$status:$out" 0:0 "without a monitor"
systemctl --user start sdpod-monitor.socket
finish
