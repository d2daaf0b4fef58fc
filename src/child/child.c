/* SPDX-License-Identifier: MIT */
/* Starts a child, offers our ends of its pipes, and ends it step by step. */
#include "base/fd.h"
#include "base/origin.h"
#include "base/platform.h"
#include "base/trace.h"
#include "child/inner.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define GRACE_NS      1000000000 /* Until the next step for a child that does not end. */
#define LET_GO_MS     2000       /* Until a child that was killed is left behind. */
#define LOOK_AGAIN_NS 20000000   /* The interval for members of which nothing tells when they end. */
#define ROUNDS        16         /* The most searches for processes that were started since the previous search. */

int child_start(struct child **ret, const char *command, unsigned pipes, const char **ret_operation)
{
    struct child *c = calloc(1, sizeof(*c));
    *ret_operation = "malloc";
    if (!c)
        return -ENOMEM;
    c->s.in = c->s.out = c->s.err = c->unread = c->exited = c->gone[0] = c->gone[1] = c->done[0] = c->done[1] = -1;
    c->origin = origin_here();
    pthread_mutex_init(&c->lock, NULL);
    *ret_operation = "pipe";
    int r = fd_pipe(c->done);
    if (r == 0)
        r = spawn_shell(&c->s, command, pipes, ret_operation);
    if (r == 0) {
        *ret_operation = "pthread_create";
        r = child_watch(c);
    }
    if (r < 0) {
        child_destroy(c);
        return r;
    }
    if (trace_is_on()) {
        const struct leat_trace_field field[] = {trace_number("pid", (uint64_t)c->s.pid),
                                                 trace_text("command", command)};
        trace_tell(LEAT_TRACE_CHILD, field, COUNT(field), "the child %d was started", (int)c->s.pid);
    }
    *ret = c;
    return 0;
}

/* ---- our ends ---- */

int child_stdin(const struct child *c)
{
    return c->s.in;
}

int child_stdout(const struct child *c)
{
    return c->s.out;
}

/* No one writes to the input any more, so no broken pipe can come, and a descriptor that reads it can do no harm. */
void child_close_stdin(struct child *c)
{
    if (c->s.in < 0)
        return;
    c->unread = platform.reopen(c->s.in, O_RDONLY);
    c->s.in = fd_close(c->s.in);
}

size_t child_unread(const struct child *c)
{
    int fd = c->s.in >= 0 ? c->s.in : c->unread;
    return c->ended && fd >= 0 ? platform.pipe_unread(fd) : 0;
}

void child_close_stdout(struct child *c)
{
    c->s.out = fd_close(c->s.out);
}

/* ---- its end ---- */

/* Signals the child, unless it was reaped. */
static void signal_itself(struct child *c, int number)
{
    if (c->reaped)
        return;
    /* If the program waits for any child, it may have reaped this one. The pidfd tells that, the number does not. */
    int r = family_signal_process(c->exited, c->s.pid, number);
    if (c->s.own_group && r != -ESRCH) /* The child is not reaped, so the number is still that of its group. */
        kill(-c->s.pid, number);
    c->signalled |= !c->over && r != -EPERM;
}

/* Finds new members of the family. Under the lock, so that the child is not reaped while all processes are listed.
 * Environments are read without the lock, because a hostile process may delay that. */
static size_t find_more(struct child *c)
{
    struct crowd crowd;
    pthread_mutex_lock(&c->lock);
    pid_t root = c->reaped ? 0 : c->s.pid;
    int r = family_look(&c->family, &crowd);
    pthread_mutex_unlock(&c->lock);
    size_t n = r < 0 ? 0 : family_find(&c->family, &crowd, root, c->s.mark);
    free(crowd.process);
    return n;
}

/* Signals the child and all processes that it has started. Those that are started meanwhile are found by another
 * search. The first search comes before the first signal, because a process that loses its parent is not found by its
 * parent any more. */
static void send_signal(struct child *c, int number)
{
    size_t from = 0;
    find_more(c);
    pthread_mutex_lock(&c->lock);
    signal_itself(c, number);
    pthread_mutex_unlock(&c->lock);
    for (int i = 0; i < ROUNDS; i++) {
        family_signal(&c->family, from, number);
        from = c->family.n;
        if (find_more(c) == 0)
            break;
    }
}

