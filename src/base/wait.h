/* SPDX-License-Identifier: MIT */
/* How a transfer waits, and how it is woken.
 *
 * A *port* is one thing that a transfer may wait for: a descriptor that is not ready, or (fd -1) a notification from
 * another thread, such as "a chunk was released". A route sets `blocked` when a call has returned -EAGAIN. The engine
 * clears it once the port is ready.
 *
 * A descriptor that a transfer may wait for stays open until its task ends. If it is closed earlier, its port is
 * initialised anew before the task waits again.
 *
 * Ownership: the members of a port belong to the engine's thread that runs the transfer, except `notified` and `waker`,
 * which any thread may use through port_notify. Before the port is detached (port_attach with NULL), all threads that
 * may notify it are done, so a waker outlives every notification.
 *
 * No wake-up is lost. port_notify stores `notified` and then wakes. The waiter announces that it sleeps and then checks
 * `notified` once more (waker_sleeps). A byte in the waker's pipe ends the poll in any case. */
#ifndef BASE_WAIT_H
#define BASE_WAIT_H

#include "base/base.h"
#include <stdatomic.h>
#include <stdbool.h>

/* A pipe whose both ends belong to the sleeping thread, because POSIX has pipes and poll can wait for them. */
struct waker {
    int fd[2];
    atomic_bool sleeping;
    size_t owed; /* bytes that are in the pipe or soon will be; only the owner uses it */
};

/* Opens the pipe of a waker, which the caller closes with waker_close. Returns 0 or -errno. */
int waker_open(struct waker *waker);
void waker_close(struct waker *waker);
/* Ends the wait of the thread that polls waker->fd[0]. Any thread; async-signal-safe. */
void waker_wake(struct waker *waker);
/* The owner polls between these two calls. After waker_sleeps it checks once more for the events that would have woken
 * it before. */
void waker_sleeps(struct waker *waker);
void waker_woke(struct waker *waker);

struct port {
    int fd;       /* -1: only port_notify makes the port ready */
    short events; /* POLLIN or POLLOUT */
    bool blocked;
    atomic_bool notified;
    _Atomic(struct waker *) waker;
    struct watch *watch; /* the engine's request to the kernel for this port, or NULL */
};

/* Initialises a port. Borrows `fd`, which may be -1. */
void port_init(struct port *port, int fd, short events);
/* From now on port_notify wakes this waker (NULL: none). */
void port_attach(struct port *port, struct waker *waker);
/* Marks the port as ready and wakes the waiter. Any thread; async-signal-safe. */
void port_notify(struct port *port);
/* Takes the notification of the port, if there is one, and clears `blocked`. Returns false if there was none. */
bool port_take_notice(struct port *port);

/* A transfer waits for any one of these ports, or for the deadline. */
#define WAIT_PORTS_MAX 160
struct wait_set {
    struct port *port[WAIT_PORTS_MAX];
    size_t n;
    int64_t deadline_ns; /* a time of clock_ns; 0: none */
};

static inline void wait_add(struct wait_set *set, struct port *port)
{
    if (set->n < WAIT_PORTS_MAX)
        set->port[set->n++] = port;
}

#endif
