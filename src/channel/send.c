/* SPDX-License-Identifier: MIT */
/* Sending. A sender that waits for room keeps the senders' lock, so that short messages do not overtake a long one for
 * ever. A sender that does not wait returns -EAGAIN. */
#include "base/crc.h"
#include "channel/channel.h"
#include <errno.h>

#define SAMPLE 4096u

static uint64_t tail_of(const struct channel_way *way)
{
    return atomic_load_explicit(&way->lane->tail, memory_order_relaxed);
}

/* Is there room for `need` bytes behind `tail`? The last value of `head` is used as long as it is enough. Returns 0,
 * -EAGAIN or -EPROTO. */
static int has_room(leat_channel *c, struct channel_way *way, uint64_t tail, uint64_t need)
{
    uint64_t used = tail - way->seen;
    if (used <= c->g.capacity && c->g.capacity - used >= need)
        return 0;
    way->seen = atomic_load_explicit(&way->lane->head, memory_order_acquire);
    used = tail - way->seen;
    if (used > c->g.capacity || way->seen % UNIT || tail % UNIT)
        return channel_corrupt(c);
    return c->g.capacity - used >= need ? 0 : -EAGAIN;
}

static bool is_freed(leat_channel *c, struct channel_way *way, uint64_t need)
{
    uint64_t used = tail_of(way) - atomic_load(&way->lane->head);
    return used > c->g.capacity || c->g.capacity - used >= need || peers_are_gone(c);
}

/* Needs the lock. */
static int wait_room(leat_channel *c, struct channel_way *way, uint64_t need, const struct channel_limit *limit)
{
    for (;;) {
        int r = peers_are_gone(c) ? -EPIPE : has_room(c, way, tail_of(way), need);
        if (r != -EAGAIN)
            return r;
        if (limit->now) {
            peers_bury_crashed(c, limit);
            if (atomic_load(&way->polled))
                wait_arm(c, way, &way->lane->freed, is_freed, need);
            return -EAGAIN;
        }
        r = wait_for(c, way, &way->lane->freed, is_freed, need, limit);
        if (r < 0)
            return r;
    }
}

static void put_head(leat_channel *c, struct channel_way *way, uint64_t at, enum record_kind kind, uint64_t n,
                     uint64_t extra)
{
    struct record *record = record_at(c, way, at);
    atomic_store_explicit(&record->length, (uint32_t)n, memory_order_relaxed);
    atomic_store_explicit(&record->mark, mark_make(kind, RECORD_READY, 0, 0), memory_order_relaxed);
    atomic_store_explicit(&record->extra, extra, memory_order_relaxed);
}

static void put(leat_channel *c, struct channel_way *way, uint64_t at, enum record_kind kind, const void *bytes,
                uint64_t n, uint64_t extra)
{
    put_head(c, way, at, kind, n, extra);
    if (n)
        memcpy(record_at(c, way, at) + 1, bytes, (size_t)n);
}

/* Sends what lies before `tail`: the store of `tail` decides. */
static void commit(struct channel_way *way, uint64_t tail, uint64_t messages)
{
    struct channel_lane *lane = way->lane;
    uint64_t sent = atomic_load_explicit(&lane->sent, memory_order_relaxed) + messages;
    /* The order matters: as long as intent_tail is not `tail`, intent_sent means nothing. */
    atomic_store_explicit(&lane->intent_tail, tail, memory_order_release);
    atomic_store_explicit(&lane->intent_sent, sent, memory_order_release);
    atomic_store_explicit(&lane->tail, tail, memory_order_release);
    atomic_store_explicit(&lane->sent, sent, memory_order_release);
}

/* Gives the lock back. An event loop may have been turned away because of the lock; it is told. */
static void leave(struct channel_way *way)
{
    if (lock_give(&way->senders))
        platform.sharing->event_set(way->event);
}

/* Another sender has the lock: the descriptor is silent until that lock is given back. */
static void silence_until_lock_is_given(struct channel_way *way)
{
    wait_silence(way);
    if (!lock_request_notice(&way->senders))
        platform.sharing->event_set(way->alarm);
}

static uint64_t part_length(const leat_channel *c)
{
    uint64_t part = c->g.capacity >= 8 * UNIT ? c->g.capacity / 2 : c->g.capacity;
    return (part & ~(uint64_t)(UNIT - 1)) - sizeof(struct record);
}

static uint64_t crc_on(struct unsent *u, uint64_t crc, const uint8_t *bytes, uint64_t n)
{
    u->hashed += n;
    return crc_add(crc_find("crc64nvme"), crc, bytes, (size_t)n);
}

/* The end of what was sent. If these bytes differ, so does the message, and it is not gone on with at all. */
static uint64_t crc_of_sample(struct unsent *u, const uint8_t *bytes, uint64_t at)
{
    uint64_t n = MIN(at, SAMPLE);
    return crc_on(u, 0, bytes + at - n, n);
}

