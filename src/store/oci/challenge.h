/* What a server wants to see before it answers (WWW-Authenticate). */
#ifndef STORE_OCI_CHALLENGE_H
#define STORE_OCI_CHALLENGE_H

#include "base/base.h"
#include <stdbool.h>

#define CHALLENGE_VALUE_MAX 1024

struct challenge {
    enum {
        CHALLENGE_NONE, /* none that is known */
        CHALLENGE_BASIC,
        CHALLENGE_BEARER,
    } kind;
    char realm[CHALLENGE_VALUE_MAX]; /* Bearer: the URL where tokens are; then what to ask for there, "": not said */
    char service[CHALLENGE_VALUE_MAX];
    char scope[CHALLENGE_VALUE_MAX];
};

/* Reads the value of the header, with several challenges in a row: Bearer comes before Basic. A challenge that makes no
 * sense, or is too long, is passed over. */
void challenge_parse(struct challenge *ret, const char *text);

#endif
