/* A message that is longer than the ring. Its receiver is named in lane->reading from the first record to the last, and
 * nobody else takes anything from behind `next` meanwhile; the lock is free between records, for those who release. The
 * bytes go to the caller's memory; only if the time is up are they kept in ours, for the next call. */
#include "channel/take.h"
#include <errno.h>

struct target {
    uint8_t *bytes;
    size_t *ret_n;
    const struct limit *limit;
};

/* Under the lock. */
static int open_stream(leat_channel *c, struct way *way, const struct found *f)
{
    struct stream *s = &c->stream;
    if (f->extra > c->g.message_limit || f->extra <= f->length)
        return channel_corrupt(c);
    if (atomic_exchange(&s->busy, true))
        return channel_corrupt(c); /* nobody reads, says the memory, but we do */
    s->bytes = malloc((size_t)f->extra);
    if (!s->bytes) {
        atomic_store(&s->busy, false);
        return -ENOMEM;
    }
    s->id = f->position;
    s->length = f->extra;
    s->at = 0;
    atomic_store(&s->open, true);
    atomic_store(&way->lane->reading, c->place + 1);
    return 0;
}

static void close_stream(leat_channel *c, struct way *way)
{
    atomic_store(&way->lane->reading, 0);
    free(c->stream.bytes);
    c->stream.bytes = NULL;
    atomic_store(&c->stream.open, false);
}

/* Under the lock: the bytes of one record. */
static int take_part(leat_channel *c, struct way *way, const struct found *f, uint8_t *bytes)
{
    struct stream *s = &c->stream;
    bool first = mark_kind(f->mark) == RECORD_FIRST, last = mark_kind(f->mark) == RECORD_LAST;
    if (f->length > s->length - s->at || last != (f->length == s->length - s->at))
        return channel_corrupt(c);
    if (f->length)
        memcpy(bytes + s->at, f->bytes, f->length);
    s->at += f->length;
    take_next(c, way, f->position + f->size, last, first);
    return record_give_back(c, way);
}

/* Is a part of ours next? -EAGAIN: not yet. -ECANCELED: there will be none. */
static int look_part(leat_channel *c, struct way *way, struct found *f)
{
    struct lane *lane = way->lane;
    bool sending = atomic_load(&lane->stream) == c->stream.id + 1;
    uint64_t next = atomic_load(&lane->next), tail = atomic_load(&lane->tail);
    if (atomic_load(&lane->reading) != c->place + 1)
        return channel_corrupt(c);
    if (tail == next)
        return sending ? -EAGAIN : -ECANCELED;
    int r = record_look(c, way, next, tail - next, f);
    if (r < 0)
        return r;
    return mark_kind(f->mark) > RECORD_FIRST && f->extra == c->stream.id ? 0 : -ECANCELED;
}

static bool part_test(leat_channel *c, struct way *way, uint64_t id)
{
    struct lane *lane = way->lane;
    return atomic_load(&lane->tail) != atomic_load(&lane->next) || atomic_load(&lane->stream) != id + 1 ||
           atomic_load(&lane->reading) != c->place + 1;
}

/* One more part. 1: it was the last one. */
static int step(leat_channel *c, struct way *way, const struct target *to)
{
    struct found f = {0};
    int r = lock_take(c, &way->receivers, to->limit);
    if (r < 0)
        return r;
    r = look_part(c, way, &f);
    if (r == 0)
        r = take_part(c, way, &f, to->bytes);
    bool done = r == 0 && c->stream.at == c->stream.length;
    if (done || r == -ECANCELED)
        close_stream(c, way);
    lock_give(&way->receivers);
    wait_wake(way, &way->lane->freed, 1);
    if (r != -EAGAIN)
        return done ? 1 : r == -ECANCELED ? 2 : r;
    if (to->limit->now)
        return -EAGAIN;
    return wait_for(c, way, &way->lane->filled, part_test, c->stream.id, to->limit);
}

/* What was begun is finished, dropped by its sender, or kept for the next call. */
static int go_on(leat_channel *c, struct way *way, const struct target *to)
{
    struct stream *s = &c->stream;
    size_t length = (size_t)s->length;
    int r;
    while ((r = step(c, way, to)) == 0)
        ;
    if (r < 0) {
        memcpy(s->bytes, to->bytes, (size_t)s->at);
        if (r == -EAGAIN && atomic_load(&way->polled))
            wait_arm(c, way, &way->lane->filled, part_test, s->id);
        atomic_store(&s->busy, false);
        return r;
    }
    atomic_store(&s->busy, false);
    take_returned(c, 1);
    wait_wake_ordered(way, &way->lane->filled, WAKE_ALL);
    if (r == 2)
        return -EAGAIN;
    *to->ret_n = length;
    return 0;
}

int take_long(leat_channel *c, struct way *way, const struct found *f, void *bytes, size_t capacity, size_t *ret_n,
              const struct limit *limit)
{
    struct stream *s = &c->stream;
    const struct target to = {bytes, ret_n, limit};
    if (f) {
        if (f->extra > capacity)
            *ret_n = (size_t)f->extra;
        int r = f->extra > capacity ? -EMSGSIZE : open_stream(c, way, f);
        if (r == 0)
            r = take_part(c, way, f, to.bytes);
        lock_give(&way->receivers);
        if (r < 0)
            return r;
        wait_wake(way, &way->lane->freed, 1);
        return go_on(c, way, &to);
    }
    if (atomic_exchange(&s->busy, true))
        return -EAGAIN;
    if (!atomic_load(&s->open) || s->length > capacity) {
        int r = atomic_load(&s->open) ? -EMSGSIZE : -EAGAIN;
        if (r == -EMSGSIZE)
            *ret_n = (size_t)s->length;
        atomic_store(&s->busy, false);
        return r;
    }
    memcpy(to.bytes, s->bytes, (size_t)s->at);
    return go_on(c, way, &to);
}
