/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's side of making a container.
 *
 * Theory of operation. One SOCK_SEQPACKET pair carries the handshake with the init (init.c):
 *
 *      runtime                                  init
 *      clone3()
 *      maps, network devices --- mapped ------>  namespaces, mounts, devices
 *      (cgroup is made)      <-- mounted ------  with the terminal's master side, if there is one
 *      into the cgroup
 *      the record
 *      hooks prestart and
 *      createRuntime         --- placed ------>  cgroup namespace, masks, hooks createContainer, pivot_root, args[0]
 *                            <-- created ------  or an error
 *
 * Each message is a WireResult (base/wire.h). The init ends when the runtime goes away before `created`. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/process.h"
#include "base/str.h"
#include "base/wire.h"
#include "ns/userns.h"
#include "oci/console.h"
#include "oci/hook.h"
#include "oci/idmap.h"
#include "oci/identity.h"
#include "oci/inside.h"
#include "oci/mounts.h"
#include "oci/net-device.h"
#include "oci/start.h"
#include "proc/caps.h"
#include "proc/mount.h"

#define INSIDE_NULL                                                                                                        \
        ((OciInside){ .root_tree_fd = -EBADF, .sync_fd = -EBADF, .listen_fd = -EBADF, .root_fd = -EBADF, .proc_fd = -EBADF, \
                      .null_fd = -EBADF, .empty_fd = -EBADF, .console_fd = -EBADF, .master_fd = -EBADF })

static void inside_done(OciInside *inside) {
        for (size_t i = 0; inside->options && i < inside->spec->n_mounts; i++)
                oci_mount_options_done(&inside->options[i]);
        for (size_t i = 0; inside->tree_fds && i < inside->spec->n_mounts; i++)
                (void) fd_close(inside->tree_fds[i]);
        for (size_t i = 0; inside->device_fds && i < inside->spec->n_devices; i++)
                (void) fd_close(inside->device_fds[i]);
        free(inside->options);
        free(inside->tree_fds);
        free(inside->device_fds);
        (void) fd_close(inside->root_tree_fd);
        (void) fd_close(inside->sync_fd);
        (void) fd_close(inside->listen_fd);
}

void oci_init_done(OciInit *init) {
        (void) fd_close(init->pidfd);
        (void) fd_close(init->console_fd);
        *init = OCI_INIT_NULL;
}

/* ---- before the clone ---- */

static int parse_mounts(OciInside *inside, Error *reterr) {
        size_t n = inside->spec->n_mounts;

        inside->options = calloc(n + 1, sizeof(*inside->options));
        inside->tree_fds = calloc(n + 1, sizeof(*inside->tree_fds));
        inside->device_fds = calloc(inside->spec->n_devices + 1, sizeof(*inside->device_fds));
        if (!inside->options || !inside->tree_fds || !inside->device_fds)
                return error_oom(reterr);
        for (size_t i = 0; i < n; i++)
                inside->tree_fds[i] = -EBADF;
        for (size_t i = 0; i < inside->spec->n_devices; i++)
                inside->device_fds[i] = -EBADF;
        for (size_t i = 0; i < n; i++) {
                int r = oci_mount_options_parse(inside->spec->mounts[i].options, &inside->options[i]);

                if (r < 0)
                        return error_set_errno(reterr, r, "cannot use the options of the mount on '%s'", inside->spec->mounts[i].destination);
        }
        return 0;
}

/* Root of a user namespace may not go where root of the host may: root's own container there takes its root and its sources along, opened.
 * Where that is not possible (this is no root of the mount namespace) the init opens them itself. */
static bool opens_early(const OciInside *inside) {
        return geteuid() == 0 && oci_namespaces_has(inside->namespaces, CLONE_NEWUSER) && (inside->namespaces->made & CLONE_NEWNS);
}

static int open_root(OciInside *inside, Error *reterr) {
        if (!opens_early(inside))
                return 0;
        inside->root_tree_fd = mount_clone(AT_FDCWD, inside->spec->root.path, /* recursive= */ true, reterr);
        if (inside->root_tree_fd >= 0)
                return 0;
        if (inside->root_tree_fd != -EPERM)
                return error_prefix(reterr, inside->root_tree_fd, "cannot mount the root file system '%s'", inside->spec->root.path);
        error_done(reterr);
        return 0;
}

