/* SPDX-License-Identifier: Apache-2.0 */
/* Verbs that need no container process: run over a store of their own, in this process. */
#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/process.h"
#include "base/str.h"
#include "base/test.h"
#include "cli/verbs.h"
#include "cli/yaml.h"
#include "state/container.h"

static char directory[] = "/tmp/sdpod-test-XXXXXX";

static void open_store(Store *store) {
        CHECK(mkdtemp(strcpy(directory, "/tmp/sdpod-test-XXXXXX")));
        _cleanup_free_ char *data = str_format("%s/data", directory), *runtime = str_format("%s/run", directory);

        CHECK_INT(store_open(data, runtime, store, NULL), 0);
}

/* Runs a verb as main does, and gives what it printed (owned). */
static char *run(const Store *store, const char *const *words, int *ret_status) {
        _cleanup_fd_ int out = io_memfd("stdout", "", 0), saved = dup(STDOUT_FILENO);
        const char *argv[12] = { "sdpod", "--root", store->data_path, "--runroot", store->runtime_path };
        size_t n = 5;
        char *text;

        for (; *words; words++)
                argv[n++] = *words;
        fflush(stdout);
        CHECK(dup2(out, STDOUT_FILENO) >= 0);
        *ret_status = verb_main((int) n, (char **) argv);
        fflush(stdout);
        CHECK(dup2(saved, STDOUT_FILENO) >= 0);
        CHECK_INT(lseek(out, 0, SEEK_SET), 0);
        CHECK_INT(io_read_all(out, 1024 * 1024, &text, NULL), 0);
        return text;
}
#define WORDS(...) ((const char *const[]){ __VA_ARGS__, NULL })

static void check_run(const Store *store, const char *const *words, int wanted_status, const char *wanted) {
        int status;
        _cleanup_free_ char *text = run(store, words, &status);

        CHECK_INT(status, wanted_status);
        if (wanted)
                CHECK_STR(text, wanted);
}

/* Runs what cannot work, and looks for a text in its message. */
static void check_message(const Store *store, const char *const *words, const char *wanted) {
        _cleanup_fd_ int messages = io_memfd("stderr", "", 0), saved = dup(STDERR_FILENO);
        _cleanup_free_ char *message = NULL;

        CHECK(dup2(messages, STDERR_FILENO) >= 0);
        check_run(store, words, 125, "");
        CHECK(dup2(saved, STDERR_FILENO) >= 0);
        CHECK_INT(lseek(messages, 0, SEEK_SET), 0);
        CHECK_INT(io_read_all(messages, 1024 * 1024, &message, NULL), 0);
        CHECK(message && strstr(message, wanted));
}

/* A container that this very process pretends to be. */
static void make_container(const Store *store, const char *name, bool running) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
        _cleanup_container_ Container container = CONTAINER_NULL;
        static const struct {
                const char *ip, *protocol;
                uint32_t host, inside;
        } ports[] = { { NULL, "tcp", 8080, 80 }, { "::1", "tcp", 8081, 80 }, { "127.0.0.1", "udp", 5353, 53 } };

        CHECK_INT(str_replace(&config.name, name), 0);
        for (size_t i = 0; i < ELEMENTSOF(ports); i++) {
                ContainerPort *port = container_array_add((void **) &config.ports, &config.n_ports, sizeof(*port));

                CHECK(port);
                CHECK_INT(str_replace(&port->host_ip, ports[i].ip), 0);
                CHECK_INT(str_replace(&port->protocol, ports[i].protocol), 0);
                port->host_port = ports[i].host;
                port->container_port = ports[i].inside;
        }
        CHECK_INT(container_create(store, &config, &container, NULL), 0);
        if (!running)
                return;
        container.process.pid = getpid();
        CHECK_INT(process_start_time(getpid(), &container.process.start_time), 0);
        _cleanup_fd_ int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
        CHECK_INT(io_read_all(fd, 100, &container.process.boot_id, NULL), 0);
        container.process.boot_id[strcspn(container.process.boot_id, "\n")] = '\0';
        CHECK_INT(str_replace(&container.process.cgroup, ""), 0);
        CHECK_INT(container_save_process(store, &container, NULL), 0);
}

