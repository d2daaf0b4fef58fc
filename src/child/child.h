/* A child process on pipes: /bin/sh -c COMMAND, what it says on its standard error, how it ended, and its end in
 * bounded time. A child belongs to one thread, but for what its own threads do (child_watch.c); another one may have
 * its input. */
#ifndef CHILD_CHILD_H
#define CHILD_CHILD_H

#include "base/wait.h"

struct child;

enum child_pipes {
    CHILD_STDIN = 1 << 0,  /* a pipe that we write to; else it reads /dev/null */
    CHILD_STDOUT = 1 << 1, /* a pipe that we read; else it has ours */
};

/* How long it may take until it is gone. */
enum child_patience {
    CHILD_MAY_END,    /* as long as it likes */
    CHILD_SHOULD_END, /* a second; then it must */
    CHILD_MUST_END,   /* SIGTERM now, SIGKILL a second later, and all that it has started as well */
};

/* Starts it, in our process group, so that it has the terminal as we do (but see spawn.c). Its signal mask is empty and
 * SIGPIPE means what it usually does; of our descriptors it has none but its three, of the program's those that are not
 * close-on-exec. -errno: *ret_operation names what failed. */
int child_start(struct child **ret, const char *command, unsigned pipes, const char **ret_operation);

/* Our ends, non-blocking and borrowed; -1: there is none, or it is closed. */
int child_stdin(const struct child *child);
int child_stdout(const struct child *child);
void child_close_stdin(struct child *child);
void child_close_stdout(struct child *child);

/* Bytes in the pipe of its input that it has not taken, once it is gone; 0 if unknown. */
size_t child_unread(const struct child *child);

/* 0: it is gone, and all is known. -EAGAIN: not yet; call again when *port is ready or at *ret_deadline_ns (0: none).
 * The patience may get shorter from call to call, also after it is gone: CHILD_MUST_END then ends what it has left
 * behind. Never blocks, but reads /proc when it sends a signal: some
 * milliseconds, and two seconds at most where processes hide their environment from readers. */
int child_end(struct child *child, enum child_patience patience, struct port *port, int64_t *ret_deadline_ns);

/* The rest is known once it is gone. */

/* How it ended: 0 if it exited with status 0; 1 if not, and `text` says how ("exited with status 3"); -ESRCH if that is
 * our own doing (a signal of ours) and says nothing about it. */
#define CHILD_TEXT_MAX 96
int child_verdict(const struct child *child, char text[CHILD_TEXT_MAX]);

/* The last of what it said on its standard error, at most CHILD_SAID_MAX bytes, from the start of a line where that is
 * possible; no NUL, no trailing newline. "" if it said nothing. Lives as long as the child. */
#define CHILD_SAID_MAX 4096
const char *child_said(const struct child *child);

/* Kills it if it still runs, and waits for that, but not for ever. NULL is allowed; returns NULL. */
struct child *child_free(struct child *child);

#endif
