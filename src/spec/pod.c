/* SPDX-License-Identifier: Apache-2.0 */
/* The table of a pod's record, and what follows from it. */
#include "spec/pod.h"

#include <string.h>

#include "base/str.h"

#define FIELD(member, name, type) JSON_FIELD(PodConfig, member, name, JSON_FIELD_##type)

const JsonField pod_config_fields[] = {
        FIELD(version, "version", INT),
        FIELD(id, "id", STRING),
        FIELD(name, "name", STRING),
        FIELD(created_usec, "createdUSec", INT64),
        FIELD(create_command, "createCommand", STRV),
        FIELD(labels, "labels", PAIRS),
        FIELD(share, "share", STRV),
        FIELD(hostname, "hostname", STRING),
        FIELD(exit_policy, "exitPolicy", STRING),
        FIELD(restart_policy, "restartPolicy", STRING),
        FIELD(restart_retries, "restartRetries", UINT32),
        FIELD(infra_id, "infraID", STRING),
        FIELD(cgroup_parent, "cgroupParent", STRING),
        FIELD(no_share_parent, "noShareParent", BOOL),
        JSON_FIELD_OBJECT_OF(PodConfig, resources, "resources", container_resources_fields),
        {},
};

void pod_config_done(PodConfig *config) {
        json_fields_done(pod_config_fields, config);
}

bool pod_shares(const PodConfig *config, const char *namespace) {
        return config->infra_id && strv_contains(config->share, namespace);
}

char *pod_slice(const PodConfig *config) {
        const char *parent = config->cgroup_parent ?: POD_CGROUP_PARENT;

        return str_format("%.*s-sdpod_pod_%s.slice", (int) (strlen(parent) - strlen(".slice")), parent, config->id);
}

bool pod_has_limits(const PodConfig *config) {
        const ContainerResources *r = &config->resources;

        return r->memory || r->memory_swap || r->memory_reservation || r->cpu_shares || r->cpu_quota || r->cpu_period ||
               r->cpuset_cpus || r->cpuset_mems || r->pids_limit > 0;
}

/* The first that holds; in this order, as one that runs makes it degraded whatever the others do. */
const char *pod_state(const PodCount *count) {
        const struct {
                bool holds;
                const char *state;
        } rows[] = {
                { count->all == 0, "Created" },
                { count->running == count->all, "Running" },
                { count->running > 0, "Degraded" },
                { count->paused == count->all, "Paused" },
                { count->ended == count->all, "Exited" },
                { count->ended > 0, "Stopped" },
                { count->created + count->paused < count->all, "Error" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                if (rows[i].holds)
                        return rows[i].state;
        return "Created";
}
