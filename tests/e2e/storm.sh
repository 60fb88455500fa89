#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Many at once: every line and every exit code right, one winner for a name, nothing left.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
sdpod run --rm --network none $BUSYBOX true # makes the directories that stay
before=$(footprint)
cat >"$T/one" <<END
#!/bin/sh
timeout 300 sdpod run --rm --network none $BUSYBOX sh -c "echo \$1; exit \$((\$1 % 256))" >"$T/out.\$1" 2>"$T/err.\$1"
echo \$? >"$T/code.\$1"
END
chmod +x "$T/one"
wrong() { # how many of 1..N have another line or code than theirs
        local n bad=0
        for ((n = 1; n <= $1; n++)); do
                [[ $(cat "$T/out.$n") == "$n" && $(cat "$T/code.$n") == $((n % 256)) && ! -s $T/err.$n ]] || {
                        bad=$((bad + 1))
                        ((bad > 3)) || comment "$n: code $(cat "$T/code.$n"), said $(cat "$T/out.$n" "$T/err.$n")" >&2
                }
        done
        echo $bad
}
seq 300 | xargs -P 4 -n 1 "$T/one"
is "$(wrong 300)" 0 "300 runs, four at a time: every line and every code right"
seq 200 | xargs -P 40 -n 1 "$T/one"
is "$(wrong 200)" 0 "200 runs, forty at a time"
is "$(footprint)" "$before" "they leave nothing"

seq 50 | xargs -P 50 -I{} sh -c "sdpod create --name same --network none $BUSYBOX true >'$T/same.{}' 2>&1; echo \$? >'$T/same.code.{}'"
is "$(cat "$T"/same.code.* | sort | uniq -c | awk '{print $1 "x" $2}' | tr '\n' ' ')" "1x0 49x125 " "of fifty with one name one wins"
sdpod rm same >/dev/null

sdpod run -d --name busy --network none $BUSYBOX sleep 1000 >/dev/null
seq 100 | xargs -P 8 -I{} sh -c "sdpod exec busy sh -c 'echo {}; exit {}' >'$T/exec.{}' 2>&1; echo \$? >>'$T/exec.{}'"
bad=0
for ((n = 1; n <= 100; n++)); do [[ $(tr '\n' ' ' <"$T/exec.$n") == "$n $n " ]] || bad=$((bad + 1)); done
is "$bad" 0 "a hundred exec, eight at a time"
sdpod rm -f -t 0 busy >/dev/null

seq 12 | xargs -P 12 -I{} sh -c "sdpod run -d --name c{} --network none $BUSYBOX sleep 1000 >/dev/null"
is "$(sdpod ps -q | wc -l)" 12 "twelve run -d at once"
seq 12 | xargs -P 12 -I{} sh -c "sdpod stop -t 0 c{} && sdpod rm c{}" >/dev/null
is "$(sdpod ps -aq | wc -l)" 0 "... and twelve stop and rm"
leaves 5 "$before" "they leave nothing"
finish
