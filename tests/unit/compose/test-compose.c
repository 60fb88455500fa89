/* SPDX-License-Identifier: Apache-2.0 */
/* Compose files and what becomes of them: each case says words that the unit files must (or must not) have, or the complaint. The
 * generator must take all that is written. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "base/test.h"
#include "compose/project.h"
#include "unit/convert.h"

typedef struct Result {
        Compose c;
        Project p;
        Text said; /* "error: ..." and "warning: ..." lines */
        Text all;  /* "== NAME" and the text of each file */
        int r;
} Result;

static char *environment[] = { (char *) "HOME=/home/ann", (char *) "TAG=7", (char *) "EMPTY=", (char *) "SHELL_VALUE=it's $here", NULL };

static void collect(void *userdata, bool error, const char *text) {
        text_addf(userdata, "%s: %s\n", error ? "error" : "warning", text);
}

static void result_done(Result *result) {
        project_done(&result->p);
        compose_done(&result->c);
        text_done(&result->said);
        text_done(&result->all);
}

static void report(void *userdata, UnitSeverity severity, const char *text) {
        (void) userdata;
        if (severity == UNIT_ERROR)
                test_note("generator: %s", text);
}

/* All files as one set, as the generator finds them. */
static void check_generator(const Result *result) {
        UnitSet set = { .user = true, .tool = "/usr/bin/sdpod", .sdpod = "/usr/bin/sdpod", .report = report };
        Arena arena = {};
        Convert c = { .set = &set, .arena = &arena };
        Unit *units[64];
        size_t n = 0;

        for (size_t i = 0; i < result->p.n_files; i++) {
                const ComposeFile *file = result->p.files + i;

                if (unit_type_from_file(file->name) >= 0)
                        CHECK_INT(unit_set_add_text(&set, "/units", file->name, file->text, strlen(file->text), &units[n++]), 0);
        }
        CHECK_INT(unit_set_name(&set), 0);
        for (unsigned order = 0; order <= UNIT_ORDER_MAX; order++)
                for (size_t i = 0; i < n; i++) {
                        Text text = {};

                        if (unit_type_info(units[i]->type)->order != order)
                                continue;
                        int r = unit_convert(&c, units[i], &text);
                        if (r < 0)
                                test_note("%s\n%s", units[i]->name, result->all.data);
                        CHECK_INT(r, 0);
                        text_done(&text);
                }
        unit_convert_done(&c);
        arena_done(&arena);
        unit_set_done(&set);
}

static void convert_all(Result *result, const char *const *texts, bool pod, char **profiles) {
        *result = (Result){ .c = { .report = collect, .environment = environment } };
        result->c.userdata = &result->said;
        result->p = (Project){ .c = &result->c, .name = "shop", .directory = "/srv/shop", .tool = "/usr/bin/sdpod", .pod = pod, .to_files = true,
                               .profiles = profiles };
        for (; *texts && result->r >= 0; texts++) {
                Node *node;

                result->r = compose_load_text(&result->c, *texts, strlen(*texts), "compose.yaml", "/srv/shop", &node);
                if (result->r >= 0)
                        result->r = compose_interpolate(&result->c, node);
                if (result->r >= 0 && result->p.root)
                        result->r = compose_merge(&result->c, result->p.root, node);
                else if (result->r >= 0)
                        result->p.root = node;
        }
        if (result->r >= 0)
                result->r = compose_extend(&result->c, result->p.root);
        if (result->r >= 0)
                result->r = project_convert(&result->p);
        for (size_t i = 0; i < result->p.n_files; i++)
                text_addf(&result->all, "== %s\n%s", result->p.files[i].name, result->p.files[i].text);
        if (result->r >= 0)
                check_generator(result);
}
#define CONVERT(result, ...)                                                               \
        __attribute__((cleanup(result_done))) Result result;                               \
        convert_all(&result, (const char *const[]){ __VA_ARGS__, NULL }, false, NULL)

static void expect(const Result *result, const char *const *words) {
        CHECK_INT(result->r, 0);
        for (; *words; words++) {
                bool absent = **words == '!';
                const char *found = result->all.data ? strstr(result->all.data, *words + absent) : NULL;

                if (absent ? found != NULL : !found)
                        test_note("%s%s in\n%s%s", absent ? "there is " : "no ", *words + absent, result->all.data ?: "nothing", result->said.data ?: "");
                CHECK(absent ? !found : found != NULL);
        }
}
#define EXPECT(result, ...) expect(&(result), (const char *const[]){ __VA_ARGS__, NULL })

