# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034,SC2154  # names of this host; `as` is for the tests to read
# Podman and Buildah with storage and settings of their own: as_root and as_user choose whose, and set the words `as` to run a
# program by; containers_end unmounts and ends what they keep while nothing runs.
user_id=7070

settings() { # DIR DRIVER-OPTIONS
        local dir=$1 nofile nproc
        nofile=$(ulimit -Hn) nproc=$(ulimit -Hu)
        [[ $nofile == unlimited || $nofile -gt 1024 ]] && nofile=1024
        [[ $nproc == unlimited || $nproc -gt 4096 ]] && nproc=4096
        mkdir -p "$dir"
        cat >"$dir/containers.conf" <<-END
	[containers]
	default_ulimits = ["nofile=$nofile:$nofile", "nproc=$nproc:$nproc"]
	log_driver = "k8s-file"
	netns = "none"
	[engine]
	cgroup_manager = "cgroupfs"
	events_logger = "file"
	runtime_supports_json = ["$RUNTIME_NAME"]
	runtime_supports_nocgroup = ["$RUNTIME_NAME"]
	[engine.runtimes]
	$RUNTIME_NAME = ["$RUNTIME"]
	END
        cat >"$dir/storage.conf" <<-END
	[storage]
	driver = "overlay"
	graphroot = "$dir/storage"
	runroot = "$dir/run"
	rootless_storage_path = "$dir/storage"
	END
        echo '{ "default": [ { "type": "insecureAcceptAnything" } ] }' >"$dir/policy.json"
}

as_root() {
        own=$T/of-root
        settings "$own"
        image=$(image_file busybox)
        as=(env "CONTAINERS_CONF=$own/containers.conf" "CONTAINERS_STORAGE_CONF=$own/storage.conf" "TMPDIR=$own")
}

as_user() {
        own=/run/home/of-user
        settings "$own"
        chown -R $user_id:$user_id "$own"
        chmod 755 "$T" # volumes are made there
        image=/run/home/busybox
        install -m 644 "$(image_file busybox)" "$image"
        as=(setpriv --reuid "$user_id" --regid "$user_id" --clear-groups env -i -C /run/home
                PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin HOME=/run/home USER=engineer "XDG_RUNTIME_DIR=/run/user/$user_id"
                "CONTAINERS_CONF=$own/containers.conf" "CONTAINERS_STORAGE_CONF=$own/storage.conf" "TMPDIR=$own")
}

holds_none() {
        [[ -z $(find "/run/$RUNTIME_NAME" "/run/user/$user_id/$RUNTIME_NAME" -mindepth 1 -maxdepth 1 ! -name ".*" 2>/dev/null) ]]
}

# Podman leaves a cgroup of its monitors, and those of pods in hierarchies without a controller.
podmans_cgroups_end() {
        find /sys/fs/cgroup -depth -type d -regextype posix-extended -regex '.*/libpod_parent/(conmon|[0-9a-f]{64})' -exec rmdir {} +
}

containers_end() {
        local pid point
        until_ok 5 podmans_cgroups_end || true
        for pid in $(cat /run/user/$user_id/libpod/tmp/pause.pid "$own"/run/libpod/tmp/pause.pid 2>/dev/null); do
                kill -9 "$pid"
        done
        awk -v dir="$own/" 'index($5, dir) == 1 { print $5 }' /proc/self/mountinfo | sort -r | while read -r point; do
                umount "$point"
        done
}