TEST(port_shows_where_ports_are) {
        _cleanup_(store_done) Store store = STORE_NULL;

        open_store(&store);
        make_container(&store, "web", true);
        make_container(&store, "off", false);
        check_run(&store, WORDS("port", "web"), 0,
                  "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::1]:8081\n53/udp -> 127.0.0.1:5353\n");
        check_run(&store, WORDS("port", "web", "53/udp"), 0, "127.0.0.1:5353\n");
        check_run(&store, WORDS("port", "web", "80"), 0, "0.0.0.0:8080\n[::1]:8081\n");
        check_run(&store, WORDS("port", "web", "53"), 125, "");
        check_run(&store, WORDS("port", "web", "x"), 125, "");
        check_run(&store, WORDS("port", "web", "1:2"), 125, "");
        check_run(&store, WORDS("port", "off"), 0, "");
        check_run(&store, WORDS("port", "nobody"), 125, "");
        check_run(&store, WORDS("port"), 125, "");
        check_run(&store, WORDS("port", "-a", "web"), 125, "");
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

TEST(a_mistyped_command_is_told_its_neighbour) {
        _cleanup_(store_done) Store store = STORE_NULL;

        open_store(&store);
        check_message(&store, WORDS("strat", "x"), "did you mean 'sdpod start'?");
        check_message(&store, WORDS("volume", "lss"), "did you mean 'sdpod volume ls'?");
        check_message(&store, WORDS("__complet"), "try 'sdpod --help'");
        check_message(&store, WORDS("volume", "zzzz"), "try 'sdpod volume --help'");
        check_message(&store, WORDS("stop", "-l"), "cannot find the latest container");
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

TEST(rename_takes_the_name_and_lets_the_old_one_go) {
        _cleanup_(store_done) Store store = STORE_NULL;
        _cleanup_free_ char *id = NULL;

        open_store(&store);
        make_container(&store, "old", false);
        make_container(&store, "other", false);
        check_run(&store, WORDS("rename", "old", "new"), 0, "");
        CHECK_INT(container_find(&store, "new", &id, NULL), 0);
        CHECK_INT(container_find(&store, "old", &id, NULL), -ENOENT);
        check_run(&store, WORDS("rename", "new", "other"), 125, "");
        check_run(&store, WORDS("rename", "new", "../x"), 125, "");
        check_run(&store, WORDS("rename", "new"), 125, "");
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

TEST(info_and_version_by_template) {
        _cleanup_(store_done) Store store = STORE_NULL;

        open_store(&store);
        make_container(&store, "web", true);
        make_container(&store, "off", false);
        check_run(&store, WORDS("info", "--format", "{{.Host.OCIRuntime.Name}} {{.Host.OS}} {{.Store.ContainerStore.Number}} "
                                                    "{{.Store.ContainerStore.Running}} {{.Store.ContainerStore.Stopped}}"),
                  0, "sdpod linux 2 1 1\n");
        _cleanup_free_ char *root = str_format("%s %s\n", store.data_path, store.runtime_path);
        check_run(&store, WORDS("info", "-f", "{{.Store.GraphRoot}} {{.Store.RunRoot}}"), 0, root);
        check_run(&store, WORDS("info", "-f", "{{.Host.Nonsense}}"), 125, NULL);
        check_run(&store, WORDS("version", "--format", "{{.Client.OsArch}}"), 0, NULL);
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

/* A volume and a container that names it. */
static void make_user(const Store *store, const char *volume) {
        _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
        _cleanup_container_ Container container = CONTAINER_NULL;
        ContainerMount *mount = container_array_add((void **) &config.mounts, &config.n_mounts, sizeof(*mount));
        _cleanup_free_ char *line = str_format("%s\n", volume);

        CHECK(mount && line);
        CHECK_INT(str_replace(&mount->type, "volume"), 0);
        CHECK_INT(str_replace(&mount->source, volume), 0);
        CHECK_INT(str_replace(&mount->destination, "/x"), 0);
        CHECK_INT(container_create(store, &config, &container, NULL), 0);
        check_run(store, WORDS("volume", "create", volume), 0, line);
}

TEST(volume_verbs_and_their_statuses) {
        _cleanup_(store_done) Store store = STORE_NULL;

        open_store(&store);
        check_run(&store, WORDS("volume", "create", "v", "-l", "a=b"), 0, "v\n");
        check_run(&store, WORDS("volume", "create", "v"), 125, "");
        check_run(&store, WORDS("volume", "create", "--ignore", "v"), 0, "v\n");
        check_run(&store, WORDS("volume", "create", "../v"), 125, "");
        check_run(&store, WORDS("volume", "exists", "v"), 0, "");
        check_run(&store, WORDS("volume", "exists", "w"), 1, "");
        check_run(&store, WORDS("volume", "ls", "-q"), 0, "v\n");
        check_run(&store, WORDS("volume", "ls", "-n"), 0, "local       v\n");
        check_run(&store, WORDS("volume", "ls", "-q", "-f", "label=a=c"), 0, "");
        check_run(&store, WORDS("volume", "inspect", "-f", "{{.Name}} {{.Labels.a}}", "v"), 0, "v b\n");
        check_run(&store, WORDS("volume", "inspect", "w"), 125, "[]\n");
        check_run(&store, WORDS("volume", "rm", "w", "v"), 1, "v\n");
        check_run(&store, WORDS("volume", "rm", "-f", "w"), 0, "");
        /* a removal that was killed does not stand in the way of the next */
        CHECK_INT(path_mkdirs_in_root(store.data_fd, "volumes/.tmp-rm-v/_data/x", 0700, (uid_t) -1, (gid_t) -1) < 0, 0);
        check_run(&store, WORDS("volume", "create", "v"), 0, "v\n");
        check_run(&store, WORDS("volume", "rm", "v"), 0, "v\n");
        check_run(&store, WORDS("volume", "ls", "-q"), 0, "");
        check_run(&store, WORDS("volume", "rm"), 125, "");
        make_user(&store, "v2");
        check_run(&store, WORDS("volume", "rm", "v2"), 2, "");
        check_run(&store, WORDS("volume", "prune", "-f"), 0, "");
        check_run(&store, WORDS("volume", "rm", "-f", "-t", "0", "v2"), 0, "v2\n");
        check_run(&store, WORDS("ps", "-aq"), 0, "");
        check_run(&store, WORDS("volume", "create", "p"), 0, "p\n");
        check_run(&store, WORDS("volume", "prune", "-f", "--filter", "label=x"), 0, "");
        check_run(&store, WORDS("volume", "prune", "-f"), 0, "p\n");
        CHECK_INT(path_remove_tree(AT_FDCWD, directory), 0);
}

TEST(yaml_quotes_what_could_be_something_else) {
        static const char json[] = "{\"b\":[],\"a\":{\"x\":[{\"k\":1,\"j\":null},\"no\",\"1\",\"\",\"a: b\",\"plain text\",\"\\u001b\","
                                   "[\"n\"]],\"w\":{}},\"c\":true,\"true\":\"- a\"}";
        static const char wanted[] = "a:\n  w: {}\n  x:\n  - j: null\n    k: 1\n  - \"no\"\n  - \"1\"\n  - \"\"\n  - \"a: b\"\n"
                                     "  - plain text\n  - \"\\u001B\"\n  - - \"n\"\nb: []\nc: true\n\"true\": \"- a\"\n";
        _cleanup_json_ json_t *value = NULL;
        _cleanup_free_ char *text = NULL;
        size_t size;
        FILE *f = open_memstream(&text, &size);

        CHECK(f);
        CHECK_INT(json_parse(json, strlen(json), "json", &value, NULL), 0);
        yaml_print(value, f);
        CHECK_INT(fclose(f), 0);
        CHECK_STR(text, wanted);
}
