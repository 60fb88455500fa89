/* SPDX-License-Identifier: Apache-2.0 */
/* Which containers use which volumes: read from the containers' records, so that no second record can disagree. */
#include "cli/volume-use.h"

#include "base/str.h"

static int add_user(const ContainerConfig *config, const char *volume, char ***users, Error *reterr) {
        for (size_t i = 0; i < config->n_mounts; i++) {
                const ContainerMount *mount = &config->mounts[i];
                char *user;

                if (!str_equal(mount->type, "volume") || !mount->source)
                        continue;
                if (volume && !str_equal(mount->source, volume))
                        continue;
                user = volume ? str_format("%.12s", config->id) : str_format("%s=%.12s", mount->source, config->id);
                if (!user)
                        return error_oom(reterr);
                if (strv_contains(*users, user)) {
                        free(user);
                        continue;
                }
                if (strv_consume(users, user) < 0)
                        return error_oom(reterr);
        }
        return 0;
}

int volume_users(const Store *store, const char *volume, char ***ret, Error *reterr) {
        _cleanup_strv_ char **ids = NULL, **users = NULL;
        _cleanup_container_lister_ ContainerLister lister = CONTAINER_LISTER_NULL;
        int r = container_lister_open(store, &lister, reterr);

        if (r >= 0)
                r = container_list(store, &ids, reterr);

        for (char **id = ids; r >= 0 && id && *id; id++) {
                _cleanup_container_config_ ContainerConfig config = CONTAINER_CONFIG_NULL;
                _cleanup_error_ Error error = ERROR_NULL;

                r = container_load_config(&lister, *id, container_config_fields, &config, &error);
                if (r == -ENOENT) {
                        r = 0;
                        continue;
                }
                /* A record that cannot be read may name any volume. */
                if (r < 0)
                        return error_move(reterr, &error);
                r = add_user(&config, volume, &users, reterr);
        }
        if (r >= 0)
                *ret = TAKE_PTR(users);
        return r;
}

int volume_refuse_used(const Store *store, const char *name, Error *reterr) {
        _cleanup_strv_ char **users = NULL;
        int r = volume_users(store, name, &users, reterr);

        if (r < 0 || !users)
                return r;
        _cleanup_free_ char *list = strv_join(users, ", ");
        if (!list)
                return error_oom(reterr);
        (void) error_set(reterr, -EBUSY, ERROR_IN_USE,
                         "cannot remove volume '%s': volume is being used by the following container(s): %s", name, list);
        return error_with_hint(reterr, -EBUSY, "remove them first: sdpod rm -f %s", users[0]);
}

size_t volume_mount_count(const Store *store, const Volume *volume) {
        _cleanup_strv_ char **users = NULL;
        size_t n = 0;

        if (volume_kind(volume) == VOLUME_DIRECTORY || volume_users(store, volume->name, &users, /* reterr= */ NULL) < 0)
                return 0;
        for (char **user = users; user && *user; user++) {
                _cleanup_container_ Container c = CONTAINER_NULL;

                n += container_open(store, *user, &c, /* reterr= */ NULL) >= 0 && c.pidfd >= 0;
        }
        return n;
}

size_t volume_users_count(char *const *pairs, const char *volume) {
        size_t n = strlen(volume), count = 0;

        for (; pairs && *pairs; pairs++)
                count += strncmp(*pairs, volume, n) == 0 && (*pairs)[n] == '=';
        return count;
}

bool volume_is_used(char *const *pairs, const char *volume) {
        return volume_users_count(pairs, volume) > 0;
}
