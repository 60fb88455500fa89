/* SPDX-License-Identifier: Apache-2.0 */
/* Where images and containers lie, and what protects and fills it. */
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/time.h"
#include "engine/doctor-check.h"
#include "engine/network-restart.h"
#include "state/network.h"
#include "state/pending.h"
#include "state/secret.h"
#include "storage/rootfs.h"

#define GIB (1024ULL * 1024 * 1024)

static const struct {
        uint32_t magic;
        const char *name, *cost; /* cost NULL: none */
} file_systems[] = {
        { EXT4_SUPER_MAGIC, "ext4", NULL },
        { XFS_SUPER_MAGIC, "xfs", NULL },
        { BTRFS_SUPER_MAGIC, "btrfs", NULL },
        { F2FS_SUPER_MAGIC, "f2fs", NULL },
        { TMPFS_MAGIC, "tmpfs", "all of it is in memory, and gone at the next boot" },
        { OVERLAYFS_SUPER_MAGIC, "overlay", "the kernel does not put overlays on one another: fuse-overlayfs or copies are used" },
        { NFS_SUPER_MAGIC, "nfs", "owners of files in images, and locks, do not work as they must" },
        { SMB2_SUPER_MAGIC, "cifs", "owners of files in images do not work" },
        { V9FS_MAGIC, "9p", "owners of files in images do not work" },
        { ECRYPTFS_SUPER_MAGIC, "ecryptfs", "the kernel's overlay does not work on it" },
};

void doctor_store(const Doctor *doctor, Finding *f) {
        struct statfs about;

        if (!doctor->store) {
                finding_say(f, DOCTOR_PROBLEM, "%s", doctor->store_error->message ?: "it cannot be opened");
                finding_cost(f, "nothing works");
                finding_fix(f, "%s", doctor->store_error->hint ?: "make the directory yours, with mode 0700; or name another one: --root");
                return;
        }
        if (fstatfs(doctor->store->data_fd, &about) < 0) {
                finding_say(f, DOCTOR_PROBLEM, "'%s': %s", doctor->store->data_path, strerror(errno));
                return;
        }
        finding_say(f, DOCTOR_OK, "'%s'", doctor->store->data_path);
        for (size_t i = 0; i < ELEMENTSOF(file_systems); i++) {
                if ((uint32_t) about.f_type != file_systems[i].magic)
                        continue;
                finding_say(f, file_systems[i].cost ? DOCTOR_WARNING : DOCTOR_OK, "'%s' on %s", doctor->store->data_path, file_systems[i].name);
                if (file_systems[i].cost) {
                        finding_cost(f, "%s", file_systems[i].cost);
                        finding_fix(f, "keep it on a local disk: --root DIRECTORY, or XDG_DATA_HOME");
                }
        }
}

void doctor_space(const Doctor *doctor, Finding *f) {
        struct statvfs about;

        if (!doctor->store || fstatvfs(doctor->store->data_fd, &about) < 0) {
                finding_say(f, DOCTOR_WARNING, "unknown: there is no store");
                return;
        }
        unsigned long long bytes = (unsigned long long) about.f_bavail * about.f_frsize;
        unsigned long long inodes = about.f_files > 0 ? about.f_favail : UINT64_MAX; /* btrfs does not count them */
        bool full = bytes < GIB / 100 || inodes < 1000, little = bytes < GIB || inodes < 50000;

        if (inodes == UINT64_MAX)
                finding_say(f, full ? DOCTOR_PROBLEM : little ? DOCTOR_WARNING : DOCTOR_OK, "%.1f GiB are free", (double) bytes / GIB);
        else
                finding_say(f, full ? DOCTOR_PROBLEM : little ? DOCTOR_WARNING : DOCTOR_OK, "%.1f GiB and %llu files are free",
                            (double) bytes / GIB, inodes);
        if (!full && !little)
                return;
        finding_cost(f, full ? "no image can be pulled, and containers cannot write" : "the next image may not fit");
        finding_fix(f, "sdpod system df; sdpod system prune");
}

void doctor_driver(const Doctor *doctor, Finding *f) {
        _cleanup_free_ char *reason = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        StorageDriver driver;

        if (!doctor->store) {
                finding_say(f, DOCTOR_WARNING, "unknown: there is no store");
                return;
        }
        int r = storage_driver_choose(doctor->store, doctor->wanted_driver, &driver, &reason, &error);
        if (r < 0) {
                finding_say(f, DOCTOR_PROBLEM, "%s", error.message ?: strerror(-r));
                finding_cost(f, "containers do not start");
                return;
        }
        const char *name = storage_driver_to_string(driver);
        if (driver == STORAGE_OVERLAY) {
                finding_say(f, DOCTOR_OK, "%s", name);
                return;
        }
        finding_say(f, driver == STORAGE_VFS ? DOCTOR_PROBLEM : DOCTOR_WARNING, "%s%s%s", name, reason ? ": " : "", reason ?: "");
        finding_cost(f, driver == STORAGE_VFS ? "each container is a copy of its image: slow, and the disk fills"
                                              : "files in containers are slower, and each container has a process for them");
        finding_fix(f, driver == STORAGE_VFS ? "a store on ext4, xfs or btrfs and Linux 5.11 or later; else: sudo apt-get install fuse-overlayfs"
                                             : "a store on ext4, xfs or btrfs, and Linux 5.11 or later");
}

