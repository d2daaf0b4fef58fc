/* SPDX-License-Identifier: MIT */
/* Every call that takes a ret_error: it tells of that call alone, whatever stood in it. */
#include "unit/unit.h"
#include <leat/leat.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>

/* Each does the same call, well or badly. */
typedef int (*try_fn)(bool well, struct leat_error *error);

static int try_endpoint(bool well, struct leat_error *error)
{
    leat_endpoint *endpoint;
    int r = leat_endpoint_open(&endpoint, well ? "null:" : "no/such/file", LEAT_READ, NULL, error);
    if (r == 0)
        leat_endpoint_close(endpoint);
    return r;
}

static int reads(void *user UNUSED, void *bytes UNUSED, size_t n UNUSED, size_t *ret_n)
{
    *ret_n = 0;
    return 0;
}

static int try_callbacks(bool well, struct leat_error *error)
{
    leat_endpoint *endpoint;
    struct leat_endpoint_callbacks callbacks = LEAT_INIT(struct leat_endpoint_callbacks);
    callbacks.read = well ? reads : NULL;
    int r = leat_endpoint_from_callbacks(&endpoint, &callbacks, NULL, error);
    if (r == 0)
        leat_endpoint_close(endpoint);
    return r;
}

static int try_parse(bool well, struct leat_error *error)
{
    leat_pipeline *p;
    int r = leat_pipeline_parse(&p, well ? "null: | null:" : "null: | no-filter | null:", NULL, error);
    if (r == 0)
        leat_pipeline_free(p);
    return r;
}

static int try_buffer(bool well, struct leat_error *error)
{
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    return leat_filter_buffer_parse(&options, well ? "64M" : "64M,none", error);
}

static int try_slow(bool well, struct leat_error *error)
{
    struct leat_sink_options options = LEAT_INIT(struct leat_sink_options);
    return leat_pipeline_slow_sink_parse(&options, well ? "spill:64M" : "spill:64M,", error);
}

static int try_digest(bool well, struct leat_error *error)
{
    leat_filter *filter;
    int r = leat_filter_digest(&filter, well ? "crc32c" : "crc32c,nonsense", NULL, error);
    if (r == 0)
        leat_filter_free(filter);
    return r;
}

static int try_new_buffer(bool well, struct leat_error *error)
{
    leat_filter *filter;
    struct leat_buffer_options options = LEAT_INIT(struct leat_buffer_options);
    options.bytes = well;
    int r = leat_filter_buffer(&filter, &options, error);
    if (r == 0)
        leat_filter_free(filter);
    return r;
}

static int sees(void *user UNUSED, const void *bytes UNUSED, size_t n UNUSED)
{
    return 0;
}

static int try_custom(bool well, struct leat_error *error)
{
    leat_filter *filter;
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    ops.observe = well ? sees : NULL;
    int r = leat_filter_custom(&filter, &ops, NULL, error);
    if (r == 0)
        leat_filter_free(filter);
    return r;
}

static int try_check(bool well, struct leat_error *error)
{
    leat_pipeline *p;
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    options.route = well ? NULL : "no-route";
    assert_int_equal(leat_pipeline_parse(&p, "null: | null:", &options, NULL), 0);
    int r = leat_pipeline_check(p, error);
    leat_pipeline_free(p);
    return r;
}

static int try_copy(bool well, struct leat_error *error)
{
    return leat_copy(well ? "null:" : "no/such/file", "null:", NULL, NULL, error);
}

static int open_pipe(struct leat_pipe_options *options, struct leat_error *error)
{
    leat_writer *writer;
    leat_reader *reader;
    options->size = options->size ? options->size : sizeof(*options);
    int r = leat_pipe_open(&writer, &reader, options, error);
    if (r == 0) {
        leat_writer_close(writer);
        leat_reader_close(reader);
    }
    return r;
}

