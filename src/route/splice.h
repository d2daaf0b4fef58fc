/* SPDX-License-Identifier: MIT */
/* What the files of the splice route share: splice.c plans, splice_direct.c splices from the source to the sink by
 * one call, splice_staged.c moves in rounds through private pipes, and splice_call.c has what both of them use. Each
 * calls only files behind it in this list. */
#ifndef ROUTE_SPLICE_H
#define ROUTE_SPLICE_H

#include "route/hop.h"

enum splice_step {
    DOING_FILL,
    DOING_TEE,
    DOING_DRAIN,
    DOING_DIRECT
};

struct splice_stage {
    struct residue pipe;
    size_t size;         /* the capacity of the pipe, in bytes */
    bool copied;         /* the pipe got its copy of this round, or was filled from the source */
    bool refused;        /* the sink took no splice, or the digest failed: the pipe is not drained any more */
    leat_filter *digest; /* not NULL: the stage of a digest; these stages follow those of the branches */
};

struct splice_route {
    struct op op;
    enum splice_step doing;
    size_t busy;     /* the stage whose call is in flight */
    bool over;       /* a splice from the source returned 0 */
    bool refused;    /* the route does not work here: it steps down when the live pipes are drained */
    bool sink_waits; /* direct: the sink was the side that was not ready last time */
    bool asked;      /* direct: since the last bytes moved, the route has already waited for that side */
    size_t round;    /* bytes of this round */
    int tee_tries;   /* tees in this round that were short */
    size_t stages;
    struct splice_stage stage[];
};

/* Names `op` as the next call and adds OP_NOWAIT to its flags. Returns OP. */
enum verdict splice_op(struct splice_route *s, enum splice_step doing, struct op op, struct op **ret_op);

/* Makes the pipe of a stage, with `size` bytes from the hop's budget. Returns 0 or a negative errno; -ENOBUFS: the
 * memory limit leaves no room for it. */
int splice_open_stage(struct hop *hop, struct splice_stage *stage, size_t size);

/* Marks the route as one that does not work here. `result` of the last call becomes the reason. */
void splice_refuse(struct hop *hop, ssize_t result);

/* If `result` says that a connection broke, records the failure of that side and returns true. `branch` NULL: the call
 * involved no sink. */
bool splice_fail_broken_side(struct hop *hop, struct branch *branch, ssize_t result);

/* One side is a pipe and there is one branch: the next call from side to side, and its result. */
enum verdict splice_direct_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait);
void splice_record_direct(struct hop *hop, ssize_t result);

/* Else: the next call of a round, and the results of a fill, of a tee, and of a drain. */
enum verdict splice_staged_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait);
void splice_record_fill(struct hop *hop, ssize_t result);
void splice_record_tee(struct hop *hop, ssize_t result);
void splice_record_drain(struct hop *hop, ssize_t result);

#endif
