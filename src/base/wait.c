/* SPDX-License-Identifier: MIT */
#include "base/wait.h"
#include "base/fd.h"
#include <unistd.h>

int waker_open(struct waker *waker)
{
    atomic_init(&waker->sleeping, false);
    waker->owed = 0;
    return fd_pipe(waker->fd);
}

void waker_close(struct waker *waker)
{
    waker->fd[0] = fd_close(waker->fd[0]);
    waker->fd[1] = fd_close(waker->fd[1]);
}

void waker_wake(struct waker *waker)
{
    if (!atomic_exchange(&waker->sleeping, false))
        return;
    fd_wake(waker->fd[1]);
}

void waker_sleeps(struct waker *waker)
{
    atomic_store(&waker->sleeping, true);
}

void waker_woke(struct waker *waker)
{
    char bytes[64];
    ssize_t n = 1;
    /* The thread that cleared `sleeping` may write its byte later than this. Then the next poll ends early, and the
     * byte is read after it. */
    if (!atomic_exchange(&waker->sleeping, false))
        waker->owed++;
    while (waker->owed > 0 && n > 0) {
        n = read(waker->fd[0], bytes, MIN(waker->owed, sizeof(bytes)));
        waker->owed -= n > 0 ? (size_t)n : 0;
    }
}

void port_init(struct port *port, int fd, short events)
{
    port->fd = fd;
    port->events = events;
    port->blocked = false;
    port->watch = NULL;
    atomic_init(&port->notified, false);
    atomic_init(&port->waker, NULL);
}

void port_attach(struct port *port, struct waker *waker)
{
    atomic_store(&port->waker, waker);
}

void port_notify(struct port *port)
{
    atomic_store(&port->notified, true);
    struct waker *waker = atomic_load(&port->waker);
    if (waker)
        waker_wake(waker);
}

bool port_take_notice(struct port *port)
{
    /* This load must not move before the store of `sleeping`, so it is not a relaxed one. */
    if (!atomic_load(&port->notified) || !atomic_exchange(&port->notified, false))
        return false;
    port->blocked = false;
    return true;
}
