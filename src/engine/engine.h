/* Who executes calls and waits.
 *
 * A *task* is something resumable that never blocks: asked what is next, it names one call, or what it waits for, or
 * says that it has ended. An *engine* runs the calls and owns the threads and the waiting. So the same task serves one
 * copy on the caller's thread and hundreds on a few threads. */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include "base/op.h"
#include "base/wait.h"

enum verdict {
    VERDICT_OP,        /* *ret_op is to be executed; it belongs to the task and stays as it is until `done` */
    VERDICT_WAIT,      /* nothing to do until one of the ports in *ret_wait is ready, or its deadline */
    VERDICT_END,       /* it is over; `next` is not called again */
    VERDICT_STEP_DOWN, /* of a route only: the next one shall go on */
};

struct task {
    enum verdict (*next)(struct task *task, struct op **ret_op, struct wait_set *ret_wait);
    /* The op is over: called exactly once for each. */
    void (*done)(struct task *task, struct op *op, ssize_t result);
    struct waker *waker; /* set by the engine before the first `next`: for ports that other threads notify */
    atomic_bool poked;   /* through task_poke */

    /* The engine's own. */
    struct wait_set wait;
};

struct engine {
    const char *name;
    /* Runs the task on this thread until it ends. `waker` is made by waker_open, and task_poke wakes it. */
    void (*run)(struct task *task, struct waker *waker);
};

/* Calls `next` soon, even if nothing it waits for is ready: a cancel. Any thread; async-signal-safe. */
static inline void task_poke(struct task *task, struct waker *waker)
{
    atomic_store(&task->poked, true);
    waker_wake(waker);
}

/* Ends in NULL; the first is "auto". Defined by the registry. */
extern const struct engine *const registry_engines[];

extern const struct engine engine_sync;

#endif
