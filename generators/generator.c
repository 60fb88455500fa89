/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-user-generator and sdpod-system-generator: unit files to services, at boot and at every daemon-reload.
 *
 * systemd.generator(7): three directories come as arguments; no network, no bus, no user database and no log daemon
 * can be counted on, and whatever is written must be there when we end. sdpod-generator(8) is the manual. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "config.h"
#include "unit/dirs.h"
#include "unit/output.h"
#include "unit/value.h"

typedef struct Generator {
        const char *program;
        bool user, verbose, dry_run, no_kmsg, version, help;
        int kmsg_fd;
        char **dirs;
        int n_dirs;
} Generator;

/* One line to the kernel's log (nothing else listens when the system generators run), or to stderr: a user manager
 * hands that to the journal. */
static void report(void *userdata, UnitSeverity severity, const char *text) {
        static const int priorities[] = { [UNIT_ERROR] = 3, [UNIT_WARNING] = 4, [UNIT_DEBUG] = 7 };
        Generator *g = userdata;

        if (severity == UNIT_DEBUG && !g->verbose)
                return;
        _cleanup_free_ char *clean = str_escape_control(text);
        if (g->kmsg_fd < 0 && !g->no_kmsg && !g->dry_run && !g->user)
                g->kmsg_fd = open("/dev/kmsg", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        _cleanup_free_ char *line =
                str_format("%s[%d]: %.900s\n", g->program, (int) getpid(), clean ? clean : "out of memory");
        if (!line)
                return;
        if (g->kmsg_fd >= 0) {
                _cleanup_free_ char *record = str_format("<%d>%s", priorities[severity], line);

                if (record && write(g->kmsg_fd, record, strlen(record)) >= 0)
                        return;
        }
        (void) io_write_full(STDERR_FILENO, line, strlen(line));
}

static int parse_flag(Generator *g, const char *flag) {
        struct {
                const char *name;
                bool *value;
        } const flags[] = {
                { "dryrun", &g->dry_run },      { "h", &g->help },    { "help", &g->help },
                { "no-kmsg-log", &g->no_kmsg }, { "user", &g->user }, { "v", &g->verbose },
                { "version", &g->version },
        };
        size_t n = strcspn(flag, "=");

        for (size_t i = 0; i < ELEMENTSOF(flags); i++)
                if (strlen(flags[i].name) == n && memcmp(flags[i].name, flag, n) == 0) {
                        *flags[i].value = true;
                        return flag[n] ? unit_value_bool(flag + n + 1, flags[i].value) : 0;
                }
        return -EINVAL;
}

/* Flags with one or two dashes, as the Go program that people know takes them; what is left are directories. */
static int parse_arguments(Generator *g, int argc, char **argv) {
        int i = 1;

        for (; i < argc && argv[i][0] == '-' && argv[i][1]; i++) {
                const char *flag = argv[i] + (argv[i][1] == '-' ? 2 : 1);

                if (!*flag) {
                        i++;
                        break;
                }
                if (parse_flag(g, flag) < 0) {
                        fprintf(stderr, "%s: cannot use the flag '%s': there is none like it\n", g->program, argv[i]);
                        return -EINVAL;
                }
        }
        g->dirs = argv + i;
        g->n_dirs = argc - i;
        if (g->dry_run)
                g->verbose = true;
        return 0;
}

/* What Exec lines run. A first character that systemd takes as an instruction would change what the line means. */
static const char *find_tool(Generator *g) {
        static const char *const names[] = { "SDPOD", "PODMAN" };

        for (size_t i = 0; i < ELEMENTSOF(names); i++) {
                const char *value = getenv(names[i]);

                if (str_empty(value))
                        continue;
                if (!strchr("@-:+!|;", value[0]))
                        return value;
                _cleanup_free_ char *text =
                        str_format("$%s is '%s', which is not a program: passing it over", names[i], value);
                report(g, UNIT_ERROR, text ? text : "out of memory");
        }
        return SDPOD_BINDIR "/sdpod";
}

static void report_nothing(Generator *g, const UnitDirs *dirs) {
        _cleanup_text_ Text text = {};

        text_add(&text, "No files parsed from [");
        for (size_t i = 0; i < dirs->n; i++)
                text_addf(&text, "%s%s", i > 0 ? " " : "", dirs->items[i].path);
        text_add(&text, "]");
        report(g, UNIT_DEBUG, text.failed ? "out of memory" : text.data);
}

static int open_output(Generator *g, const char *path) {
        int r = path_mkdirs(path, 0755);
        int fd = r < 0 ? r : open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0) {
                _cleanup_free_ char *text =
                        str_format("cannot open the directory '%s': %s", path, strerror(r < 0 ? -r : errno));

                report(g, UNIT_ERROR, text ? text : "out of memory");
        }
        return fd;
}

static int generate(Generator *g) {
        _cleanup_fd_ int dir_fd = -EBADF, late_fd = -EBADF;
        UnitSet set = {
                .user = g->user,
                .verbose = g->verbose,
                .tool = find_tool(g),
                .sdpod = SDPOD_BINDIR "/sdpod",
                .report = report,
                .userdata = g,
        };
        UnitDirs dirs = {};

        if (!g->dry_run && (dir_fd = open_output(g, g->dirs[0])) < 0)
                return 1;
        if (!g->dry_run && g->n_dirs >= 3 && (late_fd = open_output(g, g->dirs[2])) < 0)
                return 1;
        int r = unit_dirs_find(g->user, report, g, &dirs);
        if (r >= 0)
                r = unit_set_load(&set, dirs.items, dirs.n);
        if (r >= 0 && set.n_units == 0)
                report_nothing(g, &dirs);
        if (r >= 0)
                r = unit_output_all(&set, &(UnitOutput){ .dir_fd = dir_fd, .late_fd = late_fd, .dry_run = g->dry_run,
                                                         .program = g->program });
        if (r == -ENOMEM)
                report(g, UNIT_ERROR, "out of memory");
        if (r < 0 || set.n_broken > 0)
                report(g, UNIT_ERROR, "processing encountered some errors");
        if (r >= 0 && set.n_broken > 0)
                r = late_fd >= 0 ? 0 : -EINVAL; /* systemd's call: the broken ones speak for themselves when started */
        unit_set_done(&set);
        unit_dirs_done(&dirs);
        return r < 0 ? 1 : 0;
}

static int print_help(const char *program) {
        int r = printf("%s [-user] [-v] [-no-kmsg-log] [-dryrun] DIR [EARLY-DIR LATE-DIR]\n"
                       "%s -version\n"
                       "\n"
                       "Turns unit files (*.container, *.volume, ...) into services for systemd.\n"
                       "See sdpod-generator(8).\n",
                       program, program);

        return r < 0 ? 1 : 0;
}

int main(int argc, char **argv) {
        Generator g = { .program = argc > 0 ? path_basename(argv[0]) : "sdpod-generator", .kmsg_fd = -EBADF };

        g.user = strstr(g.program, "user") != NULL;
        if (parse_arguments(&g, argc, argv) < 0)
                return 1;
        if (g.version)
                return printf("%s\n", SDPOD_VERSION) < 0 ? 1 : 0;
        if (g.help)
                return print_help(g.program);
        if (!g.dry_run && g.n_dirs < 1) {
                report(&g, UNIT_ERROR, "missing output directory argument");
                return 1;
        }
        (void) umask(0022);
        int r = generate(&g);
        (void) fd_close(g.kmsg_fd);
        return r;
}
