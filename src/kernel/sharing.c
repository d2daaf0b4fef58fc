/* Memory that processes share: a sealed memfd, locks that end with their owner, futexes, eventfds. */
#include "kernel/sharing.h"
#include "base/fd.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
/* Locks lie far behind the bytes of the file, so that they are never taken for locks on these. */
#define LOCKS_AT ((off_t)1 << 48)

static int make(const char *name, uint64_t size)
{
    int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (fd < 0)
        return -errno;
    /* All pages at once: memory that runs out later would be a SIGBUS in somebody's copy. */
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
    struct timespec t = {.tv_sec = timeout_ns / 1000000000, .tv_nsec = timeout_ns % 1000000000};
    syscall(SYS_futex, word, FUTEX_WAIT, value, &t, NULL, 0);
}

static bool runs_alone(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof(set), &set) == 0 && CPU_COUNT(&set) == 1;
}

static void spin_pause(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

static int futex_wake(_Atomic uint32_t *word, int n)
{
    long r = syscall(SYS_futex, word, FUTEX_WAKE, n, NULL, NULL, 0);
    return r < 0 ? 0 : (int)r;
}

static int event(void)
{
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

static bool is_event(int fd)
{
    static const char name[] = "anon_inode:[eventfd]";
    char path[64], target[sizeof(name)];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof(target));
    return n == (ssize_t)sizeof(name) - 1 && memcmp(target, name, sizeof(name) - 1) == 0;
}

static void event_set(int fd)
{
    ssize_t n = write(fd, &(uint64_t){1}, sizeof(uint64_t));
    (void)n; /* one that can't count further is readable already */
}

/* An eventfd gives all it has counted with one read, a timer all its ticks. */
static void event_clear(int fd)
{
    uint64_t count;
    ssize_t n = read(fd, &count, sizeof(count));
    (void)n;
}

static int poller(int event_fd, int interval_ms, int *ret_timer)
{
    struct timespec t = {.tv_sec = interval_ms / 1000, .tv_nsec = interval_ms % 1000 * 1000000L};
    struct itimerspec ticks = {.it_interval = t, .it_value = t};
    CLEANUP_FD int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    CLEANUP_FD int fd = epoll_create1(EPOLL_CLOEXEC);
    if (timer < 0 || fd < 0 || timerfd_settime(timer, 0, &ticks, NULL) < 0 ||
        epoll_ctl(fd, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN}) < 0 ||
        epoll_ctl(fd, EPOLL_CTL_ADD, event_fd, &(struct epoll_event){.events = EPOLLIN}) < 0)
        return -errno;
    int r = fd;
    *ret_timer = timer;
    fd = timer = -1;
    return r;
}

const struct platform_sharing linux_sharing = {
    .make = make,
    .check = check,
    .map_twice = map_twice,
    .lock = lock,
    .unlock = unlock,
    .locked = locked,
    .wait = futex_wait,
    .pause = spin_pause,
    .alone = runs_alone,
    .wake = futex_wake,
    .event = event,
    .is_event = is_event,
    .event_set = event_set,
    .event_clear = event_clear,
    .poller = poller,
    .poller_clear = event_clear,
};
