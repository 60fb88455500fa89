/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets under a key of the user's own: AES-256-GCM (NIST SP 800-38D) by libcrypto, which only commands load that have to do
 * with secrets. What is kept is base64 of nonce, ciphertext and tag. */
#include "state/secret-seal.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pwd.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "state/store.h"

enum { KEY_SIZE = 32, NONCE_SIZE = 12, TAG_SIZE = 16, OVERHEAD = NONCE_SIZE + TAG_SIZE };

#define KEY_NAME "secrets.key"

#define LIBRARY_FUNCTIONS(X)                                                                                            \
        X(EVP_CIPHER_CTX_new) X(EVP_CIPHER_CTX_free) X(EVP_CIPHER_CTX_ctrl) X(EVP_aes_256_gcm) X(EVP_CipherInit_ex)     \
        X(EVP_CipherUpdate) X(EVP_CipherFinal_ex) X(EVP_EncodeBlock) X(EVP_DecodeBlock)

typedef struct Library {
        void *handle;
#define X(function) typeof(&function) function;
        LIBRARY_FUNCTIONS(X)
#undef X
} Library;

static void library_done(Library *library) {
        if (library->handle)
                (void) dlclose(library->handle);
}
#define _cleanup_library_ _cleanup_(library_done)

static int library_load(Library *ret, Error *reterr) {
        void *handle = dlopen("libcrypto.so.3", RTLD_NOW | RTLD_LOCAL);

        if (!handle) {
                (void) error_set(reterr, -ENOPKG, ERROR_UNSUPPORTED, "there is no libcrypto.so.3");
                error_hint(reterr, "install the package libssl3");
                return -ENOPKG;
        }
        ret->handle = handle;
#define X(function)                                                                                                     \
        ret->function = (typeof(ret->function)) dlsym(handle, #function);                                               \
        if (!ret->function)                                                                                             \
                return error_set(reterr, -ENOPKG, ERROR_UNSUPPORTED, "libcrypto.so.3 has no '%s'", #function);
        LIBRARY_FUNCTIONS(X)
#undef X
        return 0;
}

/* ---- the key ---- */

static int config_directory(char **ret, Error *reterr) {
        const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");

        if (geteuid() == 0 && !store_session_path(STORE_SESSION_DATA))
                *ret = strdup("/etc/sdpod");
        else if (!str_empty(xdg) && *xdg == '/')
                *ret = str_format("%s/sdpod", xdg);
        else {
                if (str_empty(home) || *home != '/') {
                        const struct passwd *entry = getpwuid(geteuid());

                        home = entry ? entry->pw_dir : NULL;
                }
                if (str_empty(home) || *home != '/')
                        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot find the home directory: HOME is not set");
                *ret = str_format("%s/.config/sdpod", home);
        }
        return *ret ? 0 : error_oom(reterr);
}

int secret_key_path(char **ret, Error *reterr) {
        _cleanup_free_ char *directory = NULL;
        int r = config_directory(&directory, reterr);

        if (r < 0)
                return r;
        return (*ret = str_format("%s/" KEY_NAME, directory)) ? 0 : error_oom(reterr);
}

static int read_key(const char *path, SecretMemory *ret, Error *reterr) {
        _cleanup_fd_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        struct stat st;

        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot open the key '%s'", path);
        if (!S_ISREG(st.st_mode) || st.st_uid != geteuid() || (st.st_mode & 0077))
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot use the key '%s': not a file of user %u that others cannot read",
                                 path, geteuid());
        int r = secret_memory_read(fd, KEY_SIZE, ret);
        if (r < 0 && r != -EFBIG)
                return error_set_errno(reterr, r, "cannot read the key '%s'", path);
        if (r < 0 || ret->size != KEY_SIZE)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "cannot use the key '%s': it has not %d bytes", path, KEY_SIZE);
        return 0;
}

/* Of two commands that make the first key at once, one wins: the name is taken by link(2), with the whole key behind it. */
static int make_key(const char *path, Error *reterr) {
        _cleanup_secret_memory_ SecretMemory key = SECRET_MEMORY_NULL;
        _cleanup_free_ char *directory = NULL, *random = str_random_hex(16), *temporary = NULL;
        int r = config_directory(&directory, reterr);

        if (r < 0)
                return r;
        r = path_mkdirs(directory, 0700);
        if (r >= 0)
                r = secret_memory_new(KEY_SIZE, &key);
        if (r >= 0 && getrandom(key.data, KEY_SIZE, 0) != KEY_SIZE)
                r = -EIO;
        if (r >= 0 && !(random && (temporary = str_format(".tmp-%s", random))))
                r = -ENOMEM;
        _cleanup_fd_ int dir = r < 0 ? r : open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (r >= 0 && dir < 0)
                r = -errno;
        if (r >= 0)
                r = file_write_atomic(dir, temporary, key.data, KEY_SIZE, 0600, FILE_DURABLE);
        if (r >= 0 && linkat(dir, temporary, dir, KEY_NAME, 0) < 0 && errno != EEXIST)
                r = -errno;
        if (r >= 0 && fsync(dir) < 0)
                r = -errno;
        if (dir >= 0 && temporary)
                (void) unlinkat(dir, temporary, 0);
        return r < 0 ? error_set_errno(reterr, r, "cannot make the key '%s'", path) : 0;
}

/* ---- the cipher ---- */

