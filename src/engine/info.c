/* SPDX-License-Identifier: Apache-2.0 */
/* Collects what `info` shows. Nothing here is needed to run a container, so nothing here fails for a fact that is
 * missing. */
#include "engine/info.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "base/io.h"
#include "base/process.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"
#include "cgroup/manager.h"
#include "config.h"
#include "image/store.h"
#include "ns/idmap.h"
#include "proc/caps.h"
#include "spec/descriptor.h"
#include "state/container.h"
#include "storage/rootfs.h"

/* A value that may be NULL (out of memory, not found): the key is then left out. */
static void set(json_t *object, const char *key, json_t *value) {
        if (value)
                (void) json_object_set_new_nocheck(object, key, value);
}

static json_t *text_or_empty(const char *s) {
        return json_text(s ?: "");
}

/* "KEY=value" or "KEY:   value" of a small file; owned. */
static char *read_key(const char *path, const char *key) {
        _cleanup_free_ char *text = NULL;
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        size_t n = strlen(key);

        if (fd < 0 || io_read_all(fd, 64 * 1024, &text, NULL) < 0)
                return NULL;
        for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                if (strncmp(line, key, n) != 0 || (line[n] != '=' && line[n] != ':'))
                        continue;
                const char *value = line + n + 1;
                value += strspn(value, " \t\"");
                return strndup(value, strcspn(value, "\"\n"));
        }
        return NULL;
}

static void set_memory(json_t *host, const char *key, const char *line) {
        _cleanup_free_ char *text = read_key("/proc/meminfo", line);

        if (text)
                set(host, key, json_integer(strtoll(text, NULL, 10) * 1024));
}

static json_t *distribution(void) {
        _cleanup_free_ char *id = read_key("/etc/os-release", "ID"),
                            *version = read_key("/etc/os-release", "VERSION_ID"),
                            *codename = read_key("/etc/os-release", "VERSION_CODENAME");
        json_t *object = json_object();

        set(object, "distribution", json_text(id ?: "unknown"));
        set(object, "version", json_text(version ?: "unknown"));
        if (codename)
                set(object, "codename", json_text(codename));
        return object;
}

static json_t *id_map(const IdMap *map) {
        json_t *array = json_array();

        for (size_t i = 0; i < map->n; i++)
                (void) json_array_append_new(array, json_pack("{s:I, s:I, s:I}", "container_id",
                                                              (json_int_t) map->ranges[i].container_id, "host_id",
                                                              (json_int_t) map->ranges[i].host_id, "size",
                                                              (json_int_t) map->ranges[i].size));
        return array;
}

static json_t *id_mappings(void) {
        _cleanup_user_map_ UserMap map = {};
        json_t *object = json_object();

        if (user_map_default(&map, NULL) < 0 || map.host) {
                set(object, "gidmap", json_null());
                set(object, "uidmap", json_null());
        } else {
                set(object, "gidmap", id_map(&map.gid));
                set(object, "uidmap", id_map(&map.uid));
        }
        return object;
}

/* Those that containers can be limited by: what the manager may hand out, or what this process's cgroup has. */
static json_t *controllers(bool manager_there) {
        _cleanup_strv_ char **words = NULL;
        _cleanup_free_ char *path = NULL;
        _cleanup_manager_ Manager manager = MANAGER_NULL;

        if (manager_there && manager_connect(&manager, NULL) >= 0)
                (void) manager_controllers(&manager, &words, NULL);
        else if (process_cgroup(0, &path) >= 0) {
                _cleanup_fd_ int fd = cgroup_open(path, NULL);

                if (fd >= 0)
                        (void) cgroup_controllers(fd, &words);
        }
        return json_from_strv(words);
}

static json_t *security(void) {
        _cleanup_strv_ char **caps = caps_to_strv(caps_default());
        _cleanup_free_ char *text = caps ? strv_join(caps, ",") : NULL;

        return json_pack("{s:b, s:o, s:b, s:b, s:s, s:b}", "apparmorEnabled", 0, "capabilities", text_or_empty(text),
                         "rootless", geteuid() != 0, "seccompEnabled", 1, "seccompProfilePath", "", "selinuxEnabled",
                         0);
}

