/* SPDX-License-Identifier: MIT */
#include "archive/library.h"
#include "base/library.h"
#include "base/loader.h"

struct archive_library archive;

#define SYMBOL(name)                                                                                                   \
    {                                                                                                                  \
        "archive_" #name, &archive.name                                                                                \
    }

static const struct loader_symbol symbols[] = {
    SYMBOL(error_string),
    SYMBOL(set_error),
    SYMBOL(read_new),
    SYMBOL(read_support_format_tar),
    SYMBOL(read_support_filter_gzip),
    SYMBOL(read_support_filter_bzip2),
    SYMBOL(read_support_filter_xz),
    SYMBOL(read_support_filter_lz4),
    SYMBOL(read_support_filter_zstd),
    SYMBOL(read_open2),
    SYMBOL(read_next_header),
    SYMBOL(read_data),
    SYMBOL(read_data_block),
    SYMBOL(read_data_skip),
    SYMBOL(filter_bytes),
    SYMBOL(filter_code),
    SYMBOL(read_free),
    SYMBOL(write_new),
    SYMBOL(write_set_format_pax_restricted),
    SYMBOL(write_set_format_pax),
    SYMBOL(write_set_options),
    SYMBOL(write_set_bytes_per_block),
    SYMBOL(write_open),
    SYMBOL(write_header),
    SYMBOL(write_data),
    SYMBOL(write_finish_entry),
    SYMBOL(write_close),
    SYMBOL(write_free),
    SYMBOL(entry_new),
    SYMBOL(entry_free),
    SYMBOL(entry_pathname),
    SYMBOL(entry_symlink),
    SYMBOL(entry_hardlink),
    SYMBOL(entry_size),
    SYMBOL(entry_filetype),
    SYMBOL(entry_perm),
    SYMBOL(entry_uid),
    SYMBOL(entry_gid),
    SYMBOL(entry_rdev),
    SYMBOL(entry_mtime_is_set),
    SYMBOL(entry_mtime),
    SYMBOL(entry_mtime_nsec),
    SYMBOL(entry_atime_is_set),
    SYMBOL(entry_atime),
    SYMBOL(entry_atime_nsec),
    SYMBOL(entry_fflags),
    SYMBOL(entry_xattr_reset),
    SYMBOL(entry_xattr_next),
    SYMBOL(entry_acl_reset),
    SYMBOL(entry_acl_next),
    SYMBOL(entry_set_pathname),
    SYMBOL(entry_set_size),
    SYMBOL(entry_set_filetype),
    SYMBOL(entry_set_perm),
    SYMBOL(entry_set_mtime),
    SYMBOL(entry_set_uid),
    SYMBOL(entry_set_gid),
    SYMBOL(entry_set_rdev),
    SYMBOL(entry_set_symlink),
    SYMBOL(entry_set_hardlink),
    SYMBOL(entry_set_fflags),
    SYMBOL(entry_xattr_add_entry),
    SYMBOL(entry_acl_add_entry),
    SYMBOL(entry_sparse_add_entry),
};

int archive_need(const char **ret_why)
{
    static const char *const names[] = {"libarchive.so.13", "libarchive.so", NULL};
    static struct loader loader = {
        .names = names,
        .symbols = symbols,
        .count = COUNT(symbols),
        .missing = "libarchive.so.13 is not there (package libarchive13, libarchive or the like)",
        .other = "libarchive is older than 3.4",
        .poor = "libarchive can't be loaded, for want of memory or descriptors",
        .lock = PTHREAD_MUTEX_INITIALIZER,
    };
    return loader_need(&loader, ret_why);
}

static const char *version(void)
{
    return ARCHIVE_VERSION_ONLY_STRING;
}

const struct library library_archive = {"libarchive", "Archives of images and of trees", version, true};
