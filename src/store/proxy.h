/* Which proxy libcurl asks, for messages: the variables are read as libcurl reads them. */
#ifndef STORE_PROXY_H
#define STORE_PROXY_H

#include "base/base.h"
#include <stdbool.h>

#define PROXY_MAX 256

/* The host and the port of the proxy for this URL, without its password. False: there is none. A network in no_proxy
 * (10.0.0.0/8) is not understood here. */
bool proxy_find(const char *url, char ret[PROXY_MAX]);

#endif
