/* SPDX-License-Identifier: MIT */
#include "buffer/view.h"
#include "buffer/search.h"
#include <errno.h>

struct foreign {
    struct chunk chunk;
    const void *bytes;
    size_t n;
    void (*release)(void *user, const void *bytes, size_t n);
    void *user;
};

/* ---- owners ---- */

static void free_chunk(struct chunk *chunk)
{
    free(chunk);
}

static void free_foreign(struct chunk *chunk)
{
    struct foreign *f = (struct foreign *)chunk;
    if (f->release)
        f->release(f->user, f->bytes, f->n);
    free(f);
}

static void free_bundle(struct chunk *chunk)
{
    struct bundle *bundle = (struct bundle *)chunk;
    for (size_t i = 0; i < bundle->count; i++)
        chunk_unref(bundle->piece[i].chunk);
    free(bundle);
}

static void *new_owner(size_t size, void (*release)(struct chunk *chunk))
{
    struct chunk *chunk = malloc(size);
    if (chunk) {
        *chunk = (struct chunk){.release = release};
        atomic_init(&chunk->refs, 1);
    }
    return chunk;
}

struct chunk *view_foreign(const void *bytes, size_t n, void (*release)(void *user, const void *bytes, size_t n),
                           void *user)
{
    struct foreign *f = new_owner(sizeof(*f), free_foreign);
    if (!f)
        return NULL;
    f->bytes = bytes;
    f->n = n;
    f->release = release;
    f->user = user;
    return &f->chunk;
}

struct bundle *view_bundle(size_t capacity)
{
    struct bundle *bundle = new_owner(sizeof(*bundle) + capacity * sizeof(struct piece), free_bundle);
    if (bundle) {
        bundle->count = 0;
        bundle->capacity = capacity;
    }
    return bundle;
}

void view_bundle_add(struct bundle *bundle, struct chunk *chunk, const void *bytes, size_t n)
{
    struct piece *piece = &bundle->piece[bundle->count++];
    piece->chunk = chunk_ref(chunk);
    piece->bytes = iov_of(bytes, n);
}

struct leat_view view_of_bundle(struct bundle *bundle, size_t length)
{
    if (bundle->count > 1)
        return (struct leat_view){NULL, length, bundle};
    struct leat_view view = {bundle->piece[0].bytes.iov_base, length, chunk_ref(bundle->piece[0].chunk)};
    chunk_unref(&bundle->chunk);
    return view;
}

const struct piece *view_pieces(const struct leat_view *view, struct piece *one, size_t *ret_count)
{
    const struct bundle *bundle = view_bundle_of(view);
    *one = (struct piece){.chunk = view->owner, .bytes = iov_of(view->data, view->length)};
    *ret_count = bundle ? bundle->count : 1;
    return bundle ? bundle->piece : one;
}

int view_copied(struct leat_view *ret, size_t n, uint8_t **ret_bytes)
{
    struct chunk *chunk = new_owner(sizeof(*chunk) + n, free_chunk);
    if (!chunk)
        return -ENOMEM;
    *ret_bytes = (uint8_t *)(chunk + 1);
    *ret = (struct leat_view){chunk + 1, n, chunk};
    return 0;
}

/* ---- the public functions ---- */

void leat_view_release(struct leat_view *view)
{
    if (view->owner)
        chunk_unref(view->owner);
    *view = (struct leat_view){NULL, 0, NULL};
}

int leat_view_ref(const struct leat_view *view, struct leat_view *ret_view)
{
    if (view_is_borrowed(view))
        return -EINVAL;
    struct leat_view again = *view;
    if (again.owner)
        chunk_ref(again.owner);
    *ret_view = again;
    return 0;
}

/* A walk over the pieces that have the bytes [offset, offset + length), in order. walk_next returns true if there is
 * one more. */
struct view_walk {
    const struct piece *piece; /* the next piece */
    size_t count, skip, left;
    struct piece one;
};

static void walk_begin(struct view_walk *walk, const struct leat_view *view, size_t offset, size_t length)
{
    walk->skip = offset;
    walk->left = length;
    walk->piece = view_pieces(view, &walk->one, &walk->count);
}

static bool walk_next(struct view_walk *walk, struct piece *ret)
{
    for (; walk->left && walk->count; walk->piece++, walk->count--) {
        struct iovec bytes = walk->piece->bytes;
        if (walk->skip >= bytes.iov_len) {
            walk->skip -= bytes.iov_len;
            continue;
        }
        ret->chunk = walk->piece->chunk;
        ret->bytes.iov_base = (uint8_t *)bytes.iov_base + walk->skip;
        ret->bytes.iov_len = MIN(bytes.iov_len - walk->skip, walk->left);
        walk->left -= ret->bytes.iov_len;
        walk->skip = 0;
        walk->piece++;
        walk->count--;
        return true;
    }
    return false;
}

