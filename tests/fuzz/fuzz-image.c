/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as what images are described by: the first byte says as what. */
#include "fuzz.h"

#include <string.h>

#include "base/str.h"
#include "spec/image-config.h"
#include "spec/manifest.h"
#include "spec/reference.h"

static void try_reference(const char *text) {
        _cleanup_reference_ Reference reference = {}, again = {};

        if (reference_parse(text, &reference, NULL) < 0)
                return;
        /* a full name is one, and its own */
        _cleanup_free_ char *full = reference_full(&reference, DOCKER_DOMAIN);
        if (full && reference_parse(full, &again, NULL) < 0)
                __builtin_trap();
        _cleanup_free_ char *same = full ? reference_full(&again, LOCAL_DOMAIN) : NULL;
        if (full && !str_equal(full, same))
                __builtin_trap();
}

static void try_config(const json_t *json) {
        _cleanup_image_config_ ImageConfig config = {}, again = {};
        _cleanup_json_ json_t *saved = NULL;

        if (image_config_load(json, &config, NULL) < 0)
                return;
        saved = image_config_save(&config);
        if (saved && image_config_load(saved, &again, NULL) < 0)
                __builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_index_ Index index = {};
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *text = size > 0 ? strndup((const char *) data + 1, size - 1) : NULL;

        if (!text)
                return 0;
        if (data[0] == 'r')
                try_reference(text);
        else if (json_parse((const char *) data + 1, size - 1, "input", &json, NULL) < 0)
                return 0;
        else if (data[0] == 'c')
                try_config(json);
        else if (data[0] == 'm')
                (void) manifest_load(json, "input", &manifest, NULL);
        else
                (void) (index_load(json, "input", &index, NULL) < 0 ? NULL : index_choose(&index, NULL));
        return 0;
}
