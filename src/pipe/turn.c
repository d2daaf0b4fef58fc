/* SPDX-License-Identifier: MIT */
#include "pipe/turn.h"
#include "base/thread.h"
#include "pipe/park.h"
#include <errno.h>

int turn_init(struct turn *turn)
{
    atomic_init(&turn->word, 0);
    int r = -pthread_mutex_init(&turn->lock, NULL);
    if (r == 0 && (r = thread_cond_init(&turn->cond)) < 0)
        pthread_mutex_destroy(&turn->lock);
    return r;
}

void turn_destroy(struct turn *turn)
{
    pthread_cond_destroy(&turn->cond);
    pthread_mutex_destroy(&turn->lock);
}

static bool take_free(struct turn *turn)
{
    unsigned word = atomic_load(&turn->word);
    while (!(word & TURN_HELD))
        if (atomic_compare_exchange_weak(&turn->word, &word, word | TURN_HELD))
            return true;
    return false;
}

static int wait_for_it(struct turn *turn, int64_t deadline_ns)
{
    int r = 0;
    bool in_time = true;
    pthread_mutex_lock(&turn->lock);
    atomic_fetch_add(&turn->word, TURN_WAITER);
    for (;;) {
        if (atomic_load(&turn->word) & TURN_CLOSED)
            r = -ECANCELED;
        if (r < 0 || take_free(turn))
            break;
        if (!in_time) {
            r = -ETIMEDOUT;
            break;
        }
        in_time = thread_cond_wait(&turn->cond, &turn->lock, deadline_ns);
    }
    unsigned before = atomic_fetch_sub(&turn->word, TURN_WAITER);
    if (before & TURN_CLOSED)
        pthread_cond_broadcast(&turn->cond);
    pthread_mutex_unlock(&turn->lock);
    return r;
}

int turn_take(struct turn *turn, int64_t deadline_ns)
{
    unsigned nobody = 0;
    return atomic_compare_exchange_strong(&turn->word, &nobody, TURN_HELD) ? 0 : wait_for_it(turn, deadline_ns);
}

bool turn_take_or_wish(struct turn *turn)
{
    unsigned word = atomic_load(&turn->word);
    for (;;) {
        if (word & TURN_CLOSED)
            return false;
        unsigned wanted = word & TURN_HELD ? word | TURN_WISH : word | TURN_HELD;
        if (atomic_compare_exchange_weak(&turn->word, &word, wanted))
            return !(word & TURN_HELD);
    }
}

/* If a thread waits, the turn is given under the lock: a thread that then closes the end gets the lock only when this
 * thread has left it. */
bool turn_give(struct turn *turn)
{
    unsigned word = TURN_HELD;
    if (atomic_compare_exchange_strong(&turn->word, &word, 0))
        return true;
    if (word & TURN_WISH) {
        atomic_fetch_and(&turn->word, ~TURN_WISH);
        return false;
    }
    pthread_mutex_lock(&turn->lock);
    word = atomic_load(&turn->word);
    while (!(word & TURN_WISH) && !atomic_compare_exchange_weak(&turn->word, &word, word & ~TURN_HELD))
        ;
    bool given = !(word & TURN_WISH);
    if (given)
        pthread_cond_broadcast(&turn->cond);
    else
        atomic_fetch_and(&turn->word, ~TURN_WISH);
    pthread_mutex_unlock(&turn->lock);
    return given;
}

void turn_shut(struct turn *turn)
{
    pthread_mutex_lock(&turn->lock);
    atomic_fetch_or(&turn->word, TURN_CLOSED);
    pthread_cond_broadcast(&turn->cond);
    pthread_mutex_unlock(&turn->lock);
}

void turn_close(struct turn *turn)
{
    turn_shut(turn);
    pthread_mutex_lock(&turn->lock);
    while (atomic_load(&turn->word) & ~TURN_CLOSED)
        pthread_cond_wait(&turn->cond, &turn->lock);
    pthread_mutex_unlock(&turn->lock);
}
