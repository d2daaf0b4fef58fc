/* SPDX-License-Identifier: MIT */
/* Helpers that most unit tests use: cmocka and the headers that it needs, an empty folder to work in, whole files. */
#ifndef TESTS_UNIT_H
#define TESTS_UNIT_H

#include "base/base.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Skips the test if the system lacks something. Where POSIX is only imitated (tests/emscripten/system.c) parts are
 * missing. */
static inline void unit_needs(bool there, const char *what)
{
    if (!there) {
        print_message("this system does not have %s\n", what);
        skip();
    }
}

static inline void unit_socketpair(int fd[2])
{
    int r = socketpair(AF_UNIX, SOCK_STREAM, 0, fd);
    unit_needs(r == 0 || errno != ENOSYS, "pairs of sockets");
    assert_int_equal(r, 0);
}

/* Do descriptors have the flag close-on-exec? */
static inline bool unit_closes_on_exec(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), flags = fcntl(fd, F_GETFD);
    close(fd);
    return flags & FD_CLOEXEC;
}

/* Does the reader of a pipe see the end when its writer is closed? */
static inline bool unit_pipes_end(void)
{
    int fd[2];
    char byte;
    assert_int_equal(pipe(fd), 0);
    close(fd[1]);
    bool ends = read(fd[0], &byte, 1) == 0;
    close(fd[0]);
    return ends;
}

static inline bool unit_signals_come(void)
{
    sigset_t set, before;
    int number = 0;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &set, &before);
    raise(SIGUSR1);
    if (sigpending(&set) == 0 && sigismember(&set, SIGUSR1) == 1)
        sigwait(&set, &number);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return number == SIGUSR1;
}

static inline void unit_fifo(const char *path)
{
    int r = mkfifo(path, 0600);
    unit_needs(r == 0 || errno == EEXIST, "FIFOs");
    assert_int_equal(r, 0);
}

/* The setup of a group: makes an empty folder and changes into it. */
static inline int unit_folder(void **state UNUSED)
{
    char path[] = "/tmp/leat-unit-XXXXXX";
    return mkdtemp(path) ? chdir(path) : -1;
}

/* Counts the names in the current folder. */
static inline unsigned unit_entries(void)
{
    unsigned n = 0;
    DIR *folder = opendir(".");
    assert_non_null(folder);
    for (struct dirent *e; (e = readdir(folder));)
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    closedir(folder);
    return n;
}

static inline int unit_remove_one(const char *path, const struct stat *st UNUSED, int kind UNUSED, struct FTW *at)
{
    return at->level > 0 ? remove(path) : 0;
}

/* The teardown of each test of the group: removes its files and folders. */
static inline int unit_empty(void **state UNUSED)
{
    return nftw(".", unit_remove_one, 400, FTW_DEPTH | FTW_PHYS); /* musl goes no deeper than this number */
}

static inline int unit_folder_gone(void **state)
{
    char path[4096];
    unit_empty(state);
    return getcwd(path, sizeof(path)) && chdir("/") == 0 ? rmdir(path) : -1;
}

static inline void unit_write(const char *path, const void *bytes, size_t n)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, n), (ssize_t)n);
    close(fd);
}

static inline void unit_holds(const char *path, const char *text)
{
    char bytes[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail_msg("%s: %s", path, strerror(errno));
    ssize_t n = read(fd, bytes, sizeof(bytes) - 1);
    close(fd);
    assert_true(n >= 0);
    bytes[n] = '\0';
    assert_string_equal(bytes, text);
}

/* Counts the entries of a folder of procfs for this process, such as its descriptors or threads. -1: there is no
 * procfs. */
static inline int unit_count(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    if (!d)
        return -1;
    while (readdir(d))
        n++;
    closedir(d);
    return n;
}
#define unit_descriptors() unit_count("/proc/self/fd")
#define unit_threads()     unit_count("/proc/self/task")

#endif
