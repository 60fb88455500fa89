/* SPDX-License-Identifier: Apache-2.0 */
/* For each option of run, create, pod create and volume create, by their own tables: what the generator makes of the unit file that is
 * printed for a command line is a command line that asks for the same. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/pod-options.h"
#include "cli/quadlet.h"
#include "cli/run-options.h"
#include "cli/verbs.h"
#include "unit/convert.h"
#include "unit/quote.h"

static char *environment[] = { (char *) "HOME=/root", (char *) "OWN=it's \"$x\" 100%", NULL };

/* ---- values for each option ---- */

typedef struct Sample {
        const char *option;
        const char *values[14]; /* one command line each; NULL-terminated */
} Sample;

static const char hostile[] = "a b\t\"q\" 'x' \\n ${HOME} $$ %n %% \xc3\xa4";

static const Sample samples[] = {
        { "add-host", { "a:10.0.0.1", "b:::1", "c:10.0.0.1,d:10.0.0.2" } },
        { "annotation", { "a=b", "x=%n $HOME \"q\" 'z' \\", "e=" , "=x" } },
        { "arch", { "arm64" } },
        { "attach", { "stdout" } },
        { "authfile", { "/a/b c", "rel/x" } },
        { "blkio-weight", { "100" } },
        { "blkio-weight-device", { "/dev/sda:100" } },
        { "cap-add", { "chown", "CAP_SYS_ADMIN", "kill,chown", "all" } },
        { "cap-drop", { "chown", "ALL" } },
        { "cert-dir", { "/a/b", "rel" } },
        { "cgroup-conf", { "memory.high=1073741824" } },
        { "cgroup-parent", { "work.slice" } },
        { "cgroupns", { "host", "private", "ns:/proc/1/ns/cgroup" } },
        { "cgroups", { "disabled", "enabled", "no-conmon", "split" } },
        { "chrootdirs", { "/srv/x" } },
        { "cidfile", { "/tmp/x y", "cid" } },
        { "conmon-pidfile", { "/tmp/pid", "pid" } },
        { "cpu-period", { "5000" } },
        { "cpu-quota", { "20000" } },
        { "cpu-shares", { "512" } },
        { "cpus", { "1.5" } },
        { "cpuset-cpus", { "0-1" } },
        { "cpuset-mems", { "0" } },
        { "creds", { "user:pa$$ %w\"" } },
        { "detach", { "true", "false" } },
        { "detach-keys", { "ctrl-x" } },
        { "device", { "/dev/null", "/dev/null:/dev/x:rw", "/dev/null,/dev/zero" } },
        { "device-read-bps", { "/dev/sda:1m" } },
        { "device-read-iops", { "/dev/sda:10" } },
        { "device-write-bps", { "/dev/sda:1m" } },
        { "device-write-iops", { "/dev/sda:10" } },
        { "disable-content-trust", { "true" } },
        { "dns", { "10.0.0.1", "none", "10.0.0.1,10.0.0.2" } },
        { "dns-opt", { "ndots:2" } },
        { "dns-option", { "ndots:1" } },
        { "dns-search", { "example.org", "." } },
        { "disable-dns", { "true", "false" } },
        { "driver", { "local", "image", "macvlan" } },
        { "entrypoint", { "", "/bin/sh", "[\"sh\",\"-c\",\"echo $x %n\"]", "a \"b\" 'c'", "\"quoted\"", " blanks ", "back\\", "line\nbreak" } },
        { "env", { "A=b", "OWN", "MISSING", "O*", "A=", "A=x\ny", "A=\x01\xff", "A=\\", hostile, "A==", "LONG=a b c d e f" } },
        { "env-file", { "env-file", "/dev/null" } },
        { "env-host", { "true", "false" } },
        { "env-merge", { "PATH=${PATH}:/opt/%n" } },
        { "exit-policy", { "stop", "continue" } },
        { "expose", { "80", "80-90/udp", "80/sctp" } },
        { "gateway", { "10.1.0.1" } },
        { "gid", { "3" } },
        { "gidmap", { "0:0:1", "0:0:1,1:1:10" } },
        { "group-add", { "audio", "keep-groups", "1000" } },
        { "group-entry", { "x:$GID:%n" } },
        { "health-cmd", { "true", "curl -f \"http://localhost/$x?a=%20\" || exit 1", "[\"CMD\",\"a b\"]", "none", " x ", "a\\" } },
        { "health-interval", { "10s", "disable" } },
        { "health-log-destination", { "events_logger", "local" } },
        { "health-max-log-count", { "3", "0" } },
        { "health-max-log-size", { "30", "0" } },
        { "health-on-failure", { "kill", "restart" } },
        { "health-retries", { "2" } },
        { "health-start-period", { "5s" } },
        { "health-startup-cmd", { "test -f /ready" } },
        { "health-startup-interval", { "5s" } },
        { "health-startup-retries", { "2" } },
        { "health-startup-success", { "2" } },
        { "health-startup-timeout", { "5s" } },
        { "health-timeout", { "5s" } },
        { "healthcheck-command", { "true" } },
        { "healthcheck-interval", { "10s" } },
        { "healthcheck-retries", { "2" } },
        { "healthcheck-start-period", { "5s" } },
        { "healthcheck-timeout", { "5s" } },
        { "hostname", { "box", "box.example.org" } },
        { "hosts-file", { "none", "image", "/etc/hosts", "rel" } },
        { "hostuser", { "root" } },
        { "http-proxy", { "true", "false" } },
        { "image-volume", { "tmpfs", "bind" } },
        { "infra", { "true", "false" } },
        { "infra-conmon-pidfile", { "/run/x" } },
        { "infra-name", { "inf" } },
        { "init", { "true", "false" } },
        { "init-ctr", { "always", "once" } },
        { "init-path", { "/bin/init", "init" } },
        { "interface-name", { "br7" } },
        { "internal", { "true" } },
        { "interactive", { "true" } },
        { "ipc", { "host", "private", "none", "ns:/proc/1/ns/ipc" } },
        { "ip", { "10.1.2.3" } },
        { "ip6", { "fd00::3" } },
        { "ip-range", { "10.1.0.0/25", "10.1.0.5-10.1.0.9" } },
        { "ipam-driver", { "none" } },
        { "ipv6", { "true", "false" } },
        { "label", { "a=b", "a", "io.containers.autoupdate=registry", "io.containers.autoupdate=", "x=y,z", "e= %n $HOME \\" } },
        { "label-file", { "label-file", "/dev/null" } },
        { "log-driver", { "none", "journald", "json-file" } },
        { "log-opt", { "max-size=10m", "tag={{.Name}} %n", "path=/tmp/a \"b" } },
        { "macvlan", { "eth0" } },
        { "mac-address", { "92:d0:c6:0a:29:33" } },
        { "memory", { "64m", "1g" } },
        { "memory-reservation", { "32m" } },
        { "memory-swap", { "-1" } },
        { "mount", { "type=bind,src=/tmp,dst=/x,ro", "type=bind,source=.,dst=/x", "type=tmpfs,dst=/t,size=1m", "type=volume,src=data,dst=/d",
                     "src=data,dst=/d", "type=volume,dst=/d", "type=bind,src=./a b,dst=/x y", "type=image,src=busybox,dst=/i",
                     "type=volume,src=data.volume,dst=/d", "type=bind,\"src=/tmp/a,b\",dst=/x", "dst=/x,type=bind,src=/tmp/%n$x" } },
        { "name", { "web", "we-b_1.x" } },
        { "network", { "none", "host", "slirp4netns", "slirp4netns:allow_host_loopback=true", "ns:/proc/1/ns/net", "net1:alias=a,ip=10.1.2.3", "net1" } },
        { "net", { "none", "host" } },
        { "network-alias", { "db" } },
        { "no-healthcheck", { "true" } },
        { "no-hostname", { "true" } },
        { "no-hosts", { "true" } },
        { "oom-score-adj", { "100", "-5" } },
        { "opt", { "copy", "nocopy", "type=tmpfs", "o=size=1m,mode=700", "device=tmpfs", "o=uid=3", "image=busybox", "o=bind,%n", "mtu=1400", "x=$a %n" } },
        { "os", { "linux" } },
        { "passwd", { "true", "false" } },
        { "passwd-entry", { "$USERNAME:x:$UID:$GID::/:/bin/sh %n" } },
        { "personality", { "LINUX32" } },
        { "pid", { "host", "private", "ns:/proc/1/ns/pid" } },
        { "pidfile", { "/tmp/x", "rel" } },
        { "pids-limit", { "10", "-1" } },
        { "platform", { "linux/arm64" } },
        { "pod", { "p", "new:p" } },
        { "pod-id-file", { "/tmp/x", "rel" } },
        { "preserve-fd", { "3,4" } },
        { "preserve-fds", { "2" } },
        { "print-quadlet", { "true" } },
        { "privileged", { "true", "false" } },
        { "publish", { "80", "8080:80", "127.0.0.1:8080:80/udp", "[::1]:81:80", "1000-1002:1000-1002", "80:80,443:443" } },
        { "publish-all", { "true" } },
        { "pull", { "always", "newer" } },
        { "quiet", { "true" } },
        { "read-only", { "true", "false" } },
        { "read-only-tmpfs", { "true", "false" } },
        { "replace", { "true" } },
        { "requires", { "a", "a,b" } },
        { "restart", { "always", "no", "on-failure", "on-failure:3", "unless-stopped" } },
        { "retry", { "5" } },
        { "retry-delay", { "2s" } },
        { "rm", { "true", "false" } },
        { "rmi", { "true" } },
        { "rootfs", { "true", "false" } },
        { "route", { "10.2.0.0/24,10.1.0.1,5" } },
        { "sdnotify", { "conmon", "container", "healthy", "ignore" } },
        { "seccomp-policy", { "image" } },
        { "secret", { "s", "s,type=env,target=X", "s,target=/a/b c,mode=0400" } },
        { "security-opt", { "no-new-privileges", "no-new-privileges:true", "label=disable", "label=nested", "label=type:x_t", "label=level:s0:c1",
                            "label=filetype:x_t", "apparmor=unconfined", "seccomp=unconfined", "seccomp=/a b", "seccomp=rel", "mask=/a:/b",
                            "unmask=ALL" } },
        { "share", { "net", "net,pid", "" } },
        { "share-parent", { "true", "false" } },
        { "shm-size", { "1m" } },
        { "shm-size-systemd", { "1m" } },
        { "sig-proxy", { "true", "false" } },
        { "stop-signal", { "INT", "9" } },
        { "stop-timeout", { "5", "300", "-1" } },
        { "subnet", { "10.1.0.0/16", "fd00::/64" } },
        { "subgidname", { "root" } },
        { "subuidname", { "root" } },
        { "sysctl", { "net.ipv4.ip_forward=1", "kernel.msgmax=1" } },
        { "systemd", { "false", "always" } },
        { "timeout", { "30" } },
        { "tls-verify", { "true", "false" } },
        { "tmpfs", { "/t", "/t:size=1m,mode=700", "/a b" } },
        { "tty", { "true" } },
        { "tz", { "Europe/Berlin", "local" } },
        { "uid", { "3" } },
        { "uidmap", { "0:0:1", "0:0:1,1:1:10", "+100:@1:1" } },
        { "ulimit", { "nofile=1:2", "host" } },
        { "umask", { "0027" } },
        { "unsetenv", { "PATH" } },
        { "unsetenv-all", { "true" } },
        { "user", { "1000", "1000:1000", "www-data" } },
        { "userns", { "keep-id", "keep-id:uid=1,gid=2", "auto:size=100", "nomap", "host" } },
        { "uts", { "host", "private" } },
        { "variant", { "v7" } },
        { "volume", { "/tmp:/x", ".:/x:ro", "./a b:/x", "data:/d", "data:/d:ro,U", "/anon", "data.volume:/d", "/tmp/%n$x:/y", "..:/up" } },
        { "volumes-from", { "a", "a:ro" } },
        { "workdir", { "/x", "/a b/%n$x" } },
};

