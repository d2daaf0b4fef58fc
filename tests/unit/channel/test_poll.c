/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * Descriptors for event loops: what makes them readable, and that nothing does while nothing happens. */
/* timeout: 120 */
/* labels: limits long */
#include "channel/channel.h"
#include "channels.h"
#include <dirent.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/resource.h>

#define LONG_MS 30000 /* what comes at all comes sooner */

static bool becomes_ready(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

static int receive_number(leat_channel *c)
{
    uint32_t number;
    size_t n;
    int r = leat_channel_receive(c, &number, sizeof(number), &n, 0);
    return r < 0 ? r : (int)number;
}

/* The next thing that the channel says but -EAGAIN, as an event loop hears it. */
static int next_answer(leat_channel *c, int fd)
{
    int r;
    int64_t end = clock_ns() + (int64_t)LONG_MS * 1000000;
    while ((r = receive_number(c)) == -EAGAIN && clock_ns() < end)
        if (!becomes_ready(fd, LONG_MS))
            return -ETIME;
    return r;
}

static int poll_of(leat_channel *c)
{
    int fd = -1;
    assert_int_equal(leat_channel_poll_fd(c, c->in.lane ? LEAT_READ : LEAT_WRITE, &fd), 0);
    return fd;
}

/* The youngest thread that was there before any channel: a sanitizer may have some, which wake up as they like. */
static int youngest;

/* How often the threads of this process that channels made have slept and woken up. */
static unsigned long switches(void)
{
    unsigned long sum = 0;
    int last = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *e; (e = readdir(tasks));) {
        char path[300], line[100];
        unsigned long n;
        if (e->d_name[0] == '.')
            continue;
        if (atoi(e->d_name) <= youngest || !youngest) {
            last = MAX(last, atoi(e->d_name));
            continue;
        }
        snprintf(path, sizeof(path), "/proc/self/task/%s/status", e->d_name);
        FILE *f = fopen(path, "r");
        while (f && fgets(line, sizeof(line), f))
            if (sscanf(line, "voluntary_ctxt_switches: %lu", &n) == 1)
                sum += n;
        if (f)
            fclose(f);
    }
    closedir(tasks);
    youngest = MAX(youngest, last);
    return sum;
}

static void *nothing_to_do(void *unused)
{
    return unused;
}

static unsigned timers(void)
{
    unsigned n = 0;
    DIR *fds = opendir("/proc/self/fd");
    assert_non_null(fds);
    for (struct dirent *e; (e = readdir(fds));) {
        char target[64] = {0};
        if (readlinkat(dirfd(fds), e->d_name, target, sizeof(target) - 1) > 0)
            n += strstr(target, "timerfd") != NULL;
    }
    closedir(fds);
    return n;
}

/* A thousand channels, each with a descriptor that is polled: no timer, no thread that wakes up, nothing to poll. */
static void test_idle(void **state UNUSED)
{
    static leat_channel *c[1000], *d[1000];
    struct rlimit limit;
    unsigned n = getenv("LEAT_TEST_QUICK") ? 50 : 1000;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    while (n * 14 + 100 > limit.rlim_cur)
        n /= 2;
    int loop = epoll_create1(EPOLL_CLOEXEC);
    pthread_t first; /* with which a sanitizer makes its own */
    assert_int_equal(pthread_create(&first, NULL, nothing_to_do, NULL), 0);
    pthread_join(first, NULL);
    assert_int_equal(switches(), 0); /* makes `youngest` known */
    struct epoll_event e;
    for (unsigned i = 0; i < n; i++) {
        c[i] = channel_make(4, 2, 0);
        d[i] = other_end(c[i]);
        assert_int_equal(epoll_ctl(loop, EPOLL_CTL_ADD, poll_of(d[i]), &(struct epoll_event){.events = EPOLLIN}), 0);
        assert_int_equal(receive_number(d[i]), -EAGAIN);
    }
    assert_int_equal(timers(), 0);
    /* What was closed while they were made is looked at for a while. */
    unsigned long was;
    do {
        was = switches();
        nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
    } while (switches() != was);
    for (unsigned i = 0; i < n; i++)
        assert_int_equal(receive_number(d[i]), -EAGAIN);
    unsigned long before = switches();
    assert_int_equal(epoll_wait(loop, &e, 1, 500), 0); /* ticks of 100 ms would be five for each */
    assert_int_equal(switches(), before);
    uint32_t number = 5;
    assert_int_equal(leat_channel_send(c[n / 2], &number, 4, 0), 0);
    assert_int_equal(epoll_wait(loop, &e, 1, LONG_MS), 1);
    assert_int_equal(next_answer(d[n / 2], poll_of(d[n / 2])), 5);
    for (unsigned i = 0; i < n; i++) {
        leat_channel_close(c[i]);
        leat_channel_close(d[i]);
    }
    close(loop);
}

