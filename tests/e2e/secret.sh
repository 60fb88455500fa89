#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Secrets: made, listed, removed; as files and variables of containers; and nowhere else.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
R="sdpod run --rm --network none"
data=${XDG_DATA_HOME:-$HOME/.local/share}/sdpod
config=${XDG_CONFIG_HOME:-$HOME/.config}
key=$config/sdpod/secrets.key
word=hunter2-$RANDOM$RANDOM$RANDOM
at_end sdpod rm -af -t 0
at_end sdpod secret rm -a
sdpod secret rm -a >/dev/null

# ---- the commands
feed "$word" sdpod --log-level=debug secret create -l a=b -l c one -
exits 0 "a secret is made from the standard input"
like "$out" '^[0-9a-f]{25}$' "... and its ID printed"
unlike "$err" "$word" "... and nothing of it in a debug log"
id=$out
printf 'other\0binary\377' >"$T/file"
run sdpod secret create two "$T/file"
exits 0 "... from a file"
run env SECRET_OF_MINE=third sdpod secret create --env three SECRET_OF_MINE
exits 0 "... from a variable"
run sdpod secret create --env four NOT_SET_AT_ALL
exits 125 "... that is not set"
feed "" sdpod secret create empty -
exits 125 "an empty one is refused"
head -c 512000 /dev/zero >"$T/big"
run sdpod secret create big "$T/big"
exits 125 "one of 512000 bytes, too"
truncate -s 511999 "$T/big"
run sdpod secret create big "$T/big"
exits 0 "... of 511999 is not"
feed x sdpod secret create one -
exits 125 "a name is taken once"
like "$err" "secret name in use" "... which is said"
feed x sdpod secret create --ignore one -
is "$status$out" "0$id" "--ignore leaves it and prints its ID"
for name in ../x a/b . .. "a b" "" "\$(id)" a=b; do
        feed x sdpod secret create -- "$name" -
        exits 125 "the name '$name' is refused"
done
feed x sdpod secret create -d pass x -
exits 125 "another driver is refused"
run sdpod secret ls --format '{{.Name}} {{.Driver}}'
is "$out" $'big file\none file\nthree file\ntwo file' "they are listed"
run sdpod secret ls
like "$out" '^ID +NAME +DRIVER +CREATED +UPDATED'$'\n' "... in a table with headings"
is "$(sdpod secret ls --format json | jq -r '.[0] | keys | join(" ")')" "CreatedAt Driver ID Name UpdatedAt" "... as JSON"
is "$(sdpod secret ls --noheading --filter name=^o | awk '{ print $1, $2 }')" "$id one" "... by name"
is "$(sdpod secret ls -q --filter id="${id:0:6}")" "$id" "... by the beginning of the ID"
run sdpod secret ls --filter bogus=1
exits 125 "an unknown filter is refused"
run sdpod secret inspect one
is "$(jq -r '.[0] | .ID, .Spec.Name, .Spec.Driver.Name, .Spec.Labels.a, has("SecretData")' <<<"$out" | paste -sd' ')" \
        "$id one file b false" "inspect shows what Podman's shows"
run sdpod secret inspect --format '{{.Spec.Driver.Options.encryption}} {{.Spec.Driver.Options.key}}' "${id:0:8}"
like "$out" "^(key-file $key|systemd-creds <no value>)$" "... by the ID's beginning, and what protects it"
encryption=${out%% *}
run sdpod secret inspect --showsecret one
is "$(jq -r '.[0].SecretData' <<<"$out")" "$word" "... and with --showsecret its content"
run sdpod secret inspect one nope
exits 125 "... of two of which one is not there"
like "$out$err" '"Name": "one".*no such secret' "... shows the one and tells of the other"
run sdpod secret exists one
exits 0 "exists: it is there"
run sdpod secret exists nope
exits 1 "... it is not"

