/* SPDX-License-Identifier: MIT */
/* A turn: a lock of one end of the pipe. A thread can wait for it with a deadline, and it can be closed for good.
 *
 * `word` is TURN_HELD while a thread has the turn, plus TURN_WAITER for each thread that waits, plus TURN_WISH if the
 * other end has wished for something meanwhile, plus TURN_CLOSED. Without contention, taking and giving are one
 * compare-and-swap each. When turn_close has returned, no thread is inside any more, so what the turn guards may be
 * freed. */
#ifndef PIPE_TURN_H
#define PIPE_TURN_H

#include "base/base.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#define TURN_HELD   1u
#define TURN_WISH   2u
#define TURN_CLOSED 4u
#define TURN_WAITER 8u

struct turn {
    atomic_uint word;
    pthread_mutex_t lock;
    pthread_cond_t cond;
};

int turn_init(struct turn *turn);
void turn_destroy(struct turn *turn);

/* Takes the turn. Returns 0; -ETIMEDOUT; -ECANCELED: the end is being closed. */
int turn_take(struct turn *turn, int64_t deadline_ns);

/* Takes the turn if it is free (true). Otherwise it leaves a wish: the next turn_give of the thread that has the turn
 * returns false. If the end is closed, no wish is left. */
bool turn_take_or_wish(struct turn *turn);

/* Gives the turn (true). False: the other end left a wish. Do what it wants, and give again. */
bool turn_give(struct turn *turn);

/* Closes the turn: no thread can take it any more, and threads that wait for it return -ECANCELED. turn_close also
 * waits until the thread that has the turn has given it; turn_shut does not wait. */
void turn_shut(struct turn *turn);
void turn_close(struct turn *turn);

static inline bool turn_is_closed(const struct turn *turn)
{
    return atomic_load(&turn->word) & TURN_CLOSED;
}

#endif
