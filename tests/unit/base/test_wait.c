/* SPDX-License-Identifier: MIT */
/* Waiting: no wake-up is lost between looking and sleeping, and a late byte wakes once and not for ever. */
#include "base/wait.h"
#include "unit/unit.h"
#include <poll.h>
#include <pthread.h>

#define ROUNDS  100000
#define FEW     100
#define ENOUGH  500000000 /* ns; slow machines do fewer rounds */
#define LOST_MS 5000

static int sleep_on(struct waker *waker, int timeout_ms)
{
    struct pollfd set = {.fd = waker->fd[0], .events = POLLIN};
    return poll(&set, 1, timeout_ms);
}

static void a_waker_wakes_only_a_sleeper(void **state UNUSED)
{
    struct waker waker;
    assert_int_equal(waker_open(&waker), 0);
    waker_wake(&waker);
    assert_int_equal(sleep_on(&waker, 0), 0);
    waker_sleeps(&waker);
    waker_wake(&waker);
    waker_wake(&waker);
    assert_int_equal(sleep_on(&waker, 0), 1);
    waker_woke(&waker);
    assert_int_equal(sleep_on(&waker, 0), 0);
    waker_close(&waker);
    assert_int_equal(waker.fd[0], -1);
    waker_close(&waker);
}

/* Who claimed the sleeper writes its byte when that is awake again: the next sleep ends early, the one after does not.
 */
static void a_late_byte_does_not_spin(void **state UNUSED)
{
    struct waker waker;
    assert_int_equal(waker_open(&waker), 0);
    waker_sleeps(&waker);
    atomic_store(&waker.sleeping, false); /* claimed */
    waker_woke(&waker);
    assert_int_equal(write(waker.fd[1], "", 1), 1);
    waker_sleeps(&waker);
    assert_int_equal(sleep_on(&waker, 0), 1);
    waker_woke(&waker);
    waker_sleeps(&waker);
    assert_int_equal(sleep_on(&waker, 0), 0);
    waker_woke(&waker);
    waker_close(&waker);
}

static void errno_survives_a_wake(void **state UNUSED)
{
    struct waker waker = {.fd = {-1, -1}};
    atomic_init(&waker.sleeping, true);
    errno = ENOTTY;
    waker_wake(&waker);
    assert_int_equal(errno, ENOTTY);
}

static void a_notice_is_taken_once(void **state UNUSED)
{
    struct port port;
    struct waker waker;
    port_init(&port, -1, 0);
    port.blocked = true;
    assert_false(port_take_notice(&port));
    assert_true(port.blocked);
    port_notify(&port); /* nobody is attached */
    port_notify(&port);
    assert_true(port_take_notice(&port));
    assert_false(port.blocked);
    assert_false(port_take_notice(&port));

    assert_int_equal(waker_open(&waker), 0);
    port_attach(&port, &waker);
    waker_sleeps(&waker);
    port_notify(&port);
    assert_int_equal(sleep_on(&waker, 0), 1);
    port_attach(&port, NULL);
    waker_woke(&waker);
    waker_sleeps(&waker);
    port_notify(&port);
    assert_int_equal(sleep_on(&waker, 0), 0);
    waker_close(&waker);
}

static void a_wait_set_takes_no_more_than_it_holds(void **state UNUSED)
{
    static struct wait_set set;
    struct port port;
    port_init(&port, -1, 0);
    for (size_t i = 0; i < WAIT_PORTS_MAX + 5; i++)
        wait_add(&set, &port);
    assert_int_equal(set.n, WAIT_PORTS_MAX);
}

/* Two threads throw a ball: each sleeps until it is notified, then notifies the other. One lost wake-up and both sleep.
 */
struct player {
    struct port port;
    struct waker waker;
    struct player *other;
    unsigned rounds, polls;
    int64_t until_ns;
    atomic_bool *over;
    bool lost;
};

static bool await(struct player *p)
{
    while (!port_take_notice(&p->port)) {
        waker_sleeps(&p->waker);
        bool there = port_take_notice(&p->port);
        p->polls += !there;
        if (!there && sleep_on(&p->waker, LOST_MS) == 0)
            p->lost = true;
        waker_woke(&p->waker);
        if (p->lost)
            return false;
        if (there)
            return true;
    }
    return true;
}

static void *play(void *user)
{
    struct player *p = user;
    while (await(p)) {
        p->rounds++;
        bool enough = p->rounds > FEW && clock_ns() > p->until_ns;
        bool over = atomic_load(p->over) || p->rounds == ROUNDS || enough;
        atomic_store(p->over, over);
        port_notify(&p->other->port);
        if (over)
            break;
    }
    return NULL;
}

static void no_wake_up_is_lost(void **state UNUSED)
{
    struct player player[2];
    pthread_t thread[2];
    atomic_bool over;
    atomic_init(&over, false);
    for (size_t i = 0; i < 2; i++) {
        player[i] = (struct player){.other = &player[1 - i], .until_ns = clock_ns() + ENOUGH, .over = &over};
        port_init(&player[i].port, -1, 0);
        assert_int_equal(waker_open(&player[i].waker), 0);
        port_attach(&player[i].port, &player[i].waker);
    }
    port_notify(&player[0].port);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, play, &player[i]), 0);
    for (size_t i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_false(player[i].lost);
        assert_true(player[i].rounds > FEW);
        /* A late byte may cost one more look each round, a byte that nobody takes would cost thousands. */
        assert_true(player[i].polls <= 2 * player[i].rounds + 2);
        waker_close(&player[i].waker);
    }
}

/* The other way to lose one: many notices while the sleeper goes to sleep. Each number is seen, or a later one. */
struct flood {
    struct port port;
    struct waker waker;
    atomic_uint number;
};

static void *notify_often(void *user)
{
    struct flood *f = user;
    int64_t until = clock_ns() + ENOUGH / 4;
    for (unsigned i = 1; i <= ROUNDS && clock_ns() < until; i++) {
        atomic_fetch_add(&f->number, 1);
        port_notify(&f->port);
    }
    atomic_store(&f->number, UINT32_MAX);
    port_notify(&f->port);
    return NULL;
}

static void the_last_notice_of_a_flood_is_seen(void **state UNUSED)
{
    struct flood f;
    pthread_t thread;
    bool lost = false;
    port_init(&f.port, -1, 0);
    atomic_init(&f.number, 0);
    assert_int_equal(waker_open(&f.waker), 0);
    port_attach(&f.port, &f.waker);
    assert_int_equal(pthread_create(&thread, NULL, notify_often, &f), 0);
    while (atomic_load(&f.number) != UINT32_MAX && !lost) {
        waker_sleeps(&f.waker);
        if (!port_take_notice(&f.port) && sleep_on(&f.waker, LOST_MS) == 0)
            lost = true;
        waker_woke(&f.waker);
        port_take_notice(&f.port);
    }
    pthread_join(thread, NULL);
    waker_close(&f.waker);
    assert_false(lost);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_waker_wakes_only_a_sleeper),
        cmocka_unit_test(a_late_byte_does_not_spin),
        cmocka_unit_test(errno_survives_a_wake),
        cmocka_unit_test(a_notice_is_taken_once),
        cmocka_unit_test(a_wait_set_takes_no_more_than_it_holds),
        cmocka_unit_test(no_wake_up_is_lost),
        cmocka_unit_test(the_last_notice_of_a_flood_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