static const Sample *find_sample(const char *option) {
        for (size_t i = 0; i < ELEMENTSOF(samples); i++)
                if (str_equal(samples[i].option, option))
                        return samples + i;
        return NULL;
}

/* ---- a command line, taken apart ---- */

typedef struct Line {
        UnitType type;
        const Verb *verb;
        void *options;
        OptionSet set;
        Invocation in;
        Error error;
        int r;
} Line;

static void line_done(Line *line) {
        options_free(line->verb->options, line->options);
        if (line->verb->options_done)
                line->verb->options_done(line->options);
        free(line->options);
        options_parse_done(&line->in.parse);
        error_done(&line->error);
}

static const Verb *verb_of(UnitType type) {
        return type == UNIT_CONTAINER ? &verb_create : type == UNIT_POD ? &verb_pod_create : type == UNIT_VOLUME ? &verb_volume_create : &verb_network_create;
}

static void line_parse(Line *line, UnitType type, const Verb *verb, char **words) {
        static char *nothing[] = { NULL };

        *line = (Line){ .type = type, .verb = verb, .in = { .name = "run", .command_line = nothing } };
        line->options = calloc(1, verb->options_size);
        if (verb->options_default)
                memcpy(line->options, verb->options_default, verb->options_size);
        line->set = (OptionSet){ verb->options, line->options };
        line->in.options = line->options;
        line->in.parse = (OptionParse){ .sets = &line->set, .n_sets = 1, .words = words, .stop_at_argument = verb->stop_at_argument };
        line->r = options_parse(&line->in.parse, &line->error);
        line->in.arguments = line->in.parse.arguments ?: nothing;
        line->in.n_arguments = line->in.parse.n_arguments;
        if (line->r >= 0 && type == UNIT_CONTAINER)
                line->r = run_options_finish(line->options, &line->in, environment, &line->error);
        if (line->r >= 0 && type == UNIT_POD)
                line->r = pod_options_finish(line->options, &line->in, environment, &line->error);
}

