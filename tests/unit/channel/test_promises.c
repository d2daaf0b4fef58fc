/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * Sentences of leat/channel.h that no other test tries to break. */
/* timeout: 120
 * labels: limits */
#include "channels.h"
#include <poll.h>
#include <pthread.h>
#include <sys/resource.h>

static leat_channel *make(const struct leat_channel_options *o)
{
    leat_channel *c = NULL;
    assert_int_equal(leat_channel_open(&c, o, NULL), 0);
    return c;
}

/* Elsewhere every call that makes a handle, or looks into a memory, says -ENOSYS, and leaves what it was to fill. */
static void only_linux_has_channels(void **state UNUSED)
{
    leat_channel *c = (leat_channel *)state;
    struct leat_channel_info info = LEAT_INIT(struct leat_channel_info);
    int fds[3] = {0, 1, 2};
    assert_int_equal(leat_channel_open(&c, NULL, NULL), -ENOSYS);
    assert_int_equal(leat_channel_attach(&c, fds, 3), -ENOSYS);
    assert_int_equal(leat_channel_attach_passed(&c, 0, -1), -ENOSYS);
    assert_int_equal(leat_channel_inspect(0, &info, NULL, NULL), -ENOSYS);
    assert_ptr_equal(c, state);
}

static void what_is_zero_has_the_default(void **state UNUSED)
{
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    leat_channel *c = make(NULL);
    struct leat_channel_info info = info_of(c);
    assert_int_equal(info.ring_bytes, 1 << 20);
    assert_int_equal(info.message_limit, 1 << 30);
    assert_int_equal(info.message_size, 0);
    assert_int_equal(info.peers, 64);
    assert_int_equal(info.lanes, 1);
    leat_channel_close(c);
    o.message_size = 24;
    c = make(&o);
    assert_int_equal(info_of(c).count, 64);
    leat_channel_close(c);
    o = LEAT_INIT(struct leat_channel_options);
    o.ring_bytes = 1;
    o.peers = 4096;
    c = make(&o);
    assert_int_equal(info_of(c).ring_bytes, 32);
    assert_int_equal(info_of(c).peers, 4096);
    leat_channel_close(c);
}

static struct leat_channel_options described(const leat_channel *c)
{
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    assert_int_equal(leat_channel_describe(c, &o), 0);
    return o;
}

static void expect_described(struct leat_channel_options o, const struct leat_channel_options *as, int32_t end)
{
    assert_true(o.message_size == as->message_size && o.count == as->count && o.ring_bytes == as->ring_bytes);
    assert_true(o.message_limit == as->message_limit && o.peers == as->peers);
    assert_int_equal(o.duplex, as->duplex);
    assert_int_equal(o.end, end);
}

/* Each handle says the same but its end, and a channel that is made of what it says is the same again. */
static void a_handle_describes_its_channel(void **state UNUSED)
{
    const size_t size = sizeof(struct leat_channel_options);
    const struct leat_channel_options cases[] = {
        {.size = size, .ring_bytes = 1 << 20, .message_limit = 1 << 30, .peers = 64},
        {.size = size, .ring_bytes = 48, .message_limit = 7, .duplex = 1, .end = LEAT_CHANNEL_RECEIVER, .peers = 5},
        {.size = size, .message_size = 1, .count = 1, .peers = 4096},
        {.size = size, .message_size = 24, .count = 64, .end = LEAT_CHANNEL_RECEIVER, .peers = 3},
    };
    leat_channel *c = make(NULL);
    expect_described(described(c), &cases[0], LEAT_CHANNEL_SENDER);
    leat_channel_close(c);
    for (size_t i = 0; i < COUNT(cases); i++) {
        c = make(&cases[i]);
        struct set s = set_of(c, LEAT_CHANNEL_RECEIVER);
        leat_channel *d = set_attach(&s);
        struct leat_channel_options own = described(c);
        expect_described(own, &cases[i], cases[i].end);
        expect_described(described(d), &cases[i], LEAT_CHANNEL_RECEIVER);
        set_close(&s);
        leat_channel_close(d);
        leat_channel_close(c);
        c = make(&own);
        expect_described(described(c), &own, own.end);
        leat_channel_close(c);
    }
}

static void a_ring_holds_what_it_says(void **state UNUSED)
{
    for (uint64_t ring = 1; ring < 200; ring += 7) {
        struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
        o.ring_bytes = ring;
        leat_channel *c = make(&o);
        uint64_t all = info_of(c).ring_bytes, sent = 0;
        assert_true(all >= ring && all % 16 == 0 && all >= 32);
        while (leat_channel_send(c, "", 0, 0) == 0)
            sent++;
        assert_int_equal(sent, all / 16);
        leat_channel_close(c);
    }
}

