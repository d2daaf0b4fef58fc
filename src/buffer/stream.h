/* The inside of a stream: a list of segments, one writer at its tail, one reader at its head, no lock.
 *
 * A segment is a run of bytes within one chunk, and holds a reference to that. The writer links a new one behind the
 * last (`next`, released) and then publishes how many bytes there are (`committed`, released); the reader looks at
 * `end`, then at `committed`, then at `next`. A segment ends where the next one begins, the last one at `committed`. So
 * nothing of a segment changes once it is linked. The reader frees a segment when it is through with it and there is a
 * next one; the last one stays, because the writer goes on there. The first segment of all is empty.
 *
 * The writer has up to two places to write to: `tail`, right behind the last bytes it wrote, and `spare`, where a hint
 * was too large for the tail: then the two change places, and what was left of the old tail is used later.
 *
 * With `waits` both sides also meet at a lock, but only when one of them sleeps. That is announced in `sleepers`, and
 * no wake-up is lost, because both sides then pass through `kick`: whoever comes second there sees what the first did.
 */
#ifndef BUFFER_STREAM_H
#define BUFFER_STREAM_H

#include "buffer/pool.h"
#include "buffer/search.h"
#include <assert.h>
#include <leat/stream.h>

struct segment {
    const uint8_t *data;
    uint64_t base; /* where it begins in the stream */
    struct chunk *chunk;
    _Atomic(struct segment *) next;
    struct segment *following; /* the next one of those that are to be linked together */
};

struct stream_place {
    struct chunk *chunk; /* with a reference; NULL: no place */
    uint8_t *at;
    size_t room;
};

/* One side of a stream. Two threads at once on one side, or a call from within a call, are a mistake of the caller's.
 */
struct side {
    atomic_bool busy;
};

struct writing {
    struct side side;
    struct stream_place tail, spare;
    size_t reserved[2]; /* in the tail, and in the spare behind it */
    struct segment *last;
    const uint8_t *end_at;   /* behind the last byte of `last` */
    struct segment *node[2]; /* for the segments that a commit may need */
    uint64_t committed;
    bool paused;
    size_t size; /* of the next chunk */
    unsigned underfilled;
};

struct stream_reading {
    struct side side;
    struct segment *head;
    uint64_t consumed;
    uint64_t committed;        /* as it was when this call began */
    int end;                   /* the same: 0, 1 for an end, or a code */
    const uint8_t *at, *until; /* the window, see reading.h */
    struct search line;
    struct search recent[3]; /* for other needles */
    unsigned oldest;
    _Atomic uint64_t searched, copied; /* for statistics: any thread looks at them */
};

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
    _Atomic uint64_t wanted; /* the reader can't go on before there are bytes up to here */
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

void stream_wake(leat_stream *stream);

/* After a change that the other side may wait for. */
static inline void stream_changed(leat_stream *stream)
{
    if (stream->waits)
        stream_wake(stream);
}

/* Waits while ready(stream, n) is false. 0, -ETIMEDOUT (-EAGAIN if timeout_ms is 0), or -EOPNOTSUPP. */
int stream_sleep(leat_stream *stream, bool (*ready)(leat_stream *stream, uint64_t n), uint64_t n, int timeout_ms);

/* As leat_stream_reserve, in up to two pieces, which are committed together. */
int stream_reserve_iov(leat_stream *stream, size_t hint, struct iovec ret[2], int *ret_n);

/* The unread bytes, in up to `most` pieces that stay there until they are skipped. 0 with *ret_n == 0 is the end. */
int stream_peek_iov(leat_stream *stream, struct iovec *ret, int most, int *ret_n);

#endif
