/* SPDX-License-Identifier: MIT */
/* What liburing before 2.2 lacks; CMake defines LEAT_URING_BEFORE_2_2. The two system calls have functions in liburing
 * only since 2.3, so they are made here. */
#ifndef ENGINE_URING_LIBRARY_H
#define ENGINE_URING_LIBRARY_H

#include <errno.h>
#include <liburing.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Returns 0 or a negative errno. */
static inline int uring_register(const struct io_uring *ring, unsigned what)
{
    return syscall(SYS_io_uring_register, ring->ring_fd, what, NULL, 0) < 0 ? -errno : 0;
}

/* Enters the ring with nothing to submit and nothing to wait for. Returns 0 or a negative errno. */
static inline int uring_enter(const struct io_uring *ring)
{
    return syscall(SYS_io_uring_enter, ring->ring_fd, 0, 0, 0, NULL, 0) < 0 ? -errno : 0;
}

/* Gives the ring another descriptor. The kernel's ring stays the same. */
static inline void uring_set_descriptor(struct io_uring *ring, int fd)
{
    ring->ring_fd = fd;
#ifndef LEAT_URING_BEFORE_2_2
    ring->enter_ring_fd = fd;
#endif
}

/* Submits all entries, and sleeps until a completion has come, the time has passed (NULL: no limit), or a signal has
 * come. Returns a negative errno if it could do neither. */
static inline int uring_submit_and_wait(struct io_uring *ring, struct __kernel_timespec *timeout)
{
    struct io_uring_cqe *cqe;
#ifdef LEAT_URING_BEFORE_2_2
    int r = io_uring_submit(ring);
    return r < 0 ? r : io_uring_wait_cqes(ring, &cqe, 1, timeout, NULL);
#else
    return io_uring_submit_and_wait_timeout(ring, &cqe, 1, timeout, NULL);
#endif
}

#endif
