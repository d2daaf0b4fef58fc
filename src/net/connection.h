/* The inside of a connection, and the way to one from an endpoint, for the registry, which knows what a spec means. */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "buffer/stream.h"
#include "node/node.h"

#define CONNECTION_PIECES 16 /* of a write */

struct leat_connection {
    leat_endpoint *endpoint; /* NULL: a descriptor that was handed in */
    int fd;
    bool owned, is_socket, polled;
    bool shut;  /* the writing direction is closed */
    int failed; /* why nothing can be written any more */
    leat_stream *input, *output;
    int64_t timeout_ns, deadline_ns; /* 0: none */
};

/* Opens the endpoint, and waits until that is done. Takes it, on failure too. */
int connection_of_endpoint(leat_connection **ret, leat_endpoint *endpoint,
                           const struct leat_connection_options *options, struct leat_error *error);

/* A deadline of calls that must not wait at all. */
#define CONNECTION_AT_ONCE 1

/* Polls until one of the events, which are returned, or -ETIMEDOUT (-EAGAIN for CONNECTION_AT_ONCE). until_ns 0:
 * without a limit. */
int connection_wait(int fd, short events, int64_t until_ns);
/* What it would poll for. */
short connection_wants(leat_connection *c);
/* Writes as much as goes now. */
ssize_t connection_put(leat_connection *c, struct iovec *iov, int count);

#endif