/* Needs the lock. Are the bytes of the message those that earlier calls have sent? */
static bool is_same(struct unsent *u, const uint8_t *bytes)
{
    return u->length == 0 || u->crc == crc_on(u, 0, bytes, u->at);
}

/* Needs the lock. The time was up when `at` bytes of the message were sent. */
static void note_begun(struct unsent *u, const uint8_t *bytes, uint64_t n, uint64_t first, uint64_t at)
{
    uint64_t before = u->length ? u->at : 0;
    u->crc = crc_on(u, u->length ? u->crc : 0, bytes + before, at - before);
    u->sample = crc_of_sample(u, bytes, at);
    u->length = n;
    u->id = first;
    u->at = at;
}

/* Needs the lock. A receiver that has begun the message sees in lane->stream that no sender goes on with it. */
static void drop_begun(leat_channel *c, struct channel_way *way)
{
    c->unsent.length = 0;
    atomic_store(&way->lane->stream, 0);
    wait_wake_ordered(way, &way->lane->filled, WAKE_ALL);
}

/* Needs the lock, and `m` is the next message, or NULL. A message that was begun is gone on with only if it seems to be
 * `m`, and no other sender has sent anything since. Only its last part is sent after all bytes were compared: a
 * comparison in each call would take a time that grows with the square of the length. */
static void look_at_begun(leat_channel *c, struct channel_way *way, const struct iovec *m)
{
    struct unsent *u = &c->unsent;
    uint64_t stream = atomic_load_explicit(&way->lane->stream, memory_order_relaxed);
    if (!stream)
        u->length = 0;
    else if (!m || u->length != m->iov_len || u->id + 1 != stream || u->sample != crc_of_sample(u, m->iov_base, u->at))
        drop_begun(c, way);
}

void send_forget(leat_channel *c)
{
    uint64_t mine = c->unsent.id + 1;
    if (c->out.lane && c->unsent.length && atomic_compare_exchange_strong(&c->out.lane->stream, &mine, 0))
        wait_wake_ordered(&c->out, &c->out.lane->filled, WAKE_ALL);
    c->unsent.length = 0;
}

/* Needs the lock. Sends the next part of a long message of n bytes that begins at `first`. Returns 1 instead, before
 * the last part, if earlier calls have sent another message. */
static int send_part(leat_channel *c, struct channel_way *way, const uint8_t *bytes, uint64_t n, uint64_t first,
                     uint64_t *at, const struct channel_limit *limit)
{
    uint64_t part = MIN(n - *at, part_length(c)), tail = tail_of(way);
    enum record_kind kind = *at == 0 ? RECORD_FIRST : *at + part == n ? RECORD_LAST : RECORD_PART;
    int r = wait_room(c, way, record_size(part), limit);
    if (r < 0)
        return r;
    if (kind == RECORD_LAST && !is_same(&c->unsent, bytes))
        return 1;
    put(c, way, tail, kind, bytes + *at, part, kind == RECORD_FIRST ? n : first);
    *at += part;
    commit(way, tail + record_size(part), *at == n);
    wait_wake_ordered(way, &way->lane->filled, WAKE_ALL);
    r = channel_state(c);
    return r == 0 && !limit->now && limit_left(limit, 1) == 0 ? limit_code(limit) : r;
}

/* Needs the lock. Sends a message that is longer than the ring, part by part. If the time is up, the next call may go
 * on with it. */
static int send_long(leat_channel *c, struct channel_way *way, const uint8_t *bytes, uint64_t n,
                     const struct channel_limit *limit)
{
    struct unsent *u = &c->unsent;
    uint64_t at = u->length ? u->at : 0, first = u->length ? u->id : tail_of(way);
    int r = 0;
    atomic_store(&way->lane->sending, c->place + 1);
    atomic_store(&way->lane->stream, first + 1);
    while (r == 0 && at < n)
        r = send_part(c, way, bytes, n, first, &at, limit);
    if (r == 1) {
        drop_begun(c, way);
        return send_long(c, way, bytes, n, limit);
    }
    if (at == n) {
        u->length = 0;
        atomic_store(&way->lane->stream, 0);
        return 0;
    }
    if (at > 0 && (r == -EAGAIN || r == -ETIMEDOUT))
        note_begun(u, bytes, n, first, at);
    else
        drop_begun(c, way);
    return r;
}

static int check_length(const leat_channel *c, uint64_t n)
{
    return c->g.message_size ? (n == c->g.message_size ? 0 : -EMSGSIZE) : n <= c->g.message_limit ? 0 : -EMSGSIZE;
}

