/* SPDX-License-Identifier: MIT */
/* Tasks, the loops that run them, and the engines that execute their calls.
 *
 * A *task* is a resumable state machine that never blocks. Its hook `next` names one call, or what the task waits for,
 * or says that the task has ended. A *loop* runs any number of tasks on one thread. An *engine* is the way in which a
 * loop executes calls and waits. So the same kind of task serves one copy on the caller's thread, and hundreds of
 * copies on a few threads.
 *
 * Ownership: a task belongs to its maker. The loop has it from loop_add until it calls `ended`, which is the last thing
 * that it does with the task. The loop calls all hooks of a task on its own thread, one after the other. It calls
 * `done` exactly once for each op, also for a cancelled one.
 *
 * A task has at most one op in flight, and besides it any number of ops with OP_ASYNC. These are calls on files, which
 * never wait for another process. After an op with OP_ASYNC the loop calls `next` again at once, and calls `done` when
 * the op completes; such ops may complete in any order. A task that has nothing more to start says WAIT, and an op that
 * completes ends the wait as a port does. If ops are in flight when a task says END, the loop calls `ended` after the
 * last `done`.
 *
 * No wake-up is lost. A thread that has something for a loop first stores it (a port's `notified`, a task's `poked`,
 * the list of new tasks) and then wakes the loop. The loop first announces that it sleeps and then looks at all of
 * these once more. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/keep.h"
#include "base/nearest.h"
#include "base/op.h"
#include "base/wait.h"
#include <leat/pipeline.h>
#include <pthread.h>

#define ENGINE_WHY_MAX 160

enum verdict {
    VERDICT_OP,        /* execute *ret_op; it belongs to the task and does not change until `done` */
    VERDICT_WAIT,      /* wait until a port in *ret_wait is ready or its deadline has come */
    VERDICT_END,       /* the task has ended: `next` is not called again, `done` still is for ops in flight */
    VERDICT_STEP_DOWN, /* not for a loop: the next route goes on, or the caller asks again */
};

struct loop;

struct task {
    enum verdict (*next)(struct task *task, struct op **ret_op, struct wait_set *ret_wait);
    /* Takes the result of an op. */
    void (*done)(struct task *task, struct op *op, ssize_t result);
    /* `next` said END, and no op is in flight. The hook may free the task. */
    void (*ended)(struct task *task);
    struct loop *loop; /* set before the first `next` */
    atomic_bool poked; /* set by loop_poke */

    /* For the loop alone. */
    enum {
        TASK_READY,
        TASK_WAITING,
        TASK_IN_FLIGHT,
        TASK_ENDING /* it said END; ops with OP_ASYNC may be in flight */
    } state;
    struct wait_set wait;
    struct op *op; /* in flight */
    size_t out;    /* ops with OP_ASYNC in flight */
    struct task *following;

    /* For the engine alone. */
    enum {
        CANCEL_NO,
        CANCEL_ASKED,
        CANCEL_SENT
    } cancel; /* of the op in flight */
};

/* For engines: the task's op has completed. */
void task_done(struct task *task, ssize_t result);
/* The same for an op with OP_ASYNC. */
void task_done_async(struct task *task, struct op *op, ssize_t result);

/* The way in which a loop executes calls and waits. A loop has one thread, so no two threads call hooks of one loop at
 * the same time, and all but `open` and `close` run on that thread. */
struct engine {
    const char *name;

    /* Makes loop->engine_state. Returns 0 or a negative errno. After an error, `why` has the reason as a part of a
     * sentence. */
    int (*open)(struct loop *loop, char why[ENGINE_WHY_MAX]);

    /* Called at the start and at the end of loop_run, before any task runs and when no task is left. NULL: there is
     * nothing to do. */
    void (*begin)(struct loop *loop);
    void (*end)(struct loop *loop);

    /* Executes task->op. Either the op completes before the hook returns, and the hook has called task_done; or the op
     * is in flight, and `wait` will call task_done. */
    void (*execute)(struct loop *loop, struct task *task);

    /* Executes an op with OP_ASYNC. When it completes, `wait` or helpers_collect calls task_done_async. NULL: the
     * helper threads of the loop make these calls. */
    void (*submit)(struct loop *loop, struct op *op);

