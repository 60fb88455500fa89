# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154  # RUNTIME is the environment's
# A dockerd with state of its own: dockerd_start DIR [CMD], dockerd_stop. CMD starts it, where it is not this host's. Its
# socket is DIR/docker.sock, its name for the runtime `tested`, and $dockerd its PID. It starts its own containerd.

dockerd_start() {
        local dir=$1
        shift
        # shellcheck disable=SC2206
        local -a where=(${1:-})
        cat >"$dir/daemon.json" <<-END
	{
	  "runtimes": { "tested": { "path": "$RUNTIME" } },
	  "default-runtime": "tested",
	  "storage-driver": "overlay2",
	  "live-restore": ${LIVE_RESTORE:-true},
	  "exec-opts": ["native.cgroupdriver=cgroupfs"],
	  "log-level": "error"
	}
	END
        "${where[@]}" dockerd --config-file "$dir/daemon.json" --host "unix://$dir/docker.sock" --data-root "$dir/data" --exec-root "$dir/exec" \
                --pidfile "$dir/docker.pid" >>"$dir/dockerd.log" 2>&1 &
        dockerd=$!
        at_end stop_daemon "$dockerd"
}

# What dockerd itself makes for the host and keeps: the bridge, the chains, a mount of its namespaces' directory.
dockerd_stop() {
        local name
        stop_daemon "$dockerd"
        awk -v dir="$T/" 'index($5, dir) == 1 && $9 == "nsfs" { print $5 }' /proc/self/mountinfo | xargs -r umount
        for name in docker0 docker_gwbridge; do
                ip link delete "$name" 2>/dev/null
        done
        for name in filter nat mangle; do
                iptables -t $name -F
                iptables -t $name -X
        done
}

has_controller() { # NAME
        [[ -e /sys/fs/cgroup/$1 ]] || grep -qsw "$1" /sys/fs/cgroup/cgroup.controllers
}

