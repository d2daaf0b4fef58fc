/* SPDX-License-Identifier: MIT */
/** @file leat/stages.h
 * Items go through stages of worker threads. The stages never deadlock and never lose an item.
 *
 *     struct leat_stage stage = LEAT_INIT(struct leat_stage);
 *     stage.name = "digest", stage.function = digest_file, stage.workers = 4, stage.dispose = free_file;
 *     leat_stages_new(&stages, NULL, NULL);
 *     leat_stages_add(stages, &stage, NULL);
 *     leat_stages_run(stages, next_file, files, print_file, NULL, &error);
 *     leat_stages_free(stages);
 *
 * Each stage has a bounded queue in front of it and a fixed number of worker threads. Sources and sinks for channels,
 * and for pipes of lines or frames, are in leat/record.h.
 *
 * Ownership of items
 * ------------------
 * An item is a pointer. It belongs to the stages from the moment it is put until the function of a stage takes it, or
 * until a sink or leat_stages_take gives it away.
 *
 * A function that returns 0 has taken its item: it has emitted, kept or freed the item. A function that fails or skips
 * has not taken the item, unless it has emitted it before. Then the stages retry the item, or hand it to `dead` or to
 * `dispose`.
 *
 * An item that is emitted or put is of the next stage's kind. If it has to be dropped, the next stage's `dispose` drops
 * it; behind the last stage that is the `dispose` of leat_stages_options. Each item is emitted, or given to a sink, to
 * `dead` or to `dispose`, exactly once.
 *
 * Limits
 * ------
 * A stage has at most `queue` + `workers` items: items that wait for it, items that its workers have, and results of
 * these that wait to be handed over. The output has at most leat_stages_options.queue items, and one for the sink.
 * While a function makes new items of its item, up to two more exist for this call; of a function of many items, up to
 * as many again as it was given. A grouping stage also has the group that it gathers.
 *
 * Failure
 * -------
 * The first failure ends the run. At once it wakes each push, pop and wait that is blocked. From then on
 * leat_stages_run, _wait, _put, _take and _stop return its code. The stages dispose of what is in the queues.
 *
 * A function that fails with -EAGAIN or -ETIMEDOUT is reported as -EIO, because the calls that wait return these codes
 * while nothing has failed. The sentence of the error keeps its meaning, and `dead` gets the original code. An answer
 * that is neither allowed nor an errno value is reported as -EPROTO.
 *
 * Batches
 * -------
 * Workers take items in batches, sized so that one batch takes about 500 us, and hand the results of a batch over
 * together. While a function is quick, a longer queue saves changes of threads. If functions wait for one another, set
 * `batch` to 1.
 *
 * Blocking
 * --------
 * A call with a `timeout_ms` may wait: -1 waits without a limit; 0 does not wait, and the call returns -EAGAIN if it
 * would block; a positive number is the longest wait in milliseconds, and then the call returns -ETIMEDOUT.
 *
 * Threads
 * -------
 * leat_stages_add, leat_stages_source and leat_stages_sink are for one thread, before the start. Any thread may make
 * any other call, also from the function or a hook of a stage. A call from there that would wait for its own end
 * returns -EDEADLK. A cancel, a stop or an end of input that comes while the stages start takes effect.
 */
#ifndef LEAT_STAGES_H
#define LEAT_STAGES_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Stages in a row, with the queues between them. */
typedef struct leat_stages leat_stages;
/** One call of a stage's function: what it emits, its state, its attempt. */
typedef struct leat_work leat_work;
/** The same steps without threads. */
typedef struct leat_pull leat_pull;

/** What a source, leat_stages_take and leat_pull_next return instead of 0. */
enum {
    LEAT_STAGES_END = 1 /**< There will be no more items. */
};

/**
 * A source.
 *
 * @param ret_item  The next item.
 *
 * Blocking: may block.
 *
 * @return 0 and the next item; LEAT_STAGES_END; or a negative errno, which ends the run as a failure.
 *
 * Threads: a thread of its own calls it, or the thread that pulls.
 */
