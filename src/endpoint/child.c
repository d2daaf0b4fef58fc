/* Who owns what: the child is watched by two threads. The waiter sits in waitid(2), which leaves the dead where they
 * are, and says so through `gone`. The listener reads standard error, so that a child that says much is never held up;
 * when the child is gone it takes what is left there without waiting, because others may have that pipe too, reaps the
 * child, and says so through `done`. Between the death and the reaping the number is still the child's, and it is only
 * reaped under the lock: so a signal of ours never meets somebody else.
 *
 * `status`, `reaped` and `left` are under the lock; `said` is the listener's until `done` has its byte. A child that
 * not even SIGKILL ends in time is left behind: the listener then frees it. Nothing here looks at a process that is not
 * our own child, and no signal handler is needed. */
#include "endpoint/child.h"
#include "base/fd.h"
#include "base/platform.h"
#include "base/thread.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#define GRACE_NS   1000000000 /* until the next step of a child that does not end */
#define LET_GO_MS  2000       /* until one that was killed is left behind */
#define PIPE_SIZE  65536
#define DRAIN_MAX  64 /* reads, of CHILD_SAID_MAX each, when it is gone */
#define COMMAND_FD 3  /* what the child gets is kept above its three while it is arranged */

extern char **environ;

struct child {
    pid_t pid;
    int in, out, err; /* ours */
    int gone[2], done[2];
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
        KILLED
    } step;
    int64_t until_ns; /* of this step */
    size_t said_n;
    bool cut; /* more was said before */
    char said[CHILD_SAID_MAX + 1];
};

/* ---- starting ---- */

/* Between the making of a pipe and its close-on-exec another child might be started, which would hold it open; so one
 * is started after the other, where the kernel does not make both at once. */
static pthread_mutex_t starting = PTHREAD_MUTEX_INITIALIZER;

static int make_pipe(int fd[2])
{
    size_t size;
    int r = platform.pipe_make(fd, PIPE_SIZE, &size);
    return r == -ENOSYS ? fd_pipe(fd) : r;
}

/* The child's end: it may wait, and it is not one of the three that it will become. */
static int make_theirs(int *fd)
{
    int r = fcntl(*fd, F_SETFL, fcntl(*fd, F_GETFL) & ~O_NONBLOCK);
    if (r == 0 && *fd < COMMAND_FD) {
        r = fcntl(*fd, F_DUPFD_CLOEXEC, COMMAND_FD);
        if (r >= 0) {
            fd_close(*fd);
            *fd = r;
        }
    }
    return r < 0 ? -errno : 0;
}

/* *ours and *theirs: one end for each; `read` tells which one is ours. */
static int open_pipe(int *ours, int *theirs, bool read)
{
    int fd[2];
    int r = make_pipe(fd);
    if (r < 0)
        return r;
    *ours = fd[read ? 0 : 1];
    *theirs = fd[read ? 1 : 0];
    return make_theirs(theirs);
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

static int set_signals(posix_spawnattr_t *attributes)
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
        r = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return r;
}

static int spawn(pid_t *ret, const char *command, const int theirs[3])
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    char *arguments[] = {(char[]){"sh"}, (char[]){"-c"}, strdup(command), NULL};
    if (!arguments[2] || posix_spawn_file_actions_init(&actions) != 0) {
        free(arguments[2]);
        return -ENOMEM;
    }
    int r = posix_spawnattr_init(&attributes);
    if (r == 0) {
        r = arrange(&actions, theirs);
        if (r == 0)
            r = set_signals(&attributes);
        if (r == 0)
            r = posix_spawn(ret, "/bin/sh", &actions, &attributes, arguments, environ);
        posix_spawnattr_destroy(&attributes);
    }
    posix_spawn_file_actions_destroy(&actions);
    free(arguments[2]);
    return r >= 0 ? -r : -ENOSYS; /* -1: a system that has it by name only */
}

