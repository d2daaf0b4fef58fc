/* SPDX-License-Identifier: MIT */
/* The engine of io_uring: one ring for each loop, which carries the calls of all tasks of the loop.
 *
 * Ops that may sleep become entries of the ring: reads and writes of files and disks, fsync, and each op that was not
 * told to fail with -EAGAIN instead (for an exception see has_place in uring_op.c). So a slow disk holds up one stream
 * and not its thread. An op that cannot sleep is a plain call, because a system call costs less than an entry and its
 * completion (docs/architecture.md has the numbers); moreover, SPLICE and TEE entries always go to a kernel worker. The
 * engine "uring:all" is there to measure the difference: each op that has an entry becomes one.
 *
 * The ring refers to three kinds of objects of the engine. The low bits of user_data say which it is:
 * - A task, for its op in flight, or an op with OP_ASYNC, which knows its task. The ring uses the buffers of the op
 *   until its completion has come. A cancel only makes the completion come soon.
 * - A watch, for a port that a task waits for. It is armed once, and stays armed until it fires or no task waits for
 *   the port any more. An armed watch keeps the kernel's reference to the file, so closing the descriptor would not
 *   close the file. Therefore a task that ends first waits until its watches are gone (uring_forget).
 * - The waker.
 *
 * The thread that opens the loop makes the ring, disabled, so it learns at once whether io_uring is available. The
 * thread that runs the loop enables the ring, and is the only thread that may submit from then on
 * (IORING_SETUP_SINGLE_ISSUER).
 *
 * The file is longer than 400 lines, because ops, watches and waiting share one ring and one meaning of user_data. */
#include "base/fd.h"
#include "engine/uring_op.h"
#include "engine/uring_ring.h"
#include <errno.h>
#include <limits.h>
#include <poll.h>

#define BATCH 64 /* completions that are taken at once */

/* The most kernel workers of one loop. Any number above 0 is enough for progress, because no entry waits for another
 * entry: calls that wait for another process are polled for or made with NOWAIT, and a call that waits for a disk
 * returns by itself. Blocking splices without NOWAIT would be a different case: they hold their workers, and the splice
 * that would end their wait finds no worker. No route submits such splices, and a cancel ends even those, queued or
 * running. */
#define WORKERS_FILES 16
#define WORKERS_OTHER 16

#define PAUSE_MS 100 /* the pause after the kernel has refused a submission for lack of memory */

/* Low bits of user_data. The pointers beside them are aligned to at least 8 bytes. */
enum tag {
    TAG_NOBODY, /* the completion of a cancel, which is ignored */
    TAG_WAKER,
    TAG_WATCH,
    TAG_OP,
    TAG_ASYNC,
    TAG_MASK = 7,
};

struct watch {
    struct port *port;       /* NULL: no task waits for it any more, so the watch must be removed */
    const struct task *task; /* the task that waits for the port */
    uint64_t round;          /* the last round in which a task waited for the port */
    bool removed;            /* its removal was submitted */
    struct watch *following, **place;
};

struct uring {
    struct io_uring ring;
    struct watch *armed, *spare;
    uint64_t round; /* counts the calls of uring_wait */
    bool waker_armed;
    bool short_of_room;      /* there was no entry or no memory: try again soon */
    unsigned int workers[2]; /* the thread's limits before uring_begin */
    bool workers_set;
};

static int uring_open(struct loop *loop, char why[ENGINE_WHY_MAX])
{
    struct uring *u = calloc(1, sizeof(*u));
    if (!u)
        return ring_refused(why, "calloc", -ENOMEM);
    int r = ring_open(&u->ring, why);
    if (r < 0) {
        free(u);
        return r;
    }
    loop->engine_state = u;
    return 0;
}

static void free_watches(struct watch *watch)
{
    while (watch) {
        struct watch *following = watch->following;
        free(watch);
        watch = following;
    }
}

static void uring_close(struct loop *loop)
{
    struct uring *u = loop->engine_state;
    io_uring_queue_exit(&u->ring);
    free_watches(u->armed);
    free_watches(u->spare);
    free(u);
}

