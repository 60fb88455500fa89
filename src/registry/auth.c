/* SPDX-License-Identifier: Apache-2.0 */
/* Auth files. Unknown keys of them belong to other programs and stay as they are. */
#include "registry/auth.h"

#include <fcntl.h>
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/json.h"
#include "base/path.h"
#include "base/str.h"
#include "registry/config-file.h"

#define DOCKER_KEY "index.docker.io"
#define DOCKER_SERVER "https://index.docker.io/v1/" /* how Docker and its helpers call it */

#define AUTH_FILES_HELPER "containers-auth.json" /* in registries.conf: no helper, but the files */

enum { SECRET_LIMIT = 64 * 1024 };

static void free_secret(char **s) {
        if (*s)
                explicit_bzero(*s, strlen(*s));
        free(*s);
}
#define _cleanup_secret_ _cleanup_(free_secret)

/* The host under the one of its names that is compared. Borrowed. */
static const char *canonical_host(const char *host) {
        return str_equal(host, "docker.io") || str_equal(host, "registry-1.docker.io") ? DOCKER_KEY : host;
}

/* A key as it is compared: one with a scheme is Docker's and stands for the host alone. Owned. */
static char *canonical_key(const char *key) {
        const char *rest = str_after(key, "https://") ?: str_after(key, "http://");
        const char *slash = rest ? NULL : strchr(key, '/');
        _cleanup_free_ char *host = rest ? strndup(rest, strcspn(rest, "/")) : strndup(key, strcspn(key, "/"));

        return host ? str_format("%s%s", canonical_host(host), slash ?: "") : NULL;
}

/* "user:password" in base64, as it lies in the files. */
static int decode(const char *text, Credentials *ret) {
        _cleanup_secret_ char *plain = NULL;
        size_t n = strlen(text);
        char *colon;

        if (n < 4 || n % 4 != 0 || n > SECRET_LIMIT)
                return -EBADMSG;
        plain = calloc(n / 4 + 1, 3);
        if (!plain)
                return -ENOMEM;
        int k = EVP_DecodeBlock((unsigned char *) plain, (const unsigned char *) text, (int) n);
        if (k < 0)
                return -EBADMSG;
        plain[k - (text[n - 1] == '=') - (text[n - 2] == '=')] = 0;
        colon = strchr(plain, ':');
        if (!colon)
                return -EBADMSG;
        *colon = 0;
        ret->username = strdup(plain);
        ret->password = strdup(colon + 1);
        *colon = ':';
        return ret->username && ret->password ? 0 : -ENOMEM;
}

static char *encode(const Credentials *c) {
        _cleanup_secret_ char *plain = str_format("%s:%s", c->username ?: "", c->password ?: "");
        size_t n = plain ? strlen(plain) : 0;
        char *text = plain && n <= SECRET_LIMIT ? malloc(n / 3 * 4 + 8) : NULL;

        if (text)
                (void) EVP_EncodeBlock((unsigned char *) text, (const unsigned char *) plain, (int) n);
        return text;
}

static int bad_entry(Error *reterr, const char *path, const char *key) {
        return error_set(reterr, -EBADMSG, ERROR_INVALID, "cannot use the auth file '%s': the entry of '%s' is not as it should be", path, key);
}

/* One entry of "auths". 1, or 0 where it holds nothing (Docker leaves such ones for its helpers). */
static int read_entry(const json_t *entry, const char *path, const char *key, Credentials *ret, Error *reterr) {
        const char *auth = json_get_string(entry, "auth"), *token = json_get_string(entry, "identitytoken");
        const char *username = json_get_string(entry, "username"), *password = json_get_string(entry, "password");
        Credentials c = {};
        int r = 0;

        if (!json_is_object(entry))
                return bad_entry(reterr, path, key);
        if (!str_empty(auth))
                r = decode(auth, &c);
        else if (!str_empty(username) && password) {
                c.username = strdup(username);
                c.password = strdup(password);
                r = c.username && c.password ? 0 : -ENOMEM;
        }
        if (r >= 0 && !str_empty(token) && !(c.identity_token = strdup(token)))
                r = -ENOMEM;
        if (r < 0) {
                credentials_done(&c);
                return r == -ENOMEM ? error_oom(reterr) : bad_entry(reterr, path, key);
        }
        *ret = c;
        return c.username || c.identity_token;
}

