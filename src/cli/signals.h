/* SPDX-License-Identifier: MIT */
/* Signals that end a command. The first signal cancels the work; when everything is cleaned up, the command dies of it.
 */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include "cli.h"

/* Catches SIGINT, SIGTERM and SIGHUP, except those that are ignored. The handler cancels `pipeline` and notes the
 * signal. If `pipeline` is NULL, the handler only notes it and the caller polls signals_noted; a second signal of the
 * same kind then ends the command at once. */
void signals_catch(leat_pipeline *pipeline);
/* Tells the handler that the pipeline has ended, so that it does not cancel it. */
void signals_release(void);
/* Returns the signal that came, or 0. */
int signals_noted(void);
/* Ends the process with this signal as if it had never been caught, so that the shell sees the signal as the cause. */
void signals_raise(int number);
bool signals_is_ignored(int number);

/* Makes a pipe into which SIGUSR1 writes a byte. Returns its read end, or -1 if there is no pipe. */
int signals_wish(void);

#endif
