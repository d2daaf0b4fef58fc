/* SPDX-License-Identifier: MIT */
/* emscripten: it has no processes
 * labels: fork
 * timeout: 120
 * A child of fork() frees what it inherited while threads of the parent are at work on it: it waits for nobody, and the
 * parent does not notice. */
#include "base/thread.h"
#include "unit/unit.h"
#include <leat/leat.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>

#define PATIENCE_S 20
#define FORKS      (getenv("LEAT_TEST_QUICK") ? 40 : 200)

/* In a child, which must be through in time. */
static void in_child(void (*free_all)(void *user), void *user)
{
    int status;
    pid_t pid = fork();
    if (pid == 0) {
        alarm(PATIENCE_S);
        free_all(user);
        _exit(0);
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFEXITED(status) || WEXITSTATUS(status))
        fail_msg("the child ended with status %x", (unsigned)status);
}

static void begin(pthread_t *thread, void *(*run)(void *user), void *user)
{
    assert_int_equal(pthread_create(thread, NULL, run, user), 0);
}

/* ---- pools and streams ---- */

struct pool_user {
    leat_pool *pool;
    leat_stream *stream;
    atomic_bool stop;
};

static void *use_pool(void *user)
{
    struct pool_user *u = user;
    while (!atomic_load(&u->stop)) {
        leat_stream *s;
        void *room;
        size_t n;
        if (leat_stream_new(&s, u->pool, NULL, NULL) < 0)
            continue;
        if (leat_stream_reserve(s, 5000, &room, &n) == 0)
            leat_stream_commit(s, n);
        leat_stream_free(s);
    }
    return NULL;
}

static void free_pool(void *user)
{
    struct pool_user *u = user;
    leat_stream_free(u->stream);
    leat_pool_free(u->pool);
    leat_stream *own; /* what the child makes is its own */
    void *room;
    size_t n;
    if (leat_stream_new(&own, NULL, NULL, NULL) < 0 || leat_stream_reserve(own, 1, &room, &n) < 0)
        _exit(1);
    leat_stream_free(own);
}

static void a_pool_that_others_use(void **state UNUSED)
{
    struct pool_user u = {.stop = false};
    pthread_t thread[3];
    void *room;
    size_t n;
    assert_int_equal(leat_pool_new(&u.pool, NULL, NULL), 0);
    assert_int_equal(leat_stream_new(&u.stream, u.pool, NULL, NULL), 0);
    assert_int_equal(leat_stream_reserve(u.stream, 5000, &room, &n), 0);
    assert_int_equal(leat_stream_commit(u.stream, 1), 0);
    for (size_t i = 0; i < COUNT(thread); i++)
        begin(&thread[i], use_pool, &u);
    for (int i = 0; i < FORKS; i++)
        in_child(free_pool, &u);
    atomic_store(&u.stop, true);
    for (size_t i = 0; i < COUNT(thread); i++)
        pthread_join(thread[i], NULL);
    leat_stream_free(u.stream);
    leat_pool_free(u.pool);
}

/* ---- pipes ---- */

struct both {
    leat_writer *w;
    leat_reader *r;
    char got[16];
    int result;
};

static void *read_all(void *user)
{
    struct both *e = user;
    size_t done;
    e->result = leat_reader_read(e->r, e->got, sizeof(e->got), &done, -1);
    e->result = e->result < 0 ? e->result : (int)done;
    return NULL;
}

static void close_both(void *user)
{
    struct both *e = user;
    leat_writer_close(e->w);
    leat_reader_close(e->r);
}

static void a_pipe_while_the_parent_reads(void **state UNUSED)
{
    static const int backends[] = {LEAT_PIPE_QUEUE, LEAT_PIPE_KERNEL};
    for (size_t i = 0; i < COUNT(backends); i++) {
        struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
        struct both e = {.result = 0};
        pthread_t thread;
        size_t done;
        options.backend = backends[i];
        assert_int_equal(leat_pipe_open(&e.w, &e.r, &options, NULL), 0);
        begin(&thread, read_all, &e);
        usleep(50000); /* it waits by now; if not, there is less to see */
        in_child(close_both, &e);
        assert_int_equal(leat_writer_write(e.w, "whole", 5, &done, -1), 0);
        assert_int_equal(leat_writer_finish(e.w, -1), 0);
        pthread_join(thread, NULL);
        assert_int_equal(e.result, 5);
        assert_memory_equal(e.got, "whole", 5);
        close_both(&e);
    }
}

/* ---- stages ---- */

static int pass(leat_work *work, void *item, void *user UNUSED)
{
    leat_work_emit(work, item, -1);
    return 0;
}

static void free_stages(void *user)
{
    if (leat_stages_stop(user, LEAT_STOP_ABORT, -1, NULL) != -EPERM)
        _exit(1);
    leat_stages_free(user);
}

/* Idle: that is enough for a join that never ends. */
static void stages_that_run(void **state UNUSED)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    leat_stages *stages;
    stage.name = "pass";
    stage.function = pass;
    stage.workers = 2;
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    in_child(free_stages, stages);
    leat_stages_free(stages);
}

/* ---- pipelines ---- */

static void free_pipeline(void *user)
{
    leat_pipeline_free(user);
}

static void a_pipeline_with_a_child(void **state UNUSED)
{
    leat_pipeline *p;
    leat_endpoint *source, *sink;
    assert_int_equal(leat_pipeline_new(&p, NULL, NULL), 0);
    assert_int_equal(
        leat_endpoint_open(&source, "exec:until [ -e go ]; do sleep 0.01; done; echo whole", LEAT_READ, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_open(&sink, "out", LEAT_WRITE, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_source(p, source), 0);
    assert_int_equal(leat_pipeline_sink(p, sink, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_start(p), 0);
    usleep(50000);
    in_child(free_pipeline, p);
    unit_write("go", "", 0);
    assert_int_equal(leat_pipeline_wait(p, PATIENCE_S * 1000, NULL), 0);
    leat_pipeline_free(p);
    unit_holds("out", "whole\n");
}

static void free_engine(void *user)
{
    leat_engine_free(user);
}

static void an_engine(void **state UNUSED)
{
    leat_engine *engine;
    assert_int_equal(leat_engine_new(&engine, NULL, NULL), 0);
    in_child(free_engine, engine);
    leat_engine_free(engine);
}

/* ---- threads of ours ---- */

static void *look_at_mask(void *user)
{
    pthread_sigmask(SIG_SETMASK, NULL, user);
    return NULL;
}

static void threads_take_no_signal(void **state UNUSED)
{
    sigset_t set;
    pthread_t thread;
    sigemptyset(&set);
    assert_int_equal(thread_create(&thread, look_at_mask, &set), 0);
    pthread_join(thread, NULL);
    for (int number = 1; number < 32; number++)
        if (number != SIGKILL && number != SIGSTOP)
            assert_int_equal(sigismember(&set, number), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pool_that_others_use),
        cmocka_unit_test(a_pipe_while_the_parent_reads),
        cmocka_unit_test(stages_that_run),
        cmocka_unit_test_teardown(a_pipeline_with_a_child, unit_empty),
        cmocka_unit_test(an_engine),
        cmocka_unit_test(threads_take_no_signal),
    };
    return cmocka_run_group_tests(tests, unit_folder, unit_folder_gone);
}