typedef int (*leat_next_fn)(void *user, void **ret_item);

/**
 * A sink.
 *
 * @return 0: the sink has taken the item. A negative errno: it has not taken the item, and the run ends as a failure.
 */
typedef int (*leat_emit_fn)(void *user, void *item);

/** What the function of a stage returns, besides a negative errno. */
enum leat_stage_answer {
    LEAT_STAGE_DONE = 0, /**< The function has taken the item. */
    LEAT_STAGE_SKIP = 1, /**< The stages are to dispose of the item. This is no failure. */
    /** The function has taken the item, and wants no more. The stages dispose of the items before this stage; the items
     * behind it go on to their end. In an ordered stage nothing behind this item comes out. */
    LEAT_STAGE_END = 2,
};

/**
 * The function of a stage: makes no item, one item or many of an item, by leat_work_emit.
 *
 * @param work  Belongs to this call. See leat_work_state.
 *
 * Blocking: may block.
 *
 * @return enum leat_stage_answer, or a negative errno.
 *
 * Threads: if the stage has several workers, several threads call it at the same time.
 */
typedef int (*leat_stage_fn)(leat_work *work, void *item, void *user);

/**
 * The function of a stage that takes several items in one call, where a call is expensive, as from another language.
 *
 * The items are a batch of the worker, in their order. Results of all of them are emitted in that order, too.
 *
 * @param work      Belongs to this call. leat_work_attempt is 0, or tells of the only item.
 * @param items     The items; the array is borrowed for the call.
 * @param n         How many there are: from 1 to `batch` of the stage.
 * @param ret_done  How many items, from the first on, the function has taken. It is 0 at first. The function may raise
 *                  it as it goes; what it has not counted there is still owned by the stages.
 *
 * Blocking: may block.
 *
 * @return LEAT_STAGE_DONE: all n items are taken, whatever *ret_done is. LEAT_STAGE_SKIP: the stages are to dispose of
 *         items[*ret_done]. LEAT_STAGE_END: no more is wanted; the stages dispose of the items that are not taken. A
 *         negative errno: items[*ret_done] has failed; it is tried again alone. After a skip or a failure, the items
 *         behind that one are handed over by another call.
 *
 * Threads: as of leat_stage_fn.
 */
typedef int (*leat_stage_many_fn)(leat_work *work, void *const *items, size_t n, size_t *ret_done, void *user);

/**
 * The function of a stage that asks for its items itself, by leat_work_next: for instance a generator over its input.
 *
 * Each worker calls it once. It emits results by leat_work_emit whenever it has some, also after the last item.
 *
 * @param work  Belongs to this call.
 *
 * Blocking: may block.
 *
 * @return LEAT_STAGE_DONE or LEAT_STAGE_END: no more items are wanted; those that none of the workers has asked for are
 *         disposed of. A negative errno: the run ends as a failure. `offset` of the error is the item that was asked
 *         for last.
 *
 * Threads: as of leat_stage_fn.
 */
typedef int (*leat_stage_all_fn)(leat_work *work, void *user);

/** What becomes of an item that has failed, after its retries. */
enum leat_on_error {
    LEAT_ON_ERROR_FAIL = 0, /**< The first failure ends the run. */
    LEAT_ON_ERROR_DROP = 1, /**< The item goes to `dead`, or to `dispose` if `dead` is NULL, and is counted. */
};

/**
 * One stage.
 *
 * Each hook may be NULL and gets `user`. A hook that returns an int returns 0, or a negative errno, which ends the run
 * as a failure.
 *
 * At most one of `function`, `function_many` and `function_all` is set. If all are NULL, this is a grouping stage. It
 * gathers items and emits struct leat_group. A group is full by count, by bytes or by age. It is never empty. The stage
 * hands on its group before the end, and before a control item.
 *
 * With `function_all`, the members `retries`, `backoff_ms`, `on_error` and `dead` are 0 or NULL, because an item that
 * the function has asked for is its own, and `ordered` is 0 if there are several workers.
 */
