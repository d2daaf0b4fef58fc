/* Whose turn it is at one end: a lock that can be waited for with a deadline, and that closes for good.
 *
 * `word` is TURN_HELD while somebody has it, plus TURN_WAITER for each that waits, plus TURN_WISH if the other end
 * wished for something meanwhile, plus TURN_CLOSED. Where nobody else is there taking and giving are one exchange each.
 * After turn_close nobody is inside any more, so that what it guards may be freed. */
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

/* 0, -ETIMEDOUT, or -ECANCELED when the end is being closed. */
int turn_take(struct turn *turn, int64_t deadline_ns);

/* Takes it if nobody has it (true). Else leaves a wish with whoever has it: turn_give then says false once. Nothing is
 * left where the end is closed. */
bool turn_take_or_wish(struct turn *turn);

/* True: it is given. False: somebody wished for something; do it and give again. */
bool turn_give(struct turn *turn);

/* Those who wait go with -ECANCELED; waits until whoever has it has given it. Nobody takes it afterwards. */
void turn_close(struct turn *turn);

#endif
