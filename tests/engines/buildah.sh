#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Buildah with --runtime, as root and as an ordinary user: building an image, running in a working container, what is left.
# shellcheck source=tests/engines/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/engines/containers.sh
. "$(dirname "$0")/containers.sh"
if why=$(lacks_program buildah); then skip_all "$why"; fi

try() { run "${as[@]}" BUILDAH_ISOLATION=oci buildah "$@"; }
buildah() { "${as[@]}" BUILDAH_ISOLATION=oci buildah "$@"; }

for who in root user; do
        as_"$who"
        context=$own/context
        mkdir "$context"
        echo "from the context" >"$context/file"
        cat >"$context/Containerfile" <<-END
	FROM $BUSYBOX
	ENV COLOUR=blue
	WORKDIR /work
	COPY file /work/file
	RUN cat /work/file >copy && test "\$COLOUR" = blue && mkdir -p made && echo \$\$ >made/pid
	USER 1000
	RUN id -u >/tmp/uid && test ! -w /work/file
	USER root
	RUN --mount=type=tmpfs,target=/cache sh -c 'touch /cache/x && grep -q /cache /proc/mounts'
	CMD ["cat", "/work/copy"]
	END
        printf 'FROM %s\nRUN exit 7\n' "$BUSYBOX" >"$context/Failing"
        printf 'FROM %s\nRUN ["/no/such/program"]\n' "$BUSYBOX" >"$context/Missing"
        [[ $who == root ]] || chown -R $user_id:$user_id "$context"
        try pull -q "oci-archive:$image"
        exits 0 "$who: an image is there" || continue
        via=(--runtime "$RUNTIME" --network none)

        try bud --isolation oci "${via[@]}" -q -t localhost/made "$context"
        exits 0 "$who: an image is built"
        try bud --isolation oci "${via[@]}" -q -f "$context/Failing" "$context"
        like "$status $err$out" "^[1-9][0-9]* .*exit status 7" "$who: a step that fails says how"
        try bud --isolation oci "${via[@]}" -q -f "$context/Missing" "$context"
        like "$status $err$out" "^[1-9][0-9]* .*no such file or directory" "$who: a program that is not there is named"

        try from --name box localhost/made
        exits 0 "$who: a working container"
        try run --isolation oci "${via[@]}" box -- cat /work/copy /tmp/uid
        is "$out" "from the context"$'\n'"1000" "$who: what was built is in it"
        try run --isolation oci "${via[@]}" box -- sh -c 'echo out; echo err >&2; exit 3'
        is "$status $out" "3 out" "$who: output and exit code come back"
        feed "typed" "${as[@]}" buildah run --isolation oci "${via[@]}" box -- cat
        is "$out" typed "$who: stdin goes in"
        try run --isolation oci "${via[@]}" --user 1000 --workingdir /tmp --env SHAPE=round --hostname there box -- sh -c 'echo $(id -u) $PWD $SHAPE $COLOUR $(hostname)'
        is "$out" "1000 /tmp round blue there" "$who: with a user, a directory, an environment and a host name"
        run "${as[@]}" script -qec "$(printf '%q ' buildah run --isolation oci --terminal "${via[@]}" box -- sh -c 'test -t 0 && echo a terminal')" /dev/null
        like "$out" "a terminal" "$who: with a terminal"
        mkdir -m 777 "$own/shared"
        try run --isolation oci "${via[@]}" -v "$own/shared:/mnt" --cap-drop all box -- sh -c 'echo there >/mnt/file; grep CapEff /proc/self/status'
        like "$out $(cat "$own/shared/file")" "0000000000000000 there$" "$who: with a volume and no capabilities"
        try run --isolation oci "${via[@]}" box -- grep Seccomp: /proc/self/status
        like "$out" "2$" "$who: with a seccomp profile"
        try rm box
        exits 0 "$who: it is removed"
        buildah rmi -a -f >/dev/null 2>&1
        ok "$who: the runtime's own directory holds no container" holds_none
        containers_end
done
host_is_clean "nothing is left of it"
finish
