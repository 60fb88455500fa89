/* SPDX-License-Identifier: Apache-2.0 */
/* From options to a process of a container. */
#include "oci/exec-options.h"

#include <ctype.h>
#include <fcntl.h>

#include "base/parse.h"
#include "base/str.h"
#include "oci/descriptors.h"

#define FIELD(member) offsetof(ExecOptions, member)
const Option exec_rows[] = {
        HANDED_OVER_ROWS(ExecOptions),
        { "additional-gids", 'g', .kind = OPTION_STRV, .offset = FIELD(additional_gids), .metavar = "GID", .help = "One more group" },
        { "apparmor", .kind = OPTION_STRING, .offset = FIELD(apparmor), .metavar = "PROFILE", .help = "AppArmor profile" },
        { "cap", 'c', .kind = OPTION_STRV, .offset = FIELD(cap), .metavar = "CAPABILITY", .help = "One more capability",
          .complete = COMPLETE_CAPABILITY },
        { "cgroup", .kind = OPTION_STRV, .offset = FIELD(cgroup), .metavar = "[CONTROLLER:]PATH",
          .help = "Put it into this cgroup below the container's" },
        { "cwd", .kind = OPTION_STRING, .offset = FIELD(cwd), .metavar = "DIR", .help = "Working directory" },
        { "detach", 'd', .kind = OPTION_BOOL, .offset = FIELD(detach), .help = "Leave it running and return" },
        { "env", 'e', .kind = OPTION_STRV, .offset = FIELD(env), .metavar = "NAME=VALUE", .help = "One more environment variable" },
        { "ignore-paused", .kind = OPTION_BOOL, .offset = FIELD(ignore_paused), .help = "Also in a container that is paused" },
        { "no-new-privs", .kind = OPTION_BOOL, .offset = FIELD(no_new_privs), .help = "No program gives it more privileges" },
        { "no-subreaper", .kind = OPTION_NOTHING, .hidden = true, .help = "Nothing: it never is one" },
        { "process", 'p', .kind = OPTION_STRING, .offset = FIELD(process), .metavar = "FILE",
          .help = "Take the process from this file, which is what config.json has as process", .complete = COMPLETE_FILE },
        { "process-label", .kind = OPTION_STRING, .offset = FIELD(process_label), .metavar = "LABEL", .help = "SELinux label" },
        { "tty", 't', .kind = OPTION_BOOL, .offset = FIELD(tty), .help = "Give it a terminal" },
        { "user", 'u', .kind = OPTION_STRING, .offset = FIELD(user), .metavar = "UID[:GID]", .help = "User and group by number" },
        {},
};

static int set_user(RuntimeUser *user, const char *text, Error *reterr) {
        size_t n = strcspn(text, ":");
        _cleanup_free_ char *uid = strndup(text, n);

        if (!uid)
                return error_oom(reterr);
        if (parse_id(uid, &user->uid) < 0 || (text[n] && parse_id(text + n + 1, &user->gid) < 0))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--user %s': not numbers such as 1000 or 1000:100", text);
        return 0;
}

static int add_groups(RuntimeUser *user, char **words, Error *reterr) {
        size_t n = strv_length(words);
        uint32_t *gids = n == 0 ? NULL : reallocarray(user->additional_gids, user->n_additional_gids + n, sizeof(*gids));

        if (n == 0)
                return 0;
        if (!gids)
                return error_oom(reterr);
        user->additional_gids = gids;
        for (; *words; words++)
                if (parse_id(*words, &gids[user->n_additional_gids++]) < 0)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--additional-gids %s': not a number", *words);
        return 0;
}

/* Ambient only where the container has it inheritable: else a program that is not root gets no more than its file says. */
static int add_capability(RuntimeCapabilities *caps, const char *word) {
        char ***const sets[] = { &caps->bounding, &caps->effective, &caps->permitted };
        _cleanup_free_ char *name = strncasecmp(word, "CAP_", 4) == 0 ? strdup(word) : str_format("CAP_%s", word);
        int r = name ? 0 : -ENOMEM;

        for (char *p = name; p && *p; p++)
                *p = (char) toupper((unsigned char) *p);
        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(sets); i++)
                if (!strv_contains(*sets[i], name))
                        r = strv_append(sets[i], name);
        if (r >= 0 && strv_contains(caps->inheritable, name) && !strv_contains(caps->ambient, name))
                r = strv_append(&caps->ambient, name);
        return r;
}

static int apply_words(const ExecOptions *o, char **arguments, RuntimeProcess *p) {
        char **args = strv_copy(arguments);
        int r = args ? 0 : -ENOMEM;

        if (r < 0)
                return r;
        strv_free(p->args);
        p->args = args;
        for (char **word = o->env; r >= 0 && word && *word; word++)
                r = strv_env_set(&p->env, *word);
        for (char **word = o->cap; r >= 0 && word && *word; word++) {
                p->has_capabilities = true;
                r = add_capability(&p->capabilities, *word);
        }
        if (r >= 0 && o->cwd)
                r = str_replace(&p->cwd, o->cwd);
        if (r >= 0 && o->process_label)
                r = str_replace(&p->selinux_label, o->process_label);
        if (r >= 0 && o->apparmor)
                r = str_replace(&p->apparmor_profile, o->apparmor);
        return r;
}

static int apply_options(const OptionParse *parse, const ExecOptions *o, char **arguments, RuntimeProcess *p, Error *reterr) {
        if (!*arguments)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "'sdpod-oci exec' requires a command behind the ID, or --process");
        for (char **word = o->env; word && *word; word++)
                if (!strchr(*word, '=') || **word == '=')
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '--env %s': not of the form NAME=VALUE", *word);
        int r = apply_words(o, arguments, p);
        if (r < 0)
                return error_oom(reterr);
        p->terminal = o->tty;
        if (options_given(parse, "no-new-privs"))
                p->no_new_privileges = o->no_new_privs;
        if (o->user)
                r = set_user(&p->user, o->user, reterr);
        return r < 0 ? r : add_groups(&p->user, o->additional_gids, reterr);
}

/* What the file says is not changed by half. */
static int refuse_with_process(const OptionParse *parse, char **arguments, Error *reterr) {
        static const char *const names[] = { "additional-gids", "apparmor", "cap", "cwd", "env", "no-new-privs", "process-label", "user" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (options_given(parse, names[i]))
                        return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use '--%s' with --process: the file says it", names[i]);
        if (*arguments)
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use a command with --process: the file says it");
        return 0;
}

int exec_process(const OptionParse *parse, const ExecOptions *options, char **arguments, RuntimeSpec *spec, RuntimeProcess *ret,
                 Error *reterr) {
        _cleanup_runtime_process_ RuntimeProcess process = {};
        int r;

        if (options->process) {
                r = refuse_with_process(parse, arguments, reterr);
                if (r >= 0)
                        r = runtime_process_read(AT_FDCWD, options->process, &process, reterr);
                if (r >= 0 && options->tty)
                        process.terminal = true;
        } else {
                process = spec->process;
                spec->process = (RuntimeProcess){};
                r = apply_options(parse, options, arguments, &process, reterr);
        }
        if (r >= 0)
                r = runtime_process_check(&process, reterr);
        if (r < 0)
                return r;
        *ret = process;
        process = (RuntimeProcess){};
        return 0;
}
