/* SPDX-License-Identifier: MIT */
#include "kernel/processes.h"
#include "base/fd.h"
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The name of the program is in parentheses and may contain any byte; the last closing one ends it. */
static int parse_stat(char *text, struct platform_process *ret)
{
    char *at = strrchr(text, ')');
    char state;
    long parent, session;
    unsigned long long start;
    if (!at || sscanf(at, ") %c %ld %*d %ld %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d %*d %llu", &state,
                      &parent, &session, &start) != 4)
        return -EPROTO;
    ret->parent = (pid_t)parent;
    ret->session = (pid_t)session;
    ret->start = start;
    ret->ended = state == 'Z' || state == 'X';
    return 0;
}

static int look(pid_t pid, struct platform_process *ret)
{
    char path[64], text[1024];
    struct platform_process process = {.pid = pid};
    snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    int fd CLEANUP_FD = fd_open(path, O_RDONLY, 0);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n <= 0)
        return -ESRCH;
    text[n] = '\0';
    int r = parse_stat(text, &process);
    if (r == 0)
        *ret = process;
    return r;
}

static int each(void (*visit)(void *user, const struct platform_process *process), void *user)
{
    DIR *folder = opendir("/proc");
    if (!folder)
        return -errno;
    struct dirent *entry;
    while ((entry = readdir(folder))) {
        struct platform_process process;
        if (isdigit((unsigned char)entry->d_name[0]) && look((pid_t)strtol(entry->d_name, NULL, 10), &process) == 0)
            visit(user, &process);
    }
    closedir(folder);
    return 0;
}

static bool can_list(void)
{
    struct platform_process process;
    return look(getpid(), &process) == 0;
}

/* Entries are strings that end with a NUL. The end of each block is kept, so that an entry that crosses two blocks is
 * found. */
static bool has_environment(pid_t pid, const char *entry)
{
    char path[64], text[4096 + 256];
    size_t kept = 0, length = strlen(entry) + 1;
    snprintf(path, sizeof(path), "/proc/%ld/environ", (long)pid);
    int fd CLEANUP_FD = fd_open(path, O_RDONLY, 0);
    if (fd < 0 || length > 256)
        return false;
    for (ssize_t n; (n = read(fd, text + kept, 4096)) > 0;) {
        size_t all = kept + (size_t)n;
        if (memmem(text, all, entry, length))
            return true;
        kept = MIN(all, length - 1);
        memmove(text, text + all - kept, kept);
    }
    return false;
}

static int process_open(pid_t pid)
{
#ifdef SYS_pidfd_open
    long fd = syscall(SYS_pidfd_open, pid, 0);
    return fd < 0 ? -errno : fd_above_standard((int)fd);
#else
    (void)pid;
    return -ENOSYS;
#endif
}

static int process_signal(int process, int number)
{
#ifdef SYS_pidfd_send_signal
    return syscall(SYS_pidfd_send_signal, process, number, NULL, 0) < 0 ? -errno : 0;
#else
    (void)process;
    (void)number;
    return -ENOSYS;
#endif
}

const struct platform_processes linux_processes = {
    .can_list = can_list,
    .look = look,
    .each = each,
    .has_environment = has_environment,
    .open = process_open,
    .signal = process_signal,
};