/* One pass, with the identity as what is authenticated with it. `tag` is written or checked. */
static int cipher(const Library *l, bool encrypt, const SecretMemory *key, const char *identity, unsigned char *nonce,
                  const unsigned char *from, size_t size, unsigned char *to, unsigned char *tag) {
        EVP_CIPHER_CTX *context = l->EVP_CIPHER_CTX_new();
        int n = 0, r = -EIO;

        if (!context)
                return -ENOMEM;
        if (l->EVP_CipherInit_ex(context, l->EVP_aes_256_gcm(), NULL, key->data, nonce, encrypt) == 1 &&
            (encrypt || l->EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_SET_TAG, TAG_SIZE, tag) == 1) &&
            l->EVP_CipherUpdate(context, NULL, &n, (const unsigned char *) identity, (int) strlen(identity)) == 1 &&
            l->EVP_CipherUpdate(context, to, &n, from, (int) size) == 1 && (size_t) n == size)
                r = l->EVP_CipherFinal_ex(context, to + n, &n) == 1 ? 0 : -EBADMSG;
        if (r >= 0 && encrypt && l->EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_GCM_GET_TAG, TAG_SIZE, tag) != 1)
                r = -EIO;
        l->EVP_CIPHER_CTX_free(context); /* overwrites what it had of the key */
        return r;
}

static char *make_identity(const Secret *secret) {
        return str_format("sdpod-secret-1:%s", secret->id);
}

static int encrypt_with(const Library *l, const SecretMemory *key, Secret *secret, const SecretMemory *content, Error *reterr) {
        _cleanup_free_ char *identity = make_identity(secret), *text = NULL;
        _cleanup_free_ unsigned char *sealed = malloc(content->size + OVERHEAD);

        if (!identity || !sealed || !(text = malloc((content->size + OVERHEAD) / 3 * 4 + 8)))
                return error_oom(reterr);
        if (getrandom(sealed, NONCE_SIZE, 0) != NONCE_SIZE)
                return error_set_errno(reterr, -errno, "cannot get random bytes");
        int r = cipher(l, true, key, identity, sealed, content->data, content->size, sealed + NONCE_SIZE,
                       sealed + NONCE_SIZE + content->size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot encrypt");
        (void) l->EVP_EncodeBlock((unsigned char *) text, sealed, (int) (content->size + OVERHEAD));
        free(secret->data);
        secret->data = TAKE_PTR(text);
        return 0;
}

static int encrypt(Secret *secret, const SecretMemory *content, Error *reterr) {
        _cleanup_secret_memory_ SecretMemory key = SECRET_MEMORY_NULL;
        _cleanup_library_ Library library = {};
        _cleanup_free_ char *path = NULL;
        int r = library_load(&library, reterr);

        if (r >= 0)
                r = secret_key_path(&path, reterr);
        if (r >= 0)
                r = read_key(path, &key, reterr);
        if (r == -ENOENT && path) {
                error_done(reterr);
                r = make_key(path, reterr);
                if (r >= 0)
                        r = read_key(path, &key, reterr);
        }
        if (r >= 0)
                r = encrypt_with(&library, &key, secret, content, reterr);
        if (r >= 0)
                r = str_replace(&secret->key, path) < 0 ? error_oom(reterr) : 0;
        return r;
}

/* The key is where it was when the secret was made, or, where the home has moved since, where it would be made now. */
static int find_key(const Secret *secret, SecretMemory *ret, Error *reterr) {
        _cleanup_free_ char *path = NULL;
        int r = read_key(secret->key, ret, reterr);

        if (r != -ENOENT)
                return r;
        if (secret_key_path(&path, /* reterr= */ NULL) >= 0 && !str_equal(path, secret->key) && access(path, F_OK) == 0) {
                error_done(reterr);
                return read_key(path, ret, reterr);
        }
        error_hint(reterr, "without that file the secret is lost; make it again: sdpod secret create --replace %s FILE", secret->name);
        return r;
}

static int decrypt_with(const Library *l, const SecretMemory *key, const Secret *secret, SecretMemory *ret, Error *reterr) {
        _cleanup_secret_memory_ SecretMemory content = SECRET_MEMORY_NULL;
        _cleanup_free_ char *identity = make_identity(secret);
        size_t n = strlen(secret->data);
        _cleanup_free_ unsigned char *sealed = malloc(n + 4);

        if (!identity || !sealed)
                return error_oom(reterr);
        int decoded = n % 4 == 0 ? l->EVP_DecodeBlock(sealed, (const unsigned char *) secret->data, (int) n) : -1;
        for (size_t i = n; decoded > 0 && i > 0 && i + 2 > n && secret->data[i - 1] == '='; i--)
                decoded--; /* the library counts the padding, too */
        if (decoded <= OVERHEAD || decoded > SECRET_SIZE_LIMIT + OVERHEAD)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its record is damaged");
        size_t size = (size_t) decoded - OVERHEAD;
        int r = secret_memory_new(size, &content);
        if (r >= 0)
                r = cipher(l, false, key, identity, sealed, sealed + NONCE_SIZE, size, content.data, sealed + NONCE_SIZE + size);
        if (r == -EBADMSG)
                return error_set(reterr, r, ERROR_CORRUPT, "the key '%s' does not fit, or its record is damaged", secret->key);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot decrypt");
        content.size = size;
        *ret = content;
        content = SECRET_MEMORY_NULL;
        return 0;
}

static int decrypt(const Secret *secret, SecretMemory *ret, Error *reterr) {
        _cleanup_secret_memory_ SecretMemory key = SECRET_MEMORY_NULL;
        _cleanup_library_ Library library = {};

        if (!secret->data || !secret->key)
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its record is damaged");
        int r = find_key(secret, &key, reterr);
        if (r >= 0)
                r = library_load(&library, reterr);
        return r < 0 ? r : decrypt_with(&library, &key, secret, ret, reterr);
}

const SecretSeal secret_seal_by_key = { SECRET_BY_KEY, encrypt, decrypt };