# ---- in a container
run $R --secret one $BUSYBOX sh -c 'cat /run/secrets/one; stat -c " %a %u:%g" /run/secrets/one; stat -f -c %T /run/secrets'
is "$out" "$word 444 0:0"$'\n'tmpfs "a file in a tmpfs, 0444, root's"
run $R -u 1000 --secret one $BUSYBOX cat /run/secrets/one
is "$out" "$word" "... which another user of the container reads"
run $R -u 1000 --secret one,mode=0400 $BUSYBOX cat /run/secrets/one
exits 1 "... but not with mode=0400"
run $R --secret source=one,target=sub/x,uid=7,gid=8,mode=0400 $BUSYBOX stat -c '%a %u:%g' /run/secrets/sub/x
is "$out" "400 7:8" "mode, owner and target are those that were asked for"
run $R --secret two,target=/etc/two --secret one $BUSYBOX sh -c 'md5sum </etc/two; ls -A /run/secrets'
is "$out" "$(md5sum <"$T/file")"$'\n'one "an absolute target, byte for byte"
run $R --secret big $BUSYBOX wc -c /run/secrets/big
like "$out" "^511999 " "the largest one"
mkdir "$T/v"
run $R -v "$T/v:/run/secrets" --secret one $BUSYBOX cat /run/secrets/one
is "$out$(cat "$T/v/one")" "$word" "with a volume on /run/secrets: beside what is in it, and not into it"
run $R --read-only --secret one $BUSYBOX sh -c 'cat /run/secrets/one; touch /run/secrets/x'
is "$status$out" "1$word" "with --read-only it is read-only"
run $R --userns keep-id --secret one,uid=7 $BUSYBOX sh -c 'stat -c %u /run/secrets/one; cat /run/secrets/one'
is "$out" "7"$'\n'"$word" "with an ID map of its own"
run $R --secret one,uid=700000 $BUSYBOX true
like "$status$err" "^12[56].*ID map" "an owner that the container does not have is refused"
run $R --secret one,type=env $BUSYBOX sh -c 'echo $one'
is "$out" "$word" "a variable"
run $R --secret one,type=env,target=PASS -e PASS=no $BUSYBOX sh -c 'echo $PASS; ls /run/secrets'
like "$out" "^$word"$ "... of another name, before that of -e; and no file"
run $R --secret two,type=env $BUSYBOX true
like "$status$err" "^12[56].*NUL byte" "one with a NUL byte is no variable"
run $R --secret nope $BUSYBOX true
exits 125 "one that is not there is refused"
like "$err" "no such secret" "... and said"

run sdpod run -d --network none --name c --secret one --secret one,type=env,target=E $BUSYBOX sleep 1000
exits 0 "a container in the background"
run sdpod exec c sh -c 'cat /run/secrets/one; echo " $E"'
is "$out" "$word $word" "exec sees the file and the variable"
is "$(sdpod inspect --format '{{(index .Config.Secrets 0).Name}} {{(index .Config.Secrets 0).ID}} {{(index .Config.Secrets 0).Mode}}' c)" \
        "one $id 292" "inspect says which"

# ---- and nowhere else
run sdpod inspect c
unlike "$out" "$word" "inspect does not have it"
is "$(sdpod events --stream=false | grep -c "$word")" 0 "... nor the events"
journalctl --user >"$T/journal" 2>&1
like "$(head -c 2000 "$T/journal")" systemd "... nor the journal, which can be read"
is "$(grep -c "$word" "$T/journal")" 0 "... and says nothing of it"
systemctl --user cat "sdpod-$(sdpod inspect --format '{{.Id}}' c).service" >"$T/unit" 2>&1
systemctl --user show "sdpod-$(sdpod inspect --format '{{.Id}}' c).service" >>"$T/unit"
like "$(cat "$T/unit")" "ExecStart=" "... nor the unit, which is there"
is "$(grep -c "$word" "$T/unit")" 0 "... and says nothing of it"
found=
for pid in /proc/[0-9]*; do
        name=$(cat "$pid/comm" 2>/dev/null)
        [[ $name == sdpod* || $name == systemd* ]] || continue
        grep -qs "$word" "$pid/cmdline" "$pid/environ" && found+=" $name"
