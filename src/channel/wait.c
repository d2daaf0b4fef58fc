/* SPDX-License-Identifier: MIT */
/* Sleeping until there is something to receive or room to send, and waking.
 *
 * The word for sleepers is a counter above two bits: SLEEPS says that a thread sleeps on the word, ARMED that an event
 * loop polls. A thread that wants to sleep sets the bit, tests once more, and sleeps while the word is unchanged. A
 * thread that makes the test true loads the word afterwards. It clears the bits and counts before it wakes, so a thread
 * that was about to sleep does not. Both sides load after their store, so at least one of them sees the other. Each
 * sleep ends after the patience, so a waker that is killed in between costs no more than that. */
#include "base/spin.h"
#include "channel/channel.h"
#include <errno.h>

#define SLEEPS    1u
#define ARMED     2u
#define ONE       4u
#define SPINS_MAX 4000u
#define SPINS_MIN 100u
#define RESTS     255u

struct channel_limit limit_of(int timeout_ms)
{
    struct channel_limit l = {0};
    if (timeout_ms == 0)
        l.now = true;
    else if (timeout_ms > 0)
        l.deadline_ns = clock_ns() + (int64_t)timeout_ms * 1000000;
    return l;
}

struct channel_limit limit_shorter(const struct channel_limit *limit, int64_t longest)
{
    struct channel_limit l = {.now = limit->now, .deadline_ns = clock_ns() + longest};
    if (limit->deadline_ns)
        l.deadline_ns = MIN(l.deadline_ns, limit->deadline_ns);
    return l;
}

int64_t limit_left(const struct channel_limit *limit, int64_t longest)
{
    if (limit->now)
        return 0;
    if (!limit->deadline_ns)
        return longest;
    int64_t left = limit->deadline_ns - clock_ns();
    return left < 0 ? 0 : MIN(left, longest);
}

int limit_code(const struct channel_limit *limit)
{
    return limit->now ? -EAGAIN : -ETIMEDOUT;
}

int channel_corrupt(leat_channel *c)
{
    atomic_store(&c->head->corrupt, 1);
    if (atomic_exchange(&c->broken, -EPROTO) != -EPROTO)
        wait_wake_all(c);
    return -EPROTO;
}

int channel_state(leat_channel *c)
{
    if (atomic_load(&c->cancelled))
        return -ECANCELED;
    if (atomic_load_explicit(&c->head->corrupt, memory_order_relaxed))
        atomic_store(&c->broken, -EPROTO);
    return atomic_load(&c->broken);
}

static _Atomic uint32_t *word_of(struct channel_way *way, int which)
{
    return which == 0 ? &way->lane->filled : &way->lane->freed;
}

/* Clears the bits and returns them as they were. If a peer changes the word all the time, both are returned. */
static uint32_t take_bits(_Atomic uint32_t *word)
{
    uint32_t value = atomic_load(word);
    for (int i = 0; i < 1000 && (value & (SLEEPS | ARMED)); i++)
        if (atomic_compare_exchange_weak(word, &value, (value + ONE) & ~(SLEEPS | ARMED)))
            return value;
    if (!(value & (SLEEPS | ARMED)))
        return 0;
    atomic_fetch_add(word, ONE);
    return SLEEPS | ARMED;
}

/* Wakes one sleeper more than is needed. If fewer slept, none is left, and the next sleeper sets the bit again. */
void wait_wake_slowly(struct channel_way *way, _Atomic uint32_t *word, int n)
{
    uint32_t value = take_bits(word);
    if (value & ARMED)
        platform.sharing->event_set(way->event);
    if ((value & SLEEPS) && platform.sharing->wake(word, n + 1) > n)
        atomic_fetch_or(word, SLEEPS);
}

/* Wakes all sleepers, whatever the bits say: a peer may have died that cleared them before it woke a sleeper. */
static void wake_everybody(struct channel_way *way)
{
    for (int i = 0; way->lane && i < 2; i++) {
        atomic_fetch_add(word_of(way, i), ONE);
        platform.sharing->wake(word_of(way, i), INT32_MAX);
    }
    if (way->lane)
        platform.sharing->event_set(way->event);
}

