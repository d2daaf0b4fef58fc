/* The splice route in its parts: route_splice.c plans and has the pipes, route_splice_direct.c moves by one call from
 * side to side, route_splice_staged.c in rounds through pipes of its own. */
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
    struct residue pipe; /* bytes: what is in it */
    size_t size;
    bool copied; /* has its copy of this round, or is the one that was filled */
    bool refused;
    leat_filter *digest; /* not NULL: the stage of a digest, behind those of the branches */
};

struct splice_route {
    struct op op;
    enum splice_step doing;
    size_t busy; /* the stage whose call is in flight */
    bool over;   /* the source said 0 */
    bool refused;
    bool sink_waits; /* direct: the sink was the side that was not ready last time */
    bool asked;      /* direct: and this time, it was waited for already */
    size_t round;    /* bytes of this round */
    int tee_tries;
    size_t stages;
    struct splice_stage stage[];
};

/* Names this call as the next one; its flags get OP_NOWAIT. */
enum verdict splice_op(struct splice_route *s, enum splice_step doing, struct op op, struct op **ret_op);

/* A pipe for a stage, paid for. -ENOBUFS: the memory limit forbids it. */
int splice_open_stage(struct hop *hop, struct splice_stage *stage, size_t size);

/* The route does not work here, after what the call said. */
void splice_refuse(struct hop *hop, ssize_t result);

/* A connection broke: that side failed. False: it is another error. */
bool splice_broken(struct hop *hop, struct branch *branch, ssize_t result);

/* What is next, and what came of it: where one side is a pipe and there is one branch. */
enum verdict splice_direct_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait);
void splice_direct_done(struct hop *hop, ssize_t result);

/* The same for rounds: a fill, tees of all of it, and drains. */
enum verdict splice_staged_next(struct hop *hop, struct op **ret_op, struct wait_set *ret_wait);
void splice_filled(struct hop *hop, ssize_t result);
void splice_teed(struct hop *hop, ssize_t result);
void splice_drained(struct hop *hop, ssize_t result);

#endif
