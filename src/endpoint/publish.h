/* Publishing: a file is written without a name and appears whole, or not at all. */
#ifndef ENDPOINT_PUBLISH_H
#define ENDPOINT_PUBLISH_H

#include "endpoint/carry.h"
#include "endpoint/endpoint.h"
#include "endpoint/place.h"

struct publish {
    struct place place;  /* where it will be */
    int fd;              /* borrowed by the node; closed by it */
    char *hidden;        /* the name it has meanwhile in that directory, NULL: none */
    bool unnamed;        /* it has none (O_TMPFILE) */
    bool replaces;       /* there is an old file: */
    struct identity old; /* which one; the new file replaces nothing else */
};

/* A new file for the place, open for reading and writing; `mode` is under the umask. One that replaces another has mode
 * 0600. Gives it, or -errno. */
int publish_open(struct publish *publish, unsigned mode);
/* Gives it its name. -EEXIST: another file has got that name since it was looked at, which stays. *ret_operation names
 * what failed. */
int publish_commit(struct publish *publish, bool sync, const char **ret_operation);
/* Leaves no trace. Legal at any time. */
void publish_abort(struct publish *publish);
void publish_close(struct publish *publish);

#endif
