/* SPDX-License-Identifier: MIT */
/* libarchive, loaded when the first archive is opened. Only the types come from its headers. */
#ifndef ARCHIVE_LIBRARY_H
#define ARCHIVE_LIBRARY_H

#include <archive.h>
#include <archive_entry.h>
#include <stdint.h>

/* The functions, named as in their manual pages but without "archive_". Valid after archive_need has returned 0. */
struct archive_library {
    const char *(*error_string)(struct archive *);
    void (*set_error)(struct archive *, int, const char *, ...);
    struct archive *(*read_new)(void);
    int (*read_support_format_tar)(struct archive *);
    int (*read_support_filter_gzip)(struct archive *);
    int (*read_support_filter_bzip2)(struct archive *);
    int (*read_support_filter_xz)(struct archive *);
    int (*read_support_filter_lz4)(struct archive *);
    int (*read_support_filter_zstd)(struct archive *);
    int (*read_open2)(struct archive *, void *, archive_open_callback *, archive_read_callback *,
                      archive_skip_callback *, archive_close_callback *);
    int (*read_next_header)(struct archive *, struct archive_entry **);
    la_ssize_t (*read_data)(struct archive *, void *, size_t);
    int (*read_data_block)(struct archive *, const void **, size_t *, la_int64_t *);
    int (*read_data_skip)(struct archive *);
    la_int64_t (*filter_bytes)(struct archive *, int);
    int (*filter_code)(struct archive *, int);
    int (*read_free)(struct archive *);
    struct archive *(*write_new)(void);
    int (*write_set_format_pax_restricted)(struct archive *);
    int (*write_set_format_pax)(struct archive *);
    int (*write_set_options)(struct archive *, const char *);
    int (*write_set_bytes_per_block)(struct archive *, int);
    int (*write_open)(struct archive *, void *, archive_open_callback *, archive_write_callback *,
                      archive_close_callback *);
    int (*write_header)(struct archive *, struct archive_entry *);
    la_ssize_t (*write_data)(struct archive *, const void *, size_t);
    int (*write_finish_entry)(struct archive *);
    int (*write_close)(struct archive *);
    int (*write_free)(struct archive *);
    struct archive_entry *(*entry_new)(void);
    void (*entry_free)(struct archive_entry *);
    const char *(*entry_pathname)(struct archive_entry *);
    const char *(*entry_symlink)(struct archive_entry *);
    const char *(*entry_hardlink)(struct archive_entry *);
    la_int64_t (*entry_size)(struct archive_entry *);
    __LA_MODE_T (*entry_filetype)(struct archive_entry *);
    __LA_MODE_T (*entry_perm)(struct archive_entry *);
    la_int64_t (*entry_uid)(struct archive_entry *);
    la_int64_t (*entry_gid)(struct archive_entry *);
    dev_t (*entry_rdev)(struct archive_entry *);
    int (*entry_mtime_is_set)(struct archive_entry *);
    time_t (*entry_mtime)(struct archive_entry *);
    long (*entry_mtime_nsec)(struct archive_entry *);
    int (*entry_atime_is_set)(struct archive_entry *);
    time_t (*entry_atime)(struct archive_entry *);
    long (*entry_atime_nsec)(struct archive_entry *);
    void (*entry_fflags)(struct archive_entry *, unsigned long *, unsigned long *);
    int (*entry_xattr_reset)(struct archive_entry *);
    int (*entry_xattr_next)(struct archive_entry *, const char **, const void **, size_t *);
    int (*entry_acl_reset)(struct archive_entry *, int);
    int (*entry_acl_next)(struct archive_entry *, int, int *, int *, int *, int *, const char **);
    void (*entry_set_pathname)(struct archive_entry *, const char *);
    void (*entry_set_size)(struct archive_entry *, la_int64_t);
    void (*entry_set_filetype)(struct archive_entry *, unsigned);
    void (*entry_set_perm)(struct archive_entry *, __LA_MODE_T);
    void (*entry_set_mtime)(struct archive_entry *, time_t, long);
    void (*entry_set_uid)(struct archive_entry *, la_int64_t);
    void (*entry_set_gid)(struct archive_entry *, la_int64_t);
    void (*entry_set_rdev)(struct archive_entry *, dev_t);
    void (*entry_set_symlink)(struct archive_entry *, const char *);
    void (*entry_set_hardlink)(struct archive_entry *, const char *);
    void (*entry_set_fflags)(struct archive_entry *, unsigned long, unsigned long);
    void (*entry_xattr_add_entry)(struct archive_entry *, const char *, const void *, size_t);
    int (*entry_acl_add_entry)(struct archive_entry *, int, int, int, int, const char *);
    void (*entry_sparse_add_entry)(struct archive_entry *, la_int64_t, la_int64_t);
};

extern struct archive_library archive;

/* Times, with seconds of 64 bits. On a machine of 32 bits libarchive may have been compiled with a time_t that is
 * shorter than leat's, so entry_mtime, entry_atime and entry_set_mtime are called through these. */
int64_t archive_mtime(struct archive_entry *entry);
int64_t archive_atime(struct archive_entry *entry);
void archive_set_mtime(struct archive_entry *entry, int64_t seconds, long nanoseconds);

/* Loads libarchive. Returns what loader_need returns. */
int archive_need(const char **ret_why);

#endif
