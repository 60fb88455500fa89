/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to a record. */
#include "engine/create.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "base/path.h"
#include "base/str.h"
#include "engine/collect.h"
#include "engine/create-check.h"
#include "engine/create-env.h"
#include "engine/depend.h"
#include "engine/namespaces.h"
#include "engine/id-maps.h"
#include "engine/network-names.h"
#include "engine/network.h"
#include "engine/policy.h"
#include "engine/remove.h"
#include "engine/secrets.h"
#include "engine/systemd-mode.h"
#include "engine/userns-auto.h"
#include "engine/volumes-from.h"
#include "image/stamp.h"
#include "ns/idmap.h"
#include "proc/caps.h"
#include "proc/masked.h"
#include "proc/sysctl.h"
#include "state/events.h"
#include "state/pod.h"
#include "storage/volume.h"

/* The name stands for what was pulled, unless another image here has it, too (a short name): then the ID. */
static int resolve_pulled(const Store *store, const char *name, const char *id, ImageInfo *ret, Error *reterr) {
        _cleanup_image_info_ ImageInfo info = {};

        if (image_store_resolve(store, name, &info, /* reterr= */ NULL) < 0 || !str_equal(info.id, id))
                return image_store_resolve(store, id, ret, reterr);
        *ret = info;
        info = (ImageInfo){};
        return 0;
}

/* Whether the image is of the platform that was asked for, if one was. */
static bool fits(const ImageInfo *image, const PlatformWish *wish) {
        return (!wish->os && !wish->architecture && !wish->variant) ||
               (platform_fits(wish, image->config.os, image->config.architecture) &&
                (!wish->variant || str_equal(wish->variant, image->config.variant)));
}

static int find_image(const Store *store, const ContainerConfig *config, const CreateOptions *options, ImageInfo *ret,
                      Error *reterr) {
        const char *policy = options->pull ?: "missing";
        bool never = str_equal(policy, "never");
        char id[65];
        int r;

        if (never || str_equal(policy, "missing")) {
                r = image_store_resolve(store, config->image, ret, reterr);
                if (r >= 0 && fits(ret, &options->platform))
                        return r;
                if (r >= 0) {
                        image_info_done(ret);
                        r = error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot use image '%s': the one that is here is for another platform",
                                      config->image);
                }
                if (r != -ENOENT || never)
                        return r;
                policy = "always"; /* it is missing */
        }
        error_done(reterr);
        r = options->pull_image(options->pull_data, config->image, policy, id, reterr);
        return r < 0 ? r : resolve_pulled(store, config->image, id, ret, reterr);
}

/* -v /DIR, --mount type=volume without a source. */
static int name_anonymous_volumes(ContainerConfig *config, Error *reterr) {
        for (size_t i = 0; i < config->n_mounts; i++) {
                ContainerMount *mount = &config->mounts[i];

                if (!str_equal(mount->type, "volume") || mount->source)
                        continue;
                mount->anonymous = true;
                if (!(mount->source = str_random_id(VOLUME_MADE_NAME_LENGTH)))
                        return error_oom(reterr);
        }
        return 0;
}

/* --mount type=image: the image that the name stands for now. */
static int find_mounted_images(const Store *store, ContainerConfig *config, Error *reterr) {
        for (size_t i = 0; i < config->n_mounts; i++) {
                ContainerMount *mount = &config->mounts[i];
                _cleanup_image_info_ ImageInfo image = {};

                if (!str_equal(mount->type, "image"))
                        continue;
                int r = image_store_resolve(store, mount->source, &image, reterr);
                if (r < 0) {
                        r = error_prefix(reterr, r, "cannot mount an image on '%s'", mount->destination);
                        return r == -ENOENT ? error_with_hint(reterr, r, "sdpod pull %s", mount->source) : r;
                }
                if (str_replace(&mount->image_id, image.id) < 0 || !(mount->layers = strv_copy(image.layers)))
                        return error_oom(reterr);
        }
        return 0;
}

