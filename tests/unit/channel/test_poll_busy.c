/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * Descriptors for event loops while others are busy: half of a long message, a peer that opens and closes the memory
 * all the time, and threads that fork while watchers end. */
/* labels: limits long */
#include "channel/channel.h"
#include "channel/watch_steps.h"
#include "channels.h"
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

#define LONG_MS 10000 /* what comes at all comes sooner */

static bool becomes_ready(int fd, int timeout_ms)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, timeout_ms) == 1;
}

/* ---- half of a long message ---- */

#define BYTES ((size_t)16 << 20) /* of a message, in a ring of 64 KiB */

static int send_long(void *user)
{
    uint8_t *bytes = malloc(BYTES);
    if (!bytes)
        return 1;
    message_fill(bytes, BYTES, 1, 1);
    return leat_channel_send(user, bytes, BYTES, -1) != 0;
}

/* How often within a second an event loop finds the descriptor readable and gets nothing. */
static unsigned vain_looks(leat_channel *d, int fd, uint8_t *bytes)
{
    unsigned n = 0;
    size_t length;
    int64_t end = clock_ns() + 1000000000;
    for (int64_t now = clock_ns(); now < end; now = clock_ns()) {
        if (!becomes_ready(fd, (int)((end - now) / 1000000)))
            continue;
        assert_int_equal(leat_channel_receive(d, bytes, BYTES, &length, 0), -EAGAIN);
        n++;
    }
    return n;
}

static void half_of_a_long_message_is_silent(void **state UNUSED)
{
    leat_channel *c = channel_make(0, 0, 65536), *d = other_end(c);
    uint8_t *bytes = malloc(BYTES);
    struct message_head head;
    size_t length = 0;
    int fd = -1, status, r;
    assert_int_equal(leat_channel_poll_fd(d, LEAT_READ, &fd), 0);
    pid_t pid = in_child(send_long, c);
    while (!atomic_load(&d->stream.open))
        assert_int_equal(leat_channel_receive(d, bytes, BYTES, &length, 0), -EAGAIN);
    kill(pid, SIGSTOP);
    assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
    assert_true(WIFSTOPPED(status));
    /* Some looks are made for what was closed lately, or where a clock has to tell of deaths. */
    assert_true(vain_looks(d, fd, bytes) < 50);
    kill(pid, SIGCONT);
    while ((r = leat_channel_receive(d, bytes, BYTES, &length, 0)) == -EAGAIN)
        assert_true(becomes_ready(fd, LONG_MS));
    assert_int_equal(r, 0);
    assert_int_equal(length, BYTES);
    assert_true(message_holds(bytes, length, &head));
    assert_int_equal(status_of(pid), 0);
    free(bytes);
    leat_channel_close(c);
    leat_channel_close(d);
}

/* ---- a peer that opens and closes ---- */

static int open_and_close(void *user)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", leat_channel_memory_fd(user));
    for (;;) {
        int fd = open(path, O_RDWR | O_CLOEXEC);
        if (fd < 0)
            return 1;
        close(fd);
    }
}

static int send_one_and_stop(void *user)
{
    uint32_t number = 7;
    int r = leat_channel_send(user, &number, 4, -1);
    raise(SIGSTOP);
    return r;
}

static void a_death_is_told_while_a_peer_opens_and_closes(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 1, 0), *d = other_end(c);
    int fd = -1, status, r;
    uint32_t number;
    size_t n;
    pid_t sender = in_child(send_one_and_stop, c);
    assert_int_equal(waitpid(sender, &status, WUNTRACED), sender);
    leat_channel_close(c);
    assert_int_equal(leat_channel_poll_fd(d, LEAT_READ, &fd), 0);
    pid_t busy[2];
    for (int i = 0; i < 2; i++)
        busy[i] = in_child(open_and_close, d);
    assert_int_equal(leat_channel_receive(d, &number, 4, &n, 0), 0);
    assert_int_equal(leat_channel_receive(d, &number, 4, &n, 0), -EAGAIN);
    usleep(50000);
    assert_int_equal(leat_channel_receive(d, &number, 4, &n, 0), -EAGAIN);
    kill(sender, SIGKILL);
    assert_int_equal(waitpid(sender, &status, 0), sender);
    do /* a call that receives looks for the dead by itself, so only what the descriptor says counts */
        r = becomes_ready(fd, LONG_MS) ? leat_channel_receive(d, &number, 4, &n, 0) : -ETIME;
    while (r == -EAGAIN);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(waitpid(busy[i], &status, WNOHANG), 0);
        kill(busy[i], SIGKILL);
        waitpid(busy[i], &status, 0);
    }
    assert_int_equal(r, -EOWNERDEAD);
    leat_channel_close(d);
}