static void longer_than_the_limit_is_refused(void **state UNUSED)
{
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    static uint8_t bytes[1001];
    void *room;
    o.message_limit = 1000;
    leat_channel *c = make(&o), *d = other_end(c);
    assert_int_equal(leat_channel_send(c, bytes, 1001, 0), -EMSGSIZE);
    assert_int_equal(leat_channel_send(c, bytes, 1001, -1), -EMSGSIZE);
    assert_int_equal(leat_channel_reserve(c, 1001, &room, 0), -EMSGSIZE);
    assert_int_equal(leat_channel_send(c, bytes, 1000, 0), 0);
    assert_int_equal(leat_channel_receive(d, bytes, 1001, NULL, 0), 0);
    leat_channel_close(d);
    leat_channel_close(c);
}

/* Whatever can't be had for want of descriptors is -EMFILE, and takes none. */
static void without_descriptors(void **state UNUSED)
{
    struct rlimit was, limit;
    leat_channel *c = NULL, *d = NULL;
    struct set s = {.n = LEAT_CHANNEL_FDS};
    int r, before = unit_descriptors(), fd, step = 0;
    getrlimit(RLIMIT_NOFILE, &was);
    limit = was;
    for (limit.rlim_cur = 3; step < 4 && limit.rlim_cur < was.rlim_max; limit.rlim_cur++) {
        int now;
        setrlimit(RLIMIT_NOFILE, &limit);
        r = step == 0   ? leat_channel_open(&c, NULL, NULL)
            : step == 1 ? leat_channel_export(c, s.fd, &s.n)
            : step == 2 ? leat_channel_attach(&d, s.fd, s.n)
                        : leat_channel_poll_fd(d, LEAT_READ, &fd);
        setrlimit(RLIMIT_NOFILE, &was);
        if (r != 0)
            assert_int_equal(r, -EMFILE);
        now = unit_descriptors();
        assert_true(r == 0 || now == before);
        before = now;
        if (r == 0) {
            step++;
            limit.rlim_cur = 3;
        }
    }
    assert_int_equal(step, 4);
    set_close(&s);
    leat_channel_close(d);
    leat_channel_close(c);
}

static void a_set_is_close_on_exec_and_can_be_used_again(void **state UNUSED)
{
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    o.duplex = 1;
    leat_channel *c = make(&o);
    struct set s = set_of(c, LEAT_CHANNEL_RECEIVER);
    assert_true(s.n <= LEAT_CHANNEL_FDS);
    for (size_t i = 0; i < s.n; i++)
        assert_true(fcntl(s.fd[i], F_GETFD) & FD_CLOEXEC);
    struct set moved = {.n = s.n};
    for (size_t i = 0; i < s.n; i++)
        moved.fd[i] = dup(s.fd[s.n - 1 - i]); /* other numbers, in another order of numbers */
    for (size_t i = 0; i < s.n / 2; i++) {
        int fd = moved.fd[i];
        moved.fd[i] = moved.fd[s.n - 1 - i];
        moved.fd[s.n - 1 - i] = fd;
    }
    leat_channel *d = set_attach(&s), *e = set_attach(&moved), *f = set_attach(&s);
    assert_true(d && e && f);
    for (size_t i = 0; i < s.n; i++)
        assert_true(fcntl(s.fd[i], F_GETFD) >= 0); /* they were borrowed */
    set_close(&s);
    set_close(&moved);
    leat_channel_close(c);
    leat_channel_close(d);
    leat_channel_close(e);
    leat_channel_close(f);
}

static leat_channel *to_cancel;
static void cancel_now(int number UNUSED)
{
    leat_channel_cancel(to_cancel);
}

static void a_signal_handler_may_cancel(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 1, 0), *d = other_end(c);
    uint32_t number = 0;
    struct sigaction action = {.sa_handler = cancel_now}, was;
    to_cancel = d;
    sigaction(SIGALRM, &action, &was);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = 20000}}, NULL);
    assert_int_equal(leat_channel_receive(d, &number, 4, NULL, -1), -ECANCELED);
    to_cancel = c;
    assert_int_equal(leat_channel_send(c, &number, 4, -1), 0);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = 20000}}, NULL);
    assert_int_equal(leat_channel_send(c, &number, 4, -1), -ECANCELED);
    sigaction(SIGALRM, &was, NULL);
    leat_channel_close(d);
    leat_channel_close(c);
}

static void how_many_is_always_set(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 1, 0), *d = other_end(c);
    uint32_t number = 0;
    struct iovec v[2] = {{&number, 4}, {&number, 3}};
    size_t n = 9;
    assert_int_equal(leat_channel_sendv(d, v, 1, &n, 0), -EBADF);
    assert_int_equal(n, 0);
    n = 9;
    assert_int_equal(leat_channel_receivev(c, v, 1, &n, 0), -EBADF);
    assert_int_equal(n, 0);
    assert_int_equal(leat_channel_sendv(c, v, 2, &n, 0), -EMSGSIZE); /* the second one has the wrong size */
    assert_int_equal(n, 1);
    assert_int_equal(leat_channel_receivev(d, v, 0, &n, 0), 0);
    assert_int_equal(n, 0);
    leat_channel_close(d);
    leat_channel_close(c);
}

struct release {
    leat_channel *c;
    struct leat_message m;
    int r;
};

static void *release_it(void *user)
{
    struct release *r = user;
    r->r = leat_channel_release(r->c, &r->m);
    return NULL;
}