int leat_view_slice(const struct leat_view *view, size_t offset, size_t length, struct leat_view *ret_view)
{
    struct bundle *bundle = view_bundle_of(view);
    if (view_is_borrowed(view))
        return -EINVAL;
    if (offset > view->length || length > view->length - offset)
        return -ERANGE;
    if (!bundle || !length) {
        const char *data = view->data;
        struct leat_view part = {data ? data + offset : NULL, length, view->owner};
        if (!length) /* empty, and different from the end of a stream */
            part = (struct leat_view){"", 0, NULL};
        return leat_view_ref(&part, ret_view);
    }
    struct bundle *part = view_bundle(bundle->count);
    if (!part)
        return -ENOMEM;
    struct view_walk walk;
    struct piece piece;
    walk_begin(&walk, view, offset, length);
    while (walk_next(&walk, &piece))
        view_bundle_add(part, piece.chunk, piece.bytes.iov_base, piece.bytes.iov_len);
    struct leat_view made = view_of_bundle(part, length);
    if (length <= LEAT_VIEW_SMALL && leat_view_join(&made) < 0) {
        leat_view_release(&made);
        return -ENOMEM;
    }
    *ret_view = made;
    return 0;
}

int leat_view_iov(const struct leat_view *view, struct iovec *pieces, size_t n, size_t *ret_n)
{
    struct view_walk walk;
    struct piece piece;
    size_t count = 0;
    walk_begin(&walk, view, 0, view->length);
    for (; walk_next(&walk, &piece); count++)
        if (count < n)
            pieces[count] = piece.bytes;
    *ret_n = count;
    return 0;
}

int leat_view_join(struct leat_view *view)
{
    struct leat_view joined;
    uint8_t *bytes;
    if (!view_bundle_of(view))
        return 0;
    int r = view_copied(&joined, view->length, &bytes);
    if (r < 0)
        return r;
    leat_view_copy(view, 0, bytes, view->length);
    leat_view_release(view);
    *view = joined;
    return 0;
}

size_t leat_view_copy(const struct leat_view *view, size_t offset, void *bytes, size_t n)
{
    struct view_walk walk;
    struct piece piece;
    size_t done = 0;
    walk_begin(&walk, view, offset, n);
    for (; walk_next(&walk, &piece); done += piece.bytes.iov_len)
        memcpy((uint8_t *)bytes + done, piece.bytes.iov_base, piece.bytes.iov_len);
    return done;
}

int leat_view_compare(const struct leat_view *a, const struct leat_view *b)
{
    size_t common = MIN(a->length, b->length);
    struct view_walk walk[2];
    struct piece piece[2] = {0};
    walk_begin(&walk[0], a, 0, common);
    walk_begin(&walk[1], b, 0, common);
    for (size_t done = 0, n = 0; done < common; done += n) {
        for (int i = 0; i < 2; i++)
            if (piece[i].bytes.iov_len == 0)
                walk_next(&walk[i], &piece[i]);
        n = MIN(piece[0].bytes.iov_len, piece[1].bytes.iov_len);
        int r = memcmp(piece[0].bytes.iov_base, piece[1].bytes.iov_base, n);
        if (r != 0)
            return r;
        for (int i = 0; i < 2; i++) {
            piece[i].bytes.iov_base = (uint8_t *)piece[i].bytes.iov_base + n;
            piece[i].bytes.iov_len -= n;
        }
    }
    return a->length < b->length ? -1 : a->length > b->length;
}

int leat_view_compare_bytes(const struct leat_view *view, const void *bytes, size_t n)
{
    struct leat_view other = {bytes, n, NULL};
    return leat_view_compare(view, &other);
}

int leat_view_find(const struct leat_view *view, const void *needle, size_t n, size_t start, size_t *ret_at)
{
    struct search search = {0};
    struct view_walk walk;
    struct piece piece;
    if (n == 0)
        return -EINVAL;
    if (start >= view->length)
        return -ENODATA;
    int r = search_for(&search, needle, n);
    if (r < 0)
        return r;
    search_from(&search, start);
    walk_begin(&walk, view, start, view->length - start);
    while (!search.hit && walk_next(&walk, &piece))
        search_feed(&search, piece.bytes.iov_base, piece.bytes.iov_len);
    if (search.hit)
        *ret_at = (size_t)search.hit_at;
    r = search.hit ? 0 : -ENODATA;
    search_free(&search);
    return r;
}
