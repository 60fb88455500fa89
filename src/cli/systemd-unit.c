/* SPDX-License-Identifier: Apache-2.0 */
/* Services for what is there (start, stop), and for what is made anew at each start. */
#include "cli/systemd-unit.h"

#include <time.h>

#include "base/str.h"
#include "config.h"
#include "unit/quote.h"

#define TOOL SDPOD_BINDIR "/sdpod"

enum { STOP_MARGIN_SEC = 60 };

static void add_list(Text *out, const char *key, char *const *first, const char *last) {
        if (str_empty(last) && (!first || !*first))
                return;
        text_addf(out, "%s=", key);
        for (char *const *word = first; word && *word; word++)
                text_addf(out, "%s%s.service", word > first ? " " : "", *word);
        if (last)
                text_addf(out, "%s%s.service", first && *first ? " " : "", last);
        text_add_char(out, '\n');
}

static void add_dependencies(const SystemdUnit *u, Text *out) {
        const struct {
                const char *key;
                char *const *words;
        } rows[] = { { "Wants", u->options->wants }, { "After", u->options->after }, { "Requires", u->options->requires } };
        bool first = true;

        add_list(out, "Wants", u->starts, NULL);
        add_list(out, "Before", u->starts, NULL);
        add_list(out, "BindsTo", u->requires, u->pod_unit);
        add_list(out, "After", u->requires, u->pod_unit);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                if (!rows[i].words || !*rows[i].words)
                        continue;
                text_addf(out, "%s%s=", first ? "\n# User-defined dependencies\n" : "", rows[i].key);
                first = false;
                for (char *const *word = rows[i].words; *word; word++)
                        text_addf(out, "%s%s", word > rows[i].words ? " " : "", *word);
                text_add_char(out, '\n');
        }
}

static void add_word(Text *out, Arena *arena, const char *word) {
        text_add(out, *word == '-' ? " \\\n\t" : " ");
        unit_quote_readable(out, unit_escape_specifiers(arena, word, /* dollar= */ true));
}

/* The options in front of the verb. */
static void add_tool(const SystemdUnit *u, Arena *arena, Text *out) {
        const GlobalOptions *g = u->line ? &u->line->global : NULL;
        const struct {
                const char *name, *value;
        } rows[] = {
                { "root", g ? g->root : NULL }, { "runroot", g ? g->runroot : NULL },
                { "storage-driver", g ? g->storage_driver : NULL }, { "cgroup-manager", g ? g->cgroup_manager : NULL },
        };

        text_add(out, TOOL);
        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].value)
                        add_word(out, arena, arena_format(arena, "--%s=%s", rows[i].name, rows[i].value) ?: "");
}

/* What the service says itself, or what a service cannot have. */
static bool is_left_out(const SystemdUnit *u, const char *name) {
        static const char *const container[] = {
                "attach", "cgroups", "cidfile", "conmon-pidfile", "detach", "detach-keys", "print-quadlet", "replace", "restart", "rm", "sdnotify", "sig-proxy",
        };
        static const char *const pod[] = { "exit-policy", "infra-conmon-pidfile", "name", "pod-id-file", "print-quadlet", "replace" };
        const char *const *names = u->pod ? pod : container;
        size_t n = u->pod ? ELEMENTSOF(pod) : ELEMENTSOF(container);

        for (size_t i = 0; i < n; i++)
                if (str_equal(names[i], name))
                        return true;
        if (!u->pod && u->pod_unit && (str_equal(name, "pod") || str_equal(name, "pod-id-file")))
                return true;
        return !u->pod && str_equal(name, "name");
}

/* The words of the recorded command, each option in its long form. */
static void add_command_words(const SystemdUnit *u, Arena *arena, Text *out) {
        const OptionParse *parse = &u->line->parse;

        for (size_t i = 0; i < parse->n_given; i++) {
                const Option *o = parse->given[i];
                bool bare = !option_takes_value(o) && str_equal(parse->given_values[i], "true");

                if (is_left_out(u, o->name) || options_find(u->line->name->verb->options, o->name) != o)
                        continue;
                add_word(out, arena, arena_format(arena, "--%s%s%s", o->name, bare ? "" : "=", bare ? "" : parse->given_values[i]) ?: "");
        }
}

static void add_container_exec(const SystemdUnit *u, Arena *arena, Text *out) {
        long long stop = u->stop_timeout;
        const char *name = u->options->template ? arena_format(arena, "%s-%%i", u->name) : u->name; /* names need no quotes */

        text_add(out, "ExecStartPre=/bin/rm \\\n\t-f %t/%n.ctr-id\nExecStart=");
        add_tool(u, arena, out);
        text_add(out, " run \\\n\t--cidfile=%t/%n.ctr-id \\\n\t--cgroups=no-conmon \\\n\t--rm");
        if (u->pod_unit)
                text_addf(out, " \\\n\t--pod-id-file %%t/%s.pod-id", u->pod_unit);
        text_addf(out, " \\\n\t--sdnotify=%s \\\n\t-d \\\n\t--replace \\\n\t--name %s", u->payload_notifies ? "container" : "conmon", name);
        add_command_words(u, arena, out);
        for (size_t i = 0; i < u->line->parse.n_arguments; i++) {
                text_add_char(out, ' ');
                unit_quote_readable(out, unit_escape_specifiers(arena, u->line->parse.arguments[i], /* dollar= */ true));
        }
        text_add(out, "\nExecStop=");
        add_tool(u, arena, out);
        text_addf(out, " stop \\\n\t--ignore -t %lld \\\n\t--cidfile=%%t/%%n.ctr-id\nExecStopPost=", stop);
        add_tool(u, arena, out);
        text_addf(out, " rm \\\n\t-f \\\n\t--ignore -t %lld \\\n\t--cidfile=%%t/%%n.ctr-id\n", stop);
        text_add(out, "Delegate=yes\nType=notify\nNotifyAccess=all\n");
}

