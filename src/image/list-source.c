/* SPDX-License-Identifier: Apache-2.0 */
/* Images for manifest lists, out of registries. */
#include "image/list-source.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "base/file.h"
#include "base/io.h"
#include "base/log.h"
#include "base/str.h"
#include "registry/names.h"

#define DOCKER_TRANSPORT "docker://"

/* A registry's manifest or index, with its client. */
typedef struct Remote {
        Reference reference;
        RegistryClient *client;
        char *bytes;
        size_t size;
        char digest[DIGEST_LENGTH + 1];
        json_t *json;
        bool index;
} Remote;

static void remote_done(Remote *remote) {
        reference_done(&remote->reference);
        (void) registry_client_free(remote->client);
        free(remote->bytes);
        json_decref(remote->json);
}
#define _cleanup_remote_ _cleanup_(remote_done)

/* The full names to be tried. Behind "docker://" a name without a host is Docker's own; alone it is what registries.conf says,
 * and nothing where that says nothing: a private name is not told to a public registry. */
static int full_names(const char *word, char ***ret, Error *reterr) {
        const char *name = str_after(word, DOCKER_TRANSPORT);
        _cleanup_reference_ Reference reference = {};

        if (!name)
                return registry_short_names(word, ret, reterr);
        int r = reference_parse(name, &reference, reterr);
        if (r < 0)
                return r;
        return strv_consume(ret, reference_full(&reference, DOCKER_DOMAIN)) < 0 ? error_oom(reterr) : 0;
}

static int remote_open_full(const char *full, const char *digest, const RegistryOptions *registry, Remote *r, Error *reterr) {
        int ret = reference_parse(full, &r->reference, reterr);

        if (ret >= 0)
                ret = registry_client_new(registry, &r->reference, &r->client, reterr);
        if (ret >= 0)
                ret = registry_manifest_get(r->client, digest ?: r->reference.digest ?: r->reference.tag ?: "latest", &r->bytes, &r->size,
                                            /* ret_media_type= */ NULL, r->digest, reterr);
        if (ret >= 0)
                ret = json_parse(r->bytes, r->size, r->digest, &r->json, reterr);
        return ret < 0 ? ret : manifest_probe(r->json, r->digest, &r->index, reterr);
}

/* `word` with or without "docker://"; `digest` NULL: what the word says. */
static int remote_open(const char *word, const char *digest, const RegistryOptions *registry, Remote *ret, Error *reterr) {
        _cleanup_strv_ char **names = NULL;
        int r = full_names(word, &names, reterr);

        for (char **name = names; r >= 0 && *name; name++) {
                _cleanup_error_ Error error = ERROR_NULL;
                _cleanup_remote_ Remote remote = {};
                int tried = remote_open_full(*name, digest, registry, &remote, &error);

                if (tried >= 0) {
                        *ret = remote;
                        remote = (Remote){};
                        return 0;
                }
                if (!name[1])
                        return error_move(reterr, &error);
                log_warning("cannot read '%s': %s", *name, error.message);
        }
        return r;
}

int list_source_document(const char *word, const RegistryOptions *registry, json_t **ret, Error *reterr) {
        _cleanup_remote_ Remote remote = {};

        if (transport_is_given(word) && !str_after(word, DOCKER_TRANSPORT))
                return error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot inspect '%s': only docker:// is there yet", word);
        int r = remote_open(word, NULL, registry, &remote, reterr);
        if (r < 0)
                return error_prefix(reterr, r, "cannot inspect '%s'", word);
        if (!remote.index)
                (void) fprintf(stderr, "sdpod: warning: '%s' is not a manifest list but a single image\n", word);
        *ret = json_incref(remote.json);
        return 0;
}

static json_t *make_entry(const char *media_type, const char *digest, size_t size, const char *architecture, const char *os,
                          const char *variant, const char *source) {
        json_t *entry = json_pack("{s:s, s:s, s:I, s:{s:s, s:s, s:s*}}", "mediaType", media_type, "digest", digest, "size", (json_int_t) size,
                                  "platform", "architecture", architecture ?: "", "os", os ?: "linux", "variant", variant);

        if (entry && source && json_object_set_new(entry, "annotations", json_pack("{s:s}", LIST_SOURCE, source)) < 0) {
                json_decref(entry);
                return NULL;
        }
        return entry;
}

