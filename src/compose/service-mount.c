/* SPDX-License-Identifier: Apache-2.0 */
/* What a service has mounted: volumes, directories, secrets and configs. */
#include <stdlib.h>
#include <unistd.h>

#include "base/str.h"
#include "compose/project.h"
#include "unit/quote.h"

/* docker compose makes the directory that the short form names. */
static void make_directory(Service *s, const char *path) {
        if (access(path, F_OK) == 0)
                return;
        text_add(&s->w.service, "ExecStartPre=/bin/mkdir -p ");
        unit_quote_readable(&s->w.service, unit_escape_specifiers(&s->p->c->arena, path, /* dollar= */ true));
        text_add_char(&s->w.service, '\n');
}

/* Volume=, of a reference as it is and of all else with `%` and `$` doubled. */
static int say_volume(Service *s, const Node *at, const char *source, bool reference, const char *target, const char *options) {
        Arena *arena = &s->p->c->arena;
        const char *value = arena_format(arena, "%s%s%s%s%s", source ?: "", source ? ":" : "", target, options && *options ? ":" : "",
                                         options ?: "");

        if (strchr(target, ':') || (source && strchr(source, ':')))
                return compose_fail(s->p->c, at, "volumes: a colon in a path of '%s'", value ?: "");
        if (*target != '/')
                return compose_fail(s->p->c, at, "volumes: '%s' is not an absolute path", target);
        if (!reference)
                return service_say(s, at, KEY_Volume, value);
        if (!unit_key_can_say(UNIT_CONTAINER, KEY_Volume, value ?: ""))
                return service_say(s, at, KEY_Volume, value);
        unit_write_raw(&s->w, KEY_Volume, arena_format(arena, "%s:%s%s%s", source, unit_escape_specifiers(arena, target, true), options && *options ? ":" : "",
                                                       unit_escape_specifiers(arena, options ?: "", true)));
        return 0;
}

static bool is_path(const char *source) {
        return *source == '/' || *source == '.' || *source == '~';
}

/* [SOURCE:]TARGET[:OPTIONS] */
static int short_volume(Service *s, const Node *at) {
        _cleanup_strv_ char **parts = strv_split(at->text, ":");
        size_t n = strv_length(parts);

        if (!parts)
                return -ENOMEM;
        if (n > 3 || !*parts[0])
                return compose_fail(s->p->c, at, "volumes: '%s' is not [SOURCE:]TARGET[:OPTIONS]", at->text);
        if (n == 1)
                return say_volume(s, at, NULL, false, parts[0], NULL);
        if (is_path(parts[0])) {
                const char *path = compose_path(s->p->c, at, parts[0]);

                if (!path)
                        return -EINVAL;
                make_directory(s, path);
                return say_volume(s, at, path, false, parts[1], n > 2 ? parts[2] : NULL);
        }
        const char *volume = project_volume(s->p, at, parts[0]);
        return volume ? say_volume(s, at, volume, str_has_suffix(volume, ".volume"), parts[1], n > 2 ? parts[2] : NULL) : -EINVAL;
}

/* A word more, with a comma. */
static const char *with(Compose *c, const char *list, const char *word) {
        return !list || !word ? NULL : arena_format(&c->arena, "%s%s%s", list, *list ? "," : "", word);
}

static int bind_options(Service *s, const Node *bind, const char **options, bool *make) {
        static const ComposeKey keys[] = {
                { "create_host_path", .elsewhere = true }, { "propagation", .elsewhere = true }, { "recursive", .elsewhere = true }, { "selinux", .elsewhere = true },
        };
        const char *text;
        int r = bind ? compose_check_keys(s->p->c, bind, keys, ELEMENTSOF(keys), "volumes.bind") : 0;

        *make = false;
        if (r >= 0 && node_get(bind, "create_host_path"))
                r = compose_bool(s->p->c, node_get(bind, "create_host_path"), "create_host_path", make);
        if (r < 0)
                return r;
        if ((text = node_get_text(bind, "propagation")))
                *options = with(s->p->c, *options, text);
        if ((text = node_get_text(bind, "selinux")))
                *options = with(s->p->c, *options, text);
        text = node_get_text(bind, "recursive");
        if (text && str_equal(text, "disabled"))
                *options = with(s->p->c, *options, "bind");
        else if (text && !str_equal(text, "enabled"))
                return compose_fail(s->p->c, bind, "volumes.bind.recursive: '%s' is neither enabled nor disabled", text);
        return *options ? 0 : -ENOMEM;
}

