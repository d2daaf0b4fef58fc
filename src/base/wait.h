/* Waiting, and waking what waits.
 *
 * A *port* is one thing that a transfer may have to wait for: a descriptor that is not ready, or (fd -1) a word from
 * another thread, such as "a chunk was released". A route sets `blocked` when a call said
 * -EAGAIN; the engine clears it once the port is ready.
 *
 * A descriptor that a transfer may wait for is closed when its task ends, or its port is initialised anew before the
 * task waits again.
 *
 * Who owns what: the fields of a port belong to the thread of the engine that runs the transfer, except `notified`
 * and `waker`, which any thread may touch through port_notify. Whoever may notify is done before the port is detached
 * (port_attach with NULL), so that a waker outlives every notification.
 *
 * No wake-up is lost: notify stores `notified` and then wakes; the waiter announces that it sleeps and then looks at
 * `notified` once more (waker_sleeps), and a byte in the waker's pipe ends the poll in any case. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include "base/base.h"
#include <stdatomic.h>
#include <stdbool.h>

/* A pipe to itself, because that is what POSIX has and poll understands. */
struct waker {
    int fd[2];
    atomic_bool sleeping;
    size_t owed; /* bytes that are in the pipe, or soon will be; the owner's */
};

int waker_open(struct waker *waker);
void waker_close(struct waker *waker);
/* Ends the wait of whoever polls waker->fd[0]. Any thread; async-signal-safe. */
void waker_wake(struct waker *waker);
/* Between these two the owner polls; what was to wake it before is seen by looking again after the first. */
void waker_sleeps(struct waker *waker);
void waker_woke(struct waker *waker);

struct port {
    int fd;       /* -1: only port_notify makes it ready */
    short events; /* POLLIN or POLLOUT */
    bool blocked;
    atomic_bool notified;
    _Atomic(struct waker *) waker;
    struct watch *watch; /* the engine's: what it has asked of the kernel for this port, or NULL */
};

void port_init(struct port *port, int fd, short events);
/* From now on notify wakes this one (NULL: nobody). */
void port_attach(struct port *port, struct waker *waker);
/* It is ready. Any thread; async-signal-safe. */
void port_notify(struct port *port);
/* Takes a notification, if there is one, and unblocks. */
bool port_take_notice(struct port *port);

/* What a transfer waits for: any one of these ports, or the deadline. */
#define WAIT_PORTS_MAX 160
struct wait_set {
    struct port *port[WAIT_PORTS_MAX];
    size_t n;
    int64_t deadline_ns; /* of clock_ns; 0: none */
};

static inline void wait_add(struct wait_set *set, struct port *port)
{
    if (set->n < WAIT_PORTS_MAX)
        set->port[set->n++] = port;
}

#endif
