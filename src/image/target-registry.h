/* SPDX-License-Identifier: Apache-2.0 */
/* A repository of a registry as a target. Blobs go through pipes to the fetcher as they are made. */
#pragma once

#include "image/target.h"
#include "registry/client.h"

/* The reference has a domain; its digest or tag is what the manifest is put under. */
int target_registry_new(const Reference *reference, const RegistryOptions *options, Target **ret, Error *reterr);
