/* SPDX-License-Identifier: MIT */
/* The parts of the socket endpoint: addresses; a dialer, which connects to them; a listener, which accepts one peer.
 * They never sleep: they return -EAGAIN, with a port and a deadline to wait for. Only a name lookup may block. */
#ifndef NET_SOCKET_H
#define NET_SOCKET_H

#include "net/endpoint.h"
#include <netdb.h>
#include <sys/socket.h>
#include <sys/un.h>

/* Where to connect, or where to listen. */
struct addresses {
    struct addrinfo *first; /* In the order in which they are tried. NULL: not looked up yet. */
    struct addrinfo local;  /* The only address of a path. */
    struct sockaddr_un path;
};

/* addresses_find looks up a host and a port by getaddrinfo(3), so it may block. It returns 0, or a negative errno with
 * `error` set. addresses_path takes a path instead. */
int addresses_find(struct addresses *addresses, struct node *node, const char *host, const char *port,
                   struct leat_error *error);
void addresses_path(struct addresses *addresses, const char *path);
void addresses_free(struct addresses *addresses);

/* Connects to the addresses one after the other. Each address gets its share of the time that is left. */
struct dialer {
    const struct addrinfo *at; /* The address that is being tried. NULL: not begun. */
    int fd;
    int64_t until_ns; /* The deadline of all addresses. 0: none. */
    int64_t share_ns; /* The deadline of this address. */
    int code;         /* Why the last address failed. */
};

/* Returns a connected, non-blocking descriptor, which is given. -EAGAIN: call again when node->port is ready, or at
 * node->deadline_ns. Another negative errno: all addresses have failed, the last one with this code. */
int dialer_next(struct dialer *dialer, const struct addresses *addresses, struct node *node, int64_t timeout_ns);

/* Listens until one peer has come. Then no other peer can connect. */
struct listener {
    int fd;
    bool bound; /* The path exists, with this device and inode, and it is ours. */
    dev_t device;
    ino_t inode;
    int64_t until_ns;
};

/* Returns a non-blocking descriptor of the peer, which is given. -EAGAIN: as dialer_next. *ret_operation names the
 * operation that failed. A dead socket file, on which no process listens, is replaced. Anything else at the path stays
 * (-EADDRINUSE). */
int listener_next(struct listener *listener, const struct addresses *addresses, struct node *node, int64_t timeout_ns,
                  const char **ret_operation);
/* Closes the listener, and removes the path if it is still ours. Allowed at any time after `fd` was set to -1. */
void listener_close(struct listener *listener, const struct addresses *addresses);

#endif
