#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The commands around networks: create with all its options, ls, inspect, rm, prune, connect and disconnect while a container runs,
# --network with what can be said of each, addresses that are given and freed, units; and hostile names and values.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program jq python3 sha256sum); then skip_all "$why"; fi
sdpod system reset -f >/dev/null
image_load busybox || { cat "$T/image_load"; exit 99; }
N="sdpod network"
runtime=${XDG_RUNTIME_DIR:-/run/user/$UID}/sdpod
data=${XDG_DATA_HOME:-$HOME/.local/share}/sdpod
inspect() { $N inspect "$1" | jq -cr ".[0]$2"; }
address() { # NAME INTERFACE [6]
        sdpod exec "$1" ip -o "-${3:-4}" addr show "$2" 2>/dev/null | awk '$0 !~ /fe80/ { sub("/.*", "", $4); print $4; exit }'
}
sleeper() { # NAME OPTION...
        local name=$1
        shift
        sdpod run -d --name "$name" --stop-timeout 0 "$@" $BUSYBOX sleep 1000 >/dev/null
}

# --- create
is "$($N ls)" "NETWORK ID    NAME        DRIVER"$'\n'"2f259bab93aa  podman      bridge" "the default network is there"
is "$(ls "$data/networks" 2>/dev/null)" "" "... without a record"
is "$($N create)" podman1 "create without a name"
is "$(inspect podman1 .subnets[0].subnet) $(inspect podman1 .network_interface)" "10.89.0.0/24 podman1" "... takes the first subnet and the first interface"
is "$($N create --ipv6 dual)" dual "create prints the name"
run $N create host
like "$status:$err" '^125:.*conflicts with a valid network mode' "a name that is a mode is refused"
run sdpod create --network slirp4netns:nope=1 $BUSYBOX
like "$status:$err" "^125:.*'--network slirp4netns:nope=1': unknown option or value 'nope=1'" "an unknown option of a mode is refused at once"
is "$(inspect dual '|[.network_interface, .subnets[0].subnet, .subnets[0].gateway, .ipv6_enabled, .dns_enabled, .internal]')" \
        '["podman2","10.89.1.0/24","10.89.1.1",true,true,false]' "... with the next ones"
like "$(inspect dual .subnets[1].subnet)" '^fd[0-9a-f]{2}:.*::/64$' "--ipv6: a unique local prefix"
$N create --subnet 10.50.0.7/24 --ip-range 10.50.0.128/26 --gateway 10.50.0.9 --label a=b --label c -o mtu=1400 -o isolate=1 --route 10.60.0.0/16,10.50.0.1,7 \
        --dns 192.0.2.53 --interface-name br7 full >/dev/null
is "$(inspect full '|del(.id, .created)')" '{"name":"full","driver":"bridge","network_interface":"br7","subnets":[{"subnet":"10.50.0.0/24","gateway":"10.50.0.9","lease_range":{"start_ip":"10.50.0.129","end_ip":"10.50.0.191"}}],"routes":[{"destination":"10.60.0.0/16","gateway":"10.50.0.1","metric":7}],"ipv6_enabled":false,"internal":false,"dns_enabled":true,"network_dns_servers":["192.0.2.53"],"labels":{"a":"b","c":""},"options":{"isolate":"true","mtu":"1400"},"ipam_options":{"driver":"host-local"}}' \
        "all of its options are in inspect, in Podman's words"
is "$($N create --internal --disable-dns inner; inspect inner '|[.subnets[0].gateway, .internal, .dns_enabled]')" inner$'\n''[null,true,false]' "an internal one"
is "$($N create --ipam-driver none bare; inspect bare '|[.subnets, .ipam_options.driver, .dns_enabled]')" bare$'\n''[null,"none",false]' "one without addresses"
run $N create full
exits 125 "one that is there"
like "$err" "network name full already used: network already exists" "... as Podman says it"
run $N create --ignore full
is "$status$out" 0full "... --ignore"
while read -r words; do
        run $N create $words never
        exits 125 "refused: $words"
