/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * One process, or two that know each other: what each call says, and what the ends see of each other. */
/* labels: uml native */
#include "channel/channel.h"
#include "channels.h"
#include <poll.h>
#include <pthread.h>
#include <sys/socket.h>

static int receive_number(leat_channel *c, int timeout_ms)
{
    uint32_t number;
    size_t n = 0;
    int r = leat_channel_receive(c, &number, sizeof(number), &n, timeout_ms);
    return r < 0 ? r : n == sizeof(number) ? (int)number : -EIO;
}

static int send_number(leat_channel *c, uint32_t number, int timeout_ms)
{
    return leat_channel_send(c, &number, sizeof(number), timeout_ms);
}

/* What is refused names its option, and what is allowed. */
static void test_options(void **state UNUSED)
{
    static const struct {
        uint64_t message_size, count, ring_bytes, message_limit;
        uint32_t peers;
        int32_t end;
        const char *refused;
    } cases[] = {
        {0, 0, 0, 0, 0, 0, NULL},
        {1, 1, 0, 0, 2, 1, NULL},
        {0, 0, 1, 0, 0, 0, NULL},
        {0, 3, 0, 0, 0, 0, "count must be 0"},
        {8, 0, 99, 0, 0, 0, "ring_bytes and message_limit must be 0"},
        {8, 0, 0, 99, 0, 0, "ring_bytes and message_limit must be 0"},
        {UINT64_MAX, 2, 0, 0, 0, 0, "message_size times count must be less"},
        {(uint64_t)1 << 32, 1, 0, 0, 0, 0, "message_size times count must be less"},
        {8, UINT64_MAX, 0, 0, 0, 0, "message_size times count must be less"},
        {8, ((uint64_t)1 << 27) + 1, 0, 0, 0, 0, "message_size times count must be less"},
        {0, 0, UINT64_MAX, 0, 0, 0, "ring_bytes must be at most 4294967296"},
        {0, 0, ((uint64_t)1 << 32) + 1, 0, 0, 0, "ring_bytes must be at most 4294967296"},
        {0, 0, 0, (uint64_t)1 << 40, 0, 0, NULL},
        {0, 0, 0, ((uint64_t)1 << 40) + 1, 0, 0, "message_limit must be at most 1099511627776"},
        {0, 0, 0, 0, 1, 0, "peers must be from 2 to 4096"},
        {0, 0, 0, 0, 4096, 0, NULL},
        {0, 0, 0, 0, 4097, 0, "peers must be from 2 to 4096"},
        {0, 0, 0, 0, 0, 2, "end must be LEAT_CHANNEL_SENDER or LEAT_CHANNEL_RECEIVER"},
        {0, 0, 0, 0, 0, -1, "end must be LEAT_CHANNEL_SENDER or LEAT_CHANNEL_RECEIVER"},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
        struct leat_error error = LEAT_INIT(struct leat_error);
        leat_channel *c = NULL;
        o.message_size = cases[i].message_size;
        o.count = cases[i].count;
        o.ring_bytes = cases[i].ring_bytes;
        o.message_limit = cases[i].message_limit;
        o.peers = cases[i].peers;
        o.end = cases[i].end;
        assert_int_equal(leat_channel_open(&c, &o, &error), cases[i].refused ? -EINVAL : 0);
        if (cases[i].refused && !strstr(error.text, cases[i].refused))
            fail_msg("case %zu says: %s", i, error.text);
        leat_channel_close(c);
    }
}

static void test_sizes(void **state UNUSED)
{
    static const size_t sizes[] = {0, 1, 15, 16, 17, 4095, 4096, 4097, 65520, 65536, 300000};
    static uint8_t bytes[300000], got[300001];
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)mix((uint32_t)i, 1);
    leat_channel *c = channel_make(0, 0, 1 << 20), *d = other_end(c);
    for (unsigned round = 0; round < 20; round++)
        for (size_t i = 0; i < COUNT(sizes); i++) {
            size_t n = 99;
            assert_int_equal(leat_channel_send(c, bytes, sizes[i], 0), 0);
            assert_int_equal(leat_channel_receive(d, got, sizeof(got), &n, 0), 0);
            assert_int_equal(n, sizes[i]);
            assert_memory_equal(got, bytes, n);
        }
    leat_channel_close(c);
    leat_channel_close(d);
}