struct leat_stage {
    size_t size;            /**< Of this struct. */
    const char *name;       /**< For errors and tables. Copied. */
    leat_stage_fn function; /**< NULL: see `function_many`. */
    void *user;             /**< Handed to the function and to each hook. */
    /** Drops an item of this stage's kind. NULL: there is nothing to do. Any thread may call it. */
    void (*dispose)(void *user, void *item);
    uint32_t workers; /**< Threads. 0 is -EINVAL; a grouping stage has 1. */
    /** Items that may wait. 0: 512. An ordered stage has at most 2^20 items, with those that its workers have. */
    uint32_t queue;
    /** The bytes of these items by `item_size`, with those that the workers have. 0: no limit. An item that is larger
     * than the limit passes alone. */
    uint64_t queue_bytes;
    size_t (*item_size)(void *user, const void *item); /**< The bytes of an item. */
    int32_t ordered;                                   /**< Not 0: results leave in the order in which items came. */
    uint32_t batch;                                    /**< The most items of a batch, up to 64. 0: 64. */
    int32_t on_error;                                  /**< enum leat_on_error, when `retries` are used up. */
    uint32_t retries;                                  /**< How often a failed call is made again. */
    /** Milliseconds that the worker waits before the first retry. Before each further retry it waits twice as long, at
     * most 10 s. */
    int32_t backoff_ms;
    /** Takes an item that has failed. */
    void (*dead)(void *user, void *item, const struct leat_error *error);
    int (*open)(void *user);                          /**< Called once, before all workers. */
    void (*close)(void *user);                        /**< Called once, when all threads are gone. */
    int (*worker_open)(void *user, void **ret_state); /**< Called by each worker, on its thread. */
    /** Called by each worker, on its thread, at its end. Not called if its worker_open failed. */
    void (*worker_close)(void *user, void *state);
    /** Called when a control item visits this stage. The hook may put another control item in its place: then the hook
     * has taken the earlier one, and the other one goes on. */
    int (*control)(leat_work *work, void **inout_control, void *user);
    uint32_t group_count; /**< Grouping: the items of a full group. 0: 1024. */
    uint64_t group_bytes; /**< Grouping: the bytes of a full group, by `item_size`. 0: no limit. */
    int32_t group_ms;     /**< Grouping: the age of the first item of a full group, in milliseconds. 0: any age. */
    leat_stage_many_fn function_many; /**< Instead of `function`: takes several items in one call. */
    leat_stage_all_fn function_all;   /**< Instead of `function`: asks for its items itself. */
};

/** What a grouping stage emits. The layout is fixed. */
struct leat_group {
    size_t count;   /**< How many items there are. */
    uint64_t bytes; /**< Their bytes by `item_size`. */
    void **items;   /**< The items. The array is within the memory of the group. */
};

/**
 * Frees a group, but not its items.
 *
 * @param group  May be NULL.
 */
LEAT_API void leat_group_free(struct leat_group *group);

/** Options of all stages: the output behind the last stage, and hooks of the run. */
struct leat_stages_options {
    size_t size; /**< Of this struct. */
    void *user;  /**< Handed to each of the functions here. */
    /** Drops an item that the last stage emitted. NULL: there is nothing to do. */
    void (*dispose)(void *user, void *item);
    size_t (*item_size)(void *user, const void *item); /**< The bytes of such an item. */
    uint32_t queue;       /**< Items that may wait for the sink or for leat_stages_take. 0: 512. */
    uint64_t queue_bytes; /**< Their bytes by `item_size`. 0: no limit. */
    /** Called once for each control item. Code 0: the item has visited all stages and is where a result would be taken.
     * A negative errno: the item was dropped. */
    void (*control_done)(void *user, void *control, int code);
    /** Called when the run ends before its time, by a failure, a cancel or an abort. It should end what the source, the
     * sink and the functions wait for elsewhere. It is called once in a run, by the thread that made the run end. It
     * must not block. */
    void (*wake)(void *user);
};

