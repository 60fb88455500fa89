/* SPDX-License-Identifier: Apache-2.0 */
/* Saving images. */
#include "image/save.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/io.h"
#include "base/str.h"
#include "image/commit.h"
#include "image/layout.h"
#include "image/save-output.h"
#include "image/worker.h"
#include "spec/reference.h"

typedef struct Saver {
        Stage *stage;
        SaveFormat format;
        SaveOutput output;
        json_t *entries;     /* of index.json, or of manifest.json */
} Saver;

SaveFormat save_format_from_string(const char *name) {
        static const char *const names[] = { "docker-archive", "oci-archive", "oci-dir" };

        static_assert(ELEMENTSOF(names) == _SAVE_FORMAT_MAX, "a name for each format");
        for (size_t i = 0; i < ELEMENTSOF(names); i++)
                if (str_equal(names[i], name))
                        return (SaveFormat) i;
        return _SAVE_FORMAT_INVALID;
}

/* Passes on what the worker writes, and hashes it. */
static int copy_hashed(int from_fd, int to_fd, uint64_t size, const char *diff_id, Error *reterr) {
        _cleanup_sha256_ Sha256 *hash = sha256_new();
        _cleanup_free_ char *buffer = malloc(65536);
        char found[DIGEST_LENGTH + 1];
        uint64_t done = 0;

        if (!hash || !buffer)
                return error_oom(reterr);
        for (;;) {
                ssize_t n = RETRY_EINTR(read(from_fd, buffer, 65536));

                if (n < 0)
                        return error_set_errno(reterr, -errno, "cannot read");
                if (n == 0)
                        break;
                done += (uint64_t) n;
                if (done > size)
                        break;
                sha256_update(hash, buffer, (size_t) n);
                int r = io_write_full(to_fd, buffer, (size_t) n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write");
        }
        sha256_finish(hash, found);
        if (done != size || !str_equal(found, diff_id))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "its files are not what they were");
        return 0;
}

