/* SPDX-License-Identifier: MIT */
/* The part of a hold that is in a file. Only the putter reserves slots and writes, and only the taker reads and gives
 * slots back. While the putter writes a chunk, the taker may take it from memory; then the slot is unused again. */
#include "buffer/hold.h"
#include <errno.h>

#define SLOTS_KEEP 16 /* unused slots that keep their blocks: they are written again soon, as slots are a stack */

void hold_slots_init(struct hold *hold)
{
    uint64_t chunks = hold->water.size / hold->pool.chunk_size + 2;
    hold->slots = (struct hold_slots){.most = hold->plan.file ? chunks : 0, .reserved = HOLD_NO_SLOT};
}

void hold_slots_free(struct hold *hold)
{
    free(hold->slots.unused);
    hold->slots.unused = NULL;
    hold->slots.unused_n = hold->slots.unused_capacity = 0;
}

/* ---- slots; the caller holds the lock ---- */

static uint64_t take_slot(struct hold_slots *slots)
{
    if (slots->unused_n)
        return slots->unused[--slots->unused_n];
    return slots->made < slots->most ? slots->made++ : HOLD_NO_SLOT;
}

/* Without memory for the list the slot is lost, and the file is so much smaller. */
static void give_slot(struct hold_slots *slots, uint64_t slot)
{
    if (slots->unused_n == slots->unused_capacity) {
        size_t capacity = slots->unused_capacity ? slots->unused_capacity * 2 : 16;
        uint64_t *larger = realloc(slots->unused, capacity * sizeof(*larger));
        if (!larger)
            return;
        slots->unused = larger;
        slots->unused_capacity = capacity;
    }
    slots->unused[slots->unused_n++] = slot;
}

/* Do so many chunks fill the memory, so that further ones belong into the file? */
static bool fill_memory(const struct hold *hold, uint64_t chunks)
{
    return hold->plan.file && chunks * hold->pool.chunk_size >= hold->plan.memory;
}

bool hold_reserve(struct hold *hold)
{
    if (!fill_memory(hold, hold->in_memory) || hold->slots.reserved != HOLD_NO_SLOT)
        return true;
    hold->slots.reserved = take_slot(&hold->slots);
    return hold->slots.reserved != HOLD_NO_SLOT;
}

/* ---- writing ---- */

static struct hold_part *part_of(struct hold *hold, uint64_t number)
{
    return number >= hold->head ? &hold->ring[number % hold->capacity] : NULL;
}

/* The caller holds the lock. A slot that could not be written is not used again, and no new ones are made. */
static void record_spill(struct hold *hold, uint64_t number, uint64_t slot, int result)
{
    struct hold_slots *slots = &hold->slots;
    struct hold_part *part = part_of(hold, number);
    if (result < 0) {
        slots->failed = slots->failed ? slots->failed : result;
        slots->most = slots->made;
    } else if (!part || part->from) /* it was taken meanwhile */
        give_slot(slots, slot);
    else {
        part->chunk = chunk_unref(part->chunk); /* the putter has another reference */
        part->slot = slot;
        hold->in_memory--;
        slots->used++;
        slots->top = MAX(slots->top, slots->used);
    }
}

void hold_spill(struct hold *hold)
{
    struct chunk *chunk = NULL;
    pthread_mutex_lock(&hold->lock);
    uint64_t number = hold->tail - 1, slot = hold->slots.reserved;
    struct hold_part *part = part_of(hold, number);
    hold->slots.reserved = HOLD_NO_SLOT;
    if (slot != HOLD_NO_SLOT && part && !part->from && fill_memory(hold, hold->in_memory - 1))
        chunk = chunk_ref(part->chunk);
    else if (slot != HOLD_NO_SLOT)
        give_slot(&hold->slots, slot);
    pthread_mutex_unlock(&hold->lock);
    if (!chunk)
        return;
    size_t n = hold->pool.chunk_size;
    int r = hold->plan.file->write(hold->plan.user, chunk->data, n, slot * n);
    pthread_mutex_lock(&hold->lock);
    record_spill(hold, number, slot, r);
    pthread_mutex_unlock(&hold->lock);
    chunk_unref(chunk);
}

/* ---- reading ---- */

int hold_fetch(struct hold *hold)
{
    struct hold_part *first = part_of(hold, hold->head);
    if (first->chunk)
        return 0;
    struct chunk *chunk = chunk_get(&hold->pool);
    if (!chunk)
        return hold->views ? -EAGAIN : -ENOMEM;
    size_t n = hold->pool.chunk_size;
    uint64_t slot = first->slot;
    bool frees = hold->slots.unused_n >= SLOTS_KEEP;
    pthread_mutex_unlock(&hold->lock);
    int r = hold->plan.file->read(hold->plan.user, chunk->data, n, slot * n);
    if (r == 0 && frees) /* before the putter gets the slot */
        hold->plan.file->discard(hold->plan.user, n, slot * n);
    pthread_mutex_lock(&hold->lock);
    if (r < 0) {
        chunk_unref(chunk);
        return r == -EAGAIN ? -EIO : r;
    }
    part_of(hold, hold->head)->chunk = chunk; /* the ring may have moved */
    hold->in_memory++;
    hold->slots.used--;
    give_slot(&hold->slots, slot);
    return 0;
}

uint64_t hold_file_top(struct hold *hold, int *ret_failed)
{
    pthread_mutex_lock(&hold->lock);
    *ret_failed = hold->slots.failed;
    uint64_t top = hold->slots.top * hold->pool.chunk_size;
    pthread_mutex_unlock(&hold->lock);
    return top;
}