static int try_pipe(bool well, struct leat_error *error)
{
    return open_pipe(&(struct leat_pipe_options){.memory_limit = 10, .chunk_size = well ? 10 : 11}, error);
}

static int try_pipe_backend(bool well, struct leat_error *error)
{
    return open_pipe(&(struct leat_pipe_options){.backend = well ? LEAT_PIPE_QUEUE : 99}, error);
}

static int try_pipe_filter(bool well, struct leat_error *error)
{
    leat_filter *filters[2];
    assert_int_equal(leat_filter_meter(&filters[0]), 0);
    filters[1] = leat_filter_ref(filters[0]);
    if (well) {
        leat_filter_free(filters[1]);
        assert_int_equal(leat_filter_meter(&filters[1]), 0);
    }
    return open_pipe(&(struct leat_pipe_options){.filters = filters, .filter_count = 2}, error);
}

static int try_pipe_size(bool well, struct leat_error *error)
{
    return open_pipe(&(struct leat_pipe_options){.size = well ? 0 : 1}, error);
}

static int try_writer_filter(bool well, struct leat_error *error)
{
    leat_writer *writer;
    leat_reader *reader;
    leat_filter *filter;
    assert_int_equal(leat_pipe_open(&writer, &reader, NULL, NULL), 0);
    assert_int_equal(well ? leat_filter_meter(&filter) : leat_filter_exec(&filter, "cat"), 0);
    int r = leat_writer_filter(writer, filter, 0, error);
    leat_writer_close(writer);
    leat_reader_close(reader);
    return r;
}

static int try_connection(bool well, struct leat_error *error)
{
    leat_connection *c;
    int fd[2];
    char spec[20];
    unit_socketpair(fd);
    snprintf(spec, sizeof(spec), "fd:%d", fd[0]);
    int r = leat_connection_open(&c, well ? spec : "tcp:nonsense", NULL, error);
    if (r == 0)
        leat_connection_close(c);
    close(fd[0]);
    close(fd[1]);
    return r;
}

static int try_from_fd(bool well, struct leat_error *error)
{
    leat_connection *c;
    int fd[2];
    unit_socketpair(fd);
    int r = leat_connection_from_fd(&c, fd[0], well ? LEAT_BORROW : (enum leat_ownership)7, NULL, error);
    if (r == 0)
        leat_connection_close(c);
    close(fd[0]);
    close(fd[1]);
    return r;
}

static int try_from_datagrams(bool well, struct leat_error *error)
{
    leat_connection *c;
    int r = leat_connection_from_fd(&c, socket(AF_INET, well ? SOCK_STREAM : SOCK_DGRAM, 0), LEAT_TAKE, NULL, error);
    if (r == 0)
        leat_connection_close(c);
    return r;
}

static int try_new(bool well, struct leat_error *error)
{
    leat_pipeline *p;
    struct leat_pipeline_options options = {.size = well ? sizeof(options) : 1};
    int r = leat_pipeline_new(&p, &options, error);
    if (r == 0)
        leat_pipeline_free(p);
    return r;
}

