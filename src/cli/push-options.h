/* SPDX-License-Identifier: Apache-2.0 */
/* The options that push and manifest push share, and how they become words for sdpod-image. */
#pragma once

#include "cli/registry-options.h"

typedef struct PushWords {
        RegistryWords registry;
        char *compression_format, *compression_level, *digest_file, *format;
        bool force_compression, quiet;
} PushWords;

extern const char *const push_compressions[], *const push_formats[];

#define OPTION_ROW_COMPRESSION_FORMAT(type, member) \
        { "compression-format", .kind = OPTION_STRING, .offset = offsetof(type, member.compression_format), .metavar = "FORMAT", \
          .help = "Compress layers by gzip (the default) or zstd", .complete = COMPLETE_WORDS, .words = push_compressions }
#define OPTION_ROW_COMPRESSION_LEVEL(type, member) \
        { "compression-level", .kind = OPTION_STRING, .offset = offsetof(type, member.compression_level), .metavar = "LEVEL", \
          .help = "How hard: 1 to 9 for gzip, to 20 for zstd" }
#define OPTION_ROW_DIGESTFILE(type, member) \
        { "digestfile", .kind = OPTION_STRING, .offset = offsetof(type, member.digest_file), .metavar = "FILE", .complete = COMPLETE_FILE, \
          .help = "Write the digest of what was pushed to this file" }
#define OPTION_ROW_FORCE_COMPRESSION(type, member) \
        { "force-compression", .kind = OPTION_BOOL, .offset = offsetof(type, member.force_compression), \
          .help = "Compress so also what the destination has in another form" }
#define OPTION_ROW_PUSH_FORMAT(type, member) \
        { "format", 'f', .kind = OPTION_STRING, .offset = offsetof(type, member.format), .metavar = "TYPE", \
          .help = "Push a manifest of the type oci or v2s2", .complete = COMPLETE_WORDS, .words = push_formats }
#define OPTION_ROW_PUSH_QUIET(type, member) \
        { "quiet", 'q', .kind = OPTION_BOOL, .offset = offsetof(type, member.quiet), .help = "Do not say what is done" }

/* Appends them; 0, -ENOMEM or -EINVAL. */
int push_words(const PushWords *push, const Invocation *in, char ***words, Error *reterr);
