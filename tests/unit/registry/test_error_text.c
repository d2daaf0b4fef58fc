/* SPDX-License-Identifier: MIT */
/* An error owns its text: every string of the caller and every object is gone, and it still says what failed. */
#include "unit/unit.h"
#include <leat/leat.h>

/* Fails, with an error whose node is the name. Every object that the call made is gone when it returns. */
typedef int (*fail_fn)(char *name, struct leat_error *error);

static void lose(char *name)
{
    memset(name, '?', strlen(name));
    free(name);
}

/* What the header promises of a name that has no room. */
static void expected_node(char to[256], const char *name)
{
    size_t n = strlen(name);
    if (n < 256)
        memcpy(to, name, n + 1);
    else
        snprintf(to, 256, "%.126s...%s", name, name + n - 126);
}

/* ---- what fails at once ---- */

static int fail_source(char *name, struct leat_error *error)
{
    leat_endpoint *endpoint;
    return leat_endpoint_open(&endpoint, name, LEAT_READ, NULL, error);
}

static int fail_sink(char *name, struct leat_error *error)
{
    leat_endpoint *endpoint;
    return leat_endpoint_open(&endpoint, name, LEAT_WRITE, NULL, error);
}

static int fail_connection(char *name, struct leat_error *error)
{
    leat_connection *connection;
    return leat_connection_open(&connection, name, NULL, error);
}

static int fail_parse(char *name, struct leat_error *error)
{
    leat_pipeline *p;
    return leat_pipeline_parse(&p, name, NULL, error);
}

static int fail_copy(char *name, struct leat_error *error)
{
    return leat_copy(name, "null:", NULL, NULL, error);
}

static int fail_copy_to(char *name, struct leat_error *error)
{
    return leat_copy("null:", name, NULL, NULL, error);
}

/* Calls it with a layout whose manifest is another one than its name says. */
static int in_layout(char *name, struct leat_error *error, int (*call)(const char *, struct leat_error *))
{
    static const char hex[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    char index[200], path[800];
    assert_int_equal(unit_folder(NULL), 0);
    assert_int_equal(mkdir(name + 4, 0777), 0);
    snprintf(path, sizeof(path), "%s/index.json", name + 4);
    int n = snprintf(index, sizeof(index),
                     "{\"schemaVersion\":2,\"manifests\":[{\"digest\":\"sha256:%s\",\"size\":2}]}", hex);
    unit_write(path, index, (size_t)n);
    snprintf(path, sizeof(path), "%s/blobs", name + 4);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof(path), "%s/blobs/sha256", name + 4);
    assert_int_equal(mkdir(path, 0777), 0);
    snprintf(path, sizeof(path), "%s/blobs/sha256/%s", name + 4, hex);
    unit_write(path, "{}", 2);
    int r = call(name, error);
    assert_int_equal(unit_folder_gone(NULL), 0);
    return r;
}

static int image_copy(const char *name, struct leat_error *error)
{
    return leat_image_copy(name, "oci:to", NULL, NULL, error);
}

static int fail_image_copy(char *name, struct leat_error *error)
{
    return in_layout(name, error, image_copy);
}

static int inspect(const char *name, struct leat_error *error)
{
    char *text;
    return leat_image_inspect(name, NULL, &text, error);
}

static int fail_inspect(char *name, struct leat_error *error)
{
    return in_layout(name, error, inspect);
}

static int verify(const char *name, struct leat_error *error)
{
    return leat_image_verify(name, NULL, NULL, error);
}

static int fail_verify(char *name, struct leat_error *error)
{
    return in_layout(name, error, verify);
}

static int no_entry(void *user UNUSED, const struct leat_store_entry *entry UNUSED)
{
    return 0;
}

static int fail_list(char *name, struct leat_error *error)
{
    struct leat_store_options options = LEAT_INIT(struct leat_store_options);
    options.entry = no_entry;
    return leat_store_list(name, &options, error);
}

static int fail_stat(char *name, struct leat_error *error)
{
    struct leat_store_options options = LEAT_INIT(struct leat_store_options);
    options.entry = no_entry;
    return leat_store_stat(name, &options, error);
}

static int fail_sweep(char *name, struct leat_error *error)
{
    return leat_store_sweep(name, NULL, NULL, error);
}

static int fail_remove(char *name, struct leat_error *error)
{
    return leat_store_remove((const char *const *)&name, 1, NULL, NULL, error);
}

struct problem {
    char spec[1000];
    struct leat_error error;
};

static void keep_problem(void *user, const char *spec, const struct leat_error *error)
{
    struct problem *p = user;
    snprintf(p->spec, sizeof(p->spec), "%s", spec);
    p->error = *error;
}

