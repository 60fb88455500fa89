/* SPDX-License-Identifier: Apache-2.0 */
/* Pushing images. */
#include "image/push.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "image/compress.h"
#include "image/save.h"
#include "image/target-registry.h"
#include "spec/reference.h"

int push_options_check(PushOptions *o, Error *reterr) {
        if (str_equal(o->compression, "zstd:chunked"))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED,
                                 "cannot compress as 'zstd:chunked': it is not there yet, 'zstd' is");
        if (o->compression && !str_equal(o->compression, "gzip") && !str_equal(o->compression, "zstd"))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot compress as '%.40s': there are gzip and zstd", o->compression);
        o->copy.compression = str_equal(o->compression, "zstd") ? COMPRESSION_ZSTD : COMPRESSION_GZIP;
        if (!compression_level_is_valid(o->copy.compression, o->copy.level))
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --compression-level %d: gzip has 1 to 9, zstd 1 to 20",
                                 o->copy.level);
        if (o->copy.type == MANIFEST_DOCKER && o->copy.compression == COMPRESSION_ZSTD)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot push as v2s2 with zstd: Docker's manifests have no such layers");
        return 0;
}

static FileFormat format_of(TransportKind kind) {
        static const FileFormat formats[] = {
                [TRANSPORT_OCI] = FILE_OCI_DIRECTORY,
                [TRANSPORT_OCI_ARCHIVE] = FILE_OCI_ARCHIVE,
                [TRANSPORT_DOCKER_ARCHIVE] = FILE_DOCKER_ARCHIVE,
                [TRANSPORT_DIRECTORY] = FILE_DIRECTORY,
        };

        return formats[kind];
}

/* What the image is called there. */
static int file_names(const Transport *transport, const char *name, char ***ret, Error *reterr) {
        _cleanup_reference_ Reference reference = {};

        if (transport->kind == TRANSPORT_OCI || transport->kind == TRANSPORT_OCI_ARCHIVE)
                return transport->reference && strv_append(ret, transport->reference) < 0 ? error_oom(reterr) : 0;
        if (transport->kind == TRANSPORT_DIRECTORY)
                return 0;
        if (transport->reference) {
                int r = reference_parse(transport->reference, &reference, reterr);

                if (r < 0)
                        return r;
                if (strv_consume(ret, reference_full(&reference, DOCKER_DOMAIN)) < 0)
                        return error_oom(reterr);
        }
        return name && !strv_contains(*ret, name) && strv_append(ret, name) < 0 ? error_oom(reterr) : 0;
}

static int open_file(const Stage *stage, const Transport *transport, const char *name, const PushOptions *options, PushTarget *ret,
                     Error *reterr) {
        FileFormat format = format_of(transport->kind);
        struct stat st;

        /* as podman-push(1): an archive of several images is made by `save`, not bit by bit */
        if (format == FILE_DOCKER_ARCHIVE && stat(transport->path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0) {
                (void) error_set(reterr, -EEXIST, ERROR_EXISTS, "cannot write to '%s': there is a file already", transport->path);
                return error_with_hint(reterr, -EEXIST, "remove it first, or use another name");
        }
        if (options->compress && format != FILE_DIRECTORY)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --compress: it is for dir: alone");
        ret->copy = options->copy;
        if (format == FILE_DIRECTORY && !options->compress && !options->compression)
                ret->copy.compression = COMPRESSION_NONE;
        int r = file_names(transport, name, &ret->names, reterr);
        if (r >= 0)
                r = ret->fd = save_open(transport->path, format, reterr);
        if (r >= 0)
                r = target_file_new(format, ret->fd, stage->fd, &ret->target, reterr);
        if (r < 0)
                return r;
        ret->format = format;
        return str_replace(&ret->path, transport->path) < 0 ? error_oom(reterr) : 0;
}

static int open_registry(const Transport *transport, const PushOptions *options, PushTarget *ret, Error *reterr) {
        _cleanup_reference_ Reference reference = {};

        int r = reference_parse(transport->reference, &reference, reterr);
        if (r < 0)
                return r;
        if (options->compress)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use --compress: it is for dir: alone");
        if (!reference.domain) { /* a short name is Docker's */
                _cleanup_free_ char *full = reference_full(&reference, DOCKER_DOMAIN);

                if (!full)
                        return error_oom(reterr);
                reference_done(&reference);
                r = reference_parse(full, &reference, reterr);
                if (r < 0)
                        return r;
        }
        ret->copy = options->copy;
        return target_registry_new(&reference, &options->registry, &ret->target, reterr);
}

int push_target_open(const Stage *stage, const Transport *transport, const char *name, const PushOptions *options, PushTarget *ret,
                     Error *reterr) {
        _cleanup_push_target_ PushTarget opened = PUSH_TARGET_NULL;
        int r;

        if (transport->kind == TRANSPORT_STORAGE)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot push to 'containers-storage:': use 'sdpod tag'");
        r = transport->kind == TRANSPORT_DOCKER ? open_registry(transport, options, &opened, reterr)
                                                : open_file(stage, transport, name, options, &opened, reterr);
        if (r < 0)
                return r;
        *ret = opened;
        opened = PUSH_TARGET_NULL;
        return 0;
}

void push_target_done(PushTarget *t) {
        t->target = target_free(t->target);
        if (t->fd >= 0 && t->path)
                save_discard(t->fd, t->path, (FileFormat) t->format);
        (void) fd_close(t->fd);
        free(t->path);
        strv_free(t->names);
        *t = PUSH_TARGET_NULL;
}

int push_target_finish(PushTarget *t, Error *reterr) {
        int r = t->target->ops->finish(t->target, reterr);

        if (r >= 0)
                t->fd = fd_close(t->fd); /* it stays */
        return r;
}

static int push(const Stage *stage, const ImageInfo *image, const Transport *transport, const PushOptions *options, CopyResult *ret,
                Error *reterr) {
        _cleanup_push_target_ PushTarget target = PUSH_TARGET_NULL;

        int r = push_target_open(stage, transport, image->found_by_name ? image->name : NULL, options, &target, reterr);
        if (r >= 0)
                r = copy_image(stage, image, target.target, &target.copy, target.names, /* nested= */ false, ret, reterr);
        return r < 0 ? r : push_target_finish(&target, reterr);
}

int image_push(const Stage *stage, const char *reference, const char *destination, const PushOptions *options, CopyResult *ret,
               Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_transport_ Transport transport = {};

        int r = image_store_resolve(stage->store, reference, &image, reterr);
        if (r < 0)
                return r;
        if (!destination && !image.name) {
                (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot push '%s': it has no name that says where to", reference);
                return error_with_hint(reterr, -EINVAL, "name a destination: sdpod push %s REGISTRY/NAME", reference);
        }
        r = transport_parse(destination ?: image.name, &transport, reterr);
        if (r >= 0)
                r = push(stage, &image, &transport, options, ret, reterr);
        if (r < 0 && !destination && str_after(image.name, "localhost/") && reterr && !reterr->hint)
                error_hint(reterr, "a name with 'localhost' is of this machine: say where to with sdpod push %s REGISTRY/NAME", reference);
        return r < 0 ? error_prefix(reterr, r, "cannot push '%s'", reference) : 0;
}
