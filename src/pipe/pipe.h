/* What the two ends of a pipe share, and the calls that its backends offer to them.
 *
 * Who owns what: all that stands under "the writer's" belongs to whoever has the write turn, under "the reader's" to
 * whoever has the read turn. The write turn is taken by a reader, too, when it would have to wait and bytes may still
 * lie in the chain (writer_help). Whoever waits for the other side keeps its turn, so that no other call's bytes come
 * between; closing an end and failing it interrupt that (`writer_closing`, `reader_closing`).
 * No byte is forgotten in the chain, nor in the queue before it is shown: a writer that leaves some there says so
 * (`resting`) and then looks whether a reader waits (`hungry`, `eager`); a reader that is about to wait does it the
 * other way round, and then pushes them on itself. Order of locks: read turn, write turn, then a park's lock, then the
 * pool's; nothing is taken the other way round. */
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

/* Where bytes rest between two transforms, or before the first or behind the last: the filters there see each chunk,
 * and then it goes to `transform`, or out. */
struct pipe_place {
    size_t first, end;      /* of the pipe's filters: those here */
    leat_filter *transform; /* filter number `end`, or NULL */
    struct chunk *chunk;    /* being filled; or sealed, and gone up to `at` */
    size_t at;
    bool sealed;  /* full, or it has to go: it was shown to the filters here */
    bool flushed; /* `transform` holds nothing back */
    bool full;    /* `transform` has more to put out than there was room for */
    bool over;    /* `transform` has put out its last byte */
};

/* What a call that said -EAGAIN needs. */
enum want {
    WANT_CHUNK,
    WANT_PIPE, /* room in the kernel's */
    WANT_TIME, /* a filter paces: until pace_ns */
};

enum ending {
    ENDING_NOT,
    ENDING_WELL, /* the chain is finished from place `ending_at` on */
    ENDING_BADLY /* what lies in it from there on goes out, then `ending_code` */
};

struct leat_writer {
    struct pipe *pipe;
};

struct leat_reader {
    struct pipe *pipe;
};

/* What one side writes to all the time and what the other one looks at are kept apart by what nobody changes. */
struct pipe {
    struct leat_writer writer;
    struct leat_reader reader;
    unsigned origin;
    uint64_t limit;    /* bytes that may lie behind the filters */
    bool counts_bytes; /* of a queue without filters to the byte: chunks alone would hold back the part of one that was
                          read */
    size_t chunk_size;
    leat_filter *filter[PIPE_FILTERS_MAX];
    size_t filters;
    bool is_kernel;

    uint8_t apart[APART];
    struct turn write_turn;
    uint8_t apart_too[APART];
    struct turn read_turn;
    struct park room;  /* where writers wait */
    struct park bytes; /* where readers wait */
    uint8_t apart_as_well[APART];

    _Atomic int64_t paced_until_ns; /* a filter that paces has to be waited for, for what is in the chain; 0: none */
    atomic_uint ends;               /* that are open */
    atomic_uint writer_closing;     /* not 0: calls that wait shall go */
    atomic_int code;
    atomic_bool ended; /* nothing comes any more; `code` is right */
    atomic_bool reader_closing;
    atomic_bool reader_gone;
    atomic_bool hungry;     /* a reader waits, and nothing was pushed since it found nothing */
    atomic_bool eager;      /* somebody may poll or read a descriptor at any time */
    atomic_bool resting;    /* there are bytes in the chain, and whoever gave the turn left them there */
    atomic_bool stuck;      /* the chain lacks a chunk, and a reader waits for what is in it */
    atomic_bool look_again; /* for a reader that sleeps: `stuck` or `paced_until_ns` has changed */

    pthread_mutex_t error_lock;
    struct leat_error error; /* why it failed, or wants no more */

    /* The reader's. */
    size_t peeked;
    _Atomic uint64_t taken, reader_blocked_ns;

    struct budget budget;
    struct chunk_pool pool;

    /* The writer's. */
    struct pipe_place place[PIPE_FILTERS_MAX + 1];
    size_t places;
    size_t started;  /* filters that are to be finished */
    size_t reserved; /* room that was handed out; 0: none */
    int64_t pace_ns;
    size_t ending_at;
    uint64_t taken_seen;
    size_t needed; /* where bytes are counted: what a call waits for, at least */
    _Atomic uint64_t written, pushed, high_water, writer_blocked_ns;
    enum want want;
    enum ending ending;
    int ending_code;
    bool sated;     /* ENDING_WELL because a filter wants no more */
    bool abandoned; /* the reader had gone before it could see the end */

    struct queue queue;
    struct kernel kernel;
    struct clock clock; /* runs only if a filter paces and somebody polls */
};

/* How long a call may take. */
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

/* A counter that only one thread at a time changes. */
static inline void counter_add(_Atomic uint64_t *counter, uint64_t n)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + n, memory_order_relaxed);
}

/* No byte can arrive any more. */
static inline bool pipe_is_broken(struct pipe *p)
{
    return atomic_load(&p->reader_gone) && !(p->is_kernel && kernel_is_lent(&p->kernel));
}

/* The first reason is the one that counts. */
void pipe_blame(struct pipe *p, const struct leat_error *error);

/* The reason is that the reader has gone. */
void pipe_left(struct pipe *p);

/* n bytes more lie behind the filters. */
void pipe_pushed(struct pipe *p, size_t n);

/* A reader that sleeps looks around again. */
void pipe_wake_reader(struct pipe *p);

/* Somebody waits for a chunk, or for what the chain holds for want of one: there is one. */
void pipe_chunk_released(void *user);

/* With the write turn: what rests in the chain goes on, as far as it can without waiting. Says in `stuck` and
 * `paced_until_ns` what a reader would have to wait for besides. */
void writer_help(struct pipe *p);
/* Somebody is going to poll a descriptor of the pipe's. 0, or -ENOMEM. */
int pipe_polled(struct pipe *p);
/* A descriptor that is readable while writers need not wait for our reader. */
int writer_park_fd(struct pipe *p, int *ret);
/* Gives the write turn, after having done what was wished for meanwhile. */
void writer_give(struct pipe *p);

/* Nothing to do with the ends any more. */
void pipe_unref(struct pipe *p);

#endif
