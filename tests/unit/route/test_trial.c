/* SPDX-License-Identifier: MIT */
/* What is learned from the speeds of routes: on steady, noisy, changing and stalling sequences, of a clock that the
 * test turns itself. */
#include "route/trial.h"
#include "unit/unit.h"

#define MS      1000000
#define SECONDS ((int64_t)1000 * MS)

/* A world in which route `i` moves bytes at speed[i] (bytes per ns), costs cost[i] (ns of processor time per byte), and
 * each window is off by up to `noise`. */
struct world {
    double speed[TRIAL_ROUTES], cost[TRIAL_ROUTES], noise;
    uint64_t dice;
    int64_t now;
    int64_t used[TRIAL_ROUTES]; /* ns of each route */
    struct trial trial;
};

static double chance(struct world *w)
{
    w->dice = w->dice * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (double)(w->dice >> 11) / (double)(UINT64_C(1) << 53);
}

static void begin(struct world *w, size_t routes, size_t home)
{
    w->dice = w->dice ? w->dice : 17;
    w->now = 5 * SECONDS;
    trial_begin(&w->trial, routes, home, w->now);
}

static void go_on(struct world *w, int64_t until)
{
    while (w->now < until) {
        size_t route = w->trial.running;
        double speed = w->speed[route] * (1 + w->noise * (2 * chance(w) - 1));
        struct trial_sample did = {.ns = trial_tuning.window_ns};
        did.bytes = (uint64_t)(speed * (double)did.ns);
        did.cpu_ns = (int64_t)(w->cost[route] * (double)did.bytes);
        w->now += did.ns;
        w->used[route] += did.ns;
        trial_step(&w->trial, &did, w->now);
    }
}

static void the_faster_route_is_found(void **state UNUSED)
{
    for (size_t home = 0; home < 2; home++)
        for (double times = 1.2; times < 10; times *= 1.5) {
            struct world w = {.speed = {2, 2}, .noise = 0.2};
            w.speed[!home] *= times;
            begin(&w, 2, home);
            go_on(&w, w.now + 3 * SECONDS);
            assert_int_equal(w.trial.home, !home);
            assert_true(w.used[!home] > w.used[home]);
        }
}

static void of_three_the_fastest_is_found(void **state UNUSED)
{
    struct world w = {.speed = {1, 1.5, 3}, .noise = 0.1};
    begin(&w, 3, 0);
    go_on(&w, w.now + 20 * SECONDS);
    assert_int_equal(w.trial.home, 2);
    assert_int_equal(w.trial.changes, w.trial.sum[1].windows > w.trial.sum[0].windows ? 2 : 1);
}

/* Where the table was right, trying costs at most its share, however slow the other route is. */
static void trying_costs_little(void **state UNUSED)
{
    for (double times = 1; times > 0.001; times /= 2)
        for (int64_t length = SECONDS / 10; length <= 100 * SECONDS; length *= 10) {
            struct world w = {.speed = {3, 3 * times}, .noise = 0.1};
            begin(&w, 2, 0);
            go_on(&w, w.now + length);
            double lost = (double)w.used[1] * (1 - times);
            if (lost > (trial_tuning.share + 0.002) * (double)length + 0.1 * (double)w.used[1])
                fail_msg("speed %g, %lld ms: lost %g ms", times, (long long)(length / MS), lost / MS);
            if (times < 1)
                assert_int_equal(w.trial.home, 0);
        }
}

static void a_short_run_compares_nothing(void **state UNUSED)
{
    struct world w = {.speed = {1, 100}};
    begin(&w, 2, 0);
    go_on(&w, w.now + (int64_t)((double)trial_tuning.window_ns / trial_tuning.share) - trial_tuning.window_ns);
    assert_int_equal(w.trial.sum[1].windows, 0);
}

/* Looks become ever more rare: a run that is ten times as long has a few more of them. */
static void looks_become_rare(void **state UNUSED)
{
    uint32_t windows[3];
    for (int i = 0; i < 3; i++) {
        struct world w = {.speed = {3, 2.9}, .noise = 0.02};
        begin(&w, 2, 0);
        go_on(&w, w.now + (i == 0 ? 10 : i == 1 ? 100 : 1000) * SECONDS);
        windows[i] = w.trial.sum[1].windows;
        assert_true(windows[i] > 0);
    }
    assert_true(windows[1] < 5 * windows[0] && windows[2] < 3 * windows[1]);
}

static void equal_routes_are_left_alone(void **state UNUSED)
{
    unsigned changes = 0;
    for (uint64_t dice = 1; dice <= 50; dice++) {
        struct world w = {.speed = {2, 2}, .cost = {1, 1}, .noise = 0.3, .dice = dice};
        begin(&w, 2, 0);
        go_on(&w, w.now + 60 * SECONDS);
        changes += w.trial.changes;
    }
    if (changes > 15)
        fail_msg("%u changes", changes);
}