static int by_text(const void *a, const void *b) {
        return strcmp(*(char *const *) a, *(char *const *) b);
}

static void sort(char **v) {
        if (v)
                qsort(v, strv_length(v), sizeof(char *), by_text);
}

static int by_destination(const void *a, const void *b) {
        return strcmp(((const ContainerMount *) a)->destination, ((const ContainerMount *) b)->destination);
}

static void forget(char **s) {
        free(*s);
        *s = NULL;
}

/* What a service has of its own is left out, and order where it means nothing. */
static void normalise_container(ContainerConfig *c) {
        if (str_equal(c->cgroups, "split"))
                forget(&c->cgroups);
        if (str_equal(c->sdnotify, "conmon") || str_equal(c->sdnotify, "ignore"))
                forget(&c->sdnotify);
        forget(&c->restart_policy);
        forget(&c->notify_socket);
        if (c->name && strncmp(c->name, "systemd-", 8) == 0)
                forget(&c->name);
        if (c->n_mounts > 1)
                qsort(c->mounts, c->n_mounts, sizeof(*c->mounts), by_destination);
        c->restart_retries = 0;
        c->auto_remove = false;
        sort(c->env);
        sort(c->labels);
        sort(c->annotations);
        sort(c->security_opt);
}

static const char *const of_the_service[] = {
        "attach", "sdnotify", "cgroups", "detach", "detach-keys", "env", "env-file", "exit-policy", "ignore", "infra-conmon-pidfile", "label", "name", "print-quadlet",
        "replace", "rm", "sig-proxy", NULL,
};

