#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Credentials: who gets them, and who does not, whatever the registry says; how they are kept.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/registry.sh
. "$TESTS/lib/registry.sh"
# shellcheck source=tests/lib/hostile-pull.sh
. "$TESTS/lib/hostile-pull.sh"
if why=$(lacks_program openssl); then skip_all "$why"; fi
faulty_start || exit 99
known=(--authfile "$FAULTY/auth.json")
secret=$FAULTY_PASSWORD
encoded=$(printf 'tester:%s' "$secret" | base64 -w 0)
strangers='^(OTHER|FOREIGN|HTTP|FOREIGN_HTTP|MUTE|GARBAGE) '
leaked() { # has a stranger seen a credential, of whatever kind?
        faulty_requests "$strangers.*(auth=[^-]|tester|thief|$secret|$encoded)"
}

# --- where they belong
survived "Basic" "$BASIC/ok/1" "${known[@]}"
survived "Bearer" "$BEARER/ok/1" "${known[@]}"
survived "Bearer for anybody" "$ANON/ok/1"
survived "tokens that are good for one request are asked for again" "$BRIEF/ok/1" "${known[@]}"
survived "a refresh token" "$IDENTITY/ok/1" "${known[@]}"
survived "--creds" "$BASIC/ok/2" --creds "tester:$secret"
refused "no credentials" "$BASIC/ok/3" "401|[Uu]nauthorized|UNAUTHORIZED|credentials|log ?in|password"
refused "wrong credentials" "$BASIC/ok/3" "401|[Uu]nauthorized|UNAUTHORIZED|credentials|log ?in|password" --creds tester:wrong
refused "wrong credentials for a token" "$BEARER/ok/3" "401|[Uu]nauthorized|UNAUTHORIZED|credentials|log ?in|password" --creds tester:wrong
is "$(faulty_requests '^(HTTPS|ANON) .*auth=Basic')" 0 "one registry's credentials are not sent to another"
ok "a token request names the repository" test "$(faulty_requests '^BEARER GET /token.*scope=repository(:|%3[Aa])ok(/|%2[Ff])1(:|%3[Aa])pull')" -ge 1

# --- where a redirect leads
for kind in port host 301; do
        survived "Basic and a layer's redirect: $kind" "$BASIC/redir-$kind/1" "${known[@]}"
        survived "Bearer and a layer's redirect: $kind" "$BEARER/redir-$kind/1" "${known[@]}"
        either "Basic and a manifest's redirect: $kind" "$BASIC/redir-$kind-manifest/1" "${known[@]}"
done
for kind in http http-foreign file gopher scp user; do
        refused "Basic and a redirect to $kind" "$BASIC/redir-$kind/1" "" "${known[@]}"
        refused "Bearer and a redirect to $kind" "$BEARER/redir-$kind-manifest/1" "" "${known[@]}"
done
is "$(leaked)" 0 "... and nobody else has seen credentials"

# --- where a challenge leads
refused "a token service in the clear" "$REALM_HTTP/ok/1" "" "${known[@]}"
either "a token service on another host" "$REALM_FOREIGN/ok/1" "${known[@]}"
is "$(faulty_requests '^(HTTP|FOREIGN_HTTP) ')" 0 "... which is not asked in the clear"
for kind in none basic loop junk many long http file gopher user newline; do
        refused "a challenge: $kind" "$HTTPS/challenge-$kind/1" "" --creds "tester:$secret"
done
is "$(faulty_requests '^(HTTP|FOREIGN_HTTP) ')" 0 "... of which none leads into the clear"
ok "a challenge without end is answered a few times" test "$(faulty_requests 'GET /v2/challenge-loop/1/manifests')" -le 4
ok "no header was put in by a challenge" test "$(faulty_requests 'injected=[^-]')" = 0
ok "nor a file of ours" test "$(faulty_requests 'root:')" = 0

# --- what a token service says
for kind in big deep html none null newline long unicode wrong 500 escape endless http; do
        refused "a token service: $kind" "$BEARER/token-$kind/1" "" "${known[@]}"
done
is "$(faulty_requests 'injected=[^-]')" 0 "no header was put in by a token"
either "a token service that sends on to another host" "$BEARER/token-host/1" "${known[@]}"
is "$(faulty_requests '^(OTHER|FOREIGN|FOREIGN_HTTP|HTTP) GET /token.*auth=Basic')" \
        "$(faulty_requests '^FOREIGN GET /token.*scope=repository(:|%3[Aa])ok.*auth=Basic')" "... which gets no password from us"

