/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits: plan, apply. */
#include "proc/rlimit.h"

#include <stdio.h>
#include <sys/resource.h>

#include "spec/rlimit.h"

static_assert((int) RLIMIT_KINDS <= (int) RLIMIT_PLAN_MAX, "a plan holds every limit");

/* What Podman gives a container at most where nothing was asked. */
static const struct {
        int resource;
        uint64_t most;
} defaults[] = {
        { RLIMIT_NOFILE, 1048576 },
        { RLIMIT_NPROC, 4194304 },
};

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
        const RlimitKind *kind = rlimit_kind_by_type(item->type);
        struct rlimit now;

        if (!kind)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set limit '%s': there is no such limit", item->type);
        if (plan->n_items >= RLIMIT_PLAN_MAX || item->soft > item->hard)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot set limit '%s': it is not valid", item->type);
        if (getrlimit((__rlimit_resource_t) kind->resource, &now) < 0)
                return error_set_errno(reterr, -errno, "cannot read limit '%s'", kind->name);
        if (item->hard > now.rlim_max && !may_raise(kind->resource, &now)) {
                char wanted[24] = "unlimited";

                if (item->hard != UINT64_MAX)
                        (void) snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long) item->hard);
                (void) error_set(reterr, -EPERM, ERROR_DENIED, "cannot set limit '%s' to %s: the hard limit of this session is %llu",
                                 kind->name, wanted, (unsigned long long) now.rlim_max);
                return error_with_hint(reterr, -EPERM, "ask for at most that, or raise it for the user (limits.conf(5), LimitNOFILE= and "
                                          "the like in systemd.exec(5))");
        }
        plan->items[plan->n_items++] = (struct RlimitPlanItem){ kind->resource, item->soft, item->hard };
        return 0;
}

int rlimit_plan(const ContainerRlimit *items, size_t n_items, RlimitPlan *ret, Error *reterr) {
        RlimitPlan plan = {};

        for (size_t i = 0; i < n_items; i++) {
                int r = plan_item(&items[i], &plan, reterr);

                if (r < 0)
                        return r;
        }
        for (size_t i = 0; i < ELEMENTSOF(defaults); i++) {
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
