/* SPDX-License-Identifier: Apache-2.0 */
/* A container as `ps` shows it. */
#include "cli/ps-row.h"

#include <unistd.h>

#include "base/str.h"
#include "base/time.h"
#include "cli/columns.h"
#include "cli/time-text.h"
#include "engine/inspect.h"
#include "engine/network-names.h"
#include "engine/network-restart.h"

/* What Go's zero time is in seconds since the epoch. */
#define NEVER INT64_C(-62135596800)

enum { COMMAND_WIDTH = 17 };

/* Sorted. USERNS is the name that older versions had. */
static const FormatField fields[] = {
        { "AutoRemove" },  { "CGROUPNS", "CGROUPNS" },            { "CIDFile" },
        { "Cgroup", "CGROUPNS" },
        { "Command" },     { "Created" },    { "CreatedAt" },
        { "CreatedHuman", "CREATED" },       { "ExitCode" },
        { "Exited" },      { "ExitedAt" },   { "ExposedPorts" },
        { "ID", "CONTAINER ID" },            { "IPC" },
        { "Image" },       { "ImageID" },    { "IsInfra" },
        { "Labels" },      { "MNT" },        { "Mounts" },
        { "NET" },         { "Names" },      { "Namespaces" },
        { "Networks" },
        { "PIDNS", "PIDNS" },                { "Pid" },
        { "Pod", "POD ID" },                 { "PodName", "PODNAME" },
        { "Ports" },       { "Restarts" },   { "RunningFor" },
        { "Size" },        { "StartedAt" },  { "State" },
        { "Status" },      { "USERNS" },     { "UTS" },
        { "User", "USERNS" },                {},
};

static const char *const maps[] = { "Labels", "ExposedPorts", NULL }, *const times[] = { "Created", NULL },
                         *const lookups[] = { "Label", "Labels", NULL };
static const TemplateTypes types = { .maps = maps, .times = times, .lookups = lookups };

#define TABLE "table {{.ID}}\t{{.Image}}\t{{.Command}}\t{{.CreatedHuman}}\t{{.Status}}\t{{.Ports}}\t{{.Names}}"

const FormatList ps_list = { .fields = fields, .types = &types, .table = TABLE };
const FormatList ps_list_size = { .fields = fields, .types = &types, .table = TABLE "\t{{.Size}}" };
const FormatList ps_list_namespaces = {
        .fields = fields, .types = &types,
        .table = "table {{.ID}}\t{{.Names}}\t{{.Pid}}\t{{.Cgroup}}\t{{.IPC}}\t{{.MNT}}\t{{.NET}}\t{{.PIDNS}}\t{{.User}}\t{{.UTS}}",
};

char *ps_status_text(const Container *c, const char *health, int64_t now_usec) {
        _cleanup_free_ char *text = NULL;

        switch (c->status) {
        case CONTAINER_RUNNING:
                text = time_text_duration((now_usec - c->state.started_usec) / TIME_USEC_PER_SEC);
                if (!text)
                        return NULL;
                if (network_is_down(c))
                        health = "network down";
                return str_empty(health) ? str_format("Up %s ago", text) : str_format("Up %s ago (%s)", text, health);
        case CONTAINER_EXITED:
                text = time_text_ago(c->state.finished_usec, now_usec);
                return text ? str_format("Exited (%d) %s", c->state.exit_code, text) : NULL;
        default:
                text = strdup(container_status_to_string(c->status));
                if (text)
                        *text = (char) (*text - 'a' + 'A');
                return TAKE_PTR(text);
        }
}

/* How many ports from the first on are neighbours on both sides. */
static size_t port_run(const ContainerPort *ports, size_t n) {
        size_t run = 1;

        while (run < n && ports[run].container_port == ports[0].container_port + run &&
               ports[run].host_port == ports[0].host_port + run && str_equal(ports[run].protocol, ports[0].protocol) &&
               str_equal(ports[run].host_ip, ports[0].host_ip))
                run++;
        return run;
}