/* ---- what is converted ---- */

/* The words of one service "web", indented by four. */
typedef struct Case {
        const char *yaml;
        const char *expected[6]; /* of the files; "!" in front: not there */
        const char *warning;     /* NULL: no warning may be there */
} Case;

static const Case cases[] = {
        { "command: echo 'a b' \"c $$d\" e\\ f\n", { "Exec=echo \"a b\" \"c $$d\" \"e f\"\n" } },
        { "command: [echo, 'a b', '']\n", { "Exec=echo \"a b\" \"\"\n" } },
        { "entrypoint: /bin/run --fast\n", { "Entrypoint=[\"/bin/run\",\"--fast\"]\n" } },
        { "entrypoint: []\n", { "Entrypoint=\n" } },
        { "environment: {A: 1, B: 'x y', C: true, D: }\n", { "Environment=A=1\n", "Environment=\"B=x y\"\n", "Environment=C=true\n", "!Environment=D" },
          "environment.D has no value" },
        { "environment: [A=1, SHELL_VALUE, 'P=100%']\n", { "Environment=A=1\n", "Environment=\"SHELL_VALUE=it's $$here\"\n", "Environment=P=100%%\n" } },
        { "image: web:${TAG}\n", { "Image=web:7\n" } },
        { "image: web:${NOT:-${TAG}-x}${EMPTY:+no}${TAG:+-yes}${EMPTY-no}\n", { "Image=web:7-x-yes\n" } },
        { "image: web$NOT\n", { "Image=web\n" }, "'NOT' is not set" },
        { "ports: ['80', '8080:80', '127.0.0.1:53:53/udp', '3000-3005:3000-3005']\n",
          { "PublishPort=80\n", "PublishPort=8080:80\n", "PublishPort=127.0.0.1:53:53/udp\n", "PublishPort=3000-3005:3000-3005\n" } },
        { "ports: [{target: 80, published: 8080, host_ip: '::1', protocol: tcp}, {target: 81}]\n", { "PublishPort=[::1]:8080:80/tcp\n", "PublishPort=81\n" } },
        { "volumes: ['/anon', './src:/src:ro', '~/x:/x', '/a:/b']\n",
          { "Volume=/anon\n", "Volume=/srv/shop/src:/src:ro\n", "Volume=/home/ann/x:/x\n", "Volume=/a:/b\n", "ExecStartPre=/bin/mkdir -p /srv/shop/src\n" } },
        { "volumes: [{type: bind, source: ./a, target: /a, read_only: true, bind: {propagation: rslave, selinux: z}}]\n",
          { "Volume=/srv/shop/a:/a:ro,rslave,z\n", "!mkdir" } },
        { "volumes: [{type: tmpfs, target: /t, tmpfs: {size: 1gb, mode: 1023}}, {type: image, source: tools, target: /tools, image: {subpath: bin}}]\n",
          { "Tmpfs=/t:size=1g,mode=1777\n", "Mount=type=image,source=tools,destination=/tools,subpath=bin\n" } },
        { "volumes: ['/a%b$$c:/x']\n", { "Volume=/a%%b$$c:/x\n" } },
        { "healthcheck: {test: curl -f http://localhost/, interval: 1m30s, timeout: 5s, retries: 3, start_period: 10s}\n",
          { "HealthCmd=curl -f http://localhost/\n", "HealthInterval=1m30s\n", "HealthTimeout=5s\n", "HealthRetries=3\n", "HealthStartPeriod=10s\n" } },
        { "healthcheck: {test: [CMD, pg, 'a b'], start_interval: 1s}\n", { "HealthCmd=[\"CMD\",\"pg\",\"a b\"]\n" }, "start_interval is left out" },
        { "healthcheck: {disable: true}\n", { "HealthCmd=none\n" } },
        { "healthcheck: {test: [CMD-SHELL, 'a || b']}\n", { "HealthCmd=a || b\n" } },
        { "restart: unless-stopped\n", { "[Service]\nRestart=always\n", "[Install]\nWantedBy=default.target\n" } },
        { "restart: on-failure:3\n", { "Restart=on-failure\n", "StartLimitBurst=4\n", "!WantedBy" } },
        { "restart: 'no'\n", { "!Restart=" } },
        { "deploy: {restart_policy: {condition: on-failure, delay: 5s, max_attempts: 2}}\n", { "Restart=on-failure\n", "RestartSec=5000ms\n", "StartLimitBurst=3\n" } },
        { "deploy: {resources: {limits: {cpus: '0.5', memory: 50M, pids: 9}, reservations: {memory: 20mb}}}\n",
          { "PodmanArgs=--cpus=0.5\n", "Memory=50M\n", "PidsLimit=9\n", "PodmanArgs=--memory-reservation=20m\n" } },
        { "deploy: {placement: {constraints: [a]}, update_config: {parallelism: 1}}\n", { "Image=x\n" }, "deploy.placement is left out" },
        { "deploy: {replicas: 2}\n", { "== shop-web.container\n", "== shop-web-2.container\n", "ContainerName=shop-web-2\n" } },
        { "scale: 0\n", { "!shop-web.container" } },
        { "cap_add: [NET_ADMIN]\n    cap_drop: [ALL]\n", { "AddCapability=NET_ADMIN\n", "DropCapability=ALL\n" } },
        { "devices: ['/dev/fuse:/dev/fuse:rw']\n    init: true\n    read_only: true\n    tty: true\n    stdin_open: true\n    privileged: false\n",
          { "AddDevice=/dev/fuse:/dev/fuse:rw\n", "RunInit=true\n", "ReadOnly=true\n", "PodmanArgs=--tty\n", "PodmanArgs=--interactive\n", "!--privileged" } },
        { "dns: 1.1.1.1\n    dns_search: [a.example, b.example]\n    dns_opt: [use-vc]\n",
          { "DNS=1.1.1.1\n", "DNSSearch=a.example\n", "DNSSearch=b.example\n", "DNSOption=use-vc\n" } },
        { "extra_hosts: ['a:10.0.0.1', 'b=::1']\n", { "AddHost=a:10.0.0.1\n", "AddHost=b:::1\n" } },
        { "extra_hosts: {c: 10.0.0.3, d: [10.0.0.4, 10.0.0.5]}\n", { "AddHost=c:10.0.0.3\n", "AddHost=d:10.0.0.5\n" } },
        { "labels: {a: b, 'c.d': 'e f'}\n    annotations: [x=y]\n", { "Label=a=b\n", "Label=\"c.d=e f\"\n", "Annotation=x=y\n" } },
        { "logging: {driver: local, options: {max-size: 10m, max-file: 3}}\n", { "LogDriver=k8s-file\n", "LogOpt=max-size=10m\n" }, "max-file is left out" },
        { "network_mode: none\n", { "Network=none\n", "!default.network" } },
        { "pid: host\n    ipc: host\n    uts: host\n    cgroup: host\n", { "--pid=host", "--ipc=host", "--uts=host", "--cgroupns=host" } },
        { "security_opt: ['no-new-privileges:true', 'label:disable', 'seccomp:./p.json', apparmor=unconfined]\n",
          { "NoNewPrivileges=true\n", "PodmanArgs=--security-opt=label=disable\n", "SeccompProfile=/srv/shop/p.json\n", "apparmor=unconfined" } },
        { "shm_size: 64MB\n    mem_limit: 1g\n    memswap_limit: 2g\n    pids_limit: 5\n    oom_score_adj: 100\n",
          { "ShmSize=64M\n", "Memory=1g\n", "--memory-swap=2g", "PidsLimit=5\n", "--oom-score-adj=100" } },
        { "stop_grace_period: 2m\n    stop_signal: SIGINT\n", { "StopTimeout=120\n", "TimeoutStopSec=130\n", "StopSignal=SIGINT\n" } },
        { "sysctls: {net.core.somaxconn: 1024}\n    tmpfs: [/run, '/tmp:mode=755']\n    ulimits: {nproc: 65535, nofile: {soft: 1, hard: 2}}\n",
          { "Sysctl=net.core.somaxconn=1024\n", "Tmpfs=/run\n", "Tmpfs=/tmp:mode=755\n", "Ulimit=nproc=65535\n", "Ulimit=nofile=1:2\n" } },
        { "user: '1000:1000'\n    userns_mode: keep-id\n    working_dir: /a b\n    hostname: box\n    group_add: [audio]\n",
          { "User=1000:1000\n", "UserNS=keep-id\n", "WorkingDir=/a b\n", "HostName=box\n", "GroupAdd=audio\n" } },
        { "platform: linux/arm64\n    pull_policy: if_not_present\n    expose: ['80']\n    mac_address: 92:d0:c6:0a:29:33\n",
          { "--platform=linux/arm64", "Pull=missing\n", "ExposeHostPort=80\n", "--mac-address=92:d0:c6:0a:29:33" } },
        { "blkio_config: {weight: 300, device_read_bps: [{path: /dev/sda, rate: 12mb}]}\n", { "--blkio-weight=300", "--device-read-bps=/dev/sda:12m" } },
        { "container_name: my-web\n", { "ContainerName=my-web\n" } },
        { "cpus: 1.5\n    cpuset: 0,1\n    cpu_shares: 73\n    cpu_quota: 50000\n    cpu_period: 100000\n", { "--cpus=1.5", "--cpuset-cpus=0,1", "--cpu-shares=73" } },
        { "build: {context: ./dir, dockerfile: f.Dockerfile, target: prod, args: {V: 1}, labels: [l=m], no_cache: true}\n",
          { "== shop-web.build\n", "File=/srv/shop/dir/f.Dockerfile\n", "SetWorkingDirectory=/srv/shop/dir\n", "Target=prod\n", "BuildArg=V=1\n", "Image=shop-web.build\n" } },
        { "x-own: {anything: [1, 2]}\n", { "Image=x\n" } },
        { "develop: {watch: []}\n    attach: false\n", { "Image=x\n" }, "develop is left out" },
        { "env_file: [{path: ./no.env, required: false}]\n", { "EnvironmentFile=-/srv/shop/no.env\n" } },
        { "env_file: /dev/null\n", { "EnvironmentFile=/dev/null\n" } },
        { "links: []\n    profiles: []\n    command:\n    configs: []\n", { "Image=x\n" } },
};

