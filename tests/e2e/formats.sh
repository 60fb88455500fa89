#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# ps, inspect and their templates beside podman's on the same image: the same fields, the same text.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
if why=$(lacks_program podman); then skip_all "$why"; fi
image_load busybox || { cat "$T/image_load"; exit 99; }
export TZ=UTC
podman() { command podman --log-level=error "$@" 2>"$T/podman.err"; }
podman load -q -i "$(image_file busybox)" >/dev/null || skip_all "podman does not load an image here: $(head -n 1 "$T/podman.err")"
at_end sh -c 'podman rm -af; sdpod rm -af; podman volume rm -a; sdpod volume rm -a'
for tool in podman sdpod; do
        $tool create --name made --network none -v data:/data -v /tmp:/x:ro -l colour=blue -l a=1 --restart on-failure:3 -e X=y \
                $BUSYBOX sh -c 'echo a very long command line that is cut somewhere' >/dev/null
        $tool create --name second --network none --entrypoint '["sleep"]' -w /tmp -u 5:6 --cap-add net_raw --read-only \
                --stop-signal INT --stop-timeout 7 --hostname h $BUSYBOX 5 >/dev/null
done

# --- the same text, but for IDs, and for times: a second may pass between the two, which changes a column's width
comparable() {
        sed -E 's/^[0-9a-f]{12,64} /ID /; / ago /{s/(Less than a second|[0-9]+ seconds?) ago/TIME/g; s/  +/  /g}'
}
same() { # NAME ARG...: both print the same
        local name=$1 theirs ours
        shift
        theirs=$(podman "$@" | comparable)
        ours=$(sdpod "$@" 2>&1 | comparable)
        is "$ours" "$theirs" "$name"
}
same "ps shows nothing" ps
same "ps -a" ps -a --noheading --sort names
same "ps --no-trunc" ps -a --no-trunc --noheading
same "headings" ps --format 'table {{.ID}} {{.Image}} {{.Names}} {{.CreatedHuman}} {{.RunningFor}} {{.Pid}} {{.ExitCode}}'
for template in '{{.Names}}\t{{.Image}}\n' '{{.Names}} {{.Command}}' '{{.Labels}}' '{{.Label "x" | len}}{{.Labels.colour}}' \
        '{{index .Labels "a"}}' '{{.Networks}}|{{.Pod}}|{{.PodName}}|{{.Ports}}' '{{.Exited}} {{.ExitCode}} {{.ExitedAt}} {{.StartedAt}}' \
        '{{upper .Names}} {{len .Names}} {{truncate .Names 2}}{{pad .Names 1 2}}|' '{{range .}}{{.Names}},{{end}}' \
        '{{if eq .Names "made"}}yes{{else}}no{{end}}' '{{printf "%-8s|%q|%5d" .Names .Status .Pid}}' 'table {{.Names}}  {{.Status}}' \
        'table {{.Names}}\t{{.Labels}}' '{{json .Names}}' '{{.IsInfra}} {{.AutoRemove}}'; do
        [[ $template == *'.Label '* ]] && continue # newer than Debian's podman
        same "ps --format '$template'" ps -a --sort names --format "$template"
done
for filter in name=ma name=^second status=created status=exited label=colour label=colour=blue label=colour=red volume=data \
        restart-policy=on-failure before=second since=made; do
        same "ps --filter $filter" ps -a --filter $filter --format '{{.Names}}'
done
for key in names created image command; do
        same "ps --sort $key" ps -a --sort $key --format '{{.Names}}'
done
# shellcheck disable=SC2016  # the templates' variables
for template in '{{.Name}} {{.Path}} {{.Args}}' '{{.State.Status}} {{.State.Running}} {{.State.ExitCode}} {{.State.StartedAt}}' \
        '{{.Config.Cmd}} {{.Config.Labels}} {{.Config.WorkingDir}}|{{.Config.User}}|{{.Config.Tty}}' '{{json .Config.Labels}}' \
        '{{.HostConfig.RestartPolicy.MaximumRetryCount}} {{.HostConfig.NetworkMode}} {{.HostConfig.ReadonlyRootfs}}' \
        '{{range .Mounts}}{{.Type}}:{{.Destination}}:{{.RW}} {{end}}' '{{len .Mounts}} {{index .Config.Labels "a"}}' \
        '{{.Config.StopTimeout}} {{.RestartCount}} {{.IsInfra}} {{.EffectiveCaps}}' '{{.NetworkSettings.Ports}} {{.Dependencies}}' \
        '{{with .State}}{{.Status}}{{end}}' '{{.ImageName}} {{.Rootfs}} {{.Config.Image}}' \
        '{{range $i, $e := .Config.Cmd}}{{$i}}={{$e}} {{end}}' '{{.Config.Labels.nothing}}'; do
        same "inspect made --format '$template'" inspect made --format "$template"
        same "inspect second --format '$template'" inspect second --format "$template"
done

# --- every field of podman's JSON is there
fields() { # the paths of the first object, not into maps
        python3 -c '
import json, sys
def paths(value, path=""):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield path + "." + key
            if key not in ("Labels", "Annotations", "Tmpfs", "Data"):
                yield from paths(inner, path + "." + key)
    elif isinstance(value, list) and value:
        yield from paths(value[0], path + "[]")
print("\n".join(sorted(set(paths(json.load(sys.stdin)[0])))))'
}
for command in 'ps -a --format json' 'inspect made' 'inspect second' 'volume inspect data' "image inspect $BUSYBOX"; do
        # shellcheck disable=SC2086  # a command's words
        missing=$(comm -23 <(podman $command | fields) <(sdpod $command | fields))
        is "$missing" "" "$command has all of podman's fields"
done
labels='import json, sys; print([c["Labels"] for c in json.load(sys.stdin) if c["Names"] == ["second"]])'
is "$(sdpod ps -a --format json | python3 -c "$labels")" "$(podman ps -a --format json | python3 -c "$labels")" "no labels are null"

# --- what is wrong ends in the same way
for line in 'ps -a --format {{.Nope}}' 'ps --format {{' 'ps --filter nope=1' 'ps --filter status=nope' 'ps --sort nope' 'ps extra' \
        'inspect nope' 'inspect made --format {{.State.Nope}}' 'inspect' 'wait nope' 'logs nope' 'top nope' 'top made' \
        'container exists nope' 'container exists made' 'ps -q -s' 'ps -l -n 2' 'wait --condition nope made'; do
        # shellcheck disable=SC2086
        podman $line >/dev/null
        theirs=$?
        # shellcheck disable=SC2086
        run sdpod $line
        exits $theirs "the exit status of '$line' is podman's"
done

# --- bytes that drive a terminal do not reach it
escape=$'\033]0;owned\007'
sdpod create --name evil --network none -l "x=$escape" $BUSYBOX sh -c "$escape" >/dev/null
for line in 'ps -a' 'ps -a --no-trunc' 'ps -a --format json' 'inspect evil'; do
        # shellcheck disable=SC2086
        run sdpod $line
        unlike "$out" $'[\033\007]' "no control byte in the output of '$line'"
done
run sdpod ps -a --format 'table {{.Names}} {{.Labels}}'
unlike "$out" $'[\033\007]' "no control byte in a table of the user's"
run sdpod ps -a --filter name=evil --format '{{.Labels.x}}'
is "$out" "$escape" "a template gives a program the bytes as they are"
run script -qec "sdpod ps -a --filter name=evil --format '{{.Labels.x}}'" /dev/null
unlike "$out" $'[\033\007]' "... and escapes them on a terminal"
finish
