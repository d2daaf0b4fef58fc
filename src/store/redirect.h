/* SPDX-License-Identifier: MIT */
/* Redirects: where an answer sends a request, and whether the request may follow. */
#ifndef STORE_REDIRECT_H
#define STORE_REDIRECT_H

#include <stdbool.h>

/* Is the status 301, 302, 303, 307 or 308? */
bool redirect_is_status(int status);

/* May a request with this method follow the redirect? GET and HEAD may always. 307 and 308 keep any method. */
bool redirect_keeps_method(int status, const char *method);

/* Resolves `location`, the value of the header, against `base`, the URL that answered. *ret is from malloc. Returns 0;
 * -EPROTO if the location is unusable or leads from https: to http:, and then *ret_why is a static sentence; or
 * -ENOMEM. */
int redirect_resolve(char **ret, const char *base, const char *location, const char **ret_why);

/* Do the URLs have the same scheme, host and port? Secrets are not sent to another server. */
bool redirect_is_same_server(const char *a, const char *b);

#endif