static int volume_options(Service *s, const Node *volume, const char **options) {
        static const ComposeKey keys[] = {
                { "labels", .passed_over = "give them to the volume, at the top" }, { "nocopy", .elsewhere = true }, { "subpath", .elsewhere = true },
        };
        bool nocopy = false;
        int r = volume ? compose_check_keys(s->p->c, volume, keys, ELEMENTSOF(keys), "volumes.volume") : 0;

        if (r >= 0 && node_get(volume, "nocopy"))
                r = compose_bool(s->p->c, node_get(volume, "nocopy"), "nocopy", &nocopy);
        if (r < 0)
                return r;
        if (nocopy)
                *options = with(s->p->c, *options, "nocopy");
        if (node_get_text(volume, "subpath"))
                *options = with(s->p->c, *options, arena_format(&s->p->c->arena, "subpath=%s", node_get_text(volume, "subpath")));
        return *options ? 0 : -ENOMEM;
}

static int long_tmpfs(Service *s, const Node *at, const char *target, const char *options) {
        static const ComposeKey keys[] = { { "mode", .elsewhere = true }, { "size", .elsewhere = true } };
        const Node *tmpfs = node_get(at, "tmpfs"), *size = node_get(tmpfs, "size"), *mode = node_get(tmpfs, "mode");
        Arena *arena = &s->p->c->arena;
        int r = tmpfs ? compose_check_keys(s->p->c, tmpfs, keys, ELEMENTSOF(keys), "volumes.tmpfs") : 0;

        if (r < 0)
                return r;
        if (size) {
                const char *bytes = compose_bytes(s->p->c, size, "volumes.tmpfs.size");

                if (!bytes)
                        return -EINVAL;
                options = with(s->p->c, options, arena_format(arena, "size=%s", bytes));
        }
        if (mode) { /* 01777, or 0o1777, or the number that YAML made of it */
                const char *text = compose_want_text(s->p->c, mode, "volumes.tmpfs.mode");

                if (!text)
                        return -EINVAL;
                bool octal = *text == '0' || !mode->plain;
                text = str_after(text, "0o") ?: text;
                options = with(s->p->c, options, octal ? arena_format(arena, "mode=%s", text) : arena_format(arena, "mode=%lo", strtol(text, NULL, 10)));
        }
        return service_say(s, at, KEY_Tmpfs, !options ? NULL : arena_format(arena, "%s%s%s", target, *options ? ":" : "", options));
}

static int long_image(Service *s, const Node *at, const char *source, const char *target) {
        static const ComposeKey keys[] = { { "subpath", .elsewhere = true } };
        const char *subpath = node_get_text(node_get(at, "image"), "subpath");
        int r = node_get(at, "image") ? compose_check_keys(s->p->c, node_get(at, "image"), keys, ELEMENTSOF(keys), "volumes.image") : 0;

        if (r < 0)
                return r;
        if (strpbrk(source, ",\"") || strpbrk(target, ",\"") || (subpath && strpbrk(subpath, ",\"")))
                return compose_fail(s->p->c, at, "volumes: a comma or quotation mark in a name");
        return service_say(s, at, KEY_Mount, arena_format(&s->p->c->arena, "type=image,source=%s,destination=%s%s%s", source, target,
                                                          subpath ? ",subpath=" : "", subpath ?: ""));
}

