/* SPDX-License-Identifier: MIT */
/* Every struct of every public header that begins with its size: what a call says to a size that can't be, to a tail
 * that it does not know, and to members that are no value of their enum. */
#include "unit/unit.h"
#include <leat/leat.h>

#define ROOM 16384 /* the largest struct, and more */

/* One try: hands `given` to the call, frees what that makes, and returns its answer. */
typedef int (*try_fn)(void *given);

static int try_pool(void *given)
{
    leat_pool *pool;
    int r = leat_pool_new(&pool, given, NULL);
    if (r == 0)
        leat_pool_free(pool);
    return r;
}

static int try_pool_stats(void *given)
{
    leat_pool *pool;
    assert_int_equal(leat_pool_new(&pool, NULL, NULL), 0);
    int r = leat_pool_stats(pool, given);
    leat_pool_free(pool);
    return r;
}

static int try_stream(void *given)
{
    leat_stream *stream;
    int r = leat_stream_new(&stream, NULL, given, NULL);
    if (r == 0)
        leat_stream_free(stream);
    return r;
}

static int try_stream_stats(void *given)
{
    leat_stream *stream;
    assert_int_equal(leat_stream_new(&stream, NULL, NULL, NULL), 0);
    int r = leat_stream_stats(stream, given);
    leat_stream_free(stream);
    return r;
}

static int connect_with(const struct leat_connection_options *options)
{
    leat_connection *c;
    int fd = open("/dev/null", O_RDWR | O_CLOEXEC), r = leat_connection_from_fd(&c, fd, LEAT_TAKE, options, NULL);
    if (r == 0)
        leat_connection_close(c);
    return r;
}

static int try_connection(void *given)
{
    return connect_with(given);
}

static int try_connection_input(void *given)
{
    struct leat_connection_options options = LEAT_INIT(struct leat_connection_options);
    options.input = given;
    return connect_with(&options);
}

static int try_connection_output(void *given)
{
    struct leat_connection_options options = LEAT_INIT(struct leat_connection_options);
    options.output = given;
    return connect_with(&options);
}

/* The call fails for another reason if the options are right. */
static int try_connection_open(void *given)
{
    leat_connection *c;
    int r = leat_connection_open(&c, "unix:there/is/none", given, NULL);
    return r == -ENOENT || r == -ENOSYS || r == -EAFNOSUPPORT ? 0 : r;
}

static int try_connection_error(void *given)
{
    leat_connection *c;
    int r = leat_connection_open(&c, "no-scheme:", NULL, given);
    return r == -EINVAL && ((struct leat_error *)given)->size >= sizeof(size_t) ? 0 : r;
}

static int open_pipe(const struct leat_pipe_options *options)
{
    leat_writer *writer;
    leat_reader *reader;
    int r = leat_pipe_open(&writer, &reader, options, NULL);
    if (r == 0) {
        leat_writer_close(writer);
        leat_reader_close(reader);
    }
    return r;
}

static int try_pool_error(void *given)
{
    leat_pool *pool;
    int r = leat_pool_new(&pool, NULL, given);
    if (r == 0)
        leat_pool_free(pool);
    return r;
}

static int try_new_stream_error(void *given)
{
    leat_stream *stream;
    int r = leat_stream_new(&stream, NULL, NULL, given);
    if (r == 0)
        leat_stream_free(stream);
    return r;
}

static int try_pipe(void *given)
{
    return open_pipe(given);
}

static int try_pipe_error(void *given)
{
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    leat_writer *writer;
    leat_reader *reader;
    int r = leat_pipe_open(&writer, &reader, &options, given);
    if (r == 0) {
        leat_writer_close(writer);
        leat_reader_close(reader);
    }
    return r;
}

static int ask_pipe(int (*of_writer)(const leat_writer *, void *), int (*of_reader)(const leat_reader *, void *),
                    void *given)
{
    leat_writer *writer;
    leat_reader *reader;
    assert_int_equal(leat_pipe_open(&writer, &reader, NULL, NULL), 0);
    int r = of_writer ? of_writer(writer, given) : of_reader(reader, given);
    leat_writer_close(writer);
    leat_reader_close(reader);
    return r;
}

static int writer_stats(const leat_writer *writer, void *given)
{
    return leat_writer_stats(writer, given);
}

static int reader_stats(const leat_reader *reader, void *given)
{
    return leat_reader_stats(reader, given);
}

static int writer_error(const leat_writer *writer, void *given)
{
    return leat_writer_error(writer, given);
}

static int reader_error(const leat_reader *reader, void *given)
{
    return leat_reader_error(reader, given);
}

