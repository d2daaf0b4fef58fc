/* SPDX-License-Identifier: MIT */
/* Each callback on a thread of leat runs between the two hooks of that thread; and each thread that began has ended
 * when what it worked for is gone. */
#include "unit/unit.h"
#include <leat/leat.h>
#include <pthread.h>
#include <stdatomic.h>

static _Thread_local bool attached;
static pthread_t own;
static atomic_uint begun, ended, calls, strange;

static void begin(void *unused UNUSED)
{
    attached = true;
    atomic_fetch_add(&begun, 1);
}

static void end(void *unused UNUSED)
{
    attached = false;
    atomic_fetch_add(&ended, 1);
}

/* Each callback begins with it. */
static void check(void)
{
    atomic_fetch_add(&strange, !attached && !pthread_equal(own, pthread_self()));
    atomic_fetch_add(&calls, attached);
}

static void trace(void *unused UNUSED, const struct leat_trace_record *record UNUSED)
{
    check();
}

/* Callbacks ran on threads of leat, all of them between the hooks, and as many threads have ended as began. */
static void is_balanced(void)
{
    assert_true(calls > 0);
    assert_int_equal(strange, 0);
    assert_true(begun > 0);
    assert_int_equal(begun, ended);
    calls = begun = ended = 0;
}

/* ---- stages ---- */

static int next_number(void *user, void **ret_item)
{
    unsigned *n = user;
    check();
    *ret_item = n;
    return (*n)++ < 100 ? 0 : LEAT_STAGES_END;
}

static int pass(leat_work *work, void *item, void *user UNUSED)
{
    check();
    return leat_work_emit(work, item, -1);
}

static int take(void *user UNUSED, void *item UNUSED)
{
    check();
    return 0;
}

static int open_worker(void *user UNUSED, void **ret_state)
{
    check();
    *ret_state = NULL;
    return 0;
}

static void close_worker(void *user UNUSED, void *state UNUSED)
{
    check();
}

static void stages(void **state UNUSED)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    leat_stages *s;
    unsigned n = 0;
    stage.name = "pass";
    stage.function = pass;
    stage.workers = 2;
    stage.ordered = 1;
    stage.worker_open = open_worker;
    stage.worker_close = close_worker;
    assert_int_equal(leat_stages_new(&s, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(s, &stage, NULL), 0);
    assert_int_equal(leat_stages_run(s, next_number, &n, take, NULL, NULL), 0);
    leat_stages_free(s);
    is_balanced();
}

/* ---- pipelines ---- */

static int read_some(void *user, void *bytes, size_t n, size_t *ret_n)
{
    unsigned *left = user;
    check();
    *ret_n = *left ? MIN(n, 100) : 0;
    memset(bytes, 'x', *ret_n);
    *left -= *left > 0;
    return 0;
}

static void run(bool shared)
{
    const struct leat_endpoint_callbacks callbacks = {.size = sizeof(callbacks), .read = read_some};
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    leat_engine *engine = NULL;
    leat_endpoint *source, *sink;
    leat_filter *zstd, *digest;
    leat_pipeline *p;
    unsigned left = 50;
    int r = leat_filter_digest(&digest, "crc32c,sha256", NULL, NULL);
    unit_needs(r != -ELIBACC, "libcrypto");
    assert_int_equal(r, 0);
    if (shared)
        assert_int_equal(leat_engine_new(&engine, NULL, NULL), 0);
    options.shared_engine = engine;
    assert_int_equal(leat_pipeline_new(&p, &options, NULL), 0);
    assert_int_equal(leat_endpoint_from_callbacks(&source, &callbacks, &left, NULL), 0);
    assert_int_equal(leat_pipeline_source(p, source), 0);
    assert_int_equal(leat_pipeline_filter(p, digest), 0);
    if (leat_filter_codec(&zstd, "zstd", NULL) == 0)
        assert_int_equal(leat_pipeline_filter(p, zstd), 0);
    assert_int_equal(leat_endpoint_open(&sink, "null:", LEAT_WRITE, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_sink(p, sink, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_start(p), 0);
    assert_int_equal(leat_pipeline_wait(p, -1, NULL), 0);
    leat_pipeline_free(p);
    leat_engine_free(engine);
    is_balanced();
}

static void pipelines(void **state UNUSED)
{
    run(false);
    run(true);
}

static void children(void **state UNUSED)
{
    assert_int_equal(leat_trace_set(trace, NULL), 0);
    int r = leat_copy("exec:echo x", "null:", NULL, NULL, NULL);
    assert_int_equal(leat_trace_set(NULL, NULL), 0);
    unit_needs(r != -ENOSYS, "processes");
    assert_int_equal(r, 0);
    is_balanced();
}

int main(void)
{
    const struct leat_thread_hooks hooks = {.size = sizeof(hooks), .begin = begin, .end = end};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stages),
        cmocka_unit_test(pipelines),
        cmocka_unit_test(children),
    };
    own = pthread_self();
    if (leat_thread_hooks_set(&hooks, NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
