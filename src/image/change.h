/* SPDX-License-Identifier: Apache-2.0 */
/* --change: instructions of a Containerfile that alter an image config (podman-import(1)). */
#pragma once

#include "spec/image-config.h"

/* Carries one out: CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME, WORKDIR, as "CMD sh -c x",
 * "CMD [\"sh\"]" or, as Podman also takes it, "CMD=sh". Others are refused by name. */
int image_change(ImageConfig *config, const char *instruction, Error *reterr);
