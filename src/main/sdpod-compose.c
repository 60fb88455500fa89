/* SPDX-License-Identifier: Apache-2.0 */
/* sdpod-compose: what `sdpod compose convert` runs. Options come from there, each as one word: --name=value. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "compose/project.h"
#include "config.h"

#define complain(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)

typedef struct Options {
        char **files, **env_files, **profiles;
        const char *output, *project, *directory;
        bool pod, replace;
} Options;

static int read_words(char **words, Options *o) {
        const struct {
                const char *name;
                char ***list;
                const char **text;
                bool *flag;
        } rows[] = {
                { "--file=", &o->files }, { "--env-file=", &o->env_files }, { "--profile=", &o->profiles }, { "--output=", NULL, &o->output },
                { "--project-name=", NULL, &o->project }, { "--project-directory=", NULL, &o->directory }, { "--pod", NULL, NULL, &o->pod },
                { "--replace", NULL, NULL, &o->replace },
        };

        for (; *words; words++) {
                const char *value = NULL;

                for (size_t i = 0; i < ELEMENTSOF(rows) && !value; i++) {
                        value = str_after(*words, rows[i].name);
                        if (!value)
                                continue;
                        if (rows[i].list && strv_append(rows[i].list, value) < 0)
                                return -ENOMEM;
                        if (rows[i].text)
                                *rows[i].text = value;
                        if (rows[i].flag)
                                *rows[i].flag = true;
                }
                if (!value)
                        return -EINVAL;
        }
        return 0;
}

static void report(_unused_ void *userdata, bool error, const char *text) {
        if (error)
                complain("%s", text);
        else
                log_warning("%s", text);
}

/* The files that docker compose would find, and what is laid over them. */
static int find_files(Options *o) {
        static const char *const names[][2] = {
                { "compose.yaml", "compose.override.yaml" }, { "compose.yml", "compose.override.yml" },
                { "docker-compose.yaml", "docker-compose.override.yaml" }, { "docker-compose.yml", "docker-compose.override.yml" },
        };

        for (size_t i = 0; !o->files && i < ELEMENTSOF(names); i++)
                if (access(names[i][0], F_OK) == 0) {
                        if (strv_append(&o->files, names[i][0]) < 0 || (access(names[i][1], F_OK) == 0 && strv_append(&o->files, names[i][1]) < 0))
                                return -ENOMEM;
                }
        if (o->files)
                return 0;
        complain("cannot find a compose file: there is no compose.yaml, compose.yml, docker-compose.yaml or docker-compose.yml here");
        return -ENOENT;
}

static int read_environment(Compose *c, const Options *o, const char *directory) {
        for (char **file = o->env_files; file && *file; file++) {
                int r = compose_read_dotenv(c, *file);

                if (r == -ENOENT)
                        complain("cannot read '%s': %s", *file, strerror(ENOENT));
                if (r < 0)
                        return r;
        }
        if (o->env_files)
                return 0;
        const char *path = arena_format(&c->arena, "%s/.env", directory);
        int r = path ? compose_read_dotenv(c, path) : -ENOMEM;
        return r == -ENOENT ? 0 : r;
}

/* Relative paths are below the directory of the first file, whichever file names them; of one that is extended, below its own. */
static void set_directory(Node *node, const char *directory) {
        node->directory = directory;
        for (size_t i = 0; i < node->n; i++)
                set_directory(node->kind == NODE_MAP ? node->pairs[i].value : node->items[i], directory);
}

static int read_files(Project *p, const Options *o) {
        for (char **file = o->files; *file; file++) {
                Node *node = NULL;
                int r = compose_load(p->c, *file, &node);

                if (r >= 0)
                        r = compose_interpolate(p->c, node);
                if (r < 0)
                        return r;
                set_directory(node, p->directory);
                if (p->root)
                        r = compose_merge(p->c, p->root, node);
                else
                        p->root = node;
                if (r < 0)
                        return r;
        }
        return compose_extend(p->c, p->root);
}

