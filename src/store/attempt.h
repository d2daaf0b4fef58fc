/* One request of a transfer and its answer, as libcurl makes it, with what its course adds: errands and redirects. It
 * belongs to the transfer thread alone, but for `release`. Its callbacks are those of the transfer. */
#ifndef STORE_ATTEMPT_H
#define STORE_ATTEMPT_H

#include "store/check.h"
#include "store/curl.h"
#include "store/session.h"
#include <stdatomic.h>

struct attempt {
    /* Set by the transfer. */
    const struct transfer_ops *ops;
    void *user;
    struct http_request request;
    CURLM *multi;
    void (*peer_ended)(const void *connection); /* as tls_watch */
    atomic_bool release;                        /* the last byte of a body that is held may go; any thread */

    CURL *easy;
    struct curl_slist *headers;
    bool active; /* the multi handle has it */
    struct answer answer;
    bool all_sent;        /* known at the end */
    bool answered, whole; /* all headers of the answer are there */
    bool enough;          /* `body` wants no more */
    bool touched;         /* `body` was called since `drained` was */
    bool paused;
    int64_t heard_ns;        /* when the last byte came, or the request began */
    struct course course;    /* of `request` */
    enum leat_advice advice; /* after a failure */
    uint64_t sent;           /* of the body */
    struct check check;      /* of it */
    int unread;              /* why it could not be read: a negative errno */
    bool watched;            /* of its connection it is known whether the peer has ended it */
    bool ended;              /* and it has */
    const void *connection;
    char error[CURL_ERROR_SIZE];
};

/* Makes the request. If that can't be done `ended` is called at once. */
void attempt_begin(struct attempt *attempt);

/* libcurl is done with it: `ended` is called, unless another request takes its place. */
void attempt_end(struct attempt *attempt, CURLcode result);

/* Takes it from libcurl; legal at any time. */
void attempt_leave(struct attempt *attempt);

#endif