/* All that the parser left behind, as text. */
static char *line_text(Line *line) {
        json_t *all = json_array();

        if (line->type == UNIT_CONTAINER) {
                RunOptions *o = line->options;

                normalise_container(&o->config);
                json_array_append_new(all, json_fields_save(container_config_fields, &o->config));
                json_array_append_new(all, json_from_strv(o->uid_maps));
                json_array_append_new(all, json_from_strv(o->gid_maps));
                json_array_append_new(all, json_string(o->image_volume ?: ""));
                json_array_append_new(all, json_boolean(o->entrypoint_given));
                json_array_append_new(all, json_boolean(o->stop_signal_given));
        } else if (line->type == UNIT_POD) {
                PodOptions *o = line->options;

                normalise_container(&o->infra);
                forget(&o->infra.conmon_pid_file);
                forget(&o->infra.systemd_unit);
                if (o->infra.name && str_has_suffix(o->infra.name, "-infra"))
                        forget(&o->infra.name);
                sort(o->pod.labels);
                if (o->pod.name && strncmp(o->pod.name, "systemd-", 8) == 0)
                        forget(&o->pod.name);
                json_array_append_new(all, json_fields_save(container_config_fields, &o->infra));
                json_array_append_new(all, json_fields_save(pod_config_fields, &o->pod));
        }
        /* of run and create, which have the same struct, the rows that both have */
        for (const Option *const *t = line->type == UNIT_CONTAINER ? create_option_tables : line->verb->options; *t; t++)
                for (const Option *o = *t; o->name; o++) {
                        const void *field = (const char *) line->options + o->offset;
                        char **list = o->kind == OPTION_STRV || o->kind == OPTION_LIST ? *(char **const *) field : NULL;

                        if (strv_contains((char *const *) of_the_service, o->name) && !(line->type >= UNIT_NETWORK && line->type != UNIT_POD && str_equal(o->name, "label")))
                                continue;
                        if (o->kind == OPTION_STRV && (str_equal(o->name, "opt") || str_equal(o->name, "label")))
                                sort(list);
                        if (o->kind == OPTION_STRV || o->kind == OPTION_LIST)
                                json_array_append_new(all, json_from_strv(list));
                        else if (o->kind == OPTION_STRING)
                                json_array_append_new(all, json_string(*(char *const *) field ?: "-"));
                        else if (o->kind == OPTION_BOOL)
                                json_array_append_new(all, json_boolean(*(const bool *) field));
                        else if (o->kind == OPTION_UINT32 || o->kind == OPTION_INT)
                                json_array_append_new(all, json_integer(*(const int *) field));
                        else if (o->kind == OPTION_UINT64 || o->kind == OPTION_INT64 || o->kind == OPTION_BYTES || o->kind == OPTION_DURATION)
                                json_array_append_new(all, json_integer(*(const int64_t *) field));
                }
        char *text = json_dumps(all, JSON_COMPACT);
        _cleanup_free_ char *here = getcwd(NULL, 0);
        size_t n = strlen(here);
        for (char *p; (p = strstr(text, here)) && p[n] == '/';) /* a relative path and what it means are the same */
                memmove(p, p + n + 1, strlen(p + n + 1) + 1);
        json_decref(all);
        return text;
}

