/* SPDX-License-Identifier: Apache-2.0 */
/* What the OCI runtime-spec says MUST hold of a config.json, as far as the text alone tells it: config.md. Engines leave out what they do not
 * need and write words of newer versions, so what has a meaning for whoever applies it (mount options, capabilities) is theirs to judge. */
#include "spec/runtime-check.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "spec/rlimit.h"

int runtime_refuse(Error *reterr, const char *format, ...) {
        char text[512];
        va_list ap;

        va_start(ap, format);
        (void) vsnprintf(text, sizeof(text), format, ap);
        va_end(ap);
        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the configuration: %s", text);
}

bool runtime_word_is_known(const char *const *words, const char *word) {
        for (; word && *words; words++)
                if (strcmp(*words, word) == 0)
                        return true;
        return false;
}

int runtime_check_words(char *const *list, const char *const *known, const char *member, const char *what, Error *reterr) {
        for (; list && *list; list++)
                if (!runtime_word_is_known(known, *list))
                        return runtime_refuse(reterr, "%s: there is no %s '%.60s'", member, what, *list);
        return 0;
}

int runtime_check_paths(char *const *paths, const char *member, Error *reterr) {
        for (; paths && *paths; paths++)
                if (**paths != '/')
                        return runtime_refuse(reterr, "%s: '%.200s' is not an absolute path", member, *paths);
        return 0;
}

int runtime_check_list(const char *list, const char *member, Error *reterr) {
        bool wants_digit = true, in_range = false;

        for (const char *p = list; p && *p; p++) {
                if (isdigit((unsigned char) *p))
                        wants_digit = false;
                else if (wants_digit || (*p != ',' && (*p != '-' || in_range)))
                        return runtime_refuse(reterr, "%s: '%.60s' is not a list like 0-3,7", member, list);
                else {
                        wants_digit = true;
                        in_range = *p == '-';
                }
        }
        if (!str_empty(list) && wants_digit)
                return runtime_refuse(reterr, "%s: '%.60s' is not a list like 0-3,7", member, list);
        return 0;
}

int runtime_check_mappings(const ContainerIdMapping *mappings, size_t n, const char *member, Error *reterr) {
        for (size_t i = 0; i < n; i++) {
                const ContainerIdMapping *m = &mappings[i];

                if (m->size == 0)
                        return runtime_refuse(reterr, "%s[%zu].size: must not be 0", member, i);
                if (m->size > UINT32_MAX - m->container_id || m->size > UINT32_MAX - m->host_id)
                        return runtime_refuse(reterr, "%s[%zu]: goes beyond the last ID that there is", member, i);
        }
        return 0;
}

