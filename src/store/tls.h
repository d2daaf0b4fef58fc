/* SPDX-License-Identifier: MIT */
/* Tells whether the peer ended a TLS connection or the connection was cut.
 *
 * A body without a length ends with its connection. With TLS, the peer announces the end (close_notify), so that an
 * attacker on the path cannot cut the body unnoticed. Some versions of libcurl that use OpenSSL accept any end, so this
 * file checks it. If libcurl uses another TLS library, the check is left to that library. All calls are made on the
 * transfer thread. */
#ifndef STORE_TLS_H
#define STORE_TLS_H

#include "store/curl.h"
#include <stdbool.h>

/* Registers `ended`, which is called when the peer of a connection of this request announces its end. False: nothing
 * will call it. */
bool tls_watch(CURL *easy, void (*ended)(const void *connection));

/* Returns the connection that the request uses, valid while it is in use. NULL: it has no TLS by OpenSSL. */
const void *tls_connection(CURL *easy);

#endif