static int long_volume(Service *s, const Node *at) {
        static const ComposeKey keys[] = {
                { "bind", .elsewhere = true }, { "consistency", .passed_over = "it is for other systems" }, { "image", .elsewhere = true },
                { "read_only", .elsewhere = true }, { "source", .elsewhere = true }, { "target", .elsewhere = true }, { "tmpfs", .elsewhere = true },
                { "type", .elsewhere = true }, { "volume", .elsewhere = true },
        };
        Compose *c = s->p->c;
        const char *type = node_get_text(at, "type") ?: "volume", *source = node_get_text(at, "source"), *target = node_get_text(at, "target"), *options = "";
        bool read_only = false, make = false;
        int r = compose_check_keys(c, at, keys, ELEMENTSOF(keys), arena_format(&c->arena, "services.%s.volumes", s->name) ?: "");

        if (r >= 0 && node_get(at, "read_only"))
                r = compose_bool(c, node_get(at, "read_only"), "read_only", &read_only);
        if (r < 0)
                return r;
        if (!target)
                return compose_fail(c, at, "volumes: 'target' is missing");
        if (read_only)
                options = "ro";
        if (str_equal(type, "tmpfs"))
                return long_tmpfs(s, at, target, options);
        if (str_equal(type, "volume")) {
                const char *volume = source ? project_volume(s->p, at, source) : NULL;

                r = volume_options(s, node_get(at, "volume"), &options);
                if (r < 0 || (source && !volume))
                        return r < 0 ? r : -EINVAL;
                return say_volume(s, at, volume, volume && str_has_suffix(volume, ".volume"), target, options);
        }
        if (!source)
                return compose_fail(c, at, "volumes: 'source' is missing");
        if (str_equal(type, "image"))
                return long_image(s, at, source, target);
        if (!str_equal(type, "bind"))
                return compose_fail(c, at, "volumes: there is no type '%s' here: there are bind, volume, tmpfs and image", type);
        r = bind_options(s, node_get(at, "bind"), &options, &make);
        const char *path = r < 0 ? NULL : compose_path(c, at, source);
        if (path && make)
                make_directory(s, path);
        return path ? say_volume(s, at, path, false, target, options) : r < 0 ? r : -EINVAL;
}

int service_volumes(Service *s, Node *node) {
        int fault = 0;

        if (node->kind == NODE_NULL)
                return 0;
        if (node->kind != NODE_LIST)
                return compose_fail(s->p->c, node, "volumes: a list is wanted");
        for (size_t i = 0; i < node->n; i++) {
                const Node *item = node->items[i];
                int r = item->kind == NODE_SCALAR ? short_volume(s, item)
                      : item->kind == NODE_MAP ? long_volume(s, item) : compose_fail(s->p->c, item, "volumes: not a volume");

                fault = r < 0 ? r : fault;
        }
        return fault;
}

int service_tmpfs(Service *s, Node *node) {
        _cleanup_strv_ char **words = NULL;
        int r = compose_words(s->p->c, node, "tmpfs", &words);

        for (char **word = words; r >= 0 && word && *word; word++)
                r = service_say(s, node, KEY_Tmpfs, *word);
        return r;
}

/* Of a service, or of "container:NAME". */
int service_volumes_from(Service *s, Node *node) {
        _cleanup_strv_ char **words = NULL;
        int r = compose_words(s->p->c, node, "volumes_from", &words);

        for (char **word = words; r >= 0 && word && *word; word++) {
                const char *name = str_after(*word, "container:"), *options;

                if (!name) {
                        options = strchr(*word, ':');
                        const char *service = arena_copy_n(&s->p->c->arena, *word, strcspn(*word, ":"));
                        const Node *other = node_get(s->p->services, service), *given = node_get(other, "container_name");

                        if (!other)
                                return compose_fail(s->p->c, node, "volumes_from: there is no service '%s'", service);
                        name = arena_format(&s->p->c->arena, "%s%s", node_text(given) ?: arena_format(&s->p->c->arena, "%s-%s-1", s->p->name, service) ?: "",
                                            options ?: "");
                        unit_write_line(&s->w.unit, "Requires", arena_format(&s->p->c->arena, "%s.container", service_unit(s->p, service, 1)));
                        unit_write_line(&s->w.unit, "After", arena_format(&s->p->c->arena, "%s.container", service_unit(s->p, service, 1)));
                }
                r = name ? service_argument(s, "--volumes-from", name) : -ENOMEM;
        }
        return r;
}

