/* SPDX-License-Identifier: MIT */
/* Reads tar files, plain or compressed by gzip or zstd. They are untrusted: no name in them becomes a name in the file
 * system; entries are only looked up. */
#ifndef IMAGE_ARCHIVE_TAR_H
#define IMAGE_ARCHIVE_TAR_H

#include "base/error.h"
#include "image/watch.h"
#include <leat/endpoint.h>
#include <stdbool.h>
#include <sys/types.h>

struct tar_entry {
    char *name;    /* without a leading "./" */
    char *link;    /* for a link: the name of the target entry; NULL: a file */
    uint64_t size; /* from the header */
    uint32_t ordinal;
    char *bytes; /* of a small file of a compressed archive; NULL: they are in the archive */
    off_t kept;  /* where tar_keep has put the bytes; -1: nowhere */
};

struct tar {
    int fd;
    int kept; /* a file without a name with bytes of entries; -1: none */
    bool compressed;
    const char *path;                     /* borrowed from the caller */
    struct image_watch *watch;            /* watch of the call, or NULL */
    struct tar_entry *entry;              /* files and links, sorted by name */
    size_t count, capacity, bytes, small; /* bytes: of all names; small: of all files in `bytes` of an entry */
};

/* Reads the names of all entries. If the file is compressed, that reads it to its end. `path` and `watch` are borrowed.
 * If the caller cancels the call, each read fails with -ECANCELED. Returns 0; -EINVAL if it is not a regular file;
 * -EBADMSG if it is not a tar file, is incomplete, or has too many entries; or -ELIBACC. After tar_open the struct must
 * not move while it is in use. */
int tar_open(struct tar *ret, const char *path, struct image_watch *watch, struct leat_error *error);
/* Legal on TAR_NONE. */
#define TAR_NONE ((struct tar){.fd = -1, .kept = -1})
void tar_close(struct tar *tar);

/* Finds the file with this name. Links are followed within the archive. Returns 0, -ENOENT if there is none, or
 * -EBADMSG if there are several or the links form a loop. */
int tar_find(const struct tar *tar, const char *name, const struct tar_entry **ret, struct leat_error *error);

struct blobs;

/* Prepares the sources of these blobs, whose entries `find` knows (NULL: there is none): if the archive is compressed,
 * it is read once, and the bytes of the entries go into a file without a name. So the sources need not decompress the
 * archive from its start. What fails here (a full disk, bytes that can't be read) is left to the sources. */
void tar_keep(struct tar *tar, const struct blobs *blobs,
              const struct tar_entry *(*find)(const void *user, const char *digest), const void *user);

/* Makes a source with the bytes of an entry. It borrows `tar`. If the size in the header is wrong or the file is
 * incomplete, the source fails with -EBADMSG. */
int tar_source(leat_endpoint **ret, const struct tar *tar, const struct tar_entry *entry, struct leat_error *error);

/* Reads all bytes of an entry, at most `max`, and adds a NUL. The caller frees *ret. Returns 0 or -EBADMSG. */
int tar_read(const struct tar *tar, const struct tar_entry *entry, size_t max, char **ret, size_t *ret_n,
             struct leat_error *error);

#endif
