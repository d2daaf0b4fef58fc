/* SPDX-License-Identifier: MIT */
/* Compares the bytes that were read with the digests that the server sent. Each digest is computed by a thread of its
 * own where that pays, as in the digest filter. All calls come from one thread. */
#ifndef STORE_VERIFY_H
#define STORE_VERIFY_H

#include "buffer/chunk.h"
#include "node/node.h"
#include "store/digests.h"

struct verify;

/* Starts the comparison. `size` is that of the object; UINT64_MAX: unknown. A digest that the pipeline of the node
 * computes is not computed a second time. Returns 0 or -ENOMEM. *ret is NULL if no digest can be compared. If no
 * provider here computes one of the digests, that digest is skipped and *ret_why is set to a static sentence; else
 * *ret_why is untouched. The node lives longer than *ret. */
int verify_open(struct verify **ret, const struct node *node, const struct sent_digests *digests, uint64_t size,
                const char **ret_why);

/* Adds the next bytes of the object. Takes its own reference to the chunk for as long as it needs it. */
void verify_take(struct verify *verify, struct chunk *chunk);

/* Call it once, in `settle` of the node, when all bytes were added. Returns 0, and `text` lists what was compared:
 * "sha256 (Repr-Digest)"; or -EBADMSG, and `text` names the digest that differs; or the error of a provider. */
int verify_end(struct verify *verify, char *text, size_t capacity);

/* NULL is allowed. */
void verify_free(struct verify *verify);

#endif
