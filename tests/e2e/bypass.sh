#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Outgoing connections by sockets of the host: what programs see, what stays inside, attacks, and all of network.sh with it.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
image_load web
chmod 755 "$T"
RUN_TIMEOUT=300
ON=(--network slirp4netns:bypass=true)

# --- what is refused by name
run sdpod run --rm --network slirp4netns:bypass=udp $BUSYBOX true
like "$status:$err" "^12[56]:.*each datagram names its own address" "bypass=udp is refused, with the reason"
run sdpod run --rm --network slirp4netns:bypass=maybe $BUSYBOX true
like "$status:$err" "^12[56]:.*bypass=maybe" "what is no boolean is refused"
run sdpod run --rm "${ON[@]}" --cap-add NET_ADMIN $BUSYBOX true
like "$status:$err" "^12[56]:.*CAP_NET_ADMIN" "CAP_NET_ADMIN is refused: it could have a firewall of its own"
run sdpod run --rm --network none --annotation sdpod.network.bypass=true $BUSYBOX true
like "$status:$err" "^12[56]:.*sdpod.network.bypass" "the annotation is refused with another network"
if ! sdpod run --rm "${ON[@]}" $BUSYBOX true 2>"$T/why"; then
        skip "the rest" "$(tail -n 1 "$T/why")"
        finish
fi
if why=$(lacks_program cc); then
        skip "the rest" "$why"
        finish
