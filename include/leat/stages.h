/* leat/stages.h: items through steps of worker threads, that never deadlock and never lose one.
 *
 *     struct leat_stage stage = LEAT_INIT(struct leat_stage);
 *     stage.name = "digest", stage.function = digest_file, stage.workers = 4, stage.dispose = free_file;
 *     leat_stages_new(&stages, NULL);
 *     leat_stages_add(stages, &stage);
 *     leat_stages_run(stages, next_file, files, print_file, NULL, &error);
 *     leat_stages_free(stages);
 *
 * An item is a pointer that belongs to the stages from the moment it is put until a stage's function takes it, or a
 * sink or leat_stages_take gives it away. Each stage has a bounded queue before it and a fixed number of threads.
 *
 * Who owns an item: a function that returns 0 has taken it, and has emitted it, kept it or freed it. One that fails or
 * skips has not, unless it has emitted it before; then the stages retry it, hand it to `dead` or to `dispose`. An item
 * that is emitted or put is of the next stage's kind, and is dropped by the next stage's `dispose`; behind the last
 * stage that is the one of leat_stages_options. Each item is emitted, given to a sink, `dead` or `dispose` exactly
 * once.
 *
 * The bound: each stage has at most `queue` + `workers` items that wait for it, are in its workers' hands or were made
 * of those and wait to be handed over; the output has leat_stages_options.queue and one for the sink. A function that
 * makes new items of one has up to two more, and a grouping stage has the group that it gathers besides.
 *
 * The first failure ends all: every blocked push, pop and wait is woken at once, and leat_stages_run, _wait, _put,
 * _take and _stop return its code from then on. What lies in the queues is disposed. A function that fails with -EAGAIN
 * or -ETIMEDOUT is told as -EIO, because the calls that wait say those themselves while nothing has failed; the
 * sentence of the error keeps its meaning, and `dead` gets the code itself. An answer that is neither allowed nor an
 * errno value is -EPROTO.
 *
 * Workers take several items at once, and hand their results over together, while the function is quick (a hand is
 * worth about 500 us), and a longer queue then saves changes of threads. Functions that wait for one another should set
 * `batch` to 1.
 *
 * Sources and sinks for channels, and for pipes of lines or frames, are in leat/record.h.
 *
 * Threads: what is put together before the start (_add, _source, _sink) is for one thread; everything else may be
 * called from any thread, also from a stage's function or hook, except that one that waits for its own end gets
 * -EDEADLK. A cancel, a stop or an end of input that comes while it starts holds. */
#ifndef LEAT_STAGES_H
#define LEAT_STAGES_H

#include <leat/base.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct leat_stages leat_stages;
typedef struct leat_work leat_work;
typedef struct leat_pull leat_pull;

/* What a source and leat_stages_take say instead of 0 when there will be no more. */
enum {
    LEAT_STAGES_END = 1
};

/* A source: 0 and the next item, LEAT_STAGES_END, or a negative errno, which fails all. May block; it is called by a
 * thread of its own, or by the one that pulls. */
typedef int (*leat_next_fn)(void *user, void **ret_item);

/* A sink: takes the item and returns 0, or a negative errno, which fails all; then the item is not taken. */
typedef int (*leat_emit_fn)(void *user, void *item);

/* What a stage's function answers, beside negative errnos. */
enum leat_stage_answer {
    LEAT_STAGE_DONE = 0, /* the item is taken */
    LEAT_STAGE_SKIP = 1, /* the item is to be disposed; no failure */
    LEAT_STAGE_END = 2,  /* the item is taken, and no more are wanted: what is before this stage is disposed, what is
                            behind it goes on to its end. In an ordered stage nothing behind this item comes out. */
};

/* Makes of an item none, one or many (leat_work_emit). `work` is this call's; see leat_work_state. Is called by several
 * threads at once, if the stage has several. May block. */
typedef int (*leat_stage_fn)(leat_work *work, void *item, void *user);

enum leat_on_error {
    LEAT_ON_ERROR_FAIL = 0, /* the first one ends all */
    LEAT_ON_ERROR_DROP = 1, /* the item goes to `dead`, or to `dispose` if there is none; it is counted */
};

