/* SPDX-License-Identifier: MIT */
/* A child process on pipes: it runs /bin/sh -c COMMAND. This room knows what the child says on its standard error and
 * how it ended, and ends it in bounded time. A child belongs to one thread, except for what its own threads do
 * (watch.c). Another thread may use its input. */
#ifndef CHILD_CHILD_H
#define CHILD_CHILD_H

#include "base/wait.h"

struct child;

enum child_pipes {
    CHILD_STDIN = 1 << 0,  /* A pipe to which we write. Otherwise the child reads /dev/null. */
    CHILD_STDOUT = 1 << 1, /* A pipe that we read. Otherwise the child has our standard output. */
};

/* How long the child may take until it has ended. */
enum child_patience {
    CHILD_MAY_END,    /* Without a limit. */
    CHILD_SHOULD_END, /* A second. Then it must end. */
    CHILD_MUST_END,   /* SIGTERM now, and SIGKILL a second later, also to all processes that it has started. */
};

/* Starts the child in our process group, so that it has the terminal as we do (but see spawn.c). Its signal mask is
 * empty, and SIGPIPE has its default action. Of our descriptors it has only its three; of the program's it has those
 * that are not close-on-exec. Returns 0, or a negative errno; then *ret_operation names what failed. */
int child_start(struct child **ret, const char *command, unsigned pipes, const char **ret_operation);

/* Our ends of the pipes, non-blocking and borrowed. -1: there is none, or it is closed. */
int child_stdin(const struct child *child);
int child_stdout(const struct child *child);
void child_close_stdin(struct child *child);
void child_close_stdout(struct child *child);

/* How many bytes of its input the child has left in the pipe, once it has ended. 0 if unknown. */
size_t child_unread(const struct child *child);

/* Ends the child step by step. Returns 0: it has ended, and all is known, or it is left behind, because it has not even
 * ended by SIGKILL, as if it runs as another user. -EAGAIN: not yet; call again when *port is
 * ready or at *ret_deadline_ns (0: none). The patience may get shorter from call to call, even after the child has
 * ended: then CHILD_MUST_END ends the processes that it has left behind. The call does not block, but it reads /proc
 * when it sends a signal. That takes some milliseconds, and at most two seconds where processes keep readers of their
 * environment waiting. */
int child_end(struct child *child, enum child_patience patience, struct port *port, int64_t *ret_deadline_ns);

/* Is the child left behind, and still runs? */
bool child_is_left(const struct child *child);
#define CHILD_LEFT "can't be stopped, and still runs"

/* The rest is known once the child has ended. */

/* How the child ended. 0: it exited with status 0. 1: otherwise; then `text` says how ("exited with status 3"). -ESRCH:
 * the reason is a signal of ours, so it says nothing about the child. If the child is left behind, the result is 1 and
 * the text is CHILD_LEFT. */
#define CHILD_TEXT_MAX 96
int child_verdict(const struct child *child, char text[CHILD_TEXT_MAX]);

/* The last bytes that the child said on its standard error: at most CHILD_SAID_MAX, from the start of a line where that
 * is possible, without a trailing newline. A NUL byte in them is shown as '?'. "" if it said nothing. Lives as long as
 * the child. */
#define CHILD_SAID_MAX 4096
const char *child_said(const struct child *child);

/* Kills the child if it still runs, waits for its end for a bounded time, and frees it. NULL is allowed. Returns
 * NULL. */
struct child *child_free(struct child *child);

#endif
