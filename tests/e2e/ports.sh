#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Published ports: where they listen, who the container sees, what is refused and why, and what a container cannot make of them.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
chmod 755 "$T"

# A server that answers with the address and the port it sees.
mkdir -p "$T/www/cgi-bin"
# shellcheck disable=SC2016  # the server's shell expands it
printf '#!/bin/sh\na=${REMOTE_ADDR#[[]::ffff:}\nprintf "\\n%%s %%s\\n" "${a%%]}" "$REMOTE_PORT"\n' >"$T/www/cgi-bin/who"
head -c 5000000 /dev/urandom >"$T/www/big"
chmod -R a+rX "$T/www"
chmod 755 "$T/www/cgi-bin/who"
serve() { # NAME OPTIONS...: ports 8080 to 8082
        local name=$1
        shift
        sdpod run -d --name "$name" -v "$T/www:/www:ro" "$@" $BUSYBOX \
                sh -c 'httpd -p 8081 -h /www; httpd -p 8082 -h /www; exec httpd -f -p 8080 -h /www' >/dev/null
}
who() { # ADDRESS PORT
        curl -s -m 10 "http://$1:$2/cgi-bin/who"
}
listens() { # PORT: on which addresses
        ss -Hltn "sport = :$1" | awk '{ print $4 }' | sort | tr '\n' ' '
}
until_served() { # ADDRESS PORT
        until_ok 10 curl -sf -m 5 "http://$1:$2/cgi-bin/who"
}