static void any_thread_releases_in_any_order(void **state UNUSED)
{
    leat_channel *c = channel_make(0, 0, 4096), *d = other_end(c);
    struct release held[5];
    pthread_t thread;
    for (size_t i = 0; i < COUNT(held); i++) {
        assert_int_equal(leat_channel_send(c, "abcdefgh", i, 0), 0);
        held[i].c = d;
        assert_int_equal(leat_channel_acquire(d, &held[i].m, 0), 0);
        assert_int_equal((uintptr_t)held[i].m.data % 16, 0);
        assert_int_equal(held[i].m.length, i);
    }
    static const int order[] = {3, 0, 4, 2, 1};
    for (size_t i = 0; i < COUNT(order); i++) {
        assert_memory_equal(held[order[i]].m.data, "abcdefgh", held[order[i]].m.length);
        pthread_create(&thread, NULL, release_it, &held[order[i]]);
        pthread_join(thread, NULL);
        assert_int_equal(held[order[i]].r, 0);
    }
    assert_int_equal(info_of(d).lane[0].bytes, 0);
    leat_channel_close(d);
    leat_channel_close(c);
}

static int child_has_nothing(void *user)
{
    leat_channel *c = user;
    if (leat_channel_publish(c, 4) != -EINVAL || leat_channel_abandon(c) != -EINVAL)
        return 1;
    int r = leat_channel_send(c, "abcd", 4, 0); /* the parent's reservation is another peer's */
    leat_channel_close(c);
    return r == -EAGAIN ? 0 : 2;
}

static void a_child_has_no_reservation(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 2, 0), *d = other_end(c);
    void *room;
    assert_int_equal(leat_channel_reserve(c, 4, &room, 0), 0);
    assert_int_equal(status_of(in_child(child_has_nothing, c)), 0);
    memcpy(room, "1234", 4);
    assert_int_equal(leat_channel_publish(c, 4), 0);
    assert_int_equal(leat_channel_receive(d, room, 4, NULL, 0), 0);
    leat_channel_close(d);
    leat_channel_close(c);
}

static void inspecting_takes_no_part(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 2, 0), *d = other_end(c);
    struct leat_channel_info info = LEAT_INIT(struct leat_channel_info);
    struct leat_channel_peer peers[3] = {{.place = 99}, {.place = 99}, {.place = 99}};
    size_t n = 1;
    int before = unit_descriptors();
    assert_int_equal(leat_channel_send(c, "abcd", 4, 0), 0);
    assert_int_equal(leat_channel_inspect(leat_channel_memory_fd(d), &info, peers, &n), 0);
    assert_int_equal(n, 3); /* the set was closed, and nobody has noticed yet */
    assert_int_equal(peers[0].place, 0);
    assert_int_equal(peers[1].place, 99); /* there was room for one */
    assert_int_equal(peers[0].pid, getpid());
    n = COUNT(peers);
    assert_int_equal(leat_channel_inspect(leat_channel_memory_fd(d), &info, peers, &n), 0);
    assert_int_equal(n, 3);
    assert_int_equal(peers[0].alive + peers[1].alive + peers[2].alive, 2);
    assert_int_equal(info.lane[0].messages, 1);
    assert_int_equal(info.lane[0].sent, 1);
    assert_int_equal(info.lane[0].senders, 1);
    assert_int_equal(info.lane[0].receivers, 1);
    assert_int_equal(unit_descriptors(), before);
    assert_int_equal(leat_channel_inspect(9999, &info, NULL, NULL), -EBADF);
    leat_channel_close(d);
    leat_channel_close(c);
}

static void sending_to_nobody_yet_fills_the_ring(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 3, 0);
    for (int i = 0; i < 3; i++)
        assert_int_equal(leat_channel_send(c, "abcd", 4, 0), 0);
    assert_int_equal(leat_channel_send(c, "abcd", 4, 0), -EAGAIN);
    assert_int_equal(leat_channel_send(c, "abcd", 4, 5), -ETIMEDOUT);
    leat_channel_close(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_zero_has_the_default),
        cmocka_unit_test(a_handle_describes_its_channel),
        cmocka_unit_test(a_ring_holds_what_it_says),
        cmocka_unit_test(longer_than_the_limit_is_refused),
        cmocka_unit_test(without_descriptors),
        cmocka_unit_test(a_set_is_close_on_exec_and_can_be_used_again),
        cmocka_unit_test(a_signal_handler_may_cancel),
        cmocka_unit_test(how_many_is_always_set),
        cmocka_unit_test(any_thread_releases_in_any_order),
        cmocka_unit_test(a_child_has_no_reservation),
        cmocka_unit_test(inspecting_takes_no_part),
        cmocka_unit_test(sending_to_nobody_yet_fills_the_ring),
    };
    const struct CMUnitTest nowhere[] = {cmocka_unit_test(only_linux_has_channels)};
    return platform.sharing ? cmocka_run_group_tests(tests, NULL, NULL) : cmocka_run_group_tests(nowhere, NULL, NULL);
}
