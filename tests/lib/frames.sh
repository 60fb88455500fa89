# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What raw frames are tried with, sourced: frames.c and talk.c are built ($T/frames, $T/talk), and servers listen on `$port` of the
# host's addresses. What must hear nothing writes to $T/canary, what may be reached to $T/lan.
chmod 755 "$T"
cc -O1 -static -w -o "$T/frames" "$TESTS/e2e/frames.c" || exit 99
cc -O1 -static -w -o "$T/talk" "$TESTS/e2e/talk.c" || exit 99
at_end sdpod rm -f -t 0 -a

# Servers by TCP and UDP that write down whatever reaches them.
cat >"$T/canary.py" <<'END'
import socket, sys, threading
log = open(sys.argv[1], "a", buffering=1)
def serve(kind, address, port):
    s = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind((address, port))
    if kind == socket.SOCK_STREAM:
        s.listen()
    while True:
        peer = s.accept() if kind == socket.SOCK_STREAM else s.recvfrom(4096)
        log.write(f"{address} {kind.name} {peer[1][0]}\n")
for address in sys.argv[3:]:
    for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
        threading.Thread(target=serve, args=(kind, address, int(sys.argv[2])), daemon=True).start()
log.write("ready\n")
threading.Event().wait()
END
port=$(free_port)
addresses=(127.0.0.1 127.1.2.3 127.0.0.53 ::1)
metadata=
[[ $(ip -o addr show) == *169.254.169.254/* ]] && { addresses+=(169.254.169.254); metadata=yes; }
python3 "$T/canary.py" "$T/canary" "$port" "${addresses[@]}" &
at_end kill $!
python3 "$T/canary.py" "$T/lan" "$port" 192.0.2.1 2001:db8::1 &
at_end kill $!
until_ok 5 grep -q ready "$T/canary"
until_ok 5 grep -q ready "$T/lan"
if exec 3<>"/dev/tcp/127.0.0.1/$port"; then exec 3>&-; fi
ok "the canary sings when it is reached" until_ok 5 grep -q '127.0.0.1 SOCK_STREAM' "$T/canary"
quiet() { grep -vc '^127.0.0.1 SOCK_STREAM 127.0.0.1$' "$T/canary"; } # but for that one: "ready"

# The classes of tests/e2e/frames.c, each to each of the targets, in one container; what came back, by target and class.
write_frames() { # CONTAINER INTERFACE GATEWAY-MAC ME4 ME6 CLASSES TARGETS
        sdpod exec "$1" sh -c "for t in $7; do for c in $6; do /frames $2 $3 $4 $5 \$c \$t $port 2>&1 | sort -u | sed \"s/^/\$c to \$t: /\"; done; done"
}
