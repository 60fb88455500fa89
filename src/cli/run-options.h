/* SPDX-License-Identifier: Apache-2.0 */
/* The options of run and create: a ContainerConfig, filled by the table, and what concerns only this command. */
#pragma once

#include "cli/parse-network.h"
#include "cli/registry-options.h"
#include "cli/verb.h"
#include "spec/container.h"

typedef struct RunOptions {
        ContainerConfig config; /* first: see config-options.h */

        /* read by run_options_finish() into the config */
        char **env, **env_files, **labels, **label_files;
        char *cgroups, *sdnotify;
        bool env_host, http_proxy, no_healthcheck, use_rootfs;

        /* for the command */
        bool detach, replace, quiet;
        bool print_quadlet;     /* print the unit file that does the same, and do nothing */
        bool sig_proxy;         /* default true */
        char **attach;          /* "stdin", "stdout", "stderr"; NULL: by detach and interactive */
        char *detach_keys;
        char *cidfile;
        char *pod, *pod_id_file;
        NetworkWords network;
        RegistryWords registry;
        PlatformWords platform;
        const char *image_volume; /* NULL: "anonymous"; "bind", "tmpfs", "ignore" */
        char *pull;             /* NULL: "missing"; "always", "never", "newer" */
        bool entrypoint_given;  /* config.entrypoint replaces the image's (and its command) even when it is empty */
        bool stop_signal_given, stop_timeout_given;
        char **env_pairs_host;  /* "K=V" of --env-host and --http-proxy: over the image's, below `env` */
        char **env_merge, **unset_env;
        bool unset_env_all;
        uint32_t preserve_fds;
        char **preserve_fd;     /* numbers */
        char **uid_maps, **gid_maps; /* those with flags */
        char *sub_uid_name, *sub_gid_name;
} RunOptions;
static_assert(offsetof(RunOptions, config) == 0, "the rows of config-options.h count from it");

extern const RunOptions run_options_default;

/* NULL-terminated lists of tables for Verb.options. */
extern const Option *const run_option_tables[], *const create_option_tables[];

/* Checks what options say together, reads the files they name, and completes the config: image or rootfs and command
 * from the arguments, environment, labels, $NOTIFY_SOCKET and $SDPOD_SYSTEMD_UNIT ($PODMAN_SYSTEMD_UNIT). The image's
 * own settings are not merged in here. `environ_now` is environ(7). */
int run_options_finish(RunOptions *options, const Invocation *invocation, char *const *environ_now, Error *reterr);

/* The part of it that concerns the process and its life (run-process.c). */
int run_options_finish_process(RunOptions *options, const Invocation *invocation, Error *reterr);

/* For Verb.options_done. */
void run_options_done(void *options);
