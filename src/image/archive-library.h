/* SPDX-License-Identifier: Apache-2.0 */
/* libarchive, loaded where something is compressed or decompressed that ISA-L cannot: what only reads trees does without it and the ten
 * libraries that it brings. The functions have their own names where this header is included. */
#pragma once

#include <archive.h>
#include <archive_entry.h>

#include "base/error.h"

#define ARCHIVE_LIBRARY_FUNCTIONS(X) \
        X(read_data) X(read_free) X(read_new) X(read_next_header) X(read_open) X(read_support_filter_bzip2) \
        X(read_support_filter_xz) X(read_support_filter_zstd) X(read_support_format_raw) X(errno) \
        X(error_string) X(set_error) X(entry_free) X(entry_new) X(entry_set_filetype) \
        X(write_add_filter_by_name) X(write_add_filter_zstd) X(write_close) X(write_data) X(write_free) \
        X(write_header) X(write_new) X(write_open) X(write_open_fd) X(write_set_bytes_in_last_block) \
        X(write_set_bytes_per_block) X(write_set_filter_option) X(write_set_format_raw)

typedef struct ArchiveLibrary {
#define X(name) typeof(&archive_##name) f_##name;
        ARCHIVE_LIBRARY_FUNCTIONS(X)
#undef X
} ArchiveLibrary;

extern ArchiveLibrary archive_library;

/* Fills it; costs nothing the second time. It is called before a sandbox, where there is either no library to be found or, in a
 * container, one of a stranger's. */
int archive_library_load(Error *reterr);

/* Whether that was done: 0 or an error. It loads nothing. */
int archive_library_check(Error *reterr);

#define archive_read_data archive_library.f_read_data
#define archive_read_free archive_library.f_read_free
#define archive_read_new archive_library.f_read_new
#define archive_read_next_header archive_library.f_read_next_header
#define archive_read_open archive_library.f_read_open
#define archive_read_support_filter_bzip2 archive_library.f_read_support_filter_bzip2
#define archive_read_support_filter_xz archive_library.f_read_support_filter_xz
#define archive_read_support_filter_zstd archive_library.f_read_support_filter_zstd
#define archive_read_support_format_raw archive_library.f_read_support_format_raw
#define archive_errno archive_library.f_errno
#define archive_error_string archive_library.f_error_string
#define archive_set_error archive_library.f_set_error
#define archive_entry_free archive_library.f_entry_free
#define archive_entry_new archive_library.f_entry_new
#define archive_entry_set_filetype archive_library.f_entry_set_filetype
#define archive_write_add_filter_by_name archive_library.f_write_add_filter_by_name
#define archive_write_add_filter_zstd archive_library.f_write_add_filter_zstd
#define archive_write_close archive_library.f_write_close
#define archive_write_data archive_library.f_write_data
#define archive_write_free archive_library.f_write_free
#define archive_write_header archive_library.f_write_header
#define archive_write_new archive_library.f_write_new
#define archive_write_open archive_library.f_write_open
#define archive_write_open_fd archive_library.f_write_open_fd
#define archive_write_set_bytes_in_last_block archive_library.f_write_set_bytes_in_last_block
#define archive_write_set_bytes_per_block archive_library.f_write_set_bytes_per_block
#define archive_write_set_filter_option archive_library.f_write_set_filter_option
#define archive_write_set_format_raw archive_library.f_write_set_format_raw
