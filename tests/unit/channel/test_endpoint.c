/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * channel:N as a source and as a sink: everything arrives, and a failure is no end. */
/* timeout: 60 */
/* labels: native */
#include "channels.h"
#include <leat/pipeline.h>
#include <pthread.h>

#define BYTES 3000000u

static uint8_t *made(void)
{
    uint8_t *bytes = malloc(BYTES);
    assert_non_null(bytes);
    message_fill(bytes, BYTES, 4, 5);
    return bytes;
}

/* One after the other, where nothing else is. */
static void move(struct set *s)
{
    for (int i = 0; i < (int)s->n; i++) {
        assert_int_equal(dup2(s->fd[i], 200 + i), 200 + i);
        close(s->fd[i]);
        s->fd[i] = 200 + i;
    }
}

static void spec_of(const struct set *s, bool all, char *ret, size_t size)
{
    snprintf(ret, size, all ? "channel:%d,%d" : "channel:%d", s->fd[0], s->fd[1]);
}

static int run(leat_endpoint *from, leat_endpoint *to)
{
    leat_pipeline *p;
    assert_int_equal(leat_pipeline_new(&p, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_source(p, from), 0);
    assert_int_equal(leat_pipeline_sink(p, to, NULL, NULL), 0);
    int r = leat_pipeline_run(p, NULL);
    leat_pipeline_free(p);
    return r;
}

struct job {
    leat_channel *c;
    struct set set;
    const uint8_t *bytes;
};

/* Messages of many lengths, empty ones among them. */
static int send_all(void *user)
{
    struct job *j = user;
    for (size_t at = 0, n = 0; at < BYTES; at += n) {
        n = MIN(mix((uint32_t)at, 1) % 30000, BYTES - at);
        if (leat_channel_send(j->c, j->bytes + at, n, 10000) < 0 || leat_channel_send(j->c, "", 0, 10000) < 0)
            return 1;
    }
    leat_channel_close(j->c);
    return 0;
}

static void test_source(void **state UNUSED)
{
    uint8_t *bytes = made(), *got = malloc(BYTES);
    char spec[64];
    size_t n = 0;
    struct job j = {.c = channel_make(0, 0, 8192), .bytes = bytes};
    j.set = set_of(j.c, LEAT_CHANNEL_RECEIVER);
    pid_t child = in_child(send_all, &j);
    leat_channel_close(j.c);
    leat_endpoint *from, *to;
    move(&j.set);
    spec_of(&j.set, false, spec, sizeof(spec));
    assert_int_equal(leat_endpoint_open(&from, spec, LEAT_READ, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_to_memory(&to, got, BYTES, &n), 0);
    assert_int_equal(run(from, to), 0);
    assert_int_equal(n, BYTES);
    assert_memory_equal(got, bytes, BYTES);
    assert_int_equal(status_of(child), 0);
    set_close(&j.set);
    free(bytes);
    free(got);
}

static int send_nothing(void *user)
{
    struct job *j = user;
    while (leat_channel_send(j->c, "", 0, 10000) == 0)
        ;
    return 0;
}

static void *cancel_soon(void *user)
{
    nanosleep(&(struct timespec){.tv_nsec = 100000000}, NULL);
    leat_pipeline_cancel(user);
    return NULL;
}

/* Empty messages without an end, in a ring that holds many: none is the end, and a cancel is heard. */
static void test_nothing_for_ever(void **state UNUSED)
{
    uint8_t got[64];
    char spec[64];
    size_t n = 0;
    leat_pipeline *p;
    leat_endpoint *from, *to;
    pthread_t thread;
    struct job j = {.c = channel_make(0, 0, 32 << 20)};
    j.set = set_of(j.c, LEAT_CHANNEL_RECEIVER);
    while (leat_channel_send(j.c, "", 0, 0) == 0)
        ;
    pid_t child = in_child(send_nothing, &j);
    leat_channel_close(j.c);
    spec_of(&j.set, true, spec, sizeof(spec));
    assert_int_equal(leat_endpoint_open(&from, spec, LEAT_READ, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_to_memory(&to, got, sizeof(got), &n), 0);
    assert_int_equal(leat_pipeline_new(&p, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_source(p, from), 0);
    assert_int_equal(leat_pipeline_sink(p, to, NULL, NULL), 0);
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, p), 0);
    assert_int_equal(leat_pipeline_run(p, NULL), -ECANCELED);
    pthread_join(thread, NULL);
    leat_pipeline_free(p);
    set_close(&j.set);
    kill(child, SIGKILL);
    status_of(child);
}

static int receive_all(void *user)
{
    struct job *j = user;
    leat_channel *c = set_attach(&j->set);
    set_close(&j->set);
    leat_channel_close(j->c);
    uint8_t *got = malloc(1 << 20);
    size_t n, at = 0;
    int r;
    while ((r = leat_channel_receive(c, got, 1 << 20, &n, 10000)) == 0) {
        if (at + n > BYTES || memcmp(got, j->bytes + at, n) != 0)
            return 1;
        at += n;
    }
    leat_channel_close(c);
    free(got);
    return r == -ENODATA && at == BYTES ? 0 : r == -EOWNERDEAD ? 3 : 2;
}

static ssize_t sink_of(struct job *j, leat_endpoint **ret)
{
    char spec[64];
    struct set s = set_of(j->c, LEAT_CHANNEL_SENDER);
    spec_of(&s, true, spec, sizeof(spec));
    assert_int_equal(leat_endpoint_open(ret, spec, LEAT_WRITE, NULL, NULL), 0);
    for (size_t i = 0; i < s.n; i++)
        j->set.fd[i] = s.fd[i];
    j->set.n = s.n;
    return 0;
}

static int fail_after(void *user, void *bytes, size_t n, size_t *ret_n)
{
    unsigned *calls = user;
    memset(bytes, 0, n);
    *ret_n = n;
    return (*calls)++ < 2 ? 0 : -EIO;
}

static void test_sink(void **state UNUSED)
{
    uint8_t *bytes = made();
    for (int fails = 0; fails < 2; fails++) {
        struct job j = {.c = channel_make(0, 0, 16384), .bytes = bytes};
        leat_endpoint *from, *to;
        unsigned calls = 0;
        struct leat_endpoint_callbacks broken = LEAT_INIT(struct leat_endpoint_callbacks);
        broken.read = fail_after;
        j.set = set_of(j.c, LEAT_CHANNEL_RECEIVER);
        if (fails)
            memset(bytes, 0, BYTES);
        pid_t child = in_child(receive_all, &j);
        set_close(&j.set);
        sink_of(&j, &to);
        leat_channel_close(j.c);
        assert_int_equal(fails ? leat_endpoint_from_callbacks(&from, &broken, &calls, NULL)
                               : leat_endpoint_from_memory(&from, bytes, BYTES),
                         0);
        assert_int_equal(run(from, to), fails ? -EIO : 0);
        set_close(&j.set);
        assert_int_equal(status_of(child), fails ? 3 : 0);
    }
    free(bytes);
}

static void test_refused(void **state UNUSED)
{
    static const char *const wrong[] = {"channel:",  "channel:x",  "channel:-1",
                                        "channel:0", "channel:3,", "channel:1,2,3,4,5,6"};
    leat_endpoint *e, *from;
    for (size_t i = 0; i < COUNT(wrong); i++)
        assert_true(leat_endpoint_open(&e, wrong[i], LEAT_READ, NULL, NULL) < 0);
    /* The wrong end, and messages of one size. */
    for (int fixed = 0; fixed < 2; fixed++) {
        char spec[64];
        leat_channel *c = channel_make(fixed ? 8 : 0, 0, 0);
        struct set s = set_of(c, fixed ? LEAT_CHANNEL_SENDER : LEAT_CHANNEL_RECEIVER);
        spec_of(&s, true, spec, sizeof(spec));
        assert_int_equal(leat_endpoint_open(&e, spec, LEAT_WRITE, NULL, NULL), 0);
        assert_int_equal(leat_endpoint_from_memory(&from, "12345678", 8), 0);
        assert_int_equal(run(from, e), fixed ? -EMSGSIZE : -EBADF);
        set_close(&s);
        leat_channel_close(c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_source), cmocka_unit_test(test_nothing_for_ever),
                                       cmocka_unit_test(test_sink), cmocka_unit_test(test_refused)};
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
