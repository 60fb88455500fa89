/* SPDX-License-Identifier: Apache-2.0 */
/* A config.json that people and test suites change to their needs. Other programs parse and patch what runc writes, so the members, their order
 * and the tabs are runc's. */
#include "oci/spec-template.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/json.h"
#include "base/str.h"
#include "cgroup/hierarchy.h"

#define CAPABILITIES "[\"CAP_AUDIT_WRITE\",\"CAP_KILL\",\"CAP_NET_BIND_SERVICE\"]"
#define MOUNT(destination, type, source, options) \
        "{\"destination\":\"" destination "\",\"type\":\"" type "\",\"source\":\"" source "\"" options "}"

static const char template_head[] =
        "{\"ociVersion\":\"1.3.0\",\"process\":{\"terminal\":true,\"user\":{\"uid\":0,\"gid\":0},\"args\":[\"sh\"],"
        "\"env\":[\"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\",\"TERM=xterm\"],\"cwd\":\"/\","
        "\"capabilities\":{\"bounding\":" CAPABILITIES ",\"effective\":" CAPABILITIES ",\"permitted\":" CAPABILITIES "},"
        "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"hard\":1024,\"soft\":1024}],\"noNewPrivileges\":true},"
        "\"root\":{\"path\":\"rootfs\",\"readonly\":true},\"hostname\":\"sdpod-oci\",\"mounts\":["
        MOUNT("/proc", "proc", "proc", "") ","
        MOUNT("/dev", "tmpfs", "tmpfs", ",\"options\":[\"nosuid\",\"strictatime\",\"mode=755\",\"size=65536k\"]") ",";

static const char template_mounts[] =
        MOUNT("/dev/shm", "tmpfs", "shm", ",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"mode=1777\",\"size=65536k\"]") ","
        MOUNT("/dev/mqueue", "mqueue", "mqueue", ",\"options\":[\"nosuid\",\"noexec\",\"nodev\"]") ",";

static const char template_end[] =
        MOUNT("/sys/fs/cgroup", "cgroup", "cgroup", ",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"relatime\",\"ro\"]") "],";

static const char template_paths[] =
        "\"maskedPaths\":[\"/proc/acpi\",\"/proc/asound\",\"/proc/kcore\",\"/proc/keys\",\"/proc/latency_stats\",\"/proc/timer_list\","
        "\"/proc/timer_stats\",\"/proc/sched_debug\",\"/sys/firmware\",\"/proc/scsi\",\"/sys/devices/virtual/tpm\"],"
        "\"readonlyPaths\":[\"/proc/bus\",\"/proc/fs\",\"/proc/irq\",\"/proc/sys\",\"/proc/sysrq-trigger\"]}}";

/* What root and an ordinary user have each in their own way: the terminals' group is not mapped, a new sysfs and a new cgroup are not theirs. */
static const char pts_root[] =
        MOUNT("/dev/pts", "devpts", "devpts", ",\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\",\"gid=5\"]") ",";
static const char pts_user[] =
        MOUNT("/dev/pts", "devpts", "devpts", ",\"options\":[\"nosuid\",\"noexec\",\"newinstance\",\"ptmxmode=0666\",\"mode=0620\"]") ",";
static const char sys_root[] = MOUNT("/sys", "sysfs", "sysfs", ",\"options\":[\"nosuid\",\"noexec\",\"nodev\",\"ro\"]") ",";
static const char sys_user[] = MOUNT("/sys", "none", "/sys", ",\"options\":[\"rbind\",\"nosuid\",\"noexec\",\"nodev\",\"ro\"]") ",";

static char *linux_section(bool rootless) {
        static const char map[] = "[{\"containerID\":0,\"hostID\":%u,\"size\":1}]";
        _cleanup_free_ char *uid_map = str_format(map, geteuid()), *gid_map = str_format(map, getegid()), *head = NULL;

        if (!uid_map || !gid_map)
                return NULL;
        head = rootless ? str_format("\"uidMappings\":%s,\"gidMappings\":%s", uid_map, gid_map)
                        : strdup("\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]}");
        if (!head)
                return NULL;
        return str_format("\"linux\":{%s,\"namespaces\":[{\"type\":\"pid\"},%s{\"type\":\"ipc\"},{\"type\":\"uts\"},{\"type\":\"mount\"}%s%s],%s",
                          head, rootless ? "" : "{\"type\":\"network\"},", cgroup_is_unified() ? ",{\"type\":\"cgroup\"}" : "",
                          rootless ? ",{\"type\":\"user\"}" : "", template_paths);
}

/* With a tab for each level, as Go's encoder is told to. */
static char *indent(const char *compact) {
        _cleanup_json_ json_t *json = json_loads(compact, 0, NULL);
        char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;

        for (char *p = text; p && *p; p++)
                if (*p == '\n')
                        while (p[1] == ' ')
                                *++p = '\t';
        return text;
}

int oci_spec_template_write(int bundle_fd, bool rootless, Error *reterr) {
        _cleanup_free_ char *section = linux_section(rootless), *compact = NULL, *text = NULL;
        _cleanup_fd_ int fd = -EBADF;

        if (section)
                compact = str_format("%s%s%s%s%s%s", template_head, rootless ? pts_user : pts_root, template_mounts, rootless ? sys_user : sys_root,
                                     template_end, section);
        text = compact ? indent(compact) : NULL;
        if (!text)
                return error_oom(reterr);
        fd = openat(bundle_fd, "config.json", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd < 0 && errno == EEXIST)
                return error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot write config.json: File config.json exists. Remove it first");
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot write config.json");
        int r = io_write_full(fd, text, strlen(text));
        if (r >= 0)
                r = io_write_full(fd, "\n", 1);
        if (r >= 0)
                return 0;
        (void) unlinkat(bundle_fd, "config.json", 0);
        return error_set_errno(reterr, r, "cannot write config.json");
}
