/* SPDX-License-Identifier: Apache-2.0 */
/* Rows, filters and sort keys of ps. */
#include <stdlib.h>

#include "base/str.h"
#include "base/test.h"
#include "base/time.h"
#include "cli/container-filter.h"
#include "cli/ps-row.h"

#define NOW (INT64_C(1795347645) * TIME_USEC_PER_SEC)

static char *words(const char *text) {
        char *copy = strdup(text);

        CHECK(copy);
        return copy;
}

static char **list(const char *text) {
        return strv_split(text, " ");
}

/* A container that was made an hour and started half an hour ago. */
static void make(Container *c) {
        *c = CONTAINER_NULL;
        c->config.id = words("1234567890abcdef1234567890abcdef1234567890abcdef1234567890abcdef");
        c->config.name = words("web");
        c->config.created_usec = NOW - 3600 * TIME_USEC_PER_SEC;
        c->config.image = words("busybox");
        c->config.image_name = words("docker.io/library/busybox:latest");
        c->config.image_id = words("abcdef0123456789abcdef0123456789abcdef0123456789abcdef0123456789");
        c->config.command = list("sh -c run-forever --loudly");
        c->config.labels = list("app=web tier=front");
        c->state.started_usec = NOW - 1800 * TIME_USEC_PER_SEC;
        c->status = CONTAINER_RUNNING;
        c->process.pid = 4711;
}

static void add_port(Container *c, const char *ip, uint32_t host, uint32_t container, const char *protocol) {
        ContainerPort *p = container_array_add((void **) &c->config.ports, &c->config.n_ports, sizeof(*p));

        CHECK(p);
        *p = (ContainerPort){ .host_ip = ip ? words(ip) : NULL, .host_port = host, .container_port = container,
                              .protocol = words(protocol) };
}

TEST(status_in_words) {
        static const struct {
                ContainerStatus status;
                const char *text;
        } cases[] = {
                { CONTAINER_RUNNING, "Up 30 minutes ago" },       { CONTAINER_EXITED, "Exited (3) About a minute ago" },
                { CONTAINER_CREATED, "Created" },             { CONTAINER_PAUSED, "Paused" },
                { CONTAINER_STOPPING, "Stopping" },           { CONTAINER_REMOVING, "Removing" },
        };
        _cleanup_container_ Container c;

        make(&c);
        c.state.exit_code = 3;
        c.state.finished_usec = NOW - 65 * TIME_USEC_PER_SEC;
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                c.status = cases[i].status;
                _cleanup_free_ char *text = ps_status_text(&c, /* health= */ NULL, NOW);
                CHECK_STR(text, cases[i].text);
        }
        c.status = CONTAINER_RUNNING;
        _cleanup_free_ char *healthy = ps_status_text(&c, "healthy", NOW);
        CHECK_STR(healthy, "Up 30 minutes ago (healthy)");
        c.process.net_pid = INT32_MAX; /* nobody */
        _cleanup_free_ char *down = ps_status_text(&c, "healthy", NOW);
        CHECK_STR(down, "Up 30 minutes ago (network down)");
}

TEST(ports_are_joined_to_ranges) {
        _cleanup_container_ Container c;

        make(&c);
        _cleanup_free_ char *none = ps_ports_text(&c);
        CHECK_STR(none, "");
        add_port(&c, NULL, 8080, 80, "tcp");
        add_port(&c, "127.0.0.1", 2000, 2000, "udp");
        add_port(&c, "127.0.0.1", 2001, 2001, "udp");
        add_port(&c, "127.0.0.1", 2002, 2002, "udp");
        add_port(&c, "127.0.0.1", 2003, 3000, "udp");
        add_port(&c, "127.0.0.1", 2010, 3001, "udp");
        c.config.expose = list("80/tcp 443/tcp");
        _cleanup_free_ char *text = ps_ports_text(&c);
        CHECK_STR(text, "0.0.0.0:8080->80/tcp, 127.0.0.1:2000-2002->2000-2002/udp, 127.0.0.1:2003->3000/udp, "
                        "127.0.0.1:2010->3001/udp, 443/tcp");
}

static const char *show(const Container *c, const char *format) {
        static char *out;
        const PsView view = { .now_usec = NOW };
        PsEntry entry = { .container = *c };
        _cleanup_json_ json_t *rows = json_array();
        _cleanup_error_ Error error = ERROR_NULL;
        size_t size;
        FILE *memory;

        free(out);
        out = NULL;
        memory = open_memstream(&out, &size);
        CHECK(memory);
        CHECK_INT(json_array_append_new(rows, ps_row_fields(&entry, &view, /* namespaces= */ false)), 0);
        int r = format_list(&ps_list, format, /* no_heading= */ false, rows, memory, &error);
        fclose(memory);
        if (r < 0)
                test_note("%s", error.message);
        return r < 0 ? "error" : out;
}

