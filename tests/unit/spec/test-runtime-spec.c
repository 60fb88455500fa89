/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "base/test.h"
#include "spec/runtime-spec.h"

/* Every member that the runtime-spec 1.3 has for Linux. */
static const char everything[] =
        "{\n"
        "  \"ociVersion\": \"1.3.0\",\n"
        "  \"process\": {\n"
        "    \"terminal\": true, \"consoleSize\": {\"height\": 24, \"width\": 80},\n"
        "    \"user\": {\"uid\": 1, \"gid\": 2, \"umask\": 0, \"additionalGids\": [5, 6], \"username\": \"x\"},\n"
        "    \"args\": [\"sh\", \"-c\", \"true\"], \"env\": [\"PATH=/bin\", \"E=\"], \"cwd\": \"/\",\n"
        "    \"capabilities\": {\"bounding\": [\"CAP_CHOWN\"], \"effective\": [\"CAP_KILL\"], \"inheritable\": [\"CAP_FOWNER\"],\n"
        "                     \"permitted\": [\"CAP_SETUID\"], \"ambient\": [\"CAP_SETGID\"]},\n"
        "    \"rlimits\": [{\"type\": \"RLIMIT_NOFILE\", \"hard\": 1024, \"soft\": 512}],\n"
        "    \"noNewPrivileges\": true, \"apparmorProfile\": \"p\", \"oomScoreAdj\": 0,\n"
        "    \"scheduler\": {\"policy\": \"SCHED_DEADLINE\", \"nice\": -5, \"priority\": 3, \"flags\": [\"SCHED_FLAG_RECLAIM\"],\n"
        "                  \"runtime\": 1, \"deadline\": 2, \"period\": 3},\n"
        "    \"selinuxLabel\": \"s\", \"ioPriority\": {\"class\": \"IOPRIO_CLASS_BE\", \"priority\": 4},\n"
        "    \"execCPUAffinity\": {\"initial\": \"0-3,7\", \"final\": \"1\"}\n"
        "  },\n"
        "  \"root\": {\"path\": \"rootfs\", \"readonly\": true},\n"
        "  \"hostname\": \"h\", \"domainname\": \"d\",\n"
        "  \"mounts\": [{\"destination\": \"/proc\", \"type\": \"proc\", \"source\": \"proc\", \"options\": [\"nosuid\", \"ro\"],\n"
        "              \"uidMappings\": [{\"containerID\": 1, \"hostID\": 2, \"size\": 3}], \"gidMappings\": [{\"containerID\": 4, \"hostID\": 5, \"size\": 6}]}],\n"
        "  \"hooks\": {\"prestart\": [{\"path\": \"/a\", \"args\": [\"a\", \"b\"], \"env\": [\"K=V\"], \"timeout\": 0}], \"createRuntime\": [{\"path\": \"/b\"}],\n"
        "            \"createContainer\": [{\"path\": \"/c\"}], \"startContainer\": [{\"path\": \"/d\"}], \"poststart\": [{\"path\": \"/e\"}], \"poststop\": [{\"path\": \"/f\"}]},\n"
        "  \"annotations\": {\"org.example.a\": \"1\", \"run.oci.b\": \"\"},\n"
        "  \"linux\": {\n"
        "    \"uidMappings\": [{\"containerID\": 7, \"hostID\": 8, \"size\": 9}], \"gidMappings\": [{\"containerID\": 10, \"hostID\": 11, \"size\": 12}],\n"
        "    \"sysctl\": {\"net.ipv4.ip_forward\": \"1\"},\n"
        "    \"resources\": {\n"
        "      \"devices\": [{\"allow\": true, \"type\": \"c\", \"major\": 0, \"minor\": 5, \"access\": \"rwm\"}],\n"
        "      \"memory\": {\"limit\": 0, \"reservation\": -1, \"swap\": 2, \"kernel\": 3, \"kernelTCP\": 4, \"swappiness\": 0, \"disableOOMKiller\": false,\n"
        "                 \"useHierarchy\": true, \"checkBeforeUpdate\": true},\n"
        "      \"cpu\": {\"shares\": 0, \"quota\": -1, \"burst\": 2, \"period\": 3, \"realtimeRuntime\": 4, \"realtimePeriod\": 5, \"cpus\": \"0\", \"mems\": \"1\", \"idle\": 0},\n"
        "      \"pids\": {\"limit\": 0},\n"
        "      \"blockIO\": {\"weight\": 0, \"leafWeight\": 10, \"weightDevice\": [{\"major\": 8, \"minor\": 1, \"weight\": 0, \"leafWeight\": 11}],\n"
        "                  \"throttleReadBpsDevice\": [{\"major\": 1, \"minor\": 2, \"rate\": 3}], \"throttleWriteBpsDevice\": [{\"major\": 4, \"minor\": 5, \"rate\": 6}],\n"
        "                  \"throttleReadIOPSDevice\": [{\"major\": 7, \"minor\": 8, \"rate\": 9}], \"throttleWriteIOPSDevice\": [{\"major\": 10, \"minor\": 11, \"rate\": 12}]},\n"
        "      \"hugepageLimits\": [{\"pageSize\": \"2MB\", \"limit\": 13}],\n"
        "      \"network\": {\"classID\": 0, \"priorities\": [{\"name\": \"eth0\", \"priority\": 14}]},\n"
        "      \"rdma\": {\"mlx5_1\": {\"hcaHandles\": 0, \"hcaObjects\": 15}},\n"
        "      \"unified\": {\"memory.high\": \"16\"}\n"
        "    },\n"
        "    \"cgroupsPath\": \"/c\", \"namespaces\": [{\"type\": \"pid\"}, {\"type\": \"network\", \"path\": \"/n\"}],\n"
        "    \"devices\": [{\"path\": \"/dev/x\", \"type\": \"c\", \"major\": 1, \"minor\": 2, \"fileMode\": 0, \"uid\": 0, \"gid\": 0}],\n"
        "    \"netDevices\": {\"eth0\": {\"name\": \"c0\"}, \"eth1\": {}},\n"
        "    \"seccomp\": {\"defaultAction\": \"SCMP_ACT_ERRNO\", \"defaultErrnoRet\": 0, \"architectures\": [\"SCMP_ARCH_X86_64\"], \"flags\": [\"SECCOMP_FILTER_FLAG_LOG\"],\n"
        "                \"listenerPath\": \"/l\", \"listenerMetadata\": \"m\",\n"
        "                \"syscalls\": [{\"names\": [\"read\", \"write\"], \"action\": \"SCMP_ACT_ALLOW\", \"errnoRet\": 0,\n"
        "                              \"args\": [{\"index\": 1, \"value\": 2, \"valueTwo\": 3, \"op\": \"SCMP_CMP_EQ\"}]}]},\n"
        "    \"rootfsPropagation\": \"slave\", \"maskedPaths\": [\"/proc/kcore\"], \"readonlyPaths\": [\"/proc/sys\"], \"mountLabel\": \"l\",\n"
        "    \"memoryPolicy\": {\"mode\": \"MPOL_BIND\", \"nodes\": \"0\", \"flags\": [\"MPOL_F_STATIC_NODES\"]},\n"
        "    \"personality\": {\"domain\": \"LINUX32\", \"flags\": [\"X\"]},\n"
        "    \"timeOffsets\": {\"boottime\": {\"secs\": -1, \"nanosecs\": 2}, \"monotonic\": {\"secs\": 3, \"nanosecs\": 4}}\n"
        "  }\n"
        "}\n";