static int add_stored(const Store *store, const char *word, json_t *entries, Error *reterr) {
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_json_ json_t *manifest = NULL;
        _cleanup_free_ char *bytes = NULL;
        char path[128];
        size_t size;

        int r = image_store_resolve(store, word, &image, reterr);
        if (r < 0)
                return r;
        (void) snprintf(path, sizeof(path), "images/blobs/sha256/%s", digest_hex(image.digest));
        r = file_read(store->data_fd, path, MANIFEST_SIZE_LIMIT, &bytes, &size);
        if (r < 0)
                return error_set_errno(reterr, r, "cannot read '%s'", path);
        return json_array_append_new(entries, make_entry(image.manifest_type, image.digest, size, image.config.architecture, image.config.os,
                                                         str_empty(image.config.variant) ? NULL : image.config.variant, NULL)) < 0
                       ? error_oom(reterr)
                       : 0;
}

/* A manifest's platform is in its config. */
static int add_remote_manifest(const Remote *remote, const char *source, json_t *entries, Error *reterr) {
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_json_ json_t *config = NULL;
        _cleanup_free_ char *bytes = NULL;
        const char *variant;
        size_t size;

        int r = manifest_load(remote->json, remote->digest, &manifest, reterr);
        if (r >= 0)
                r = registry_blob_get(remote->client, manifest.config.digest, manifest.config.size, MANIFEST_SIZE_LIMIT, &bytes, &size, reterr);
        if (r >= 0)
                r = json_parse(bytes, size, manifest.config.digest, &config, reterr);
        if (r < 0)
                return r;
        variant = json_get_string(config, "variant");
        return json_array_append_new(entries, make_entry(manifest.media_type ?: MEDIA_TYPE_OCI_MANIFEST, remote->digest, remote->size,
                                                         json_get_string(config, "architecture"), json_get_string(config, "os"),
                                                         str_empty(variant) ? NULL : variant, source)) < 0
                       ? error_oom(reterr)
                       : 0;
}

/* An entry of a registry's index, as it stands there. */
static int add_remote_entry(const json_t *entry, const char *source, json_t *entries, Error *reterr) {
        json_t *copy = json_deep_copy(entry), *annotations = json_object_get(copy, "annotations");

        if (copy && !annotations)
                (void) json_object_set_new(copy, "annotations", annotations = json_object());
        if (!copy || json_object_set_new(annotations, LIST_SOURCE, json_string(source)) < 0) {
                json_decref(copy);
                return error_oom(reterr);
        }
        return json_array_append_new(entries, copy) < 0 ? error_oom(reterr) : 0;
}

static int add_remote_index(const Remote *remote, const char *source, bool all, json_t *entries, Error *reterr) {
        _cleanup_index_ Index index = {};
        const Descriptor *chosen;

        int r = index_load(remote->json, remote->digest, &index, reterr);
        if (r < 0)
                return r;
        chosen = all ? NULL : index_choose(&index, /* architecture= */ NULL);
        if (!all && !chosen) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "it is a list without an image for linux/%s", platform_host_architecture());
                return error_with_hint(reterr, -EOPNOTSUPP, "add all of it with --all, or one of its images by digest");
        }
        for (size_t i = 0; i < index.n_manifests && r >= 0; i++)
                if (all || chosen == index.manifests + i)
                        r = add_remote_entry(json_array_get(list_entries(remote->json), i), source, entries, reterr);
        return r;
}

static int add_remote(const char *word, const RegistryOptions *registry, bool all, json_t *entries, Error *reterr) {
        _cleanup_remote_ Remote remote = {};
        _cleanup_free_ char *repository = NULL, *source = NULL;

        int r = remote_open(word, NULL, registry, &remote, reterr);
        if (r < 0)
                return r;
        repository = reference_repository(&remote.reference, NULL);
        source = repository ? str_format(DOCKER_TRANSPORT "%s", repository) : NULL;
        if (!source)
                return error_oom(reterr);
        return remote.index ? add_remote_index(&remote, source, all, entries, reterr) : add_remote_manifest(&remote, source, entries, reterr);
}

/* A list of the store, whole. */
static int add_stored_list(const Store *store, const char *word, json_t *entries, Error *reterr) {
        _cleanup_json_ json_t *index = NULL, *document = NULL;
        const json_t *entry;
        bool by_name;

        int r = layout_load(store, &index, reterr);
        if (r >= 0)
                r = image_store_find(store, index, word, &entry, &by_name, reterr);
        if (r >= 0)
                r = list_read(store, layout_entry_digest(entry), &document, reterr);
        return r < 0 ? r : json_array_extend(entries, list_entries(document)) < 0 ? error_oom(reterr) : 0;
}

