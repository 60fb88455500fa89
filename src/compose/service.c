/* SPDX-License-Identifier: Apache-2.0 */
/* One service: the table of its keys, and those that need little (compose-spec, 05-services). */
#include <stdlib.h>

#include "base/parse.h"
#include "base/str.h"
#include "compose/project.h"

static const char windows[] = "it is for containers of Windows";
static const char v1[] = "it is for cgroup v1, which rootless containers cannot use";
static const char root_only[] = "only the machine's root can have it";

static int convert_cgroup(Service *s, Node *node) {
        const char *text = compose_want_text(s->p->c, node, "cgroup");

        return !text ? -EINVAL : service_argument(s, "--cgroupns", text);
}

static int convert_cgroup_parent(Service *s, Node *node) {
        const char *text = compose_want_text(s->p->c, node, "cgroup_parent");
        int r = !text ? -EINVAL : service_say(s, node, KEY_CgroupsMode, "enabled");

        return r < 0 ? r : service_argument(s, "--cgroup-parent", text);
}

static int convert_userns(Service *s, Node *node) {
        const char *text = compose_want_text(s->p->c, node, "userns_mode");

        return !text ? -EINVAL : service_for_pod(s, node, KEY_UserNS, text);
}

static int convert_hostname(Service *s, Node *node) {
        const char *text = compose_want_text(s->p->c, node, "hostname");

        if (!text)
                return -EINVAL;
        if (!s->p->pod)
                return service_say(s, node, KEY_HostName, text);
        compose_warn(s->p->c, node, "services.%s.hostname is left out: the containers of a pod have one name", s->name);
        return 0;
}

static int convert_dns_each(Service *s, Node *node, UnitKey key, const char *what) {
        _cleanup_strv_ char **words = NULL;
        int r = compose_words(s->p->c, node, what, &words);

        for (char **word = words; r >= 0 && word && *word; word++)
                r = service_for_pod(s, node, key, *word);
        return r;
}

static int convert_dns(Service *s, Node *node) {
        return convert_dns_each(s, node, KEY_DNS, "dns");
}

static int convert_dns_search(Service *s, Node *node) {
        return convert_dns_each(s, node, KEY_DNSSearch, "dns_search");
}

static int convert_dns_opt(Service *s, Node *node) {
        return convert_dns_each(s, node, KEY_DNSOption, "dns_opt");
}

#define TEXT(name, unit_key) { name, .key = KEY_##unit_key }
#define ARGUMENT(name, word) { name, .argument = word }