/**
 * Makes stages without any stage.
 *
 * @param ret_stages  The caller frees them.
 * @param options     The options; NULL: the defaults.
 * @param ret_error   NULL, or where the call says in a sentence why it failed; with -EINVAL, which option is wrong and
 *                    what is allowed.
 *
 * @return 0; -EINVAL: a limit in bytes without `item_size`; -ENOMEM.
 */
LEAT_API int leat_stages_new(leat_stages **ret_stages, const struct leat_stages_options *options,
                             struct leat_error *ret_error);

/**
 * Adds a stage behind those that are there.
 *
 * @param stage      Copied. What its `user` points to is borrowed, until leat_stages_free.
 * @param ret_error  NULL, or where the call says in a sentence why it failed; with -EINVAL, which member is wrong and
 *                   what is allowed.
 *
 * @return 0; -EINVAL: no name, no worker, a grouping stage with several workers, two functions, a limit in bytes
 *         without `item_size`, a negative time, no such `on_error`, a member that `function_all` does not allow;
 *         -EBUSY: the stages have been started, or have an item; -ENOMEM.
 */
LEAT_API int leat_stages_add(leat_stages *stages, const struct leat_stage *stage, struct leat_error *ret_error);

/**
 * Names the function that items come from, besides leat_stages_put.
 *
 * @param user  Handed to the source. Borrowed, until leat_stages_free.
 *
 * @return 0; -EBUSY: the stages have been started, or have an item.
 */
LEAT_API int leat_stages_source(leat_stages *stages, leat_next_fn source, void *user);

/**
 * Names the function that results go to, instead of leat_stages_take.
 *
 * @param user  Handed to the sink. Borrowed, until leat_stages_free.
 *
 * @return 0; -EBUSY: the stages have been started, or have an item.
 */
LEAT_API int leat_stages_sink(leat_stages *stages, leat_emit_fn sink, void *user);

/**
 * Runs all items of a source through the stages.
 *
 * @param source     Where items come from.
 * @param user       Handed to the source; borrowed for the call.
 * @param sink       Where results go. NULL: the stages dispose of them.
 * @param sink_user  Handed to the sink; borrowed for the call.
 * @param ret_error  The first failure. `node` is the stage, "source" or "sink"; `index` is the
 *                   number of the stage; `offset` is the number of the item in the stage, from 0. May be NULL.
 *
 * Blocking: returns when all threads are gone. leat_stages_cancel and leat_stages_stop end the run.
 *
 * @return 0, or the first failure; -EBUSY: the stages run, or were started or given an item without a source or a sink
 *         before; -EINVAL: no source; -EDEADLK; -ENOMEM.
 */
LEAT_API int leat_stages_run(leat_stages *stages, leat_next_fn source, void *user, leat_emit_fn sink, void *sink_user,
                             struct leat_error *ret_error);

/**
 * Starts the threads and returns.
 *
 * If there is a source, the end of the source is the end of input; otherwise leat_stages_finish is. Stages that have
 * ended may be started again.
 *
 * @return 0; -EBUSY: the stages run; -ENOMEM: there is no memory, or there are no more threads; otherwise what the
 *         `open` of a stage returned.
 */
LEAT_API int leat_stages_start(leat_stages *stages);

/**
 * Puts an item in.
 *
 * Items may be put in before the first start, as many as the first stage has room for. They wait until the start. From
 * then on the stages are complete: no stage, source or sink can be added.
 *
 * @param item  Taken if the call returns 0. Otherwise it stays the caller's.
 *
 * @return 0; -EAGAIN or -ETIMEDOUT: no room in time; -EPIPE: no more items are wanted, or the run has ended and was not
 *         started again; -ENOMEM; otherwise the first failure.
 */
LEAT_API int leat_stages_put(leat_stages *stages, void *item, int timeout_ms);

/**
 * Puts several items in.
 *
 * @param items  The items; the array is borrowed for the call.
 * @param n      How many there are.
 * @param ret_n  How many were taken, from the first on. It is set on every return.
 *
 * @return 0 if all items were taken; otherwise as leat_stages_put.
 */