# --- both families
port=$(free_port)
serve web -p "$port:8080"
until_served 127.0.0.1 "$port" >/dev/null
is "$(listens "$port")" "0.0.0.0:$port [::]:$port " "-p listens on all addresses of both families"
like "$(who 127.0.0.1 "$port")" '^10\.0\.2\.2 [0-9]+$' "a peer on the host's loopback looks like the gateway"
like "$(who '[::1]' "$port")" 'fd00::2' "... by IPv6, too"
curl -s "http://127.0.0.1:$port/big" | cmp - "$T/www/big"
is "$?" 0 "a large answer is intact"
curl -s "http://[::1]:$port/big" | cmp - "$T/www/big"
is "$?" 0 "... by IPv6, too"
if [[ $(ip -o addr show 2>/dev/null) == *192.0.2.1/* ]]; then
        like "$(who 192.0.2.1 "$port")" '^192\.0\.2\.1 [0-9]+$' "any other peer is seen by its own address"
        like "$(curl -s --local-port 41000-41200 "http://192.0.2.1:$port/cgi-bin/who")" '^192\.0\.2\.1 41[0-2][0-9][0-9]$' "... and by its own port"
        like "$(who '[2001:db8::1]' "$port")" '2001:db8::1' "... by IPv6, too"
else
        skip "any other peer is seen by its own address" "this machine has no address 192.0.2.1"
fi
(seq 50 | xargs -P 25 -I{} curl -s -m 20 -o /dev/null -w '%{http_code}\n' "http://127.0.0.1:$port/cgi-bin/who") >"$T/many"
is "$(sort "$T/many" | uniq -c | xargs)" "50 200" "fifty requests at once are answered"

# --- taken
run sdpod run -d --name second -p "$port:8080" $BUSYBOX true
exits 126 "a port that is taken is refused"
like "$err" "cannot publish port $port/tcp: already in use by .*web" "... and its holder named"
python3 -c "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(); print(s.getsockname()[1], flush=True); sys.stdin.read()" \
        >"$T/taken" < <(exec sleep 1000) &
taker=$!
at_end kill $taker
until_ok 5 test -s "$T/taken"
run sdpod run --rm -p "127.0.0.1:$(cat "$T/taken"):8080" $BUSYBOX true
like "$err" "already in use by .*python" "... also where it is no container"
run sdpod restart -t 0 web
exits 0 "a restart has the port again"
ok "... and it answers" until_served 127.0.0.1 "$port"
sdpod rm -f -t 0 web >/dev/null
is "$(listens "$port")" "" "nothing listens once the container is gone"

# --- one address, a chosen port, ranges, all exposed ones
serve local -p "127.0.0.1:$port:8080" -p "[::1]:$port:8081"
until_served 127.0.0.1 "$port" >/dev/null
is "$(listens "$port")" "127.0.0.1:$port [::1]:$port " "each address listens for itself"
ok "... in IPv6" until_served '[::1]' "$port"
sdpod rm -f -t 0 local >/dev/null
serve any -p 8080 -p 127.0.0.1::8081
like "$(sdpod port any 8080)" '^0\.0\.0\.0:[0-9]+' "without a host port a free one is taken"
chosen=$(sdpod port any 8081)
like "$chosen" '^127\.0\.0\.1:[0-9]+$' "... on one address, too"
ok "... and it answers" until_served 127.0.0.1 "${chosen##*:}"
sdpod rm -f -t 0 any >/dev/null
first=$(python3 - <<'END'
import socket
# three free ports in a row
for port in range(20000, 60000, 7):
    sockets = []
    try:
        for i in range(3):
            for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
                s = socket.socket(family)
                if family == socket.AF_INET6:
                    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                s.bind((address, port + i))
                sockets.append(s)
        print(port)
        break
    except OSError:
        pass
END
)
serve range -p "$first-$((first + 2)):8080-8082"
for i in 0 1 2; do
        ok "port $i of a range" until_served 127.0.0.1 $((first + i))
done
sdpod rm -f -t 0 range >/dev/null
serve all --expose 8080-8081 -P
is "$(sdpod port all | wc -l)" 2 "-P publishes what is exposed"
exposed=$(sdpod port all 8081)
ok "... and it answers" until_served 127.0.0.1 "${exposed##*:}"
sdpod rm -f -t 0 all >/dev/null

# --- servers that are not there
sdpod run -d --name idle -p "$port:8080" $BUSYBOX sleep 1000 >/dev/null
until_ok 10 eval '[[ -n $(listens "$port") ]]'
run curl -s -m 20 "http://127.0.0.1:$port/"
like "$status" '^(7|56)$' "a port that nobody serves is reset at once" # curl sees it connecting or receiving
sdpod exec -d idle httpd -f -p 127.0.0.1:8080
until_ok 10 sdpod exec idle nc -z 127.0.0.1 8080
run curl -s -m 20 "http://127.0.0.1:$port/"
like "$status" '^(7|56)$' "a server on the container's loopback is not reached"
sdpod exec -d idle httpd -f -p 10.0.2.100:8080
ok "one on its address is" until_ok 10 curl -s -m 5 -o /dev/null "http://127.0.0.1:$port/"
sdpod rm -f -t 0 idle >/dev/null

# --- what is refused
run sdpod run --rm -p "$port:8080/sctp" $BUSYBOX true
like "$status:$err" '^125:.*SCTP' "SCTP is refused by name"
low=$(awk '{ print $1 - 1 }' /proc/sys/net/ipv4/ip_unprivileged_port_start)
if [[ $EUID == 0 || $low -lt 1 ]]; then
        skip "a privileged port is refused" "every port is open to this user"
else
        run sdpod run --rm -p "$low:8080" $BUSYBOX true
        like "$status:$err" "^12[56]:.*cannot publish port $low/tcp: Permission denied" "a privileged port is refused"
        like "$err" "sysctl net\.ipv4\.ip_unprivileged_port_start=$low" "... with the sysctl that opens it"
        like "$err" "systemd.socket" "... and with socket activation"
fi

# --- UDP goes its own way
cat >"$T/udp.py" <<'END'
import socket, sys
s = socket.socket(socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(5)
s.sendto(b"ping", (sys.argv[1], int(sys.argv[2])))
sys.exit(0 if s.recv(100) == b"ping" else 1)
END
if why=$(lacks_program cc); then
        skip "a UDP port answers" "$why"
else
        cc -O1 -static -w -o "$T/raw" "$TESTS/e2e/raw.c" || exit 99
        sdpod run -d --name udp -p "$port:5000/udp" -v "$T/raw:/raw:ro" $BUSYBOX /raw echo 5000 >/dev/null
        until_ok 10 sh -c 'sdpod logs udp | grep -q listening'
        ok "a UDP port answers" until_ok 10 python3 "$T/udp.py" 127.0.0.1 "$port"
        is "$(container_processes | awk '$2 == "sdpod-connect"')" "" "... and needs no connector"
        sdpod rm -f -t 0 udp >/dev/null
fi

# --- the connector, and a container that has all that a rootless one can have
serve evil --cap-add NET_ADMIN,NET_RAW,SYS_PTRACE -p "$port:8080"
until_served 127.0.0.1 "$port" >/dev/null
connector=$(container_processes | awk '$2 == "sdpod-connect" { print $1 }')
like "$connector" '^[0-9]+$' "there is one connector"
is "$(awk '/^CapEff|^CapPrm/ { printf "%s ", $2 } /^CapBnd|^NoNewPrivs|^Seccomp:/ { printf "%s ", $2 }' "/proc/$connector/status" | sed 's/\<0*\([0-9]\)/\1/g')" \
        "1000 1000 0 1 2 " "it has CAP_NET_ADMIN alone, no way to more, and a filter"
# shellcheck disable=SC2016
is "$(sdpod exec evil sh -c 'for p in /proc/[0-9]*; do cat $p/comm; done | grep -c sdpod')" 0 "the container cannot see it"
sdpod exec evil kill -9 -1 >/dev/null 2>&1
ok "... nor end it" test -e "/proc/$connector"
# its own rules are its own: it may break what it is reached by, and nothing else
serve good -p "$first:8080"
until_served 127.0.0.1 "$first" >/dev/null
sdpod exec evil sh -c 'ip rule delete priority 100; ip -6 rule delete priority 100; ip route add local default dev lo' 2>/dev/null
ok "a container without its rules harms no other" until_served 127.0.0.1 "$first"
sdpod exec evil ip address delete 10.0.2.100/24 dev tap0
run curl -s -m 3 "http://127.0.0.1:$port/"
unlike "$status" '^0$' "without its address it is not reached"
ok "... and the other is" until_served 127.0.0.1 "$first"
canary=$(free_port)
python3 - "$canary" "$T/canary" <<'END' &
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", int(sys.argv[1])))
s.listen()
open(sys.argv[2], "w").close()
while True:
    c, peer = s.accept()
    open(sys.argv[2], "a").write(f"{peer}\n")
END
at_end kill $!
until_ok 5 test -e "$T/canary"
# an address of its own that looks like the host's: what comes in by the published port must stay inside
sdpod exec evil sh -c "ip route add 10.0.2.100 dev tap0; ip neigh add 10.0.2.100 lladdr 52:55:0a:00:02:02 dev tap0; ip rule add priority 0 lookup main" >/dev/null 2>&1
run curl -s -m 3 "http://127.0.0.1:$port/"
is "$(cat "$T/canary")" "" "what comes in by a published port does not come out on the host's loopback"
sdpod rm -f -t 0 evil good >/dev/null
no_processes_left "no process is left"

finish
