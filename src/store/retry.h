/* SPDX-License-Identifier: MIT */
/* Decides whether a request is repeated, and after how long. */
#ifndef STORE_RETRY_H
#define STORE_RETRY_H

#include "base/base.h"
#include <stdbool.h>

struct retry {
    unsigned most;     /* the most attempts */
    unsigned attempts; /* attempts without progress */
    int64_t after_ms;  /* delay that the server asked for; 0: none */
    uint64_t random;
};

/* `retries`: as in struct leat_endpoint_options. */
void retry_init(struct retry *retry, int32_t retries);

/* Records the server's Retry-After, in seconds; negative: the server sent none. */
void retry_after(struct retry *retry, int64_t seconds);

/* Records progress (a byte arrived): the count of attempts starts again. */
void retry_progress(struct retry *retry);

/* Returns the delay before the next attempt: a random time between half and all of 100 ms, 200 ms, 400 ms, ... up to 20
 * s, or the delay that the server asked for if that is longer. -1: the attempts without progress are used up, or the
 * server asks for more than two minutes. */
int64_t retry_delay_ms(struct retry *retry);

/* May the same request succeed later? `reached`: the server has answered before. Only then is a failure to reach the
 * server worth another attempt. */
bool retry_is_status(int status);
bool retry_is_code(int code, bool reached);

#endif