/* Adds a sink to an empty pipeline. */
static int add_sink(enum leat_direction direction, const struct leat_sink_options *options, struct leat_error *error)
{
    leat_pipeline *p;
    leat_endpoint *endpoint;
    assert_int_equal(leat_pipeline_new(&p, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_open(&endpoint, "null:", direction, NULL, NULL), 0);
    int r = leat_pipeline_sink(p, endpoint, options, error);
    leat_pipeline_free(p);
    return r;
}

static int try_sink(bool well, struct leat_error *error)
{
    return add_sink(well ? LEAT_WRITE : LEAT_READ, NULL, error);
}

static int try_sink_options(bool well, struct leat_error *error)
{
    struct leat_sink_options options = LEAT_INIT(struct leat_sink_options);
    options.spill = 1;
    options.slow = well ? LEAT_SLOW_SPILL : LEAT_SLOW_WAIT;
    return add_sink(LEAT_WRITE, &options, error);
}

/* Hooks that were set stay for ever, so nothing is done well. The call is checked as the others are. */
static int try_hooks(bool well, struct leat_error *error)
{
    int r = leat_thread_hooks_set(NULL, error);
    if (!well)
        return r;
    *error = LEAT_INIT(struct leat_error);
    return 0;
}

/* A build without stores or channels has nothing that is done well. */
static int is_done(int r, bool well, struct leat_error *error)
{
    if (r != -ENOSYS || !well)
        return r;
    *error = LEAT_INIT(struct leat_error);
    return 0;
}

static int try_channel(bool well, struct leat_error *error)
{
    struct leat_channel_options options = LEAT_INIT(struct leat_channel_options);
    leat_channel *channel;
    options.peers = well ? 2 : 1;
    int r = leat_channel_open(&channel, &options, error);
    if (r == 0)
        leat_channel_close(channel);
    return is_done(r, well, error);
}

static int try_pool(bool well, struct leat_error *error)
{
    struct leat_pool_options options = LEAT_INIT(struct leat_pool_options);
    leat_pool *pool;
    options.chunk_min = well ? 8192 : 8191;
    int r = leat_pool_new(&pool, &options, error);
    if (r == 0)
        leat_pool_free(pool);
    return r;
}

static int try_stream(bool well, struct leat_error *error)
{
    struct leat_stream_options options = LEAT_INIT(struct leat_stream_options);
    leat_stream *stream;
    options.pause_at = 10;
    options.resume_at = well ? 9 : 10;
    int r = leat_stream_new(&stream, NULL, &options, error);
    if (r == 0)
        leat_stream_free(stream);
    return r;
}

static int does(leat_work *work UNUSED, void *item UNUSED, void *user)
{
    return *(bool *)user ? 0 : -EIO;
}

static int one(void *user, void **ret_item)
{
    int *left = user;
    *ret_item = user;
    return (*left)-- > 0 ? 0 : LEAT_STAGES_END;
}

static leat_stages *make(bool *well)
{
    leat_stages *stages;
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    stage.name = "x";
    stage.function = does;
    stage.user = well;
    stage.workers = 1;
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    return stages;
}

static int try_engine(bool well, struct leat_error *error)
{
    struct leat_engine_options options = LEAT_INIT(struct leat_engine_options);
    leat_engine *engine;
    options.threads = well ? 1 : -1;
    int r = leat_engine_new(&engine, &options, error);
    if (r == 0)
        leat_engine_free(engine);
    return r;
}

static size_t one_byte(void *user UNUSED, const void *item UNUSED)
{
    return 1;
}

static int try_stages(bool well, struct leat_error *error)
{
    leat_stages *stages;
    struct leat_stages_options options = LEAT_INIT(struct leat_stages_options);
    options.queue_bytes = 1;
    options.item_size = well ? one_byte : NULL;
    int r = leat_stages_new(&stages, &options, error);
    if (r == 0)
        leat_stages_free(stages);
    return r;
}

static int try_add(bool well, struct leat_error *error)
{
    leat_stages *stages;
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    stage.name = "x";
    stage.function = does;
    stage.workers = well;
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    int r = leat_stages_add(stages, &stage, error);
    leat_stages_free(stages);
    return r;
}

static int try_pull_add(bool well, struct leat_error *error)
{
    leat_pull *pull;
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    int left = 0;
    stage.name = well ? "x" : "";
    stage.function = does;
    assert_int_equal(leat_pull_new(&pull, one, &left), 0);
    int r = leat_pull_add(pull, &stage, error);
    leat_pull_free(pull);
    return r;
}

static int try_run(bool well, struct leat_error *error)
{
    int left = 1;
    leat_stages *stages = make(&well);
    int r = leat_stages_run(stages, one, &left, NULL, NULL, error);
    leat_stages_free(stages);
    return r;
}

static int try_run_nothing(bool well, struct leat_error *error)
{
    int left = 1;
    leat_stages *stages = make(&(bool){true});
    int r = leat_stages_run(stages, well ? one : NULL, &left, NULL, NULL, error);
    leat_stages_free(stages);
    return r;
}

static int try_wait(bool well, struct leat_error *error)
{
    leat_stages *stages = make(&(bool){true});
    if (well) {
        assert_int_equal(leat_stages_start(stages), 0);
        leat_stages_finish(stages);
    }
    int r = leat_stages_wait(stages, -1, error);
    leat_stages_free(stages);
    return r;
}

static int try_stop(bool well, struct leat_error *error)
{
    leat_stages *stages = make(&(bool){true});
    assert_int_equal(leat_stages_start(stages), 0);
    if (!well)
        leat_stages_cancel(stages);
    int r = leat_stages_stop(stages, LEAT_STOP_DRAIN, -1, error);
    leat_stages_free(stages);
    return r;
}

#define NOTHING_HEX  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define MANIFEST_HEX "e486a17198cd73662019b4c52f0180e1644e0172237e02c69bf62356e70dd232"

/* In a layout with one image, which has no layers. */
static int in_layout(bool well, int (*call)(const char *name, struct leat_error *error), struct leat_error *error)
{
    static const char manifest[] =
        "{\"schemaVersion\":2,\"config\":{\"digest\":\"sha256:" NOTHING_HEX "\",\"size\":0},\"layers\":[]}";
    char index[300];
    int n = snprintf(index, sizeof(index),
                     "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:" MANIFEST_HEX "\",\"size\":%zu}]}",
                     strlen(manifest));
    assert_int_equal(unit_folder(NULL), 0);
    assert_int_equal(mkdir("blobs", 0777), 0);
    assert_int_equal(mkdir("blobs/sha256", 0777), 0);
    unit_write("blobs/sha256/" MANIFEST_HEX, manifest, strlen(manifest));
    unit_write("blobs/sha256/" NOTHING_HEX, "", 0);
    unit_write("index.json", index, (size_t)n);
    int r = call(well ? "oci:." : "oci:none", error);
    if (r == -ENOSYS && well) { /* a build without stores */
        r = 0;
        *error = LEAT_INIT(struct leat_error);
    }
    assert_int_equal(unit_folder_gone(NULL), 0);
    return r;
}

static int call_copy(const char *name, struct leat_error *error)
{
    return leat_image_copy(name, "oci:copy", NULL, NULL, error);
}

static int try_image_copy(bool well, struct leat_error *error)
{
    return in_layout(well, call_copy, error);
}

static int call_inspect(const char *name, struct leat_error *error)
{
    char *text;
    int r = leat_image_inspect(name, NULL, &text, error);
    if (r == 0)
        leat_free(text);
    return r;
}

static int try_image_inspect(bool well, struct leat_error *error)
{
    return in_layout(well, call_inspect, error);
}

static int call_verify(const char *name, struct leat_error *error)
{
    return leat_image_verify(name, NULL, NULL, error);
}

static int try_tree_copy(bool well, struct leat_error *error)
{
    assert_int_equal(unit_folder(NULL), 0);
    assert_int_equal(mkdir("source", 0700), 0);
    int r = leat_tree_copy(well ? "source" : "none", "target", NULL, NULL, error);
    assert_int_equal(unit_folder_gone(NULL), 0);
    return r;
}

static int try_tree_verify(bool well, struct leat_error *error)
{
    assert_int_equal(unit_folder(NULL), 0);
    assert_int_equal(mkdir("source", 0700), 0);
    int r = leat_tree_verify("source", well ? "source" : "none", NULL, NULL, error);
    assert_int_equal(unit_folder_gone(NULL), 0);
    return r;
}

static int try_tree_journal_read(bool well, struct leat_error *error)
{
    struct leat_tree_options options = LEAT_INIT(struct leat_tree_options);
    assert_int_equal(unit_folder(NULL), 0);
    assert_int_equal(mkdir("source", 0700), 0);
    options.journal = "journal";
    options.journal_stays = 1;
    unit_write("source/file", "1", 1);
    assert_int_equal(leat_tree_copy("source", "target", &options, NULL, NULL), 0);
    int r = leat_tree_journal_read(well ? "journal" : "none", NULL, NULL, NULL, NULL, error);
    assert_int_equal(unit_folder_gone(NULL), 0);
    return r;
}

static int no_line(void *user UNUSED, struct leat_tree_entry *ret UNUSED)
{
    return 0;
}

static int try_tree_verify_list(bool well, struct leat_error *error)
{
    assert_int_equal(unit_folder(NULL), 0);
    int r = leat_tree_verify_list(well ? "." : "none", no_line, NULL, NULL, NULL, error);
    assert_int_equal(unit_folder_gone(NULL), 0);
    return r;
}

static int no_name(void *user UNUSED, const char *name UNUSED, int32_t is_file UNUSED)
{
    return 0;
}

static int try_tree_walk(bool well, struct leat_error *error)
{
    assert_int_equal(unit_folder(NULL), 0);
    int r = leat_tree_walk(well ? "." : "none", no_name, NULL, NULL, NULL, error);
    assert_int_equal(unit_folder_gone(NULL), 0);
    return r;
}

static int try_image_verify(bool well, struct leat_error *error)
{
    return in_layout(well, call_verify, error);
}

/* Listens at `url`: the server answers one request with a list of nothing. */
static pid_t serve_nothing(char url[64])
{
    static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 29\r\n\r\n<ListMultipartUploadsResult/>";
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(bind(listener, (struct sockaddr *)&address, n) == 0 && listen(listener, 1) == 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &n), 0);
    snprintf(url, 64, "http://127.0.0.1:%d", ntohs(address.sin_port));
    pid_t child = fork();
    if (child == 0) {
        char bytes[4096];
        int fd = accept(listener, NULL, NULL);
        bool done = fd >= 0 && read(fd, bytes, sizeof(bytes)) > 0 && write(fd, answer, strlen(answer)) > 0;
        _exit(!done);
    }
    close(listener);
    return child;
}