/* The limits of workers belong to the thread and outlive the ring. The thread may be the caller's, so uring_end
 * restores its limits. */
static void uring_begin(struct loop *loop)
{
    struct uring *u = loop->engine_state;
    uring_register(&u->ring, IORING_REGISTER_ENABLE_RINGS);
    u->workers[0] = WORKERS_FILES;
    u->workers[1] = WORKERS_OTHER;
    u->workers_set = io_uring_register_iowq_max_workers(&u->ring, u->workers) == 0;
}

static void uring_end(struct loop *loop)
{
    struct uring *u = loop->engine_state;
    if (u->workers_set)
        io_uring_register_iowq_max_workers(&u->ring, u->workers);
}

/* ---- entries ---- */

static uint64_t data_of(const void *thing, enum tag tag)
{
    return (uint64_t)(uintptr_t)thing | tag;
}

/* Returns a free entry, or NULL if the queue is full and the kernel takes no entries now. */
static struct io_uring_sqe *entry(struct uring *u)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
    if (!sqe && io_uring_submit(&u->ring) > 0)
        sqe = io_uring_get_sqe(&u->ring);
    return sqe;
}

/* The function that takes the number is younger than liburing 2.1. */
static void prep_cancel(struct io_uring_sqe *sqe, uint64_t data)
{
    io_uring_prep_cancel(sqe, NULL, 0);
    sqe->addr = data;
}

/* ---- ops ---- */

/* Submits the op. `thing` is the object of the kind `tag` that the completion is for. Returns false if there is no
 * entry. */
static bool submit(struct uring *u, const struct op *op, const void *thing, enum tag tag)
{
    struct io_uring_sqe *sqe = entry(u);
    if (!sqe)
        return false;
    uring_fill(sqe, op);
    sqe->user_data = data_of(thing, tag);
    return true;
}

static bool goes_to_ring(const struct loop *loop, const struct op *op)
{
    return uring_takes(op, loop->engine == &engine_uring_all);
}

static void uring_execute(struct loop *loop, struct task *task)
{
    ssize_t result;
    task->cancel = CANCEL_NO;
    if (!goes_to_ring(loop, task->op))
        task_done(task, op_execute(task->op));
    else if (!op_gate(task->op, &result))
        task_done(task, result);
    else if (!submit(loop->engine_state, task->op, task, TAG_OP))
        task_done(task, op_perform(task->op));
}

static void op_over(struct uring *u, struct task *task, ssize_t result)
{
    result = uring_result(task->op, result);
    if (result != -EINTR)
        task_done(task, result);
    else if (task->cancel != CANCEL_NO)
        task_done(task, -ECANCELED);
    else if (!submit(u, task->op, task, TAG_OP)) /* an op that a signal interrupted is submitted again */
        task_done(task, op_perform(task->op));
}

static void uring_submit(struct loop *loop, struct op *op)
{
    if (!goes_to_ring(loop, op) || !submit(loop->engine_state, op, op, TAG_ASYNC))
        helpers_submit(loop, op);
}

static void async_over(struct uring *u, struct op *op, ssize_t result)
{
    result = uring_result(op, result);
    if (result != -EINTR)
        task_done_async(op->task, op, result);
    else if (!submit(u, op, op, TAG_ASYNC))
        task_done_async(op->task, op, op_perform(op));
}

/* The next uring_wait submits the cancel. */
static void uring_cancel(struct loop *loop UNUSED, struct task *task)
{
    if (task->cancel == CANCEL_NO)
        task->cancel = CANCEL_ASKED;
}

/* The result of a cancel does not matter: with ENOENT (the op has completed) and with EALREADY (it is running) the
 * completion of the op comes as well. */
static void send_cancel(struct uring *u, struct task *task)
{
    struct io_uring_sqe *sqe = entry(u);
    u->short_of_room |= !sqe;
    if (!sqe)
        return;
    prep_cancel(sqe, data_of(task, TAG_OP));
    sqe->user_data = data_of(u, TAG_NOBODY);
    task->cancel = CANCEL_SENT;
}

/* ---- watches ---- */

