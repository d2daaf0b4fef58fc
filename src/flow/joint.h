/* A joint: where a filter cuts a pipeline in two. The leg before it ends in a sink, the leg behind it begins at a
 * source, and the filter is what lies between.
 *
 * A filter that joins brings both nodes. For one that transforms they are made here, and nothing is copied between
 * them: the sink keeps the bytes that a write offers, without taking them, and the source has the filter turn them into
 * what a read has room for. When they are used up the sink takes them. So what waits before the filter is memory of the
 * leg before, counted there as held, and what it gives goes straight into memory of the leg behind: a joint has none.
 *
 * Threads: the two legs may run on two. `state` says whose the offer is: EMPTY and USED are the sink's, OFFERED is the
 * source's. Whoever hands it over tells the other's port. */
#ifndef FLOW_JOINT_H
#define FLOW_JOINT_H

#include "node/filter.h"
#include "node/node.h"

struct joint {
    leat_filter *filter; /* NULL: there is no joint */
    size_t index;        /* of the filter among all of the pipeline's */
    struct node *into;   /* the sink of the leg before */
    struct node *out;    /* the source of the leg behind */

    /* Of a filter that transforms. */
    struct node end[2];
    _Atomic enum {
        JOINT_EMPTY,
        JOINT_OFFERED,
        JOINT_USED
    } state;
    const uint8_t *offer;
    size_t offered, used;
    atomic_bool complete;    /* the leg before has ended well: no more will be offered */
    bool over;               /* the filter has put out its last byte */
    struct leat_error error; /* what the filter said when it failed; of the leg behind */
};

/* Gives the joint its nodes. Looks only, and may be repeated. */
void joint_make(struct joint *joint, leat_filter *filter, size_t index);

/* The leg behind has ended. True: the filter has used bytes of an offer that were not taken yet, and the write that
 * offered them gets their number if it is made again. On the thread of the leg before. */
bool joint_hands_back(struct joint *joint);

#endif