struct child {
    leat_channel *mine, *other;
    bool holds;
};

/* Leaves the other end, takes part, says so, and waits to be killed. */
static int child_of(void *user)
{
    struct child *ch = user;
    struct leat_message m;
    leat_channel_close(ch->other);
    if (ch->holds && leat_channel_acquire(ch->mine, &m, LONG_MS) < 0)
        return 1;
    channel_enter(ch->mine);
    raise(SIGSTOP);
    return 0;
}

static pid_t start(struct child *ch)
{
    int status;
    pid_t pid = in_child(child_of, ch);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    return pid;
}

static void kill_child(pid_t pid)
{
    kill(pid, SIGKILL);
    assert_int_equal(status_of(pid), -SIGKILL);
}

/* The last sender is killed; so is the last receiver; a set is closed that nobody came for. */
static void test_deaths(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 1, 0), *d = other_end(c);
    struct child sender = {c, d, false};
    pid_t pid = start(&sender);
    leat_channel_close(c);
    int fd = poll_of(d);
    assert_int_equal(receive_number(d), -EAGAIN);
    kill_child(pid);
    assert_int_equal(next_answer(d, fd), -EOWNERDEAD);
    leat_channel_close(d);

    c = channel_make(4, 1, 0);
    d = other_end(c);
    struct child receiver = {d, c, false};
    pid = start(&receiver);
    leat_channel_close(d);
    fd = poll_of(c);
    uint32_t number = 1;
    int r;
    while ((r = leat_channel_send(c, &number, 4, 0)) == 0)
        ;
    assert_int_equal(r, -EAGAIN);
    kill_child(pid);
    while ((r = leat_channel_send(c, &number, 4, 0)) == -EAGAIN)
        assert_true(becomes_ready(fd, LONG_MS));
    assert_int_equal(r, -EPIPE);
    leat_channel_close(c);

    c = channel_make(4, 1, 0);
    d = other_end(c);
    struct set s = set_of(d, LEAT_CHANNEL_SENDER);
    leat_channel_close(c);
    fd = poll_of(d);
    assert_int_equal(receive_number(d), -EAGAIN);
    set_close(&s);
    assert_int_equal(next_answer(d, fd), -ENODATA);
    leat_channel_close(d);
}

/* What a receiver held when it was killed makes another one's descriptor readable, which knew nothing of it. */
static void test_held_comes_back(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 2, 0), *d = other_end(c);
    int fd = poll_of(d);
    uint32_t number = 77;
    assert_int_equal(leat_channel_send(c, &number, 4, 0), 0);
    struct child holder = {d, c, true};
    pid_t pid = start(&holder);
    assert_int_equal(receive_number(d), -EAGAIN);
    assert_false(becomes_ready(fd, 0));
    kill_child(pid);
    assert_int_equal(next_answer(d, fd), 77);
    leat_channel_close(c);
    leat_channel_close(d);
}

static int child_polls(void *user)
{
    leat_channel *d = user;
    int fd;
    if (leat_channel_poll_fd(d, LEAT_READ, &fd) < 0 || next_answer(d, fd) != 9)
        return 1;
    int r = next_answer(d, fd);
    leat_channel_close(d);
    return r == -EOWNERDEAD ? 0 : 2;
}

/* A child inherits a handle whose descriptor is polled, and makes one of its own, which hears of everything, too: of
 * messages, and of the death of the last sender, which is another child. */