static void test_wrong(void **state UNUSED)
{
    uint8_t bytes[64] = {0};
    size_t n = 7;
    void *room;
    struct leat_message m = {0};
    leat_channel *c = channel_make(8, 2, 0), *d = other_end(c);
    assert_int_equal(leat_channel_send(d, bytes, 8, 0), -EBADF);
    assert_int_equal(leat_channel_receive(c, bytes, 8, &n, 0), -EBADF);
    assert_int_equal(leat_channel_acquire(c, &m, 0), -EBADF);
    assert_int_equal(leat_channel_release(c, &m), -EBADF);
    assert_int_equal(leat_channel_reserve(d, 8, &room, 0), -EBADF);
    assert_int_equal(leat_channel_publish(d, 8), -EBADF);
    assert_int_equal(leat_channel_abandon(d), -EBADF);
    assert_int_equal(leat_channel_send(c, bytes, 7, 0), -EMSGSIZE);
    assert_int_equal(leat_channel_send(c, bytes, 9, 0), -EMSGSIZE);
    assert_int_equal(leat_channel_send(c, bytes, 8, 0), 0);
    assert_int_equal(leat_channel_receive(d, bytes, 7, &n, 0), -EMSGSIZE);
    assert_int_equal(n, 8);
    assert_int_equal(leat_channel_receive(d, bytes, 8, &n, 0), 0);
    n = 7;
    assert_int_equal(leat_channel_receive(d, bytes, 8, &n, 0), -EAGAIN);
    assert_int_equal(leat_channel_receive(d, bytes, 8, &n, 10), -ETIMEDOUT);
    assert_int_equal(n, 7);
    assert_int_equal(leat_channel_release(d, &m), -EINVAL);
    assert_int_equal(leat_channel_publish(c, 8), -EINVAL);
    assert_int_equal(leat_channel_abandon(c), -EINVAL);
    leat_channel_close(c);
    leat_channel_close(d);
    leat_channel_close(NULL);
}

static void test_full(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 3, 0), *d = other_end(c);
    for (uint32_t round = 0; round < 10; round++) {
        for (uint32_t i = 0; i < 3; i++)
            assert_int_equal(send_number(c, i, 0), 0);
        assert_int_equal(send_number(c, 9, 0), -EAGAIN);
        assert_int_equal(send_number(c, 9, 5), -ETIMEDOUT);
        for (int i = 0; i < 3; i++)
            assert_int_equal(receive_number(d, -1), i);
    }
    leat_channel_close(c);
    leat_channel_close(d);
}

static void test_ends(void **state UNUSED)
{
    /* The end comes after what was sent, and when all have left. */
    leat_channel *c = channel_make(4, 8, 0), *d = other_end(c), *c2;
    struct set s = set_of(d, LEAT_CHANNEL_SENDER);
    assert_int_equal(send_number(c, 1, 0), 0);
    leat_channel_close(c);
    assert_int_equal(receive_number(d, 0), 1);
    assert_int_equal(receive_number(d, 0), -EAGAIN); /* one may still come */
    c2 = set_attach(&s);
    set_close(&s);
    assert_non_null(c2);
    assert_int_equal(send_number(c2, 2, 0), 0);
    leat_channel_close(c2);
    assert_int_equal(receive_number(d, -1), 2);
    assert_int_equal(receive_number(d, -1), -ENODATA);
    assert_int_equal(receive_number(d, 0), -ENODATA);
    leat_channel_close(d);

    /* Nobody yet is not nobody any more. */
    c = channel_make(4, 8, 0);
    assert_int_equal(send_number(c, 1, 0), 0);
    d = other_end(c);
    assert_int_equal(receive_number(d, 0), 1);
    leat_channel_close(d);
    assert_int_equal(send_number(c, 1, -1), -EPIPE);
    leat_channel_close(c);
}

