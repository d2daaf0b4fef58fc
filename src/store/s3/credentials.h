/* Who asks: an access key, its secret, and the token of a session. */
#ifndef STORE_S3_CREDENTIALS_H
#define STORE_S3_CREDENTIALS_H

#include "base/base.h"

#define CREDENTIAL_MAX 256  /* a key or a secret, with its NUL; those of AWS have 20 and 40 characters */
#define TOKEN_MAX      8192 /* a session token; those of AWS have up to 4,096 */

struct credentials {
    char key[CREDENTIAL_MAX]; /* "": anonymous */
    char secret[CREDENTIAL_MAX];
    char token[TOKEN_MAX]; /* "": none */
};

/* Reads AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; without a key, the profile AWS_PROFILE
 * (default) of AWS_SHARED_CREDENTIALS_FILE (~/.aws/credentials). Nothing of it is there: anonymous. -ENOENT: there is
 * no profile AWS_PROFILE. -EINVAL: a key without its secret, or a value that is too long; *ret_why is then a static
 * sentence. */
int credentials_find(struct credentials *ret, const char **ret_why);

#endif