/* ---- secrets and configs ---- */

/* One of "secrets" or "configs" of a service: the name, and where it goes. */
typedef struct Grant {
        const Node *at, *top;
        const char *source, *target, *uid, *gid, *mode;
} Grant;

static int read_grant(Service *s, const Node *at, const char *what, Grant *ret) {
        static const ComposeKey keys[] = {
                { "gid", .elsewhere = true }, { "mode", .elsewhere = true }, { "source", .elsewhere = true }, { "target", .elsewhere = true }, { "uid", .elsewhere = true },
        };
        int r = at->kind == NODE_SCALAR ? 0 : compose_check_keys(s->p->c, at, keys, ELEMENTSOF(keys), what);

        if (r < 0)
                return r;
        *ret = (Grant){ .at = at, .source = node_text(at) ?: node_get_text(at, "source"), .target = node_get_text(at, "target"), .uid = node_get_text(at, "uid"),
                        .gid = node_get_text(at, "gid"), .mode = node_get_text(at, "mode") };
        if (!ret->source)
                return compose_fail(s->p->c, at, "%s: 'source' is missing", what);
        ret->top = node_get(node_get(s->p->root, what), ret->source);
        if (!ret->top)
                return compose_fail(s->p->c, at, "services.%s.%s: there is no '%s' among %s at the top", s->name, what, ret->source, what);
        return 0;
}

/* A file of the host, as docker compose mounts it: owner and mode are its own. */
static int mount_file(Service *s, const Grant *grant, const char *what, const char *path, const char *target) {
        if (grant->uid || grant->gid || grant->mode)
                compose_warn(s->p->c, grant->at, "services.%s.%s: uid, gid and mode are left out: the file is mounted as it is", s->name, what);
        return say_volume(s, grant->at, path, false, target, "ro");
}

static int grant_of_store(Service *s, const Grant *grant, const char *name) {
        Arena *arena = &s->p->c->arena;
        const char *target = grant->target ?: grant->source, *value = name;

        if (strchr(name, ',') || strchr(target, ','))
                return compose_fail(s->p->c, grant->at, "secrets: a comma in a name");
        if (!str_equal(target, name))
                value = arena_format(arena, "%s,target=%s", value, target);
        if (grant->uid)
                value = arena_format(arena, "%s,uid=%s", value, grant->uid);
        if (grant->gid)
                value = arena_format(arena, "%s,gid=%s", value, grant->gid);
        if (grant->mode)
                value = arena_format(arena, "%s,mode=%s", value, str_after(grant->mode, "0o") ?: grant->mode);
        return service_say(s, grant->at, KEY_Secret, value);
}

static int add_secret(Service *s, const Node *at) {
        static const ComposeKey keys[] = {
                { "driver", .refused = "make the secret with 'sdpod secret create', and say 'external: true'" }, { "driver_opts", .elsewhere = true },
                { "environment", .elsewhere = true }, { "external", .elsewhere = true }, { "file", .elsewhere = true },
                { "labels", .passed_over = "the secret is a file" }, { "name", .elsewhere = true }, { "template_driver", .refused = "secrets are no templates" },
        };
        Arena *arena = &s->p->c->arena;
        bool external = false;
        Grant grant;
        int r = read_grant(s, at, "secrets", &grant);

        if (r >= 0)
                r = compose_check_keys(s->p->c, grant.top, keys, ELEMENTSOF(keys), "secrets");
        if (r >= 0 && node_get(grant.top, "external"))
                r = compose_bool(s->p->c, node_get(grant.top, "external"), "external", &external);
        if (r < 0)
                return r;
        const char *name = node_get_text(grant.top, "name"), *file = node_get_text(grant.top, "file"), *variable = node_get_text(grant.top, "environment");
        if (external)
                return grant_of_store(s, &grant, name ?: grant.source);
        if (file) {
                const char *path = compose_path(s->p->c, node_get(grant.top, "file"), file), *target = grant.target ?: grant.source;

                if (*target != '/')
                        target = arena_format(arena, "/run/secrets/%s", target);
                return path && target ? mount_file(s, &grant, "secrets", path, target) : -EINVAL;
        }
        if (!variable)
                return compose_fail(s->p->c, grant.top, "secrets.%s: it has neither 'file' nor 'environment' nor 'external'", grant.source);
        name = name ?: arena_format(arena, "%s_%s", s->p->name, grant.source);
        compose_warn(s->p->c, grant.top, "secrets.%s: make it once: sdpod secret create --env --replace %s %s", grant.source, name, variable);
        return name ? grant_of_store(s, &grant, name) : -ENOMEM;
}

