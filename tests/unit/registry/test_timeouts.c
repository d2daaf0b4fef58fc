/* SPDX-License-Identifier: MIT */
/* Every public call that takes a time limit: what it says when it can't proceed. 0 does not wait and says -EAGAIN; a
 * limit that has passed says -ETIMEDOUT. Nothing is lost by either.
 *
 * emscripten: it has threads that wait */
#include "unit/unit.h"
#include <leat/leat.h>
#include <pthread.h>

struct scene {
    leat_writer *writer;      /* of a queue that is full */
    leat_reader *reader;      /* of a queue that is empty */
    leat_writer *held_writer; /* of a pipe with a filter, which holds bytes back, and that is full */
    leat_reader *held_reader;
    leat_writer *busy_writer; /* another thread waits in a call on it */
    leat_reader *busy_reader;
    pthread_t busy;
    leat_writer *other_writer;
    leat_reader *other_reader;
    leat_stream *full, *empty;
    leat_stages *stages; /* full, and nothing comes out */
    leat_pipeline *pipeline;
    int source[2]; /* of the pipeline: nothing comes */
    leat_connection *connection;
    int peer[2];
};

/* The function of a stage that is stuck until the source of the pipeline ends. */
static int sticks(leat_work *work UNUSED, void *item UNUSED, void *user)
{
    char byte;
    return read(*(int *)user, &byte, 1) < 0 ? -errno : 0;
}

static void open_pipes(struct scene *s, int32_t backend)
{
    char bytes[4096] = {0};
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    options.backend = backend;
    options.memory_limit = 4096;
    int r = leat_pipe_open(&s->writer, &s->other_reader, &options, NULL);
    unit_needs(r != -EOPNOTSUPP || backend != LEAT_PIPE_KERNEL, "pipes of a chosen size");
    assert_int_equal(r, 0);
    assert_int_equal(leat_pipe_open(&s->other_writer, &s->reader, &options, NULL), 0);
    r = leat_writer_write(s->writer, bytes, sizeof(bytes), NULL, 0);
    while (r == 0)
        r = leat_writer_write_some(s->writer, bytes, sizeof(bytes), NULL, 0);
    assert_int_equal(r, -EAGAIN);
}

static int hold(void *user UNUSED, const void *in UNUSED, size_t *in_n UNUSED, void *out, size_t *out_n,
                enum leat_filter_mode mode)
{
    size_t n = mode == LEAT_FILTER_MORE ? 0 : *out_n;
    memset(out, 'x', n);
    *out_n = n;
    return n ? LEAT_FILTER_FULL : LEAT_FILTER_DONE;
}

/* Its filter always has more to give. */
static void open_held(struct scene *s, int32_t backend)
{
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    leat_filter *filter;
    ops.transform = hold;
    assert_int_equal(leat_filter_custom(&filter, &ops, NULL, NULL), 0);
    options.backend = backend;
    options.memory_limit = 8192;
    options.filters = &filter;
    options.filter_count = 1;
    assert_int_equal(leat_pipe_open(&s->held_writer, &s->held_reader, &options, NULL), 0);
    assert_int_equal(leat_writer_write(s->held_writer, "some", 4, NULL, 0), 0);
}

static void *write_much(void *user)
{
    static const char much[100000];
    assert_int_equal(leat_writer_write(user, much, sizeof(much), NULL, -1), -EPIPE);
    return NULL;
}

static void open_busy(struct scene *s)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    char bytes[1];
    options.memory_limit = 4096;
    assert_int_equal(leat_pipe_open(&s->busy_writer, &s->busy_reader, &options, NULL), 0);
    assert_int_equal(pthread_create(&s->busy, NULL, write_much, s->busy_writer), 0);
    assert_int_equal(leat_reader_read(s->busy_reader, bytes, 1, NULL, -1), 0); /* it is in the call */
}

static void open_streams(struct scene *s)
{
    struct leat_stream_options options = LEAT_INIT(struct leat_stream_options);
    options.pause_at = 4;
    options.waits = 1;
    assert_int_equal(leat_stream_new(&s->full, NULL, &options, NULL), 0);
    assert_int_equal(leat_stream_new(&s->empty, NULL, &options, NULL), 0);
    assert_int_equal(leat_stream_append(s->full, "1234", 4), 0);
}

