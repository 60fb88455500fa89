/* SPDX-License-Identifier: Apache-2.0 */
/* Images from registries. */
#pragma once

#include "image/stage.h"
#include "registry/client.h"
#include "spec/platform.h"

typedef enum PullPolicy {
        PULL_ALWAYS,  /* ask the registry; what is here already is not fetched again */
        PULL_MISSING, /* not where an image of the name is here */
        PULL_NEWER,   /* where the registry's is another one; what is here does where the registry cannot be asked */
        PULL_NEVER,
        _PULL_POLICY_INVALID = -EINVAL,
} PullPolicy;

PullPolicy pull_policy_from_string(const char *text);

typedef struct PullOptions {
        RegistryOptions registry;
        PlatformWish platform;
        PullPolicy policy;
        const char *check;   /* the ID of an image: nothing is pulled, but whether the registry has another one is printed */
        bool all_tags, quiet;
        bool with_parent;    /* ends when the parent does, and tells it result and error on stdout, which is a socket */
} PullOptions;

/* Pulls what the word means ("busybox", "docker://quay.io/a/b:1", "a/b@sha256:...") and prints the image's ID to stdout, for each
 * tag one with `all_tags`. What goes on is told on stderr. */
int image_pull(Stage *stage, const char *word, const PullOptions *options, Error *reterr);

/* `sdpod-image [global options] pull [options] NAME...`: the whole program. */
int pull_command(int argc, char **argv);
