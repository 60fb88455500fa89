/* SPDX-License-Identifier: Apache-2.0 */
#include <signal.h>

#include "base/str.h"
#include "base/test.h"
#include "cli/run-options.h"

/* A whole command line of run, as the verb would see it. */
typedef struct Run {
        RunOptions options;
        OptionSet set;
        Invocation in;
        Error error;
        int r;
} Run;

static void run_done(Run *run) {
        options_free(run_option_tables, &run->options);
        run_options_done(&run->options);
        options_parse_done(&run->in.parse);
        error_done(&run->error);
}

static void run_parse(Run *run, const char *const *words) {
        static char *environment[] = {
                (char *) "HOME=/root", (char *) "http_proxy=http://u:p@x", (char *) "NOTIFY_SOCKET=/run/n",
                (char *) "PODMAN_SYSTEMD_UNIT=web.service", NULL,
        };
        static char *nothing[] = { NULL };

        *run = (Run){ .options = run_options_default, .in = { .name = "run", .command_line = (char **) words } };
        run->set = (OptionSet){ run_option_tables, &run->options };
        run->in.parse = (OptionParse){ .sets = &run->set, .n_sets = 1, .words = (char **) words, .stop_at_argument = true };
        run->r = options_parse(&run->in.parse, &run->error);
        run->in.arguments = run->in.parse.arguments ?: nothing;
        run->in.n_arguments = run->in.parse.n_arguments;
        if (run->r >= 0)
                run->r = run_options_finish(&run->options, &run->in, environment, &run->error);
        if (run->error.message)
                test_note("%s", run->error.message);
}
#define RUN(name, ...)                                     \
        __attribute__((cleanup(run_done))) Run name;       \
        run_parse(&name, (const char *const[]){ __VA_ARGS__, NULL })

TEST(a_long_command_line) {
        RUN(run, "-itd", "--rm", "--name=web", "-p", "8080:80,8443:443", "-v", "/srv:/srv:ro", "-e", "A=1", "-eHOME", "-m", "64m",
            "--cap-drop=all", "--cap-add", "chown,kill", "-u", "1000", "-h", "box", "-l", "k=a,b", "--annotation", "x=a,b",
            "--ulimit", "nofile=1:2", "--stop-signal", "int", "--sdnotify=conmon", "--cgroups=split", "--read-only",
            "--read-only-tmpfs=false", "--net", "none", "busybox", "sh", "-c", "echo --rm");
        const ContainerConfig *c = &run.options.config;

        /* ports and --network none contradict each other */
        CHECK_INT(run.r, -EINVAL);
        RUN(ok, "-itd", "--rm", "--name=web", "-p", "8080:80,8443:443", "-v", "/srv:/srv:ro", "-e", "A=1", "-eHOME", "-m", "64m",
            "--cap-drop=all", "--cap-add", "chown,kill", "-u", "1000", "-h", "box", "-l", "k=a,b", "--annotation", "x=a,b",
            "--ulimit", "nofile=1:2", "--stop-signal", "int", "--sdnotify=conmon", "--cgroups=split", "--read-only",
            "--read-only-tmpfs=false", "busybox", "sh", "-c", "echo --rm");
        c = &ok.options.config;
        CHECK_INT(ok.r, 0);
        CHECK(c->terminal && c->open_stdin && ok.options.detach && c->auto_remove && c->read_only && c->no_read_only_tmpfs);
        CHECK_STR(c->name, "web");
        CHECK_INT(c->n_ports, 2);
        CHECK_STR(c->env[0], "A=1");
        CHECK_STR(c->env[1], "HOME=/root");
        CHECK_STR(c->labels[0], "k=a,b");
        CHECK_STR(c->annotations[0], "x=a,b");
        CHECK_INT(c->resources.memory, 64 << 20);
        CHECK_INT(c->resources.memory_swap, 128 << 20);
        CHECK_INT(strv_length(c->cap_add), 2);
        CHECK_STR(c->cap_drop[0], "ALL");
        CHECK_STR(c->hostname, "box");
        CHECK_INT(c->stop_signal, SIGINT);
        CHECK_STR(c->sdnotify, "conmon");
        CHECK_STR(c->cgroups, "split");
        CHECK_STR(c->image, "busybox");
        CHECK_INT(strv_length(c->command), 3);
        CHECK_STR(c->command[2], "echo --rm");
        CHECK_STR(c->notify_socket, "/run/n");
        CHECK_STR(c->systemd_unit, "web.service");
        CHECK(ok.options.stop_signal_given && !ok.options.stop_timeout_given && !ok.options.entrypoint_given);
}

