/* SPDX-License-Identifier: MIT */
/* One request and its final answer. The request is repeated as long as that may help, and the body of the answer is
 * kept.
 *
 * Two threads use an exchange. `make`, `again`, `ending`, `wake` and `header` are called on the transfer thread.
 * Everything else belongs to the thread that started the exchange; it reads the outcome when exchange_is_over returns
 * true. */
#ifndef STORE_EXCHANGE_H
#define STORE_EXCHANGE_H

#include "node/node.h"
#include "store/retry.h"
#include "store/transfer.h"
#include <stdatomic.h>

#define EXCHANGE_BODY_MAX 8192 /* of the body of an answer; the rest is dropped */

struct exchange {
    /* Set before exchange_start; zero if unused. */
    int (*make)(void *user, struct http_request *ret); /* for each attempt; *ret is empty, partly filled on failure */
    bool (*again)(const struct exchange *x);           /* repeat it after this answer? NULL: the status decides */
    void (*ending)(struct exchange *x); /* the outcome is complete, and no other thread reads it yet; may be NULL */
    void (*wake)(void *user);           /* the exchange is over, or everything but its last byte was sent */
    void *user;
    struct http_settings *settings; /* settings of the requests; borrowed; may be NULL */
    bool reached;                   /* the server has answered an earlier request */
    int64_t deadline_ns; /* of clock_ns: the exchange ends then at the latest, with -ETIMEDOUT; 0: no limit */
    void (*header)(void *user, const char *line, size_t n); /* as in transfer_ops, with header_user; may be NULL */
    void *header_user;
    /* For `ask` alone: should it go on waiting? The waiting thread calls it several times a second. NULL: yes,
     * always. */
    bool (*is_wanted)(void *of);
    void *of;
    size_t page_most; /* if not 0, and the status is 2xx, up to so many bytes of the body are kept in `page` */

    /* The outcome. */
    int code; /* 0: `answer` and `body` are set; a negative errno: there is no answer, and `why` has the reason */
    char why[160];
    enum leat_advice advice;
    struct answer answer;
    char body[EXCHANGE_BODY_MAX];
    size_t body_length;
    char *page; /* from malloc: the owner frees it; NULL: none */
    size_t page_length;
    bool may_be_done;   /* a request was sent to its end and was not refused, so the server may have done it */
    unsigned requests;  /* requests made */
    uint64_t sent;      /* bytes of request bodies, in all */
    uint64_t last_sent; /* bytes of the body that the last request sent */

    struct transfer *transfer;
    struct retry retry;
    atomic_bool over, held;
};

/* Starts the first request. Never blocks. Returns 0 or a negative errno. After a failure the exchange has not started,
 * and it is not over. */
int exchange_start(struct exchange *x, int32_t retries);

static inline bool exchange_is_over(struct exchange *x)
{
    return atomic_load(&x->over);
}

/* Has everything been sent but the last byte, which is withheld? */
static inline bool exchange_is_held(struct exchange *x)
{
    return atomic_load(&x->held);
}

/* The sentence of a failure by `deadline_ns`. */
#define EXCHANGE_TOO_LONG "it took longer than is allowed in all"

/* Is the final status 2xx? */
bool exchange_has_succeeded(const struct exchange *x);

/* For a removal: the answer says that the object does not exist (404, 410), and an earlier request may have removed it
 * whose answer was lost or reported a failure. */
bool exchange_has_removed(const struct exchange *x);

/* Stops the exchange if it is not over. Legal at any time. Afterwards the exchange may be started again. */
void exchange_stop(struct exchange *x);

/* Stops the exchange, and moves the numbers of its requests to those of a sink. */
void exchange_count(struct exchange *x, struct node_traffic *traffic);

#endif
