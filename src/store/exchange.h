/* One request until it has its final answer: it is repeated while that may help, and the body of the answer is kept.
 *
 * Two threads meet here. `make`, `again`, `ending`, `held` and `over` are called on the transfer thread. Everything
 * else belongs to the thread that started the exchange, which looks at the results once exchange_is_over says so. */
#ifndef STORE_EXCHANGE_H
#define STORE_EXCHANGE_H

#include "store/retry.h"
#include "store/transfer.h"
#include <stdatomic.h>

#define EXCHANGE_BODY_MAX 8192 /* of an answer; what is behind is dropped */

struct exchange {
    /* Set before exchange_start, zero otherwise. */
    int (*make)(void *user,
                struct http_request *ret);   /* for each attempt; *ret is empty, and may be in part on failure */
    bool (*again)(const struct exchange *x); /* an answer is to be asked for again; NULL: as its status says */
    void (*ending)(struct exchange *x);      /* the outcome is there, and nobody else looks at it yet; NULL: nothing */
    void (*wake)(void *user);                /* the exchange is over, or its last byte is withheld */
    void *user;
    struct http_settings *settings; /* of the requests; borrowed, or NULL */
    bool reached;                   /* the server has answered before */
    int64_t deadline_ns;            /* of clock_ns: when it is over at the latest, with -ETIMEDOUT; 0: no limit */
    void (*header)(void *user, const char *line, size_t n); /* as that of transfer_ops, with header_user; or NULL */
    void *header_user;
    /* Of one that is waited for by `ask`: shall it go on? Called by the thread that waits, several times a second.
     * NULL: in any case. */
    bool (*is_wanted)(void *of);
    void *of;
    size_t page_most; /* not 0: of an answer with 2xx so many bytes of the body are kept in `page` */

    /* The outcome. */
    int code; /* a negative errno: there is no answer, and `why` says why; 0: `answer` and `body` */
    char why[160];
    enum leat_advice advice;
    struct answer answer;
    char body[EXCHANGE_BODY_MAX];
    size_t body_length;
    char *page; /* from malloc: the owner frees it; NULL: none */
    size_t page_length;
    bool may_be_done;   /* a request was sent to its end, and not refused */
    unsigned requests;  /* that were made */
    uint64_t sent;      /* bytes of bodies */
    uint64_t last_sent; /* by the last request */

    struct transfer *transfer;
    struct retry retry;
    atomic_bool over, held;
};

/* Makes the first request. On failure the exchange is not over, and has not begun. */
int exchange_start(struct exchange *x, int32_t retries);

static inline bool exchange_is_over(struct exchange *x)
{
    return atomic_load(&x->over);
}

/* Only the last byte is withheld. */
static inline bool exchange_is_held(struct exchange *x)
{
    return atomic_load(&x->held);
}

/* What a time limit of all says. */
#define EXCHANGE_TOO_LONG "it took longer than is allowed in all"

/* 2xx. */
bool exchange_has_succeeded(const struct exchange *x);

/* Of a removal: the object is not there (404, 410) after a request before that may have removed it, whose answer was
 * lost or told of a failure. */
bool exchange_has_removed(const struct exchange *x);

/* Stops it if it is not over. Legal at any time; afterwards it may begin anew. */
void exchange_stop(struct exchange *x);

#endif
