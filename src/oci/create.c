/* SPDX-License-Identifier: Apache-2.0 */
/* From a bundle to a container whose init waits. */
#include "oci/create.h"

#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "base/time.h"
#include "oci/annotations.h"
#include "oci/descriptors.h"
#include "oci/foreground.h"
#include "oci/host-mounts.h"
#include "oci/notify-socket.h"
#include "oci/seccomp.h"

#define FIELD(member) offsetof(CreateOptions, member)
const Option create_rows[] = {
        HANDED_OVER_ROWS(CreateOptions),
        { "bundle", 'b', .kind = OPTION_STRING, .offset = FIELD(bundle), .metavar = "DIR",
          .help = "Directory of the bundle (default: the working directory)", .complete = COMPLETE_DIRECTORY },
        { "config", 'f', .kind = OPTION_STRING, .offset = FIELD(config), .metavar = "FILE",
          .help = "The bundle's configuration (default config.json), from the bundle's directory on", .complete = COMPLETE_FILE },
        { "no-new-keyring", .kind = OPTION_BOOL, .offset = FIELD(no_new_keyring), .help = "Keep the caller's session keyring" },
        { "no-pivot", .kind = OPTION_BOOL, .offset = FIELD(no_pivot),
          .help = "Move the root instead of pivot_root(2), where / is a ramdisk" },
        { "no-subreaper", .kind = OPTION_BOOL, .offset = FIELD(no_subreaper),
          .help = "Leave orphans of the container to whoever takes them" },
        {},
};

void oci_made_done(OciMade *made) {
        oci_init_done(&made->init);
        runtime_spec_done(&made->spec);
        oci_container_done(&made->container);
        oci_root_done(&made->root);
}

typedef struct Making {
        const Invocation *in;
        const CreateOptions *options;
        bool foreground;
        char *bundle;             /* absolute */
        int bundle_fd;
        OciMade *made;
} Making;

