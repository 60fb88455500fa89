/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines that need no container: exit statuses, texts, and where they go. */
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "base/test.h"
#include "oci/main.h"

typedef struct Ran {
        int status;
        char *out, *err, *log;
} Ran;

static void ran_done(Ran *ran) {
        free(ran->out);
        free(ran->err);
        free(ran->log);
}
#define _cleanup_ran_ _cleanup_(ran_done)

static char directory[64];

static char *take(const char *name) {
        _cleanup_free_ char *path = str_format("%s/%s", directory, name);
        char *text = NULL;

        if (file_read(AT_FDCWD, path, 1024 * 1024, &text, NULL) < 0)
                return NULL;
        (void) unlink(path);
        return text;
}

static void redirect(const char *name, int fd) {
        _cleanup_free_ char *path = str_format("%s/%s", directory, name);

        if (dup2(open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600), fd) < 0)
                _exit(99);
}

/* The words behind the program's name; @ stands for the directory of the test. */
static Ran run(const char *line) {
        _cleanup_strv_ char **words = strv_split(line, " ");
        Ran ran = {};
        int status;

        if (!*directory)
                CHECK(mkdtemp(strcpy(directory, "/tmp/test-oci-XXXXXX")));
        for (char **word = words; *word; word++) {
                char *at = strchr(*word, '@');

                if (at) {
                        char *whole = str_format("%.*s%s%s", (int) (at - *word), *word, directory, at + 1);
                        free(*word);
                        *word = whole;
                }
        }
        (void) fflush(stdout);
        pid_t pid = fork();
        if (pid == 0) {
                redirect("out", STDOUT_FILENO);
                redirect("err", STDERR_FILENO);
                char *argv[32] = { (char *) "sdpod-oci" };
                memcpy(argv + 1, words, (strv_length(words) + 1) * sizeof(char *));
                status = oci_main((int) strv_length(argv), argv);
                (void) fflush(stdout);
                _exit(status);
        }
        CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status));
        ran = (Ran){ .status = WEXITSTATUS(status), .out = take("out"), .err = take("err"), .log = take("log") };
        CHECK(ran.out && ran.err);
        return ran;
}

static void check_fails(const char *line, int status, const char *text) {
        _cleanup_ran_ Ran ran = run(line);

        if (ran.status != status || !strstr(ran.err, text) || *ran.out)
                test_note("'%s': %d, out '%s', err '%s'", line, ran.status, ran.out, ran.err);
        CHECK(ran.status == status);
        CHECK(strstr(ran.err, text) && !*ran.out);
        CHECK(strchr(ran.err, '\n') == ran.err + strlen(ran.err) - 1); /* one line */
}

TEST(faults_of_the_command_line) {
        check_fails("--bogus state x", 1, "flag provided but not defined: --bogus");
        check_fails("state --bogus x", 1, "flag provided but not defined: --bogus");
        check_fails("exec -X x", 1, "flag provided but not defined: -X");
        check_fails("bogus", 1, "unknown command 'bogus'");
        check_fails("state", 1, "requires at least 1 argument");
        check_fails("state a b", 1, "takes at most 1 argument, not 2");
        check_fails("create --bundle", 1, "flag needs an argument: --bundle");
        check_fails("list --format yaml", 1, "not one of table, json");
        check_fails("--log-format xml list", 1, "not one of text, json");
        check_fails("--root @/r kill x NOSUCH", 1, "unknown signal \"NOSUCH\"");
        check_fails("events --interval 0 x", 1, "'--interval 0'");
        check_fails("update --memory much x", 1, "neither a size such as 64m nor -1");
        check_fails("--root @/r create --bundle @/none x", 1, "No such file or directory");
        check_fails("checkpoint --whatever x", 1, "cannot run 'sdpod-oci checkpoint'");
        check_fails("restore x", 1, "cannot run 'sdpod-oci restore'");
}

