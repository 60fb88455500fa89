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