static int open_bundle(Making *m, Error *reterr) {
        const char *path = m->options->bundle ?: ".";

        m->bundle = realpath(path, NULL);
        if (!m->bundle)
                return error_set_errno(reterr, -errno, "cannot use the bundle '%s'", path);
        m->bundle_fd = open(m->bundle, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (m->bundle_fd < 0)
                return error_set_errno(reterr, -errno, "cannot open the bundle '%s'", path);
        return 0;
}

/* The copy is what is read, now and by the verbs to come: the bundle's may change at any time. */
static int copy_config(const Making *m, Error *reterr) {
        const char *name = m->options->config ?: "config.json";
        _cleanup_fd_ int from = openat(m->bundle_fd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC), to = -EBADF;
        struct stat st;

        if (from < 0 || fstat(from, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot read '%s' of the bundle '%s'", name, m->bundle);
        if (!S_ISREG(st.st_mode) || st.st_size > RUNTIME_SPEC_LIMIT)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot read '%s' of the bundle '%s': not a file of at most %d bytes", name,
                                 m->bundle, RUNTIME_SPEC_LIMIT);
        to = openat(m->made->container.dir_fd, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        ssize_t n = to < 0 ? -1 : 1;
        for (size_t left = RUNTIME_SPEC_LIMIT; n > 0 && left > 0; left -= (size_t) n)
                n = sendfile(to, from, NULL, left);
        return n < 0 ? error_set_errno(reterr, -errno, "cannot copy '%s' of the bundle '%s'", name, m->bundle) : 0;
}

static int check_terminal(const Making *m, Error *reterr) {
        const CreateOptions *o = m->options;
        bool terminal = m->made->spec.process.terminal;

        if (terminal && !m->foreground && !o->console_socket)
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot allocate tty for a container in the background: use --console-socket");
        if (o->console_socket && (!terminal || m->foreground))
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use --console-socket: %s", terminal ? "the container is in the foreground"
                                                                             : "process.terminal is not set");
        return 0;
}

static int fill_record(const Making *m, Error *reterr) {
        const RuntimeSpec *spec = &m->made->spec;
        OciRecord *record = &m->made->container.record;
        const RuntimeNamespace *pid = runtime_spec_namespace(spec, "pid");
        const char *root = spec->root.path;

        record->id = strdup(m->made->container.id);
        record->oci_version = strdup(spec->oci_version ?: "1.0.0");
        record->bundle = strdup(m->bundle);
        record->rootfs = root && *root != '/' ? str_format("%s/%s", m->bundle, root) : strdup(root ?: "");
        record->annotations = strv_copy(spec->annotations);
        record->created_usec = time_now_usec();
        record->own_pid_namespace = pid && !pid->path;
        record->has_poststart = spec->hooks[HOOK_POSTSTART].n > 0;
        record->has_poststop = spec->hooks[HOOK_POSTSTOP].n > 0;
        if (!record->id || !record->oci_version || !record->bundle || !record->rootfs || (spec->annotations && !record->annotations))
                return error_oom(reterr);
        return 0;
}

/* Destinations that begin with the root file system's own path on the host, as some callers write them, mean what is in it. */
static void strip_root(RuntimeSpec *spec, const char *rootfs) {
        size_t n = strlen(rootfs);

        while (n > 0 && rootfs[n - 1] == '/')
                n--;
        for (size_t i = 0; i < spec->n_mounts && n > 0; i++) {
                char *place = spec->mounts[i].destination;

                if (strncmp(place, rootfs, n) == 0 && place[n] == '/')
                        memmove(place, place + n, strlen(place + n) + 1);
        }
}

static int record_process(pid_t pid, uint64_t start_time, void *data, Error *reterr) {
        OciContainer *container = data;

        log_debug("the process of the container '%s' is %d, its cgroup '%s'", container->id, (int) pid, container->record.cgroup.path ?: "");
        container->record.pid = pid;
        container->record.start_time = start_time;
        oci_host_mounts_note(&container->record);
        return oci_container_save(container, reterr);
}

/* What is known before anything of the container is there. */
static int plan(const Making *m, Error *reterr) {
        OciMade *made = m->made;

        int r = copy_config(m, reterr);
        if (r >= 0)
                r = runtime_spec_read(made->container.dir_fd, "config.json", &made->spec, reterr);
        if (r >= 0)
                r = runtime_spec_check(&made->spec, reterr);
        if (r >= 0)
                r = oci_annotations_check(&made->spec, reterr);
        if (r >= 0)
                r = oci_spec_complete(&made->spec, reterr);
        if (r >= 0)
                r = check_terminal(m, reterr);
        if (r >= 0 && m->foreground && made->spec.process.terminal)
                foreground_size(&made->spec.process.console_height, &made->spec.process.console_width);
        if (r >= 0)
                r = fill_record(m, reterr);
        if (r >= 0)
                r = oci_host_mounts_plan(&made->spec, &made->container.record, reterr);
        if (r >= 0)
                strip_root(&made->spec, made->container.record.rootfs);
        if (r >= 0)
                r = notify_socket_prepare(&made->root, &made->container, &made->spec, reterr);
        if (r >= 0)
                r = runtime_cgroup_plan(&made->spec, made->container.id, global_cgroup_driver(&m->in->global),
                                        global_is_rootless(&m->in->global), &made->container.record.cgroup, reterr);
        return r < 0 ? r : oci_container_save(&made->container, reterr);
}

static int create(const Making *m, Error *reterr) {
        OciMade *made = m->made;
        const CreateOptions *o = m->options;
        _cleanup_seccomp_filter_ SeccompFilter filter = SECCOMP_FILTER_NULL;
        _cleanup_fd_ int state_fd = -EBADF, console = -EBADF, pidfd_socket = -EBADF, listener = -EBADF;

        int r = state_fd = oci_container_open_directory(&made->container, reterr);
        if (r >= 0)
                r = oci_connect(o->console_socket, "--console-socket", &console, reterr);
        if (r >= 0)
                r = oci_connect(o->pidfd_socket ?: oci_pidfd_receiver(&made->spec), o->pidfd_socket ? "--pidfd-socket" : "receiver of the pidfd",
                                &pidfd_socket, reterr);
        if (r >= 0)
                r = oci_seccomp_prepare(&made->spec, made->root.fd, &filter, reterr);
        if (r >= 0)
                r = oci_seccomp_connect(&made->spec, &filter, &listener, reterr);
        OciCreate c = {
                .spec = &made->spec, .id = made->container.id, .bundle = m->bundle, .bundle_fd = m->bundle_fd, .state_fd = state_fd,
                .cgroup = &made->container.record.cgroup, .filter = &filter, .listener_fd = listener, .console_fd = console,
                .pidfd_socket_fd = pidfd_socket, .listen_fds = oci_listen_fds(), .preserve_fds = (int) o->preserve_fds,
                .no_pivot = o->no_pivot, .no_new_keyring = o->no_new_keyring, .die_with_caller = m->foreground && made->spec.process.terminal,
                .record = record_process, .record_data = &made->container,
        };
        if (r >= 0)
                r = oci_check_preserved(o->preserve_fds, reterr);
        return r < 0 ? r : oci_create(&c, &made->init, reterr);
}

static int make_container(const Making *m, Error *reterr) {
        OciMade *made = m->made;

        int r = plan(m, reterr);
        if (r >= 0)
                r = create(m, reterr);
        if (r >= 0)
                made->container.pidfd = fcntl(made->init.pidfd, F_DUPFD_CLOEXEC, 3);
        if (r >= 0 && m->options->pid_file)
                r = oci_write_pid_file(m->options->pid_file, made->init.pid, reterr);
        if (r >= 0)
                r = oci_container_commit(&made->container, reterr);
        return r;
}

int oci_make(const Invocation *in, const CreateOptions *options, bool foreground, OciMade *ret, Error *reterr) {
        _cleanup_oci_made_ OciMade made = OCI_MADE_NULL;
        Making m = { .in = in, .options = options, .foreground = foreground, .bundle_fd = -EBADF, .made = &made };

        int r = open_bundle(&m, reterr);
        if (r >= 0)
                r = oci_id_check(in->arguments[0], reterr);
        if (r >= 0)
                r = oci_root_open(&in->global, /* make= */ true, &made.root, reterr);
        if (r >= 0)
                r = oci_container_make(&made.root, in->arguments[0], &made.container, reterr);
        if (r >= 0) {
                r = make_container(&m, reterr);
                if (r < 0 && made.container.record.pid > 0)
                        (void) oci_unmake(&made.container, /* reterr= */ NULL);
                else if (r < 0) {
                        (void) oci_host_mounts_remove(&made.container.record, /* reterr= */ NULL);
                        (void) oci_container_remove(&made.container, /* reterr= */ NULL);
                }
        }
        free(m.bundle);
        (void) fd_close(m.bundle_fd);
        if (r < 0)
                return r;
        *ret = made;
        made = OCI_MADE_NULL;
        return 0;
}
