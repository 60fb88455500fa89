#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# Who comes into a container that root runs: without a user namespace a tracer inside has power over it until it executes, and finds nothing
# of the host's; with an ID map of its own exec has that map, too.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
chmod 755 "$T"
build_program attack "$T/attack" >"$T/why" || skip_all "$(cat "$T/why")"
at_end sdpod rm -ft 0 spy mapped
NL=$'\n'
N="--network none --stop-timeout 0"

# --- a tracer
sdpod run -d --name spy $N -v "$T/attack:/attack:ro" --cap-add SYS_PTRACE $BUSYBOX /attack spy >/dev/null
for ((i = 0; i < 40; i++)); do sdpod exec spy true; done
saw() { sdpod exec spy true; sdpod logs spy | grep -q '/exe -> '; }
ok "a tracer with CAP_SYS_PTRACE sees who comes in" until_ok 20 saw
is "$(sdpod logs spy | grep -E '/(fd/[0-9]+|cwd|root) -> ' | sort | uniq -c)" "" "... and no descriptor or directory of the host's"
sdpod exec spy sh -c 'mkdir /home; cd /home; sleep 1' >/dev/null 2>&1
like "$(sdpod logs spy)" "cwd -> /home" "... and a directory that looks like one is seen"
run bash -c 'echo word | sdpod exec -i spy cat'
is "$status:$out" 0:word "exec has its own standard input and output all the same"
run bash -c 'exec 3<<<three; sdpod exec --preserve-fds 1 spy cat /proc/self/fd/3'
is "$status:$out" 0:three "... and the descriptors that it is to keep"
sdpod rm -ft 0 spy >/dev/null

# --- an ID map of its own
sdpod run -d --name mapped $N --uidmap 0:100000:65536 --gidmap 0:100000:65536 --health-interval disable \
        --health-cmd 'cat /proc/self/uid_map; readlink /proc/self/ns/user' $BUSYBOX sleep 1000 >/dev/null
map=$(sdpod exec mapped cat /proc/1/uid_map)
like "$map" '^ +0 +100000 +65536$' "a container of root's with an ID map of its own"
is "$(sdpod exec mapped sh -c 'cat /proc/self/uid_map')" "$map" "exec is in its user namespace"
run sdpod exec mapped sh -c '[ "$(readlink /proc/1/ns/user)" = "$(readlink /proc/self/ns/user)" ] && id -u'
is "$out" 0 "... as its root"
run sdpod run --rm $N --userns container:mapped $BUSYBOX sh -c 'cat /proc/self/uid_map; readlink /proc/self/ns/user'
is "$status:$out" "0:$map$NL$(sdpod exec mapped readlink /proc/1/ns/user)" "--userns container: is its user namespace"
run sdpod run --rm $N --pid container:mapped $BUSYBOX sh -c 'cat /proc/self/uid_map'
like "$status:$out" '^0: +0 +0 ' "another of its namespaces alone takes no map along"
run sdpod run --rm $N --userns "ns:/proc/$(sdpod inspect -f '{{.State.Pid}}' mapped)/ns/user" $BUSYBOX true
like "$status:$err" '^12[56]:.*cannot join the user namespace .* as root' "... and one by its path is refused"
sdpod pod create --name mapped-pod --network none --uidmap 0:100000:65536 --gidmap 0:100000:65536 >/dev/null
is "$(sdpod run --rm --pod mapped-pod $BUSYBOX cat /proc/self/uid_map)" "$map" "who is in a pod with an ID map has that"
sdpod pod rm -ft 0 mapped-pod >/dev/null
sdpod healthcheck run mapped
sdpod stop -t 0 mapped >/dev/null
run sdpod cp "$T/attack" mapped:/etc/copied
exits 0 "cp into it while it does not run"
sdpod start mapped >/dev/null
is "$(sdpod exec mapped stat -c %u:%g /etc/copied)" 0:0 "... makes a file of its root"
sdpod healthcheck run mapped
is "$(sdpod inspect -f '{{with index .State.Health.Log 0}}{{.Output}}{{end}}' mapped | head -n 1)" "$map" "and so is a health check"
finish
