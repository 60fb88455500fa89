/* SPDX-License-Identifier: Apache-2.0 */
/* What top and inspect make of /proc and of a record. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/process.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/top-column.h"
#include "engine/inspect.h"

static const char stat_text[] =
        "4711 (a (b) c\x1b) S 4700 4711 4711 34817 4711 4194304 500 0 0 0 150 50 0 0 20 5 1 0 1000 10485760 256 1844 1 1 0 0\n";
static const char status_text[] =
        "Name:\ta (b) c\nUmask:\t0022\nState:\tS (sleeping)\nPid:\t4711\nPPid:\t4700\nUid:\t1001\t1002\t1003\t1004\n"
        "Gid:\t1005\t1006\t1007\t1008\nNSpid:\t4711\t7\nNSpgid:\t4711\t3\nCapInh:\t0000000000000000\n"
        "CapPrm:\t0000000000000001\nCapEff:\t0000000000000003\nCapBnd:\t00000000a80425fb\nCapAmb:\t0000000000000000\nSeccomp:\t2\n";

static void info_done(ProcessInfo *p) {
        free(p->comm);
        free(p->args);
}

TEST(a_process_is_read_from_proc) {
        _cleanup_(info_done) ProcessInfo p = {};

        CHECK_INT(process_parse(stat_text, status_text, &p), 0);
        CHECK_STR(p.comm, "a (b) c\x1b");
        CHECK_INT(p.pid, 7);
        CHECK_INT(p.pgid, 3);
        CHECK_INT(p.host_pid, 4711);
        CHECK_INT(p.host_ppid, 4700);
        CHECK_INT(p.state, 'S');
        CHECK_INT(p.tty, 34817);
        CHECK_INT(p.nice, 5);
        CHECK_INT(p.cpu_ticks, 200);
        CHECK_INT(p.start_ticks, 1000);
        CHECK_INT(p.vsize, 10485760);
        CHECK_INT(p.uid.real, 1001);
        CHECK_INT(p.uid.effective, 1002);
        CHECK_INT(p.gid.effective, 1006);
        CHECK_INT(p.cap_effective, 3);
        CHECK_INT(p.cap_bounding, 0xa80425fb);
        CHECK_INT(p.seccomp, 2);
}

TEST(broken_stat_lines_are_refused) {
        static const char *const broken[] = { "", "1", "1 (a", "1 a) S", "1 (a) S 1", ")(" };
        ProcessInfo p;

        for (size_t i = 0; i < ELEMENTSOF(broken); i++)
                CHECK_INT(process_parse(broken[i], status_text, &p), -EBADMSG);
}

static const char *cell(const char *name, const TopRow *row) {
        static char *out;
        size_t size;
        FILE *memory;

        free(out);
        out = NULL;
        memory = open_memstream(&out, &size);
        CHECK(memory);
        const TopColumn *column = top_column_find(name);
        CHECK(column);
        top_column_print(column, row, memory);
        fclose(memory);
        return out;
}

TEST(columns_of_top) {
        _cleanup_(info_done) ProcessInfo p = {};
        char passwd[] = "root:x:0:0::/:/bin/sh\nbroken\nweb:x:1002:1::/:/bin/sh\n";
        const ProcessList list = { .passwd = passwd };
        const TopRow row = { &list, &p, 1000.0 / (double) sysconf(_SC_CLK_TCK) + 3725.5 };

        CHECK_INT(process_parse(stat_text, status_text, &p), 0);
        p.args = strdup("sh -c \x1b[31m");
        CHECK_STR(cell("user", &row), "web");
        CHECK_STR(cell("ruser", &row), "1001");
        CHECK_STR(cell("group", &row), "1006");
        CHECK_STR(cell("pid", &row), "7");
        CHECK_STR(cell("%p", &row), "7");
        CHECK_STR(cell("hpid", &row), "4711");
        CHECK_STR(cell("etime", &row), "1h2m5.5s");
        CHECK_STR(cell("time", &row), "2s");
        CHECK_STR(cell("tty", &row), "pts/1");
        CHECK_STR(cell("vsz", &row), "10240");
        CHECK_STR(cell("args", &row), "sh -c \\x1b[31m");
        CHECK_STR(cell("comm", &row), "a (b) c\\x1b");
        CHECK_STR(cell("capeff", &row), "CHOWN,DAC_OVERRIDE");
        CHECK_STR(cell("capamb", &row), "none");
        CHECK_STR(cell("seccomp", &row), "filter");
        CHECK(!top_column_find("-ef"));
        _cleanup_free_ char *names = top_column_names();
        CHECK(str_after(names, "args, capamb, ") && str_has_suffix(names, ", user, vsz"));
}

TEST(durations_as_go_prints_them) {
        static const struct {
                double seconds;
                const char *text;
        } cases[] = { { 0, "0s" }, { -1, "0s" }, { 0.5, "500ms" }, { 0.986407138, "986.407138ms" }, { 0.0000015, "1.5\u00b5s" },
                      { 1, "1s" }, { 12.25, "12.25s" }, { 60, "1m0s" }, { 3600, "1h0m0s" }, { 90061.5, "25h1m1.5s" } };

        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                _cleanup_free_ char *text = top_duration(cases[i].seconds);
                CHECK_STR(text, cases[i].text);
        }
}

TEST(names_of_ids) {
        static const char passwd[] = "root:x:0:0::/:/bin/sh\n:x:5:5::/:\nold:x:007:1\nlast:x:9:9";
        _cleanup_free_ char *root = process_name_of_id(passwd, 0), *nobody = process_name_of_id(passwd, 5),
                            *last = process_name_of_id(passwd, 9), *none = process_name_of_id(NULL, 0);

        CHECK_STR(root, "root");
        CHECK_STR(nobody, NULL);
        CHECK_STR(last, "last");
        CHECK_STR(none, NULL);
}

TEST(a_container_that_does_not_run_has_no_processes) {
        _cleanup_process_list_ ProcessList list = {};
        _cleanup_error_ Error error = ERROR_NULL;
        _cleanup_container_ Container c = CONTAINER_NULL;

        c.config.name = strdup("web");
        c.status = CONTAINER_EXITED;
        CHECK_INT(process_list_read(&c, &list, &error), -ESRCH);
        CHECK_STR(error.message, "cannot list the processes of 'web': it is not running");
}

static json_t *inspect(const Container *c) {
        char data_path[] = "/data";
        const Store store = { .data_path = data_path };
        json_t *json = NULL;

        CHECK_INT(inspect_container(&store, c, 0, &json, NULL), 0);
        return json;
}

static const char *text_at(const json_t *json, const char *path) {
        _cleanup_strv_ char **keys = strv_split(path, ".");

        for (char **key = keys; *key; key++)
                json = json_object_get(json, *key);
        return json_string_value(json);
}

TEST(inspect_shows_the_record) {
        _cleanup_container_ Container c = CONTAINER_NULL;
        _cleanup_json_ json_t *json = NULL;

        c.config.id = strdup("1234567890abcdef");
        c.config.name = strdup("web");
        c.config.entrypoint = strv_split("/entry", " ");
        c.config.command = strv_split("a b", " ");
        c.config.labels = strv_split("z=1 a=2", " ");
        c.config.user = strdup("5:6");
        c.config.cap_add = strv_split("CAP_NET_RAW", " ");
        c.config.expose = strv_split("443/tcp", " ");
        c.config.resources.pids_limit = -1;
        ContainerPort *port = container_array_add((void **) &c.config.ports, &c.config.n_ports, sizeof(*port));
        *port = (ContainerPort){ .host_port = 8080, .container_port = 80, .protocol = strdup("tcp") };
        ContainerMount *m = container_array_add((void **) &c.config.mounts, &c.config.n_mounts, sizeof(*m));
        *m = (ContainerMount){ .type = strdup("volume"), .source = strdup("data"), .destination = strdup("/srv"),
                               .options = strv_split("ro U shared", " ") };
        c.state.exit_code = 3;
        c.status = CONTAINER_EXITED;
        json = inspect(&c);
        CHECK_STR(text_at(json, "Path"), "/entry");
        CHECK_INT(json_array_size(json_object_get(json, "Args")), 2);
        CHECK_STR(text_at(json, "State.Status"), "exited");
        CHECK_INT(json_get_integer(json_object_get(json, "State"), "ExitCode", 0), 3);
        CHECK_STR(text_at(json, "State.StartedAt"), "0001-01-01T00:00:00Z");
        CHECK_STR(text_at(json, "Config.Hostname"), "1234567890ab");
        CHECK_STR(text_at(json, "Config.StopSignal"), "SIGTERM");
        CHECK_STR(text_at(json, "Config.Labels.a"), "2");
        CHECK_STR(json_object_iter_key(json_object_iter(json_object_get(json_object_get(json, "Config"), "Labels"))), "a");
        const json_t *mount = json_array_get(json_object_get(json, "Mounts"), 0);
        CHECK_STR(text_at(mount, "Source"), "/data/volumes/data/_data");
        CHECK_STR(text_at(mount, "Propagation"), "shared");
        CHECK(json_is_false(json_object_get(mount, "RW")));
        const json_t *ports = json_object_get(json_object_get(json, "NetworkSettings"), "Ports");
        CHECK_STR(text_at(json_array_get(json_object_get(ports, "80/tcp"), 0), "HostPort"), "8080");
        CHECK(json_is_null(json_object_get(ports, "443/tcp")));
        /* another user than root keeps what was added, and no more */
        CHECK_INT(json_array_size(json_object_get(json, "EffectiveCaps")), 1);
        CHECK_INT(json_array_size(json_object_get(json, "BoundingCaps")), 12);
        CHECK_INT(json_get_integer(json_object_get(json, "HostConfig"), "PidsLimit", -5), 0);
}