static const ComposeKey rows[] = {
        { "annotations", .key = KEY_Annotation, .form = KEY_OF_PAIRS },
        { "attach", .passed_over = "output goes to the journal" },
        { "blkio_config", service_blkio },
        { "build", service_build },
        { "cap_add", .key = KEY_AddCapability, .form = KEY_OF_LIST },
        { "cap_drop", .key = KEY_DropCapability, .form = KEY_OF_LIST },
        { "cgroup", convert_cgroup },
        { "cgroup_parent", convert_cgroup_parent },
        { "command", service_command },
        { "configs", service_configs },
        { "container_name", .elsewhere = true },
        { "cpu_count", .refused = windows },
        { "cpu_percent", .refused = windows },
        ARGUMENT("cpu_period", "--cpu-period"),
        ARGUMENT("cpu_quota", "--cpu-quota"),
        { "cpu_rt_period", .refused = v1 },
        { "cpu_rt_runtime", .refused = v1 },
        ARGUMENT("cpu_shares", "--cpu-shares"),
        ARGUMENT("cpus", "--cpus"),
        ARGUMENT("cpuset", "--cpuset-cpus"),
        { "credential_spec", .refused = windows },
        { "depends_on", service_depends_on },
        { "deploy", service_deploy },
        { "develop", .passed_over = "it is for 'docker compose watch'" },
        { "device_cgroup_rules", .refused = root_only },
        { "devices", .key = KEY_AddDevice, .form = KEY_OF_LIST },
        { "dns", convert_dns },
        { "dns_opt", convert_dns_opt },
        { "dns_search", convert_dns_search },
        { "domainname", .refused = "give the whole name as 'hostname'" },
        { "entrypoint", service_entrypoint },
        { "env_file", service_env_file },
        { "environment", service_environment },
        { "expose", .key = KEY_ExposeHostPort, .form = KEY_OF_LIST },
        { "extends", .elsewhere = true },
        { "external_links", .refused = "put both services on one network" },
        { "extra_hosts", service_hosts },
        { "gpus", .refused = "it needs a CDI specification; give the GPU's nodes as 'devices'" },
        { "group_add", .key = KEY_GroupAdd, .form = KEY_OF_LIST },
        { "healthcheck", service_health },
        { "hostname", convert_hostname },
        { "image", .elsewhere = true },
        { "init", .key = KEY_RunInit, .form = KEY_OF_BOOL },
        { "ipc", service_namespace_ipc },
        { "isolation", .refused = windows },
        { "label_file", service_label_file },
        { "labels", .key = KEY_Label, .form = KEY_OF_PAIRS },
        { "links", service_links },
        { "logging", service_logging },
        ARGUMENT("mac_address", "--mac-address"),
        { "mem_limit", .key = KEY_Memory, .form = KEY_OF_BYTES },
        { "mem_reservation", .argument = "--memory-reservation", .form = KEY_OF_BYTES },
        { "mem_swappiness", .refused = v1 },
        { "memswap_limit", .argument = "--memory-swap", .form = KEY_OF_BYTES },
        { "models", .refused = "models are not there" },
        { "network_mode", service_network_mode },
        { "networks", .elsewhere = true },
        { "oom_kill_disable", .refused = v1 },
        ARGUMENT("oom_score_adj", "--oom-score-adj"),
        { "pid", service_namespace_pid },
        TEXT("pids_limit", PidsLimit),
        ARGUMENT("platform", "--platform"),
        { "ports", service_ports },
        { "post_start", .refused = "write it as ExecStartPost= of the service" },
        { "pre_stop", .refused = "write it as ExecStop= of the service" },
        { "privileged", .argument = "--privileged", .form = KEY_OF_BOOL },
        { "profiles", .elsewhere = true },
        { "provider", .refused = "no program is run to make a service" },
        { "pull_policy", service_pull },
        { "pull_refresh_after", .refused = "it is not there; 'sdpod auto-update' looks for newer images" },
        { "read_only", .key = KEY_ReadOnly, .form = KEY_OF_BOOL },
        { "restart", service_restart },
        { "runtime", .refused = "containers are made by sdpod itself, there is no runtime to choose" },
        { "scale", .elsewhere = true },
        { "secrets", service_secrets },
        { "security_opt", service_security },
        { "shm_size", .key = KEY_ShmSize, .form = KEY_OF_BYTES },
        { "stdin_open", .argument = "--interactive", .form = KEY_OF_BOOL },
        { "stop_grace_period", service_grace },
        TEXT("stop_signal", StopSignal),
        { "storage_opt", .refused = "a limit of a container's files takes a project quota, which only the machine's root can set" },
        { "sysctls", .key = KEY_Sysctl, .form = KEY_OF_PAIRS },
        { "tmpfs", service_tmpfs },
        { "tty", .argument = "--tty", .form = KEY_OF_BOOL },
        { "ulimits", service_ulimits },
        { "use_api_socket", .refused = "there is no socket of a daemon" },
        TEXT("user", User),
        { "userns_mode", convert_userns },
        ARGUMENT("uts", "--uts"),
        { "volume_driver", .refused = "say it of the volume, at the top" },
        { "volumes", service_volumes },
        { "volumes_from", service_volumes_from },
        TEXT("working_dir", WorkingDir),
};

/* ---- how many, and what they are called ---- */

bool service_is_on(const Project *p, const Node *service) {
        const Node *profiles = node_get(service, "profiles");

        if (!profiles || profiles->kind == NODE_NULL || profiles->n == 0)
                return true;
        if (strv_contains(p->profiles, "*"))
                return true;
        for (size_t i = 0; profiles->kind == NODE_LIST && i < profiles->n; i++) {
                const char *text = node_text(profiles->items[i]);

                if (text && strv_contains(p->profiles, text))
                        return true;
        }
        return false;
}

int service_count(Project *p, const char *name, const Node *service, unsigned *ret) {
        enum { COUNT_MAX = 1000 };
        const Node *scale = node_get(service, "scale"), *replicas = node_get(node_get(service, "deploy"), "replicas"), *which = scale ?: replicas;
        uint32_t n;

        *ret = 1;
        if (!which || which->kind == NODE_NULL)
                return 0;
        if (!node_text(which) || parse_u32(node_text(which), &n) < 0 || n > COUNT_MAX)
                return compose_fail(p->c, which, "services.%s: not a number of containers from 0 to %d", name, COUNT_MAX);
        *ret = n;
        return 0;
}