/* The key that is compared equal to `name`, and its value; NULL. */
static json_t *find_key(json_t *object, const char *name, const char **ret_key) {
        const char *key;
        json_t *value;

        value = json_object_get(object, name);
        if (value) {
                *ret_key = name;
                return value;
        }
        json_object_foreach(object, key, value) {
                _cleanup_free_ char *canonical = canonical_key(key);

                if (str_equal(canonical, name)) {
                        *ret_key = key;
                        return value;
                }
        }
        return NULL;
}

static int take_helper(const char *helper, const char *host, char **ret_helper, char **ret_server, Error *reterr) {
        *ret_helper = strdup(helper);
        *ret_server = strdup(str_equal(host, DOCKER_KEY) ? DOCKER_SERVER : host);
        if (!*ret_helper || !*ret_server) {
                free(TAKE_PTR(*ret_helper));
                free(TAKE_PTR(*ret_server));
                return error_oom(reterr);
        }
        return 2;
}

int auth_parse(const char *text, size_t size, const char *path, const char *name, Credentials *ret, char **ret_helper, char **ret_server,
               Error *reterr) {
        _cleanup_json_ json_t *json = NULL;
        _cleanup_free_ char *wanted = canonical_key(name), *host = wanted ? strndup(wanted, strcspn(wanted, "/")) : NULL;
        const json_t *helper;
        const char *key;

        if (!host)
                return error_oom(reterr);
        int r = json_parse(text, size, path, &json, reterr);
        if (r < 0)
                return r;
        json_t *auths = json_object_get(json, "auths");
        if (!json_is_object(json) || (auths && !json_is_object(auths)))
                return error_set(reterr, -EBADMSG, ERROR_INVALID, "cannot use the auth file '%s': it is not of that form", path);
        helper = find_key(json_object_get(json, "credHelpers"), host, &key);
        if (helper && !json_is_string(helper))
                return bad_entry(reterr, path, key);
        if (helper)
                return take_helper(json_string_value(helper), host, ret_helper, ret_server, reterr);
        /* the longest key first: "quay.io/a/b", "quay.io/a", "quay.io" */
        for (char *end;; *end = 0) {
                const json_t *entry = find_key(auths, wanted, &key);

                r = entry ? read_entry(entry, path, key, ret, reterr) : 0;
                if (r != 0)
                        return r;
                end = strrchr(wanted, '/');
                if (!end)
                        break;
        }
        if (!str_empty(json_get_string(json, "credsStore")))
                return take_helper(json_get_string(json, "credsStore"), host, ret_helper, ret_server, reterr);
        return 0;
}

static int find_in(const char *path, const char *name, bool must, Credentials *ret, Error *reterr) {
        _cleanup_secret_ char *text = NULL;
        _cleanup_free_ char *helper = NULL, *server = NULL;

        int r = config_file_read(path, &text, reterr);
        if (r == -ENOENT)
                return must ? error_set(reterr, r, ERROR_NOT_FOUND, "cannot use the auth file '%s': it is not there", path) : 0;
        if (r < 0)
                return r;
        if (!*text)
                return 0; /* login of others makes it so before it fills it */
        r = auth_parse(text, strlen(text), path, name, ret, &helper, &server, reterr);
        return r == 2 ? auth_helper_get(helper, server, ret, reterr) : r;
}

static int find_in_files(const char *authfile, const char *name, Credentials *ret, Error *reterr) {
        const char *docker = getenv("DOCKER_CONFIG");
        int r = 0;

        if (!authfile)
                authfile = getenv("REGISTRY_AUTH_FILE");
        if (!str_empty(authfile))
                return find_in(authfile, name, true, ret, reterr);
        char *paths[] = {
                config_runtime_path("containers/auth.json"),
                config_home_path("containers/auth.json"),
                str_empty(docker) ? config_user_path(".docker/config.json") : str_format("%s/config.json", docker),
        };
        for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
                if (r == 0 && paths[i])
                        r = find_in(paths[i], name, false, ret, reterr);
                free(paths[i]);
        }
        return r;
}

