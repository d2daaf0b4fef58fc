/* Blobs wait in a file without a name until all of them are there: in an archive each one's size stands in front of it,
 * and nothing of it shows before everything was right. Several are written at the same time, each in pieces of 4 MiB of
 * its own. */
#ifndef IMAGE_ARCHIVE_SPOOL_H
#define IMAGE_ARCHIVE_SPOOL_H

#include "base/error.h"
#include <leat/endpoint.h>
#include <stdatomic.h>
#include <sys/types.h>

struct spool {
    int fd; /* -1: not open */
    atomic_uint pieces;
};

/* All zero at first; it stays where it is while its sink is used. */
struct spool_blob {
    struct spool *spool;
    uint32_t *piece; /* which of the file's */
    size_t pieces, capacity;
    uint64_t size;
};

/* -errno of making a file. */
int spool_open(struct spool *spool);
void spool_close(struct spool *spool);

/* A sink whose bytes become those of `blob`. -ENOMEM. */
int spool_sink(leat_endpoint **ret, struct spool *spool, struct spool_blob *blob);
/* Up to n bytes from `at` on: how many, 0 at the end, or a negative errno. */
ssize_t spool_read(const struct spool_blob *blob, uint64_t at, void *bytes, size_t n);
void spool_forget(struct spool_blob *blob);

#endif
