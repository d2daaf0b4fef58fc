/* SPDX-License-Identifier: MIT */
/* Sends a request and waits for its answer. */
#ifndef STORE_ASK_H
#define STORE_ASK_H

#include "store/exchange.h"

/* Sends the request that `make` fills in, and blocks until its final answer is in *x. Before the call, *x is zero
 * except for `page_most`, `again`, `reached`, `is_wanted` and `of`. If `is_wanted` returns false, x->code is
 * -ECANCELED. The caller must be a user of the transfer thread. Returns what exchange_start returns. Afterwards there
 * is nothing to stop, but the caller frees `x->page`. */
int ask(struct exchange *x, int (*make)(void *user, struct http_request *ret), void *user, int32_t retries);

#endif
