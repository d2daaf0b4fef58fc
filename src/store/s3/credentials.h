/* What signs requests: an access key, its secret, and the token of a session; and where they are had. */
#ifndef STORE_S3_CREDENTIALS_H
#define STORE_S3_CREDENTIALS_H

#include "base/base.h"
#include <stdatomic.h>
#include <stdbool.h>

#define CREDENTIAL_MAX 256  /* a key or a secret, with its NUL; those of AWS have 20 and 40 characters */
#define TOKEN_MAX      8192 /* a session token; those of AWS have up to 4,096 */

struct credentials {
    char key[CREDENTIAL_MAX]; /* "": anonymous */
    char secret[CREDENTIAL_MAX];
    char token[TOKEN_MAX]; /* "": none */
    int64_t expires_s;     /* since 1970; 0: nothing is said */
};

#define SAID_MAX 120 /* what a source says, with its NUL */

struct profile;

/* Where credentials may be had. */
struct credential_source {
    const char *name; /* "environment" */
    bool changes;     /* it may be asked again, and has others then */
    bool is_file;     /* the profile is read again before */
    /* Asks, and may block; *stop makes it end early. 1: it has some. 0: it has none; `said` says why, "" if there was
     * nothing to ask. Negative: it was configured and failed; `said` says why. *ret is empty before. */
    int (*ask)(const struct profile *profile, struct credentials *ret, char said[SAID_MAX], const atomic_bool *stop);
};

extern const struct credential_source credentials_of_environment, credentials_of_profile, credentials_of_process,
    credentials_of_container, credentials_of_instance;

/* Reads what a program or an endpoint says: AccessKeyId, SecretAccessKey, Expiration, and the token under the name
 * `token`. -EBADMSG: something is missing; -EINVAL: something is too long. */
int credentials_read(struct credentials *ret, const char *json, size_t n, const char *token);

#endif
