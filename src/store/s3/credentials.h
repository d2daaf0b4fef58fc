/* SPDX-License-Identifier: MIT */
/* Credentials: an access key, its secret, and the token of a session; and the sources of credentials. */
#ifndef STORE_S3_CREDENTIALS_H
#define STORE_S3_CREDENTIALS_H

#include "base/base.h"
#include <stdatomic.h>
#include <stdbool.h>

#define CREDENTIAL_MAX 256  /* a key or a secret, with its NUL; AWS uses 20 and 40 characters */
#define TOKEN_MAX      8192 /* a session token; AWS uses up to 4096 characters */

struct credentials {
    char key[CREDENTIAL_MAX]; /* "": anonymous */
    char secret[CREDENTIAL_MAX];
    char token[TOKEN_MAX]; /* "": none */
    int64_t expires_s;     /* in seconds since 1970; 0: unknown */
};

#define SAID_MAX 120 /* what a source reports, with its NUL */

struct profile;

/* A source of credentials. */
struct credential_source {
    const char *name; /* "environment" */
    bool changes;     /* asking it again may give other credentials */
    bool is_file;     /* it reads a file: read the profile again before asking */
    /* Asks the source; may block; *stop set to true ends it early. *ret is empty before. Returns 1 if it has
     * credentials; 0 if it has none, and then `said` has the reason, or "" if there was nothing to ask; negative if the
     * source is configured and failed, and then `said` has the reason. */
    int (*ask)(const struct profile *profile, struct credentials *ret, char said[SAID_MAX], const atomic_bool *stop);
};

extern const struct credential_source credentials_of_environment, credentials_of_profile, credentials_of_process,
    credentials_of_container, credentials_of_instance;

/* Parses the answer of a program or an endpoint: AccessKeyId, SecretAccessKey, Expiration, and the token, whose key is
 * `token`. Returns 0; -EBADMSG if a value is missing; -EINVAL if a value is too long. */
int credentials_read(struct credentials *ret, const char *json, size_t n, const char *token);

#endif
