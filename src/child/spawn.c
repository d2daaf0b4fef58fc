/* SPDX-License-Identifier: MIT */
#include "child/spawn.h"
#include "base/fd.h"
#include "base/platform.h"
#include "base/thread.h"
#include "child/child.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <unistd.h>

#define PIPE_SIZE 65536

extern char **environ;

/* If the kernel cannot make a pipe close-on-exec in one step, another child could be started in between and would hold
 * the pipe open. So children are started one after the other. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

static int make_pipe(int fd[2])
{
    size_t size;
    int r = fd_pipe_of_size(fd, PIPE_SIZE, &size);
    return r == -ENOSYS ? fd_pipe(fd) : r;
}

/* Makes a pipe. `read` tells which end is ours. Their end may block. Neither end is descriptor 0, 1 or 2, which the
 * child's ends become. */
static int open_pipe(int *ours, int *theirs, bool read)
{
    int fd[2];
    int r = make_pipe(fd);
    if (r < 0)
        return r;
    *ours = fd[read ? 0 : 1];
    *theirs = fd[read ? 1 : 0];
    return fcntl(*theirs, F_SETFL, fcntl(*theirs, F_GETFL) & ~O_NONBLOCK) < 0 ? -errno : 0;
}

static int arrange(posix_spawn_file_actions_t *actions, const int theirs[3])
{
    int r = 0;
    if (theirs[0] < 0)
        r = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);
    for (int i = 0; i < 3 && r == 0; i++)
        if (theirs[i] >= 0)
            r = posix_spawn_file_actions_adddup2(actions, theirs[i], i);
    return r;
}

static bool has_terminal(void)
{
    int fd CLEANUP_FD = fd_open("/dev/tty", O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
    return fd >= 0;
}

/* If processes cannot be found by looking, a process group is the next best. But a group of its own would take the
 * terminal away from the child, so a program with a terminal makes none. */
static bool needs_group(void)
{
    return !(platform.processes && platform.processes->can_list()) && !has_terminal();
}

static int set_attributes(posix_spawnattr_t *attributes, bool own_group)
{
    sigset_t none, usual;
    sigemptyset(&none);
    sigemptyset(&usual);
    sigaddset(&usual, SIGPIPE);
    sigaddset(&usual, SIGCHLD);
    int r = posix_spawnattr_setsigmask(attributes, &none);
    if (r == 0)
        r = posix_spawnattr_setsigdefault(attributes, &usual);
    if (r == 0)
        r = posix_spawnattr_setflags(attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
                                                         (own_group ? POSIX_SPAWN_SETPGROUP : 0)));
    return r;
}

/* The program's environment with the mark in it. The caller frees the array, but not the entries. */
static char **marked_environment(char *mark)
{
    size_t n = 0, kept = 0, name = (size_t)(strchr(mark, '=') + 1 - mark);
    while (environ && environ[n])
        n++;
    char **entries = calloc(n + 2, sizeof(*entries));
    for (size_t i = 0; entries && i < n; i++)
        if (strncmp(environ[i], mark, name) != 0)
            entries[kept++] = environ[i];
    if (entries)
        entries[kept] = mark;
    return entries;
}

static void make_mark(char mark[SPAWN_MARK_MAX])
{
    static unsigned number;
    snprintf(mark, SPAWN_MARK_MAX, "LEAT_EXEC=%ld.%llx.%u", (long)getpid(), (unsigned long long)clock_ns(), number++);
}

static int spawn_with(struct spawned *s, const posix_spawn_file_actions_t *actions, char *command)
{
    posix_spawnattr_t attributes;
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, command, NULL};
    char **entries = marked_environment(s->mark);
    if (!entries)
        return ENOMEM;
    int r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        r = set_attributes(&attributes, s->own_group);
        if (r == 0)
            r = posix_spawn(&s->pid, "/bin/sh", actions, &attributes, arguments, entries);
        posix_spawnattr_destroy(&attributes);
    }
    free(entries);
    return r;
}

static int spawn(struct spawned *s, const char *command, const int theirs[3])
{
    posix_spawn_file_actions_t actions;
    char *copy = strdup(command);
    if (!copy)
        return -ENOMEM;
    int r = posix_spawn_file_actions_init(&actions);
    if (r == 0) {
        r = arrange(&actions, theirs);
        if (r == 0)
            r = spawn_with(s, &actions, copy);
        posix_spawn_file_actions_destroy(&actions);
    }
    free(copy);
    return r == EAGAIN ? -NO_MORE_THREADS : r >= 0 ? -r : -ENOSYS; /* -1: the system has posix_spawn by name only. */
}

static int start_on_pipes(struct spawned *s, const char *command, unsigned pipes, const char **ret_operation)
{
    int theirs[3] = {-1, -1, -1};
    *ret_operation = "pipe";
    int r = open_pipe(&s->err, &theirs[2], true);
    if (r == 0 && (pipes & CHILD_STDIN))
        r = open_pipe(&s->in, &theirs[0], false);
    if (r == 0 && (pipes & CHILD_STDOUT))
        r = open_pipe(&s->out, &theirs[1], true);
    if (r == 0) {
        *ret_operation = "posix_spawn";
        r = spawn(s, command, theirs);
    }
    for (int i = 0; i < 3; i++)
        fd_close(theirs[i]);
    return r;
}

int spawn_shell(struct spawned *ret, const char *command, unsigned pipes, const char **ret_operation)
{
    struct spawned s = {.in = -1, .out = -1, .err = -1, .own_group = needs_group()};
    pthread_mutex_lock(&starting);
    make_mark(s.mark);
    int r = start_on_pipes(&s, command, pipes, ret_operation);
    pthread_mutex_unlock(&starting);
    if (r == 0) {
        *ret = s;
        return 0;
    }
    fd_close(s.in);
    fd_close(s.out);
    fd_close(s.err);
    return r;
}