LEAT_API int leat_stages_put_many(leat_stages *stages, void *const *items, size_t n, size_t *ret_n, int timeout_ms);

/**
 * Puts in a control item.
 *
 * A control item visits each stage once: after everything that was put in before it has gone through the stage, and
 * before anything that comes later.
 *
 * @param control  As the item of leat_stages_put.
 *
 * @return As leat_stages_put.
 */
LEAT_API int leat_stages_control(leat_stages *stages, void *control, int timeout_ms);

/**
 * Takes the next result.
 *
 * @param ret_item  The result; it is the caller's.
 *
 * @return 0; LEAT_STAGES_END: all results are taken; -EAGAIN or -ETIMEDOUT: no result in time; -EINVAL: there is a
 *         sink, or the stages were never started; otherwise the first failure.
 */
LEAT_API int leat_stages_take(leat_stages *stages, void **ret_item, int timeout_ms);

/**
 * Gives a descriptor for an event loop.
 *
 * It is readable (POLLIN) while leat_stages_take would not return -EAGAIN: there is a result, or there will be no more.
 * If there is a sink, it is readable once the run has ended, and leat_stages_wait does not wait any more. It is also
 * readable if only control items are there; leat_stages_take then reports them and returns -EAGAIN. The program only
 * polls the descriptor, and does not read from it.
 *
 * @param ret_fd  The descriptor; borrowed. It stays the same until leat_stages_free, also if the stages are started
 *                again.
 *
 * Blocking: does not wait.
 *
 * @return 0; -EINVAL: the stages were never started; -EMFILE, -ENFILE: there are no more descriptors.
 */
LEAT_API int leat_stages_fd(leat_stages *stages, int *ret_fd);

/**
 * Ends the input: no more items can be put in, and a source is not asked again.
 *
 * Blocking: does not wait.
 *
 * @return 0; -EINVAL: the stages were never started.
 */
LEAT_API int leat_stages_finish(leat_stages *stages);

/**
 * Waits until the run has ended.
 *
 * If there is no sink, another thread has to take the results meanwhile.
 *
 * @param ret_error  The first failure, as of leat_stages_run. May be NULL.
 *
 * @return 0, or the first failure; -EAGAIN or -ETIMEDOUT: the run has not ended in time, and nothing has changed;
 *         -EINVAL: the stages were never started; -EDEADLK.
 */
LEAT_API int leat_stages_wait(leat_stages *stages, int timeout_ms, struct leat_error *ret_error);

/**
 * Ends the run as a failure with -ECANCELED.
 *
 * Blocking: does not wait.
 *
 * @return 0.
 *
 * Threads: any, but not a signal handler.
 */
LEAT_API int leat_stages_cancel(leat_stages *stages);

/** How leat_stages_stop ends a run. */
enum leat_stop {
    LEAT_STOP_DRAIN = 0, /**< As leat_stages_finish, leat_stages_resume and leat_stages_wait. */
    /** Drops what is in flight, and waits only for functions that are being called. This is no failure of the call that
     * does it: the call returns 0 unless something had failed before, also if it is repeated after a timeout. All other
     * calls return -ECANCELED from then on, and the operation of their error is "abort". */
    LEAT_STOP_ABORT = 1,
};

/**
 * Ends the run and returns when all threads are gone.
 *
 * If the time is up, the end has begun, and the run ends by itself. leat_stages_wait, or a further call, tells its end.
 *
 * @param timeout_ms  How long the call may wait for the end, in milliseconds. With 0 it only begins the end.
 * @param ret_error   The first failure, as of leat_stages_run. May be NULL.
 *
 * Blocking: waits for the end. With LEAT_STOP_DRAIN and without a sink, another thread has to take the results
 * meanwhile. A function of a stage that blocks cannot be interrupted, except by the hook `wake` of the options.
 *
 * @return 0, or the first failure; -EAGAIN or -ETIMEDOUT: the run has not ended in time; -EPERM: this is a child of
 *         fork(2), which has none of the threads; -EINVAL: the stages were never started; -EDEADLK.
 */
