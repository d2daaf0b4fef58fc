/* Digests of the whole object that a server sends with it. */
#ifndef STORE_DIGESTS_H
#define STORE_DIGESTS_H

#include "base/digest_provider.h"

#define DIGESTS_MAX 6

struct sent_digest {
    char algorithm[12]; /* as a provider knows it: "sha256" */
    const char *header; /* where it stood; static */
    uint8_t bytes[DIGEST_BYTES_MAX];
    size_t n;
};

struct sent_digests {
    struct sent_digest one[DIGESTS_MAX];
    size_t n;
    char skipped[96];  /* why another one means nothing here; "" */
    bool is_composite; /* x-amz-checksum-type says so */
    bool is_encrypted; /* the ETag is no MD5, whatever it looks like */
};

/* Reads a header line, of which `name` is any spelling; other headers and values that make no sense are passed over. */
void digests_read_header(struct sent_digests *digests, const char *name, const char *value);

/* What stood in this header, or NULL. */
const struct sent_digest *digests_find(const struct sent_digests *digests, const char *header);

/* All headers were read: drops what is no digest of the object. `etag` is an MD5 if it looks like one; NULL: it is not
 * looked at. */
void digests_end(struct sent_digests *digests, const char *etag);

#endif