/* The hooks return 0 or a negative errno, which fails all, and may be NULL; `user` is handed to each. */
struct leat_stage {
    size_t size;
    const char *name;       /* for errors and tables; copied */
    leat_stage_fn function; /* NULL: a grouping stage, see group_count */
    void *user;
    void (*dispose)(void *user, void *item); /* NULL: nothing to do. Any thread */
    uint32_t workers;                        /* threads; 0 is refused, a grouping stage has one */
    uint32_t queue;                          /* items that may wait; 0: 512. Of an ordered stage at most
                                                2^20 with those in hand */
    uint64_t queue_bytes;                    /* their bytes by item_size, those in hand too; 0: no limit. A larger item
                                                passes alone */
    size_t (*item_size)(void *user, const void *item);
    int32_t ordered;  /* not 0: results leave in the order in which items came */
    uint32_t batch;   /* the most items in a worker's hand, up to 64; 0: 64 */
    int32_t on_error; /* enum leat_on_error, when an item has failed `retries` times again */
    uint32_t retries;
    int32_t
        backoff_ms; /* the worker waits before the first retry; each further one waits twice as long, at most 10 s */
    void (*dead)(void *user, void *item, const struct leat_error *error); /* takes the item */
    int (*open)(void *user);                                              /* once, before all workers */
    void (*close)(void *user);                                            /* once, when all threads are gone */
    int (*worker_open)(void *user, void **ret_state);                     /* each worker, on its thread */
    void (*worker_close)(void *user, void *state);                        /* the same; not if its open failed */
    int (*control)(leat_work *work, void *control, void *user);           /* a control item visits this stage */
    /* A grouping stage (`function` is NULL) emits struct leat_group: full by count (0: 1024), by bytes of item_size (0:
     * by count alone), or by age of its first item (0: no matter). A group is never empty. The end and control items
     * find it handed on. */
    uint32_t group_count;
    uint64_t group_bytes;
    int32_t group_ms;
};

struct leat_group {
    size_t count;
    uint64_t bytes;
    void **items; /* within the same memory */
};

/* Frees the group, not its items. NULL is allowed. */
LEAT_API void leat_group_free(struct leat_group *group);

struct leat_stages_options {
    size_t size;
    void *user;                              /* for these: */
    void (*dispose)(void *user, void *item); /* of what the last stage emitted */
    size_t (*item_size)(void *user, const void *item);
    uint32_t queue; /* items that wait for the sink or for leat_stages_take; 0: 512 */
    uint64_t queue_bytes;
    /* A control item has visited all stages and is where it would be taken (code 0), or was dropped (a negative errno).
     * Once for each. */
    void (*control_done)(void *user, void *control, int code);
    /* All ends before its time: by a failure, a cancel or an abort. Should end what the source, the sink and the
     * functions wait for elsewhere. Once in a run, on the thread that made it end; must not block. */
    void (*wake)(void *user);
};

LEAT_API int leat_stages_new(leat_stages **ret, const struct leat_stages_options *options);

/* One more stage behind those that are there. -EINVAL: no name, zero workers, a limit in bytes without item_size;
 * -EBUSY: it has been started. */
LEAT_API int leat_stages_add(leat_stages *stages, const struct leat_stage *stage);

/* Where items come from, beside leat_stages_put, and where they go to instead of leat_stages_take. -EBUSY: it has been
 * started. */
LEAT_API int leat_stages_source(leat_stages *stages, leat_next_fn source, void *user);
LEAT_API int leat_stages_sink(leat_stages *stages, leat_emit_fn sink, void *user);

/* Runs all items of the source through and returns when all threads are gone. Without a sink results are disposed.
 * `ret_error` (may be NULL) gets the first failure: `node` the stage, or "source" or "sink", borrowed from `stages`;
 * `index` its number, `offset` the item's number in it, from 0. -EBUSY: it runs, or it was started without a source or
 * a sink before. */
LEAT_API int leat_stages_run(leat_stages *stages, leat_next_fn source, void *user, leat_emit_fn sink, void *sink_user,
                             struct leat_error *ret_error);

/* Starts the threads and returns. With a source the end of input is the source's; else it is leat_stages_finish. What
 * has ended may be started again. -EBUSY: it runs; what `open` of a stage said; -EAGAIN: no more threads. */
LEAT_API int leat_stages_start(leat_stages *stages);

/* Puts an item in, at most timeout_ms long (-1 waits, 0 does not). It is taken if 0 is returned, else it is the
 * caller's. -EAGAIN, -ETIMEDOUT: no room; -EPIPE: no more are wanted, or it has not been started; else the first
 * failure. */
LEAT_API int leat_stages_put(leat_stages *stages, void *item, int timeout_ms);

/* Several. *ret_n is set on every way out: so many from the front were taken. */
LEAT_API int leat_stages_put_many(leat_stages *stages, void *const *items, size_t n, size_t *ret_n, int timeout_ms);

/* Puts in a control item, which visits each stage once: when all that was put in before is through this stage, and
 * before anything that comes later. As leat_stages_put. */
LEAT_API int leat_stages_control(leat_stages *stages, void *control, int timeout_ms);

