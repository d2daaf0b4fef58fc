/* SPDX-License-Identifier: MIT */
/* The credentials of a place. They are looked up once. Before they expire, a thread renews them, so that the transfer
 * thread never waits for them. */
#ifndef STORE_S3_KEYRING_H
#define STORE_S3_KEYRING_H

#include "store/s3/profile.h"
#include <leat/base.h>

struct keyring;

/* Asks the sources in order: the environment, the profile, its credential_process, the endpoint of containers, the
 * endpoint of instances. The first source that has credentials is used; if none has any, requests are anonymous.
 * Blocks. The profile is copied. Returns 0, -ENOMEM, or the error of a source that is configured and failed; the
 * sentence names all sources that were asked, and what each reported. */
int keyring_open(struct keyring **ret, const struct profile *profile, struct leat_error *error);

/* Copies the credentials that are valid now to *ret. If they expire within 5 minutes, it starts to renew them. Any
 * thread; never blocks for long. */
void keyring_get(struct keyring *keyring, struct credentials *ret);

/* Call it when the server refused a request that was signed with these credentials. `told`: the server said that they
 * have expired; otherwise their expiry time decides. True: they have expired, and new ones are fetched or were fetched
 * a moment ago, so repeat the request later. Any thread. */
bool keyring_has_expired(struct keyring *keyring, bool told);

/* Returns what each source reported if the keyring is anonymous; otherwise "". */
const char *keyring_said(const struct keyring *keyring);

/* Frees the keyring. Ends the thread that renews, and waits for it. NULL is allowed. */
void keyring_free(struct keyring *keyring);

#endif
