/* SPDX-License-Identifier: Apache-2.0 */
/* The same for what is below "linux": config-linux.md. */
#include <string.h>

#include "base/str.h"
#include "spec/runtime-check.h"

static int check_namespaces(const RuntimeSpec *s, Error *reterr) {
        static const char *const types[] = { "pid", "network", "mount", "ipc", "uts", "user", "cgroup", "time", NULL };

        for (size_t i = 0; i < s->n_namespaces; i++) {
                const RuntimeNamespace *n = &s->namespaces[i];

                if (!runtime_word_is_known(types, n->type))
                        return runtime_refuse(reterr, "linux.namespaces[%zu].type: there is no namespace '%.40s'", i, n->type ?: "");
                if (n->path && *n->path != '/')
                        return runtime_refuse(reterr, "linux.namespaces[%zu].path: must be an absolute path", i);
                if (runtime_spec_namespace(s, n->type) != n)
                        return runtime_refuse(reterr, "linux.namespaces[%zu].type: '%s' is there twice", i, n->type);
        }
        return 0;
}

/* What only makes sense in a namespace that is not the caller's: it would be done to the host. */
static int check_homes(const RuntimeSpec *s, Error *reterr) {
        const RuntimeNamespace *time = runtime_spec_namespace(s, "time");
        bool user = runtime_spec_namespace(s, "user"), uts = runtime_spec_namespace(s, "uts");

        if ((s->n_uid_mappings > 0 || s->n_gid_mappings > 0) && !user)
                return runtime_refuse(reterr, "linux.%s: needs a user namespace in linux.namespaces", s->n_uid_mappings > 0 ? "uidMappings" : "gidMappings");
        if ((s->hostname || s->domainname) && !uts)
                return runtime_refuse(reterr, "%s: needs a uts namespace in linux.namespaces", s->hostname ? "hostname" : "domainname");
        if ((s->time_boottime.given || s->time_monotonic.given) && (!time || time->path))
                return runtime_refuse(reterr, "linux.timeOffsets: needs a new time namespace in linux.namespaces");
        if (s->time_boottime.nanosecs > 999999999 || s->time_monotonic.nanosecs > 999999999)
                return runtime_refuse(reterr, "linux.timeOffsets: nanosecs must be less than a second");
        if (s->n_net_devices > 0 && !runtime_spec_namespace(s, "network"))
                return runtime_refuse(reterr, "linux.netDevices: needs a network namespace in linux.namespaces");
        if ((s->masked_paths || s->readonly_paths) && !runtime_spec_namespace(s, "mount"))
                return runtime_refuse(reterr, "linux.%s: needs a mount namespace in linux.namespaces", s->masked_paths ? "maskedPaths" : "readonlyPaths");
        return 0;
}

static int check_devices(const RuntimeSpec *s, Error *reterr) {
        static const char *const types[] = { "c", "b", "u", "p", NULL };

        for (size_t i = 0; i < s->n_devices; i++) {
                const RuntimeDevice *d = &s->devices[i];

                if (!d->path || *d->path != '/')
                        return runtime_refuse(reterr, "linux.devices[%zu].path: must be an absolute path", i);
                if (!runtime_word_is_known(types, d->type))
                        return runtime_refuse(reterr, "linux.devices[%zu].type: there is no kind of device '%.40s'", i, d->type ?: "");
                if (*d->type != 'p' && !(d->has_major && d->has_minor))
                        return runtime_refuse(reterr, "linux.devices[%zu]: major and minor are missing", i);
                if (*d->type != 'p' && (d->major < 0 || d->major > UINT32_MAX || d->minor < 0 || d->minor > UINT32_MAX))
                        return runtime_refuse(reterr, "linux.devices[%zu]: no device has such numbers", i);
        }
        return 0;
}

/* dev_valid_name() of the kernel */
static bool interface_name_is_valid(const char *name) {
        return *name && strlen(name) < 16 && !str_equal(name, ".") && !str_equal(name, "..") && !strpbrk(name, "/: \t\n\v\f\r");
}

static int check_net_devices(const RuntimeSpec *s, Error *reterr) {
        for (size_t i = 0; i < s->n_net_devices; i++) {
                const RuntimeNetDevice *d = &s->net_devices[i];
                const char *name = d->name ?: d->host_name;

                if (!interface_name_is_valid(d->host_name))
                        return runtime_refuse(reterr, "linux.netDevices: '%.40s' is not a name of an interface", d->host_name);
                if (!interface_name_is_valid(name))
                        return runtime_refuse(reterr, "linux.netDevices.%s.name: '%.40s' is not a name of an interface", d->host_name, name);
                for (size_t j = 0; j < i; j++)
                        if (str_equal(s->net_devices[j].host_name, d->host_name) ||
                            str_equal(s->net_devices[j].name ?: s->net_devices[j].host_name, name))
                                return runtime_refuse(reterr, "linux.netDevices.%s: the name '%s' is there twice", d->host_name, name);
        }
        return 0;
}

