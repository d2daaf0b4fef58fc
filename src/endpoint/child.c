/* Who owns what: the listener, a thread, reads the child's standard error, so that a child that says much is never held
 * up; when the child is gone it takes what is left there without waiting, because others may have that pipe too, reaps
 * the child, and says so through `done`. That the child is gone it hears from a pidfd; where there is none, from a
 * second thread, the waiter, which sits in waitid(2), leaves the dead where they are, and says so through `gone`.
 * Between the death and the reaping the number is still the child's, and it is only reaped under the lock: so a signal
 * of ours never meets somebody else.
 *
 * `status`, `reaped` and `left` are under the lock; `said` is the listener's until `done` has its byte. A child that
 * not even SIGKILL ends in time is left behind: the listener then frees it. No signal handler is needed.
 *
 * A child that is to end takes with it what it has started (`family`), also what it has left behind. */
#include "endpoint/child.h"
#include "base/fd.h"
#include "base/origin.h"
#include "base/platform.h"
#include "base/thread.h"
#include "endpoint/family.h"
#include "endpoint/spawn.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_NS      1000000000 /* until the next step of a child that does not end */
#define LET_GO_MS     2000       /* until one that was killed is left behind */
#define LOOK_AGAIN_NS 20000000   /* for what tells nobody when it ends */
#define ROUNDS        16         /* of looking for what was started since the last look */
#define DRAIN_MAX     64         /* reads, of CHILD_SAID_MAX each, when it is gone */

struct child {
    struct spawned s;
    unsigned origin;
    int unread;  /* a reading end of its input, to be asked what it has left there; or -1 */
    int exited;  /* a pidfd, or -1 */
    int gone[2]; /* if there is no pidfd */
    int done[2];
    pthread_t waiter, listener;
    pthread_mutex_t lock;
    int status;
    bool reaped;
    bool lost; /* somebody else has reaped it, or nobody may: its status is not known */
    bool left;
    bool ended;     /* `done` was seen, and the threads are gone */
    bool signalled; /* by us */
    enum {
        RUNNING,
        GRACE,
        TERMINATED,
        KILLED,
        LET_GO
    } step;
    int64_t until_ns; /* of this step */
    struct family family;
    size_t said_n;
    bool cut; /* more was said before */
    char said[CHILD_SAID_MAX + 1];
};

/* ---- its threads ---- */

static void say(int fd)
{
    ssize_t n = write(fd, "", 1);
    (void)n; /* an empty pipe of ours takes a byte */
}

