/* The sync engine: each call is made on the thread that runs the task; what waits is polled.
 *
 * The waker's pipe is always in the poll set. A thread that has something for us stores it (port->notified,
 * task->poked) and then wakes; we announce that we sleep and then look at these words once more, so nothing is lost
 * between. */
#include "engine/engine.h"
#include <errno.h>
#include <poll.h>

static bool look_for_notices(struct task *task)
{
    bool any = atomic_exchange(&task->poked, false);
    for (size_t i = 0; i < task->wait.n; i++)
        any |= port_take_notice(task->wait.port[i]);
    return any;
}

/* Milliseconds until the deadline, rounded up: one early wake-up would only poll again. -1: no deadline. */
static int timeout_of(const struct wait_set *wait)
{
    if (wait->deadline_ns == 0)
        return -1;
    int64_t left = wait->deadline_ns - clock_ns();
    return left <= 0 ? 0 : (int)MIN((left + 999999) / 1000000, 3600000);
}

static void sleep_until_ready(struct task *task, struct waker *waker)
{
    struct pollfd set[WAIT_PORTS_MAX + 1];
    struct port *port[WAIT_PORTS_MAX + 1];
    nfds_t n = 0;
    set[n++] = (struct pollfd){.fd = waker->fd[0], .events = POLLIN};
    for (size_t i = 0; i < task->wait.n; i++)
        if (task->wait.port[i]->fd >= 0) {
            port[n] = task->wait.port[i];
            set[n] = (struct pollfd){.fd = port[n]->fd, .events = port[n]->events};
            n++;
        }
    waker_sleeps(waker);
    if (!look_for_notices(task) && poll(set, n, timeout_of(&task->wait)) > 0)
        for (nfds_t i = 1; i < n; i++)
            if (set[i].revents)
                port[i]->blocked = false; /* an error or a hang-up is ready too: the call will tell */
    waker_woke(waker);
    look_for_notices(task);
}

static void run(struct task *task, struct waker *waker)
{
    task->waker = waker;
    for (;;) {
        struct op *op = NULL;
        task->wait.n = 0;
        task->wait.deadline_ns = 0;
        switch (task->next(task, &op, &task->wait)) {
        case VERDICT_OP:
            task->done(task, op, op_execute(op));
            break;
        case VERDICT_WAIT:
            sleep_until_ready(task, waker);
            break;
        default:
            return;
        }
    }
}

const struct engine engine_sync = {.name = "sync", .run = run};
