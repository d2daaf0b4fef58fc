/* Who executes calls and waits.
 *
 * A *task* is something resumable that never blocks: asked what is next, it names one call, or what it waits for, or
 * says that it has ended. A *loop* runs any number of tasks on one thread, and an *engine* is how a loop executes a
 * call and how it waits. So the same task serves one copy on the caller's thread and hundreds on a few threads.
 *
 * Who owns what: a task belongs to its owner; the loop has it from loop_add until it calls `ended`, the last thing it
 * does with it. All hooks of a task are called on the loop's thread, one after the other. `done` is called exactly once
 * for each op, also when it was cancelled.
 *
 * A task has at most one op in flight, and besides it any number of ops with OP_ASYNC, of files, which never wait for
 * somebody: after such an op `next` is called again at once, and `done` whenever it is over, in any order. A task that
 * has nothing more to start says WAIT; an op that is over ends the wait as a port does. What is out when a task says
 * END is waited for: `ended` comes after the last `done`.
 *
 * No wake-up is lost: whoever has something for a loop stores it first (a port's `notified`, a task's `poked`, the list
 * of new tasks) and then wakes; the loop announces that it sleeps and then looks at all of these once more. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/op.h"
#include "base/wait.h"
#include <leat/pipeline.h>
#include <pthread.h>

#define ENGINE_WHY_MAX 160

enum verdict {
    VERDICT_OP,        /* *ret_op is to be executed; it belongs to the task and stays as it is until `done` */
    VERDICT_WAIT,      /* nothing to do until one of the ports in *ret_wait is ready, or its deadline */
    VERDICT_END,       /* it is over; `next` is not called again, `done` for what is still out */
    VERDICT_STEP_DOWN, /* of a route only: the next one shall go on */
};

struct loop;

struct task {
    enum verdict (*next)(struct task *task, struct op **ret_op, struct wait_set *ret_wait);
    /* The op is over. */
    void (*done)(struct task *task, struct op *op, ssize_t result);
    /* `next` said END, and nothing is out. The task may be freed in it. */
    void (*ended)(struct task *task);
    struct loop *loop; /* set before the first `next` */
    atomic_bool poked; /* through loop_poke */

    /* The loop's own. */
    enum {
        TASK_READY,
        TASK_WAITING,
        TASK_IN_FLIGHT,
        TASK_ENDING /* but for its ops with OP_ASYNC */
    } state;
    struct wait_set wait;
    struct op *op; /* in flight */
    size_t out;    /* ops with OP_ASYNC in flight */
    struct task *following;

    /* The engine's own. */
    enum {
        CANCEL_NO,
        CANCEL_ASKED,
        CANCEL_SENT
    } cancel; /* of the op in flight */
};

/* How calls are executed and waited for. One loop, one thread: no hook is called by two threads at once. */
struct engine {
    const char *name;

    /* Makes what it needs (loop->engine_state). A negative errno, and a sentence's part in `why`, if it can't be had.
     */
    int (*open)(struct loop *loop, char why[ENGINE_WHY_MAX]);

    /* On the loop's thread, before any task is looked at and after the last has ended. NULL: nothing to do. */
    void (*begin)(struct loop *loop);
    void (*end)(struct loop *loop);

    /* Executes task->op. It may be over on return, and then loop_done was called; or it is in flight, and `wait` will
     * call loop_done. */
    void (*execute)(struct loop *loop, struct task *task);

    /* Executes an op with OP_ASYNC, and has `wait` call loop_done_async for it. NULL: the loop's helpers do it, threads
     * that make one call at a time. */
    void (*submit)(struct loop *loop, struct op *op);

    /* Ends the op in flight soon, if it can; loop_done is called for it all the same, by `wait`. NULL: none is ever. */
    void (*cancel)(struct loop *loop, struct task *task);

    /* The task has no op in flight and ends: nothing of its ports is touched after that, and the kernel has let go of
     * their descriptors. NULL: the engine keeps nothing. */
    void (*forget)(struct loop *loop, struct task *task);

    /* Waits until a port of a waiting task is ready (its `blocked` is cleared), an op is over, the waker was woken, or
     * the deadline (of clock_ns; 0: none). `block` false: only looks. */
    void (*wait)(struct loop *loop, bool block, int64_t deadline_ns);

    /* No task is left. */
    void (*close)(struct loop *loop);
};

struct loop {
    const struct engine *engine;
    void *engine_state;
    struct waker waker;
    struct task *tasks;   /* of the loop's thread */
    pthread_mutex_t lock; /* of what follows */
    struct task *added;
    bool quits;              /* run returns when no task is left */
    atomic_size_t load;      /* tasks, for whoever chooses among loops */
    struct helpers *helpers; /* helpers.c; NULL until the first op with OP_ASYNC */
};

/* A loop of that engine. On failure `why` (may be NULL) has a sentence's part, as from engine.open. */
int loop_open(struct loop *loop, const struct engine *engine, char why[ENGINE_WHY_MAX]);
void loop_close(struct loop *loop);
/* Any thread. The first `next` comes on the loop's thread. */
void loop_add(struct loop *loop, struct task *task);
/* Runs its tasks on this thread until loop_quit was called and none is left; tasks that are added later it runs when it
 * is called again, on the same thread. SIGPIPE is the caller's to keep away. */
void loop_run(struct loop *loop);
/* The same on a thread of its own, which takes no signals: those of the program stay the program's. */
int loop_run_on_thread(struct loop *loop, pthread_t *ret);
/* Any thread. */
void loop_quit(struct loop *loop);
/* Calls the task's `next` soon, though nothing it waits for is ready, and ends its op: a cancel. Any thread;
 * async-signal-safe. The task must be in the loop. */
void loop_poke(struct loop *loop, struct task *task);
/* For engines: the task's op is over. */
void loop_done(struct task *task, ssize_t result);
/* The same for one with OP_ASYNC. */
void loop_done_async(struct task *task, struct op *op, ssize_t result);

/* helpers.c: threads that make the calls of ops with OP_ASYNC. All are for the loop's thread. */
void helpers_submit(struct loop *loop, struct op *op);
/* It is over already. */
void helpers_over(struct loop *loop, struct op *op, ssize_t result);
/* Calls loop_done_async for what is over. */
void helpers_collect(struct loop *loop);
/* None is out. */
void helpers_close(struct loop *loop);

/* Why a shared engine is not the one that was asked for; "". */
const char *engine_why(const leat_engine *engine);
/* Of a shared engine, the loop with the fewest tasks. */
struct loop *engine_choose_loop(leat_engine *engine);

/* The engine of that name (NULL and "auto": the first). NULL: there is none. */
const struct engine *engine_by_name(const char *name);

/* Ends in NULL; the first is "auto". Defined by the registry. */
extern const struct engine *const registry_engines[];

extern const struct engine engine_sync, engine_uring, engine_uring_all;

#endif
