/* SPDX-License-Identifier: Apache-2.0 */
/* Credentials on the way: Basic to the registry itself, tokens from the service that it names (Docker registry v2 token
 * authentication; OAuth2 for identity tokens).
 *
 * Who may see a password: the registry, by the origin of the endpoint; and the token service (realm) that it names, if it is
 * spoken to by https (http only where the registry is, and then on the same host) and its host is the registry's or of the
 * same domain (url_related_hosts()). Nobody else: a realm elsewhere is asked for an anonymous token only. */
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "registry/transfer.h"

enum {
        TOKEN_LIFE_SECONDS = 60,       /* where the service says nothing */
        TOKEN_LIFE_LIMIT = 86400,
        TOKEN_MARGIN_SECONDS = 10,
        TOKEN_LENGTH_LIMIT = 48 * 1024,
        TOKEN_TRIES = 2,
};

static void token_done(Token *token) {
        free(token->scope);
        if (token->value)
                explicit_bzero(token->value, strlen(token->value));
        free(token->value);
        *token = (Token){};
}

static Token *find_token(const Transfer *t) {
        EndpointState *state = transfer_state(t);

        for (size_t i = 0; i < state->n_tokens; i++)
                if (str_equal(state->tokens[i].scope, t->scope))
                        return state->tokens + i;
        return NULL;
}

bool auth_has_credentials(const Transfer *t) {
        const Credentials *c = &transfer_endpoint(t)->credentials;

        return !t->fetcher->anonymous && (c->identity_token || (c->username && c->password));
}

static int add_secret_line(Transfer *t, const char *scheme, const char *secret) {
        char *line = str_format("Authorization: %s %s", scheme, secret);

        if (!line)
                return -ENOMEM;
        int r = transfer_add_line(t, line);
        explicit_bzero(line, strlen(line));
        free(line);
        return r;
}

static int add_basic(Transfer *t) {
        const Credentials *c = &transfer_endpoint(t)->credentials;
        int r = 0;

        /* libcurl makes the field, in base64; it is for this exchange alone, as libcurl follows no redirect */
        if (curl_easy_setopt(t->easy, CURLOPT_HTTPAUTH, (long) CURLAUTH_BASIC) != CURLE_OK ||
            curl_easy_setopt(t->easy, CURLOPT_USERNAME, c->username) != CURLE_OK ||
            curl_easy_setopt(t->easy, CURLOPT_PASSWORD, c->password) != CURLE_OK)
                r = -ENOMEM;
        return r;
}

int auth_prepare(Transfer *t, Error *reterr) {
        const EndpointState *state = transfer_state(t);
        const Token *token;

        if (!t->trusted || state->scheme == AUTH_OTHER)
                return 0;
        if (state->scheme == AUTH_BASIC) {
                if (!auth_has_credentials(t) || transfer_endpoint(t)->credentials.identity_token)
                        return 0;
                t->sent_credentials = true;
                return add_basic(t) < 0 ? error_oom(reterr) : 0;
        }
        token = find_token(t);
        if (!token || token->expires_usec <= t->fetcher->now_usec) {
                t->phase = PHASE_TOKEN;
                t->hops = 0;
                url_done(&t->url);
                return 0;
        }
        t->sent_credentials = true;
        return add_secret_line(t, "Bearer", token->value) < 0 ? error_oom(reterr) : 0;
}

static int realm_error(const Transfer *t, Error *reterr, const char *reason) {
        return error_set(reterr, -EACCES, ERROR_DENIED, "cannot log in to registry '%s': it wants a token from '%.200s', %s",
                         transfer_endpoint(t)->name, transfer_state(t)->challenge.realm ?: "nowhere", reason);
}

/* The service that gives tokens, and whether it may see the password. */
static int check_realm(const Transfer *t, Url *ret, bool *ret_trusted, Error *reterr) {
        const EndpointState *state = transfer_state(t);
        _cleanup_free_ char *home_text = str_format("%s://%s/", state->plain ? "http" : "https", transfer_endpoint(t)->host);
        _cleanup_url_ Url home = {}, realm = {};

        if (!home_text || url_parse(home_text, NULL, &home) == -ENOMEM)
                return error_oom(reterr);
        if (!state->challenge.realm || url_parse(state->challenge.realm, NULL, &realm) < 0)
                return realm_error(t, reterr, "which is no address for that");
        if (home.https && !realm.https)
                return realm_error(t, reterr, "which is not https");
        *ret_trusted = realm.https ? url_related_hosts(home.host, realm.host) : str_equal(home.host, realm.host);
        *ret = realm;
        realm = (Url){};
        return 0;
}

