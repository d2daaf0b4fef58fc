/* SPDX-License-Identifier: MIT */
/* The writing side of a stream. The file is longer than 400 lines because reserved places and appended chunks both end
 * in the same tail, and each of the two must leave the tail as the other expects it. */
#include "buffer/stream.h"
#include "buffer/view.h"
#include <errno.h>

#define UNDERFILLED_MOST 4 /* after so many commits in a row that used little, chunks get smaller */

/* ---- admission ---- */

static uint64_t unread(leat_stream *s)
{
    return s->w.committed - atomic_load_explicit(&s->consumed, memory_order_acquire);
}

static bool is_wanted(leat_stream *s)
{
    return atomic_load_explicit(&s->wanted, memory_order_acquire) > s->w.committed;
}

/* Between resume_at and pause_at the state does not change. A reader that can't go on may get more than pause_at, but
 * never more than the limit. */
static bool is_paused(leat_stream *s)
{
    uint64_t level = unread(s);
    s->w.paused = s->w.paused ? level > s->resume_at : level >= s->pause_at;
    return level >= s->limit || (s->w.paused && !is_wanted(s));
}

static int refusal(leat_stream *s)
{
    if (atomic_load_explicit(&s->end, memory_order_relaxed))
        return -EPIPE;
    if (s->w.reserved[0] || s->w.reserved[1])
        return -EBUSY;
    return is_paused(s) ? -EAGAIN : 0;
}

/* Returns 0 if all of the `n` bytes may be appended now, or the error. */
static int refusal_of(leat_stream *s, size_t n)
{
    int r = refusal(s);
    if (r == 0 && n > s->limit - unread(s))
        return n > s->limit || is_wanted(s) ? -EMSGSIZE : -EAGAIN;
    return r == -EAGAIN && n > s->limit ? -EMSGSIZE : r;
}

/* ---- segments ---- */

static struct segment *new_segment(void)
{
    return calloc(1, sizeof(struct segment));
}

/* Allocates segments in advance, so that a commit never fails because memory ran out. */
static int have_nodes(leat_stream *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!s->w.node[i] && !(s->w.node[i] = new_segment()))
            return -ENOMEM;
    return 0;
}

static struct segment *take_node(leat_stream *s)
{
    struct segment *node = s->w.node[0];
    s->w.node[0] = s->w.node[1];
    s->w.node[1] = NULL;
    return node;
}

/* Links `n` bytes as a new segment. Takes the reference to the chunk. */
static void link_bytes(leat_stream *s, struct segment *node, struct chunk *chunk, const uint8_t *data, size_t n)
{
    node->data = data;
    node->base = s->w.committed;
    node->chunk = chunk;
    atomic_store_explicit(&s->w.last->next, node, memory_order_release);
    s->w.last = node;
    s->w.end_at = data + n;
    s->w.committed += n;
}

static void publish(leat_stream *s)
{
    atomic_store_explicit(&s->committed, s->w.committed, memory_order_release);
    stream_changed(s);
}

/* Are the next bytes of this place right behind the last bytes of the stream? */
static bool goes_on(const leat_stream *s, const struct stream_place *place)
{
    return place->chunk && place->chunk == s->w.last->chunk && place->at == s->w.end_at;
}

/* Adds the next n bytes of the place, which are filled, to the stream. */
static void write_place(leat_stream *s, struct stream_place *place, size_t n)
{
    if (goes_on(s, place)) {
        s->w.end_at += n;
        s->w.committed += n;
    } else
        link_bytes(s, take_node(s), chunk_ref(place->chunk), place->at, n);
    place->at += n;
    place->room -= n;
}

/* ---- places ---- */

static void drop_place(struct stream_place *place)
{
    chunk_unref(place->chunk);
    *place = (struct stream_place){0};
}

static int fill_place(leat_stream *s, struct stream_place *place, size_t least)
{
    size_t room;
    struct chunk *chunk = pool_get(s->pool, least, MAX(least, s->w.size), &room);
    if (!chunk)
        return -ENOMEM;
    drop_place(place);
    *place = (struct stream_place){.chunk = chunk, .at = chunk->data, .room = room};
    return 0;
}

static void set_size(leat_stream *s, size_t size)
{
    s->w.size = MIN(MAX(size, pool_chunk_min(s->pool)), pool_chunk_max(s->pool));
    s->w.underfilled = 0;
    atomic_store_explicit(&s->chunk_size, s->w.size, memory_order_relaxed);
}

/* Adapts the chunk size to the bytes that come at once. If a few bytes fill just the rest of a chunk, that says nothing
 * about the size. */
static void learn(leat_stream *s, size_t offered, size_t n)
{
    if (n == offered && n >= s->w.size / 2)
        set_size(s, 2 * s->w.size);
    else if (n >= offered / 4)
        s->w.underfilled = 0;
    else if (++s->w.underfilled == UNDERFILLED_MOST)
        set_size(s, s->w.size / 2);
}