static int open_source(OciInside *inside, size_t i, Error *reterr) {
        const RuntimeMount *mount = &inside->spec->mounts[i];
        const OciMountOptions *options = &inside->options[i];
        bool idmap = oci_idmap_is_asked(mount, options);

        if (!oci_mount_is_bind(mount, options))
                return idmap ? error_set(reterr, -EINVAL, ERROR_UNSUPPORTED, "only the IDs of bind mounts can be mapped") : 0;
        bool in_root = oci_mount_source_in_root(mount, inside->create->bundle, inside->spec->root.path);
        if (options->copy_symlink || (!idmap && (in_root || !opens_early(inside))))
                return 0;
        inside->tree_fds[i] = oci_mount_clone_source(mount, options, reterr);
        if (inside->tree_fds[i] != -EPERM || idmap)
                return inside->tree_fds[i];
        error_done(reterr);
        return 0;
}

static int open_sources(OciInside *inside, Error *reterr) {
        int r = open_root(inside, reterr);

        for (size_t i = 0; i < inside->spec->n_mounts && r >= 0; i++) {
                const RuntimeMount *mount = &inside->spec->mounts[i];

                r = open_source(inside, i, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot mount '%s' on '%s'", mount->source ?: "", mount->destination);
        }
        return r;
}

/* Once the user namespace of the init is there, and before it mounts anything: the descriptors are of the same mounts. */
static int map_sources(const OciInside *inside, const OciInit *init, Error *reterr) {
        for (size_t i = 0; i < inside->spec->n_mounts; i++) {
                const RuntimeMount *mount = &inside->spec->mounts[i];

                if (!oci_idmap_is_asked(mount, &inside->options[i]))
                        continue;
                int r = oci_idmap_mount(inside->tree_fds[i], mount, &inside->options[i], inside->namespaces, init->pidfd, init->pid, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot mount '%s' on '%s'", mount->source ?: "", mount->destination);
        }
        return 0;
}

/* Warns of capabilities that nobody here can grant (config.md, "capabilities"). */
static void check_capabilities(const OciInside *inside) {
        OciCaps caps = oci_caps_plan(&inside->spec->process);
        uint64_t wanted = caps.bounding | caps.effective | caps.permitted | caps.inheritable | caps.ambient;

        oci_caps_warn(&inside->spec->process);
        for (int cap = 0; (caps.ambient & ~(caps.inheritable & caps.permitted)) >> cap; cap++)
                if (caps.ambient & ~(caps.inheritable & caps.permitted) & CAPS_BIT(cap))
                        log_warning("can't raise ambient capability %s: it is not inheritable and permitted as well", caps_to_name(cap));
        if (oci_namespaces_has(inside->namespaces, CLONE_NEWUSER))
                return;
        for (int cap = 0; wanted >> cap; cap++)
                if ((wanted & CAPS_BIT(cap)) && prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 1)
                        log_warning("cannot grant %s: the runtime does not have it", caps_to_name(cap));
}

/* The kernel would refuse them, too, but not before the start. */
static int check_user(const OciInside *inside, Error *reterr) {
        const RuntimeSpec *spec = inside->spec;
        const RuntimeUser *user = &spec->process.user;
        const IdMap uids = oci_uid_map(spec), gids = oci_gid_map(spec);
        uint32_t host;

        if (!(inside->namespaces->made & CLONE_NEWUSER))
                return 0;
        if (!idmap_to_host(&uids, user->uid, &host))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the user ID %u: linux.uidMappings does not have it", user->uid);
        if (!idmap_to_host(&gids, user->gid, &host))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use the group ID %u: linux.gidMappings does not have it", user->gid);
        return 0;
}

/* The caller's own is the container's where none is named (config-linux.md, namespaces). */
static int check_mount_namespace(const OciInside *inside, Error *reterr) {
        if (oci_namespaces_has(inside->namespaces, CLONE_NEWNS))
                return 0;
        if (oci_namespaces_has(inside->namespaces, CLONE_NEWUSER))
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot make a container with a user namespace and without a mount namespace: its root may not mount in the caller's");
        if (oci_root_stays_shared(inside))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot share the root file system's mounts (linux.rootfsPropagation): they are the caller's, "
                                                                 "without a mount namespace of the container's own");
        log_warning("the container has no mount namespace of its own: its mounts are this machine's until it is deleted, and its root can leave its root "
                    "file system");
        return 0;
}

static int check(OciInside *inside, Error *reterr) {
        const RuntimeSpec *spec = inside->spec;

        if (!spec->has_root || str_empty(spec->root.path))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot make a container without a root file system: config.json has no root.path");
        check_capabilities(inside);
        int r = check_mount_namespace(inside, reterr);
        if (r >= 0)
                r = check_user(inside, reterr);
        return r < 0 ? r : oci_rlimits_raise(&spec->process, reterr);
}

/* ---- the clone ---- */

static int be_born(void *data) {
        oci_init_run(data);
}

static int write_maps(const RuntimeSpec *spec, pid_t pid, Error *reterr) {
        const UserMap map = {
                .uid = oci_uid_map(spec),
                .gid = oci_gid_map(spec),
                /* the user's own ID and no other: the kernel takes that without newuidmap(1) */
                .single = geteuid() != 0 && spec->n_uid_mappings == 1 && spec->n_gid_mappings == 1 && spec->uid_mappings[0].size == 1 &&
                          spec->gid_mappings[0].size == 1 && spec->uid_mappings[0].host_id == geteuid() && spec->gid_mappings[0].host_id == getegid(),
        };

        return userns_write_maps(pid, &map, reterr);
}

/* From outside: in a user namespace nobody may lower it. */
static int set_oom_score(const RuntimeProcess *process, pid_t pid, Error *reterr) {
        char path[48], text[24];

        if (!process->has_oom_score_adj)
                return 0;
        (void) snprintf(path, sizeof(path), "/proc/%d/oom_score_adj", (int) pid);
        (void) snprintf(text, sizeof(text), "%lld", (long long) process->oom_score_adj);
        int r = file_write_string(AT_FDCWD, path, text);
        return r < 0 ? error_set_errno(reterr, r, "cannot set the OOM score to %s", text) : 0;
}

static int clone_init(OciInside *inside, OciInit *init, Error *reterr) {
        const OciNamespaces *namespaces = inside->namespaces;
        int pair[2];

        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return error_set_errno(reterr, -errno, "cannot make the container's process");
        inside->sync_fd = pair[1];
        inside->peer_fd = pair[0];
        int pid = oci_namespaces_clone(namespaces, be_born, inside, &init->pidfd, reterr);
        (void) fd_close(pair[1]);
        inside->sync_fd = pair[0];
        inside->listen_fd = fd_close(inside->listen_fd);
        if (pid < 0)
                return pid;
        init->pid = pid;
        int r = process_start_time(pid, &init->start_time);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot look at the container's process");
        if (namespaces->made & CLONE_NEWUSER)
                r = write_maps(inside->spec, pid, reterr);
        if (r >= 0)
                r = map_sources(inside, init, reterr);
        if (r >= 0)
                r = set_oom_score(&inside->spec->process, pid, reterr);
        if (r >= 0)
                r = oci_net_devices_move(inside->spec, namespaces, init->pidfd, pid, reterr);
        return r;
}

/* ---- with the init ---- */

static int run_hooks(const OciCreate *create, pid_t pid, Error *reterr) {
        const OciHookState state = { .spec = create->spec, .id = create->id, .bundle = create->bundle, .status = "created", .pid = pid };
        int r = oci_hooks_run_here(HOOK_PRESTART, &state, /* go_on= */ false, reterr);

        return r < 0 ? r : oci_hooks_run_here(HOOK_CREATE_RUNTIME, &state, /* go_on= */ false, reterr);
}

static int place(const OciCreate *create, const OciInit *init, Error *reterr) {
        int r = runtime_cgroup_attach(create->cgroup, init->pid, init->pid, /* subs= */ NULL, reterr);

        if (r >= 0 && create->record)
                r = create->record(init->pid, init->start_time, create->record_data, reterr);
        return r < 0 ? r : run_hooks(create, init->pid, reterr);
}

static int hand_out(const OciCreate *create, OciInit *init, Error *reterr) {
        int r = 0;

        if (create->console_fd >= 0 && init->console_fd >= 0) {
                r = oci_console_send(create->console_fd, init->console_fd, "/dev/ptmx", reterr);
                init->console_fd = fd_close(init->console_fd);
        }
        if (r >= 0 && create->pidfd_socket_fd >= 0)
                r = oci_console_send(create->pidfd_socket_fd, init->pidfd, "pidfd", reterr);
        return r;
}

/* As runc warns of it. */
static void check_kill(const OciInside *inside) {
        const RuntimeCgroup *cgroup = inside->create->cgroup;

        if (geteuid() != 0 && !(inside->namespaces->made & CLONE_NEWPID) && !cgroup->is_made && !cgroup->is_none)
                log_warning("the container has neither a cgroup nor a PID namespace of its own. Such configuration is strongly discouraged: "
                            "what its process leaves behind cannot be killed with it");
}

static int lead(OciInside *inside, OciInit *init, Error *reterr) {
        const OciCreate *create = inside->create;
        int r = wire_send_result(inside->sync_fd, 0, /* error= */ NULL);

        if (r < 0)
                return error_set_errno(reterr, r, "cannot make the container's process");
        /* while the init mounts */
        r = runtime_cgroup_make(create->cgroup, inside->spec, init->pid, reterr);
        if (r >= 0)
                check_kill(inside);
        if (r >= 0)
                r = oci_give_cgroup(inside, reterr);
        if (r >= 0)
                r = wire_receive_result_fd(inside->sync_fd, &init->console_fd, reterr);
        if (r >= 0)
                r = place(create, init, reterr);
        if (r >= 0) {
                r = wire_send_result(inside->sync_fd, init->pid, /* error= */ NULL);
                r = r < 0 ? error_set_errno(reterr, r, "cannot make the container's process") : wire_receive_result(inside->sync_fd, reterr);
        }
        return r < 0 ? r : hand_out(create, init, reterr);
}

static void take_back(const OciCreate *create, OciInit *init) {
        if (init->pidfd >= 0) {
                (void) process_signal(init->pidfd, SIGKILL);
                (void) process_reap(init->pid);
                (void) runtime_cgroup_remove(create->cgroup, /* reterr= */ NULL);
        }
        (void) unlinkat(create->state_fd, OCI_START_SOCKET, 0);
}

static int create_in_bundle(OciInside *inside, OciInit *init, Error *reterr) {
        int r = open_sources(inside, reterr);

        if (r >= 0)
                r = oci_prepare_devices(inside, reterr);
        if (r < 0)
                return r;
        inside->listen_fd = io_unix_listen(inside->create->state_fd, OCI_START_SOCKET, SOCK_SEQPACKET, 0600);
        if (inside->listen_fd < 0)
                return error_set_errno(reterr, inside->listen_fd, "cannot listen in the state directory of container '%s'", inside->create->id);
        r = clone_init(inside, init, reterr);
        return r < 0 ? r : lead(inside, init, reterr);
}

int oci_create(const OciCreate *create, OciInit *ret, Error *reterr) {
        _cleanup_oci_namespaces_ OciNamespaces namespaces = OCI_NAMESPACES_NULL;
        _cleanup_oci_init_ OciInit init = OCI_INIT_NULL;
        _cleanup_fd_ int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
        OciInside inside = INSIDE_NULL;

        inside.create = create;
        inside.spec = create->spec;
        inside.namespaces = &namespaces;
        inside.labels = oci_identity_labels();
        int r = oci_namespaces_plan(create->spec, &namespaces, reterr);
        if (r >= 0)
                r = check(&inside, reterr);
        if (r >= 0)
                r = parse_mounts(&inside, reterr);
        /* relative paths are the bundle's, in the init's eyes as well: its working directory comes along into its mount namespace */
        if (r >= 0 && fchdir(create->bundle_fd) < 0)
                r = error_set_errno(reterr, -errno, "cannot enter the bundle '%s'", create->bundle);
        if (r >= 0) {
                r = create_in_bundle(&inside, &init, reterr);
                if (r < 0)
                        take_back(create, &init);
        }
        if (back >= 0)
                (void) !fchdir(back);
        inside_done(&inside);
        if (r < 0)
                return r;
        *ret = init;
        init = OCI_INIT_NULL;
        return 0;
}