TEST(the_table_is_that_of_podman) {
        _cleanup_container_ Container c;

        make(&c);
        CHECK_STR(show(&c, NULL),
                  "CONTAINER ID  IMAGE                             COMMAND               CREATED            STATUS             PORTS       NAMES\n"
                  "1234567890ab  docker.io/library/busybox:latest  sh -c run-forever...  About an hour ago  Up 30 minutes ago              web\n");
}

/* The table is written without a template: it must not become another one. */
TEST(the_table_is_what_its_template_says) {
        static const PsView view = { .now_usec = NOW }, whole = { .no_trunc = true, .now_usec = NOW };
        PsEntry a = { .measured = true, .size_rw = 1234, .size_rootfs = 5678900, .health = words("healthy") }, b = {};
        PsEntry *const entries[] = { &a, &b };

        make(&a.container);
        make(&b.container);
        b.container.status = CONTAINER_EXITED;
        CHECK_INT(str_replace(&b.container.config.image_name, "x\033[31m\ty"), 0);
        CHECK_INT(strv_append(&a.container.config.expose, "443/tcp"), 0);
        for (unsigned i = 0; i < 4; i++) {
                bool size = i & 1;
                const PsView *v = i & 2 ? &whole : &view;
                _cleanup_free_ char *direct = NULL, *templated = NULL;
                _cleanup_json_ json_t *rows = json_array();
                size_t n;
                FILE *out = open_memstream(&direct, &n);

                CHECK(out);
                CHECK_INT(ps_table_write(entries, 2, v, size, /* no_heading= */ false, out), 0);
                fclose(out);
                out = open_memstream(&templated, &n);
                CHECK(out);
                for (size_t k = 0; k < 2; k++)
                        CHECK_INT(json_array_append_new(rows, ps_row_fields(entries[k], v, /* namespaces= */ false)), 0);
                CHECK_INT(format_list(size ? &ps_list_size : &ps_list, NULL, /* no_heading= */ false, rows, out, NULL), 0);
                fclose(out);
                CHECK_STR(direct, templated);
        }
        free(a.health);
        container_done(&a.container);
        container_done(&b.container);
}

TEST(every_field_has_a_heading_and_a_value) {
        _cleanup_container_ Container c;

        make(&c);
        for (const FormatField *f = ps_list.fields; f->name; f++) {
                _cleanup_free_ char *format = str_format("table {{.%s}}", f->name);

                CHECK(strcmp(show(&c, format), "error") != 0);
        }
}

TEST(templates_of_podmans_users) {
        _cleanup_container_ Container c;

        setenv("TZ", "UTC", 1);
        make(&c);
        CHECK_STR(show(&c, "{{.ID}} {{.Names}} {{.State}}"), "1234567890ab web running\n");
        CHECK_STR(show(&c, "{{.Label \"app\"}}{{index .Labels \"tier\"}}{{.Labels.none}}"), "webfront<no value>\n");
        CHECK_STR(show(&c, "{{.Created}}|{{.CreatedAt}}"), "2026-11-22 10:40:45 +0000 UTC|2026-11-22 10:40:45 +0000 UTC\n");
        CHECK_STR(show(&c, "table {{.Names}}\\t{{.RunningFor}}"), "NAMES       RUNNING FOR\nweb         About an hour ago\n");
        CHECK_STR(show(&c, "{{.Pid}} {{.ExitedAt}} {{.Labels}}"), "4711 -62135596800 map[app:web tier:front]\n");
}

TEST(json_has_the_fields_of_podman) {
        _cleanup_container_ Container c;
        const PsView view = { .now_usec = NOW };

        make(&c);
        add_port(&c, NULL, 8080, 80, "tcp");
        PsEntry entry = { .container = c, .measured = true, .size_rw = 12, .size_rootfs = 1982291 };
        _cleanup_json_ json_t *row = ps_row_json(&entry, &view);
        CHECK_STR(json_get_string(row, "Id"), c.config.id);
        CHECK_STR(json_string_value(json_array_get(json_object_get(row, "Names"), 0)), "web");
        CHECK_INT(json_array_size(json_object_get(row, "Command")), 4);
        CHECK_INT(json_get_integer(row, "Created", 0), NOW / TIME_USEC_PER_SEC - 3600);
        CHECK_INT(json_get_integer(row, "ExitedAt", 0), -62135596800);
        CHECK_STR(json_get_string(row, "State"), "running");
        CHECK_STR(json_get_string(row, "Status"), "Up 30 minutes ago");
        CHECK_INT(json_get_integer(json_object_get(row, "Size"), "rootFsSize", 0), 1982291);
        const json_t *port = json_array_get(json_object_get(row, "Ports"), 0);
        CHECK_INT(json_get_integer(port, "host_port", 0), 8080);
        CHECK_INT(json_get_integer(port, "range", 0), 1);
}

