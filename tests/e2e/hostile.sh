#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Hostile images: whatever they say, nothing outside their layers is read or written, nothing hangs, what is refused is
# refused in one line, and no byte of theirs drives the terminal.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
victim=$T/victim
mkdir -p "$victim" "$T/images"
chmod 755 "$T"
echo "the host's secret" >"$victim/secret"
chmod 777 "$victim"
chmod 666 "$victim/secret"
mend() {
        rm -rf "${victim:?}"/* && echo "the host's secret" >"$victim/secret" && chmod 666 "$victim/secret"
}
state() { (cd "$victim" && find . -printf '%p %y %m %n %U %s\n' | sort && sha256sum secret); }
before=$(state)
python3 "$TESTS/e2e/hostile.py" "$T/images" "$victim" || exit 99

# What has to be refused, by `load` or by `run`; all others may be refused or contained.
refused=" whiteout-dot whiteout-dotdot whiteout-empty whiteout-parent user-escape command-escape stop-signal passwd-symlink "
refused+="dev-symlink proc-symlink sys-symlink volume-on-proc volume-on-sysctl volume-on-sys volume-on-root "
RUN_TIMEOUT=60
image_load busybox
for file in "$T"/images/*.tar; do
        name=$(basename "$file" .tar)
        run sdpod load -q -i "$file"
        step=load
        loaded=$status
        said=$out$err
        if [[ $status == 0 ]]; then
                step=run
                run sdpod run --rm --network none --pull never "localhost/$name"
                said+=$out$err
        fi
        problem=
        [[ $(state) == "$before" ]] || problem+="the victim was touched: $(state | diff <(echo "$before") -); "
        [[ $said == *"host's secret"* ]] && problem+="the secret was read; "
        [[ $status == 124 || $status == 137 ]] && problem+="$step hung; "
        ((status >= 128 || status == 0 || status == 1 || status >= 125)) && ((status < 128)) || problem+="$step ended with $status; "
        [[ $status != 0 && $(wc -l <<<"$err") -gt 2 ]] && problem+="more than a line and a hint was said; "
        LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]' <<<"$said" && problem+="control bytes on the terminal; "
        [[ $refused == *" $name "* && $status == 0 ]] && problem+="it was accepted; "
        if [[ $loaded != 0 ]] && sdpod image exists "localhost/$name"; then problem+="it was refused, but is there; "; fi
        [[ -z $problem ]] && pass "$name: $([[ $status == 0 ]] && echo contained || echo "refused by $step")" ||
                fail "$name" "$problem"$'\n'"$step: exit code $status, stderr: $err"
        [[ $(state) == "$before" ]] || mend
done

untouched() { # NAME
        is "$(ls -A "$victim")" secret "$1"
        mend
}

# --- contained means contained
run sdpod run --rm --network none -v "$T/images:/w" localhost/dev-symlink sh -c 'ls /dev/null'
untouched "a volume beside /dev as a symlink puts nothing there"
for name in volume-symlink symlink-dir; do
        mkdir -p "$T/vol"
        sdpod run --rm --network none -v "$T/vol:/$([[ $name == volume-symlink ]] && echo data || echo d)" "localhost/$name" touch /d/x /data/x >/dev/null 2>&1
        untouched "-v over a symlink of the image ($name) stays in the root"
done
run sdpod run --rm --network none localhost/device sh -c '[ -b /sda ] || [ -c /mem ] && echo node'
is "$out" "" "device nodes of a layer are not there"
if sdpod image exists localhost/forged-whiteout; then
        run sdpod run --rm --network none localhost/forged-whiteout sh -c 'test -e /etc/passwd; echo $?'
        exits 0 "a forged whiteout does no harm"
fi
run sdpod images
unlike "$out" $'\e' "images shows no escape bytes"
run sdpod image inspect localhost/label-escape
LC_ALL=C unlike "$out" $'[\e\a]' "nor does image inspect"
run sdpod inspect --format '{{.Id}}' localhost/label-escape

# --- a volume that is full of traps
mkdir -p "$T/trap"
ln -s "$victim" "$T/trap/link"
ln -s / "$T/trap/root"
run sdpod run --rm --network none -v "$T/trap:/t" -v "$T/images:/t/link/x" localhost/busybox true
untouched "a mount below a symlink of a volume makes nothing outside"
run sdpod run --rm --network none -v "$T/trap:/t" --mount type=tmpfs,destination=/t/root/etc localhost/busybox true
untouched "nor does a tmpfs"
run sdpod run --rm --network none -v "$T/trap:/t" -w /t/link localhost/busybox pwd
untouched "nor does the working directory"
run sdpod ps -aq
is "$out" "" "no container is left"

# --- corrupt streams end at once
file=$(image_file busybox)
size=$(stat -c %s "$file")
hung=0 accepted=0
RUN_TIMEOUT=60
for ((at = 1000; at < size; at += size / 20)); do
        cp "$file" "$T/mutant.tar"
        printf '\377\000\377' | dd of="$T/mutant.tar" bs=1 seek=$at conv=notrunc status=none
        run sdpod load -q -i "$T/mutant.tar"
        ((status == 124 || status == 137)) && hung=$((hung + 1))
        ((status == 0)) && cmp -s "$file" "$T/mutant.tar" || ((status == 125 || status == 0)) || accepted=$((accepted + 1))
done
is "$hung:$accepted" "0:0" "twenty damaged archives: no hang, no crash"

finish
