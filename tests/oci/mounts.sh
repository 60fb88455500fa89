#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Mounts by the runtime specification (config.md: Mounts, Linux mount options; config-linux.md: Rootfs Mount Propagation, Masked Paths,
# Readonly Paths): their order, each option that has to be known and what it does.
# shellcheck source=tests/oci/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir -p "$T/host/below" "$T/host/nested" "$T/own"
echo host >"$T/host/file"
echo own >"$T/own/file"
mount -t tmpfs -o size=1m nested "$T/host/nested" && at_end umount "$T/host/nested"
echo nested >"$T/host/nested/file"

# --- order, places, kinds of source
oci_next
bundle "$id" ".mounts += [
        { destination: \"/mnt\", type: \"tmpfs\", source: \"first\", options: [\"size=1m\", \"mode=711\"] },
        { destination: \"/mnt/sub/dir\", type: \"none\", source: \"$T/host\", options: [\"bind\"] },
        { destination: \"/mnt/rec\", type: \"bind\", source: \"$T/host\", options: [\"rbind\"] },
        { destination: \"relative/place\", type: \"tmpfs\", source: \"relative\" },
        { destination: \"/mnt/from-bundle\", type: \"bind\", source: \"data/x\", options: [\"bind\", \"ro\"] },
        { destination: \"/file/made/for\", source: \"$T/host/file\", options: [\"bind\"] },
        { destination: \"/over\", type: \"tmpfs\", source: \"a\", options: [\"size=1m\"] },
        { destination: \"/over\", type: \"tmpfs\", source: \"b\", options: [\"size=2m\"] },
        { destination: \"/copied\", type: \"tmpfs\", source: \"c\", options: [\"tmpcopyup\"] },
        { destination: \"/usr/../linked/x\", type: \"tmpfs\", source: \"d\" } ]" \
        sh -c 'facts; for f in /mnt/sub/dir/file /mnt/sub/dir/nested/file /mnt/rec/nested/file /mnt/from-bundle/f /file/made/for /copied/deep/f; do
                echo "content.$f $(cat $f 2>/dev/null)"; done; echo "mode./mnt $(stat -c %a /mnt)"; echo "ls./root $(ls /root)"'
mkdir -p "$T/$id/data/x" "$T/$id/rootfs/copied/deep"
echo bundled >"$T/$id/data/x/f"
echo copied >"$T/$id/rootfs/copied/deep/f"
ln -s root "$T/$id/rootfs/linked"
rt run --bundle "$T/$id" "$id"
facts_read
is "$status:$err" "0:" "[mounts.made] mounts of many kinds"
is "$(fact content./mnt/sub/dir/file)" host "[mounts.order] they are mounted in their order: one within another, whose place is made"
is "$(fact content./mnt/sub/dir/nested/file):$(fact content./mnt/rec/nested/file)" ":nested" "[option.bind][option.rbind] bind shows no mount below, rbind does"
like "$(fact mount./relative/place)" 'tmpfs relative' "[mounts.destination-relative] a relative destination begins at /"
is "$(fact content./mnt/from-bundle/f)" bundled "[mounts.source-relative] a relative source of a bind mount begins at the bundle"
is "$(fact content./file/made/for)" host "[mounts.file] a file is bound over one that is made"
like "$(fact mount./over)" 'tmpfs b .*size=2048k' "[mounts.order] of two at one place the later one is seen"
is "$(fact content./copied/deep/f)" copied "[option.tmpcopyup] tmpcopyup fills a tmpfs with what is below it"
is "$(fact mode./mnt)" 711 "[mounts.data] options of the file system go to it"
like "$(fact mount./root/x)" 'tmpfs d' "[mounts.destination-in-root] a symlink in a destination is followed in the root"

# --- what options do, on a bind and on a new mount: what mountinfo says of the mount
declare -A effect=(
        [ro]='^ro,' [rw]='^rw,' [nosuid]='nosuid' [nodev]='nodev' [noexec]='noexec' [noatime]='noatime' [nodiratime]='nodiratime' [relatime]='relatime'
        [strictatime]='!relatime|noatime' [nosymfollow]='nosymfollow' [suid]='!nosuid' [dev]='!nodev' [exec]='!noexec' [atime]='!noatime' [diratime]='!nodiratime'
        [symfollow]='!nosymfollow' [defaults]='^rw,'
)
declare -A wide=([sync]='sync' [async]='!sync' [dirsync]='dirsync' [lazytime]='lazytime' [nolazytime]='!lazytime' [silent]='' [loud]='' [iversion]='' [noiversion]=''
        [mand]='' [nomand]='' [norelatime]='' [nostrictatime]='')
for option in ${OCI_WITHOUT:-}; do unset "effect[$option]" "wide[$option]"; done # what another runtime does not know at all, and would refuse
filter='.mounts += ['
for option in "${!effect[@]}"; do
        filter+="{ destination: \"/m/bind-$option\", source: \"$T/own\", options: [\"bind\", \"$option\"] },
                 { destination: \"/m/tmp-$option\", type: \"tmpfs\", source: \"t\", options: [\"$option\"] },"
done
for option in "${!wide[@]}"; do filter+="{ destination: \"/m/tmp-$option\", type: \"tmpfs\", source: \"t\", options: [\"$option\"] },"; done
in_one "${filter%,}]" facts
facts_read
is "$status:$err" "0:" "[options.must] each of the options that have to be known is"
holds() { # PATTERN TEXT: with ! in front, it must not be there
        case $1 in
        '') [[ -n $2 ]] ;;
        !*) [[ -n $2 && ! $2 =~ ${1#!} ]] ;;
        *) [[ $2 =~ $1 ]] ;;
        esac
}
for option in $(printf '%s\n' "${!effect[@]}" | sort); do
        bind=$(fact "mount./m/bind-$option") tmp=$(fact "mount./m/tmp-$option")
        if holds "${effect[$option]}" "${bind%% |*}" && holds "${effect[$option]}" "${tmp%% |*}"; then
                pass "[option.$option] $option on a bind mount and on a tmpfs"
        else
                fail "[option.$option] $option on a bind mount and on a tmpfs" "bind: $bind"$'\n'"tmpfs: $tmp"
        fi
done
for option in $(printf '%s\n' "${!wide[@]}" | sort); do
        found=$(fact "mount./m/tmp-$option")
        holds "${wide[$option]}" "$found"
        is "$?" 0 "[option.$option] $option on a tmpfs"
done

# --- undoing options, remount, recursive attributes, propagation
recursive='rro:^ro rnosuid:nosuid rnodev:nodev rnoexec:noexec rnoatime:noatime rnodiratime:nodiratime rrelatime:relatime rstrictatime:!relatime|noatime rnosymfollow:nosymfollow'
undone='rrw:!^ro rsuid:!nosuid rdev:!nodev rexec:!noexec ratime:!noatime rdiratime:!nodiratime rnorelatime: rnostrictatime: rsymfollow:!nosymfollow'
for option in ${OCI_WITHOUT:-}; do
        recursive=$(sed "s/\(^\| \)$option:[^ ]*//" <<<"$recursive") undone=$(sed "s/\(^\| \)$option:[^ ]*//" <<<"$undone")
done
filter=".mounts += [
        { destination: \"/u/a\", source: \"$T/own\", options: [\"bind\", \"ro\", \"rw\", \"noexec\", \"exec\", \"nosuid\"] },
        { destination: \"/u/b\", type: \"tmpfs\", source: \"b\", options: [\"nodev\"] },
        { destination: \"/u/b\", type: \"tmpfs\", source: \"b\", options: [\"remount\", \"ro\", \"nodev\"] },"
for word in $recursive; do filter+="{ destination: \"/r/${word%%:*}\", source: \"$T/host\", options: [\"rbind\", \"${word%%:*}\"] },"; done
for word in $undone; do filter+="{ destination: \"/r/${word%%:*}\", source: \"$T/host\", options: [\"rbind\", \"${word%%:*}\"] },"; done
for option in private rprivate slave rslave shared rshared unbindable runbindable; do
        filter+="{ destination: \"/p/$option\", source: \"$T/host\", options: [\"rbind\", \"$option\"] },"
done
in_one "${filter%,}]" facts
facts_read
is "$status:$err" "0:" "[option.remount] remount, recursive attributes and propagation are known"
like "$(fact mount./u/a)" '^rw,nosuid' "[options.last-wins] of ro and rw, noexec and exec the later one holds"
like "$(fact mount./u/b)" '^ro,nodev' "[option.remount] a remount changes what is there"
for word in $recursive $undone; do
        option=${word%%:*}
        inner=$(fact "mount./r/$option/nested")
        holds "${word#*:}" "${inner%% |*}"
        is "$?:${inner:+there}" 0:there "[option.$option] $option holds for the mounts below, too (${inner%% |*})"
done
is "$(fact mount./p/private | grep -cE 'shared:|master:|unbindable'):$(fact mount./p/rprivate/nested | grep -cE 'shared:|master:|unbindable')" "0:0" \
        "[option.private][option.rprivate] private and rprivate"
is "$(fact mount./p/shared | grep -c 'shared:'):$(fact mount./p/rshared/nested | grep -c 'shared:')" "1:1" "[option.shared][option.rshared] shared and rshared"
is "$(fact mount./p/slave | grep -c 'shared:'):$(fact mount./p/rslave/nested | grep -c 'shared:')" "0:0" "[option.slave][option.rslave] slave and rslave are shared with nobody"
is "$(fact mount./p/unbindable | grep -c unbindable):$(fact mount./p/runbindable/nested | grep -c unbindable)" "1:1" "[option.unbindable][option.runbindable] unbindable and runbindable"

# --- propagation of the root
for mode in shared slave private unbindable rshared rslave rprivate runbindable; do
        in_one ".linux.rootfsPropagation = \"$mode\"" facts
        facts_read
        root=$(fact mount./)
        case $mode in
        *shared) want='shared:' ;;
        *unbindable) want='unbindable' ;;
        *) want='!shared:' ;;
        esac
        holds "$want" "$root"
        is "$?:$status" "0:0" "[root.propagation-$mode] rootfsPropagation $mode (${root##* | })"
done
refuses "[values.invalid] a propagation that is none is refused" '.linux.rootfsPropagation = "sideways"' true

# --- masked and read-only paths
in_one '.linux.maskedPaths = ["/etc/passwd", "/etc/dir", "/proc/cmdline", "/no/such/path"] | .linux.readonlyPaths = ["/root", "/proc/sys", "/etc/group", "/no/such/other"] |
        .mounts += [{ destination: "/etc/dir", type: "tmpfs", source: "x" }]' \
        sh -c 'facts try /etc/passwd /proc/cmdline /etc/group; ls -A /etc/dir; touch /root/x 2>&1; echo 1 2>&1 >/proc/sys/kernel/msgmax; facts' 
facts_read
is "$(fact try./etc/passwd | cut -d' ' -f1):$(fact try./proc/cmdline | cut -d' ' -f1)" "empty:empty" "[masked.unreadable] what is masked cannot be read"
like "$(fact mount./etc/dir)" 'tmpfs' "[masked.directory] a masked directory is empty"
like "$out" 'Read-only file system' "[readonly.paths] what is read-only cannot be written"
like "$(fact try./etc/group)" 'EROFS|ENOENT' "[readonly.paths] ... a file neither"
like "$(fact mount./proc/sys)" '^ro,nosuid,nodev,noexec|^ro,' "[readonly.keeps-flags] ... and what is mounted there keeps its other options"
for key in maskedPaths readonlyPaths; do
        refuses "[${key%Paths}.absolute] a relative path among $key is refused" ".linux.$key = [\"proc/kcore\"]" true
done

# --- what is refused
refuses "[mounts.fails] a file system that nobody knows is refused" '.mounts += [{ destination: "/x", type: "nosuchfs", source: "x" }]' true
refuses "[mounts.fails] a source that is not there is refused" '.mounts += [{ destination: "/x", type: "bind", source: "/no/such", options: ["bind"] }]' true
refuses "[mounts.fails] an option that the file system does not know is refused" '.mounts += [{ destination: "/x", type: "tmpfs", source: "x", options: ["nosuchoption"] }]' true

# --- a tmpfs without a mode; what is read-only when all is in it; the root file system's own path
if [[ $PEER != runc && $PEER != crun ]]; then # those of Debian 12: as they were then
        oci_next
        bundle "$id" '.mounts += [
                { destination: "/tmp", type: "tmpfs", source: "t" }, { destination: "/usr", type: "tmpfs", source: "t", options: ["ro"] },
                { destination: "/new/place", type: "tmpfs", source: "t" }, { destination: "/root", type: "tmpfs", source: "t", options: ["mode=710"] },
                { destination: "/usr/below", type: "tmpfs", source: "t" }]' sh -c 'stat -c %n:%a /tmp /usr /new/place /root; touch /usr/x 2>&1; echo x >/usr/below/x && echo below'
        chmod 1777 "$T/$id/rootfs/tmp"
        chmod 751 "$T/$id/rootfs/usr"
        rt run --bundle "$T/$id" "$id"
        is "$(grep : <<<"$out" | head -n 4 | tr '\n' ' ')" "/tmp:1777 /usr:751 /new/place:1777 /root:710 " "[mounts.data] a tmpfs without a mode has that of the directory it covers"
        like "$status:$out" '^0:.*Read-only file system.*below' "[option.ro] a tmpfs that is read-only has the mounts in it that come after"
        in_one '.mounts |= map(if .destination == "/dev" then .options += ["ro"] else . end)' \
                sh -c 'touch /dev/x 2>&1; touch /dev/shm/x && echo shm; ls /dev; sed -n "s, / /dev \([^ ,]*\).*,dev \1,p" /proc/self/mountinfo'
        like "$status:$out" '^0:.*Read-only file system.*shm.*null.*dev ro' "[option.ro] /dev is read-only once the devices are in it"
        oci_next
        bundle "$id" ".mounts += [{ destination: \"$T/$id/rootfs/mnt/in\", source: \"$T/own\", options: [\"bind\"] },
                { destination: \"/again\", source: \"$T/$id/rootfs/mnt\", options: [\"rbind\"] }]" cat /mnt/in/file /again/in/file
        rt run --bundle "$T/$id" "$id"
        is "$out" $'own\nown' "[mounts.order] a destination may begin with the root's own path; a source in the root has what is mounted there by then"
        jq '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings' \
                "$T/$id/config.json" >"$T/mapped.json" && mv "$T/mapped.json" "$T/$id/config.json"
        chmod 711 "$T/$id"
        mkdir -p "$T/$id/rootfs/mnt/in" "$T/$id/rootfs/again"
        rt run --bundle "$T/$id" "$id"
        is "$out$err" $'own\nown' "[mounts.order] ... in a user namespace as well"
        rm -rf "${T:?}/$id"
fi

# --- ID-mapped mounts
cp -r "$T/own" "$T/idmapped"
chown -R 1000:2000 "$T/idmapped"
maps='uidMappings: [{ containerID: 1000, hostID: 5000, size: 1 }], gidMappings: [{ containerID: 2000, hostID: 6000, size: 1 }]'
oci_next
if [[ $PEER == runc ]]; then
        skip "[option.idmap]" "runc of Debian 12 ignores it"
else
        in_one ".mounts += [{ destination: \"/i\", source: \"$T/idmapped\", options: [\"bind\", \"idmap\"], $maps },
                { destination: \"/j\", source: \"$T/idmapped\", options: [\"rbind\", \"ridmap\"], $maps }]" sh -c 'stat -c %u:%g /i/file /j/file'
        is "$out" $'5000:6000\n5000:6000' "[option.idmap][option.ridmap][idmap.mappings-used] IDs of a mount are mapped by the mount's own mappings"
        refuses "[idmap.no-mapping] idmap without mappings and without a user namespace is refused" \
                ".mounts += [{ destination: \"/i\", source: \"$T/idmapped\", options: [\"bind\", \"idmap\"] }]" true
        refuses "[idmap.both-mappings] uidMappings without gidMappings are refused" \
                ".mounts += [{ destination: \"/i\", source: \"$T/idmapped\", options: [\"bind\", \"idmap\"], uidMappings: [{ containerID: 1000, hostID: 5000, size: 1 }] }]" true
fi
is "$(cat "$T/host/file" "$T/own/file")$(find "$T/own" "$T/host" | wc -l)" $'host\nown7' "[errors.leave-no-trace] the host's files are as they were"
is "$(without_trace | grep -v "$T/host/nested")" "" "[delete.resources] nothing is left"
finish
