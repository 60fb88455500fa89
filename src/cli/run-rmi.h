/* SPDX-License-Identifier: Apache-2.0 */
/* --rmi: the image goes with its container. */
#pragma once

#include "state/container.h"

/* Once the container is removed: removes the image's name that it was made by, and the image with its last one, unless another
 * container is made from it. What does not work is warned of. */
void run_remove_image(const Store *store, const ContainerConfig *config);
