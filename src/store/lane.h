/* A lane of a fetch: one connection, and the part of the object that it reads. All of it belongs to the transfer
 * thread, but `transfer`, which is set under the fetch's lock, and `waiter`, which is under the window's. */
#ifndef STORE_LANE_H
#define STORE_LANE_H

#include "store/retry.h"
#include "store/transfer.h"
#include "store/window.h"

#define LANE_BODY_MAX 4096 /* of an answer that is a failure */

struct fetch;

struct fetch_lane {
    struct fetch *fetch;
    struct transfer *transfer;
    struct window_waiter waiter;
    struct retry retry;
    bool active;       /* it has a part */
    bool was_answered; /* by the server, at any time */
    uint64_t at, end;  /* of its part: the next byte to come, and where it ends (UINT64_MAX: with the object) */
    uint64_t asked;    /* the first byte of the request under way */

    /* Of the answer. */
    int status;
    int64_t date_s;    /* the server's time */
    bool is_failure;   /* its body explains it */
    uint64_t skip;     /* bytes to be passed over, because the server sends what was not asked for */
    uint64_t body_end; /* where its body ends; UINT64_MAX: unknown */
    char *body;        /* LANE_BODY_MAX bytes, or NULL until there is a failure to explain */
    size_t body_length;
};

/* Reads a part, [at, end), which is set. -ENOMEM, or what the store says. Once for each lane; when its part has been
 * read it asks for the next one by itself. */
int lane_begin(struct fetch_lane *lane, struct fetch *fetch);

#endif
