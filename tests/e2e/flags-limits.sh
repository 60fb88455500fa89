#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# Limits whose controllers a user does not have unless root delegates them: block devices, sets of CPUs, files of the cgroup.
# Root delegates them here, and a user runs the rest.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if [[ $EUID == 0 ]]; then
        for controller in cpu cpuset io memory pids; do
                grep -qsw "$controller" /sys/fs/cgroup/cgroup.controllers || skip_all "cgroup v2 has no $controller controller on this machine"
        done
        dropin=/etc/systemd/system/user@.service.d/flags-limits.conf
        mkdir -p "${dropin%/*}"
        printf '[Service]\nDelegate=cpu cpuset io memory pids\n' >"$dropin"
        systemctl daemon-reload
        tap_finished=1
        "$TESTS/machine/nest" as e2e-flags-limits env TESTS="$TESTS" bash "$TESTS/e2e/flags-limits.sh"
        status=$?
        rm "$dropin"
        systemctl daemon-reload
        exit $status
fi
image_load busybox || { cat "$T/image_load"; exit 99; }
at_end sdpod rm -f -t 0 -a
R="sdpod run --rm --network none"
RUN_TIMEOUT=180
disk= # a block device that every machine has under some name
for node in /dev/vda /dev/sda /dev/nvme0n1 /dev/loop0; do
        [[ -b $node ]] && { disk=$node; break; }
done
[[ -n $disk ]] || skip_all "no block device is here"
number=$((0x$(stat -c %t "$disk"))):$((0x$(stat -c %T "$disk")))

run $R --device-read-bps "$disk:1mb" --device-write-bps "$disk:2mb" --device-read-iops "$disk:100" --device-write-iops "$disk:200" \
        $BUSYBOX cat /sys/fs/cgroup/io.max
is "$out" "$number rbps=1048576 wbps=2097152 riops=100 wiops=200" "--device-read-bps and the like"
sdpod run -d --name slow --network none --device-write-bps "$disk:3mb" --cgroup-conf memory.high=104857600 $BUSYBOX sleep 1000 >/dev/null
run sdpod exec slow sh -c 'cat /sys/fs/cgroup/io.max /sys/fs/cgroup/memory.high'
is "$out" "$number rbps=max wbps=3145728 riops=max wiops=max"$'\n'104857600 "... in the background, and --cgroup-conf"
run systemctl --user show --property IOWriteBandwidthMax --value "sdpod-$(sdpod inspect -f '{{.Id}}' slow).service"
is "$out" "$disk 3145728" "... systemd knows"
run sdpod inspect -f '{{json .HostConfig.BlkioDeviceWriteBps}} {{json .HostConfig.CgroupConf}}' slow
is "$out" '[{"Path":"'"$disk"'","Rate":3145728}] {"memory.high":"104857600"}' "... and so does inspect"
run $R --cgroup-conf memory.high=209715200 $BUSYBOX cat /sys/fs/cgroup/memory.high
is "$out" 209715200 "--cgroup-conf in the foreground"
run $R --cgroup-conf memory.high=x $BUSYBOX true
exits 126 "... a value that the kernel refuses"
run $R --cgroup-conf cgroup.max.descendants=5 $BUSYBOX cat /sys/fs/cgroup/cgroup.max.descendants
is "$out" 5 "... of the cgroup itself"
run $R --cgroup-conf hugetlb.2MB.max=4194304 $BUSYBOX cat /sys/fs/cgroup/hugetlb.2MB.max
if [[ $status == 0 ]]; then
        is "$out" 4194304 "--cgroup-conf of huge pages"
else # systemd hands this controller to nobody
        like "$status:$err" "^126:.*'hugetlb' is not available" "--cgroup-conf of huge pages is refused by the controller's name"
fi
# --- what is asked, what is counted and what is told are the same
sdpod run -d --name same --network none -m 64m --memory-swap 96m --cpus 0.5 --cpu-shares 512 --cpuset-cpus 0 --pids-limit 44 \
        --device-write-bps "$disk:3mb" --cgroup-conf memory.high=62914560 $BUSYBOX sleep 1000 >/dev/null
run sdpod exec same sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max memory.high cpu.max cpuset.cpus pids.max io.max | tr "\n" " "'
is "$out" "67108864 33554432 62914560 50000 100000 0 44 $number rbps=max wbps=3145728 riops=max wiops=max " "all limits of one container"
run sdpod stats --no-stream --format '{{.MemLimit}}' same
is "$out" 67108864 "... and stats says so"
sdpod update -m 48m --memory-swap 48m --pids-limit 33 --cpu-shares 1024 same >/dev/null
run sdpod exec same sh -c 'cd /sys/fs/cgroup; cat memory.max memory.swap.max memory.high cpu.max cpuset.cpus pids.max io.max | tr "\n" " "'
is "$out" "50331648 0 62914560 50000 100000 0 33 $number rbps=max wbps=3145728 riops=max wiops=max " "an update changes what it names, and no more"
run sdpod stats --no-stream --format '{{.MemLimit}}' same
is "$out" 50331648 "... and stats says so"
sdpod exec same sh -c 'x=; while :; do x=$x$(head -c 1000000 /dev/zero | tr "\0" x); done' >/dev/null 2>&1
run sdpod exec same sh -c 'grep -x "oom_kill [1-9][0-9]*" /sys/fs/cgroup/memory.events'
exits 0 "what goes beyond is ended, and counted"
sdpod rm -f -t 0 same >/dev/null
run $R --blkio-weight 500 $BUSYBOX sh -c 'cat /sys/fs/cgroup/io.weight || cat /sys/fs/cgroup/io.bfq.weight'
if [[ $status == 126 && $err == *"No such file"* ]]; then
        skip "--blkio-weight" "the kernel weighs no block devices"
else
        like "$out" 'default (4950|500)' "--blkio-weight"
        run $R --blkio-weight-device "$disk:100" $BUSYBOX cat /sys/fs/cgroup/io.weight
        if [[ $status == 126 && $err == *"cannot set 'io.weight' to $number 910: "* ]]; then
                pass "--blkio-weight-device: a weight that the kernel refuses is no weight that is forgotten"
        else
                like "$out" "$number 910" "--blkio-weight-device"
        fi
fi
run $R --cpuset-cpus 0 $BUSYBOX grep Cpus_allowed_list /proc/self/status
like "$out" '[[:space:]]0$' "--cpuset-cpus"
run $R --cpuset-mems 0 $BUSYBOX cat /sys/fs/cgroup/cpuset.mems
is "$out" 0 "--cpuset-mems"
if [[ -e /sys/module/apparmor ]]; then
        run $R --security-opt apparmor=nosuch-profile $BUSYBOX true
        exits 126 "--security-opt apparmor= of a profile that is not loaded"
        like "$err" "AppArmor profile 'nosuch-profile'" "... is named"
fi
finish
