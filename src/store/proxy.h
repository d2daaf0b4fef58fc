/* SPDX-License-Identifier: MIT */
/* Finds the proxy that libcurl uses, for messages. It reads the environment variables as libcurl does. */
#ifndef STORE_PROXY_H
#define STORE_PROXY_H

#include "base/base.h"
#include <stdbool.h>

#define PROXY_MAX 256

/* Writes the host and the port of the proxy for this URL, without its password. False: there is no proxy. A network in
 * no_proxy (10.0.0.0/8) is not recognised here. */
bool proxy_find(const char *url, char ret[PROXY_MAX]);

#endif
