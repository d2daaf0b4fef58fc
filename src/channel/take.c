/* SPDX-License-Identifier: MIT */
#include "channel/take.h"
#include <errno.h>

void take_next(leat_channel *c, struct channel_way *way, uint64_t next, uint32_t messages, uint32_t calls)
{
    struct channel_lane *lane = way->lane;
    struct channel_place *place = &c->places[c->place];
    uint64_t from = atomic_load_explicit(&lane->next, memory_order_relaxed);
    uint64_t received = atomic_load_explicit(&lane->received, memory_order_relaxed) + messages;
    uint64_t taken = atomic_load_explicit(&place->taken, memory_order_relaxed) + calls;
    atomic_store_explicit(&lane->intent_position, from, memory_order_relaxed);
    atomic_store_explicit(&lane->intent_taken, taken, memory_order_relaxed);
    atomic_store_explicit(&lane->intent_received, received, memory_order_relaxed);
    atomic_store_explicit(&lane->intent, INTENT_NEXT, memory_order_release);
    atomic_store_explicit(&lane->next, next, memory_order_release);
    atomic_store_explicit(&place->taken, taken, memory_order_release);
    atomic_store_explicit(&lane->received, received, memory_order_release);
    atomic_store_explicit(&lane->intent, INTENT_NONE, memory_order_release);
}

void take_back(leat_channel *c, struct channel_way *way, const struct channel_found *f)
{
    struct channel_lane *lane = way->lane;
    struct channel_place *place = &c->places[c->place];
    uint64_t taken = atomic_load(&place->taken) + 1;
    atomic_store(&lane->intent_position, f->position);
    atomic_store(&lane->intent_taken, taken);
    atomic_store(&lane->intent_received, atomic_load(&lane->received));
    atomic_store(&lane->intent, INTENT_STATE);
    atomic_store(&record_at(c, way, f->position)->mark, mark_make(RECORD_WHOLE, RECORD_DONE, 0, 0));
    atomic_store(&place->taken, taken);
    atomic_store(&lane->intent, INTENT_NONE);
    atomic_fetch_sub(&lane->again, 1);
    record_give_back(c, way);
}

/* Drops a part of a long message whose receiver died, or whose end will not come. */
static void pass_over(leat_channel *c, struct channel_way *way, const struct channel_found *f)
{
    take_next(c, way, f->position + f->size, mark_kind(f->mark) == RECORD_LAST, 0);
    record_give_back(c, way);
    wait_wake_ordered(way, &way->lane->freed, 1);
}

/* Nothing is left to receive, and no other receiver holds a message that might come back. A handle that holds a message
 * itself does not wait for the other receivers, or two such handles would wait for each other. The answer is sure only
 * under the lock and after a look at the peers: then the last message of a sender that has left is seen. */
static bool is_empty(leat_channel *c, struct channel_way *way)
{
    struct channel_lane *lane = way->lane;
    return !atomic_load(&lane->reading) && !atomic_load(&lane->again) &&
           atomic_load(&lane->tail) == atomic_load(&lane->next) &&
           (atomic_load(&c->holding) || !atomic_load(&lane->held));
}

static int end_code(leat_channel *c)
{
    return atomic_load(&c->head->deaths[!c->end]) ? -EOWNERDEAD : -ENODATA;
}

/* The memory says that this handle is in the middle of a long message. Then the caller or another thread goes on with
 * it. */
static int check_stream(leat_channel *c)
{
    if (!atomic_load(&c->stream.open))
        return channel_corrupt(c);
    return atomic_load(&c->stream.busy) ? -EAGAIN : -EMSGSIZE;
}

int take_look(leat_channel *c, struct channel_way *way, struct channel_found *ret)
{
    struct channel_lane *lane = way->lane;
    int r = record_find_back(c, way, ret);
    if (r != -EAGAIN)
        return r;
    uint32_t reading = atomic_load_explicit(&lane->reading, memory_order_relaxed);
    if (reading == c->place + 1)
        return check_stream(c);
    for (uint64_t passed = 0;; passed += ret->size) {
        uint64_t next = atomic_load_explicit(&lane->next, memory_order_relaxed);
        if ((int64_t)(way->seen - next) <= 0)
            way->seen = atomic_load_explicit(&lane->tail, memory_order_acquire);
        if (way->seen == next)
            return peers_are_gone(c) && is_empty(c, way) ? end_code(c) : -EAGAIN;
        r = record_look(c, way, next, way->seen - next, ret);
        if (r < 0)
            return r;
        if (reading)
            return -EAGAIN;
        if (mark_kind(ret->mark) <= RECORD_FIRST)
            return 0;
        if (passed >= c->g.capacity)
            return -EAGAIN; /* One lap is done, and the sender goes on. Other receivers get the lock meanwhile. */
        pass_over(c, way, ret);
    }
}

bool take_test(leat_channel *c, struct channel_way *way, uint64_t unused UNUSED)
{
    struct channel_lane *lane = way->lane;
    uint32_t reading = atomic_load(&lane->reading);
    if (atomic_load(&lane->again))
        return true;
    if (reading == c->place + 1 && !atomic_load(&c->stream.busy))
        return true;
    return (!reading && atomic_load(&lane->tail) != atomic_load(&lane->next)) ||
           (peers_are_gone(c) && is_empty(c, way));
}

bool take_part_test(leat_channel *c, struct channel_way *way, uint64_t id)
{
    struct channel_lane *lane = way->lane;
    return atomic_load(&lane->tail) != atomic_load(&lane->next) || atomic_load(&lane->stream) != id + 1 ||
           atomic_load(&lane->reading) != c->place + 1;
}

/* As take_test, for a caller that polls. It has all parts of a long message that came before, so only another part is
 * news. */
static bool poll_test(leat_channel *c, struct channel_way *way, uint64_t unused)
{
    if (atomic_load(&way->lane->reading) != c->place + 1 || atomic_load(&way->lane->again))
        return take_test(c, way, unused);
    return !atomic_load(&c->stream.busy) && take_part_test(c, way, atomic_load(&c->stream.id));
}

int take_wait(leat_channel *c, struct channel_way *way, const struct channel_limit *limit)
{
    if (!limit->now) {
        int r = wait_for(c, way, &way->lane->filled, take_test, 0, limit);
        if (atomic_load_explicit(&c->buried, memory_order_relaxed))
            peers_tell_crashes(c);
        return r;
    }
    peers_bury_crashed(c, limit);
    if (atomic_load(&way->polled))
        wait_arm(c, way, &way->lane->filled, poll_test, 0);
    return -EAGAIN;
}

int take_begin(leat_channel *c, const struct channel_limit *limit)
{
    struct channel_way *way = &c->in;
    int code = channel_begin(c, way);
    if (code < 0)
        return code;
    return lock_take(c, &way->receivers, limit);
}
