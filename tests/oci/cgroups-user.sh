#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# oci: user
# Cgroups for a user to whom nothing of them was given: a container does without, but never without a limit that was asked.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
in_one . echo ran
is "$status $out" "0 ran" "a container that asks for no limit runs without a cgroup of its own"
in_one '.linux.resources.devices = [{allow: false, access: "rwm"}]' echo ran
is "$status $out" "0 ran" "... with device rules, too: a user makes no devices"
in_one '.linux.resources.pids = {limit: -1} | .linux.resources.memory = {limit: -1}' echo ran
is "$status $out" "0 ran" "... and where it asks for no limit by name"
for limit in 'memory = {limit: 100000000}' 'pids = {limit: 10}' 'cpu = {quota: 10000}' 'cpu = {cpus: "0"}'; do
        in_one ".linux.resources.$limit" echo ran
        like "$status:$out:$err" "^[1-9][0-9]*::.*is not available" "a limit is refused by name: $limit"
done
up many . sh -c 'trap "" TERM; while :; do sleep 100; done'
rt kill --all "$id" KILL
exits 0 "a signal to all reaches its first process"
stopped() { [[ $(state_of "$id" .status) == stopped ]]; }
until_ok 10 stopped
is "$?" 0 "... and with it all of its PID namespace"
rt delete "$id"
exits 0 "it can be deleted"
up still
rt pause "$id"
like "$status:$err" '^[1-9][0-9]*:.*no cgroup of its own' "without a cgroup nothing is paused"
rt events --stats "$id"
like "$status:$err" '^[1-9][0-9]*:.*no cgroup of its own' "... or counted"
rt update --memory 64M "$id"
like "$status:$err" "^[1-9][0-9]*:.*'memory' is not available" "... or limited"
rt delete --force "$id"
is "$status:$(without_trace)" "0:" "nothing is left behind"
finish
