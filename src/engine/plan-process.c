/* SPDX-License-Identifier: Apache-2.0 */
/* Users of the host, and its time zone, in a container. */
#include "engine/plan-process.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "base/str.h"

#define LOCALTIME "/etc/localtime"

/* A field of passwd that is none: NULL when out of memory. */
static char *field(const char *text) {
        return strdup(text && !strpbrk(text, ":\n") ? text : "");
}

static int add_host_user(const char *word, ProcPlan *plan, Error *reterr) {
        uint32_t id;

        errno = 0;
        const struct passwd *entry = parse_id(word, &id) >= 0 ? getpwuid(id) : getpwnam(word);
        if (!entry || !*entry->pw_name || strpbrk(entry->pw_name, ":,\n/"))
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot use --hostuser '%s': there is no such user on this machine", word);
        HostUser *user = container_array_add((void **) &plan->host_users, &plan->n_host_users, sizeof(*user));
        if (!user)
                return error_oom(reterr);
        *user = (HostUser){
                .name = strdup(entry->pw_name), .gecos = field(entry->pw_gecos), .home = field(entry->pw_dir),
                .uid = entry->pw_uid, .gid = entry->pw_gid,
        };
        return user->name && user->gecos && user->home ? 0 : error_oom(reterr);
}

/* Who keeps their ID keeps their name: `keep-id` alone, as the ID that uid= chooses is somebody of the container. */
static int add_kept_name(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        uint32_t uid, gid;

        if (!str_equal(config->userns, "keep-id") || !idmap_from_host(&plan->map.uid, getuid(), &uid) ||
            !idmap_from_host(&plan->map.gid, getgid(), &gid))
                return 0;
        const struct passwd *entry = getpwuid(getuid());
        if (!entry || strpbrk(entry->pw_name, ":,\n/"))
                return 0;
        plan->kept_uid = uid;
        plan->kept_gid = gid;
        plan->kept_name = strdup(entry->pw_name);
        plan->kept_gecos = field(entry->pw_gecos);
        return plan->kept_name && plan->kept_gecos ? 0 : error_oom(reterr);
}

int plan_host_users(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        int r = 0;

        for (char **word = config->host_users; word && *word && r >= 0; word++)
                r = add_host_user(*word, plan, reterr);
        return r < 0 ? r : add_kept_name(config, plan, reterr);
}

int plan_timezone(const ContainerConfig *config, ProcPlan *plan, Error *reterr) {
        _cleanup_free_ char *named = NULL, *path = NULL;

        if (!config->timezone || container_has_mount(config, LOCALTIME))
                return 0;
        if (!(named = str_equal(config->timezone, "local") ? strdup(LOCALTIME) : str_format("/usr/share/zoneinfo/%s", config->timezone)))
                return error_oom(reterr);
        path = realpath(named, NULL);
        if (!path) {
                int r = error_set_errno(reterr, -errno, "cannot use --tz '%s': '%s'", config->timezone, named);

                error_hint(reterr, "install the package tzdata");
                return r;
        }
        MountPlan *m = proc_plan_add_mount(plan);
        if (!m)
                return error_oom(reterr);
        m->source = TAKE_PTR(path);
        m->destination = strdup(LOCALTIME);
        m->attributes = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC;
        if (!m->destination)
                return error_oom(reterr);
        m->source_fd = open(m->source, O_PATH | O_CLOEXEC);
        return m->source_fd < 0 ? error_set_errno(reterr, -errno, "cannot open '%s'", m->source) : 0;
}
