/* SPDX-License-Identifier: Apache-2.0 */
/* Images into files. */
#include "image/target-file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/json.h"
#include "base/str.h"
#include "image/layout.h"
#include "image/limits.h"
#include "image/save-output.h"

enum { NAME_SIZE = 128 };

typedef struct TargetFile {
        Target target;
        FileFormat format;
        SaveOutput output;
        json_t *entries;     /* of index.json, or of manifest.json in an archive of Docker's */
        bool has_manifest;   /* dir: holds one image */
} TargetFile;

static TargetFile *self(Target *target) {
        return (TargetFile *) target;
}

static void blob_name(const TargetFile *t, const char *digest, bool config, char ret[static NAME_SIZE]) {
        const char *hex = digest_hex(digest);

        switch (t->format) {
        case FILE_DOCKER_ARCHIVE:
                (void) snprintf(ret, NAME_SIZE, "%s%s", hex, config ? ".json" : ".tar");
                return;
        case FILE_DIRECTORY:
                (void) snprintf(ret, NAME_SIZE, "%s", hex);
                return;
        default:
                (void) snprintf(ret, NAME_SIZE, "blobs/sha256/%s", hex);
        }
}

static int file_has(Target *target, const char *digest, uint64_t size, _unused_ char *const *repositories, _unused_ Error *reterr) {
        char name[NAME_SIZE];

        blob_name(self(target), digest, /* config= */ false, name);
        return save_output_has(&self(target)->output, name, size);
}

static int file_begin(Target *target, const char *digest, uint64_t size, TargetBlob *ret, Error *reterr) {
        SaveMember member;
        char name[NAME_SIZE];

        if (digest)
                blob_name(self(target), digest, /* config= */ false, name);
        int r = save_output_begin(&self(target)->output, digest ? name : NULL, size, &member, reterr);
        if (r >= 0)
                *ret = (TargetBlob){ .fd = member.fd, .borrowed = member.in_place };
        return r;
}

static int file_end(Target *target, TargetBlob *blob, const char *digest, uint64_t size, Error *reterr) {
        SaveMember member = { .fd = blob->fd, .in_place = blob->borrowed };
        char name[NAME_SIZE];

        *blob = TARGET_BLOB_NULL;
        if (!digest) {
                save_output_cancel(&self(target)->output, &member);
                return 0;
        }
        blob_name(self(target), digest, /* config= */ false, name);
        return save_output_end(&self(target)->output, &member, name, size, reterr);
}

static void file_cancel(Target *target, TargetBlob *blob) {
        SaveMember member = { .fd = blob->fd, .in_place = blob->borrowed };

        save_output_cancel(&self(target)->output, &member);
        *blob = TARGET_BLOB_NULL;
}

static int file_config(Target *target, const char *digest, const char *bytes, size_t size, Error *reterr) {
        char name[NAME_SIZE];

        blob_name(self(target), digest, /* config= */ true, name);
        return save_output_file(&self(target)->output, name, bytes, size, reterr);
}

/* The entry of an image's config in Docker's list, made where there is none. */
static json_t *docker_entry(TargetFile *t, const char *config) {
        json_t *entry;
        size_t i;

        json_array_foreach(t->entries, i, entry)
                if (str_equal(json_get_string(entry, "Config"), config))
                        return entry;
        entry = json_pack("{s:s, s:[], s:[]}", "Config", config, "RepoTags", "Layers");
        return json_array_append_new(t->entries, entry) < 0 ? NULL : entry;
}

static int docker_manifest(TargetFile *t, const TargetManifest *m, Error *reterr) {
        char name[NAME_SIZE];
        json_t *entry, *layers;

        if (!m->config_digest || m->nested)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "a docker-archive holds no manifest lists");
        blob_name(t, m->config_digest, /* config= */ true, name);
        entry = docker_entry(t, name);
        layers = json_array();
        if (!entry || json_object_set_new(entry, "Layers", layers) < 0)
                return error_oom(reterr);
        for (const char *const *layer = m->layers; *layer; layer++) {
                blob_name(t, *layer, /* config= */ false, name);
                if (json_array_append_new(layers, json_string(name)) < 0)
                        return error_oom(reterr);
        }
        for (char *const *tag = m->names; tag && *tag; tag++)
                if (json_array_append_new(json_object_get(entry, "RepoTags"), json_string(*tag)) < 0)
                        return error_oom(reterr);
        return 0;
}

/* Removes what the new entry takes the place of: the same name, or the same image without one. */
static void remove_entry(json_t *entries, const char *digest, const char *name) {
        for (size_t i = json_array_size(entries); i-- > 0;) {
                const json_t *entry = json_array_get(entries, i);
                const char *other = layout_entry_name(entry);

                if (name ? str_equal(other, name) : !other && str_equal(layout_entry_digest(entry), digest))
                        (void) json_array_remove(entries, i);
        }
}