static int any(void *user UNUSED, const struct leat_store_entry *entry UNUSED)
{
    return 0;
}

static struct leat_store_options telling(void)
{
    struct leat_store_options options = LEAT_INIT(struct leat_store_options);
    options.entry = any;
    return options;
}

static int try_list(bool well, struct leat_error *error)
{
    struct leat_store_options options = telling();
    return is_done(leat_store_list(well ? "file:." : "file:no/such/folder", &options, error), well, error);
}

static int try_stat(bool well, struct leat_error *error)
{
    struct leat_store_options options = telling();
    return is_done(leat_store_stat(well ? "file:." : "file:no/such/file", &options, error), well, error);
}

static int try_remove(bool well, struct leat_error *error)
{
    const char *const none = "file:no/such/file";
    return leat_store_remove(&none, !well, NULL, NULL, error);
}

static int try_sweep(bool well, struct leat_error *error)
{
    char url[64] = "http://127.0.0.1:1";
    pid_t server = well ? serve_nothing(url) : -1;
    setenv("AWS_ENDPOINT_URL_S3", url, 1);
    int r = leat_store_sweep("s3://bucket", NULL, NULL, error);
    if (r == -ENOSYS && well) { /* a build without stores */
        r = 0;
        *error = LEAT_INIT(struct leat_error);
    }
    if (server > 0) {
        kill(server, SIGKILL);
        waitpid(server, NULL, 0);
    }
    return r;
}

