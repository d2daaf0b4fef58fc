/* A handle, and the parts of the room: lock.c the robust locks, wait.c sleeping and waking, peers.c who is there,
 * recover.c what is done for the dead, send.c and receive.c the messages, create.c handles and their descriptors,
 * poll.c what event loops wait for, watch.c the thread that hears of deaths for them, fork.c what fork does to handles.
 * The design is in layout.h. */
#ifndef CHANNEL_CHANNEL_H
#define CHANNEL_CHANNEL_H

#include "base/base.h"
#include "base/platform.h"
#include "channel/layout.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

/* A word of shared memory that has an owner. */
struct lock {
    _Atomic uint32_t *word;
    atomic_bool held; /* by a thread of this handle */
};

/* One direction as this process sees it. */
struct channel_way {
    struct channel_lane *lane; /* NULL: this end does not have it */
    uint8_t *ring;
    struct lock senders, receivers;
    uint64_t seen;    /* head, or tail, when it was last looked at; under the lock of the side that we are */
    int events[2];    /* that there is something, that there is room; or -1 */
    int poll_fd;      /* -1: nobody polls */
    int alarm, timer; /* what makes it readable besides: an event of our own, and ticks where nothing tells of deaths */
    atomic_bool polled;
    atomic_uint spins;        /* how long it has been worth while to look again before sleeping */
    atomic_uint rests, pause; /* how often not to, from now on and at last */
};

/* A long message that is being received. `open` changes under the receivers' lock, `busy` becomes true under it, and
 * nothing is busy that is not open: so a thread that has the lock and finds nothing open may begin a message. */
struct stream {
    atomic_bool busy; /* a thread is at it; the rest is that thread's */
    atomic_bool open;
    _Atomic uint64_t id;
    uint64_t length, at;
    uint8_t *bytes; /* what was received before the time was up; as long as the message */
};

/* Its members are grouped by meaning. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct leat_channel {
    struct geometry g; /* ours: what the memory says of itself is not read again */
    struct channel_head *head;
    struct channel_place *places;
    size_t mapped;
    int fd; /* the memory, opened anew for us alone, with the lock on our place */
    uint32_t place;
    uint32_t end;
    struct channel_way out, in;
    atomic_bool cancelled;
    atomic_int broken;         /* why nothing goes any more: -EPROTO, or what kept a child from being a peer; 0 */
    _Atomic int64_t looked_ns; /* when the dead were last looked for */
    atomic_uint look_at;       /* and where the next look begins */

    _Atomic uint64_t known; /* head->changes << 1 | is nobody at the other end any more */

    atomic_bool reserved;
    uint64_t reserved_bytes;
    atomic_uint holding; /* messages that were acquired */
    struct stream stream;

    pthread_mutex_t mutex; /* of what is done for the dead, and of making a poll descriptor */

    /* Of watch.c. */
    struct leat_channel *watched;
    int watch_number;   /* -1: not watched */
    unsigned watch_for; /* poll descriptors that are there or are being made */
    bool suspect;       /* something was closed; the rest is under the lock of watch.c */
    uint32_t changes;

    /* Of fork.c. */
    struct leat_channel *before, *after;
    int child_fd;
    uint32_t child_place;
    atomic_bool inherited; /* to come, until it is first used */
};

#define PATIENCE_NS ((int64_t)LEAT_CHANNEL_PATIENCE_MS * 1000000)

/* When a call must be back, as it was asked for. */
struct channel_limit {
    int64_t deadline_ns; /* 0: never */
    bool now;
};
struct channel_limit limit_of(int timeout_ms);
struct channel_limit limit_shorter(const struct channel_limit *limit, int64_t longest);
/* How long to sleep now, at most `longest`; 0: the time is up. */
int64_t limit_left(const struct channel_limit *limit, int64_t longest);
/* -EAGAIN or -ETIMEDOUT. */
int limit_code(const struct channel_limit *limit);

/* What was found in the memory can't be. Tells the others, too. Returns -EPROTO. */
int channel_corrupt(leat_channel *c);
/* Why no call may wait now: -ECANCELED, -EPROTO; 0. */
int channel_state(leat_channel *c);
/* The first call in a child makes it a peer for good. */
void channel_arrive(leat_channel *c);
static inline void channel_enter(leat_channel *c)
{
    if (atomic_load_explicit(&c->inherited, memory_order_relaxed))
        channel_arrive(c);
}

/* What every call on one direction begins with: 0, -EBADF without that end, or why nothing goes any more. */
static inline int channel_begin(leat_channel *c, const struct channel_way *way)
{
    if (!way->lane)
        return -EBADF;
    channel_enter(c);
    return atomic_load_explicit(&c->broken, memory_order_relaxed);
}

/* The lock of one side of a lane. Taking it may repair what a dead owner left. */
int lock_take_slowly(leat_channel *c, struct lock *lock, const struct channel_limit *limit);
/* Without repairs, and without waiting for a dead owner: for who is at repairs himself. */
int lock_take_plainly(leat_channel *c, struct lock *lock, const struct channel_limit *limit);
/* True: an event loop was turned away meanwhile, and is to be told (lock_ask). */
bool lock_give(struct lock *lock);
/* Asks the owner to tell when it gives the lock back. False: it is free by now. */
bool lock_ask(struct lock *lock);
static inline int lock_take(leat_channel *c, struct lock *lock, const struct channel_limit *limit)
{
    uint32_t free = 0;
    if (!atomic_compare_exchange_strong_explicit(lock->word, &free, c->place + 1, memory_order_acquire,
                                                 memory_order_relaxed))
        return lock_take_slowly(c, lock, limit);
    atomic_store_explicit(&lock->held, true, memory_order_relaxed);
    return 0;
}
/* For its dead owner, whose place we have: the word becomes ours, or is unlocked. False: it is not his. */
bool lock_inherit(leat_channel *c, struct lock *lock, uint32_t place);
void lock_break(struct lock *lock, uint32_t place);
static inline uint32_t lock_owner(uint32_t word)
{
    return word & 0x3fffffff;
}