done <<'END'
--subnet 10.50.0.0/25
--subnet 127.0.0.0/8
--subnet 0.0.0.0/0
--subnet 10.0.2.0/24
--subnet 169.254.0.0/16
--subnet 10.70.0.0/31
--subnet x
--subnet 10.70.0.0/24 --subnet 10.70.0.128/25
--gateway 1.2.3.4
--subnet 10.70.0.0/24 --gateway 10.71.0.1
--subnet 10.70.0.0/24 --gateway 10.70.0.1 --gateway 10.70.0.2
--subnet 10.70.0.0/24 --ip-range 10.71.0.0/24
--subnet 10.70.0.0/24 --ip-range 10.70.0.9-10.70.0.3
--ipam-driver none --subnet 10.70.0.0/24
--ipam-driver dhcp
--driver nosuch
--driver macvlan
--opt nosuch=1
--opt mtu=x
--opt isolate=maybe
--opt vrf=x
--opt rate=fast
--interface-name br7
--interface-name a/b
--interface-name 1234567890123456
--route 10.1.0.0/16
--route x,10.1.0.1
--dns nobody
--dns 192.0.2.1 --disable-dns
--dns 192.0.2.1 --ipam-driver none
END
while IFS= read -r name; do
        run $N create -- "$name"
        exits 125 "no name of a network: '$name'"
        run $N inspect -- "$name"
        exits 125 "... nor to be looked at"
        run $N rm -- "$name"
        exits 1 "... nor removed"
done <<'END'
../containers
/etc/passwd
.lock
-x
a b
END
is "$(find "$data/networks" -newer "$data/networks/full" -name '*passwd*')$($N exists never; echo $?)" 1 "nothing was made of all that"

# --- two at once get different subnets
for i in 1 2 3 4 5 6; do $N create "many$i" >/dev/null & done
wait
is "$(for i in 1 2 3 4 5 6; do inspect many$i '|"\(.subnets[0].subnet) \(.network_interface)"'; done | sort | uniq | wc -l)" 6 \
        "networks that are made at the same time overlap nowhere"
for i in 1 2 3 4 5 6; do $N rm many$i >/dev/null; done

# --- ls
is "$($N ls -q | tr '\n' ' ')" "bare dual full inner podman podman1 " "ls -q"
is "$($N ls --no-trunc -n --filter name=^full | awk '{ print length($1), $2, $3 }')" "64 full bridge" "ls --no-trunc --noheading"
is "$($N ls --filter label=a=b --filter driver=bridge --format '{{.Name}} {{.Labels}}')" "full a=b,c=" "filters and a template"
is "$($N ls -q --filter "id=$(inspect full .id | cut -c1-12)")" full "... by ID"
is "$($N ls -q --filter until=0s | wc -l)$($N ls -q --filter until=1h)" 5 "... until"
is "$($N ls --format json | jq -r '.[].name' | tr '\n' ' ')" "bare dual full inner podman podman1 " "as JSON"
run $N ls --filter nosuch=1
exits 125 "a filter that is not there"
run $N inspect full nosuch
is "$status:$(jq length <<<"$out"):$err" "125:1:sdpod: inspecting object: network nosuch: unable to find network with name or ID nosuch: network not found" \
        "inspect shows those that are there"
is "$($N inspect "$(inspect full .id | cut -c1-12)" -f '{{.Name}} {{range .Subnets}}{{.Gateway}}{{end}}')" "full 10.50.0.9" "inspect by ID, with a template"

# --- containers
run sdpod create --network nosuch $BUSYBOX true
like "$status:$err" "125:.*unable to find network with name or ID nosuch: network not found" "a container in a network that is not there"
for words in "--network full:ip=10.51.0.1" "--network full:ip=10.50.0.9" "--network full:ip=10.50.0.0" "--network full --ip 10.51.0.1" \
        "--network full --network dual --ip 10.50.0.3" "--network bare --ip 10.50.0.3" "--network full:nosuch=1" "--network none --network full" \
        "--network full --network none" "--ip 10.50.0.3" "--network full:ip=10.50.0.3,ip=10.50.0.4" "--network ../x" "--network full:alias=a\$b"; do
        run sdpod create --name never $words $BUSYBOX true
        exits 125 "refused: $words"
done
ok "a container in two networks" sleeper two --network full:ip=10.50.0.77,mac=92:d0:c6:0a:29:33,alias=first --network dual:interface_name=inside
is "$(address two eth0) $(address two inside)" "10.50.0.77 10.89.1.2" "... its addresses"
like "$(sdpod exec two ip -o link show eth0)" "mtu 1400 .*92:d0:c6:0a:29:33" "... its MAC address, and the network's MTU"
like "$(sdpod exec two ip route show 10.60.0.0/16)" "via 10.50.0.1" "... the network's route"
like "$(address two inside 6)" "^fd" "... and an IPv6 one"
is "$(sdpod inspect two | jq -c '.[0].NetworkSettings.Networks | map_values([.IPAddress, .IPPrefixLen, .Gateway, .MacAddress, .NetworkID, .Aliases[0]])' | sed "s/$(sdpod inspect two -f '{{.Id}}' | cut -c1-12)/ID/g;s/,\"[0-9a-f:]*\",\"dual\"/,MAC,\"dual\"/")" \
        '{"dual":["10.89.1.2",24,"10.89.1.1",MAC,"dual","ID"],"full":["10.50.0.77",24,"10.50.0.9","92:d0:c6:0a:29:33","full","first"]}' "... inspect says it all"
