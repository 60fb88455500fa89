#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Commands around unit files: verify, install, list, print, enable, disable, edit, rm; and what systemd makes of the files.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
image_load busybox || { cat "$T/image_load"; exit 99; }
units=${XDG_CONFIG_HOME:-$HOME/.config}/containers/systemd
own=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user
runtime=/run/user/$UID
mkdir -p "$units"
at_end systemctl --user daemon-reload
at_end rm -rf "$units" "$own/native.service" "$runtime/containers"
at_end systemctl --user stop web.service app@1.service
systemctl --user reset-failed
cd "$T" || exit 99
tree() { (cd "$units" && find . -mindepth 1 | sort | tr '\n' ' '); }
prop() { systemctl --user show --property "$2" --value "$1"; }
container() { # a program that ends when it is told to, and further lines
        printf '[Container]\nImage=%s\nExec=sh -c %s\nNetwork=none\n%s\n' "$BUSYBOX" "'trap : TERM; sleep 1000 & wait; true'" "${1:-}"
}
wanted() { systemctl --user list-dependencies --plain default.target | grep -cw "$1"; }

# ---- verify
container >good.container
run sdpod quadlet verify good.container
is "$status:$out:$err" "0::" "verify says nothing of a file that is right"
printf '[Container]\nImage=%s\n\nPublishPrt=1:1\n' "$BUSYBOX" >typo.container
run sdpod quadlet verify typo.container
is "$status:$err" "1:typo.container:4: unsupported key 'PublishPrt' in group 'Container'; did you mean 'PublishPort'?" \
        "a mistyped key: file, line, what was meant, exit status 1"
printf '[Unit]\nAfter=gone.container\n[Container]\nImgae=x\nVolume=gone.volume:/x\nReadOnly=perhaps\n' >many.container
run sdpod quadlet verify many.container
is "$status:$(cut -d: -f2 <<<"$err" | tr '\n' ' ')" "1:2 4 5 6 " "all faults of a file at once, in order"
printf '[Contaner]\nImage=x\n' >group.container
run sdpod quadlet verify group.container good.container
is "$status:$err" "1:group.container:1: unknown group '[Contaner]'; did you mean '[Container]'?" "a mistyped group"
container "Volume=gone.volume:/x" >refers.container
run sdpod quadlet verify refers.container
like "$status:$err" "1:refers.container:5: .*gone.volume was not found" "a reference to a file that is not there"
echo '[Volume]' >gone.volume
run sdpod quadlet verify refers.container
is "$status:$err" "0:" "... which is found beside it"
printf '[Container]\nImage=%s\nServiceName=good\n' "$BUSYBOX" >other.container
run sdpod quadlet verify good.container other.container
like "$status:$err" "1:.*good.service.*(good|other).container" "two files of one service"
printf '[Container]\nImage=%s\nShmSize=lots\nMemory=%%h\nPodmanArgs=--bogus --memory 1g\nPublishPort=8080:80\n' "$BUSYBOX" >refused.container
run sdpod quadlet verify refused.container
is "$status:$(sed 's/^\(warning: [^ ]* [^ ]* [^ ]*\) .*/\1/' <<<"$err" | tr '\n' ';')" \
        "0:warning: refused.container:3: sdpod run:;warning: refused.container:5: sdpod run:;" "what the command will refuse is a warning"
printf '[Container]\nImage=%s\nLabel=a=b\nAutoUpdate=daily\nLabel=c=d\n' "$BUSYBOX" >policy.container
run sdpod quadlet verify policy.container
is "$status:$err" "0:warning: policy.container:4: sdpod run: 'daily' is not one of registry, local and disabled" "... a policy of updates, too"
printf '[Network]\nSubnet=10.1.1.0/33\nGateway=10.1.1.x\nIPRange=10.1.1.9-10.1.1.3\nDNS=nobody\nPodmanArgs=--route=1\n' >values.network
run sdpod quadlet verify values.network
is "$status:$(cut -d: -f3 <<<"$err" | tr '\n' ' ')" "0:2 3 4 5 6 " "... and each value of a network, at its line"
run sdpod quadlet verify --quiet refused.container
is "$status:$err" "0:" "... not with --quiet"
run sdpod quadlet verify
is "$status:$err" "0:" "without arguments: what is installed"
run sdpod quadlet verify nowhere.container
exits 125 "a file that is not there"

