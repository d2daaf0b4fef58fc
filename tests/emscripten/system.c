/* SPDX-License-Identifier: MIT */
/* What a POSIX system does and Emscripten's does not. The linker puts these in the place of its own (--wrap). */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int __real_poll(struct pollfd *set, nfds_t n, int timeout_ms);
int __wrap_poll(struct pollfd *set, nfds_t n, int timeout_ms);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __real_renameat(int from_folder, const char *from, int to_folder, const char *to);
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to);
void *__wrap_dlopen(const char *name, int flags);
int __real_faccessat(int folder, const char *name, int mode, int flags);
int __wrap_faccessat(int folder, const char *name, int mode, int flags);

static long long now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Its own does not count descriptors that are not open. */
static int ready_now(struct pollfd *set, nfds_t n)
{
    int ready = __real_poll(set, n, 0);
    for (nfds_t i = 0; i < n; i++)
        if (set[i].fd >= 0 && fcntl(set[i].fd, F_GETFD) < 0) {
            ready += set[i].revents == 0;
            set[i].revents = POLLNVAL;
        }
    return ready;
}

/* Its own never waits. */
int __wrap_poll(struct pollfd *set, nfds_t n, int timeout_ms)
{
    const struct timespec pause = {.tv_nsec = 200000};
    long long end = now_ms() + timeout_ms;
    int ready;
    while ((ready = ready_now(set, n)) == 0 && timeout_ms != 0 && (timeout_ms < 0 || now_ms() < end))
        nanosleep(&pause, NULL);
    return ready;
}

/* Its own looks for the pipe's name among the files. */
int __wrap_fstat(int fd, struct stat *st)
{
    int r = __real_fstat(fd, st);
    if (r == 0 || errno != ENOENT || lseek(fd, 0, SEEK_CUR) >= 0 || errno != ESPIPE)
        return r;
    memset(st, 0, sizeof(*st));
    st->st_mode = S_IFIFO | 0600;
    return 0;
}

/* Its own finds a file that was replaced again once its successor is unlinked. */
int __wrap_renameat(int from_folder, const char *from, int to_folder, const char *to)
{
    struct stat a, b;
    bool both = fstatat(from_folder, from, &a, 0) == 0 && fstatat(to_folder, to, &b, AT_SYMLINK_NOFOLLOW) == 0;
    if (both && a.st_ino != b.st_ino && !S_ISDIR(a.st_mode) && !S_ISDIR(b.st_mode) && unlinkat(to_folder, to, 0) < 0)
        return -1;
    return __real_renameat(from_folder, from, to_folder, to);
}

/* Its own ends the program where no libraries can be loaded. */
void *__wrap_dlopen(const char *name, int flags)
{
    (void)name;
    (void)flags;
    return NULL;
}

/* Its own ends the program where it is asked for the effective user; there is one user alone. */
int __wrap_faccessat(int folder, const char *name, int mode, int flags)
{
    return __real_faccessat(folder, name, mode, flags & ~AT_EACCESS);
}
