/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod auto-update: new images for units. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "cli/format.h"
#include "cli/image-exec.h"
#include "cli/registry-options.h"
#include "cli/verbs.h"
#include "engine/auto-update.h"

typedef struct AutoUpdateOptions {
        RegistryWords registry;
        char *format, *notify;
        bool dry_run, rollback;
} AutoUpdateOptions;

#define FIELD(member) offsetof(AutoUpdateOptions, member)
static const Option rows[] = {
        OPTION_ROW_AUTHFILE(AutoUpdateOptions, registry),
        { "dry-run", .kind = OPTION_BOOL, .offset = FIELD(dry_run), .help = "Only look for newer images" },
        { "format", .kind = OPTION_STRING, .offset = FIELD(format), .metavar = "FORMAT", .help = "Print by a Go template, or as json" },
        { "notify", .kind = OPTION_STRING, .offset = FIELD(notify), .metavar = "PROGRAM", .complete = COMPLETE_FILE,
          .help = "Run this when there is something to tell, with the lines of that on its standard input" },
        { "rollback", .kind = OPTION_BOOL, .offset = FIELD(rollback), .help = "Go back to the old image when a unit does not start with the new one; default true" },
        OPTION_ROW_TLS_VERIFY(AutoUpdateOptions, registry),
        {},
};
#undef FIELD
static const Option *const tables[] = { rows, NULL };
static const AutoUpdateOptions defaults = { .rollback = true };

static const FormatField fields[] = {
        { "Unit", NULL },         { "Container", NULL }, { "ContainerName", "CONTAINER NAME" }, { "ContainerID", "CONTAINER ID" },
        { "Image", NULL },        { "Policy", NULL },    { "Updated", NULL },                   {},
};
static const FormatList list = {
        .fields = fields,
        .table = "table {{.Unit}}\t{{.Container}}\t{{.Image}}\t{{.Policy}}\t{{.Updated}}",
        .json_indent = 4,
};

/* The container's own credentials come first. */
static RegistryWords task_registry(const Invocation *in, const AutoUpdateTask *task) {
        const AutoUpdateOptions *o = in->options;
        RegistryWords registry = o->registry;

        registry.authfile = task->authfile ?: registry.authfile;
        return registry;
}

static int ask(void *data, const AutoUpdateTask *task, bool *ret_newer, Error *reterr) {
        const Invocation *in = data;
        const RegistryWords registry = task_registry(in, task);
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *text = NULL;

        if (strv_append(&words, "pull") < 0 || image_exec_add(&words, "check", task->image_id) < 0)
                return error_oom(reterr);
        int r = registry_words(&registry, in, &words, reterr);
        if (r < 0)
                return r;
        if (strv_append(&words, "--") < 0 || strv_append(&words, task->image) < 0)
                return error_oom(reterr);
        r = image_capture(in, words, &text, reterr);
        if (r > 0) /* it has said why */
                return error_set(reterr, -EIO, ERROR_INTERNAL, "cannot ask the registry for '%s'", task->image);
        if (r == 0)
                *ret_newer = str_equal(text, "newer\n");
        return r;
}

static int pull(void *data, const AutoUpdateTask *task, char ret_id[65], Error *reterr) {
        const Invocation *in = data;
        const RegistryWords registry = task_registry(in, task);

        return registry_pull(in, task->image, "always", /* quiet= */ true, &registry, &(PlatformWords){}, ret_id, reterr);
}

static json_t *row(const AutoUpdateTask *task) {
        _cleanup_free_ char *container = str_format("%.12s (%s)", task->id, task->name);

        return container ? json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "Unit", task->unit, "Container", container, "ContainerName",
                                     task->name, "ContainerID", task->id, "Image", task->image, "Policy", task->policy, "Updated",
                                     auto_update_state_to_string(task->state))
                         : NULL;
}

static int print(const AutoUpdateTasks *tasks, const char *format, bool only_news, FILE *out, Error *reterr) {
        _cleanup_json_ json_t *all = json_array();

        for (size_t i = 0; i < tasks->n; i++)
                if ((!only_news || tasks->items[i].state != AUTO_UPDATE_CURRENT) && json_array_append_new(all, row(tasks->items + i)) < 0)
                        return error_oom(reterr);
        return all ? format_list(&list, format, only_news, all, out, reterr) : error_oom(reterr);
}

/* A program of the user's, for a mail or whatever tells the person. */
static int notify(const AutoUpdateTasks *tasks, const AutoUpdateOptions *o, Error *reterr) {
        _cleanup_fd_ int fd = memfd_create("auto-update", MFD_CLOEXEC);
        char *const argv[] = { o->notify, NULL };
        _cleanup_free_ char *text = NULL;
        size_t size = 0, n = 0;
        pid_t pid;

        for (size_t i = 0; i < tasks->n; i++)
                n += tasks->items[i].state != AUTO_UPDATE_CURRENT;
        if (n == 0)
                return 0;
        FILE *out = open_memstream(&text, &size);
        if (!out)
                return error_oom(reterr);
        int r = print(tasks, o->format, /* only_news= */ true, out, reterr);
        if (fclose(out) != 0 && r >= 0)
                r = error_oom(reterr);
        if (r < 0)
                return r;
        const int fds[] = { fd, STDOUT_FILENO, STDERR_FILENO };
        r = fd < 0 ? -errno : io_write_full(fd, text, size);
        if (r >= 0 && lseek(fd, 0, SEEK_SET) < 0)
                r = -errno;
        if (r >= 0)
                r = process_spawn(o->notify, argv, /* envp= */ NULL, fds, ELEMENTSOF(fds), &pid, /* ret_pidfd= */ NULL);
        if (r >= 0)
                r = process_reap(pid);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot run '%s'", o->notify);
        return r == 0 ? 0 : error_set(reterr, -EIO, ERROR_INVALID, "cannot tell of updates: '%s' ended with %d", o->notify, r);
}

static int run(Invocation *in, Error *reterr) {
        const AutoUpdateOptions *o = in->options;
        const AutoUpdate update = { .dry_run = o->dry_run, .rollback = o->rollback, .ask = ask, .pull = pull, .data = in };
        _cleanup_auto_update_tasks_ AutoUpdateTasks tasks = {};
        const Store *store;

        if (o->notify && *o->notify != '/')
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot use '--notify %s': it is not an absolute path", o->notify);
        int r = invocation_store(in, &store, reterr);
        if (r >= 0)
                r = engine_auto_update_tasks(store, &tasks, reterr);
        if (r < 0)
                return r;
        size_t failed = engine_auto_update(store, &update, &tasks);
        r = print(&tasks, o->format, /* only_news= */ false, stdout, reterr);
        for (size_t i = 0; i < tasks.n; i++)
                if (tasks.items[i].error.code < 0)
                        error_print(&tasks.items[i].error);
        if (r >= 0 && o->notify)
                r = notify(&tasks, o, reterr);
        return r < 0 ? r : failed > 0 ? 125 : 0;
}

const Verb verb_auto_update = {
        .summary = "Update containers whose units ask for it",
        .description = "Restart the units of containers with the label io.containers.autoupdate when there is a newer image: in the registry, or here.",
        .options = tables,
        .options_size = sizeof(AutoUpdateOptions),
        .options_default = &defaults,
        .run = run,
};