static int try_pipe_stats(void *given)
{
    return ask_pipe(writer_stats, NULL, given);
}

static int try_reader_stats(void *given)
{
    return ask_pipe(NULL, reader_stats, given);
}

static int try_writer_error(void *given)
{
    return ask_pipe(writer_error, NULL, given);
}

static int try_reader_error(void *given)
{
    return ask_pipe(NULL, reader_error, given);
}

static int nothing(leat_work *work UNUSED, void *item UNUSED, void *user UNUSED)
{
    return 0;
}

static int none_left(void *user UNUSED, void **ret_item UNUSED)
{
    return LEAT_STAGES_END;
}

static int try_stages(void *given)
{
    leat_stages *stages;
    int r = leat_stages_new(&stages, given, NULL);
    if (r == 0)
        leat_stages_free(stages);
    return r;
}

static int try_stages_error(void *given)
{
    leat_stages *stages;
    int r = leat_stages_new(&stages, NULL, given);
    if (r == 0)
        leat_stages_free(stages);
    return r;
}

static void make_stage(void *given)
{
    struct leat_stage *stage = given;
    stage->name = "x";
    stage->function = nothing;
    stage->workers = 1;
}

static int try_stage(void *given)
{
    leat_stages *stages;
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    int r = leat_stages_add(stages, given, NULL);
    leat_stages_free(stages);
    return r;
}

static int try_pull(void *given)
{
    leat_pull *pull;
    assert_int_equal(leat_pull_new(&pull, none_left, NULL), 0);
    int r = leat_pull_add(pull, given, NULL);
    leat_pull_free(pull);
    return r;
}

static int try_stage_error(void *given)
{
    leat_stages *stages;
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    make_stage(&stage);
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    int r = leat_stages_add(stages, &stage, given);
    leat_stages_free(stages);
    return r;
}

static int try_pull_error(void *given)
{
    leat_pull *pull;
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    make_stage(&stage);
    assert_int_equal(leat_pull_new(&pull, none_left, NULL), 0);
    int r = leat_pull_add(pull, &stage, given);
    leat_pull_free(pull);
    return r;
}

static int with_stages(int (*call)(leat_stages *stages, void *given), void *given)
{
    leat_stages *stages;
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    make_stage(&stage);
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    int r = call(stages, given);
    leat_stages_free(stages);
    return r;
}

static int stage_stats(leat_stages *stages, void *given)
{
    return leat_stages_stats(stages, 0, given);
}

static int stages_run(leat_stages *stages, void *given)
{
    return leat_stages_run(stages, none_left, NULL, NULL, NULL, given);
}

static int stages_wait(leat_stages *stages, void *given)
{
    assert_int_equal(leat_stages_start(stages), 0);
    assert_int_equal(leat_stages_finish(stages), 0);
    return leat_stages_wait(stages, -1, given);
}

static int stages_stop(leat_stages *stages, void *given)
{
    assert_int_equal(leat_stages_start(stages), 0);
    return leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, given);
}

static int try_stage_stats(void *given)
{
    return with_stages(stage_stats, given);
}

static int no_item(void *user UNUSED, void **ret_item UNUSED)
{
    return LEAT_STAGES_END;
}

static int try_pull_counts(void *given)
{
    leat_pull *pull;
    assert_int_equal(leat_pull_new(&pull, no_item, NULL), 0);
    int r = leat_pull_stats(pull, 0, given);
    leat_pull_free(pull);
    return r;
}

static int try_stages_run(void *given)
{
    return with_stages(stages_run, given);
}

static int try_stages_wait(void *given)
{
    return with_stages(stages_wait, given);
}

static int try_stages_stop(void *given)
{
    return with_stages(stages_stop, given);
}

static int try_digest(void *given)
{
    leat_filter *filter;
    int r = leat_filter_digest(&filter, "crc32c", given, NULL);
    if (r == 0)
        leat_filter_free(filter);
    return r;
}

static int try_digest_error(void *given)
{
    leat_filter *filter;
    int r = leat_filter_digest(&filter, "crc32c", NULL, given);
    if (r == 0)
        leat_filter_free(filter);
    return r;
}

static void make_buffer(void *given)
{
    ((struct leat_buffer_options *)given)->bytes = 1;
}

static int try_buffer(void *given)
{
    leat_filter *filter;
    int r = leat_filter_buffer(&filter, given, NULL);
    if (r == 0)
        leat_filter_free(filter);
    return r;
}

