/* SPDX-License-Identifier: Apache-2.0 */
/* Logging in is asking the registry for its front page with a user name and a password, and keeping them if it answers. */
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "registry/auth.h"
#include "registry/command.h"
#include "registry/conf.h"

enum { WORD_LENGTH_LIMIT = 16 * 1024 };

static void free_secret(char **s) {
        if (*s)
                explicit_bzero(*s, strlen(*s));
        free(*s);
}
#define _cleanup_secret_ _cleanup_(free_secret)

/* The key of the credentials ("quay.io", "quay.io/team"). Owned. */
static int find_key(const char *name, char **ret, Error *reterr) {
        _cleanup_registries_conf_ RegistriesConf conf = {};
        const char *rest;
        int r;

        if (str_empty(name)) {
                r = registries_conf_load(&conf, reterr);
                if (r < 0)
                        return r;
                if (!conf.search) {
                        (void) error_set(reterr, -EINVAL, ERROR_USAGE, "cannot choose a registry: '%s' names none to search", conf.path);
                        return error_with_hint(reterr, -EINVAL, "say which, as in 'sdpod login docker.io'");
                }
                *ret = strdup(conf.search[0]);
        } else {
                rest = str_after(name, "https://") ?: str_after(name, "http://");
                *ret = rest ? strndup(rest, strcspn(rest, "/")) : strdup(name);
        }
        return *ret ? 0 : error_oom(reterr);
}

/* A reference to what lies at a key: the host alone, or a namespace. */
static int key_reference(const char *key, Reference *ret, Error *reterr) {
        _cleanup_free_ char *whole = str_format("%s%s", key, strchr(key, '/') ? "" : "/any");
        _cleanup_reference_ Reference reference = {};

        if (!whole)
                return error_oom(reterr);
        int r = reference_parse(whole, &reference, NULL);
        if (r == -ENOMEM)
                return error_oom(reterr);
        /* a host without a dot, which a short name cannot have: "registry" */
        if (r >= 0 && !reference.domain && !strchr(key, '/'))
                r = (reference.domain = strdup(key)) ? 0 : error_oom(reterr);
        if (r < 0 || !reference.domain || reference.tag || reference.digest)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use registry '%s': it is a host, perhaps with a port and a namespace", key);
        if (str_replace(&reference.path, "") < 0)
                return error_oom(reterr);
        *ret = reference;
        reference = (Reference){};
        return 0;
}

/* Whether the registry takes them. */
static int check(const char *key, const Credentials *credentials, const LoginOptions *options, Error *reterr) {
        _cleanup_registry_client_ RegistryClient *client = NULL;
        _cleanup_secret_ char *creds = str_format("%s:%s", credentials->username, credentials->password);
        _cleanup_reference_ Reference reference = {};
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *body = NULL;
        RegistryOptions registry = options->registry;
        size_t size;

        if (!creds)
                return error_oom(reterr);
        registry.creds = creds;
        registry.push = true; /* the registry itself, not a mirror of it */
        int r = key_reference(key, &reference, reterr);
        if (r >= 0)
                r = registry_client_new(&registry, &reference, &client, reterr);
        if (r < 0)
                return r;
        r = registry_get(client, "/v2/", &body, &size, NULL, &error);
        if (r < 0 && error.kind == ERROR_DENIED && error.code == -EACCES)
                return error_set(reterr, r, ERROR_DENIED, "cannot log in to registry '%s': it does not accept this user name and password", key);
        if (r < 0 && error.kind == ERROR_NOT_FOUND)
                return error_set(reterr, r, ERROR_NOT_FOUND, "cannot log in to '%s': it is not a registry", key);
        return r < 0 ? error_move(reterr, &error) : 0;
}

