/* SPDX-License-Identifier: MIT */
/* Collects what the headers of an answer say about an object, for callers that read nothing else. */
#ifndef STORE_HEADERS_H
#define STORE_HEADERS_H

#include "store/exchange.h"
#include <leat/store.h>

#define HEADERS_METADATA_MAX 64
#define HEADERS_DIGEST_MAX   72

struct headers {
    char *etag, *type, *version, *storage_class, *digest, *link; /* from malloc; NULL: no such header */
    char sha256[HEADERS_DIGEST_MAX];                             /* set by headers_entry: "sha256:...", or "" */
    int64_t modified_s;
    struct leat_store_metadata metadata[HEADERS_METADATA_MAX]; /* x-amz-meta-NAME */
    char *metadata_text[HEADERS_METADATA_MAX];                 /* name and value, from malloc */
    size_t metadata_count;
    bool failed; /* memory was short */
};

/* Reads one line. It is the callback exchange.header; `user` is a struct headers, zero before the first line. */
void headers_line(void *user, const char *line, size_t n);

/* Fills in what is known of an entry, except its name, spec and kind. The strings belong to `headers`. */
void headers_entry(struct headers *headers, const struct answer *answer, struct leat_store_entry *ret);

void headers_clear(struct headers *headers);

#endif