static int try_new_buffer_error(void *given)
{
    leat_filter *filter;
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    make_buffer(&options);
    int r = leat_filter_buffer(&filter, &options, given);
    if (r == 0)
        leat_filter_free(filter);
    return r;
}

static int try_buffer_parse(void *given)
{
    return leat_filter_buffer_parse(given, "64M", NULL);
}

static int try_slow_parse(void *given)
{
    return leat_pipeline_slow_sink_parse(given, "spill:64M", NULL);
}

static int try_slow_error(void *given)
{
    struct leat_sink_options options = LEAT_INIT(struct leat_sink_options);
    return leat_pipeline_slow_sink_parse(&options, "drop", given);
}

static int try_buffer_error(void *given)
{
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    return leat_filter_buffer_parse(&options, "64M", given);
}

static int seen(void *user UNUSED, const void *bytes UNUSED, size_t n UNUSED)
{
    return 0;
}

static void make_ops(void *given)
{
    ((struct leat_filter_ops *)given)->observe = seen;
}

static int try_custom(void *given)
{
    leat_filter *filter;
    int r = leat_filter_custom(&filter, given, NULL, NULL);
    if (r == 0)
        leat_filter_free(filter);
    return r;
}

static int try_custom_error(void *given)
{
    leat_filter *filter;
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    make_ops(&ops);
    int r = leat_filter_custom(&filter, &ops, NULL, given);
    if (r == 0)
        leat_filter_free(filter);
    return r;
}

static int open_endpoint(const struct leat_endpoint_options *options, struct leat_error *error)
{
    leat_endpoint *endpoint;
    int r = leat_endpoint_open(&endpoint, "null:", LEAT_WRITE, options, error);
    if (r == 0)
        leat_endpoint_close(endpoint);
    return r;
}

static int try_endpoint(void *given)
{
    return open_endpoint(given, NULL);
}

static int try_endpoint_error(void *given)
{
    return open_endpoint(NULL, given);
}

static int no_more(void *user UNUSED, void *bytes UNUSED, size_t n UNUSED, size_t *ret_n)
{
    *ret_n = 0;
    return 0;
}

static void make_callbacks(void *given)
{
    ((struct leat_endpoint_callbacks *)given)->read = no_more;
}

static int try_callbacks(void *given)
{
    leat_endpoint *endpoint;
    int r = leat_endpoint_from_callbacks(&endpoint, given, NULL, NULL);
    if (r == 0)
        leat_endpoint_close(endpoint);
    return r;
}

static int try_callbacks_error(void *given)
{
    leat_endpoint *endpoint;
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    make_callbacks(&callbacks);
    int r = leat_endpoint_from_callbacks(&endpoint, &callbacks, NULL, given);
    if (r == 0)
        leat_endpoint_close(endpoint);
    return r;
}

static leat_pipeline *from_null(void)
{
    leat_pipeline *p;
    assert_int_equal(leat_pipeline_parse(&p, "null: | null:", NULL, NULL), 0);
    return p;
}

/* What is wrong with a value is told by the check, with a sentence. */
static int try_pipeline(void *given)
{
    leat_pipeline *p;
    leat_endpoint *endpoint;
    int r = leat_pipeline_new(&p, given, NULL);
    if (r < 0)
        return r;
    assert_int_equal(leat_endpoint_open(&endpoint, "null:", LEAT_READ, NULL, NULL), 0);
    leat_pipeline_source(p, endpoint);
    assert_int_equal(leat_endpoint_open(&endpoint, "null:", LEAT_WRITE, NULL, NULL), 0);
    leat_pipeline_sink(p, endpoint, NULL, NULL);
    struct leat_error error = LEAT_INIT(struct leat_error);
    r = leat_pipeline_check(p, &error);
    assert_int_equal(error.code, r);
    assert_true(r == 0 || error.text[0]);
    leat_pipeline_free(p);
    return r;
}

static int parse_with(const struct leat_pipeline_options *options, struct leat_error *error)
{
    leat_pipeline *p;
    int r = leat_pipeline_parse(&p, "null: | null:", options, error);
    if (r == 0) {
        r = leat_pipeline_check(p, NULL);
        leat_pipeline_free(p);
    }
    return r;
}

static int try_parse(void *given)
{
    return parse_with(given, NULL);
}

static int try_parse_endpoints(void *given)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    options.endpoints = given;
    return parse_with(&options, NULL);
}

static int try_parse_sinks(void *given)
{
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    options.sinks = given;
    return parse_with(&options, NULL);
}

static int try_parse_error(void *given)
{
    return parse_with(NULL, given);
}