TEST(keys_of_a_service) {
        for (size_t i = 0; i < ELEMENTSOF(cases); i++) {
                bool own = strstr(cases[i].yaml, "image: web") || strstr(cases[i].yaml, "build:");
                _cleanup_free_ char *text = str_format("services:\n  web:\n%s    %s", own ? "" : "    image: x\n", cases[i].yaml);
                CONVERT(result, text);

                if (result.r < 0)
                        test_note("%s%s", cases[i].yaml, result.said.data);
                expect(&result, cases[i].expected);
                bool warned = result.said.data && (!cases[i].warning || strstr(result.said.data, cases[i].warning));
                if (warned != (cases[i].warning != NULL))
                        test_note("%ssaid: %s", cases[i].yaml, result.said.data ?: "nothing\n");
                CHECK(warned == (cases[i].warning != NULL));
        }
}

TEST(a_page_with_a_database) {
        CONVERT(result, "services:\n"
                        "  web:\n    image: localhost/page\n    ports: ['8080:80']\n    depends_on: {db: {condition: service_healthy}, make: {condition: service_completed_successfully}}\n"
                        "    networks: [front, back]\n    restart: always\n"
                        "  db:\n    image: localhost/db\n    volumes: ['data:/var/lib/db']\n    healthcheck: {test: 'true'}\n"
                        "    networks: {back: {aliases: [database], ipv4_address: 10.9.0.5}}\n    secrets: [pw, {source: key, target: k, uid: '5', mode: '0400'}]\n"
                        "  make:\n    image: localhost/make\n    network_mode: 'service:db'\n"
                        "networks:\n  front:\n  back: {internal: true, ipam: {config: [{subnet: 10.9.0.0/24}]}, labels: [a=b]}\n"
                        "volumes:\n  data: {labels: {keep: 'yes'}}\n  fast: {driver_opts: {type: tmpfs, o: size=1m, device: tmpfs}}\n  mine: {external: true}\n"
                        "secrets:\n  pw: {file: ./pw}\n  key: {external: true}\n");
        EXPECT(result, "Requires=shop-db.container\nAfter=shop-db.container\nRequires=shop-make.container\n", "== shop-db.container\n[Container]\nNotify=healthy\n",
               "Type=oneshot\nRemainAfterExit=yes\n", "Network=shop-db.container\n", "Network=shop-back.network:alias=db,alias=database,ip=10.9.0.5\n",
               "Volume=shop-data.volume:/var/lib/db\n", "[Volume]\nVolumeName=shop_data\nLabel=keep=yes\n", "Device=tmpfs\n", "Type=tmpfs\n", "Options=size=1m\n",
               "Volume=/srv/shop/pw:/run/secrets/pw:ro\n", "Secret=key,target=k,uid=5,mode=0400\n", "NetworkName=shop_back\nInternal=true\nSubnet=10.9.0.0/24\n",
               "!shop-mine.volume", "!shop-default.network");
        CHECK(!result.said.data);
}

