/* SPDX-License-Identifier: MIT */
/* The inside of leat_stages.
 *
 * Owners. `lock` guards the state, the first failure and the number of threads. Each queue and each order has a lock of
 * its own. These locks are taken last, and never two at a time. No lock is held while a function of the caller runs.
 * The members of a worker belong to its thread, but other threads may read its counts.
 *
 * Exactly once. Each thread leaves by worker_leave, also after pthread_exit, and says there that it produces no more.
 * Each item is emitted, taken, or dropped by stage_drop. */
#ifndef STAGES_STAGES_H
#define STAGES_STAGES_H

#include "base/error.h"
#include "stages/order.h"
#include "stages/queue.h"
#include <leat/stages.h>

#define BATCH_NS 500000 /* About how long a worker should work on one hand. */

/* The call in which a function of the caller makes its results. */
struct leat_work {
    /* -EAGAIN and -ETIMEDOUT: the item was not taken. */
    int (*emit)(struct leat_work *work, void *item, int64_t deadline_ns);
    /* Gives the next item. NULL: the items come as parameters of the function. */
    int (*next)(struct leat_work *work, void **ret_item, int64_t deadline_ns);
    void **made; /* A list to which leat_work_emit itself appends, as long as there is room. Workers have none. */
    size_t n, room;
    void *state;
    void *current; /* The item that the function works on. */
    uint32_t attempt;
    bool gave;   /* The function has emitted that item itself. */
    size_t done; /* How many items a function of many says that it has taken, during its call. 0 otherwise. */
};

struct stage_counts {
    _Atomic uint64_t done, out, dead, retries, busy_ns, wait_in_ns, wait_out_ns;
};

/* Measures how long a worker works on a hand, without the time that it waits for room. */
struct stopwatch {
    int64_t began_ns;
    uint64_t out_ns; /* wait_out_ns when it began */
};

struct worker {
    struct leat_work work;
    struct stage *stage;
    pthread_t thread;
    bool made, opened, finished;
    struct hand hand;
    uint32_t at;            /* The index in the hand of the item that it works on. Those before are settled. */
    uint32_t calling;       /* How many items, from that one on, the function was given. */
    bool last;              /* No item after the one that it worked on is wanted. */
    struct stopwatch watch; /* Of the hand. */
    uint64_t asked;         /* The number of the item that a function_all has asked for last. */
    struct stage_item out[HAND_MAX];
    uint32_t out_n;
    int gone; /* Not 0: why its results are not wanted any more. */
    struct leat_group *group;
    int64_t group_deadline_ns;
    struct stage_counts counts;
};

enum stage_kind {
    STAGE_FUNCTION,
    STAGE_GROUP,
    STAGE_SINK,   /* The last stage. */
    STAGE_SOURCE, /* Before the first stage: one worker without a queue. */
};

struct stage {
    struct leat_stage with;
    char *name;
    enum stage_kind kind;
    uint32_t index;
    leat_stages *stages;
    struct item_queue in;
    struct stage *next; /* The stage whose queue gets the results. NULL: none. */
    struct order order;
    bool ordered; /* It has several workers, and `order` keeps the order. */
    bool is_open;
    _Atomic uint64_t dropped, refused; /* refused: results that found the queue closed. `dropped` includes them. */
    struct worker *worker;             /* with.workers of them, while the stages run. */
    leat_next_fn source;
    leat_emit_fn sink; /* NULL: the items are disposed of. */
    void *feed_user;   /* For `source` and `sink`. */
};

enum stages_state {
    STAGES_NEW,
    STAGES_STARTING,
    STAGES_RUNNING,
    STAGES_JOINING,
    STAGES_ENDED, /* No thread runs; what is left can be taken. */
};

struct leat_stages {
    struct leat_stages_options options;
    unsigned origin;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stage **stage; /* `count` stages of the caller. */
    uint32_t count;
    struct stage output; /* Items that wait for the sink or for leat_stages_take. */
    struct stage input;  /* The source. From here `next` leads through all stages. */
    _Atomic enum stages_state state;
    uint32_t threads;
    uint32_t waiting; /* Calls that wait for the end, and then read the result. */
    bool built, cancelled, input_open;
    bool ran;          /* Once it has run, its queues and workers have to be reset before the next start. */
    bool abort_untold; /* The call that aborted the run was out of time: the next abort returns 0 at the end. */
    bool sinks;        /* The output is a stage with a worker. */
    atomic_bool paused, finishing; /* The source has to check both before it is called. */
    struct leat_error error;
    int64_t began_ns, ended_ns;
};

