/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * A message longer than the ring whose sender is out of time: the next call goes on with it, and whatever else happens,
 * what came of it stops no other peer and is never taken for a message.
 *
 * labels: native */
#include "channel/channel.h"
#include "channels.h"
#include <poll.h>

#define LONG 5000u

static uint8_t bytes[LONG], got[LONG + 1];

struct pair {
    leat_channel *c, *d;
};

static struct pair open_pair(void)
{
    struct pair p = {.c = channel_make(0, 0, 256)};
    p.d = other_end(p.c);
    for (size_t i = 0; i < LONG; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 8));
    return p;
}

static void close_pair(struct pair p)
{
    leat_channel_close(p.c);
    leat_channel_close(p.d);
}

static void gives(leat_channel *d, const void *message, size_t length)
{
    size_t n = 0;
    memset(got, 0, sizeof(got));
    assert_int_equal(leat_channel_receive(d, got, sizeof(got), &n, 10000), 0);
    assert_int_equal(n, length);
    assert_memory_equal(got, message, length);
}

/* Sends the beginning of the long message, of which the receiver takes a part if it `begins`. */
static void send_half(leat_channel *c, leat_channel *d, bool begins)
{
    size_t n;
    assert_int_equal(leat_channel_send(c, bytes, LONG, 0), -EAGAIN);
    if (!begins)
        return;
    assert_int_equal(leat_channel_receive(d, got, sizeof(got), &n, 0), -EAGAIN);
    assert_int_equal(leat_channel_send(c, bytes, LONG, 1), -ETIMEDOUT);
}

/* No thread waits: both ends take turns. */
static void it_goes_on_after_a_timeout(void **state UNUSED)
{
    static const int limits[] = {0, 1};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct pair p = open_pair();
        int s = -1, r = -1;
        size_t n = 0, turns = 0;
        for (; s < 0 || r < 0; turns++) {
            if (s < 0 && (s = leat_channel_send(p.c, bytes, LONG, limits[i])) < 0)
                assert_int_equal(s, limits[i] ? -ETIMEDOUT : -EAGAIN);
            r = leat_channel_receive(p.d, got, sizeof(got), &n, 0);
            assert_true(r == 0 || r == -EAGAIN);
            assert_true(turns < 2 * LONG); /* else it begins anew each time */
        }
        assert_int_equal(n, LONG);
        assert_memory_equal(got, bytes, LONG);
        assert_int_equal(leat_channel_receive(p.d, got, sizeof(got), &n, 0), -EAGAIN);
        assert_int_equal(info_of(p.d).lost, 0);
        close_pair(p);
    }
}

/* As an event loop sends it. */
static void it_goes_on_when_the_descriptor_says_so(void **state UNUSED)
{
    struct pair p = open_pair();
    struct pollfd poller = {.events = POLLIN};
    size_t n = 0;
    int r;
    assert_int_equal(leat_channel_poll_fd(p.c, LEAT_WRITE, &poller.fd), 0);
    while ((r = leat_channel_send(p.c, bytes, LONG, 0)) == -EAGAIN) {
        assert_int_equal(leat_channel_receive(p.d, got, sizeof(got), &n, 0), -EAGAIN);
        assert_int_equal(poll(&poller, 1, 10000), 1);
    }
    assert_int_equal(r, 0);
    gives(p.d, bytes, LONG);
    close_pair(p);
}

/* Same length, same memory, other bytes: no part of the first message is in it. */
static void another_message_drops_it(void **state UNUSED)
{
    for (int begins = 0; begins < 2; begins++) {
        struct pair p = open_pair();
        size_t n;
        int s = -1, r = -1;
        send_half(p.c, p.d, begins);
        bytes[0] ^= 1;
        while (s < 0 || r < 0) {
            s = s < 0 ? leat_channel_send(p.c, bytes, LONG, 0) : s;
            r = leat_channel_receive(p.d, got, sizeof(got), &n, 0);
        }
        assert_int_equal(n, LONG);
        assert_memory_equal(got, bytes, LONG);
        assert_int_equal(leat_channel_receive(p.d, got, sizeof(got), &n, 0), -EAGAIN);
        close_pair(p);
    }
}

/* Makes the ring empty of what was begun, as far as the receiver can. */
static void a_reservation_drops_it(void **state UNUSED)
{
    for (int begins = 0; begins < 2; begins++) {
        struct pair p = open_pair();
        void *room;
        size_t n;
        int r;
        send_half(p.c, p.d, begins);
        while ((r = leat_channel_reserve(p.c, 4, &room, 0)) == -EAGAIN)
            assert_int_equal(leat_channel_receive(p.d, got, sizeof(got), &n, 0), -EAGAIN);
        assert_int_equal(r, 0);
        memcpy(room, "next", 4);
        assert_int_equal(leat_channel_publish(p.c, 4), 0);
        gives(p.d, "next", 4);
        close_pair(p);
    }
}

/* A second sender waits for nothing, and the first one begins anew. */
static void it_does_not_stop_another_sender(void **state UNUSED)
{
    for (int begins = 0; begins < 2; begins++) {
        struct pair p = open_pair();
        struct set set = set_of(p.c, LEAT_CHANNEL_SENDER);
        leat_channel *other = set_attach(&set);
        size_t n;
        int r, s;
        set_close(&set);
        send_half(p.c, p.d, begins);
        while ((r = leat_channel_send(other, "other", 5, 0)) == -EAGAIN)
            assert_int_equal(leat_channel_receive(p.d, got, sizeof(got), &n, 0), -EAGAIN);
        assert_int_equal(r, 0);
        r = -1;
        s = leat_channel_send(p.c, bytes, LONG, 0);
        gives(p.d, "other", 5);
        while (s < 0 || r < 0) {
            s = s < 0 ? leat_channel_send(p.c, bytes, LONG, 0) : s;
            r = leat_channel_receive(p.d, got, sizeof(got), &n, 0);
        }
        assert_int_equal(n, LONG);
        assert_memory_equal(got, bytes, LONG);
        leat_channel_close(other);
        close_pair(p);
    }
}