static int check_device_rules(const RuntimeResources *r, Error *reterr) {
        static const char *const types[] = { "a", "c", "b", NULL };

        for (size_t i = 0; i < r->n_devices; i++) {
                const RuntimeDeviceRule *d = &r->devices[i];

                if (d->type && !runtime_word_is_known(types, d->type))
                        return runtime_refuse(reterr, "linux.resources.devices[%zu].type: there is no kind of device '%.40s'", i, d->type);
                if (d->access && d->access[strspn(d->access, "rwma")]) /* runc passes over the 'a' that a rule's type may be */
                        return runtime_refuse(reterr, "linux.resources.devices[%zu].access: '%.40s' is not made of r, w and m", i, d->access);
                if ((d->has_major && (d->major < -1 || d->major > UINT32_MAX)) || (d->has_minor && (d->minor < -1 || d->minor > UINT32_MAX)))
                        return runtime_refuse(reterr, "linux.resources.devices[%zu]: no device has such numbers", i);
        }
        return 0;
}

static int check_block_io(const RuntimeResources *r, Error *reterr) {
        const struct {
                const RuntimeBlockDevice *items;
                size_t n;
                const char *member;
        } lists[] = {
                { r->block_io.weight_devices, r->block_io.n_weight_devices, "weightDevice" },
                { r->block_io.read_bps, r->block_io.n_read_bps, "throttleReadBpsDevice" },
                { r->block_io.write_bps, r->block_io.n_write_bps, "throttleWriteBpsDevice" },
                { r->block_io.read_iops, r->block_io.n_read_iops, "throttleReadIOPSDevice" },
                { r->block_io.write_iops, r->block_io.n_write_iops, "throttleWriteIOPSDevice" },
        };

        if (r->block_io.weight > UINT16_MAX || r->block_io.leaf_weight > UINT16_MAX)
                return runtime_refuse(reterr, "linux.resources.blockIO: a weight is at most 1000");
        for (size_t i = 0; i < ELEMENTSOF(lists); i++)
                for (size_t j = 0; j < lists[i].n; j++) {
                        const RuntimeBlockDevice *d = &lists[i].items[j];

                        if (d->major < 0 || d->major > UINT32_MAX || d->minor < 0 || d->minor > UINT32_MAX)
                                return runtime_refuse(reterr, "linux.resources.blockIO.%s[%zu]: no device has such numbers", lists[i].member, j);
                        if (i == 0 && !d->has_weight && !d->has_leaf_weight)
                                return runtime_refuse(reterr, "linux.resources.blockIO.%s[%zu]: has neither weight nor leafWeight", lists[i].member, j);
                        if (d->weight > UINT16_MAX || d->leaf_weight > UINT16_MAX)
                                return runtime_refuse(reterr, "linux.resources.blockIO.%s[%zu]: a weight is at most 1000", lists[i].member, j);
                }
        return 0;
}

/* "2MB": a part of a file's name in the cgroup. */
static bool page_size_is_valid(const char *text) {
        size_t digits = text ? strspn(text, "0123456789") : 0;

        return digits > 0 && digits < 16 && (str_equal(text + digits, "KB") || str_equal(text + digits, "MB") || str_equal(text + digits, "GB"));
}

static int check_names(const RuntimeResources *r, Error *reterr) {
        for (size_t i = 0; i < r->n_hugepage_limits; i++)
                if (!page_size_is_valid(r->hugepage_limits[i].page_size))
                        return runtime_refuse(reterr, "linux.resources.hugepageLimits[%zu].pageSize: '%.40s' is not a size like 2MB", i,
                                              r->hugepage_limits[i].page_size ?: "");
        for (size_t i = 0; i < r->network.n_priorities; i++)
                if (!r->network.priorities[i].name || !interface_name_is_valid(r->network.priorities[i].name))
                        return runtime_refuse(reterr, "linux.resources.network.priorities[%zu].name: '%.40s' is not a name of an interface", i,
                                              r->network.priorities[i].name ?: "");
        for (size_t i = 0; i < r->n_rdma; i++) {
                if (!*r->rdma[i].device || strpbrk(r->rdma[i].device, "/ \n"))
                        return runtime_refuse(reterr, "linux.resources.rdma: '%.40s' is not a name of a device", r->rdma[i].device);
                if (!r->rdma[i].has_hca_handles && !r->rdma[i].has_hca_objects)
                        return runtime_refuse(reterr, "linux.resources.rdma.%.40s: has neither hcaHandles nor hcaObjects", r->rdma[i].device);
        }
        for (char **pair = r->unified; pair && *pair; pair++) {
                int n = (int) strcspn(*pair, "=");

                if (n == 0 || **pair == '.' || memchr(*pair, '/', (size_t) n))
                        return runtime_refuse(reterr, "linux.resources.unified: '%.*s' is not a file of a cgroup", MIN(n, 60), *pair);
        }
        return 0;
}

