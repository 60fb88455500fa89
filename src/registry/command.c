/* SPDX-License-Identifier: Apache-2.0 */
/* The command lines of login, logout and search. */
#include "registry/command.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "base/log.h"
#include "base/parse.h"
#include "base/str.h"
#include "base/tool-options.h"

typedef struct Command {
        LoginOptions login;
        SearchOptions search;
        char **words;
} Command;

static const struct option long_options[] = {
        TOOL_LONG_OPTIONS,
        { "authfile", required_argument, NULL, 'a' },
        { "cert-dir", required_argument, NULL, 'c' },  { "tls-verify", required_argument, NULL, 't' },
        { "username", required_argument, NULL, 'u' },  { "password-stdin", no_argument, NULL, 's' },
        { "get-login", no_argument, NULL, 'g' },       { "verbose", no_argument, NULL, 'v' },
        { "all", no_argument, NULL, 'A' },             { "limit", required_argument, NULL, 'n' },
        { "list-tags", no_argument, NULL, 'T' },       {},
};

static int set_option(Command *c, int letter, Error *reterr) {
        RegistryOptions *o = &c->login.registry;
        ToolOptions unused = {}; /* there is no store in this */
        bool verify;

        int r = tool_options_set(&unused, letter, optarg, reterr);
        if (r != 0)
                return MIN(r, 0);
        switch (letter) {
        case 'a':
                o->authfile = optarg;
                return 0;
        case 'c':
                o->cert_dir = optarg;
                return 0;
        case 't':
                if (parse_bool(optarg, &verify) < 0)
                        return tool_usage(reterr, "--tls-verify is true or false");
                o->tls = verify ? REGISTRY_TLS_VERIFY : REGISTRY_TLS_INSECURE;
                return 0;
        case 'u':
                c->login.username = optarg;
                return 0;
        case 's':
                c->login.password_stdin = true;
                return 0;
        case 'g':
                c->login.get_login = true;
                return 0;
        case 'v':
                c->login.verbose = true;
                return 0;
        case 'A':
                c->login.all = true;
                return 0;
        case 'n':
                return parse_u64(optarg, &c->search.limit) < 0 ? tool_usage(reterr, "--limit is a number") : 0;
        case 'T':
                c->search.list_tags = true;
                return 0;
        default:
                return tool_usage(reterr, "unknown option");
        }
}

static int run_login(Command *c, Error *reterr) {
        return registry_login(c->words[0], &c->login, reterr);
}

static int run_logout(Command *c, Error *reterr) {
        return registry_logout(c->words[0], &c->login, reterr);
}

static int run_search(Command *c, Error *reterr) {
        if (!c->words[0])
                return tool_usage(reterr, "'search' needs a term");
        c->search.registry = c->login.registry;
        return registry_search(c->words[0], &c->search, stdout, reterr);
}

static const struct {
        const char *name;
        int (*run)(Command *c, Error *reterr);
} commands[] = {
        { "login", run_login },
        { "logout", run_logout },
        { "search", run_search },
};

bool registry_command_is_known(const char *name) {
        for (size_t i = 0; i < ELEMENTSOF(commands); i++)
                if (str_equal(commands[i].name, name))
                        return true;
        return false;
}

/* A password is in this process's memory: no core dump has it, and no other process of the user looks in. */
static void keep_secrets(void) {
        const struct rlimit none = {};

        (void) setrlimit(RLIMIT_CORE, &none);
        (void) prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

int registry_command(int argc, char **argv, const char *name) {
        _cleanup_error_ Error error = ERROR_NULL;
        Command c = { .login.registry = REGISTRY_OPTIONS_DEFAULT };
        int r = 0, letter;

        keep_secrets();
        log_set_program("sdpod"); /* the user has typed sdpod */
        c.login.password = getenv(REGISTRY_PASSWORD_ENV);
        _cleanup_free_ char *password = c.login.password ? strdup(c.login.password) : NULL;
        if (c.login.password && !password)
                r = error_oom(&error);
        c.login.password = password;
        (void) unsetenv(REGISTRY_PASSWORD_ENV); /* helpers do not get it */
        opterr = 0;
        while (r >= 0 && (letter = getopt_long(argc, argv, "", long_options, NULL)) >= 0)
                r = set_option(&c, letter, &error);
        c.words = argv + optind + (optind < argc);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(commands); i++)
                if (str_equal(commands[i].name, name))
                        r = commands[i].run(&c, &error);
        if (password)
                explicit_bzero(password, strlen(password));
        if (r >= 0 && fflush(stdout) < 0)
                r = error_set_errno(&error, -errno, "cannot write to the standard output");
        if (r >= 0)
                return EXIT_SUCCESS;
        error_print(&error);
        return error_exit_status(&error);
}
