/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod system reset, migrate, renumber. */
#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "cli/prune.h"
#include "cli/verbs.h"
#include "engine/depend.h"
#include "engine/remove.h"
#include "image/layout.h"
#include "storage/mapped.h"

typedef struct ResetOptions {
        bool force;
} ResetOptions;

static const Option reset_rows[] = {
        { "force", 'f', .kind = OPTION_BOOL, .offset = offsetof(ResetOptions, force), .help = "Do not ask" },
        {},
};
static const Option *const reset_options[] = { reset_rows, NULL };

static int ask_reset(const Store *store, Error *reterr) {
        _cleanup_free_ char *text = str_format("WARNING! This will remove:\n"
                                               "        - all containers\n"
                                               "        - all images\n"
                                               "        - all networks\n"
                                               "        - all volumes\n"
                                               "        - all else below \"%s\"\n",
                                               store->data_path);

        return text ? prune_ask(text, "reset", reterr) : error_oom(reterr);
}

static int remove_container(const Store *store, Container *container, void *data, Error *reterr) {
        return engine_remove(store, container, data, reterr);
}

static int remove_containers(const Store *store, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        RemoveOptions options = { .force = true, .volumes = true, .with_pod = true, .has_timeout = true, .timeout = 0 };
        int r = container_list(store, &ids, reterr), first = 0;

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_ Container c = CONTAINER_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                int k = container_load(store, *id, &c, &error);

                if (k >= 0)
                        k = dependents_first(store, &c, remove_container, &options, &error);
                if (k >= 0 || k == -ENOENT)
                        continue;
                if (c.pidfd >= 0) /* it runs: its files stay under it */
                        return error_move(reterr, &error);
                log_warning("%s, going on", error.message);
                first = first ?: k;
        }
        return r; /* records that could not be read go with the directory */
}

/* All that is in the directory but `kept`; a failure does not keep the others. */
static int empty_directory(int dir_fd, const char *path, const char *kept, Error *reterr) {
        _cleanup_fd_ int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        int r = 0;

        if (!dir)
                return error_set_errno(reterr, -errno, "cannot read the directory '%s'", path);
        (void) TAKE_FD(fd);
        for (struct dirent *e; (e = readdir(dir));)
                if (!str_equal(e->d_name, ".") && !str_equal(e->d_name, "..") && !str_equal(e->d_name, kept)) {
                        int k = mapped_remove_tree(dir_fd, e->d_name, r < 0 ? NULL : reterr);

                        r = r < 0 ? r : k;
                }
        (void) closedir(dir);
        return r;
}

static int run_reset(Invocation *in, Error *reterr) {
        const ResetOptions *o = in->options;
        _cleanup_fd_ int lock = -EBADF;
        const Store *store;

        int r = invocation_store(in, &store, reterr);
        if (r >= 0 && !o->force) {
                r = ask_reset(store, reterr);
                if (r == 0)
                        return 0;
        }
        if (r >= 0)
                r = remove_containers(store, reterr);
        /* a command that is just writing an image ends first; the lock file stays, as others may wait for it */
        if (r >= 0)
                r = lock = layout_lock(store, reterr);
        return r < 0 ? r : empty_directory(store->data_fd, store->data_path, "images.lock", reterr);
}

const Verb verb_system_reset = {
        .summary = "Remove all containers, images, networks and volumes",
        .description = "Remove all containers, images, networks and volumes, and everything else below the data directory.",
        .options = reset_options,
        .options_size = sizeof(ResetOptions),
        .run = run_reset,
};

static const Option migrate_rows[] = {
        { "new-runtime", .kind = OPTION_REFUSED, .refused = "containers are made by sdpod itself, there is no runtime to choose" },
        {},
};
static const Option *const migrate_options[] = { migrate_rows, NULL };

static int run_migrate(_unused_ Invocation *in, _unused_ Error *reterr) {
        log_warning("there is nothing to migrate: sdpod keeps no pause process and no state of an older form");
        return 0;
}

const Verb verb_system_migrate = {
        .summary = "Does nothing: there is no state of an older form",
        .options = migrate_options,
        .options_size = sizeof(ResetOptions), /* nothing of it is used */
        .run = run_migrate,
};

static int run_renumber(_unused_ Invocation *in, _unused_ Error *reterr) {
        log_warning("there is nothing to renumber: sdpod has lock files, not numbered locks");
        return 0;
}

const Verb verb_system_renumber = {
        .summary = "Does nothing: there are no numbered locks",
        .run = run_renumber,
};