# ---- install, list, print, rm: one file
container >web.container
run sdpod quadlet install web.container
is "$status:$out:$err" "0:$units/web.container:" "install prints where it is"
is "$(prop web LoadState)" loaded "... and systemd knows the service"
run sdpod quadlet list --noheading
is "$(tr -s ' ' <<<"$out" | sed 's/ *$//')" "web.container web.service $units/web.container inactive/dead" "list shows it"
run sdpod quadlet ls --format '{{.Name}} {{.UnitName}} {{.Status}}' --filter name=we.
is "$out" "web.container web.service inactive/dead" "... by a filter and a template"
run sdpod quadlet list --filter status=^active --format '{{.Name}}'
is "$status:$out" "0:" "... and not by another"
run sdpod quadlet list --filter color=red
exits 125 "an unknown filter"
for name in web web.container web.service; do
        run sdpod quadlet print $name
        is "$out" "$(cat web.container)" "print $name"
done
run sdpod quadlet install web.container
is "$status:$err" "125:sdpod: cannot install 'web.container': '$units/web.container' is there already"$'\n'"hint: --replace puts the new one in its place" \
        "a name that is taken"
sed -i s/1000/2000/ web.container
run sdpod quadlet install --replace web.container
is "$status:$(sdpod quadlet print web)" "0:$(cat web.container)" "--replace"
run systemctl --user start web.service
is "$(prop web ActiveState)" active "it starts"
run sdpod quadlet rm web
like "$status:$err" "125:.*'web.service' is active" "one that runs is not removed"
is "$(tree)" "./web.container " "... really"
run sdpod quadlet rm --force web.container
is "$status:$out:$(tree)" "0:web.container:" "... but with --force"
is "$(prop web LoadState):$(sdpod ps -aq)" "not-found:" "... and is gone"
run sdpod quadlet rm web
exits 125 "what is not there"
run sdpod quadlet rm --ignore web
is "$status:$err" "0:" "... is no error with --ignore"

# ---- what is broken is not installed
mkdir app
container "Volume=data.volume:/data"$'\n'"Volume=./page:/page:ro" >app/web.container
echo '[Volume]' >app/data.volume
echo hello >app/page
container "Imgae=x" >app/zz.container
run sdpod quadlet install app
like "$status:$err" "125:app/zz.container:5: .*Imgae.*nothing was installed" "a fault in one file of a directory"
is "$(tree)" "" "... leaves nothing"
rm app/zz.container
ln -s /etc/shadow app/key
run sdpod quadlet install app
like "$status:$err:$(tree)" "125:.*app/key.*symbolic link.*:\$" "a link in a directory is refused"
rm app/key
mkfifo app/fifo
run sdpod quadlet install app
like "$status:$err:$(tree)" "125:.*app/fifo.*not a regular file.*:\$" "... and a FIFO, which nobody waits for"
rm app/fifo
truncate -s 20M app/big
run sdpod quadlet install app
like "$status:$err:$(tree)" "125:.*app/big.*more than.*:\$" "... and a file of 20 MiB"
rm app/big
run sdpod quadlet install https://example.com/web.container
like "$status:$err" "125:.*URLs are not fetched" "a URL"
run sdpod quadlet install app/page
like "$status:$err" "125:.*no unit file" "a file that is no unit"

# ---- an application
run sdpod quadlet install app
is "$status:$(tree)" "0:./.app.app ./data.volume ./page ./web.container " "a directory, with what the units need"
is "$(sdpod quadlet list --format '{{.Name}} {{.App}}' | tr '\n' ' ')" "data.volume .app.app web.container .app.app " "list names the application"
run systemctl --user start web
is "$(sdpod exec systemd-web cat /page)" hello "a relative path leads to the file beside it"
container "Volume=./page:/page:ro" >app/web.container
rm app/data.volume
run sdpod quadlet install --replace app
is "$status:$(tree)" "0:./.app.app ./page ./web.container " "--replace takes away what the application has no more"
mkdir rival
container >rival/new.container
echo other >rival/page
run sdpod quadlet install --replace rival
like "$status:$err" "125:.*page' was installed with others, by '.app.app'" "a file of another application stays"
run sdpod quadlet rm -f web
is "$status:$out:$(tree)" "0:web.container:" "rm of one removes all of them"

# ---- several units in a file
cat >two.quadlets <<END
# FileName=one
[Container]
Image=$BUSYBOX
Volume=store.volume:/s
---