static bool is_current(const struct watch *watch)
{
    return watch->port && watch->port->watch == watch; /* port_init clears port->watch */
}

static void let_go_of_port(struct watch *watch)
{
    if (is_current(watch))
        watch->port->watch = NULL;
    watch->port = NULL;
}

static struct watch *watch_get(struct uring *u)
{
    struct watch *watch = u->spare;
    if (watch)
        u->spare = watch->following;
    else
        watch = malloc(sizeof(*watch));
    return watch;
}

static void watch_put(struct uring *u, struct watch *watch)
{
    *watch->place = watch->following;
    if (watch->following)
        watch->following->place = watch->place;
    watch->following = u->spare;
    u->spare = watch;
}

static void arm(struct uring *u, const struct task *task, struct port *port)
{
    struct watch *watch = watch_get(u);
    struct io_uring_sqe *sqe = watch ? entry(u) : NULL;
    if (!sqe) {
        free(watch);
        u->short_of_room = true;
        return;
    }
    *watch = (struct watch){.port = port, .task = task, .round = u->round, .following = u->armed, .place = &u->armed};
    if (u->armed)
        u->armed->place = &watch->following;
    u->armed = port->watch = watch;
    io_uring_prep_poll_add(sqe, port->fd, (unsigned)port->events);
    sqe->user_data = data_of(watch, TAG_WATCH);
}

/* Removes a watch. Its completion comes later, from the removal or because the watch has fired meanwhile. The removal
 * is a cancel and not a POLL_REMOVE. While the kernel checks whether a watch has fired, it refuses a POLL_REMOVE
 * (EALREADY), and if the event is gone by then, because another reader has taken the byte, the watch stays armed. A
 * cancel is remembered. */
static void disarm(struct uring *u, struct watch *watch)
{
    let_go_of_port(watch);
    struct io_uring_sqe *sqe = watch->removed ? NULL : entry(u);
    u->short_of_room |= !sqe && !watch->removed;
    if (!sqe)
        return;
    prep_cancel(sqe, data_of(watch, TAG_WATCH));
    sqe->user_data = data_of(u, TAG_NOBODY);
    watch->removed = true;
}

/* The watch has fired or failed. The port is ready in both cases, and the next call on it reports a failure. */
static void watch_over(struct uring *u, struct watch *watch)
{
    if (is_current(watch))
        watch->port->blocked = false;
    let_go_of_port(watch);
    watch_put(u, watch);
}

/* Arms watches for the ports that a task waits for. A port without a descriptor becomes ready only by port_notify, and
 * needs no watch. */
static void watch_ports(struct uring *u, struct task *task)
{
    for (size_t i = 0; i < task->wait.n; i++) {
        struct port *port = task->wait.port[i];
        if (port->watch)
            port->watch->round = u->round;
        else if (port->fd >= 0)
            arm(u, task, port);
    }
}

/* Removes watches that no task needs. If a task is not waiting now, its watches stay, because it will probably need
 * them again. If it waits for other ports, they are removed. */
static void disarm_unwanted(struct uring *u)
{
    for (struct watch *watch = u->armed; watch; watch = watch->following)
        if (!is_current(watch) || (watch->task->state == TASK_WAITING && watch->round != u->round))
            disarm(u, watch);
}

static void arm_waker(struct loop *loop)
{
    struct uring *u = loop->engine_state;
    struct io_uring_sqe *sqe = u->waker_armed ? NULL : entry(u);
    u->short_of_room |= !sqe && !u->waker_armed;
    if (!sqe)
        return;
    io_uring_prep_poll_add(sqe, loop->waker.fd[0], POLLIN);
    sqe->user_data = data_of(u, TAG_WAKER);
    u->waker_armed = true;
}

/* ---- waiting ---- */

static void completed(struct uring *u, char *data, ssize_t result)
{
    uintptr_t tag = (uintptr_t)data & TAG_MASK;
    void *thing = data - tag;
    switch (tag) {
    case TAG_WAKER:
        u->waker_armed = false;
        break;
    case TAG_WATCH:
        watch_over(u, thing);
        break;
    case TAG_OP:
        op_over(u, thing, result);
        break;
    case TAG_ASYNC:
        async_over(u, thing, result);
        break;
    default:
        break;
    }
}

