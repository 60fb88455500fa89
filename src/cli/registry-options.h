/* SPDX-License-Identifier: Apache-2.0 */
/* The options that all verbs have which speak to a registry, and those that choose a platform. A verb puts the structs into its
 * own and the rows, by their macros, into its sorted table. */
#pragma once

#include "cli/verb.h"

typedef struct RegistryWords {
        char *authfile, *cert_dir, *creds, *retry;
        uint64_t retry_delay_usec;
        bool tls_verify;    /* counts where it was given */
} RegistryWords;

typedef struct PlatformWords {
        char *arch, *os, *platform, *variant;
} PlatformWords;

#define OPTION_ROW_AUTHFILE(type, member) \
        { "authfile", .kind = OPTION_STRING, .offset = offsetof(type, member.authfile), .metavar = "FILE", .complete = COMPLETE_FILE, \
          .help = "Where the credentials for registries are" }
#define OPTION_ROW_CERT_DIR(type, member) \
        { "cert-dir", .kind = OPTION_STRING, .offset = offsetof(type, member.cert_dir), .metavar = "DIR", .complete = COMPLETE_DIRECTORY, \
          .help = "Where the certificates for the registry are" }
#define OPTION_ROW_CREDS(type, member) \
        { "creds", .kind = OPTION_STRING, .offset = offsetof(type, member.creds), .metavar = "USER[:PASSWORD]", \
          .help = "Log in to the registry with these" }
#define OPTION_ROW_RETRY(type, member) \
        { "retry", .kind = OPTION_STRING, .offset = offsetof(type, member.retry), .metavar = "N", \
          .help = "Try so many times more what failed for a while; default 3" }
#define OPTION_ROW_RETRY_DELAY(type, member) \
        { "retry-delay", .kind = OPTION_DURATION, .offset = offsetof(type, member.retry_delay_usec), .metavar = "TIME", \
          .help = "Wait so long in between; default from 1s, doubled each time" }
#define OPTION_ROW_TLS_VERIFY(type, member) \
        { "tls-verify", .kind = OPTION_BOOL, .offset = offsetof(type, member.tls_verify), \
          .help = "Check the registry's certificate, or take plain http, too; default as configured" }

#define OPTION_ROW_ARCH(type, member) \
        { "arch", .optional = true, .kind = OPTION_STRING, .offset = offsetof(type, member.arch), .metavar = "ARCH", \
          .help = "The architecture of the image, not this machine's" }
#define OPTION_ROW_OS(type, member) \
        { "os", .optional = true, .kind = OPTION_STRING, .offset = offsetof(type, member.os), .metavar = "OS", .help = "The operating system of the image" }
#define OPTION_ROW_PLATFORM(type, member) \
        { "platform", .optional = true, .kind = OPTION_STRING, .offset = offsetof(type, member.platform), .metavar = "OS/ARCH[/VARIANT]", \
          .help = "The same three in one" }
#define OPTION_ROW_VARIANT(type, member) \
        { "variant", .optional = true, .kind = OPTION_STRING, .offset = offsetof(type, member.variant), .metavar = "VARIANT", \
          .help = "The variant of the architecture" }

/* Appends them as words for sdpod-image; the credentials go into the environment. -EINVAL where two of them do not go together. */
int registry_words(const RegistryWords *registry, const Invocation *in, char ***words, Error *reterr);
int platform_words(const PlatformWords *platform, char ***words, Error *reterr);

/* Pulls the image of a container that is made: sdpod-image does it, as nothing of a registry is linked into sdpod. The image's ID
 * goes to ret_id. */
int registry_pull(const Invocation *in, const char *image, const char *policy, bool quiet, const RegistryWords *registry,
                  const PlatformWords *platform, char ret_id[65], Error *reterr);