/* The image's VOLUMEs become anonymous volumes, or what --image-volume says. */
static int merge_volumes(ContainerConfig *config, char *const *volumes, const char *how, Error *reterr) {
        bool as_tmpfs = str_equal(how, "tmpfs");

        if (str_equal(how, "ignore"))
                return 0;
        for (; volumes && *volumes; volumes++) {
                _cleanup_free_ char *destination = path_simplify(*volumes);

                if (!destination)
                        return error_oom(reterr);
                if (container_has_mount(config, destination))
                        continue;
                ContainerMount *mount = container_array_add((void **) &config->mounts, &config->n_mounts, sizeof(*mount));
                if (!mount)
                        return error_oom(reterr);
                *mount = (ContainerMount){ .type = strdup(as_tmpfs ? "tmpfs" : "volume"), .destination = TAKE_PTR(destination) };
                if (!mount->type)
                        return error_oom(reterr);
        }
        return 0;
}

/* What the command line says of a health check stands, the image fills in the rest; its times only with its command. */
static int merge_health(ContainerConfig *config, const ImageHealth *image) {
        ContainerHealth *health = &config->health;

        if (health->test || !image->test || !image->test[0] || !*image->test[0])
                return 0;
        health->test = strv_copy(image->test);
        health->interval_usec = health->interval_usec ?: (uint64_t) image->interval_nsec / 1000;
        health->timeout_usec = health->timeout_usec ?: (uint64_t) image->timeout_nsec / 1000;
        health->start_period_usec = health->start_period_usec ?: (uint64_t) image->start_period_nsec / 1000;
        health->retries = health->retries ?: (uint32_t) image->retries;
        return health->test ? 0 : -ENOMEM;
}

static int merge_labels(ContainerConfig *config, char *const *image) {
        _cleanup_strv_ char **labels = strv_copy(image);
        int r = image && !labels ? -ENOMEM : 0;

        for (char **p = config->labels; p && *p && r >= 0; p++)
                r = strv_env_set(&labels, *p);
        if (r < 0)
                return r;
        strv_free(config->labels);
        config->labels = TAKE_PTR(labels);
        return 0;
}

static int merge_command(ContainerConfig *config, const ImageConfig *image, const CreateOptions *options) {
        int r = 0;

        /* the image's command belongs to the image's entrypoint (podman-run(1), --entrypoint) */
        if (!config->command && !options->entrypoint_given && image->cmd)
                r = (config->command = strv_copy(image->cmd)) ? 0 : -ENOMEM;
        if (r >= 0 && !options->entrypoint_given && image->entrypoint)
                r = (config->entrypoint = strv_copy(image->entrypoint)) ? 0 : -ENOMEM;
        return r;
}

static int merge_image(ContainerConfig *config, const ImageInfo *image, const CreateOptions *options, Error *reterr) {
        const ImageConfig *defaults = &image->config;
        int r = str_replace(&config->image_name, image->name ?: config->image);

        if (r >= 0)
                r = str_replace(&config->image_id, image->id);
        if (r >= 0)
                r = str_replace(&config->image_digest, image->digest);
        if (r >= 0 && image->layers)
                r = (config->layers = strv_copy(image->layers)) ? 0 : -ENOMEM;
        if (r >= 0)
                r = merge_command(config, defaults, options);
        if (r >= 0 && !config->workdir) {
                r = str_replace(&config->workdir, defaults->workdir);
                config->make_workdir = true;
        }
        if (r >= 0 && !config->user)
                r = str_replace(&config->user, defaults->user);
        if (r >= 0)
                r = merge_labels(config, defaults->labels);
        if (r >= 0)
                r = merge_health(config, &defaults->health);
        for (char **p = defaults->exposed_ports; p && *p && r >= 0; p++)
                if (!strv_contains(config->expose, *p))
                        r = strv_append(&config->expose, *p);
        if (r < 0)
                return error_oom(reterr);
        if (!options->stop_signal_given && defaults->stop_signal && parse_signal(defaults->stop_signal, &config->stop_signal) < 0)
                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use image '%s': '%s' is not a signal", config->image,
                                 defaults->stop_signal);
        return merge_volumes(config, defaults->volumes, options->image_volume, reterr);
}

