/* Signals that end a command: the first one asks for an end, and what it asked for happens when all is cleaned up. */
#ifndef CLI_SIGNALS_H
#define CLI_SIGNALS_H

#include "cli.h"

/* From now on SIGINT, SIGTERM and SIGHUP, where they are not ignored, cancel `pipeline` and are noted. NULL: the caller
 * looks for a note; a second signal of the same kind then ends the command at once. */
void signals_catch(leat_pipeline *pipeline);
/* The pipeline has ended. */
void signals_release(void);
/* The one that came, or 0. */
int signals_noted(void);
/* Dies of it as if it had never been caught, so that the shell sees what happened. */
void signals_raise(int number);
bool signals_is_ignored(int number);

/* From now on SIGUSR1 writes a byte into a pipe, whose read end this is; -1: there is none. */
int signals_wish(void);

#endif
