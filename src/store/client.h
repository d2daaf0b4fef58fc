/* What each endpoint in a store has: it uses the transfer thread, and is told by it when a request has come further. A
 * notice is a byte in a pipe, whose read end is the port of the endpoint's node. Drop the notices before you look at
 * the requests, never after: a notice in between would be lost.
 *
 * A child of fork() has no transfer thread: there client_is_here is false, and client_close only closes the pipe. */
#ifndef STORE_CLIENT_H
#define STORE_CLIENT_H

#include "node/node.h"

struct client {
    bool open; /* it uses the transfer thread */
    unsigned origin;
    int notice[2];
};

#define CLIENT_CLOSED ((struct client){.notice = {-1, -1}})

/* Begins to use the transfer thread and sets the port. On failure, too, client_close ends it. As transfers_get;
 * -EMFILE, -ENFILE. */
int client_open(struct client *client, struct port *port, const char **ret_why);
bool client_is_here(const struct client *client);
void client_close(struct client *client, struct port *port);

/* On any thread. */
void client_notify(const struct client *client);
void client_drop_notices(const struct client *client);
/* Waits for a notice until end_ns (of clock_ns). False: there was no time left. */
bool client_wait(const struct client *client, int64_t end_ns);

/* For a hook that waits for an answer: -EAGAIN, or 0 with the failure filled once the node's idle time has passed. The
 * time begins with the first call; who sets deadline_ns to 0 lets it begin anew. */
int client_wait_later(struct node *node, struct leat_error *failure, const char *operation);

#endif