/* One line of the standard input, without its end. A terminal does not show it where it is a secret. */
static int read_line(const char *prompt, bool secret, char **ret, Error *reterr) {
        struct termios before;
        bool terminal = isatty(STDIN_FILENO) && tcgetattr(STDIN_FILENO, &before) == 0, hidden = false;
        _cleanup_secret_ char *line = NULL;
        size_t room = 0;

        if (terminal) {
                (void) printf("%s", prompt);
                (void) fflush(stdout);
        }
        if (terminal && secret) {
                struct termios quiet = before;

                quiet.c_lflag &= ~(tcflag_t) ECHO;
                quiet.c_lflag |= ECHONL | ICANON | ISIG;
                hidden = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
                if (!hidden)
                        return error_set_errno(reterr, -errno, "cannot read a password from this terminal");
        }
        ssize_t n = getline(&line, &room, stdin);
        if (hidden)
                (void) tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
        if (n < 0 || n > WORD_LENGTH_LIMIT) {
                (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot log in: no %s was given", secret ? "password" : "user name");
                return error_with_hint(reterr, -EINVAL, "without a terminal: --username NAME --password-stdin");
        }
        line[strcspn(line, "\r\n")] = 0;
        *ret = TAKE_PTR(line);
        return 0;
}

/* All of the standard input, without the newline at its end (podman-login(1), --password-stdin). */
static int read_stdin(char **ret, Error *reterr) {
        _cleanup_secret_ char *text = NULL;

        int r = io_read_all(STDIN_FILENO, WORD_LENGTH_LIMIT, &text, NULL);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read the password from the standard input");
        for (size_t n = strlen(text); n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'); n--)
                text[n - 1] = 0;
        *ret = TAKE_PTR(text);
        return 0;
}

static int ask(const LoginOptions *options, const char *known, Credentials *ret, Error *reterr) {
        _cleanup_free_ char *prompt = known ? str_format("Username (%s): ", known) : strdup("Username: ");
        int r = 0;

        if (!prompt)
                return error_oom(reterr);
        if (options->username)
                r = (ret->username = strdup(options->username)) ? 0 : error_oom(reterr);
        else
                r = read_line(prompt, /* secret= */ false, &ret->username, reterr);
        if (r >= 0 && str_empty(ret->username) && known)
                r = str_replace(&ret->username, known) < 0 ? error_oom(reterr) : 0;
        if (r < 0)
                return r;
        if (options->password)
                return (ret->password = strdup(options->password)) ? 0 : error_oom(reterr);
        return options->password_stdin ? read_stdin(&ret->password, reterr) : read_line("Password: ", /* secret= */ true, &ret->password, reterr);
}

/* Credentials that are there: do they still work? 1 if so. */
static int try_existing(const char *key, const Credentials *existing, const LoginOptions *options, Error *reterr) {
        _cleanup_error_ Error error = ERROR_NULL;

        if (options->username || options->password || options->password_stdin || !existing->username)
                return 0;
        (void) printf("Authenticating with existing credentials for %s\n", key);
        int r = check(key, existing, options, &error);
        if (r >= 0) {
                (void) printf("Existing credentials are valid. Already logged in to %s\n", key);
                return 1;
        }
        if (error.kind != ERROR_DENIED)
                return error_move(reterr, &error);
        (void) printf("Existing credentials are invalid, please enter valid username and password\n");
        return 0;
}

static int log_in(const char *key, const Credentials *existing, const LoginOptions *options, Error *reterr) {
        Credentials credentials = {};
        _cleanup_free_ char *path = NULL;

        int r = try_existing(key, existing, options, reterr);
        if (r != 0)
                return r;
        r = ask(options, existing->username, &credentials, reterr);
        if (r >= 0 && (str_empty(credentials.username) || strchr(credentials.username, ':')))
                r = error_set(reterr, -EINVAL, ERROR_INVALID, "cannot log in: a user name is not empty and has no colon");
        if (r >= 0)
                r = check(key, &credentials, options, reterr);
        if (r >= 0)
                r = auth_store(options->registry.authfile, key, &credentials, reterr);
        credentials_done(&credentials);
        if (r >= 0 && options->verbose)
                r = auth_file(options->registry.authfile, &path, reterr);
        if (r < 0)
                return r;
        if (path)
                (void) printf("Used: %s\n", path);
        (void) printf("Login Succeeded!\n");
        return 0;
}

int registry_login(const char *name, const LoginOptions *options, Error *reterr) {
        _cleanup_reference_ Reference reference = {};
        _cleanup_free_ char *key = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        Credentials existing = {};

        if (options->password_stdin && options->password)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --password and --password-stdin together");
        if (options->password_stdin && !options->username)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --password-stdin without --username");
        int r = find_key(name, &key, reterr);
        if (r >= 0)
                r = key_reference(key, &reference, reterr);
        if (r < 0)
                return r;
        /* a file that login is to make is not there yet */
        r = auth_find(options->registry.authfile, NULL, key, &existing, &error);
        if (r < 0 && error.kind != ERROR_NOT_FOUND)
                r = error_move(reterr, &error);
        else if (options->get_login && !existing.username)
                r = error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "not logged into %s", key);
        else if (options->get_login)
                r = printf("%s\n", existing.username) < 0 ? -EIO : 0;
        else
                r = log_in(key, &existing, options, reterr);
        credentials_done(&existing);
        return r;
}

int registry_logout(const char *name, const LoginOptions *options, Error *reterr) {
        _cleanup_free_ char *key = NULL;
        Credentials existing = {};
        int r;

        if (options->all && name)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --all with a registry");
        if (options->all) {
                r = auth_remove_all(options->registry.authfile, reterr);
                if (r >= 0)
                        (void) printf("Removed login credentials for all registries\n");
                return r;
        }
        r = find_key(name, &key, reterr);
        if (r >= 0)
                r = auth_remove(options->registry.authfile, key, reterr);
        if (r < 0)
                return r;
        if (r > 0) {
                (void) printf("Removed login credentials for %s\n", key);
                return 0;
        }
        r = auth_find(options->registry.authfile, NULL, key, &existing, NULL);
        credentials_done(&existing);
        if (r > 0)
                return error_set(reterr, -EEXIST, ERROR_STATE, "cannot log out of %s: the credentials are in a file of another program, such as 'docker login'",
                                 key);
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "not logged into %s", key);
}
