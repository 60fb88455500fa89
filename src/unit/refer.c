/* SPDX-License-Identifier: Apache-2.0 */
/* What one unit takes from others and from the host: images, networks, volumes, mounts, ID maps, paths. */
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "unit/convert.h"
#include "unit/name.h"

const char *convert_path(Convert *c, const char *path, bool exec) {
        if (unit_path_has_specifier(path) || path[0] == '/')
                return path;
        return unit_path_join(c->arena, unit_escape_specifiers(c->arena, c->unit->dir, exec), path);
}

/* The reference to another unit file: its service becomes a requirement. */
static int refer(Convert *c, const UnitEntry *at, const char *file, const char *complaint, UnitReference *ret) {
        if (!unit_set_refer(c->set, file, c->arena, ret))
                return convert_fail(c, at, "%s %s was not found", complaint, file);
        if (!ret->resource)
                return convert_fail(c, at, "cannot get the resource name of %s", file);
        convert_add_unit(c, "Requires", ret->service);
        convert_add_unit(c, "After", ret->service);
        return 0;
}

static bool is_qualified(const char *image) {
        const char *slash = strchr(image, '/');
        size_t domain = slash ? (size_t) (slash - image) : 0;

        if (str_after(image, "sha256:") || (strlen(image) == 64 && strspn(image, "0123456789abcdef") == 64))
                return true;
        if (image[0] == '%' || image[0] == '$') /* only systemd knows */
                return true;
        return slash && (memchr(image, '.', domain) || memchr(image, ':', domain) ||
                         (domain == STRLEN("localhost") && memcmp(image, "localhost", domain) == 0));
}

int convert_image(Convert *c, const UnitEntry *at, const char *image, const char **ret) {
        UnitReference reference;

        if (str_has_suffix(image, ".image") || str_has_suffix(image, ".build")) {
                int r = refer(c, at, image, "requested Quadlet image", &reference);

                *ret = r < 0 ? NULL : reference.resource;
                return r;
        }
        if (!is_qualified(image))
                unit_warn(c->set, c->unit, at ? at->source : 0, at ? at->line : 0,
                          "%s specifies the image \"%s\" which not a fully qualified image name. "
                          "What it means depends on the machine: name the registry, too",
                          c->unit->name, image);
        *ret = image;
        return 0;
}

int convert_source(Convert *c, const UnitEntry *at, const char *source, bool mount, const char **ret) {
        const char *plain = source;
        UnitReference reference;

        *ret = source;
        if (source[0] == '.') {
                *ret = convert_path(c, source, /* exec= */ true);
                plain = convert_path(c, source, /* exec= */ false);
        }
        if (!*ret || !plain)
                return -ENOMEM;
        if (plain[0] == '/') {
                text_add(&c->last, "RequiresMountsFor=");
                unit_quote_word(&c->last, plain);
                text_add_char(&c->last, '\n');
        } else if (str_has_suffix(source, ".volume") ||
                   (mount && (str_has_suffix(source, ".image") || str_has_suffix(source, ".artifact")))) {
                int r = refer(c, at, source, "requested Quadlet source", &reference);

                if (r < 0)
                        return r;
                *ret = reference.resource;
        }
        return 0;
}

int convert_call_networks(Convert *c) {
        UnitSelect select = UNIT_SELECT(KEY_Network);
        const UnitEntry *e;

        for (size_t i = unit_lines_begin(&c->unit->file, &select);
             (e = unit_lines_next(&c->unit->file, &select, &i));) {
                size_t n = strcspn(e->value, ":");
                const char *name = arena_copy_n(c->arena, e->value, n), *options = e->value + n, *network = e->value;
                UnitReference reference;

                if (!name)
                        return -ENOMEM;
                if (str_has_suffix(name, ".network") || str_has_suffix(name, ".container")) {
                        bool container = str_has_suffix(name, ".container");
                        int r = refer(c, e, name, "requested Quadlet unit", &reference);

                        if (r < 0)
                                return r;
                        if (container && *options)
                                return convert_fail(c, e, "extra options are not supported when joining another "
                                                          "container's network");
                        network = arena_format(c->arena, "%s%s%s", container ? "container:" : "", reference.resource,
                                               options);
                }
                convert_add_two(c, "--network", network);
        }
        return 0;
}

int convert_call_volumes(Convert *c) {
        UnitSelect select = UNIT_SELECT(KEY_Volume);
        const UnitEntry *e;

        for (size_t i = unit_lines_begin(&c->unit->file, &select);
             (e = unit_lines_next(&c->unit->file, &select, &i));) {
                const char *colon = strchr(e->value, ':'), *volume = e->value;

                if (colon == e->value) /* no source: an anonymous volume */
                        volume = colon + 1;
                else if (colon) {
                        const char *source = arena_copy_n(c->arena, e->value, (size_t) (colon - e->value));
                        int r = source ? convert_source(c, e, source, /* mount= */ false, &source) : -ENOMEM;

                        if (r < 0)
                                return r;
                        volume = arena_format(c->arena, "%s%s", source, colon);
                }
                convert_add_two(c, "-v", volume);
        }
        return 0;
}