TEST(all_in_one_pod) {
        __attribute__((cleanup(result_done))) Result result;

        convert_all(&result, (const char *const[]){ "services: {web: {image: x, ports: ['80:80'], hostname: h}, db: {image: y, dns: 1.1.1.1}}\n", NULL }, true, NULL);
        EXPECT(result, "== shop.pod\n[Pod]\n", "PublishPort=80:80\n", "AddHost=web:127.0.0.1\n", "AddHost=db:127.0.0.1\n", "DNS=1.1.1.1\n", "Pod=shop.pod\n", "!Network",
               "!HostName");
        CHECK(strstr(result.said.data, "hostname is left out"));
}

TEST(configs_have_files) {
        CONVERT(result, "services: {web: {image: x, configs: [a, {source: b, target: /etc/b}]}}\nconfigs: {a: {file: ./a.conf}, b: {content: \"x=$TAG\\n\"}}\n");
        EXPECT(result, "Volume=/srv/shop/a.conf:/a:ro\n", "Volume=./shop-b.config:/etc/b:ro\n", "== shop-b.config\nx=7\n");
}

TEST(anchors_and_merges) {
        CONVERT(result, "x-base: &base {image: x, restart: always, environment: &env {A: 1, B: 2}}\n"
                        "services:\n  web: {<<: *base, environment: {<<: *env, B: 3}}\n  db: {<<: [{image: first}, *base]}\n");
        EXPECT(result, "Environment=A=1\n", "Environment=B=3\n", "Image=first\n", "!Environment=B=2\nEnvironment=B=3");
}

