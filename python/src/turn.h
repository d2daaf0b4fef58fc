/* SPDX-License-Identifier: MIT */
/* The right to use one end of a pipe. A call keeps it while it is cut into slices, so the bytes of two calls of one end
 * are never mixed. Nobody waits for it with the GIL held. */
#ifndef LEAT_PYTHON_TURN_H
#define LEAT_PYTHON_TURN_H

#include <pthread.h>
#include <stdbool.h>

struct turn {
    pthread_mutex_t lock;
    pthread_cond_t given;
    bool taken;
    bool made; /* turn_init has succeeded */
};

/* 0 or a negative errno. */
int turn_init(struct turn *turn);

/* Waits for up to timeout_ms; -1: without a limit. 0; -EAGAIN or -ETIMEDOUT: another thread still has it. */
int turn_take(struct turn *turn, int timeout_ms);

void turn_give(struct turn *turn);

/* A turn of zeros, which was never made, is allowed. */
void turn_free(struct turn *turn);

#endif
