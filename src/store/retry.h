/* When a request is made again, and after how long. */
#ifndef STORE_RETRY_H
#define STORE_RETRY_H

#include "base/base.h"
#include <stdbool.h>

struct retry {
    unsigned most;     /* attempts */
    unsigned attempts; /* without a byte of progress */
    int64_t after_ms;  /* what the server asked for; 0: nothing */
    uint64_t random;
};

/* `retries`: as in struct leat_endpoint_options. */
void retry_init(struct retry *retry, int32_t retries);

/* The server's Retry-After, in seconds; negative: it sent none. */
void retry_after(struct retry *retry, int64_t seconds);

/* A byte came: the attempts begin anew. */
void retry_progress(struct retry *retry);

/* For how long to wait before the next attempt: between half and all of 100 ms, 200 ms, 400 ms, ... up to 20 s, or what
 * the server asked for if that is more. -1: there were as many attempts without progress as
 * there may be, or the server asks for more than
 * two minutes. */
int64_t retry_delay_ms(struct retry *retry);

/* May the same request succeed later? `reached`: the server has answered before; a server that was never there is not
 * waited for. */
bool retry_is_status(int status);
bool retry_is_code(int code, bool reached);

#endif