static void add_pod_exec(const SystemdUnit *u, Arena *arena, Text *out) {
        const char *id = arena_format(arena, "--pod-id-file %%t/%s.pod-id", u->unit), *pid = arena_format(arena, "%%t/%s.pid", u->unit);

        text_addf(out, "ExecStartPre=/bin/rm \\\n\t-f %s %%t/%s.pod-id\nExecStartPre=", pid, u->unit);
        add_tool(u, arena, out);
        text_addf(out, " pod create \\\n\t--infra-conmon-pidfile %s \\\n\t%s \\\n\t--exit-policy=stop", pid, id);
        add_command_words(u, arena, out);
        text_addf(out, " \\\n\t--name %s \\\n\t--replace\nExecStart=", u->name);
        add_tool(u, arena, out);
        text_addf(out, " pod start \\\n\t%s\nExecStop=", id);
        add_tool(u, arena, out);
        text_addf(out, " pod stop \\\n\t--ignore \\\n\t%s \\\n\t-t %lld\nExecStopPost=", id, (long long) u->stop_timeout);
        add_tool(u, arena, out);
        text_addf(out, " pod rm \\\n\t--ignore \\\n\t-f \\\n\t%s\nPIDFile=%s\nType=forking\n", id, pid);
}

/* Of what is there: it becomes the service's main process. */
static void add_start_exec(const SystemdUnit *u, Text *out) {
        text_addf(out, "ExecStart=" TOOL " start %s\n", u->name);
        text_addf(out, "ExecStop=" TOOL " stop \\\n\t-t %lld %s\n", (long long) u->stop_timeout, u->name);
        text_addf(out, "ExecStopPost=" TOOL " stop \\\n\t-t %lld %s\n", (long long) u->stop_timeout, u->name);
        text_add(out, "Delegate=yes\nType=notify\nNotifyAccess=all\n");
}

static void add_header(const SystemdUnit *u, Text *out) {
        char date[64] = "";
        time_t now = time(NULL);
        struct tm tm;

        text_addf(out, "# %s%s.service\n", u->unit, u->options->template ? "@" : "");
        if (u->options->no_header) {
                text_add_char(out, '\n');
                return;
        }
        if (localtime_r(&now, &tm))
                (void) strftime(date, sizeof(date), "%a %b %e %H:%M:%S %Z %Y", &tm);
        text_addf(out, "# autogenerated by sdpod %s\n# %s\n\n", SDPOD_VERSION, date);
}

/* systemd's own policies have other names. */
static const char *restart_of(const SystemdUnit *u) {
        if (u->options->restart_policy)
                return u->options->restart_policy;
        return u->options->new && u->restart_policy ? (str_equal(u->restart_policy, "on-failure") ? "on-failure" : "always") : "on-failure";
}

int systemd_unit_text(const SystemdUnit *u, Arena *arena, Text *out) {
        const SystemdOptions *o = u->options;

        add_header(u, out);
        text_addf(out, "[Unit]\nDescription=sdpod %s.service%s\nDocumentation=man:sdpod-generate(1)\n", u->unit, o->template ? " for %I" : "");
        text_addf(out, "Wants=%s\nAfter=%s\nRequiresMountsFor=%%t/containers\n", u->online, u->online);
        add_dependencies(u, out);
        text_add(out, "\n[Service]\nEnvironment=PODMAN_SYSTEMD_UNIT=%n\n");
        for (char **e = o->env; e && *e; e++) {
                text_add(out, "Environment=");
                unit_quote_readable(out, unit_escape_specifiers(arena, *e, /* dollar= */ false));
                text_add_char(out, '\n');
        }
        text_addf(out, "Restart=%s\n", restart_of(u));
        if (o->restart_sec_given)
                text_addf(out, "RestartSec=%u\n", o->restart_sec);
        if (o->start_timeout_given)
                text_addf(out, "TimeoutStartSec=%u\n", o->start_timeout);
        if (u->stop_timeout < 0)
                text_add(out, "TimeoutStopSec=infinity\n");
        else
                text_addf(out, "TimeoutStopSec=%lld\n", (long long) u->stop_timeout + STOP_MARGIN_SEC);
        if (!o->new)
                add_start_exec(u, out);
        else if (u->pod)
                add_pod_exec(u, arena, out);
        else
                add_container_exec(u, arena, out);
        text_add(out, "\n[Install]\nWantedBy=default.target\n");
        return out->failed || arena->failed ? -ENOMEM : 0;
}
