/* The contract of a filter in a graph. What decides is what it needs: one that only counts or paces never sees a byte;
 * one that observes is shown each chunk, in order, once, before or while it is written, and must not change it; one
 * that transforms takes bytes on one side and gives others on the other, and so cuts the graph in two. One that joins
 * cuts it, too, and is two nodes itself, such as the two pipes of a child process. */
#ifndef NODE_FILTER_H
#define NODE_FILTER_H

#include "base/error.h"
#include "buffer/chunk.h"
#include <leat/filter.h>

struct node;

enum filter_caps {
    FILTER_OBSERVES = 1 << 0,   /* `observe` must see every byte */
    FILTER_PACES = 1 << 1,      /* `allowance` is asked before bytes are taken */
    FILTER_TRANSFORMS = 1 << 2, /* `transform` takes every byte and makes others of them */
    FILTER_JOINS = 1 << 3,      /* `join` gives the two nodes that it is */
};

/* What a transform reads from and writes to: it moves the pointers on and counts down by what it used. */
struct filter_buffers {
    const uint8_t *in;
    size_t in_n;
    uint8_t *out;
    size_t out_n;
};

/* A hook that is NULL has nothing to do; only `free` is always there. `busy` is set by the runner before `start` and
 * cleared when the run has ended and its report is made. All hooks but `result` are called by one thread at a time,
 * which is the one that runs the pipeline, except that `observe`, `allowance` and `transform` may have another one. */
struct filter_ops {
    const char *name; /* "digest" */
    unsigned caps;

    /* A pipeline begins; `expected` bytes if known, else 0; a filter before it may let fewer pass. Starts what
     * `observe` or `transform` needs. */
    int (*start)(leat_filter *filter, uint64_t expected, struct leat_error *error);

    /* A chunk passes, and is counted in `bytes`. Keeps a reference of its own if it reads it later, on another thread.
     * Must not block for long (hashing one chunk is not long, nor is waiting until a thread has hashed one). 0, or a
     * negative errno with *error filled. */
    int (*observe)(leat_filter *filter, struct chunk *chunk, struct leat_error *error);

    /* Takes from `in`, gives into `out`, as far as both go. `mode` (enum leat_filter_mode) says what is asked for:
     * MORE: take the input, holding back what it likes; FLUSH: all that it holds back shall come out; FINISH: the input
     * ends with these bytes. Returns LEAT_FILTER_DONE (the input is all taken and what `mode` asks for is done),
     * LEAT_FILTER_FULL (the output is full: to be called again with more room, the input that is left and the same
     * mode), LEAT_FILTER_ENDED (it wants no more input; what it has put out is the last) or a negative errno, with
     * *error filled. */
    int (*transform)(leat_filter *filter, struct filter_buffers *buffers, int mode, struct leat_error *error);

    /* Bytes that `transform` needs inside, beside the chunks that a budget pays for. NULL: next to nothing. */
    uint64_t (*memory)(const leat_filter *filter);

    /* The sink that takes what comes and the source of what becomes of it; they belong to the filter, and are asked for
     * with each plan. Both are opened before a byte moves, the sink first.
     *
     * `finish` of the sink comes when it has got all that it will get: it hands the end on, as by closing a pipe. That
     * of the source comes when nobody will read on, whether its end was read or no more is wanted. Either may say
     * -EAGAIN, as `open` does, and is called again: so it is waited for a child, while whoever writes to it goes on.
     * When the source's has said 0, the sink gets no more. A failure of either fails the pipeline. A sink that says
     * -EPIPE to a write wants no more, which is no failure: whether the child has left well is for the source's
     * `finish` to say.
     *
     * `commit` of both comes before anything is published. If the pipeline fails, `finish` and `commit` of those that
     * have not had it never come, and `abort` does, after the last byte; so a failure is not taken for an end. */
    void (*join)(leat_filter *filter, struct node **ret_sink, struct node **ret_source);

    /* How many of `want` bytes may pass now; if 0, *ret_deadline_ns (of clock_ns) is when to ask again, and if that
     * is 0, too, no byte will ever pass any more: the stream ends there. It grants and
     * takes nothing: what uses a grant up is filter_count, with the bytes that really passed, so a route that moved
     * fewer owes nothing and may ask again. Who asks twice without counting between is granted the same twice. */
    uint64_t (*allowance)(leat_filter *filter, uint64_t want, int64_t *ret_deadline_ns);

    /* All bytes passed (code 0), or the pipeline failed. Waits for its own threads; no reference to a chunk is kept. */
    int (*finish)(leat_filter *filter, int code, struct leat_error *error);

    /* The value as hex by algorithm; `index` counts them. -ENOENT past the last. `ret_provider` tells who computed it
     * and, if it stepped aside, why (both static). For the report. */
    int (*result)(leat_filter *filter, size_t index, const char **ret_algorithm, char *hex, size_t capacity,
                  const char **ret_provider, const char **ret_why);

    /* For a stable source: a socket into which a route may splice the bytes itself, instead of `observe`, with OP_MORE
     * on every one, the last too; borrowed. The route counts them by filter_count. After such a splice failed the value
     * is worth nothing: the route may not step down to `observe`. A route may change to `observe` after splices that
     * went well, never back. -1 if there is none. */
    int (*splice_fd)(leat_filter *filter);

    /* The last reference is gone. */
    void (*free)(leat_filter *filter);
};

struct leat_filter {
    const struct filter_ops *ops;
    atomic_uint refs;
    unsigned origin;
    atomic_bool busy;       /* a pipeline runs through it */
    _Atomic uint64_t bytes; /* that passed */
};

void filter_init(leat_filter *filter, const struct filter_ops *ops);

/* Bytes passed which this filter was not shown: to be called for each filter without `observe` on every route, and for
 * one that has it where the bytes were spliced past it; for one that transforms, by whoever calls it, what it took.
 * Paces too: see `allowance`. */
static inline void filter_count(leat_filter *filter, uint64_t bytes)
{
    atomic_fetch_add_explicit(&filter->bytes, bytes, memory_order_relaxed);
}

#endif