static int try_check_error(void *given)
{
    leat_pipeline *p = from_null();
    int r = leat_pipeline_check(p, given);
    leat_pipeline_free(p);
    return r;
}

static int try_sink(void *given)
{
    leat_pipeline *p = from_null();
    leat_endpoint *endpoint;
    assert_int_equal(leat_endpoint_open(&endpoint, "null:", LEAT_WRITE, NULL, NULL), 0);
    int r = leat_pipeline_sink(p, endpoint, given, NULL);
    leat_pipeline_free(p);
    return r;
}

static int try_progress(void *given)
{
    leat_pipeline *p = from_null();
    int r = leat_pipeline_progress(p, given);
    leat_pipeline_free(p);
    return r;
}

/* Of a run from null: to null:, which has one hop and one sink. */
static int ask_report(int (*ask)(const leat_report *report, void *given), void *given)
{
    leat_report *report = NULL;
    int r = leat_copy("null:", "null:", NULL, &report, NULL);
    if (r == 0)
        r = ask(report, given);
    leat_report_free(report);
    return r;
}

static int ask_totals(const leat_report *report, void *given)
{
    return leat_report_totals(report, given);
}

static int ask_hop(const leat_report *report, void *given)
{
    return leat_report_hop_at(report, 0, given);
}

static int ask_sink(const leat_report *report, void *given)
{
    return leat_report_sink_at(report, 0, given);
}

static int try_totals(void *given)
{
    return ask_report(ask_totals, given);
}

static int try_hop(void *given)
{
    return ask_report(ask_hop, given);
}

static int try_outcome(void *given)
{
    return ask_report(ask_sink, given);
}