is "$(sdpod inspect two -f '{{.HostConfig.NetworkMode}} {{.NetworkSettings.IPAddress}}')" "bridge " "... its mode"
is "$(sdpod ps --format '{{.Names}} {{.Networks}}')" "two dual,full" "ps has the networks"
is "$(sdpod ps -q --filter network=dual | wc -l)$(sdpod ps -q --filter network="$(inspect full .id)" | wc -l)$(sdpod ps -q --filter network=podman | wc -l)" 110 "... and finds by them"
is "$(inspect full '.containers[] | [.name, .interfaces.eth0.subnets[0].ipnet]')" '["two","10.50.0.77/24"]' "the network tells who is in it"
is "$(readlink "$runtime/leases/full/10.50.0.77")" "$(sdpod inspect two -f '{{.Id}}')" "the address has an owner"
run sdpod run --rm --network full:ip=10.50.0.77 $BUSYBOX true
like "$status:$err" "^12[5-7]:.*10.50.0.77 is already allocated" "an address that is taken is refused"
ok "the next one is of the range" sleeper next --network full
is "$(address next eth0)" 10.50.0.129 "... its first"
kill -9 "$(sdpod inspect next -f '{{.State.Pid}}')"
ok "killed, it gives its address back" until_ok 5 test ! -e "$runtime/leases/full/10.50.0.129"
sdpod rm -f next >/dev/null
is "$(sdpod run --rm --network bridge $BUSYBOX ip -o -4 addr show eth0 | awk '{ print $4 }')" 10.88.0.2/16 "--network bridge is the default network"
ok "a container without an address" sleeper bare --network bare
is "$(address bare eth0)$(sdpod exec bare ip -o link show eth0 | grep -c LOWER_UP)" 1 "... has an interface"

# --- connect, disconnect
run $N connect full two
like "$status:$err" '125:.*container two is already connected to network "full"' "connected already"
ok "connect a running one" $N connect --alias more --ip 10.89.0.44 podman1 two
is "$(address two eth1)" 10.89.0.44 "... has the interface and the address at once"
is "$(sdpod ps --filter name=two --format '{{.Networks}}')" "dual,full,podman1" "... and on record"
run $N connect podman two
exits 0 "another one"
ok "disconnect" $N disconnect dual two
is "$(address two inside)$(sdpod ps --filter name=two --format '{{.Networks}}')" "full,podman,podman1" "... is effective at once"
ok "... the lease is gone" test ! -e "$runtime/leases/dual"
run $N disconnect dual two
like "$status:$err" "125:.*container two is not connected to network dual" "disconnected already"
like "$(sdpod events --stream=false --since 1h --filter type=network | tail -n 1)" "network disconnect ([0-9a-f]{64}) \(container=[0-9a-f]{64}, name=dual\)" "events tell of it"
sdpod restart -t 0 two >/dev/null
is "$(address two eth0)" 10.50.0.77 "after a restart it is where it was put"
like "$(sdpod exec two ip -o -4 addr | awk '{ print $4 }' | tr '\n' ' ')" "10.89.0.44/24" "... and where it was connected to"
is "$($N reload two)" "$(sdpod inspect two -f '{{.Id}}')" "reload"
is "$($N reload -a | wc -l)" 2 "reload --all"
sdpod create --name off --network none $BUSYBOX true >/dev/null
run $N connect full off
like "$status:$err" "125:.*container .off.: \"none\" is not supported: invalid network mode.*hint: only" "a container without networks of this kind"
run $N reload off
exits 125 "reload of what does not run"
sdpod create --name alone --network inner --stop-timeout 0 $BUSYBOX sleep 1000 >/dev/null
ok "disconnected from its only one" $N disconnect inner alone
run sdpod start alone
exits 0 "... it starts"
is "$(sdpod exec alone ls /sys/class/net 2>/dev/null | tr '\n' ' ')$(sdpod inspect alone -f '{{json .NetworkSettings.Networks}}')" "lo {}" "... with nothing but loopback"
ok "... and can be connected again" $N connect inner alone
ok "... while it runs" sdpod exec alone ip -o -4 addr show eth0
sdpod rm -f alone off bare >/dev/null

# --- pods
ok "a pod in a network" sdpod pod create --name p --network full --ip 10.50.0.99
is "$(sdpod pod ps --format '{{.Name}} {{.Networks}}') $(sdpod pod inspect p | jq -c '(if type == "array" then .[0] else . end).InfraConfig.Networks')" 'p full ["full"]' "... is shown"
is "$(sdpod run --rm --pod p $BUSYBOX ip -o -4 addr show eth0 | awk '{ print $4 }')" 10.50.0.99/24 "... its containers have the address"