static const struct row {
    const char *name;
    try_fn try;
} rows[] = {
    {"leat_endpoint_open", try_endpoint},
    {"leat_endpoint_from_callbacks", try_callbacks},
    {"leat_pipeline_parse", try_parse},
    {"leat_pipeline_check", try_check},
    {"leat_filter_digest", try_digest},
    {"leat_filter_buffer", try_new_buffer},
    {"leat_filter_custom", try_custom},
    {"leat_filter_buffer_parse", try_buffer},
    {"leat_pipeline_slow_sink_parse", try_slow},
    {"leat_copy", try_copy},
    {"leat_pipe_open", try_pipe},
    {"leat_pipe_open", try_pipe_backend},
    {"leat_pipe_open", try_pipe_filter},
    {"leat_pipe_open", try_pipe_size},
    {"leat_writer_filter", try_writer_filter},
    {"leat_channel_open", try_channel},
    {"leat_pool_new", try_pool},
    {"leat_stream_new", try_stream},
    {"leat_engine_new", try_engine},
    {"leat_stages_new", try_stages},
    {"leat_stages_add", try_add},
    {"leat_pull_add", try_pull_add},
    {"leat_stages_run", try_run},
    {"leat_stages_run", try_run_nothing},
    {"leat_stages_wait", try_wait},
    {"leat_stages_stop", try_stop},
    {"leat_connection_open", try_connection},
    {"leat_connection_from_fd", try_from_fd},
    {"leat_connection_from_fd", try_from_datagrams},
    {"leat_pipeline_new", try_new},
    {"leat_pipeline_sink", try_sink},
    {"leat_pipeline_sink", try_sink_options},
    {"leat_thread_hooks_set", try_hooks},
    {"leat_image_copy", try_image_copy},
    {"leat_image_inspect", try_image_inspect},
    {"leat_image_verify", try_image_verify},
    {"leat_tree_copy", try_tree_copy},
    {"leat_tree_verify", try_tree_verify},
    {"leat_tree_journal_read", try_tree_journal_read},
    {"leat_tree_walk", try_tree_walk},
    {"leat_tree_verify_list", try_tree_verify_list},
    {"leat_store_list", try_list},
    {"leat_store_stat", try_stat},
    {"leat_store_remove", try_remove},
    {"leat_store_sweep", try_sweep},
};