void doctor_fuse(const Doctor *doctor, Finding *f) {
        _cleanup_fd_ int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
        int code = fd < 0 ? errno : 0;

        if (doctor->root) {
                finding_say(f, DOCTOR_OK, "root needs none");
                return;
        }
        if (code == 0 && access("/usr/bin/fuse-overlayfs", X_OK) == 0) {
                finding_say(f, DOCTOR_OK, "there");
                return;
        }
        finding_cost(f, "containers with an ID map of their own (--userns keep-id, auto, --uidmap) do not start");
        if (code != 0) {
                finding_say(f, DOCTOR_WARNING, "/dev/fuse: %s", strerror(code));
                finding_fix(f, code == EACCES ? "sudo chmod 666 /dev/fuse" : "sudo modprobe fuse");
        } else {
                finding_say(f, DOCTOR_WARNING, "the program is not there");
                finding_fix(f, "sudo apt-get install fuse-overlayfs");
        }
}

/* What commands left that were killed in the middle: of when is the latest? */
void doctor_unfinished(const Doctor *doctor, Finding *f) {
        _cleanup_strv_ char **ids = NULL;
        size_t n = 0;
        time_t latest = 0;

        if (!doctor->store || pending_list(doctor->store, &ids, /* reterr= */ NULL) < 0) {
                finding_say(f, DOCTOR_WARNING, "unknown: there is no store");
                return;
        }
        for (char **id = ids; id && *id; id++) {
                _cleanup_free_ char *path = str_format("pending/%s", *id);
                _cleanup_fd_ int fd = pending_try(doctor->store, *id);
                struct stat st;

                if (fd < 0 || !path || fstatat(doctor->store->data_fd, path, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        continue; /* somebody is at it */
                n++;
                latest = MAX(latest, st.st_mtim.tv_sec);
        }
        if (n == 0) {
                finding_say(f, DOCTOR_OK, "none");
                return;
        }
        _cleanup_free_ char *when = time_format_rfc3339((int64_t) latest * 1000000);
        finding_say(f, DOCTOR_WARNING, "%zu containers that a killed command left, the latest at %s", n, when ?: "?");
        finding_cost(f, "their files lie about until the next container is made");
        finding_fix(f, "sdpod container prune -f");
}

void doctor_secrets(const Doctor *doctor, Finding *f) {
        _cleanup_secret_memory_ SecretMemory content = SECRET_MEMORY_NULL;
        _cleanup_secret_ Secret secret = { .id = strdup("doctor"), .name = strdup("doctor") };
        _cleanup_free_ char *key = NULL;

        if (!secret.id || !secret.name || secret_memory_new(1, &content) < 0)
                return;
        content.size = 1;
        if (secret_seal(&secret, &content, SECRET_BY_CREDS, /* reterr= */ NULL) >= 0) {
                finding_say(f, DOCTOR_OK, "encrypted by systemd-creds");
                return;
        }
        (void) secret_key_path(&key, /* reterr= */ NULL);
        finding_say(f, DOCTOR_OK, "encrypted under the key '%s', which is no more hidden than your other files", key ?: "?");
        if (!doctor->root)
                finding_fix(f, "systemd 256 or later keeps a key for you that only the system can use");
}

/* The first network whose record cannot be read. Owned; NULL: none. */
static char *damaged_network(const Store *store, char **ret_why) {
        _cleanup_strv_ char **names = NULL;

        if (network_list(store, &names, /* reterr= */ NULL) < 0)
                return NULL;
        for (char **name = names; *name; name++) {
                _cleanup_network_config_ NetworkConfig network = NETWORK_CONFIG_NULL;
                _cleanup_error_ Error error = ERROR_NULL;
                int r = network_load(store, *name, &network, &error);

                if (r >= 0 || r == -ENOENT)
                        continue;
                *ret_why = TAKE_PTR(error.message);
                return strdup(*name);
        }
        return NULL;
}

void doctor_networks(const Doctor *doctor, Finding *f) {
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        _cleanup_free_ char *name = NULL, *damaged = NULL, *why = NULL;
        size_t n = 0;

        if (!doctor->store || container_lister_open(doctor->store, &lister, /* reterr= */ NULL) < 0) {
                finding_say(f, DOCTOR_WARNING, "unknown: there is no store");
                return;
        }
        for (size_t i = 0; i < lister.n_running; i++) {
                _cleanup_container_ Container container = CONTAINER_NULL;

                if (container_load_listed(&lister, lister.running[i], &container, /* reterr= */ NULL) < 0 || !network_is_down(&container))
                        continue;
                n++;
                if (!name)
                        name = TAKE_PTR(container.config.name);
        }
        if (n == 0 && (damaged = damaged_network(doctor->store, &why))) {
                finding_say(f, DOCTOR_PROBLEM, "%s", why ?: damaged);
                finding_cost(f, "containers in it do not start");
                finding_fix(f, "rm '%s/networks/%s', and sdpod network create", doctor->store->data_path, damaged);
                return;
        }
        if (n == 0) {
                finding_say(f, DOCTOR_OK, "every running container that needs a network process has one");
                return;
        }
        finding_say(f, DOCTOR_PROBLEM, "%zu running containers have lost their network process, '%s' among them", n, name ?: "?");
        finding_cost(f, "nothing reaches them, and they reach nothing");
        finding_fix(f, "sdpod restart %s", name ?: "CONTAINER");
}
