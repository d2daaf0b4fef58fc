/* Compares what was read with the digests that the server sent. Hashing has a thread for each digest where that pays,
 * as in the digest filter. All calls come from one thread. */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "buffer/chunk.h"
#include "store/digests.h"

struct verify;

/* NULL with 0: there is nothing that can be compared. `size` of the object; UINT64_MAX: unknown. A digest that nobody
 * computes here is passed over, and *ret_why (static) says so; else it is untouched. -ENOMEM. */
int verify_open(struct verify **ret, const struct sent_digests *digests, uint64_t size, const char **ret_why);

/* The next bytes of the object; keeps a reference of its own as long as needed. */
void verify_take(struct verify *verify, struct chunk *chunk);

/* All bytes were taken: 0, and `text` lists what was compared: "sha256 (Repr-Digest)"; -EBADMSG, and `text` names the
 * digest that differs; or what a provider failed with. To be called once. */
int verify_end(struct verify *verify, char *text, size_t capacity);

/* NULL is allowed. */
void verify_free(struct verify *verify);

#endif
