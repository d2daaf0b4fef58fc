/* The inside of leat_stages.
 *
 * Who owns what: `lock` guards the state, the first failure and the count of threads. A queue and an order have locks
 * of their own, which are taken last and never two at a time; no lock is held while a function of the caller runs. A
 * worker's fields are its own, but for its counts, which others may read.
 *
 * What happens exactly once: each thread leaves by worker_leave, also by pthread_exit, and says there that it has
 * produced its last; each item is emitted, taken, or dropped by stage_drop. */
#ifndef STAGES_STAGES_H
#define STAGES_STAGES_H

#include "base/error.h"
#include "stages/order.h"
#include "stages/queue.h"
#include <leat/stages.h>

#define BATCH_NS 500000 /* what a hand should be worth */

/* The call that a function of the caller makes its results with. */
struct leat_work {
    int (*emit)(struct leat_work *work, void *item);
    void **made; /* a list that leat_work_emit itself adds to, as long as there is room; of a worker there is none */
    size_t n, room;
    void *state;
    void *current; /* the item that it works on */
    uint32_t attempt;
    bool gave; /* it has emitted that item */
};

struct stage_counts {
    _Atomic uint64_t done, out, dead, retries, busy_ns, wait_in_ns, wait_out_ns;
};

struct worker {
    struct leat_work work;
    struct stage *stage;
    pthread_t thread;
    bool made, opened, finished;
    struct hand hand;
    uint32_t at; /* which of the hand it works on; those before are settled */
    bool last;   /* no item behind the one it worked on is wanted */
    struct stage_item out[HAND_MAX];
    uint32_t out_n;
    int gone; /* why nobody wants its results */
    struct leat_group *group;
    int64_t group_deadline_ns;
    struct stage_counts counts;
};

enum stage_kind {
    STAGE_FUNCTION,
    STAGE_GROUP,
    STAGE_SINK,   /* the last one */
    STAGE_SOURCE, /* before the first one: one worker without a queue */
};

struct stage {
    struct leat_stage with;
    char *name;
    enum stage_kind kind;
    uint32_t index;
    leat_stages *stages;
    struct item_queue in;
    struct stage *next; /* whose queue gets the results; NULL: none */
    struct order order;
    bool ordered; /* by `order`: it has several workers */
    bool is_open;
    _Atomic uint64_t dropped, refused; /* refused: results that found its queue closed; they are among the dropped */
    struct worker *worker;             /* with.workers of them, while it runs */
    leat_next_fn source;
    leat_emit_fn sink; /* NULL: what comes is disposed */
    void *feed_user;   /* of these two */
};

enum stages_state {
    STAGES_NEW,
    STAGES_STARTING,
    STAGES_RUNNING,
    STAGES_JOINING,
    STAGES_ENDED, /* no threads; what is left can be taken */
};

struct leat_stages {
    struct leat_stages_options options;
    unsigned origin;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct stage **stage; /* count of the caller's; then `output` */
    uint32_t count;
    struct stage output; /* what waits for the sink or for take */
    struct stage input;  /* the source; from here `next` leads through all of them */
    _Atomic enum stages_state state;
    uint32_t threads;
    uint32_t waiting; /* calls that wait for the end, and look at the result then */
    bool built, cancelled, aborted, input_open;
    bool sinks;                    /* the output is a stage with a worker */
    atomic_bool paused, finishing; /* the source is to look before it is asked */
    struct leat_error error;
    int64_t began_ns, ended_ns;
};

/* Of a worker's own counts, which only it changes. */
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

/* Does this thread call a hook or a function of these stages? It must not wait for their end. */
bool stages_is_inside(const leat_stages *stages);
/* From here on it does. Returns what is to be handed in when it does no longer. */
const leat_stages *stages_enter(const leat_stages *stages);

/* An item that lies before this stage is not wanted any more: disposed, and counted by the first of them. */
void stage_drop(struct stage *stage, const struct stage_item *item);
void stage_dispose(struct stage *stage, void *item);

/* The first failure is kept, and all is woken. -EAGAIN and -ETIMEDOUT are kept as -EIO, because the calls that wait say
 * those when nothing has failed. `text` NULL: what the code means. */
void stages_fail(leat_stages *stages, int code, const struct stage *stage, const char *operation, uint64_t offset,
                 const char *text);
/* An item has failed for good: what `dead` hears. */
struct leat_error stage_letter(const char *name, uint32_t index, uint64_t number, int code);
/* What lies in its queue, or is parked in its order. */
void stages_drop_waiting(struct stage *stage);
void stages_drop_parked(struct stage *stage);
/* Queues, orders and room for the workers; once. Locked. */
int stages_build(leat_stages *stages);
uint32_t stages_producers(const leat_stages *stages, uint32_t index);
/* No more is wanted from this stage and those before it. */
void stages_close(leat_stages *stages, uint32_t index);
/* Why it ended, after a queue said -ECANCELED. */
int stages_code(leat_stages *stages);
/* Wakes every thread that waits in a queue, for a turn or for the end. Locked. */
void stages_cancel_queues(leat_stages *stages);
/* `error` NULL: it is aborted, which is no failure. True for whoever was first. */
bool stages_cancel(leat_stages *stages, const struct leat_error *error);
/* Waits until deadline_ns; false when it was cancelled meanwhile. */
bool stages_sleep(leat_stages *stages, int64_t deadline_ns);

/* The thread of a worker (struct worker). */
void *worker_main(void *user);
/* Hands over what it has made. 0, or why nobody wants it, which then is disposed. */
int worker_flush(struct worker *worker);
/* One of `stages`: its thread has not begun. */
void worker_reset(struct worker *worker, struct stage *stage);

/* A grouping stage's item, and the group's end; the group goes on when it is full. */
int group_add(struct worker *worker, struct stage_item item);
int group_flush(struct worker *worker);
void group_drop(struct worker *worker);

#endif
