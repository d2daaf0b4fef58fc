/* Reading tar files, also those that gzip or zstd have compressed. They are untrusted: nothing is ever made in the file
 * system after a name in them, entries are only looked up. */
#ifndef IMAGE_ARCHIVE_TAR_H
#define IMAGE_ARCHIVE_TAR_H

#include "base/error.h"
#include "image/watch.h"
#include <leat/endpoint.h>
#include <stdbool.h>

struct tar_entry {
    char *name;    /* without "./" in front */
    char *link;    /* the name of the entry that it stands for; NULL: it is a file */
    uint64_t size; /* as its header says */
    uint32_t ordinal;
};

struct tar {
    int fd;
    const char *path;          /* the caller's */
    struct image_watch *watch; /* of the call, or NULL */
    struct tar_entry *entry;   /* files and links, sorted by name */
    size_t count, capacity, bytes;
};

/* Reads the names of all entries, so it reads the file to its end if it is compressed. `path` and
 * `watch` are borrowed. Where the caller of the call wants no more, each read fails with -ECANCELED. -EINVAL: it
 * is no regular file; -EBADMSG: it is no tar file, it is cut, or it has more entries than can be kept; -ELIBACC. */
int tar_open(struct tar *ret, const char *path, struct image_watch *watch, struct leat_error *error);
/* Legal on what is all zero but for `fd`, which is -1. */
void tar_close(struct tar *tar);

/* The file of this name; links are followed, within the archive. -ENOENT: there is none; -EBADMSG: there are several,
 * or the links have no end. */
int tar_find(const struct tar *tar, const char *name, const struct tar_entry **ret, struct leat_error *error);

/* A source that yields the bytes of an entry. It borrows `tar`. Where its header lies about its size, or the file is
 * cut, it fails with -EBADMSG. */
int tar_source(leat_endpoint **ret, const struct tar *tar, const struct tar_entry *entry, struct leat_error *error);

/* All bytes of an entry that has at most `max`, with a NUL behind them, to be freed. -EBADMSG. */
int tar_read(const struct tar *tar, const struct tar_entry *entry, size_t max, char **ret, size_t *ret_n,
             struct leat_error *error);

#endif