done
is "$found" "" "... nor a command line or environment of ours"
ok "... nor any file of the store" sh -c '! grep -rqs "$1" "$2" "$3" "$XDG_RUNTIME_DIR/sdpod"' sh "$word" "$data" "$config/sdpod"
run find "$data/secrets" "$data"/containers/*/secrets "$config/sdpod" -perm /077
is "$status$out" 0 "no file of them can be read by others"
run sdpod diff c
unlike "$out" "secret" "diff has nothing"
sdpod commit -q c localhost/committed >/dev/null
feed "$word" $R -i localhost/committed sh -c 'read -r w; grep -rls "$w" /bin /etc /home /root /run /tmp /usr /var; ls -A /run/secrets 2>/dev/null'
is "$out" "" "commit has nothing"
ok "... nor its record" sh -c '! grep -rqs "$1" "$2/images"' sh "$word" "$data"
sdpod rmi -f localhost/committed >/dev/null
is "$(sdpod export c | grep -ac "$word")" 0 "export has nothing"
if [[ $encryption == key-file ]]; then
        feed "$word" $R -i -v "$data:/store" $BUSYBOX sh -c 'read -r w; grep -rl "$w" /store/secrets /store/containers'
        is "$out" "" "a container that has the store as a volume does not see it"
        run $R -v "$data:/store" $BUSYBOX find /store -name secrets.key
        is "$out" "" "... and has no key"
else
        skip "a container that has the store as a volume does not see it" "systemd's service protects the secrets here"
fi

# ---- what becomes of it later
feed changed sdpod secret create --replace one -
is "$out" "$id" "--replace keeps the ID"
run sdpod restart -t 0 c
run sdpod exec c sh -c 'cat /run/secrets/one; echo " $E"'
is "$out" "$word changed" "after that the file is the old one, the variable the new one"
run sdpod secret rm one
is "$out" "$id" "rm prints the ID"
run sdpod exec c true
exits 125 "a variable that is gone keeps exec from working, as in Podman"
run sdpod create --name d --network none --secret three $BUSYBOX cat /run/secrets/three
sdpod secret rm three >/dev/null
run sdpod start -a d
is "$out" third "a file survives the removal of the secret"
printf third | sdpod secret create three - >/dev/null
run sdpod container clone d e
run sdpod start -a e
is "$out" third "a clone has the secret, too"
run sdpod rm -f -t 0 c d e
is "$(find "$data/containers" -name '*.json' -path '*/secrets/*' 2>/dev/null)" "" "with the container its copy goes"
run sdpod secret rm nope two
exits 125 "rm of one that is not there"
like "$err" "no such secret" "... says so"
run sdpod secret exists two
exits 1 "... and removes the other"
run sdpod secret rm -i nope
exits 0 "... but not with --ignore"
run sdpod secret rm
exits 125 "rm without a name is refused"

# ---- the key
if [[ $encryption == key-file ]]; then
        feed "$word" sdpod secret create one -
        mv "$key" "$key.away"
        run $R --secret one $BUSYBOX true
        like "$status" "^12[56]$" "without the key it cannot be read"
        like "$err" "secrets.key.*hint: .*--replace one" "... which is said, with what to do"
        (umask 0; cp "$key.away" "$key"; chmod 644 "$key")
        run $R --secret one $BUSYBOX true
        like "$err" "that others cannot read" "a key that others can read is not used"
        mv -f "$key.away" "$key"
        printf '%s' '{"id":"x","name":"one","encryption":"key-file","key":"/etc/hostname","data":"AAAA"}' >"$data/secrets/one"
        run sdpod secret inspect --showsecret one
        exits 125 "a damaged record is told of"
        run sdpod secret rm one
        exits 0 "... and can be removed"
else
        skip "without the key it cannot be read" "there is no key file where systemd-creds works"
fi

# ---- killed in the middle
for i in {1..12}; do
        printf '%s' "$word" | sdpod secret create --replace "killed" - >/dev/null &
        pid=$!
        python3 -c "import time; time.sleep(0.002 * $i)"
        kill -9 "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
done
ok "kill -9 leaves nothing in the clear" sh -c '! grep -rqs "$1" "$2" "$3"' sh "$word" "$data" "$config/sdpod"
feed "$word" sdpod secret create --replace killed -
is "$(sdpod secret inspect --showsecret killed | jq -r '.[0].SecretData')" "$word" "... and no harm"
is "$(find "$data/secrets" -name '.tmp-*')" "" "... and no litter"
for i in {1..8}; do printf '%s' "$i" | sdpod secret create race - >"$T/race.$i" 2>/dev/null & done
wait
is "$(cat "$T"/race.* | grep -c .)" 1 "of eight that want a name at once one gets it"

# ---- core dumps: the kernel writes none of a process whose files in /proc are root's
mkfifo "$T/fifo"
sdpod secret create core "$T/fifo" >/dev/null &
pid=$!
exec 9>"$T/fifo"
until_ok 10 sh -c '[ "$(stat -c %u "/proc/$1/environ")" = 0 ]' sh "$pid"
is "$(stat -c %u "/proc/$pid/environ")" 0 "secret create cannot be dumped, nor traced"
printf '%s' "$word" >&9
exec 9>&-
wait "$pid"

# ---- in units
units=$config/containers/systemd
mkdir -p "$units"
at_end rm -f "$units/secretive.container"
at_end systemctl --user stop secretive.service
printf '%s' "$word" | sdpod secret create --replace one - >/dev/null
cat >"$units/secretive.container" <<END
[Container]
Image=$BUSYBOX
Network=none
Secret=one,mode=0400
Secret=one,type=env,target=PASS
Exec=sh -c 'cat /run/secrets/one; echo " \$\$PASS"; exec sleep 1000'
END
systemctl --user daemon-reload
run systemctl --user start secretive.service
exits 0 "a .container file with Secret="
until_ok 10 sh -c "sdpod logs systemd-secretive | grep -q $word"
is "$(sdpod logs systemd-secretive)" "$word $word" "... has it as a file and a variable"
is "$(systemctl --user show secretive.service | grep -c "$word")" 0 "... and systemd does not know it"

# --- credentials of a unit
printf 'one\n%s' "$word" >"$T/credential"
at_end rm -f "$units/trusted.container"
at_end systemctl --user stop trusted.service runner.service
cat >"$units/trusted.container" <<END
[Container]
Image=$BUSYBOX
Network=none
Secret=one,target=both
User=1234
Exec=sh -c 'ls /run/secrets; cat /run/secrets/loaded; echo; cat /run/secrets/set; echo; cat /run/secrets/both; echo; exec sleep 1000'
[Service]
LoadCredential=loaded:$T/credential
SetCredential=set:plain
SetCredential=both:hidden
END
systemctl --user daemon-reload
run systemctl --user start trusted.service
exits 0 "a unit with LoadCredential= and SetCredential="
until_ok 10 sh -c '[ "$(sdpod logs systemd-trusted | wc -l)" = 7 ]'
is "$(sdpod logs systemd-trusted)" $'both\nloaded\nset\none\n'"$word"$'\nplain\n'"$word" "... has them as secrets, and Secret= wins"
is "$(grep -rl "$word" "${XDG_DATA_HOME:-$HOME/.local/share}/sdpod" 2>/dev/null)" "" "... on no disk"
run timeout 30 systemd-run --user --quiet --wait --pipe --unit runner.service -p SetCredential=runners:key sh -c "sdpod run --rm --network none $BUSYBOX ls /run/secrets; true"
unlike "$out" runners "what a service runs as its child has none of the service's"
finish
