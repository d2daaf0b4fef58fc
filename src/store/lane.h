/* SPDX-License-Identifier: MIT */
/* A lane of a fetch: one connection, and the part of the object that it reads. A lane belongs to the transfer thread,
 * except `transfer`, which is set under the fetch's lock, and `waiter`, which is under the window's lock. */
#ifndef STORE_LANE_H
#define STORE_LANE_H

#include "store/retry.h"
#include "store/transfer.h"
#include "store/window.h"

#define LANE_BODY_MAX 4096 /* bytes kept of the body of an answer that is a failure */

struct fetch;

struct fetch_lane {
    struct fetch *fetch;
    struct transfer *transfer;
    struct window_waiter waiter;
    struct retry retry;
    bool active;       /* the lane has a part */
    bool was_answered; /* the server has answered a request of this lane */
    uint64_t at, end;  /* of its part: the next byte to arrive, and the end (UINT64_MAX: the end of the object) */
    uint64_t asked;    /* the first byte that the request in flight asks for */

    /* The answer. */
    int status;
    int64_t date_s;    /* the server's time */
    bool is_failure;   /* the answer is a failure, and the body has the reason */
    uint64_t skip;     /* bytes to ignore, because the server sends more than was requested */
    uint64_t body_end; /* the position in the object where the body ends; UINT64_MAX: unknown */
    char *body;        /* LANE_BODY_MAX bytes; NULL until an answer is a failure */
    size_t body_length;
};

/* Starts to read the part [at, end), which the caller has set. When the lane has read its part, it asks for the next
 * one itself. Call it once for each lane. Returns 0, -ENOMEM, or an error of the store. */
int lane_begin(struct fetch_lane *lane, struct fetch *fetch);

/* lane_answer.c: the hook `answered` of the lane's transfers. */
void lane_answered(void *lane, const struct answer *answer);

/* Fails the fetch, because the object has `total` bytes and ends before the first that was wanted. */
void lane_fail_offset(struct fetch_lane *lane, uint64_t total);

/* Returns how long the server may send nothing: half of the pipeline's idle time, so that a new connection can still
 * rescue the transfer. */
int64_t lane_stall_limit(const struct fetch_lane *lane);

#endif