static void swap_places(leat_stream *s)
{
    struct stream_place tail = s->w.spare;
    s->w.spare = s->w.tail;
    s->w.tail = tail;
    if (s->w.spare.room == 0)
        drop_place(&s->w.spare);
}

/* ---- reserve and commit ---- */

static size_t clip_hint(leat_stream *s, size_t hint)
{
    uint64_t most = MIN((uint64_t)pool_chunk_max(s->pool), s->limit - unread(s));
    return (size_t)MIN(MAX((uint64_t)hint, 1), most);
}

static void offer(leat_stream *s, size_t in_tail, size_t in_spare)
{
    uint64_t left = s->limit - unread(s);
    s->w.reserved[0] = (size_t)MIN((uint64_t)in_tail, left);
    s->w.reserved[1] = (size_t)MIN((uint64_t)in_spare, left - s->w.reserved[0]);
}

int leat_stream_reserve(leat_stream *s, size_t hint, void **ret_room, size_t *ret_n)
{
    IN_SIDE(s->w);
    int r = refusal(s);
    if (r < 0)
        return r;
    size_t least = clip_hint(s, hint);
    struct stream_place *place = s->w.tail.room >= least ? &s->w.tail : &s->w.spare;
    r = have_nodes(s, 1);
    if (r == 0 && place->room < least)
        r = fill_place(s, place, least);
    if (r < 0)
        return r;
    offer(s, place == &s->w.tail ? place->room : 0, place == &s->w.spare ? place->room : 0);
    *ret_room = place->at;
    *ret_n = s->w.reserved[0] + s->w.reserved[1];
    return 0;
}

int stream_reserve_iov(leat_stream *s, size_t hint, struct iovec ret[2], int *ret_n)
{
    IN_SIDE(s->w);
    int r = refusal(s);
    if (r < 0)
        return r;
    size_t least = clip_hint(s, hint);
    r = have_nodes(s, 2);
    if (r == 0 && s->w.tail.room < least && s->w.spare.room < least - s->w.tail.room)
        r = fill_place(s, &s->w.spare, least - s->w.tail.room);
    if (r < 0)
        return r;
    offer(s, s->w.tail.room, s->w.spare.room);
    const struct stream_place *places[] = {&s->w.tail, &s->w.spare};
    *ret_n = 0;
    for (int i = 0; i < 2; i++)
        if (s->w.reserved[i])
            ret[(*ret_n)++] = (struct iovec){places[i]->at, s->w.reserved[i]};
    return 0;
}

static bool not_paused(leat_stream *s, uint64_t n UNUSED)
{
    return !is_paused(s);
}

int leat_stream_reserve_wait(leat_stream *s, size_t hint, void **ret_room, size_t *ret_n, int timeout_ms)
{
    int r = leat_stream_reserve(s, hint, ret_room, ret_n);
    if (r != -EAGAIN)
        return r;
    {
        IN_SIDE(s->w);
        r = stream_sleep(s, not_paused, 0, timeout_ms);
    }
    return r < 0 ? r : leat_stream_reserve(s, hint, ret_room, ret_n);
}

int leat_stream_commit(leat_stream *s, size_t n)
{
    IN_SIDE(s->w);
    size_t first = s->w.reserved[0], offered = first + s->w.reserved[1];
    if (!offered || n > offered)
        return -EINVAL;
    s->w.reserved[0] = s->w.reserved[1] = 0;
    if (n == 0)
        return 0;
    if (first)
        write_place(s, &s->w.tail, MIN(n, first));
    if (n > first) {
        write_place(s, &s->w.spare, n - first);
        swap_places(s);
    }
    learn(s, offered, n);
    publish(s);
    return 0;
}

/* ---- append ---- */

static void drop_chain(struct segment *chain)
{
    for (struct segment *next; chain; chain = next) {
        next = chain->following;
        chunk_unref(chain->chunk);
        free(chain);
    }
}

/* Adds a segment to the end of the chain; takes the reference to the chunk, which may be NULL. -ENOMEM: the chain is
 * freed. */
static int chain_up(struct segment **chain, struct segment ***end, struct chunk *chunk)
{
    struct segment *node = chunk ? new_segment() : NULL;
    if (!node) {
        chunk_unref(chunk);
        drop_chain(*chain);
        return -ENOMEM;
    }
    node->chunk = chunk;
    **end = node;
    *end = &node->following;
    return 0;
}