TEST(several_files) {
        CONVERT(result, "services: {web: {image: old, command: [a], ports: ['80:80'], environment: {A: 1, B: 2}, volumes: ['/one:/x', '/two:/y'], labels: [l=1]}}\n",
                "services: {web: {image: new, command: b c, ports: ['81:81', '80:80'], environment: [B=3], volumes: ['/three:/x'], labels: {m: 2}}, more: {image: y}}\n");
        EXPECT(result, "Image=new\n", "Exec=b c\n", "PublishPort=80:80\nPublishPort=81:81\n", "Environment=A=1\n", "Environment=B=3\n", "Volume=/three:/x\nVolume=/two:/y\n",
               "Label=l=1\n", "Label=m=2\n", "== shop-more.container\n", "!/one");
        CONVERT(reset, "services: {web: {image: x, ports: ['80:80'], dns: [1.1.1.1]}}\n", "services: {web: {ports: !reset [], dns: !override [2.2.2.2]}}\n");
        EXPECT(reset, "!PublishPort", "DNS=2.2.2.2\n", "!1.1.1.1");
}

TEST(services_that_extend) {
        CONVERT(result, "services:\n  base: {image: x, environment: {A: 1}, command: [a]}\n  web: {extends: base, environment: {B: 2}}\n"
                        "  far: {extends: {service: web}, command: [c]}\n");
        EXPECT(result, "== shop-far.container\n[Container]\nImage=x\n", "Environment=A=1\nEnvironment=B=2\n", "Exec=c\n");
}

TEST(profiles_choose) {
        __attribute__((cleanup(result_done))) Result with;
        static const char *const text[] = { "services: {web: {image: x}, test: {image: y, profiles: [debug]}}\n", NULL };
        CONVERT(without, text[0]);

        EXPECT(without, "shop-web.container", "!shop-test");
        convert_all(&with, text, false, (char *[]){ (char *) "debug", NULL });
        EXPECT(with, "shop-web.container", "shop-test.container");
}

/* ---- what is refused ---- */