    /* Asks for an early end of the op in flight, if that is possible. `wait` calls task_done for it in any case. NULL:
     * the engine never has an op in flight. */
    void (*cancel)(struct loop *loop, struct task *task);

    /* Called when a task ends and has no op in flight. When the hook returns, the engine does not touch the task's
     * ports any more, and the kernel has dropped the references to their files that it held for the engine. NULL: the
     * engine keeps nothing of a task. */
    void (*forget)(struct loop *loop, struct task *task);

    /* Waits until a port of a waiting task is ready (the hook clears its `blocked`), an op completes, the waker is
     * woken, or the deadline has come (of clock_ns; 0: none). `block` false: looks and does not wait. */
    void (*wait)(struct loop *loop, bool block, int64_t deadline_ns);

    /* Frees loop->engine_state. No task is left. */
    void (*close)(struct loop *loop);
};

struct loop {
    const struct engine *engine;
    void *engine_state;
    struct waker waker;
    struct task *tasks;   /* for the loop's thread alone */
    pthread_mutex_t lock; /* guards `added` and `quits` */
    struct task *added;
    bool quits;              /* loop_run returns when no task is left */
    atomic_size_t load;      /* the number of tasks, by which a shared engine chooses a loop */
    struct helpers *helpers; /* see helpers.c; NULL until the first op with OP_ASYNC */
};

/* Opens a loop with this engine. Returns 0 or a negative errno. After an error `why`, which may be NULL, has the reason
 * as a part of a sentence. No task may be left when loop_close is called. */
int loop_open(struct loop *loop, const struct engine *engine, char why[ENGINE_WHY_MAX]);
void loop_close(struct loop *loop);
/* Gives a task to the loop, whose thread makes all calls of its hooks. Any thread. */
void loop_add(struct loop *loop, struct task *task);
/* Runs the loop's tasks on this thread. Returns when loop_quit was called and no task is left. Tasks that are added
 * after that run at the next call, which must be on the same thread. The caller keeps SIGPIPE away. */
void loop_run(struct loop *loop);
/* Does the same on a new thread, which blocks all signals, so that the program's threads get them. Returns 0 or a
 * negative errno. */
int loop_run_on_thread(struct loop *loop, pthread_t *ret);
/* Lets loop_run return when no task is left. Any thread. */
void loop_quit(struct loop *loop);
/* Makes the loop call the task's `next` soon, even if nothing that it waits for is ready, and cancels its op in flight.
 * The task must be in the loop. Any thread; async-signal-safe. */
void loop_poke(struct loop *loop, struct task *task);
/* helpers.c: threads that make the calls of ops with OP_ASYNC. All these functions are for the loop's thread.
 * helpers_submit gives an op to a thread. If there is no thread, the calling thread makes the call. */
void helpers_submit(struct loop *loop, struct op *op);
/* Adds an op that has completed already to those that helpers_collect takes. */
void helpers_over(struct loop *loop, struct op *op, ssize_t result);
/* Calls task_done_async for each op that has completed. */
void helpers_collect(struct loop *loop);
/* Ends the threads. No op is in flight. */
void helpers_close(struct loop *loop);

/* Returns why a shared engine is not the one that was asked for, or "". */
const char *engine_why(const leat_engine *engine);
/* Returns what lives as long as a shared engine. */
struct keep *engine_keep(leat_engine *engine);
/* Returns the loop of a shared engine that has the fewest tasks. */
struct loop *engine_choose_loop(leat_engine *engine);

/* Returns the engine with this name. NULL and "auto" mean the first one. Returns NULL if there is no such engine. */
const struct engine *engine_by_name(const char *name);
/* Writes that there is no engine with this name, and which ones there are, to `buffer`, and returns `buffer`. */
const char *engine_unknown(char buffer[UNKNOWN_MAX], const char *name);

/* All engines; the list ends in NULL, and the first is that of "auto". The registry defines it. */
extern const struct engine *const registry_engines[];

extern const struct engine engine_sync, engine_uring, engine_uring_all;

#endif