/* Gets the new chunks for n bytes, each with its segment, or none at all. The `length` of each chunk is its room. */
static int get_chain(leat_stream *s, size_t n, struct segment **ret)
{
    struct segment **end = ret;
    *ret = NULL;
    for (size_t room = 0; n; n -= MIN(n, room)) {
        struct chunk *chunk = pool_get(s->pool, 1, MAX(n, s->w.size), &room);
        if (chunk)
            chunk->length = room;
        if (chain_up(ret, &end, chunk) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* The bytes to append; the first `skip` bytes of the first piece are already copied. */
struct append_source {
    const struct iovec *piece;
    size_t skip;
};

static void copy_in(struct append_source *from, uint8_t *to, size_t n)
{
    while (n) {
        size_t part = MIN(n, from->piece->iov_len - from->skip);
        if (part)
            memcpy(to, (const uint8_t *)from->piece->iov_base + from->skip, part);
        from->skip += part;
        to += part;
        n -= part;
        if (from->skip == from->piece->iov_len)
            *from = (struct append_source){from->piece + 1, 0};
    }
}

/* Copies n bytes into a chain and links it. What is left of its last chunk becomes the tail. */
static void write_chain(leat_stream *s, struct segment *chain, struct append_source *from, size_t n)
{
    for (struct segment *node = chain, *next; node; node = next) {
        struct chunk *chunk = node->chunk;
        size_t part = MIN(n, chunk->length);
        next = node->following;
        copy_in(from, chunk->data, part);
        drop_place(&s->w.tail);
        if (part < chunk->length)
            s->w.tail = (struct stream_place){chunk_ref(chunk), chunk->data + part, chunk->length - part};
        link_bytes(s, node, chunk, chunk->data, part);
        n -= part;
    }
}

static int append(leat_stream *s, struct append_source from, size_t n)
{
    struct segment *chain = NULL;
    size_t in_tail = MIN(n, s->w.tail.room);
    int r = refusal_of(s, n);
    if (r < 0 || n == 0)
        return r;
    r = have_nodes(s, 1);
    if (r == 0)
        r = get_chain(s, n - in_tail, &chain);
    if (r < 0)
        return r;
    if (in_tail) {
        copy_in(&from, s->w.tail.at, in_tail);
        write_place(s, &s->w.tail, in_tail);
    }
    if (chain) {
        write_chain(s, chain, &from, n - in_tail);
        set_size(s, 2 * s->w.size);
    }
    publish(s);
    return 0;
}

int leat_stream_append(leat_stream *s, const void *bytes, size_t n)
{
    IN_SIDE(s->w);
    struct iovec piece = iov_of(bytes, n);
    return append(s, (struct append_source){&piece, 0}, n);
}

int leat_stream_append_iov(leat_stream *s, const struct iovec *pieces, size_t count)
{
    IN_SIDE(s->w);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += pieces[i].iov_len;
    return append(s, (struct append_source){pieces, 0}, n);
}

int leat_stream_append_ref(leat_stream *s, const void *bytes, size_t n,
                           void (*release)(void *user, const void *bytes, size_t n), void *user)
{
    IN_SIDE(s->w);
    int r = refusal_of(s, n);
    if (r == 0)
        r = have_nodes(s, 1);
    if (r < 0)
        return r;
    struct chunk *chunk = view_foreign(bytes, n, release, user);
    if (!chunk)
        return -ENOMEM;
    if (n == 0) {
        chunk_unref(chunk);
        return 0;
    }
    link_bytes(s, take_node(s), chunk, bytes, n);
    publish(s);
    return 0;
}

int leat_stream_append_view(leat_stream *s, const struct leat_view *view)
{
    IN_SIDE(s->w);
    struct segment *chain = NULL, **end = &chain, *next;
    struct piece one;
    size_t count;
    const struct piece *piece = view_pieces(view, &one, &count);
    int r = refusal_of(s, view->length);
    if (r < 0 || view->length == 0)
        return r;
    if (view_is_borrowed(view))
        return -EINVAL;
    for (size_t i = 0; i < count; i++)
        if (chain_up(&chain, &end, chunk_ref(piece[i].chunk)) < 0)
            return -ENOMEM;
    for (; chain; chain = next, piece++) {
        next = chain->following;
        link_bytes(s, chain, chain->chunk, piece->bytes.iov_base, piece->bytes.iov_len);
    }
    publish(s);
    return 0;
}

/* ---- the end ---- */

int leat_stream_finish(leat_stream *s, int code)
{
    IN_SIDE(s->w);
    if (code > 0)
        return -EINVAL;
    if (atomic_load_explicit(&s->end, memory_order_relaxed))
        return -EPIPE;
    s->w.reserved[0] = s->w.reserved[1] = 0;
    drop_place(&s->w.tail);
    drop_place(&s->w.spare);
    atomic_store_explicit(&s->end, code < 0 ? code : 1, memory_order_release);
    stream_changed(s);
    return 0;
}

int leat_stream_paused(leat_stream *s)
{
    IN_SIDE(s->w);
    return is_paused(s);
}