static int die(void *user)
{
    leat_channel *c = user;
    send_number(c, 5, 0);
    raise(SIGKILL);
    return 0;
}

static void test_deaths(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 8, 0), *d = other_end(c);
    pid_t child = in_child(die, c);
    assert_int_equal(status_of(child), -SIGKILL);
    leat_channel_close(c);
    assert_int_equal(receive_number(d, -1), 5);
    assert_int_equal(receive_number(d, -1), -EOWNERDEAD);
    assert_int_equal(info_of(d).lane[0].deaths, 1);
    leat_channel_close(d);
}

static void test_reserve(void **state UNUSED)
{
    leat_channel *c = channel_make(0, 0, 256), *d = other_end(c);
    void *room;
    struct leat_message m;
    for (unsigned i = 0; i < 50; i++) {
        assert_int_equal(leat_channel_reserve(c, 100, &room, 0), 0);
        assert_int_equal((uintptr_t)room % 16, 0);
        assert_int_equal(leat_channel_reserve(c, 1, &room, 0), -EBUSY);
        assert_int_equal(leat_channel_send(c, "", 0, 0), -EBUSY);
        memset(room, (int)i, 100);
        assert_int_equal(leat_channel_publish(c, 101), -EINVAL);
        assert_int_equal(leat_channel_publish(c, i), 0);
        assert_int_equal(leat_channel_reserve(c, 10, &room, 0), 0);
        assert_int_equal(leat_channel_abandon(c), 0);
        assert_int_equal(leat_channel_acquire(d, &m, 0), 0);
        assert_int_equal(m.length, i);
        assert_int_equal(m.flags, 0);
        for (size_t k = 0; k < i; k++)
            assert_int_equal(((const uint8_t *)m.data)[k], i);
        assert_int_equal(leat_channel_release(d, &m), 0);
        assert_int_equal(leat_channel_release(d, &m), -EINVAL);
    }
    assert_int_equal(leat_channel_reserve(c, 241, &room, 0), -EMSGSIZE);
    assert_int_equal(leat_channel_reserve(c, 240, &room, 0), 0);
    leat_channel_close(c); /* drops it */
    assert_int_equal(leat_channel_acquire(d, &m, -1), -ENODATA);
    leat_channel_close(d);
}

/* Given back in another order; what is held by a handle that goes comes again. */
static void test_held(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 4, 0), *d = other_end(c), *e = other_end(c);
    struct leat_message m[4], again;
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(send_number(c, i, 0), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(leat_channel_acquire(d, &m[i], 0), 0);
    assert_int_equal(leat_channel_release(e, &m[1]), -EINVAL); /* not his */
    assert_int_equal(leat_channel_release(d, &m[1]), 0);
    assert_int_equal(leat_channel_release(d, &m[2]), 0);
    assert_int_equal(send_number(c, 9, 0), -EAGAIN); /* the oldest still lies there */
    assert_int_equal(leat_channel_release(d, &m[0]), 0);
    for (uint32_t i = 4; i < 7; i++)
        assert_int_equal(send_number(c, i, 0), 0);
    assert_int_equal(send_number(c, 9, 0), -EAGAIN);
    leat_channel_close(c);
    assert_int_equal(info_of(d).lane[0].held, 1);
    leat_channel_close(d);
    assert_int_equal(leat_channel_acquire(e, &again, -1), 0);
    assert_int_equal(*(const uint32_t *)again.data, 3);
    assert_int_equal(again.flags, LEAT_MESSAGE_AGAIN);
    for (int i = 4; i < 7; i++)
        assert_int_equal(receive_number(e, 0), i);
    assert_int_equal(receive_number(e, 0), -ENODATA); /* we hold it ourselves */
    assert_int_equal(leat_channel_release(e, &again), 0);
    assert_int_equal(info_of(e).lane[0].bytes, 0);
    leat_channel_close(e);
}

