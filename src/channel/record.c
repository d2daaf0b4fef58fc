/* SPDX-License-Identifier: MIT */
#include "channel/channel.h"
#include <errno.h>

int record_look(leat_channel *c, const struct channel_way *way, uint64_t position, uint64_t room,
                struct channel_found *ret)
{
    const struct record *record = record_at(c, way, position);
    struct channel_found f = {.position = position, .bytes = (const uint8_t *)(record + 1)};
    f.mark = atomic_load_explicit(&record->mark, memory_order_relaxed);
    f.length = atomic_load_explicit(&record->length, memory_order_relaxed);
    f.extra = atomic_load_explicit(&record->extra, memory_order_relaxed);
    f.size = record_size(f.length);
    uint32_t kind = mark_kind(f.mark);
    bool wrong = room > c->g.capacity || f.size > room || kind < RECORD_WHOLE || kind > RECORD_LAST ||
                 mark_state(f.mark) > RECORD_DONE || position % UNIT;
    if (c->g.message_size)
        wrong = wrong || kind != RECORD_WHOLE || f.length != c->g.message_size;
    if (wrong)
        return channel_corrupt(c);
    *ret = f;
    return 0;
}

int record_give_back(leat_channel *c, struct channel_way *way)
{
    struct channel_lane *lane = way->lane;
    uint64_t next = atomic_load_explicit(&lane->next, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&lane->head, memory_order_relaxed);
    uint64_t begin = head;
    int r = 0;
    for (struct channel_found f = {0}; head != next; head += f.size) {
        r = record_look(c, way, head, next - head, &f);
        if (r < 0 || mark_state(f.mark) == RECORD_HELD || mark_state(f.mark) == RECORD_BACK)
            break;
    }
    if (head != begin)
        atomic_store_explicit(&lane->head, head, memory_order_release);
    return r;
}

int record_find_back(leat_channel *c, struct channel_way *way, struct channel_found *ret)
{
    struct channel_lane *lane = way->lane;
    if (!atomic_load_explicit(&lane->again, memory_order_relaxed))
        return -EAGAIN;
    uint64_t next = atomic_load_explicit(&lane->next, memory_order_relaxed);
    struct channel_found f = {0};
    for (uint64_t at = atomic_load_explicit(&lane->head, memory_order_relaxed); at != next; at += f.size) {
        int r = record_look(c, way, at, next - at, &f);
        if (r < 0)
            return r;
        if (mark_state(f.mark) == RECORD_BACK) {
            *ret = f;
            return 0;
        }
    }
    return channel_corrupt(c); /* `again` counts them, so there must be one. */
}
