/* Where an answer sends a request, and whether the request may follow. */
#ifndef STORE_REDIRECT_H
#define STORE_REDIRECT_H

#include <stdbool.h>

/* 301, 302, 303, 307, 308. */
bool redirect_is_status(int status);

/* May a request with this method follow? Only 307 and 308 keep a method that is neither GET nor HEAD. */
bool redirect_keeps_method(int status, const char *method);

/* The URL that `location`, the value of the header, means in an answer from `base`; from malloc. -EPROTO: it can't be
 * used, or it leaves https: for http:; *ret_why (static) says so. -ENOMEM. */
int redirect_resolve(char **ret, const char *base, const char *location, const char **ret_why);

/* Have the URLs the same scheme, host and port? What is secret is not sent from one server to another. */
bool redirect_is_same_server(const char *a, const char *b);

#endif