const char *service_unit(const Project *p, const char *name, unsigned number) {
        return number <= 1 ? arena_format(&p->c->arena, "%s-%s", p->name, name) : arena_format(&p->c->arena, "%s-%s-%u", p->name, name, number);
}

/* ---- one container ---- */

static int say_image(Service *s) {
        const Node *image = node_get(s->node, "image");

        if (node_get(s->node, "build")) {
                unit_write_raw(&s->w, KEY_Image, arena_format(&s->p->c->arena, "%s.build", service_unit(s->p, s->name, 1)));
                return 0;
        }
        if (!image)
                return compose_fail(s->p->c, s->node, "services.%s has neither 'image' nor 'build'", s->name);
        const char *text = compose_want_text(s->p->c, image, "image");
        return text ? service_say(s, image, KEY_Image, text) : -EINVAL;
}

static int say_name(Service *s) {
        const Node *given = node_get(s->node, "container_name");
        const char *name = given ? compose_want_text(s->p->c, given, "container_name")
                                 : arena_format(&s->p->c->arena, "%s-%s-%u", s->p->name, s->name, s->number);

        if (given && s->of > 1)
                return compose_fail(s->p->c, given, "services.%s: %u containers cannot have one container_name", s->name, s->of);
        return name ? service_say(s, given ?: s->node, KEY_ContainerName, name) : -EINVAL;
}

static int convert_one(Service *s) {
        Compose *c = s->p->c;
        const char *path = arena_format(&c->arena, "services.%s", s->name);
        int r = path ? say_image(s) : -ENOMEM;

        if (r >= 0)
                r = say_name(s);
        if (r >= 0 && s->p->pod)
                unit_write_raw(&s->w, KEY_Pod, arena_format(&c->arena, "%s.pod", s->p->name));
        int k = r == -ENOMEM ? r : compose_keys(s, s->node, rows, ELEMENTSOF(rows), path);
        r = r < 0 ? r : k;
        if (r >= 0 && !s->p->pod)
                r = service_networks(s);
        if (r < 0)
                return r;
        unit_write_exec(&s->w, s->exec);
        if (s->oneshot) {
                unit_write_line(&s->w.service, "Type", "oneshot");
                unit_write_line(&s->w.service, "RemainAfterExit", "yes");
        }
        return project_add_unit(s->p, arena_format(&c->arena, "%s.container", s->unit), &s->w);
}

/* What others say of it: that they wait until it is well, or until it has ended. */
static const char *waited_for(const Project *p, const char *name, const char *condition, const Node **ret_at) {
        for (size_t i = 0; i < p->services->n; i++) {
                const Node *other = p->services->pairs[i].value, *entry = node_get(node_get(other, "depends_on"), name);

                if (service_is_on(p, other) && str_equal(node_get_text(entry, "condition"), condition)) {
                        *ret_at = entry;
                        return p->services->pairs[i].key;
                }
        }
        return NULL;
}

static int add_waits(Service *s) {
        const Node *at = NULL, *health = node_get(s->node, "healthcheck");
        const char *other = waited_for(s->p, s->name, "service_completed_successfully", &at);

        s->oneshot = other;
        if (waited_for(s->p, s->name, "service_healthy", &at) == NULL)
                return 0;
        if (other)
                return compose_fail(s->p->c, at, "services.%s: some wait until it has ended and some until it is well", s->name);
        if (!node_get(health, "test"))
                compose_warn(s->p->c, at, "services.%s has no healthcheck of its own: if its image has none, its start fails at once", s->name);
        return service_say(s, at, KEY_Notify, "healthy");
}

static bool name_is_valid(const char *name) {
        return *name && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == strlen(name) && *name != '.' &&
               *name != '-' && strlen(name) < 100;
}

int service_convert(Project *p, const char *name, Node *node) {
        unsigned n;

        if (!name_is_valid(name))
                return compose_fail(p->c, node, "services.%s: not the name of a service", name);
        if (node->kind != NODE_MAP)
                return compose_fail(p->c, node, "services.%s: a map is wanted", name);
        int r = service_count(p, name, node, &n);
        for (unsigned i = 1; r >= 0 && i <= n; i++) {
                Service s = { .p = p, .name = name, .node = node, .number = i, .of = n, .unit = service_unit(p, name, i),
                              .w = { .type = UNIT_CONTAINER, .arena = &p->c->arena } };

                r = s.unit ? add_waits(&s) : -ENOMEM;
                r = r < 0 ? r : convert_one(&s);
                unit_writer_done(&s.w);
                strv_free(s.exec);
        }
        return r;
}
