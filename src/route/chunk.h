/* The chunk route in its parts: route_chunk.c plans and reads, route_chunk_write.c writes. */
#ifndef ROUTE_CHUNK_H
#define ROUTE_CHUNK_H

#include "route/hop.h"

struct cursor {
    uint64_t next;       /* the first chunk in the ring that it has not begun */
    struct chunk *chunk; /* the one it is in; one reference */
    size_t at;
    struct chunk *scratch; /* what was read back from a residue of its own */
};

enum chunk_step {
    DOING_NOTHING,
    DOING_READ,
    DOING_TAKE,
    DOING_RESIDUE,
    DOING_PROBE,
    DOING_WRITE,
    DOING_BRANCH_RESIDUE
};

struct chunk_route {
    struct chunk_pool pool;
    struct port released; /* a chunk came back */
    struct op op;
    enum chunk_step doing;
    struct branch *busy; /* whose write is in flight */
    struct chunk *filling;
    void *taken; /* a chunk of the source's own */
    bool gives;  /* the source hands over its chunks, so none is filled */
    uint8_t probe;
    struct chunk **ring; /* chunk number i stands at i % capacity */
    size_t capacity;
    uint64_t head, tail; /* [head, tail) are in the ring */
    size_t turn;         /* the branch that is looked at first */
    bool looked;         /* for branches that are ready again, since a chunk came or went */
    struct cursor cursor[];
};

static inline struct cursor *chunk_cursor(const struct hop *hop, const struct branch *branch)
{
    struct chunk_route *s = hop->state;
    return &s->cursor[branch - hop->branch];
}

/* Chunks that every branch has begun leave the ring; the branch that is in one holds it by its own reference. */
void chunk_retire(struct hop *hop);

/* Names the write that is next, of the first branch that can be written to, in turn. WAIT: none; *ret_pending and
 * *ret_residues tell whether any has bytes, and whether some of these are a residue. */
enum verdict chunk_write_any(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait, bool *ret_pending,
                             bool *ret_residues);

/* What became of it: of a write, and of reading what the splice route left in this branch's own pipe. */
void chunk_wrote(struct hop *hop, struct branch *branch, ssize_t result);
void chunk_read_residue(struct hop *hop, struct branch *branch, ssize_t result);

#endif