TEST(a_container_that_is_not_there) {
        static const char *const verbs[] = { "state x",  "start x",         "kill x 9",   "kill --all x KILL", "delete x",       "pause x",
                                             "resume x", "update --memory=-1 x", "ps x", "events --stats x" };
        _cleanup_ran_ Ran forced = run("--root @/r delete --force x");

        CHECK(forced.status == 0 && !*forced.err);
        for (size_t i = 0; i < ELEMENTSOF(verbs); i++) {
                _cleanup_free_ char *line = str_format("--root @/r %s", verbs[i]);
                check_fails(line, 1, "container does not exist");
        }
        check_fails("--root @/r exec x true", 255, "container does not exist");
        check_fails("--root @/r exec x", 255, "container does not exist");
}

TEST(ids) {
        check_fails("--root @/r state .foo", 1, "cannot use the container ID '.foo': invalid character `.` in the ID");
        check_fails("--root @/r state a/b", 1, "invalid character `/` in the ID");
        check_fails("--root @/r state ..", 1, "invalid character `.`");
        check_fails("--root @/r state a\tb", 1, "invalid character");
        check_fails("--root @/r state ", 1, "empty container ID");
}

TEST(global_options_before_and_behind_the_verb) {
        _cleanup_ran_ Ran before = run("--root=@/r --log=@/log --log-format=json state x");
        _cleanup_ran_ Ran behind = run("state --root @/r --log @/log --log-format json x");

        CHECK(before.log && behind.log && before.status == 1 && behind.status == 1);
        CHECK(strstr(before.log, "container does not exist") && strstr(behind.log, "container does not exist"));
}

/* Podman reads the whole log as one object. */
TEST(the_log_is_one_object) {
        _cleanup_ran_ Ran ran = run("--log @/log --log-format json --root @/r state x\"\\");
        _cleanup_json_ json_t *json = NULL;

        CHECK(ran.log && json_parse(ran.log, strlen(ran.log), "log", &json, NULL) >= 0);
        CHECK(str_equal(json_get_string(json, "level"), "error"));
        CHECK(str_equal(json_get_string(json, "msg"), "cannot use the container ID 'x\"\\': invalid character `\"` in the ID"));
        CHECK(json_get_string(json, "time") && strlen(json_get_string(json, "time")) >= STRLEN("2026-11-23T02:03:15Z"));
        CHECK(strstr(ran.err, "invalid character"));
}

TEST(the_log_as_text) {
        _cleanup_ran_ Ran ran = run("--log @/log --root @/r state x");

        CHECK(ran.log && str_after(ran.log, "time=\""));
        CHECK(strstr(ran.log, "\" level=error msg=\"cannot find the container 'x': container does not exist\"\n"));
        check_fails("--log @/none/log state x", 1, "cannot open the log");
}

TEST(lists_of_nothing) {
        _cleanup_ran_ Ran table = run("--root @/r list"), json = run("--root @/r list -f json"), quiet = run("--root @/r list -q");

        CHECK(table.status == 0 && str_equal(table.out, "ID          PID         STATUS      BUNDLE      CREATED     OWNER\n"));
        CHECK(json.status == 0 && str_equal(json.out, "null\n"));
        CHECK(quiet.status == 0 && str_equal(quiet.out, ""));
}

TEST(version_and_help) {
        _cleanup_ran_ Ran version = run("--version"), help = run("--help"), verb = run("exec --help"), asked = run("help create");

        CHECK(version.status == 0 && str_after(version.out, "sdpod-oci version ") && strstr(version.out, "\nspec: 1."));
        CHECK(help.status == 0 && strstr(help.out, "\n  create ") && !strstr(help.out, "__complete") && !strstr(help.out, "checkpoint"));
        CHECK(verb.status == 0 && strstr(verb.out, "--ignore-paused") && strstr(verb.out, "--systemd-cgroup"));
        CHECK(asked.status == 0 && strstr(asked.out, "--console-socket"));
        (void) path_remove_tree(AT_FDCWD, directory);
}
