# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The images of the tests, made once a test run and user from Debian's static busybox, with no registry and no network.
#
#   image_file NAME [KIND [COMPRESSION]]   makes it where it is not made yet, prints the path of the file
#   image_load NAME                        makes it and loads it into the store

IMAGE_CACHE=${IMAGE_CACHE:-$HOME/.cache/sdpod-test-images}

image_file() {
        local name=$1 kind=${2:-oci-archive} compression=${3:-gzip} file
        file=$IMAGE_CACHE/$name.$kind.$compression
        if [[ ! -e $file ]]; then
                mkdir -p "$IMAGE_CACHE"
                python3 "$TESTS/lib/image.py" "$name" "$file.tmp" "$kind" "$compression" || return
                mv "$file.tmp" "$file"
        fi
        echo "$file"
}

image_load() {
        local file
        file=$(image_file "$1") && sdpod load --quiet -i "$file" >"$T/image_load" 2>&1
}
