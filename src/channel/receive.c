/* SPDX-License-Identifier: MIT */
/* Receiving: copies of messages, one or several at once, and messages that are shown where they lie. */
#include "channel/take.h"
#include <errno.h>

/* Copies a message to the caller. Stores its length even if it does not fit. */
static int copy_out(const struct channel_found *f, struct iovec *to)
{
    size_t room = to->iov_len;
    to->iov_len = f->length;
    if (f->length > room)
        return -EMSGSIZE;
    if (f->length)
        memcpy(to->iov_base, f->bytes, f->length);
    return 0;
}

/* Needs the lock. Takes whole messages from `first` on while the ring has them, all of them by one store of `next`. It
 * is called only if no receiver holds a record, so that one store moves `head` as well. */
static int take_run(leat_channel *c, struct channel_way *way, const struct channel_found *first, struct iovec *to,
                    size_t n, size_t *ret_n)
{
    struct channel_found f = *first;
    size_t done = 0;
    int r;
    while ((r = copy_out(&f, &to[done])) == 0) {
        done++;
        uint64_t at = f.position + f.size;
        if (done == n || at == way->seen || (r = record_look(c, way, at, way->seen - at, &f)) < 0 ||
            mark_kind(f.mark) != RECORD_WHOLE) {
            f.position = at;
            break;
        }
    }
    if (done) {
        take_next(c, way, f.position, (uint32_t)done, (uint32_t)done);
        atomic_store_explicit(&way->lane->head, f.position, memory_order_release);
    }
    *ret_n = done;
    return done ? 0 : r;
}

/* Needs the lock. Takes one message, wherever it lies. */
static int take_one(leat_channel *c, struct channel_way *way, const struct channel_found *f, struct iovec *to)
{
    int r = copy_out(f, to);
    if (r < 0)
        return r;
    if (mark_state(f->mark) == RECORD_BACK) {
        take_back(c, way, f);
        return 0;
    }
    take_next(c, way, f->position + f->size, 1, 1);
    return record_give_back(c, way);
}

/* Needs the lock and gives it back. */
static int take_now(leat_channel *c, struct channel_way *way, struct iovec *to, size_t n, size_t *ret_n,
                    const struct channel_limit *limit)
{
    struct channel_found f = {0};
    size_t done = 0;
    int r = take_look(c, way, &f);
    bool open = atomic_load(&c->stream.open);
    if (open || (r == 0 && mark_kind(f.mark) == RECORD_FIRST)) {
        r = take_long(c, way, open ? NULL : &f, to, limit);
        *ret_n = r == 0;
        return r;
    }
    if (r == 0 && mark_kind(f.mark) != RECORD_WHOLE)
        r = channel_corrupt(c); /* Only whole messages come back. */
    else if (r == 0 && mark_state(f.mark) == RECORD_READY &&
             atomic_load_explicit(&way->lane->head, memory_order_relaxed) == f.position)
        r = take_run(c, way, &f, to, n, &done);
    else if (r == 0 && (r = take_one(c, way, &f, to)) == 0)
        done = 1;
    lock_give(&way->receivers);
    if (done) {
        wait_wake(way, &way->lane->freed, 1);
        take_returned(c, done);
        *ret_n = done;
    }
    return r;
}

int leat_channel_receivev(leat_channel *c, struct iovec *inout_messages, size_t n, size_t *ret_n, int timeout_ms)
{
    const struct channel_limit limit = limit_of(timeout_ms);
    struct channel_way *way = &c->in;
    size_t done = 0;
    int r = n == 0 ? 0 : -EAGAIN;
    while (r == -EAGAIN) {
        r = take_begin(c, &limit);
        if (r == 0)
            r = take_now(c, way, inout_messages, n, &done, &limit);
        if (r == -EAGAIN && (r = take_wait(c, way, &limit)) == 0)
            r = -EAGAIN;
        else if (r == -EAGAIN)
            break;
    }
    if (ret_n)
        *ret_n = done;
    return r;
}

int leat_channel_receive(leat_channel *c, void *bytes, size_t capacity, size_t *ret_n, int timeout_ms)
{
    struct iovec to = {.iov_base = bytes, .iov_len = capacity};
    int r = leat_channel_receivev(c, &to, 1, NULL, timeout_ms);
    if (ret_n && (r == 0 || (r == -EMSGSIZE && to.iov_len > capacity)))
        *ret_n = to.iov_len;
    return r;
}

/* Needs the lock. From here on this handle holds the message. */
static void hold(leat_channel *c, struct channel_way *way, const struct channel_found *f)
{
    struct channel_lane *lane = way->lane;
    bool back = mark_state(f->mark) == RECORD_BACK;
    uint32_t mark = mark_make(RECORD_WHOLE, RECORD_HELD, mark_again(f->mark), c->place);
    if (!back) {
        /* Until `next` is stored, no peer holds the message, whatever the mark says. */
        atomic_store(&record_at(c, way, f->position)->mark, mark);
        take_next(c, way, f->position + f->size, 1, 0);
    } else {
        atomic_store(&record_at(c, way, f->position)->mark, mark);
        atomic_fetch_sub(&lane->again, 1);
    }
    atomic_fetch_add(&lane->held, 1);
    atomic_fetch_add(&c->holding, 1);
}

int leat_channel_acquire(leat_channel *c, struct leat_message *ret_message, int timeout_ms)
{
    const struct channel_limit limit = limit_of(timeout_ms);
    struct channel_way *way = &c->in;
    struct channel_found f = {0};
    for (;;) {
        int r = take_begin(c, &limit);
        if (r == 0) {
            r = take_look(c, way, &f);
            if (r == 0 && mark_kind(f.mark) != RECORD_WHOLE)
                r = -EMSGSIZE;
            if (r == 0)
                hold(c, way, &f);
            lock_give(&way->receivers);
        }
        if (r == 0) {
            *ret_message = (struct leat_message){.data = f.bytes, .length = f.length, .id = f.position};
            ret_message->flags = mark_again(f.mark) ? LEAT_MESSAGE_AGAIN : 0;
            return 0;
        }
        if (r != -EAGAIN || (r = take_wait(c, way, &limit)) < 0)
            return r;
    }
}

int leat_channel_release(leat_channel *c, const struct leat_message *message)
{
    const struct channel_limit second = limit_of(1000);
    struct channel_way *way = &c->in;
    struct channel_lane *lane = way->lane;
    struct channel_found f = {0};
    int r = take_begin(c, &second);
    if (r < 0)
        return r;
    uint64_t head = atomic_load(&lane->head), next = atomic_load(&lane->next), id = message->id;
    if (id - head >= next - head)
        r = -EINVAL;
    else
        r = record_look(c, way, id, next - id, &f);
    if (r == 0 && (mark_state(f.mark) != RECORD_HELD || mark_place(f.mark) != c->place))
        r = -EINVAL;
    if (r == 0) {
        atomic_store(&record_at(c, way, id)->mark, mark_make(RECORD_WHOLE, RECORD_DONE, 0, 0));
        atomic_fetch_sub(&lane->held, 1);
        atomic_fetch_sub(&c->holding, 1);
        r = record_give_back(c, way);
    }
    lock_give(&way->receivers);
    wait_wake(way, &lane->freed, 1);
    if (peers_are_gone(c))
        /* Receivers that wait for the end have also waited for this message. */
        wait_wake(way, &lane->filled, WAKE_ALL);
    return r;
}