# the second
# FileName=store
[Volume]
END
run sdpod quadlet install two.quadlets
is "$status:$(tree)" "0:./.two.app ./one.container ./store.volume " "a .quadlets file"
run sdpod quadlet rm .two.app
is "$status:$(tree)" "0:" "... goes by its record"
sed -i 's/^Image=/Imgae=/' two.quadlets
run sdpod quadlet verify two.quadlets
like "$status:$err" "1:two.quadlets:3: .*Imgae" "faults in it have its lines"
printf '[Volume]\n---\n# FileName=b\n[Volume]\n' >unnamed.quadlets
run sdpod quadlet verify unnamed.quadlets
like "$status:$err" "125:.*unnamed.quadlets:1: .*FileName" "a part without a name"
printf '# FileName=../../x\n[Volume]\n' >out.quadlets
run sdpod quadlet install out.quadlets
like "$status:$err" "125:.*out.quadlets:1: FileName= is not the name" "a name with a path"

# ---- clashes
mkdir -p "$own" "$runtime/containers/systemd"
printf '[Service]\nExecStart=/bin/true\n' >"$own/native.service"
container >native.container
run sdpod quadlet install --replace native.container
like "$status:$err:$(tree)" "125:.*'$own/native.service' is there already.*:\$" "a service of systemd's own that comes first"
container >"$runtime/containers/systemd/first.container"
container >first.container
run sdpod quadlet install --replace first.container
like "$status:$err:$(tree)" "125:.*$runtime/containers/systemd/first.container' is there already.*:\$" "a file in a directory that comes first"
container "ServiceName=first" >second.container
run sdpod quadlet install second.container
like "$status:$err:$(tree)" "125:second.container: it makes first.service, and so does .*first.container.*:\$" "a service that another file makes"
rm -r "$runtime/containers" "$own/native.service"

# ---- enable, disable
container >web.container
sdpod quadlet install web.container >/dev/null
is "$(wanted web.service)" 0 "nothing wants it"
before=$(tree)
run sdpod quadlet enable web
like "$status:$out" "0:wrote '$units/web.container.d/sdpod-enable.conf'.*'web.service' is started with 'default.target'" "enable says what it did"
is "$(wanted web.service)" 1 "... and it did"
run sdpod quadlet enable web
is "$out" "already 'web.service' is started with 'default.target'" "twice is once"
run sdpod quadlet disable web
like "$out" "removed '$units/web.container.d/sdpod-enable.conf'" "disable says so, too"
is "$(wanted web.service):$(tree)" "0:$before" "... and nothing is left of it"
run sdpod quadlet enable --now web
is "$status:$(prop web ActiveState)" "0:active" "--now starts it"
run sdpod quadlet disable --now web
is "$status:$(prop web ActiveState)" "0:inactive" "... and stops it"
printf '[Install]\nWantedBy=default.target\n' >>web.container
sdpod quadlet install --replace web.container >/dev/null
is "$(wanted web.service)" 1 "a file with an [Install] of its own"
run sdpod quadlet disable web
is "$status:$(wanted web.service)" "0:0" "... is disabled"
run sdpod quadlet enable web
is "$status:$(wanted web.service):$(tree)" "0:1:$before" "... and enabled as it was"
sdpod quadlet enable web >/dev/null
sdpod quadlet disable web >/dev/null
run sdpod quadlet rm web
is "$status:$(tree)" "0:" "rm takes the drop-in"
container >app@.container
sdpod quadlet install app@.container >/dev/null
run sdpod quadlet enable app@
like "$status:$err" "125:.*template" "a template itself is not enabled"
run sdpod quadlet enable --now app@1
is "$status:$(wanted app@1.service):$(prop app@1 ActiveState)" "0:1:active" "... but an instance"
run sdpod quadlet rm app@
like "$status:$err" "125:.*'app@1.service' is active" "... and while that runs the template stays"
run sdpod quadlet disable --now app@1
is "$status:$(wanted app@1.service):$(prop app@1 ActiveState):$(tree)" "0:0:inactive:./app@.container " "... until it is disabled"
sdpod quadlet rm app@ >/dev/null