/* The layer's tar stream goes to `fd`. */
static int write_layer(Saver *s, const char *diff_id, uint64_t size, int fd, Error *reterr) {
        const Store *store = s->stage->store;
        _cleanup_fd_ int record = -EBADF, diff = -EBADF, reader = -EBADF, writer = -EBADF;
        _cleanup_worker_ Worker worker = WORKER_NULL;
        _cleanup_error_ Error error = ERROR_NULL;
        UnpackResult result;
        char path[IMAGE_LAYER_PATH_SIZE + sizeof(IMAGE_LAYER_RECORD)];
        int pipe_fds[2];

        (void) snprintf(path, sizeof(path), "layers/%s/" IMAGE_LAYER_RECORD, digest_hex(diff_id));
        record = openat(store->data_fd, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (record < 0)
                return error_set_errno(reterr, -errno, "it cannot be written as it was: it has no record");
        image_layer_path(diff_id, path);
        diff = openat(store->data_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (diff < 0 || pipe2(pipe_fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot read it");
        reader = pipe_fds[0];
        writer = pipe_fds[1];
        WorkerJob job = { .task = WORKER_REPLAY, .in_fd = record, .size = UINT64_MAX, .dir_fd = diff, .out_fd = writer,
                          .size_limit = UINT64_MAX };
        int r = worker_start(&job, &s->stage->map, &worker, reterr);
        if (r < 0)
                return r;
        writer = fd_close(writer);
        r = copy_hashed(reader, fd, size, diff_id, &error);
        reader = fd_close(reader); /* a worker that still writes then ends */
        int worked = worker_finish(&worker, &result, r < 0 && error.code != -EBADMSG ? NULL : reterr);
        /* what the worker knows is nearer to the cause than a wrong digest */
        if (worked < 0 && (r >= 0 || error.code == -EBADMSG))
                return worked;
        return r < 0 ? error_move(reterr, &error) : 0;
}

static int save_layer(Saver *s, const char *diff_id, const char *name, uint64_t size, Error *reterr) {
        int fd, r = save_output_begin(&s->output, name, size, &fd, reterr);

        if (r <= 0)
                return r;
        r = write_layer(s, diff_id, size, fd, reterr);
        int ended = save_output_end(&s->output, size, fd, r < 0 ? NULL : reterr);
        if (r < 0)
                return error_prefix(reterr, r, "layer %s", diff_id);
        return ended;
}

/* The bytes of the image config. */
static int read_config(const Store *store, const ImageInfo *image, char **ret, size_t *ret_size, Error *reterr) {
        char path[128];

        (void) snprintf(path, sizeof(path), "images/blobs/sha256/%s", image->id);
        int r = file_read(store->data_fd, path, MANIFEST_SIZE_LIMIT, ret, ret_size);
        return r < 0 ? error_set_errno(reterr, r, "cannot read '%s'", path) : 0;
}

static void blob_name(const char *hex, char ret[static 128]) {
        (void) snprintf(ret, 128, "blobs/sha256/%s", hex);
}

static int save_oci(Saver *s, const ImageInfo *image, char *const *names, Error *reterr) {
        _cleanup_json_ json_t *manifest = NULL;
        _cleanup_free_ char *config = NULL, *text = NULL;
        char name[128], digest[DIGEST_LENGTH + 1];
        size_t size;

        int r = read_config(s->stage->store, image, &config, &size, reterr);
        if (r < 0)
                return r;
        manifest = json_pack("{s:i, s:s, s:{s:s, s:s+, s:I}, s:[]}", "schemaVersion", 2, "mediaType", MEDIA_TYPE_OCI_MANIFEST, "config",
                             "mediaType", MEDIA_TYPE_OCI_CONFIG, "digest", "sha256:", image->id, "size", (json_int_t) size, "layers");
        if (!manifest || (image->annotations && json_object_set_new(manifest, "annotations", json_from_pairs(image->annotations)) < 0))
                return error_oom(reterr);
        for (char **layer = image->layers; layer && *layer; layer++) {
                uint64_t layer_size;

                r = image_layer_size(s->stage->store, *layer, &layer_size, reterr);
                if (r < 0)
                        return r;
                blob_name(digest_hex(*layer), name);
                r = save_layer(s, *layer, name, layer_size, reterr);
                if (r < 0)
                        return r;
                if (json_array_append_new(json_object_get(manifest, "layers"),
                                          json_pack("{s:s, s:s, s:I}", "mediaType", MEDIA_TYPE_OCI_LAYER, "digest", *layer, "size",
                                                    (json_int_t) layer_size)) < 0)
                        return error_oom(reterr);
        }
        text = json_dumps(manifest, JSON_COMPACT);
        if (!text || sha256_buffer(text, strlen(text), digest) < 0)
                return error_oom(reterr);
        blob_name(image->id, name);
        r = save_output_file(&s->output, name, config, size, reterr);
        blob_name(digest_hex(digest), name);
        if (r >= 0)
                r = save_output_file(&s->output, name, text, strlen(text), reterr);
        for (size_t i = 0; r >= 0 && (i == 0 || (names && names[i])); i++) {
                json_t *entry = json_pack("{s:s, s:s, s:I}", "mediaType", MEDIA_TYPE_OCI_MANIFEST, "digest", digest, "size",
                                          (json_int_t) strlen(text));

                if (entry && names && names[i])
                        (void) json_object_set_new(entry, "annotations", json_pack("{s:s}", ANNOTATION_REF_NAME, names[i]));
                if (json_array_append_new(s->entries, entry) < 0)
                        return error_oom(reterr);
        }
        return r;
}

static int save_docker(Saver *s, const ImageInfo *image, char *const *names, Error *reterr) {
        _cleanup_free_ char *config = NULL;
        _cleanup_json_ json_t *layers = json_array();
        char name[128];
        size_t size;

        int r = read_config(s->stage->store, image, &config, &size, reterr);
        for (char **layer = image->layers; r >= 0 && layer && *layer; layer++) {
                uint64_t layer_size;

                r = image_layer_size(s->stage->store, *layer, &layer_size, reterr);
                if (r < 0)
                        break;
                (void) snprintf(name, sizeof(name), "%s.tar", digest_hex(*layer));
                r = save_layer(s, *layer, name, layer_size, reterr);
                if (r >= 0 && json_array_append_new(layers, json_string(name)) < 0)
                        return error_oom(reterr);
        }
        (void) snprintf(name, sizeof(name), "%s.json", image->id);
        if (r >= 0)
                r = save_output_file(&s->output, name, config, size, reterr);
        if (r < 0)
                return r;
        if (json_array_append_new(s->entries, json_pack("{s:s, s:o, s:O}", "Config", name, "RepoTags", json_from_strv((char **) names),
                                                        "Layers", layers)) < 0)
                return error_oom(reterr);
        return 0;
}

static int save_one(Saver *s, const char *reference, char *const *more, Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_strv_ char **names = NULL;

        int r = image_store_resolve(s->stage->store, reference, &image, reterr);
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
        return s->format == SAVE_DOCKER_ARCHIVE ? save_docker(s, &image, names, reterr) : save_oci(s, &image, names, reterr);
}

static int save_all(Saver *s, char *const *references, bool multiple, Error *reterr) {
        static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
        _cleanup_json_ json_t *index = NULL;
        _cleanup_free_ char *text = NULL;
        int r = 0;

        for (char *const *reference = references; *reference && r >= 0; reference++) {
                r = save_one(s, *reference, multiple ? NULL : references + 1, reterr);
                if (!multiple)
                        break;
        }
        if (r < 0)
                return r;
        index = s->format == SAVE_DOCKER_ARCHIVE ? json_incref(s->entries)
                                                 : json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", MEDIA_TYPE_OCI_INDEX,
                                                             "manifests", s->entries);
        text = index ? json_dumps(index, JSON_COMPACT) : NULL;
        if (!text)
                return error_oom(reterr);
        if (s->format != SAVE_DOCKER_ARCHIVE)
                r = save_output_file(&s->output, "oci-layout", layout, sizeof(layout) - 1, reterr);
        if (r >= 0)
                r = save_output_file(&s->output, s->format == SAVE_DOCKER_ARCHIVE ? "manifest.json" : "index.json", text, strlen(text),
                                     reterr);
        return r < 0 ? r : save_output_finish(&s->output, reterr);
}

/* Opens where it goes; a directory must be new or empty enough to make files in. */
static int open_output(const char *path, SaveFormat format, Error *reterr) {
        int fd;

        if (!path) {
                if (isatty(STDOUT_FILENO) || format == SAVE_OCI_DIRECTORY) {
                        (void) error_set(reterr, -EINVAL, ERROR_INVALID, "%s",
                                         format == SAVE_OCI_DIRECTORY ? "a directory needs a name" : "the standard output is a terminal");
                        return error_hint(reterr, "name where it should go with --output");
                }
                fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
        } else if (format == SAVE_OCI_DIRECTORY) {
                if (mkdir(path, 0755) < 0 && errno != EEXIST)
                        return error_set_errno(reterr, -errno, "cannot make the directory '%s'", path);
                fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        } else
                fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_CLOEXEC, 0666);
        if (fd < 0)
                return error_set_errno(reterr, -errno, "cannot write to '%s'", path ?: "-");
        return fd;
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

int image_save(Stage *stage, char *const *references, bool multiple, SaveFormat format, const char *path, Error *reterr) {
        int checked = check_references(stage, references, multiple, reterr);
        _cleanup_fd_ int fd = checked < 0 ? checked : open_output(path, format, reterr);
        Saver s = { .stage = stage, .format = format, .output = { .fd = fd, .directory = format == SAVE_OCI_DIRECTORY },
                    .entries = json_array() };
        struct stat st;
        int r = fd < 0 ? fd : !s.entries ? error_oom(reterr) : save_all(&s, references, multiple, reterr);

        save_output_done(&s.output);
        json_decref(s.entries);
        if (r >= 0)
                return 0;
        /* half an archive is none; what is no regular file of ours (/dev/stdout, a FIFO) stays */
        if (fd >= 0 && path && format != SAVE_OCI_DIRECTORY && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
                (void) unlink(path);
        return error_prefix(reterr, r, "cannot save '%s'", references[0]);
}