/* A receiver that holds nothing does not take for the end what another one may leave to it. */
static void test_end_waits_for_held(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 4, 0), *d = other_end(c), *e = other_end(c);
    struct leat_message m;
    assert_int_equal(send_number(c, 1, 0), 0);
    assert_int_equal(leat_channel_acquire(d, &m, 0), 0);
    leat_channel_close(c);
    assert_int_equal(receive_number(e, 0), -EAGAIN);
    leat_channel_close(d);
    assert_int_equal(receive_number(e, 0), 1);
    assert_int_equal(receive_number(e, 0), -ENODATA);
    leat_channel_close(e);
}

static void test_batches(void **state UNUSED)
{
    leat_channel *c = channel_make(0, 0, 1024), *d = other_end(c);
    uint8_t bytes[64][32], got[64][32];
    struct iovec out[64], in[64];
    size_t n, total = 0;
    for (unsigned i = 0; i < 64; i++) {
        message_fill(bytes[i], 32, 3, i);
        out[i] = (struct iovec){bytes[i], 8 + i % 25};
    }
    assert_int_equal(leat_channel_sendv(c, out, 64, &n, 0), -EAGAIN);
    assert_true(n > 10 && n < 64);
    while (total < n) {
        size_t k;
        for (unsigned i = 0; i < 64; i++)
            in[i] = (struct iovec){got[i], 32};
        assert_int_equal(leat_channel_receivev(d, in, 7, &k, 0), 0);
        assert_true(k > 0 && k <= 7);
        for (size_t i = 0; i < k; i++, total++) {
            assert_int_equal(in[i].iov_len, out[total].iov_len);
            assert_memory_equal(got[i], bytes[total], in[i].iov_len);
        }
    }
    assert_int_equal(leat_channel_receivev(d, in, 7, &n, 0), -EAGAIN);
    assert_int_equal(n, 0);
    assert_int_equal(leat_channel_sendv(c, out, 5, &n, 0), 0);
    in[0] = (struct iovec){got[0], 32};
    in[1] = (struct iovec){got[1], 3};
    assert_int_equal(leat_channel_receivev(d, in, 2, &n, 0), 0); /* no room for the second, which stays */
    assert_int_equal(n, 1);
    in[0] = (struct iovec){got[1], 3};
    assert_int_equal(leat_channel_receivev(d, in, 1, &n, 0), -EMSGSIZE);
    assert_int_equal(in[0].iov_len, 9);
    leat_channel_close(c);
    leat_channel_close(d);
}

struct talk {
    leat_channel *c;
    const uint8_t *bytes;
    size_t n;
    int timeout_ms, r;
};

static void *send_thread(void *user)
{
    struct talk *t = user;
    t->r = leat_channel_send(t->c, t->bytes, t->n, t->timeout_ms);
    return NULL;
}

static void *receive_thread(void *user)
{
    struct talk *t = user;
    t->r = receive_number(t->c, t->timeout_ms);
    return NULL;
}

/* Longer than the ring: a receiver whose time is up goes on with it later; a sender whose time is up and that then
 * sends another message leaves nothing. */
static void test_long(void **state UNUSED)
{
    static uint8_t bytes[50000], got[50000];
    leat_channel *c = channel_make(0, 0, 256), *d = other_end(c);
    struct leat_message m;
    size_t n = 0;
    int r;
    message_fill(bytes, sizeof(bytes), 1, 2);
    assert_int_equal(leat_channel_send(c, bytes, sizeof(bytes), 0), -EAGAIN);
    assert_int_equal(leat_channel_send(c, bytes, sizeof(bytes), 10), -ETIMEDOUT);
    assert_int_equal(leat_channel_receive(d, got, sizeof(got), &n, 0), -EAGAIN);

    struct talk t = {c, bytes, sizeof(bytes), -1, 0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_thread, &t), 0);
    while ((r = leat_channel_acquire(d, &m, 5)) == -ETIMEDOUT)
        ;
    assert_int_equal(r, -EMSGSIZE);
    assert_int_equal(leat_channel_receive(d, got, 100, &n, -1), -EMSGSIZE);
    assert_int_equal(n, sizeof(bytes));
    unsigned tries = 0;
    while ((r = leat_channel_receive(d, got, sizeof(got), &n, (int)(tries % 2))) == -EAGAIN || r == -ETIMEDOUT) {
        memset(got, 0, sizeof(got)); /* what was in it is not needed any more */
        tries++;
    }
    assert_int_equal(r, 0);
    assert_int_equal(n, sizeof(bytes));
    assert_memory_equal(got, bytes, n);
    pthread_join(thread, NULL);
    assert_int_equal(t.r, 0);

    /* The sender gives up in the middle; the next message is whole. */
    t.timeout_ms = 30;
    assert_int_equal(pthread_create(&thread, NULL, send_thread, &t), 0);
    for (int i = 0; i < 3; i++)
        leat_channel_receive(d, got, sizeof(got), &n, 0);
    pthread_join(thread, NULL);
    assert_int_equal(t.r, -ETIMEDOUT);
    assert_int_equal(leat_channel_receive(d, got, sizeof(got), &n, 0), -EAGAIN);
    while ((r = leat_channel_send(c, "next", 4, 1)) == -ETIMEDOUT) /* what came of it is dropped */
        assert_int_equal(leat_channel_receive(d, got, sizeof(got), &n, 0), -EAGAIN);
    assert_int_equal(r, 0);
    assert_int_equal(leat_channel_receive(d, got, sizeof(got), &n, -1), 0);
    assert_int_equal(n, 4);
    assert_int_equal(info_of(d).lost, 0);
    leat_channel_close(c);
    leat_channel_close(d);
}