int auth_find(const char *authfile, char *const *helpers, const char *name, Credentials *ret, Error *reterr) {
        _cleanup_free_ char *key = canonical_key(name);
        int r = 0;

        if (!helpers)
                return find_in_files(authfile, name, ret, reterr);
        if (!key)
                return error_oom(reterr);
        key[strcspn(key, "/")] = 0;
        for (; r == 0 && *helpers; helpers++)
                r = str_equal(*helpers, AUTH_FILES_HELPER)
                            ? find_in_files(authfile, name, ret, reterr)
                            : auth_helper_get(*helpers, str_equal(key, DOCKER_KEY) ? DOCKER_SERVER : key, ret, reterr);
        return r;
}

int auth_file(const char *authfile, char **ret, Error *reterr) {
        if (!authfile)
                authfile = getenv("REGISTRY_AUTH_FILE");
        *ret = str_empty(authfile) ? config_runtime_path("containers/auth.json") : strdup(authfile);
        return *ret ? 0 : error_oom(reterr);
}

/* A file under change. Its directory, where it is the user's, is locked meanwhile: two logins at once both count. */
typedef struct AuthChange {
        char *path, *name;
        int dir_fd;
        json_t *json;
} AuthChange;

static void change_done(AuthChange *change) {
        free(change->path);
        free(change->name);
        (void) fd_close(change->dir_fd);
        json_decref(change->json);
}
#define _cleanup_change_ _cleanup_(change_done)

/* In a directory of others, such as /tmp, anybody could keep us waiting for ever. */
static int lock_directory(int fd) {
        struct stat st;

        if (fstat(fd, &st) < 0)
                return -errno;
        return st.st_uid == geteuid() && RETRY_EINTR(flock(fd, LOCK_EX)) < 0 ? -errno : 0;
}

/* Whether somebody else has put a symlink there, to have a file of ours changed. */
static bool is_foreign_link(const char *path) {
        struct stat st;

        return lstat(path, &st) == 0 && S_ISLNK(st.st_mode) && st.st_uid != geteuid() && st.st_uid != 0;
}

static int change_begin(const char *authfile, AuthChange *change, Error *reterr) {
        _cleanup_free_ char *dir = NULL, *real = NULL;
        _cleanup_secret_ char *text = NULL;
        const char *slash;

        int r = auth_file(authfile, &change->path, reterr);
        if (r < 0)
                return r;
        if (is_foreign_link(change->path))
                return error_set(reterr, -EACCES, ERROR_DENIED, "cannot write the auth file '%s': it is a symlink of another user", change->path);
        real = realpath(change->path, NULL); /* a symlink stays one */
        if (real && str_replace(&change->path, real) < 0)
                return error_oom(reterr);
        slash = strrchr(change->path, '/');
        dir = slash ? strndup(change->path, (size_t) (slash - change->path) + 1) : strdup(".");
        change->name = strdup(slash ? slash + 1 : change->path);
        if (!dir || !change->name)
                return error_oom(reterr);
        r = path_mkdirs(dir, 0700);
        if (r >= 0) {
                change->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                r = change->dir_fd < 0 ? -errno : lock_directory(change->dir_fd);
        }
        if (r < 0)
                return error_set_errno(reterr, r, "cannot write the auth file '%s'", change->path);
        r = config_file_read(change->path, &text, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r == -ENOENT || !*text)
                change->json = json_object();
        else
                r = json_parse(text, strlen(text), change->path, &change->json, reterr);
        if (r < 0 && r != -ENOENT)
                return r;
        if (change->json && !json_is_object(change->json))
                return error_set(reterr, -EBADMSG, ERROR_INVALID, "cannot use the auth file '%s': it is not of that form", change->path);
        return change->json ? 0 : error_oom(reterr);
}

static int change_write(AuthChange *change, Error *reterr) {
        _cleanup_secret_ char *body = json_dumps(change->json, JSON_INDENT(4));
        _cleanup_secret_ char *text = body ? str_format("%s\n", body) : NULL;

        if (!text)
                return error_oom(reterr);
        int r = file_write_atomic(change->dir_fd, change->name, text, strlen(text), 0600, FILE_DURABLE);
        return r < 0 ? error_set_errno(reterr, r, "cannot write the auth file '%s'", change->path) : 0;
}

