/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes in and out, by a worker that sees nothing but their directory (image/sandbox.h): what is in there is a container's,
 * and the archive anybody's. Symlinks lead nowhere but below the volume's own top. */
#include "content/volume-data.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "content/export.h"
#include "content/extract.h"
#include "image/archive-library.h"
#include "storage/volume.h"

static int refuse(const Volume *volume, const char *verb, Error *reterr) {
        (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot %s volume '%s': its files are there only in containers that run", verb,
                         volume->name);
        return error_with_hint(reterr, -EOPNOTSUPP, "copy them with sdpod cp CONTAINER:PATH");
}

/* Below the data directory, as its owner may be one of the user's other IDs; or somewhere on the host. */
static int tree_of_volume(const Volume *volume, Tree *ret, Error *reterr) {
        switch (volume_kind(volume)) {
        case VOLUME_TMPFS:
                return refuse(volume, "export", reterr);
        case VOLUME_BIND:
                return str_replace(&ret->directory, strv_env_get(volume->options, "device")) < 0 ? error_oom(reterr) : 0;
        case VOLUME_IMAGE:
                if (!(ret->layers = strv_copy(volume->layers)))
                        return error_oom(reterr);
                if (!volume->taken)
                        return 0;
                ret->upper = str_format("volumes/%s/upper", volume->name);
                return ret->upper ? 0 : error_oom(reterr);
        default:
                ret->copy = str_format("volumes/%s/_data", volume->name);
                return ret->copy ? 0 : error_oom(reterr);
        }
}

int volume_export(const Store *store, const char *name, const char *path, Error *reterr) {
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        _cleanup_tree_ Tree tree = {};
        int r = volume_load(store, name, &volume, reterr);

        if (r >= 0)
                r = tree_of_volume(&volume, &tree, reterr);
        if (r < 0)
                return r;
        r = export_tree(store, &tree, path, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot export volume '%s'", name) : 0;
}

/* `data` is the volume's path below the worker's root. */
static int extract_inside(void *data, int root_fd, int archive_fd, Error *reterr) {
        const char *path = data;
        _cleanup_stream_ Stream *stream = NULL;
        _cleanup_fd_ int base = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        const ExtractOptions options = {
                .base_fd = base, .root_fd = base, .base_path = "", .fresh = true, .overwrite = true, .keep_owners = true,
        };

        if (base < 0)
                return error_set_errno(reterr, -errno, "cannot open the volume");
        int r = stream_open(archive_fd, 0, UINT64_MAX, UINT64_MAX, /* flags= */ 0, &stream, reterr);
        return r < 0 ? r : extract_stream(stream, &options, reterr);
}

static int extract_into(const Store *store, const Volume *volume, int archive_fd, Error *reterr) {
        bool on_host = volume_kind(volume) == VOLUME_BIND;
        _cleanup_free_ char *path = on_host ? strdup(".") : str_format("volumes/%s/_data", volume->name);
        _cleanup_worker_ Worker worker = WORKER_NULL;
        _cleanup_user_map_ UserMap map = {};
        UnpackResult result;

        if (!path)
                return error_oom(reterr);
        int r = user_map_default(&map, reterr);
        if (r >= 0)
                r = archive_library_load(reterr); /* it may be compressed */
        if (r >= 0)
                r = tree_work(store, &map, on_host ? strv_env_get(volume->options, "device") : NULL, extract_inside, path, archive_fd,
                              &worker, reterr);
        return r < 0 ? r : worker_finish(&worker, &result, reterr);
}

int volume_import(const Store *store, const char *name, const char *path, Error *reterr) {
        _cleanup_volume_ Volume volume = VOLUME_NULL;
        _cleanup_volume_holds_ VolumeHolds holds = {};
        _cleanup_fd_ int fd = -EBADF;
        int r = volume_load(store, name, &volume, reterr);

        if (r < 0)
                return r;
        if (volume_kind(&volume) == VOLUME_TMPFS || volume_kind(&volume) == VOLUME_IMAGE)
                return refuse(&volume, "import into", reterr);
        if (str_equal(path, "-") && isatty(STDIN_FILENO))
                return error_set(reterr, -EINVAL, ERROR_USAGE, "cannot read an archive from a terminal");
        fd = str_equal(path, "-") ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot read '%s'", path);
        r = volume_hold(store, name, /* anonymous= */ false, &holds, reterr);
        if (r >= 0)
                r = extract_into(store, &volume, fd, reterr);
        if (r >= 0)
                r = volume_holds_mark(store, &holds, reterr);
        return r < 0 ? error_prefix(reterr, r, "cannot import into volume '%s'", name) : 0;
}
