/* SPDX-License-Identifier: MIT */
/* A word of shared memory as a lock: 0, or the place of the owner plus 1, with the bits WAITED and POLLED. A receiver
 * gives its lock back before it sleeps. A sender keeps its lock while it waits for room, so that long messages get
 * their turn. The owner may crash. A call that waits longer than LOOK_NS checks whether the owner is alive, and repairs
 * what a dead owner left. A repair takes locks plainly and starts no other repair, so there is no recursion, whatever a
 * peer writes into the words. */
#include "base/spin.h"
#include "channel/channel.h"
#include <errno.h>

#define WAITED  0x80000000u /* A call sleeps for the lock. */
#define POLLED  0x40000000u /* An event loop was turned away because of the lock. */
#define SPINS   200
#define YIELDS  20
#define LOOK_NS ((int64_t)10 * 1000000)
/* The scheduler may stop a thread of ours between the store of the word and the store of `held`. */
#define STRANGE_NS ((int64_t)2000 * 1000000)

static bool try_take(leat_channel *c, struct lock *lock, uint32_t mark)
{
    uint32_t word = atomic_load_explicit(lock->word, memory_order_relaxed);
    if (lock_owner(word) || !atomic_compare_exchange_strong(lock->word, &word, (c->place + 1) | mark))
        return false;
    atomic_store_explicit(&lock->held, true, memory_order_relaxed);
    return true;
}

/* Sleeps for a short time, or until the lock is given back. */
static void sleep_once(struct lock *lock, int64_t ns)
{
    uint32_t word = atomic_load(lock->word);
    if (!lock_owner(word))
        return;
    if (!(word & WAITED) && !atomic_compare_exchange_strong(lock->word, &word, word | WAITED))
        return;
    platform.sharing->wait(lock->word, word | WAITED, ns);
}

/* After a sleep: is the owner a possible one, and is it alive? */
static int look_at_owner(leat_channel *c, struct lock *lock, int64_t *strange, const struct channel_limit *limit)
{
    uint32_t owner = lock_owner(atomic_load(lock->word));
    if (owner > c->g.places)
        return channel_corrupt(c);
    if (owner == c->place + 1) {
        /* No thread of this handle has had the lock for a long time, so another peer wrote our place into the word. */
        int64_t now = clock_ns();
        *strange = atomic_load(&lock->held) ? 0 : *strange ? *strange : now;
        return *strange && now - *strange > STRANGE_NS ? channel_corrupt(c) : 0;
    }
    *strange = 0;
    if (owner)
        peers_bury(c, owner - 1, limit);
    return 0;
}

static bool try_often(leat_channel *c, struct lock *lock)
{
    struct spin_budget looks = {SPINS, INT64_MAX}, yields = {YIELDS, INT64_MAX};
    while (spin_again(&looks))
        if (try_take(c, lock, 0))
            return true;
    while (spin_yield(&yields))
        if (try_take(c, lock, 0))
            return true;
    return false;
}

int lock_take_plainly(leat_channel *c, struct lock *lock, const struct channel_limit *limit)
{
    if (try_often(c, lock))
        return 0;
    int64_t left;
    while ((left = limit_left(limit, LOOK_NS)) > 0) {
        uint32_t owner = lock_owner(atomic_load(lock->word));
        if (owner && owner <= c->g.places && owner != c->place + 1 && platform.sharing->locked(c->fd, owner - 1) == 0)
            break;
        sleep_once(lock, left);
        if (try_take(c, lock, WAITED))
            return 0;
    }
    return limit_code(limit);
}

int lock_take_slowly(leat_channel *c, struct lock *lock, const struct channel_limit *limit)
{
    int64_t strange = 0;
    if (try_often(c, lock))
        return 0;
    /* A call that does not wait also checks once whether the owner is dead: perhaps no other call ever does. */
    do {
        int r = limit->now ? 0 : channel_state(c);
        if (r == 0 && !limit->now)
            sleep_once(lock, limit_left(limit, LOOK_NS));
        if (try_take(c, lock, limit->now ? 0 : WAITED))
            return 0;
        if (r == 0)
            r = look_at_owner(c, lock, &strange, limit);
        if (r < 0)
            return r;
        if (try_take(c, lock, WAITED))
            return 0;
    } while (!limit->now && limit_left(limit, LOOK_NS) > 0);
    return limit_code(limit);
}

bool lock_give(struct lock *lock)
{
    atomic_store_explicit(&lock->held, false, memory_order_relaxed);
    uint32_t word = atomic_exchange(lock->word, 0);
    if (word & WAITED)
        platform.sharing->wake(lock->word, 1);
    return word & POLLED;
}

/* Correct peers change the word of a dead owner a few times at most, to set WAITED. A malicious peer must not keep this
 * thread in the loop. */
#define TRIES 1000

bool lock_request_notice(struct lock *lock)
{
    uint32_t word = atomic_load(lock->word);
    for (int i = 0; i < TRIES && lock_owner(word); i++)
        if (atomic_compare_exchange_weak(lock->word, &word, word | POLLED))
            return true;
    return false;
}

bool lock_inherit(leat_channel *c, struct lock *lock, uint32_t place)
{
    uint32_t word = atomic_load(lock->word);
    for (int i = 0; i < TRIES && lock_owner(word) == place + 1; i++)
        if (atomic_compare_exchange_weak(lock->word, &word, (c->place + 1) | (word & (WAITED | POLLED)))) {
            atomic_store_explicit(&lock->held, true, memory_order_relaxed);
            return true;
        }
    return false;
}

void lock_break(struct lock *lock, uint32_t place)
{
    uint32_t word = atomic_load(lock->word);
    for (int i = 0; i < TRIES && lock_owner(word) == place + 1; i++)
        if (atomic_compare_exchange_weak(lock->word, &word, 0)) {
            if (word & WAITED)
                platform.sharing->wake(lock->word, 1);
            return;
        }
}
