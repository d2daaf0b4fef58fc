/* SPDX-License-Identifier: MIT */
/* The window between connections and pipeline: several putters, one taker, and a bound. */
#include "../unit.h"
#include "store/window.h"
#include <errno.h>

#define PARTS 4u

struct bench {
    struct window window;
    struct budget budget;
    unsigned ready, space;
};

static void count_ready(void *user)
{
    ((struct bench *)user)->ready++;
}

static void count_space(void *user)
{
    ((struct bench *)user)->space++;
}

static void begin(struct bench *b, uint64_t share, uint64_t size)
{
    *b = (struct bench){.ready = 0};
    budget_init(&b->budget, share);
    window_init(&b->window);
    b->window.ready = count_ready;
    b->window.space = count_space;
    b->window.user = b;
    struct node_memory memory = {.share = share, .budget = &b->budget};
    assert_int_equal(window_open(&b->window, &memory, PARTS, size), 0);
}

static void end(struct bench *b)
{
    window_close(&b->window);
    assert_int_equal(b->budget.used, 0);
}

static uint8_t byte_at(uint64_t at)
{
    return (uint8_t)(at * 7 + at / 251);
}

static int put(struct bench *b, uint64_t at, size_t n, struct window_waiter *waiter)
{
    uint8_t bytes[16384];
    for (size_t i = 0; i < n; i++)
        bytes[i] = byte_at(at + i);
    return window_put(&b->window, at, bytes, n, waiter);
}

/* Takes and looks at what there is; returns the answer that was not bytes. */
static ssize_t take_all(struct bench *b, uint64_t *at, size_t most)
{
    struct chunk *view;
    ssize_t r;
    while ((r = window_take(&b->window, most, &view)) > 0) {
        assert_true((size_t)r == view->length && (size_t)r <= most);
        for (size_t i = 0; i < view->length; i++)
            assert_int_equal(view->data[i], byte_at(*at + i));
        *at += (uint64_t)r;
        chunk_unref(view);
    }
    return r;
}

/* Putters in turn, each with a part of the object, as far as there is room. */
static void test_parts_come_out_in_order(void **state UNUSED)
{
    static const uint64_t sizes[] = {1, 16383, 16384, 16385, 1000003};
    for (size_t s = 0; s < COUNT(sizes); s++) {
        struct bench b;
        begin(&b, 256 * 1024, sizes[s]);
        uint64_t chunk = b.window.chunk_size, next = 0, taken = 0, at[PARTS], behind[PARTS];
        struct window_waiter waiter[PARTS] = {{.waits = false}};
        memset(at, 0, sizeof(at));
        memset(behind, 0, sizeof(behind));
        for (unsigned turn = 0; taken < sizes[s]; turn++) {
            unsigned i = turn % PARTS;
            if (at[i] == behind[i]) {
                at[i] = MIN(next, sizes[s]);
                next = behind[i] = MIN(at[i] + chunk, sizes[s]);
            }
            size_t n = (size_t)MIN(behind[i] - at[i], 5000 + 1000 * i);
            if (n && put(&b, at[i], n, &waiter[i]) == 0)
                at[i] += n;
            ssize_t r = take_all(&b, &taken, 1 + turn % 9000);
            assert_true(r == -EAGAIN || (r == 0 && taken == sizes[s]));
        }
        assert_true(b.budget.peak <= 256 * 1024);
        end(&b);
    }
}

/* With nobody who takes there is an end; and with views that are kept, too. */
static void test_the_window_is_bounded(void **state UNUSED)
{
    struct bench b;
    struct window_waiter waiter = {.waits = false};
    uint64_t at = 0, taken = 0;
    begin(&b, 128 * 1024, UINT64_MAX);
    while (put(&b, at, 4096, &waiter) == 0)
        at += 4096;
    assert_int_equal(at, 128 * 1024);
    assert_true(waiter.waits);
    assert_false(window_may_resume(&b.window, &waiter));
    struct chunk *kept;
    ssize_t n = window_take(&b.window, SIZE_MAX / 2, &kept);
    assert_int_equal(n, b.window.chunk_size);
    assert_int_equal(put(&b, at, 4096, &waiter), -EAGAIN); /* it is still somebody's memory */
    assert_int_equal(b.space, 0);
    chunk_unref(kept);
    assert_int_equal(b.space, 1);
    assert_true(window_may_resume(&b.window, &waiter));
    assert_false(window_may_resume(&b.window, &waiter));
    assert_int_equal(put(&b, at, 4096, &waiter), 0);
    taken = (uint64_t)n;
    assert_int_equal(take_all(&b, &taken, SIZE_MAX / 2), -EAGAIN);
    assert_int_equal(taken, at + 4096);
    assert_int_equal(b.budget.peak, 128 * 1024);
    end(&b);
}

static void test_whoever_waits_is_told(void **state UNUSED)
{
    struct bench b;
    struct window_waiter waiter = {.waits = false};
    uint64_t taken = 0;
    begin(&b, 128 * 1024, UINT64_MAX);
    window_flush(&b.window);
    assert_int_equal(b.ready, 0);
    assert_int_equal(take_all(&b, &taken, 100), -EAGAIN);
    assert_int_equal(put(&b, 0, 1000, &waiter), 0);
    assert_int_equal(b.ready, 0); /* more may come at once */
    window_flush(&b.window);
    window_flush(&b.window);
    assert_int_equal(b.ready, 1);
    assert_int_equal(take_all(&b, &taken, 100), -EAGAIN);
    assert_int_equal(taken, 1000);
    window_finish(&b.window, 1000);
    assert_int_equal(b.ready, 2);
    assert_int_equal(take_all(&b, &taken, 100), 0);
    end(&b);
}

/* A failure counts behind the last byte before it, and the first one of all. */
static void test_failures_are_in_order_too(void **state UNUSED)
{
    struct bench b;
    struct window_waiter waiter = {.waits = false};
    uint64_t taken = 0;
    begin(&b, 128 * 1024, 100000);
    window_fail(&b.window, 90000, -EIO);
    window_fail(&b.window, 1000, -ESTALE);
    window_fail(&b.window, 50000, -ENOENT);
    assert_int_equal(take_all(&b, &taken, 4096), -EAGAIN);
    assert_int_equal(put(&b, 0, 1000, &waiter), 0);
    assert_int_equal(take_all(&b, &taken, 4096), -ESTALE);
    assert_int_equal(taken, 1000);
    end(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parts_come_out_in_order),
        cmocka_unit_test(test_the_window_is_bounded),
        cmocka_unit_test(test_whoever_waits_is_told),
        cmocka_unit_test(test_failures_are_in_order_too),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
