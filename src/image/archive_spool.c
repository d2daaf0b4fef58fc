/* SPDX-License-Identifier: MIT */
#include "image/archive_spool.h"
#include "base/fd.h"
#include <errno.h>
#include <unistd.h>

#define PIECE (4u * 1024 * 1024)

int spool_open(struct spool *spool)
{
    atomic_init(&spool->pieces, 0);
    int fd = fd_unnamed();
    spool->fd = fd < 0 ? -1 : fd;
    return fd < 0 ? fd : 0;
}

void spool_close(struct spool *spool)
{
    spool->fd = fd_close(spool->fd);
}

/* Gives the blob the next piece of the file. */
static int take_piece(struct spool_blob *blob)
{
    if (blob->pieces == blob->capacity) {
        size_t capacity = blob->capacity ? blob->capacity * 2 : 4;
        uint32_t *grown = realloc(blob->piece, capacity * sizeof(*grown));
        if (!grown)
            return -ENOMEM;
        blob->piece = grown;
        blob->capacity = capacity;
    }
    blob->piece[blob->pieces++] = atomic_fetch_add(&blob->spool->pieces, 1);
    return 0;
}

static off_t place_of(const struct spool_blob *blob, uint64_t at)
{
    return (off_t)blob->piece[at / PIECE] * PIECE + (off_t)(at % PIECE);
}

static int sink_write(void *user, const void *bytes, size_t n, size_t *ret_n)
{
    struct spool_blob *blob = user;
    uint64_t at = blob->size;
    int r = at == (uint64_t)blob->pieces * PIECE ? take_piece(blob) : 0;
    ssize_t done;
    do
        done = r < 0 ? r : pwrite(blob->spool->fd, bytes, MIN(n, PIECE - at % PIECE), place_of(blob, at));
    while (r == 0 && done < 0 && errno == EINTR);
    if (done < 0)
        return r < 0 ? r : -errno;
    blob->size += (uint64_t)done;
    *ret_n = (size_t)done;
    return done ? 0 : -EIO;
}

int spool_sink(leat_endpoint **ret, struct spool *spool, struct spool_blob *blob)
{
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    callbacks.write = sink_write;
    blob->spool = spool;
    return leat_endpoint_from_callbacks(ret, &callbacks, blob, NULL);
}

ssize_t spool_read(const struct spool_blob *blob, uint64_t at, void *bytes, size_t n)
{
    ssize_t done;
    if (at >= blob->size)
        return 0;
    n = (size_t)MIN(n, MIN(blob->size - at, PIECE - at % PIECE));
    do
        done = pread(blob->spool->fd, bytes, n, place_of(blob, at));
    while (done < 0 && errno == EINTR);
    return done < 0 ? -errno : done ? done : -EIO;
}

void spool_forget(struct spool_blob *blob)
{
    free(blob->piece);
    *blob = (struct spool_blob){.piece = NULL};
}