#define EARLIER "an earlier failure"

static void an_earlier_failure_is_forgotten(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        for (int well = 0; well <= 1; well++) {
            struct leat_error error = {.size = sizeof(error),
                                       .code = -ENOSPC,
                                       .side = LEAT_SIDE_SINK,
                                       .index = 7,
                                       .advice = LEAT_ADVICE_IN_PLACE,
                                       .node = EARLIER,
                                       .operation = EARLIER,
                                       .offset = 8,
                                       .taken = 9,
                                       .text = EARLIER};
            int r = rows[i].try(well, &error);
            if ((r == 0) != well || error.code != r || strcmp(error.text, EARLIER) == 0 ||
                strcmp(error.node, EARLIER) == 0 || strcmp(error.operation, EARLIER) == 0 || error.taken == 9 ||
                (r < 0) != (error.text[0] != '\0'))
                fail_msg("%s %s: %d, and the error has %d: %s", rows[i].name, well ? "well" : "badly", r, error.code,
                         error.text);
        }
    }
}

/* An older program's struct ends before the text. Nothing behind it may be written. */
static void no_more_than_its_size_is_written(void **state UNUSED)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct leat_error error;
        memset(&error, 0x5a, sizeof(error));
        error.size = offsetof(struct leat_error, node);
        assert_true(rows[i].try == try_run || rows[i].try(false, &error) < 0);
        for (size_t at = offsetof(struct leat_error, node); at < sizeof(error); at++)
            if (((unsigned char *)&error)[at] != 0x5a)
                fail_msg("%s wrote at %zu", rows[i].name, at);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_earlier_failure_is_forgotten),
        cmocka_unit_test(no_more_than_its_size_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
