/* A request whose answer the caller waits for. */
#ifndef STORE_ASK_H
#define STORE_ASK_H

#include "store/exchange.h"

/* Makes the request by `make`, and blocks until it has its final answer, which is then in *x. `x` is zero but for
 * `page_most`, `again` `reached` and `is_wanted`;
 * if that says no, x->code is -ECANCELED. The caller is a user of the transfer thread. As exchange_start; nothing is to
 * be stopped, but `x->page` is to be freed. */
int ask(struct exchange *x, int (*make)(void *user, struct http_request *ret), void *user, int32_t retries);

#endif