/* --publish-all: each port that the image or --expose names, on one that is free when it starts. */
static int publish_exposed(ContainerConfig *config, Error *reterr) {
        if (str_equal(config->network, "none") || str_equal(config->network, "host"))
                return 0; /* nothing to be reached, or all is */
        for (char **e = config->expose; e && *e; e++) {
                const char *slash = strchr(*e, '/');
                _cleanup_free_ char *number = strndup(*e, slash ? (size_t) (slash - *e) : strlen(*e));
                _cleanup_free_ char *protocol = strdup(slash ? slash + 1 : "tcp");
                uint32_t port;
                bool known = false;

                if (!number || !protocol)
                        return error_oom(reterr);
                if (parse_u32(number, &port) < 0 || port == 0 || port > UINT16_MAX)
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot publish the exposed port '%s': not a port", *e);
                if (!str_equal(protocol, "tcp") && !str_equal(protocol, "udp"))
                        continue; /* as with --publish there are these two */
                for (size_t i = 0; i < config->n_ports && !known; i++)
                        known = config->ports[i].container_port == port && str_equal(config->ports[i].protocol ?: "tcp", protocol);
                ContainerPort *added = known ? NULL : container_array_add((void **) &config->ports, &config->n_ports, sizeof(*added));
                if (!known && !added)
                        return error_oom(reterr);
                if (added)
                        *added = (ContainerPort){ .container_port = port, .protocol = TAKE_PTR(protocol) };
        }
        return 0;
}

/* What must not be covered: the kernel's own file systems are what isolation hangs on. */
static int check_mounts(const ContainerConfig *config, Error *reterr) {
        static const char *const reserved[] = { "/proc", "/sys" };

        for (size_t i = 0; i < config->n_mounts; i++) {
                _cleanup_free_ char *destination = path_simplify(config->mounts[i].destination);

                if (!destination)
                        return error_oom(reterr);
                if (str_equal(destination, "/"))
                        return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot mount '%s' on '/': the destination must not be the root",
                                         config->mounts[i].source ?: config->mounts[i].type);
                for (size_t k = 0; k < ELEMENTSOF(reserved); k++) {
                        const char *rest = str_after(destination, reserved[k]);

                        if (rest && (!*rest || *rest == '/') && !config->privileged)
                                return error_set(reterr, -EPERM, ERROR_DENIED,
                                                 "cannot mount on '%s': what the kernel shows in %s must not be covered", destination,
                                                 reserved[k]);
                }
                for (size_t k = 0; k < i; k++)
                        if (str_equal(config->mounts[k].destination, config->mounts[i].destination))
                                return error_set(reterr, -EINVAL, ERROR_INVALID, "cannot mount twice on '%s': duplicate mount destination",
                                                 destination);
        }
        return 0;
}