/* --- user name spaces --- */

static int fail_mapping(Convert *c, UnitKey key, const char *message) {
        return convert_fail(c, unit_file_last(&c->unit->file, key), "%s", message);
}

static int add_all(Convert *c, UnitKey key, const char *flag, size_t *n) {
        _cleanup_words_ Words words = {};
        int r = convert_words(c, key, UNIT_SPLIT_PLAIN, &words);

        for (size_t i = 0; i < words.n && r >= 0; i++)
                convert_add_two(c, flag, words.items[i]);
        *n += words.n;
        return r;
}

static int add_explicit_mappings(Convert *c, size_t *n) {
        static const struct {
                UnitKey key;
                const char *flag;
                bool words;
        } rows[] = {
                { KEY_UserNS, "--userns", false },        { KEY_UIDMap, "--uidmap", true },
                { KEY_GIDMap, "--gidmap", true },         { KEY_SubUIDMap, "--subuidname", false },
                { KEY_SubGIDMap, "--subgidname", false },
        };

        for (size_t i = 0; i < ELEMENTSOF(rows); i++) {
                const char *value = rows[i].words ? NULL : convert_string(c, rows[i].key);

                if (value) {
                        convert_add_two(c, rows[i].flag, value);
                        (*n)++;
                }
                int r = rows[i].words ? add_all(c, rows[i].key, rows[i].flag, n) : 0;
                if (r < 0)
                        return r;
        }
        return 0;
}

/* RemapUsers=auto and keep-id: one --userns with everything in it. */
static int add_remap(Convert *c, const char *mode, const Words *uids, const Words *gids) {
        bool automatic = strcmp(mode, "auto") == 0;
        const char *size = convert_string(c, KEY_RemapUidSize);
        _cleanup_text_ Text text = {};
        uint32_t number = 0;
        char separator = ':';

        if (!automatic && uids->n > 1)
                return fail_mapping(c, KEY_RemapUid, "RemapUsers=keep-id supports only a single value for UID mapping");
        if (!automatic && gids->n > 1)
                return fail_mapping(c, KEY_RemapGid, "RemapUsers=keep-id supports only a single value for GID mapping");
        if (size && parse_u32(size, &number) < 0)
                return fail_mapping(c, KEY_RemapUidSize, "RemapUidSize= is not a number");
        text_add(&text, mode);
        for (size_t i = 0; i < uids->n; i++, separator = ',')
                text_addf(&text, "%c%s=%s", separator, automatic ? "uidmapping" : "uid", uids->items[i]);
        for (size_t i = 0; i < gids->n; i++, separator = ',')
                text_addf(&text, "%c%s=%s", separator, automatic ? "gidmapping" : "gid", gids->items[i]);
        if (automatic && number > 0)
                text_addf(&text, "%csize=%u", separator, number);
        convert_add_two(c, "--userns", text.failed ? NULL : arena_copy(c->arena, text.data));
        return 0;
}

static int add_user_mappings(Convert *c, bool manual) {
        const UnitEntry *remap = unit_file_last(&c->unit->file, KEY_RemapUsers);
        _cleanup_words_ Words uids = {}, gids = {};
        size_t n = 0, n_flags = 0;
        int r = add_explicit_mappings(c, &n);

        if (r >= 0 && n > 0 &&
            (remap || unit_file_has(&c->unit->file, KEY_RemapUid) || unit_file_has(&c->unit->file, KEY_RemapGid)))
                return convert_fail(c, remap, "deprecated Remap keys are set along with explicit mapping keys");
        if (r < 0 || n > 0)
                return r;
        r = convert_words(c, KEY_RemapUid, UNIT_SPLIT_PLAIN, &uids);
        if (r >= 0)
                r = convert_words(c, KEY_RemapGid, UNIT_SPLIT_PLAIN, &gids);
        if (r < 0)
                return r;
        if (!remap || !*remap->value) {
                if (uids.n > 0)
                        return fail_mapping(c, KEY_RemapUid, "UidMap set without RemapUsers");
                return gids.n > 0 ? fail_mapping(c, KEY_RemapGid, "GidMap set without RemapUsers") : 0;
        }
        if (strcmp(remap->value, "auto") == 0 || strcmp(remap->value, "keep-id") == 0)
                return add_remap(c, remap->value, &uids, &gids);
        if (strcmp(remap->value, "manual") != 0)
                return convert_fail(c, remap, "unsupported RemapUsers option '%s'", remap->value);
        if (!manual)
                return convert_fail(c, remap, "RemapUsers=manual is not supported");
        r = add_all(c, KEY_RemapUid, "--uidmap", &n_flags);
        return r < 0 ? r : add_all(c, KEY_RemapGid, "--gidmap", &n_flags);
}

int convert_call_user_mappings(Convert *c) {
        return add_user_mappings(c, /* manual= */ true);
}

int convert_call_user_mappings_not_manual(Convert *c) {
        return add_user_mappings(c, /* manual= */ false);
}