static char *published_text(const ContainerPort *port, size_t run) {
        const char *ip = str_empty(port->host_ip) ? "0.0.0.0" : port->host_ip, *protocol = port->protocol ?: "tcp";
        unsigned last = (unsigned) run - 1;

        if (run == 1)
                return str_format("%s:%u->%u/%s", ip, port->host_port, port->container_port, protocol);
        return str_format("%s:%u-%u->%u-%u/%s", ip, port->host_port, port->host_port + last, port->container_port,
                          port->container_port + last, protocol);
}

static bool is_published(const ContainerPort *ports, size_t n, const char *exposed) {
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *text = str_format("%u/%s", ports[i].container_port, ports[i].protocol ?: "tcp");

                if (str_equal(text, exposed))
                        return true;
        }
        return false;
}

char *ps_ports_text(const Container *c) {
        _cleanup_strv_ char **words = NULL;
        size_t n, run;
        const ContainerPort *ports = inspect_ports(c, &n);

        for (size_t i = 0; i < n; i += run) {
                run = port_run(ports + i, n - i);
                if (strv_consume(&words, published_text(&ports[i], run)) < 0)
                        return NULL;
        }
        for (char **e = c->config.expose; e && *e; e++)
                if (!is_published(ports, n, *e) && strv_append(&words, *e) < 0)
                        return NULL;
        return strv_join(words, ", ");
}

static json_t *ports_json(const Container *c) {
        _cleanup_json_ json_t *list = NULL;
        size_t n, run;
        const ContainerPort *ports = inspect_ports(c, &n);

        if (n == 0)
                return json_null();
        list = json_array();
        for (size_t i = 0; i < n; i += run) {
                run = port_run(ports + i, n - i);
                if (json_array_append_new(list, json_pack("{s:s, s:I, s:I, s:I, s:s}", "host_ip", ports[i].host_ip ?: "",
                                                          "container_port", (json_int_t) ports[i].container_port,
                                                          "host_port", (json_int_t) ports[i].host_port, "range",
                                                          (json_int_t) run, "protocol", ports[i].protocol ?: "tcp")) < 0)
                        return NULL;
        }
        return TAKE_PTR(list);
}

/* {"80": ["tcp"]} */
static json_t *exposed_json(const ContainerConfig *config) {
        _cleanup_json_ json_t *map = NULL;

        if (!config->expose)
                return json_null();
        map = json_object();
        for (char **e = config->expose; *e; e++) {
                _cleanup_free_ char *port = strndup(*e, strcspn(*e, "/"));
                const char *slash = strchr(*e, '/');
                json_t *protocols = port ? json_object_get(map, port) : NULL;

                if (!protocols && port && json_object_set_new(map, port, protocols = json_array()) < 0)
                        return NULL;
                if (!protocols || json_array_append_new(protocols, json_text(slash ? slash + 1 : "tcp")) < 0)
                        return NULL;
        }
        return TAKE_PTR(map);
}

static json_t *networks_json(const ContainerConfig *config) {
        _cleanup_strv_ char **names = NULL;

        return network_names_sorted(config, &names) < 0 ? NULL : json_from_strv(names);
}

static json_t *networks_text(const ContainerConfig *config) {
        _cleanup_strv_ char **names = NULL;
        _cleanup_free_ char *text = network_names_sorted(config, &names) < 0 ? NULL : strv_join(names, ",");

        return text ? json_text(text) : NULL;
}

static json_t *destinations(const ContainerConfig *config) {
        _cleanup_json_ json_t *list = json_array();

        for (size_t i = 0; i < config->n_mounts; i++)
                if (json_array_append_new(list, json_text(config->mounts[i].destination)) < 0)
                        return NULL;
        return TAKE_PTR(list);
}


/* null where there are none, as Go writes an empty map that was never made. */
static json_t *labels_json(const ContainerConfig *config) {
        return config->labels ? json_from_pairs(config->labels) : json_null();
}

/* Without the entrypoint, as podman has it. */
static char *command_text(const ContainerConfig *config, bool no_trunc) {
        _cleanup_free_ char *text = strv_join(config->command, " ");
        size_t n = COMMAND_WIDTH;

        if (!text || no_trunc || strlen(text) <= COMMAND_WIDTH)
                return TAKE_PTR(text);
        while (n > 0 && (text[n] & 0xc0) == 0x80)
                n--;
        return str_format("%.*s...", (int) n, text);
}