static int try_route(void *given)
{
    leat_endpoint *source, *sink;
    leat_pipeline *p;
    leat_report *report = NULL;
    assert_int_equal(leat_pipeline_new(&p, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_from_memory(&source, "x", 1), 0);
    assert_int_equal(leat_endpoint_open(&sink, "null:", LEAT_WRITE, NULL, NULL), 0);
    leat_pipeline_source(p, source);
    leat_pipeline_sink(p, sink, NULL, NULL);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    int r = leat_report_route_at(report, 0, 0, given);
    leat_report_free(report);
    leat_pipeline_free(p);
    return r;
}

/* Of a run with a buffer. */
static int try_buffer_outcome(void *given)
{
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    leat_pipeline *p;
    leat_filter *buffer;
    leat_report *report = NULL;
    options.bytes = 1000000;
    assert_int_equal(leat_pipeline_parse(&p, "null: | null:", NULL, NULL), 0);
    assert_int_equal(leat_filter_buffer(&buffer, &options, NULL), 0);
    assert_int_equal(leat_pipeline_filter(p, buffer), 0);
    assert_int_equal(leat_pipeline_run(p, &report), 0);
    int r = leat_report_buffer_at(report, 0, given);
    leat_report_free(report);
    leat_pipeline_free(p);
    return r;
}

static int try_from_fd_error(void *given)
{
    leat_connection *c;
    int r = leat_connection_from_fd(&c, open("/dev/null", O_RDWR | O_CLOEXEC), LEAT_TAKE, NULL, given);
    if (r == 0)
        leat_connection_close(c);
    return r;
}

static int try_new_pipeline_error(void *given)
{
    leat_pipeline *p;
    int r = leat_pipeline_new(&p, NULL, given);
    if (r == 0)
        leat_pipeline_free(p);
    return r;
}

static int try_sink_error(void *given)
{
    leat_pipeline *p = from_null();
    leat_endpoint *endpoint;
    assert_int_equal(leat_endpoint_open(&endpoint, "null:", LEAT_WRITE, NULL, NULL), 0);
    int r = leat_pipeline_sink(p, endpoint, NULL, given);
    leat_pipeline_free(p);
    return r;
}

/* Hooks can be set once in a process. */
static int try_hooks_error(void *given)
{
    const struct leat_thread_hooks none = {.size = sizeof(none)};
    int r = leat_thread_hooks_set(&none, given);
    return r == -EBUSY ? 0 : r;
}

static void make_error(void *given)
{
    struct leat_error *error = given;
    error->code = -EIO;
}

static int try_report(void *given)
{
    leat_report *report;
    char *json = NULL;
    int r = leat_report_from_error(&report, given);
    if (r < 0)
        return r;
    assert_int_equal(leat_report_json(report, &json), 0);
    free(json);
    leat_report_free(report);
    return 0;
}

static int try_engine(void *given)
{
    leat_engine *engine;
    int r = leat_engine_new(&engine, given, NULL);
    if (r == 0)
        leat_engine_free(engine);
    return r;
}

static int try_engine_error(void *given)
{
    leat_engine *engine;
    struct leat_engine_options options = LEAT_INIT(struct leat_engine_options);
    options.threads = 1;
    int r = leat_engine_new(&engine, &options, given);
    if (r == 0)
        leat_engine_free(engine);
    return r;
}

/* Hooks can be set once in a process. */
static int try_hooks(void *given)
{
    int r = leat_thread_hooks_set(given, NULL);
    return r == -EBUSY ? 0 : r;
}

static int try_channel(void *given)
{
    leat_channel *channel;
    int r = leat_channel_open(&channel, given, NULL);
    if (r == 0)
        leat_channel_close(channel);
    return r;
}

static int try_channel_error(void *given)
{
    leat_channel *channel;
    int r = leat_channel_open(&channel, NULL, given);
    if (r == 0)
        leat_channel_close(channel);
    return r;
}

static int try_inspect(void *given)
{
    leat_channel *channel;
    int r = leat_channel_open(&channel, NULL, NULL);
    if (r < 0)
        return r;
    r = leat_channel_inspect(leat_channel_memory_fd(channel), given, NULL, NULL);
    leat_channel_close(channel);
    return r;
}

static int try_describe(void *given)
{
    leat_channel *channel;
    int r = leat_channel_open(&channel, NULL, NULL);
    if (r < 0)
        return r;
    r = leat_channel_describe(channel, given);
    leat_channel_close(channel);
    return r;
}

static int try_copy(void *given)
{
    int r = leat_copy("no/such/file", "null:", given, NULL, NULL);
    return r == -ENOENT ? 0 : r;
}

static int try_copy_error(void *given)
{
    int r = leat_copy("no/such/file", "null:", NULL, NULL, given);
    return r == -ENOENT ? 0 : r;
}

static int try_probe(void *given)
{
    return leat_features_probe(given);
}

#define ENUM(type, member, last)                                                                                       \
    {                                                                                                                  \
        offsetof(struct type, member), last, #member                                                                   \
    }
#define INPUT(function, type)  .name = #function " " #type, .size = sizeof(struct type), .try = function, .input = true
#define OUTPUT(function, type) .name = #function " " #type, .size = sizeof(struct type), .try = function

/* A layout that is not there: what the options say is looked at before. */
static int try_image(void *given)
{
    int r = leat_image_verify("no/such/layout", given, NULL, NULL);
    return r == -ENOENT || r == -ENOSYS ? 0 : r;
}

static int try_image_result(void *given)
{
    int r = leat_image_verify("no/such/layout", NULL, given, NULL);
    return r == -ENOENT || r == -ENOSYS ? 0 : r;
}

static int try_image_error(void *given)
{
    int r = leat_image_verify("no/such/layout", NULL, NULL, given);
    return r == -ENOENT || r == -ENOSYS ? 0 : r;
}

static int try_inspect_error(void *given)
{
    char *text;
    int r = leat_image_inspect("oci:no/such/layout", NULL, &text, given);
    return r == -ENOENT || r == -ENOSYS ? 0 : r;
}

/* A folder that is not there: what the options say is looked at before. */
static int try_tree_of(const struct leat_tree_options *options, struct leat_tree_result *result,
                       struct leat_error *error)
{
    int r = leat_tree_copy("no/such/folder", "no/such/target", options, result, error);
    return r == -ENOENT ? 0 : r;
}

static int try_tree(void *given)
{
    return try_tree_of(given, NULL, NULL);
}

static int try_tree_verify(void *given)
{
    int r = leat_tree_verify("no/such/folder", "no/such/target", given, NULL, NULL);
    return r == -ENOENT ? 0 : r;
}

static int try_tree_verify_result(void *given)
{
    int r = leat_tree_verify("no/such/folder", "no/such/target", NULL, given, NULL);
    return r == -ENOENT ? 0 : r;
}

static int try_tree_journal(void *given)
{
    int r = leat_tree_journal_read("no/such/journal", NULL, NULL, NULL, given, NULL);
    return r == -ENOENT ? 0 : r;
}

static int try_tree_result(void *given)
{
    return try_tree_of(NULL, given, NULL);
}

static int try_tree_error(void *given)
{
    return try_tree_of(NULL, NULL, given);
}

/* Nobody listens there. */
static int try_sweep_of(const struct leat_store_sweep_options *options, struct leat_store_sweep_result *result,
                        struct leat_error *error)
{
    setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1", 1);
    int r = leat_store_sweep("s3://bucket", options, result, error);
    return r == -ECONNREFUSED || r == -ENOSYS ? 0 : r;
}

static int try_sweep(void *given)
{
    return try_sweep_of(given, NULL, NULL);
}

static int try_sweep_result(void *given)
{
    return try_sweep_of(NULL, given, NULL);
}

static int try_sweep_error(void *given)
{
    return try_sweep_of(NULL, NULL, given);
}

static int never(void *user UNUSED, const struct leat_store_entry *entry UNUSED)
{
    return 0;
}

static int try_store(void *given)
{
    struct leat_store_options *options = given;
    const char *const none = "file:no/such/file";
    int r = leat_store_remove(&none, 1, options, NULL, NULL);
    return r == -ENOENT || r == -ENOSYS ? 0 : r;
}

static int try_store_result(void *given)
{
    const char *const none = "file:no/such/file";
    int r = leat_store_remove(&none, 1, NULL, given, NULL);
    return r == -ENOENT || r == -ENOSYS ? 0 : r;
}

static int try_store_error(void *given)
{
    struct leat_store_options options = LEAT_INIT(struct leat_store_options);
    options.entry = never;
    int r = leat_store_list("file:no/such/folder", &options, given);
    return r == -ENOENT || r == -ENOSYS ? 0 : r;
}

static const struct row {
    const char *name;
    size_t size;
    try_fn try;
    bool input; /* the caller fills it, so that a tail which is not zero asks for something */
    void (*make)(void *given);
    struct {
        size_t at;
        int32_t last;
        const char *name;
    } member[5]; /* enums, as int32_t */
} rows[] = {
    {INPUT(try_pool, leat_pool_options)},
    {OUTPUT(try_pool_stats, leat_pool_usage)},
    {INPUT(try_stream, leat_stream_options)},
    {OUTPUT(try_stream_stats, leat_stream_usage)},
    {OUTPUT(try_pool_error, leat_error)},
    {OUTPUT(try_new_stream_error, leat_error)},
    {INPUT(try_connection, leat_connection_options)},
    {INPUT(try_connection_input, leat_stream_options)},
    {INPUT(try_connection_output, leat_stream_options)},
    {INPUT(try_connection_open, leat_connection_options)},
    {OUTPUT(try_connection_error, leat_error)},
    {INPUT(try_pipe, leat_pipe_options), .member = {ENUM(leat_pipe_options, backend, LEAT_PIPE_QUEUE)}},
    {OUTPUT(try_pipe_error, leat_error)},
    {OUTPUT(try_pipe_stats, leat_pipe_stats)},
    {OUTPUT(try_reader_stats, leat_pipe_stats)},
    {OUTPUT(try_writer_error, leat_error)},
    {OUTPUT(try_reader_error, leat_error)},
    {INPUT(try_stages, leat_stages_options)},
    {OUTPUT(try_stages_error, leat_error)},
    {INPUT(try_stage, leat_stage), .make = make_stage, .member = {ENUM(leat_stage, on_error, LEAT_ON_ERROR_DROP)}},
    {INPUT(try_pull, leat_stage), .make = make_stage, .member = {ENUM(leat_stage, on_error, LEAT_ON_ERROR_DROP)}},
    {OUTPUT(try_stage_error, leat_error)},
    {OUTPUT(try_pull_error, leat_error)},
    {OUTPUT(try_stage_stats, leat_stage_stats)},
    {OUTPUT(try_pull_counts, leat_stage_stats)},
    {OUTPUT(try_stages_run, leat_error)},
    {OUTPUT(try_stages_wait, leat_error)},
    {OUTPUT(try_stages_stop, leat_error)},
    {INPUT(try_digest, leat_digest_options), .member = {ENUM(leat_digest_options, provider, LEAT_DIGEST_KERNEL)}},
    {OUTPUT(try_digest_error, leat_error)},
    {INPUT(try_buffer, leat_buffer_options), .make = make_buffer},
    {OUTPUT(try_new_buffer_error, leat_error)},
    {OUTPUT(try_buffer_parse, leat_buffer_options)},
    {INPUT(try_slow_parse, leat_sink_options)},
    {OUTPUT(try_slow_error, leat_error)},
    {OUTPUT(try_buffer_error, leat_error)},
    {INPUT(try_custom, leat_filter_ops), .make = make_ops},
    {OUTPUT(try_custom_error, leat_error)},
    {INPUT(try_endpoint, leat_endpoint_options),
     .member = {ENUM(leat_endpoint_options, write_mode, LEAT_WRITE_APPEND)}},
    {OUTPUT(try_endpoint_error, leat_error)},
    {INPUT(try_callbacks, leat_endpoint_callbacks), .make = make_callbacks},
    {OUTPUT(try_callbacks_error, leat_error)},
    {INPUT(try_copy, leat_copy_options)},
    {OUTPUT(try_copy_error, leat_error)},
    {INPUT(try_pipeline, leat_pipeline_options),
     .member = {ENUM(leat_pipeline_options, stability, LEAT_SOURCE_STABLE),
                ENUM(leat_pipeline_options, sparse, LEAT_SPARSE_NEVER),
                ENUM(leat_pipeline_options, digest_provider, LEAT_DIGEST_KERNEL),
                ENUM(leat_pipeline_options, cache, LEAT_CACHE_DIRECT)}},
    {INPUT(try_parse, leat_pipeline_options),
     .member = {ENUM(leat_pipeline_options, stability, LEAT_SOURCE_STABLE),
                ENUM(leat_pipeline_options, sparse, LEAT_SPARSE_NEVER),
                ENUM(leat_pipeline_options, digest_provider, LEAT_DIGEST_KERNEL),
                ENUM(leat_pipeline_options, cache, LEAT_CACHE_DIRECT)}},
    {INPUT(try_parse_endpoints, leat_endpoint_options),
     .member = {ENUM(leat_endpoint_options, write_mode, LEAT_WRITE_APPEND)}},
    {INPUT(try_parse_sinks, leat_sink_options), .member = {ENUM(leat_sink_options, slow, LEAT_SLOW_SPILL)}},
    {OUTPUT(try_parse_error, leat_error)},
    {OUTPUT(try_check_error, leat_error)},
    {INPUT(try_sink, leat_sink_options), .member = {ENUM(leat_sink_options, slow, LEAT_SLOW_SPILL)}},
    {OUTPUT(try_progress, leat_progress)},
    {OUTPUT(try_totals, leat_totals)},
    {OUTPUT(try_hop, leat_hop)},
    {OUTPUT(try_route, leat_hop_route)},
    {OUTPUT(try_outcome, leat_sink_outcome)},
    {OUTPUT(try_buffer_outcome, leat_buffer_outcome)},
    {OUTPUT(try_from_fd_error, leat_error)},
    {OUTPUT(try_new_pipeline_error, leat_error)},
    {OUTPUT(try_sink_error, leat_error)},
    {OUTPUT(try_hooks_error, leat_error)},
    {INPUT(try_report, leat_error), .make = make_error, .member = {ENUM(leat_error, side, LEAT_SIDE_SINK)}},
    {INPUT(try_engine, leat_engine_options)},
    {OUTPUT(try_engine_error, leat_error)},
    {INPUT(try_hooks, leat_thread_hooks)},
    {INPUT(try_channel, leat_channel_options), .member = {ENUM(leat_channel_options, end, LEAT_CHANNEL_RECEIVER)}},
    {OUTPUT(try_channel_error, leat_error)},
    {OUTPUT(try_inspect, leat_channel_info)},
    {OUTPUT(try_describe, leat_channel_options)},
    {OUTPUT(try_probe, leat_features)},
    {INPUT(try_image, leat_image_options)},
    {OUTPUT(try_image_result, leat_image_result)},
    {OUTPUT(try_image_error, leat_error)},
    {OUTPUT(try_inspect_error, leat_error)},
    {INPUT(try_tree, leat_tree_options), .member = {ENUM(leat_tree_options, keep, LEAT_TREE_ALL)}},
    {INPUT(try_tree_verify, leat_tree_options), .member = {ENUM(leat_tree_options, keep, LEAT_TREE_ALL)}},
    {OUTPUT(try_tree_result, leat_tree_result)},
    {OUTPUT(try_tree_verify_result, leat_tree_result)},
    {OUTPUT(try_tree_journal, leat_tree_journal)},
    {OUTPUT(try_tree_error, leat_error)},
    {INPUT(try_store, leat_store_options)},
    {OUTPUT(try_store_result, leat_store_result)},
    {OUTPUT(try_store_error, leat_error)},
    {INPUT(try_sweep, leat_store_sweep_options)},
    {OUTPUT(try_sweep_result, leat_store_sweep_result)},
    {OUTPUT(try_sweep_error, leat_error)},
};

/* `given` says that it has `size` bytes; all of it that is not made is zero. */
static void make_one(const struct row *row, void *given, size_t size)
{
    memset(given, 0, ROOM);
    if (row->make)
        row->make(given);
    memcpy(given, &size, sizeof(size));
}

static void expect(const struct row *row, void *given, const char *what, int answer)
{
    int r = row->try(given);
    if (r == -ENOSYS) /* channels, where there is no Linux */
        return;
    if (r != answer)
        fail_msg("%s, %s: %d, not %d", row->name, what, r, answer);
}

static void a_size_that_cannot_be_is_refused(void **state UNUSED)
{
    CLEANUP_FREE void *given = malloc(ROOM);
    for (size_t i = 0; i < COUNT(rows); i++) {
        make_one(&rows[i], given, 0);
        expect(&rows[i], given, "size 0", -EINVAL);
        make_one(&rows[i], given, 1);
        expect(&rows[i], given, "size 1", -EINVAL);
    }
}

static void the_size_of_this_version_is_taken(void **state UNUSED)
{
    CLEANUP_FREE void *given = malloc(ROOM);
    for (size_t i = 0; i < COUNT(rows); i++) {
        make_one(&rows[i], given, rows[i].size);
        expect(&rows[i], given, "its size", 0);
    }
}

/* A newer program, that asks for nothing that an older library does not have. What leat fills may have any tail. */
static void a_larger_size_is_taken_where_the_rest_is_zero(void **state UNUSED)
{
    CLEANUP_FREE char *given = malloc(ROOM);
    for (size_t i = 0; i < COUNT(rows); i++) {
        size_t larger = rows[i].size + 64;
        make_one(&rows[i], given, larger);
        expect(&rows[i], given, "larger", 0);
        make_one(&rows[i], given, larger);
        given[larger] = 1;
        expect(&rows[i], given, "larger, and something behind it", 0);
        make_one(&rows[i], given, larger);
        given[larger - 1] = 1;
        expect(&rows[i], given, "larger with a tail", rows[i].input ? -E2BIG : 0);
    }
}

static void what_is_no_value_of_an_enum_is_refused(void **state UNUSED)
{
    CLEANUP_FREE char *given = malloc(ROOM);
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t m = 0; m < COUNT(rows[i].member) && rows[i].member[m].name; m++) {
            const int32_t last = rows[i].member[m].last, wrong[] = {-1, last + 1, 1000, INT32_MAX, INT32_MIN};
            for (int32_t value = 0; value <= last; value++) {
                make_one(&rows[i], given, rows[i].size);
                memcpy(given + rows[i].member[m].at, &value, sizeof(value));
                expect(&rows[i], given, rows[i].member[m].name, 0);
            }
            for (size_t w = 0; w < COUNT(wrong); w++) {
                make_one(&rows[i], given, rows[i].size);
                memcpy(given + rows[i].member[m].at, &wrong[w], sizeof(wrong[w]));
                expect(&rows[i], given, rows[i].member[m].name, -EINVAL);
            }
        }
    }
}

