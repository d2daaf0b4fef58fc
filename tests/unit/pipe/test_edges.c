/* timeout: 60
 * Where two things happen at once, and numbers that are too large. */
#include "unit/pipe/pipes.h"
#include <sched.h>

#define ROUNDS (getenv("LEAT_TEST_QUICK") ? 500 : 5000)

/* ---- codes ---- */

/* A read that says -EAGAIN means that nothing is there yet; a stream that failed so would be read for ever. */
static void fails_with_again(int backend)
{
    struct ends e = open_pipe(backend, 0);
    puts_text(e.w, "bytes");
    assert_int_equal(leat_writer_fail(e.w, -EAGAIN), 0);
    gives_text(e.r, "bytes");
    gives_code(e.r, -EIO);
    close_both(e);
}

static void a_failure_never_says_that_nothing_is_there_yet(void **state UNUSED)
{
    fails_with_again(LEAT_PIPE_QUEUE);
    fails_with_again(LEAT_PIPE_KERNEL);
}

static void a_filter_that_fails_with_again_is_told(void **state UNUSED)
{
    struct doubler d = {.fail_code = -EAGAIN};
    leat_filter *filters[] = {doubler(&d)};
    struct ends e = open_with(LEAT_PIPE_QUEUE, 0, 0, filters, 1);
    size_t done;
    leat_write(e.w, "x", 1, &done, 0);
    leat_writer_flush(e.w);
    gives_code(e.r, -EIO);
    close_both(e);
}

/* ---- numbers ---- */

static void a_limit_beyond_all_memory_is_refused(void **state UNUSED)
{
    static const uint64_t limits[] = {UINT64_MAX, UINT64_MAX - 14, (uint64_t)1 << 63};
    for (size_t i = 0; i < COUNT(limits); i++) {
        struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
        leat_writer *w;
        leat_reader *r;
        options.backend = LEAT_PIPE_QUEUE;
        options.memory_limit = limits[i];
        assert_int_equal(leat_pipe_open(&w, &r, &options), -ENOMEM);
        options.chunk_size = limits[i];
        assert_int_equal(leat_pipe_open(&w, &r, &options), -ENOMEM);
    }
}

/* ---- the end ---- */

static void *read_and_leave(void *user)
{
    leat_reader *r = user;
    char bytes[16];
    size_t done;
    while (leat_read(r, bytes, sizeof(bytes), &done, SOON) == 0 && done > 0)
        ;
    leat_reader_close(r);
    return NULL;
}

/* Who has read the end may leave: that is no reason for the writer to say that not all of it was wanted. */
static void finishes_well(int backend)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct ends e = open_pipe(backend, 4096);
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, read_and_leave, e.r), 0);
        puts_text(e.w, "all of it");
        assert_int_equal(leat_writer_finish(e.w), 0);
        pthread_join(thread, NULL);
        assert_int_equal(leat_writer_finish(e.w), 0);
        leat_writer_close(e.w);
    }
}

static void a_reader_that_leaves_at_the_end_breaks_nothing(void **state UNUSED)
{
    finishes_well(LEAT_PIPE_QUEUE);
    finishes_well(LEAT_PIPE_KERNEL);
}

/* ---- the pace ---- */

#define PACED 400 /* bytes, in four tenths of a second */

struct paced {
    leat_reader *r;
    atomic_size_t asked; /* bytes that were read, when the next read began */
    size_t got;
};

static void *read_paced(void *user)
{
    struct paced *paced = user;
    char byte;
    size_t done = 1;
    for (; paced->got < PACED && done; paced->got += done) {
        atomic_store(&paced->asked, paced->got);
        if (leat_read(paced->r, &byte, 1, &done, SOON / 10) < 0)
            done = 0;
    }
    atomic_store(&paced->asked, PACED);
    return NULL;
}

/* Behind a filter that changes bytes, the reader alone brings on what has to wait for its time. Each byte comes at the
 * moment in which the reader finds nothing, and nothing comes behind it that would push it on. */
static void a_reader_wakes_when_the_pace_allows(void **state UNUSED)
{
    struct doubler d = {0};
    leat_filter *filters[2] = {doubler(&d)};
    assert_int_equal(leat_filter_rate(&filters[1], 1000), 0);
    struct ends e = open_with(LEAT_PIPE_QUEUE, 4096, 0, filters, 2);
    struct paced paced = {.r = e.r};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, read_paced, &paced), 0);
    for (size_t sent = 0; sent < PACED; sent += 2) {
        while (atomic_load(&paced.asked) < sent)
            sched_yield();
        puts_text(e.w, "x");
    }
    pthread_join(thread, NULL);
    assert_int_equal(paced.got, PACED);
    close_both(e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_never_says_that_nothing_is_there_yet),
        cmocka_unit_test(a_filter_that_fails_with_again_is_told),
        cmocka_unit_test(a_limit_beyond_all_memory_is_refused),
        cmocka_unit_test(a_reader_that_leaves_at_the_end_breaks_nothing),
        cmocka_unit_test(a_reader_wakes_when_the_pace_allows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
