/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets as files: in a tmpfs of the container's own on /run/secrets, so that their bytes are on no disk, in no layer and in
 * no other mount namespace. Those with a target elsewhere are mounted there, out of the same tmpfs. */
#include "proc/init.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "proc/mount.h"

#define SECRETS "/run/secrets"

enum { PAGE = 4096, SIZE_SPARE = 256 * 1024 /* directories, and what the container writes there itself */ };

static int make_tmpfs(const Init *init, Error *reterr) {
        uint64_t size = SIZE_SPARE;
        char text[32];

        for (size_t i = 0; i < init->plan->n_secrets; i++)
                size += init->plan->secrets[i].content.size + PAGE;
        (void) snprintf(text, sizeof(text), "%llu", (unsigned long long) size);
        const MountOption options[] = { { "mode", "0755" }, { "size", text }, {} };
        return mount_new("tmpfs", "tmpfs", options, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, reterr);
}

/* Where it lies in the tmpfs; NULL: its target is elsewhere. Borrowed from the target. */
static const char *place_in_tmpfs(const Init *init, const SecretPlan *secret) {
        if (init->plan->secrets_apart)
                return NULL;
        return *secret->target == '/' ? str_after(secret->target, SECRETS "/") : secret->target;
}

static int write_file(int directory, const char *path, const SecretPlan *secret, Error *reterr) {
        _cleanup_free_ char *above = strndup(path, (size_t) (path_basename(path) - path));

        if (!above)
                return error_oom(reterr);
        _cleanup_fd_ int parent = *above ? path_mkdirs_in_root(directory, above, 0755, (uid_t) -1, (gid_t) -1)
                                         : fcntl(directory, F_DUPFD_CLOEXEC, 3);
        if (parent < 0)
                return error_set_errno(reterr, *above ? parent : -errno, "cannot make its directory");
        /* two of the same target: the later one stands, as in Podman */
        _cleanup_fd_ int fd = openat(parent, path_basename(path), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot make the file");
        int r = io_write_full(fd, secret->content.data, secret->content.size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write the file");
        if (fchown(fd, secret->uid, secret->gid) < 0) {
                r = -errno;
                (void) error_set_errno(reterr, r, "cannot give it to %u:%u", secret->uid, secret->gid);
                if (r == -EINVAL)
                        error_hint(reterr, "the container's ID map has to have both");
                return r;
        }
        return fchmod(fd, secret->mode) < 0 ? error_set_errno(reterr, -errno, "cannot set its mode") : 0;
}

/* Those with a target elsewhere lie in the tmpfs for a moment by their number, and are cloned from there. */
static char *name_of_clone(size_t i) {
        return str_format(".secret-%zu", i);
}

static int write_all(const Init *init, int directory, int *clones, Error *reterr) {
        for (size_t i = 0; i < init->plan->n_secrets; i++) {
                const SecretPlan *secret = &init->plan->secrets[i];
                const char *place = place_in_tmpfs(init, secret);
                _cleanup_free_ char *name = place ? NULL : name_of_clone(i);

                if (!place && !name)
                        return error_oom(reterr);
                int r = write_file(directory, place ?: name, secret, reterr);
                if (r >= 0 && !place)
                        r = clones[i] = mount_clone(directory, name, /* recursive= */ false, reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot mount a secret on '%s'", secret->target);
        }
        return 0;
}

/* Takes the tmpfs off again, and shows what it covered; the clones of its files stay. */
static int take_off(int directory, Error *reterr) {
        int r = fchdir(directory) < 0 || umount2(".", MNT_DETACH) < 0 ? -errno : 0;

        if (chdir("/") < 0 && r >= 0)
                r = -errno;
        return r < 0 ? error_set_errno(reterr, r, "cannot take the tmpfs off '" SECRETS "'") : 0;
}

static int attach(const Init *init, int file, const SecretPlan *secret, Error *reterr) {
        _cleanup_free_ char *path = *secret->target == '/' ? path_simplify(secret->target)
                                                           : str_format(SECRETS "/%s", secret->target);
        _cleanup_fd_ int target = path ? init_open_target(init, path, /* as_file= */ true, reterr) : error_oom(reterr);

        if (target < 0)
                return target;
        int r = init_check_target(init, target, reterr);
        if (r >= 0 && init->plan->rootfs.read_only)
                r = mount_set(file, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr);
        return r < 0 ? r : mount_attach(file, target, reterr);
}

static int attach_all(const Init *init, int directory, const int *clones, Error *reterr) {
        for (size_t i = 0; i < init->plan->n_secrets; i++) {
                _cleanup_free_ char *name = name_of_clone(i);

                if (clones[i] < 0)
                        continue;
                int r = attach(init, clones[i], &init->plan->secrets[i], reterr);
                if (r < 0)
                        return error_prefix(reterr, r, "cannot mount a secret on '%s'", init->plan->secrets[i].target);
                if (name)
                        (void) unlinkat(directory, name, 0); /* the mount holds the file */
        }
        return 0;
}

static int fill(const Init *init, int directory, Error *reterr) {
        size_t n = init->plan->n_secrets;
        _cleanup_free_ int *clones = malloc(n * sizeof(int));

        if (!clones)
                return error_oom(reterr);
        for (size_t i = 0; i < n; i++)
                clones[i] = -EBADF;
        int r = write_all(init, directory, clones, reterr);
        if (r >= 0 && init->plan->secrets_apart)
                r = take_off(directory, reterr);
        if (r >= 0)
                r = attach_all(init, directory, clones, reterr);
        for (size_t i = 0; i < n; i++)
                (void) fd_close(clones[i]);
        return r;
}

int init_mount_secrets(Init *init, Error *reterr) {
        if (init->plan->n_secrets == 0)
                return 0;
        _cleanup_fd_ int tmpfs = make_tmpfs(init, reterr), target = -EBADF, directory = -EBADF;
        if (tmpfs < 0)
                return tmpfs;
        target = init_open_target(init, SECRETS, /* as_file= */ false, reterr);
        if (target < 0)
                return target;
        /* attached first: only a mount of this namespace can be cloned from (open_tree(2)) */
        int r = init_check_target(init, target, reterr);
        if (r >= 0)
                r = mount_attach(tmpfs, target, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot mount '" SECRETS "'");
        directory = openat(tmpfs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (directory < 0)
                return error_set_errno(reterr, -errno, "cannot open '" SECRETS "'");
        r = fill(init, directory, reterr);
        if (r >= 0 && init->plan->rootfs.read_only && !init->plan->secrets_apart)
                r = mount_set(tmpfs, MOUNT_ATTR_RDONLY, 0, /* recursive= */ false, reterr);
        return r;
}