TEST(defaults_are_unset) {
        RUN(run, "--sdnotify=ignore", "--cgroups=enabled", "--pull=missing", "--entrypoint=", "image");
        const ContainerConfig *c = &run.options.config;

        CHECK_INT(run.r, 0);
        CHECK_STR(c->notify_socket, NULL);
        CHECK_STR(c->cgroups, NULL);
        CHECK_STR(run.options.pull, NULL);
        CHECK(run.options.entrypoint_given && !c->entrypoint);
        CHECK(run.options.sig_proxy);
        CHECK_INT(c->stop_timeout, 10);
        CHECK(!c->env && !run.options.env_pairs_host && !c->command);
}

TEST(the_host_environment_comes_below_the_image) {
        RUN(run, "--http-proxy", "-e", "A=1", "image");
        RUN(all, "--env-host", "image");

        CHECK_INT(run.r, 0);
        CHECK_INT(strv_length(run.options.env_pairs_host), 1);
        CHECK_STR(run.options.env_pairs_host[0], "http_proxy=http://u:p@x");
        CHECK_INT(strv_length(run.options.config.env), 1);
        CHECK_INT(strv_length(all.options.env_pairs_host), 4);
}

TEST(rootfs_is_a_directory) {
        RUN(run, "--rootfs", "/srv/root/:O", "true");
        RUN(plain, "--rootfs", "/srv/root", "true");

        CHECK_INT(run.r, 0);
        CHECK_STR(run.options.config.rootfs, "/srv/root");
        CHECK(run.options.config.rootfs_overlay);
        CHECK_STR(run.options.config.image, NULL);
        CHECK(!plain.options.config.rootfs_overlay);
}

TEST(one_id_map_stands_for_both) {
        RUN(run, "--uidmap", "0:0:1,1:1:5", "image");

        CHECK_INT(run.r, 0);
        CHECK_INT(run.options.config.n_gid_map, 2);
        CHECK_INT(run.options.config.gid_map[1].size, 5);
}

TEST(no_healthcheck_is_a_check_of_its_own) {
        RUN(run, "--no-healthcheck", "image");

        CHECK_INT(run.r, 0);
        CHECK_STR(run.options.config.health.test[0], "NONE");
}

