/* Descriptors for event loops. Each is a poller of this process alone: other peers share the events that it hears of,
 * and can't keep it readable. Nothing wakes it while nothing happens: of deaths, of which no peer can tell, watch.c
 * hears. Only where that can't be had does it tick. */
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

/* What the poller hears of; it is readable at first, for the caller has not looked yet. */
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
        r = poll_make(way, way->events[direction == LEAT_READ ? 0 : 1], watched);
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
