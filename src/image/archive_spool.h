/* SPDX-License-Identifier: MIT */
/* A spool keeps the blobs of an archive in a file without a name until all of them are complete. It is needed because a
 * tar header has the size of its entry, and because nothing of the archive may be visible before everything was
 * verified. Several blobs are written at once, each to pieces of 4 MiB of its own. */
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

/* Zero before the first use. Must not move while its sink is in use. */
struct spool_blob {
    struct spool *spool;
    uint32_t *piece; /* numbers of the blob's pieces in the file */
    size_t pieces, capacity;
    uint64_t size;
};

/* Makes the file. Returns 0 or a negative errno. */
int spool_open(struct spool *spool);
void spool_close(struct spool *spool);

/* Makes a sink that writes `blob`. Returns 0 or -ENOMEM. */
int spool_sink(leat_endpoint **ret, struct spool *spool, struct spool_blob *blob);
/* Reads up to n bytes from offset `at`. Returns their number, 0 at the end, or a negative errno. */
ssize_t spool_read(const struct spool_blob *blob, uint64_t at, void *bytes, size_t n);
void spool_forget(struct spool_blob *blob);

#endif
