/* SPDX-License-Identifier: MIT */
/* Receives messages that are longer than the ring. lane->reading names the receiver from the first record to the last,
 * and meanwhile no other receiver takes anything behind `next`. The lock is free between records, for
 * leat_channel_release. The bytes go to the caller's memory. Once the time is up they go to ours, and the call that
 * completes the message copies them. So each byte is copied at most three times, however many calls it takes. One
 * thread of a handle at a time receives a message. */
#include "channel/take.h"
#include <errno.h>

struct target {
    uint8_t *bytes;
    size_t *ret_n;
    const struct channel_limit *limit;
};

/* Needs the lock. */
static int open_stream(leat_channel *c, struct channel_way *way, const struct channel_found *f)
{
    struct stream *s = &c->stream;
    if (f->extra > c->g.message_limit || f->extra <= f->length)
        return channel_corrupt(c);
    s->bytes = malloc((size_t)f->extra);
    if (!s->bytes)
        return -ENOMEM;
    atomic_store(&s->busy, true);
    atomic_store(&s->id, f->position);
    s->length = f->extra;
    s->at = 0;
    s->kept = false;
    atomic_store(&s->open, true);
    atomic_store(&way->lane->reading, c->place + 1);
    return 0;
}

/* Needs the lock. After it another thread may begin the next message. */
static void close_stream(leat_channel *c, struct channel_way *way)
{
    atomic_store(&way->lane->reading, 0);
    free(c->stream.bytes);
    c->stream.bytes = NULL;
    atomic_store(&c->stream.open, false);
    atomic_store(&c->stream.busy, false);
}

/* Needs the lock. Takes the bytes of one record. */
static int take_part(leat_channel *c, struct channel_way *way, const struct channel_found *f, uint8_t *bytes)
{
    struct stream *s = &c->stream;
    bool first = mark_kind(f->mark) == RECORD_FIRST, last = mark_kind(f->mark) == RECORD_LAST;
    if (f->length == 0 || f->length > s->length - s->at || last != (f->length == s->length - s->at))
        return channel_corrupt(c);
    if (f->length)
        memcpy(bytes + s->at, f->bytes, f->length);
    s->at += f->length;
    take_next(c, way, f->position + f->size, last, first);
    return record_give_back(c, way);
}

/* Is the next record a part of our message? Returns 0; -EAGAIN: not yet; -ECANCELED: no part will come any more;
 * -EPROTO. */
static int look_part(leat_channel *c, struct channel_way *way, struct channel_found *f)
{
    struct channel_lane *lane = way->lane;
    uint64_t id = atomic_load(&c->stream.id);
    bool sending = atomic_load(&lane->stream) == id + 1;
    uint64_t next = atomic_load(&lane->next), tail = atomic_load(&lane->tail);
    if (atomic_load(&lane->reading) != c->place + 1)
        return channel_corrupt(c);
    if (tail == next)
        return sending ? -EAGAIN : -ECANCELED;
    int r = record_look(c, way, next, tail - next, f);
    if (r < 0)
        return r;
    return mark_kind(f->mark) > RECORD_FIRST && f->extra == id ? 0 : -ECANCELED;
}

/* After each lap of the ring the call checks whether it may go on. */
static int pause_after_lap(leat_channel *c, const struct target *to, uint64_t *taken)
{
    if (*taken < c->g.capacity)
        return 0;
    *taken = 0;
    return limit_left(to->limit, 1) == 0 ? limit_code(to->limit) : channel_state(c);
}

/* Needs the lock. The message is complete. The caller copies it when it has given the lock back, and frees it. */
static uint8_t *take_whole(struct stream *s)
{
    uint8_t *bytes = s->bytes;
    s->copied += s->length;
    s->bytes = NULL;
    return bytes;
}

/* Takes one more part. Returns 1: it was the last part. 2: no part will come any more. Then another thread may have the
 * stream. 0: go on. Otherwise a negative errno. */
static int receive_part(leat_channel *c, struct channel_way *way, const struct target *to, uint64_t *taken)
{
    struct channel_found f = {0};
    int r = lock_take(c, &way->receivers, to->limit);
    if (r < 0)
        return r;
    r = look_part(c, way, &f);
    if (r == 0)
        r = take_part(c, way, &f, c->stream.kept ? c->stream.bytes : to->bytes);
    bool done = r == 0 && c->stream.at == c->stream.length;
    uint64_t length = c->stream.length;
    uint8_t *whole CLEANUP_FREE = done && c->stream.kept ? take_whole(&c->stream) : NULL;
    uint64_t id = atomic_load(&c->stream.id);
    *taken += r == 0 ? f.size : 0;
    if (done || r == -ECANCELED)
        close_stream(c, way);
    lock_give(&way->receivers);
    wait_wake(way, &way->lane->freed, 1);
    if (whole)
        memcpy(to->bytes, whole, (size_t)length);
    if (r != -EAGAIN)
        return done ? 1 : r == -ECANCELED ? 2 : r < 0 ? r : pause_after_lap(c, to, taken);
    if (to->limit->now)
        return -EAGAIN;
    return wait_for(c, way, &way->lane->filled, take_part_test, id, to->limit);
}

/* Takes into our memory what has come so far. */
static void keep(struct stream *s, const uint8_t *bytes)
{
    if (s->kept)
        return;
    memcpy(s->bytes, bytes, (size_t)s->at);
    s->copied += s->at;
    s->kept = true;
}

/* Goes on with the message until it is complete, its sender has dropped it, or the call has to end and keeps it for the
 * next call. */
static int receive_stream(leat_channel *c, struct channel_way *way, const struct target *to)
{
    struct stream *s = &c->stream;
    size_t length = (size_t)s->length;
    uint64_t taken = 0;
    int r;
    while ((r = receive_part(c, way, to, &taken)) == 0)
        ;
    if (r < 0) {
        keep(s, to->bytes);
        atomic_store(&s->busy, false);
        wait_wake_ordered(way, &way->lane->filled, WAKE_ALL); /* Another thread may go on with the message. */
        return r;
    }
    take_returned(c, 1);
    wait_wake_ordered(way, &way->lane->filled, WAKE_ALL);
    if (r == 2)
        return -EAGAIN;
    *to->ret_n = length;
    return 0;
}

int take_long(leat_channel *c, struct channel_way *way, const struct channel_found *f, struct iovec *to_iov,
              const struct channel_limit *limit)
{
    struct stream *s = &c->stream;
    const struct target to = {to_iov->iov_base, &to_iov->iov_len, limit};
    uint64_t length = f ? f->extra : s->length;
    int r = 0;
    if (!f && atomic_load(&s->busy))
        r = -EAGAIN;
    else if (length > to_iov->iov_len) {
        *to.ret_n = (size_t)length;
        r = -EMSGSIZE;
    } else if (f) {
        r = open_stream(c, way, f);
        if (r == 0 && (r = take_part(c, way, f, to.bytes)) < 0)
            close_stream(c, way);
    } else
        atomic_store(&s->busy, true);
    lock_give(&way->receivers);
    if (r < 0)
        return r;
    wait_wake(way, &way->lane->freed, 1);
    return receive_stream(c, way, &to);
}
