/* SPDX-License-Identifier: MIT */
/* A handle, and what the files of this room offer each other: lock.c has the robust locks, wait.c sleeping and waking,
 * peers.c the places of peers, recover.c the repairs after a crash, send.c, receive.c, take.c, take_long.c and record.c
 * the messages, create.c handles and their descriptors, poll.c the descriptors for event loops, watch.c the thread that
 * hears of crashed peers for them, fork.c what fork(2) does to handles. layout.h has the design. */
#ifndef CHANNEL_CHANNEL_H
#define CHANNEL_CHANNEL_H

#include "base/base.h"
#include "base/platform.h"
#include "channel/layout.h"
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>

/* A lock word in shared memory. It names its owner. */
struct lock {
    _Atomic uint32_t *word;
    atomic_bool held; /* By a thread of this handle. */
};

/* One direction, as this process sees it. */
struct channel_way {
    struct channel_lane *lane; /* NULL: this end does not have the direction. */
    uint8_t *ring;
    struct lock senders, receivers;
    /* `tail` for a receiver, `head` for a sender, as it was when this handle last loaded it. Under the lock of that
     * side. */
    uint64_t seen;
    int event;   /* An eventfd that is set for messages and for room: see docs/architecture.md. -1: none. */
    int poll_fd; /* -1: no event loop polls. */
    /* They make poll_fd readable too: an event of this process alone, and a timer if nothing tells of crashed peers. */
    int alarm, timer;
    atomic_bool polled;
    atomic_uint spins;        /* How many times it has lately paid to test before sleeping. */
    atomic_uint rests, pause; /* How many of the next waits do not spin, and with how many the last such pause began. */
};

/* A message longer than the ring that is being received. `open` changes under the receivers' lock, and `busy` becomes
 * true under it. `busy` implies `open`. So a thread that has the lock and finds `open` false may begin a message. */
struct stream {
    atomic_bool busy; /* A thread receives parts; the members below belong to it. */
    atomic_bool open;
    _Atomic uint64_t id;
    uint64_t length, at;
    uint8_t *bytes;  /* As long as the message. Until the time is up first, the bytes go to the caller instead. */
    bool kept;       /* The time was up: all bytes are in `bytes`, and the caller gets them at the end. */
    uint64_t copied; /* Bytes that went through `bytes`, of all messages; for tests. */
};

/* A message longer than the ring of which parts were sent when the time was up. Under the senders' lock. It is still to
 * be finished only if lane->stream names it: another sender may have dropped it. */
struct unsent {
    uint64_t length; /* 0: there is none. */
    uint64_t id;     /* The position of its first record. */
    uint64_t at;     /* How many bytes of it were sent, */
    uint64_t crc;    /* and their CRC, which is compared before the message is completed. */
    uint64_t sample; /* The CRC of the last SAMPLE of them, which each call compares. */
    uint64_t hashed; /* Bytes that were hashed, of all messages; for tests. */
};

/* The members are grouped by meaning. NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding) */
struct leat_channel {
    struct geometry g; /* Our copy: what the memory says of itself is not read again. */
    struct channel_head *head;
    struct channel_place *places;
    size_t mapped;
    int fd; /* The memory, opened anew for this handle alone. It has the kernel's lock on our place. */
    uint32_t place;
    uint32_t end;
    struct channel_way out, in;
    atomic_bool cancelled;
    /* Not 0: why no call works any more: -EPROTO, or the error that kept a child from becoming a peer. */
    atomic_int broken;
    _Atomic int64_t looked_ns; /* When this handle last looked for crashed peers. */
    atomic_uint look_at;       /* The place with which the next look begins. */

    /* For the trace: crashed peers that this handle has buried and not told, and the process of the last one. */
    atomic_uint buried;
    _Atomic int32_t buried_pid;

    _Atomic uint64_t known; /* head->changes << 1 | 1 if the other end is gone. */

    atomic_bool reserved;
    uint64_t reserved_bytes;
    atomic_uint holding; /* How many messages are acquired and not released. */
    struct stream stream;
    struct unsent unsent;

    pthread_mutex_t mutex; /* Guards burying, and making a poll descriptor. */

    /* For watch.c. */
    struct leat_channel *watched;
    int watch_number;   /* -1: not watched. */
    unsigned watch_for; /* How many poll descriptors exist or are being made. */
    bool suspect; /* An open file of the memory was closed. This and the members above are under the lock of watch.c. */
    uint32_t changes;

    /* For fork.c. */
    struct leat_channel *before, *after;
    int child_fd;
    uint32_t child_place;
    atomic_bool inherited; /* This handle came by fork(2), and has not been used yet. */
};

#define PATIENCE_NS ((int64_t)LEAT_CHANNEL_PATIENCE_MS * 1000000)

