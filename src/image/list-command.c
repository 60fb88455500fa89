/* SPDX-License-Identifier: Apache-2.0 */
#include "image/list-command.h"
int list_create(Stage *stage, const char *name, char *const *images, const RegistryOptions *registry, const ListOptions *options, Error *reterr) { return -ENOSYS; }
int list_add(Stage *stage, const char *name, char *const *images, const RegistryOptions *registry, const ListOptions *options, Error *reterr) { return -ENOSYS; }
int list_annotate(Stage *stage, const char *name, const char *digest, const ListOptions *options, Error *reterr) { return -ENOSYS; }
int list_take_out(Stage *stage, const char *name, const char *digest, Error *reterr) { return -ENOSYS; }
int list_inspect(const Store *store, const char *name, const RegistryOptions *registry, Error *reterr) { return -ENOSYS; }
int list_push(Stage *stage, const char *name, const char *destination, const PushOptions *push, const ListOptions *options, CopyResult *ret, Error *reterr) { return -ENOSYS; }
