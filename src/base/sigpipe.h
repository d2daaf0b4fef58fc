/* Keeps SIGPIPE from the program while a thread of ours writes to pipes that may be closed: blocked on entry, a signal
 * that we caused is taken away on leaving, the mask is restored. One that was pending before stays pending. */
#ifndef BASE_SIGPIPE_H
#define BASE_SIGPIPE_H

#include <signal.h>
#include <stdbool.h>

struct sigpipe_guard {
    sigset_t saved;
    bool was_pending;
};

void sigpipe_enter(struct sigpipe_guard *guard);
void sigpipe_leave(struct sigpipe_guard *guard);

#endif