/* Once a long message was begun, messages can't be shown until it was received. To a peer that says so of a receiver
 * that has begun none, or says that there is something where there is nothing, nobody waits longer than it wants to. */
static void test_begun(void **state UNUSED)
{
    static uint8_t bytes[5000], got[5000];
    leat_channel *c = channel_make(0, 0, 256), *d = other_end(c);
    struct leat_message m;
    size_t n = 0;
    struct talk t = {c, bytes, sizeof(bytes), -1, 0};
    pthread_t thread;
    for (;;) {
        int r = -EAGAIN;
        assert_int_equal(pthread_create(&thread, NULL, send_thread, &t), 0);
        while (r == -EAGAIN && !atomic_load(&d->stream.open))
            r = leat_channel_receive(d, got, sizeof(got), &n, 0);
        if (r != 0)
            break;
        pthread_join(thread, NULL); /* the sender was so fast that all came in one call */
    }
    assert_int_equal(leat_channel_acquire(d, &m, 1), -EMSGSIZE);
    assert_int_equal(leat_channel_acquire(d, &m, -1), -EMSGSIZE);
    assert_int_equal(leat_channel_receive(d, got, sizeof(got), &n, -1), 0);
    pthread_join(thread, NULL);

    /* The lock is another's, who lives and never gives it back. */
    assert_int_equal(send_number(c, 1, 0), 0);
    assert_int_equal(leat_channel_acquire(d, &m, 0), 0);
    atomic_store(d->in.receivers.word, c->place + 1);
    assert_int_equal(leat_channel_release(d, &m), -ETIMEDOUT);
    atomic_store(d->in.receivers.word, 0);
    assert_int_equal(leat_channel_release(d, &m), 0);

    atomic_store(&d->in.lane->reading, d->place + 1);
    assert_int_equal(leat_channel_acquire(d, &m, 1), -EPROTO);
    leat_channel_close(c);
    leat_channel_close(d);
}

static void test_cancel(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 1, 0), *d = other_end(c);
    struct talk t = {.c = d, .timeout_ms = -1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, receive_thread, &t), 0);
    poll(NULL, 0, 10);
    leat_channel_cancel(d);
    pthread_join(thread, NULL);
    assert_int_equal(t.r, -ECANCELED);
    assert_int_equal(send_number(c, 7, 0), 0);
    assert_int_equal(receive_number(d, -1), 7); /* needs no wait */
    assert_int_equal(receive_number(d, -1), -ECANCELED);
    assert_int_equal(send_number(c, 7, 0), 0);
    leat_channel_cancel(c);
    assert_int_equal(send_number(c, 8, -1), -ECANCELED);
    leat_channel_close(c);
    leat_channel_close(d);
}

static bool is_ready(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};
    return poll(&p, 1, 0) == 1;
}

