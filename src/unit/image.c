/* SPDX-License-Identifier: Apache-2.0 */
/* [Image] and [Artifact]: `sdpod image pull`, `sdpod artifact pull`, once. */
#include "unit/convert.h"

static const UnitRow image_rows[] = {
        { KEY_Arch, KIND_STRING, "--arch" },
        { KEY_AuthFile, KIND_STRING, "--authfile" },
        { KEY_CertDir, KIND_STRING, "--cert-dir" },
        { KEY_Creds, KIND_STRING, "--creds" },
        { KEY_DecryptionKey, KIND_STRING, "--decryption-key" },
        { KEY_OS, KIND_STRING, "--os" },
        { KEY_Policy, KIND_STRING, "--policy" },
        { KEY_Retry, KIND_STRING, "--retry" },
        { KEY_RetryDelay, KIND_STRING, "--retry-delay" },
        { KEY_Variant, KIND_STRING, "--variant" },
        { KEY_AllTags, KIND_BOOL, "--all-tags" },
        { KEY_TLSVerify, KIND_BOOL, "--tls-verify" },
        { KEY_PodmanArgs, KIND_CALL, .call = convert_call_podman_args },
        { KEY_ContainersConfModule, KIND_ELSEWHERE },
        { KEY_GlobalArgs, KIND_ELSEWHERE },
        { KEY_Image, KIND_ELSEWHERE },
        { KEY_ImageTag, KIND_ELSEWHERE },
        { KEY_ServiceName, KIND_ELSEWHERE },
};

static const UnitRow artifact_rows[] = {
        { KEY_AuthFile, KIND_STRING, "--authfile" },
        { KEY_CertDir, KIND_STRING, "--cert-dir" },
        { KEY_Creds, KIND_STRING, "--creds" },
        { KEY_DecryptionKey, KIND_STRING, "--decryption-key" },
        { KEY_Retry, KIND_STRING, "--retry" },
        { KEY_RetryDelay, KIND_STRING, "--retry-delay" },
        { KEY_Quiet, KIND_BOOL, "--quiet" },
        { KEY_TLSVerify, KIND_BOOL, "--tls-verify" },
        { KEY_PodmanArgs, KIND_CALL, .call = convert_call_podman_args },
        { KEY_Artifact, KIND_ELSEWHERE },
        { KEY_ContainersConfModule, KIND_ELSEWHERE },
        { KEY_GlobalArgs, KIND_ELSEWHERE },
        { KEY_ServiceName, KIND_ELSEWHERE },
};

static int convert_pull(Convert *c, const char *noun, const char *name) {
        convert_add_two(c, noun, "pull");
        int r = convert_add_rows(c);
        if (r < 0)
                return r;
        convert_add(c, name);
        r = convert_add_exec(c, "ExecStart", "", c->argv.items, c->argv.n);
        convert_oneshot(c, /* remain_after_exit= */ true);
        return r;
}

static int convert_image_file(Convert *c) {
        const UnitEntry *e = unit_file_last(&c->unit->file, KEY_Image);
        const char *image = convert_string(c, KEY_Image);

        if (!image)
                return convert_fail(c, e, "no Image key specified");
        int r = convert_image(c, e, image, &image);
        return r < 0 ? r : convert_pull(c, "image", image);
}

static int convert_artifact_file(Convert *c) {
        const char *artifact = convert_string(c, KEY_Artifact);

        if (!artifact)
                return convert_fail(c, unit_file_last(&c->unit->file, KEY_Artifact), "no Artifact key specified");
        return convert_pull(c, "artifact", artifact);
}

const UnitTypeInfo unit_image_info = {
        .name = "image",
        .group = "Image",
        .infix = "-image",
        .order = 1,
        .rows = image_rows,
        .n_rows = ELEMENTSOF(image_rows),
        .convert = convert_image_file,
};

const UnitTypeInfo unit_artifact_info = {
        .name = "artifact",
        .group = "Artifact",
        .infix = "-artifact",
        .order = 1,
        .rows = artifact_rows,
        .n_rows = ELEMENTSOF(artifact_rows),
        .convert = convert_artifact_file,
};
