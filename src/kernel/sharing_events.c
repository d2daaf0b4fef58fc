/* SPDX-License-Identifier: MIT */
/* Descriptors that event loops wait for.
 *
 * An event is an eventfd, whose open file all peers share. Each peer can change its flags and its count, so neither
 * read(2) nor write(2) is sure not to sleep. The eventfd counts down from a large number (EFD_SEMAPHORE). To set the
 * event, a process reads one from it with RWF_NOWAIT, which never sleeps and wakes all that poll it for POLLOUT. A
 * poller is an epoll of this process alone that reports this once (EPOLLET), so no process ever has to reset an event.
 */
#include "base/fd.h"
#include "kernel/libc.h"
#include "kernel/sharing.h"
#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/timerfd.h>

#define SETS ((uint64_t)1 << 63)

int sharing_event(void)
{
    int fd = fd_above_standard(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK | EFD_SEMAPHORE));
    if (fd < 0)
        return -errno;
    if (write(fd, &(uint64_t){SETS}, sizeof(uint64_t)) != (ssize_t)sizeof(uint64_t)) {
        int code = -errno;
        fd_close(fd);
        return code;
    }
    return fd;
}

bool sharing_is_event(int fd)
{
    static const char name[] = "anon_inode:[eventfd]";
    char path[64], target[sizeof(name)];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(path, target, sizeof(target));
    return n == (ssize_t)sizeof(name) - 1 && memcmp(target, name, sizeof(name) - 1) == 0;
}

void sharing_event_set(int fd)
{
    uint64_t count;
    struct iovec v = {&count, sizeof(count)};
    ssize_t n = preadv2(fd, &v, 1, -1, RWF_NOWAIT);
    (void)n; /* a peer that uses up the count only silences its own channel */
}

int sharing_poller(const int *events, size_t n)
{
    CLEANUP_FD int fd = fd_above_standard(epoll_create1(EPOLL_CLOEXEC));
    if (fd < 0)
        return -errno;
    for (size_t i = 0; i < n; i++)
        if (epoll_ctl(fd, EPOLL_CTL_ADD, events[i], &(struct epoll_event){.events = EPOLLOUT | EPOLLET}) < 0)
            return -errno;
    int r = fd;
    fd = -1;
    return r;
}

void sharing_poller_clear(int poller)
{
    struct epoll_event told[4];
    epoll_wait(poller, told, (int)COUNT(told), 0);
}

int sharing_poller_tick(int poller, int interval_ms)
{
    struct timespec t = {.tv_sec = interval_ms / 1000, .tv_nsec = interval_ms % 1000 * 1000000L};
    struct itimerspec ticks = {.it_interval = t, .it_value = t};
    CLEANUP_FD int timer = fd_above_standard(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
    if (timer < 0 || timerfd_settime(timer, 0, &ticks, NULL) < 0 ||
        epoll_ctl(poller, EPOLL_CTL_ADD, timer, &(struct epoll_event){.events = EPOLLIN | EPOLLET}) < 0)
        return -errno;
    int r = timer;
    timer = -1;
    return r;
}

/* Only this process has the timer, so read(2) does not sleep. Reading its ticks does not stop it. */
void sharing_poller_clear_timer(int timer)
{
    uint64_t count;
    ssize_t n = read(timer, &count, sizeof(count));
    (void)n;
}

int sharing_closings(void)
{
    int fd = fd_above_standard(inotify_init1(IN_CLOEXEC | IN_NONBLOCK));
    return fd < 0 ? -errno : fd;
}

int sharing_closings_add(int closings, int fd)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    int number = inotify_add_watch(closings, path, IN_CLOSE_WRITE);
    return number < 0 ? -errno : number;
}

void sharing_closings_remove(int closings, int number)
{
    inotify_rm_watch(closings, number);
}

int sharing_closings_next(int closings, int *numbers, size_t n)
{
    /* Events of files, unlike those of folders, have no name behind them. */
    struct inotify_event events[32];
    ssize_t got = read(closings, events, MIN(n, COUNT(events)) * sizeof(events[0]));
    if (got < 0)
        return -errno;
    size_t count = (size_t)got / sizeof(events[0]);
    for (size_t i = 0; i < count; i++)
        numbers[i] = events[i].wd;
    return (int)count;
}