/* Each call begins with it. `m`: the message that is sent first, or NULL. */
static int begin(leat_channel *c, const struct iovec *m, const struct channel_limit *limit)
{
    struct channel_way *way = &c->out;
    int code = channel_begin(c, way);
    if (code < 0)
        return code;
    if (atomic_load_explicit(&c->reserved, memory_order_relaxed))
        return -EBUSY;
    if (peers_are_gone(c))
        return -EPIPE;
    int r = lock_take(c, &way->senders, limit);
    if (r == -EAGAIN && atomic_load(&way->polled))
        silence_until_lock_is_given(way);
    if (r == 0 && (c->unsent.length || atomic_load_explicit(&way->lane->stream, memory_order_relaxed)))
        look_at_begun(c, way, m);
    return r;
}

/* Messages that were written behind `tail` and are not sent yet. */
struct send_batch {
    uint64_t tail;
    size_t count;
};

static void flush(struct channel_way *way, struct send_batch *batch)
{
    if (!batch->count)
        return;
    commit(way, batch->tail, batch->count);
    batch->count = 0;
}

/* Needs the lock. */
static int send_one(leat_channel *c, struct channel_way *way, struct send_batch *batch, const struct iovec *m,
                    const struct channel_limit *limit)
{
    uint64_t need = record_size(m->iov_len);
    int r = check_length(c, m->iov_len);
    if (r < 0)
        return r;
    bool whole = need <= c->g.capacity;
    r = whole ? has_room(c, way, batch->tail, need) : -EAGAIN;
    if (r == -EAGAIN) {
        int sent = (int)MIN(batch->count, (size_t)INT32_MAX - 1);
        flush(way, batch);
        if (sent)
            wait_wake_ordered(way, &way->lane->filled, sent);
        r = whole ? wait_room(c, way, need, limit) : send_long(c, way, m->iov_base, m->iov_len, limit);
        batch->tail = tail_of(way);
    }
    if (r < 0 || !whole)
        return r;
    put(c, way, batch->tail, RECORD_WHOLE, m->iov_base, m->iov_len, 0);
    batch->tail += need;
    batch->count++;
    return 0;
}

int leat_channel_sendv(leat_channel *c, const struct iovec *messages, size_t n, size_t *ret_n, int timeout_ms)
{
    const struct channel_limit limit = limit_of(timeout_ms);
    struct channel_way *way = &c->out;
    size_t done = 0;
    int r = begin(c, n ? messages : NULL, &limit);
    if (r == 0) {
        struct send_batch batch = {.tail = tail_of(way)};
        while (done < n && (r = send_one(c, way, &batch, &messages[done], &limit)) == 0)
            done++;
        int sent = (int)MIN(batch.count, (size_t)INT32_MAX - 1);
        flush(way, &batch);
        leave(way);
        if (sent)
            wait_wake(way, &way->lane->filled, sent);
    }
    if (ret_n)
        *ret_n = done;
    return r;
}

int leat_channel_send(leat_channel *c, const void *bytes, size_t n, int timeout_ms)
{
    struct iovec message = {.iov_len = n};
    memcpy(&message.iov_base, &bytes, sizeof(bytes)); /* The bytes are only read. */
    return leat_channel_sendv(c, &message, 1, NULL, timeout_ms);
}

int leat_channel_reserve(leat_channel *c, size_t n, void **ret_room, int timeout_ms)
{
    const struct channel_limit limit = limit_of(timeout_ms);
    struct channel_way *way = &c->out;
    if (way->lane && (check_length(c, n) < 0 || record_size(n) > c->g.capacity))
        return -EMSGSIZE;
    int r = begin(c, NULL, &limit);
    if (r < 0)
        return r;
    r = wait_room(c, way, record_size(n), &limit);
    if (r < 0) {
        leave(way);
        return r;
    }
    c->reserved_bytes = n;
    atomic_store(&c->reserved, true);
    *ret_room = record_at(c, way, tail_of(way)) + 1;
    return 0;
}

int leat_channel_publish(leat_channel *c, size_t n)
{
    struct channel_way *way = &c->out;
    if (!way->lane)
        return -EBADF;
    if (!atomic_load(&c->reserved) || n > c->reserved_bytes || check_length(c, n) < 0)
        return -EINVAL;
    uint64_t tail = tail_of(way);
    put_head(c, way, tail, RECORD_WHOLE, n, 0);
    commit(way, tail + record_size(n), 1);
    atomic_store(&c->reserved, false);
    leave(way);
    wait_wake(way, &way->lane->filled, 1);
    return 0;
}

int leat_channel_abandon(leat_channel *c)
{
    if (!c->out.lane)
        return -EBADF;
    if (!atomic_exchange(&c->reserved, false))
        return -EINVAL;
    leave(&c->out);
    return 0;
}
