/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors, read strictly: a digest that is one, a size that is there and not negative. */
#include "spec/descriptor.h"

#include <sys/utsname.h>

#include "base/str.h"
#include "spec/digest.h"

static const JsonField platform_fields[] = {
        JSON_FIELD(Platform, architecture, "architecture", JSON_FIELD_STRING),
        JSON_FIELD(Platform, os, "os", JSON_FIELD_STRING),
        JSON_FIELD(Platform, variant, "variant", JSON_FIELD_STRING),
        {},
};

static const JsonField descriptor_fields[] = {
        JSON_FIELD(Descriptor, media_type, "mediaType", JSON_FIELD_STRING),
        JSON_FIELD(Descriptor, digest, "digest", JSON_FIELD_STRING),
        JSON_FIELD(Descriptor, size, "size", JSON_FIELD_INT64),
        JSON_FIELD(Descriptor, annotations, "annotations", JSON_FIELD_PAIRS),
        JSON_FIELD_OBJECT_OF(Descriptor, platform, "platform", platform_fields),
        {},
};

void descriptor_done(Descriptor *descriptor) {
        json_fields_done(descriptor_fields, descriptor);
        *descriptor = (Descriptor){};
}

int descriptor_load(const json_t *json, const char *what, Descriptor *ret, Error *reterr) {
        _cleanup_descriptor_ Descriptor descriptor = {};

        int r = json_fields_load(json, descriptor_fields, &descriptor, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "%s", what);
        r = digest_check(descriptor.digest, what, reterr);
        if (r < 0)
                return r;
        if (!json_is_integer(json_object_get(json, "size")) || descriptor.size < 0)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "%s has no valid size", what);
        *ret = descriptor;
        descriptor = (Descriptor){};
        return 0;
}

const char *platform_host_architecture(void) {
        static const struct {
                const char *machine, *architecture;
        } rows[] = {
                { "x86_64", "amd64" }, { "aarch64", "arm64" },  { "armv7l", "arm" },      { "armv6l", "arm" },  { "i686", "386" },
                { "i386", "386" },     { "riscv64", "riscv64" }, { "ppc64le", "ppc64le" }, { "s390x", "s390x" },
                { "loongarch64", "loong64" }, { "mips64", "mips64le" },
        };
        struct utsname name;

        if (uname(&name) == 0)
                for (size_t i = 0; i < ELEMENTSOF(rows); i++)
                        if (str_equal(rows[i].machine, name.machine))
                                return rows[i].architecture;
        return "unknown";
}