static void *wait_for_exit(void *user)
{
    struct child *c = user;
    siginfo_t info;
    while (waitid(P_PID, (id_t)c->s.pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
        ;
    say(c->gone[1]);
    return NULL;
}

/* At most CHILD_SAID_MAX bytes. */
static void keep(struct child *c, const char *bytes, size_t n)
{
    size_t old = MIN(c->said_n, CHILD_SAID_MAX - n);
    c->cut |= old < c->said_n;
    memmove(c->said, c->said + c->said_n - old, old);
    memcpy(c->said + old, bytes, n);
    c->said_n = old + n;
}

/* False: nothing is there now (-EAGAIN), or ever. */
static bool hear(struct child *c, bool *ret_over)
{
    char bytes[CHILD_SAID_MAX];
    ssize_t n = read(c->s.err, bytes, sizeof(bytes));
    if (n > 0)
        keep(c, bytes, (size_t)n);
    *ret_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    return n > 0;
}

static void hear_until_gone(struct child *c)
{
    struct pollfd set[] = {{.fd = c->exited >= 0 ? c->exited : c->gone[0], .events = POLLIN},
                           {.fd = c->s.err, .events = POLLIN}};
    bool over = false;
    for (;;) {
        int ready = poll(set, 2, -1);
        if (ready > 0 && set[0].revents)
            break;
        if (ready > 0 && set[1].revents)
            hear(c, &over);
        if (over)
            set[1].fd = -1;
    }
    for (int i = 0; i < DRAIN_MAX && !over && hear(c, &over); i++)
        ;
}

/* From the start of a line, if the start was lost; the end of the last one is no news. */
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

static void close_all(struct child *c)
{
    int *const fd[] = {&c->s.in,    &c->s.out,   &c->s.err,   &c->unread, &c->exited,
                       &c->gone[0], &c->gone[1], &c->done[0], &c->done[1]};
    for (size_t i = 0; i < COUNT(fd); i++)
        *fd[i] = fd_close(*fd[i]);
}

static void destroy(struct child *c)
{
    close_all(c);
    family_clear(&c->family);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void *listen_and_reap(void *user)
{
    struct child *c = user;
    pid_t r;
    hear_until_gone(c);
    tidy(c);
    if (c->exited < 0)
        pthread_join(c->waiter, NULL);
    pthread_mutex_lock(&c->lock);
    do
        r = waitpid(c->s.pid, &c->status, 0); /* it is dead: this does not wait */
    while (r < 0 && errno == EINTR);
    c->lost = r != c->s.pid;
    c->reaped = true;
    bool left = c->left;
    if (!left)
        say(c->done[1]);
    pthread_mutex_unlock(&c->lock);
    if (left)
        destroy(c);
    return NULL;
}

/* A pidfd of what is not reaped yet is the child's. None: so old a kernel, or it is forbidden. */
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

static int watch(struct child *c)
{
    int r = watch_exit(c);
    bool waiter = r == 0 && c->exited < 0;
    if (r == 0)
        r = thread_create(&c->listener, listen_and_reap, c);
    if (r < 0)
        take_back(c, waiter);
    return r;
}

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
        r = watch(c);
    }
    if (r < 0)
        destroy(c);
    else
        *ret = c;
    return r;
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

/* From here on nobody writes there, so that a reading end of ours hides nothing from us: no broken pipe is to come. */
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

/* As long as it is not reaped. */
static void signal_itself(struct child *c, int number)
{
    if (c->reaped)
        return;
    /* A program that waits for any child may have reaped it: then its pidfd says so, and its number does not. */
    int r = family_signal_process(c->exited, c->s.pid, number);
    if (c->s.own_group && r != -ESRCH) /* it is not reaped, so the number is still its group's */
        kill(-c->s.pid, number);
    c->signalled = true;
}

static size_t find_more(struct child *c)
{
    return family_find(&c->family, c->reaped ? 0 : c->s.pid, c->s.mark);
}

/* To the child and to all that it has started. What they start while we look is found by another look. */
static void send_signal(struct child *c, int number)
{
    pthread_mutex_lock(&c->lock);
    size_t from = 0;
    find_more(c);
    signal_itself(c, number);
    for (int i = 0; i < ROUNDS; i++) {
        family_signal(&c->family, from, number);
        from = c->family.n;
        if (find_more(c) == 0)
            break;
    }
    pthread_mutex_unlock(&c->lock);
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

static void go_on_to(struct child *c, int step, int number, int64_t now)
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
        go_on_to(c, GRACE, 0, now);
    else if ((patience == CHILD_MUST_END && c->step < TERMINATED) || (late && c->step == GRACE))
        go_on_to(c, TERMINATED, SIGTERM, now);
    else if (late && c->step == TERMINATED)
        go_on_to(c, KILLED, SIGKILL, now);
    else if (late && c->step == KILLED)
        go_on_to(c, LET_GO, 0, now);
}

/* Nothing of it is left, or it was signalled in vain. */
static bool family_is_over(struct child *c, int *ret_fd)
{
    *ret_fd = -1;
    if (c->step < TERMINATED || c->step == LET_GO)
        return true;
    if (family_lives(&c->family, ret_fd))
        return false;
    pthread_mutex_lock(&c->lock);
    size_t more = find_more(c);
    family_signal(&c->family, c->family.n - more, SIGKILL);
    pthread_mutex_unlock(&c->lock);
    return !family_lives(&c->family, ret_fd);
}

int child_end(struct child *c, enum child_patience patience, struct port *port, int64_t *ret_deadline_ns)
{
    int fd = c->done[0];
    if (!has_ended(c) || patience == CHILD_MUST_END || c->step >= TERMINATED)
        escalate(c, patience);
    if (has_ended(c) && family_is_over(c, &fd))
        return 0;
    if (port->fd != fd)
        port_init(port, fd, POLLIN);
    port->blocked = true;
    *ret_deadline_ns = c->until_ns;
    if (fd < 0)
        *ret_deadline_ns = MIN(c->until_ns, clock_ns() + LOOK_AGAIN_NS);
    return -EAGAIN;
}

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

int child_verdict(const struct child *c, char text[CHILD_TEXT_MAX])
{
    if (c->lost)
        snprintf(text, CHILD_TEXT_MAX,
                 "ended, and how is not known: this program ignores SIGCHLD, or reaps all it finds");
    else if (WIFEXITED(c->status))
        snprintf(text, CHILD_TEXT_MAX, "exited with status %d", WEXITSTATUS(c->status));
    else if (signal_name(WTERMSIG(c->status)))
        snprintf(text, CHILD_TEXT_MAX, "was killed by %s", signal_name(WTERMSIG(c->status)));
    else
        snprintf(text, CHILD_TEXT_MAX, "was killed by signal %d", WTERMSIG(c->status));
    if (!c->lost && WIFEXITED(c->status) && WEXITSTATUS(c->status) == 0)
        return 0;
    return c->signalled ? -ESRCH : 1;
}

const char *child_said(const struct child *c)
{
    return c->said;
}

struct child *child_free(struct child *c)
{
    if (!c || !origin_is_here(c->origin)) /* of a forked program it is the parent's child */
        return NULL;
    if (!has_ended(c)) {
        send_signal(c, SIGKILL);
        struct pollfd done = {.fd = c->done[0], .events = POLLIN};
        while (poll(&done, 1, LET_GO_MS) < 0 && errno == EINTR)
            ;
    }
    if (!has_ended(c)) {
        pthread_mutex_lock(&c->lock);
        c->left = !c->reaped;
        bool left = c->left;
        if (left)
            pthread_detach(c->listener);
        pthread_mutex_unlock(&c->lock);
        if (left)
            return NULL;
        pthread_join(c->listener, NULL);
    }
    destroy(c);
    return NULL;
}
