/* Was a connection with TLS ended by its peer, or was it cut?
 *
 * A body without a length ends with its connection. With TLS the peer says so before (close_notify), so that nobody in
 * between can cut it off unseen; but some versions of libcurl, of those that use OpenSSL, take any end. Where libcurl
 * has another library for TLS, that one has to tell. All calls are made on the transfer thread. */
#ifndef STORE_TLS_H
#define STORE_TLS_H

#include "store/curl.h"
#include <stdbool.h>

/* `ended` will be called when the peer of a connection of this request says that it ends. False: nothing would call it.
 */
bool tls_watch(CURL *easy, void (*ended)(const void *connection));

/* The connection that a request uses, while it is used; NULL: it has no TLS of this kind. */
const void *tls_connection(CURL *easy);

#endif
