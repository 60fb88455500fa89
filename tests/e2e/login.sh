#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Who the user is at a registry, and what there is: login, logout, search against Debian's docker-registry.
# shellcheck source=tests/lib/e2e.sh
. "$(dirname "$0")/../lib/e2e.sh"
# shellcheck source=tests/lib/registry.sh
. "$TESTS/lib/registry.sh"

if why=$(lacks_program docker-registry skopeo htpasswd openssl); then skip_all "$why"; fi
registry_start main
export XDG_CONFIG_HOME=$T/config XDG_RUNTIME_DIR=$T/run
mkdir -p "$XDG_CONFIG_HOME" "$XDG_RUNTIME_DIR"
auth=$XDG_RUNTIME_DIR/containers/auth.json
registry_push "oci-archive:$(image_file busybox)" test/busybox:latest
registry_push "oci-archive:$(image_file busybox)" test/other:2

# --- a registry that nothing is known of
run sdpod login -u "$REGISTRY_USER" -p "$REGISTRY_PASSWORD" "$REGISTRY"
like "$status:$err" "^125:.*cannot trust registry '$REGISTRY': .*certificate" "a certificate of an unknown authority is refused"
like "$err" "hint: .*~/.config/containers/certs.d/$REGISTRY/ca.crt" "... with the place where the caller can name it"
[[ ! -e $auth ]]
is $? 0 "... and nothing is kept"
feed "$REGISTRY_PASSWORD"$'\n' sdpod login --tls-verify=false -u "$REGISTRY_USER" --password-stdin "$REGISTRY"
like "$status:$out" "^0:Login Succeeded!" "--tls-verify=false skips the check"
run sdpod logout "$REGISTRY"
is "$status:$out" "0:Removed login credentials for $REGISTRY" "logout"
registry_trust