/* Go's duration, as Podman shows it: "26h 3m 5.00s (Approximately 1.08 days)". */
static json_t *uptime(void) {
        struct timespec t;
        char text[96];

        if (clock_gettime(CLOCK_BOOTTIME, &t) < 0)
                return NULL;
        long long hours = t.tv_sec / 3600;
        int n = snprintf(text, sizeof(text), "%lldh %lldm %.2fs", hours, (long long) t.tv_sec / 60 % 60,
                         (double) (t.tv_sec % 60));
        if (hours >= 24)
                (void) snprintf(text + n, sizeof(text) - (size_t) n, " (Approximately %.2f days)",
                                (double) t.tv_sec / 86400);
        return json_string(text);
}

static double percent(unsigned long long part, unsigned long long whole) {
        unsigned long long hundredths = whole > 0 ? part * 10000 / whole : 0;

        return (double) hundredths / 100;
}

/* Since boot, of all processors together: proc(5), /proc/stat. */
static json_t *cpu_utilization(void) {
        unsigned long long user = 0, nice = 0, system = 0, idle = 0;
        FILE *f = fopen("/proc/stat", "re");
        bool known = f && fscanf(f, "cpu %llu %llu %llu %llu", &user, &nice, &system, &idle) == 4;
        unsigned long long total = user + system + idle;

        if (f)
                fclose(f);
        return !known ? NULL
                      : json_pack("{s:f, s:f, s:f}", "idlePercent", percent(idle, total), "systemPercent",
                                  percent(system, total), "userPercent", percent(user, total));
}

/* What Podman says of the programs that it needs and sdpod does without. */
static void set_absent(json_t *object) {
        set(object, "buildahVersion", json_string(""));
        set(object, "conmon", json_pack("{s:s, s:s, s:s}", "package", "", "path", "", "version", ""));
        set(object, "remoteSocket", json_pack("{s:s}", "path", ""));
        set(object, "slirp4netns", json_pack("{s:s, s:s, s:s}", "executable", "", "package", "", "version", ""));
}

static json_t *host(void) {
        struct utsname name = {};
        bool manager = manager_is_there();
        json_t *object = json_object();
        _cleanup_fd_ int cgroup = cgroup_open_root();

        (void) uname(&name);
        set(object, "arch", json_text(platform_host_architecture()));
        set(object, "cgroupControllers", controllers(manager));
        set(object, "cgroupManager", json_string(manager ? "systemd" : "disabled"));
        set(object, "cgroupVersion", json_string(cgroup >= 0 ? "v2" : "v1"));
        set(object, "cpuUtilization", cpu_utilization());
        set(object, "cpus", json_integer(sysconf(_SC_NPROCESSORS_ONLN)));
        set(object, "distribution", distribution());
        set(object, "eventLogger", json_string("file"));
        set(object, "hostname", json_text(name.nodename));
        set(object, "idMappings", id_mappings());
        set(object, "kernel", json_text(name.release));
        set(object, "linkmode", json_string("dynamic"));
        set(object, "logDriver", json_string("k8s-file")); /* of containers from the command line; units log to the journal */
        set_memory(object, "memFree", "MemFree");
        set_memory(object, "memTotal", "MemTotal");
        set(object, "networkBackend", json_string("slirp"));
        set(object, "ociRuntime",
            json_pack("{s:s, s:s, s:s, s:s}", "name", "sdpod", "package", "", "path", "", "version",
                      "sdpod version " SDPOD_VERSION));
        set(object, "os", json_string("linux"));
        set(object, "security", security());
        set(object, "serviceIsRemote", json_false());
        set_memory(object, "swapFree", "SwapFree");
        set_memory(object, "swapTotal", "SwapTotal");
        set_absent(object);
        set(object, "uptime", uptime());
        return object;
}

