/* SPDX-License-Identifier: MIT */
/* Keeps SIGPIPE away from the program while a thread of leat writes to pipes that may be closed. sigpipe_enter blocks
 * the signal. sigpipe_leave removes a signal that the writes caused, and restores the mask. A signal that was pending
 * before stays pending. */
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