LEAT_API int leat_stages_stop(leat_stages *stages, enum leat_stop how, int timeout_ms, struct leat_error *ret_error);

/**
 * Pauses the run: no worker takes another item, and the source is not asked, until leat_stages_resume.
 *
 * A pause ends with its run: stages that are started again are not paused.
 *
 * Blocking: does not wait for the items that the workers have.
 *
 * @return 0; -EINVAL: the stages do not run.
 */
LEAT_API int leat_stages_pause(leat_stages *stages);

/**
 * Ends a pause.
 *
 * @return 0; -EINVAL: the stages do not run.
 */
LEAT_API int leat_stages_resume(leat_stages *stages);

/**
 * Counts of one stage since the start.
 *
 * in = done + dropped + dead + the items that wait or that the workers have.
 */
struct leat_stage_stats {
    size_t size;          /**< Of this struct. */
    uint64_t in;          /**< Items that came into its queue. */
    uint64_t done;        /**< Calls that took their item. */
    uint64_t out;         /**< Items that the stage emitted. */
    uint64_t dropped;     /**< Items that were disposed of: skipped, failed, or left when the run ended. */
    uint64_t dead;        /**< Items that were handed to `dead`. */
    uint64_t retries;     /**< Calls that were made again. */
    uint64_t queued;      /**< Items that wait now. */
    uint64_t most;        /**< The most items that waited or that the workers had. */
    uint64_t busy_ns;     /**< Nanoseconds of all its workers in the function. */
    uint64_t wait_in_ns;  /**< Nanoseconds of all its workers waiting for items. */
    uint64_t wait_out_ns; /**< Nanoseconds of all its workers waiting for room behind the stage. */
};

/**
 * Gives the counts of one stage.
 *
 * @param index      From 0. The number behind the last stage is the sink, or what waits to be taken.
 * @param ret_stats  The caller sets its `size`.
 *
 * Blocking: does not wait.
 *
 * @return 0; -ENOENT: there is no such stage.
 */
LEAT_API int leat_stages_stats(leat_stages *stages, size_t index, struct leat_stage_stats *ret_stats);

/**
 * Gives a table of all stages, as text or as JSON, which names the bottleneck. It may be asked for at any time.
 *
 * @param ret_text  The table; leat_free frees it.
 *
 * Blocking: does not wait.
 *
 * @return 0; -EINVAL: there is no such format; -ENOMEM.
 */
LEAT_API int leat_stages_explain(leat_stages *stages, enum leat_format format, char **ret_text);

/**
 * Cancels the run, waits for the threads, disposes of what is left, and frees the stages.
 *
 * @param stages  May be NULL. No other thread may use them any more.
 *
 * Blocking: waits for functions that are being called. After leat_stages_stop with LEAT_STOP_ABORT has ended, it does
 * not wait. So a caller that must not wait stops the stages with a limit, and frees them when they have ended.
 */
LEAT_API void leat_stages_free(leat_stages *stages);

/* ---- for the functions of stages ---- */

/**
 * Hands an item to the next stage.
 *
 * @param item        Taken, on failure too, except if the time is up.
 * @param timeout_ms  How long the call may wait while the next queue is full, or while an ordered stage has to hand on
 *                    the results of earlier items first. A stage without threads does not wait.
 *
 * Blocking: up to timeout_ms.
 *
 * @return 0; -EAGAIN or -ETIMEDOUT: there was no room in time, and the item is still the caller's; another negative
 *         errno: the item is not wanted any more, and the function should return. What it returns then does not matter.
 */
LEAT_API int leat_work_emit(leat_work *work, void *item, int timeout_ms);

/**
 * Hands several items to the next stage, as leat_work_emit does with each of them.
 *
 * @param items       The array is borrowed for the call. All items are taken, on failure too, except if the time is up:
 *                    then the first *ret_n are.
 * @param n           How many there are.
 * @param ret_n       How many were taken. May be NULL.
 * @param timeout_ms  How long the whole call may wait.
 *
 * Blocking: up to timeout_ms.
 *
 * @return As leat_work_emit.
 */
