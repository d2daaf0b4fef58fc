/* SPDX-License-Identifier: MIT */
/* Sends a request to a bucket and waits for its answer. */
#ifndef STORE_S3_CALL_H
#define STORE_S3_CALL_H

#include "base/error.h"
#include "store/exchange.h"
#include "store/s3/place.h"

struct s3_call {
    struct exchange exchange; /* zero except `page_most`, `header` and `is_wanted`; afterwards it has the answer */
    const struct s3_place *place;
    const char *operation; /* static, for failures: "DeleteObjects" */
    int32_t retries;
    int (*make)(void *user, struct http_request *ret);
    void *user;
};

/* Sends the request and blocks until its answer is there. The caller is a user of the transfer thread. Returns 0 if the
 * status is 2xx, and then the caller frees `exchange.page`; otherwise a negative errno with a sentence, and the page is
 * freed. -ENOENT: the status is 404. */
int s3_call(struct s3_call *call, struct leat_error *error);

#endif
