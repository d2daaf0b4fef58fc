/* SPDX-License-Identifier: MIT */
/* The header WWW-Authenticate: the authorization that a server wants. */
#ifndef STORE_OCI_CHALLENGE_H
#define STORE_OCI_CHALLENGE_H

#include "base/base.h"
#include <stdbool.h>

#define CHALLENGE_VALUE_MAX 1024

struct challenge {
    enum {
        CHALLENGE_NONE, /* no known challenge */
        CHALLENGE_BASIC,
        CHALLENGE_BEARER,
    } kind;
    char realm[CHALLENGE_VALUE_MAX]; /* for Bearer: the URL that gives tokens; then the parameters to send there; "":
                                        not given */
    char service[CHALLENGE_VALUE_MAX];
    char scope[CHALLENGE_VALUE_MAX];
};

/* Parses the value of the header, which may have several challenges. Bearer is preferred to Basic. A challenge that
 * cannot be parsed or is too long is ignored. */
void challenge_parse(struct challenge *ret, const char *text);

#endif
