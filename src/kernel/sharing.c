/* SPDX-License-Identifier: MIT */
/* Memory that processes share: a sealed memfd, locks that the kernel drops when their owner ends, futexes. */
#include "kernel/sharing.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
/* Locks are on offsets far behind the bytes of the file, so they are never taken for locks on these bytes. */
#define LOCKS_AT ((off_t)1 << 48)

static int make(const char *name, uint64_t size)
{
    int fd = fd_above_standard(memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING));
    if (fd < 0)
        return -errno;
    /* Allocates all pages now. Otherwise, if memory runs out later, a process that writes to the memory gets SIGBUS. */
    if (ftruncate(fd, (off_t)size) < 0 || fallocate(fd, 0, 0, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
        int code = -errno;
        fd_close(fd);
        return code;
    }
    return fd;
}

static int check(int fd)
{
    int seals = fcntl(fd, F_GET_SEALS);
    return seals >= 0 && (seals & SEALS) == SEALS && !(seals & F_SEAL_WRITE) ? 0 : -EINVAL;
}

static int map_twice(int fd, uint64_t offset, size_t size, void **ret)
{
    uint8_t *at = mmap(NULL, 2 * size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    for (size_t i = 0; i < 2; i++)
        if (mmap(at + i * size, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, (off_t)offset) ==
            MAP_FAILED) {
            int code = -errno;
            munmap(at, 2 * size);
            return code;
        }
    *ret = at;
    return 0;
}

static int lock_call(int fd, int command, short type, uint32_t index, struct flock *ret)
{
    *ret = (struct flock){.l_type = type, .l_whence = SEEK_SET, .l_start = LOCKS_AT + index, .l_len = 1};
    int r;
    do
        r = fcntl(fd, command, ret);
    while (r < 0 && errno == EINTR);
    return r < 0 ? -errno : 0;
}

static int lock(int fd, uint32_t index)
{
    struct flock l;
    int r = lock_call(fd, F_OFD_SETLK, F_WRLCK, index, &l);
    return r == -EACCES ? -EAGAIN : r;
}

static int unlock(int fd, uint32_t index)
{
    struct flock l;
    return lock_call(fd, F_OFD_SETLK, F_UNLCK, index, &l);
}

static int locked(int fd, uint32_t index)
{
    struct flock l;
    int r = lock_call(fd, F_OFD_GETLK, F_WRLCK, index, &l);
    return r < 0 ? r : l.l_type != F_UNLCK;
}

static void futex_wait(_Atomic uint32_t *word, uint32_t value, int64_t timeout_ns)
{
    /* This call has times of the kernel's long, also where time_t is wider. */
    struct {
        long seconds, nanoseconds;
    } t = {(long)(timeout_ns / 1000000000), (long)(timeout_ns % 1000000000)};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &t, NULL, 0);
}

static int futex_wake(_Atomic uint32_t *word, int n)
{
    long r = syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
    return r < 0 ? 0 : (int)r;
}

const struct platform_sharing linux_sharing = {
    .make = make,
    .check = check,
    .map_twice = map_twice,
    .lock = lock,
    .unlock = unlock,
    .locked = locked,
    .wait = futex_wait,
    .wake = futex_wake,
    .event = sharing_event,
    .is_event = sharing_is_event,
    .event_set = sharing_event_set,
    .poller = sharing_poller,
    .poller_clear = sharing_poller_clear,
    .poller_tick = sharing_poller_tick,
    .poller_clear_timer = sharing_poller_clear_timer,
    .closings = sharing_closings,
    .closings_add = sharing_closings_add,
    .closings_remove = sharing_closings_remove,
    .closings_next = sharing_closings_next,
    .position = sharing_position,
    .receive = sharing_receive,
};
