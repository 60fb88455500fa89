/* SPDX-License-Identifier: Apache-2.0 */
/* Where the state of all containers is. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/path.h"
#include "base/str.h"
#include "oci/state.h"

#define NAME "sdpod-oci"

void oci_root_done(OciRoot *root) {
        free(root->path);
        (void) fd_close(root->fd);
        *root = OCI_ROOT_NULL;
}

/* Podman calls its runtime as root of a user namespace with the user's $XDG_RUNTIME_DIR and no $USER; a daemon that runs as root in
 * one (a container inside a container) says that it is root. */
static bool is_a_users(void) {
        const char *user = getenv("USER");

        return geteuid() != 0 || (global_in_user_namespace() && !str_equal(user, "root"));
}

static int default_path(char **ret, bool *ret_users, Error *reterr) {
        const char *xdg = getenv("XDG_RUNTIME_DIR");
        _cleanup_free_ char *path = NULL;

        *ret_users = !str_empty(xdg) && *xdg == '/' && is_a_users();
        if (*ret_users)
                path = str_format("%s/" NAME, xdg);
        else if (geteuid() != 0)
                path = str_format("/run/user/%u/" NAME, geteuid());
        else
                path = strdup("/run/" NAME);
        if (!path)
                return error_oom(reterr);
        *ret = TAKE_PTR(path);
        return 0;
}

/* Nobody else may have prepared it: the records in it say which processes are killed. */
static int check_owner(const OciRoot *root, Error *reterr) {
        struct stat st;

        if (fstat(root->fd, &st) < 0)
                return error_set_errno(reterr, -errno, "cannot look at '%s'", root->path);
        if ((st.st_uid != geteuid() && st.st_uid != 0) || (st.st_mode & 0002 && !(st.st_mode & S_ISVTX)))
                return error_set(reterr, -EPERM, ERROR_DENIED, "cannot keep containers in '%s': others can write there", root->path);
        return 0;
}

int oci_root_open(const GlobalOptions *global, bool make, OciRoot *ret, Error *reterr) {
        _cleanup_oci_root_ OciRoot root = OCI_ROOT_NULL;
        bool users = false;
        int r = 0;

        if (str_empty(global->root))
                r = default_path(&root.path, &users, reterr);
        else if (!(root.path = strdup(global->root)))
                r = error_oom(reterr);
        if (r < 0)
                return r;
        root.fd = open(root.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root.fd < 0 && errno == ENOENT && make) {
                r = path_mkdirs(root.path, 0700);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot make the directory '%s'", root.path);
                root.fd = open(root.path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                /* the sticky bit keeps old files in a user's runtime directory from being cleaned away (XDG base directories) */
                if (root.fd >= 0 && users && fchmod(root.fd, 01700) < 0)
                        return error_set_errno(reterr, -errno, "cannot change the mode of '%s'", root.path);
        }
        if (root.fd < 0)
                return errno == ENOENT ? -ENOENT : error_set_errno(reterr, -errno, "cannot open '%s'", root.path);
        r = check_owner(&root, reterr);
        if (r < 0)
                return r;
        *ret = root;
        root = OCI_ROOT_NULL;
        return 0;
}