static const struct {
        const char *yaml, *complaint; /* of one service, or, where it begins with a capital, a whole file */
} wrong[] = {
        { "imag: x\n", "compose.yaml:4: services.web.imag: there is no such key; did you mean 'image'?" },
        { "mem_swappiness: 3\n", "compose.yaml:4: services.web.mem_swappiness: it is for cgroup v1" },
        { "gpus: all\n", "CDI" },
        { "storage_opt: {size: 1g}\n", "project quota" },
        { "runtime: kata\n", "no runtime to choose" },
        { "ports: [{published: 80}]\n", "'target' is missing" },
        { "ports: {a: b}\n", "a list is wanted" },
        { "volumes: ['nope:/x']\n", "there is no 'nope' among volumes" },
        { "volumes: [{type: npipe, source: a, target: b}]\n", "there is no type 'npipe'" },
        { "volumes: ['/a:x']\n", "not an absolute path" },
        { "networks: [nope]\n", "there is no 'nope' among networks" },
        { "secrets: [nope]\n", "there is no 'nope' among secrets" },
        { "depends_on: [nope]\n", "depends on 'nope', which is not there" },
        { "depends_on: [web]\n", "depends on itself" },
        { "depends_on: {web: {condition: maybe}}\n", "there is no condition 'maybe'" },
        { "restart: sometimes\n", "not one of no, always" },
        { "stop_grace_period: soon\n", "not a duration" },
        { "command: 'a \"b'\n", "without its match" },
        { "command: \"a\\nb\"\n    working_dir: \"a\\nb\"\n", "cannot say" },
        { "env_file: ./missing.env\n", "cannot be read" },
        { "deploy: {replicas: 2}\n    ports: ['80:80']\n", "one port of the host" },
        { "deploy: {replicas: x}\n", "not a number of containers" },
        { "deploy: {resources: {limits: {cpu: 1}}}\n", "did you mean 'cpus'" },
        { "healthcheck: {test: [pg]}\n", "begins with CMD" },
        { "environment: 5\n", "neither a map nor a list" },
        { "image: ${NOT:?say which}\n", "'NOT' must be set: say which" },
        { "image: ${\n", "without '}'" },
        { "image: a$\n", "is written $$" },
        { "build: https://example.org/x.git\n", "on another machine" },
        { "network_mode: host\n    networks: [a]\n", "both network_mode and networks" },
        { "links: ['db:database']\n", "under another name" },
        { "tty: perhaps\n", "neither true nor false" },
        { "init: [a]\n", "a word is wanted" },
        { "extends: web\n", "in a circle" },
        { "extends: nope\n", "no service 'nope' to extend" },
        { "image: y\n    image: z\n", "'image' is there twice" },
        { "domainname: x\n", "as 'hostname'" },
        { "WHOLE services: {}\n", "no services" },
        { "WHOLE volumes: {}\n", "no services" },
        { "WHOLE - a\n", "not a compose file" },
        { "WHOLE services: [a\n", "not valid YAML" },
        { "WHOLE services: {web: {image: x}}\nvolums: {}\n", "compose.yaml:2: volums: there is no such key; did you mean 'volumes'?" },
        { "WHOLE services: {web: {image: x}}\ninclude: [a.yaml]\n", "-f" },
        { "WHOLE services: {web: {image: x}}\nnetworks: {a: {driver: overlay}}\n", "there is bridge" },
        { "WHOLE services: {web: {image: x}}\nvolumes: {a: {driver: nfs}}\n", "there is local" },
        { "WHOLE services: {web: {image: x}}\n---\nservices: {}\n", "a second document" },
        { "WHOLE services: {web: {image: !!binary x}}\n", "has no meaning" },
        { "WHOLE services: {web: {image: *nope}}\n", "of no anchor" },
        { "WHOLE services: &a {web: {image: *a}}\n", "inside of what it means" },
        { "WHOLE services: {'../x': {image: x}}\n", "not the name of a service" },
        { "WHOLE services: {web: {}}\n", "neither 'image' nor 'build'" },
        { "WHOLE services: {web: {image: x, secrets: [a]}}\nsecrets: {a: {driver: x, file: y}}\n", "external: true" },
        { "WHOLE services: {web: {image: x, configs: [a]}}\nconfigs: {a: {external: true}}\n", "give its 'file'" },
        { "WHOLE services: {web: {image: x, depends_on: [b]}, b: {image: y, profiles: [p]}}\n", "in a profile that is not on" },
};

TEST(what_is_wrong) {
        for (size_t i = 0; i < ELEMENTSOF(wrong); i++) {
                const char *whole = str_after(wrong[i].yaml, "WHOLE ");
                _cleanup_free_ char *text = whole ? strdup(whole) : str_format("services:\n  web:\n%s    %s",
                        strstr(wrong[i].yaml, "image: $") || strstr(wrong[i].yaml, "image: a") ? "" : "    image: x\n", wrong[i].yaml);
                CONVERT(result, text);
                bool found = result.r == -EINVAL && result.said.data && strstr(result.said.data, wrong[i].complaint);

                if (!found)
                        test_note("%s%d: %s", text, result.r, result.said.data ?: "nothing was said");
                CHECK(found);
        }
}