/* ---- the generator, and systemd ---- */

static void report(void *userdata, UnitSeverity severity, const char *text) {
        (void) userdata;
        if (severity == UNIT_ERROR)
                test_note("generator: %s", text);
}

/* What systemd would run: quotes taken off, and `$$` and `%%` made one (systemd.service(5), COMMAND LINES). */
static char **exec_words(const char *service, const char *key) {
        const char *line = strstr(service, key);
        _cleanup_words_ Words words = {};
        char **ret = NULL;
        Arena arena = {};

        if (!line)
                return NULL;
        line += strlen(key);
        char *copy = arena_copy_n(&arena, line, strcspn(line, "\n"));
        CHECK_INT(unit_split(&arena, copy, UNIT_SPLIT_ESCAPES, &words), 0);
        for (size_t i = 0; i < words.n; i++) {
                char *word = strdup(words.items[i]), *out = word;

                for (const char *p = word; *p; p++) {
                        *out++ = *p == '%' && p[1] != '%' ? '_' : *p; /* %N and %t are the generator's */
                        if ((*p == '$' || *p == '%') && p[1] == *p)
                                p++;
                        else if (*p == '$')
                                CHECK(false);
                }
                *out = '\0';
                CHECK_INT(strv_consume(&ret, word), 0);
        }
        arena_done(&arena);
        return ret;
}

static char **generate(UnitType type, const QuadletFile *file) {
        UnitSet set = { .user = true, .tool = "/usr/bin/sdpod", .sdpod = "/usr/bin/sdpod", .report = report };
        Arena arena = {};
        Convert c = { .set = &set, .arena = &arena };
        Text text = {};
        Unit *unit;
        char **words = NULL;

        CHECK_INT(unit_set_add_text(&set, "/elsewhere", file->name, file->text, strlen(file->text), &unit), 0);
        CHECK_INT(unit_set_name(&set), 0);
        if (unit_convert(&c, unit, &text) >= 0)
                words = exec_words(text.data, type == UNIT_POD ? "\nExecStartPre=/usr/bin" : "\nExecStart=/usr/bin");
        text_done(&text);
        unit_convert_done(&c);
        arena_done(&arena);
        unit_set_done(&set);
        return words;
}

static bool take_back(UnitType type, const QuadletFile *file, char **ret_text) {
        _cleanup_strv_ char **words = generate(type, file);
        Line line;

        *ret_text = NULL;
        if (!words)
                return false;
        /* tool, verb; a .container's is `run` */
        line_parse(&line, type, type == UNIT_CONTAINER && str_equal(words[1], "run") && !strstr(file->text, "--init-ctr") ? &verb_run : verb_of(type),
                   words + (type == UNIT_CONTAINER ? 2 : 3));
        if (line.r >= 0)
                *ret_text = line_text(&line);
        else
                test_note("the generator's line: %s", line.error.message);
        line_done(&line);
        return *ret_text;
}

