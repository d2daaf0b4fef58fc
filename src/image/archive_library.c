/* SPDX-License-Identifier: MIT */
#include "image/archive_library.h"
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
    SYMBOL(read_support_filter_zstd),
    SYMBOL(read_open2),
    SYMBOL(read_next_header),
    SYMBOL(read_data),
    SYMBOL(filter_code),
    SYMBOL(read_free),
    SYMBOL(write_new),
    SYMBOL(write_set_format_pax_restricted),
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
    SYMBOL(entry_set_pathname),
    SYMBOL(entry_set_size),
    SYMBOL(entry_set_filetype),
    SYMBOL(entry_set_perm),
    SYMBOL(entry_set_mtime),
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

const struct library library_archive = {"libarchive", "Archives of images", version, true};