static int add_query(Url *url, const char *scopes, const char *service) {
        _cleanup_strv_ char **list = strv_split(scopes, " ");
        int r = list ? 0 : -ENOMEM;

        if (service && r >= 0)
                r = url_add_query(url, "service", service);
        for (char **s = list; r >= 0 && s && *s; s++)
                if (**s)
                        r = url_add_query(url, "scope", *s);
        return r;
}

static int append_field(Transfer *t, char **body, const char *name, const char *value) {
        char *escaped = curl_easy_escape(t->easy, value, 0);
        char *joined = escaped ? str_format("%s%s%s=%s", *body ?: "", *body ? "&" : "", name, escaped) : NULL;

        curl_free(escaped);
        if (!joined)
                return -ENOMEM;
        if (*body)
                explicit_bzero(*body, strlen(*body));
        free(*body);
        *body = joined;
        return 0;
}

/* OAuth2: an identity token goes into the body of a POST. */
static int set_oauth(Transfer *t) {
        const Challenge *c = &transfer_state(t)->challenge;
        const char *token = transfer_endpoint(t)->credentials.identity_token;
        char *body = NULL;

        int r = append_field(t, &body, "grant_type", "refresh_token");
        if (r >= 0)
                r = append_field(t, &body, "service", c->service ?: "");
        if (r >= 0)
                r = append_field(t, &body, "client_id", "sdpod");
        if (r >= 0)
                r = append_field(t, &body, "scope", t->scope);
        if (r >= 0)
                r = append_field(t, &body, "refresh_token", token);
        if (r >= 0 && curl_easy_setopt(t->easy, CURLOPT_COPYPOSTFIELDS, body) != CURLE_OK)
                r = -ENOMEM;
        if (body)
                explicit_bzero(body, strlen(body));
        free(body);
        return r;
}

int auth_setup_token(Transfer *t, Error *reterr) {
        const Credentials *c = &transfer_endpoint(t)->credentials;
        _cleanup_url_ Url realm = {};
        bool trusted = false;

        if (t->hops > 0) /* redirected: no password there, and its address is complete */
                return curl_easy_setopt(t->easy, CURLOPT_HTTPGET, 1L) == CURLE_OK ? 0 : error_oom(reterr);
        int r = check_realm(t, &realm, &trusted, reterr);
        if (r < 0)
                return r;
        if (auth_has_credentials(t) && !trusted) {
                r = realm_error(t, reterr, "a host of another domain, which does not get the password");
                return error_with_hint(reterr, r, "'sdpod logout %s' lets it be tried without one", transfer_endpoint(t)->name);
        }
        t->sent_credentials = auth_has_credentials(t);
        if (t->sent_credentials && c->identity_token)
                r = set_oauth(t);
        else {
                r = add_query(&realm, t->scope, transfer_state(t)->challenge.service);
                if (r >= 0 && t->sent_credentials)
                        r = url_add_query(&realm, "account", c->username);
                if (r >= 0 && t->sent_credentials)
                        r = add_basic(t);
        }
        if (r < 0)
                return error_oom(reterr);
        url_done(&t->url);
        t->url = realm;
        realm = (Url){};
        return 0;
}

static void denied(Transfer *t) {
        _cleanup_error_ Error error = ERROR_NULL;
        const char *name = transfer_endpoint(t)->name;

        if (auth_has_credentials(t))
                (void) transfer_error(t, -EACCES, ERROR_DENIED, &error, "registry '%s' does not accept the user name and password, or does not allow it",
                                      name);
        else {
                (void) transfer_error(t, -EACCES, ERROR_DENIED, &error, "registry '%s' wants a login, or does not have it", name);
                error_hint(&error, "log in with 'sdpod login %s'", name);
        }
        transfer_give_up(t, &error);
}

static int remember_challenge(EndpointState *state, const Challenge *from) {
        Challenge *to = &state->challenge;
        int r = str_replace(&to->realm, from->realm);

        if (r >= 0)
                r = str_replace(&to->service, from->service);
        if (r >= 0)
                r = str_replace(&to->scope, from->scope);
        if (r >= 0)
                r = str_replace(&to->error, from->error);
        return r;
}