# --- login
run sdpod login --get-login "$REGISTRY"
is "$status:$err" "125:sdpod: not logged into $REGISTRY" "--get-login of nobody"
run sdpod login -u "$REGISTRY_USER" -p wrong "$REGISTRY"
like "$status:$err" "^125:.*does not accept this user name and password" "a wrong password"
(umask 0; printf '%s\r\n' "$REGISTRY_PASSWORD" | sdpod login -u "$REGISTRY_USER" --password-stdin -v "$REGISTRY" >"$T/out" 2>&1)
is "$?:$(<"$T/out")" $'0:Used: '"$auth"$'\nLogin Succeeded!' "login from the standard input"
is "$(stat -c %a "$auth" "${auth%/*}" | xargs)" "600 700" "nobody else may read the auth file, whatever the umask"
chmod 644 "$auth"
run sdpod login --get-login "$REGISTRY"
is "$out" "$REGISTRY_USER" "--get-login"
run sdpod login "$REGISTRY"
like "$status:$out" "^0:.*Already logged in to $REGISTRY" "credentials that are there are tried first"
run sdpod login -u "$REGISTRY_USER" -p "$REGISTRY_PASSWORD" "$REGISTRY"
is "$status:$(stat -c %a "$auth")" 0:600 "a file that others could read is closed"
flock /tmp sleep 1000 &
at_end kill $!
until_ok 10 eval '! flock -n /tmp true'
run timeout 30 sdpod login --authfile "/tmp/sdpod-auth-$$" -u "$REGISTRY_USER" -p "$REGISTRY_PASSWORD" "$REGISTRY"
exits 0 "an auth file in a directory of others: none of them can hold a login up"
rm -f "/tmp/sdpod-auth-$$"
run skopeo inspect --authfile "$auth" --cert-dir "$REGISTRY_DIR/certs.d/$REGISTRY" "docker://$REGISTRY/test/busybox"
exits 0 "skopeo uses the same file"
feed $'user\nx\n' sdpod login localhost:1
like "$status:$err" "^125:.*cannot reach registry 'localhost:1': connection refused" "a registry that is not there is named, with the cause"
run sdpod login -u x --password-stdin -p y "$REGISTRY"
exits 125 "--password and --password-stdin together"

# --- search
run sdpod search "$REGISTRY/"
like "$out" "NAME +DESCRIPTION.*$REGISTRY/test/busybox.*$REGISTRY/test/other" "search lists the catalog"
run sdpod search --format '{{.Name}}' "$REGISTRY/oth"
is "$out" "$REGISTRY/test/other" "... and what matches"
run sdpod search --format json "$REGISTRY/oth"
is "$(python3 -c 'import json, sys; [e] = json.load(sys.stdin); print(*e, e["Name"])' <<<"$out")" \
        "Index Name Description Stars Official Automated Tag $REGISTRY/test/other" "search --format json, with Podman's keys"
run sdpod search --limit 1 --format '{{.Name}}' "$REGISTRY/"
is "$out" "$REGISTRY/test/busybox" "--limit"
run sdpod search --filter stars=1 "$REGISTRY/test"
is "$status:$out" "0:" "--filter"
run sdpod search --filter size=1 "$REGISTRY/test"
exits 125 "an unknown filter is refused"
run sdpod search --list-tags --format '{{.Name}} {{.Tag}}' "$REGISTRY/test/other"
is "$out" "$REGISTRY/test/other 2" "--list-tags"
run sdpod search --list-tags "$REGISTRY/test/none"
like "$status:$err" "^125:.*does not have it" "the tags of nothing"
run sdpod search nothing
like "$status:$err" "^125:.*names no registries to search" "a term without a registry"

# --- a credential helper
mkdir -p "$T/bin"
cat >"$T/bin/docker-credential-test" <<EOF
#!/bin/sh
case \$1 in
get) read -r server; printf '{"ServerURL":"%s","Username":"%s","Secret":"%s"}' "\$server" "$REGISTRY_USER" "$REGISTRY_PASSWORD" ;;
store) cat >"$T/stored" ;;
erase) cat >"$T/erased" ;;
esac
EOF
chmod +x "$T/bin/docker-credential-test"
printf '{"credHelpers": {"%s": "test"}}\n' "$REGISTRY" >"$T/helped.json"
run env PATH="$T/bin:$PATH" sdpod search --authfile "$T/helped.json" --list-tags --format '{{.Tag}}' "$REGISTRY/test/other"
is "$out" 2 "a credential helper is asked"
run env PATH="$T/bin:$PATH" sdpod login --authfile "$T/helped.json" -u "$REGISTRY_USER" -p "$REGISTRY_PASSWORD" "$REGISTRY"
like "$status:$(<"$T/stored")" '^0:.*"Username":"'"$REGISTRY_USER" "... and keeps what login gives it"
run env PATH="$T/bin:$PATH" sdpod logout --authfile "$T/helped.json" "$REGISTRY"
is "$status:$(<"$T/erased")" "0:$REGISTRY" "... and forgets it"
printf '{"credHelpers": {"%s": "../../bin/test"}}\n' "$REGISTRY" >"$T/helped.json"
run sdpod search --authfile "$T/helped.json" --list-tags "$REGISTRY/test/other"
like "$status:$err" "^125:.*that is no name of one" "a path is no name of a helper"

# --- registries.conf and policy.json
mkdir -p "$XDG_CONFIG_HOME/containers"
printf '[[registry]]\nlocation = "%s"\nblocked = true\n' "$REGISTRY" >"$XDG_CONFIG_HOME/containers/registries.conf"
run sdpod search --list-tags "$REGISTRY/test/other"
like "$status:$err" "^125:.*it is blocked in" "a registry that is blocked"
printf 'unqualified-search-registries = ["%s"]\n' "$REGISTRY" >"$XDG_CONFIG_HOME/containers/registries.conf"
run sdpod search --format '{{.Name}}' oth
is "$out" "$REGISTRY/test/other" "search asks unqualified-search-registries"
printf 'unqualified-search-registries = 1\n' >"$XDG_CONFIG_HOME/containers/registries.conf"
run sdpod search oth
like "$status:$err" "^125:.*registries.conf.*list of strings" "a file that is wrong is named"
rm "$XDG_CONFIG_HOME/containers/registries.conf"

# --- logout
run sdpod logout "$REGISTRY"
exits 0 "logout"
run sdpod logout "$REGISTRY"
is "$status:$err" "125:sdpod: not logged into $REGISTRY" "... once"
run sdpod logout --all
like "$status:$out" "^0:Removed login credentials for all" "logout --all"
run sdpod logout --all "$REGISTRY"
exits 125 "--all takes no registry"
unlike "$(cat "$auth")" auth\": "nothing is left"
finish