/* ---- what comes of it ---- */

static int write_files(const Project *p, const Options *o) {
        _cleanup_fd_ int dir = open(o->output, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (dir < 0) {
                complain("cannot open the directory '%s': %m", o->output);
                return -errno;
        }
        for (size_t i = 0; !o->replace && i < p->n_files; i++)
                if (faccessat(dir, p->files[i].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0) {
                        complain("cannot write '%s/%s': it is there already; --replace writes over it", o->output, p->files[i].name);
                        return -EEXIST;
                }
        for (size_t i = 0; i < p->n_files; i++) {
                const ComposeFile *file = p->files + i;
                int r = file_write_atomic(dir, file->name, file->text, strlen(file->text), file->private ? 0600 : 0644, FILE_VOLATILE);

                if (r < 0) {
                        complain("cannot write '%s/%s': %s", o->output, file->name, strerror(-r));
                        return r;
                }
                printf("%s/%s\n", o->output, file->name);
        }
        return 0;
}

/* One text, as `quadlet install` takes it apart. */
static void print_files(const Project *p) {
        for (size_t i = 0; i < p->n_files; i++)
                printf("%s# FileName=%.*s\n%s", i > 0 ? "\n---\n" : "", (int) (strrchr(p->files[i].name, '.') - p->files[i].name), p->files[i].name,
                       p->files[i].text);
}

static int find_directory(Compose *c, const Options *o, const char **ret) {
        _cleanup_free_ char *real = realpath(o->directory ?: o->files[0], NULL);
        char *slash;

        if (!real) {
                complain("cannot read '%s': %m", o->directory ?: o->files[0]);
                return -errno;
        }
        if (!o->directory && (slash = strrchr(real, '/')))
                slash[slash == real] = '\0';
        *ret = arena_copy(&c->arena, real);
        return *ret ? 0 : -ENOMEM;
}

static int convert(Compose *c, Options *o) {
        Project p = { .c = c, .tool = SDPOD_BINDIR "/sdpod", .pod = o->pod, .to_files = o->output };
        _cleanup_strv_ char **profiles = NULL;
        int r = find_files(o);

        if (r >= 0)
                r = find_directory(c, o, &p.directory);
        if (r >= 0)
                r = read_environment(c, o, p.directory);
        if (r < 0)
                return r;
        const char *more = compose_variable(c, "COMPOSE_PROFILES");
        profiles = more ? strv_split(more, ",") : NULL;
        if ((more && !profiles) || strv_extend(&profiles, o->profiles) < 0)
                return -ENOMEM;
        p.profiles = profiles;
        r = read_files(&p, o);
        if (r < 0)
                return r;
        const char *named = node_get_text(p.root, "name"), *variable = compose_variable(c, "COMPOSE_PROJECT_NAME");
        p.name = o->project ?: str_empty(variable) ? o->project ?: named : variable;
        if (str_empty(p.name))
                p.name = project_default_name(c, p.directory);
        r = project_convert(&p);
        if (r >= 0 && o->output)
                r = write_files(&p, o);
        else if (r >= 0)
                print_files(&p);
        project_done(&p);
        return r;
}

int main(int argc, char **argv) {
        Options o = {};
        Compose c = { .report = report, .environment = environ };

        (void) argc;
        log_set_program("sdpod");
        int r = read_words(argv + 1, &o);
        if (r == -EINVAL)
                complain("this program is run by 'sdpod compose convert'");
        if (r >= 0)
                r = convert(&c, &o);
        if (r == -ENOMEM)
                complain("out of memory");
        compose_done(&c);
        strv_free(o.files);
        strv_free(o.env_files);
        strv_free(o.profiles);
        if (r >= 0 && fflush(stdout) != 0)
                r = -errno;
        return r < 0 ? 125 : 0;
}
