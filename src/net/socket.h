/* What the socket endpoint is made of: addresses, a dialer that connects to them, a listener that takes one peer. All
 * of it waits by -EAGAIN, a port and a deadline, never by sleeping; only looking a name up may block. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "net/endpoint.h"
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Where to connect, or where to listen. */
struct addresses {
    struct addrinfo *first; /* in the order in which they are to be tried; NULL: not looked up yet */
    struct addrinfo local;  /* the only one, of a path */
    struct sockaddr_un path;
};

/* The addresses of a host and a port, by getaddrinfo: may block. Gives them, or fills the error. */
int addresses_find(struct addresses *addresses, struct node *node, const char *host, const char *port,
                   struct leat_error *error);
void addresses_path(struct addresses *addresses, const char *path);
void addresses_free(struct addresses *addresses);

/* Connects to the addresses one after the other, each with its share of the time that is left. */
struct dialer {
    const struct addrinfo *at; /* the one that is tried; NULL: not begun */
    int fd;
    int64_t until_ns; /* of all of them; 0: no limit */
    int64_t share_ns; /* of this one */
    int code;         /* why the last one failed */
};

/* Gives a connected descriptor, non-blocking. -EAGAIN: again when node->port is ready or at node->deadline_ns. Another
 * failure is that of the last address. */
int dialer_next(struct dialer *dialer, const struct addresses *addresses, struct node *node, int64_t timeout_ns);

/* Listens until one peer has come; then nobody else can. */
struct listener {
    int fd;
    bool bound; /* there is a path, with this device and inode, and it is ours */
    dev_t device;
    ino_t inode;
    int64_t until_ns;
};

/* Gives the peer's descriptor, non-blocking. -EAGAIN: as above. *ret_operation names what failed. A dead socket, one
 * that nobody listens on, is replaced; anything else at the path is left alone (-EADDRINUSE). */
int listener_next(struct listener *listener, const struct addresses *addresses, struct node *node, int64_t timeout_ns,
                  const char **ret_operation);
/* Closes it, and removes the path if it still is ours. Legal at any time after its `fd` was set to -1. */
void listener_close(struct listener *listener, const struct addresses *addresses);

#endif