/* The time limit of a call. */
struct channel_limit {
    int64_t deadline_ns; /* 0: none. */
    bool now;
};
struct channel_limit limit_of(int timeout_ms);
struct channel_limit limit_shorter(const struct channel_limit *limit, int64_t longest);
/* How long the call may sleep now, at most `longest`, in nanoseconds. 0: the time is up. */
int64_t limit_left(const struct channel_limit *limit, int64_t longest);
/* -EAGAIN if timeout_ms was 0, else -ETIMEDOUT. */
int limit_code(const struct channel_limit *limit);

/* The memory holds something that no correct peer writes: marks it, tells the other peers, and returns -EPROTO. */
int channel_corrupt(leat_channel *c);
/* Returns why no call may wait now: -ECANCELED, -EPROTO, or what kept a child from being a peer; 0. */
int channel_state(leat_channel *c);
/* Makes an inherited handle a peer for good; the first call in a child does it. */
void channel_arrive(leat_channel *c);
/* Tells the trace of crashed peers. Burying happens under locks of the channel, so it is told later: when the next call
 * begins or a receiver wakes. Call it without locks. */
void peers_tell_crashes(leat_channel *c);

static inline void channel_enter(leat_channel *c)
{
    if (atomic_load_explicit(&c->inherited, memory_order_relaxed))
        channel_arrive(c);
}

/* Each call on one direction begins with it. Returns 0; -EBADF: this end does not have the direction; or why no call
 * works any more. */
static inline int channel_begin(leat_channel *c, const struct channel_way *way)
{
    if (!way->lane)
        return -EBADF;
    channel_enter(c);
    if (atomic_load_explicit(&c->buried, memory_order_relaxed))
        peers_tell_crashes(c);
    return atomic_load_explicit(&c->broken, memory_order_relaxed);
}

/* The lock of one side of a lane. lock_take waits up to the limit, and repairs what a dead owner left. Returns 0,
 * -EAGAIN, -ETIMEDOUT, -ECANCELED, -EPROTO. */
int lock_take_slowly(leat_channel *c, struct lock *lock, const struct channel_limit *limit);
/* As lock_take_slowly, but it repairs nothing and does not wait for a dead owner: for a thread that repairs already.
 * Returns 0, -EAGAIN or -ETIMEDOUT. */
int lock_take_plainly(leat_channel *c, struct lock *lock, const struct channel_limit *limit);
/* Gives the lock back. True: an event loop was turned away meanwhile and has to be told (lock_request_notice). */
bool lock_give(struct lock *lock);
/* Asks the owner to tell event loops when it gives the lock back. False: the lock is free by now. */
bool lock_request_notice(struct lock *lock);
static inline int lock_take(leat_channel *c, struct lock *lock, const struct channel_limit *limit)
{
    uint32_t free = 0;
    if (!atomic_compare_exchange_strong_explicit(lock->word, &free, c->place + 1, memory_order_acquire,
                                                 memory_order_relaxed))
        return lock_take_slowly(c, lock, limit);
    atomic_store_explicit(&lock->held, true, memory_order_relaxed);
    return 0;
}
/* For a dead owner whose place this handle has locked. lock_inherit makes this handle the owner, lock_break makes the
 * lock free. False: the dead peer does not own the lock. */
bool lock_inherit(leat_channel *c, struct lock *lock, uint32_t place);
void lock_break(struct lock *lock, uint32_t place);
static inline uint32_t lock_owner(uint32_t word)
{
    return word & 0x3fffffff;
}

/* A test for which a thread sleeps: is there a message (lane->filled), or room (lane->freed)? */
typedef bool (*wait_test)(leat_channel *c, struct channel_way *way, uint64_t what);
/* Sleeps until `test` may be true, the patience or the limit is over, or a crashed peer was found. Returns 0: test
 * again. -EAGAIN, -ETIMEDOUT, -ECANCELED, -EPROTO. */
int wait_for(leat_channel *c, struct channel_way *way, _Atomic uint32_t *word, wait_test test, uint64_t what,
             const struct channel_limit *limit);
/* For a caller that will poll. wait_silence makes the descriptor silent. wait_arm does the same, unless `test` is true;
 * from then on a wake-up of `word` makes the descriptor readable. */
