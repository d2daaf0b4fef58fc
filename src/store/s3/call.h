/* A request to a bucket whose answer the caller waits for. */
#ifndef STORE_S3_CALL_H
#define STORE_S3_CALL_H

#include "base/error.h"
#include "store/exchange.h"
#include "store/s3/place.h"

struct s3_call {
    struct exchange exchange; /* zero but for `page_most` and `header`; afterwards it has the answer */
    const struct s3_place *place;
    const char *operation; /* static, for failures: "DeleteObjects" */
    int32_t retries;
    int (*make)(void *user, struct http_request *ret);
    void *user;
};

/* Asks, and blocks. The caller is a user of the transfer thread. 0: the answer is 2xx, and `exchange.page` is to be
 * freed; otherwise a negative errno with a sentence, and it is freed. -ENOENT: 404. */
int s3_call(struct s3_call *call, struct leat_error *error);

#endif