/* Every key of a service that the specification has is converted, refused or passed over by its name. */
TEST(every_key_of_the_specification) {
        static const char *const keys[] = {
                "annotations", "attach", "build", "blkio_config", "cpu_count", "cpu_percent", "cpu_shares", "cpu_period", "cpu_quota", "cpu_rt_runtime", "cpu_rt_period", "cpus",
                "cpuset", "cap_add", "cap_drop", "cgroup", "cgroup_parent", "command", "configs", "container_name", "credential_spec", "depends_on", "deploy", "develop",
                "device_cgroup_rules", "devices", "dns", "dns_opt", "dns_search", "domainname", "entrypoint", "env_file", "environment", "expose", "extends",
                "external_links", "extra_hosts", "gpus", "group_add", "healthcheck", "hostname", "image", "init", "ipc", "isolation", "labels", "label_file", "links", "logging",
                "mac_address", "mem_limit", "mem_reservation", "mem_swappiness", "memswap_limit", "models", "network_mode", "networks", "oom_kill_disable", "oom_score_adj",
                "pid", "pids_limit", "platform", "ports", "post_start", "pre_stop", "privileged", "profiles", "provider", "pull_policy", "read_only", "restart", "runtime", "scale",
                "secrets", "security_opt", "shm_size", "stdin_open", "stop_grace_period", "stop_signal", "storage_opt", "sysctls", "tmpfs", "tty", "ulimits", "use_api_socket",
                "user", "userns_mode", "uts", "volumes", "volumes_from", "working_dir",
        };

        for (size_t i = 0; i < ELEMENTSOF(keys); i++) {
                _cleanup_free_ char *text = str_format("services:\n  web:\n    %s:\n", keys[i]);
                CONVERT(result, text);

                if (result.said.data && strstr(result.said.data, "no such key"))
                        test_note("%s", result.said.data);
                CHECK(!result.said.data || !strstr(result.said.data, "no such key"));
        }
}

/* ---- hostile files ---- */

TEST(bombs) {
        char bomb[4096] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n", *end = bomb + strlen(bomb);
        _cleanup_free_ char *deep = calloc(1, 300000);

        for (unsigned i = 1; i < 20; i++)
                end += snprintf(end, (size_t) (bomb + sizeof(bomb) - end), "a%u: &a%u [*a%u, *a%u, *a%u, *a%u, *a%u, *a%u, *a%u, *a%u]\n", i, i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1,
                                i - 1, i - 1);
        CONVERT(result, bomb);
        CHECK_INT(result.r, -EINVAL);
        CHECK(strstr(result.said.data, "more than 100000 values"));

        memset(deep, '[', 299999);
        CONVERT(nested, deep);
        CHECK_INT(nested.r, -EINVAL);
        CHECK(strstr(nested.said.data, "levels deep"));

        CONVERT(variables, "services: {web: {image: '${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-${A:-x}}}}}}}}}}}}}}}}}}'}}\n");
        CHECK_INT(variables.r, -EINVAL);
        CHECK(strstr(variables.said.data, "nested"));

        CONVERT(control, "services: {web: {image: \"a\\e[31mb\\0c\"}}\n");
        CHECK_INT(control.r, -EINVAL);
        CHECK(!strchr(control.said.data, '\x1b'));
}

/* No value comes out of its line: what is in a string stays in it. */
TEST(values_stay_values) {
        CONVERT(result, "services:\n  web:\n    image: x\n    environment: {A: \"x\\n[Service]\\nExecStartPre=/bin/false\"}\n    command: [\"a\\nb\", '%n', '$$HOME']\n");
        EXPECT(result, "Environment=\"A=x\\n[Service]\\nExecStartPre=/bin/false\"\n", "Exec=\"a\\nb\" %%n $$HOME\n", "!\n[Service]");
        CONVERT(image, "services: {web: {image: \"x\\nPodmanArgs=--privileged\"}}\n");
        CHECK_INT(image.r, -EINVAL);
        CONVERT(name, "services: {web: {image: x}}\nvolumes: {\"a\\n[Service]\": {}}\n");
        CHECK_INT(name.r, -EINVAL);
        CONVERT(mode, "services: {web: {image: x, restart: \"always\\nExecStartPre=x\"}}\n");
        CHECK_INT(mode.r, -EINVAL);
}

