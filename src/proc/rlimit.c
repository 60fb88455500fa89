/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits: names, words, plan, apply. */
#include "proc/rlimit.h"

#include <limits.h>
#include <stdio.h>
#include <strings.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"

static const struct {
        const char *name, *type;
        int resource;
} limits[] = {
        { "as", "RLIMIT_AS", RLIMIT_AS },
        { "core", "RLIMIT_CORE", RLIMIT_CORE },
        { "cpu", "RLIMIT_CPU", RLIMIT_CPU },
        { "data", "RLIMIT_DATA", RLIMIT_DATA },
        { "fsize", "RLIMIT_FSIZE", RLIMIT_FSIZE },
        { "locks", "RLIMIT_LOCKS", RLIMIT_LOCKS },
        { "memlock", "RLIMIT_MEMLOCK", RLIMIT_MEMLOCK },
        { "msgqueue", "RLIMIT_MSGQUEUE", RLIMIT_MSGQUEUE },
        { "nice", "RLIMIT_NICE", RLIMIT_NICE },
        { "nofile", "RLIMIT_NOFILE", RLIMIT_NOFILE },
        { "nproc", "RLIMIT_NPROC", RLIMIT_NPROC },
        { "rss", "RLIMIT_RSS", RLIMIT_RSS },
        { "rtprio", "RLIMIT_RTPRIO", RLIMIT_RTPRIO },
        { "rttime", "RLIMIT_RTTIME", RLIMIT_RTTIME },
        { "sigpending", "RLIMIT_SIGPENDING", RLIMIT_SIGPENDING },
        { "stack", "RLIMIT_STACK", RLIMIT_STACK },
};
static_assert(ELEMENTSOF(limits) <= RLIMIT_PLAN_MAX, "a plan holds every limit");

/* What Podman gives a container at most where nothing was asked. */
static const struct {
        int resource;
        uint64_t most;
} defaults[] = {
        { RLIMIT_NOFILE, 1048576 },
        { RLIMIT_NPROC, 4194304 },
};

int rlimit_from_type(const char *type) {
        for (size_t i = 0; i < ELEMENTSOF(limits); i++)
                if (strcmp(type, limits[i].type) == 0)
                        return limits[i].resource;
        return -ENOENT;
}

const char *rlimit_name(int resource) {
        for (size_t i = 0; i < ELEMENTSOF(limits); i++)
                if (limits[i].resource == resource)
                        return limits[i].name;
        return NULL;
}

static const char *type_of_name(const char *name, size_t n) {
        for (size_t i = 0; i < ELEMENTSOF(limits); i++)
                if ((strncasecmp(name, limits[i].name, n) == 0 && !limits[i].name[n]) ||
                    (strncasecmp(name, limits[i].type, n) == 0 && !limits[i].type[n]))
                        return limits[i].type;
        return NULL;
}

static int parse_limit(const char *s, uint64_t *ret) {
        if (strcmp(s, "-1") == 0 || strcasecmp(s, "unlimited") == 0) {
                *ret = UINT64_MAX;
                return 0;
        }
        return parse_u64(s, ret);
}

static int put(const char *type, uint64_t soft, uint64_t hard, ContainerRlimit **items, size_t *n_items) {
        ContainerRlimit *item = NULL;

        for (size_t i = 0; i < *n_items; i++)
                if (str_equal((*items)[i].type, type))
                        item = &(*items)[i];
        if (!item) {
                char *copy = strdup(type);

                if (!copy)
                        return -ENOMEM;
                item = container_array_add((void **) items, n_items, sizeof(*item));
                if (!item) {
                        free(copy);
                        return -ENOMEM;
                }
                item->type = copy;
        }
        item->soft = soft;
        item->hard = hard;
        return 0;
}