static int start_on_pipes(struct child *c, const char *command, unsigned pipes, const char **ret_operation)
{
    int theirs[3] = {-1, -1, -1};
    *ret_operation = "pipe";
    int r = open_pipe(&c->err, &theirs[2], true);
    if (r == 0 && (pipes & CHILD_STDIN))
        r = open_pipe(&c->in, &theirs[0], false);
    if (r == 0 && (pipes & CHILD_STDOUT))
        r = open_pipe(&c->out, &theirs[1], true);
    if (r == 0) {
        *ret_operation = "posix_spawn";
        r = spawn(&c->pid, command, theirs);
    }
    for (int i = 0; i < 3; i++)
        fd_close(theirs[i]);
    return r;
}

/* ---- its two threads ---- */

static void say(int fd)
{
    ssize_t n = write(fd, "", 1);
    (void)n; /* an empty pipe of ours takes a byte */
}

static void *wait_for_exit(void *user)
{
    struct child *c = user;
    siginfo_t info;
    while (waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOWAIT) < 0 && errno == EINTR)
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
    ssize_t n = read(c->err, bytes, sizeof(bytes));
    if (n > 0)
        keep(c, bytes, (size_t)n);
    *ret_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
    return n > 0;
}

static void hear_until_gone(struct child *c)
{
    struct pollfd set[] = {{.fd = c->gone[0], .events = POLLIN}, {.fd = c->err, .events = POLLIN}};
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
    int *const fd[] = {&c->in, &c->out, &c->err, &c->gone[0], &c->gone[1], &c->done[0], &c->done[1]};
    for (size_t i = 0; i < COUNT(fd); i++)
        *fd[i] = fd_close(*fd[i]);
}

static void destroy(struct child *c)
{
    close_all(c);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

static void *listen_and_reap(void *user)
{
    struct child *c = user;
    pid_t r;
    hear_until_gone(c);
    tidy(c);
    pthread_join(c->waiter, NULL);
    pthread_mutex_lock(&c->lock);
    do
        r = waitpid(c->pid, &c->status, 0); /* it is dead: this does not wait */
    while (r < 0 && errno == EINTR);
    c->lost = r != c->pid;
    c->reaped = true;
    bool left = c->left;
    if (!left)
        say(c->done[1]);
    pthread_mutex_unlock(&c->lock);
    if (left)
        destroy(c);
    return NULL;
}

static int start_threads(struct child *c)
{
    int r = thread_create(&c->waiter, wait_for_exit, c);
    if (r == 0) {
        r = thread_create(&c->listener, listen_and_reap, c);
        if (r < 0) {
            kill(c->pid, SIGKILL);
            pthread_join(c->waiter, NULL);
        }
    } else
        kill(c->pid, SIGKILL);
    if (r < 0)
        waitpid(c->pid, NULL, 0);
    return r;
}

int child_start(struct child **ret, const char *command, unsigned pipes, const char **ret_operation)
{
    struct child *c = calloc(1, sizeof(*c));
    *ret_operation = "malloc";
    if (!c)
        return -ENOMEM;
    c->in = c->out = c->err = c->gone[0] = c->gone[1] = c->done[0] = c->done[1] = -1;
    pthread_mutex_init(&c->lock, NULL);
    *ret_operation = "pipe";
    int r = fd_pipe(c->gone);
    if (r == 0)
        r = fd_pipe(c->done);
    if (r == 0) {
        pthread_mutex_lock(&starting);
        r = start_on_pipes(c, command, pipes, ret_operation);
        pthread_mutex_unlock(&starting);
    }
    if (r == 0) {
        *ret_operation = "pthread_create";
        r = start_threads(c);
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
    return c->in;
}

int child_stdout(const struct child *c)
{
    return c->out;
}

void child_close_stdin(struct child *c)
{
    c->in = fd_close(c->in);
}

void child_close_stdout(struct child *c)
{
    c->out = fd_close(c->out);
}

/* ---- its end ---- */

static void send_signal(struct child *c, int number)
{
    pthread_mutex_lock(&c->lock);
    if (!c->reaped) {
        kill(c->pid, number);
        c->signalled = true;
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
    c->until_ns = step == KILLED ? 0 : now + GRACE_NS;
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
}

int child_end(struct child *c, enum child_patience patience, struct port *port, int64_t *ret_deadline_ns)
{
    if (has_ended(c))
        return 0;
    escalate(c, patience);
    if (port->fd != c->done[0])
        port_init(port, c->done[0], POLLIN);
    port->blocked = true;
    *ret_deadline_ns = c->until_ns;
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
    if (!c)
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
