/* SPDX-License-Identifier: MIT */
/* What the two ends of a pipe share, and what the files of this room offer each other.
 *
 * Owners. The members under "The writer's" belong to the thread that has the write turn, those under "The reader's" to
 * the thread that has the read turn. A reader takes the write turn as well, when it would have to wait and bytes may
 * still lie in the chain (writer_help). A call that waits for the other side keeps its turn, so that no bytes of
 * another call come between. Closing an end interrupts such a call (TURN_CLOSED), and so does leat_writer_fail
 * (`failing`).
 *
 * No byte is forgotten in the chain, or in the queue before it is shown. A writer that leaves bytes there sets
 * `resting`, and then looks whether a reader waits (`hungry`, `eager`). A reader that is about to wait does both in the
 * opposite order, and then moves the bytes on itself. README.md has a table of all flags of this protocol.
 *
 * Order of locks: read turn, write turn, a park's lock, the pool's lock. The locks of the clock and of the error are
 * taken last, and nothing is taken under them. */
#ifndef PIPE_PIPE_H
#define PIPE_PIPE_H

#include "buffer/chunk.h"
#include "node/filter.h"
#include "pipe/clock.h"
#include "pipe/kernel.h"
#include "pipe/park.h"
#include "pipe/queue.h"
#include "pipe/turn.h"
#include <errno.h>
#include <leat/pipe.h>

#define PIPE_FILTERS_MAX 64

/* A place: where bytes lie between two transforms, before the first one or behind the last one. The filters of the
 * place see each chunk. Then the chunk goes to `transform`, or out. */
struct pipe_place {
    size_t first, end;      /* Which of the pipe's filters belong to this place. */
    leat_filter *transform; /* Filter number `end`; NULL: the bytes go out. */
    struct chunk *chunk;    /* Being filled. If it is sealed, the bytes before `at` have gone on. */
    size_t at;
    bool sealed;  /* Nothing is added to the chunk any more, and the filters here have seen it. */
    bool flushed; /* `transform` holds nothing back. */
    bool full;    /* `transform` has more output than there was room for. It is called again in `full_mode`. */
    bool over;    /* `transform` has given its last byte. */
    enum leat_filter_mode full_mode;
};

/* What a call needs that has returned -EAGAIN. */
enum want {
    WANT_CHUNK,
    WANT_PIPE, /* Room in the kernel's pipe. */
    WANT_TIME, /* A filter paces: wait until pace_ns. */
};

#define GOES_ON 1 /* As `end` of the pipe: it has not ended. */

enum ending {
    ENDING_NOT,
    ENDING_WELL, /* The chain is finished from place `ending_at` on. */
    ENDING_BADLY /* What lies in the chain from place `ending_at` on goes out, then the reader gets `ending_code`. */
};

struct leat_writer {
    struct pipe *pipe;
};

struct leat_reader {
    struct pipe *pipe;
};

/* `apart...` keeps what one side writes all the time out of the cache lines that the other side looks at. */
struct pipe {
    struct leat_writer writer;
    struct leat_reader reader;
    unsigned origin;
    uint64_t limit; /* Of bytes behind the filters. */
    size_t chunk_size;
    leat_filter *filter[PIPE_FILTERS_MAX];
    atomic_size_t filters; /* How many there are. It only grows, under the write turn. */
    bool is_kernel;

    uint8_t apart[APART];
    struct turn write_turn;
    uint8_t apart_too[APART];
    struct turn read_turn;
    struct park room;  /* Where writers wait. */
    struct park bytes; /* Where readers wait. */
    uint8_t apart_as_well[APART];

    /* Not 0: the bytes in the chain go on only at that time, because a filter paces. NEVER: they need a chunk. */
    _Atomic int64_t held_until_ns;
    atomic_uint ends; /* How many are open: 2, 1. */
    atomic_uint
        failing;    /* Not 0: leat_writer_fail wants the turn, so calls of the writer that wait return -ECANCELED. */
    atomic_int end; /* GOES_ON; then the code with which the stream has ended, and nothing more is pushed. */
    atomic_bool reader_gone;
    atomic_bool hungry;     /* A reader has found nothing. Cleared before the chain shows it bytes. */
    atomic_bool eager;      /* A descriptor of the reader was handed out, so it may be polled or read at any time. */
    atomic_bool resting;    /* The last call that gave the write turn left bytes in the chain. */
    atomic_bool look_again; /* A reader that sleeps has to look at `held_until_ns` again. */

    pthread_mutex_t error_lock;
    struct leat_error error; /* Why the pipe failed or the writer gets -EPIPE; code 0: it has not. */

