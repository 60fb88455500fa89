/* SPDX-License-Identifier: Apache-2.0 */
/* config.json as the OCI runtime-spec's config.md has it, as tables; what is below "linux" is in runtime-spec-linux.c. */
#include "spec/runtime-spec.h"

#include <fcntl.h>

#include "base/io.h"
#include "base/str.h"

const JsonField runtime_id_mapping_fields[] = {
        JSON_FIELD(ContainerIdMapping, container_id, "containerID", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerIdMapping, host_id, "hostID", JSON_FIELD_UINT32),
        JSON_FIELD(ContainerIdMapping, size, "size", JSON_FIELD_UINT32),
        {},
};

static const JsonField mount_fields[] = {
        JSON_FIELD(RuntimeMount, destination, "destination", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeMount, type, "type", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeMount, source, "source", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeMount, options, "options", JSON_FIELD_STRV),
        JSON_FIELD_ARRAY_OF(RuntimeMount, uid_mappings, n_uid_mappings, "uidMappings", runtime_id_mapping_fields),
        JSON_FIELD_ARRAY_OF(RuntimeMount, gid_mappings, n_gid_mappings, "gidMappings", runtime_id_mapping_fields),
        {},
};

static const JsonField capabilities_fields[] = {
        JSON_FIELD(RuntimeCapabilities, bounding, "bounding", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeCapabilities, effective, "effective", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeCapabilities, inheritable, "inheritable", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeCapabilities, permitted, "permitted", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeCapabilities, ambient, "ambient", JSON_FIELD_STRV),
        {},
};

static const JsonField scheduler_fields[] = {
        JSON_FIELD(RuntimeScheduler, policy, "policy", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeScheduler, nice, "nice", JSON_FIELD_INT64),
        JSON_FIELD(RuntimeScheduler, priority, "priority", JSON_FIELD_INT64),
        JSON_FIELD(RuntimeScheduler, flags, "flags", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeScheduler, runtime, "runtime", JSON_FIELD_UNSIGNED),
        JSON_FIELD(RuntimeScheduler, deadline, "deadline", JSON_FIELD_UNSIGNED),
        JSON_FIELD(RuntimeScheduler, period, "period", JSON_FIELD_UNSIGNED),
        {},
};

static const JsonField user_fields[] = {
        JSON_FIELD(RuntimeUser, uid, "uid", JSON_FIELD_UINT32),
        JSON_FIELD(RuntimeUser, gid, "gid", JSON_FIELD_UINT32),
        JSON_FIELD_GIVEN(RuntimeUser, umask, has_umask, "umask", JSON_FIELD_UINT32),
        JSON_FIELD_UINT32S_OF(RuntimeUser, additional_gids, n_additional_gids, "additionalGids"),
        JSON_FIELD(RuntimeUser, username, "username", JSON_FIELD_STRING),
        {},
};

static const JsonField rlimit_fields[] = {
        JSON_FIELD(ContainerRlimit, type, "type", JSON_FIELD_STRING),
        JSON_FIELD(ContainerRlimit, hard, "hard", JSON_FIELD_UNSIGNED),
        JSON_FIELD(ContainerRlimit, soft, "soft", JSON_FIELD_UNSIGNED),
        {},
};

static const JsonField console_fields[] = {
        JSON_FIELD(RuntimeProcess, console_height, "height", JSON_FIELD_UNSIGNED),
        JSON_FIELD(RuntimeProcess, console_width, "width", JSON_FIELD_UNSIGNED),
        {},
};

static const JsonField io_priority_fields[] = {
        JSON_FIELD(RuntimeProcess, io_priority_class, "class", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeProcess, io_priority, "priority", JSON_FIELD_INT64),
        {},
};

static const JsonField affinity_fields[] = {
        JSON_FIELD(RuntimeProcess, exec_initial_affinity, "initial", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeProcess, exec_final_affinity, "final", JSON_FIELD_STRING),
        {},
};

