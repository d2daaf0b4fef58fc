/* SPDX-License-Identifier: MIT */
/* What the files of the chunk route share: chunk.c plans, chunk_read.c reads, chunk_write.c writes, chunk_spill.c has
 * the branches that spill, and chunk_ring.c the ring. Each calls only files behind it in this list. */
#ifndef ROUTE_CHUNK_H
#define ROUTE_CHUNK_H

#include "route/hop.h"

struct cursor {
    uint64_t next;         /* number of the first chunk that the branch has not begun; UINT64_MAX: the branch failed */
    struct chunk *chunk;   /* the chunk that the branch is writing; the cursor owns one reference */
    size_t at;             /* bytes written of `scratch`, or else of `chunk` */
    struct chunk *scratch; /* bytes that were read back from the branch's own residue; one reference */
    struct chunk *spare;   /* of a branch that spills: for bytes that come back from its file; one reference */
    size_t spilled;        /* of the first chunk that the branch has not begun: bytes that its file has already */
};

/* The call that is in flight. */
enum chunk_step {
    DOING_NOTHING,
    DOING_READ,
    DOING_TAKE,
    DOING_RESIDUE,
    DOING_PROBE,
    DOING_WRITE,
    DOING_BRANCH_RESIDUE,
    DOING_SPILL,
    DOING_UNSPILL,
};

struct chunk_route {
    struct chunk_pool pool;
    struct port released; /* ready when a chunk returns to the pool */
    struct op op;
    enum chunk_step doing;
    struct branch *busy;   /* the branch whose write, or whose read of a residue, is in flight */
    struct chunk *filling; /* the chunk that the next read fills */
    size_t room;           /* at most so many bytes of the source go into the next chunk */
    void *taken;           /* the chunk that the source hands over; node->take fills this in */
    bool gives;            /* the source hands over its own chunks, so the route fills none */
    bool borrows;          /* the sink lends the memory that the route fills */
    uint8_t probe;
    struct chunk **ring; /* chunk number i is at i % capacity */
    size_t capacity;
    uint64_t head, tail; /* the ring holds the chunks [head, tail) */
    size_t turn;         /* chunk_write_any looks at this branch first */
    bool looked;         /* since the last chunk was added or written, the engine has looked for ready branches */
    struct cursor cursor[];
};

static inline struct cursor *chunk_cursor(const struct hop *hop, const struct branch *branch)
{
    struct chunk_route *s = hop->state;
    return &s->cursor[branch - hop->branch];
}

/* Removes from the ring the chunks that every live branch has begun. A branch that is still writing such a chunk keeps
 * it by its cursor's reference. */
void chunk_retire(struct hop *hop);

/* How many bytes the branch has not begun. */
uint64_t chunk_waiting_bytes(const struct chunk_route *s, const struct cursor *c);
/* The branch has failed: drops all that it has. */
void chunk_let_go(struct hop *hop, struct branch *branch);

/* Makes sure that the ring has a place for one more chunk. False: it can't grow. */
bool chunk_has_place(struct chunk_route *s);
/* The pool is empty: branches that may drop give up what they have not begun. True: a branch did. */
bool chunk_drop_laggards(struct hop *hop);
/* Shows a chunk, which is filled or a hole, to the filters and adds it to the ring. Takes the reference. */
void chunk_append(struct hop *hop, struct chunk *chunk);

/* Names the next read. OP: *ret_op is a read. WAIT: for what *ret_wait says. END: there is nothing more to read.
 * STEP_DOWN: the ring has changed, so the caller tries again. */
enum verdict chunk_read_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait);
/* Record the results of a read, of a read of the residue of all branches, and of the read that looks whether a file
 * ends where its size says. */
void chunk_record_read(struct hop *hop, ssize_t result);
void chunk_record_read_residue(struct hop *hop, ssize_t result);
void chunk_record_probe(struct hop *hop, ssize_t result);

/* Names the next write. The branches are asked round robin.
 *
 * OP: *ret_op is the write, or the read of a branch's residue that comes before it.
 * WAIT: no branch can be written to now. *ret_wait has the ports of the branches that have bytes. *ret_pending: a
 * branch has bytes. *ret_residues: some of these bytes are a residue. */
enum verdict chunk_write_any(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait, bool *ret_pending,
                             bool *ret_residues);

/* Record the result of a write, and of a read of the branch's own residue: the pipe in which the splice route left
 * bytes for this branch alone. */
void chunk_record_write(struct hop *hop, struct branch *branch, ssize_t result);
void chunk_record_residue(struct hop *hop, struct branch *branch, ssize_t result);

/* Memory has run out: moves the oldest chunk of a branch that lags to its file. OP: *ret_op is the write. STEP_DOWN:
 * the chunk was a hole, and the ring has changed. END: no branch can spill it, so all wait. */
enum verdict chunk_spill(struct hop *hop, struct op **ret_op);
/* The branch has written its chunk, and its file has bytes: names the read of the next ones. STEP_DOWN: they are a
 * hole, and the branch has it as its chunk. */
enum verdict chunk_unspill(struct hop *hop, struct branch *branch, struct op **ret_op);
/* Record the results of the two calls. */
void chunk_record_spill(struct hop *hop, struct branch *branch, ssize_t result);
void chunk_record_unspill(struct hop *hop, struct branch *branch, ssize_t result);

#endif
