/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a cgroup that are written together. */
#include "cgroup/runtime-writer.h"

#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/str.h"

void cgroup_writer_done(CgroupWriter *w) {
        for (size_t i = 0; i < w->n; i++) {
                free(w->writes[i].file);
                free(w->writes[i].text);
                free(w->writes[i].old);
        }
        free(w->writes);
        w->writes = NULL;
        w->n = 0;
}

bool cgroup_writer_has_v2(const CgroupWriter *w, const char *controller) {
        const CgroupHierarchy *h = cgroup_tree_unified(w->tree);
        char text[1024];

        return h && h->fd >= 0 && cgroup_read_text(h->fd, "cgroup.controllers", text, sizeof(text)) >= 0 &&
               cgroup_words_have(text, str_equal(controller, "blkio") ? "io" : controller);
}

bool cgroup_writer_has(const CgroupWriter *w, const char *controller) {
        const CgroupHierarchy *h = cgroup_tree_v1(w->tree, controller);

        return (h && h->fd >= 0) || cgroup_writer_has_v2(w, controller);
}

int cgroup_writer_find(const CgroupWriter *w, const char *controller, const char *what, int *ret_fd, bool *ret_v2, Error *reterr) {
        const CgroupHierarchy *h = cgroup_tree_v1(w->tree, controller);

        *ret_v2 = !h || h->fd < 0;
        *ret_fd = -EBADF;
        if (!*ret_v2)
                *ret_fd = h->fd;
        else if (cgroup_writer_has_v2(w, controller))
                *ret_fd = cgroup_tree_unified(w->tree)->fd;
        else
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot set %s: the cgroup controller '%s' is not available", what, controller);
        return 0;
}

int cgroup_writer_add_text(CgroupWriter *w, int fd, const char *file, const char *text, Error *reterr) {
        CgroupWrite *grown = reallocarray(w->writes, w->n + 1, sizeof(*grown));

        if (!grown)
                return error_oom(reterr);
        w->writes = grown;
        w->writes[w->n] = (CgroupWrite){ .fd = fd, .file = strdup(file), .text = strdup(text) };
        grown += w->n++;
        return grown->file && grown->text ? 0 : error_oom(reterr);
}

int cgroup_writer_add(CgroupWriter *w, int fd, const char *file, int64_t value, bool v2, Error *reterr) {
        char text[24];

        if (value < 0 && v2)
                return cgroup_writer_add_text(w, fd, file, "max", reterr);
        (void) snprintf(text, sizeof(text), "%lld", (long long) value);
        return cgroup_writer_add_text(w, fd, file, text, reterr);
}

/* The line of a device ("8:0 ...") in a file that has one for each, as it would have to be written to be so again. */
static char *device_line(const char *text, const char *written) {
        size_t n = strcspn(written, " ");

        for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n')
                if (strncmp(line, written, n + 1) == 0)
                        return strndup(line, strcspn(line, "\n"));
        return str_format("%.*s %s", (int) n, written, strchr(written, '=') ? "rbps=max wbps=max riops=max wiops=max" : "0");
}

static char *old_value(const CgroupWrite *write) {
        char text[CGROUP_TEXT_SIZE];

        if (cgroup_read_text(write->fd, write->file, text, sizeof(text)) < 0)
                return NULL;
        if (strchr(write->text, ':'))
                return device_line(text, write->text);
        if (str_has_suffix(write->file, "oom_control")) { /* "oom_kill_disable 0\n..." */
                const char *value = strchr(text, ' ');

                return strdup(value && value[1] == '1' ? "1" : "0");
        }
        return strdup(text);
}

static int write_one(const CgroupWriter *w, CgroupWrite *write) {
        _cleanup_free_ char *old = w->undo ? old_value(write) : NULL;
        int r = file_write_string(write->fd, write->file, write->text);

        if (r < 0)
                return r;
        write->done = true;
        write->old = TAKE_PTR(old);
        return 0;
}

static int busy_memory(const CgroupWrite *write, Error *reterr) {
        char usage[32] = "?", peak[32] = "?";

        (void) cgroup_read_text(write->fd, "memory.usage_in_bytes", usage, sizeof(usage));
        (void) cgroup_read_text(write->fd, "memory.max_usage_in_bytes", peak, sizeof(peak));
        return error_set(reterr, -EBUSY, ERROR_IN_USE, "unable to set memory limit to %s (current usage: %s, peak usage: %s)", write->text, usage, peak);
}

int cgroup_writer_flush(CgroupWriter *w, Error *reterr) {
        for (;;) {
                CgroupWrite *failed = NULL;
                bool progress = false;
                int code = 0;

                for (size_t i = 0; i < w->n; i++) {
                        if (w->writes[i].done)
                                continue;
                        int r = write_one(w, w->writes + i);
                        progress |= r >= 0;
                        if (r < 0 && (!failed || (code == -EINVAL && r != -EINVAL))) {
                                failed = w->writes + i;
                                code = r;
                        }
                }
                if (!failed)
                        return 0;
                if (code == -EINVAL && progress)
                        continue;
                if (code == -EBUSY && str_equal(failed->file, "memory.limit_in_bytes"))
                        return busy_memory(failed, reterr);
                return error_set_errno(reterr, code, "cannot set '%s' to %s", failed->file, failed->text);
        }
}

void cgroup_writer_undo(CgroupWriter *w) {
        for (size_t i = 0; i < w->n; i++) { /* as they were added; cgroup_writer_flush() finds the order that works */
                CgroupWrite *write = w->writes + i;

                free(write->text);
                write->text = TAKE_PTR(write->old);
                write->done = !write->text;
        }
        w->undo = false;
        (void) cgroup_writer_flush(w, /* reterr= */ NULL);
}
