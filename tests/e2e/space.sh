#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# machine: root
# A store without space, without inodes, on a file system that became read-only, and with damaged files: every command works, or
# fails in one line and a hint, and the store is good for all that does not depend on what is missing.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
nest=$TESTS/machine/nest
user=e2e-space
as() { "$nest" as $user "$@"; }
chmod 755 "$T"
as true || exit 99
small=/home/$user/small
"$nest" in sh -c "umount $small 2>/dev/null; mkdir -p $small && mount -t tmpfs -o size=40m,nr_inodes=4k,mode=700,uid=\$(id -u $user) none $small" || exit 99
at_end "$nest" in umount -l "$small"

cat >"$T/words" <<'END'
. $TESTS/lib/e2e.sh
tap_finished=1
store=$HOME/small/store
sdpod_="timeout 60 sdpod --root $store"
# Runs a command of sdpod and says what is wrong with how it ended: a signal, a time-out, more than a line and a hint.
tidy() {
        $sdpod_ "$@" >$T/out 2>$T/err </dev/null
        code=$?
        ((code < 124 || code == 125 || code == 126 || code == 127)) || echo "$1 ended with $code: $(head -c 300 $T/err)"
        if ((code == 125)); then
                local lines=$(grep -vc '^hint: \|warning: \|^Trying to pull' $T/err)
                # a prune has a line for each thing that it cannot remove
                [[ $lines == 1 || ($lines != 0 && "$*" == "system prune"*) ]] || echo "$*: not one line: $(head -c 600 $T/err)"
        fi
}
works() {
        tidy "$@"
        ((code == 0)) || echo "$* fails: $(head -c 300 $T/err)"
}
leftovers() { find $store -name '.tmp*' 2>/dev/null; }
END
in_user() { # the body of a test, as the user
        { cat "$T/words"; cat; } >"$T/body"
        chmod 644 "$T/body"
        as env TESTS="$TESTS" BUSYBOX=$BUSYBOX bash -s <"$T/body" 2>&1
}
as mkdir -p /home/$user/.cache
python3 - "$TESTS/lib" "$T" <<'END'
import os, sys
sys.path.insert(0, sys.argv[1])
from image import Layer, Image
T = sys.argv[2]
Image([Layer().file("big", os.urandom(60000000))], compression="none", Cmd=["/x"]).write_archive(T + "/big.tar", "localhost/big:latest")
layer = Layer()
for i in range(5000):
    layer.file(f"f{i}", "x")
