/* SPDX-License-Identifier: MIT */
#include "archive/library.h"
#include "base/library.h"
#include "base/loader.h"
#include <stdbool.h>

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

/* A call with seconds that are too long puts their upper half in the place of the nanoseconds. */
static bool has_short_times(void)
{
    struct archive_entry *tried = sizeof(time_t) == sizeof(long) ? NULL : archive.entry_new();
    if (!tried)
        return false;
    archive.entry_set_mtime(tried, 1, 2);
    bool is_short = archive.entry_mtime_nsec(tried) != 2;
    archive.entry_free(tried);
    return is_short;
}

static int64_t read_time(time_t (*function)(struct archive_entry *), struct archive_entry *entry)
{
    typedef long short_function(struct archive_entry *);
    if (has_short_times())
        return ((short_function *)(void (*)(void))function)(entry);
    return function(entry);
}

int64_t archive_mtime(struct archive_entry *entry)
{
    return read_time(archive.entry_mtime, entry);
}

int64_t archive_atime(struct archive_entry *entry)
{
    return read_time(archive.entry_atime, entry);
}

void archive_set_mtime(struct archive_entry *entry, int64_t seconds, long nanoseconds)
{
    typedef void short_function(struct archive_entry *, long, long);
    if (has_short_times()) {
        ((short_function *)(void (*)(void))archive.entry_set_mtime)(entry, (long)seconds, nanoseconds);
        return;
    }
    archive.entry_set_mtime(entry, (time_t)seconds, nanoseconds);
}

static const char *version(void)
{
    return ARCHIVE_VERSION_ONLY_STRING;
}

const struct library library_archive = {"libarchive", "Archives of images and of trees", version, true};