fi
if [[ $(ip -o addr show 2>/dev/null) != *192.0.2.1/* ]]; then
        skip "the rest" "this machine has no address 192.0.2.1"
        finish
fi
cc -O1 -static -w -pthread -o "$T/bypass" "$TESTS/e2e/bypass.c" || exit 99

# --- servers: one that answers, one that is full, one that is full for a moment
cat >"$T/server.py" <<'END'
import socket, sys, threading, time
log = open(sys.argv[1], "a", buffering=1)
def listen(address, port, backlog):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind((address, port)); s.listen(backlog)
    return s
def serve(address, port):
    s = listen(address, port, 64)
    while True:
        try:
            c, peer = s.accept(); log.write(f"{address} {peer[0]}\n"); c.sendall(b"canary\n"); c.close()
        except OSError:
            pass
held = []
def fill(port):
    s = listen("192.0.2.1", port, 0)
    for i in range(3):
        c = socket.socket(); c.setblocking(False); c.connect_ex(("192.0.2.1", port)); held.append(c)
    return s
port, full, later = map(int, sys.argv[2:5])
for address in "192.0.2.1", "2001:db8::1", "127.0.0.1", "::1":
    threading.Thread(target=serve, args=(address, port), daemon=True).start()
held.append(fill(full))
slow = fill(later)
log.write("ready\n")
sys.stdin.readline()
while True:
    held.append(slow.accept())
END
port=$(free_port) full=$(free_port) later=$(free_port)
mkfifo "$T/go"
python3 "$T/server.py" "$T/log" "$port" "$full" "$later" <"$T/go" &
at_end kill $!
exec 7>"$T/go"
ok "the servers are there" until_ok 10 grep -qs ready "$T/log"

run sdpod run -d --name c "${ON[@]}" -v "$T/bypass:/bypass:ro" $BUSYBOX sleep 1000
exits 0 "a container whose connections are the host's"
inside() { # CASE PORT [MORE...]: exec, and by IPv4
        run timeout 300 sdpod exec c /bypass "$1" 192.0.2.1 "${@:2}"
}

# --- what programs see
for address in 192.0.2.1 2001:db8::1 ::ffff:192.0.2.1; do
        run sdpod exec c /bypass plain $address "$port"
        is "$out" "ok host canary cloexec 0 1 blocking 1" "$address: a blocking connect, close-on-exec as it was"
        run sdpod exec c /bypass nonblock $address "$port"
        is "$out" "EINPROGRESS 1 ok ok EISCONN host 1 canary" "... one that does not block, asked again"
        run sdpod exec c /bypass epoll $address "$port"
        is "$out" "EINPROGRESS host 1 1 1122334455667788 1 42 ok 43 ok ok" "... one that epoll watches already, twice"
done
run sdpod run --rm "${ON[@]}" -v "$T/bypass:/bypass:ro" $BUSYBOX /bypass plain 192.0.2.1 "$port"
like "$out" "^ok host canary" "the first process of a container"
run sdpod run --rm --annotation sdpod.network.bypass=true -v "$T/bypass:/bypass:ro" $BUSYBOX /bypass plain 192.0.2.1 "$port"
like "$out" "^ok host canary" "by annotation"
run sdpod run --rm "${ON[@]}" --annotation sdpod.network.bypass=false -v "$T/bypass:/bypass:ro" $BUSYBOX /bypass plain 192.0.2.1 "$port"
like "$out" "^ok inside canary" "... which also switches it off"
for more in --init "--security-opt seccomp=unconfined" "--security-opt no-new-privileges" "--user 1000:1000" "--userns keep-id" "--userns auto" "--cap-drop ALL" --read-only; do
        # shellcheck disable=SC2086
        run sdpod run --rm "${ON[@]}" $more -v "$T/bypass:/bypass:ro" $BUSYBOX /bypass plain 192.0.2.1 "$port"
        like "$out" "^ok host canary" "with $more"
done
inside options "$port"
is "$out" "ok host 1 1 77 60000 80000 16 7" "socket options go over"
inside refused 1
is "$out" "ECONNREFUSED ECONNREFUSED" "a port where nobody listens"
inside slow "$full"
is "$out" "EINPROGRESS EINTR EINPROGRESS EALREADY 0" "one that takes long: SO_SNDTIMEO, a signal, asked again; it goes on connecting"
sdpod exec c /bypass restart 192.0.2.1 "$later" >"$T/restart" &
child=$!
until_ok 10 sh -c 'sdpod top c args | grep -q restart'
echo >&7
wait "$child"
is "$(cat "$T/restart")" "ok host" "signals with SA_RESTART: the call goes on"
inside thread "$port"
is "$out" "ok canary" "a thread with a descriptor table of its own"
inside kept "$port"
like "$out" "^ok inside canary ok inside ok (host|inside) ok inside" "a socket with a twin, a bound one, one that sends signals: inside, and working"
sdpod exec -d c httpd -f -p 8080 -h /etc
ok "the container's own addresses stay inside" until_ok 10 sdpod exec c wget -q -O /dev/null http://127.0.0.1:8080/passwd
run sdpod exec c wget -q -O - http://10.0.2.100:8080/passwd
like "$out" "^root" "... all of them"
run sdpod exec -u 1000 c httpd -f -p 80
like "$err" "denied|Permission" "a low port takes the capability"
sdpod exec -d c httpd -f -p 80 -h /etc
ok "... and root has it" until_ok 10 sdpod exec c wget -q -O /dev/null http://127.0.0.1/passwd

# --- no way elsewhere
inside again "$port" 127.0.0.1 "$port"
is "$out" "ok EISCONN ok EADDRNOTAVAIL ok host canary" "a socket of the host that is connected anew: outside yes, to the host's loopback no"
inside place "$port" "$(free_port)"
is "$out" "ok EINVAL EINVAL EINVAL EINVAL EPERM EPERM EPERM" "it is neither bound nor listens, and its mark stays"
inside early "$port"
is "$out" "EOPNOTSUPP EOPNOTSUPP EOPNOTSUPP EOPNOTSUPP EOPNOTSUPP ENOSYS ENOSYS EOPNOTSUPP none" \
        "no data before an answer, no io_uring, no hidden calls of i386"
inside passed "$port" 127.0.0.1 "$port"
is "$out" "ok host ok EADDRNOTAVAIL" "given to another process of the container it goes nowhere else"
inside race "$port" 127.0.0.1 "$port" 20000
is "$out" "through 0" "descriptor and address exchanged under the call: no way to 127.0.0.1"
run timeout 300 sdpod exec c /bypass race 2001:db8::1 "$port" ::1 "$port" 20000
is "$out" "through 0" "... nor to ::1"
is "$(grep -cE '^(127.0.0.1|::1) ' "$T/log")" 0 "nothing has reached the host's loopback"
for address in 127.0.0.1 10.0.2.2 0.0.0.0 ::1 fd00::2 ::ffff:127.0.0.1; do
        run timeout 300 sdpod exec c nc -w 2 $address "$port"
        unlike "$out" canary "$address is not the host's"
done

# --- its process
supervisor() { container_processes | awk '$2 == "sdpod-bypass" { print $1 }'; }
pid=$(supervisor)
like "$pid" '^[0-9]+$' "there is one sdpod-bypass"
is "$(awk '/^CapEff|^CapBnd/ { printf "%s ", $2 } /^NoNewPrivs|^Seccomp:/ { printf "%s ", $2 }' "/proc/$pid/status")" \
        "0000000000080004 0000000000000000 1 2 " "it may trace in the container, and no more, and has a filter"
ok "it sees no home" test ! -e "/proc/$pid/root/home"
kill -9 "$pid"
until_ok 5 sh -c "! kill -0 $pid"
run timeout 20 sdpod exec c /bypass plain 192.0.2.1 "$port"
like "$out" "^ENOSYS none" "killed, connections fail with ENOSYS, at once"
like "$err" "sdpod-bypass has ended" "... and exec says why"
is "$(sdpod inspect -f '{{.State.Status}}' c)" running "... but the container goes on"
sdpod restart -t 0 c >/dev/null
run sdpod exec c /bypass plain 192.0.2.1 "$port"
like "$out" "^ok host canary" "a restart brings it back"
run sdpod rm -f -t 0 c
no_processes_left "no process is left"

# --- pods, health checks
sdpod pod create --name p "${ON[@]}" >/dev/null
run sdpod run --rm --pod p -v "$T/bypass:/bypass:ro" $BUSYBOX /bypass plain 192.0.2.1 "$port"
like "$out" "^ok host canary" "a container of a pod whose network has it"
sdpod pod rm -f -t 0 p >/dev/null
sdpod run -d --name h "${ON[@]}" --health-cmd "nc -w 20 192.0.2.1 $port </dev/null" --health-interval disable $BUSYBOX sleep 1000 >/dev/null
run sdpod healthcheck run h
exits 0 "a health check that connects"
sdpod rm -f -t 0 h >/dev/null

# --- all else is as it was
E2E_BYPASS=1 bash "$TESTS/e2e/network.sh" >"$T/network" 2>&1
is "$?:$(grep '^not ok' "$T/network")" "0:" "all of network.sh with it"
finish