static void open_stages(struct scene *s)
{
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    stage.name = "sticks";
    stage.function = sticks;
    stage.user = &s->source[0];
    stage.workers = 1;
    stage.queue = 1;
    assert_int_equal(leat_stages_new(&s->stages, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(s->stages, &stage, NULL), 0);
    assert_int_equal(leat_stages_start(s->stages), 0);
    while (leat_stages_put(s->stages, s, 0) == 0)
        ;
}

static void open_all(struct scene *s, int32_t backend)
{
    leat_endpoint *from, *to;
    *s = (struct scene){0};
    assert_int_equal(pipe(s->source), 0);
    open_pipes(s, backend);
    open_held(s, backend);
    open_busy(s);
    open_streams(s);
    open_stages(s);
    assert_int_equal(leat_pipeline_new(&s->pipeline, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_from_fd(&from, s->source[0], LEAT_BORROW), 0);
    assert_int_equal(leat_endpoint_open(&to, "null:", LEAT_WRITE, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_source(s->pipeline, from), 0);
    assert_int_equal(leat_pipeline_sink(s->pipeline, to, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_start(s->pipeline), 0);
    unit_socketpair(s->peer);
    assert_int_equal(leat_connection_from_fd(&s->connection, s->peer[0], LEAT_TAKE, NULL, NULL), 0);
}

static void close_all(struct scene *s)
{
    leat_writer_close(s->writer);
    leat_reader_close(s->busy_reader);
    pthread_join(s->busy, NULL);
    leat_writer_close(s->busy_writer);
    leat_writer_close(s->held_writer);
    leat_reader_close(s->held_reader);
    leat_reader_close(s->other_reader);
    leat_writer_close(s->other_writer);
    leat_reader_close(s->reader);
    leat_stream_free(s->full);
    leat_stream_free(s->empty);
    close(s->source[1]);
    leat_stages_free(s->stages);
    leat_pipeline_free(s->pipeline);
    close(s->source[0]);
    leat_connection_close(s->connection);
    close(s->peer[1]);
}

static int try_write(struct scene *s, int timeout_ms)
{
    return leat_writer_write(s->writer, "x", 1, NULL, timeout_ms);
}

static int try_write_some(struct scene *s, int timeout_ms)
{
    return leat_writer_write_some(s->writer, "x", 1, NULL, timeout_ms);
}

static int try_write_view(struct scene *s, int timeout_ms)
{
    struct leat_view view;
    assert_int_equal(leat_stream_peek(s->full, 3, &view), 0);
    int r = leat_writer_write_view(s->writer, &view, NULL, timeout_ms);
    leat_view_release(&view);
    return r;
}

static int try_writer_reserve(struct scene *s, int timeout_ms)
{
    void *room;
    size_t n;
    return leat_writer_reserve(s->writer, 1, &room, &n, timeout_ms);
}

static int try_commit(struct scene *s, int timeout_ms)
{
    return leat_writer_commit(s->busy_writer, 0, timeout_ms);
}

static int try_flush(struct scene *s, int timeout_ms)
{
    return leat_writer_flush(s->held_writer, timeout_ms);
}

static int try_writer_filter(struct scene *s, int timeout_ms)
{
    leat_filter *filter;
    assert_int_equal(leat_filter_meter(&filter), 0);
    int r = leat_writer_filter(s->held_writer, filter, timeout_ms, NULL);
    leat_filter_free(filter);
    return r;
}

static int try_finish(struct scene *s, int timeout_ms)
{
    return leat_writer_finish(s->held_writer, timeout_ms);
}

static int try_read(struct scene *s, int timeout_ms)
{
    char byte;
    return leat_reader_read(s->reader, &byte, 1, NULL, timeout_ms);
}

static int try_read_full(struct scene *s, int timeout_ms)
{
    char bytes[2];
    return leat_reader_read_full(s->reader, bytes, sizeof(bytes), NULL, timeout_ms);
}

static int try_read_line(struct scene *s, int timeout_ms)
{
    char line[10];
    return leat_reader_read_line(s->reader, line, sizeof(line), NULL, timeout_ms);
}

static int try_peek(struct scene *s, int timeout_ms)
{
    const void *bytes;
    size_t n;
    return leat_reader_peek(s->reader, &bytes, &n, timeout_ms);
}

static int try_stream_reserve(struct scene *s, int timeout_ms)
{
    void *room;
    size_t n;
    return leat_stream_reserve_wait(s->full, 1, &room, &n, timeout_ms);
}

static int try_stream_wait(struct scene *s, int timeout_ms)
{
    return leat_stream_wait(s->empty, 0, timeout_ms);
}

static int try_put(struct scene *s, int timeout_ms)
{
    return leat_stages_put(s->stages, s, timeout_ms);
}

static int try_put_many(struct scene *s, int timeout_ms)
{
    void *items[2] = {s, s};
    size_t n;
    return leat_stages_put_many(s->stages, items, 2, &n, timeout_ms);
}

static int try_control(struct scene *s, int timeout_ms)
{
    return leat_stages_control(s->stages, s, timeout_ms);
}

static int try_take(struct scene *s, int timeout_ms)
{
    void *item;
    return leat_stages_take(s->stages, &item, timeout_ms);
}

static int try_stages_wait(struct scene *s, int timeout_ms)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = leat_stages_wait(s->stages, timeout_ms, &error);
    assert_int_equal(error.code, r);
    assert_true(error.text[0]);
    return r;
}

static int try_stop(struct scene *s, int timeout_ms)
{
    struct leat_error error = LEAT_INIT(struct leat_error);
    int r = leat_stages_stop(s->stages, LEAT_STOP_DRAIN, timeout_ms, &error);
    assert_int_equal(error.code, r);
    return r;
}

static int try_abort(struct scene *s, int timeout_ms)
{
    return leat_stages_stop(s->stages, LEAT_STOP_ABORT, timeout_ms, NULL);
}

struct emitting {
    int timeout_ms, code;
    bool many;
    int fd[2]; /* the next stage reads it, until its end */
};

static int emit(const struct emitting *e, leat_work *work, void *item, int timeout_ms)
{
    size_t n = 7;
    if (!e->many)
        return leat_work_emit(work, item, timeout_ms);
    int r = leat_work_emit_many(work, &item, 1, &n, timeout_ms);
    assert_int_equal(n, r == 0);
    return r;
}

static int fills(leat_work *work, void *item, void *user)
{
    struct emitting *e = user;
    int r;
    do
        r = emit(e, work, item, 0);
    while (r == 0);
    assert_int_equal(r, -EAGAIN);
    e->code = emit(e, work, item, e->timeout_ms);
    close(e->fd[1]);
    return LEAT_STAGE_SKIP;
}

static int one(void *user, void **ret_item)
{
    int *left = user;
    *ret_item = left;
    return (*left)-- > 0 ? 0 : LEAT_STAGES_END;
}

/* A stage emits until the next one, which is stuck, has no room. */
static int try_emitting(struct emitting e)
{
    leat_stages *stages;
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    int left = 1;
    assert_int_equal(pipe(e.fd), 0);
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    stage.name = "fills";
    stage.function = fills;
    stage.user = &e;
    stage.workers = 1;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    stage.name = "sticks";
    stage.function = sticks;
    stage.user = &e.fd[0];
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(leat_stages_run(stages, one, &left, NULL, NULL, NULL), 0);
    leat_stages_free(stages);
    close(e.fd[0]);
    return e.code;
}

static int try_emit(struct scene *s UNUSED, int timeout_ms)
{
    return try_emitting((struct emitting){.timeout_ms = timeout_ms});
}

static int try_emit_many(struct scene *s UNUSED, int timeout_ms)
{
    return try_emitting((struct emitting){.timeout_ms = timeout_ms, .many = true});
}

struct asking {
    int timeout_ms, code;
};

static int asks(leat_work *work, void *user)
{
    struct asking *a = user;
    void *item;
    a->code = leat_work_next(work, &item, a->timeout_ms);
    return LEAT_STAGE_END;
}

/* A stage asks for an item that does not come. */
static int try_next(struct scene *s UNUSED, int timeout_ms)
{
    struct asking a = {.timeout_ms = timeout_ms};
    leat_stages *stages;
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    stage.name = "asks";
    stage.function_all = asks;
    stage.user = &a;
    stage.workers = 1;
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_wait(stages, -1, NULL), 0);
    leat_stages_free(stages);
    return a.code;
}

static int try_pipeline_wait(struct scene *s, int timeout_ms)
{
    leat_report *report = (leat_report *)s;
    int r = leat_pipeline_wait(s->pipeline, timeout_ms, &report);
    assert_ptr_equal(report, s);
    return r;
}

/* The calls of a connection have the limit beside them. */
static int try_connection_read(struct scene *s, int timeout_ms)
{
    char byte;
    size_t n;
    leat_connection_deadline(s->connection, timeout_ms);
    return leat_connection_read(s->connection, &byte, 1, &n);
}

static int try_connection_line(struct scene *s, int timeout_ms)
{
    struct leat_view view;
    leat_connection_deadline(s->connection, timeout_ms);
    return leat_connection_read_line(s->connection, 0, &view);
}

static int try_connection_exactly(struct scene *s, int timeout_ms)
{
    struct leat_view view;
    leat_connection_deadline(s->connection, timeout_ms);
    return leat_connection_read_exactly(s->connection, 1, &view);
}

static int try_connection_until(struct scene *s, int timeout_ms)
{
    struct leat_view view;
    leat_connection_deadline(s->connection, timeout_ms);
    return leat_connection_read_until(s->connection, ";", 1, 0, &view);
}

static int try_connection_write(struct scene *s, int timeout_ms)
{
    static char much[4 << 20];
    leat_connection_deadline(s->connection, timeout_ms);
    return leat_connection_write(s->connection, much, sizeof(much), NULL);
}

static const struct row {
    const char *name;
    int (*try)(struct scene *s, int timeout_ms);
} rows[] = {
    {"leat_writer_write", try_write},
    {"leat_writer_write_some", try_write_some},
    {"leat_writer_write_view", try_write_view},
    {"leat_writer_reserve", try_writer_reserve},
    {"leat_writer_commit", try_commit},
    {"leat_writer_flush", try_flush},
    {"leat_writer_filter", try_writer_filter},
    {"leat_writer_finish", try_finish},
    {"leat_reader_read", try_read},
    {"leat_reader_read_full", try_read_full},
    {"leat_reader_read_line", try_read_line},
    {"leat_reader_peek", try_peek},
    {"leat_stream_reserve_wait", try_stream_reserve},
    {"leat_stream_wait", try_stream_wait},
    {"leat_stages_put", try_put},
    {"leat_stages_put_many", try_put_many},
    {"leat_stages_control", try_control},
    {"leat_stages_take", try_take},
    {"leat_stages_wait", try_stages_wait},
    {"leat_stages_stop", try_stop},
    {"leat_stages_stop", try_abort},
    {"leat_work_emit", try_emit},
    {"leat_work_next", try_next},
    {"leat_work_emit_many", try_emit_many},
    {"leat_pipeline_wait", try_pipeline_wait},
    {"leat_connection_read", try_connection_read},
    {"leat_connection_read_line", try_connection_line},
    {"leat_connection_read_exactly", try_connection_exactly},
    {"leat_connection_read_until", try_connection_until},
    {"leat_connection_write", try_connection_write},
};

static void try_all(int32_t backend)
{
    static const int limits[] = {0, 1, 10, 0};
    struct scene s;
    open_all(&s, backend);
    for (size_t i = 0; i < COUNT(rows); i++) {
        if (rows[i].try == try_writer_reserve && backend == LEAT_PIPE_KERNEL)
            continue; /* when the kernel's pipe is full there still is a chunk to fill */
        for (size_t l = 0; l < COUNT(limits); l++) {
            int r = rows[i].try(&s, limits[l]), right = limits[l] ? -ETIMEDOUT : -EAGAIN;
            if (r != right)
                fail_msg("%s with %d: %d, not %d", rows[i].name, limits[l], r, right);
        }
    }
    close_all(&s);
}

static void a_call_that_cannot_proceed_says_how_long_it_has_waited(void **state UNUSED)
{
    try_all(LEAT_PIPE_QUEUE);
}

static void the_same_of_a_kernel_pipe(void **state UNUSED)
{
    try_all(LEAT_PIPE_KERNEL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_that_cannot_proceed_says_how_long_it_has_waited),
        cmocka_unit_test(the_same_of_a_kernel_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
