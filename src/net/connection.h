/* SPDX-License-Identifier: MIT */
/* The inside of a connection, and how the registry, which knows what a spec means, makes one of an endpoint. */
#ifndef NET_CONNECTION_H
#define NET_CONNECTION_H

#include "buffer/stream.h"
#include "node/node.h"

#define CONNECTION_PIECES 16 /* The most pieces of one write. */

struct leat_connection {
    leat_endpoint *endpoint; /* NULL: the connection was made of a descriptor. */
    int fd;
    bool owned, is_socket, polled;
    bool shut;  /* The direction for writing is closed. */
    int failed; /* Not 0: why nothing can be written any more. */
    leat_stream *input, *output;
    int64_t timeout_ns, deadline_ns; /* 0: none. */
};

/* Opens the endpoint, waits until it is open, and makes a connection of it. Takes the endpoint, on failure too. `error`
 * is set on failure. */
int connection_of_endpoint(leat_connection **ret, leat_endpoint *endpoint,
                           const struct leat_connection_options *options, struct leat_error *error);

/* As a deadline: the call must not wait. */
#define CONNECTION_AT_ONCE 1

/* Polls until one of the events has come, which it returns; or -ETIMEDOUT (-EAGAIN for CONNECTION_AT_ONCE), or another
 * negative errno. until_ns 0: no deadline. */
int connection_wait(int fd, short events, int64_t until_ns);
/* Which events the connection would poll for. */
short connection_wants(leat_connection *c);
/* Writes as much as it can without waiting. Returns a count, -EAGAIN, or another negative errno, which it stores in
 * `failed`. */
ssize_t connection_put(leat_connection *c, struct iovec *iov, int count);

#endif
