/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod login, logout: handed over to sdpod-image. */
#include "base/str.h"
#include "cli/image-exec.h"
#include "cli/registry-options.h"
#include "cli/verbs.h"

#define PASSWORD_ENV "SDPOD_REGISTRY_PASSWORD" /* registry/command.h: not for everybody to read in /proc */

typedef struct LoginOptions {
        RegistryWords registry;
        char *username, *password;
        bool password_stdin, get_login, verbose;
} LoginOptions;

#define FIELD(member) offsetof(LoginOptions, member)
static const Option login_rows[] = {
        OPTION_ROW_AUTHFILE(LoginOptions, registry),
        OPTION_ROW_CERT_DIR(LoginOptions, registry),
        { "compat-auth-file", .kind = OPTION_REFUSED },
        { "get-login", .kind = OPTION_BOOL, .offset = FIELD(get_login), .help = "Only print the name that the user is logged in by" },
        { "password", 'p', .kind = OPTION_STRING, .offset = FIELD(password), .metavar = "PASSWORD",
          .help = "The password; others can see it while this runs" },
        { "password-stdin", .kind = OPTION_BOOL, .offset = FIELD(password_stdin), .help = "Read the password from the standard input" },
        { "secret", .kind = OPTION_REFUSED },
        OPTION_ROW_TLS_VERIFY(LoginOptions, registry),
        { "username", 'u', .kind = OPTION_STRING, .offset = FIELD(username), .metavar = "NAME", .help = "The user name" },
        { "verbose", 'v', .kind = OPTION_BOOL, .offset = FIELD(verbose), .help = "Say which file the credentials go to" },
        {},
};
static const Option *const login_options[] = { login_rows, NULL };

static int add_switch(char ***words, const char *word, bool on) {
        return on ? strv_append(words, word) : 0;
}

static int run_login(Invocation *in, Error *reterr) {
        LoginOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;

        if (o->password && o->password_stdin)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --password and --password-stdin together");
        if (o->password_stdin && !o->username)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --password-stdin without --username");
        if (strv_append(&words, "login") < 0 || image_exec_add(&words, "username", o->username) < 0 ||
            add_switch(&words, "--password-stdin", o->password_stdin) < 0 || add_switch(&words, "--get-login", o->get_login) < 0 ||
            add_switch(&words, "--verbose", o->verbose) < 0)
                return error_oom(reterr);
        int r = registry_words(&o->registry, in, &words, reterr);
        if (r < 0)
                return r;
        if (o->password && setenv(PASSWORD_ENV, o->password, /* overwrite= */ 1) < 0)
                return error_oom(reterr);
        if (strv_append(&words, "--") < 0 || strv_extend(&words, in->arguments) < 0)
                return error_oom(reterr);
        return image_exec(in, words, reterr);
}

const Verb verb_login = {
        .arguments = "[REGISTRY]",
        .summary = "Log in to a registry",
        .description = "Log in to a registry: its user name and password are asked for, tried and kept for all commands that speak to it.",
        .options = login_options,
        .options_size = sizeof(LoginOptions),
        .arguments_max = 1,
        .run = run_login,
};

typedef struct LogoutOptions {
        RegistryWords registry;
        bool all;
} LogoutOptions;

static const Option logout_rows[] = {
        { "all", 'a', .kind = OPTION_BOOL, .offset = offsetof(LogoutOptions, all), .help = "Forget the credentials for all registries" },
        OPTION_ROW_AUTHFILE(LogoutOptions, registry),
        { "compat-auth-file", .kind = OPTION_REFUSED },
        {},
};
static const Option *const logout_options[] = { logout_rows, NULL };

static int run_logout(Invocation *in, Error *reterr) {
        LogoutOptions *o = in->options;
        _cleanup_strv_ char **words = NULL;

        if (o->all && in->n_arguments > 0)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use --all with a registry");
        if (strv_append(&words, "logout") < 0 || add_switch(&words, "--all", o->all) < 0)
                return error_oom(reterr);
        int r = registry_words(&o->registry, in, &words, reterr);
        if (r < 0)
                return r;
        if (strv_append(&words, "--") < 0 || strv_extend(&words, in->arguments) < 0)
                return error_oom(reterr);
        return image_exec(in, words, reterr);
}

const Verb verb_logout = {
        .arguments = "[REGISTRY]",
        .summary = "Log out of a registry",
        .options = logout_options,
        .options_size = sizeof(LogoutOptions),
        .arguments_max = 1,
        .run = run_logout,
};