static int64_t seconds_or_never(int64_t usec) {
        return usec > 0 ? usec / TIME_USEC_PER_SEC : NEVER;
}

static bool runs(const Container *c) {
        return c->status == CONTAINER_RUNNING || c->status == CONTAINER_PAUSED;
}

static json_t *taken_text(char *text) {
        json_t *json = text ? json_text(text) : NULL;

        free(text);
        return json;
}

static json_t *size_json(const PsEntry *entry) {
        if (!entry->measured)
                return json_null();
        return json_pack("{s:I, s:I}", "rootFsSize", (json_int_t) entry->size_rootfs, "rwSize", (json_int_t) entry->size_rw);
}

static char *size_text(const PsEntry *entry) {
        if (!entry->measured)
                return strdup("");
        _cleanup_free_ char *rw = time_text_size(entry->size_rw, 3, /* space= */ false),
                            *rootfs = time_text_size(entry->size_rootfs, 3, /* space= */ false);
        return rw && rootfs ? str_format("%s (virtual %s)", rw, rootfs) : NULL;
}

typedef struct Pair {
        const char *key;
        json_t *value; /* taken over; NULL: out of memory */
} Pair;

static json_t *object_from(const Pair *pairs, size_t n) {
        _cleanup_json_ json_t *object = json_object();
        bool failed = !object;

        for (size_t i = 0; i < n; i++)
                failed = json_object_set_new_nocheck(object, pairs[i].key, pairs[i].value) < 0 || failed;
        return failed ? NULL : TAKE_PTR(object);
}

json_t *ps_row_json(const PsEntry *entry, const PsView *view) {
        const Container *c = &entry->container;
        const ContainerConfig *config = &c->config;
        bool exited = c->status == CONTAINER_EXITED;
        const Pair pairs[] = {
                { "AutoRemove", json_boolean(config->auto_remove) },
                { "Command", json_from_strv(config->command) },
                { "CreatedAt", taken_text(time_text_ago(config->created_usec, view->now_usec)) },
                { "CIDFile", json_string("") },
                { "Exited", json_boolean(exited) },
                { "ExitedAt", json_integer(seconds_or_never(exited ? c->state.finished_usec : 0)) },
                { "ExitCode", json_integer(exited ? c->state.exit_code : 0) },
                { "ExposedPorts", exposed_json(config) },
                { "Id", json_text(config->id) },
                { "Image", json_text(config->image_name ?: config->image ?: "") },
                { "ImageID", json_text(config->image_id ?: "") },
                { "IsInfra", json_boolean(config->infra) },
                { "Labels", labels_json(config) },
                { "Mounts", destinations(config) },
                { "Names", json_pack("[s]", config->name) },
                { "Namespaces", json_object() },
                { "Networks", networks_json(config) },
                { "Pid", json_integer(runs(c) ? c->process.pid : 0) },
                { "Pod", json_text(config->pod ?: "") },
                { "PodName", json_text(entry->pod_name ?: "") },
                { "Ports", ports_json(c) },
                { "Restarts", json_integer(c->state.restart_count) },
                { "Size", size_json(entry) },
                { "StartedAt", json_integer(seconds_or_never(c->state.started_usec)) },
                { "State", json_string(container_status_to_string(c->status)) },
                { "Status", taken_text(ps_status_text(c, entry->health, view->now_usec)) },
                { "Created", json_integer(config->created_usec / TIME_USEC_PER_SEC) },
        };

        return object_from(pairs, ELEMENTSOF(pairs));
}

/* The inode number of a namespace, as in the link's text "pid:[4026531836]". */
static json_t *namespace_json(int pid, const char *name) {
        char path[64], text[64];
        ssize_t n = -1;

        if (pid > 0) {
                (void) snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
                n = readlink(path, text, sizeof(text) - 1);
        }
        if (n < 0)
                return json_string("");
        text[n] = 0;
        char *number = strchr(text, '[');
        if (!number)
                return json_string("");
        number[strcspn(number, "]")] = 0;
        return json_string(number + 1);
}