void wait_silence(struct channel_way *way);
void wait_arm(leat_channel *c, struct channel_way *way, _Atomic uint32_t *word, wait_test test, uint64_t what);
void wait_wake_slowly(struct channel_way *way, _Atomic uint32_t *word, int n);
/* Wakes up to n sleepers of `word`, and armed event loops. Call it after what `word` stands for has become true. */
static inline void wait_wake(struct channel_way *way, _Atomic uint32_t *word, int n)
{
    if (atomic_load(word) & 3)
        wait_wake_slowly(way, word, n);
}
/* As wait_wake, for a caller that has given no lock back since its store: it orders the load behind the store. */
static inline void wait_wake_ordered(struct channel_way *way, _Atomic uint32_t *word, int n)
{
    if (atomic_fetch_add(word, 0) & 3)
        wait_wake_slowly(way, word, n);
}
/* For n: all sleepers, because only one of them can use what has come, and it is not known which. */
#define WAKE_ALL (INT32_MAX - 1)
/* Makes all peers test everything again. */
void wait_wake_all(leat_channel *c);
/* Makes the event loops of this process look again, which poll descriptors of this handle. */
void wait_poke(leat_channel *c);

/* Takes a free place through `fd`, an open file of the memory of its own. Returns 0; -EUSERS: all places are taken; or
 * another negative errno. */
int peers_take(const leat_channel *c, int fd, uint32_t end, uint32_t attached, uint32_t *ret_place);
/* Takes a place for this handle itself, if need be that of a crashed peer. Returns as peers_take. */
int peers_join(leat_channel *c, int fd);
void peers_free(const leat_channel *c, int fd, uint32_t place);
/* Leaves the place of this handle. `failed`: the other peers see it as a crash. */
void peers_leave(leat_channel *c, bool failed);
/* Looks for crashed peers, unless that was done within the patience, and buries them. It takes no longer than the
 * caller may wait, and no longer than about BURY_NS. */
void peers_bury_crashed(leat_channel *c, const struct channel_limit *limit);
/* Buries the peer of a place if it has crashed: repairs what it left and frees the place. Returns 1: it was buried. 0:
 * it is alive, or there is none. Negative: the repair is not complete, and the peer keeps its place. */
int peers_bury(leat_channel *c, uint32_t place, const struct channel_limit *limit);
#define BURY_NS ((int64_t)10 * 1000000)
/* Has the other end been there, and gone? False as well while peers come and go all the time, since then it is not
 * known. */
bool peers_are_gone(leat_channel *c);

/* recover.c: repairs what the dead owner of a lock left; the caller has locked its place. recover_held also needs the
 * receivers' lock: messages that the peer held go back to the channel. */
void recover_sender(struct channel_way *way);
void recover_receiver(leat_channel *c, struct channel_way *way, uint32_t place);
int recover_held(leat_channel *c, struct channel_way *way, uint32_t place);

/* send.c: drops the message that this handle has begun to send and not finished. It takes no lock. */
void send_forget(leat_channel *c);

/* record.c: what lies in the ring. Nothing that a record says is trusted. */
static inline struct record *record_at(const leat_channel *c, const struct channel_way *way, uint64_t position)
{
    return (struct record *)(void *)(way->ring + (position & (c->g.ring - 1) & ~(uint64_t)(UNIT - 1)));
}
struct channel_found {
    uint64_t position, size; /* Of the record. */
    uint64_t extra;
    uint32_t length, mark;
    const uint8_t *bytes;
};
/* Copies what the record at `position` says, which must end within `room` bytes. Returns 0; -EPROTO: no correct peer
 * writes such a record. */
int record_look(leat_channel *c, const struct channel_way *way, uint64_t position, uint64_t room,
                struct channel_found *ret);
/* Needs the receivers' lock. Moves `head` over the records that are done. Returns 0 or -EPROTO. */
int record_give_back(leat_channel *c, struct channel_way *way);
/* Needs the receivers' lock. Finds the first record between `head` and `next` that came back from a receiver. Returns
 * 0; -EAGAIN: there is none; -EPROTO. */
int record_find_back(leat_channel *c, struct channel_way *way, struct channel_found *ret);

/* watch.c: from now on this handle, whose descriptors are polled, hears of crashed peers. Call it without `c->mutex`.
 * Returns 0, or a negative errno: it does not hear of them. */
int watch_start(leat_channel *c);
/* One poll descriptor less needs the watch. */
void watch_drop(leat_channel *c);
/* No poll descriptor needs it any more. */
void watch_stop(leat_channel *c);
void watch_before_fork(void);
void watch_in_parent(void);
void watch_in_child(void);

/* poll.c */
void poll_init(struct channel_way *way);
void poll_close(struct channel_way *way);

/* fork.c: a handle that a child inherits becomes a peer of its own. fork_enlist returns 0 or a negative errno. */
int fork_enlist(leat_channel *c);
void fork_delist(leat_channel *c);

/* create.c: reads and checks the geometry of a memory that this process was given. Returns 0; -EPROTO: it is no
 * channel; or another negative errno. */
int channel_read_geometry(int fd, struct geometry *ret);
/* Closes the handle so that the other peers see it as a crash. */
void channel_fail(leat_channel *c);

#endif
