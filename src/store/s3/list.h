/* SPDX-License-Identifier: MIT */
/* Reads a list of S3. It comes in pages, and each page tells how to ask for the next one. */
#ifndef STORE_S3_LIST_H
#define STORE_S3_LIST_H

#include "base/error.h"
#include "store/s3/place.h"
#include "store/xml.h"

struct s3_list {
    const struct s3_place *place;
    const char *operation; /* static, for failures: "ListMultipartUploads" */
    int32_t retries;
    /* Returns the query of the next page: percent-encoded, sorted, from malloc. NULL: memory is short. */
    char *(*query)(void *user);
    const char *root;   /* root element of a page; a document with another root element is not accepted */
    struct xml_ops xml; /* for the elements of a page; their paths are without the root */
    /* Called after each page. Returns 1 if there is another page, 0 if it was the last one, or a negative errno with a
     * sentence. */
    int (*page)(void *user, struct leat_error *error);
    void *user;
    bool (*is_wanted)(void *of); /* as in struct exchange */
    void *of;
};

/* Requests all pages; blocks. The caller is a user of the transfer thread. Returns 0, or a negative errno with a
 * sentence, which may come from `page`. */
int s3_list(const struct s3_list *list, struct leat_error *error);

#endif
