/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes to share memory with
 * A peer that writes whatever it likes into the memory while others work: their calls may fail, and nothing else. */
/* timeout: 120 */
#include "channel/channel.h"
#include "channels.h"
#include <pthread.h>

struct victim {
    leat_channel *c;
    bool sends;
    unsigned calls;
    atomic_bool *stop;
};

static uint32_t random_state;
static uint32_t draw(uint32_t below)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % below;
}

/* Everything that is asked of a channel; what it says does not matter, but that it says something in time does. */
static void *suffer(void *user)
{
    struct victim *v = user;
    static const int allowed[] = {0,           -EAGAIN,   -ETIMEDOUT, -EPROTO, -EPIPE, -ENODATA,
                                  -EOWNERDEAD, -EMSGSIZE, -EINVAL,    -EBUSY,  -ENOMEM};
    uint8_t bytes[3000] = {0};
    struct leat_message m;
    while (!atomic_load(v->stop)) {
        size_t n = mix(v->calls, 7) % sizeof(bytes);
        void *room;
        int r = 0, kind = (int)(v->calls++ % 3);
        if (v->sends && kind == 0 && (r = leat_channel_reserve(v->c, n, &room, 2)) == 0) {
            memset(room, 1, n);
            r = leat_channel_publish(v->c, n);
        } else if (v->sends)
            r = leat_channel_send(v->c, bytes, n, 2);
        else if (kind == 0 && (r = leat_channel_acquire(v->c, &m, 2)) == 0) {
            uint8_t sum = 0;
            for (size_t i = 0; i < m.length; i++)
                sum += ((const uint8_t *)m.data)[i];
            bytes[0] = sum;
            leat_channel_release(v->c, &m);
        } else if (kind != 0)
            r = leat_channel_receive(v->c, bytes, sizeof(bytes), &n, 2);
        bool known = false;
        for (size_t i = 0; i < COUNT(allowed); i++)
            known = known || r == allowed[i];
        assert_true(known);
        if (r == -EPROTO)
            break;
    }
    return NULL;
}

/* Where it hurts most: the lane and the places rather than the bytes of messages. */
static void strike(leat_channel *c)
{
    struct channel_way *way = c->out.lane ? &c->out : &c->in;
    _Atomic uint32_t *at;
    switch (draw(4)) {
    case 0:
        at = (_Atomic uint32_t *)(void *)way->ring + draw((uint32_t)(c->g.ring / 4));
        break;
    case 1:
        at = (_Atomic uint32_t *)(void *)c->places + draw((uint32_t)(c->g.places * sizeof(struct channel_place) / 4));
        break;
    default:
        at = (_Atomic uint32_t *)(void *)way->lane + draw((uint32_t)(sizeof(struct channel_lane) / 4));
    }
    uint32_t values[] = {0, 1, draw(UINT32_MAX), UINT32_MAX, 1u << draw(32), atomic_load(at) + 16};
    atomic_store(at, values[draw(COUNT(values))]);
}

static void one_round(unsigned strikes)
{
    atomic_bool stop = false;
    leat_channel *hostile = channel_make(0, 0, 2048);
    struct victim v[4];
    pthread_t thread[4];
    for (size_t i = 0; i < COUNT(v); i++) {
        struct set s = set_of(hostile, i % 2 ? LEAT_CHANNEL_RECEIVER : LEAT_CHANNEL_SENDER);
        v[i] = (struct victim){.c = set_attach(&s), .sends = i % 2 == 0, .stop = &stop};
        assert_non_null(v[i].c);
        set_close(&s);
    }
    for (size_t i = 0; i < COUNT(v); i++)
        assert_int_equal(pthread_create(&thread[i], NULL, suffer, &v[i]), 0);
    for (unsigned i = 0; i < strikes; i++) {
        struct timespec moment = {.tv_nsec = (long)draw(300000)};
        nanosleep(&moment, NULL);
        strike(hostile);
    }
    atomic_store(&stop, true);
    for (size_t i = 0; i < COUNT(v); i++)
        pthread_join(thread[i], NULL);
    for (size_t i = 0; i < COUNT(v); i++)
        leat_channel_close(v[i].c);
    leat_channel_close(hostile);
}

static void test_hostile(void **state UNUSED)
{
    const char *seconds = getenv("LEAT_SOAK_SECONDS"), *seed = getenv("LEAT_SOAK_SEED");
    int64_t end = clock_ns() + (seconds ? atoll(seconds) : 1) * 1000000000;
    random_state = seed ? (uint32_t)strtoul(seed, NULL, 0) : seconds ? (uint32_t)clock_ns() : 1;
    int before = unit_descriptors();
    do {
        uint32_t was = random_state;
        if (seconds)
            printf("LEAT_SOAK_SEED=%u\n", was);
        one_round(1 + draw(40));
    } while (clock_ns() < end);
    assert_int_equal(unit_descriptors(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_hostile)};
    return channels_missing() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
