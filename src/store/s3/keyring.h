/* The credentials of a place: they are found once, and had anew before they expire, on a thread of their own, so that
 * the transfer thread never waits for them. */
#ifndef STORE_S3_KEYRING_H
#define STORE_S3_KEYRING_H

#include "store/s3/profile.h"
#include <leat/base.h>

struct keyring;

/* Asks the sources in their order: the environment, the profile, its credential_process, the endpoint of containers,
 * that of instances. The first one that has credentials counts. None has: anonymous. Blocks. The profile is copied.
 * -ENOMEM, or what a source that was configured fails with; the sentence names all that were asked, and what each one
 * said. */
int keyring_open(struct keyring **ret, const struct profile *profile, struct leat_error *error);

/* A copy of what is valid now. Begins to renew what expires within 5 minutes. Any thread; never blocks for long. */
void keyring_get(struct keyring *keyring, struct credentials *ret);

/* The server refuses what they signed. Have they expired? True: others are had, or were a moment ago, so it is worth
 * while to ask again later. `told`: it said that they have; else it is seen from the time they were given for. Any
 * thread. */
bool keyring_has_expired(struct keyring *keyring, bool told);

/* Of an anonymous one: what each source said; else "". */
const char *keyring_said(const struct keyring *keyring);

/* Waits for the thread that renews, which ends early. NULL is allowed. */
void keyring_free(struct keyring *keyring);

#endif