void auth_challenged(Transfer *t) {
        const Challenge *c = challenges_choose(&t->response.challenges);
        EndpointState *state = transfer_state(t);
        _cleanup_error_ Error error = ERROR_NULL;
        Token *token = find_token(t);
        bool sent = t->sent_credentials;

        if (!t->trusted || !c || t->response.bad_challenge) {
                (void) transfer_error(t, -EACCES, ERROR_DENIED, &error, "server '%s' wants a login %s", t->url.host,
                                      t->trusted ? "in a way that is not known here" : "of its own");
                transfer_give_up(t, &error);
                return;
        }
        state->scheme = c->scheme;
        if (c->scheme == AUTH_BASIC) {
                if (sent || !auth_has_credentials(t) || ++t->token_tries > TOKEN_TRIES) {
                        denied(t);
                        return;
                }
        } else {
                if (++t->token_tries > TOKEN_TRIES) {
                        denied(t);
                        return;
                }
                /* ours was not enough: the registry says what would be */
                if (sent && str_equal(c->error, "insufficient_scope") && c->scope)
                        (void) str_replace(&t->scope, c->scope);
                else if (!*t->scope && c->scope)
                        (void) str_replace(&t->scope, c->scope);
                if (token && sent)
                        token->expires_usec = 0;
                if (remember_challenge(state, c) < 0) {
                        (void) error_oom(&error);
                        transfer_fail(t, &error);
                        return;
                }
        }
        if (t->pipe && !transfer_wants_body(t) && t->written > 0) {
                (void) transfer_error(t, -EACCES, ERROR_DENIED, &error, "the login ran out during the upload");
                transfer_fail(t, &error);
                return;
        }
        transfer_rewind(t);
        transfer_begin(t);
}

/* Keeps a token. It becomes a header line: visible ASCII only. */
static int store_token(Transfer *t, const char *value, int64_t life) {
        EndpointState *state = transfer_state(t);
        Token *token = find_token(t), *tokens;

        for (const char *p = value; *p; p++)
                if (*p <= ' ' || *p > '~')
                        return -EBADMSG;
        if (!*value || strlen(value) > TOKEN_LENGTH_LIMIT)
                return -EBADMSG;
        if (!token) {
                tokens = reallocarray(state->tokens, state->n_tokens + 1, sizeof(*tokens));
                if (!tokens)
                        return -ENOMEM;
                state->tokens = tokens;
                token = tokens + state->n_tokens++;
                *token = (Token){};
        }
        token_done(token);
        token->scope = strdup(t->scope);
        token->value = strdup(value);
        if (!token->scope || !token->value)
                return -ENOMEM;
        life = life <= 0 ? TOKEN_LIFE_SECONDS : MIN(life, (int64_t) TOKEN_LIFE_LIMIT);
        /* a very short life is used for what is at hand at least */
        life = MAX(life - TOKEN_MARGIN_SECONDS, (int64_t) TOKEN_MARGIN_SECONDS);
        token->expires_usec = t->fetcher->now_usec + (uint64_t) life * 1000000;
        return 0;
}

void auth_token_answered(Transfer *t, long status) {
        _cleanup_json_ json_t *json = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        const char *value;
        int r = -EBADMSG;

        if (status == 401 || status == 403 || (status == 400 && t->sent_credentials)) {
                denied(t);
                return;
        }
        if (status == 200 && !t->cut && t->n_text > 0 && json_parse(t->text, t->n_text, "a token", &json, NULL) >= 0) {
                value = json_get_string(json, "token") ?: json_get_string(json, "access_token");
                if (value)
                        r = store_token(t, value, json_get_integer(json, "expires_in", 0));
        }
        if (t->text)
                explicit_bzero(t->text, t->n_text);
        t->n_text = 0;
        if (r == -ENOMEM)
                (void) error_oom(&error);
        else if (r < 0 && t->cut)
                (void) realm_error(t, &error, "whose answer exceeds 1 MiB");
        else if (r < 0 && status != 200)
                (void) realm_error(t, &error, "which does not give one");
        else if (r < 0)
                (void) realm_error(t, &error, "whose answer is no token");
        if (error.code < 0) {
                transfer_give_up(t, &error);
                return;
        }
        transfer_rewind(t);
        transfer_begin(t);
}