/* Takes all completions. Each batch is copied before it is acted on, so that the kernel can reuse its room. */
static void reap(struct uring *u)
{
    struct io_uring_cqe *cqe[BATCH];
    struct {
        char *data;
        ssize_t result;
    } one[BATCH];
    unsigned n;
    while ((n = io_uring_peek_batch_cqe(&u->ring, cqe, BATCH)) > 0) {
        for (unsigned i = 0; i < n; i++) {
            one[i].data = io_uring_cqe_get_data(cqe[i]);
            one[i].result = cqe[i]->res;
        }
        io_uring_cq_advance(&u->ring, n);
        for (unsigned i = 0; i < n; i++)
            completed(u, one[i].data, one[i].result);
    }
}

static bool is_refusal(int r)
{
    return r < 0 && r != -ETIME && r != -EINTR;
}

/* Submits all entries, and sleeps until a completion has come, `ns` have passed (-1: no limit), or a signal has
 * come. */
static int submit_and_sleep(struct uring *u, int64_t ns)
{
    struct __kernel_timespec timeout = {.tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000};
    return uring_submit_and_wait(&u->ring, ns >= 0 ? &timeout : NULL);
}

static void sleep_until(struct loop *loop, int64_t deadline_ns)
{
    struct uring *u = loop->engine_state;
    int64_t most = u->short_of_room ? (int64_t)PAUSE_MS * 1000000 : -1;
    if (deadline_ns) {
        int64_t left = MAX(deadline_ns - clock_ns(), 0);
        most = most < 0 ? left : MIN(most, left);
    }
    if (is_refusal(submit_and_sleep(u, most))) { /* the kernel takes no entries now; the waker still ends the pause */
        struct pollfd waker = {.fd = loop->waker.fd[0], .events = POLLIN};
        poll(&waker, 1, PAUSE_MS);
    }
}

static void uring_wait(struct loop *loop, bool block, int64_t deadline_ns)
{
    struct uring *u = loop->engine_state;
    u->round++;
    u->short_of_room = false;
    for (struct task *task = loop->tasks; task; task = task->following)
        if (task->state == TASK_WAITING)
            watch_ports(u, task);
        else if (task->state == TASK_IN_FLIGHT && task->cancel == CANCEL_ASKED)
            send_cancel(u, task);
    disarm_unwanted(u);
    if (block) {
        arm_waker(loop);
        sleep_until(loop, deadline_ns);
    } else if (io_uring_sq_ready(&u->ring))
        io_uring_submit(&u->ring);
    reap(u);
}

static bool has_watches(const struct uring *u, const struct task *task)
{
    const struct watch *watch = u->armed;
    while (watch && watch->task != task)
        watch = watch->following;
    return watch != NULL;
}

/* Waits until the watches of a task are gone. Completions of other tasks may come meanwhile; they make those tasks
 * ready for a later step. */
static void uring_forget(struct loop *loop, struct task *task)
{
    struct uring *u = loop->engine_state;
    int r = 0;
    while (has_watches(u, task) && !is_refusal(r)) {
        for (struct watch *watch = u->armed; watch; watch = watch->following)
            if (watch->task == task)
                disarm(u, watch);
        r = submit_and_sleep(u, (int64_t)PAUSE_MS * 1000000);
        reap(u);
    }
    for (struct watch *watch = u->armed; watch; watch = watch->following)
        if (watch->task == task)
            let_go_of_port(watch);
}

const struct engine engine_uring = {
    .name = "uring",
    .open = uring_open,
    .begin = uring_begin,
    .end = uring_end,
    .execute = uring_execute,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .forget = uring_forget,
    .wait = uring_wait,
    .close = uring_close,
};

const struct engine engine_uring_all = {
    .name = "uring:all",
    .open = uring_open,
    .begin = uring_begin,
    .end = uring_end,
    .execute = uring_execute,
    .submit = uring_submit,
    .cancel = uring_cancel,
    .forget = uring_forget,
    .wait = uring_wait,
    .close = uring_close,
};