static void of_equal_routes_the_cheaper_one_is_taken(void **state UNUSED)
{
    struct world w = {.speed = {1, 1}, .cost = {1, 0.5}, .noise = 0.02};
    begin(&w, 2, 0);
    go_on(&w, w.now + 10 * SECONDS);
    assert_int_equal(w.trial.home, 1);
    struct world slower = {.speed = {1, 0.8}, .cost = {1, 0.1}, .noise = 0.02};
    begin(&slower, 2, 0);
    go_on(&slower, slower.now + 10 * SECONDS);
    assert_int_equal(slower.trial.home, 0);
}

/* After a minute of quiet the speed of home falls: the other route is looked at within a second, not a minute later. */
static void a_fall_is_noticed(void **state UNUSED)
{
    struct world w = {.speed = {3, 2}, .noise = 0.1};
    begin(&w, 2, 0);
    go_on(&w, w.now + 65 * SECONDS);
    assert_int_equal(w.trial.home, 0);
    w.speed[0] = 1;
    go_on(&w, w.now + SECONDS);
    assert_int_equal(w.trial.home, 1);
    w.speed[0] = 10; /* this is not seen before the next look */
    go_on(&w, w.now + 300 * SECONDS);
    assert_int_equal(w.trial.home, 0);
}

/* Both get slower by half a percent with each window: the order of the pairs favours neither. */
static void a_slowing_peer_favours_neither(void **state UNUSED)
{
    struct world w = {.speed = {100, 100}};
    begin(&w, 2, 0);
    for (int i = 0; i < 1000; i++) {
        w.speed[0] = w.speed[1] *= 0.995;
        go_on(&w, w.now + 1);
    }
    assert_int_equal(w.trial.changes, 0);
}

/* A source that gives nothing most of the time, or a few bytes: nothing is decided, and little is tried. */
static void stalls_say_nothing(void **state UNUSED)
{
    struct world w = {.noise = 0};
    begin(&w, 2, 0);
    for (int i = 0; i < 2000; i++) {
        bool stalls = chance(&w) < 0.6;
        struct trial_sample did = {.ns = stalls ? 500 * MS : 10 * MS, .bytes = stalls ? 3000 : 20000000};
        w.now += did.ns;
        trial_step(&w.trial, &did, w.now);
    }
    assert_int_equal(w.trial.changes, 0);
    struct world slow = {.speed = {0.000001, 0.000001}}; /* a kilobyte a second */
    begin(&slow, 2, 0);
    go_on(&slow, slow.now + 600 * SECONDS);
    assert_int_equal(slow.trial.changes, 0);
    assert_true(slow.used[1] < 20 * SECONDS);
    struct world none = {.speed = {0, 0}};
    begin(&none, 2, 0);
    go_on(&none, none.now + 600 * SECONDS);
    assert_int_equal(none.trial.changes, 0);
}

/* Windows of any length, bytes and times: it always names one of its routes, and its sums are those of the windows. */
static void anything_may_come(void **state UNUSED)
{
    static const int64_t times[] = {0, 1, 10 * MS, 41 * MS, INT64_MAX / 100000};
    static const uint64_t bytes[] = {0, 1, 1 << 20, UINT64_MAX / 100000};
    struct world w = {.dice = 7};
    for (int run = 0; run < 200; run++) {
        uint64_t all = 0, sum = 0;
        size_t routes = 2 + (size_t)(chance(&w) * (TRIAL_ROUTES - 1));
        w.now = 0;
        trial_begin(&w.trial, routes, (size_t)(chance(&w) * (double)routes), 0);
        for (int i = 0; i < 300; i++) {
            struct trial_sample did = {.ns = times[(size_t)(chance(&w) * 5)], .bytes = bytes[(size_t)(chance(&w) * 4)]};
            did.cpu_ns = (int64_t)(chance(&w) * (double)did.ns);
            all += did.bytes;
            w.now += did.ns;
            assert_true(trial_step(&w.trial, &did, w.now) < routes);
            assert_true(w.trial.home < routes && w.trial.rival < routes && w.trial.home != w.trial.rival);
        }
        for (size_t i = 0; i < routes; i++)
            sum += w.trial.sum[i].bytes;
        assert_true(sum == all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_faster_route_is_found),
        cmocka_unit_test(of_three_the_fastest_is_found),
        cmocka_unit_test(trying_costs_little),
        cmocka_unit_test(a_short_run_compares_nothing),
        cmocka_unit_test(looks_become_rare),
        cmocka_unit_test(equal_routes_are_left_alone),
        cmocka_unit_test(of_equal_routes_the_cheaper_one_is_taken),
        cmocka_unit_test(a_fall_is_noticed),
        cmocka_unit_test(a_slowing_peer_favours_neither),
        cmocka_unit_test(stalls_say_nothing),
        cmocka_unit_test(anything_may_come),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