/* Whether the container passes "key=value key=value". */
static int passes(const Container *c, const char *filters) {
        _cleanup_strv_ char **v = list(filters);
        _cleanup_container_filter_ ContainerFilter *filter = NULL;
        int r = container_filter_parse(/* store= */ NULL, v, NOW, &filter, NULL);

        return r < 0 ? r : container_filter_matches(filter, c);
}

TEST(filters_by_the_record) {
        static const struct {
                const char *filters;
                int wanted;
        } cases[] = {
                { "name=web", true }, { "name=^we", true }, { "name=x", false }, { "name=x name=web", true },
                { "name=(", -EINVAL }, { "id=1234", true }, { "id=99", false }, { "id=cdef$", true },
                { "label=app", true }, { "label=app=web", true }, { "label=app=x", false }, { "label=a*", true },
                { "label=app label=none", false }, { "label=app label=tier=front", true }, { "label!=none", true },
                { "label!=app", false }, { "status=running", true }, { "status=exited", false },
                { "status=exited status=running", true }, { "status=nonsense", -EINVAL },
                { "ancestor=busybox", true }, { "ancestor=docker.io/library/busybox", true }, { "ancestor=abcdef", true },
                { "ancestor=busybox$", true }, { "ancestor=nginx", false }, { "exited=0", false }, { "exited=x", -EINVAL },
                { "until=30m", true }, { "until=2h", false }, { "until=soon", -EINVAL }, { "network=slirp", true },
                { "network=slirp4netns", true }, { "network=none", false }, { "restart-policy=no", true },
                { "restart-policy=always", false }, { "restart-policy=often", -EINVAL }, { "should-start-on-boot=false", true },
                { "should-start-on-boot=true", false }, { "should-start-on-boot=maybe", -EINVAL }, { "command=sh", true },
                { "command=-c", false }, { "volume=data", false }, { "name", -EINVAL }, { "nonsense=1", -EINVAL },
                { "health=none", true }, { "health=well", -EINVAL }, { "name=web status=exited", false },
        };
        _cleanup_container_ Container c;

        make(&c);
        for (size_t i = 0; i < ELEMENTSOF(cases); i++)
                if (passes(&c, cases[i].filters) != cases[i].wanted) {
                        test_note("%s", cases[i].filters);
                        CHECK_INT(passes(&c, cases[i].filters), cases[i].wanted);
                }
}

TEST(what_starts_at_boot) {
        _cleanup_container_ Container c;

        make(&c);
        c.config.restart_policy = words("unless-stopped");
        CHECK_INT(passes(&c, "should-start-on-boot=true"), true);
        c.state.stopped_by_user = true;
        CHECK_INT(passes(&c, "should-start-on-boot=true"), false);
        CHECK_INT(str_replace(&c.config.restart_policy, "always"), 0);
        CHECK_INT(passes(&c, "should-start-on-boot=true"), true);
        CHECK_INT(str_replace(&c.config.restart_policy, "on-failure"), 0);
        CHECK_INT(passes(&c, "should-start-on-boot=true"), false);
}

TEST(filters_by_exit_and_volume) {
        _cleanup_container_ Container c;

        make(&c);
        c.status = CONTAINER_EXITED;
        c.state.exit_code = 3;
        CHECK_INT(passes(&c, "exited=3"), true);
        CHECK_INT(passes(&c, "exited=4"), false);
        CHECK_INT(passes(&c, "status=stopped"), true);
        ContainerMount *m = container_array_add((void **) &c.config.mounts, &c.config.n_mounts, sizeof(*m));
        CHECK(m);
        *m = (ContainerMount){ .type = words("volume"), .source = words("data"), .destination = words("/srv") };
        CHECK_INT(passes(&c, "volume=data"), true);
        CHECK_INT(passes(&c, "volume=/srv"), true);
        CHECK_INT(passes(&c, "volume=data:/srv"), true);
        CHECK_INT(passes(&c, "volume=data:/x"), false);
}

TEST(sort_keys) {
        PsEntry a = { .size_rootfs = 5 }, b = { .size_rootfs = 3 };
        const PsEntry *x = &a, *y = &b;

        make(&a.container);
        make(&b.container);
        b.container.config.created_usec += 5;
        CHECK_INT(str_replace(&b.container.config.name, "abc"), 0);
        b.container.status = CONTAINER_EXITED;
        for (const char *const *key = ps_sort_keys; *key; key++)
                CHECK(ps_compare_by(*key));
        CHECK(!ps_compare_by("nonsense"));
        CHECK(ps_compare_by("created")(&x, &y) < 0);
        CHECK(ps_compare_by("names")(&x, &y) > 0);
        CHECK(ps_compare_by("size")(&x, &y) > 0);
        CHECK(ps_compare_by("status")(&x, &y) > 0);
        CHECK(ps_compare_by("id")(&x, &y) < 0); /* equal: by age */
        container_done(&a.container);
        container_done(&b.container);
}