static void test_child(void **state UNUSED)
{
#ifdef __SANITIZE_THREAD__
    print_message("ThreadSanitizer allows no new thread after a fork of a process with threads\n");
    skip();
#endif
    leat_channel *c = channel_make(4, 4, 0), *d = other_end(c);
    int fd = poll_of(d);
    assert_int_equal(receive_number(d), -EAGAIN);
    struct child sender = {c, d, false};
    pid_t pid = start(&sender);
    uint32_t number = 9;
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        leat_channel_close(c);
        _exit(child_polls(d));
    }
    leat_channel_close(d);
    assert_int_equal(leat_channel_send(c, &number, 4, 0), 0);
    leat_channel_close(c);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
    kill_child(pid);
    assert_int_equal(status_of(child), 0);
    (void)fd;
}

/* One who clears its descriptor does not silence another's. */
static void test_two_pollers(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 4, 0), *d = other_end(c), *e = other_end(c);
    int first = poll_of(d), second = poll_of(e);
    uint32_t number = 3;
    for (int i = 0; i < 10; i++) {
        assert_int_equal(receive_number(d), -EAGAIN);
        assert_int_equal(receive_number(e), -EAGAIN);
        assert_false(becomes_ready(first, 0));
        assert_false(becomes_ready(second, 0));
        assert_int_equal(leat_channel_send(c, &number, 4, 0), 0);
        assert_int_equal(receive_number(d), 3);
        assert_int_equal(receive_number(d), -EAGAIN);
        assert_false(becomes_ready(first, 0));
        assert_true(becomes_ready(second, 0)); /* it was not asked yet */
    }
    leat_channel_close(e);
    leat_channel_close(d);
    leat_channel_close(c);
}

/* A sender that was turned away because another one had the lock hears when that gives it back. */
static void test_turned_away(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 4, 0), *d = other_end(c);
    struct set s = set_of(c, LEAT_CHANNEL_SENDER);
    leat_channel *c2 = set_attach(&s);
    int fd = poll_of(c2);
    uint32_t number = 3;
    void *room;
    set_close(&s);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(leat_channel_reserve(c, 4, &room, 0), 0);
        assert_int_equal(leat_channel_send(c2, &number, 4, 0), -EAGAIN);
        assert_false(becomes_ready(fd, 0));
        assert_int_equal(i ? leat_channel_publish(c, 4) : leat_channel_abandon(c), 0);
        assert_true(becomes_ready(fd, 0));
    }
    leat_channel_close(c2);
    leat_channel_close(d);
    leat_channel_close(c);
}

/* Without the kernel's word on what was closed it ticks. */
static int without_closings(void *user UNUSED)
{
    leat_channel *c = NULL, *d = NULL;
    struct set s = {.n = LEAT_CHANNEL_FDS};
    if (unshare(CLONE_NEWUSER) < 0)
        return 77;
    FILE *f = fopen("/proc/sys/user/max_inotify_instances", "w");
    if (!f || fputs("0", f) < 0 || fclose(f) != 0 || platform.sharing->closings() >= 0)
        return 77;
    int fd;
    if (leat_channel_open(&c, NULL, NULL) < 0 || leat_channel_export(c, s.fd, &s.n) < 0 || !(d = set_attach(&s)))
        return 1;
    set_close(&s);
    if (leat_channel_poll_fd(d, LEAT_READ, &fd) < 0 || timers() != 1)
        return 2;
    for (int i = 0; i < 3; i++)
        if (receive_number(d) != -EAGAIN || becomes_ready(fd, 0) || !becomes_ready(fd, LONG_MS))
            return 3;
    struct child sender = {c, d, false};
    pid_t pid = in_child(child_of, &sender);
    int status;
    waitpid(pid, &status, WUNTRACED);
    leat_channel_close(c);
    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);
    return next_answer(d, fd) == -EOWNERDEAD ? 0 : 4;
}

static void test_ticks(void **state UNUSED)
{
    int status = status_of(in_child(without_closings, NULL));
    if (status == 77) {
        print_message("inotify can't be forbidden here\n");
        skip();
    }
    assert_int_equal(status, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_idle),        cmocka_unit_test(test_deaths),      cmocka_unit_test(test_held_comes_back),
        cmocka_unit_test(test_two_pollers), cmocka_unit_test(test_turned_away), cmocka_unit_test(test_ticks),
        cmocka_unit_test(test_child),
    };
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
