/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod top: the processes of a container. */
#include <time.h>

#include "base/str.h"
#include "cli/columns.h"
#include "cli/container-choose.h"
#include "cli/pod-args.h"
#include "cli/top-column.h"
#include "cli/verbs.h"
#include "engine/pod.h"

enum { COLUMNS_LIMIT = 64 };

typedef struct TopOptions {
        bool latest;
} TopOptions;

static const Option rows[] = {
        { "latest", 'l', .kind = OPTION_BOOL, .offset = offsetof(TopOptions, latest), .help = "Take the container made last" },
        {},
};
static const Option *const tables[] = { rows, NULL };

typedef struct Chosen {
        const TopColumn *columns[COLUMNS_LIMIT];
        size_t n;
} Chosen;

static int choose(Chosen *chosen, const char *name, Error *reterr) {
        const TopColumn *column = top_column_find(name);

        if (!column) {
                _cleanup_free_ char *names = top_column_names();

                (void) error_set(reterr, -EINVAL, ERROR_INVALID,
                                 *name == '-' ? "cannot show '%s': options of ps(1) are not supported"
                                              : "cannot show '%s': there is no such column",
                                 name);
                error_hint(reterr, "the columns are %s", names ?: "");
                return -EINVAL;
        }
        if (chosen->n >= COLUMNS_LIMIT)
                return error_set(reterr, -E2BIG, ERROR_INVALID, "cannot show more than %d columns", COLUMNS_LIMIT);
        chosen->columns[chosen->n++] = column;
        return 0;
}

/* Words, each of them perhaps several with commas between. */
static int choose_columns(char *const *words, Chosen *ret, Error *reterr) {
        static char defaults[] = "user,pid,ppid,pcpu,etime,tty,time,args";
        static char *const fallback[] = { defaults, NULL };

        for (words = words[0] ? words : fallback; *words; words++) {
                _cleanup_strv_ char **names = strv_split(*words, ",");

                if (!names)
                        return error_oom(reterr);
                for (char **name = names; *name; name++) {
                        int r = choose(ret, *name, reterr);
                        if (r < 0)
                                return r;
                }
        }
        return 0;
}

static void print_headings(const Chosen *chosen, FILE *out) {
        for (size_t k = 0; k < chosen->n; k++)
                fprintf(out, "%s%s", top_column_heading(chosen->columns[k]), k + 1 < chosen->n ? "\t" : "\n");
}

static void print_rows(const Chosen *chosen, const ProcessList *list, FILE *out) {
        struct timespec now;

        (void) clock_gettime(CLOCK_BOOTTIME, &now);
        for (size_t i = 0; i < list->n; i++) {
                const TopRow row = { list, &list->items[i], (double) now.tv_sec + (double) now.tv_nsec / 1e9 };

                for (size_t k = 0; k < chosen->n; k++) {
                        top_column_print(chosen->columns[k], &row, out);
                        fputc(k + 1 < chosen->n ? '\t' : '\n', out);
                }
        }
}

static int print(const Chosen *chosen, const ProcessList *lists, size_t n_lists, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *memory = open_memstream(&text, &size);

        if (!memory)
                return error_oom(reterr);
        print_headings(chosen, memory);
        for (size_t i = 0; i < n_lists; i++)
                print_rows(chosen, &lists[i], memory);
        if (fclose(memory) != 0)
                return error_oom(reterr);
        int r = columns_write(text, stdout);
        return r < 0 ? error_set_errno(reterr, r, "cannot write the table") : 0;
}

static int run(Invocation *in, Error *reterr) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        _cleanup_process_list_ ProcessList list = {};
        TopOptions *o = in->options;
        Chosen chosen = { .n = 0 };
        const Store *store;

        int r = choose_columns(in->arguments + (o->latest ? 0 : MIN(in->n_arguments, (size_t) 1)), &chosen, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = container_choose_one(store, o->latest ? NULL : in->arguments[0], o->latest, &c, reterr);
        if (r >= 0)
                r = process_list_read(&c, &list, reterr);
        return r < 0 ? r : print(&chosen, &list, 1, reterr);
}

const Verb verb_top = {
        .arguments = "CONTAINER [COLUMN...]",
        .summary = "Show the processes of a container",
        .options = tables,
        .options_size = sizeof(TopOptions),
        .arguments_max = VERB_ANY,
        .stop_at_argument = true,
        .complete = COMPLETE_CONTAINER,
        .run = run,
};

/* Those that run, container by container. */
static int print_members(const Chosen *chosen, const PodMembers *members, Error *reterr) {
        _cleanup_free_ ProcessList *lists = calloc(members->n + 1, sizeof(ProcessList));
        size_t n = 0;
        int r = lists ? 0 : error_oom(reterr);

        for (size_t i = 0; r >= 0 && i < members->n; i++) {
                if (members->items[i].pidfd < 0)
                        continue;
                r = process_list_read(&members->items[i], &lists[n], reterr);
                n += r >= 0;
        }
        if (r >= 0 && n > 0) /* Podman prints not even the headings then */
                r = print(chosen, lists, n, reterr);
        for (size_t i = 0; i < n; i++)
                process_list_done(&lists[i]);
        return r;
}

static int run_pod(Invocation *in, Error *reterr) {
        _cleanup_pod_members_ PodMembers members = {};
        TopOptions *o = in->options;
        Chosen chosen = { .n = 0 };
        _cleanup_pod_ Pod pod = POD_NULL;
        const Store *store;

        int r = choose_columns(in->arguments + (o->latest ? 0 : MIN(in->n_arguments, (size_t) 1)), &chosen, reterr);
        if (r >= 0)
                r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = pod_choose_one(store, o->latest ? NULL : in->arguments[0], o->latest, &pod, reterr);
        if (r >= 0)
                r = engine_pod_members(store, &pod, &members, reterr);
        return r < 0 ? r : print_members(&chosen, &members, reterr);
}

static const Option pod_rows[] = {
        { "latest", 'l', .kind = OPTION_BOOL, .offset = offsetof(TopOptions, latest), .help = "Take the pod made last" },
        {},
};
static const Option *const pod_tables[] = { pod_rows, NULL };

const Verb verb_pod_top = {
        .arguments = "POD [COLUMN...]",
        .summary = "Show the processes of a pod's containers",
        .options = pod_tables,
        .options_size = sizeof(TopOptions),
        .arguments_max = VERB_ANY,
        .stop_at_argument = true,
        .complete = COMPLETE_POD,
        .run = run_pod,
};
