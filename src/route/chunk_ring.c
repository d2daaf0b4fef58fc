/* SPDX-License-Identifier: MIT */
/* The ring of the chunk route, and the cursors of its branches. */
#include "route/chunk.h"

/* The ring grows with its contents and is not allocated for
 * the memory limit, which may be far larger than the memory of the machine. If the ring cannot grow, the route waits
 * until the slowest branch frees a place. */
bool chunk_has_place(struct chunk_route *s)
{
    if (s->tail - s->head < s->capacity)
        return true;
    struct chunk **larger = calloc(s->capacity * 2, sizeof(struct chunk *));
    if (!larger)
        return false;
    for (uint64_t i = s->head; i < s->tail; i++)
        larger[i % (s->capacity * 2)] = s->ring[i % s->capacity];
    free(s->ring);
    s->ring = larger;
    s->capacity *= 2;
    return true;
}

void chunk_retire(struct hop *hop)
{
    struct chunk_route *s = hop->state;
    uint64_t least = s->tail;
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed)
            least = MIN(least, s->cursor[i].next);
    for (; s->head < least; s->head++)
        s->ring[s->head % s->capacity] = chunk_unref(s->ring[s->head % s->capacity]);
}

uint64_t chunk_waiting_bytes(const struct chunk_route *s, const struct cursor *c)
{
    uint64_t n = 0;
    for (uint64_t i = c->next; i < s->tail; i++)
        n += s->ring[i % s->capacity]->length;
    return n;
}

void chunk_let_go(struct hop *hop, struct branch *branch)
{
    struct cursor *c = chunk_cursor(hop, branch);
    c->chunk = chunk_unref(c->chunk);
    c->scratch = chunk_unref(c->scratch);
    c->spare = chunk_unref(c->spare);
    c->next = UINT64_MAX;
    residue_drop(hop, &branch->residue);
    spill_close(&branch->spill);
    chunk_retire(hop);
}

/* The pool is empty. Each branch that may drop and is the slowest of all skips the chunks that it has not begun. If a
 * branch that may not drop is as far behind, dropping would free nothing. Returns true if a branch skipped chunks. */
bool chunk_drop_laggards(struct hop *hop)
{
    struct chunk_route *s = hop->state;
    bool any = false;
    for (size_t i = 0; i < hop->branches; i++)
        if (!hop->branch[i].failed && hop->branch[i].slow != LEAT_SLOW_DROP && s->cursor[i].next == s->head)
            return false;
    for (size_t i = 0; i < hop->branches; i++) {
        struct branch *b = &hop->branch[i];
        struct cursor *c = &s->cursor[i];
        if (b->failed || !c->chunk || c->next != s->head || c->next == s->tail)
            continue;
        b->discarded += chunk_waiting_bytes(s, c);
        c->next = s->tail;
        any = true;
    }
    if (any)
        chunk_retire(hop);
    return any;
}

void chunk_append(struct hop *hop, struct chunk *chunk)
{
    struct chunk_route *s = hop->state;
    hop_observe(hop, chunk);
    s->ring[s->tail++ % s->capacity] = chunk;
    s->looked = false;
    chunk_retire(hop);
}