const JsonField runtime_process_fields[] = {
        JSON_FIELD(RuntimeProcess, terminal, "terminal", JSON_FIELD_BOOL),
        JSON_FIELD_OBJECT_FLAT("consoleSize", console_fields),
        JSON_FIELD_OBJECT_OF(RuntimeProcess, user, "user", user_fields),
        JSON_FIELD(RuntimeProcess, args, "args", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeProcess, env, "env", JSON_FIELD_STRV),
        JSON_FIELD(RuntimeProcess, cwd, "cwd", JSON_FIELD_STRING),
        JSON_FIELD_OBJECT_GIVEN(RuntimeProcess, capabilities, has_capabilities, "capabilities", capabilities_fields),
        JSON_FIELD_ARRAY_OF(RuntimeProcess, rlimits, n_rlimits, "rlimits", rlimit_fields),
        JSON_FIELD(RuntimeProcess, no_new_privileges, "noNewPrivileges", JSON_FIELD_BOOL),
        JSON_FIELD(RuntimeProcess, apparmor_profile, "apparmorProfile", JSON_FIELD_STRING),
        JSON_FIELD_GIVEN(RuntimeProcess, oom_score_adj, has_oom_score_adj, "oomScoreAdj", JSON_FIELD_INT64),
        JSON_FIELD_OBJECT_GIVEN(RuntimeProcess, scheduler, has_scheduler, "scheduler", scheduler_fields),
        JSON_FIELD(RuntimeProcess, selinux_label, "selinuxLabel", JSON_FIELD_STRING),
        { .name = "ioPriority", .type = JSON_FIELD_OBJECT, .fields = io_priority_fields,
          .present_offset = offsetof(RuntimeProcess, has_io_priority) },
        JSON_FIELD_OBJECT_FLAT("execCPUAffinity", affinity_fields),
        {},
};

static const JsonField root_fields[] = {
        JSON_FIELD(RuntimeSpec, root.path, "path", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeSpec, root.readonly, "readonly", JSON_FIELD_BOOL),
        {},
};

static const JsonField runtime_hook_fields[] = {
        JSON_FIELD(RuntimeHook, path, "path", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeHook, args, "args", JSON_FIELD_STRV),
        JSON_FIELD_GIVEN(RuntimeHook, env, has_env, "env", JSON_FIELD_STRV),
        JSON_FIELD_GIVEN(RuntimeHook, timeout, has_timeout, "timeout", JSON_FIELD_INT64),
        {},
};

#define HOOK_LIST(kind, name) JSON_FIELD_ARRAY_OF(RuntimeSpec, hooks[kind].items, hooks[kind].n, name, runtime_hook_fields)
static const JsonField hooks_fields[] = {
        HOOK_LIST(HOOK_PRESTART, "prestart"),
        HOOK_LIST(HOOK_CREATE_RUNTIME, "createRuntime"),
        HOOK_LIST(HOOK_CREATE_CONTAINER, "createContainer"),
        HOOK_LIST(HOOK_START_CONTAINER, "startContainer"),
        HOOK_LIST(HOOK_POSTSTART, "poststart"),
        HOOK_LIST(HOOK_POSTSTOP, "poststop"),
        {},
};

const JsonField runtime_spec_fields[] = {
        JSON_FIELD(RuntimeSpec, oci_version, "ociVersion", JSON_FIELD_STRING),
        JSON_FIELD_OBJECT_GIVEN(RuntimeSpec, process, has_process, "process", runtime_process_fields),
        { .name = "root", .type = JSON_FIELD_OBJECT, .fields = root_fields, .present_offset = offsetof(RuntimeSpec, has_root) },
        JSON_FIELD(RuntimeSpec, hostname, "hostname", JSON_FIELD_STRING),
        JSON_FIELD(RuntimeSpec, domainname, "domainname", JSON_FIELD_STRING),
        JSON_FIELD_ARRAY_OF(RuntimeSpec, mounts, n_mounts, "mounts", mount_fields),
        JSON_FIELD_OBJECT_FLAT("hooks", hooks_fields),
        JSON_FIELD(RuntimeSpec, annotations, "annotations", JSON_FIELD_PAIRS),
        JSON_FIELD_OBJECT_FLAT("linux", runtime_linux_fields),
        JSON_FIELD(RuntimeSpec, has_vm, "vm", JSON_FIELD_PRESENT),
        JSON_FIELD(RuntimeSpec, has_solaris, "solaris", JSON_FIELD_PRESENT),
        JSON_FIELD(RuntimeSpec, has_windows, "windows", JSON_FIELD_PRESENT),
        JSON_FIELD(RuntimeSpec, has_zos, "zos", JSON_FIELD_PRESENT),
        JSON_FIELD(RuntimeSpec, has_freebsd, "freebsd", JSON_FIELD_PRESENT),
        {},
};

