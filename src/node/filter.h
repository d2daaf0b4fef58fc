/* SPDX-License-Identifier: MIT */
/* The contract of a filter in a graph. Its caps say what it needs:
 * - A filter that only counts or paces never sees a byte.
 * - A filter that observes is shown each chunk once, in the order of the bytes, before or while the chunk is written.
 *   It must not change the chunk.
 * - A filter that transforms takes bytes on one side and gives other bytes on the other side, so it cuts the graph in
 *   two.
 * - A filter that joins cuts the graph as well, and is two nodes itself, such as the two pipes of a child process.
 * - A filter that buffers joins, too. It gives the bytes that it takes, and the two sides run on different threads. */
#ifndef NODE_FILTER_H
#define NODE_FILTER_H

#include "base/error.h"
#include "buffer/chunk.h"
#include <leat/filter.h>

struct node;

enum filter_caps {
    FILTER_OBSERVES = 1 << 0,   /* `observe` must see every byte */
    FILTER_PACES = 1 << 1,      /* `allowance` is asked before bytes are taken */
    FILTER_TRANSFORMS = 1 << 2, /* `transform` takes every byte and gives other bytes */
    FILTER_JOINS = 1 << 3,      /* `join` gives the two nodes of the filter */
    FILTER_BUFFERS = 1 << 4,    /* with FILTER_JOINS: the bytes stay the same, and `level` says how many are inside */
};

/* The input and the output of a transform. The filter advances the pointers and reduces the counts by what it used. */
struct filter_buffers {
    const uint8_t *in;
    size_t in_n;
    uint8_t *out;
    size_t out_n;
};

/* How full a filter is, and has been since the run began. In bytes. */
struct filter_level {
    uint64_t size, level, top;
    uint64_t filled, emptied; /* how often it became full, and how often it ran empty before its input ended */
    uint64_t file_top;        /* the most that was in its file */
    int file_failed;          /* why the file took no more: a negative errno, or 0 */
};

/* A hook that is NULL has nothing to do; only `free` must be there. The runner sets `busy` before `start`, and clears
 * it when the run has ended and its report is made. Threads: `memory` and `join` run on the thread that plans or runs
 * the pipeline, `observe`, `transform`, `allowance` and `splice_fd` on the thread of a leg, `start` and `finish` on the
 * thread that runs the pipeline. No two threads call these hooks at the same time. `result` may run on any thread. */
struct filter_ops {
    const char *name; /* "digest" */
    unsigned caps;

    /* A pipeline starts. `expected` is the number of bytes if it is known, otherwise 0; a filter before this one may
     * let fewer bytes pass. Starts what `observe` or `transform` needs. Returns 0, or a negative errno with *error
     * filled. */
    int (*start)(leat_filter *filter, uint64_t expected, struct leat_error *error);

    /* Looks at a chunk that passes, and adds its bytes to `bytes`. The filter takes a reference of its own if it reads
     * the chunk later, on another thread. It must not block for long; hashing one chunk is not long, nor is waiting
     * until a thread has hashed one. Returns 0, or a negative errno with *error filled. */
    int (*observe)(leat_filter *filter, struct chunk *chunk, struct leat_error *error);

    /* Takes bytes from `in` and puts bytes into `out`, as far as both go. `mode` (enum leat_filter_mode) is MORE: take
     * the input, and hold back any of the output; FLUSH: put out all that is held back; FINISH: the input ends with
     * these bytes, so put out everything. Returns LEAT_FILTER_DONE (all input is taken, and what `mode` asks for is
     * done), LEAT_FILTER_FULL (the output is full: call it again with more room, the rest of the input and the same
     * mode), LEAT_FILTER_ENDED (it takes no more input, and has put out its last byte), or a negative errno with *error
     * filled. */
    int (*transform)(leat_filter *filter, struct filter_buffers *buffers, int mode, struct leat_error *error);

    /* Returns the bytes that `transform` needs in addition to the chunks that a budget pays for. NULL: next to none. */
    uint64_t (*memory)(const leat_filter *filter);

