/* SPDX-License-Identifier: MIT */
/* What the files of the direct route share: direct.c plans and chooses the next call, direct_open.c opens the
 * descriptors that bypass the page cache, direct_calls.c names one slot's reads and writes. */
#ifndef ROUTE_DIRECT_H
#define ROUTE_DIRECT_H

#include "route/hop.h"

#define DIRECT_DEPTH 8 /* slots, for reads and writes together; twice as many are no faster */

enum direct_side {
    SOURCE,
    SINK
};

struct direct_slot {
    struct op op;
    enum direct_side side; /* the side of the op */
    bool past_cache;       /* the op uses the descriptor that bypasses the cache */
    bool busy;             /* the op is in flight */
    enum {
        SLOT_READING,
        SLOT_READ,
        SLOT_TAKEN
    } state;
    struct chunk *chunk; /* one reference; NULL: a hole that no filter observes */
    uint64_t at;         /* position of the first byte, as hop->taken counts */
    uint64_t want, got;  /* bytes to read, and bytes read */
    uint64_t put;        /* bytes written */
    uint64_t counted;    /* bytes recorded as delivered */
    bool ends;           /* the source ended, or failed, after the bytes that were read */
    int error;           /* of the read or write that failed: it comes after the bytes that were read or written */
};

struct direct_route {
    struct chunk_pool pool;
    struct port released;      /* ready when a chunk returns to the pool */
    int fd[2];                 /* by side: the descriptor that bypasses the cache, which the route owns, or -1 */
    bool past_cache[2];        /* by side: fd is in use; false after the side refused a call on it */
    size_t align;              /* in bytes, for offset, length and memory, on both sides */
    uint64_t base;             /* a block begins where (base + at) is a multiple of `align` */
    uint64_t next, limit;      /* the next slot begins at `next`; the source ends at `limit` */
    uint64_t head, took, tail; /* slot numbers: see direct.c */
    size_t depth, busy;        /* the most slots in use, and the calls in flight */
    bool over;                 /* the source ended or failed: the route takes nothing more */
    bool refused;              /* O_DIRECT failed before anything was taken, so the hop steps down */
    struct direct_slot slot[DIRECT_DEPTH];
};

static inline struct direct_slot *direct_slot_at(struct direct_route *s, uint64_t number)
{
    return &s->slot[number % DIRECT_DEPTH];
}

/* Is the node a file or a disk? */
bool direct_is_storage(const struct node *node);

/* Opens a descriptor that bypasses the cache for both sides, or for the one side that supports it, and sets `align` and
 * `base`. Returns 0, or a negative errno if neither side supports it; then the rung has the reason. */
int direct_open_sides(struct hop *hop, struct direct_route *s);

/* Returns the bytes from `at` to the next start of a block; s->align if a block starts at `at`. */
uint64_t direct_to_boundary(const struct direct_route *s, uint64_t at);

/* Name the next call of the slot: a read of the bytes that it still lacks, or a write of those not yet written. The
 * slot is busy then. Both return OP. */
enum verdict direct_read_op(struct hop *hop, struct direct_slot *slot, struct op **ret_op);
enum verdict direct_write_op(struct hop *hop, struct direct_slot *slot, struct op **ret_op);

/* Record the result of the slot's call. They set s->refused if O_DIRECT does not work here. */
void direct_record_read(struct hop *hop, struct direct_slot *slot, ssize_t result);
void direct_record_write(struct hop *hop, struct direct_slot *slot, ssize_t result);

#endif
