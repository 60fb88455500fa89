/* SPDX-License-Identifier: Apache-2.0 */
/* Directories of certificates. */
#include "registry/certs.h"

#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "registry/config-file.h"

static void certificates_done(Certificates *certificates) {
        free(certificates->ca);
        free(certificates->certificate);
        if (certificates->key)
                explicit_bzero(certificates->key, strlen(certificates->key));
        free(certificates->key);
        *certificates = (Certificates){};
}

static int read_in(const char *dir, const char *name, char **ret, Error *reterr) {
        _cleanup_free_ char *path = str_format("%s/%s", dir, name);

        if (!path)
                return error_oom(reterr);
        int r = config_file_read(path, ret, reterr);
        return r == -ENOENT ? error_set(reterr, r, ERROR_NOT_FOUND, "cannot read '%s': it is not there", path) : r;
}

static int read_cas(const char *dir, Certificates *c, Error *reterr) {
        _cleanup_strv_ char **names = NULL;

        int r = config_list(dir, ".crt", &names, reterr);
        for (char **name = names; r >= 0 && name && *name; name++) {
                _cleanup_free_ char *text = NULL;
                char *all;

                r = read_in(dir, *name, &text, reterr);
                if (r < 0)
                        break;
                all = str_format("%s%s\n", c->ca ?: "", text);
                if (!all)
                        return error_oom(reterr);
                free(c->ca);
                c->ca = all;
        }
        return r;
}

static int read_pair(const char *dir, Certificates *c, Error *reterr) {
        _cleanup_strv_ char **certificates = NULL, **keys = NULL;
        _cleanup_free_ char *key = NULL;

        int r = config_list(dir, ".cert", &certificates, reterr);
        if (r >= 0)
                r = config_list(dir, ".key", &keys, reterr);
        if (r < 0 || (!certificates && !keys))
                return r;
        if (strv_length(certificates) > 1)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s': it has more than one client certificate (.cert)", dir);
        if (!certificates)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s': '%s' has no client certificate (.cert) beside it", dir, keys[0]);
        key = str_format("%.*s.key", (int) (strlen(certificates[0]) - STRLEN(".cert")), certificates[0]);
        if (!key)
                return error_oom(reterr);
        if (!strv_contains(keys, key))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use '%s': '%s' has no key '%s' beside it", dir, certificates[0], key);
        r = read_in(dir, certificates[0], &c->certificate, reterr);
        return r < 0 ? r : read_in(dir, key, &c->key, reterr);
}

static int read_dir(const char *dir, Certificates *ret, Error *reterr) {
        _cleanup_(certificates_done) Certificates c = {};

        int r = read_cas(dir, &c, reterr);
        if (r >= 0)
                r = read_pair(dir, &c, reterr);
        if (r < 0)
                return r;
        *ret = c;
        c = (Certificates){};
        return 0;
}

int certificates_find(const char *cert_dir, const char *host, Certificates *ret, Error *reterr) {
        struct stat st;
        int r = 0;

        if (cert_dir) {
                if (stat(cert_dir, &st) < 0)
                        return error_set_errno(reterr, -errno, "cannot use --cert-dir '%s'", cert_dir);
                return read_dir(cert_dir, ret, reterr);
        }
        char *dirs[] = { config_home_path("containers/certs.d"), strdup("/etc/containers/certs.d"), strdup("/etc/docker/certs.d") };
        bool found = false;
        for (size_t i = 0; i < ELEMENTSOF(dirs); i++) {
                _cleanup_free_ char *dir = dirs[i] && !found && r >= 0 ? str_format("%s/%s", dirs[i], host) : NULL;

                if (dir && stat(dir, &st) == 0 && S_ISDIR(st.st_mode)) {
                        found = true;
                        r = read_dir(dir, ret, reterr);
                }
                free(dirs[i]);
        }
        return r;
}
