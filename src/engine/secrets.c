/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets of a container. Their content is in this process only between the look-up and the clone of the init, in memory that is
 * in no core dump. */
#include "engine/secrets.h"

#include <fcntl.h>
#include <string.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "state/secret.h"

#define KEPT "secrets" /* below containers/ID: records by their place in the config */

static int open_named(const Store *store, const char *name, Secret *ret, Error *reterr) {
        int r = secret_open(store, name, ret, reterr);

        if (r == -ENOENT)
                error_hint(reterr, "make it first: sdpod secret create %s FILE", name);
        return r;
}

int secrets_resolve(const Store *store, ContainerConfig *config, Error *reterr) {
        for (size_t i = 0; i < config->n_secrets; i++) {
                ContainerSecret *s = &config->secrets[i];
                _cleanup_secret_ Secret secret = SECRET_NULL;
                int r = open_named(store, s->name, &secret, reterr);

                if (r < 0)
                        return r;
                if (!s->target && !(s->target = strdup(s->env ? s->name : secret.name)))
                        return error_oom(reterr);
                if (str_replace(&s->name, secret.name) < 0 || str_replace(&s->id, secret.id) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

static char *kept_name(size_t i) {
        return str_format("%zu.json", i);
}

int secrets_keep(const Store *store, const Container *container, Error *reterr) {
        const ContainerConfig *config = &container->config;
        _cleanup_fd_ int dir_fd = -EBADF;

        for (size_t i = 0; i < config->n_secrets; i++) {
                _cleanup_secret_ Secret secret = SECRET_NULL;
                _cleanup_free_ char *name = kept_name(i);

                if (config->secrets[i].env)
                        continue;
                if (!name)
                        return error_oom(reterr);
                if (dir_fd < 0)
                        dir_fd = path_open_or_make_dir(container->dir_fd, KEPT, 0700);
                if (dir_fd < 0)
                        return error_set_errno(reterr, dir_fd, "cannot make the directory of the container's secrets");
                int r = open_named(store, config->secrets[i].name, &secret, reterr);
                if (r >= 0)
                        r = secret_keep(store, &secret, dir_fd, name, reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int read_variable(const Store *store, const ContainerSecret *s, SecretMemory *ret, Error *reterr) {
        _cleanup_secret_memory_ SecretMemory content = SECRET_MEMORY_NULL, variable = SECRET_MEMORY_NULL;
        _cleanup_secret_ Secret secret = SECRET_NULL;
        size_t n = strlen(s->target);
        int r = open_named(store, s->name, &secret, reterr);

        if (r >= 0)
                r = secret_unseal(&secret, &content, reterr);
        if (r < 0)
                return r;
        if (memchr(content.data, 0, content.size))
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use secret '%s' as a variable: it has a NUL byte, with which a variable's value ends", s->name);
        if (secret_memory_new(n + 1 + content.size, &variable) < 0)
                return error_oom(reterr);
        char *text = variable.data;
        memcpy(text, s->target, n);
        text[n] = '=';
        memcpy(text + n + 1, content.data, content.size);
        variable.size = n + 1 + content.size;
        *ret = variable;
        variable = SECRET_MEMORY_NULL;
        return 0;
}

static int read_file(const Container *container, size_t i, SecretMemory *ret, Error *reterr) {
        _cleanup_free_ char *name = kept_name(i);
        _cleanup_secret_ Secret secret = SECRET_NULL;

        if (!name)
                return error_oom(reterr);
        _cleanup_fd_ int dir_fd = openat(container->dir_fd, KEPT, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        int r = dir_fd < 0 ? -errno : secret_load(dir_fd, name, &secret, reterr);
        if (r == -ENOENT)
                return error_set(reterr, r, ERROR_CORRUPT, "cannot read secret '%s': the container's copy of it is gone",
                                 container->config.secrets[i].name);
        if (dir_fd < 0)
                return error_set_errno(reterr, r, "cannot open the container's secrets");
        return r < 0 ? r : secret_unseal(&secret, ret, reterr);
}

static int plan_one(const Store *store, const Container *container, size_t i, ProcPlan *plan, Error *reterr) {
        const ContainerSecret *s = &container->config.secrets[i];

        if (s->env) {
                SecretMemory *variable = container_array_add((void **) &plan->secret_env, &plan->n_secret_env, sizeof(*variable));

                return variable ? read_variable(store, s, variable, reterr) : error_oom(reterr);
        }
        SecretPlan *file = container_array_add((void **) &plan->secrets, &plan->n_secrets, sizeof(*file));
        if (!file)
                return error_oom(reterr);
        *file = (SecretPlan){ .target = strdup(s->target), .uid = s->uid, .gid = s->gid, .mode = s->mode };
        if (!file->target)
                return error_oom(reterr);
        return read_file(container, i, &file->content, reterr);
}

int secrets_plan(const Store *store, const Container *container, ProcPlan *plan, Error *reterr) {
        const ContainerConfig *config = &container->config;

        for (size_t i = 0; i < config->n_mounts; i++)
                plan->secrets_apart = plan->secrets_apart || str_equal(config->mounts[i].destination, "/run/secrets");
        for (size_t i = 0; i < config->n_secrets; i++) {
                int r = plan_one(store, container, i, plan, reterr);

                if (r < 0)
                        return r;
        }
        return 0;
}

int secrets_add_env(const Store *store, const ContainerConfig *config, char ***env, Error *reterr) {
        for (size_t i = 0; i < config->n_secrets; i++) {
                _cleanup_secret_memory_ SecretMemory variable = SECRET_MEMORY_NULL;

                if (!config->secrets[i].env)
                        continue;
                int r = read_variable(store, &config->secrets[i], &variable, reterr);
                if (r >= 0 && strv_env_set(env, variable.data) < 0)
                        r = error_oom(reterr);
                if (r < 0)
                        return r;
        }
        return 0;
}
