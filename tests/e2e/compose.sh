#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# A compose file becomes unit files that systemd starts: a page, the database that it waits for, a job before both, a volume, a
# secret and a config; on networks, and in one pod.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load web || { cat "$T/image_load"; exit 99; }
image_load busybox
units=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
mkdir -p "$units" "$T/shop"
port=$(free_port)
RUN_TIMEOUT=60
prop() { systemctl --user show --property "$2" --value "$1"; }
serves() { curl -sf -m 5 "http://127.0.0.1:$port/" | grep -q works; }
at_end systemctl --user daemon-reload
at_end rm -rf "$units"
at_end systemctl --user stop 'shop-*'

cd "$T/shop" || exit 99
echo "a secret" >pw.txt
echo "PORT=$port" >.env
cat >compose.yaml <<END
name: shop
x-image: &image {image: $BUSYBOX}
services:
  web:
    image: $WEB
    ports: ["127.0.0.1:\${PORT:?the port}:8080"]
    restart: always
    depends_on:
      db: {condition: service_healthy}
  db:
    <<: *image
    command: sh -c 'until [ -e /data/made ]; do usleep 10000; done; touch /tmp/ready; exec sleep 1000'
    healthcheck: {test: [CMD, test, -e, /tmp/ready], interval: 1s, retries: 20}
    depends_on:
      make: {condition: service_completed_successfully}
    volumes: ["data:/data", {type: tmpfs, target: /t, tmpfs: {size: 1mb}}]
    secrets: [pw]
    configs: [{source: conf, target: /etc/shop.conf}]
    environment: {PRICE: "5\$\$ 10%n"}
    stop_grace_period: 1s
  make:
    <<: *image
    command: [sh, -c, "echo made >/data/made"]
    network_mode: none
    volumes: ["data:/data"]
  debug:
    <<: *image
    profiles: [debug]
volumes:
  data: {labels: {shop: "yes"}}
secrets:
  pw: {file: ./pw.txt}
configs:
  conf: {content: "port \${PORT}\n"}
END
run sdpod compose convert -o "$units"
exits 0 "compose convert -o"
is "$err" "" "... without a warning"
is "$(ls "$units" | tr '\n' ' ')" \
   "shop-conf.config shop-data.volume shop-db.container shop-default.network shop-make.container shop-web.container " "the files"
run sdpod compose convert -o "$units"
exits 125 "a second time"
like "$err" "is there already; --replace" "... is refused"
run sdpod compose convert -o "$units" --replace
exits 0 "... but with --replace"
run sdpod quadlet verify "$units"/*.*
exits 0 "quadlet verify takes them"

systemctl --user daemon-reload
run systemctl --user start shop-web.service
exits 0 "systemctl --user start of the page" || systemctl --user status 'shop-*' --no-pager -l
ok "its page is there" until_ok 10 serves
is "$(prop shop-db ActiveState):$(prop shop-make SubState)" "active:exited" "the job has ended and the database runs"
is "$(sdpod inspect --format '{{.State.Health.Status}}' shop-db-1)" healthy "... and was well before the page was started"
is "$(sdpod exec shop-db-1 sh -c 'echo "$PRICE"; cat /run/secrets/pw /etc/shop.conf /data/made')" "5\$ 10%n
a secret
port $port
made" "variables, secret, config and volume have what the file says"
is "$(sdpod volume inspect --format '{{.Labels.shop}}' shop_data)" yes "the volume has its label"
ok "a service is reached by its name" until_ok 10 sh -c 'sdpod exec shop-db-1 wget -q -O - http://web:8080/ | grep -q works'
run systemctl --user stop 'shop-*'
is "$(sdpod ps -aq | wc -l)" 0 "stop leaves no container"

# --- the same in a pod
rm "$units"/*
run sdpod compose convert --pod -o "$units"
exits 0 "compose convert --pod"
systemctl --user daemon-reload
run systemctl --user start shop-pod.service
exits 0 "systemctl --user start of the pod"
ok "the page is there" until_ok 20 serves
is "$(sdpod exec shop-db-1 wget -q -O - http://web:8080/ | grep -c works)" 1 "... under its name in the pod"
run systemctl --user stop shop-pod.service
ok "all are stopped with the pod" until_ok 15 sh -c '[ "$(sdpod ps -aq | wc -l)" = 0 ]'

# --- faults, and one text
cat >wrong.yaml <<END
services:
  web:
    imag: x
    mem_swappiness: 5
END
run sdpod compose convert -f wrong.yaml -o "$T"
exits 125 "a file with faults"
like "$err" "wrong.yaml:3: services.web.imag: there is no such key; did you mean 'image'?" "... says each with its line"
like "$err" "wrong.yaml:4: services.web.mem_swappiness: it is for cgroup v1" "... all of them"
is "$(find "$T" -name "*container*" | wc -l)" 0 "... and writes nothing"
printf 'services: {a: {image: x, attach: true}}\n' >warned.yaml
run sdpod compose convert -f warned.yaml -p q
exits 0 "a key without a meaning"
like "$err" "warning.*warned.yaml:1: services.a.attach is left out|warned.yaml:1: services.a.attach is left out" "... is a warning"
like "$out" "# FileName=q-a" "without --output it is one text"
run sdpod compose convert --profile debug -p q
like "$err" "takes a file of its own: use --output" "a config that must be a file is refused there"
mkdir empty && cd empty || exit 99
run sdpod compose convert
like "$err" "cannot find a compose file" "without a file"
finish
