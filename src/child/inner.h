/* What a child is made of, for child.c and child_watch.c alone.
 *
 * Who owns what: the listener, a thread, reads the child's standard error, so that a child that says much is never held
 * up; when the child is gone it takes what is left there without waiting, because others may have that pipe too, reaps
 * the child, and says so through `done`. That the child is gone it hears from a pidfd; where there is none, from a
 * second thread, the waiter, which sits in waitid(2), leaves the dead where they are, and says so through `gone`.
 * Between the death and the reaping the number is still the child's, and it is only reaped under the lock: so a signal
 * of ours never meets somebody else.
 *
 * `status`, `over`, `reaped` and `left` are under the lock; `said` is the listener's until `done` has its byte. A child
 * that not even SIGKILL ends in time is left behind: the listener then frees it. No signal handler is needed.
 *
 * A child that is to end takes with it what it has started (`family`), also what it has left behind. */
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
    int unread;  /* a reading end of its input, to be asked what it has left there; or -1 */
    int exited;  /* a pidfd, or -1 */
    int gone[2]; /* if there is no pidfd */
    int done[2];
    pthread_t waiter, listener;
    pthread_mutex_t lock;
    siginfo_t status;
    bool over;   /* its status was taken */
    bool reaped; /* its number may be another process's */
    bool lost;   /* somebody else has reaped it, or nobody may: its status is not known */
    bool left;
    bool ended;     /* `done` was seen, and the threads are gone */
    bool signalled; /* by us */
    enum {
        RUNNING,
        GRACE,
        TERMINATED,
        KILLED,
        LET_GO
    } step;
    int64_t until_ns; /* of this step */
    struct family family;
    size_t said_n;
    bool cut; /* more was said before */
    char said[CHILD_SAID_MAX + 1];
};

/* Starts its threads. -errno: it was killed and reaped. */
int child_watch(struct child *child);

/* When no thread of it runs, or by the last one. */
void child_destroy(struct child *child);

#endif
