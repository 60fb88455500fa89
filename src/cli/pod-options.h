/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `pod create`: a PodConfig, and the ContainerConfig of its infra container, filled by one table. */
#pragma once

#include "cli/parse-network.h"
#include "cli/verb.h"
#include "spec/pod.h"

typedef struct PodOptions {
        ContainerConfig infra; /* first: see config-options.h */
        PodConfig pod;

        /* read by pod_options_finish() into the configs */
        char **labels, **label_files;
        char *name, *share;
        NetworkWords network;
        bool want_infra, share_parent; /* default true */

        bool replace, print_quadlet;
        char *id_file;
} PodOptions;
static_assert(offsetof(PodOptions, infra) == 0, "the rows of config-options.h count from it");

extern const PodOptions pod_options_default;
extern const Option *const pod_option_tables[];
void pod_options_done(void *options);

/* Checks what options say together and completes the configs. `environ_now` is environ(7). */
int pod_options_finish(PodOptions *options, const Invocation *invocation, char *const *environ_now, Error *reterr);

/* --share: "net,ipc", "+pid" beside the default, "" and "none"; into a sorted vector. Exposed for its test. */
int pod_share_parse(const char *value, char ***ret, Error *reterr);