/* What {{.Namespaces}} prints, in the order of Podman's struct; its JSON leaves out what is empty. */
static json_t *namespaces_struct(int pid) {
        static const struct {
                const char *field, *file;
        } names[] = { { "MNT", "mnt" },   { "Cgroup", "cgroup" }, { "IPC", "ipc" }, { "NET", "net" },
                      { "PIDNS", "pid" }, { "UTS", "uts" },       { "User", "user" } };
        _cleanup_json_ json_t *object = json_object();

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (json_object_set_new_nocheck(object, names[i].field, namespace_json(pid, names[i].file)) < 0)
                        return NULL;
        return TAKE_PTR(object);
}

static int add_namespaces(json_t *row, int pid) {
        static const struct {
                const char *field, *file;
        } names[] = { { "CGROUPNS", "cgroup" }, { "Cgroup", "cgroup" }, { "IPC", "ipc" },   { "MNT", "mnt" },     { "NET", "net" },
                      { "PIDNS", "pid" },     { "USERNS", "user" }, { "User", "user" }, { "UTS", "uts" } };

        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (json_object_set_new_nocheck(row, names[i].field, namespace_json(pid, names[i].file)) < 0)
                        return -ENOMEM;
        return 0;
}

static char *go_time(int64_t usec) {
        _cleanup_free_ char *text = time_format_rfc3339(usec);
        char *go = NULL;

        if (!text || time_text_go(text, &go) < 0)
                return NULL;
        return go;
}

static json_t *short_id(const char *id, bool no_trunc) {
        return id ? json_stringn_nocheck(id, MIN(strlen(id), no_trunc ? SIZE_MAX : 12)) : json_string("");
}

/* What the terminal must not be steered by is escaped, as in all tables. */
static int put_cell(FILE *out, const char *text, char end) {
        _cleanup_free_ char *clean = str_escape_control(text);

        if (!clean)
                return -ENOMEM;
        fputs(clean, out);
        fputc(end, out);
        return 0;
}

static int put_row(const PsEntry *entry, const PsView *view, bool size, FILE *out) {
        const Container *c = &entry->container;
        _cleanup_free_ char *command = command_text(&c->config, view->no_trunc), *ports = ps_ports_text(c),
                            *created = time_text_ago(c->config.created_usec, view->now_usec), *sizes = size ? size_text(entry) : NULL,
                            *status = ps_status_text(c, entry->health, view->now_usec);
        const char *const cells[] = { c->config.image_name ?: c->config.image ?: "", command, created, status, ports, c->config.name,
                                      sizes };
        size_t n = ELEMENTSOF(cells) - (size ? 0 : 1);

        fprintf(out, "%.*s\t", view->no_trunc ? CONTAINER_ID_LENGTH : 12, c->config.id);
        for (size_t i = 0; i < n; i++)
                if (!cells[i] || put_cell(out, cells[i], i + 1 < n ? '\t' : '\n') < 0)
                        return -ENOMEM;
        return 0;
}

int ps_table_write(PsEntry *const *entries, size_t n, const PsView *view, bool size, bool no_heading, FILE *out) {
        _cleanup_free_ char *text = NULL;
        size_t length;
        int r = 0;
        FILE *memory = open_memstream(&text, &length);

        if (!memory)
                return -ENOMEM;
        if (!no_heading)
                fprintf(memory, "CONTAINER ID\tIMAGE\tCOMMAND\tCREATED\tSTATUS\tPORTS\tNAMES%s\n", size ? "\tSIZE" : "");
        for (size_t i = 0; i < n && r >= 0; i++)
                r = put_row(entries[i], view, size, memory);
        if (fclose(memory) != 0)
                return -ENOMEM;
        return r < 0 ? r : columns_write(text, out);
}