/* The engine's file, or what it writes into a pipe. */
static int read_text(int dir_fd, const char *name, bool standard_input, char **ret, size_t *ret_size) {
        _cleanup_fd_ int opened = -EBADF;

        if (!standard_input) {
                opened = openat(dir_fd, name, O_RDONLY | O_NOCTTY | O_CLOEXEC);
                if (opened < 0)
                        return -errno;
        }
        return io_read_all(standard_input ? 0 : opened, RUNTIME_SPEC_LIMIT, ret, ret_size);
}

static void *at(void *base, size_t offset) {
        return (char *) base + offset;
}

/* Strings that are empty become NULL. */
static void drop_empty(const JsonField *fields, void *target) {
        for (const JsonField *f = fields; f->name; f++) {
                char **text = at(target, f->offset);

                if (f->type == JSON_FIELD_STRING && *text && !**text)
                        (void) str_replace(text, NULL);
                else if (f->type == JSON_FIELD_OBJECT)
                        drop_empty(f->fields, text);
                else if (f->type == JSON_FIELD_ARRAY || f->type == JSON_FIELD_MAP)
                        for (size_t i = 0; i < *(size_t *) at(target, f->count_offset); i++)
                                drop_empty(f->fields, *text + i * f->size);
        }
}

static int read_fields(int dir_fd, const char *name, bool standard_input, const JsonField *fields, void *target, Error *reterr) {
        _cleanup_free_ char *text = NULL;
        size_t size;

        int r = read_text(dir_fd, name, standard_input, &text, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read '%s'", name);
        r = json_fields_parse(text, size, fields, target, reterr);
        if (r < 0) {
                json_fields_done(fields, target);
                return error_prefix(reterr, r, "cannot read '%s'", name);
        }
        drop_empty(fields, target);
        return 0;
}

/* Docker writes its -1 for "not given" as a number without a sign. */
static void settle_resources(RuntimeResources *resources) {
        if (resources->memory.swappiness != UINT64_MAX)
                return;
        resources->memory.has_swappiness = false;
        resources->memory.swappiness = 0;
}

int runtime_spec_read(int dir_fd, const char *name, RuntimeSpec *ret, Error *reterr) {
        *ret = RUNTIME_SPEC_NULL;
        int r = read_fields(dir_fd, name, false, runtime_spec_fields, ret, reterr);
        settle_resources(&ret->resources);
        return r;
}

int runtime_process_read(int dir_fd, const char *name, RuntimeProcess *ret, Error *reterr) {
        *ret = (RuntimeProcess){};
        return read_fields(dir_fd, name, str_equal(name, "-"), runtime_process_fields, ret, reterr);
}

int runtime_resources_read(int dir_fd, const char *name, RuntimeResources *ret, Error *reterr) {
        *ret = (RuntimeResources){};
        int r = read_fields(dir_fd, name, str_equal(name, "-"), runtime_resources_fields, ret, reterr);
        settle_resources(ret);
        return r;
}

void runtime_spec_done(RuntimeSpec *spec) {
        json_fields_done(runtime_spec_fields, spec);
        *spec = RUNTIME_SPEC_NULL;
}

void runtime_process_done(RuntimeProcess *process) {
        json_fields_done(runtime_process_fields, process);
        *process = (RuntimeProcess){};
}

void runtime_resources_done(RuntimeResources *resources) {
        json_fields_done(runtime_resources_fields, resources);
        *resources = (RuntimeResources){};
}

const RuntimeNamespace *runtime_spec_namespace(const RuntimeSpec *spec, const char *type) {
        for (size_t i = 0; i < spec->n_namespaces; i++)
                if (str_equal(spec->namespaces[i].type, type))
                        return &spec->namespaces[i];
        return NULL;
}

const char *runtime_spec_annotation(const RuntimeSpec *spec, const char *key) {
        return strv_env_get(spec->annotations, key);
}