int list_source_entries(Stage *stage, const char *word, const RegistryOptions *registry, bool all, json_t *entries, Error *reterr) {
        _cleanup_transport_ Transport transport = {};
        _cleanup_error_ Error error = ERROR_NULL;
        bool given = transport_is_given(word);

        int r = transport_parse(word, &transport, reterr);
        if (r < 0)
                return r;
        if (transport.path) {
                (void) error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "cannot add '%s': only images of the store and docker:// are there yet",
                                 word);
                return error_with_hint(reterr, -EOPNOTSUPP, "load it first: sdpod pull %s", word);
        }
        /* a word without a transport is an image that is here, else one of a registry */
        r = given && transport.kind == TRANSPORT_DOCKER ? -ENOENT : image_store_is_list(stage->store, transport.reference, &error);
        if (r >= 0)
                r = r > 0 && all ? add_stored_list(stage->store, transport.reference, entries, reterr)
                                 : add_stored(stage->store, transport.reference, entries, reterr);
        else if (r == -ENOENT && transport.kind == TRANSPORT_DOCKER)
                r = add_remote(transport.reference, registry, all, entries, reterr);
        else
                return error_move(reterr, &error);
        return r < 0 ? error_prefix(reterr, r, "cannot add '%s'", word) : 0;
}

/* Moves a blob from one registry to the target. Its bytes are hashed here, and looked at by nobody. */
static int pump(RegistryClient *client, unsigned id, int reader, TargetBlob *blob, Target *target, const Descriptor *d, Error *reterr) {
        _cleanup_sha256_ Sha256 *hash = sha256_new();
        _cleanup_free_ char *buffer = malloc(65536);
        char found[DIGEST_LENGTH + 1];

        if (!hash || !buffer)
                return error_oom(reterr);
        for (bool ended = false; !ended;) {
                struct pollfd fds[] = {
                        { .fd = reader, .events = POLLIN },
                        { .fd = registry_events_fd(client), .events = POLLIN },
                        { .fd = target->ops->events_fd ? target->ops->events_fd(target) : -1, .events = POLLIN },
                };
                RegistryEvent event = {};
                ssize_t n;
                int r;

                if (poll(fds, ELEMENTSOF(fds), -1) < 0 && errno != EINTR)
                        return error_set_errno(reterr, -errno, "cannot wait");
                r = fds[2].revents ? target->ops->dispatch(target, reterr) : 0;
                while (r >= 0 && (r = registry_next_event(client, &event, reterr)) > 0) {
                        if (event.id == id && event.state == REGISTRY_FAILED)
                                r = error_move(reterr, &event.error);
                        registry_event_done(&event);
                }
                if (r < 0)
                        return r;
                if (!fds[0].revents)
                        continue;
                n = RETRY_EINTR(read(reader, buffer, 65536));
                if (n < 0)
                        return error_set_errno(reterr, -errno, "cannot read");
                ended = n == 0;
                sha256_update(hash, buffer, (size_t) n);
                r = io_write_full(blob->fd, buffer, (size_t) n);
                if (r < 0)
                        return error_set_errno(reterr, r, "cannot write");
        }
        sha256_finish(hash, found);
        return str_equal(found, d->digest) ? 0 : error_set(reterr, -EBADMSG, ERROR_CORRUPT, "it came with the digest %s", found);
}

static int copy_blob(RegistryClient *client, const Descriptor *d, PushTarget *to, Error *reterr) {
        Target *target = to->target;
        TargetBlob blob = TARGET_BLOB_NULL;
        unsigned id;
        int fds[2];

        int r = target->ops->has(target, d->digest, (uint64_t) d->size, NULL, reterr);
        if (r != 0)
                return r < 0 ? r : 0;
        copy_say(&to->copy, "Copying blob", d->digest);
        if (pipe2(fds, O_CLOEXEC) < 0)
                return error_set_errno(reterr, -errno, "cannot make a pipe");
        _cleanup_fd_ int reader = fds[0], writer = fds[1];
        (void) signal(SIGPIPE, SIG_IGN); /* an upload that was given up is an error, not the end of us */
        r = registry_blob_start(client, d->digest, d->size, writer, &id, reterr);
        if (r < 0)
                return r;
        writer = fd_close(writer);
        r = target->ops->begin(target, d->digest, (uint64_t) d->size, &blob, reterr);
        if (r < 0)
                return r;
        _cleanup_error_ Error error = ERROR_NULL;
        r = pump(client, id, reader, &blob, target, d, &error);
        if (r == -EPIPE) { /* the target knows why */
                r = target->ops->end(target, &blob, NULL, 0, reterr);
                return r < 0 ? r : error_move(reterr, &error);
        }
        if (r < 0) {
                target->ops->cancel(target, &blob);
                (void) error_move(reterr, &error);
                return error_prefix(reterr, r, "blob %s", d->digest);
        }
        return target->ops->end(target, &blob, d->digest, (uint64_t) d->size, reterr);
}