static unsigned n_lines, n_wrong, n_refused;

static void print_what(UnitType type, const char *const *words, const char *text) {
        _cleanup_free_ char *joined = strv_join((char *const *) words, "] [");

        test_note("%s: [%s]\n%s", unit_type_info(type)->name, joined ?: "", text);
}

/* One line there and back. False: the line itself is refused, which is no fault of ours. */
static bool try_line(UnitType type, const char *const *words) {
        _cleanup_quadlet_files_ QuadletFiles files = {};
        _cleanup_free_ char *before = NULL, *after = NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        Line line;

        line_parse(&line, type, verb_of(type), (char **) words);
        if (line.r < 0) {
                /* options of run alone */
                line_done(&line);
                if (type != UNIT_CONTAINER)
                        return false;
                line_parse(&line, type, &verb_run, (char **) words);
                if (line.r < 0) {
                        line_done(&line);
                        return false;
                }
        }
        int r = quadlet_add(&(QuadletRequest){ .type = type, .tables = line.verb->options, .parse = &line.in.parse, .arguments = line.in.arguments,
                                               .environment = environment }, &files, &error);
        before = line_text(&line);
        line_done(&line);
        if (r == -EOPNOTSUPP) {
                n_refused++;
                return true;
        }
        if (r < 0)
                print_what(type, words, error.message);
        CHECK_INT(r, 0);
        bool ok = take_back(type, files.items, &after) && str_equal(before, after);
        if (!ok) {
                print_what(type, words, files.items->text);
                test_note("before %s\nafter  %s", before, after ?: "nothing");
        }
        n_wrong += !ok;
        n_lines++;
        return true;
}

/* ---- tests ---- */

