/* SPDX-License-Identifier: MIT */
/* The connection of one endpoint of a store to the transfer thread. The endpoint is a user of that thread, and the
 * thread notifies it when a request has made progress. Of a source, a notice is one of the node's port. Of a sink,
 * which may also have to wait without its loop, it is a byte in a pipe; the pipe's read end is the port. Drop the
 * notices before you look at the requests, never after: otherwise a notice that arrives in between is lost.
 *
 * A child of fork() has no transfer thread. There client_is_here returns false, and client_close only closes the
 * pipe. */
#ifndef STORE_CLIENT_H
#define STORE_CLIENT_H

#include "node/node.h"

struct client {
    bool open; /* the endpoint is a user of the transfer thread */
    unsigned origin;
    int notice[2];
};

#define CLIENT_CLOSED ((struct client){.notice = {-1, -1}})

/* Makes the endpoint a user of the transfer thread, and sets the node's port. If the node has a `keep`, the thread and
 * its connections live on for the next endpoint. The caller calls client_close after a failure as well. Returns 0, an
 * error of transfers_get, -EMFILE or -ENFILE; *ret_why as there. */
int client_open(struct client *client, struct node *node, const char **ret_why);
/* The same for a source, without a pipe: the owner calls port_notify. */
int client_join(struct client *client, struct node *node, const char **ret_why);
bool client_is_here(const struct client *client);
void client_close(struct client *client, struct port *port);

/* Sends a notice, from any thread; drops all notices. */
void client_notify(const struct client *client);
void client_drop_notices(const struct client *client);
/* Blocks until a notice arrives, or at most until end_ns (of clock_ns). False: end_ns has passed already. */
bool client_wait(const struct client *client, int64_t end_ns);

/* For a hook that waits for an answer. Returns -EAGAIN; once the node's idle time has passed, it returns 0 and fills in
 * *failure. The time starts with the first call. Setting node->deadline_ns to 0 starts it again. */
int client_wait_later(struct node *node, struct leat_error *failure, const char *operation);

#endif