TEST(dotenv) {
        char path[] = "/tmp/test-compose.XXXXXX";
        int fd = mkstemp(path);
        static const char text[] = "# a comment\nA=1\nexport B='two $A'\nC=\"three $A\\n\"\nD=four # not this\nTAG=file\nE=${A}5\n";
        Compose c = { .report = collect, .environment = environment };
        Text said = {};

        c.userdata = &said;
        CHECK_INT(write(fd, text, sizeof(text) - 1), sizeof(text) - 1);
        close(fd);
        CHECK_INT(compose_read_dotenv(&c, path), 0);
        CHECK_STR(compose_variable(&c, "A"), "1");
        CHECK_STR(compose_variable(&c, "B"), "two $A");
        CHECK_STR(compose_variable(&c, "C"), "three 1\n");
        CHECK_STR(compose_variable(&c, "D"), "four");
        CHECK_STR(compose_variable(&c, "E"), "15");
        CHECK_STR(compose_variable(&c, "TAG"), "7");
        unlink(path);
        CHECK_INT(compose_read_dotenv(&c, path), -ENOENT);
        text_done(&said);
        compose_done(&c);
}

/* ---- any bytes ---- */

/* Files that were right, with some bytes changed: whatever comes of them, no unit file has a line that is none, and what is taken is
 * taken by the generator (check_generator()). The same numbers at each run. */
TEST(changed_bytes) {
        static const char base[] = "name: shop\nx-a: &a {restart: always, environment: {A: '${TAG:-x}', B: \"q\\n\"}}\nservices:\n  web:\n    <<: *a\n    image: x\n"
                                   "    command: echo 'a b'\n    ports: ['80:80', {target: 81, published: 82}]\n    volumes: ['data:/d:ro', './x:/x']\n"
                                   "    depends_on: {db: {condition: service_healthy}}\n    secrets: [s]\n    ulimits: {nofile: {soft: 1, hard: 2}}\n"
                                   "  db: {image: y, healthcheck: {test: [CMD, 'true']}, networks: {back: {aliases: [z]}}, deploy: {replicas: 2}}\n"
                                   "networks: {back: {ipam: {config: [{subnet: 10.9.0.0/24}]}}}\nvolumes: {data: {driver_opts: {o: a}}}\nsecrets: {s: {file: ./s}}\n";
        static const char bytes[] = "\0\n\t :,[]{}&*!|>'\"%@`#$-?<.\\/\x01\x1b\x7f\x80\xc3\xff""09aZ";
        uint64_t state = 88172645463325252u;
        unsigned taken = 0;
        CONVERT(whole, base);

        if (whole.said.data)
                test_note("%s", whole.said.data);
        CHECK_INT(whole.r, 0);
        for (unsigned round = 0; round < 20000; round++) {
                char text[sizeof(base)];

                memcpy(text, base, sizeof(base));
                for (unsigned i = 0; i <= round % 4; i++) {
                        state ^= state << 13, state ^= state >> 7, state ^= state << 17;
                        text[state % (sizeof(base) - 1)] = bytes[(state >> 32) % (sizeof(bytes) - 1)];
                }
                Compose c = { .report = collect, .environment = environment };
                Result result = { .c = c };
                result.c.userdata = &result.said;
                result.p = (Project){ .c = &result.c, .name = "shop", .directory = "/srv/shop", .tool = "/usr/bin/sdpod", .to_files = true };
                result.r = compose_load_text(&result.c, text, sizeof(base) - 1, "compose.yaml", "/srv/shop", &result.p.root);
                if (result.r >= 0)
                        result.r = compose_interpolate(&result.c, result.p.root);
                if (result.r >= 0)
                        result.r = compose_extend(&result.c, result.p.root);
                if (result.r >= 0)
                        result.r = project_convert(&result.p);
                CHECK(result.r == 0 || result.r == -EINVAL);
                CHECK(result.r == 0 || result.said.size > 0); /* nothing is refused in silence */
                if (result.r == 0) {
                        taken++;
                        text_add(&result.all, "");
                        check_generator(&result);
                }
                result_done(&result);
        }
        test_note("%u of 20000 were taken", taken);
        CHECK(taken > 300);
}