/* The same of parameters. */
static void a_parameter_that_is_no_value_of_its_enum_is_refused(void **state UNUSED)
{
    leat_endpoint *endpoint, *other;
    leat_connection *connection;
    leat_stages *stages;
    char *text;
    leat_pipeline *p = from_null();
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    for (int wrong = -1; wrong <= 5; wrong += 6) {
        assert_int_equal(leat_endpoint_open(&endpoint, "null:", (enum leat_direction)wrong, NULL, NULL), -EINVAL);
        assert_int_equal(leat_endpoint_from_fd(&endpoint, 0, (enum leat_ownership)wrong), -EINVAL);
        assert_int_equal(leat_endpoint_duplex(&endpoint, &other, 0, (enum leat_ownership)wrong), -EINVAL);
        assert_int_equal(leat_connection_from_fd(&connection, 0, (enum leat_ownership)wrong, NULL, NULL), -EINVAL);
        assert_int_equal(leat_pipeline_explain(p, (enum leat_format)wrong, &text), -EINVAL);
        assert_int_equal(leat_stages_explain(stages, (enum leat_format)wrong, &text), -EINVAL);
        assert_int_equal(leat_stages_stop(stages, (enum leat_stop)wrong, -1, NULL), -EINVAL);
    }
    leat_stages_free(stages);
    leat_pipeline_free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_size_that_cannot_be_is_refused),
        cmocka_unit_test(the_size_of_this_version_is_taken),
        cmocka_unit_test(a_larger_size_is_taken_where_the_rest_is_zero),
        cmocka_unit_test(what_is_no_value_of_an_enum_is_refused),
        cmocka_unit_test(a_parameter_that_is_no_value_of_its_enum_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
