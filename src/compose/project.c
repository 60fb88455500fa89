/* SPDX-License-Identifier: Apache-2.0 */
/* The whole of a compose file (compose-spec, 04-version-and-name and what follows). */
#include <ctype.h>
#include <stdlib.h>

#include "base/str.h"
#include "compose/project.h"

void project_done(Project *p) {
        unit_writer_done(&p->pod_writer);
        free(p->files);
        p->files = NULL;
        p->n_files = 0;
}

const char *project_default_name(Compose *c, const char *directory) {
        const char *slash = strrchr(directory, '/');
        char *name = arena_copy(&c->arena, slash ? slash + 1 : directory), *out = name;

        if (!name)
                return NULL;
        for (const char *p = name; *p; p++)
                if (isalnum((unsigned char) *p) || ((*p == '-' || *p == '_') && out > name))
                        *out++ = (char) tolower((unsigned char) *p);
        *out = '\0';
        return *name ? name : "compose";
}

int project_add_file(Project *p, const char *name, const char *text, bool private) {
        ComposeFile *files;

        for (size_t i = 0; name && i < p->n_files; i++)
                if (str_equal(p->files[i].name, name))
                        return str_equal(p->files[i].text, text)
                                       ? 0 : compose_fail(p->c, NULL, "two parts of the project would be '%s': name one of them otherwise", name);
        files = name ? reallocarray(p->files, p->n_files + 1, sizeof(*files)) : NULL;
        if (!files)
                return -ENOMEM;
        p->files = files;
        files[p->n_files++] = (ComposeFile){ .name = name, .text = text, .private = private };
        return 0;
}

int project_add_unit(Project *p, const char *name, UnitWriter *w) {
        _cleanup_text_ Text text = {};
        int r = unit_writer_text(w, &text);
        const char *copy = r < 0 ? NULL : arena_copy(&p->c->arena, text.data);

        return copy ? project_add_file(p, name, copy, /* private= */ false) : -ENOMEM;
}

static const ComposeKey top_keys[] = {
        { "configs", .elsewhere = true },
        { "include", .refused = "give the files with -f" },
        { "models", .refused = "models are not there" },
        { "name", .elsewhere = true },
        { "networks", .elsewhere = true },
        { "secrets", .elsewhere = true },
        { "services", .elsewhere = true },
        { "version", .elsewhere = true }, /* says nothing any more */
        { "volumes", .elsewhere = true },
};

/* All containers of a pod are one host: each finds the others by their names. */
static int add_pod(Project *p) {
        UnitWriter *w = &p->pod_writer;
        int r = project_say(p, w, p->root, KEY_PodName, p->name);

        if (r >= 0) /* a job that has ended before the others begin is not the end of the pod */
                r = project_say(p, w, p->root, KEY_ExitPolicy, "continue");
        for (size_t i = 0; r >= 0 && i < p->services->n; i++)
                if (service_is_on(p, p->services->pairs[i].value))
                        r = project_say(p, w, p->root, KEY_AddHost, arena_format(&p->c->arena, "%s:127.0.0.1", p->services->pairs[i].key));
        if (r < 0)
                return r;
        return project_add_unit(p, arena_format(&p->c->arena, "%s.pod", p->name), w);
}

static bool name_is_valid(const char *name) {
        return *name && strlen(name) < 100 && strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == strlen(name) &&
               isalnum((unsigned char) *name);
}

int project_convert(Project *p) {
        int fault = 0;

        p->services = node_get(p->root, "services");
        p->pod_writer = (UnitWriter){ .type = UNIT_POD, .arena = &p->c->arena };
        if (!p->services || p->services->kind != NODE_MAP || p->services->n == 0)
                return compose_fail(p->c, p->services ?: p->root, "there are no services");
        if (!name_is_valid(p->name))
                return compose_fail(p->c, node_get(p->root, "name"), "'%s' is not a project's name: it has a-z, 0-9, - and _", p->name);
        fault = compose_check_keys(p->c, p->root, top_keys, ELEMENTSOF(top_keys), "");
        for (size_t i = 0; i < p->services->n; i++) {
                Node *service = p->services->pairs[i].value;
                int r = service_is_on(p, service) ? service_convert(p, p->services->pairs[i].key, service) : 0;

                fault = r < 0 ? r : fault;
        }
        int r = project_volumes(p);
        fault = r < 0 ? r : fault;
        r = project_networks(p);
        fault = r < 0 ? r : fault;
        if (p->pod && fault >= 0)
                fault = add_pod(p);
        return fault;
}
