/* What a view's owner is: always a struct chunk, because that is what can be referred to and let go of.
 *   a chunk of a pool      the bytes lie in it
 *   one of somebody else's bytes (view_foreign), or of a copy that was made to have one piece (view_copied)
 *   a bundle               data NULL: several pieces, each with a reference of its own */
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
    struct chunk chunk; /* first: a bundle is a chunk without data */
    size_t count, capacity;
    struct piece piece[];
};

/* NULL: no memory. */
struct chunk *view_foreign(const void *bytes, size_t n, void (*release)(void *user, const void *bytes, size_t n),
                           void *user);
struct bundle *view_bundle(size_t capacity);
/* Puts a piece into it, with one more reference to the chunk. There must be room. */
void view_bundle_add(struct bundle *bundle, struct chunk *chunk, const void *bytes, size_t n);
/* The view of a bundle, whose reference it takes; one of a single piece if it has only one. */
struct leat_view view_of_bundle(struct bundle *bundle, size_t length);
/* Its pieces: those of its bundle, or *one, which is filled. */
const struct piece *view_pieces(const struct leat_view *view, struct piece *one, size_t *ret_count);
/* A view of new memory, to be filled through *ret_bytes. */
int view_copied(struct leat_view *ret, size_t n, uint8_t **ret_bytes);

/* Nobody keeps its bytes but who lent it. */
static inline bool view_is_borrowed(const struct leat_view *view)
{
    return view->data && view->length && !view->owner;
}

static inline struct bundle *view_bundle_of(const struct leat_view *view)
{
    return !view->data && view->length ? view->owner : NULL;
}

#endif