TEST(what_contradicts_itself_is_refused) {
        static const struct {
                const char *words[6], *message;
                ErrorKind kind;
        } rows[] = {
                { { NULL }, "'sdpod run' requires an image", ERROR_USAGE },
                { { "" }, "cannot use '' as an image", ERROR_INVALID },
                { { "--rm", "--restart", "always", "x" },
                  "cannot use --rm with --restart always: a container that is removed is not started again", ERROR_INVALID },
                { { "--replace", "x" }, "cannot use --replace without --name", ERROR_INVALID },
                { { "--cgroup-parent=/a", "--cgroups=split", "x" }, "cannot use --cgroup-parent with --cgroups split",
                  ERROR_INVALID },
                { { "--cgroups=disabled", "-m", "1g", "x" }, "cannot limit a container with --cgroups disabled", ERROR_INVALID },
                { { "--dns=1.1.1.1", "--network=none", "x" },
                  "cannot use --dns, --dns-option or --dns-search with --network none", ERROR_INVALID },
                { { "--no-hosts", "--add-host=a:1.1.1.1", "x" }, "cannot use --no-hosts with --add-host", ERROR_INVALID },
                { { "--memory-swap=1g", "x" }, "cannot use --memory-swap without --memory", ERROR_INVALID },
                { { "-m=2g", "--memory-swap=1g", "x" }, "cannot use --memory-swap: it is less than --memory, which it includes",
                  ERROR_INVALID },
                { { "--cpus=1", "--cpu-quota=5000", "x" }, "cannot use --cpus with --cpu-quota or --cpu-period", ERROR_INVALID },
                { { "--userns=keep-id", "--uidmap=0:0:1", "x" }, "cannot use --userns with --uidmap or --gidmap",
                  ERROR_INVALID },
                { { "--cap-add=kill", "--cap-drop=CAP_KILL", "x" }, "cannot add capability 'CAP_KILL' and drop it",
                  ERROR_INVALID },
                { { "--sysctl=net.a.b=1", "--network=host", "x" }, "cannot use '--sysctl net.a.b=1' with --network host",
                  ERROR_INVALID },
                { { "--hostname=a", "--uts=host", "x" }, "cannot use --hostname with --uts host", ERROR_INVALID },
                { { "-p=80:80", "-p=80:81", "x" }, "host port 80/tcp is published twice", ERROR_INVALID },
                { { "-d", "-a", "stdout", "x" }, "cannot use --attach with --detach", ERROR_INVALID },
                { { "-a", "stdfoo", "x" }, "cannot use '--attach stdfoo': not one of stdin, stdout, stderr", ERROR_INVALID },
                { { "-e", "=x", "x" }, "cannot use '--env =x': the name is missing", ERROR_INVALID },
                { { "--env-file", "/not/there", "x" },
                  "cannot use '--env-file /not/there': cannot open the file: No such file or directory", ERROR_NOT_FOUND },
                { { "--name=a/b", "x" }, "cannot use '--name a/b': names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*",
                  ERROR_INVALID },
                { { "--no-healthcheck", "--health-cmd=x", "x" }, "cannot use --no-healthcheck with --health-cmd",
                  ERROR_INVALID },
                { { "--no-healthcheck", "--healthcheck-command=x", "x" }, "cannot use --no-healthcheck with --health-cmd", ERROR_INVALID },
                { { "--health-retries=0", "x" }, "cannot use '--health-retries 0': at least one failure makes a container unhealthy",
                  ERROR_INVALID },
                { { "--healthcheck-retries=0", "x" }, "cannot use '--health-retries 0': at least one failure makes a container unhealthy",
                  ERROR_INVALID },
                { { "--healthcheck-timeout=5ms", "x" }, "cannot use --health-timeout: it is less than a second", ERROR_INVALID },
                { { "--secret=", "x" }, "cannot use '--secret ': no secret is named", ERROR_INVALID },
                { { "--secret=a,foo=1", "x" }, "cannot use '--secret a,foo=1': 'foo=1' is not an option of a secret", ERROR_INVALID },
                { { "--secret=a,mode=0999", "x" }, "cannot use '--secret a,mode=0999': mode '0999' is not an octal mode", ERROR_INVALID },
                { { "--secret=a,uid=-1", "x" }, "cannot use '--secret a,uid=-1': uid '-1' is not a user ID", ERROR_INVALID },
                { { "--secret=a,type=x", "x" }, "cannot use '--secret a,type=x': type 'x' is neither mount nor env", ERROR_INVALID },
                { { "--secret=a,type=env,uid=1", "x" },
                  "cannot use '--secret a,type=env,uid=1': uid, gid and mode cannot be set with type=env", ERROR_INVALID },
                { { "--secret=a,target=../x", "x" }, "cannot use '--secret a,target=../x': the target '../x' has a '..'", ERROR_INVALID },
                { { "--secret=a,target=x/", "x" }, "cannot use '--secret a,target=x/': the target 'x/' is no file's name", ERROR_INVALID },
                { { "--systemd=maybe", "x" },
                  "cannot use '--systemd maybe': --systemd values must be one of \"true, false, always\"", ERROR_INVALID },
                { { "--volumes-from=a:zz", "x" },
                  "cannot use '--volumes-from a:zz': invalid option \"zz\" specified - volumes from another container can only use z,ro,rw options",
                  ERROR_INVALID },
                { { "--volumes-from=a:ro,rw", "x" },
                  "cannot use '--volumes-from a:ro,rw': cannot set ro or rw options more than once in mount options", ERROR_INVALID },
                { { "--volumes-from=:ro", "x" }, "cannot use '--volumes-from :ro': the container is missing", ERROR_INVALID },
                { { "--requires=a,,b", "x" }, "cannot use '--requires a,,b': a container's name is missing", ERROR_INVALID },
                { { "--network=pasta", "x" }, "cannot use '--network pasta': pasta is not there yet", ERROR_UNSUPPORTED },
                { { "--ip=10.88.0.7", "x" }, "--ip can only be set when the network mode is bridge: invalid argument", ERROR_INVALID },
                { { "--network=a", "--network=b", "--ip=10.88.0.7", "x" }, "--ip can only be set for a single network: invalid argument",
                  ERROR_INVALID },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                __attribute__((cleanup(run_done))) Run run;

                run_parse(&run, rows[i].words);
                CHECK(run.r < 0);
                CHECK_STR(run.error.message, rows[i].message);
                CHECK_INT(run.error.kind, rows[i].kind);
        }
}