/* Sleeping until something is there (lane->filled) or there is room (lane->freed). */
typedef bool (*wait_test)(leat_channel *c, struct channel_way *way, uint64_t what);
/* Sleeps until `test` might be true, the limit is near or somebody died. -EAGAIN, -ETIMEDOUT, -ECANCELED, -EPROTO. */
int wait_for(leat_channel *c, struct channel_way *way, _Atomic uint32_t *word, wait_test test, uint64_t what,
             const struct channel_limit *limit);
/* For a caller that will poll: the descriptor is silent from now on; then, unless `test` is true. */
void wait_silence(struct channel_way *way);
void wait_arm(leat_channel *c, struct channel_way *way, _Atomic uint32_t *word, wait_test test, uint64_t what);
void wait_wake_slowly(struct channel_way *way, _Atomic uint32_t *word, int n);
/* After what `word` stands for has become true. n: for how many. */
static inline void wait_wake(struct channel_way *way, _Atomic uint32_t *word, int n)
{
    if (atomic_load(word) & 3)
        wait_wake_slowly(way, word, n);
}
/* The same where no lock was given back since, which orders the look behind what was written. */
static inline void wait_wake_ordered(struct channel_way *way, _Atomic uint32_t *word, int n)
{
    if (atomic_fetch_add(word, 0) & 3)
        wait_wake_slowly(way, word, n);
}
/* For `n`: as many as there are, because only one of them can use what has come, and nobody knows which. */
#define WAKE_ALL (INT32_MAX - 1)
/* Everybody looks at everything again. */
void wait_wake_all(leat_channel *c);
/* Whoever polls one of the descriptors of this handle looks again. */
void wait_poke(leat_channel *c);

/* Takes a free place for a descriptor of its own of the memory. -EUSERS. */
int peers_take(const leat_channel *c, int fd, uint32_t end, uint32_t attached, uint32_t *ret_place);
/* A place for this handle itself, if need be that of a dead one. */
int peers_join(leat_channel *c, int fd);
void peers_free(const leat_channel *c, int fd, uint32_t place);
/* `failed`: others are to see a death. */
void peers_leave(leat_channel *c, bool failed);
/* Looks for the dead, if that has not been done for the patience, and does what is to be done for them, for at most so
 * long as the caller may wait, and BURY_NS. */
void peers_look(leat_channel *c, const struct channel_limit *limit);
/* 1: a dead one was buried. 0: there is none. Negative: its things are not all in order, and it keeps its place. */
int peers_bury(leat_channel *c, uint32_t place, const struct channel_limit *limit);
#define BURY_NS ((int64_t)10 * 1000000)
/* Has the other end been there, and gone? While peers come and go all the time, that is not known: false. */
bool peers_gone(leat_channel *c);

/* recover.c: what a dead owner of a lock left, by who has its place; then, under the receivers' lock, what it held. */
void recover_sender(struct channel_way *way);
void recover_receiver(leat_channel *c, struct channel_way *way, uint32_t place);
int recover_held(leat_channel *c, struct channel_way *way, uint32_t place);

/* record.c: what lies in the ring. None of it is believed. */
static inline struct record *record_at(const leat_channel *c, const struct channel_way *way, uint64_t position)
{
    return (struct record *)(void *)(way->ring + (position & (c->g.ring - 1) & ~(uint64_t)(UNIT - 1)));
}
struct channel_found {
    uint64_t position, size; /* of the record */
    uint64_t extra;
    uint32_t length, mark;
    const uint8_t *bytes;
};
/* The record at `position`, which must end within `room`. -EPROTO if it can't be one. */
int record_look(leat_channel *c, const struct channel_way *way, uint64_t position, uint64_t room,
                struct channel_found *ret);
/* Under the receivers' lock: `head` goes on over what is done. */
int record_give_back(leat_channel *c, struct channel_way *way);
/* The first record from `head` to `next` that came back. -EAGAIN: there is none. */
int record_find_back(leat_channel *c, struct channel_way *way, struct channel_found *ret);

/* watch.c: a handle whose descriptors are polled hears of deaths. Without `c->mutex`. -errno: it does not. */
int watch_start(leat_channel *c);
/* One descriptor fewer needs it. */
void watch_drop(leat_channel *c);
/* None does. */
void watch_stop(leat_channel *c);
void watch_before_fork(void);
void watch_in_parent(void);
void watch_in_child(void);

/* poll.c */
void poll_init(struct channel_way *way);
void poll_close(struct channel_way *way);

/* fork.c: a handle that a child inherits becomes a peer of its own. */
int fork_enlist(leat_channel *c);
void fork_strike(leat_channel *c);

/* create.c: the memory of whoever makes it or is given it. */
int channel_read_geometry(int fd, struct geometry *ret);
/* Leaves so that others see a death. */
void channel_fail(leat_channel *c);

#endif
