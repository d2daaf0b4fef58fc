/* SPDX-License-Identifier: MIT */
#include "base/sigpipe.h"
#include "base/thread.h"
#include "engine/engine.h"
#include <errno.h>

int loop_open(struct loop *loop, const struct engine *engine, char why[ENGINE_WHY_MAX])
{
    char unused[ENGINE_WHY_MAX];
    why = why ? why : unused;
    *why = '\0';
    *loop = (struct loop){.engine = engine, .waker.fd = {-1, -1}};
    int r = waker_open(&loop->waker);
    if (r < 0)
        return r;
    pthread_mutex_init(&loop->lock, NULL);
    r = engine->open ? engine->open(loop, why) : 0;
    if (r < 0) {
        loop->engine = NULL;
        loop_close(loop);
    }
    return r;
}

void loop_close(struct loop *loop)
{
    helpers_close(loop);
    if (loop->engine && loop->engine->close)
        loop->engine->close(loop);
    pthread_mutex_destroy(&loop->lock);
    waker_close(&loop->waker);
}

void loop_add(struct loop *loop, struct task *task)
{
    atomic_fetch_add(&loop->load, 1);
    pthread_mutex_lock(&loop->lock);
    task->following = loop->added;
    loop->added = task;
    pthread_mutex_unlock(&loop->lock);
    waker_wake(&loop->waker);
}

void loop_quit(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->quits = true;
    pthread_mutex_unlock(&loop->lock);
    waker_wake(&loop->waker);
}

void loop_poke(struct loop *loop, struct task *task)
{
    atomic_store(&task->poked, true);
    waker_wake(&loop->waker);
}

/* The loop's thread asks the gate, so that a test sees one op after the other. */
static void submit(struct loop *loop, struct task *task)
{
    struct op *op = task->op;
    ssize_t result;
    task->op = NULL;
    task->out++;
    op->task = task;
    if (!op_gate(op, &result))
        helpers_over(loop, op, result);
    else if (loop->engine->submit)
        loop->engine->submit(loop, op);
    else
        helpers_submit(loop, op);
}

/* Takes the new tasks. Returns false if the loop may quit and no task is left. */
static bool take_added(struct loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct task *added = loop->added;
    bool goes_on = added || loop->tasks || !loop->quits;
    loop->added = NULL;
    pthread_mutex_unlock(&loop->lock);
    while (added) {
        struct task *task = added;
        added = task->following;
        task->loop = loop;
        task->state = TASK_READY;
        task->following = loop->tasks;
        loop->tasks = task;
    }
    return goes_on;
}

/* Takes what other threads have stored for the task: notices of its ports, and pokes. */
static void take_notices(struct loop *loop, struct task *task)
{
    /* This load must not move before the announcement of the sleep, so it is not relaxed. */
    bool poked = atomic_load(&task->poked) && atomic_exchange(&task->poked, false);
    if (task->state == TASK_WAITING) {
        bool noticed = poked;
        for (size_t i = 0; i < task->wait.n; i++)
            noticed |= port_take_notice(task->wait.port[i]);
        if (noticed)
            task->state = TASK_READY;
    } else if (poked && task->state == TASK_IN_FLIGHT && loop->engine->cancel)
        loop->engine->cancel(loop, task);
}

/* Makes a waiting task ready if its deadline has come or a port is ready. The engine has unblocked the ports that are
 * ready. */
static void look(struct task *task, int64_t now)
{
    bool ready = task->wait.deadline_ns && task->wait.deadline_ns <= now;
    for (size_t i = 0; i < task->wait.n; i++)
        ready |= !task->wait.port[i]->blocked;
    if (ready)
        task->state = TASK_READY;
}

/* Makes one step. Returns false if the task has ended and no op is in flight. */
static bool step(struct loop *loop, struct task *task)
{
    if (task->state == TASK_ENDING)
        return false;
    task->wait.n = 0;
    task->wait.deadline_ns = 0;
    switch (task->next(task, &task->op, &task->wait)) {
    case VERDICT_OP:
        if (task->op->flags & OP_ASYNC) {
            submit(loop, task);
            return true;
        }
        task->state = TASK_IN_FLIGHT;
        loop->engine->execute(loop, task);
        return true;
    case VERDICT_WAIT:
        task->state = TASK_WAITING;
        return true;
    default:
        task->state = TASK_ENDING;
        return task->out > 0;
    }
}

static bool can_go_on(const struct task *task)
{
    return task->state == TASK_READY || (task->state == TASK_ENDING && task->out == 0);
}

struct census {
    bool ready, others; /* tasks that can go on at once; tasks that wait or have an op in flight */
};

/* Each task that is ready makes one step, so that no task keeps the others waiting. */
static struct census step_all(struct loop *loop)
{
    struct census census = {false, false};
    for (struct task **at = &loop->tasks; *at;) {
        struct task *task = *at;
        if (can_go_on(task) && !step(loop, task)) {
            *at = task->following;
            if (loop->engine->forget)
                loop->engine->forget(loop, task);
            atomic_fetch_sub(&loop->load, 1);
            task->ended(task);
            continue;
        }
        census.ready |= can_go_on(task);
        census.others |= task->state != TASK_READY || task->out > 0;
        at = &task->following;
    }
    return census;
}

/* Takes what other threads have stored for the loop and its tasks. Returns true if there is something to do.
 * *ret_deadline gets the earliest deadline of a task, or 0. */
static bool take_all_notices(struct loop *loop, int64_t *ret_deadline)
{
    pthread_mutex_lock(&loop->lock);
    bool ready = loop->added || (loop->quits && !loop->tasks);
    pthread_mutex_unlock(&loop->lock);
    *ret_deadline = 0;
    helpers_collect(loop);
    for (struct task *task = loop->tasks; task; task = task->following) {
        take_notices(loop, task);
        ready |= can_go_on(task);
        if (task->state == TASK_WAITING && task->wait.deadline_ns)
            *ret_deadline = *ret_deadline ? MIN(*ret_deadline, task->wait.deadline_ns) : task->wait.deadline_ns;
    }
    return ready;
}

/* Lets the engine wait. If `sleeps` is set, it sleeps, unless something was stored before the sleep was announced;
 * otherwise it only looks. */
static void wait_for_any(struct loop *loop, bool sleeps)
{
    int64_t deadline;
    if (sleeps)
        waker_sleeps(&loop->waker);
    bool ready = take_all_notices(loop, &deadline);
    loop->engine->wait(loop, sleeps && !ready, deadline);
    if (sleeps)
        waker_woke(&loop->waker);
    helpers_collect(loop);
    int64_t now = deadline ? clock_ns() : 0;
    for (struct task *task = loop->tasks; task; task = task->following) {
        take_notices(loop, task);
        if (task->state == TASK_WAITING)
            look(task, now);
    }
}

void loop_run(struct loop *loop)
{
    if (loop->engine->begin)
        loop->engine->begin(loop);
    while (take_added(loop)) {
        struct census census = step_all(loop);
        if (!census.ready || census.others)
            wait_for_any(loop, !census.ready);
    }
    if (loop->engine->end)
        loop->engine->end(loop);
}

static void *run(void *user)
{
    struct sigpipe_guard guard;
    sigpipe_enter(&guard);
    loop_run(user);
    sigpipe_leave(&guard);
    return NULL;
}

int loop_run_on_thread(struct loop *loop, pthread_t *ret)
{
    return thread_create(ret, run, loop);
}