/* However the processors are shared: closes come whenever they are heard of. */
static void closes_without_end_put_off_no_look(void **state UNUSED)
{
    struct watch_steps steps = {WATCH_STEPS};
    unsigned looks = 0, waited_ms = 0;
    assert_true(watch_steps_hears(&steps));
    assert_int_equal(watch_steps_wait(&steps), -1); /* nothing was closed: it sleeps */
    for (int i = 0; i < 100; i++)
        if (watch_steps_hears(&steps))
            watch_steps_heard(&steps);
        else {
            waited_ms += (unsigned)watch_steps_wait(&steps);
            assert_false(watch_steps_looked(&steps));
            looks++;
        }
    assert_int_equal(looks, 50);
    assert_int_equal(waited_ms, 50);
}

static void a_look_is_repeated_until_it_sleeps(void **state UNUSED)
{
    struct watch_steps steps = {WATCH_STEPS};
    unsigned looks = 1, waited_ms = 0;
    watch_steps_heard(&steps);
    for (waited_ms = (unsigned)watch_steps_wait(&steps); !watch_steps_looked(&steps); looks++)
        waited_ms += (unsigned)watch_steps_wait(&steps);
    assert_int_equal(looks, WATCH_STEPS);
    assert_int_equal(waited_ms, 2000);
    assert_int_equal(watch_steps_wait(&steps), -1);
}

/* ---- forks ---- */

static atomic_bool over;

static void *start_and_end_watchers(void *user)
{
    while (!atomic_load(&over)) {
        leat_channel *c = NULL;
        int fd;
        struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
        o.message_size = 4;
        if (leat_channel_open(&c, &o, NULL) < 0 || leat_channel_poll_fd(c, LEAT_WRITE, &fd) < 0)
            *(bool *)user = true;
        leat_channel_close(c);
    }
    return NULL;
}

/* Descriptors that tell of closed files. */
static int count_closings(void *user UNUSED)
{
    int n = 0;
    for (int fd = 0; fd < 256; fd++) {
        char path[64], target[64] = {0};
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        n += readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "inotify") != NULL;
    }
    return n;
}

static void a_child_has_no_descriptor_of_a_watcher(void **state UNUSED)
{
    bool failed = false;
    pthread_t thread;
    int left = 0;
    assert_int_equal(pthread_create(&thread, NULL, start_and_end_watchers, &failed), 0);
    for (int i = 0; i < 300; i++)
        left += status_of(in_child(count_closings, NULL));
    atomic_store(&over, true);
    pthread_join(thread, NULL);
    assert_false(failed);
    assert_int_equal(left, 0);
}

/* ---- several who make descriptors ---- */

/* A call that makes none, or fails, takes nothing from the others. */
static void who_watches_is_counted(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 1, 0);
    if (watch_start(c) < 0) {
        leat_channel_close(c);
        print_message("inotify can't be had here\n");
        skip();
    }
    assert_int_equal(watch_start(c), 0);
    watch_drop(c);
    assert_true(c->watch_number >= 0);
    watch_drop(c);
    assert_int_equal(c->watch_number, -1);
    int fd, same;
    assert_int_equal(leat_channel_poll_fd(c, LEAT_WRITE, &fd), 0);
    assert_int_equal(leat_channel_poll_fd(c, LEAT_WRITE, &same), 0);
    assert_int_equal(fd, same);
    assert_true(c->watch_number >= 0);
    leat_channel_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_of_a_long_message_is_silent),
        cmocka_unit_test(a_death_is_told_while_a_peer_opens_and_closes),
        cmocka_unit_test(closes_without_end_put_off_no_look),
        cmocka_unit_test(a_look_is_repeated_until_it_sleeps),
        cmocka_unit_test(a_child_has_no_descriptor_of_a_watcher),
        cmocka_unit_test(who_watches_is_counted),
    };
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