static void test_poll(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 2, 0), *d = other_end(c);
    int in, out;
    assert_int_equal(leat_channel_poll_fd(c, LEAT_READ, &in), -EBADF);
    assert_int_equal(leat_channel_poll_fd(d, LEAT_READ, &in), 0);
    assert_int_equal(leat_channel_poll_fd(c, LEAT_WRITE, &out), 0);
    for (int round = 0; round < 20; round++) {
        while (receive_number(d, 0) != -EAGAIN)
            ;
        assert_false(is_ready(in));
        assert_int_equal(send_number(c, 1, 0), 0);
        assert_true(is_ready(in));
        assert_int_equal(send_number(c, 2, 0), 0);
        assert_int_equal(receive_number(d, 0), 1);
        assert_true(is_ready(in));
        assert_int_equal(send_number(c, 3, 0), 0);
        assert_int_equal(send_number(c, 4, 0), -EAGAIN);
        assert_false(is_ready(out));
        assert_int_equal(receive_number(d, 0), 2);
        assert_true(is_ready(out));
    }
    assert_int_equal(receive_number(d, 0), 3);
    assert_int_equal(receive_number(d, 0), -EAGAIN);
    leat_channel_close(c);
    assert_true(is_ready(in));
    assert_int_equal(receive_number(d, 0), -ENODATA);
    leat_channel_close(d);
}

static void test_duplex(void **state UNUSED)
{
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    leat_channel *a, *b;
    o.duplex = 1;
    assert_int_equal(leat_channel_open(&a, &o, NULL), 0);
    b = other_end(a);
    for (uint32_t i = 0; i < 1000; i++) {
        assert_int_equal(send_number(a, i, 0), 0);
        assert_int_equal(send_number(b, i + 5000, 0), 0);
        assert_int_equal(receive_number(b, 0), i);
        assert_int_equal(receive_number(a, 0), i + 5000);
    }
    assert_int_equal(info_of(a).lanes, 2);
    leat_channel_close(b);
    assert_int_equal(receive_number(a, -1), -ENODATA);
    assert_int_equal(send_number(a, 1, -1), -EPIPE);
    leat_channel_close(a);
}

static int child_sends(void *user)
{
    leat_channel *c = user;
    poll(NULL, 0, 20);
    for (uint32_t i = 0; i < 1000; i++)
        if (send_number(c, i, 5000) < 0)
            return 1;
    leat_channel_close(c);
    return 0;
}

/* The parent has gone before the child has done anything; nobody takes that for the end. */
static void test_fork(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 8, 0), *d = other_end(c);
    struct leat_message m;
    assert_int_equal(send_number(c, 77, 0), 0);
    assert_int_equal(leat_channel_acquire(d, &m, 0), 0);
    pid_t child = in_child(child_sends, c);
    leat_channel_close(c);
    assert_int_equal(leat_channel_release(d, &m), 0); /* held by us, not by the child */
    for (int i = 0; i < 1000; i++)
        assert_int_equal(receive_number(d, -1), i);
    assert_int_equal(status_of(child), 0);
    assert_int_equal(receive_number(d, -1), -ENODATA);
    leat_channel_close(d);
}

struct passed {
    leat_channel *sender;
    int socket;
};

static int child_attaches(void *user)
{
    struct passed *p = user;
    leat_channel *c;
    leat_channel_close(p->sender); /* a copy of it is an end, too */
    if (leat_channel_attach_passed(&c, p->socket, -1) < 0)
        return 1;
    for (int i = 0; i < 100; i++)
        if (receive_number(c, 5000) != i)
            return 2;
    int r = receive_number(c, -1);
    leat_channel_close(c);
    return r == -ENODATA ? 0 : 3;
}

static void test_pass(void **state UNUSED)
{
    int sockets[2];
    leat_channel *c = channel_make(4, 8, 0), *d;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
    assert_int_equal(leat_channel_pass(c, LEAT_CHANNEL_RECEIVER, sockets[0], -1), 0);
    struct passed p = {c, sockets[1]};
    pid_t child = in_child(child_attaches, &p);
    for (uint32_t i = 0; i < 100; i++)
        assert_int_equal(send_number(c, i, 5000), 0);
    leat_channel_close(c);
    assert_int_equal(status_of(child), 0);
    close(sockets[0]);
    assert_int_equal(leat_channel_attach_passed(&d, sockets[1], -1), -ENODATA);
    close(sockets[1]);
}

