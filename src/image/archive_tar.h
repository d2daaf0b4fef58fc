/* Reads tar files, plain or compressed by gzip or zstd. They are untrusted: no name in them becomes a name in the file
 * system; entries are only looked up. */
#ifndef IMAGE_ARCHIVE_TAR_H
#define IMAGE_ARCHIVE_TAR_H

#include "base/error.h"
#include "image/watch.h"
#include <leat/endpoint.h>
#include <stdbool.h>

struct tar_entry {
    char *name;    /* without a leading "./" */
    char *link;    /* for a link: the name of the target entry; NULL: a file */
    uint64_t size; /* from the header */
    uint32_t ordinal;
};

struct tar {
    int fd;
    const char *path;          /* borrowed from the caller */
    struct image_watch *watch; /* watch of the call, or NULL */
    struct tar_entry *entry;   /* files and links, sorted by name */
    size_t count, capacity, bytes;
};

/* Reads the names of all entries. If the file is compressed, that reads it to its end. `path` and `watch` are borrowed.
 * If the caller cancels the call, each read fails with -ECANCELED. Returns 0; -EINVAL if it is not a regular file;
 * -EBADMSG if it is not a tar file, is incomplete, or has too many entries; or -ELIBACC. */
int tar_open(struct tar *ret, const char *path, struct image_watch *watch, struct leat_error *error);
/* Legal on a struct that is zero, except that `fd` is -1. */
void tar_close(struct tar *tar);

/* Finds the file with this name. Links are followed within the archive. Returns 0, -ENOENT if there is none, or
 * -EBADMSG if there are several or the links form a loop. */
int tar_find(const struct tar *tar, const char *name, const struct tar_entry **ret, struct leat_error *error);

/* Makes a source with the bytes of an entry. It borrows `tar`. If the size in the header is wrong or the file is
 * incomplete, the source fails with -EBADMSG. */
int tar_source(leat_endpoint **ret, const struct tar *tar, const struct tar_entry *entry, struct leat_error *error);

/* Reads all bytes of an entry, at most `max`, and adds a NUL. The caller frees *ret. Returns 0 or -EBADMSG. */
int tar_read(const struct tar *tar, const struct tar_entry *entry, size_t max, char **ret, size_t *ret_n,
             struct leat_error *error);

#endif
