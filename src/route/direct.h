/* The direct route in its parts: route_direct.c plans, and decides what is next, route_direct_open.c has the
 * descriptors that go past the cache, route_direct_calls.c makes one slot's reads and writes. */
#ifndef ROUTE_DIRECT_H
#define ROUTE_DIRECT_H

#include "route/hop.h"

#define DIRECT_DEPTH 8 /* reads and writes together; twice as many gain nothing */

enum direct_side {
    SOURCE,
    SINK
};

struct direct_slot {
    struct op op;
    enum direct_side side; /* of the op, and whether it is on the descriptor that goes past the cache */
    bool past_cache;
    bool busy; /* the op is in flight */
    enum {
        SLOT_READING,
        SLOT_READ,
        SLOT_TAKEN
    } state;
    struct chunk *chunk; /* NULL: a hole that nobody looks at */
    uint64_t at;         /* of its first byte, as hop->taken counts */
    uint64_t want, got;  /* bytes that are to be read, and that were */
    uint64_t put;        /* written */
    uint64_t counted;    /* as delivered */
    bool ends;           /* the source ended, or failed, behind them */
    int error;           /* of the read or the write behind them */
};

struct direct_route {
    struct chunk_pool pool;
    struct port released; /* a chunk came back */
    int fd[2];            /* by side: what goes past the cache, or -1 */
    bool past_cache[2];   /* and is still used */
    size_t align;
    uint64_t base;        /* what `at` is added to for blocks to begin at multiples of `align` */
    uint64_t next, limit; /* no slot asks for `next` yet; the source ends at `limit` */
    uint64_t head, took, tail;
    size_t depth, busy;
    bool over;    /* nothing more is taken */
    bool refused; /* before anything was taken: the next route shall try */
    struct direct_slot slot[DIRECT_DEPTH];
};

static inline struct direct_slot *direct_slot_at(struct direct_route *s, uint64_t number)
{
    return &s->slot[number % DIRECT_DEPTH];
}

/* A file or a disk. */
bool direct_is_storage(const struct node *node);

/* Opens both sides past the cache, or the one of them that can be, and settles where blocks begin. A negative errno:
 * neither can, and the hop knows why. */
int direct_open_sides(struct hop *hop, struct direct_route *s);

/* Bytes from here to the next place where a block begins; s->align if one begins here. */
uint64_t direct_to_boundary(const struct direct_route *s, uint64_t at);

/* Names the next call for what the slot still lacks. */
enum verdict direct_read_op(struct hop *hop, struct direct_slot *slot, struct op **ret_op);
enum verdict direct_write_op(struct hop *hop, struct direct_slot *slot, struct op **ret_op);

/* What came of it; also that the route does not work here (s->refused). */
void direct_was_read(struct hop *hop, struct direct_slot *slot, ssize_t result);
void direct_was_written(struct hop *hop, struct direct_slot *slot, ssize_t result);

#endif
