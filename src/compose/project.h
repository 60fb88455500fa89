/* SPDX-License-Identifier: Apache-2.0 */
/* From the tree of a compose file to unit files: a .container for each service, and what they need beside it. */
#pragma once

#include "compose/node.h"
#include "unit/write.h"

typedef struct ComposeFile {
        const char *name, *text;
        bool private; /* not for others to read */
} ComposeFile;

typedef struct Project {
        Compose *c;
        Node *root, *services;
        const char *name;
        const char *directory;   /* absolute: relative paths of the first file are below it */
        char *const *profiles;
        const char *tool;        /* /usr/bin/sdpod */
        bool pod;                /* all services in one pod, instead of on networks */
        bool to_files;           /* what is not a unit file can be written beside them */
        UnitWriter pod_writer;

        ComposeFile *files;      /* malloc'd */
        size_t n_files;
} Project;

void project_done(Project *project);

/* Converts all. 0, or -EINVAL after reporting, or -ENOMEM. */
int project_convert(Project *project);

/* The project's name where nobody gave one: of its directory, as docker compose has it. Owned by the arena. */
const char *project_default_name(Compose *compose, const char *directory);

/* ---- for its own files ---- */

/* One container of a service. */
typedef struct Service {
        Project *p;
        const char *name;        /* of the service */
        Node *node;
        UnitWriter w;
        const char *unit;        /* "shop-web" */
        unsigned number, of;     /* of so many */
        char **exec;             /* malloc'd vector */
        bool oneshot;            /* others wait for its end */
} Service;

/* A row of a table of keys: converted, or left out with a warning, or refused. */
typedef struct ComposeKey {
        const char *name;
        int (*convert)(Service *s, Node *node);
        UnitKey key;             /* with one of these: */
        const char *argument;    /* "--cpus": behind PodmanArgs= */
        enum { KEY_OF_TEXT, KEY_OF_LIST, KEY_OF_BOOL, KEY_OF_PAIRS, KEY_OF_BYTES } form;
        const char *refused;     /* an error: why */
        const char *passed_over; /* a warning: why it means nothing */
        bool elsewhere;          /* another row's function reads it, or the code around */
} ComposeKey;

/* Goes over a map by such a table; unknown keys are errors, but x- ones. `path` is for messages: "services.web". */
int compose_keys(Service *s, const Node *map, const ComposeKey *rows, size_t n_rows, const char *path);

/* The same without a container: only what is known, refused and passed over. */
int compose_check_keys(Compose *c, const Node *map, const ComposeKey *rows, size_t n_rows, const char *path);

/* Key=value, or an error that it cannot be said. */
int project_say(Project *p, UnitWriter *w, const Node *at, UnitKey key, const char *value);
int service_say(Service *s, const Node *at, UnitKey key, const char *value);

/* PodmanArgs=--name=value */
int service_argument(Service *s, const char *name, const char *value);

/* The words of a scalar or a list of scalars. */
int compose_words(Compose *c, const Node *node, const char *what, char ***ret);

/* A scalar that must be there. NULL: reported. */
const char *compose_want_text(Compose *c, const Node *node, const char *what);
int compose_bool(Compose *c, const Node *node, const char *what, bool *ret);

/* "50mb" as podman-run(1) has sizes. */
const char *compose_bytes(Compose *c, const Node *node, const char *what);

/* A path of the host, absolute: relative to the file that names it. */
const char *compose_path(Compose *c, const Node *at, const char *path);

/* Adds a file of the project. */
int project_add_file(Project *p, const char *name, const char *text, bool private);
int project_add_unit(Project *p, const char *name, UnitWriter *w);

/* Whether the service is there with the profiles that are on. */
bool service_is_on(const Project *p, const Node *service);

/* How many containers of it. */
int service_count(Project *p, const char *name, const Node *service, unsigned *ret);

/* The unit's base name of one of its containers: "shop-web", "shop-web-2". */
const char *service_unit(const Project *p, const char *name, unsigned number);

/* Rows of several keys' functions, by file. */
int service_command(Service *s, Node *node);
int service_entrypoint(Service *s, Node *node);
int service_environment(Service *s, Node *node);
int service_env_file(Service *s, Node *node);
int service_health(Service *s, Node *node);
int service_logging(Service *s, Node *node);
int service_build(Service *s, Node *node);
int service_depends_on(Service *s, Node *node);
int service_restart(Service *s, Node *node);
int service_security(Service *s, Node *node);
int service_grace(Service *s, Node *node);
int service_volumes(Service *s, Node *node);
int service_tmpfs(Service *s, Node *node);
int service_volumes_from(Service *s, Node *node);
int service_secrets(Service *s, Node *node);
int service_configs(Service *s, Node *node);
int service_ports(Service *s, Node *node);
int service_hosts(Service *s, Node *node);
int service_network_mode(Service *s, Node *node);
int service_namespace_pid(Service *s, Node *node);
int service_namespace_ipc(Service *s, Node *node);
int service_networks(Service *s);
int service_deploy(Service *s, Node *node);
int service_ulimits(Service *s, Node *node);
int service_blkio(Service *s, Node *node);
int service_links(Service *s, Node *node);
int service_label_file(Service *s, Node *node);
int service_pull(Service *s, Node *node);
int service_for_pod(Service *s, const Node *at, UnitKey key, const char *value);

/* The whole of a service, and the table. */
int service_convert(Project *p, const char *name, Node *node);
int service_restart_as(Service *s, const char *policy, const Node *at);

/* volumes, networks at the top. */
int project_volumes(Project *p);
int project_networks(Project *p);

/* "shop-data.volume", or a name that is there already. NULL: reported. */
const char *project_volume(Project *p, const Node *at, const char *name);
const char *project_network(Project *p, const Node *at, const char *name);