json_t *ps_row_fields(const PsEntry *entry, const PsView *view, bool namespaces) {
        const Container *c = &entry->container;
        const ContainerConfig *config = &c->config;
        bool exited = c->status == CONTAINER_EXITED;
        int pid = runs(c) ? c->process.pid : 0;
        char *created = time_text_ago(config->created_usec, view->now_usec);
        const Pair pairs[] = {
                { "AutoRemove", json_boolean(config->auto_remove) },
                { "CIDFile", json_string("") },
                { "Command", taken_text(command_text(config, view->no_trunc)) },
                { "Created", taken_text(time_format_rfc3339(config->created_usec)) },
                { "CreatedAt", taken_text(go_time(config->created_usec)) },
                { "CreatedHuman", created ? json_string(created) : NULL },
                { "ExitCode", json_integer(exited ? c->state.exit_code : 0) },
                { "Exited", json_boolean(exited) },
                { "ExitedAt", json_integer(seconds_or_never(exited ? c->state.finished_usec : 0)) },
                { "ExposedPorts", exposed_json(config) },
                { "ID", short_id(config->id, view->no_trunc) },
                { "Image", json_text(config->image_name ?: config->image ?: "") },
                { "ImageID", short_id(config->image_id, view->no_trunc) },
                { "IsInfra", json_boolean(config->infra) },
                { "Labels", labels_json(config) },
                { "Mounts", destinations(config) },
                { "Names", json_text(config->name) },
                { "Namespaces", namespaces_struct(namespaces ? pid : 0) },
                { "Networks", networks_text(config) },
                { "Pid", json_integer(pid) },
                { "Pod", short_id(config->pod, view->no_trunc) },
                { "PodName", json_text(entry->pod_name ?: "") },
                { "Ports", taken_text(ps_ports_text(c)) },
                { "Restarts", json_integer(c->state.restart_count) },
                { "RunningFor", taken_text(created) },
                { "Size", taken_text(size_text(entry)) },
                { "StartedAt", json_integer(seconds_or_never(c->state.started_usec)) },
                { "State", json_string(container_status_to_string(c->status)) },
                { "Status", taken_text(ps_status_text(c, entry->health, view->now_usec)) },
        };
        _cleanup_json_ json_t *row = object_from(pairs, ELEMENTSOF(pairs));

        return row && add_namespaces(row, namespaces ? pid : 0) >= 0 ? TAKE_PTR(row) : NULL;
}

static int compare_strings(const char *a, const char *b) {
        return strcmp(a ?: "", b ?: "");
}

static int compare_numbers(int64_t a, int64_t b) {
        return (a > b) - (a < b);
}

#define DEFINE_COMPARE(name, expression)                                                                    \
        static int by_##name(const void *x, const void *y) {                                                \
                const PsEntry *a = *(const PsEntry *const *) x, *b = *(const PsEntry *const *) y;                                                              \
                int r = expression;                                                                         \
                return r != 0 ? r : compare_numbers(a->container.config.created_usec, b->container.config.created_usec); \
        }

static const char *image_of(const PsEntry *e) {
        return e->container.config.image_name ?: e->container.config.image;
}

static int compare_commands(const PsEntry *a, const PsEntry *b) {
        _cleanup_free_ char *x = command_text(&a->container.config, true), *y = command_text(&b->container.config, true);

        return compare_strings(x, y);
}

static int compare_status(const PsEntry *a, const PsEntry *b) {
        return compare_strings(container_status_to_string(a->container.status), container_status_to_string(b->container.status));
}

DEFINE_COMPARE(command, compare_commands(a, b))
DEFINE_COMPARE(created, 0)
DEFINE_COMPARE(id, compare_strings(a->container.config.id, b->container.config.id))
DEFINE_COMPARE(image, compare_strings(image_of(a), image_of(b)))
DEFINE_COMPARE(names, compare_strings(a->container.config.name, b->container.config.name))
DEFINE_COMPARE(runningfor, compare_numbers(a->container.state.started_usec, b->container.state.started_usec))
DEFINE_COMPARE(size, compare_numbers((int64_t) a->size_rootfs, (int64_t) b->size_rootfs))
DEFINE_COMPARE(status, compare_status(a, b))

static const struct {
        const char *key;
        PsCompare compare;
} comparisons[] = {
        { "command", by_command }, { "created", by_created },       { "id", by_id },     { "image", by_image },
        { "names", by_names },     { "runningfor", by_runningfor }, { "size", by_size }, { "status", by_status },
};

const char *const ps_sort_keys[] = { "command", "created", "id", "image", "names", "runningfor", "size", "status", NULL };

PsCompare ps_compare_by(const char *key) {
        for (size_t i = 0; i < ELEMENTSOF(comparisons); i++)
                if (strcmp(comparisons[i].key, key) == 0)
                        return comparisons[i].compare;
        return NULL;
}