# --- rm, prune
run $N rm full
exits 2 "one that is used"
like "$err" '"full" has associated containers with it. Use -f to forcibly delete containers and pods: network is being used' "... as Podman says it"
run $N rm nosuch
exits 1 "one that is not there"
run $N rm -f nosuch
exits 0 "... with --force"
run $N rm podman
exits 125 "the default one"
run $N prune </dev/null
exits 125 "prune: nobody answers"
is "$($N prune -f --filter label=nosuch; $N prune -f | sort | tr '\n' ' ')" "bare dual inner " "prune takes what no container is in"
run $N rm -t 0 -f full podman1
is "$status:$out:$(sdpod ps -aq):$(sdpod pod ps -q)" $'0:full\npodman1::' "rm -f takes the containers and pods along"
$N create one >/dev/null
like "$(sdpod system prune -f)" "Deleted Networks"$'\n'"one" "system prune"
is "$($N ls -q)" podman "... leaves the default one"
ok "nothing is left in the runtime directory" until_ok 5 test ! -e "$runtime/leases"

# --- update
$N create names >/dev/null
$N update --dns-add 192.0.2.1,192.0.2.2 names >/dev/null
$N update --dns-drop 192.0.2.1 names >/dev/null
is "$(inspect names .network_dns_servers)" '["192.0.2.2"]' "update"
run $N update --dns-drop 192.0.2.9 names
exits 125 "... one that is not there"
if why=$(lacks_program dnsmasq); then
        skip "a running network takes the name server" "$why"
else
        bridge=$(inspect names .network_interface)
        servers() { tr '\0' '\n' <"/proc/$(pgrep -f "^[^ ]*dnsmasq .*--interface=$bridge\b" | head -n 1)/cmdline" | sed -n 's/^--server=//p' | tr '\n' ' '; }
        sleeper asked --network names
        is "$(servers)" "192.0.2.2 " "a running network asks the one that is on record"
        $N update --dns-add 192.0.2.3 names >/dev/null
        is "$(servers)" "192.0.2.2 192.0.2.3 " "... and at once a new one"
        ok "... and the names stay" sdpod exec asked nslookup -type=a asked
        sdpod rm -f asked >/dev/null
fi

# --- records that somebody has damaged
echo '{"name":"bad"' >"$data/networks/bad"
echo '{"name":"evil","id":"../x","driver":"bridge","network_interface":"../../x"}' >"$data/networks/evil"
run $N ls -q
is "$status:$(tr '\n' ' ' <<<"$out")" "0:names podman " "damaged records hide no others"
run sdpod run --rm --network evil $BUSYBOX true
exits 125 "... and are not used"
like "$(sdpod doctor 2>&1)" "cannot read network 'bad'" "... doctor tells of them"
rm "$data/networks/bad" "$data/networks/evil"

# --- units
if systemctl --user is-system-running 2>/dev/null | grep -qE 'running|degraded'; then
        units=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
        mkdir -p "$units"
        at_end rm -f "$units/e2elan.network" "$units/e2eweb.container"
        printf '%s\n' '[Network]' NetworkName=lan Subnet=10.55.0.0/24 Gateway=10.55.0.254 IPRange=10.55.0.128/25 IPv6=true Internal=yes \
                'Label=made=by-unit' Options=mtu=1300 DNS=192.0.2.7 InterfaceName=br9 NetworkDeleteOnStop=true >"$units/e2elan.network"
        printf '%s\n' '[Container]' "Image=$BUSYBOX" ContainerName=e2eweb 'Exec=sleep 1000' Network=e2elan.network:ip=10.55.0.7 StopTimeout=0 >"$units/e2eweb.container"
        systemctl --user daemon-reload
        ok "a container's unit starts its network's" systemctl --user start e2eweb.service
        is "$(inspect lan '|[.network_interface, .internal, .options.mtu, .labels.made, .subnets[0].gateway, .subnets[0].lease_range.end_ip, .network_dns_servers[0], (.subnets|length)]')" \
                '["br9",true,"1300","by-unit","10.55.0.254","10.55.0.255","192.0.2.7",2]' "... with all its keys"
        is "$(address e2eweb eth0)" 10.55.0.7 "... and has its address there"
        systemctl --user restart e2elan-network.service
        ok "started again it finds the network" $N exists lan
        systemctl --user stop e2eweb.service e2elan-network.service
        run $N exists lan
        exits 1 "NetworkDeleteOnStop: the network goes with its unit"
        rm -f "$units/e2elan.network" "$units/e2eweb.container"
        systemctl --user daemon-reload
else
        skip "units" "there is no user manager"
fi
finish
