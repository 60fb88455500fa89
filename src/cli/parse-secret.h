/* SPDX-License-Identifier: Apache-2.0 */
/* --secret of run and create. */
#pragma once

#include "spec/container.h"

/* NAME[,type=mount|env][,target=TARGET][,uid=ID][,gid=ID][,mode=MODE] (podman-run(1), --secret). The name may stand as source=. */
int parse_secret(ContainerConfig *config, const char *value, Error *reterr);
