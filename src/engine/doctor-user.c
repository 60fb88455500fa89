/* SPDX-License-Identifier: Apache-2.0 */
/* What the machine grants this user: IDs, a manager, controllers, life beyond the login. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "cgroup/manager.h"
#include "engine/doctor-check.h"
#include "engine/linger.h"
#include "ns/subid.h"
#include "ns/userns.h"

enum { USUAL_IDS = 65536, SUBID_LIMIT = 4 * 1024 * 1024 };

#define SUBUID "/etc/subuid"
#define SUBGID "/etc/subgid"

/* ---- subordinate IDs ---- */

static uint64_t total(const SubidRange *ranges, size_t n) {
        uint64_t sum = 0;

        for (size_t i = 0; i < n; i++)
                sum += ranges[i].size;
        return sum;
}

/* Walks the lines of a file "NAME:START:SIZE" of everybody. */
typedef struct AllRanges {
        uint64_t next;   /* the first ID above all */
        char *other;     /* who else has IDs of ours; owned */
} AllRanges;

static void look_at_all(const char *path, const Doctor *doctor, const SubidRange *ours, size_t n, AllRanges *all) {
        _cleanup_free_ char *text = NULL;
        _cleanup_strv_ char **lines = NULL;

        if (file_read(AT_FDCWD, path, SUBID_LIMIT, &text, /* ret_size= */ NULL) < 0 || !(lines = strv_split(text, "\n")))
                return;
        for (char **line = lines; *line; line++) {
                char name[256], number[16];
                unsigned start, size;

                if (sscanf(*line, "%255[^:]:%u:%u", name, &start, &size) != 3)
                        continue;
                all->next = MAX(all->next, (uint64_t) start + size);
                (void) snprintf(number, sizeof(number), "%u", getuid());
                if (str_equal(name, doctor->user) || str_equal(name, number))
                        continue;
                for (size_t i = 0; i < n; i++)
                        if (start < (uint64_t) ours[i].start + ours[i].size && ours[i].start < (uint64_t) start + size)
                                (void) str_replace(&all->other, name);
        }
}

void doctor_subordinate_ids(const Doctor *doctor, Finding *f) {
        _cleanup_free_ SubidRange *uids = NULL, *gids = NULL;
        _cleanup_free_ char *other = NULL;
        AllRanges all = { .next = 100000 };
        size_t n_uids = 0, n_gids = 0;

        if (doctor->root) {
                finding_say(f, DOCTOR_OK, "root needs none");
                return;
        }
        (void) subid_ranges(SUBUID, getuid(), doctor->user, &uids, &n_uids, /* reterr= */ NULL);
        (void) subid_ranges(SUBGID, getuid(), doctor->user, &gids, &n_gids, /* reterr= */ NULL);
        look_at_all(SUBUID, doctor, uids, n_uids, &all);
        look_at_all(SUBGID, doctor, gids, n_gids, &all);
        other = all.other;
        uint64_t u = total(uids, n_uids), g = total(gids, n_gids);
        uint64_t first = (all.next + USUAL_IDS - 1) / USUAL_IDS * USUAL_IDS;
        finding_fix(f, "sudo usermod --add-subuids %llu-%llu --add-subgids %llu-%llu %s", (unsigned long long) first,
                    (unsigned long long) first + USUAL_IDS - 1, (unsigned long long) first, (unsigned long long) first + USUAL_IDS - 1,
                    doctor->user);
        if (u == 0 || g == 0) {
                finding_say(f, DOCTOR_PROBLEM, "no range in %s for '%s'", u == 0 ? SUBUID : SUBGID, doctor->user);
                finding_cost(f, "only root exists in containers: images with other users fail");
        } else if (other) {
                finding_say(f, DOCTOR_PROBLEM, "'%s' has some of the same IDs", other);
                finding_cost(f, "their containers can read files of yours, and yours theirs");
                finding_fix(f, "take the range of one of them out of " SUBUID " and " SUBGID ", and give another one");
        } else if (u < USUAL_IDS - 1 || g < USUAL_IDS - 1) {
                finding_say(f, DOCTOR_WARNING, "%llu user IDs and %llu group IDs", (unsigned long long) u, (unsigned long long) g);
                finding_cost(f, "images with users above that fail: nobody is 65534");
        } else {
                finding_say(f, DOCTOR_OK, "%llu user IDs and %llu group IDs", (unsigned long long) u, (unsigned long long) g);
                finding_fix(f, "%s", "");
        }
}

/* Whether the program may change IDs: by its owner and mode, or by its capabilities. */
static bool may_map(const char *path) {
        struct stat st;
        char value[64];

        if (stat(path, &st) < 0)
                return false;
        return (st.st_uid == 0 && (st.st_mode & S_ISUID)) || getxattr(path, "security.capability", value, sizeof(value)) > 0;
}

void doctor_id_helpers(const Doctor *doctor, Finding *f) {
        static const char *const programs[] = { "/usr/bin/newuidmap", "/usr/bin/newgidmap" };

        if (doctor->root) {
                finding_say(f, DOCTOR_OK, "root needs none");
                return;
        }
        for (size_t i = 0; i < ELEMENTSOF(programs); i++) {
                if (access(programs[i], X_OK) < 0) {
                        finding_say(f, DOCTOR_PROBLEM, "'%s' is not there", programs[i]);
                        finding_fix(f, "sudo apt-get install uidmap (Fedora: sudo dnf install shadow-utils)");
                } else if (!may_map(programs[i])) {
                        finding_say(f, DOCTOR_PROBLEM, "'%s' is neither setuid root nor has capabilities", programs[i]);
                        finding_fix(f, "sudo chown root:root %s && sudo chmod u+s %s", programs[i], programs[i]);
                }
        }
        if (f->status == DOCTOR_OK)
                finding_say(f, DOCTOR_OK, "there, and they may map IDs");
        else
                finding_cost(f, "the subordinate IDs cannot be used: containers do not start");
}

