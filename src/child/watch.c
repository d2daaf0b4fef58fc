/* SPDX-License-Identifier: MIT */
/* The threads of a child: they read what it says, and notice its end. And what is done when it has ended, which may be
 * on such a thread. */
#include "base/fd.h"
#include "base/platform.h"
#include "base/thread.h"
#include "base/trace.h"
#include "child/inner.h"
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define DRAIN_MAX 64 /* Reads of CHILD_SAID_MAX bytes each, when the child has ended. */

/* ---- its end ---- */

static const char *signal_name(int number)
{
    static const struct {
        int number;
        const char *name;
    } names[] = {
        {SIGHUP, "SIGHUP"},   {SIGINT, "SIGINT"},   {SIGQUIT, "SIGQUIT"}, {SIGILL, "SIGILL"},   {SIGTRAP, "SIGTRAP"},
        {SIGABRT, "SIGABRT"}, {SIGBUS, "SIGBUS"},   {SIGFPE, "SIGFPE"},   {SIGKILL, "SIGKILL"}, {SIGUSR1, "SIGUSR1"},
        {SIGSEGV, "SIGSEGV"}, {SIGUSR2, "SIGUSR2"}, {SIGPIPE, "SIGPIPE"}, {SIGALRM, "SIGALRM"}, {SIGTERM, "SIGTERM"},
        {SIGXCPU, "SIGXCPU"}, {SIGXFSZ, "SIGXFSZ"}, {SIGSYS, "SIGSYS"},
    };
    for (size_t i = 0; i < COUNT(names); i++)
        if (names[i].number == number)
            return names[i].name;
    return NULL;
}

void child_describe_end(const struct child *c, char text[CHILD_TEXT_MAX])
{
    if (c->lost)
        snprintf(text, CHILD_TEXT_MAX,
                 "ended, and how is not known: this program ignores SIGCHLD, or reaps all it finds");
    else if (c->status.si_code == CLD_EXITED)
        snprintf(text, CHILD_TEXT_MAX, "exited with status %d", c->status.si_status);
    else if (signal_name(c->status.si_status))
        snprintf(text, CHILD_TEXT_MAX, "was killed by %s", signal_name(c->status.si_status));
    else
        snprintf(text, CHILD_TEXT_MAX, "was killed by signal %d", c->status.si_status);
}

static void close_all(struct child *c)
{
    int *const fd[] = {&c->s.in,    &c->s.out,   &c->s.err,   &c->unread, &c->exited,
                       &c->gone[0], &c->gone[1], &c->done[0], &c->done[1]};
    for (size_t i = 0; i < COUNT(fd); i++)
        *fd[i] = fd_close(*fd[i]);
}

