/* SPDX-License-Identifier: MIT */
/* Descriptors. *Borrow*: the function uses the descriptor and does not close it. *Take*: the function becomes the owner
 * and closes it, on failure too. *Give*: the caller becomes the owner and closes it. -1 means no descriptor. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/base.h"
#include <stdbool.h>

/* Closes `fd` if it is not negative, and returns -1, for `fd = fd_close(fd)`. errno stays unchanged. */
int fd_close(int fd);
void fd_close_pointer(int *fd);
#define CLEANUP_FD CLEANUP(fd_close_pointer)

/* Calls open(2) with close-on-exec, and repeats it on EINTR. Gives the descriptor, which is above 2, or returns -errno;
 * -EBUSY if a lease of another process blocks the open. */
int fd_open(const char *path, int flags, unsigned mode);

/* Makes a new descriptor close-on-exec and non-blocking. Returns 0 or -errno. Borrows `fd`: the caller closes it, on
 * failure too. */
int fd_own(int fd);

/* Creates a file without a name, for data that is too long for memory. It is in TMPDIR, or else in /var/tmp, because
 * /tmp is often memory. Gives the descriptor or returns -errno. If the file system does not support such files, the
 * file has a name for a moment; if the program is killed at that moment, the name stays. */
int fd_unnamed(void);
/* Same as fd_unnamed, in this folder. */
int fd_unnamed_in(const char *folder);

/* Moves a new descriptor that is 0, 1 or 2 to a higher number. The program may have been started without standard
 * input, output or error, so that open() reuses that number; without the move, the output of the program would go into
 * our file. Takes `fd`, on failure too; returns a negative `fd` as it is. Gives the descriptor or returns -errno. */
int fd_above_standard(int fd);

/* Open a socket, and accept the next connection of a listener. The descriptors are close-on-exec, non-blocking and
 * above 2. Both give the descriptor or return -errno. */
int fd_socket(int family, int type, int protocol);
int fd_accept(int listener);

/* Makes a later close of the socket reset its connection, so that the peer does not take the close for an end of file.
 * Only TCP supports this. */
void fd_reset_on_close(int fd);

/* Makes a pipe whose ends are both close-on-exec and non-blocking. On Linux they are so from the start, so that a fork
 * in another thread never sees them otherwise. Gives both ends, or returns -errno. */
int fd_pipe(int ret[2]);

/* Writes a byte into a pipe of ours, so that its other end becomes readable; a full pipe is readable already. Borrows
 * `fd`, which may be -1. True: the byte was written. errno stays unchanged. Any thread; async-signal-safe. */
bool fd_wake(int fd);

/* A descriptor for callers that poll: fd[0] is readable while the flag is raised. The owner's lock guards it. */
struct fd_flag {
    int fd[2]; /* A pipe, made when the descriptor is first asked for. */
    bool raised;
};
#define FD_FLAG_NONE ((struct fd_flag){.fd = {-1, -1}})

/* Makes the pipe, unless it is there. Returns 0 or -errno. */
int fd_flag_open(struct fd_flag *flag);
/* Raises or lowers the flag. If no caller has asked for the descriptor, there is none, and the call does nothing. */
void fd_flag_set(struct fd_flag *flag, bool raised);
void fd_flag_close(struct fd_flag *flag);

/* Same as fd_pipe, but of at most `size` bytes; see platform.pipe_make. */
int fd_pipe_of_size(int ret[2], size_t size, size_t *ret_size);

#endif