/* "1.0.2-dev": what has another major number may mean anything by the same words. */
static int check_version(const char *version, Error *reterr) {
        size_t digits;

        if (!version)
                return runtime_refuse(reterr, "ociVersion: is missing");
        digits = strncmp(version, "1.", 2) == 0 ? strspn(version + 2, "0123456789") : 0;
        if (digits == 0 || version[2 + digits + strspn(version + 2 + digits, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.+-")])
                return runtime_refuse(reterr, "ociVersion: '%.60s' is not 1.x.y", version);
        return 0;
}

static int check_foreign(const RuntimeSpec *s, Error *reterr) {
        const struct {
                bool given;
                const char *member;
        } foreign[] = {
                { s->has_vm, "vm" },   { s->has_solaris, "solaris" }, { s->has_windows, "windows" },
                { s->has_zos, "zos" }, { s->has_freebsd, "freebsd" }, { s->has_intel_rdt, "linux.intelRdt" },
        };

        for (size_t i = 0; i < ELEMENTSOF(foreign); i++)
                if (foreign[i].given)
                        return runtime_refuse(reterr, "%s: this runtime does not have it", foreign[i].member);
        return 0;
}

static int check_user(const RuntimeUser *user, Error *reterr) {
        if (user->uid == UINT32_MAX || user->gid == UINT32_MAX)
                return runtime_refuse(reterr, "process.user: 4294967295 is not an ID");
        for (size_t i = 0; i < user->n_additional_gids; i++)
                if (user->additional_gids[i] == UINT32_MAX)
                        return runtime_refuse(reterr, "process.user.additionalGids: 4294967295 is not an ID");
        if (user->has_umask && user->umask > 0777)
                return runtime_refuse(reterr, "process.user.umask: %u is more than 511, which is octal 777", user->umask);
        return 0;
}

static int check_rlimits(const RuntimeProcess *p, Error *reterr) {
        for (size_t i = 0; i < p->n_rlimits; i++) {
                const ContainerRlimit *limit = &p->rlimits[i];

                if (!limit->type || !rlimit_kind_by_type(limit->type))
                        return runtime_refuse(reterr, "process.rlimits[%zu].type: there is no resource limit '%.40s'", i, limit->type ?: "");
                if (limit->soft > limit->hard)
                        return runtime_refuse(reterr, "process.rlimits[%zu]: the soft limit is above the hard one", i);
                for (size_t j = 0; j < i; j++)
                        if (str_equal(p->rlimits[j].type, limit->type))
                                return runtime_refuse(reterr, "process.rlimits[%zu].type: '%s' is there twice", i, limit->type);
        }
        return 0;
}

static int check_scheduler(const RuntimeScheduler *s, Error *reterr) {
        static const char *const policies[] = { "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE", NULL };
        static const char *const flags[] = { "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
                                             "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX", NULL };

        if (!runtime_word_is_known(policies, s->policy))
                return runtime_refuse(reterr, "process.scheduler.policy: there is no policy '%.40s'", s->policy ?: "");
        if (s->nice < -20 || s->nice > 19)
                return runtime_refuse(reterr, "process.scheduler.nice: must be -20 to 19");
        if (s->priority != 0 && !str_equal(s->policy, "SCHED_FIFO") && !str_equal(s->policy, "SCHED_RR"))
                return runtime_refuse(reterr, "process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one");
        if (s->priority < 0 || s->priority > 99)
                return runtime_refuse(reterr, "process.scheduler.priority: must be 0 to 99");
        if ((s->runtime || s->deadline || s->period) && !str_equal(s->policy, "SCHED_DEADLINE"))
                return runtime_refuse(reterr, "process.scheduler: runtime, deadline and period are SCHED_DEADLINE's");
        return runtime_check_words(s->flags, flags, "process.scheduler.flags", "flag", reterr);
}

static int check_io_priority(const RuntimeProcess *p, Error *reterr) {
        static const char *const classes[] = { "IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE", NULL };

        if (!runtime_word_is_known(classes, p->io_priority_class))
                return runtime_refuse(reterr, "process.ioPriority.class: there is no class '%.40s'", p->io_priority_class ?: "");
        if (p->io_priority < 0 || p->io_priority > 7)
                return runtime_refuse(reterr, "process.ioPriority.priority: must be 0 to 7");
        return 0;
}

int runtime_process_check(const RuntimeProcess *p, Error *reterr) {
        int r;

        if (!p->args)
                return runtime_refuse(reterr, "process.args: must not be empty");
        if (!p->cwd || *p->cwd != '/')
                return runtime_refuse(reterr, "process.cwd: must be an absolute path");
        if (p->terminal && (p->console_height > UINT16_MAX || p->console_width > UINT16_MAX))
                return runtime_refuse(reterr, "process.consoleSize: no terminal is that large");
        if (p->has_oom_score_adj && (p->oom_score_adj < -1000 || p->oom_score_adj > 1000))
                return runtime_refuse(reterr, "process.oomScoreAdj: must be -1000 to 1000");
        r = check_user(&p->user, reterr);
        if (r >= 0)
                r = check_rlimits(p, reterr);
        if (r >= 0 && p->has_scheduler)
                r = check_scheduler(&p->scheduler, reterr);
        if (r >= 0 && p->has_io_priority)
                r = check_io_priority(p, reterr);
        if (r >= 0)
                r = runtime_check_list(p->exec_initial_affinity, "process.execCPUAffinity.initial", reterr);
        return r < 0 ? r : runtime_check_list(p->exec_final_affinity, "process.execCPUAffinity.final", reterr);
}

static int check_mounts(const RuntimeSpec *s, Error *reterr) {
        for (size_t i = 0; i < s->n_mounts; i++) {
                const RuntimeMount *m = &s->mounts[i];
                char member[64];

                if (!m->destination)
                        return runtime_refuse(reterr, "mounts[%zu].destination: is missing", i);
                if ((m->n_uid_mappings > 0) != (m->n_gid_mappings > 0))
                        return runtime_refuse(reterr, "mounts[%zu]: uidMappings and gidMappings come together", i);
                (void) snprintf(member, sizeof(member), "mounts[%zu].uidMappings", i);
                int r = runtime_check_mappings(m->uid_mappings, m->n_uid_mappings, member, reterr);
                (void) snprintf(member, sizeof(member), "mounts[%zu].gidMappings", i);
                if (r >= 0)
                        r = runtime_check_mappings(m->gid_mappings, m->n_gid_mappings, member, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_hooks(const RuntimeSpec *s, Error *reterr) {
        static const char *const kinds[] = { "prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop" };

        static_assert(ELEMENTSOF(kinds) == _HOOK_MAX, "one for each kind");
        for (size_t kind = 0; kind < _HOOK_MAX; kind++)
                for (size_t i = 0; i < s->hooks[kind].n; i++) {
                        const RuntimeHook *hook = &s->hooks[kind].items[i];

                        if (!hook->path || *hook->path != '/')
                                return runtime_refuse(reterr, "hooks.%s[%zu].path: must be an absolute path", kinds[kind], i);
                        if (hook->has_timeout && hook->timeout <= 0)
                                return runtime_refuse(reterr, "hooks.%s[%zu].timeout: must be more than 0", kinds[kind], i);
                }
        return 0;
}

int runtime_spec_check(const RuntimeSpec *s, Error *reterr) {
        int r = check_version(s->oci_version, reterr);

        if (r >= 0)
                r = check_foreign(s, reterr);
        if (r < 0)
                return r;
        if (!s->root.path)
                return runtime_refuse(reterr, "root.path: is missing");
        for (char **pair = s->annotations; pair && *pair; pair++)
                if (**pair == '=')
                        return runtime_refuse(reterr, "annotations: a key must not be empty");
        if (s->has_process)
                r = runtime_process_check(&s->process, reterr);
        if (r >= 0)
                r = check_mounts(s, reterr);
        if (r >= 0)
                r = check_hooks(s, reterr);
        return r < 0 ? r : runtime_linux_check(s, reterr);
}
