/* SPDX-License-Identifier: Apache-2.0 */
/* Saving images. */
#include "image/save.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "spec/reference.h"

FileFormat save_format_from_string(const char *name) {
        static const char *const names[] = { "docker-archive", "oci-archive", "oci-dir", "docker-dir" };

        static_assert(ELEMENTSOF(names) == _FILE_FORMAT_MAX, "a name for each format");
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_equal(names[i], name))
                        return (FileFormat) i;
        return _FILE_FORMAT_INVALID;
}

static int save_one(const Stage *stage, const char *reference, char *const *more, Target *target, const SaveOptions *options, Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_strv_ char **names = NULL;
        CopyResult result;

        int r = image_store_resolve(stage->store, reference, &image, reterr);
        if (r < 0)
                return r;
        /* saved by ID, an image has no name (podman-save(1)) */
        if (image.found_by_name && strv_append(&names, image.name) < 0)
                return error_oom(reterr);
        for (; more && *more; more++) {
                char *full = NULL;

                r = reference_normalise_local(*more, &full, reterr);
                if (r < 0)
                        return r;
                if (strv_consume(&names, full) < 0)
                        return error_oom(reterr);
        }
        return copy_image(stage, &image, target, &options->copy, names, /* nested= */ false, &result, reterr);
}

static int save_all(const Stage *stage, char *const *references, Target *target, const SaveOptions *options, Error *reterr) {
        for (char *const *reference = references; *reference; reference++) {
                int r = save_one(stage, *reference, options->multiple ? NULL : references + 1, target, options, reterr);

                if (r < 0)
                        return r;
                if (!options->multiple)
                        break;
        }
        return target->ops->finish(target, reterr);
}

int save_open(const char *path, FileFormat format, Error *reterr) {
        bool directory = file_format_is_directory(format);
        int fd;

        if (!path) {
                if (isatty(STDOUT_FILENO) || directory) {
                        (void) error_set(reterr, -EINVAL, ERROR_INVALID, "%s",
                                         directory ? "a directory needs a name" : "the standard output is a terminal");
                        return error_with_hint(reterr, -EINVAL, "name where it should go with --output");
                }
                fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        } else if (directory) {
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return error_set_errno(reterr, -errno, "cannot make the directory '%s'", path);
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        } else
                fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot write to '%s'", path ?: "-");
        return fd;
}

void save_discard(int fd, const char *path, FileFormat format) {
        struct stat st;

        if (fd >= 0 && path && !file_format_is_directory(format) && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                (void) unlink(path);
}

/* Before a file that is there is written over: whether there is anything to write. */
static int check_references(const Stage *stage, char *const *references, bool multiple, Error *reterr) {
        int r = 0;

        for (; *references && r >= 0; references++) {
                _cleanup_image_info_ ImageInfo image = {};

                r = image_store_resolve(stage->store, *references, &image, reterr);
                if (!multiple)
                        break;
        }
        return r;
}

int image_save(Stage *stage, char *const *references, const SaveOptions *options, Error *reterr) {
        int checked = check_references(stage, references, options->multiple, reterr);
        _cleanup_fd_ int fd = checked < 0 ? checked : save_open(options->path, options->format, reterr);
        _cleanup_target_ Target *target = NULL;

        int r = fd < 0 ? fd : target_file_new(options->format, fd, stage->fd, &target, reterr);
        if (r >= 0)
                r = save_all(stage, references, target, options, reterr);
        if (r >= 0)
                return 0;
        save_discard(fd, options->path, options->format);
        return error_prefix(reterr, r, "cannot save '%s'", references[0]);
}
