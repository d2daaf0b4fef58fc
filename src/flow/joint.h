/* SPDX-License-Identifier: MIT */
/* A joint is the place where a filter cuts a pipeline in two. The leg before it writes to a sink, the leg behind it
 * reads from a source, and the filter lies between them.
 *
 * A filter that joins (FILTER_JOINS) brings both nodes. For a filter that transforms, the joint makes them, and copies
 * nothing between them. A write offers bytes. The sink takes none of them yet and says -EAGAIN, and the leg before
 * keeps them where they are. A read of the source makes the filter transform the offered bytes straight into the buffer
 * of the read. When the offer is used up, the write is made again, and the sink takes the bytes. So a joint has no
 * memory: the bytes that wait before the filter are memory of the leg before, which counts them as held, and the output
 * of the filter goes into memory of the leg behind.
 *
 * Threads: the two legs may run on two threads. `state` says which side has the offer: in EMPTY and USED the sink has
 * it, in OFFERED the source. The side that changes `state` notifies the port of the other side. */
#ifndef FLOW_JOINT_H
#define FLOW_JOINT_H

#include "node/filter.h"
#include "node/node.h"

struct joint {
    leat_filter *filter; /* NULL: there is no joint */
    size_t index;        /* of the filter, among all filters of the pipeline */
    struct node *into;   /* the sink of the leg before */
    struct node *out;    /* the source of the leg behind */

    /* Only for a filter that transforms. */
    struct node end[2];
    _Atomic enum {
        JOINT_EMPTY,
        JOINT_OFFERED,
        JOINT_USED
    } state;
    const uint8_t *offer;
    size_t offered, used;
    atomic_bool complete;    /* the leg before has ended without failure, and offers nothing more */
    bool over;               /* the filter has given its last byte */
    struct leat_error error; /* the filter's error, for the leg behind */
};

/* Fills the joint and its two nodes. It opens nothing, and may be called again. */
void joint_make(struct joint *joint, leat_filter *filter, size_t index);

/* Tells the joint that the leg behind has ended. Returns true if the filter has used bytes of an offer that the sink
 * has not taken yet: if the write that offered them is made again, it returns their number. Call it on the thread of
 * the leg before. */
bool joint_hands_back(struct joint *joint);

#endif