int service_secrets(Service *s, Node *node) {
        int fault = 0;

        if (node->kind != NODE_LIST)
                return node->kind == NODE_NULL ? 0 : compose_fail(s->p->c, node, "secrets: a list is wanted");
        for (size_t i = 0; i < node->n; i++) {
                int r = add_secret(s, node->items[i]);

                fault = r < 0 ? r : fault;
        }
        return fault;
}

static int add_config(Service *s, const Node *at) {
        static const ComposeKey keys[] = {
                { "content", .elsewhere = true }, { "environment", .elsewhere = true }, { "external", .refused = "there is no store of configs: give its 'file'" },
                { "file", .elsewhere = true }, { "labels", .passed_over = "the config is a file" }, { "name", .elsewhere = true },
                { "template_driver", .refused = "configs are no templates" },
        };
        Arena *arena = &s->p->c->arena;
        Grant grant;
        int r = read_grant(s, at, "configs", &grant);

        if (r >= 0)
                r = compose_check_keys(s->p->c, grant.top, keys, ELEMENTSOF(keys), "configs");
        if (r < 0)
                return r;
        const char *file = node_get_text(grant.top, "file"), *content = node_get_text(grant.top, "content"), *variable = node_get_text(grant.top, "environment"),
                   *target = grant.target ?: arena_format(arena, "/%s", grant.source), *path = NULL;
        if (target && *target != '/')
                target = arena_format(arena, "/%s", target);
        if (!target)
                return -ENOMEM;
        if (file) {
                path = compose_path(s->p->c, node_get(grant.top, "file"), file);
                return path ? mount_file(s, &grant, "configs", path, target) : -EINVAL;
        }
        if (variable && !(content = compose_variable(s->p->c, variable)))
                return compose_fail(s->p->c, grant.top, "configs.%s: the variable '%s' is not set", grant.source, variable);
        if (!content)
                return compose_fail(s->p->c, grant.top, "configs.%s: it has neither 'file' nor 'content' nor 'environment'", grant.source);
        if (!s->p->to_files)
                return compose_fail(s->p->c, grant.top, "configs.%s: what it holds takes a file of its own: use --output", grant.source);
        if (strpbrk(grant.source, "/%$ \\\":"))
                return compose_fail(s->p->c, grant.top, "configs.%s: not a name for a file", grant.source);
        const char *name = arena_format(arena, "%s-%s.config", s->p->name, grant.source);
        r = name ? project_add_file(s->p, name, content, /* private= */ false) : -ENOMEM;
        if (r < 0)
                return r;
        /* relative to the unit file, wherever that is */
        return say_volume(s, grant.at, arena_format(arena, "./%s", name), true, target, "ro");
}

int service_configs(Service *s, Node *node) {
        int fault = 0;

        if (node->kind != NODE_LIST)
                return node->kind == NODE_NULL ? 0 : compose_fail(s->p->c, node, "configs: a list is wanted");
        for (size_t i = 0; i < node->n; i++) {
                int r = add_config(s, node->items[i]);

                fault = r < 0 ? r : fault;
        }
        return fault;
}
