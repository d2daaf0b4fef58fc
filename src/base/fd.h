/* Descriptors. *Borrow*: used, never closed. *Take*: closed by whom it was handed to, on failure too. *Give*: the
 * caller closes it. The sentinel is -1. */
#ifndef BASE_FD_H
#define BASE_FD_H

#include "base/base.h"

/* Closes it if there is one and returns -1: fd = fd_close(fd). Keeps errno. */
int fd_close(int fd);
void fd_close_pointer(int *fd);
#define CLEANUP_FD CLEANUP(fd_close_pointer)

/* open(2), close-on-exec, repeated on EINTR. Gives the descriptor or a negative errno. */
int fd_open(const char *path, int flags, unsigned mode);

/* Makes a new descriptor close-on-exec and non-blocking. -errno; it is the caller's to close, on failure too. */
int fd_own(int fd);

/* A file without a name, for what is too long for memory: in TMPDIR, or else in /var/tmp, since /tmp is often memory.
 * Gives the descriptor or -errno. Where the file system has no such files it has a name for a moment, which stays if
 * the program is killed then. */
int fd_unnamed(void);

/* A new descriptor of ours that took the place of standard input, output or error, which the program was started
 * without, moves out of it: else what the program prints would go into our file. Takes `fd`, on failure too; a negative
 * one is handed back as it is. Gives the descriptor or -errno. */
int fd_above_standard(int fd);

/* A stream socket, and the peer that waits at a listener: close-on-exec, non-blocking and above the standard ones. Each
 * gives the descriptor or -errno. */
int fd_socket(int family, int type, int protocol);
int fd_accept(int listener);

/* From now on closing the socket resets its connection, so that the peer does not take it for an end. Only TCP can. */
void fd_reset_on_close(int fd);

/* A pipe, both ends close-on-exec and non-blocking, on Linux from the start, so that no fork meets it otherwise. Gives
 * both, or -errno. */
int fd_pipe(int ret[2]);

/* The same of at most `size` bytes, see platform.pipe_make. */
int fd_pipe_of_size(int ret[2], size_t size, size_t *ret_size);

#endif
