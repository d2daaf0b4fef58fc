/* SPDX-License-Identifier: MIT */
/* The number of processors decides how many threads there are. This program has a sched_getaffinity of its own, so it
 * runs on any number of processors. */
#include "base/platform.h"
#include "unit/filter/feed.h"
#include "unit/unit.h"
#include <leat/leat.h>
#include <stdatomic.h>

#define CONFIGURED 5000 /* processors that the kernel is ready for; its call wants room for all of them */

static unsigned allowed;

int sched_getaffinity(pid_t pid UNUSED, size_t size, cpu_set_t *set)
{
    errno = allowed ? EINVAL : EPERM;
    if (!allowed || size < CONFIGURED / 8)
        return -1;
    memset(set, 0, size);
    for (size_t i = 0; i < allowed; i++)
        CPU_SET_S(i * CONFIGURED / allowed, size, set);
    return 0;
}

static void the_processors_of_the_thread_are_counted(void **state UNUSED)
{
    for (allowed = 1; allowed <= CONFIGURED; allowed += allowed < 20 ? 1 : 997)
        assert_int_equal(leat_processors_count(), allowed);
}

static void a_filter_forbids_the_question(void **state UNUSED)
{
    allowed = 0;
    assert_int_equal(leat_processors_count(), sysconf(_SC_NPROCESSORS_ONLN));
}

static atomic_uint begun;

static void count_thread(void *user UNUSED)
{
    atomic_fetch_add(&begun, 1);
}

static void one_engine(unsigned processors, int wanted, unsigned expected)
{
    struct leat_engine_options options = {.size = sizeof(options), .engine = "sync", .threads = wanted};
    leat_engine *engine;
    unsigned before = atomic_load(&begun);
    allowed = processors;
    assert_int_equal(leat_engine_new(&engine, &options, NULL), 0);
    leat_engine_free(engine); /* which waits for its threads */
    assert_int_equal(atomic_load(&begun) - before, expected);
}

static void an_engine_has_a_thread_for_each(void **state UNUSED)
{
    one_engine(1, 0, 1);
    one_engine(3, 0, 3);
    one_engine(8, 0, 8);
    one_engine(9, 0, 8);
    one_engine(CONFIGURED, 0, 8);
    one_engine(1, 5, 5);
    one_engine(16, 2, 2);
}

static void one_digest(unsigned processors, int wanted, unsigned expected)
{
    struct leat_digest_options options = {.size = sizeof(options), .threads = wanted};
    struct leat_error error = LEAT_INIT(struct leat_error);
    struct feed feed;
    leat_filter *filter;
    unsigned before = atomic_load(&begun);
    allowed = processors;
    feed_init(&feed);
    assert_int_equal(leat_filter_digest(&filter, "crc32c,crc32", &options, NULL), 0);
    assert_int_equal(filter->ops->start(filter, 0, &error), 0);
    feed_bytes(&feed, filter, (const uint8_t *)"x", 1);
    assert_int_equal(filter->ops->finish(filter, 0, &error), 0); /* waits for its threads, too */
    assert_int_equal(atomic_load(&begun) - before, expected);
    feed_destroy(&feed);
    leat_filter_free(filter);
}

static void digests_have_threads_where_there_are_processors(void **state UNUSED)
{
    one_digest(1, 0, 0);
    one_digest(2, 0, 2);
    one_digest(CONFIGURED, 0, 2);
    one_digest(1, 1, 2);
    one_digest(4, -1, 0);
}

int main(void)
{
    const struct leat_thread_hooks hooks = {.size = sizeof(hooks), .begin = count_thread};
    if (leat_thread_hooks_set(&hooks, NULL) < 0)
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_processors_of_the_thread_are_counted),
        cmocka_unit_test(a_filter_forbids_the_question),
        cmocka_unit_test(an_engine_has_a_thread_for_each),
        cmocka_unit_test(digests_have_threads_where_there_are_processors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
