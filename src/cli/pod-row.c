/* SPDX-License-Identifier: Apache-2.0 */
/* A pod as `pod ps` shows it. */
#include "cli/pod-row.h"

#include <string.h>
#include <strings.h>

#include "base/parse.h"
#include "base/str.h"
#include "base/time.h"
#include "cli/filter.h"
#include "cli/time-text.h"
#include "engine/network-names.h"

enum { SHORT_ID = 12 };

void pod_entry_done(PodEntry *entry) {
        pod_done(&entry->pod);
        pod_members_done(&entry->members);
}

/* ---- filters ---- */

#define POD(item) (((const PodEntry *) (item))->pod.config)

static int match_id(const void *item, const char *value, Error *reterr) {
        return filter_regex(POD(item).id, value, reterr);
}

static int match_name(const void *item, const char *value, Error *reterr) {
        return filter_regex(POD(item).name, value, reterr);
}

static int match_label(const void *item, const char *value, _unused_ Error *reterr) {
        return filter_label(POD(item).labels, value);
}

static int match_not_label(const void *item, const char *value, _unused_ Error *reterr) {
        return !filter_label(POD(item).labels, value);
}

static int match_until(const void *item, const char *value, Error *reterr) {
        int64_t until;
        int r = time_text_parse(value, time_now_usec(), &until, reterr);

        return r < 0 ? r : POD(item).created_usec < until;
}

static int match_status(const void *item, const char *value, Error *reterr) {
        static const char *const words[] = { "stopped", "running", "paused", "exited", "dead", "created", "degraded" };

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcasecmp(value, words[i]) == 0)
                        return strcasecmp(pod_members_state(&((const PodEntry *) item)->members), value) == 0;
        return error_set(reterr, -EINVAL, ERROR_INVALID, "not one of stopped, running, paused, exited, dead, created, degraded");
}

static int match_number(const void *item, const char *value, Error *reterr) {
        uint32_t number;

        if (parse_u32(value, &number) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not a number");
        return ((const PodEntry *) item)->members.n == number;
}

static int match_any(const void *item, const char *value, const char *(*text)(const Container *), Error *reterr) {
        const PodMembers *members = &((const PodEntry *) item)->members;

        for (size_t i = 0; i < members->n; i++) {
                int r = filter_regex(text(&members->items[i]), value, reterr);
                if (r != 0)
                        return r;
        }
        return 0;
}

static const char *id_of(const Container *c) {
        return c->config.id;
}

static const char *name_of(const Container *c) {
        return c->config.name;
}

static int match_ctr_id(const void *item, const char *value, Error *reterr) {
        return match_any(item, value, id_of, reterr);
}

static int match_ctr_name(const void *item, const char *value, Error *reterr) {
        return match_any(item, value, name_of, reterr);
}

static int match_ctr_status(const void *item, const char *value, Error *reterr) {
        static const char *const words[] = { "created", "running", "paused", "stopped", "exited", "unknown" };
        const PodMembers *members = &((const PodEntry *) item)->members;
        const char *word = NULL;

        for (size_t i = 0; i < ELEMENTSOF(words); i++)
                if (strcmp(value, words[i]) == 0)
                        word = strcmp(value, "stopped") == 0 ? "exited" : words[i];
        if (!word)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "not one of created, running, paused, stopped, exited, unknown");
        for (size_t i = 0; i < members->n; i++)
                if (strcmp(container_status_to_string(members->items[i].status), word) == 0)
                        return 1;
        return 0;
}

static int match_network(const void *item, const char *value, _unused_ Error *reterr) {
        const Container *infra = pod_members_infra(&((const PodEntry *) item)->members);

        return infra && (str_equal(infra->config.network ?: "slirp4netns", value) || network_names_find(&infra->config, value));
}

static const FilterKey keys[] = {
        { "ctr-ids", .match = match_ctr_id },
        { "ctr-names", .match = match_ctr_name },
        { "ctr-number", .match = match_number },
        { "ctr-status", .match = match_ctr_status },
        { "id", .match = match_id },
        { "label", .all = true, .match = match_label },
        { "label!", .all = true, .match = match_not_label },
        { "name", .match = match_name },
        { "network", .match = match_network },
        { "status", .match = match_status },
        { "until", .all = true, .match = match_until },
        {},
};

const char *const pod_filter_keys[] = { "ctr-ids=", "ctr-names=", "ctr-number=", "ctr-status=", "id=", "label=", "label!=", "name=",
                                        "network=", "status=", "until=", NULL };

int pod_filter_matches(char *const *filters, const PodEntry *entry, Error *reterr) {
        return filters_match(filters, keys, entry, reterr);
}

/* ---- rows ---- */

static const char *const maps[] = { "Labels", NULL };
static const char *const aliases[] = { "Id", "ID", "InfraId", "InfraID", NULL };
const TemplateTypes pod_row_types = { .maps = maps, .aliases = aliases };