LEAT_API int leat_work_emit_many(leat_work *work, void *const *items, size_t n, size_t *ret_n, int timeout_ms);

/**
 * Gives the next item to the function_all of a stage. Control items visit the stage within this call.
 *
 * @param ret_item    The item; it is the function's.
 * @param timeout_ms  How long the call may wait for an item, and for room for what was emitted before.
 *
 * Blocking: up to timeout_ms, and as long as the hook `control` takes.
 *
 * @return 0; LEAT_STAGES_END: there are no more items; -EAGAIN or -ETIMEDOUT: no item in time; -EINVAL: the function is
 *         no function_all; another negative errno: the run has ended, or no results are wanted any more, and the
 *         function should return.
 */
LEAT_API int leat_work_next(leat_work *work, void **ret_item, int timeout_ms);

/**
 * Returns what worker_open gave.
 *
 * @return The state of this worker; NULL without worker_open.
 */
LEAT_API void *leat_work_state(const leat_work *work);

/**
 * Returns how often the item has been tried before.
 *
 * @return 0: this is the first call with the item; 1: the first retry; and so on.
 */
LEAT_API uint32_t leat_work_attempt(const leat_work *work);

/* ---- the same without threads ---- */

/**
 * Makes a pull: each result is pulled through the steps, on the thread that asks for it.
 *
 * @param ret_pull  The caller frees it.
 * @param source    Where items come from.
 * @param user      Handed to the source. Borrowed, until leat_pull_free.
 *
 * @return 0; -EINVAL: no source; -ENOMEM.
 *
 * Threads: a pull is for one thread at a time.
 */
LEAT_API int leat_pull_new(leat_pull **ret_pull, leat_next_fn source, void *user);

/**
 * Adds a step behind those that are there.
 *
 * A step uses these members of struct leat_stage: name, function or function_many (with one item at a time), user,
 * dispose, on_error, retries (without waiting), dead, open, close, worker_open and worker_close. The first pull calls
 * open and worker_open. leat_pull_free calls worker_close and close.
 *
 * @param stage      Copied. What its `user` points to is borrowed, until leat_pull_free.
 * @param ret_error  NULL, or where the call says in a sentence why it failed; with -EINVAL, which member is wrong and
 *                   what is allowed.
 *
 * @return 0; -EINVAL: no name, no function, two functions, function_all, or no such `on_error`; -EBUSY: a result has
 * been asked for; -ENOMEM.
 */
LEAT_API int leat_pull_add(leat_pull *pull, const struct leat_stage *stage, struct leat_error *ret_error);

/**
 * Pulls the next result.
 *
 * @param ret_item  The result; it is the caller's.
 *
 * Blocking: as the source and the functions do.
 *
 * @return 0; LEAT_STAGES_END; or the first failure, which each further call returns as well.
 */
LEAT_API int leat_pull_next(leat_pull *pull, void **ret_item);

/**
 * Gives the counts of one step since the first result was asked for.
 *
 * They mean what they mean for a stage. `wait_in_ns` of the first step is the time in the source. Where an item takes
 * less than about 10 us, times are measured for one of several items and are estimates; counts are always exact.
 *
 * @param index      From 0. The number behind the last step is what was pulled.
 * @param ret_stats  The caller sets its `size`.
 *
 * Blocking: does not wait.
 *
 * @return 0; -ENOENT: there is no such step.
 */
LEAT_API int leat_pull_stats(const leat_pull *pull, size_t index, struct leat_stage_stats *ret_stats);

/**
 * Disposes of what the caller has not pulled, and frees the pull.
 *
 * The `dispose` of the last step drops the results of the last step.
 *
 * @param pull  May be NULL.
 */
LEAT_API void leat_pull_free(leat_pull *pull);

#ifdef __cplusplus
}
#endif
#endif