/* A directory with this config.json. */
static int bundle(const char *text) {
        char template[] = "/tmp/test-runtime-spec.XXXXXX";
        int fd;

        CHECK(mkdtemp(template));
        int dir = open(template, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        CHECK((fd = openat(dir, "config.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) >= 0);
        CHECK_INT(io_write_full(fd, text, strlen(text)), 0);
        (void) fd_close(fd);
        return dir;
}

static void forget(int dir) {
        char path[64], target[256];
        (void) unlinkat(dir, "config.json", 0);
        (void) snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
        ssize_t n = readlink(path, target, sizeof(target) - 1);
        if (n > 0) {
                target[n] = 0;
                (void) rmdir(target);
        }
        (void) fd_close(dir);
}

static int read_spec(const char *text, RuntimeSpec *spec, Error *error) {
        int dir = bundle(text), r = runtime_spec_read(dir, "config.json", spec, error);

        forget(dir);
        return r;
}

TEST(nothing_of_a_config_is_lost) {
        _cleanup_json_ json_t *saved = NULL, *expected = NULL;
        _cleanup_runtime_spec_ RuntimeSpec spec;
        _cleanup_error_ Error error = ERROR_NULL;

        CHECK_INT(read_spec(everything, &spec, &error), 0);
        CHECK_INT(json_parse(everything, strlen(everything), "everything", &expected, &error), 0);
        saved = json_fields_save(runtime_spec_fields, &spec);
        CHECK(saved && json_equal(saved, expected));
        CHECK_STR(runtime_spec_namespace(&spec, "network")->path, "/n");
        CHECK(!runtime_spec_namespace(&spec, "user"));
        CHECK_STR(runtime_spec_annotation(&spec, "run.oci.b"), "");
        CHECK_STR(runtime_spec_annotation(&spec, "run.oci"), NULL);
        CHECK_INT(spec.resources.rdma[0].has_hca_handles, 1);
        CHECK_STR(spec.net_devices[1].host_name, "eth1");
        CHECK_STR(spec.net_devices[1].name, NULL);
        CHECK_INT(spec.hooks[HOOK_POSTSTOP].n, 1);
        CHECK_STR(spec.hooks[HOOK_POSTSTOP].items[0].path, "/f");
}

TEST(what_was_not_given_is_told_from_a_zero) {
        static const char text[] = "{\"ociVersion\":\"1.0.0\",\"process\":null,\"linux\":{\"resources\":{\"memory\":{}},\"seccomp\":null,"
                                   "\"intelRdt\":{}},\"windows\":null,\"vm\":{\"hypervisor\":{\"path\":\"/x\"}},\"later\":[1]}";
        _cleanup_runtime_spec_ RuntimeSpec spec;

        CHECK_INT(read_spec(text, &spec, NULL), 0);
        CHECK(!spec.has_process && !spec.has_root && !spec.has_seccomp && !spec.has_windows);
        CHECK(spec.has_intel_rdt && spec.has_vm);
        CHECK(!spec.resources.memory.has_limit && !spec.process.has_capabilities && !spec.process.user.has_umask);
}

TEST(no_limit_of_the_kernel_is_too_large) {
        static const char text[] = "{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"hard\":18446744073709551615,\"soft\":0}]}}";
        _cleanup_runtime_spec_ RuntimeSpec spec;

        CHECK_INT(read_spec(text, &spec, NULL), 0);
        CHECK(spec.process.rlimits[0].hard == UINT64_MAX);
}

TEST(a_wrong_type_is_named_by_its_path) {
        _cleanup_error_ Error error = ERROR_NULL;
        RuntimeSpec spec;

        CHECK_INT(read_spec("{\"linux\":{\"resources\":{\"cpu\":{\"shares\":-1}}}}", &spec, &error), -EBADMSG);
        CHECK_STR(error.message, "cannot read 'config.json': linux: resources: cpu: shares: not of the right type");
        CHECK(!spec.oci_version && !spec.n_mounts);
}

TEST(a_process_comes_from_a_pipe_too) {
        static const char text[] = "{\"args\":[\"ls\"],\"cwd\":\"/\",\"user\":{\"uid\":7}}";
        _cleanup_runtime_process_ RuntimeProcess process;
        char name[32];
        int fds[2];

        CHECK_INT(pipe2(fds, O_CLOEXEC), 0);
        CHECK_INT(io_write_full(fds[1], text, strlen(text)), 0);
        fds[1] = fd_close(fds[1]);
        (void) snprintf(name, sizeof(name), "/proc/self/fd/%d", fds[0]);
        CHECK_INT(runtime_process_read(AT_FDCWD, name, &process, NULL), 0);
        CHECK_STR(process.args[0], "ls");
        CHECK_INT(process.user.uid, 7);
        (void) fd_close(fds[0]);
}

TEST(resources_are_read_alone) {
        _cleanup_runtime_resources_ RuntimeResources resources;
        _cleanup_error_ Error error = ERROR_NULL;
        int dir = bundle("{\"memory\":{\"limit\":5},\"unified\":{\"memory.max\":\"max\"}}");

        CHECK_INT(runtime_resources_read(dir, "config.json", &resources, &error), 0);
        CHECK_INT(resources.memory.limit, 5);
        CHECK_STR(resources.unified[0], "memory.max=max");
        CHECK_INT(runtime_resources_read(dir, "none", &(RuntimeResources){}, &error), -ENOENT);
        CHECK_STR(error.message, "cannot read 'none': No such file or directory");
        forget(dir);
}

/* What a small configuration becomes unusable by, and what is said of it: members at the top, of the process, of linux. */
static const char *const top_rows[][2] = {
        { "\"ociVersion\":\"\"",
          "ociVersion: is missing" },
        { "\"ociVersion\":\"2.0.0\"",
          "ociVersion: '2.0.0' is not 1.x.y" },
        { "\"ociVersion\":\"1.\"",
          "ociVersion: '1.' is not 1.x.y" },
        { "\"ociVersion\":\"1.0.0 x\"",
          "ociVersion: '1.0.0 x' is not 1.x.y" },
        { "\"vm\":{}",
          "vm: this runtime does not have it" },
        { "\"solaris\":{}",
          "solaris: this runtime does not have it" },
        { "\"windows\":{}",
          "windows: this runtime does not have it" },
        { "\"zos\":{}",
          "zos: this runtime does not have it" },
        { "\"linux\":{\"intelRdt\":{}}",
          "linux.intelRdt: this runtime does not have it" },
        { "\"root\":{\"path\":\"\"}",
          "root.path: is missing" },
        { "\"annotations\":{\"\":\"x\"}",
          "annotations: a key must not be empty" },
        { "\"mounts\":[{\"type\":\"proc\"}]",
          "mounts[0].destination: is missing" },
        { "\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":[{\"size\":1}]}]",
          "mounts[0]: uidMappings and gidMappings come together" },
        { "\"mounts\":[{\"destination\":\"/a\",\"uidMappings\":[{\"size\":1}],\"gidMappings\":[{\"size\":0}]}]",
          "mounts[0].gidMappings[0].size: must not be 0" },
        { "\"hooks\":{\"poststop\":[{\"path\":\"a\"}]}",
          "hooks.poststop[0].path: must be an absolute path" },
        { "\"hooks\":{\"prestart\":[{\"path\":\"/a\"},{}]}",
          "hooks.prestart[1].path: must be an absolute path" },
        { "\"hooks\":{\"startContainer\":[{\"path\":\"/a\",\"timeout\":0}]}",
          "hooks.startContainer[0].timeout: must be more than 0" },
        { "\"hostname\":\"x\"",
          "hostname: needs a uts namespace in linux.namespaces" },
        { "\"domainname\":\"x\"",
          "domainname: needs a uts namespace in linux.namespaces" },
};
static const char *const process_rows[][2] = {
        { "\"args\":[]",
          "process.args: must not be empty" },
        { "\"cwd\":\"x\"",
          "process.cwd: must be an absolute path" },
        { "\"cwd\":null",
          "process.cwd: must be an absolute path" },
        { "\"terminal\":true,\"consoleSize\":{\"height\":65536,\"width\":1}",
          "process.consoleSize: no terminal is that large" },
        { "\"oomScoreAdj\":1001",
          "process.oomScoreAdj: must be -1000 to 1000" },
        { "\"user\":{\"uid\":4294967295}",
          "process.user: 4294967295 is not an ID" },
        { "\"user\":{\"additionalGids\":[4294967295]}",
          "process.user.additionalGids: 4294967295 is not an ID" },
        { "\"user\":{\"umask\":512}",
          "process.user.umask: 512 is more than 511, which is octal 777" },
        { "\"rlimits\":[{\"type\":\"RLIMIT_X\"}]",
          "process.rlimits[0].type: there is no resource limit 'RLIMIT_X'" },
        { "\"rlimits\":[{\"type\":\"RLIMIT_CORE\",\"soft\":2,\"hard\":1}]",
          "process.rlimits[0]: the soft limit is above the hard one" },
        { "\"rlimits\":[{\"type\":\"RLIMIT_CORE\"},{\"type\":\"RLIMIT_CPU\"},{\"type\":\"RLIMIT_CORE\"}]",
          "process.rlimits[2].type: 'RLIMIT_CORE' is there twice" },
        { "\"scheduler\":{}",
          "process.scheduler.policy: there is no policy ''" },
        { "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"nice\":20}",
          "process.scheduler.nice: must be -20 to 19" },
        { "\"scheduler\":{\"policy\":\"SCHED_OTHER\",\"priority\":1}",
          "process.scheduler.priority: only SCHED_FIFO and SCHED_RR have one" },
        { "\"scheduler\":{\"policy\":\"SCHED_RR\",\"runtime\":1}",
          "process.scheduler: runtime, deadline and period are SCHED_DEADLINE's" },
        { "\"scheduler\":{\"policy\":\"SCHED_RR\",\"flags\":[\"X\"]}",
          "process.scheduler.flags: there is no flag 'X'" },
        { "\"ioPriority\":{\"class\":\"X\"}",
          "process.ioPriority.class: there is no class 'X'" },
        { "\"ioPriority\":{\"class\":\"IOPRIO_CLASS_RT\",\"priority\":8}",
          "process.ioPriority.priority: must be 0 to 7" },
        { "\"execCPUAffinity\":{\"initial\":\"0-\"}",
          "process.execCPUAffinity.initial: '0-' is not a list like 0-3,7" },
        { "\"execCPUAffinity\":{\"final\":\"0-1-2\"}",
          "process.execCPUAffinity.final: '0-1-2' is not a list like 0-3,7" },
};
static const char *const linux_rows[][2] = {
        { "\"namespaces\":[{\"type\":\"net\"}]",
          "linux.namespaces[0].type: there is no namespace 'net'" },
        { "\"namespaces\":[{\"type\":\"pid\",\"path\":\"x\"}]",
          "linux.namespaces[0].path: must be an absolute path" },
        { "\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"ipc\"},{\"type\":\"pid\",\"path\":\"/x\"}]",
          "linux.namespaces[2].type: 'pid' is there twice" },
        { "\"uidMappings\":[{\"size\":1}]",
          "linux.uidMappings: needs a user namespace in linux.namespaces" },
        { "\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"size\":0}]",
          "linux.uidMappings[0].size: must not be 0" },
        { "\"namespaces\":[{\"type\":\"user\"}],\"gidMappings\":[{\"hostID\":1,\"size\":4294967295}]",
          "linux.gidMappings[0]: goes beyond the last ID that there is" },
        { "\"timeOffsets\":{\"boottime\":{}}",
          "linux.timeOffsets: needs a new time namespace in linux.namespaces" },
        { "\"namespaces\":[{\"type\":\"time\"}],\"timeOffsets\":{\"boottime\":{\"nanosecs\":1000000000}}",
          "linux.timeOffsets: nanosecs must be less than a second" },
        { "\"netDevices\":{\"eth0\":{}}",
          "linux.netDevices: needs a network namespace in linux.namespaces" },
        { "\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":{\"a/b\":{}}",
          "linux.netDevices: 'a/b' is not a name of an interface" },
        { "\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":{\"a\":{\"name\":\"0123456789abcdef\"}}",
          "linux.netDevices.a.name: '0123456789abcdef' is not a name of an interface" },
        { "\"namespaces\":[{\"type\":\"network\"}],\"netDevices\":{\"a\":{\"name\":\"b\"},\"b\":{}}",
          "linux.netDevices.b: the name 'b' is there twice" },
        { "\"maskedPaths\":[\"/a\"]",
          "linux.maskedPaths: needs a mount namespace in linux.namespaces" },
        { "\"namespaces\":[{\"type\":\"mount\"}],\"maskedPaths\":[\"/a\",\"b\"]",
          "linux.maskedPaths: 'b' is not an absolute path" },
        { "\"namespaces\":[{\"type\":\"mount\"}],\"readonlyPaths\":[\"\"]",
          "linux.readonlyPaths: '' is not an absolute path" },
        { "\"devices\":[{\"type\":\"c\",\"path\":\"dev\"}]",
          "linux.devices[0].path: must be an absolute path" },
        { "\"devices\":[{\"type\":\"a\",\"path\":\"/dev\"}]",
          "linux.devices[0].type: there is no kind of device 'a'" },
        { "\"devices\":[{\"type\":\"b\",\"path\":\"/dev\",\"major\":1}]",
          "linux.devices[0]: major and minor are missing" },
        { "\"devices\":[{\"type\":\"b\",\"path\":\"/dev\",\"major\":-1,\"minor\":0}]",
          "linux.devices[0]: no device has such numbers" },
        { "\"rootfsPropagation\":\"x\"",
          "linux.rootfsPropagation: there is no mode 'x'" },
        { "\"personality\":{\"domain\":\"x\"}",
          "linux.personality.domain: there is no domain 'x'" },
        { "\"personality\":{\"domain\":\"LINUX\",\"flags\":[\"x\"]}",
          "linux.personality.flags: there is no flag 'x'" },
        { "\"sysctl\":{\"\":\"x\"}",
          "linux.sysctl: a key must not be empty" },
        { "\"seccomp\":{\"listenerMetadata\":\"x\"}",
          "linux.seccomp.listenerMetadata: needs a listenerPath" },
        { "\"memoryPolicy\":{}",
          "linux.memoryPolicy.mode: there is no mode ''" },
        { "\"memoryPolicy\":{\"mode\":\"MPOL_BIND\",\"nodes\":\"a\"}",
          "linux.memoryPolicy.nodes: 'a' is not a list like 0-3,7" },
        { "\"resources\":{\"devices\":[{\"type\":\"u\"}]}",
          "linux.resources.devices[0].type: there is no kind of device 'u'" },
        { "\"resources\":{\"devices\":[{\"access\":\"rx\"}]}",
          "linux.resources.devices[0].access: 'rx' is not made of r, w and m" },
        { "\"resources\":{\"devices\":[{\"major\":-2}]}",
          "linux.resources.devices[0]: no device has such numbers" },
        { "\"resources\":{\"memory\":{\"limit\":-2}}",
          "linux.resources.memory.limit: must be a number of bytes, or -1" },
        { "\"resources\":{\"memory\":{\"swappiness\":201}}",
          "linux.resources.memory.swappiness: must be 0 to 100" },
        { "\"resources\":{\"cpu\":{\"cpus\":\"0,\"}}",
          "linux.resources.cpu.cpus: '0,' is not a list like 0-3,7" },
        { "\"resources\":{\"blockIO\":{\"weight\":65536}}",
          "linux.resources.blockIO: a weight is at most 1000" },
        { "\"resources\":{\"blockIO\":{\"weightDevice\":[{\"major\":8}]}}",
          "linux.resources.blockIO.weightDevice[0]: has neither weight nor leafWeight" },
        { "\"resources\":{\"blockIO\":{\"throttleReadBpsDevice\":[{\"major\":-8}]}}",
          "linux.resources.blockIO.throttleReadBpsDevice[0]: no device has such numbers" },
        { "\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"../2MB\"}]}",
          "linux.resources.hugepageLimits[0].pageSize: '../2MB' is not a size like 2MB" },
        { "\"resources\":{\"network\":{\"priorities\":[{}]}}",
          "linux.resources.network.priorities[0].name: '' is not a name of an interface" },
        { "\"resources\":{\"rdma\":{\"a/b\":{\"hcaHandles\":1}}}",
          "linux.resources.rdma: 'a/b' is not a name of a device" },
        { "\"resources\":{\"rdma\":{\"a\":{}}}",
          "linux.resources.rdma.a: has neither hcaHandles nor hcaObjects" },
        { "\"resources\":{\"unified\":{\"../memory.max\":\"1\"}}",
          "linux.resources.unified: '../memory.max' is not a file of a cgroup" },
        { "\"resources\":{\"unified\":{\"a/b\":\"1\"}}",
          "linux.resources.unified: 'a/b' is not a file of a cgroup" },
};

static void check_row(const char *form, const char *member, const char *reason) {
        _cleanup_free_ char *text = NULL, *expected = str_format("cannot use the configuration: %s", reason);
        _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;
        _cleanup_error_ Error error = ERROR_NULL;

        text = str_format("%s%s}", form, member);
        CHECK_INT(read_spec(text, &spec, &error), 0);
        CHECK_INT(runtime_spec_check(&spec, &error), -EINVAL);
        CHECK_STR(error.message, expected);
}

TEST(what_must_not_be_is_refused_by_its_path) {
        for (size_t i = 0; i < ELEMENTSOF(top_rows); i++) {
                const char *key = top_rows[i][0];
                bool version = strncmp(key, "\"ociVersion", 11) == 0, root = strncmp(key, "\"root\"", 6) == 0;
                _cleanup_free_ char *form = str_format("{%s%s", version ? "" : "\"ociVersion\":\"1.0.0\",", root || version ? "" : "\"root\":{\"path\":\"r\"},");

                check_row(form, key, top_rows[i][1]);
        }
        for (size_t i = 0; i < ELEMENTSOF(process_rows); i++) {
                const char *key = process_rows[i][0];
                bool args = strncmp(key, "\"args", 5) == 0, cwd = strncmp(key, "\"cwd", 4) == 0;
                _cleanup_free_ char *member = str_format("\"process\":{%s%s%s}", args ? "" : "\"args\":[\"a\"],", cwd ? "" : "\"cwd\":\"/\",", key);

                check_row("{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},", member, process_rows[i][1]);
        }
        for (size_t i = 0; i < ELEMENTSOF(linux_rows); i++) {
                _cleanup_free_ char *member = str_format("\"linux\":{%s}", linux_rows[i][0]);

                check_row("{\"ociVersion\":\"1.2.0\",\"root\":{\"path\":\"r\"},", member, linux_rows[i][1]);
        }
}

/* Engines write such things, and every runtime takes them. */
TEST(what_engines_write_is_taken) {
        static const char *const rows[] = {
                "\"ociVersion\":\"1.0.2-dev\"", "\"ociVersion\":\"1.3.0+dev\"", "\"ociVersion\":\"1.0.0-rc5\"", "\"ociVersion\":\"1.99.1\"",
                "\"hostname\":\"\"", "\"mounts\":[{\"destination\":\"relative\",\"options\":[\"nobody=knows\"]}]", "\"hooks\":{}", "\"process\":null",
                "\"linux\":{\"rootfsPropagation\":\"\",\"namespaces\":[{\"type\":\"pid\",\"path\":\"\"}]}", "\"linux\":{\"rootfsPropagation\":\"rslave\"}",
                "\"linux\":{\"resources\":{\"blockIO\":{\"weight\":0},\"memory\":{\"swappiness\":18446744073709551615}}}",
                "\"linux\":{\"resources\":{\"devices\":[{\"allow\":false,\"access\":\"rwm\"},{\"allow\":true,\"type\":\"c\",\"major\":-1,\"minor\":-1,\"access\":\"m\"}]}}",
                "\"linux\":{\"devices\":[{\"path\":\"/dev/fuse\",\"type\":\"c\",\"major\":10,\"minor\":229,\"fileMode\":8630}]}",
                "\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"capabilities\":{\"bounding\":[\"CAP_UNKNOWN\"]},\"env\":[\"no assignment\"]}",
                "\"linux\":{\"namespaces\":[{\"type\":\"user\",\"path\":\"/x\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":4294967295}]}",
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                bool version = strncmp(rows[i], "\"ociVersion", 11) == 0;
                _cleanup_free_ char *text = str_format("{%s\"root\":{\"path\":\"r\"},%s}", version ? "" : "\"ociVersion\":\"1.0.0\",", rows[i]);
                _cleanup_runtime_spec_ RuntimeSpec spec = RUNTIME_SPEC_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                CHECK_INT(read_spec(text, &spec, &error), 0);
                if (runtime_spec_check(&spec, &error) < 0)
                        test_note("%s: %s", rows[i], error.message);
                CHECK(!error.message && !spec.resources.memory.has_swappiness && !spec.hostname);
        }
}