# ---- edit
container >web.container
sdpod quadlet install web.container >/dev/null
run env EDITOR='sed -i s/1000/3000/' sdpod quadlet edit web
is "$status:$out:$(grep -c 3000 "$units/web.container")" "0:wrote '$units/web.container':1" "edit"
like "$(prop web ExecStart)" "sleep 3000" "... and systemd knows"
run env EDITOR=true sdpod quadlet edit web
is "$status:$out" "0:'$units/web.container' is as it was" "without a change"
run env EDITOR='sed -i s/^Exec=/Exce=/' sdpod quadlet edit web
like "$status:$err" "125:.*web.container:3: .*did you mean 'Exec'.*your text is in '(.*)'" "with a fault"
is "$(grep -c Exec= "$units/web.container"):$(grep -c Exce= "$(sed -n "s/.*text is in '\(.*\)'/\1/p" <<<"$err")")" "1:1" \
        "... the file is as it was, and the text is kept"
rm -rf "$runtime"/sdpod-edit-*
run env EDITOR=false sdpod quadlet edit web
like "$status:$err" "125:.*nothing was changed" "an editor that fails"
run env EDITOR="sed -i \$aLabel=x=y" sdpod quadlet edit --drop-in web
like "$status:$(prop web ExecStart)" "0:.*--label x=y" "a drop-in"
run env EDITOR="sed -i s/Label/Labl/" sdpod quadlet edit --drop-in web
like "$status:$err" "125:.*override.conf:3: .*Labl" "... with a fault"
is "$(cat "$units/web.container.d/override.conf" | grep -c Label=x=y)" 1 "... stays as it was"
rm -rf "$units/web.container.d" "$runtime"/sdpod-edit-*

# ---- killed in the middle, and two at once
mkdir -p "$units/.sdpod-00000000/files"
echo old >"$units/.sdpod-00000000/files/web.container"
printf 'swap %s web.container\ntake 0 page\n' "$(stat -c %i "$units/web.container")" >"$units/.sdpod-00000000/plan"
echo kept >"$units/.sdpod-00000000/files/page"
container >next.container
run sdpod quadlet install next.container
is "$status:$(tree):$(cat "$units/web.container" "$units/page" | tr '\n' ' ')" "0:./next.container ./page ./web.container :old kept " \
        "what a killed command has left half done is undone"
rm "$units"/*
mkdir many
for i in {1..60}; do container >many/m$i.container; done
halves=
for i in {1..12}; do
        sdpod quadlet install --reload-systemd=false many >/dev/null 2>&1 &
        sleep 0.0$i
        kill -9 $! 2>/dev/null
        wait $! 2>/dev/null
        sdpod quadlet install --reload-systemd=false --replace next.container >/dev/null # goes back, if it has to
        n=$(find "$units" -mindepth 1 | wc -l)
        [[ $n == 1 || $n == 62 ]] || halves+="$n "
        sdpod quadlet rm --reload-systemd=false -a >/dev/null
done
is "$halves" "" "kill -9 at any moment: all sixty files and their record, or none"
for i in 1 2 3 4 5 6; do
        container >p$i.container
        sdpod quadlet install p$i.container >/dev/null 2>&1 &
done
wait
is "$(tree)" "./p1.container ./p2.container ./p3.container ./p4.container ./p5.container ./p6.container " "six at once"
run sdpod quadlet rm --all
is "$status:$(tree)" "0:" "rm --all"

# ---- a broken file that is there all the same
container "Imgae=x" >"$units/broken.container"
systemctl --user daemon-reload
ok "what the generator says of a broken file is in the journal" until_ok 10 sh -c \
        "journalctl --user -b -q -o cat | grep -q \"generator.*broken.container:5: .*unsupported key 'Imgae'\""
run systemctl --user start broken.service
is "$status" 1 "starting a broken file's service fails"
ok "... and the reason is in the journal" until_ok 10 sh -c "journalctl --user -u broken -q | grep -q \"broken.container:5: unsupported key 'Imgae'.*did you mean 'Image'\""
run systemctl --user status broken.container
like "$out" "broken.container:5: unsupported key 'Imgae'" "... and in systemctl status"
run sdpod doctor
like "$out" "unit files: $units/broken.container:5: unsupported key 'Imgae'" "doctor says it, too"
run sdpod quadlet list --format '{{.Name}} {{.Status}} {{.Fault}}'
like "$out" "broken.container broken .*:5: " "... and list"
run sdpod __complete -- quadlet print b
is "$out" "broken.container" "names are completed"
finish