const FormatField pod_row_names[] = {
        { "ID", "POD ID" },           { "Id", "POD ID" },        { "Name", NULL },
        { "Status", NULL },           { "Created", NULL },       { "InfraID", "INFRA ID" },
        { "InfraId", "INFRA ID" },    { "Cgroup", NULL },        { "Namespace", "NAMESPACES" },
        { "Labels", NULL },           { "Networks", NULL },      { "NumberOfContainers", "# OF CONTAINERS" },
        { "ContainerIds", "IDS" },    { "ContainerNames", "NAMES" }, { "ContainerStatuses", "STATUS" },
        {},
};

static const char *parent_of(const PodEntry *entry) {
        return entry->pod.config.cgroup_parent ?: POD_CGROUP_PARENT;
}

static json_t *containers_json(const PodMembers *members) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < members->n; i++) {
                const Container *c = &members->items[i];

                if (json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "Id", c->config.id, "Names", c->config.name, "Status",
                                                          container_status_to_string(c->status))) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

/* Those of the infra container, sorted; NULL: none. */
static char **networks_of(const PodEntry *entry) {
        const Container *infra = pod_members_infra(&entry->members);
        char **names = NULL;

        return infra && network_names_sorted(&infra->config, &names) >= 0 ? names : NULL;
}

json_t *pod_row_json(const PodEntry *entry) {
        const PodConfig *config = &entry->pod.config;
        _cleanup_free_ char *created = time_format_rfc3339(config->created_usec);
        _cleanup_strv_ char **networks = networks_of(entry);

        if (!created)
                return NULL;
        return json_pack("{s:s, s:o, s:s, s:s, s:s, s:s, s:s, s:o, s:s, s:o}", "Cgroup", parent_of(entry), "Containers",
                         containers_json(&entry->members), "Created", created, "Id", config->id, "InfraId", config->infra_id ?: "",
                         "Name", config->name, "Namespace", "", "Networks", json_from_strv(networks), "Status",
                         pod_members_state(&entry->members), "Labels",
                         json_from_pairs(config->labels));
}

/* What the containers have of something, with commas between. */
static json_t *joined(const PodMembers *members, const char *(*text)(const Container *), size_t limit) {
        _cleanup_strv_ char **words = NULL;

        for (size_t i = 0; i < members->n; i++) {
                const char *word = text(&members->items[i]);

                if (strv_consume(&words, strndup(word, MIN(strlen(word), limit))) < 0)
                        return NULL;
        }
        _cleanup_free_ char *all = words ? strv_join(words, ",") : strdup("");
        return all ? json_text(all) : NULL;
}

static const char *status_of(const Container *c) {
        return container_status_to_string(c->status);
}

static json_t *id_json(const char *id, bool no_trunc) {
        return id ? json_stringn_nocheck(id, MIN(strlen(id), no_trunc ? SIZE_MAX : SHORT_ID)) : json_string("");
}

json_t *pod_row_fields(const PodEntry *entry, bool no_trunc, int64_t now_usec) {
        const PodConfig *config = &entry->pod.config;
        const PodMembers *members = &entry->members;
        _cleanup_free_ char *created = time_text_ago(config->created_usec, now_usec), *names = NULL;
        _cleanup_strv_ char **networks = networks_of(entry);

        if (!created || !(names = strv_join(networks, ",")))
                return NULL;
        return json_pack("{s:o, s:s, s:s, s:s, s:o, s:s, s:s, s:o, s:s, s:I, s:o, s:o, s:o}", "ID", id_json(config->id, no_trunc), "Name",
                         config->name, "Status", pod_members_state(members), "Created", created, "InfraID",
                         id_json(config->infra_id, no_trunc), "Cgroup", parent_of(entry), "Namespace", "", "Labels",
                         json_from_pairs(config->labels), "Networks", names, "NumberOfContainers", (json_int_t) members->n, "ContainerIds",
                         joined(members, id_of, no_trunc ? SIZE_MAX : SHORT_ID), "ContainerNames", joined(members, name_of, SIZE_MAX),
                         "ContainerStatuses", joined(members, status_of, SIZE_MAX));
}

/* ---- order ---- */

static int by_created(const void *a, const void *b) {
        int64_t x = POD(a).created_usec, y = POD(b).created_usec;

        return (x > y) - (x < y);
}

static int by_id(const void *a, const void *b) {
        return strcmp(POD(a).id, POD(b).id);
}

static int by_name(const void *a, const void *b) {
        return strcmp(POD(a).name, POD(b).name);
}

static int by_number(const void *a, const void *b) {
        size_t x = ((const PodEntry *) a)->members.n, y = ((const PodEntry *) b)->members.n;

        return x != y ? (x > y) - (x < y) : by_created(a, b);
}

static int by_status(const void *a, const void *b) {
        int r = strcmp(pod_members_state(&((const PodEntry *) a)->members), pod_members_state(&((const PodEntry *) b)->members));

        return r != 0 ? r : by_created(a, b);
}

static const struct {
        const char *key;
        PodCompare compare;
} orders[] = { { "created", by_created }, { "id", by_id }, { "name", by_name }, { "names", by_name }, { "number", by_number }, { "status", by_status } };

const char *const pod_sort_keys[] = { "created", "id", "name", "number", "status", NULL };

PodCompare pod_compare_by(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(orders); i++)
                if (strcasecmp(orders[i].key, key) == 0)
                        return orders[i].compare;
        return NULL;
}