/* The helper that the file names for the host of `key`. Borrowed from it; NULL. */
static const char *helper_of(const AuthChange *change, const char *key, char **ret_server) {
        _cleanup_free_ char *wanted = canonical_key(key);
        const char *found;
        json_t *helper;

        *ret_server = NULL;
        if (!wanted)
                return NULL;
        wanted[strcspn(wanted, "/")] = 0;
        helper = find_key(json_object_get(change->json, "credHelpers"), wanted, &found);
        *ret_server = strdup(str_equal(wanted, DOCKER_KEY) ? DOCKER_SERVER : wanted);
        return *ret_server ? json_string_value(helper) : NULL;
}

int auth_store(const char *authfile, const char *key, const Credentials *credentials, Error *reterr) {
        _cleanup_change_ AuthChange change = { .dir_fd = -EBADF };
        _cleanup_secret_ char *encoded = NULL;
        _cleanup_free_ char *server = NULL;
        json_t *auths, *entry;

        int r = change_begin(authfile, &change, reterr);
        if (r < 0)
                return r;
        const char *helper = helper_of(&change, key, &server);
        if (helper)
                return auth_helper_store(helper, server, credentials, reterr);
        encoded = encode(credentials);
        auths = json_object_get(change.json, "auths");
        if (!auths && json_object_set_new(change.json, "auths", json_object()) == 0)
                auths = json_object_get(change.json, "auths");
        if (auths && !json_is_object(auths))
                return error_set(reterr, -EBADMSG, ERROR_INVALID, "cannot use the auth file '%s': it is not of that form", change.path);
        entry = encoded ? json_pack("{s:s}", "auth", encoded) : NULL;
        if (!entry || json_object_set_new(auths, key, entry) < 0)
                return error_oom(reterr);
        return change_write(&change, reterr);
}

/* What has no entry of its own may be in the store that the file names, where a pull would find it. */
static int remove_stored(const AuthChange *change, const char *server, Error *reterr) {
        const char *store = json_get_string(change->json, "credsStore");
        Credentials found = {};

        if (str_empty(store) || !server)
                return 0;
        int r = auth_helper_get(store, server, &found, reterr);
        credentials_done(&found);
        if (r <= 0)
                return r;
        r = auth_helper_erase(store, server, reterr);
        return r < 0 ? r : 1;
}

int auth_remove(const char *authfile, const char *key, Error *reterr) {
        _cleanup_change_ AuthChange change = { .dir_fd = -EBADF };
        _cleanup_free_ char *server = NULL, *wanted = canonical_key(key);
        const char *found;
        json_t *auths;

        int r = change_begin(authfile, &change, reterr);
        if (r < 0)
                return r;
        const char *helper = helper_of(&change, key, &server);
        if (helper) {
                r = auth_helper_erase(helper, server, reterr);
                return r < 0 ? r : 1;
        }
        auths = json_object_get(change.json, "auths");
        if (!wanted)
                return error_oom(reterr);
        if (!find_key(auths, wanted, &found))
                return remove_stored(&change, server, reterr);
        _cleanup_free_ char *copy = strdup(found); /* the key goes with its entry */
        if (!copy)
                return error_oom(reterr);
        (void) json_object_del(auths, copy);
        r = change_write(&change, reterr);
        return r < 0 ? r : 1;
}

int auth_remove_all(const char *authfile, Error *reterr) {
        _cleanup_change_ AuthChange change = { .dir_fd = -EBADF };
        const char *host;
        json_t *helper;

        int r = change_begin(authfile, &change, reterr);
        if (r < 0)
                return r;
        json_object_foreach(json_object_get(change.json, "credHelpers"), host, helper)
                if (json_is_string(helper)) {
                        r = auth_helper_erase(json_string_value(helper), host, reterr);
                        if (r < 0)
                                return r;
                }
        if (json_object_set_new(change.json, "auths", json_object()) < 0)
                return error_oom(reterr);
        return change_write(&change, reterr);
}
