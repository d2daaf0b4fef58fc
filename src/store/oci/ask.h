/* SPDX-License-Identifier: MIT */
/* Sends small requests to a registry and waits for the answers. */
#ifndef STORE_OCI_ASK_H
#define STORE_OCI_ASK_H

#include "base/error.h"
#include "store/exchange.h"
#include "store/session.h"

struct question {
    struct session *repository;
    struct http_settings *settings; /* borrowed until the end; NULL: the defaults */
    const char *method;             /* static */
    const char *path; /* the path after "/v2/NAME/"; or, if `is_location`, a URL or path from a Location header */
    bool is_location;
    const void *body; /* borrowed until the end; NULL: none */
    size_t length;
    const char *type;  /* of the body; NULL: none */
    uint64_t first;    /* for a piece of a blob: its offset, sent as Content-Range; UINT64_MAX: the body is the whole */
    const char *query; /* added to the path: "digest=..."; or NULL */
    bool (*is_wanted)(void *of); /* as in struct exchange; may be NULL */
    void *of;
    int64_t deadline_ns; /* of clock_ns: the call fails then with -ETIMEDOUT; 0: no limit */
};

/* Makes the request of a question; for exchange.make. */
int question_request(const struct question *question, struct http_request *ret);

/* Sends the request and blocks until its answer is there. Returns the status, or a negative errno with a sentence. The
 * caller is a user of the transfer thread. ret_answer may be NULL. */
int registry_ask(const struct question *question, int32_t retries, struct answer *ret_answer, struct leat_error *error);

/* Writes a sentence for an answer that is a failure, and returns its negative errno. */
int registry_refusal(const struct exchange *x, char *ret, size_t capacity);

#endif