/* Adds to a count that only the calling thread changes. */
static inline void count(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline void count_shared(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_fetch_add_explicit(counter, n, memory_order_relaxed);
}

static inline size_t stage_size_of(const struct stage *stage, const void *item)
{
    return stage->with.item_size ? MIN(stage->with.item_size(stage->with.user, item), ITEM_CONTROL - 1) : 0;
}

static inline struct stage *stage_at(leat_stages *stages, uint32_t index)
{
    return index < stages->count ? stages->stage[index] : &stages->output;
}

/* work.c. Calls the function of the stage with one item, and returns its answer. A function of many that ends without
 * taking the item skips it, and sets *last, which is otherwise left unchanged. */
int stage_call(const struct leat_stage *with, leat_work *work, void *item, bool *last);

/* Is this thread inside a hook or a function of these stages? Then it must not wait for their end. */
bool stages_is_inside(const leat_stages *stages);
/* From here on it is. Returns the value to pass when it is not any more. */
const leat_stages *stages_enter(const leat_stages *stages);

/* Disposes of an item that lies before this stage and is not wanted any more; stage_drop also counts it, and reports a
 * control item as done. */
void stage_drop(struct stage *stage, const struct stage_item *item);
void stage_dispose(struct stage *stage, void *item);

/* Stores the first failure and wakes all threads. -EAGAIN and -ETIMEDOUT are stored as -EIO, because calls that wait
 * return these codes when nothing has failed. `text` may be NULL: then it is the meaning of the code. True: this call
 * was the first. */
bool stages_fail(leat_stages *stages, int code, const struct stage *stage, const char *operation, uint64_t offset,
                 const char *text);
/* Makes the error that `dead` gets for an item that has failed for good. */
struct leat_error stage_make_dead_error(const char *name, uint32_t index, uint64_t number, int code);
/* Drop what lies in the queue of the stage, and what is parked in its order. */
void stages_drop_waiting(struct stage *stage);
void stages_drop_parked(struct stage *stage);
/* Makes the queues, the orders and the workers; once. Needs the lock. Returns 0 or a negative errno, and then nothing
 * is left of them. */
int stages_build(leat_stages *stages);
uint32_t stages_producers(const leat_stages *stages, uint32_t index);
/* No more items are wanted by this stage and the stages before it. */
void stages_close(leat_stages *stages, uint32_t index);
/* Returns why the stages ended, after a queue returned -ECANCELED. */
int stages_end_code(leat_stages *stages);
/* All threads are gone: wakes the calls that wait for that. Needs the lock. */
void stages_tell_over(leat_stages *stages);
/* Wakes each thread that waits in a queue, for a turn or for the end. Needs the lock. */
void stages_cancel_queues(leat_stages *stages);
/* Waits until deadline_ns. False: the stages were cancelled meanwhile. */
bool stages_sleep(leat_stages *stages, int64_t deadline_ns);

/* The thread of a worker (struct worker). */
void *worker_main(void *user);
/* Pushes the results of the worker. Returns 0, or why they are not wanted; then they were dropped. */
int worker_flush(struct worker *worker, int64_t deadline_ns);
/* Prepares a worker of a stage, before its thread begins. */
void worker_reset(struct worker *worker, struct stage *stage);
/* Handles the control item that is the hand of the worker. */
void worker_handle_control(struct worker *worker, int64_t deadline_ns);
/* Drops the items of the hand that are left. */
void worker_drop_rest(struct worker *worker);
/* Begin and end to measure the work on a hand of n items. The end counts the time, and sizes the next hand by it. */
void worker_begin_hand(struct worker *worker);
void worker_end_hand(struct worker *worker, uint32_t n);

/* ask.c. Calls the function of a stage that asks for its items itself. */
void worker_call_all(struct worker *worker);

/* group_add adds an item to the group of a grouping stage, and emits the group when it is full. group_flush emits the
 * group, group_drop disposes of it. The first two return 0 or a negative errno. */
int group_add(struct worker *worker, struct stage_item item);
int group_flush(struct worker *worker);
void group_drop(struct worker *worker);

#endif