int rlimit_parse(const char *word, ContainerRlimit **items, size_t *n_items, Error *reterr) {
        const char *equals = strchr(word, '='), *type, *colon;
        _cleanup_free_ char *soft_text = NULL;
        uint64_t soft, hard;

        if (strcmp(word, "host") == 0)
                return put("host", 0, 0, items, n_items) < 0 ? error_oom(reterr) : 0;
        if (!equals || equals == word)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot read --ulimit '%s': it is not NAME=SOFT[:HARD] or host", word);
        type = type_of_name(word, (size_t) (equals - word));
        if (!type)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot read --ulimit '%s': there is no such limit", word);
        colon = strchr(equals, ':');
        soft_text = colon ? strndup(equals + 1, (size_t) (colon - equals - 1)) : strdup(equals + 1);
        if (!soft_text)
                return error_oom(reterr);
        if (parse_limit(soft_text, &soft) < 0 || parse_limit(colon ? colon + 1 : soft_text, &hard) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot read --ulimit '%s': a limit is a whole number, -1 or unlimited", word);
        if (soft > hard)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use --ulimit '%s': the soft limit is above the hard limit", word);
        return put(type, soft, hard, items, n_items) < 0 ? error_oom(reterr) : 0;
}

static bool may_raise(int resource, const struct rlimit *now) {
        /* setting the same hard limit plus one tells without changing anything that lasts */
        struct rlimit more = { .rlim_cur = now->rlim_cur, .rlim_max = now->rlim_max + 1 };

        if (now->rlim_max == RLIM_INFINITY)
                return true;
        if (setrlimit((__rlimit_resource_t) resource, &more) < 0)
                return false;
        (void) setrlimit((__rlimit_resource_t) resource, now); /* lowering always works */
        return true;
}

static int plan_item(const ContainerRlimit *item, RlimitPlan *plan, Error *reterr) {
        int resource = rlimit_from_type(item->type);
        struct rlimit now;

        if (resource < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set limit '%s': there is no such limit", item->type);
        if (plan->n_items >= RLIMIT_PLAN_MAX || item->soft > item->hard)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set limit '%s': it is not valid", item->type);
        if (getrlimit((__rlimit_resource_t) resource, &now) < 0)
                return error_set_errno(reterr, -errno, "cannot read limit '%s'", rlimit_name(resource));
        if (item->hard > now.rlim_max && !may_raise(resource, &now)) {
                char wanted[24] = "unlimited";

                if (item->hard != UINT64_MAX)
                        (void) snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long) item->hard);
                (void) error_set(reterr, -EPERM, ERROR_DENIED, "cannot set limit '%s' to %s: the hard limit of this session is %llu",
                                 rlimit_name(resource), wanted, (unsigned long long) now.rlim_max);
                return error_hint(reterr, "ask for at most that, or raise it for the user (limits.conf(5), LimitNOFILE= and "
                                          "the like in systemd.exec(5))");
        }
        plan->items[plan->n_items++] = (struct RlimitPlanItem){ resource, item->soft, item->hard };
        return 0;
}

int rlimit_plan(const ContainerRlimit *items, size_t n_items, RlimitPlan *ret, Error *reterr) {
        RlimitPlan plan = {};
        bool host = false;

        for (size_t i = 0; i < n_items; i++) {
                int r;

                if (str_equal(items[i].type, "host")) {
                        host = true;
                        continue;
                }
                r = plan_item(&items[i], &plan, reterr);
                if (r < 0)
                        return r;
        }
        for (size_t i = 0; !host && i < ELEMENTSOF(defaults); i++) {
                struct rlimit now;
                uint64_t most;
                bool named = false;

                for (size_t j = 0; j < plan.n_items; j++)
                        named |= plan.items[j].resource == defaults[i].resource;
                if (named || getrlimit((__rlimit_resource_t) defaults[i].resource, &now) < 0)
                        continue;
                most = MIN((uint64_t) now.rlim_max, defaults[i].most);
                if (plan.n_items < RLIMIT_PLAN_MAX)
                        plan.items[plan.n_items++] = (struct RlimitPlanItem){ defaults[i].resource, most, most };
        }
        *ret = plan;
        return 0;
}

int rlimit_apply(const RlimitPlan *plan, int *ret_failed) {
        for (size_t i = 0; i < plan->n_items; i++) {
                const struct RlimitPlanItem *item = &plan->items[i];
                struct rlimit limit = { .rlim_cur = item->soft, .rlim_max = item->hard };

                if (setrlimit((__rlimit_resource_t) item->resource, &limit) < 0) {
                        *ret_failed = item->resource;
                        return -errno;
                }
        }
        return 0;
}
