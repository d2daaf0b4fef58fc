/* SPDX-License-Identifier: MIT */
/* Digests of the whole object that a server sends in its headers. */
#ifndef STORE_DIGESTS_H
#define STORE_DIGESTS_H

#include "base/digest_provider.h"

#define DIGESTS_MAX 6

struct sent_digest {
    char algorithm[12]; /* the provider's name: "sha256" */
    const char *header; /* the header that had the digest; static */
    uint8_t bytes[DIGEST_BYTES_MAX];
    size_t n;
};

struct sent_digests {
    struct sent_digest one[DIGESTS_MAX];
    size_t n;
    char skipped[96];  /* why another digest was ignored; "": none was */
    bool is_composite; /* x-amz-checksum-type says that the checksum is composed of those of the parts */
    bool is_encrypted; /* the object is encrypted, so the ETag is not an MD5 even if it looks like one */
};

/* Reads one header; `name` is in any case. Other headers, and values that cannot be parsed, are ignored. */
void digests_read_header(struct sent_digests *digests, const char *name, const char *value);

/* Returns the digest that this header had, or NULL. */
const struct sent_digest *digests_find(const struct sent_digests *digests, const char *header);

/* Call it when all headers have been read. Drops the digests that are not of the whole object. `etag` counts as an MD5
 * if it looks like one; NULL: the ETag is not used. */
void digests_end(struct sent_digests *digests, const char *etag);

#endif