/* The function of the caller is told the whole name. */
static int fail_remove_told(char *name, struct leat_error *error)
{
    struct problem problem = {.spec = ""};
    struct leat_store_options options = LEAT_INIT(struct leat_store_options);
    options.problem = keep_problem;
    options.user = &problem;
    int r = leat_store_remove((const char *const *)&name, 1, &options, NULL, NULL);
    if (r == -ENOSYS) /* a build without stores */
        return r;
    assert_string_equal(problem.spec, name);
    *error = problem.error;
    return r;
}

/* ---- what fails later ---- */

static void take(struct leat_error *error, const struct leat_error *failure)
{
    assert_non_null(failure);
    *error = *failure;
}

/* A file is looked at when its endpoint is made, and is gone when the pipeline opens it. */
static int run_lost(char *name, struct leat_error *error, bool sink)
{
    leat_endpoint *in, *out;
    leat_pipeline *p;
    leat_report *report;
    assert_int_equal(unit_folder(NULL), 0);
    if (!sink)
        unit_write(name, "a", 1);
    assert_int_equal(leat_endpoint_open(&in, sink ? "null:" : name, LEAT_READ, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_open(&out, sink ? name : "null:", LEAT_WRITE, NULL, NULL), 0);
    unlink(name);
    if (sink)
        assert_int_equal(mkdir(name, 0777), 0);
    assert_int_equal(leat_pipeline_new(&p, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_source(p, in), 0);
    assert_int_equal(leat_pipeline_sink(p, out, NULL, NULL), 0);
    int r = leat_pipeline_run(p, &report);
    take(error, sink ? leat_report_sink_error(report, 0) : leat_report_error(report));
    leat_report_free(report);
    leat_pipeline_free(p);
    assert_int_equal(unit_folder_gone(NULL), 0);
    return r;
}

static int fail_run(char *name, struct leat_error *error)
{
    return run_lost(name, error, false);
}

static int fail_run_sink(char *name, struct leat_error *error)
{
    return run_lost(name, error, true);
}

static int fail_check(char *name, struct leat_error *error)
{
    leat_endpoint *in, *out;
    leat_pipeline *p;
    struct leat_pipeline_options options = LEAT_INIT(struct leat_pipeline_options);
    options.offset = 2;
    assert_int_equal(unit_folder(NULL), 0);
    unit_write(name, "a", 1);
    assert_int_equal(leat_endpoint_open(&in, name, LEAT_READ, NULL, NULL), 0);
    assert_int_equal(leat_endpoint_open(&out, "null:", LEAT_WRITE, NULL, NULL), 0);
    assert_int_equal(leat_pipeline_new(&p, &options, NULL), 0);
    assert_int_equal(leat_pipeline_source(p, in), 0);
    assert_int_equal(leat_pipeline_sink(p, out, NULL, NULL), 0);
    int r = leat_pipeline_check(p, error);
    leat_pipeline_free(p);
    assert_int_equal(unit_folder_gone(NULL), 0);
    return r;
}

static int refuse(void *user UNUSED, const void *bytes UNUSED, size_t n UNUSED)
{
    return -EDOM;
}

static leat_filter *filter_of(const char *name)
{
    struct leat_filter_ops ops = LEAT_INIT(struct leat_filter_ops);
    leat_filter *filter;
    ops.name = name;
    ops.observe = refuse;
    assert_int_equal(leat_filter_custom(&filter, &ops, NULL, NULL), 0);
    return filter;
}

/* A filter can't be in the pipe twice. */
static int fail_pipe(char *name, struct leat_error *error)
{
    leat_writer *writer;
    leat_reader *reader;
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    leat_filter *filters[2] = {filter_of(name)};
    filters[1] = leat_filter_ref(filters[0]);
    options.filters = filters;
    options.filter_count = 2;
    return leat_pipe_open(&writer, &reader, &options, error);
}

static int break_pipe(char *name, struct leat_error *error, bool ask_reader)
{
    leat_writer *writer;
    leat_reader *reader;
    struct leat_pipe_options options = LEAT_INIT(struct leat_pipe_options);
    leat_filter *filter = filter_of(name);
    options.filters = &filter;
    options.filter_count = 1;
    assert_int_equal(leat_pipe_open(&writer, &reader, &options, NULL), 0);
    int r = leat_writer_write(writer, "a", 1, NULL, -1);
    r = r < 0 ? r : leat_writer_flush(writer, -1);
    assert_int_equal(r, -EPIPE);
    if (ask_reader)
        assert_int_equal(leat_reader_read(reader, &(char){0}, 1, NULL, -1), -EDOM);
    assert_int_equal(ask_reader ? leat_reader_error(reader, error) : leat_writer_error(writer, error), 0);
    leat_writer_close(writer);
    leat_reader_close(reader);
    return error->code;
}

static int fail_writer(char *name, struct leat_error *error)
{
    return break_pipe(name, error, false);
}

static int fail_reader(char *name, struct leat_error *error)
{
    return break_pipe(name, error, true);
}

static int fail_item(leat_work *work UNUSED, void *item UNUSED, void *user UNUSED)
{
    return -EDOM;
}

static int next(void *user, void **ret_item)
{
    *ret_item = user;
    return 0;
}

static int fail_stages(char *name, struct leat_error *error)
{
    leat_stages *stages;
    struct leat_stage stage = LEAT_INIT(struct leat_stage);
    stage.name = name;
    stage.function = fail_item;
    stage.workers = 1;
    assert_int_equal(leat_stages_new(&stages, NULL, NULL), 0);
    assert_int_equal(leat_stages_add(stages, &stage, NULL), 0);
    int r = leat_stages_run(stages, next, &r, NULL, NULL, error);
    leat_stages_free(stages);
    return r;
}

static int fail_report(char *name, struct leat_error *error)
{
    leat_report *report;
    struct leat_error own = LEAT_INIT(struct leat_error);
    int r = leat_endpoint_open(&(leat_endpoint *){NULL}, name, LEAT_READ, NULL, &own);
    assert_int_equal(leat_report_from_error(&report, &own), 0);
    memset(&own, '?', sizeof(own));
    take(error, leat_report_error(report));
    leat_report_free(report);
    return r;
}

static const struct row {
    const char *name;
    fail_fn failing;
    const char *prefix; /* with "./" the name is that of a file or folder, which is made */
} rows[] = {
    {"leat_endpoint_open: source", fail_source, "no/such/"},
    {"leat_endpoint_open: sink", fail_sink, "no/such/"},
    {"leat_connection_open", fail_connection, "tcp:"},
    {"leat_pipeline_parse", fail_parse, "| "},
    {"leat_copy: source", fail_copy, "no/such/"},
    {"leat_copy: sink", fail_copy_to, "no/such/"},
    {"leat_image_copy", fail_image_copy, "oci:./"},
    {"leat_image_inspect", fail_inspect, "oci:./"},
    {"leat_image_verify", fail_verify, "oci:./"},
    {"leat_store_list", fail_list, "file:no/such/"},
    {"leat_store_stat", fail_stat, "file:no/such/"},
    {"leat_store_sweep", fail_sweep, "file:no/such/"},
    {"leat_store_remove", fail_remove, "file:no/such/"},
    {"leat_store_remove: problem", fail_remove_told, "file:no/such/"},
    {"leat_report_error", fail_run, "./"},
    {"leat_report_sink_error", fail_run_sink, "./"},
    {"leat_pipeline_check", fail_check, "./"},
    {"leat_pipe_open", fail_pipe, ""},
    {"leat_writer_error", fail_writer, ""},
    {"leat_reader_error", fail_reader, ""},
    {"leat_stages_run", fail_stages, ""},
    {"leat_report_from_error", fail_report, "no/such/"},
};

/* A name of `n` bytes, which come in no order. Where a file is made, slashes in front make up the length. */
static char *make_name(const struct row *row, size_t n)
{
    char *name = malloc(n + 1);
    size_t prefix = strlen(row->prefix);
    bool is_file = strstr(row->prefix, "./") != NULL;
    assert_non_null(name);
    memcpy(name, row->prefix, prefix);
    for (size_t i = prefix; i < n; i++)
        name[i] = is_file && n - i > 100 ? '/' : (char)('a' + i * 7 % 26);
    name[n] = '\0';
    return name;
}

static void nothing_of_the_caller_is_left_in_an_error(void **state UNUSED)
{
    static const size_t lengths[] = {20, 255, 256, 600};
    for (size_t i = 0; i < COUNT(rows); i++)
        for (size_t l = 0; l < COUNT(lengths); l++) {
            char expected[256], *name = make_name(&rows[i], lengths[l]);
            struct leat_error first = LEAT_INIT(struct leat_error), error;
            int r = rows[i].failing(name, &first);
            expected_node(expected, rows[i].failing == fail_parse ? "" : name);
            lose(name);
            error = first;
            memset(&first, '?', sizeof(first));
            if (r == -ENOSYS) /* a build without stores */
                continue;
            if (r >= 0 || error.code != r || !error.text[0] || !error.operation[0] || strcmp(error.node, expected) != 0)
                fail_msg("%s with %zu bytes: %d, %s: %s: %s", rows[i].name, lengths[l], r, error.node, error.operation,
                         error.text);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_of_the_caller_is_left_in_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
