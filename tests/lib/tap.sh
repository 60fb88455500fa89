# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2034  # the names set here are for the tests to read
# The words the e2e tests are written in: bash, TAP on stdout, one check a line.
#
#   run CMD...             runs it; then $status, $out and $err say how it ended (a timeout is status 124)
#   feed TEXT CMD...       the same with TEXT on stdin
#   exits CODE NAME        checks the last run's exit code, and shows its output where it differs
#   is FOUND WANTED NAME   like TEXT REGEX NAME   unlike TEXT REGEX NAME   ok NAME CMD...   pass NAME   fail NAME [WHY]
#   skip NAME REASON       skip_all REASON
#   until_ok SECONDS CMD   repeats CMD until it succeeds; SECONDS are a machine's that does nothing else, six times that is waited
#   at_end CMD...          runs CMD when the test file ends, however it ends, last one first
#   finish                 the last line of every file: prints the plan
#
# $T is a directory of the file's own, removed at its end. RUN_TIMEOUT is what `run` allows, in seconds.
set -u
LC_ALL=C.UTF-8
export LC_ALL
RUN_TIMEOUT=${RUN_TIMEOUT:-60}
tap_count=0 tap_failed=0 tap_finished=
declare -a tap_ends=()
T=$(mktemp -d "${TMPDIR:-/var/tmp}/sdpod-test.XXXXXX") || exit 99

tap_end() {
        local i
        for ((i = ${#tap_ends[@]} - 1; i >= 0; i--)); do
                eval "${tap_ends[i]}" >>"$T/at-end.log" 2>&1
        done
        if [[ -z $tap_finished ]]; then
                tap_count=$((tap_count + 1))
                echo "not ok $tap_count - the file runs to its end"
                echo "1..$tap_count"
        fi
        chmod -R u+rwX "$T" 2>/dev/null
        rm -rf "$T" 2>/dev/null || unshare --map-auto --map-root-user rm -rf "$T" 2>/dev/null
}
trap tap_end EXIT
trap 'exit 130' INT TERM HUP

at_end() {
        tap_ends+=("$(printf '%q ' "$@")")
}

comment() { # TEXT: as lines of comment
        [[ -z $1 ]] || LC_ALL=C sed 's/[^[:print:]\t]/?/g; s/^/#   /' <<<"${1:0:4000}"
}

pass() {
        tap_count=$((tap_count + 1))
        echo "ok $tap_count - $1"
}

fail() {
        tap_count=$((tap_count + 1))
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $1"
        comment "${2:-}"
        return 1
}

skip() {
        tap_count=$((tap_count + 1))
        echo "ok $tap_count - $1 # SKIP $2"
}

skip_all() {
        tap_finished=1
        echo "1..0 # SKIP $1"
        exit 0
}

run() {
        run_with /dev/null "$@"
}

feed() {
        printf '%s' "$1" >"$T/stdin"
        shift
        run_with "$T/stdin" "$@"
}

run_with() { # FILE CMD...: with the file as stdin
        local file=$1
        shift
        ran="$*"
        timeout --kill-after=5 "$RUN_TIMEOUT" "$@" <"$file" >"$T/stdout" 2>"$T/stderr"
        status=$?
        out=$(tr -d '\000' <"$T/stdout")
        err=$(tr -d '\000' <"$T/stderr")
}

exits() {
        if [[ $status == "$1" ]]; then
                pass "$2"
        else
                fail "$2" "ran: $ran"$'\n'"exit code $status, not $1"$'\n'"stdout: $out"$'\n'"stderr: $err"
        fi
}

is() {
        if [[ $1 == "$2" ]]; then
                pass "$3"
        else
                fail "$3" "found:  $1"$'\n'"wanted: $2"${err:+$'\n'"stderr: $err"}
        fi
}

like() {
        if [[ $1 =~ $2 ]]; then
                pass "$3"
        else
                fail "$3" "found: $1"$'\n'"which does not match: $2"${err:+$'\n'"stderr: $err"}
        fi
}

unlike() {
        if [[ $1 =~ $2 ]]; then
                fail "$3" "found: $1"$'\n'"which matches: $2"
        else
                pass "$3"
        fi
}

ok() {
        local name=$1
        shift
        if "$@" >"$T/ok" 2>&1; then
                pass "$name"
        else
                fail "$name" "failed: $*"$'\n'"$(cat "$T/ok")"
        fi
}

until_ok() {
        local end=$((SECONDS + 6 * $1))
        shift
        until "$@" >/dev/null 2>&1; do
                ((SECONDS < end)) || return 1
                sleep 0.05
        done
}

finish() {
        tap_finished=1
        echo "1..$tap_count"
        ((tap_failed == 0)) || exit 1
        exit 0
}