    uint8_t apart_from_reader[APART];
    /* The reader's. */
    size_t peeked;
    _Atomic uint64_t taken, reader_blocked_ns;

    uint8_t apart_from_pool[APART];
    struct budget budget;
    struct chunk_pool pool;
    uint8_t apart_from_writer[APART];

    /* The writer's. */
    struct pipe_place place[PIPE_FILTERS_MAX + 1];
    atomic_size_t places; /* As `filters`. */
    size_t started;       /* How many filters are to be finished: the first ones. */
    size_t reserved;      /* Room that leat_writer_reserve handed out, in bytes. 0: none. */
    int64_t pace_ns;
    size_t ending_at;
    uint64_t taken_seen;
    size_t needed; /* If bytes are counted: how much room the call needs at least, in bytes. */
    _Atomic uint64_t written, pushed, high_water, writer_blocked_ns;
    enum want want;
    enum ending ending;
    int ending_code;
    bool sated;     /* ENDING_WELL, because a filter wants no more bytes. */
    bool abandoned; /* The reader had left before it could see the end. */

    struct queue queue;
    struct kernel kernel;
    struct clock clock; /* It runs if a filter paces and a descriptor was asked for or the filter came later. */
};

/* The time limit of a call. */
struct pipe_limit {
    int timeout_ms;
    int64_t deadline_ns;
};

static inline struct pipe_limit limit_of(int timeout_ms)
{
    int64_t deadline = timeout_ms < 0 ? NEVER : timeout_ms == 0 ? 0 : clock_ns() + (int64_t)timeout_ms * 1000000;
    return (struct pipe_limit){timeout_ms, deadline};
}

static inline int limit_code(const struct pipe_limit *limit)
{
    return limit->timeout_ms == 0 ? -EAGAIN : -ETIMEDOUT;
}

/* Adds to a counter that only one thread at a time changes. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* A queue without filters: the limit is exact to a byte. If only chunks were counted, the part of a chunk that was read
 * would count until all of it was read. */
static inline bool pipe_counts_bytes(const struct pipe *p)
{
    return !p->is_kernel && atomic_load_explicit(&p->filters, memory_order_relaxed) == 0;
}

/* Nothing more is pushed, and `end` is the code for the reader. */
static inline bool pipe_has_ended(const struct pipe *p)
{
    return atomic_load(&p->end) != GOES_ON;
}

/* Calls of the writer that wait return -ECANCELED, because the writer is being closed or failed. */
static inline bool writer_is_interrupted(const struct pipe *p)
{
    return atomic_load(&p->failing) || turn_is_closed(&p->write_turn);
}

/* No byte can reach a reader any more. */
static inline bool pipe_is_broken(struct pipe *p)
{
    return atomic_load(&p->reader_gone) && !(p->is_kernel && kernel_is_lent(&p->kernel));
}

/* Stores why the pipe failed. The first reason stays. Any thread. */
void pipe_blame(struct pipe *p, const struct leat_error *error);

/* As pipe_blame; the reason is that the reader has closed. */
void pipe_blame_reader(struct pipe *p);

/* Counts n bytes more behind the filters, and wakes readers that wait in the park. Needs the write turn. */
void pipe_count_pushed(struct pipe *p, size_t n);

/* Makes a reader that sleeps look again. Any thread. */
void pipe_wake_reader(struct pipe *p);

/* The pool calls it when a chunk has come back: wakes writers, which may wait for a chunk, and the reader if the chain
 * needs one. Any thread. */
void pipe_chunk_released(void *user);

/* Needs the write turn. Moves on what rests in the chain, as far as that goes without waiting. Stores in `resting`
 * whether bytes are left, and in `held_until_ns` what they wait for. */
void writer_help(struct pipe *p);
/* Starts the clock, unless it runs. Any thread. Returns 0 or -ENOMEM. */
int pipe_start_clock(struct pipe *p);
/* Prepares for a caller that polls a descriptor of the pipe: starts the clock if a filter paces. Returns 0 or
 * -ENOMEM. */
int pipe_prepare_polling(struct pipe *p);
/* Gives a descriptor that is readable while a write would not have to wait for our reader. Borrowed. Returns 0; -EBUSY:
 * another call has the write turn; or another negative errno. */
int writer_park_fd(struct pipe *p, int *ret);
/* Gives the write turn. If readers wished for help meanwhile, it helps first (writer_help). */
void writer_give(struct pipe *p);

/* Drops one end; the last one frees the pipe. */
void pipe_unref(struct pipe *p);

#endif
