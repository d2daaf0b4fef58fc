/* SPDX-License-Identifier: MIT */
/* The parts of a child, for child.c and watch.c alone.
 *
 * Owners. A thread, the listener, reads the standard error of the child, so that a child that says much is not held up.
 * When the child has ended, the listener reads what is left there without waiting, because other processes may have
 * that pipe too. Then it reaps the child and writes a byte to `done`. The listener hears of the end from a pidfd. If
 * there is no pidfd, a second thread, the waiter, calls waitid(2) without reaping, and writes a byte to `gone`. Until
 * it is reaped, a dead child keeps its number. It is reaped only under the lock, so a signal of ours never reaches
 * another process.
 *
 * `status`, `over`, `reaped` and `left` are under the lock. `said` belongs to the listener until `done` has its byte.
 * If not even SIGKILL ends a child in time, the child is left behind, and the listener frees it. No signal handler is
 * needed.
 *
 * A child that must end takes with it the processes that it has started (`family`), also those that it has left
 * behind. */
#ifndef CHILD_INNER_H
#define CHILD_INNER_H

#include "child/child.h"
#include "child/family.h"
#include "child/spawn.h"
#include <pthread.h>
#include <signal.h>

struct child {
    struct spawned s;
    unsigned origin;
    int unread;  /* A descriptor that reads its input, to find out how many bytes are left there. Or -1. */
    int exited;  /* A pidfd, or -1. */
    int gone[2]; /* Used if there is no pidfd. */
    int done[2];
    pthread_t waiter, listener;
    pthread_mutex_t lock;
    siginfo_t status;
    bool over;   /* Its status was taken. */
    bool reaped; /* Its number may belong to another process. */
    bool lost;   /* Another part of the program has reaped it, or the kernel did: its status is not known. */
    bool left;
    bool ended;     /* `done` was read, and the threads have ended. */
    bool signalled; /* By us. */
    enum {
        RUNNING,
        GRACE,
        TERMINATED,
        KILLED,
        LET_GO
    } step;
    int64_t until_ns; /* The deadline of this step. */
    struct family family;
    size_t said_n;
    bool cut; /* Earlier bytes were dropped. */
    char said[CHILD_SAID_MAX + 1];
};

/* watch.c, which child.c calls and which calls nothing of child.c.
 *
 * Writes how the child ended, as a part of a sentence. It uses nothing that other threads than the listener change. */
void child_describe_end(const struct child *c, char text[CHILD_TEXT_MAX]);

/* Starts the threads of the child. Returns 0, or a negative errno; then the child was killed and reaped. */
int child_watch(struct child *child);

/* Frees the child, when none of its threads runs any more, or from the last one. */
void child_destroy(struct child *child);

#endif