/* The flags that podman-run(1) of Podman 4 and 5 has. */
TEST(every_flag_of_podman_run_is_known) {
        static const char *const flags[] = {
                "add-host", "annotation", "arch", "attach", "authfile", "blkio-weight", "blkio-weight-device", "cap-add",
                "cap-drop", "cert-dir", "cgroup-conf", "cgroup-parent", "cgroupns", "cgroups", "chrootdirs", "cidfile",
                "conmon-pidfile", "cpu-period", "cpu-quota", "cpu-rt-period", "cpu-rt-runtime", "cpu-shares", "cpus",
                "cpuset-cpus", "cpuset-mems", "creds", "decryption-key", "detach", "detach-keys", "device",
                "device-cgroup-rule", "device-read-bps", "device-read-iops", "device-write-bps", "device-write-iops",
                "disable-content-trust", "dns", "dns-option", "dns-search", "entrypoint", "env", "env-file", "env-host",
                "env-merge", "expose", "gidmap", "gpus", "group-add", "group-entry", "health-cmd", "health-interval",
                "health-log-destination", "health-max-log-count", "health-max-log-size", "health-on-failure",
                "health-retries", "health-start-period", "health-startup-cmd", "health-startup-interval",
                "health-startup-retries", "health-startup-success", "health-startup-timeout", "health-timeout", "hostname",
                "hosts-file", "hostuser", "http-proxy", "image-volume", "init", "init-path", "interactive", "ip", "ip6",
                "ipc", "label", "label-file", "link-local-ip", "log-driver", "log-opt", "mac-address", "memory",
                "memory-reservation", "memory-swap", "memory-swappiness", "mount", "name", "network", "network-alias",
                "no-healthcheck", "no-hostname", "no-hosts", "oom-kill-disable", "oom-score-adj", "os", "passwd",
                "passwd-entry", "personality", "pid", "pidfile", "pids-limit", "platform", "pod", "pod-id-file",
                "preserve-fd", "preserve-fds", "privileged", "publish", "publish-all", "pull", "quiet", "rdt-class",
                "read-only", "read-only-tmpfs", "replace", "requires", "restart", "retry", "retry-delay", "rm", "rmi",
                "rootfs", "sdnotify", "seccomp-policy", "secret", "security-opt", "shm-size", "shm-size-systemd",
                "sig-proxy", "stop-signal", "stop-timeout", "subgidname", "subuidname", "sysctl", "systemd", "timeout",
                "tls-verify", "tmpfs", "tty", "tz", "uidmap", "ulimit", "umask", "unsetenv", "unsetenv-all", "user",
                "userns", "uts", "variant", "volume", "volumes-from", "workdir",
        };

        for (size_t i = 0; i < ELEMENTSOF(flags); i++) {
                test_note("--%s", flags[i]);
                CHECK(options_find(run_option_tables, flags[i]));
        }
        for (const char *p = "acdehilmpPqtuvw"; *p; p++)
                CHECK(options_find_letter(run_option_tables, *p));
}
