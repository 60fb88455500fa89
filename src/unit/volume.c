/* SPDX-License-Identifier: Apache-2.0 */
/* [Volume]: `sdpod volume create`, once. */
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "unit/convert.h"

/* A number, or root. Other names would need the user database, which may not be there yet when generators run. */
static int add_owner(Convert *c, UnitKey key, const char *option, Text *options) {
        const char *value = convert_string(c, key);
        uint32_t id = 0;

        if (!value)
                return 0;
        if (strcmp(value, "root") != 0 && parse_id(value, &id) < 0)
                return convert_fail(c, unit_file_last(&c->unit->file, key),
                                    "%s=%s is not a number: names other than root are not looked up",
                                    unit_key_to_string(key), value);
        text_addf(options, "%s%s=%u", options->size > 0 ? "," : "", option, id);
        return 0;
}

static int add_image_option(Convert *c) {
        static const UnitKey useless[] = { KEY_User, KEY_Group, KEY_Options, KEY_Copy, KEY_Device, KEY_Type };
        const UnitEntry *e = unit_file_last(&c->unit->file, KEY_Image);
        const char *image = convert_string(c, KEY_Image);

        if (!image)
                return convert_fail(c, e, "the key Image is mandatory when using the image driver");
        for (size_t i = 0; i < ELEMENTSOF(useless); i++) {
                const UnitEntry *other = unit_file_last(&c->unit->file, useless[i]);

                if (other)
                        unit_warn(c->set, c->unit, other->source, other->line,
                                  "%s= has no meaning with the image driver, ignoring it", other->name);
        }
        int r = convert_image(c, e, image, &image);
        if (r >= 0)
                convert_add_two(c, "--opt", arena_format(c->arena, "image=%s", image));
        return r;
}

static int add_mount_options(Convert *c) {
        const char *device = convert_string(c, KEY_Device), *type = convert_string(c, KEY_Type),
                   *more = convert_string(c, KEY_Options);
        const UnitEntry *copy_entry = unit_file_last(&c->unit->file, KEY_Copy);
        _cleanup_text_ Text options = {};
        bool copy = false;

        int r = convert_bool(c, KEY_Copy, &copy);
        if (r < 0)
                return r;
        if (copy_entry && *copy_entry->value)
                convert_add_two(c, "--opt", copy ? "copy" : "nocopy");
        if (type && !device)
                return convert_fail(c, unit_file_last(&c->unit->file, KEY_Type),
                                    "key Type can't be used without Device");
        if (device)
                convert_add_two(c, "--opt", arena_format(c->arena, "device=%s", device));
        if (type) {
                convert_add_two(c, "--opt", arena_format(c->arena, "type=%s", type));
                if (strcmp(type, "bind") == 0) {
                        text_add(&c->last, "RequiresMountsFor=");
                        unit_quote_word(&c->last, device);
                        text_add_char(&c->last, '\n');
                }
        }
        r = add_owner(c, KEY_User, "uid", &options);
        if (r >= 0)
                r = add_owner(c, KEY_Group, "gid", &options);
        if (more)
                text_addf(&options, "%s%s", options.size > 0 ? "," : "", more);
        if (r >= 0 && options.size > 0)
                convert_add_two(c, "--opt", options.failed ? NULL : arena_format(c->arena, "o=%s", options.data));
        return r;
}

static int call_options(Convert *c) {
        const char *driver = convert_string(c, KEY_Driver);
        const UnitEntry *image = unit_file_last(&c->unit->file, KEY_Image);

        if (driver && strcmp(driver, "image") == 0)
                return add_image_option(c);
        if (image)
                unit_warn(c->set, c->unit, image->source, image->line,
                          "Image= has no meaning without Driver=image, ignoring it");
        return add_mount_options(c);
}

static const UnitRow rows[] = {
        { KEY_Driver, KIND_STRING, "--driver" },
        { KEY_UID, KIND_STRING, "--uid" },
        { KEY_GID, KIND_STRING, "--gid" },
        { KEY_Options, KIND_ALWAYS, .call = call_options },
        { KEY_Label, KIND_PAIRS, "--label" },
        { KEY_PodmanArgs, KIND_CALL, .call = convert_call_podman_args },
        { KEY_ContainersConfModule, KIND_ELSEWHERE },
        { KEY_Copy, KIND_ELSEWHERE },
        { KEY_Device, KIND_ELSEWHERE },
        { KEY_GlobalArgs, KIND_ELSEWHERE },
        { KEY_Group, KIND_ELSEWHERE },
        { KEY_Image, KIND_ELSEWHERE },
        { KEY_ServiceName, KIND_ELSEWHERE },
        { KEY_Type, KIND_ELSEWHERE },
        { KEY_User, KIND_ELSEWHERE },
        { KEY_VolumeName, KIND_ELSEWHERE },
};

static int convert_volume(Convert *c) {
        return convert_create(c, "volume");
}

const UnitTypeInfo unit_volume_info = {
        .name = "volume",
        .group = "Volume",
        .infix = "-volume",
        .order = 2,
        .rows = rows,
        .n_rows = ELEMENTSOF(rows),
        .convert = convert_volume,
};
