/* SPDX-License-Identifier: MIT */
/* A stream is a list of segments with one writer at its tail and one reader at its head, and without a lock.
 *
 * A segment is a run of bytes within one chunk, and holds a reference to the chunk. The writer links a new segment
 * behind the last one (`next`, with release) and then publishes the number of bytes (`committed`, with release). The
 * reader loads `end`, then `committed`, then `next`. A segment ends where the next one begins, and the last segment
 * ends at `committed`; so a segment never changes after it is linked. The reader frees a segment once all its bytes are
 * read and there is a next one. The last segment stays, because the writer continues there. The first segment of a new
 * stream is empty.
 *
 * The writer has up to two places to write to. `tail` is right behind the last bytes that were written. `spare` is used
 * if a hint is too large for the tail: then the two change places, and the rest of the old tail is used later.
 *
 * With `waits` both sides also use a lock, but only if one of them sleeps. The sleeper announces itself in `sleepers`.
 * No wake-up is lost, because both sides then change `kick`: the side that is second there sees what the first one did
 * before. */
#ifndef BUFFER_STREAM_H
#define BUFFER_STREAM_H

#include "buffer/pool.h"
#include "buffer/search.h"
#include <assert.h>
#include <leat/stream.h>

struct segment {
    const uint8_t *data;
    uint64_t base; /* position of its first byte in the stream */
    struct chunk *chunk;
    _Atomic(struct segment *) next;
    struct segment *following; /* the next segment of a chain that is not linked yet */
};

struct stream_place {
    struct chunk *chunk; /* one reference; NULL: no place */
    uint8_t *at;
    size_t room;
};

/* One side of a stream. It is an error of the caller if two threads use one side at once, or a call is made from within
 * a call. */
struct side {
    atomic_bool busy;
};

struct writing {
    struct side side;
    struct stream_place tail, spare;
    size_t reserved[2]; /* bytes in the tail, and in the spare behind it */
    struct segment *last;
    const uint8_t *end_at;   /* right behind the last byte of `last` */
    struct segment *node[2]; /* for the segments that a commit may need, so that it needs no memory */
    uint64_t committed;
    bool paused;
    size_t size; /* size of the next chunk */
    unsigned underfilled;
};

struct stream_reading {
    struct side side;
    struct segment *head;
    uint64_t consumed;
    uint64_t committed; /* value at the start of this call */
    int end;            /* value at the start of this call: 0: no end; 1: the end; negative: the code of the end */
    const uint8_t *at, *until; /* the window (reading.h): bytes that lines are taken from */
    struct search line;
    struct search recent[3]; /* searches for other needles */
    unsigned oldest;
    _Atomic uint64_t searched, copied; /* for statistics; any thread may read them */
};

static inline void stream_close_window(struct stream_reading *r)
{
    r->at = r->until = (const uint8_t *)"";
}

struct leat_stream {
    leat_pool *pool;
    uint64_t pause_at, resume_at, limit; /* UINT64_MAX: none */
    bool waits;

    _Atomic uint64_t committed;
    atomic_int end;
    _Atomic size_t chunk_size; /* for statistics */
    struct writing w;
    char apart[64];
    _Atomic uint64_t consumed;
    _Atomic uint64_t wanted; /* the reader can't go on until there are bytes up to this position */
    struct stream_reading r;

    atomic_uint kick, sleepers;
    pthread_mutex_t lock;
    pthread_cond_t changed;
};

static inline bool side_is_mine(struct side *side)
{
    return !atomic_exchange_explicit(&side->busy, true, memory_order_acquire);
}

static inline bool side_was_mine(struct side *side)
{
    return atomic_exchange_explicit(&side->busy, false, memory_order_release);
}

static inline struct side *side_enter(struct side *side)
{
    assert(side_is_mine(side));
    return side;
}

static inline void side_leave(UNUSED struct side **side)
{
    assert(side_was_mine(*side));
}

#define IN_SIDE(of)                                                                                                    \
    UNUSED CLEANUP(side_leave)                                                                                         \
    struct side *inside = side_enter(&(of).side)

/* Wakes the side that sleeps, if there is one. */
void stream_wake(leat_stream *stream);

/* Wakes the other side after a change that it may wait for. */
static inline void stream_changed(leat_stream *stream)
{
    if (stream->waits)
        stream_wake(stream);
}

/* Waits until ready(stream, n) is true. Returns 0, -ETIMEDOUT (-EAGAIN if timeout_ms is 0), or -EOPNOTSUPP if the
 * stream was made without `waits`. */
int stream_sleep(leat_stream *stream, bool (*ready)(leat_stream *stream, uint64_t n), uint64_t n, int timeout_ms);

/* Same as leat_stream_reserve, but reserves up to two pieces, which are committed together. */
int stream_reserve_iov(leat_stream *stream, size_t hint, struct iovec ret[2], int *ret_n);

/* Returns the unread bytes in up to `most` pieces, which stay valid until they are skipped. 0 with *ret_n == 0: the
 * end. */
int stream_peek_iov(leat_stream *stream, struct iovec *ret, int most, int *ret_n);

#endif