/* The next result: 0, or LEAT_STAGES_END when all are taken. -EAGAIN, -ETIMEDOUT: none yet; -EINVAL: there is a sink,
 * or it was never started; else the first failure. */
LEAT_API int leat_stages_take(leat_stages *stages, void **ret, int timeout_ms);

/* The end of input: no more can be put in, and a source is not asked again. Does not wait. */
LEAT_API int leat_stages_finish(leat_stages *stages);

/* Waits until all has ended, at most timeout_ms. 0, the first failure, or -ETIMEDOUT (-EAGAIN if timeout_ms is 0),
 * which changes nothing. Without a sink somebody has to take the results meanwhile. */
LEAT_API int leat_stages_wait(leat_stages *stages, int timeout_ms, struct leat_error *ret_error);

/* Ends it as a failure with -ECANCELED; does not wait. Not from signal handlers. */
LEAT_API int leat_stages_cancel(leat_stages *stages);

enum leat_stop {
    LEAT_STOP_DRAIN = 0, /* leat_stages_finish, then wait */
    /* Drop what is on the way; waits only for functions that are being called. It is no failure of the call that does
     * it, which returns 0 unless something had failed before. All other calls say -ECANCELED from then on. */
    LEAT_STOP_ABORT = 1,
};

/* Ends it and returns when all threads are gone: 0, or the first failure. -EPERM in a child of fork(), which has none
 * of the threads. */
LEAT_API int leat_stages_stop(leat_stages *stages, enum leat_stop how, struct leat_error *ret_error);

/* No worker takes another item, and the source is not asked, until leat_stages_resume. Does not wait for the items in
 * hand. What is started again is not paused. */
LEAT_API int leat_stages_pause(leat_stages *stages);
LEAT_API int leat_stages_resume(leat_stages *stages);

/* Counts of one stage since the start: in = done + dropped + dead + what waits or is in hand. */
struct leat_stage_stats {
    size_t size;
    uint64_t in;          /* items that came into its queue */
    uint64_t done;        /* calls that took their item */
    uint64_t out;         /* items that it emitted */
    uint64_t dropped;     /* disposed: skipped, failed, or left when all ended */
    uint64_t dead;        /* handed to `dead` */
    uint64_t retries;     /* calls that were made again */
    uint64_t queued;      /* waiting now */
    uint64_t most;        /* the most that waited or were in hand */
    uint64_t busy_ns;     /* of all its workers: in the function, */
    uint64_t wait_in_ns;  /* waiting for items, */
    uint64_t wait_out_ns; /* and waiting for room behind it */
};

/* Of a stage by its number; the one behind the last is the sink, or what waits to be taken. -ENOENT: none. */
LEAT_API int leat_stages_stats(leat_stages *stages, size_t index, struct leat_stage_stats *ret);

/* A table (or JSON) of all stages, that names the bottleneck. At any time. leat_free frees *ret. */
LEAT_API int leat_stages_explain(leat_stages *stages, enum leat_format format, char **ret);

/* Cancels, waits for the threads, disposes of what is left. Nobody else may use it any more. NULL is allowed. */
LEAT_API void leat_stages_free(leat_stages *stages);

/* ---- for the functions of stages ---- */

/* Hands an item to the next stage; takes it in any case. Blocks while the next queue is full. A negative errno: nobody
 * wants it any more, and the function should return; what it returns then does not matter. */
LEAT_API int leat_work_emit(leat_work *work, void *item);

/* What worker_open gave. */
LEAT_API void *leat_work_state(const leat_work *work);

/* 0: the first call with this item, 1: the first retry, ... */
LEAT_API uint32_t leat_work_attempt(const leat_work *work);

/* ---- the same without threads: each result is pulled through nested steps, on the thread that asks ---- */

LEAT_API int leat_pull_new(leat_pull **ret, leat_next_fn source, void *user);

/* One more step. Of struct leat_stage it uses name, function, user, dispose, on_error, retries (without waiting), dead,
 * open, close, worker_open and worker_close, both pairs at the first pull and at the free. -EINVAL: no name or no
 * function; -EBUSY: it has been pulled. */
LEAT_API int leat_pull_add(leat_pull *pull, const struct leat_stage *stage);

/* 0 and the next result, which is the caller's; LEAT_STAGES_END; or the first failure, again and again. */
LEAT_API int leat_pull_next(leat_pull *pull, void **ret);

/* Disposes of what the caller has not pulled; that of the last step by its own `dispose`. NULL is allowed. */
LEAT_API void leat_pull_free(leat_pull *pull);

#ifdef __cplusplus
}
#endif
#endif