static int oci_manifest(TargetFile *t, const TargetManifest *m, Error *reterr) {
        char name[NAME_SIZE];

        blob_name(t, m->digest, /* config= */ false, name);
        int r = save_output_file(&t->output, name, m->bytes, m->size, reterr);
        if (r < 0 || m->nested)
                return r;
        for (size_t i = 0; i == 0 || (m->names && m->names[i]); i++) {
                const char *ref = m->names ? m->names[i] : NULL;
                json_t *entry = json_pack("{s:s, s:s, s:I}", "mediaType", m->media_type, "digest", m->digest, "size", (json_int_t) m->size);

                remove_entry(t->entries, m->digest, ref);
                if (entry && ref)
                        (void) json_object_set_new(entry, "annotations", json_pack("{s:s}", ANNOTATION_REF_NAME, ref));
                if (json_array_append_new(t->entries, entry) < 0)
                        return error_oom(reterr);
                if (!ref)
                        break;
        }
        return 0;
}

static int directory_manifest(TargetFile *t, const TargetManifest *m, Error *reterr) {
        static const char version[] = "Directory Transport Version: 1.1\n";
        char name[NAME_SIZE] = "manifest.json";

        if (m->nested)
                (void) snprintf(name, sizeof(name), "%s.manifest.json", digest_hex(m->digest));
        else if (t->has_manifest)
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "a directory of dir: holds one image");
        t->has_manifest = t->has_manifest || !m->nested;
        int r = save_output_file(&t->output, "version", version, sizeof(version) - 1, reterr);
        return r < 0 ? r : save_output_file(&t->output, name, m->bytes, m->size, reterr);
}

static int file_manifest(Target *target, const TargetManifest *m, Error *reterr) {
        TargetFile *t = self(target);

        return t->format == FILE_DOCKER_ARCHIVE ? docker_manifest(t, m, reterr)
               : t->format == FILE_DIRECTORY    ? directory_manifest(t, m, reterr)
                                                : oci_manifest(t, m, reterr);
}

static int write_list(TargetFile *t, const char *name, const json_t *json, Error *reterr) {
        _cleanup_free_ char *text = json_dumps(json, JSON_COMPACT);

        return text ? save_output_file(&t->output, name, text, strlen(text), reterr) : error_oom(reterr);
}

static int file_finish(Target *target, Error *reterr) {
        static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
        TargetFile *t = self(target);
        int r = 0;

        if (t->format == FILE_DOCKER_ARCHIVE)
                r = write_list(t, "manifest.json", t->entries, reterr);
        else if (t->format != FILE_DIRECTORY) {
                _cleanup_json_ json_t *index = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", MEDIA_TYPE_OCI_INDEX,
                                                         "manifests", t->entries);

                r = save_output_file(&t->output, "oci-layout", layout, sizeof(layout) - 1, reterr);
                if (r >= 0)
                        r = write_list(t, "index.json", index, reterr);
        }
        return r < 0 ? r : save_output_finish(&t->output, reterr);
}

static Target *file_free(Target *target) {
        save_output_done(&self(target)->output);
        json_decref(self(target)->entries);
        free(target);
        return NULL;
}

static const TargetOps file_ops = {
        .has = file_has,
        .begin = file_begin,
        .end = file_end,
        .cancel = file_cancel,
        .config = file_config,
        .manifest = file_manifest,
        .finish = file_finish,
        .free = file_free,
};

/* What a layout that is there lists stays in it. */
static int load_entries(TargetFile *t, Error *reterr) {
        _cleanup_json_ json_t *index = NULL;
        json_t *entries;

        int r = json_read(t->output.fd, "index.json", MANIFEST_SIZE_LIMIT, &index, reterr);
        if (r == -ENOENT)
                return 0;
        if (r < 0)
                return error_prefix(reterr, r, "index.json in it");
        entries = json_object_get(index, "manifests");
        if (!json_is_array(entries))
                return error_set(reterr, -EBADMSG, ERROR_CORRUPT, "index.json in it lists no manifests");
        json_decref(t->entries);
        t->entries = json_incref(entries);
        return 0;
}

int target_file_new(FileFormat format, int fd, int temporary_fd, Target **ret, Error *reterr) {
        TargetFile *t = calloc(1, sizeof(*t));
        long processors = sysconf(_SC_NPROCESSORS_ONLN);
        int r = 0;

        if (!t || !(t->entries = json_array())) {
                free(t);
                return error_oom(reterr);
        }
        t->target = (Target){ .ops = &file_ops, .parallel = (size_t) MAX(1L, MIN(processors, (long) IMAGE_WORKERS_LIMIT)),
                              .uncompressed = format == FILE_DOCKER_ARCHIVE, .in_order = !file_format_is_directory(format) };
        t->format = format;
        t->output = (SaveOutput){ .fd = fd, .directory = file_format_is_directory(format), .temporary_fd = temporary_fd };
        if (format == FILE_OCI_DIRECTORY)
                r = load_entries(t, reterr);
        if (r < 0) {
                (void) file_free(&t->target);
                return r;
        }
        *ret = &t->target;
        return 0;
}
