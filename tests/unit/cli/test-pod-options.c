/* SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"
#include "base/test.h"
#include "cli/pod-options.h"

static char *share(const char *value, int *ret) {
        _cleanup_strv_ char **words = NULL;

        *ret = pod_share_parse(value, &words, /* reterr= */ NULL);
        return *ret < 0 ? NULL : words ? strv_join(words, ",") : strdup("");
}

TEST(share) {
        const struct {
                const char *value, *wanted;
        } rows[] = {
                { NULL, "ipc,net,uts" }, { "", "" }, { "none", "" }, { "uts,net", "net,uts" }, { "net,net", "net" },
                { "+pid", "ipc,net,pid,uts" }, { "cgroup", "cgroup" }, { "foo", NULL }, { "net,foo", NULL },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                int r;
                _cleanup_free_ char *found = share(rows[i].value, &r);

                CHECK_INT(r, rows[i].wanted ? 0 : -EINVAL);
                CHECK_STR(found, rows[i].wanted);
        }
}

/* A whole command line of pod create; 0, or what it fails with. */
static int create(const char *const *words, PodOptions *ret) {
        static char *environment[] = { (char *) "PODMAN_SYSTEMD_UNIT=shop-pod.service", NULL };
        static char *nothing[] = { NULL };
        Invocation in = { .name = "pod create", .command_line = (char **) words };
        _cleanup_error_ Error error = ERROR_NULL;
        const OptionSet set = { pod_option_tables, ret };

        *ret = pod_options_default;
        in.parse = (OptionParse){ .sets = &set, .n_sets = 1, .words = (char **) words };
        int r = options_parse(&in.parse, &error);
        in.arguments = in.parse.arguments ?: nothing;
        in.n_arguments = in.parse.n_arguments;
        if (r >= 0)
                r = pod_options_finish(ret, &in, environment, &error);
        options_parse_done(&in.parse);
        return r;
}

static void done(PodOptions *options) {
        options_free(pod_option_tables, options);
        pod_options_done(options);
}

TEST(what_the_generator_writes) {
        const char *words[] = { "--infra-conmon-pidfile=/run/x.pid", "--replace", "--exit-policy", "stop", "--publish", "8080:80",
                                "--infra-name", "shop-infra", "--name", "shop", NULL };
        PodOptions o;

        CHECK_INT(create(words, &o), 0);
        CHECK_STR(o.pod.name, "shop");
        CHECK_STR(o.pod.exit_policy, "stop");
        CHECK_STR(o.infra.name, "shop-infra");
        CHECK_STR(o.infra.conmon_pid_file, "/run/x.pid");
        CHECK_STR(o.infra.systemd_unit, "shop-pod.service");
        CHECK_INT(o.infra.n_ports, 1);
        CHECK(o.replace);
        done(&o);
}

TEST(limits_are_the_pods) {
        const char *words[] = { "--memory", "64m", "--cpus", "1.5", "--hostname", "h", "--restart", "on-failure:3", NULL };
        PodOptions o;

        CHECK_INT(create(words, &o), 0);
        CHECK_INT(o.pod.resources.memory, 64 << 20);
        CHECK_INT(o.pod.resources.memory_swap, 128 << 20);
        CHECK_INT(o.infra.resources.memory, 0);
        CHECK_INT(o.pod.resources.cpu_quota, 150000);
        CHECK_STR(o.pod.hostname, "h");
        CHECK(!o.infra.hostname && !o.infra.restart_policy);
        CHECK_STR(o.pod.restart_policy, "on-failure");
        CHECK_INT(o.pod.restart_retries, 3);
        done(&o);
}

TEST(what_cannot_be) {
        const char *rows[][5] = {
                { "--replace" }, { "--name", "a", "b" }, { "--infra=false", "-p", "80" }, { "--infra=false", "--share", "net" },
                { "--infra=false", "--memory", "64m" }, { "--share-parent=false", "--cpus", "1" }, { "--memory-swap", "1g" },
                { "--network", "none", "-p", "80" }, { "--no-hosts", "--add-host", "a:192.0.2.1" }, { "--cgroup-parent", "/x" },
                { "--exit-policy", "never" }, { "--infra-image", "x" }, { "--ip", "192.0.2.1" }, { "--pid", "host" },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                PodOptions o;

                int r = create(rows[i], &o);
                if (r >= 0)
                        test_note("%s is taken", rows[i][0]);
                CHECK(r < 0);
                done(&o);
        }
        const char *good[] = { "--infra=false", "--share", "none", "x", NULL };
        PodOptions o;
        CHECK_INT(create(good, &o), 0);
        CHECK_STR(o.pod.name, "x");
        done(&o);
}
