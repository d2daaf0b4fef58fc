/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * One handle, and many threads that use it at the same time, for messages longer than the ring. */
/* timeout: 120
 * labels: long */
#include "channel/channel.h"
#include "channels.h"
#include <pthread.h>

#define MESSAGES 4000u
#define LENGTH   300u /* so that the last part of one and the first of the next lie in the ring together */
#define THREADS  4

static unsigned messages(void)
{
    return getenv("LEAT_TEST_QUICK") ? MESSAGES / 10 : MESSAGES;
}

struct side {
    leat_channel *c;
    atomic_uint next;          /* of the senders */
    atomic_uint got[MESSAGES]; /* how often each came */
    atomic_uint bad;           /* what is none */
    atomic_int wrong;          /* a code that no call may say */
};

static void *send_some(void *user)
{
    struct side *s = user;
    uint8_t bytes[LENGTH];
    for (unsigned i; (i = atomic_fetch_add(&s->next, 1)) < messages();) {
        message_fill(bytes, sizeof(bytes), 1, i);
        int r = leat_channel_send(s->c, bytes, sizeof(bytes), -1);
        if (r < 0)
            atomic_store(&s->wrong, r);
    }
    return NULL;
}

/* With time limits of all kinds, so that one thread goes on with what another one has begun. */
static void *receive_some(void *user)
{
    struct side *s = user;
    uint8_t bytes[LENGTH];
    struct message_head head;
    for (unsigned i = 0;; i++) {
        size_t n = 0;
        int r = leat_channel_receive(s->c, bytes, sizeof(bytes), &n, (int)(i % 4) - 1);
        if (r == -EAGAIN || r == -ETIMEDOUT)
            continue;
        if (r == -ENODATA)
            return NULL;
        if (r < 0) {
            atomic_store(&s->wrong, r);
            return NULL;
        }
        if (n == LENGTH && message_holds(bytes, n, &head) && head.number < MESSAGES)
            atomic_fetch_add(&s->got[head.number], 1);
        else
            atomic_fetch_add(&s->bad, 1);
    }
}

static void test_long_messages(void **state UNUSED)
{
    static struct side out, in;
    pthread_t senders[THREADS], receivers[THREADS];
    out.c = channel_make(0, 0, 256);
    in.c = other_end(out.c);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_create(&senders[i], NULL, send_some, &out), 0);
        assert_int_equal(pthread_create(&receivers[i], NULL, receive_some, &in), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(senders[i], NULL);
    assert_int_equal(atomic_load(&out.wrong), 0);
    leat_channel_close(out.c);
    for (int i = 0; i < THREADS; i++)
        pthread_join(receivers[i], NULL);
    assert_int_equal(atomic_load(&in.wrong), 0);
    assert_int_equal(atomic_load(&in.bad), 0);
    for (unsigned i = 0; i < messages(); i++)
        assert_int_equal(atomic_load(&in.got[i]), 1);
    leat_channel_close(in.c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_long_messages)};
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