static bool has_ended(struct child *c)
{
    char byte;
    if (!c->ended && read(c->done[0], &byte, 1) == 1) {
        pthread_join(c->listener, NULL);
        c->ended = true;
    }
    return c->ended;
}

static void go_to_step(struct child *c, int step, int number, int64_t now)
{
    c->step = step;
    c->until_ns = step == LET_GO ? 0 : now + (step == KILLED ? LET_GO_MS * 1000000LL : GRACE_NS);
    if (number)
        send_signal(c, number);
}

static void escalate(struct child *c, enum child_patience patience)
{
    int64_t now = clock_ns();
    bool late = c->until_ns && now >= c->until_ns;
    if (patience == CHILD_SHOULD_END && c->step == RUNNING)
        go_to_step(c, GRACE, 0, now);
    else if ((patience == CHILD_MUST_END && c->step < TERMINATED) || (late && c->step == GRACE))
        go_to_step(c, TERMINATED, SIGTERM, now);
    else if (late && c->step == TERMINATED)
        go_to_step(c, KILLED, SIGKILL, now);
    else if (late && c->step == KILLED)
        go_to_step(c, LET_GO, 0, now);
}

/* No member is left, or all were signalled in vain. */
static bool family_is_over(struct child *c, int *ret_fd)
{
    *ret_fd = -1;
    if (c->step < TERMINATED || c->step == LET_GO)
        return true;
    if (family_is_alive(&c->family, ret_fd))
        return false;
    if (c->s.own_group && !c->reaped && c->step < KILLED)
        return false; /* Nothing tells whether the group is empty. */
    size_t more = find_more(c);
    family_signal(&c->family, c->family.n - more, SIGKILL);
    return !family_is_alive(&c->family, ret_fd);
}

int child_end(struct child *c, enum child_patience patience, struct port *port, int64_t *ret_deadline_ns)
{
    int fd = c->done[0];
    if (!has_ended(c) || patience == CHILD_MUST_END || c->step >= TERMINATED)
        escalate(c, patience);
    if ((has_ended(c) || c->step == LET_GO) && family_is_over(c, &fd))
        return 0;
    if (port->fd != fd)
        port_init(port, fd, POLLIN);
    port->blocked = true;
    *ret_deadline_ns = c->until_ns;
    if (fd < 0)
        *ret_deadline_ns = MIN(c->until_ns, clock_ns() + LOOK_AGAIN_NS);
    return -EAGAIN;
}

bool child_is_left(const struct child *c)
{
    return !c->ended && c->step == LET_GO;
}

int child_verdict(const struct child *c, char text[CHILD_TEXT_MAX])
{
    if (child_is_left(c)) {
        snprintf(text, CHILD_TEXT_MAX, "%s", CHILD_LEFT);
        return 1;
    }
    child_describe_end(c, text);
    if (!c->lost && c->status.si_code == CLD_EXITED && c->status.si_status == 0)
        return 0;
    return c->signalled ? -ESRCH : 1;
}

const char *child_said(const struct child *c)
{
    return c->ended ? c->said : "";
}

struct child *child_free(struct child *c)
{
    if (!c || !origin_is_here(c->origin)) /* In a child of fork, it is the parent's child. */
        return NULL;
    if (!has_ended(c) && c->step != LET_GO) {
        send_signal(c, SIGKILL);
        struct pollfd done = {.fd = c->done[0], .events = POLLIN};
        while (poll(&done, 1, LET_GO_MS) < 0 && errno == EINTR)
            ;
    }
    if (!has_ended(c)) {
        pthread_mutex_lock(&c->lock);
        c->left = !c->over;
        bool left = c->left;
        if (left) {
            child_close_stdout(c); /* Not its input: the child would take a part for the whole. */
            pthread_detach(c->listener);
        }
        pthread_mutex_unlock(&c->lock);
        if (left)
            return NULL;
        pthread_join(c->listener, NULL);
    }
    child_destroy(c);
    return NULL;
}
