/* SPDX-License-Identifier: MIT */
/* Repairs what peers left that died inside a call. A repair may itself be cut off anywhere; the next peer does it
 * again. A repair only makes true what the deciding store has already decided. */
#include "channel/channel.h"
#include <errno.h>

void recover_sender(struct channel_way *way)
{
    struct channel_lane *lane = way->lane;
    if (atomic_load(&lane->tail) == atomic_load(&lane->intent_tail))
        atomic_store(&lane->sent, atomic_load(&lane->intent_sent));
    atomic_store(&lane->stream, 0);
}

/* Has the store happened that decides the intent of the dead owner? */
static bool has_intent_happened(leat_channel *c, struct channel_way *way, uint32_t intent, uint64_t position)
{
    struct channel_lane *lane = way->lane;
    if (intent == INTENT_NEXT)
        return atomic_load(&lane->next) != position;
    uint32_t mark = atomic_load(&record_at(c, way, position)->mark);
    return position < atomic_load(&lane->head) || mark_state(mark) == RECORD_DONE;
}

/* The dead owner may have been about to hold the next record, whether or not it had stored an intent. A record that is
 * not taken belongs to no receiver. */
static void undo_mark(leat_channel *c, struct channel_way *way, uint64_t position)
{
    struct record *record = record_at(c, way, position);
    uint32_t mark = atomic_load(&record->mark);
    atomic_store(&record->mark, mark_make(mark_kind(mark), RECORD_READY, mark_again(mark), 0));
}

void recover_receiver(leat_channel *c, struct channel_way *way, uint32_t place)
{
    struct channel_lane *lane = way->lane;
    uint32_t intent = atomic_load(&lane->intent);
    uint64_t position = atomic_load(&lane->intent_position), next = atomic_load(&lane->next);
    if (intent != INTENT_NONE && has_intent_happened(c, way, intent, position)) {
        atomic_store(&c->places[place].taken, atomic_load(&lane->intent_taken));
        atomic_store(&lane->received, atomic_load(&lane->intent_received));
    }
    if (atomic_load(&lane->tail) != next)
        undo_mark(c, way, next);
    atomic_store(&lane->intent, INTENT_NONE);
}

int recover_held(leat_channel *c, struct channel_way *way, uint32_t place)
{
    struct channel_lane *lane = way->lane;
    uint64_t next = atomic_load(&lane->next);
    uint32_t back = 0, held = 0;
    struct channel_found f = {0};
    for (uint64_t at = atomic_load(&lane->head); at != next; at += f.size) {
        int r = record_look(c, way, at, next - at, &f);
        if (r < 0)
            return r;
        uint32_t state = mark_state(f.mark);
        if (state == RECORD_HELD && mark_place(f.mark) == place) {
            atomic_store(&record_at(c, way, at)->mark, mark_make(mark_kind(f.mark), RECORD_BACK, 1, 0));
            state = RECORD_BACK;
        }
        back += state == RECORD_BACK;
        held += state == RECORD_HELD;
    }
    if (atomic_load(&lane->reading) == place + 1)
        atomic_store(&lane->reading, 0);
    atomic_store(&lane->again, back);
    atomic_store(&lane->held, held);
    return record_give_back(c, way);
}