void wait_wake_all(leat_channel *c)
{
    wake_everybody(&c->out);
    wake_everybody(&c->in);
}

void wait_poke(leat_channel *c)
{
    if (atomic_load(&c->out.polled))
        platform.sharing->event_set(c->out.alarm);
    if (atomic_load(&c->in.polled))
        platform.sharing->event_set(c->in.alarm);
}

void leat_channel_cancel(leat_channel *c)
{
    int saved = errno;
    atomic_store(&c->cancelled, true);
    wait_wake_all(c);
    if (c->out.lane)
        platform.sharing->wake(c->out.senders.word, INT32_MAX);
    if (c->in.lane)
        platform.sharing->wake(c->in.receivers.word, INT32_MAX);
    errno = saved;
}

/* Spinning was in vain again: the next waits do not spin, and more of them each time. */
static void spin_less(struct channel_way *way, unsigned spins)
{
    unsigned pause = atomic_load_explicit(&way->pause, memory_order_relaxed);
    if (pause || spins <= SPINS_MIN)
        pause = MIN(2 * pause + 1, RESTS);
    atomic_store_explicit(&way->pause, pause, memory_order_relaxed);
    atomic_store_explicit(&way->rests, pause, memory_order_relaxed);
    atomic_store_explicit(&way->spins, pause ? SPINS_MIN : MAX(spins / 2, SPINS_MIN), memory_order_relaxed);
}

/* How many times to test now. After a pause it is so often that a peer that is asleep can wake up and answer; from then
 * on two peers that talk to each other find each other awake. On one processor, spinning keeps the peer from
 * answering. */
static unsigned spins_now(struct channel_way *way)
{
    if (!atomic_load_explicit(&way->pause, memory_order_relaxed))
        return atomic_load_explicit(&way->spins, memory_order_relaxed);
    return platform.processors() == 1 ? 0 : SPINS_MAX;
}

/* Tests for as long as that has paid lately. Where it has not, it spins only now and then. */
static bool spin(leat_channel *c, struct channel_way *way, wait_test test, uint64_t what)
{
    unsigned rests = atomic_load_explicit(&way->rests, memory_order_relaxed);
    if (rests) {
        atomic_store_explicit(&way->rests, rests - 1, memory_order_relaxed);
        return false;
    }
    unsigned spins = spins_now(way);
    struct spin_budget budget = {spins, INT64_MAX};
    while (spin_again(&budget)) {
        if (test(c, way, what)) {
            atomic_store_explicit(&way->spins, MIN(2 * spins, SPINS_MAX), memory_order_relaxed);
            atomic_store_explicit(&way->pause, 0, memory_order_relaxed);
            return true;
        }
        spin_pause();
    }
    spin_less(way, spins);
    return false;
}

int wait_for(leat_channel *c, struct channel_way *way, _Atomic uint32_t *word, wait_test test, uint64_t what,
             const struct channel_limit *limit)
{
    /* This comes first: otherwise a peer that makes `test` true for what the caller cannot take would keep the call for
     * ever. */
    int64_t left = limit_left(limit, PATIENCE_NS);
    if (left == 0)
        return limit_code(limit);
    int r = channel_state(c);
    if (r < 0)
        return r;
    if (spin(c, way, test, what))
        return 0;
    uint32_t value = atomic_fetch_or(word, SLEEPS) | SLEEPS;
    r = channel_state(c);
    if (r < 0 || test(c, way, what))
        return r;
    platform.sharing->wait(word, value, left);
    peers_bury_crashed(c, limit);
    return 0;
}

void wait_silence(struct channel_way *way)
{
    platform.sharing->poller_clear(way->poll_fd);
    if (way->timer >= 0)
        platform.sharing->poller_clear_timer(way->timer);
}

/* First armed and then silent: what comes in between is seen by the test that follows. */
void wait_arm(leat_channel *c, struct channel_way *way, _Atomic uint32_t *word, wait_test test, uint64_t what)
{
    atomic_fetch_or(word, ARMED);
    wait_silence(way);
    if (test(c, way, what))
        platform.sharing->event_set(way->alarm);
}