# --- login, and what it leaves
run env -u REGISTRY_AUTH_FILE sh -c 'umask 0; printf %s "$1" | sdpod login -u tester --password-stdin "$2"' sh "$secret" "$BASIC"
exits 0 "login"
auth=$XDG_RUNTIME_DIR/containers/auth.json
at_end rm -rf "$XDG_RUNTIME_DIR/containers"
is "$(stat -c '%a' "$auth" "${auth%/*}" | xargs)" "600 700" "auth.json is the user's alone, whatever the umask"
survived "a pull finds what login left" "$BASIC/ok/4"
run sh -c 'printf wrong | sdpod login -u tester --password-stdin "$1"' sh "$BASIC"
exits 125 "login with a wrong password"
ok "... changes nothing" grep -q "$encoded" "$auth"
chmod 644 "$auth"
run sh -c 'printf %s "$1" | sdpod login -u tester --password-stdin "$2"' sh "$secret" "$BEARER"
is "$status:$(stat -c %a "$auth")" "0:600" "a file that others could read is tightened"
run sdpod login --get-login "$BASIC"
is "$out" tester "login --get-login"
run sdpod --log-level debug pull "$BASIC/ok/5"
unlike "$out$err" "$secret|$encoded" "a debug log has no secret"
sdpod pull -q "$BASIC/slow/1" >/dev/null 2>&1 </dev/null &
pid=$!
until_ok 20 grep -q ' GET /v2/slow/1/blobs' "$FAULTY/log"
run sh -c 'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr "\0" "\n"'
unlike "$out" "$secret|$encoded" "no process shows the secret in its arguments or environment"
run sh -c 'for p in $(pgrep -u "$(id -u)" -x sdpod-image); do grep "Max core file size" "/proc/$p/limits"; done'
unlike "$out" "size +[^0 ]" "... nor leaves it in a core file"
kill $pid
wait $pid
run sdpod logout "$BASIC"
exits 0 "logout"
ok "... forgets" sh -c '! grep -q "$1" "$2"' sh "$BASIC" "$auth"
run sdpod logout --all
exits 0 "logout --all"
ok "... leaves no secret" sh -c '! grep -q "$1" "$2"' sh "$encoded" "$auth"

# --- credential helpers
mkdir -p "$T/bin" "$T/config"
helper() { # NAME SCRIPT
        printf '#!/bin/sh\n%s\n' "$2" >"$T/bin/docker-credential-$1"
        chmod 755 "$T/bin/docker-credential-$1"
        printf '{"credHelpers":{"%s":"%s"}}' "$BASIC" "$1" >"$T/config/auth.json"
}
PATH=$T/bin:$PATH
helper good "cat >'$T/asked'; echo '{\"ServerURL\":\"x\",\"Username\":\"tester\",\"Secret\":\"$secret\"}'"
survived "a credential helper" "$BASIC/ok/6" --authfile "$T/config/auth.json"
is "$(<"$T/asked")" "$BASIC" "... is asked for the registry"
# --- a store of all credentials
cat >"$T/bin/docker-credential-store" <<P
#!/bin/sh
read -r server
echo "\$1 \$server" >>'$T/store.log'
case \$1 in
get) [ -e '$T/kept' ] && echo '{"ServerURL":"x","Username":"tester","Secret":"$secret"}' || { echo 'credentials not found in native keychain'; exit 1; } ;;
erase) rm -f '$T/kept' ;;
esac
P
chmod 755 "$T/bin/docker-credential-store"
echo '{"credsStore":"store"}' >"$T/config/auth.json"
touch "$T/kept"
survived "a credential store" "$BASIC/ok/8" --authfile "$T/config/auth.json"
run sdpod logout --authfile "$T/config/auth.json" "$BASIC"
exits 0 "logout of what is in it"
ok "... takes it out of there" test ! -e "$T/kept"
like "$(<"$T/store.log")" "erase $BASIC" "... by the registry's name"
run sdpod logout --authfile "$T/config/auth.json" "$BASIC"
like "$status$out$err" "^[^0]|not logged" "... and then there is nothing more"

helper loud 'exec cat /dev/zero'
refused "a helper that says more than there is room for" "$BASIC/ok/7" "helper|credential|auth" --authfile "$T/config/auth.json"
helper broken 'echo "{"; exit 0'
refused "a helper that says no JSON" "$BASIC/ok/7" "helper|credential|auth" --authfile "$T/config/auth.json"
helper failing 'printf "owned\033]0;x\007"; exit 1'
refused "a helper that fails" "$BASIC/ok/7" "helper|credential|auth" --authfile "$T/config/auth.json"
printf '#!/bin/sh\ntouch %s/evil-ran\n' "$T" >"$T/evil"
chmod 755 "$T/evil"
mkdir -p "$T/bin/docker-credential-x"
printf '{"credHelpers":{"%s":"x/../../evil"}}' "$BASIC" >"$T/config/auth.json"
refused "a helper whose name is a path" "$BASIC/ok/7" "helper|credential|auth" --authfile "$T/config/auth.json"
ok "... is not run" test ! -e "$T/evil-ran"
helper asleep 'exec sleep 1000'
refused "a helper that never ends" "$BASIC/ok/7" "helper|credential|auth" --authfile "$T/config/auth.json"
finish