Image([layer], Cmd=["/x"]).write_archive(T + "/many.tar", "localhost/many:latest")
END
chmod 644 "$T"/*.tar

is "$(in_user <<END
works load -q -i \$(image_file busybox)
for image in big many; do
        tidy load -q -i $T/\$image.tar
        ((code == 125)) || echo "\$image: \$code"
        leftovers
        works run --rm --network none $BUSYBOX true
done
[[ \$(\$sdpod_ images -q 2>/dev/null | wc -l) == 1 ]] || sdpod --root \$store images
END
)" "" "an image that does not fit is refused, and leaves nothing"

# what a person does, with a store that takes nothing more
matrix() {
        cat <<END
works images
works ps -a
works inspect k
works image inspect $BUSYBOX
works info
works history $BUSYBOX
works diff k
works logs k
for words in "run --rm --network none $BUSYBOX true" "run -d --network none $BUSYBOX true" "create $BUSYBOX true" "start k" "rename k other" \
        "tag $BUSYBOX localhost/another" "volume create v2" "load -q -i \$(image_file busybox)" "import $T/many.tar localhost/new" \
        "commit k localhost/committed" "save -o \$HOME/small/saved.tar $BUSYBOX" "system check" "system df" "ps -a" "images"; do
        tidy \$words
        ! grep "File too large" \$T/err # a limit of ours that follows from what is free
done
END
}
# removing, which must work there
removal() {
        cat <<END
works rm -f -t 0 -a
works volume rm -f -a
works rmi -f -a
[[ -z \$(\$sdpod_ ps -aq)\$(\$sdpod_ images -q)\$(\$sdpod_ volume ls -q) ]] || echo "something resists"
rm -f \$HOME/small/fill* \$HOME/small/saved.tar
leftovers
works load -q -i \$(image_file busybox)
works run --rm --network none $BUSYBOX true
END
}
prepare="works load -q -i \$(image_file busybox)
works create --name k -v kv:/v --network none $BUSYBOX true
works start -a k
image_file busybox >/dev/null"

is "$(in_user <<END
$prepare
cat /dev/zero >\$HOME/small/fill 2>/dev/null
[[ \$(df --output=avail \$HOME/small | tail -n 1 | tr -d ' ') == 0 ]] || echo "it is not full"
$(matrix)
works system prune -f
$(removal)
END
)" "" "zero bytes free: each command works or says why not; rm, volume rm, rmi and prune work"

is "$(in_user <<END
$prepare
mkdir \$HOME/small/fills; i=0
while : 2>/dev/null >\$HOME/small/fills/\$((i++)); do :; done 2>/dev/null
$(matrix)
works system prune -f
works rm -f -t 0 -a
works volume rm -f -a
works rmi -f -a
rm -r \$HOME/small/fills
$(removal)
END
)" "" "no inodes: the same"

in_user <<<"$prepare" >"$T/prepared"
"$nest" in mount -o remount,ro "$small"
is "$(in_user <<END
for words in "images" "ps -a" "inspect k" "image inspect $BUSYBOX" "info" "history $BUSYBOX" "logs k"; do works \$words; done
for words in "run --rm --network none $BUSYBOX true" "start k" "rm k" "rmi -f $BUSYBOX" "load -q -i \$(image_file busybox)" "volume create x" \
        "tag $BUSYBOX localhost/x" "rename k l" "system prune -f" "system check" "create $BUSYBOX true"; do
        tidy \$words
        [[ \$words == system* ]] || ((code != 0)) || echo "\$words: worked"
done
END
)" "$(<"$T/prepared")" "a read-only file system: what only reads works, all else says why not"
"$nest" in mount -o remount,rw "$small"
is "$(in_user <<END
$(removal)
END
)" "" "and when it is writable again, nothing is lost"

# --- every file of a store, damaged
is "$(in_user <<END
$prepare
works tag $BUSYBOX localhost/second
cp -a \$store/images \$HOME/images.good; cp -a \$store/containers \$HOME/containers.good 2>/dev/null; cp -a \$store/volumes \$HOME/volumes.good
n=0
for file in \$(cd \$store && find images volumes containers layers -type f -size +0 ! -path '*/diff/*' ! -path '*/mount-points/*' ! -path '*/upper/*' ! -name lock 2>/dev/null); do
        cp -p \$store/\$file \$T/good
        size=\$(stat -c %s \$store/\$file)
        for how in empty half flip garbage; do
                case \$how in
                empty) : >\$store/\$file ;;
                half) truncate -s \$((size / 2)) \$store/\$file ;;
                flip) printf '\\377' | dd of=\$store/\$file bs=1 seek=\$((size / 3)) conv=notrunc 2>/dev/null ;;
                garbage) head -c \$size /dev/urandom >\$store/\$file ;;
                esac
                for words in "images" "ps -a" "inspect k" "volume ls" "image inspect localhost/second" "run --rm --network none localhost/second true" "system check" \
                        "history localhost/second" "image inspect localhost/second" "save -o \$T/save localhost/second"; do
                        tidy \$words
                done
                rm -f \$T/save
                cat \$T/good >\$store/\$file
                n=\$((n + 1))
        done
done
((n > 20)) || echo "only \$n damages"
works run --rm --network none localhost/second true
works save -o \$T/save localhost/second
rm -rf \$HOME/*.good
$(removal)
END
)" "" "every file emptied, cut, with a byte flipped, or overwritten: no command dies of it"
skip "a quota of the user" "the file systems of this machine have none"
finish
