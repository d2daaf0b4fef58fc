/* SPDX-License-Identifier: MIT */
/* One request of a transfer and its answer, as libcurl performs it, together with the errands and redirects that belong
 * to its course. An attempt belongs to the transfer thread, except `release`. It calls the callbacks of the
 * transfer. */
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
    void (*peer_ended)(const void *connection); /* see tls_watch */
    atomic_bool release;                        /* the withheld last byte of the body may be sent; set by any thread */

    CURL *easy;
    struct curl_slist *headers;
    bool active; /* the easy handle is in the multi handle */
    struct answer answer;
    bool all_sent;        /* the request was sent to its end; set when the attempt ends */
    bool answered, whole; /* answered: the transfer's `answered` was called; whole: the headers of the current answer
                             are complete */
    bool enough;          /* the `body` callback wants no more bytes */
    bool touched;         /* the `body` callback was called since the last call of `drained` */
    bool paused;
    int64_t heard_ns;        /* when the last byte arrived, or the request began */
    struct course course;    /* the errands and redirects of `request` */
    enum leat_advice advice; /* after a failure */
    uint64_t sent;           /* bytes of the body */
    struct check check;      /* compares the body that is sent with its digest */
    int unread;              /* why the body could not be read: a negative errno */
    bool watched;            /* tls_watch reports whether the peer ended the connection */
    bool ended;              /* the peer has ended the connection */
    const void *connection;
    char error[CURL_ERROR_SIZE];
};

/* Starts the request. If that fails, `ended` is called before the function returns. */
void attempt_begin(struct attempt *attempt);

/* Handles the end of the request: libcurl has finished it with `result`. Calls `ended`, unless another request takes
 * its place. */
void attempt_end(struct attempt *attempt, CURLcode result);

/* Removes the request from libcurl. Legal at any time. */
void attempt_leave(struct attempt *attempt);

#endif
