/* Lists in S3 come in pages, each of which says how to ask for the next one. */
#ifndef STORE_S3_LIST_H
#define STORE_S3_LIST_H

#include "base/error.h"
#include "store/s3/place.h"
#include "store/xml.h"

struct s3_list {
    const struct s3_place *place;
    const char *operation; /* static, for failures: "ListMultipartUploads" */
    int32_t retries;
    /* The query of the next page: percent-encoded, sorted, from malloc. NULL: out of memory. */
    char *(*query)(void *user);
    const char *root;   /* of a page: what has another root element is no list */
    struct xml_ops xml; /* for the elements of a page; their paths have the root no more */
    /* A page was read. 1: there is another one; 0: that was the last one; a negative errno with a sentence. */
    int (*page)(void *user, struct leat_error *error);
    void *user;
};

/* Asks for all pages, and blocks. The caller is a user of the transfer thread. 0, or a negative errno with a sentence,
 * also for what `page` says. */
int s3_list(const struct s3_list *list, struct leat_error *error);

#endif
