/* SPDX-License-Identifier: MIT */
/* What fork(2) does to handles. A lock of the kernel belongs to an open file, and a child has the open files of its
 * parent: it would keep the parent's place locked after the parent's death. So before each fork every handle takes a
 * place for the child, through an open file of its own. The parent then closes this file, and the child closes the
 * parent's file. At no moment is the child's end missing. */
#include "base/fd.h"
#include "channel/channel.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static pthread_mutex_t list_lock = PTHREAD_MUTEX_INITIALIZER;
static leat_channel *list;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int registered;

static void before_fork(void)
{
    pthread_mutex_lock(&list_lock);
    watch_before_fork();
    for (leat_channel *c = list; c; c = c->after) {
        pthread_mutex_lock(&c->mutex);
        c->child_fd = c->fd >= 0 ? platform.reopen(c->fd, O_RDWR) : -EBADF;
        if (c->child_fd < 0)
            continue;
        int r = peers_take(c, c->child_fd, c->end, 0, &c->child_place);
        if (r < 0) {
            fd_close(c->child_fd);
            c->child_fd = r;
        }
    }
}

static void in_parent(void)
{
    for (leat_channel *c = list; c; c = c->after) {
        if (c->child_fd >= 0)
            fd_close(c->child_fd);
        c->child_fd = -1;
        pthread_mutex_unlock(&c->mutex);
    }
    watch_in_parent();
    pthread_mutex_unlock(&list_lock);
}

static void forget_poll(struct channel_way *way)
{
    poll_close(way);
    atomic_store(&way->senders.held, false);
    atomic_store(&way->receivers.held, false);
}

/* The child has nothing that the parent held, and is in the middle of nothing. */
static void in_child(void)
{
    watch_in_child();
    for (leat_channel *c = list; c; c = c->after) {
        fd_close(c->fd);
        c->fd = MAX(c->child_fd, -1);
        if (c->child_fd < 0)
            atomic_store(&c->broken, c->child_fd);
        c->child_fd = -1;
        c->place = c->child_place;
        atomic_store(&c->inherited, c->fd >= 0);
        atomic_store(&c->reserved, false);
        atomic_store(&c->holding, 0);
        atomic_store(&c->stream.busy, false);
        atomic_store(&c->stream.open, false);
        free(c->stream.bytes);
        c->stream.bytes = NULL;
        c->unsent.length = 0;
        forget_poll(&c->out);
        forget_poll(&c->in);
        pthread_mutex_unlock(&c->mutex);
        if (pthread_mutex_init(&c->mutex, NULL) != 0)
            atomic_store(&c->broken, -ENOMEM);
    }
    pthread_mutex_unlock(&list_lock);
}

static void register_handlers(void)
{
    registered = -pthread_atfork(before_fork, in_parent, in_child);
}

int fork_enlist(leat_channel *c)
{
    pthread_once(&once, register_handlers);
    if (registered < 0)
        return registered;
    pthread_mutex_lock(&list_lock);
    c->after = list;
    if (list)
        list->before = c;
    list = c;
    pthread_mutex_unlock(&list_lock);
    return 0;
}

void fork_delist(leat_channel *c)
{
    pthread_mutex_lock(&list_lock);
    if (c->before)
        c->before->after = c->after;
    else
        list = c->after;
    if (c->after)
        c->after->before = c->before;
    pthread_mutex_unlock(&list_lock);
}

void channel_arrive(leat_channel *c)
{
    if (!atomic_exchange(&c->inherited, false))
        return;
    atomic_store(&c->places[c->place].pid, (int32_t)getpid());
    atomic_fetch_or(&c->places[c->place].state, PLACE_ATTACHED);
}