static void test_attach(void **state UNUSED)
{
    leat_channel *c = channel_make(4, 8, 0), *d;
    struct set s = set_of(c, LEAT_CHANNEL_RECEIVER);
    struct leat_channel_info info = LEAT_INIT(struct leat_channel_info);
    assert_int_equal(leat_channel_attach(&d, s.fd, 0), -EINVAL);
    assert_int_equal(leat_channel_attach(&d, s.fd, s.n - 1), -EPROTO);
    assert_int_equal(leat_channel_attach(&d, s.fd + 1, s.n), -EPROTO); /* an eventfd */
    int plain = memfd_create("plain", MFD_CLOEXEC), zero = open("/dev/zero", O_RDONLY);
    assert_int_equal(ftruncate(plain, 1 << 20), 0);
    assert_int_equal(s.n, 2);
    int fds[3] = {plain, s.fd[1], s.fd[1]};
    assert_int_equal(leat_channel_attach(&d, fds, 2), -EPROTO);
    fds[0] = s.fd[0];
    assert_int_equal(leat_channel_attach(&d, fds, 3), -EPROTO); /* one too many */
    fds[1] = zero;
    assert_int_equal(leat_channel_attach(&d, fds, 2), -EPROTO);
    fds[0] = zero;
    assert_int_equal(leat_channel_attach(&d, fds, 2), -EPROTO);
    fds[0] = 9999;
    assert_int_equal(leat_channel_attach(&d, fds, 2), -EBADF);
    /* It can't be made shorter under anybody. */
    assert_int_equal(ftruncate(s.fd[0], 4096), -1);
    assert_int_equal(errno, EPERM);
    assert_int_equal(leat_channel_inspect(plain, &info, NULL, NULL), -EPROTO);
    size_t n = 1;
    assert_int_equal(leat_channel_export(c, fds, &n), -ENOBUFS);
    close(plain);
    close(zero);
    set_close(&s);
    leat_channel_close(c);
}

/* All places taken; those of the dead are given anew. */
static void test_places(void **state UNUSED)
{
    struct leat_channel_options o = LEAT_INIT(struct leat_channel_options);
    leat_channel *c, *d;
    o.peers = 3;
    assert_int_equal(leat_channel_open(&c, &o, NULL), 0);
    struct set s = set_of(c, LEAT_CHANNEL_RECEIVER), t = set_of(c, LEAT_CHANNEL_RECEIVER);
    size_t n = LEAT_CHANNEL_FDS;
    int fds[LEAT_CHANNEL_FDS];
    assert_int_equal(leat_channel_export(c, fds, &n), -EUSERS);
    assert_int_equal(leat_channel_attach(&d, t.fd, t.n), -EUSERS);
    set_close(&s);
    assert_int_equal(leat_channel_attach(&d, t.fd, t.n), 0); /* in the place that nobody will come for */
    set_close(&t);
    s = set_of(c, LEAT_CHANNEL_SENDER);
    set_close(&s);
    leat_channel_close(d);
    leat_channel_close(c);
}

static int count_descriptors(void **state UNUSED)
{
    static int before = -1;
    int now = unit_descriptors();
    if (before < 0)
        before = now;
    return now == before ? 0 : -1;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, count_descriptors, count_descriptors)
    const struct CMUnitTest tests[] = {
        TEST(test_options), TEST(test_sizes), TEST(test_wrong),
        TEST(test_full),    TEST(test_ends),  TEST(test_deaths),
        TEST(test_reserve), TEST(test_held),  TEST(test_end_waits_for_held),
        TEST(test_batches), TEST(test_long),  TEST(test_begun),
        TEST(test_cancel),  TEST(test_poll),  TEST(test_duplex),
        TEST(test_fork),    TEST(test_pass),  TEST(test_attach),
        TEST(test_places),
    };
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
