/* SPDX-License-Identifier: MIT */
/* The owner of a view is always a struct chunk, because a chunk has a reference count. It is one of these:
 *   - a chunk of a pool, which has the bytes
 *   - a chunk that stands for bytes of the caller (view_foreign), or that has a copy in one piece (view_copied)
 *   - a bundle, if `data` of the view is NULL: several pieces, each with its own reference to a chunk */
#ifndef BUFFER_VIEW_H
#define BUFFER_VIEW_H

#include "base/op.h"
#include "buffer/chunk.h"
#include <leat/stream.h>

struct piece {
    struct chunk *chunk;
    struct iovec bytes;
};

struct bundle {
    struct chunk chunk; /* must be first: a bundle is a chunk without data */
    size_t count, capacity;
    struct piece piece[];
};

/* Make an owner with one reference: for bytes of the caller, which `release` frees, and for pieces. NULL: no memory. */
struct chunk *view_foreign(const void *bytes, size_t n, void (*release)(void *user, const void *bytes, size_t n),
                           void *user);
struct bundle *view_bundle(size_t capacity);
/* Adds a piece to a bundle that has room for it. The piece holds one more reference to the chunk. */
void view_bundle_add(struct bundle *bundle, struct chunk *chunk, const void *bytes, size_t n);
/* Makes the view of a bundle and takes the reference to it. If the bundle has only one piece, it is a view of that
 * piece. */
struct leat_view view_of_bundle(struct bundle *bundle, size_t length);
/* Returns the pieces of a view: those of its bundle, or *one, which the call fills. */
const struct piece *view_pieces(const struct leat_view *view, struct piece *one, size_t *ret_count);
/* Makes a view of n bytes of new memory, which the caller fills through *ret_bytes. 0 or -ENOMEM. */
int view_copied(struct leat_view *ret, size_t n, uint8_t **ret_bytes);

/* Is the view borrowed: does it have no owner, so that only the lender keeps its bytes? */
static inline bool view_is_borrowed(const struct leat_view *view)
{
    return view->data && view->length && !view->owner;
}

static inline struct bundle *view_bundle_of(const struct leat_view *view)
{
    return !view->data && view->length ? view->owner : NULL;
}

#endif