static const char *file_system_name(long type) {
        static const struct {
                long magic;
                const char *name;
        } names[] = {
                { BTRFS_SUPER_MAGIC, "btrfs" }, { EXT4_SUPER_MAGIC, "extfs" }, { NFS_SUPER_MAGIC, "nfs" },
                { OVERLAYFS_SUPER_MAGIC, "overlayfs" }, { TMPFS_MAGIC, "tmpfs" }, { XFS_SUPER_MAGIC, "xfs" },
                { 0x2fc12fc1, "zfs" }, { FUSE_SUPER_MAGIC, "fuse" },
        };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (names[i].magic == type)
                        return names[i].name;
        return "<unknown>";
}

static int container_counts(const Store *store, json_t **ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL;
        json_int_t number = 0, paused = 0, running = 0, stopped = 0;
        int r = container_list(store, &ids, reterr);

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_ Container container = CONTAINER_NULL;

                if (container_load(store, *id, &container, NULL) < 0)
                        continue; /* removed meanwhile, or damaged: ps says which */
                number++;
                if (container.status == CONTAINER_RUNNING)
                        running++;
                else if (container.status == CONTAINER_PAUSED)
                        paused++;
                else
                        stopped++;
        }
        if (r < 0)
                return r;
        *ret = json_pack("{s:I, s:I, s:I, s:I}", "number", number, "paused", paused, "running", running, "stopped",
                         stopped);
        return *ret ? 0 : error_oom(reterr);
}

static void set_driver(json_t *object, const Store *store, const char *wanted) {
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_free_ char *reason = NULL;
        StorageDriver driver;

        if (storage_driver_choose(store, wanted, &driver, &reason, &error) < 0) {
                set(object, "graphDriverName", json_string("none"));
                set(object, "graphDriverReason", text_or_empty(error.message));
                return;
        }
        set(object, "graphDriverName", json_string(storage_driver_to_string(driver)));
        set(object, "graphDriverReason", text_or_empty(reason));
}

static void set_space(json_t *object, const Store *store) {
        struct statvfs space;
        struct statfs fs;

        if (fstatfs(store->data_fd, &fs) >= 0)
                set(object, "graphStatus",
                    json_pack("{s:s}", "Backing Filesystem", file_system_name((long) fs.f_type)));
        if (fstatvfs(store->data_fd, &space) < 0)
                return;
        set(object, "graphRootAllocated", json_integer((json_int_t) (space.f_blocks * space.f_frsize)));
        set(object, "graphRootUsed", json_integer((json_int_t) ((space.f_blocks - space.f_bfree) * space.f_frsize)));
}

static int store_part(const Store *store, const char *wanted_driver, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *object = json_object();
        _cleanup_free_ char *volumes = str_format("%s/volumes", store->data_path);
        json_t *counts = NULL;
        ImageInfo *images = NULL;
        size_t n_images = 0;
        int r = container_counts(store, &counts, reterr);

        if (r < 0)
                return r;
        set(object, "configFile", json_string(""));
        set(object, "containerStore", counts);
        set_driver(object, store, wanted_driver);
        set(object, "graphOptions", json_object());
        set(object, "graphRoot", json_text(store->data_path));
        set_space(object, store);
        set(object, "imageCopyTmpDir", json_text(store->data_path));
        r = image_store_list(store, &images, &n_images, reterr);
        if (r < 0)
                return r;
        image_info_free_many(images, n_images);
        set(object, "imageStore", json_pack("{s:I}", "number", (json_int_t) n_images));
        set(object, "runRoot", json_text(store->runtime_path));
        set(object, "volumePath", text_or_empty(volumes));
        *ret = TAKE_PTR(object);
        return 0;
}

int engine_info(const Store *store, const char *wanted_driver, json_t **ret, Error *reterr) {
        _cleanup_json_ json_t *object = json_object();
        json_t *part = NULL;
        int r = store_part(store, wanted_driver, &part, reterr);

        if (r < 0)
                return r;
        set(object, "host", host());
        set(object, "store", part);
        if (json_object_size(object) != 2)
                return error_oom(reterr);
        *ret = TAKE_PTR(object);
        return 0;
}