/* The manifest itself; by its digest it stays what it is. */
static int copy_manifest(const Remote *remote, const Manifest *manifest, PushTarget *to, CopyResult *ret, Error *reterr) {
        _cleanup_free_ const char **layers = calloc(manifest->n_layers + 1, sizeof(*layers));
        TargetManifest m = { .bytes = remote->bytes, .size = remote->size, .media_type = manifest->media_type ?: MEDIA_TYPE_OCI_MANIFEST,
                             .config_digest = manifest->config.digest, .layers = layers, .nested = true };
        _cleanup_edited_manifest_ EditedManifest edited = {};
        int r;

        if (!layers)
                return error_oom(reterr);
        for (size_t i = 0; i < manifest->n_layers; i++)
                layers[i] = manifest->layers[i].digest;
        if (to->copy.type != MANIFEST_AS_IS) {
                _cleanup_free_ PlacedLayer *placed = calloc(manifest->n_layers + 1, sizeof(*placed));

                if (!placed)
                        return error_oom(reterr);
                for (size_t i = 0; i < manifest->n_layers; i++)
                        placed[i] = (PlacedLayer){ .compression = compression_from_media_type(manifest->layers[i].media_type), .same = true };
                r = manifest_edit(remote->bytes, remote->size, placed, manifest->n_layers, to->copy.type, &edited, reterr);
                if (r < 0)
                        return r;
                m.bytes = edited.bytes;
                m.size = edited.size;
                m.media_type = edited.media_type;
        }
        if (sha256_buffer(m.bytes, m.size, m.digest) < 0)
                return error_oom(reterr);
        r = to->target->ops->manifest(to->target, &m, reterr);
        if (r < 0)
                return r;
        *ret = (CopyResult){ .size = m.size, .media_type = str_equal(m.media_type, MEDIA_TYPE_DOCKER_MANIFEST) ? MEDIA_TYPE_DOCKER_MANIFEST
                                                                                                               : MEDIA_TYPE_OCI_MANIFEST };
        (void) stpcpy(ret->digest, m.digest);
        (void) stpcpy(ret->config_digest, manifest->config.digest);
        return 0;
}

int list_source_copy(const json_t *entry, const RegistryOptions *registry, PushTarget *target, CopyResult *ret, Error *reterr) {
        const char *source = json_get_string(json_object_get(entry, "annotations"), LIST_SOURCE);
        RegistryOptions pull = *registry;
        _cleanup_remote_ Remote remote = {};
        _cleanup_manifest_ Manifest manifest = {};
        _cleanup_free_ char *config = NULL;
        size_t size;

        if (!source)
                return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "it is not in the store any more");
        pull.push = false;
        int r = remote_open(source, layout_entry_digest(entry), &pull, &remote, reterr);
        if (r >= 0 && remote.index)
                r = error_set(reterr, -EOPNOTSUPP, ERROR_UNSUPPORTED, "it is a list in a list");
        if (r >= 0)
                r = manifest_load(remote.json, remote.digest, &manifest, reterr);
        for (size_t i = 0; i < manifest.n_layers && r >= 0; i++)
                r = copy_blob(remote.client, manifest.layers + i, target, reterr);
        if (r >= 0)
                r = registry_blob_get(remote.client, manifest.config.digest, manifest.config.size, MANIFEST_SIZE_LIMIT, &config, &size, reterr);
        if (r >= 0)
                r = target->target->ops->config(target->target, manifest.config.digest, config, size, reterr);
        return r < 0 ? r : copy_manifest(&remote, &manifest, target, ret, reterr);
}

/* Whether Docker's form can say all of it. */
static bool all_docker(const json_t *document) {
        const json_t *entry;
        size_t i;

        json_array_foreach(list_entries(document), i, entry) {
                const json_t *annotations = json_object_get(entry, "annotations");

                if (!str_equal(json_get_string(entry, "mediaType"), MEDIA_TYPE_DOCKER_MANIFEST) ||
                    json_object_size(annotations) > (json_object_get(annotations, LIST_SOURCE) ? 1U : 0U))
                        return false;
        }
        return true;
}

int list_export(const json_t *document, ManifestType type, json_t **ret, Error *reterr) {
        bool docker = type == MANIFEST_DOCKER || (type == MANIFEST_AS_IS && all_docker(document));
        _cleanup_json_ json_t *entries = json_deep_copy(list_entries(document)), *list = NULL;
        json_t *entry;
        size_t i;

        json_array_foreach(entries, i, entry) {
                json_t *annotations = json_object_get(entry, "annotations");

                (void) json_object_del(annotations, LIST_SOURCE);
                if (docker || json_object_size(annotations) == 0)
                        (void) json_object_del(entry, "annotations");
        }
        list = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType", docker ? MEDIA_TYPE_DOCKER_INDEX : MEDIA_TYPE_OCI_INDEX, "manifests",
                         entries);
        if (!list)
                return error_oom(reterr);
        *ret = TAKE_PTR(list);
        return 0;
}