void child_destroy(struct child *c)
{
    if (c->over && !c->reaped)
        waitpid(c->s.pid, NULL, 0);
    close_all(c);
    family_clear(&c->family);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

/* ---- the threads ---- */

static void *wait_for_exit(void *user)
{
    struct child *c = user;
    siginfo_t info;
    while (waitid(P_PID, (id_t)c->s.pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    fd_wake(c->gone[1]);
    return NULL;
}

/* Keeps the last CHILD_SAID_MAX bytes. */
static void keep(struct child *c, const char *bytes, size_t n)
{
    size_t old = MIN(c->said_n, CHILD_SAID_MAX - n);
    c->cut |= old < c->said_n;
    memmove(c->said, c->said + c->said_n - old, old);
    memcpy(c->said + old, bytes, n);
    c->said_n = old + n;
}

/* Reads once. False: there is nothing now (-EAGAIN), or nothing more will come (*ret_over). */
static bool read_said(struct child *c, bool *ret_over)
{
    char bytes[CHILD_SAID_MAX];
    ssize_t n = read(c->s.err, bytes, sizeof(bytes));
    if (n > 0)
        keep(c, bytes, (size_t)n);
    *ret_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    return n > 0;
}

static void read_until_ended(struct child *c)
{
    struct pollfd set[] = {{.fd = c->exited >= 0 ? c->exited : c->gone[0], .events = POLLIN},
                           {.fd = c->s.err, .events = POLLIN}};
    bool over = false;
    for (;;) {
        int ready = poll(set, 2, -1);
        if (ready > 0 && set[0].revents)
            break;
        if (ready > 0 && set[1].revents)
            read_said(c, &over);
        if (over)
            set[1].fd = -1;
    }
    for (int i = 0; i < DRAIN_MAX && !over && read_said(c, &over); i++)
        ;
}

/* Drops the trailing newlines. If the beginning was lost, starts at a line. */
static void tidy(struct child *c)
{
    while (c->said_n && c->said[c->said_n - 1] == '\n')
        c->said_n--;
    c->said[c->said_n] = '\0';
    for (size_t i = 0; i < c->said_n; i++)
        if (c->said[i] == '\0')
            c->said[i] = '?';
    char *newline = c->cut ? strchr(c->said, '\n') : NULL;
    if (newline) {
        c->said_n -= (size_t)(newline + 1 - c->said);
        memmove(c->said, newline + 1, c->said_n + 1);
    }
}

/* A child that leads a group is not reaped until it is freed: it keeps its number, so that the group can be
 * signalled. */
static void take_status(struct child *c)
{
    int r, keep = c->s.own_group ? WNOWAIT : 0;
    do
        r = waitid(P_PID, (id_t)c->s.pid, &c->status, WEXITED | keep); /* The child is dead, so this does not wait. */
    while (r < 0 && errno == EINTR);
    c->over = true;
    c->lost = r < 0;
    c->reaped = c->lost || !keep;
}

static void tell_end(const struct child *c)
{
    char how[CHILD_TEXT_MAX];
    child_describe_end(c, how);
    const bool exited = !c->lost && c->status.si_code == CLD_EXITED;
    const struct leat_trace_field field[] = {trace_number("pid", (uint64_t)c->s.pid),
                                             trace_text("end", c->lost  ? "unknown"
                                                               : exited ? "status"
                                                                        : "signal"),
                                             trace_number("number", c->lost ? 0 : (uint64_t)c->status.si_status)};
    trace_tell(LEAT_TRACE_CHILD, field, COUNT(field), "the child %d %s", (int)c->s.pid, how);
}

static void *listen_and_reap(void *user)
{
    struct child *c = user;
    read_until_ended(c);
    tidy(c);
    if (c->exited < 0)
        pthread_join(c->waiter, NULL);
    pthread_mutex_lock(&c->lock);
    take_status(c);
    bool left = c->left;
    if (!left)
        fd_wake(c->done[1]);
    pthread_mutex_unlock(&c->lock);
    if (trace_is_on())
        tell_end(c);
    if (left)
        child_destroy(c);
    return NULL;
}

/* Opens a pidfd, which is certain to be the child's, because the child is not reaped yet. If there is none (an old
 * kernel, or it is forbidden), starts the waiter. */
static int watch_exit(struct child *c)
{
    c->exited = platform.processes ? platform.processes->open(c->s.pid) : -1;
    int r = c->exited >= 0 ? 0 : fd_pipe(c->gone);
    return r == 0 && c->exited < 0 ? thread_create(&c->waiter, wait_for_exit, c) : r;
}

static void take_back(struct child *c, bool waiter)
{
    kill(c->s.pid, SIGKILL);
    if (waiter)
        pthread_join(c->waiter, NULL);
    waitpid(c->s.pid, NULL, 0);
}

int child_watch(struct child *c)
{
    int r = watch_exit(c);
    bool waiter = r == 0 && c->exited < 0;
    if (r == 0)
        r = thread_create(&c->listener, listen_and_reap, c);
    if (r < 0)
        take_back(c, waiter);
    return r;
}