    /* Gives the sink that takes the filter's input, and the source of its output. They belong to the filter. Each plan
     * asks for them. Both are opened before a byte moves, the sink first.
     *
     * `finish` of the sink is called when the sink has got its last byte. It passes the end on, for example by closing
     * a pipe. `finish` of the source is called when no more bytes will be read from it, because its end was read or
     * because no more bytes are needed. Either may return -EAGAIN, as `open` does, and is called again. So the pipeline
     * can wait for a child while the leg that writes to the child goes on. When `finish` of the source has returned 0,
     * the sink gets no more bytes. A failure of either fails the pipeline. If the sink answers a write with -EPIPE, it
     * needs no more bytes, which is no failure: `finish` of the source says whether the child ended well.
     *
     * `commit` of both is called before anything is published. If the pipeline fails, `finish` and `commit` are not
     * called any more, and `abort` is called after the last byte. So a child does not mistake a failure for an end. */
    void (*join)(leat_filter *filter, struct node **ret_sink, struct node **ret_source);

    /* Returns how many of `want` bytes may pass now. If it returns 0, *ret_deadline_ns (of clock_ns) is the time to ask
     * again; if that is 0 as well, no byte passes any more, and the stream ends there. The hook uses nothing up. Only
     * filter_count does, with the bytes that really passed, so a route that moved fewer bytes than it was granted just
     * asks again. If it asks twice without a count between, it is granted the same bytes twice. */
    uint64_t (*allowance)(leat_filter *filter, uint64_t want, int64_t *ret_deadline_ns);

    /* Called when all bytes have passed (code 0), or the pipeline has failed. Waits for the filter's own threads, and
     * drops all references to chunks. Returns 0, or a negative errno with *error filled. */
    int (*finish)(leat_filter *filter, int code, struct leat_error *error);

    /* Gives digest number `index`, for the report: its algorithm, its value as hex, and in *ret_provider which provider
     * computed it. *ret_why is the reason why another provider stepped aside, or NULL. The names are static. Returns 0;
     * -ENOENT: there are not so many; or another negative errno. */
    int (*result)(leat_filter *filter, size_t index, const char **ret_algorithm, char *hex, size_t capacity,
                  const char **ret_provider, const char **ret_why);

    /* For a stable source: returns a socket into which a route may splice the bytes instead of calling `observe`.
     * OP_MORE must be set on each splice, the last one included. The socket is borrowed. The route counts the bytes by
     * filter_count. After a failed splice into the socket the digest is useless, so the route must not step down to
     * `observe`. After successful splices it may change to `observe`, but never back. -1: there is no such socket. */
    int (*splice_fd)(leat_filter *filter);

    /* Says how full the filter is. After the run `level` is what was left in it. Any thread, at any time. */
    void (*level)(leat_filter *filter, struct filter_level *ret);

    /* Frees the filter. The last reference is gone. */
    void (*free)(leat_filter *filter);
};

struct leat_filter {
    const struct filter_ops *ops;
    atomic_uint refs;
    unsigned origin;
    atomic_bool busy;       /* a pipeline runs through it */
    _Atomic uint64_t bytes; /* that have passed */
};

/* Does the filter give other bytes than it takes? */
static inline bool filter_changes(const leat_filter *filter)
{
    unsigned caps = filter->ops->caps;
    return caps & FILTER_TRANSFORMS || (caps & FILTER_JOINS && !(caps & FILTER_BUFFERS));
}

/* May the filter end the stream before its input ends, or change its length? */
static inline bool filter_may_end(const leat_filter *filter)
{
    return filter->ops->caps & FILTER_PACES || filter_changes(filter);
}

void filter_init(leat_filter *filter, const struct filter_ops *ops);

/* Counts bytes that have passed and that the filter was not shown. The route calls it for each filter without
 * `observe`, and for a filter with `observe` if the bytes were spliced past it. For a filter that transforms, the
 * caller of `transform` counts the bytes that it took. It also uses up what `allowance` granted. */
static inline void filter_count(leat_filter *filter, uint64_t bytes)
{
    atomic_fetch_add_explicit(&filter->bytes, bytes, memory_order_relaxed);
}

#endif
