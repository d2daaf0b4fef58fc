/* SPDX-License-Identifier: MIT */
/* Descriptors for event loops. Each is an epoll descriptor of this process alone: other peers share the events that it
 * listens to, but cannot keep it readable. Nothing wakes it while nothing happens. A crashed peer tells nothing;
 * watch.c notices it. Only where watch.c does not work does a timer tick. */
#include "base/fd.h"
#include "channel/channel.h"
#include <errno.h>

void poll_init(struct channel_way *way)
{
    way->poll_fd = way->alarm = way->timer = -1;
    atomic_store(&way->polled, false);
}

void poll_close(struct channel_way *way)
{
    way->poll_fd = fd_close(way->poll_fd);
    way->alarm = fd_close(way->alarm);
    way->timer = fd_close(way->timer);
    atomic_store(&way->polled, false);
}

/* Makes the descriptor. It is readable at first, because the caller has not looked yet. */
static int poll_make(struct channel_way *way, int event, bool watched)
{
    int alarm = platform.sharing->event();
    if (alarm < 0)
        return alarm;
    way->alarm = alarm;
    int fd = platform.sharing->poller((const int[]){event, alarm}, 2);
    if (fd < 0)
        return fd;
    way->poll_fd = fd;
    if (!watched) {
        way->timer = platform.sharing->poller_tick(fd, LEAT_CHANNEL_PATIENCE_MS);
        if (way->timer < 0)
            return way->timer;
    }
    platform.sharing->event_set(alarm);
    atomic_store(&way->polled, true);
    return 0;
}

int leat_channel_poll_fd(leat_channel *c, enum leat_direction direction, int *ret_fd)
{
    struct channel_way *way = direction == LEAT_READ ? &c->in : &c->out;
    int r = 0;
    if (!way->lane)
        return -EBADF;
    bool watched = watch_start(c) == 0, made = false;
    pthread_mutex_lock(&c->mutex);
    if (way->poll_fd < 0) {
        r = poll_make(way, way->event, watched);
        made = r == 0;
    }
    if (r < 0)
        poll_close(way);
    else
        *ret_fd = way->poll_fd;
    pthread_mutex_unlock(&c->mutex);
    if (watched && !made)
        watch_drop(c);
    return r;
}