int runtime_resources_check(const RuntimeResources *r, Error *reterr) {
        const struct {
                int64_t value;
                const char *name;
        } limits[] = {
                { r->memory.limit, "memory.limit" }, { r->memory.reservation, "memory.reservation" }, { r->memory.swap, "memory.swap" },
                { r->memory.kernel, "memory.kernel" }, { r->memory.kernel_tcp, "memory.kernelTCP" },
        };
        int k;

        for (size_t i = 0; i < ELEMENTSOF(limits); i++)
                if (limits[i].value < -1)
                        return runtime_refuse(reterr, "linux.resources.%s: must be a number of bytes, or -1", limits[i].name);
        if (r->memory.has_swappiness && r->memory.swappiness > 200)
                return runtime_refuse(reterr, "linux.resources.memory.swappiness: must be 0 to 100");
        k = runtime_check_list(r->cpu.cpus, "linux.resources.cpu.cpus", reterr);
        if (k >= 0)
                k = runtime_check_list(r->cpu.mems, "linux.resources.cpu.mems", reterr);
        if (k >= 0)
                k = check_device_rules(r, reterr);
        if (k >= 0)
                k = check_block_io(r, reterr);
        return k < 0 ? k : check_names(r, reterr);
}

static int check_memory_policy(const RuntimeSpec *s, Error *reterr) {
        static const char *const modes[] = { "MPOL_DEFAULT", "MPOL_PREFERRED", "MPOL_BIND", "MPOL_INTERLEAVE", "MPOL_LOCAL", "MPOL_PREFERRED_MANY",
                                             "MPOL_WEIGHTED_INTERLEAVE", NULL };
        static const char *const flags[] = { "MPOL_F_NUMA_BALANCING", "MPOL_F_RELATIVE_NODES", "MPOL_F_STATIC_NODES", NULL };

        if (!runtime_word_is_known(modes, s->memory_policy_mode))
                return runtime_refuse(reterr, "linux.memoryPolicy.mode: there is no mode '%.40s'", s->memory_policy_mode ?: "");
        int r = runtime_check_words(s->memory_policy_flags, flags, "linux.memoryPolicy.flags", "flag", reterr);
        return r < 0 ? r : runtime_check_list(s->memory_policy_nodes, "linux.memoryPolicy.nodes", reterr);
}

static int check_words(const RuntimeSpec *s, Error *reterr) {
        static const char *const propagations[] = { "shared", "rshared", "slave", "rslave", "private", "rprivate", "unbindable", "runbindable", NULL };
        static const char *const domains[] = { "LINUX", "LINUX32", NULL };

        if (s->rootfs_propagation && !runtime_word_is_known(propagations, s->rootfs_propagation))
                return runtime_refuse(reterr, "linux.rootfsPropagation: there is no mode '%.40s'", s->rootfs_propagation);
        if (s->personality_domain && !runtime_word_is_known(domains, s->personality_domain))
                return runtime_refuse(reterr, "linux.personality.domain: there is no domain '%.40s'", s->personality_domain);
        if (s->personality_flags)
                return runtime_refuse(reterr, "linux.personality.flags: there is no flag '%.40s'", s->personality_flags[0]);
        for (char **pair = s->sysctl; pair && *pair; pair++)
                if (**pair == '=')
                        return runtime_refuse(reterr, "linux.sysctl: a key must not be empty");
        if (s->seccomp.listener_metadata && !s->seccomp.listener_path)
                return runtime_refuse(reterr, "linux.seccomp.listenerMetadata: needs a listenerPath");
        return s->has_memory_policy ? check_memory_policy(s, reterr) : 0;
}

int runtime_linux_check(const RuntimeSpec *s, Error *reterr) {
        int (*const checks[])(const RuntimeSpec *s, Error *reterr) = { check_namespaces, check_homes, check_devices, check_net_devices, check_words };
        int r = 0;

        for (size_t i = 0; r >= 0 && i < ELEMENTSOF(checks); i++)
                r = checks[i](s, reterr);
        if (r >= 0)
                r = runtime_check_mappings(s->uid_mappings, s->n_uid_mappings, "linux.uidMappings", reterr);
        if (r >= 0)
                r = runtime_check_mappings(s->gid_mappings, s->n_gid_mappings, "linux.gidMappings", reterr);
        if (r >= 0)
                r = runtime_check_paths(s->masked_paths, "linux.maskedPaths", reterr);
        if (r >= 0)
                r = runtime_check_paths(s->readonly_paths, "linux.readonlyPaths", reterr);
        return r < 0 ? r : runtime_resources_check(&s->resources, reterr);
}