/* A receiver that is in the middle of it learns that nothing more comes. */
static void a_close_drops_it(void **state UNUSED)
{
    for (int begins = 0; begins < 2; begins++) {
        struct pair p = open_pair();
        size_t n;
        send_half(p.c, p.d, begins);
        leat_channel_close(p.c);
        assert_int_equal(leat_channel_receive(p.d, got, sizeof(got), &n, 10000), -ENODATA);
        leat_channel_close(p.d);
    }
}

/* The sender has the lock no more when it dies. Another sender lives on and sends nothing. */
static void its_sender_dies(void **state UNUSED)
{
    for (int begins = 0; begins < 2; begins++) {
        struct pair p = open_pair();
        struct set set = set_of(p.c, LEAT_CHANNEL_SENDER);
        int told[2], go[2];
        char byte;
        size_t n;
        assert_true(pipe(told) == 0 && pipe(go) == 0);
        pid_t child = fork();
        if (child == 0) {
            leat_channel *c = set_attach(&set);
            int r = leat_channel_send(c, bytes, LONG, 0);
            if (r != -EAGAIN || write(told[1], "", 1) != 1 || read(go[0], &byte, 1) != 1)
                _exit(1);
            r = begins ? leat_channel_send(c, bytes, LONG, 1) : -ETIMEDOUT;
            kill(r == -ETIMEDOUT ? getpid() : 0, SIGKILL);
        }
        set_close(&set);
        assert_int_equal(read(told[0], &byte, 1), 1);
        if (begins)
            assert_int_equal(leat_channel_receive(p.d, got, sizeof(got), &n, 0), -EAGAIN);
        assert_int_equal(write(go[1], "", 1), 1);
        waitpid(child, NULL, 0);
        assert_int_equal(leat_channel_receive(p.d, got, sizeof(got), &n, 1000), -ETIMEDOUT);
        assert_int_equal(atomic_load(&p.d->in.lane->stream), 0);
        assert_int_equal(leat_channel_send(p.c, "next", 4, 10000), 0);
        gives(p.d, "next", 4);
        close_pair(p);
        for (int i = 0; i < 2; i++)
            close(told[i]), close(go[i]);
    }
}

/* However many calls it takes, each byte is hashed and copied a few times. */
static void the_work_grows_with_the_length(void **state UNUSED)
{
    const size_t length = 8 << 20, ring = 1 << 16;
    leat_channel *c = channel_make(0, 0, ring), *d = other_end(c);
    uint8_t *message = malloc(length), *to = calloc(length, 1);
    size_t n = 0, calls = 0;
    int s = -1, r = -1;
    for (size_t i = 0; i < length; i++)
        message[i] = (uint8_t)(i * 7 + (i >> 8));
    for (; s < 0 || r < 0; calls++) {
        s = s < 0 ? leat_channel_send(c, message, length, 0) : s;
        r = leat_channel_receive(d, to, length, &n, 0);
    }
    assert_int_equal(n, length);
    assert_memory_equal(to, message, length);
    assert_true(calls > length / ring);
    assert_true(c->unsent.hashed > 0 && c->unsent.hashed <= 2 * length + 2 * calls * 4096);
    assert_true(d->stream.copied > 0 && d->stream.copied <= 2 * length);
    free(message);
    free(to);
    leat_channel_close(c);
    leat_channel_close(d);
}

/* The messages differ long before the end of what was sent, so only the last comparison can tell. */
static void a_difference_far_back_is_found(void **state UNUSED)
{
    const size_t length = 1 << 20;
    leat_channel *c = channel_make(0, 0, 1 << 16), *d = other_end(c);
    uint8_t *message = calloc(length, 1), *to = calloc(length, 1);
    size_t n = 0;
    int s = -1, r = -1;
    for (int i = 0; i < 8; i++) {
        assert_int_equal(leat_channel_send(c, message, length, 0), -EAGAIN);
        assert_int_equal(leat_channel_receive(d, to, length, &n, 0), -EAGAIN);
    }
    message[7] = 1;
    while (s < 0 || r < 0) {
        s = s < 0 ? leat_channel_send(c, message, length, 0) : s;
        r = leat_channel_receive(d, to, length, &n, 0);
        assert_true(r == 0 || r == -EAGAIN);
    }
    assert_int_equal(n, length);
    assert_memory_equal(to, message, length);
    assert_int_equal(leat_channel_receive(d, to, length, &n, 0), -EAGAIN);
    free(message);
    free(to);
    leat_channel_close(c);
    leat_channel_close(d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_goes_on_after_a_timeout),
        cmocka_unit_test(it_goes_on_when_the_descriptor_says_so),
        cmocka_unit_test(another_message_drops_it),
        cmocka_unit_test(a_reservation_drops_it),
        cmocka_unit_test(it_does_not_stop_another_sender),
        cmocka_unit_test(a_close_drops_it),
        cmocka_unit_test(its_sender_dies),
        cmocka_unit_test(the_work_grows_with_the_length),
        cmocka_unit_test(a_difference_far_back_is_found),
    };
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