static int nothing(_unused_ void *data, _unused_ Error *reterr) {
        return 0;
}

void doctor_id_map(_unused_ const Doctor *doctor, Finding *f) {
        _cleanup_user_map_ UserMap map = {};
        _cleanup_error_ Error error = ERROR_NULL;
        int r = user_map_default(&map, &error);

        if (r >= 0)
                r = userns_run(&map, 0, nothing, NULL, &error);
        if (r < 0) {
                finding_say(f, DOCTOR_PROBLEM, "%s", error.message ?: strerror(-r));
                finding_cost(f, "containers do not start");
                finding_fix(f, "%s", error.hint ?: "mend what is said above first");
        } else if (map.host)
                finding_say(f, DOCTOR_OK, "root's containers have the IDs of the machine");
        else
                finding_say(f, DOCTOR_OK, "a user namespace can be made with %llu user ID%s", (unsigned long long) idmap_size(&map.uid),
                            map.single ? "" : "s");
}

/* ---- systemd ---- */

void doctor_linger(const Doctor *doctor, Finding *f) {
        if (doctor->root)
                finding_say(f, DOCTOR_OK, "root's containers do not hang on a login");
        else if (linger_is_on(doctor->user))
                finding_say(f, DOCTOR_OK, "your manager runs from boot to shutdown");
        else {
                finding_say(f, DOCTOR_WARNING, "your manager runs only while you are logged in");
                finding_cost(f, "containers end when you log out, and none is started at boot");
                finding_fix(f, "loginctl enable-linger %s", doctor->user);
        }
}

void doctor_manager(const Doctor *doctor, Finding *f) {
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        int r = manager_connect(&manager, &error);

        if (r >= 0) {
                finding_say(f, DOCTOR_OK, doctor->root ? "the system's manager answers" : "it answers");
                return;
        }
        finding_say(f, DOCTOR_WARNING, "%s", r == -ENOENT ? "there is no systemd manager of this user" : error.message ?: strerror(-r));
        finding_cost(f, "no limits, no health timers, no units for containers; each in the background has a monitor of its own");
        if (!getenv("XDG_RUNTIME_DIR"))
                finding_fix(f, "log in by ssh, a console, or 'sudo machinectl shell %s@' (after su or sudo there is no session)", doctor->user);
        else
                finding_fix(f, "sudo loginctl enable-linger %s && sudo systemctl start user@%u.service", doctor->user, getuid());
}

void doctor_cgroups(_unused_ const Doctor *doctor, Finding *f) {
        if (cgroup_is_unified()) {
                finding_say(f, DOCTOR_OK, "version 2");
                return;
        }
        _cleanup_fd_ int fd = cgroup_open_root();
        if (fd >= 0) {
                finding_say(f, DOCTOR_WARNING, "version 1, with a version 2 beside it");
                finding_cost(f, "the controllers that are in version 1 cannot be used by ordinary users: no such limits");
        } else {
                finding_say(f, DOCTOR_PROBLEM, "there is no version 2 hierarchy");
                finding_cost(f, "no limits, no pause, no stats");
        }
        finding_fix(f, "boot with the kernel parameters systemd.unified_cgroup_hierarchy=1 cgroup_no_v1=all");
}

/* Which of the wanted words are not among the others; owned. */
static char *missing_words(char *const *there) {
        static const char *const wanted[] = { "cpu", "cpuset", "io", "memory", "pids" };
        _cleanup_strv_ char **missing = NULL;

        for (size_t i = 0; i < ELEMENTSOF(wanted); i++)
                if (!strv_contains(there, wanted[i]) && strv_append(&missing, wanted[i]) < 0)
                        return NULL;
        return missing ? strv_join(missing, " ") : NULL;
}

void doctor_controllers(const Doctor *doctor, Finding *f) {
        _cleanup_strv_ char **controllers = NULL, **machine = NULL;
        _cleanup_manager_ Manager manager = MANAGER_NULL;
        _cleanup_fd_ int root = cgroup_open_root();

        if (manager_connect(&manager, /* reterr= */ NULL) < 0 || manager_controllers(&manager, &controllers, /* reterr= */ NULL) < 0) {
                finding_say(f, DOCTOR_WARNING, "there is no manager to have them from");
                finding_cost(f, "no limits");
                finding_fix(f, "what is said of the user manager");
                return;
        }
        _cleanup_free_ char *missing = missing_words(controllers);
        if (!missing) {
                finding_say(f, DOCTOR_OK, "cpu, cpuset, io, memory and pids are delegated");
                return;
        }
        finding_say(f, DOCTOR_WARNING, "not delegated: %s", missing);
        finding_cost(f, "such limits are refused (--cpus, --cpuset-cpus, --blkio-weight, --memory, --pids-limit)");
        if (root >= 0)
                (void) cgroup_controllers(root, &machine);
        _cleanup_free_ char *never = missing_words(machine);
        if (never)
                finding_fix(f, "the machine itself has no %s in cgroup version 2: boot with cgroup_no_v1=all", never);
        else if (!doctor->root)
                finding_fix(f, "sudo mkdir -p /etc/systemd/system/user@.service.d && printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n'"
                               " | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && sudo systemctl daemon-reload"
                               " && sudo systemctl restart user@%u.service",
                            getuid());
}
