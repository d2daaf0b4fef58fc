/* A word of shared memory as a lock: 0, or the owner's place + 1 and perhaps WAITED. It is never held over a sleep that
 * a receiver's lock guards; a sender keeps his while he waits for room, so that long messages get their turn. The owner
 * may die; whoever waits longer than LOOK_NS looks whether he did. */
#include "channel/channel.h"
#include <errno.h>
#include <sched.h>

#define WAITED  0x80000000u
#define SPINS   200
#define YIELDS  20
#define LOOK_NS ((int64_t)10 * 1000000)

static bool try_take(leat_channel *c, struct lock *lock, uint32_t mark)
{
    uint32_t word = atomic_load_explicit(lock->word, memory_order_relaxed);
    if (lock_owner(word) || !atomic_compare_exchange_strong(lock->word, &word, (c->place + 1) | mark))
        return false;
    atomic_store_explicit(&lock->held, true, memory_order_relaxed);
    return true;
}

/* Sleeps until it is given back, for a short time. */
static void sleep_once(struct lock *lock, int64_t ns)
{
    uint32_t word = atomic_load(lock->word);
    if (!lock_owner(word))
        return;
    if (!(word & WAITED) && !atomic_compare_exchange_strong(lock->word, &word, word | WAITED))
        return;
    platform.sharing->wait(lock->word, word | WAITED, ns);
}

/* After a sleep: is the owner one that can be, and is he alive? */
static int look_at_owner(leat_channel *c, struct lock *lock, unsigned *strange)
{
    uint32_t owner = lock_owner(atomic_load(lock->word));
    if (owner > c->g.places)
        return channel_corrupt(c);
    if (owner == c->place + 1) {
        /* No thread of ours has it, and that twice: somebody else wrote it. */
        *strange = atomic_load(&lock->held) ? 0 : *strange + 1;
        return *strange > 2 ? channel_corrupt(c) : 0;
    }
    if (owner)
        peers_bury(c, owner - 1);
    return 0;
}

int lock_take_slowly(leat_channel *c, struct lock *lock, const struct limit *limit)
{
    unsigned strange = 0;
    for (int i = 0; i < SPINS; i++)
        if (try_take(c, lock, 0))
            return 0;
    for (int i = 0; i < YIELDS; i++) {
        sched_yield();
        if (try_take(c, lock, 0))
            return 0;
    }
    /* Also a call that does not wait looks once whether the owner is dead: nobody else might. */
    do {
        int r = limit->now ? 0 : channel_state(c);
        if (r == 0 && !limit->now)
            sleep_once(lock, limit_left(limit, LOOK_NS));
        if (try_take(c, lock, limit->now ? 0 : WAITED))
            return 0;
        if (r == 0)
            r = look_at_owner(c, lock, &strange);
        if (r < 0)
            return r;
        if (try_take(c, lock, WAITED))
            return 0;
    } while (!limit->now && limit_left(limit, LOOK_NS) > 0);
    return limit_code(limit);
}

void lock_give(struct lock *lock)
{
    atomic_store_explicit(&lock->held, false, memory_order_relaxed);
    if (atomic_exchange(lock->word, 0) & WAITED)
        platform.sharing->wake(lock->word, 1);
}

bool lock_inherit(leat_channel *c, struct lock *lock, uint32_t place)
{
    uint32_t word = atomic_load(lock->word);
    while (lock_owner(word) == place + 1)
        if (atomic_compare_exchange_weak(lock->word, &word, (c->place + 1) | (word & WAITED))) {
            atomic_store_explicit(&lock->held, true, memory_order_relaxed);
            return true;
        }
    return false;
}

void lock_break(struct lock *lock, uint32_t place)
{
    uint32_t word = atomic_load(lock->word);
    while (lock_owner(word) == place + 1)
        if (atomic_compare_exchange_weak(lock->word, &word, 0)) {
            if (word & WAITED)
                platform.sharing->wake(lock->word, 1);
            return;
        }
}