static void go_to_files(void) {
        static const char env[] = "FROM=file\nA=$x %n\n";
        char dir[] = "/tmp/test-quadlet.XXXXXX";

        CHECK(mkdtemp(dir));
        CHECK_INT(chdir(dir), 0);
        for (unsigned i = 0; i < 2; i++) {
                int fd = open(i ? "env-file" : "label-file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

                CHECK_INT(write(fd, env, sizeof(env) - 1), sizeof(env) - 1);
                close(fd);
        }
}

/* What other options an option cannot do without. */
static const char *company(UnitType type, const char *option) {
        return str_equal(option, "memory-swap") || str_equal(option, "memory-reservation") ? "--memory=64m"
             : str_equal(option, "replace") ? "--name=web"
             : str_equal(option, "ip") || str_equal(option, "ip6") || str_equal(option, "mac-address") || str_equal(option, "network-alias")
                       ? "--network=net1"
             : str_equal(option, "gateway") || str_equal(option, "ip-range") ? "--subnet=10.1.0.0/16"
             : type == UNIT_VOLUME && str_equal(option, "driver") ? "--opt=image=busybox"
             : type == UNIT_CONTAINER && str_equal(option, "init-ctr") ? "--pod=p"
             : type == UNIT_POD && str_equal(option, "pid") ? "--share=pid" : NULL;
}

static void try_table(UnitType type, const Option *const *tables) {
        for (; *tables; tables++)
                for (const Option *o = *tables; o->name; o++) {
                        const Sample *sample = find_sample(o->name);
                        unsigned n = 0;

                        if (o->kind == OPTION_REFUSED || o->kind == OPTION_REFUSED_BOOL || str_equal(o->name, "ignore"))
                                continue;
                        if (!sample)
                                test_note("--%s has no sample", o->name);
                        CHECK(sample);
                        for (size_t i = 0; sample && i < ELEMENTSOF(sample->values) && sample->values[i]; i++) {
                                _cleanup_free_ char *word = str_format("--%s=%s", o->name, sample->values[i]);
                                const char *with = company(type, o->name);
                                bool named = type != UNIT_CONTAINER && (str_equal(o->name, "name") || (with && type == UNIT_POD));
                                const char *words[] = { word, with ?: "--", named ? NULL : "thing", NULL };

                                n += try_line(type, words);
                        }
                        if (n == 0)
                                test_note("no line with --%s was taken", o->name);
                        CHECK(n > 0);
                }
}

TEST(each_option_alone) {
        go_to_files();
        try_table(UNIT_CONTAINER, run_option_tables);
        try_table(UNIT_CONTAINER, create_option_tables);
        try_table(UNIT_POD, pod_option_tables);
        try_table(UNIT_VOLUME, verb_volume_create.options);
        try_table(UNIT_NETWORK, verb_network_create.options);
        test_note("%u lines", n_lines);
        CHECK_INT(n_wrong, 0);
        CHECK(n_lines > 300);
}

/* Each option behind each other one that stands next in the table, with the values of both: what is one value and what a list. */
TEST(options_in_pairs) {
        static const Option *const *const tables[] = { run_option_tables, pod_option_tables };
        unsigned before = n_lines;

        for (size_t t = 0; t < ELEMENTSOF(tables); t++)
                for (size_t i = 0; i < ELEMENTSOF(samples); i++)
                        for (size_t v = 0; v < ELEMENTSOF(samples->values) && samples[i].values[v]; v++) {
                                const Sample *other = samples + (i * 7 + v * 3) % ELEMENTSOF(samples);
                                size_t w = v + 1 < ELEMENTSOF(samples->values) && samples[i].values[v + 1] ? v + 1 : 0;
                                _cleanup_free_ char *one = str_format("--%s=%s", samples[i].option, samples[i].values[v]),
                                                    *two = str_format("--%s=%s", samples[i].option, samples[i].values[w]),
                                                    *three = str_format("--%s=%s", other->option, other->values[0]);

                                (void) try_line(t == 0 ? UNIT_CONTAINER : UNIT_POD, (const char *const[]){ one, three, two, "thing", NULL });
                        }
        test_note("%u lines", n_lines - before);
        CHECK_INT(n_wrong, 0);
        CHECK(n_lines - before > 200);
}

TEST(commands) {
        CHECK(try_line(UNIT_CONTAINER, (const char *const[]){ "busybox", NULL }));
        CHECK(try_line(UNIT_CONTAINER, (const char *const[]){ "-d", "--", "docker.io/library/busybox:1", "sh", "-c", hostile, "", ";", "\n", "\\", "{}", "a", NULL }));
        CHECK(try_line(UNIT_CONTAINER, (const char *const[]){ "--rootfs", "./my root:O", "sh", NULL }));
        CHECK(try_line(UNIT_CONTAINER, (const char *const[]){ "-itd", "-eA=1", "-p80:80", "-v", "data:/d", "--rm", "x", "-v", NULL }));
        CHECK(try_line(UNIT_POD, (const char *const[]){ "--exit-policy=stop", "-p", "80:80", "web", NULL }));
        CHECK(try_line(UNIT_POD, (const char *const[]){ NULL }));
        CHECK(try_line(UNIT_VOLUME, (const char *const[]){ "-l", "a=b", "-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m", "data", NULL }));
        CHECK(try_line(UNIT_VOLUME, (const char *const[]){ "--driver", "image", "-o", "image=busybox", "data", NULL }));
        CHECK_INT(n_wrong, 0);
}

/* What the file says, word for word. */
TEST(texts) {
        _cleanup_quadlet_files_ QuadletFiles files = {};
        static const char *const words[] = { "-d", "--name", "web", "-p", "8080:80", "--restart=on-failure:3", "--label", "io.containers.autoupdate=registry",
                                             "--cpus", "2", "-e", "COST=5$", "--stop-timeout=120", "--cidfile", "/run/c", "docker.io/library/nginx:1", "a b", NULL };
        Line line;

        line_parse(&line, UNIT_CONTAINER, &verb_run, (char **) words);
        CHECK_INT(line.r, 0);
        CHECK_INT(quadlet_add(&(QuadletRequest){ .type = UNIT_CONTAINER, .tables = run_option_tables, .parse = &line.in.parse, .arguments = line.in.arguments,
                                                 .environment = environment }, &files, NULL), 0);
        CHECK_STR(files.items[0].name, "web.container");
        CHECK_STR(files.items[0].text,
                  "[Unit]\nStartLimitIntervalSec=infinity\nStartLimitBurst=4\n\n"
                  "[Container]\nImage=docker.io/library/nginx:1\nContainerName=web\nPublishPort=8080:80\nAutoUpdate=registry\nPodmanArgs=--cpus=2\n"
                  "Environment=COST=5$$\nStopTimeout=120\nPodmanArgs=--cidfile=/run/c\nExec=\"a b\"\n\n"
                  "[Service]\nRestart=on-failure\nTimeoutStopSec=130\nExecStartPre=/bin/rm -f /run/c\n");
        line_done(&line);
}