/* What only has a meaning with a check is refused without one. An interval alone is harmless. */
static int check_health(const ContainerConfig *config, Error *reterr) {
        const ContainerHealth *health = &config->health;
        const struct {
                const char *option;
                bool given;
        } needing[] = {
                { "--health-start-period", health->start_period_usec > 0 }, { "--health-timeout", health->timeout_usec > 0 },
                { "--health-retries", health->retries > 0 },                { "--health-interval", health->interval_usec > 0 },
                { "--health-startup-cmd", health->startup_test != NULL },
                { "--health-on-failure", health->on_failure && !str_equal(health->on_failure, "none") },
                { "--sdnotify=healthy", str_equal(config->sdnotify, "healthy") },
        };

        if (container_has_health_check(health) || health->test) /* "none" leaves the rest without effect, as Podman has it */
                return 0;
        for (size_t i = 0; i < ELEMENTSOF(needing); i++)
                if (needing[i].given) {
                        (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot use %s: there is no health check", needing[i].option);
                        return error_with_hint(reterr, -EINVAL, "give one with --health-cmd; the image has none");
                }
        return 0;
}

/* What a start would refuse is refused now, so that no record is left behind. */
static int check(const ContainerConfig *config, Error *reterr) {
        _cleanup_user_map_ UserMap base = {}, map = {};
        _cleanup_masked_paths_ MaskedPaths paths = MASKED_PATHS_NULL;
        CapSet caps;
        uint32_t id;

        if (!config->entrypoint && !config->command) {
                (void) error_set(reterr, -EINVAL, ERROR_INVALID, "cannot create a container of '%s': no command or entrypoint given",
                                 config->image ?: config->rootfs);
                return error_with_hint(reterr, -EINVAL, "the image sets none: put a command after its name");
        }
        int r = check_mounts(config, reterr);
        if (r >= 0)
                r = caps_resolve(config->cap_add, config->cap_drop, config->privileged, &caps, reterr);
        if (r >= 0)
                r = masked_paths_resolve(config->masked_paths_add, config->unmask, config->privileged, &paths, reterr);
        if (r >= 0)
                r = sysctl_check(config->sysctl, SYSCTL_NAMESPACE_IPC | SYSCTL_NAMESPACE_UTS |
                                 (str_equal(config->network, "host") ? 0 : SYSCTL_NAMESPACE_NET), reterr);
        if (r >= 0 && network_has_helper(config))
                r = network_check(config, reterr);
        if (r >= 0)
                r = user_map_default(&base, reterr);
        if (r >= 0)
                r = user_map_for_container(config, &base, &map, reterr);
        if (r < 0)
                return r;
        if (!idmap_to_host(&map.uid, 0, &id) || !idmap_to_host(&map.gid, 0, &id))
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use this ID map: root (0) of the container is not in it, and somebody has to set it up");
        return create_check_host(config, reterr);
}

static int claim_volumes(const Store *store, const ContainerConfig *config, Error *reterr) {
        int r = 0;

        for (size_t i = 0; i < config->n_mounts && r >= 0; i++)
                if (str_equal(config->mounts[i].type, "volume"))
                        r = volume_claim(store, config->mounts[i].source, config->mounts[i].anonymous, reterr);
        return r;
}

/* Whoever removes an image looks for containers once it is out of the list, and we look at the list once our record can be seen. */
static int check_images_stay(const Store *store, const ContainerConfig *config, const ImageStamp *since, Error *reterr) {
        const char *gone = NULL;
        int r = 1;

        if (!image_store_has_changed(store, since))
                return 0;
        if (config->image_id && (r = image_store_still_has(store, config->image, config->image_id, reterr)) == 0)
                gone = config->image;
        for (size_t i = 0; i < config->n_mounts && r > 0; i++)
                if (config->mounts[i].image_id &&
                    (r = image_store_still_has(store, config->mounts[i].source, config->mounts[i].image_id, reterr)) == 0)
                        gone = config->mounts[i].source;
        if (r < 0 || !gone)
                return r < 0 ? r : 0;
        return error_set(reterr, -ENOENT, ERROR_NOT_FOUND, "cannot use image '%s': it was removed meanwhile: no such image", gone);
}

/* Makes way for a name: --replace removes its holder, and so does the find that the holder is a leftover. */
static int clear_name(const Store *store, const char *name, bool replace, Error *reterr) {
        _cleanup_container_ Container holder = CONTAINER_NULL;
        int r = container_open(store, name, &holder, /* reterr= */ NULL);

        if (r < 0 || !str_equal(holder.config.name, name))
                return 0;
        if (!replace) {
                if (!engine_is_leftover(store, &holder))
                        return 0;
                /* its maker holds the lock until it is in charge: under the lock the answer is final */
                r = container_lock(store, &holder, reterr);
                if (r == -ENOENT) {
                        error_done(reterr);
                        return 0;
                }
                if (r < 0 || !engine_is_leftover(store, &holder))
                        return r;
                container_unlock(&holder);
                log_debug("removing container %.12s, which a killed command left behind", holder.config.id);
        }
        return engine_remove(store, &holder, &(RemoveOptions){ .force = true, .volumes = true }, reterr);
}

/* The ID that keep-id puts the user at is the one that is mapped to the user. */
static int keep_user(ContainerConfig *config, Error *reterr) {
        _cleanup_user_map_ UserMap base = {}, map = {};
        uint32_t uid, gid;
        int r = user_map_default(&base, reterr);

        if (r >= 0)
                r = user_map_for_container(config, &base, &map, reterr);
        if (r < 0 || !idmap_from_host(&map.uid, getuid(), &uid) || !idmap_from_host(&map.gid, getgid(), &gid))
                return r;
        return (config->user = str_format("%u:%u", uid, gid)) ? 0 : error_oom(reterr);
}

/* The record, and before it the marks by which those that it needs stay, and its pod knows of it. */
static int make_record(const Store *store, ContainerConfig *config, Container *ret, Error *reterr) {
        _cleanup_dependency_marks_ DependencyMarks marks = {};
        _cleanup_pod_ Pod pod = POD_NULL;
        int r = 0;

        if (config->pod)
                r = pod_load(store, config->pod, &pod, reterr);
        if (r >= 0 && config->pod)
                r = pod_lock(&pod, reterr);
        if (r >= 0 && config->pod)
                r = pod_add_member(&pod, config->id, reterr);
        if (r < 0)
                return r;
        r = dependencies_mark(store, config, &marks, reterr);
        if (r >= 0) {
                r = container_create(store, config, ret, reterr);
                if (r < 0)
                        dependencies_unmark(store, config);
        }
        if (r < 0 && config->pod)
                pod_drop_member(store, config->pod, config->id);
        return r == -EEXIST ? error_with_hint(reterr, r, "remove that container first, or use --replace to do it at once") : r;
}

/* What comes once the record can be seen. */
static int complete(const Store *store, Container *container, const ImageStamp *images_before, Error *reterr) {
        int r = check_images_stay(store, &container->config, images_before, reterr);

        if (r >= 0)
                r = claim_volumes(store, &container->config, reterr);
        return r < 0 ? r : secrets_keep(store, container, reterr);
}

int engine_create(const Store *store, ContainerConfig *config, const CreateOptions *options, Container *ret, Error *reterr) {
        _cleanup_container_ Container container = CONTAINER_NULL;
        _cleanup_image_info_ ImageInfo image = {};
        _cleanup_fd_ int auto_lock = -EBADF;
        const ImageStamp images_before = image_store_stamp(store);
        int r = 0;

        if (config->name && !container_name_is_valid(config->name))
                return error_set(reterr, -EINVAL, ERROR_INVALID,
                                 "cannot use the name '%s': names have letters, digits, '_', '.' and '-' and begin with a letter or digit",
                                 config->name);
        if (!config->id && !(config->id = str_random_id(CONTAINER_ID_LENGTH)))
                return error_oom(reterr);
        r = volumes_from_merge(store, config, options->replace, reterr); /* over what the image wants */
        if (r >= 0 && !config->rootfs && !config->infra) {
                r = find_image(store, config, options, &image, reterr);
                if (r >= 0)
                        r = merge_image(config, &image, options, reterr);
        }
        if (r >= 0)
                r = policy_check_profile(config, reterr);
        if (r >= 0)
                r = create_expand_devices(config, reterr);
        if (r >= 0 && config->publish_all)
                r = publish_exposed(config, reterr);
        if (r >= 0)
                r = id_maps_apply(config, options->uid_maps, options->gid_maps, reterr);
        if (r >= 0)
                r = userns_from_names(config, options->sub_uid_name, options->sub_gid_name, reterr);
        /* who keeps their ID runs under it (podman-run(1), --userns) */
        if (r >= 0 && !config->user && config->userns && str_after(config->userns, "keep-id"))
                r = keep_user(config, reterr);
        if (r >= 0 && options->storage_driver && !config->rootfs && !config->infra)
                r = str_replace(&config->storage_driver, options->storage_driver) < 0 ? error_oom(reterr) : 0;
        if (r >= 0)
                r = find_mounted_images(store, config, reterr);
        if (r >= 0)
                r = namespaces_resolve(store, config, options->replace, reterr);
        if (r >= 0)
                r = network_names_resolve(store, config, reterr);
        if (r >= 0)
                r = name_anonymous_volumes(config, reterr);
        if (r >= 0)
                r = create_env_merge(config, image.config.env, options, reterr);
        if (r >= 0)
                r = systemd_mode_choose(config, options->stop_signal_given, reterr);
        if (r >= 0)
                r = userns_auto_choose(store, config, &auto_lock, reterr);
        if (r >= 0)
                r = check_health(config, reterr);
        if (r >= 0)
                r = secrets_resolve(store, config, reterr);
        if (r >= 0)
                r = check(config, reterr);
        if (r >= 0)
                engine_collect(store);
        if (r >= 0 && config->name)
                r = clear_name(store, config->name, options->replace, reterr);
        if (r >= 0)
                r = make_record(store, config, &container, reterr);
        if (r < 0)
                return r;
        r = complete(store, &container, &images_before, reterr);
        if (r < 0) {
                dependencies_unmark(store, &container.config);
                if (container.config.pod)
                        pod_drop_member(store, container.config.pod, container.config.id);
                (void) container_delete(store, &container, /* remove_rootfs= */ NULL, /* data= */ NULL, /* reterr= */ NULL);
                return r;
        }
        event_container(store, &container.config, "create", EVENT_NO_EXIT_CODE);
        *ret = container;
        container = CONTAINER_NULL;
        return 0;
}
