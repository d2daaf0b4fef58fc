/* SPDX-License-Identifier: MIT */
/* The sync engine. The loop's thread makes each call, so an op has completed when the call returns. The engine waits
 * for ports by poll(2). */
#include "engine/engine.h"
#include <errno.h>
#include <poll.h>

#define NO_MEMORY_MS 100 /* if there is no memory for the whole poll set, the next try comes after this time */

/* The memory of the poll set. The set is filled anew for each wait. */
struct poll_room {
    struct pollfd *set;
    struct port **port; /* the port of the entry with the same index; entry 0 is the waker's */
    size_t capacity;
};

static void sync_close(struct loop *loop)
{
    struct poll_room *room = loop->engine_state;
    free(room->set);
    free(room->port);
    free(room);
}

static void sync_execute(struct loop *loop UNUSED, struct task *task)
{
    task_done(task, op_execute(task->op));
}

static bool make_room(struct poll_room *room, size_t n)
{
    if (n <= room->capacity)
        return true;
    size_t capacity = MAX(n, room->capacity * 2);
    struct pollfd *set = realloc(room->set, capacity * sizeof(*set));
    if (set)
        room->set = set;
    struct port **port = realloc(room->port, capacity * sizeof(struct port *));
    if (port)
        room->port = port;
    if (!set || !port)
        return false;
    room->capacity = capacity;
    return true;
}

/* There is room for the ports of one task from the start, so a loop with one task never lacks memory. */
static int sync_open(struct loop *loop, char why[ENGINE_WHY_MAX] UNUSED)
{
    struct poll_room *room = calloc(1, sizeof(*room));
    if (!room)
        return -ENOMEM;
    loop->engine_state = room;
    if (make_room(room, 1 + WAIT_PORTS_MAX))
        return 0;
    sync_close(loop);
    return -ENOMEM;
}

/* Fills the poll set. A port without a descriptor becomes ready only by port_notify, and needs no entry. *ret_all is
 * false if there was no memory for some task's ports. */
static size_t fill_set(struct loop *loop, bool *ret_all)
{
    struct poll_room *room = loop->engine_state;
    size_t n = 0;
    *ret_all = true;
    room->set[n++] = (struct pollfd){.fd = loop->waker.fd[0], .events = POLLIN};
    for (struct task *task = loop->tasks; task; task = task->following) {
        if (task->state != TASK_WAITING)
            continue;
        if (!make_room(room, n + task->wait.n)) {
            *ret_all = false;
            continue;
        }
        for (size_t i = 0; i < task->wait.n; i++) {
            struct port *port = task->wait.port[i];
            if (port->fd < 0)
                continue;
            room->port[n] = port;
            room->set[n++] = (struct pollfd){.fd = port->fd, .events = port->events};
        }
    }
    return n;
}

/* Returns the milliseconds until the deadline, or -1 if there is none. They are rounded up, because after an early
 * wake-up the loop would only poll again. */
static int timeout_of(int64_t deadline_ns)
{
    if (deadline_ns == 0)
        return -1;
    int64_t left = deadline_ns - clock_ns();
    return left <= 0 ? 0 : (int)MIN((left + 999999) / 1000000, 3600000);
}

static void sync_wait(struct loop *loop, bool block, int64_t deadline_ns)
{
    struct poll_room *room = loop->engine_state;
    bool all;
    size_t n = fill_set(loop, &all);
    int timeout = block ? timeout_of(deadline_ns) : 0;
    if (!all && (timeout < 0 || timeout > NO_MEMORY_MS))
        timeout = NO_MEMORY_MS;
    if (poll(room->set, (nfds_t)n, timeout) <= 0)
        return;
    for (size_t i = 1; i < n; i++)
        if (room->set[i].revents)
            room->port[i]->blocked = false; /* also after an error or a hang-up: the call reports it */
}

const struct engine engine_sync = {
    .name = "sync",
    .open = sync_open,
    .execute = sync_execute,
    .wait = sync_wait,
    .close = sync_close,
};
